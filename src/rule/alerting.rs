//! The `alert:` block of a rule, which is ours.

use super::AlertOptions;
use super::metadata::{self, LEVELS, strict_keys};
use super::report::Report;
use super::suggest::advice;
use super::template::{self, Template};
use super::timespan;
use super::yaml::{Content, Entry};
use crate::diagnostic::{Code, Diagnostic};

const KEYS: [&str; 5] = ["group-by", "suppress", "runbook", "title", "severity"];

pub(super) fn read(report: &mut Report<'_>, entry: &Entry<'_>) -> Option<AlertOptions> {
    let Content::Map(entries) = &entry.value.content else {
        report.push(Diagnostic::error(Code::WrongType, &entry.value.span, "`alert` is a map"));
        return None;
    };
    strict_keys(report, entries, "`alert`", &KEYS);
    let mut options = AlertOptions::default();
    for entry in entries.iter() {
        match entry.key.text.as_ref() {
            "group-by" => options.group_by = metadata::fields(report, entry)?,
            "suppress" => options.suppress = Some(timespan::read(report, entry)?),
            "runbook" => options.runbook = metadata::strings(report, entry)?,
            "title" => options.title = Some(title(report, entry)?),
            "severity" => options.severity = Some(severity(report, entry)?),
            _ => {}
        }
    }
    Some(options)
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
