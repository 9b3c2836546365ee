//! Documents that refer to rules, by id or by name.

use std::collections::HashMap;

use uuid::Uuid;

use super::document::{self, Kind};
use super::metadata;
use super::report::Report;
use super::suggest::nearest;
use super::yaml::{Content, Entry, Node};
use super::{Header, RuleSpans};
use crate::diagnostic::{Code, Diagnostic, Span};

/// A rule's id or name, where another document writes it.
#[derive(Debug, Clone)]
pub(super) struct Reference {
    pub(super) text: String,
    pub(super) span: Span,
}

/// Reads a list of one or more references.
pub(super) fn list(report: &mut Report<'_>, entry: &Entry<'_>) -> Option<Vec<Reference>> {
    let scalars = metadata::texts(report, entry)?;
    if scalars.is_empty() {
        let message = format!("`{}` names no rule", entry.key.text);
        report.push(Diagnostic::error(Code::WrongType, &entry.value.span, message));
        return None;
    }
    let mut references: Vec<Reference> = Vec::with_capacity(scalars.len());
    for scalar in scalars {
        if let Some(first) = references.iter().find(|known| known.text == scalar.text) {
            let message = format!("`{}` is listed twice", scalar.text);
            report
                .push(Diagnostic::error(Code::DuplicateKey, &scalar.span, message).related(&first.span, "first here"));
            return None;
        }
        references.push(Reference { text: scalar.text.to_string(), span: scalar.span.clone() });
    }
    Some(references)
}

/// What a reference may mean: every document that has an id or a name, whether it loads or not.
#[derive(Default)]
pub(super) struct Registry {
    documents: HashMap<String, Registered>,
    ids: HashMap<Uuid, RegisteredId>,
}

/// A document that does not load, as far as it says who it is.
pub(super) struct Mention {
    kind: Kind,
    name: Option<String>,
    /// Where the name stands, or else the document.
    span: Span,
    id: Option<(Uuid, Span)>,
}

impl Mention {
    /// Looks for the name, which may be the file's, and for the id.
    pub(super) fn new(root: &Node<'_>, kind: Kind, stem: Option<&str>) -> Self {
        let text = |key: &str| {
            let entry = document::entries(root).iter().find(|entry| entry.key.text == key)?;
            if let Content::Scalar(scalar) = &entry.value.content { Some(scalar) } else { None }
        };
        let name = text("name").map(|scalar| scalar.text.to_string()).or_else(|| metadata::slug(stem?));
        let id = text("id").and_then(|scalar| Some((Uuid::try_parse(&scalar.text).ok()?, scalar.span.clone())));
        let span = text("name").map_or_else(|| document::start(root), |scalar| scalar.span.clone());
        Self { kind, name, span, id }
    }
}

/// An id, with the name of the document that has it.
struct RegisteredId {
    name: String,
    /// Where the id stands.
    span: Span,
}

/// A document that others may refer to.
pub(super) struct Registered {
    pub(super) kind: Kind,
    /// Where its name stands.
    pub(super) span: Span,
    pub(super) loads: bool,
}

impl Registry {
    /// Notes a document; says so, and returns `false`, if its id or its name is taken.
    pub(super) fn admit(&mut self, found: &mut Vec<Diagnostic>, kind: Kind, header: &Header) -> bool {
        let Header { id, name, spans: RuleSpans { id: id_span, name: name_span, .. }, .. } = header;
        let before = found.len();
        let first = self.ids.get(id).and_then(|first| Some((first, self.documents.get(&first.name)?)));
        if let Some((first, document)) = first.filter(|(_, document)| document.loads) {
            let message = format!("the id `{id}` is taken");
            let by = format!("by this {}", document.kind);
            found.push(Diagnostic::error(Code::DuplicateId, id_span, message).related(&first.span, by));
        }
        if let Some(first) = self.documents.get(name).filter(|first| first.loads) {
            let message = format!("the name `{name}` is taken");
            let by = format!("by this {}", first.kind);
            found.push(Diagnostic::error(Code::DuplicateName, name_span, message).related(&first.span, by));
        }
        if found.len() > before {
            return false;
        }
        self.ids.insert(*id, RegisteredId { name: name.clone(), span: id_span.clone() });
        self.documents.insert(name.clone(), Registered { kind, span: name_span.clone(), loads: true });
        true
    }

    /// Notes a document that does not load: whoever refers to it means something.
    pub(super) fn mention(&mut self, mention: Mention) {
        let Mention { kind, name, span, id } = mention;
        let Some(name) = name.or_else(|| id.as_ref().map(|(id, _)| id.to_string())) else { return };
        self.documents.entry(name.clone()).or_insert(Registered { kind, span, loads: false });
        if let Some((id, span)) = id {
            self.ids.entry(id).or_insert(RegisteredId { name, span });
        }
    }

    /// The document that a reference means, by its name first, with that name.
    pub(super) fn find(&self, reference: &Reference) -> Option<(&str, &Registered)> {
        let text = reference.text.as_str();
        let by_name = self.documents.get_key_value(text);
        let by_id = || self.documents.get_key_value(&self.ids.get(&Uuid::try_parse(text).ok()?)?.name);
        by_name.or_else(by_id).map(|(name, document)| (name.as_str(), document))
    }

    /// What to say of a reference that means nothing.
    pub(super) fn unknown(&self, reference: &Reference) -> Diagnostic {
        let text = &reference.text;
        let diagnostic = Diagnostic::error(Code::UnknownRule, &reference.span, format!("there is no rule `{text}`"));
        let near = if Uuid::try_parse(text).is_ok() { None } else { self.nearest(text) };
        match near {
            Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
            None => diagnostic,
        }
    }

    fn nearest(&self, text: &str) -> Option<&str> {
        let mut names: Vec<&str> = self.documents.keys().map(String::as_str).collect();
        names.sort_unstable();
        nearest(text, names)
    }
}

impl Registered {
    /// What to say of a reference to this document, which does not load.
    pub(super) fn does_not_load(&self, reference: &Reference) -> Diagnostic {
        let message = format!("the {} `{}` does not load", self.kind, reference.text);
        Diagnostic::error(Code::UnknownRule, &reference.span, message).related(&self.span, "this one")
    }
}
