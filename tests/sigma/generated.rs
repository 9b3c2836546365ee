//! Generated rules against generated events: the compiled rules and their traces agree with the naive evaluator.
//!
//! Both are drawn from few letters, fields and values, so that matches are common.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use vaultwatch::detect::RuleSet;
use vaultwatch::diagnostic::{Source, Sources};
use vaultwatch::rule::{self, Rule};

use super::{crowd, expected_names, indented, traced, verdicts, whole};

/// Case, folds that change a letter's length, wildcards and escapes, in as few letters as possible.
const TEXT: &str = r"[abAkK\u{212A}ıİ*?\\]{1,4}";

static CROWD: LazyLock<Rule> = LazyLock::new(|| crowd(&["a"]));

fn field() -> BoxedStrategy<String> {
    one_of(&["a", "b", "a.b", "b.a", "a.a.b", "c"])
}

fn quoted() -> BoxedStrategy<String> {
    TEXT.prop_map(|text| format!("'{text}'")).boxed()
}

fn value() -> BoxedStrategy<String> {
    prop_oneof![3 => quoted(), 2 => one_of(&["0", "1", "10", "-1", "1.5", "true", "false", "null", "''"])].boxed()
}

fn one_of(texts: &'static [&'static str]) -> BoxedStrategy<String> {
    select(texts).prop_map(str::to_owned).boxed()
}

/// One value, or a list of them.
fn values(value: BoxedStrategy<String>) -> BoxedStrategy<String> {
    prop_oneof![value.clone(), list(value)].boxed()
}

fn list(value: BoxedStrategy<String>) -> BoxedStrategy<String> {
    vec(value, 2..4).prop_map(|values| format!("[{}]", values.join(", "))).boxed()
}

/// The modifiers of an item, and its value.
fn test() -> BoxedStrategy<(String, String)> {
    let expressions = &["'a'", "'^ab'", "'b$'", "'(?i)k'", "'^$'", "'a.*b'", "'(a|1)b?'", "'[kK]'", "'ab|ba|true'"];
    let networks = &["'10.0.0.0/8'", "'10.0.0.10'", "'::/0'"];
    prop_oneof![
        4 => (neq(), values(value())),
        4 => (anchored(), values(quoted())),
        2 => (anchored_all(), list(quoted())),
        2 => (neq().prop_map(|neq| format!("|re{neq}")), one_of(expressions)),
        2 => (one_of(&["|lt", "|lte", "|gt", "|gte"]), one_of(&["-1", "0", "1", "1.5", "10"])),
        1 => (one_of(&["|exists"]), one_of(&["true", "false"])),
        1 => (neq().prop_map(|neq| format!("|cidr{neq}")), one_of(networks)),
        2 => (anchored().prop_map(|modifiers| format!("|fieldref{modifiers}")), field()),
    ]
    .boxed()
}

fn neq() -> BoxedStrategy<String> {
    one_of(&["", "", "|neq"])
}

fn anchored() -> BoxedStrategy<String> {
    (anchor(), neq()).prop_map(|(anchor, neq)| format!("{anchor}{neq}")).boxed()
}

fn anchored_all() -> BoxedStrategy<String> {
    anchor().prop_map(|anchor| format!("{anchor}|all")).boxed()
}

fn anchor() -> BoxedStrategy<String> {
    let anchors = one_of(&["", "|contains", "|startswith", "|endswith"]);
    (anchors, one_of(&["", "|cased"])).prop_map(|(anchor, cased)| format!("{anchor}{cased}")).boxed()
}

/// A map of items in flow style.
fn map() -> BoxedStrategy<String> {
    let item = (field(), test()).prop_map(|(field, (modifiers, value))| (format!("{field}{modifiers}"), value));
    vec(item, 1..4)
        .prop_map(|items| {
            let unique: BTreeMap<String, String> = items.into_iter().collect();
            let items: Vec<String> = unique.iter().map(|(key, value)| format!("'{key}': {value}")).collect();
            format!("{{{}}}", items.join(", "))
        })
        .boxed()
}

