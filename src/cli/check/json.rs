//! Diagnostics as JSON, one object a line.

use serde::Serialize;

use super::place::{Places, Region};
use crate::diagnostic::{Diagnostic, Severity, Sources, Span};

/// One problem. Lines and columns count from 1, columns in characters, the end is excluded.
#[derive(Serialize)]
struct Problem<'d> {
    code: &'static str,
    severity: &'static str,
    message: &'d str,
    #[serde(skip_serializing_if = "str::is_empty")]
    label: &'d str,
    #[serde(skip_serializing_if = "Option::is_none")]
    help: Option<&'d str>,
    place: Place<'d>,
    #[serde(skip_serializing_if = "Option::is_none")]
    related: Option<Related<'d>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fix: Option<Change<'d>>,
}

#[derive(Serialize)]
struct Place<'d> {
    file: &'d str,
    line: usize,
    column: usize,
    end_line: usize,
    end_column: usize,
}

#[derive(Serialize)]
struct Related<'d> {
    label: &'d str,
    place: Place<'d>,
}

#[derive(Serialize)]
struct Change<'d> {
    place: Place<'d>,
    replacement: &'d str,
}

/// `error` or `warning`, as every format here says it.
pub(super) const fn word(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    }
}

pub(super) fn lines(sources: &Sources, found: &[Diagnostic]) -> String {
    let places = Places::new(sources);
    let line = |diagnostic| serde_json::to_string(&problem(&places, diagnostic)).ok();
    found.iter().filter_map(line).map(|line| line + "\n").collect()
}

fn problem<'d>(places: &Places<'d>, diagnostic: &'d Diagnostic) -> Problem<'d> {
    Problem {
        code: diagnostic.code.id(),
        severity: word(diagnostic.severity),
        message: &diagnostic.message,
        label: &diagnostic.label,
        help: diagnostic.help.as_deref(),
        place: place(places, &diagnostic.span),
        related: diagnostic.related.as_ref().map(|(span, label)| Related { label, place: place(places, span) }),
        fix: diagnostic
            .fix
            .as_ref()
            .map(|fix| Change { place: place(places, &fix.span), replacement: &fix.replacement }),
    }
}

fn place<'d>(places: &Places<'d>, span: &Span) -> Place<'d> {
    let Region { line, column, end_line, end_column } = places.region(span);
    Place { file: places.path(span), line, column, end_line, end_column }
}
