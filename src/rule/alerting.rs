//! The `alert:` block of a rule, which is ours.

use super::document::Kind;
use super::metadata::{self, LEVELS, strict_keys};
use super::report::Report;
use super::scalar::Value;
use super::suggest::advice;
use super::template::{self, Template};
use super::timespan;
use super::yaml::{Content, Entry, Scalar};
use super::{AlertOptions, Timespan};
use crate::diagnostic::{Code, Diagnostic};
use crate::number::Number;

const KEYS: [&str; 5] = ["group-by", "suppress", "runbook", "title", "severity"];

/// Reads the block of a rule, or of a correlation, which is grouped otherwise.
pub(super) fn read(report: &mut Report<'_>, entry: &Entry<'_>, kind: Kind) -> Option<AlertOptions> {
    let Content::Map(entries) = &entry.value.content else {
        report.push(Diagnostic::error(Code::WrongType, &entry.value.span, "`alert` is a map"));
        return None;
    };
    strict_keys(report, entries, "`alert`", &KEYS);
    let mut options = AlertOptions::default();
    for entry in entries.iter() {
        match entry.key.text.as_ref() {
            "group-by" if kind == Kind::Correlation => stray_grouping(report, &entry.key),
            "group-by" => options.group_by = metadata::fields(report, entry)?,
            "suppress" => options.suppress = Some(suppression(report, entry)?),
            "runbook" => options.runbook = metadata::strings(report, entry)?,
            "title" => options.title = Some(title(report, entry)?),
            "severity" => options.severity = Some(severity(report, entry)?),
            _ => {}
        }
    }
    Some(options)
}

fn stray_grouping(report: &mut Report<'_>, key: &Scalar<'_>) {
    let diagnostic =
        Diagnostic::error(Code::UnknownKey, &key.span, "the `alert` of a correlation rule has no `group-by`");
    report.push(diagnostic.help("a correlation's alerts are grouped by its `group-by`"));
}

/// A span of time, or 0.
fn suppression(report: &mut Report<'_>, entry: &Entry<'_>) -> Option<Timespan> {
    match &entry.value.content {
        Content::Scalar(scalar) if scalar.value() == Value::Number(Number::Integer(0)) => Some(Timespan::ZERO),
        _ => timespan::offset(report, entry),
    }
}

fn title(report: &mut Report<'_>, entry: &Entry<'_>) -> Option<Template> {
    metadata::title(report, entry)?;
    let scalar = metadata::text(report, entry)?;
    template::read(report, scalar)
}

/// A level, or fields that hold one.
fn severity(report: &mut Report<'_>, entry: &Entry<'_>) -> Option<Template> {
    let scalar = metadata::text(report, entry)?;
    let template = template::read(report, scalar)?;
    let names: Vec<&'static str> = LEVELS.iter().map(|(name, _)| *name).collect();
    if let Some(constant) = template.constant().filter(|constant| !names.contains(constant)) {
        let message = format!("`{constant}` is no severity");
        report.push(Diagnostic::error(Code::UnknownValue, &scalar.span, message).help(advice(constant, &names)));
        return None;
    }
    Some(template)
}
