//! Files -> rules, each at most once.

use std::collections::HashMap;
use std::path::Path;

use uuid::Uuid;

use super::document::{self, File, Identified};
use super::report::Report;
use super::scalar::Value;
use super::yaml::{self, Content, Node};
use super::{MAX_SOURCE_BYTES, Reading, Rule};
use crate::diagnostic::{Code, Diagnostic, Source, Sources, Span};

/// Reads every document of every file.
pub(super) fn read(sources: &Sources) -> Reading {
    let mut reading = Reading::default();
    let mut known = Known::default();
    for (id, source) in sources.iter() {
        let mut report = Report::new(id, &source.text);
        if readable(&mut report, source) {
            reading.rules.extend(file(&mut report, source, &mut known));
        }
        reading.diagnostics.extend(report.into_found());
    }
    reading
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
    } else if let Some((at, control)) = source.text.char_indices().find(|(_, character)| is_forbidden(*character)) {
        let span = report.span(at..at + control.len_utf8());
        Diagnostic::error(Code::YamlSyntax, &span, "this is not YAML: a control character")
    } else {
        return true;
    };
    report.push(diagnostic);
    false
}

/// Control characters, which YAML has only as escapes in double quotes.
fn is_forbidden(character: char) -> bool {
    character.is_control() && !matches!(character, '\t' | '\n' | '\r' | '\u{85}')
}

fn file(report: &mut Report<'_>, source: &Source, known: &mut Known) -> Vec<Rule> {
    let yaml::Documents { complete, broken } = yaml::documents(report);
    let documents: Vec<_> = complete.iter().filter(|document| !is_empty(&document.root)).collect();
    if documents.is_empty() && broken == 0 {
        let span = report.span(0..0);
        report.push(Diagnostic::warning(Code::NoRule, &span, "this file holds no rule"));
    }
    let path = Path::new(&source.path);
    let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    let file = File { stem, alone: documents.len() + broken == 1 };
    let mut rules = Vec::new();
    for document in documents {
        // A document that is not sound is read all the same, for whatever else is wrong with it.
        let read = document::read(report, &document.root, &file).filter(|_| document.sound);
        rules.extend(read.and_then(|found| known.admit(report, found)));
    }
    rules
}

/// Nothing stands between two document markers.
fn is_empty(root: &Node<'_>) -> bool {
    matches!(&root.content, Content::Scalar(scalar) if scalar.text.is_empty() && scalar.value() == Value::Null)
}

/// The ids and names that are taken, and where.
#[derive(Default)]
struct Known {
    ids: HashMap<Uuid, Span>,
    names: HashMap<String, Span>,
}

impl Known {
    /// Lets the rule pass if nobody has its id or its name.
    fn admit(&mut self, report: &mut Report<'_>, found: Identified) -> Option<Rule> {
        let Identified { rule, id, name } = found;
        let taken_id = self.ids.get(&rule.id);
        let taken_name = self.names.get(&rule.name);
        if let Some(first) = taken_id {
            let message = format!("the id `{}` is taken", rule.id);
            report.push(Diagnostic::error(Code::DuplicateId, &id, message).related(first, "by this rule"));
        }
        if let Some(first) = taken_name {
            let message = format!("the name `{}` is taken", rule.name);
            report.push(Diagnostic::error(Code::DuplicateName, &name, message).related(first, "by this rule"));
        }
        if taken_id.is_some() || taken_name.is_some() {
            return None;
        }
        self.ids.insert(rule.id, id);
        self.names.insert(rule.name.clone(), name);
        Some(rule)
    }
}
