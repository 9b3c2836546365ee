//! Values with one thing changed.

use crate::rule::{Comparison, Part, Pattern, Test};

/// What a value could have been instead, each with the change in words: other wildcards at its ends, another
/// comparison, or any value at all.
pub(super) fn variants(test: &Test) -> Vec<(Test, String)> {
    let original = text(std::slice::from_ref(test));
    let instead = |changed: Test| {
        let change = format!("`{}` instead of `{original}`", text(std::slice::from_ref(&changed)));
        (changed, change)
    };
    match test {
        // A boolean has no other text than these, so that wildcards change nothing.
        Test::Pattern(pattern) if is_boolean(pattern) => vec![any(&original)],
        Test::Pattern(pattern) => {
            anchored(pattern).into_iter().map(|pattern| instead(Test::Pattern(pattern))).collect()
        }
        Test::Compare(comparison, bound) => {
            let other = Test::Compare(neighbour(*comparison), *bound);
            vec![instead(other), any(&original)]
        }
        Test::TimePart(part, comparison, bound) => {
            vec![instead(Test::TimePart(*part, neighbour(*comparison), *bound))]
        }
        Test::Number(_) | Test::Regex(_) | Test::Cidr(_) | Test::FieldRef(_) => vec![any(&original)],
        Test::Null | Test::Exists(_) => Vec::new(),
    }
}

fn any(original: &str) -> (Test, String) {
    (Test::Exists(true), format!("any value instead of `{original}`"))
}

fn is_boolean(pattern: &Pattern) -> bool {
    matches!(pattern.parts.as_slice(), [Part::Literal(text)] if text == "true" || text == "false")
}

/// The pattern with other wildcards at its ends.
fn anchored(pattern: &Pattern) -> Vec<Pattern> {
    let inner = pattern.parts.strip_prefix(&[Part::AnyRun]).unwrap_or(&pattern.parts);
    let inner = inner.strip_suffix(&[Part::AnyRun]).unwrap_or(inner);
    let ends = [(false, false), (false, true), (true, false), (true, true)];
    let mut variants: Vec<Pattern> = Vec::new();
    for (before, after) in ends {
        let run = |wanted: bool| wanted.then_some(Part::AnyRun);
        let mut parts: Vec<Part> = run(before).into_iter().chain(inner.iter().cloned()).chain(run(after)).collect();
        parts.dedup_by(|a, b| *a == Part::AnyRun && *b == Part::AnyRun);
        let variant = Pattern { parts, cased: pattern.cased };
        if variant != *pattern && !variants.contains(&variant) {
            variants.push(variant);
        }
    }
    variants
}

/// The comparison that differs from it least.
fn neighbour(comparison: Comparison) -> Comparison {
    match comparison {
        Comparison::Eq | Comparison::Gt => Comparison::Gte,
        Comparison::Gte => Comparison::Gt,
        Comparison::Lt => Comparison::Lte,
        Comparison::Lte => Comparison::Lt,
    }
}

/// A value as a rule would write it; `tests` are what it was read as.
pub(super) fn text(tests: &[Test]) -> String {
    let one = |test: &Test| match test {
        Test::Pattern(found) => pattern(found),
        Test::Number(number) => number.to_string(),
        Test::Null => "null".to_owned(),
        Test::Exists(present) => present.to_string(),
        Test::Regex(regex) => regex.pattern.clone(),
        Test::Compare(comparison, bound) | Test::TimePart(_, comparison, bound) => {
            format!("{} {bound}", symbol(*comparison))
        }
        Test::Cidr(network) => network.to_string(),
        Test::FieldRef(reference) => reference.field.clone(),
    };
    tests.first().map(one).unwrap_or_default()
}

fn symbol(comparison: Comparison) -> &'static str {
    match comparison {
        Comparison::Eq => "=",
        Comparison::Lt => "<",
        Comparison::Lte => "<=",
        Comparison::Gt => ">",
        Comparison::Gte => ">=",
    }
}

/// A pattern with its wildcards; the empty text in quotes, as rules have it.
pub(super) fn pattern(pattern: &Pattern) -> String {
    if pattern.parts.is_empty() {
        return "''".to_owned();
    }
    let part = |part: &Part| match part {
        Part::Literal(text) => text.replace('\\', "\\\\").replace('*', "\\*").replace('?', "\\?"),
        Part::AnyRun => "*".to_owned(),
        Part::AnyChar => "?".to_owned(),
    };
    pattern.parts.iter().map(part).collect()
}
