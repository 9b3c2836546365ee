//! What a rule's `alert:` block makes of an event: a title and a level of its own.

use super::{Redacted, Redactor};
use crate::audit::{self, AuditEvent, Buffers, FieldTableBuilder};
use crate::rule::{Header, Level, Template};

/// What an alert says instead of the rule's title and level.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wording {
    /// The rule's `title`, filled in.
    pub title: Option<Redacted>,
    /// The rule's `severity`.
    pub level: Option<Level>,
}

/// Fills in what the rule's block asks for, if anything.
///
/// A level that is taken from the event never lies below the rule's own: whoever acts may choose what stands there.
#[must_use]
pub fn word(header: &Header, event: &AuditEvent<'_>) -> Wording {
    let (title, severity) = (&header.alert.title, &header.alert.severity);
    let templates = || title.iter().chain(severity);
    if templates().next().is_none() {
        return Wording::default();
    }
    let mut table = FieldTableBuilder::default();
    templates().flat_map(Template::fields).for_each(|field| {
        table.slot(field);
    });
    let table = table.build();
    let mut buffers = Buffers::default();
    // It was read before, and reads again.
    let Ok(event) = audit::read(event.text(), &table, &mut buffers) else { return Wording::default() };
    let redactor = Redactor::new(&event);
    Wording {
        title: title.as_ref().map(|title| redactor.filled(title, &event)),
        level: severity.as_ref().and_then(|severity| level(header.level, severity, &redactor, &event)),
    }
}

fn level(own: Level, severity: &Template, redactor: &Redactor, event: &AuditEvent<'_>) -> Option<Level> {
    match severity.constant() {
        Some(constant) => Level::named(constant),
        None => Level::named(&redactor.filled(severity, event).as_str().to_lowercase()).map(|level| level.max(own)),
    }
}
