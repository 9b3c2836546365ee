//! Value lists: values under a name, for which rules write `%name%` under `expand`.

use std::collections::HashMap;

use super::document;
use super::metadata::{self, strict_keys};
use super::report::Report;
use super::scalar::Value;
use super::suggest::nearest;
use super::value::{Size, check_reading};
use super::yaml::{Content, Document, Entry, Node, Scalar};
use crate::diagnostic::{Code, Diagnostic, Span};

const KEYS: [&str; 3] = ["name", "description", "values"];

/// The value lists of all files, by name.
#[derive(Default)]
pub(super) struct Lists<'s>(HashMap<String, List<'s>>);

struct List<'s> {
    /// Where its name stands.
    name: Span,
    /// `None` if something is wrong with it: rules that use it do not load.
    values: Option<Values<'s>>,
}

/// The values of a list.
pub(super) struct Values<'s> {
    pub(super) scalars: Vec<Scalar<'s>>,
    pub(super) size: Size,
}

impl<'s> Lists<'s> {
    /// Reads a document that is a value list.
    pub(super) fn add(&mut self, report: &mut Report<'s>, document: &Document<'s>) {
        let before = report.errors();
        let entries = document::entries(&document.root);
        strict_keys(report, entries, "a value list", &KEYS);
        let find = |key| entries.iter().find(|entry: &&Entry<'s>| entry.key.text == key);
        if let Some(description) = find("description") {
            metadata::text(report, description);
        }
        let values = find("values").and_then(|entry| values(report, &entry.value));
        let Some(entry) = find("name") else {
            let message = "this value list has no `name`";
            report.push(Diagnostic::error(Code::MissingKey, &document::start(&document.root), message));
            return;
        };
        let Some(name) = metadata::slug_text(report, entry, "a value list") else { return };
        if let Some(first) = self.0.get(&name) {
            let message = format!("the name `{name}` is taken");
            let diagnostic = Diagnostic::error(Code::DuplicateName, &entry.value.span, message);
            report.push(diagnostic.related(&first.name, "by this value list").help("every value list needs its own"));
            return;
        }
        let values = values.filter(|_| document.sound && report.errors() == before);
        self.0.insert(name, List { name: entry.value.span.clone(), values });
    }

    /// The values of a list that is named at `place`; says so if it cannot be used.
    pub(super) fn find(&self, report: &mut Report<'_>, name: &str, place: &Span) -> Option<&Values<'s>> {
        let Some(list) = self.0.get(name) else {
            let diagnostic = Diagnostic::error(Code::UnknownList, place, format!("there is no value list `{name}`"));
            report.push(match nearest(name, self.0.keys().map(String::as_str)) {
                Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
                None => diagnostic,
            });
            return None;
        };
        if list.values.is_none() {
            let message = format!("the value list `{name}` does not load");
            report.push(Diagnostic::error(Code::UnknownList, place, message).related(&list.name, "this one"));
        }
        list.values.as_ref()
    }

    /// Whether there is a list of this name.
    pub(super) fn contains(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }
}

/// The values, of which there may be none: a list that every site fills in for itself.
fn values<'s>(report: &mut Report<'_>, node: &Node<'s>) -> Option<Values<'s>> {
    let Content::List(members) = &node.content else {
        let message = "`values` needs a list";
        report.push(Diagnostic::error(Code::WrongType, &node.span, message).help("an empty list is written `[]`"));
        return None;
    };
    let read: Vec<_> = members.iter().map(|member| value(report, member)).collect();
    let scalars: Vec<Scalar<'s>> = read.into_iter().collect::<Option<_>>()?;
    let bytes = scalars.iter().map(|scalar| scalar.text.len()).sum();
    Some(Values { size: Size { count: scalars.len(), bytes }, scalars })
}

fn value<'s>(report: &mut Report<'_>, member: &Node<'s>) -> Option<Scalar<'s>> {
    let found = match &member.content {
        Content::Scalar(scalar) => match scalar.value() {
            Value::Text | Value::Number(_) | Value::Bool(_) => {
                check_reading(report, scalar);
                return Some(scalar.clone());
            }
            Value::Null => "null",
            Value::Inexact => "a number that cannot be compared exactly",
        },
        Content::List(_) => "a list",
        Content::Map(_) => "a map",
    };
    let message = "the values of a list are texts, numbers and booleans";
    report.push(Diagnostic::error(Code::WrongType, &member.span, message).label(found));
    None
}
