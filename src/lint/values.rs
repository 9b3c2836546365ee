//! Values that a field never has, and comparisons that Vault's spelling defeats.

use super::fields::written;
use super::theory::exact;
use crate::audit::reference::{Field, Kind};
use crate::detect::pattern;
use crate::diagnostic::{Code, Diagnostic, Span};
use crate::number::Number;
use crate::rule::suggest::{enumerate, nearest};
use crate::rule::{Item, Pattern, Test};

/// The types of Vault's own mounts, which get a prefix inside a namespace.
const OWN_MOUNTS: [&str; 4] = ["system", "token", "identity", "cubbyhole"];

/// Checks what an item compares its field with.
pub(super) fn check(item: &Item, found: &mut Vec<Diagnostic>) {
    let Some(field) = written(item) else { return };
    for (test, span) in item.tests.iter().zip(&item.spans) {
        found.extend(impossible(field, item, test, span));
        if item.field == "error" {
            found.extend(whole_error(test, span));
        }
    }
    if matches!(item.field.as_str(), "request.mount_type" | "response.mount_type") {
        found.extend(own_mounts(item));
    }
}

/// A value that the field never has.
fn impossible(field: &Field, item: &Item, test: &Test, span: &Span) -> Option<Diagnostic> {
    let name = &item.field;
    let (message, help) = match (field.kind, test) {
        (Kind::Object, Test::Pattern(_) | Test::Number(_) | Test::Regex(_) | Test::Compare(..) | Test::Cidr(_)) => {
            let help = format!("name a field below it, or ask whether it is there: `{name}|exists: true`");
            (format!("`{name}` is an object, and has no value of its own"), help)
        }
        (Kind::Boolean, Test::Pattern(pattern)) if !is_one_of(pattern, &["true", "false"]) => {
            (format!("`{name}` is true or false"), "write `true` or `false`, without quotes".to_owned())
        }
        (Kind::Number, Test::Pattern(pattern)) if exact(pattern).is_some_and(|text| Number::parse(text).is_none()) => {
            (format!("`{name}` is a number"), "write a number, without quotes or unit".to_owned())
        }
        (Kind::Text, Test::Pattern(pattern)) if !field.values.is_empty() && !is_one_of(pattern, field.values) => {
            let written = exact(pattern).unwrap_or_default();
            let help = match meant(name, written).or_else(|| nearest(written, field.values.iter().copied())) {
                Some(meant) => format!("did you mean `{meant}`?"),
                None => format!("it is {}", enumerate(field.values)),
            };
            (format!("`{name}` is never `{}`", shown(pattern)), help)
        }
        _ => return None,
    };
    Some(Diagnostic::warning(Code::ImpossibleValue, span, message).help(help))
}

/// Whether the pattern matches one of these, or the empty text that old releases write.
fn is_one_of(pattern: &Pattern, values: &[&str]) -> bool {
    pattern.parts.is_empty() || values.iter().any(|value| pattern::matches(&pattern.parts, value))
}

/// The pattern, roughly as it was written.
fn shown(pattern: &Pattern) -> String {
    use crate::rule::Part;
    let part = |part: &Part| match part {
        Part::Literal(text) => text.clone(),
        Part::AnyRun => "*".to_owned(),
        Part::AnyChar => "?".to_owned(),
    };
    pattern.parts.iter().map(part).collect()
}

/// Words that people use for what Vault calls otherwise.
fn meant(field: &str, written: &str) -> Option<&'static str> {
    match (field, written) {
        ("request.operation", "write" | "put" | "post") => Some("update"),
        ("request.operation", "get") => Some("read"),
        ("request.operation", "head") => Some("header"),
        ("derived.operation_kind", "create" | "update" | "patch") => Some("write"),
        ("derived.outcome" | "derived.login", "failure" | "denied" | "error") => Some("failed"),
        ("derived.outcome" | "derived.login", "ok" | "succeeded") => Some("success"),
        _ => None,
    }
}

/// An error compared as a whole: Vault joins several, with line breaks, tabs and a count before them.
fn whole_error(test: &Test, span: &Span) -> Option<Diagnostic> {
    let Test::Pattern(pattern) = test else { return None };
    exact(pattern).filter(|text| !text.is_empty())?;
    let message = "an error is hardly ever just this text";
    Some(Diagnostic::warning(Code::ErrorEquality, span, message).label("compared as a whole"))
}

/// Mount types that are called differently inside a namespace, where HCP's customers are.
fn own_mounts(item: &Item) -> Vec<Diagnostic> {
    let matches = |name: &str| {
        let pattern_matches = |test: &Test| match test {
            Test::Pattern(pattern) => pattern::matches(&pattern.parts, name),
            Test::Regex(test) => test.regex.is_match(name),
            _ => false,
        };
        item.tests.iter().position(pattern_matches)
    };
    let missed = OWN_MOUNTS.into_iter().filter_map(|own| {
        let inside = format!("ns_{own}");
        let at = matches(own).filter(|_| matches(&inside).is_none())?;
        let message = format!("inside a namespace this mount type is `{inside}`");
        let help =
            format!("write `derived.mount_type: {own}`, which holds in every namespace, or match `request.path`");
        Some(Diagnostic::warning(Code::MountTypeInNamespace, item.spans.get(at)?, message).help(help))
    });
    missed.collect()
}
