//! A document that is a correlation rule -> a draft, in which references are not looked up yet.

use super::super::document::{self, File, Kind};
use super::super::header;
use super::super::metadata::{self, strict_keys};
use super::super::reference::{self, Reference};
use super::super::report::Report;
use super::super::scalar::Value;
use super::super::test_case::reader::{self as tests, Subject};
use super::super::yaml::{Content, Entry, Node};
use super::super::{Header, Timespan, timespan};
use super::condition::{self, Terms};
use super::{Correlation, CorrelationKind, Threshold};
use crate::diagnostic::{Code, Diagnostic, Span};

const KEYS: [&str; 9] =
    ["type", "rules", "group-by", "timespan", "condition", "field", "warmup", "aliases", "generate"];

/// A correlation with the references that are still to be looked up.
pub(in super::super) struct Draft {
    /// `rules` and the rules of `aliases` are as written.
    pub(in super::super) correlation: Correlation,
    pub(super) rules: Vec<Reference>,
    pub(super) aliases: Vec<AliasDraft>,
}

/// An alias as written.
pub(super) struct AliasDraft {
    pub(super) name: String,
    /// Where the name stands.
    pub(super) span: Span,
    pub(super) fields: Vec<(Reference, String)>,
}

/// The types of the language, and one of ours.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Type {
    EventCount,
    ValueCount,
    Temporal,
    TemporalOrdered,
    ValueSum,
    ValueAvg,
    ValuePercentile,
    ValueMedian,
    FirstSeen,
}

const TYPES: [(&str, Type); 9] = [
    ("event_count", Type::EventCount),
    ("value_count", Type::ValueCount),
    ("temporal", Type::Temporal),
    ("temporal_ordered", Type::TemporalOrdered),
    ("value_sum", Type::ValueSum),
    ("value_avg", Type::ValueAvg),
    ("value_percentile", Type::ValuePercentile),
    ("value_median", Type::ValueMedian),
    ("first_seen", Type::FirstSeen),
];

/// Reads a correlation rule; `None` if it is not to be loaded, and the report says why.
pub(in super::super) fn read(report: &mut Report<'_>, root: &Node<'_>, file: &File<'_>) -> Option<Draft> {
    let before = report.errors();
    let entries = document::entries(root);
    let header = header::read(report, root, entries, file, Kind::Correlation);
    let tests = tests::read(report, entries, Subject::Correlation);
    let block = document::needed(report, root, "correlation", Kind::Correlation)?;
    let body = Block::read(report, block);
    let outside = entries.iter().find(|entry| entry.key.text == "generate");
    let generate = outside.map(|entry| generate(report, entry));
    let (header, body) = (header?, body?);
    let correlation = Correlation {
        header: Header { tests, ..header },
        kind: body.kind,
        rules: Vec::new(),
        group_by: body.group_by,
        timespan: body.timespan,
        condition: body.condition,
        aliases: Vec::new(),
        generate: body.generate || generate.flatten() == Some(true),
    };
    (report.errors() == before).then_some(Draft { correlation, rules: body.rules, aliases: body.aliases })
}

/// What stands under `correlation`.
struct Block {
    kind: CorrelationKind,
    rules: Vec<Reference>,
    group_by: Vec<String>,
    timespan: Timespan,
    condition: Vec<Threshold>,
    aliases: Vec<AliasDraft>,
    generate: bool,
}

impl Block {
    fn read(report: &mut Report<'_>, block: &Entry<'_>) -> Option<Self> {
        let Content::Map(entries) = &block.value.content else {
            let message = "`correlation` is a map of `type`, `rules`, `timespan` and more";
            report.push(Diagnostic::error(Code::WrongType, &block.value.span, message));
            return None;
        };
        strict_keys(report, entries, "`correlation`", &KEYS);
        let kind = needed(report, block, "type")
            .and_then(|entry| metadata::named(report, entry, "type of correlation", &TYPES));
        let rules = needed(report, block, "rules").and_then(|entry| reference::list(report, entry));
        let timespan = needed(report, block, "timespan").and_then(|entry| timespan::read(report, entry));
        let group_by = entry(block, "group-by").map(|entry| metadata::fields(report, entry));
        let aliases = entry(block, "aliases").map(|entry| aliases(report, entry));
        let generate = entry(block, "generate").map(|entry| generate(report, entry));
        // Without a type, nothing can be said about the condition.
        let Terms { kind, thresholds } = condition::read(report, block, kind?)?;
        Some(Self {
            kind,
            rules: rules?,
            group_by: group_by.map_or(Some(Vec::new()), |fields| fields)?,
            timespan: timespan?,
            condition: thresholds,
            aliases: aliases.map_or(Some(Vec::new()), |aliases| aliases)?,
            generate: generate.map_or(Some(false), |flag| flag)?,
        })
    }
}

/// An entry of the block.
pub(super) fn entry<'n, 's>(block: &'n Entry<'s>, key: &str) -> Option<&'n Entry<'s>> {
    document::entries(&block.value).iter().find(|entry| entry.key.text == key)
}

/// The same, of which there must be one.
pub(super) fn needed<'n, 's>(report: &mut Report<'_>, block: &'n Entry<'s>, key: &str) -> Option<&'n Entry<'s>> {
    let found = entry(block, key);
    if found.is_none() {
        let message = format!("this correlation has no `{key}`");
        report.push(Diagnostic::error(Code::MissingKey, &block.key.span, message));
    }
    found
}

fn generate(report: &mut Report<'_>, entry: &Entry<'_>) -> Option<bool> {
    if let Content::Scalar(scalar) = &entry.value.content
        && let Value::Bool(flag) = scalar.value()
    {
        return Some(flag);
    }
    report.push(Diagnostic::error(Code::WrongType, &entry.value.span, "`generate` needs `true` or `false`"));
    None
}

fn aliases(report: &mut Report<'_>, entry: &Entry<'_>) -> Option<Vec<AliasDraft>> {
    let Content::Map(entries) = &entry.value.content else {
        let message = "`aliases` is a map of names, each a map of rules and fields";
        report.push(Diagnostic::error(Code::WrongType, &entry.value.span, message));
        return None;
    };
    let read: Vec<_> = entries.iter().map(|entry| alias(report, entry)).collect();
    read.into_iter().collect()
}

fn alias(report: &mut Report<'_>, Entry { key, value }: &Entry<'_>) -> Option<AliasDraft> {
    let entries = document::entries(value);
    if entries.is_empty() {
        let message = format!("the alias `{}` is a map of rules and fields", key.text);
        report.push(Diagnostic::error(Code::WrongType, &value.span, message));
        return None;
    }
    let read: Vec<_> = entries
        .iter()
        .map(|entry| {
            let field = metadata::text(report, entry)?.text.to_string();
            Some((Reference { text: entry.key.text.to_string(), span: entry.key.span.clone() }, field))
        })
        .collect();
    let fields = read.into_iter().collect::<Option<_>>()?;
    Some(AliasDraft { name: key.text.to_string(), span: key.span.clone(), fields })
}
