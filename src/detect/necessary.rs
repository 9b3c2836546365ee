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

/// The predicates that must all hold for the rule to match, rarest first: most rules that may match fail here already.
pub(super) fn required(rule: &CompiledRule, predicates: &[Predicate]) -> Vec<PredicateId> {
    let mut required = Vec::new();
    add_required(&rule.condition, &rule.searches, &mut required);
    let frequency = |id: &PredicateId| predicates.get(id.index()).map_or(1.0, frequency);
    required.sort_by(|a, b| frequency(a).total_cmp(&frequency(b)));
    required
}

fn add_required(condition: &Condition, searches: &[Expression], required: &mut Vec<PredicateId>) {
    match condition {
        Condition::Search(index) => {
            if let Some(search) = searches.get(*index) {
                search.add_required(required);
            }
        }
        Condition::And(all) => all.iter().for_each(|inner| add_required(inner, searches, required)),
        Condition::Not(_) | Condition::Or(_) => {}
    }
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
    let field = predicate.field.as_deref().unwrap_or_default();
    let presence = presence(field);
    match &predicate.test {
        Test::Null => 1.0 - 0.9 * presence,
        Test::Exists(_) => presence,
        Test::Pattern(pattern) => presence * by_pattern(pattern, field),
        _ => presence * OTHER,
    }
}

/// How often a test holds of which nothing is known.
const OTHER: f64 = 0.3;

/// How often a field is there. Most of what rules name in maps is in few entries.
fn presence(field: &str) -> f64 {
    let in_map = ["request.data.", "request.headers.", "response.", "auth.metadata."];
    let of_few = ["error", "derived.denied", "derived.login", "derived.login_user", "request.request_uri"];
    if of_few.contains(&field) || in_map.iter().any(|map| field.starts_with(map)) { 0.05 } else { 1.0 }
}

/// How often a pattern matches the value of a field that is there. Short and open ones do more often.
fn by_pattern(pattern: &Pattern, field: &str) -> f64 {
    let longest = pattern.parts.iter().map(|part| match part {
        Part::Literal(text) => text.len(),
        Part::AnyRun | Part::AnyChar => 0,
    });
    match (pattern.parts.as_slice(), longest.max().unwrap_or(0)) {
        ([] | [Part::Literal(_)], _) => by_field(field),
        (_, 0) => 1.0,
        (_, 1) => 0.9,
        // `sys/` and `auth/` are where most requests go.
        (_, 2..=5) => 0.2,
        _ => by_field(field).max(0.01) * 2.0,
    }
}

/// How often one given value stands in a field: few values, high frequency.
fn by_field(field: &str) -> f64 {
    match field {
        "derived.namespace" | "request.namespace.path" | "request.namespace.id" | "auth.token_type" => 0.9,
        "type" | "derived.outcome" => 0.5,
        "request.operation" | "derived.operation_kind" | "request.mount_class" => 0.3,
        "request.mount_type" | "derived.mount_type" | "auth.policies" | "auth.display_name" => 0.2,
        "request.path" | "derived.path" => 0.005,
        _ => 0.05,
    }
}
