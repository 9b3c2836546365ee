//! Texts of alerts with `{field}` in them.

use super::report::{Places, Report};
use super::yaml::Scalar;
use crate::diagnostic::{Code, Diagnostic};

/// A text in which the values of an event are filled in: `{request.path}` stands for a field, `{{` and `}}` for braces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    /// In the order written; never empty.
    pub parts: Vec<TemplatePart>,
}

/// A piece of a [`Template`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TemplatePart {
    /// The rule's own words.
    Text(String),
    /// The values of this field.
    Field(String),
}

impl Template {
    /// The fields that are filled in, in the order written.
    pub fn fields(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            TemplatePart::Field(field) => Some(field.as_str()),
            TemplatePart::Text(_) => None,
        })
    }

    /// The text, if it is the same for every event.
    #[must_use]
    pub fn constant(&self) -> Option<&str> {
        if let [TemplatePart::Text(text)] = self.parts.as_slice() { Some(text) } else { None }
    }
}

/// Reads a text; `None` if its braces do not pair up around names.
pub(super) fn read(report: &mut Report<'_>, scalar: &Scalar<'_>) -> Option<Template> {
    let places = report.places(scalar);
    match parts(&scalar.text, &places) {
        Ok(parts) if !parts.is_empty() => Some(Template { parts }),
        Ok(_) => {
            report.push(Diagnostic::error(Code::InvalidTemplate, &scalar.span, "this text is empty"));
            None
        }
        Err(diagnostic) => {
            report.push(*diagnostic);
            None
        }
    }
}

fn parts(text: &str, places: &Places) -> Result<Vec<TemplatePart>, Box<Diagnostic>> {
    let mut parts = Vec::new();
    let mut words = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(['{', '}']) {
        let (before, from) = rest.split_at(at);
        words.push_str(before);
        let offset = text.len() - from.len();
        let doubled = ["{{", "}}"].into_iter().find_map(|brace| Some((brace, from.strip_prefix(brace)?)));
        if let Some((brace, after)) = doubled {
            words.extend(brace.chars().next());
            rest = after;
            continue;
        }
        let (field, after) = from.strip_prefix('{').and_then(|inner| inner.split_once('}')).ok_or_else(|| {
            let span = places.of(offset..offset + 1);
            Box::new(Diagnostic::error(Code::InvalidTemplate, &span, "this brace has no partner"))
        })?;
        if !is_field(field) {
            let span = places.of(offset..offset + field.len() + 2);
            let message = format!("`{{{field}}}` names no field");
            return Err(Box::new(Diagnostic::error(Code::InvalidTemplate, &span, message)));
        }
        if !words.is_empty() {
            parts.push(TemplatePart::Text(std::mem::take(&mut words)));
        }
        parts.push(TemplatePart::Field(field.to_owned()));
        rest = after;
    }
    words.push_str(rest);
    if !words.is_empty() {
        parts.push(TemplatePart::Text(words));
    }
    Ok(parts)
}

fn is_field(text: &str) -> bool {
    !text.is_empty() && !text.contains(|character: char| character.is_whitespace() || "{|".contains(character))
}
