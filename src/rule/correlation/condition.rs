//! The condition of a correlation: thresholds, and what they are about.

use super::super::Comparison;
use super::super::document;
use super::super::metadata::{self, strict_keys};
use super::super::report::Report;
use super::super::scalar::Value;
use super::super::yaml::{Content, Entry};
use super::reader::{Type, entry};
use super::{CorrelationKind, MOST_ENTRIES, Threshold, first_seen};
use crate::diagnostic::{Code, Diagnostic};
use crate::number::Number;

/// The operators, each with what it compares and whether it is negated.
const OPERATORS: [(&str, Comparison, bool); 6] = [
    ("gt", Comparison::Gt, false),
    ("gte", Comparison::Gte, false),
    ("lt", Comparison::Lt, false),
    ("lte", Comparison::Lte, false),
    ("eq", Comparison::Eq, false),
    ("neq", Comparison::Eq, true),
];

const KEYS: [&str; 8] = ["gt", "gte", "lt", "lte", "eq", "neq", "field", "percentile"];

/// The percentile of a `value_percentile` that does not say which.
const MIDDLE: Number = Number::Integer(50);

/// The highest count that a window can tell from those below it.
const MOST: Number = Number::Integer(MOST_ENTRIES as i128);

/// What a correlation is about, and what must hold of it.
pub(super) struct Terms {
    pub(super) kind: CorrelationKind,
    pub(super) thresholds: Vec<Threshold>,
}

/// Reads what the type looks at and the condition, which temporal correlations can do without.
pub(super) fn read(report: &mut Report<'_>, block: &Entry<'_>, kind: Type) -> Option<Terms> {
    if kind == Type::FirstSeen {
        return Some(Terms { kind: first_seen::read(report, block)?, thresholds: Vec::new() });
    }
    first_seen::refuse(report, block);
    let Some(condition) = entry(block, "condition") else {
        if !matches!(kind, Type::Temporal | Type::TemporalOrdered) {
            let message = "this correlation has no `condition`";
            let diagnostic = Diagnostic::error(Code::MissingKey, &block.key.span, message);
            report.push(diagnostic.help("say how many it takes, such as `condition: {gte: 10}`"));
            return None;
        }
        return Some(Terms { kind: about(report, block, &[], kind)?, thresholds: Vec::new() });
    };
    let Content::Map(entries) = &condition.value.content else {
        let message = "the condition of a correlation is a map, such as `{gte: 10}`";
        report.push(Diagnostic::error(Code::WrongType, &condition.value.span, message));
        return None;
    };
    let before = report.errors();
    strict_keys(report, entries, "the condition of a correlation", &KEYS);
    let about = about(report, condition, entries, kind);
    let thresholds = thresholds(report, entries, matches!(kind, Type::EventCount | Type::ValueCount));
    if thresholds.is_empty() && report.errors() == before {
        let message = "this condition compares with nothing";
        let diagnostic = Diagnostic::error(Code::MissingKey, &condition.key.span, message);
        report.push(diagnostic.help("say how many it takes, such as `gte: 10`"));
    }
    if report.errors() > before {
        return None;
    }
    check_end(report, condition);
    Some(Terms { kind: about?, thresholds })
}

/// Reads the operators; `counts` says that they are about a number of events or of values.
fn thresholds(report: &mut Report<'_>, entries: &[Entry<'_>], counts: bool) -> Vec<Threshold> {
    let mut thresholds = Vec::new();
    for entry in entries {
        let Some((_, comparison, negated)) = OPERATORS.iter().find(|(name, ..)| *name == entry.key.text) else {
            continue;
        };
        let Some(bound) = number(report, entry) else { continue };
        let threshold = Threshold { comparison: *comparison, negated: *negated, bound };
        if counts && !is_within_reach(&threshold) {
            report.push(out_of_reach(entry, bound));
        }
        thresholds.push(threshold);
    }
    thresholds
}

/// Whether the events that a window keeps are enough to tell: `gte: 5` needs five of them, `gt: 5` a sixth.
fn is_within_reach(threshold: &Threshold) -> bool {
    let order = threshold.bound.compare(MOST);
    match threshold.comparison {
        Comparison::Gte | Comparison::Lt => order.is_le(),
        Comparison::Gt | Comparison::Lte | Comparison::Eq => order.is_lt(),
    }
}

