//! Operations that Vault logs otherwise than their names suggest.

use super::formula::{Demand, Formula, Way, What};
use super::theory::exact;
use crate::detect::pattern;
use crate::diagnostic::{Code, Diagnostic, Span};
use crate::rule::{Part, Pattern, Test};

/// What is asked of one field.
pub(super) struct OnField<'r> {
    pub(super) tests: &'r [Test],
    /// Where the value of each test stands.
    pub(super) spans: &'r [Span],
}

/// What is asked of one of these fields.
pub(super) fn wanted<'r>(demands: &[Demand<'r>], fields: &[&str]) -> Vec<OnField<'r>> {
    let on_field = |demand: &Demand<'r>| match demand.what {
        What::Field { item, tests, spans } if demand.wanted && fields.contains(&item.field.as_str()) => {
            Some(OnField { tests, spans })
        }
        _ => None,
    };
    demands.iter().filter_map(on_field).collect()
}

/// Writes that are asked for as `create` only.
pub(super) fn writes(formula: &Formula<'_>, found: &mut Vec<Diagnostic>) {
    for operation in wanted(&formula.demands(), &["request.operation"]) {
        let create = operation.tests.iter().position(|test| matches(test, "create"));
        let update = operation.tests.iter().any(|test| matches(test, "update"));
        if let (Some(at), false) = (create, update)
            && let Some(span) = operation.spans.get(at)
        {
            let message = "a write that Vault logs as `update` is not matched";
            found.push(Diagnostic::warning(Code::CreateWithoutUpdate, span, message));
        }
    }
}

fn matches(test: &Test, operation: &str) -> bool {
    match test {
        Test::Pattern(pattern) => pattern::matches(&pattern.parts, operation),
        Test::Regex(test) => test.regex.is_match(operation),
        _ => false,
    }
}

/// Paths of lists without the slash that they end in.
pub(super) fn lists(ways: &[Way<'_>], found: &mut Vec<Diagnostic>) {
    for way in ways {
        let operations = wanted(way, &["request.operation", "derived.operation_kind"]);
        if !operations.iter().any(|operation| operation.tests.iter().all(is_list)) {
            continue;
        }
        for path in wanted(way, &["request.path", "derived.path"]) {
            let without = path.tests.iter().zip(path.spans).filter(|(test, _)| lacks_final_slash(test));
            let message = "the path of a list ends with a slash";
            found.extend(
                without
                    .map(|(_, span)| Diagnostic::warning(Code::ListPath, span, message).label("this matches no list")),
            );
        }
    }
}

fn is_list(test: &Test) -> bool {
    matches!(test, Test::Pattern(pattern) if exact(pattern).is_some_and(|text| matches!(text, "list" | "scan")))
}

fn lacks_final_slash(test: &Test) -> bool {
    let Test::Pattern(Pattern { parts, .. }) = test else { return false };
    matches!(parts.last(), Some(Part::Literal(end)) if !end.ends_with('/'))
}
