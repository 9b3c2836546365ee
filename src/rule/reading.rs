//! Files -> rules, each at most once.
//!
//! Value lists come first, since rules are made of them. The other files are then read one after the other, and what
//! refers to other documents is looked up when all of them are known.

use std::collections::HashMap;
use std::path::Path;

use super::correlation::links;
use super::correlation::reader::{self as correlation, Draft};
use super::document::{self, File, Kind};
use super::filter::{self, Filter};
use super::list::Lists;
use super::reference::Registry;
use super::report::Report;
use super::scalar::Value;
use super::settings;
use super::yaml::{self, Content, Document, Node};
use super::{MAX_SOURCE_BYTES, Reading, Rule};
use crate::diagnostic::{Code, Diagnostic, Source, SourceId, Sources};

/// Reads every document of every file.
pub(super) fn read(sources: &Sources) -> Reading {
    let (lists, mut opened) = lists(sources);
    let mut found = Found::default();
    let mut diagnostics = Vec::new();
    for (id, source) in sources.iter() {
        let mut file = opened.remove(&id).unwrap_or_else(|| open(id, source));
        found.read(&mut file, &lists);
        diagnostics.extend(file.report.into_found());
    }
    let Found { mut rules, drafts, filters, registry, settings } = found;
    diagnostics.extend(filter::fold(&filters, &mut rules, &registry));
    let (correlations, problems) = links::resolve(drafts, &registry);
    diagnostics.extend(problems);
    diagnostics.sort_by_key(|diagnostic| (diagnostic.span.source, diagnostic.span.bytes.start));
    // What an alias repeats, or a value list that several rules use, is wrong in one place only.
    diagnostics.dedup();
    Reading { rules, correlations, settings, diagnostics }
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

/// The value lists, and the files that were opened to find them.
fn lists(sources: &Sources) -> (Lists<'_>, HashMap<SourceId, OpenFile<'_>>) {
    let mut lists = Lists::default();
    let mut opened = HashMap::new();
    for (id, source) in sources.iter().filter(|(_, source)| may_hold_a_list(&source.text)) {
        let mut file = open(id, source);
        let OpenFile { report, documents, .. } = &mut file;
        for (document, _) in documents.iter().filter(|(_, kind)| *kind == Some(Kind::List)) {
            lists.add(report, document);
        }
        opened.insert(id, file);
    }
    (lists, opened)
}

/// Whether some key may be `values`: as it stands, or with an escape in it.
fn may_hold_a_list(text: &str) -> bool {
    text.contains("values") || text.contains('\\')
}

/// What was read so far.
#[derive(Default)]
struct Found {
    rules: Vec<Rule>,
    drafts: Vec<Draft>,
    filters: Vec<Filter>,
    registry: Registry,
    settings: super::Settings,
}

impl Found {
    fn read<'s>(&mut self, file: &mut OpenFile<'s>, lists: &Lists<'s>) {
        let OpenFile { report, name, documents } = file;
        for (document, kind) in documents {
            let root = &document.root;
            // A document that is not sound is read all the same, for whatever else is wrong with it.
            let loads = match kind {
                Some(Kind::Settings) => {
                    self.settings = settings::read(report, root);
                    continue;
                }
                Some(Kind::List) => continue,
                Some(Kind::Rule) => {
                    let read = document::rule(report, lists, root, name).filter(|_| document.sound);
                    let read = read.filter(|(_, identity)| self.registry.admit(report, Kind::Rule, identity));
                    read.map(|(rule, _)| self.rules.push(rule)).is_some()
                }
                Some(Kind::Correlation) => {
                    let read = correlation::read(report, root, name).filter(|_| document.sound);
                    let read = read.filter(|(_, identity)| self.registry.admit(report, Kind::Correlation, identity));
                    read.map(|(draft, _)| self.drafts.push(draft)).is_some()
                }
                Some(Kind::Filter) => {
                    let read = filter::read(report, lists, root, name).filter(|_| document.sound);
                    let read = read.filter(|(_, identity)| self.registry.admit(report, Kind::Filter, identity));
                    read.map(|(filter, _)| self.filters.push(filter)).is_some()
                }
                None => false,
            };
            if !loads {
                self.registry.mention(root, kind.unwrap_or(Kind::Rule), name.alone.then_some(name.stem));
            }
        }
    }
}
