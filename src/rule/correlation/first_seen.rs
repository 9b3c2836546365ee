//! `first_seen`, which is ours: a value that a group did not have before.

use super::super::metadata;
use super::super::report::Report;
use super::super::timespan::{self, Timespan};
use super::super::yaml::{Entry, Scalar};
use super::CorrelationKind;
use super::reader::{entry, needed};
use crate::diagnostic::{Code, Diagnostic};

/// The keys of the block that no other type has.
pub(super) const KEYS: [&str; 2] = ["field", "warmup"];

/// Reads what the type has instead of a condition.
pub(super) fn read(report: &mut Report<'_>, block: &Entry<'_>) -> Option<CorrelationKind> {
    let condition = entry(block, "condition");
    if let Some(condition) = condition {
        let help = "it is true of every value that is new: leave the condition out";
        report.push(stray(&condition.key).help(help));
    }
    let field = needed(report, block, "field").and_then(|entry| metadata::field(report, entry));
    let warmup = entry(block, "warmup").map_or(Some(Timespan::ZERO), |entry| timespan::offset(report, entry));
    let kind = CorrelationKind::FirstSeen { field: field?, warmup: warmup? };
    condition.is_none().then_some(kind)
}

/// Refuses these keys in a block of another type.
pub(super) fn refuse(report: &mut Report<'_>, block: &Entry<'_>) {
    for key in KEYS.into_iter().filter_map(|key| Some(&entry(block, key)?.key)) {
        let diagnostic = stray(key);
        report.push(match key.text.as_ref() {
            "field" => diagnostic.help("the `field` of a type that has one stands in its `condition`"),
            _ => diagnostic.help("only `first_seen` learns before it alerts"),
        });
    }
}

fn stray(key: &Scalar<'_>) -> Diagnostic {
    let message = format!("this type of correlation has no `{}`", key.text);
    Diagnostic::error(Code::UnknownKey, &key.span, message)
}
