//! Conditions with one thing changed.

use super::is_own;
use crate::rule::{Condition, Rule};

/// The rule's condition in all its variants, each with the change in words.
pub(super) fn variants(rule: &Rule) -> Vec<(Condition, String)> {
    of(rule, &rule.detection.condition)
}

fn of(rule: &Rule, condition: &Condition) -> Vec<(Condition, String)> {
    let instead = |new: Condition| {
        let change = format!("condition: {} instead of {}", quoted(rule, &new), quoted(rule, condition));
        (new, change)
    };
    match condition {
        Condition::Search(_) if !is_ours(rule, condition) => Vec::new(),
        Condition::Search(_) => vec![instead(Condition::Not(Box::new(condition.clone())))],
        Condition::Not(inner) => {
            let bare = is_ours(rule, inner).then(|| instead((**inner).clone()));
            // Negated twice is not negated, which `bare` is already.
            let deeper = if matches!(**inner, Condition::Search(_)) { Vec::new() } else { of(rule, inner) };
            let deeper = deeper.into_iter().map(|(inner, change)| (Condition::Not(Box::new(inner)), change));
            bare.into_iter().chain(deeper).collect()
        }
        Condition::And(operands) => joined(rule, operands, Condition::And, Condition::Or, "`or` instead of `and`"),
        Condition::Or(operands) => joined(rule, operands, Condition::Or, Condition::And, "`and` instead of `or`"),
    }
}

fn joined(
    rule: &Rule,
    operands: &[Condition],
    join: fn(Vec<Condition>) -> Condition,
    other: fn(Vec<Condition>) -> Condition,
    flipped: &str,
) -> Vec<(Condition, String)> {
    let mut variants = Vec::new();
    let own = operands.iter().filter(|operand| is_ours(rule, operand)).count();
    for (index, operand) in operands.iter().enumerate() {
        if own > 1 && is_ours(rule, operand) {
            let mut rest = operands.to_vec();
            rest.remove(index);
            variants.push((join(rest), format!("condition: without {}", quoted(rule, operand))));
        }
        variants.extend(of(rule, operand).into_iter().map(|(changed, change)| {
            let mut operands = operands.to_vec();
            if let Some(operand) = operands.get_mut(index) {
                *operand = changed;
            }
            (join(operands), change)
        }));
    }
    if own > 1 {
        // What a filter adds stays where it is.
        let (ours, mut rest): (Vec<_>, Vec<_>) = operands.iter().cloned().partition(|operand| is_ours(rule, operand));
        let names: Vec<String> = ours.iter().map(|operand| text(rule, operand)).collect();
        rest.push(other(ours));
        variants.push((join(rest), format!("condition: {flipped} between `{}`", names.join("`, `"))));
    }
    variants
}

/// Whether a search of the rule's own file takes part.
fn is_ours(rule: &Rule, condition: &Condition) -> bool {
    match condition {
        Condition::Search(index) => {
            rule.detection.searches.get(*index).is_some_and(|search| is_own(rule, &search.span))
        }
        Condition::Not(inner) => is_ours(rule, inner),
        Condition::And(operands) | Condition::Or(operands) => operands.iter().any(|operand| is_ours(rule, operand)),
    }
}

fn quoted(rule: &Rule, condition: &Condition) -> String {
    format!("`{}`", text(rule, condition))
}

fn text(rule: &Rule, condition: &Condition) -> String {
    let nested = |inner: &Condition| match inner {
        Condition::And(_) | Condition::Or(_) => format!("({})", text(rule, inner)),
        Condition::Search(_) | Condition::Not(_) => text(rule, inner),
    };
    let list = |operands: &[Condition], word: &str| operands.iter().map(nested).collect::<Vec<_>>().join(word);
    match condition {
        Condition::Search(index) => {
            rule.detection.searches.get(*index).map_or_else(String::new, |search| search.name.clone())
        }
        Condition::Not(inner) => format!("not {}", nested(inner)),
        Condition::And(operands) => list(operands, " and "),
        Condition::Or(operands) => list(operands, " or "),
    }
}
