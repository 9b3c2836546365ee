//! One YAML document: what kind it is, and a rule's own reading.

use std::fmt;

use super::detection;
use super::header;
use super::list::Lists;
use super::metadata;
use super::report::Report;
use super::test_case::reader::{self as tests, Subject};
use super::yaml::{Content, Entry, Node};
use super::{Header, Rule};
use crate::diagnostic::{Code, Diagnostic, Span};

/// The file in which a document stands.
pub(super) struct File<'s> {
    /// Its name without directories and extension.
    pub(super) stem: &'s str,
    /// The document is the only one in it.
    pub(super) alone: bool,
}

impl File<'_> {
    /// Whether it is `vaultwatch.yml`, which holds no rule.
    pub(super) fn is_settings(&self) -> bool {
        self.stem == "vaultwatch"
    }
}

/// What a document is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Rule,
    Correlation,
    Filter,
    List,
    Settings,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Rule => "rule",
            Self::Correlation => "correlation rule",
            Self::Filter => "filter",
            Self::List => "value list",
            Self::Settings => "settings file",
        })
    }
}

/// The keys that tell what a document is. `values` alone makes a value list, wherever its file lies.
const TELLING: [(&str, Kind); 4] =
    [("correlation", Kind::Correlation), ("filter", Kind::Filter), ("detection", Kind::Rule), ("values", Kind::List)];

/// Tells what a document is, by its keys; `None` if it is not to be read further, and the report says why.
pub(super) fn kind(report: &mut Report<'_>, root: &Node<'_>) -> Option<Kind> {
    let Content::Map(entries) = &root.content else {
        let message = "a rule is a map of `title`, `logsource`, `detection` and more";
        report.push(Diagnostic::error(Code::NotARule, &start(root), message));
        return None;
    };
    let has = |key: &str| entries.iter().any(|entry| entry.key.text == key);
    let kind = TELLING.iter().find(|(key, _)| has(key)).map(|(_, kind)| *kind);
    let refusal = collection(entries).or_else(|| retired(entries, kind.unwrap_or(Kind::Rule)));
    // A document with nothing of a rule in it: one word about that says more than a list of what is missing.
    let refusal = refusal.or_else(|| {
        let known = kind.is_some() || has("title") || has("logsource");
        let message = "this document has no `title`, `logsource` or `detection`";
        (!known).then(|| Diagnostic::error(Code::NotARule, &start(root), message))
    });
    if let Some(refusal) = refusal {
        report.push(refusal);
        return None;
    }
    Some(kind.unwrap_or(Kind::Rule))
}

/// The place of a node that may be large: its start.
pub(super) fn start(node: &Node<'_>) -> Span {
    let bytes = node.span.bytes.clone();
    Span { source: node.span.source, bytes: bytes.start..bytes.start }
}

fn collection(entries: &[Entry<'_>]) -> Option<Diagnostic> {
    let entry = entries.iter().find(|entry| entry.key.text == "action")?;
    let message = "rule collections are no longer part of the language";
    let diagnostic = Diagnostic::error(Code::Collection, &entry.key.span, message);
    Some(diagnostic.help("write every rule out, in a document or a file of its own"))
}

fn retired(entries: &[Entry<'_>], kind: Kind) -> Option<Diagnostic> {
    let status = entries.iter().find(|entry| entry.key.text == "status")?;
    let Content::Scalar(scalar) = &status.value.content else { return None };
    matches!(scalar.text.as_ref(), "deprecated" | "unsupported").then(|| {
        let message = format!("this {kind} is {} and does not load", scalar.text);
        Diagnostic::warning(Code::RetiredRule, &scalar.span, message)
    })
}

/// The entries of a document; none if it is no map.
pub(super) fn entries<'n, 's>(root: &'n Node<'s>) -> &'n [Entry<'s>] {
    if let Content::Map(entries) = &root.content { entries } else { &[] }
}

/// Reads a rule; `None` if it is not to be loaded, and the report says why.
pub(super) fn rule<'s>(report: &mut Report<'s>, lists: &Lists<'s>, root: &Node<'s>, file: &File<'_>) -> Option<Rule> {
    let before = report.errors();
    let entries = entries(root);
    let header = header::read(report, root, entries, file, Kind::Rule);
    logsource(report, root, Kind::Rule);
    let detection =
        needed(report, root, "detection", Kind::Rule).and_then(|entry| detection::read(report, lists, entry, &[]));
    let tests = tests::read(report, entries, Subject::Rule(detection.as_ref()));
    let rule = Rule { header: Header { tests, ..header? }, detection: detection? };
    (report.errors() == before).then_some(rule)
}

/// The entry without which a document does not load.
pub(super) fn needed<'n, 's>(
    report: &mut Report<'_>,
    root: &'n Node<'s>,
    key: &str,
    kind: Kind,
) -> Option<&'n Entry<'s>> {
    let found = entries(root).iter().find(|entry| entry.key.text == key);
    if found.is_none() {
        let message = format!("this {kind} has no `{key}`");
        report.push(Diagnostic::error(Code::MissingKey, &start(root), message));
    }
    found
}

/// Checks that a document is for Vault's audit log.
pub(super) fn logsource(report: &mut Report<'_>, root: &Node<'_>, kind: Kind) {
    if let Some(entry) = needed(report, root, "logsource", kind) {
        metadata::logsource(report, entry);
    }
}
