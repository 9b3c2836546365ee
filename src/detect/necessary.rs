//! Which predicates must hold for a rule to match, and which of them is the rarest.

use super::compile::CompiledRule;
use super::expression::Expression;
use super::predicate::{Predicate, PredicateId};
use crate::rule::{Condition, Part, Pattern, Test};

/// Predicates of which one must hold, and how often one does, from 0 to 1 and beyond.
struct Necessary {
    any: Vec<PredicateId>,
    frequency: f64,
}

/// The rarest set of predicates of which one must hold for the rule to match; none if it can match without any.
pub(super) fn necessary(rule: &CompiledRule, predicates: &[Predicate]) -> Option<Vec<PredicateId>> {
    of_condition(&rule.condition, &rule.searches, predicates).map(|necessary| necessary.any)
}

fn of_condition(condition: &Condition, searches: &[Expression], predicates: &[Predicate]) -> Option<Necessary> {
    match condition {
        Condition::Search(index) => of_expression(searches.get(*index)?, predicates),
        Condition::Not(_) => None,
        Condition::And(all) => rarest(all.iter().map(|inner| of_condition(inner, searches, predicates))),
        Condition::Or(any) => together(any.iter().map(|inner| of_condition(inner, searches, predicates))),
    }
}

fn of_expression(expression: &Expression, predicates: &[Predicate]) -> Option<Necessary> {
    match expression {
        Expression::Predicate(id) => {
            let frequency = frequency(predicates.get(id.index())?);
            Some(Necessary { any: vec![*id], frequency })
        }
        Expression::Not(_) => None,
        Expression::And(all) => rarest(all.iter().map(|inner| of_expression(inner, predicates))),
        Expression::Or(any) => together(any.iter().map(|inner| of_expression(inner, predicates))),
    }
}

fn rarest(parts: impl Iterator<Item = Option<Necessary>>) -> Option<Necessary> {
    parts.flatten().min_by(|a, b| a.frequency.total_cmp(&b.frequency))
}

fn together(mut parts: impl Iterator<Item = Option<Necessary>>) -> Option<Necessary> {
    parts.try_fold(Necessary { any: Vec::new(), frequency: 0.0 }, |mut sum, part| {
        let part = part?;
        sum.any.extend(part.any);
        sum.frequency += part.frequency;
        Some(sum)
    })
}

/// How often a predicate holds on ordinary traffic: a guess, used only to choose between predicates.
fn frequency(predicate: &Predicate) -> f64 {
    let by_test = match &predicate.test {
        Test::Null => 40.0,
        Test::Exists(_) => 5.0,
        Test::Pattern(pattern) => by_pattern(pattern),
        _ => 2.0,
    };
    by_test * by_field(predicate.field.as_deref().unwrap_or_default())
}

/// Short and open patterns hold more often.
fn by_pattern(pattern: &Pattern) -> f64 {
    let longest = pattern.parts.iter().map(|part| match part {
        Part::Literal(text) => text.len(),
        Part::AnyRun | Part::AnyChar => 0,
    });
    match (pattern.parts.as_slice(), longest.max().unwrap_or(0)) {
        ([] | [Part::Literal(_)], _) => 1.0,
        (_, 0) => 40.0,
        (_, 1..=3) => 4.0,
        _ => 1.5,
    }
}

/// How often one given value stands in a field: few values, high frequency.
fn by_field(field: &str) -> f64 {
    match field {
        "type" | "derived.outcome" | "derived.namespace" | "request.namespace.path" | "request.namespace.id" => 0.5,
        "request.operation" | "derived.operation_kind" | "request.mount_class" | "auth.token_type" => 0.3,
        "request.mount_type" | "derived.mount_type" | "auth.policies" => 0.1,
        "request.path" | "derived.path" => 0.01,
        _ => 0.05,
    }
}
