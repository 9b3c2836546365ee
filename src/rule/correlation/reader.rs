//! A document that is a correlation rule -> a draft, in which references are not looked up yet.

use super::super::document::{self, File, Kind};
use super::super::header::{self, Identity};
use super::super::metadata::{self, strict_keys};
use super::super::reference::{self, Reference};
use super::super::report::Report;
use super::super::scalar::Value;
use super::super::test_case::reader::{self as tests, Subject};
use super::super::yaml::{Content, Entry, Node};
use super::super::{Timespan, spans, timespan};
use super::condition::{self, Terms};
use super::{Correlation, CorrelationKind, Threshold};
use crate::diagnostic::{Code, Diagnostic, Span};

const KEYS: [&str; 7] = ["type", "rules", "group-by", "timespan", "condition", "aliases", "generate"];

/// A correlation with the references that are still to be looked up.
pub(in super::super) struct Draft {
    /// `rules` and the rules of `aliases` are as written.
    pub(super) correlation: Correlation,
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

/// The types of the language, and one that is to come.
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
pub(in super::super) fn read<'s>(
    report: &mut Report<'s>,
    root: &Node<'s>,
    file: &File<'_>,
) -> Option<(Draft, Identity)> {
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
        id: header.identity.id,
        name: header.identity.name.clone(),
        title: header.title,
        description: header.description,
        status: header.status,
        level: header.level,
        references: header.references,
        falsepositives: header.falsepositives,
        tags: header.tags,
        author: header.author,
        date: header.date,
        modified: header.modified,
        related: header.related,
        alert: header.alert,
        tests,
        kind: body.kind,
        rules: Vec::new(),
        group_by: body.group_by,
        timespan: body.timespan,
        condition: body.condition,
        aliases: Vec::new(),
        generate: body.generate || generate.flatten() == Some(true),
        span: header.span,
        spans: spans::read(report, entries, "correlation"),
    };
    let draft = Draft { correlation, rules: body.rules, aliases: body.aliases };
    (report.errors() == before).then_some((draft, header.identity))
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
        let find = |key| entries.iter().find(|entry: &&Entry<'_>| entry.key.text == key);
        let kind = needed(report, block, "type").and_then(|entry| kind(report, entry));
        let rules = needed(report, block, "rules").and_then(|entry| reference::list(report, entry));
        let timespan = needed(report, block, "timespan").and_then(|entry| timespan::read(report, entry));
        let group_by = find("group-by").map(|entry| metadata::fields(report, entry));
        let aliases = find("aliases").map(|entry| aliases(report, entry));
        let generate = find("generate").map(|entry| generate(report, entry));
        // Without a type, nothing can be said about the condition.
        let terms = condition::read(report, block, find("condition"), kind?);
        let Terms { kind, thresholds } = terms?;
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

fn needed<'n, 's>(report: &mut Report<'_>, block: &'n Entry<'s>, key: &str) -> Option<&'n Entry<'s>> {
    let found = document::entries(&block.value).iter().find(|entry| entry.key.text == key);
    if found.is_none() {
        let message = format!("this correlation has no `{key}`");
        report.push(Diagnostic::error(Code::MissingKey, &block.key.span, message));
    }
    found
}

fn kind(report: &mut Report<'_>, entry: &Entry<'_>) -> Option<Type> {
    let kind = metadata::named(report, entry, "type of correlation", &TYPES)?;
    if kind == Type::FirstSeen {
        let message = "correlations of the type `first_seen` are not supported yet";
        report.push(Diagnostic::error(Code::NotSupportedYet, &entry.value.span, message));
        return None;
    }
    Some(kind)
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