fn search() -> BoxedStrategy<String> {
    let word = || "[abk1]{1,3}".prop_map(|word| format!("'{word}'")).boxed();
    prop_oneof![
        6 => map(),
        2 => vec(map(), 1..3).prop_map(|maps| format!("[{}]", maps.join(", "))),
        1 => list(word()),
        1 => list(word()).prop_map(|words| format!("{{'|all': {words}}}")),
    ]
    .boxed()
}

fn condition() -> BoxedStrategy<String> {
    let leaf = one_of(&["x", "y", "z1", "z2", "1 of z*", "all of z*", "1 of them"]);
    leaf.prop_recursive(3, 8, 2, |inner| {
        prop_oneof![
            inner.clone().prop_map(|inner| format!("not {inner}")),
            (inner.clone(), inner.clone()).prop_map(|(left, right)| format!("{left} and {right}")),
            (inner.clone(), inner.clone()).prop_map(|(left, right)| format!("{left} or {right}")),
            inner.prop_map(|inner| format!("({inner})")),
        ]
    })
    .boxed()
}

fn detection() -> BoxedStrategy<String> {
    (search(), search(), search(), search(), condition())
        .prop_map(|(x, y, z1, z2, condition)| format!("x: {x}\ny: {y}\nz1: {z1}\nz2: {z2}\ncondition: {condition}\n"))
        .boxed()
}

/// A JSON string, some of its letters escaped.
fn string() -> BoxedStrategy<String> {
    let escaped = |(text, escaped): (String, u8)| {
        let letters = text.chars().enumerate().map(|(at, letter)| match letter {
            letter if (escaped >> at) & 1 == 1 => format!("\\u{:04x}", u32::from(letter)),
            '\\' => "\\\\".to_owned(),
            letter => letter.to_string(),
        });
        format!("\"{}\"", letters.collect::<String>())
    };
    (TEXT, any::<u8>()).prop_map(escaped).boxed()
}

fn json() -> BoxedStrategy<String> {
    let others = &[
        "null",
        "true",
        "false",
        "0",
        "1",
        "-1",
        "10",
        "1.0",
        "1.50",
        "1e1",
        r#""10""#,
        r#""10.0.0.10""#,
        r#""true""#,
    ];
    let scalar = prop_oneof![6 => string(), 1 => Just(r#""""#.to_owned()), 4 => one_of(others)];
    let nested = |inner: BoxedStrategy<String>| {
        let array = vec(inner.clone(), 0..4).prop_map(|members| format!("[{}]", members.join(",")));
        prop_oneof![array, object(inner)]
    };
    scalar.prop_recursive(3, 12, 3, nested).boxed()
}

/// The keys of an object come in any order, and may repeat.
fn object(value: BoxedStrategy<String>) -> BoxedStrategy<String> {
    let key = select(&["a", "b", "c", "a.b", "\\u0061"]);
    let member = (key, value).prop_map(|(key, value)| format!("\"{key}\":{value}"));
    vec(member, 0..4).prop_map(|members| format!("{{{}}}", members.join(","))).boxed()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn generated_rules_judge_generated_events_as_the_reference_does(
        detections in vec(detection(), 1..4),
        events in vec(object(json()), 1..6),
    ) {
        let sources = detections.iter().enumerate().map(|(number, detection)| {
            let text = whole(number, &indented(detection, 2));
            Source::new(format!("case_{number}.yml"), text)
        });
        let reading = rule::read(&Sources(sources.collect()));
        prop_assert!(!reading.has_errors(), "{:#?}", reading.diagnostics);
        let rules = RuleSet::compile(reading.rules.clone());
        let in_a_crowd = RuleSet::compile(reading.rules.iter().cloned().chain([CROWD.clone()]).collect());
        for event in &events {
            let expected = expected_names(&reading.rules, event);
            prop_assert_eq!(verdicts(&rules, event), expected.clone(), "{}\n{}", event, detections.join("---\n"));
            prop_assert_eq!(verdicts(&in_a_crowd, event), expected.clone(), "{}\n{}", event, detections.join("---\n"));
            prop_assert_eq!(traced::names(&rules, event), expected, "{}\n{}", event, detections.join("---\n"));
        }
    }
}
