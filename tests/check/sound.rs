//! What is said about conditions is true: generated rules against generated entries.

use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use vaultwatch::detect::RuleSet;
use vaultwatch::rule::Reading;

use super::*;
use crate::sigma;

const TEXTS: &[&str] = &["'a'", "'A'", "'ab'", "'b'", "'b*'", "'*a'", "'?b'", "'1'", "''", "'10.0.0.1'", "null", "1"];

/// A field, modifiers and values, as Vault's entries may have them.
fn item() -> BoxedStrategy<(String, String)> {
    let of_text = |field: &'static str| {
        let modifiers = select(vec!["", "", "|neq", "|cased"]);
        let values = vec(select(TEXTS), 1..3).prop_map(|values| format!("[{}]", values.join(", ")));
        let anchored = select(vec!["|startswith", "|endswith", "|contains", "|startswith|neq", "|startswith|cased"]);
        let plain = select(vec!["'a'", "'A'", "'ab'", "'b'", "'1'"]).prop_map(str::to_owned);
        let truth = select(vec!["true", "false"]).prop_map(str::to_owned);
        prop_oneof![
            4 => (modifiers, values),
            2 => (anchored, plain.clone()),
            1 => (Just("|exists"), truth),
            1 => (select(vec!["|re", "|re|i"]), select(vec!["'^a$'", "'b'"]).prop_map(str::to_owned)),
            1 => (Just("|cidr"), Just("'10.0.0.0/8'".to_owned())),
        ]
        .prop_map(move |(modifiers, values)| (format!("{field}{modifiers}"), values))
    };
    let number = (select(vec!["", "|gt", "|gte", "|lt", "|lte"]), select(vec!["0", "1", "1.5", "2"]))
        .prop_map(|(modifier, value)| (format!("auth.token_ttl{modifier}"), value.to_owned()));
    let every =
        (Just("auth.policies|all"), Just("['a', 'b']")).prop_map(|(key, values)| (key.to_owned(), values.to_owned()));
    prop_oneof![
        4 => of_text("auth.display_name"),
        2 => of_text("auth.policies"),
        2 => of_text("type"),
        3 => number,
        1 => every,
    ]
    .boxed()
}

fn search() -> BoxedStrategy<String> {
    vec(item(), 1..3)
        .prop_map(|items| {
            let unique: BTreeMap<String, String> = items.into_iter().collect();
            let items: Vec<String> = unique.iter().map(|(key, values)| format!("{key}: {values}")).collect();
            format!("{{{}}}", items.join(", "))
        })
        .boxed()
}

fn detection() -> BoxedStrategy<String> {
    let conditions = select(vec![
        "x and y",
        "x and not y",
        "x or not x",
        "not (x and y)",
        "x and y and z",
        "x and not (y or z)",
        "x or y",
        "not x or y",
        "1 of them",
        "all of them",
        "(x or y) and not z",
        "x and not x or y",
    ]);
    (search(), search(), search(), conditions)
        .prop_map(|(x, y, z, condition)| format!("  x: {x}\n  y: {y}\n  z: {z}\n  condition: {condition}\n"))
        .boxed()
}

fn entry() -> BoxedStrategy<String> {
    let text = || {
        let texts = vec!["\"a\"", "\"A\"", "\"ab\"", "\"b\"", "\"bb\"", "\"1\"", "\"\"", "\"10.0.0.1\"", "null", "1"];
        proptest::option::of(select(texts))
    };
    let policies = proptest::option::of(vec(select(vec!["\"a\"", "\"b\"", "\"ab\""]), 0..3));
    let number = proptest::option::of(select(vec!["0", "1", "1.5", "2", "3", "null"]));
    let member = |key: &str, value: Option<&str>| value.map(|value| format!("\"{key}\":{value}"));
    (text(), text(), policies, number)
        .prop_map(move |(kind, name, policies, number)| {
            let policies = policies.map(|policies| format!("[{}]", policies.join(",")));
            let auth =
                [member("display_name", name), member("policies", policies.as_deref()), member("token_ttl", number)];
            let auth: Vec<String> = auth.into_iter().flatten().collect();
            let auth = format!("{{{}}}", auth.join(","));
            let whole: Vec<String> =
                [member("type", kind), member("auth", Some(&auth))].into_iter().flatten().collect();
            format!("{{{}}}", whole.join(","))
        })
        .boxed()
}

/// The codes that are found about the conditions of the rules.
fn verdict(reading: &Reading, sources: &Sources) -> Vec<Code> {
    let found = lint::check(sources, reading, None).into_iter().map(|diagnostic| diagnostic.code);
    found.filter(|code| matches!(code, Code::NeverTrue | Code::AlwaysTrue | Code::SameMeaning)).collect()
}

#[test]
fn what_is_said_about_conditions_is_true() {
    let mut runner = TestRunner::deterministic();
    let mut draw = |strategy: &BoxedStrategy<String>| strategy.new_tree(&mut runner).unwrap().current();
    let (detection, entry) = (detection(), entry());
    let entries: Vec<String> = (0..100).map(|_| draw(&entry)).collect();
    let mut never = 0;
    let mut always = 0;
    for _ in 0..1500 {
        let text = sigma::whole(0, &draw(&detection));
        let sources = Sources(vec![Source::new("case_0.yml", text.clone())]);
        let reading = rule::read(&sources);
        if reading.has_errors() {
            continue;
        }
        let verdict = verdict(&reading, &sources);
        let rules = RuleSet::compile(reading.rules);
        for entry in &entries {
            let matches = !sigma::verdicts(&rules, entry).is_empty();
            assert!(!(matches && verdict.contains(&Code::NeverTrue)), "it matches {entry}:\n{text}");
            assert!(matches || !verdict.contains(&Code::AlwaysTrue), "it does not match {entry}:\n{text}");
        }
        never += usize::from(verdict.contains(&Code::NeverTrue));
        always += usize::from(verdict.contains(&Code::AlwaysTrue));
    }
    assert!(never > 50 && always > 50, "{never} rules are never true, {always} always");
}
