//! The facts that an alert tells, gathered from the event that made it fire.

use std::sync::LazyLock;

use super::{AuditFacts, Evidence, Redacted, Redactor};
use crate::audit::{self, AuditEvent, Buffers, FieldTable, FieldTableBuilder, Value, address};
use crate::detect::MatchedField;
use crate::number::Number;

/// Where [`AuditFacts`] come from, beside the rule's own fields.
const FIELDS: [&str; 17] = [
    "auth.display_name",
    "auth.entity_id",
    "derived.login_user",
    "auth.policies",
    "auth.accessor",
    "request.client_token_accessor",
    "request.remote_address",
    "request.remote_port",
    "request.headers.user-agent",
    "request.id",
    "type",
    "request.operation",
    "request.path",
    "derived.namespace",
    "request.mount_point",
    "request.mount_type",
    "error",
];

static TABLE: LazyLock<FieldTable> = LazyLock::new(|| {
    let mut builder = FieldTableBuilder::default();
    for field in FIELDS {
        builder.slot(field);
    }
    builder.build()
});

/// Reads an event a second time, for its facts: matches are rare, and the rules' own pass stays small.
///
/// `matched` are the fields that made a rule match; their values are redacted by what may be shown of each.
#[must_use]
pub fn gather(event: &AuditEvent<'_>, matched: &[MatchedField<'_>]) -> AuditFacts {
    let redactor = Redactor::new(event);
    let evidence = matched.iter().map(|field| evidence(field, &redactor)).collect();
    let mut buffers = Buffers::default();
    // It was read before, and reads again.
    let Ok(event) = audit::read(event.text(), &TABLE, &mut buffers) else { return AuditFacts::default() };
    AuditFacts { evidence, ..describe(&event, &redactor) }
}

fn describe(event: &AuditEvent<'_>, redactor: &Redactor) -> AuditFacts {
    let name = |field: &str| event.text_of(field).map(|text| redactor.name(text));
    let (remote_address, remote_port) = remote(event, redactor);
    AuditFacts {
        display_name: name("auth.display_name"),
        entity_id: name("auth.entity_id"),
        login_user: name("derived.login_user"),
        policies: texts(event, "auth.policies", redactor),
        accessor: accessor(event, redactor),
        remote_address,
        remote_port,
        user_agent: event.text_of("request.headers.user-agent").map(|text| redactor.prose(text)),
        request_id: name("request.id"),
        entry_type: name("type"),
        operation: name("request.operation"),
        path: name("request.path"),
        namespace: name("derived.namespace").unwrap_or_default(),
        mount_point: name("request.mount_point"),
        mount_type: name("request.mount_type"),
        error: event.text_of("error").map(|text| redactor.prose(text)),
        evidence: Vec::new(),
    }
}

fn texts(event: &AuditEvent<'_>, field: &str, redactor: &Redactor) -> Vec<Redacted> {
    let texts = event.field(field).filter_map(|value| match value {
        Value::Text(text) => Some(redactor.name(text)),
        _ => None,
    });
    texts.collect()
}

fn accessor(event: &AuditEvent<'_>, redactor: &Redactor) -> Option<Redacted> {
    let accessor = event.text_of("auth.accessor").or_else(|| event.text_of("request.client_token_accessor"))?;
    Some(redactor.hmac(accessor))
}

/// The address and the port, whether the entry has them in two fields or in one.
fn remote(event: &AuditEvent<'_>, redactor: &Redactor) -> (Option<Redacted>, Option<u16>) {
    let port = event.field("request.remote_port").find_map(|value| match value {
        Value::Number(Number::Integer(port)) => u16::try_from(port).ok(),
        _ => None,
    });
    let Some(text) = event.text_of("request.remote_address") else { return (None, port) };
    match address::parse(text) {
        Some((address, own_port)) => (Some(redactor.name(&address.to_string())), own_port.or(port)),
        None => (Some(redactor.name(text)), port),
    }
}

fn evidence(matched: &MatchedField<'_>, redactor: &Redactor) -> Evidence {
    match matched.field {
        Some(field) => Evidence {
            field: field.to_owned(),
            values: matched.values.iter().map(|value| redactor.value(field, *value)).collect(),
        },
        // A keyword may have been found anywhere, in a secret as well.
        None => Evidence { field: "keywords".to_owned(), values: Vec::new() },
    }
}
