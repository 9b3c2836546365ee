//! An event that should have fired -> what tells it from others, without ids, HMACs and secrets.

use std::sync::LazyLock;

use crate::alert::{Redacted, Redactor};
use crate::audit::{AuditEvent, Buffers, FieldTable, FieldTableBuilder};
use crate::cli::event::{EventError, NamedEvent};
use crate::events;

/// The event that stands in where none is given.
const EXAMPLE: &str = "policy_write";

/// A longer segment of a path with digits in it is taken for an id.
const SHORTEST_ID: usize = 20;

/// A longer piece of an error is not what a rule should look for.
const LONGEST_ERROR: usize = 100;

/// What a rule can look for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Seed {
    /// `type`
    pub(super) entry_type: Option<String>,
    /// `request.operation`
    pub(super) operation: Option<String>,
    /// `request.path`, in segments.
    pub(super) path: Vec<Segment>,
    /// `derived.mount_type`
    pub(super) mount_type: Option<String>,
    /// The telling piece of `error`.
    pub(super) error: Option<String>,
    /// The event that comes with the program, if it is one.
    pub(super) like: Option<&'static str>,
}

/// What stands between two slashes of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Segment {
    /// A name.
    Name(String),
    /// An id, or something secret: another one next time.
    Id,
}

static FIELDS: LazyLock<FieldTable> = LazyLock::new(|| {
    let mut builder = FieldTableBuilder::default();
    for field in ["type", "request.operation", "request.path", "derived.mount_type", "error"] {
        builder.slot(field);
    }
    builder.build()
});

impl Seed {
    /// What the example has.
    pub(super) fn example() -> Self {
        let text = events::by_name(EXAMPLE).map_or("{}", |event| event.text());
        let example = NamedEvent { name: EXAMPLE.to_owned(), text: text.to_owned() };
        Self::of(&example).unwrap_or_default()
    }

    /// What an event has.
    pub(super) fn of(named: &NamedEvent) -> Result<Self, EventError> {
        let mut buffers = Buffers::default();
        let event = named.audit_event(&FIELDS, &mut buffers)?;
        let redactor = Redactor::new(&event);
        let clear = |field: &str| unchanged(event.text_of(field)?, |text| redactor.name(text));
        Ok(Self {
            entry_type: clear("type"),
            operation: clear("request.operation"),
            path: path(&event, &redactor),
            mount_type: clear("derived.mount_type"),
            error: error(&event, &redactor),
            like: events::by_name(&named.name)
                .filter(|shipped| shipped.text() == named.text)
                .map(|shipped| shipped.name),
        })
    }
}

/// The text, if nothing in it is secret.
fn unchanged(text: &str, redact: impl Fn(&str) -> Redacted) -> Option<String> {
    (redact(text).as_str() == text).then(|| text.to_owned())
}

fn path(event: &AuditEvent<'_>, redactor: &Redactor) -> Vec<Segment> {
    let Some(path) = event.text_of("request.path") else { return Vec::new() };
    let segment = |text: &str| match unchanged(text, |text| redactor.name(text)) {
        Some(name) if !is_id(&name) => Segment::Name(name),
        _ => Segment::Id,
    };
    path.split('/').map(segment).collect()
}

/// A UUID, a token, an accessor, a serial number.
fn is_id(segment: &str) -> bool {
    segment.len() >= SHORTEST_ID && segment.bytes().any(|byte| byte.is_ascii_digit())
}

/// The last line of Vault's error that says something, without the bullet that it stands behind.
fn error(event: &AuditEvent<'_>, redactor: &Redactor) -> Option<String> {
    let error = unchanged(event.text_of("error")?, |text| redactor.prose(text))?;
    let line = error.lines().map(|line| line.trim().trim_start_matches("* ")).rfind(|line| !line.is_empty())?;
    let has_id = line.split([' ', '"', '/', ':']).any(is_id);
    (line.len() <= LONGEST_ERROR && !has_id).then(|| line.to_owned())
}
