//! Generated rules on generated events, within the part of the language that both engines read alike.
//!
//! What `differences.toml` lists is left out of what is drawn: literal keys with dots, `neq`, wildcards beside an anchor,
//! numbers in other spellings, and the like.

use std::collections::BTreeMap;

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use proptest::sample::select;

use vaultwatch::detect::RuleSet;
use vaultwatch::diagnostic::{Source, Sources};
use vaultwatch::rule;

use super::Oracle;
use crate::sigma::{indented, verdicts, whole};

fn one_of(texts: &'static [&'static str]) -> BoxedStrategy<String> {
    select(texts).prop_map(str::to_owned).boxed()
}

fn field() -> BoxedStrategy<String> {
    one_of(&["a", "b", "a.b", "b.a", "a.a.b", "c"])
}

/// Letters of both cases, wildcards, and the escapes of wildcards.
fn pattern() -> BoxedStrategy<String> {
    let piece = one_of(&["a", "b", "A", "K", "*", "?", r"\*", r"\?", r"\\"]);
    vec(piece, 1..5).prop_map(|pieces| format!("'{}'", pieces.concat())).boxed()
}

fn word() -> BoxedStrategy<String> {
    "[abAK]{1,3}".prop_map(|word| format!("'{word}'")).boxed()
}

fn list(value: BoxedStrategy<String>) -> BoxedStrategy<String> {
    vec(value, 2..4).prop_map(|values| format!("[{}]", values.join(", "))).boxed()
}

fn values(value: BoxedStrategy<String>) -> BoxedStrategy<String> {
    prop_oneof![value.clone(), list(value)].boxed()
}

/// The modifiers of an item, and its value.
fn test() -> BoxedStrategy<(String, String)> {
    let plain = |text: &'static str| Just(text.to_owned());
    let anchor = || one_of(&["|contains", "|startswith", "|endswith", "|contains|cased", "|startswith|cased"]);
    let expressions = &["'a'", "'^ab'", "'b$'", "'(?i)k'", "'^$'", "'a.*b'", "'(a|1)b?'", "'[kK]'"];
    prop_oneof![
        4 => (plain(""), values(pattern())),
        2 => (plain("|cased"), values(pattern())),
        2 => (plain(""), values(one_of(&["0", "1", "10", "-1"]))),
        1 => (plain(""), one_of(&["true", "false", "''"])),
        4 => (anchor(), values(word())),
        2 => (anchor().prop_map(|anchor| anchor + "|all"), list(word())),
        2 => (plain("|re"), one_of(expressions)),
        2 => (one_of(&["|lt", "|lte", "|gt", "|gte"]), one_of(&["-1", "0", "1", "10"])),
        1 => (plain("|cidr"), one_of(&["'10.0.0.0/8'", "'10.0.0.10/32'"])),
    ]
    .boxed()
}

fn search() -> BoxedStrategy<String> {
    let item = (field(), test()).prop_map(|(field, (modifiers, value))| (format!("'{field}{modifiers}'"), value));
    let map = vec(item, 1..4).prop_map(|items| {
        let unique: BTreeMap<String, String> = items.into_iter().collect();
        let items: Vec<String> = unique.into_iter().map(|(key, value)| format!("{key}: {value}")).collect();
        format!("{{{}}}", items.join(", "))
    });
    prop_oneof![
        6 => map.clone(),
        2 => vec(map, 1..3).prop_map(|maps| format!("[{}]", maps.join(", "))),
        1 => list(word()),
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

fn rule() -> BoxedStrategy<String> {
    (search(), search(), search(), search(), condition())
        .prop_map(|(x, y, z1, z2, condition)| format!("x: {x}\ny: {y}\nz1: {z1}\nz2: {z2}\ncondition: {condition}\n"))
        .prop_map(|detection| whole(0, &indented(&detection, 2)))
        .boxed()
}

fn json() -> BoxedStrategy<String> {
    let text = vec(one_of(&["a", "b", "A", "B", "k", "K", "*", "?", r"\\"]), 0..4)
        .prop_map(|text| format!("\"{}\"", text.concat()));
    let other = one_of(&["null", "true", "false", "0", "1", "-1", "10", r#""10""#, r#""10.0.0.10""#]);
    let scalar = prop_oneof![6 => text, 4 => other];
    scalar
        .prop_recursive(3, 12, 3, |inner| {
            let array = vec(inner.clone(), 1..4).prop_map(|members| format!("[{}]", members.join(",")));
            prop_oneof![array, object(inner)]
        })
        .boxed()
}

fn object(value: BoxedStrategy<String>) -> BoxedStrategy<String> {
    btree_map(one_of(&["a", "b", "c"]), value, 0..4)
        .prop_map(|members| {
            let members: Vec<String> = members.into_iter().map(|(key, value)| format!("\"{key}\":{value}")).collect();
            format!("{{{}}}", members.join(","))
        })
        .boxed()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn another_engine_judges_generated_events_alike(rule in rule(), events in vec(object(json()), 1..6)) {
        let reading = rule::read(&Sources(vec![Source::new("case_0.yml", rule.as_str())]));
        prop_assert!(!reading.has_errors(), "{:#?}", reading.diagnostics);
        let rules = RuleSet::compile(reading.rules);
        let oracle = Oracle::new(&rule).map_err(TestCaseError::fail)?;
        for event in &events {
            let ours = !verdicts(&rules, event).is_empty();
            prop_assert_eq!(ours, oracle.matches(event), "ours: {}\n{}\n{}", ours, event, rule);
        }
    }
}
