//! Log event -> [`AuditEvent`]: one pass over its JSON text, and the facts that many rules need.
//!
//! Any JSON object is an audit event: Vault's filters can drop every field, and types that nobody knows yet must not
//! be lost. Where a shipper nests the entry as a string under `message` or `log`, the inner object is the event.
//!
//! What cannot be read is [`Unreadable`]: data, never a failure of the batch.

use jiff::Timestamp;
use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::number::Number;
use values::Values;

pub use fields::{FieldTable, FieldTableBuilder, Slot};

pub mod address;
pub mod derived;
mod extract;
mod fields;
mod login;
pub mod reference;
mod values;
pub mod visibility;

/// Why a log event is no audit event. Nothing of its content is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// Not JSON, or cut off.
    #[error("not JSON")]
    NotJson,
    /// JSON, but no object.
    #[error("not a JSON object")]
    NotAnObject,
}

/// A scalar of an event, borrowed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Value<'e> {
    /// JSON null.
    Null,
    /// A boolean.
    Bool(bool),
    /// A number. Integers of up to 128 bits are exact.
    Number(Number),
    /// A string, unescaped.
    Text(&'e str),
    /// An object or an empty array: present, but nothing to compare.
    Structure,
}

/// One audit event: the values of the fields that a [`FieldTable`] names.
#[derive(Debug, Clone, Copy)]
pub struct AuditEvent<'e> {
    text: &'e str,
    fields: &'e FieldTable,
    values: &'e Values,
}

/// The memory that reading uses again for every event.
#[derive(Debug, Default)]
pub struct Buffers {
    values: Values,
    nested: String,
}

/// Reads the audit event in the text of one log event: the values of `fields`, and the derived ones among them.
///
/// # Errors
///
/// [`Unreadable`] if the text is not one JSON object.
pub fn read<'e>(text: &'e str, fields: &'e FieldTable, buffers: &'e mut Buffers) -> Result<AuditEvent<'e>, Unreadable> {
    let Buffers { values, nested } = buffers;
    extract::extract(text, fields, values)?;
    let text = match wrapped(text, fields, values) {
        None => text,
        Some(inner) => {
            inner.clone_into(nested);
            extract::extract(nested, fields, values)?;
            nested.as_str()
        }
    };
    derived::derive(text, fields, values);
    Ok(AuditEvent { text, fields, values })
}

/// The text of an entry that a shipper wrapped: a string with an object in it, in an object that is no entry itself.
fn wrapped<'v>(text: &'v str, fields: &FieldTable, values: &'v Values) -> Option<&'v str> {
    let inner = fields.wrappers().into_iter().find_map(|slot| match values.iter(slot, text).next() {
        Some(Value::Text(inner)) if inner.trim_start().starts_with('{') => Some(inner),
        _ => None,
    })?;
    (!looks_like_an_entry(text)).then_some(inner)
}

/// Whether the object has a part that only an audit entry has.
fn looks_like_an_entry(text: &str) -> bool {
    #[derive(Deserialize)]
    struct Parts {
        auth: Option<IgnoredAny>,
        request: Option<IgnoredAny>,
        response: Option<IgnoredAny>,
    }
    serde_json::from_str::<Parts>(text)
        .is_ok_and(|parts| parts.auth.is_some() || parts.request.is_some() || parts.response.is_some())
}

impl<'e> AuditEvent<'e> {
    /// The JSON text of the event.
    #[must_use]
    pub fn text(&self) -> &'e str {
        self.text
    }

    /// The values of a field: none if it is absent, several if the path leads through arrays.
    pub fn values(&self, slot: Slot) -> impl Iterator<Item = Value<'e>> + use<'e> {
        self.values.iter(slot, self.text)
    }

    /// Whether the field's key is present, with whatever value.
    #[must_use]
    pub fn is_present(&self, slot: Slot) -> bool {
        self.values.is_present(slot)
    }

    /// The fields whose keys are present.
    pub fn present(&self) -> impl Iterator<Item = Slot> + use<'e> {
        self.values.present().iter().copied()
    }

    /// The values of a field by its name; none if the table does not name it.
    pub fn field(&self, name: &str) -> impl Iterator<Item = Value<'e>> + use<'e> {
        self.fields.slot(name).into_iter().flat_map({
            let event = *self;
            move |slot| event.values(slot)
        })
    }

    /// The first string of a field. Absent, null and empty are alike: old releases write `"error": ""`.
    #[must_use]
    pub fn text_of(&self, name: &str) -> Option<&'e str> {
        self.field(name).find_map(|value| match value {
            Value::Text(text) if !text.is_empty() => Some(text),
            _ => None,
        })
    }

    /// When it happened by Vault's own clock, if `time` is there and readable.
    #[must_use]
    pub fn time(&self) -> Option<Timestamp> {
        match self.values(self.fields.time()).next()? {
            Value::Text(time) => time.parse().ok(),
            _ => None,
        }
    }
}
