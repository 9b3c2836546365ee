//! One file -> what stands in it, before anything is known of the others but their value lists.

use std::path::Path;

use super::correlation::reader::{self as correlation, Draft};
use super::document::{self, File, Kind};
use super::filter::{self, Filter};
use super::list::Lists;
use super::reference::Mention;
use super::report::Report;
use super::scalar::Value;
use super::settings;
use super::yaml::{self, Content, Document, Node};
use super::{MAX_SOURCE_BYTES, Rule};
use crate::diagnostic::{Code, Diagnostic, Source, SourceId};

/// What stands in a document.
pub(super) enum Found {
    Rule(Box<Rule>),
    Correlation(Box<Draft>),
    Filter(Box<Filter>),
    Settings(settings::Draft),
    /// Something that does not load, as far as it says who it is.
    Mention(Mention),
}

/// Reads every document of a file.
pub(super) fn read<'s>(id: SourceId, source: &'s Source, lists: &Lists<'s>) -> (Vec<Found>, Vec<Diagnostic>) {
    let OpenFile { mut report, name, documents } = open(id, source);
    let mut found = Vec::with_capacity(documents.len());
    for (document, kind) in &documents {
        // A document that is not sound is read all the same, for whatever else is wrong with it.
        let read = kind.and_then(|kind| read_document(&mut report, document, kind, &name, lists));
        if *kind == Some(Kind::List) {
            check_list(&mut report, document, &source.text);
            continue;
        }
        let stem = name.alone.then_some(name.stem);
        let mention = || Found::Mention(Mention::new(&document.root, kind.unwrap_or(Kind::Rule), stem));
        found.push(read.filter(|_| document.sound).unwrap_or_else(mention));
    }
    (found, report.into_found())
}

fn read_document<'s>(
    report: &mut Report<'s>,
    document: &Document<'s>,
    kind: Kind,
    name: &File<'s>,
    lists: &Lists<'s>,
) -> Option<Found> {
    let root = &document.root;
    match kind {
        Kind::Rule => document::rule(report, lists, root, name).map(|rule| Found::Rule(Box::new(rule))),
        Kind::Correlation => correlation::read(report, root, name).map(|draft| Found::Correlation(Box::new(draft))),
        Kind::Filter => filter::read(report, lists, root, name).map(|filter| Found::Filter(Box::new(filter))),
        Kind::Settings => Some(Found::Settings(settings::read(report, root))),
        Kind::List => None,
    }
}

/// The value lists of a file, which are read before everything else; returns what is wrong with them.
pub(super) fn read_lists<'s>(id: SourceId, source: &'s Source, lists: &mut Lists<'s>) -> Vec<Diagnostic> {
    if !may_hold_a_list(&source.text) {
        return Vec::new();
    }
    // What is wrong with the rest of the file is told when that is read.
    let mut report = Report::new(id, &source.text);
    for (document, _) in open(id, source).documents.iter().filter(|(_, kind)| *kind == Some(Kind::List)) {
        lists.add(&mut report, document);
    }
    report.into_found()
}

fn may_hold_a_list(text: &str) -> bool {
    text.contains("values")
}

/// Refuses a list whose key is written so that nobody would find it.
fn check_list(report: &mut Report<'_>, document: &Document<'_>, text: &str) {
    if !may_hold_a_list(text) {
        let message = "the key `values` is written with escapes";
        report.push(Diagnostic::error(Code::NotARule, &document::start(&document.root), message));
    }
}

/// A file in the course of being read.
struct OpenFile<'s> {
    report: Report<'s>,
    name: File<'s>,
    documents: Vec<(Document<'s>, Option<Kind>)>,
}

fn open(id: SourceId, source: &Source) -> OpenFile<'_> {
    let mut report = Report::new(id, &source.text);
    let stem = Path::new(&source.path).file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    if !readable(&mut report, source) {
        return OpenFile { report, name: File { stem, alone: false }, documents: Vec::new() };
    }
    let yaml::Documents { complete, broken } = yaml::documents(&mut report);
    let documents: Vec<_> = complete.into_iter().filter(|document| !is_empty(&document.root)).collect();
    if documents.is_empty() && broken == 0 {
        let span = report.span(0..0);
        report.push(Diagnostic::warning(Code::NoRule, &span, "this file holds no rule"));
    }
    let name = File { stem, alone: documents.len() + broken == 1 };
    let kinds = documents.into_iter().map(|document| {
        let kind = if name.is_settings() { Some(Kind::Settings) } else { document::kind(&mut report, &document.root) };
        (document, kind)
    });
    let documents = kinds.collect();
    OpenFile { report, name, documents }
}

/// Whether the file can be looked into at all.
fn readable(report: &mut Report<'_>, source: &Source) -> bool {
    let diagnostic = if let Some(reason) = &source.unreadable {
        let span = report.span(0..0);
        Diagnostic::error(Code::FileUnreadable, &span, format!("this file cannot be read: {reason}"))
    } else if source.text.len() > MAX_SOURCE_BYTES {
        let span = report.span(0..0);
        let message = format!("this file is larger than {} KiB", MAX_SOURCE_BYTES / 1024);
        Diagnostic::error(Code::FileTooLarge, &span, message)
    } else if let Some(at) = source.text.find(char::REPLACEMENT_CHARACTER) {
        let span = report.span(at..at + char::REPLACEMENT_CHARACTER.len_utf8());
        Diagnostic::error(Code::FileNotUtf8, &span, "this file is not UTF-8 text")
    } else if let Some((at, control)) = forbidden(&source.text) {
        let span = report.span(at..at + control.len_utf8());
        Diagnostic::error(Code::YamlSyntax, &span, "this is not YAML: a control character")
    } else {
        return true;
    };
    report.push(diagnostic);
    false
}

/// The first control character, which YAML has only as escapes in double quotes.
fn forbidden(text: &str) -> Option<(usize, char)> {
    // The bytes with which control characters start, and few others: most files hold none of them.
    let suspicious = |byte: &u8| byte.is_ascii_control() && !matches!(byte, b'\t' | b'\n' | b'\r') || *byte == 0xc2;
    let any = |chunk: &[u8]| chunk.iter().fold(false, |found, byte| found | suspicious(byte));
    if !text.as_bytes().chunks(256).any(any) {
        return None;
    }
    let is_forbidden = |character: char| character.is_control() && !matches!(character, '\t' | '\n' | '\r' | '\u{85}');
    text.char_indices().find(|(_, character)| is_forbidden(*character))
}

/// Nothing stands between two document markers.
fn is_empty(root: &Node<'_>) -> bool {
    matches!(&root.content, Content::Scalar(scalar) if scalar.text.is_empty() && scalar.value() == Value::Null)
}