fn out_of_reach(entry: &Entry<'_>, bound: Number) -> Diagnostic {
    let message = format!("`{}: {bound}` is beyond what is counted", entry.key.text);
    let help = format!("a window keeps the newest {MOST} events: ask for `gte: {MOST}`, or for fewer in less time");
    Diagnostic::error(Code::InvalidNumber, &entry.value.span, message).help(help)
}

fn number(report: &mut Report<'_>, entry: &Entry<'_>) -> Option<Number> {
    if let Content::Scalar(scalar) = &entry.value.content
        && let Value::Number(number) = scalar.value()
    {
        return Some(number);
    }
    let message = format!("`{}` needs a number", entry.key.text);
    report.push(Diagnostic::error(Code::WrongType, &entry.value.span, message));
    None
}

/// The kind of correlation, with the field and the percentile that it needs and the others do not have.
fn about(report: &mut Report<'_>, condition: &Entry<'_>, entries: &[Entry<'_>], kind: Type) -> Option<CorrelationKind> {
    let find = |key| entries.iter().find(|entry: &&Entry<'_>| entry.key.text == key);
    let (field, percentile) = (find("field"), find("percentile"));
    let without_field = match kind {
        Type::EventCount => Some(CorrelationKind::EventCount),
        Type::Temporal => Some(CorrelationKind::Temporal),
        Type::TemporalOrdered => Some(CorrelationKind::TemporalOrdered),
        _ => None,
    };
    let stray = field.filter(|_| without_field.is_some()).or(percentile.filter(|_| kind != Type::ValuePercentile));
    if let Some(stray) = stray {
        let message = format!("this type of correlation has no `{}`", stray.key.text);
        report.push(Diagnostic::error(Code::UnknownKey, &stray.key.span, message));
        return None;
    }
    if without_field.is_some() {
        return without_field;
    }
    let Some(field) = field else {
        let message = "this condition does not say which `field` it is about";
        report.push(Diagnostic::error(Code::MissingKey, &condition.key.span, message));
        return None;
    };
    if kind == Type::ValueCount && matches!(field.value.content, Content::List(_)) {
        return Some(CorrelationKind::ValueCount { fields: metadata::fields(report, field)? });
    }
    let field = metadata::field(report, field)?;
    match kind {
        Type::ValueCount => Some(CorrelationKind::ValueCount { fields: vec![field] }),
        Type::ValueSum => Some(CorrelationKind::ValueSum { field }),
        Type::ValueAvg => Some(CorrelationKind::ValueAvg { field }),
        Type::ValueMedian => Some(CorrelationKind::ValueMedian { field }),
        Type::ValuePercentile => {
            let percentile = percentile.map_or(Some(MIDDLE), |entry| percentage(report, entry))?;
            Some(CorrelationKind::ValuePercentile { field, percentile })
        }
        Type::EventCount | Type::Temporal | Type::TemporalOrdered | Type::FirstSeen => None,
    }
}

fn percentage(report: &mut Report<'_>, entry: &Entry<'_>) -> Option<Number> {
    let percentile = number(report, entry)?;
    let (zero, hundred) = (Number::Integer(0), Number::Integer(100));
    if percentile.compare(zero).is_gt() && percentile.compare(hundred).is_le() {
        return Some(percentile);
    }
    let message = format!("`{percentile}` is no percentile");
    let diagnostic = Diagnostic::error(Code::InvalidNumber, &entry.value.span, message);
    report.push(diagnostic.help("a percentile is above 0 and at most 100"));
    None
}

/// Warns of a condition that more matches may make false again.
fn check_end(report: &mut Report<'_>, condition: &Entry<'_>) {
    let entries = document::entries(&condition.value);
    let grows = |entry: &Entry<'_>| matches!(entry.key.text.as_ref(), "gt" | "gte");
    let first = entries.iter().find(|entry| matches!(entry.key.text.as_ref(), "lt" | "lte" | "eq" | "neq"));
    if let Some(entry) = first.filter(|_| !entries.iter().any(grows)) {
        let message = format!("`{}` alone is true before everything has happened", entry.key.text);
        report.push(Diagnostic::warning(Code::OpenCorrelation, &entry.key.span, message));
    }
}
