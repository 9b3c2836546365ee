//! Which entries of a call a rule sees: its request, its response, or both.

use super::formula::{Demand, Way};
use super::operations::{OnField, wanted};
use super::paths::start;
use super::theory::exact;
use crate::detect::pattern;
use crate::diagnostic::{Code, Diagnostic};
use crate::fold::fold;
use crate::rule::{Part, Rule, Test};

/// Calls whose response Vault never writes, however they end.
const NEVER_ANSWERED: [&str; 2] = ["sys/seal", "sys/step-down"];

/// Calls whose response Vault does not write when the wrapping token that they name is not valid. A denial, as of a
/// caller whose own token is not valid, has a response as everywhere.
const WRAPPING: &str = "sys/wrapping/";

/// What such a call fails with, in part.
const NO_WRAPPING_TOKEN: &str = "wrapping token";

/// Derived fields that only a response has, with the values for which that holds; none for all.
const OF_RESPONSES: [(&str, Option<&str>); 2] = [("derived.login", None), ("derived.outcome", Some("success"))];

/// Checks that the rule sees one entry of a call, or says that it means both.
pub(super) fn check(rule: &Rule, ways: &[Way<'_>], found: &mut Vec<Diagnostic>) {
    for way in ways {
        if let Some(diagnostic) = unanswered(way) {
            found.push(diagnostic);
        }
    }
    if ways.iter().any(sees_both) {
        let message = "this matches the request and the response of the same call";
        found.push(
            Diagnostic::warning(Code::MissingType, &rule.header.spans.condition, message)
                .label("no search has a `type`"),
        );
    }
}

/// The type of entry that a way leaves possible.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Entry {
    Request,
    Response,
}

impl Entry {
    const fn name(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Response => "response",
        }
    }
}

/// Whether both entries of a call may match in this way, and nothing says that this is meant.
fn sees_both(way: &Way<'_>) -> bool {
    let says_type = way.iter().any(|demand| demand.field().is_some_and(|(field, _)| field == "type"));
    !says_type && !only_responses_have_it(way) && !is_unanswered(way)
}

/// Whether something is asked of a field that requests do not have.
fn only_responses_have_it(way: &Way<'_>) -> bool {
    way.iter().filter(|demand| demand.wanted).filter_map(Demand::field).any(|(field, tests)| {
        let needs_value = !tests.iter().any(|test| matches!(test, Test::Null));
        let derived = OF_RESPONSES.iter().any(|(name, value)| {
            *name == field && tests.iter().all(|test| value.is_none_or(|value| is_exactly(test, value)))
        });
        needs_value && (field == "response" || field.starts_with("response.") || derived)
    })
}

pub(super) fn is_exactly(test: &Test, value: &str) -> bool {
    matches!(test, Test::Pattern(pattern) if exact(pattern) == Some(value))
}

/// What asks for the response to a call that Vault writes none of.
fn unanswered(way: &Way<'_>) -> Option<Diagnostic> {
    if !is_unanswered(way) {
        return None;
    }
    let types = wanted(way, &["type"]);
    let only_response =
        types.iter().find(|of_type| !may_be(of_type, Entry::Request) && may_be(of_type, Entry::Response))?;
    let message = "Vault writes no response entry for this call";
    let diagnostic = Diagnostic::warning(Code::RequestOnly, only_response.spans.first()?, message);
    Some(diagnostic.label("this can never match"))
}

fn may_be(of_type: &OnField<'_>, entry: Entry) -> bool {
    of_type.tests.iter().any(|test| match test {
        Test::Pattern(pattern) => pattern::matches(&pattern.parts, entry.name()),
        Test::Regex(test) => test.regex.is_match(entry.name()),
        _ => false,
    })
}

/// Whether Vault only logs the request of the call.
fn is_unanswered(way: &Way<'_>) -> bool {
    let paths = wanted(way, &["request.path", "derived.path"]);
    let all_start_with =
        |prefix: &str| paths.iter().any(|path| path.tests.iter().all(|test| starts_with(test, prefix)));
    let never = paths.iter().any(|path| path.tests.iter().all(is_never_answered));
    never || all_start_with(WRAPPING) && names_no_wrapping_token(way)
}

fn is_never_answered(test: &Test) -> bool {
    matches!(test, Test::Pattern(pattern) if exact(pattern).is_some_and(|path| NEVER_ANSWERED.contains(&path)))
}

fn starts_with(test: &Test, prefix: &str) -> bool {
    matches!(test, Test::Pattern(pattern) if start(pattern).is_some_and(|start| start.starts_with(prefix)))
}

/// Whether the call must have failed for its wrapping token.
fn names_no_wrapping_token(way: &Way<'_>) -> bool {
    let says_so = |test: &Test| {
        let Test::Pattern(pattern) = test else { return false };
        pattern.parts.iter().any(|part| matches!(part, Part::Literal(text) if fold(text).contains(NO_WRAPPING_TOKEN)))
    };
    wanted(way, &["error"]).iter().any(|error| error.tests.iter().all(says_so))
}
