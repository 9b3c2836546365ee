//! Mutants: the same rule with one mistake in it. A rule's tests should notice each of them. So should the tests of a
//! correlation; the rules that it looks at have tests of their own.
//!
//! The typed rule is changed, not its text. Of mutants that mean the same by the rules of logic only the first is
//! tried, and none that means what the rule means. What a filter adds to a rule is left alone: it is tested elsewhere.

use std::collections::HashSet;

use super::build;
use super::{CapturedLines, bare};
use crate::audit::{self, Buffers};
use crate::detect::{RuleSet, Scratch};
use crate::diagnostic::Span;
use crate::rule::{Detection, Rule};

pub use correlation::{correlation_mutants, run_correlation};

mod condition;
mod correlation;
mod form;
mod search;
mod value;
mod vocabulary;

/// How many mutants of one rule are tried. A rule of a thousand values is a list, and its tests cannot name each.
const MOST_MUTANTS: usize = 2_000;

/// Something with one thing changed.
#[derive(Debug, Clone)]
pub struct Variant<T> {
    /// What it is then.
    pub changed: T,
    /// The change.
    pub mutant: Mutant,
}

/// A mistake.
#[derive(Debug, Clone)]
pub struct Mutant {
    /// Where the change is.
    pub span: Span,
    /// What it is, in words.
    pub change: String,
}

/// What the tests of a rule make of its mutants.
#[derive(Debug, Default)]
pub struct Mutation {
    /// How many mutants were tried.
    pub tried: usize,
    /// How many there are beyond those.
    pub left_out: usize,
    /// Those that no test noticed, in the order of the rule.
    pub unnoticed: Vec<Mutant>,
}

/// The mutants of a rule, in its own order; all of them different.
#[must_use]
pub fn mutants(rule: &Rule) -> Vec<Variant<Detection>> {
    let original = &rule.detection;
    let mut seen = HashSet::from([form::of(original)]);
    let mut mutants: Vec<Variant<Detection>> = Vec::new();
    for (index, search) in original.searches.iter().enumerate().filter(|(_, search)| is_own(rule, &search.span)) {
        for variant in search::variants(search) {
            let mut detection = original.clone();
            if let Some(search) = detection.searches.get_mut(index) {
                search.body = variant.changed;
            }
            mutants.push(Variant { changed: detection, mutant: variant.mutant });
        }
    }
    for (changed, change) in condition::variants(rule) {
        let detection = Detection { condition: changed, ..original.clone() };
        mutants.push(Variant::new(detection, &rule.header.spans.condition, change));
    }
    mutants.retain(|variant| seen.insert(form::of(&variant.changed)));
    mutants
}

/// Tries the tests of a rule, which must pass, on its mutants.
#[must_use]
pub fn run(rule: &Rule, captured: &CapturedLines) -> Mutation {
    let mut tried = mutants(rule);
    let left_out = tried.len().saturating_sub(MOST_MUTANTS);
    tried.truncate(MOST_MUTANTS);
    let mutant = |variant: &Variant<Detection>| Rule { detection: variant.changed.clone(), ..bare(rule) };
    let rules = RuleSet::compile(tried.iter().map(mutant).collect());
    let mut noticed = vec![false; tried.len()];
    for test in &rule.header.tests {
        for event in build::events(&rule.header, test, captured).unwrap_or_default() {
            notice(&rules, &event.text, test.expect.matches, &mut noticed);
        }
    }
    Mutation { left_out, ..Mutation::of(tried, noticed) }
}

impl Mutation {
    fn of<T>(tried: Vec<Variant<T>>, noticed: Vec<bool>) -> Self {
        let count = tried.len();
        let unnoticed = tried.into_iter().zip(noticed).filter(|(_, noticed)| !noticed);
        let unnoticed = unnoticed.map(|(variant, _)| variant.mutant).collect();
        Self { tried: count, left_out: 0, unnoticed }
    }
}

impl<T> Variant<T> {
    fn new(changed: T, span: &Span, change: String) -> Self {
        Self { changed, mutant: Mutant { span: span.clone(), change } }
    }

    fn map<U>(self, wrap: impl FnOnce(T) -> U) -> Variant<U> {
        Variant { changed: wrap(self.changed), mutant: self.mutant }
    }
}

/// Marks the mutants that make something else of an event than the rule.
fn notice(rules: &RuleSet, event: &str, expected: bool, noticed: &mut [bool]) {
    let mut buffers = Buffers::default();
    let Ok(event) = audit::read(event, rules.fields(), &mut buffers) else { return };
    let mut scratch = Scratch::default();
    let matched = rules.evaluate(&event, &mut scratch);
    for ((id, _), noticed) in rules.rules().zip(noticed) {
        *noticed |= matched.binary_search(&id).is_ok() != expected;
    }
}

/// Whether it stands in the rule's own file.
fn is_own(rule: &Rule, span: &Span) -> bool {
    span.source == rule.header.span.source
}
