//! Conditions that are never true, or always.

use super::formula::{Formula, Way};
use super::theory::contradiction;
use crate::diagnostic::{Code, Diagnostic};
use crate::rule::Rule;

/// Whether the rule can never match; says so.
pub(super) fn never(rule: &Rule, ways: &[Way<'_>], found: &mut Vec<Diagnostic>) -> bool {
    let contradictions: Vec<Option<&str>> = ways.iter().map(|way| contradiction(way)).collect();
    if contradictions.iter().any(Option::is_none) {
        return false;
    }
    let message = "this condition can never be true";
    let diagnostic = Diagnostic::error(Code::NeverTrue, &rule.header.spans.condition, message);
    found.push(match contradictions.into_iter().flatten().next() {
        Some(field) => diagnostic.help(format!("what it asks of `{field}` contradicts itself")),
        None => diagnostic.help("its searches have no values left to look for"),
    });
    true
}

/// Whether the rule always matches; says so.
pub(super) fn always(rule: &Rule, found: &mut Vec<Diagnostic>) -> bool {
    let Some(ways) = Formula::against(&rule.detection).ways() else { return false };
    let always = ways.iter().all(|way| contradiction(way).is_some());
    if always {
        let message = "this condition is always true: every audit entry matches";
        found.push(Diagnostic::warning(Code::AlwaysTrue, &rule.header.spans.condition, message));
    }
    always
}
