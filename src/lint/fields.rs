//! Fields that no audit entry has.

use super::{items, names};
use crate::audit::reference::{self, Field};
use crate::diagnostic::{Code, Diagnostic, Sources, Span};
use crate::rule::suggest::nearest;
use crate::rule::{Correlation, Header, Item, Rule, Settings, Test};

/// Which fields there are: Vault's, the derived ones, and those that the settings allow.
pub(super) struct Known<'s> {
    settings: &'s Settings,
}

impl<'s> Known<'s> {
    pub(super) fn new(settings: &'s Settings) -> Self {
        Self { settings }
    }

    /// Whether the settings name the field, or the family it belongs to.
    pub(super) fn is_allowed(&self, field: &str) -> bool {
        self.settings.fields.iter().any(|allowed| names(allowed, field))
    }

    fn has(&self, field: &str) -> bool {
        reference::field(field).is_some() || self.is_allowed(field)
    }

    /// What is wrong with the name of a field, if no entry has it.
    pub(super) fn objection(&self, field: &str, span: &Span) -> Option<Diagnostic> {
        if self.has(field) {
            return None;
        }
        let message = format!("no audit entry of Vault has a field `{field}`");
        let help = match self.meant(field) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => "`vaultwatch fields` lists them all; allow one of your own under `fields` in `vaultwatch.yml`"
                .to_owned(),
        };
        Some(Diagnostic::warning(Code::UnknownField, span, message).help(help))
    }

    /// The field that was probably meant: one that ends alike, or one that is written nearly so.
    fn meant(&self, field: &str) -> Option<&str> {
        let known = || reference::fields().iter().map(|field| field.path.as_ref()).filter(|path| !path.ends_with('*'));
        let last = field.rsplit('.').next().unwrap_or(field).to_lowercase();
        let ends_alike = known().find(|path| path.rsplit('.').next() == Some(last.as_str()));
        let allowed = self.settings.fields.iter().map(String::as_str);
        nearest(field, known().chain(allowed)).or(ends_alike)
    }
}

/// Checks the field of an item, and the one that it compares with.
pub(super) fn item(item: &Item, known: &Known<'_>, sources: &Sources, found: &mut Vec<Diagnostic>) {
    found.extend(known.objection(&item.field, &name_in_key(item, sources)));
    for (test, span) in item.tests.iter().zip(&item.spans) {
        if let Test::FieldRef(reference) = test {
            found.extend(known.objection(&reference.field, span));
        }
    }
}

/// Where the field's name stands in its key, without the modifiers.
fn name_in_key(item: &Item, sources: &Sources) -> Span {
    let Span { source, bytes } = item.span.clone();
    let written = sources.get(source).and_then(|source| source.text.get(bytes.clone())).unwrap_or_default();
    match written.find(&item.field) {
        Some(at) => Span { source, bytes: bytes.start + at..bytes.start + at + item.field.len() },
        None => item.span.clone(),
    }
}

/// Checks the fields that an alert is grouped by or told with.
pub(super) fn alert(header: &Header, known: &Known<'_>, found: &mut Vec<Diagnostic>) {
    let Header { alert, spans, .. } = header;
    for (field, span) in alert.group_by.iter().zip(&spans.group_by) {
        found.extend(known.objection(field, span));
    }
    for (template, span) in alert.title.iter().chain(&alert.severity).zip(&spans.templates) {
        found.extend(template.fields().filter_map(|field| known.objection(field, span)));
    }
}

/// Checks the fields that a correlation groups by, or looks at.
pub(super) fn correlation(correlation: &Correlation, known: &Known<'_>, found: &mut Vec<Diagnostic>) {
    let Correlation { header: Header { spans, .. }, group_by, aliases, .. } = correlation;
    let is_alias = |name: &str| aliases.iter().any(|alias| alias.name == name);
    for (field, span) in group_by.iter().zip(&spans.group_by).filter(|(field, _)| !is_alias(field)) {
        found.extend(known.objection(field, span));
    }
    let behind = aliases.iter().flat_map(|alias| alias.fields.iter().map(|(_, field)| field.as_str()));
    let looked_at = correlation.kind.fields().iter().map(String::as_str).filter(|field| !is_alias(field));
    found.extend(looked_at.chain(behind).filter_map(|field| known.objection(field, &spans.condition)));
}

/// The fields that a rule looks at.
pub(super) fn of_rule(rule: &Rule) -> Vec<&str> {
    let items = items(rule);
    let others = items.iter().flat_map(|item| &item.tests).filter_map(|test| match test {
        Test::FieldRef(reference) => Some(reference.field.as_str()),
        _ => None,
    });
    items.iter().map(|item| item.field.as_str()).chain(others).collect()
}

/// The fields that a correlation looks at.
pub(super) fn of_correlation(correlation: &Correlation) -> Vec<&str> {
    let behind = correlation.aliases.iter().flat_map(|alias| alias.fields.iter().map(|(_, field)| field));
    correlation.group_by.iter().chain(correlation.kind.fields()).chain(behind).map(String::as_str).collect()
}

/// The field of an item, as Vault writes it.
pub(super) fn written(item: &Item) -> Option<&'static Field> {
    reference::field(&item.field)
}
