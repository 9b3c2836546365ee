//! Rules that mean the same.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use super::formula::{Demand, Formula, What};
use crate::diagnostic::{Code, Diagnostic};
use crate::rule::{KeywordTest, Link, RegexTest, Rule, Test};

/// Finds rules that match the same events, however they are written.
pub(super) fn twins(rules: &[Rule], found: &mut Vec<Diagnostic>) {
    let mut known: HashMap<String, &Rule> = HashMap::new();
    for rule in rules {
        match known.entry(meaning(&Formula::of(&rule.detection))) {
            Entry::Vacant(place) => drop(place.insert(rule)),
            Entry::Occupied(first) => {
                let first = first.get();
                let message = format!("`{}` matches the same events as `{}`", rule.header.name, first.header.name);
                let diagnostic = Diagnostic::warning(Code::SameMeaning, &rule.header.spans.condition, message);
                found.push(diagnostic.related(&first.header.spans.condition, "as this one"));
            }
        }
    }
}

/// What a formula means, in a form that does not depend on order, names and nesting.
fn meaning(formula: &Formula<'_>) -> String {
    match formula {
        Formula::Demand(demand) => format!("{}({})", sign(demand), of_demand(demand).join(";")),
        Formula::And(inner) => joined("&", flat(inner, true), false),
        Formula::Or(inner) => joined("|", flat(inner, false), true),
    }
}

fn sign(demand: &Demand<'_>) -> char {
    if demand.wanted { '+' } else { '-' }
}

/// The parts of a conjunction, or of a disjunction, those of its parts of the same kind included.
fn flat<'f, 'r>(parts: &'f [Formula<'r>], and: bool) -> Vec<&'f Formula<'r>> {
    let parts = parts.iter().flat_map(|part| match part {
        Formula::And(inner) if and || inner.len() == 1 => flat(inner, and),
        Formula::Or(inner) if !and || inner.len() == 1 => flat(inner, and),
        other => vec![other],
    });
    parts.collect()
}

/// Parts in order, each once. One of several values is asked for, and all of several are ruled out, in one demand as
/// in many: those are put together.
fn joined(operator: &str, parts: Vec<&Formula<'_>>, wanted: bool) -> String {
    let mut tests: Vec<String> = Vec::new();
    let mut meanings: Vec<String> = Vec::new();
    for part in parts {
        match part {
            Formula::Demand(demand) if demand.wanted == wanted && is_choice(demand) => tests.extend(of_demand(demand)),
            other => meanings.push(meaning(other)),
        }
    }
    meanings.extend(by_field(tests).into_iter().map(|tests| format!("{}({tests})", if wanted { '+' } else { '-' })));
    meanings.sort_unstable();
    meanings.dedup();
    if meanings.len() == 1 { meanings.concat() } else { format!("({})", meanings.join(operator)) }
}

/// Whether one of its tests is enough.
fn is_choice(demand: &Demand<'_>) -> bool {
    !matches!(demand.what, What::Words(words) if words.link == Link::All)
}

/// The tests of one field together: those of several stay apart.
fn by_field(mut tests: Vec<String>) -> Vec<String> {
    let field = |test: &str| test.split('\u{0}').next().unwrap_or_default().to_owned();
    tests.sort_unstable();
    tests.dedup();
    let mut groups: Vec<(String, Vec<String>)> = Vec::new();
    for test in tests {
        let field = field(&test);
        match groups.last_mut().filter(|(last, _)| *last == field) {
            Some((_, group)) => group.push(test),
            None => groups.push((field, vec![test])),
        }
    }
    groups.into_iter().map(|(_, group)| group.join(";")).collect()
}

/// Each test with the field that it is about, in order.
fn of_demand(demand: &Demand<'_>) -> Vec<String> {
    let mut tests: Vec<String> = match demand.what {
        What::Field { item, tests, .. } => {
            tests.iter().map(|test| format!("{}\u{0}{}", item.field, of_test(test))).collect()
        }
        What::Words(words) => {
            let all = if words.link == Link::All { "all" } else { "" };
            words.tests.iter().map(|test| format!("{all}\u{0}{}", of_word(test))).collect()
        }
    };
    tests.sort_unstable();
    tests.dedup();
    tests
}

fn of_test(test: &Test) -> String {
    match test {
        Test::Regex(test) => of_regex(test),
        other => format!("{other:?}"),
    }
}

fn of_word(word: &KeywordTest) -> String {
    match word {
        KeywordTest::Pattern(pattern) => format!("{pattern:?}"),
        KeywordTest::Regex(test) => of_regex(test),
    }
}

fn of_regex(test: &RegexTest) -> String {
    format!("re {:?} {}", test.flags, test.pattern)
}
