//! The field reference: what Vault writes into an audit entry, and how.
//!
//! Everything that knows fields by name reads it from here: `vaultwatch fields`, the checks of `vaultwatch check`, the
//! JSON Schema of rule files, and what of an event may be shown ([`visibility`](super::visibility)).
//!
//! Every field is optional: Vault leaves out what is empty, old releases write null, `""` and 0 instead, and
//! Enterprise can filter any field away.

use std::borrow::Cow;
use std::sync::LazyLock;

use super::derived::DerivedField;

mod entry;

/// A field of audit entries, or a family of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// Dotted path; a final `*` stands for keys that are anybody's choice, at any depth.
    pub path: Cow<'static, str>,
    /// What its values are.
    pub kind: Kind,
    /// How they are written.
    pub writing: Writing,
    /// The Vault release that wrote it first, where that is known to be a recent one.
    pub since: Option<&'static str>,
    /// All the values there are, if they are few; empty if not.
    pub values: &'static [&'static str],
    /// What it says.
    pub about: &'static str,
}

/// What the values of a field are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A string.
    Text,
    /// A list of strings; a rule matches when one of them does.
    Texts,
    /// A number.
    Number,
    /// `true` or `false`.
    Boolean,
    /// A string with a time in it, RFC 3339.
    Time,
    /// Fields below it; on its own it is there or is not.
    Object,
    /// Whatever the one who wrote it chose.
    Any,
}

impl Kind {
    /// As people read it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Texts => "texts",
            Self::Number => "number",
            Self::Boolean => "boolean",
            Self::Time => "time",
            Self::Object => "object",
            Self::Any => "any",
        }
    }
}

/// How an audit device writes a field, as Vault sets it up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Writing {
    /// As it is.
    Clear,
    /// Strings as `hmac-sha256:` and 64 hexadecimal digits; numbers, booleans, null and keys as they are.
    Hmac,
    /// As it is, or as an HMAC: the configuration of audited headers decides.
    Either,
}

impl Writing {
    /// As people read it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Clear => "clear",
            Self::Hmac => "HMAC",
            Self::Either => "either",
        }
    }
}

static FIELDS: LazyLock<Vec<Field>> = LazyLock::new(|| entry::fields().chain(derived()).collect());

/// Every field that rules can use, derived ones last.
#[must_use]
pub fn fields() -> &'static [Field] {
    &FIELDS
}

/// The field of that name, or the family it belongs to; none if no entry has it.
#[must_use]
pub fn field(name: &str) -> Option<&'static Field> {
    let exact = FIELDS.iter().find(|field| field.path == name);
    exact.or_else(|| FIELDS.iter().find(|field| field.has_member(name)))
}

impl Field {
    /// Whether it is a family, and `name` one of it.
    fn has_member(&self, name: &str) -> bool {
        let parent = self.path.strip_suffix('*');
        parent.and_then(|parent| name.strip_prefix(parent)).is_some_and(|key| !key.is_empty())
    }

    /// Whether an entry has one value of it at most.
    #[must_use]
    pub fn is_single(&self) -> bool {
        !self.path.ends_with('*') && !matches!(self.kind, Kind::Texts | Kind::Any) && !entry::is_in_a_list(&self.path)
    }
}

fn derived() -> impl Iterator<Item = Field> {
    DerivedField::ALL.into_iter().map(|field| Field {
        path: field.name().into(),
        kind: Kind::Text,
        writing: Writing::Clear,
        since: None,
        values: match field {
            DerivedField::Login => &["success", "failed", "mfa_pending"],
            DerivedField::Denied => &["authorization", "authentication", "token_rejected"],
            DerivedField::Outcome => &["success", "failed"],
            DerivedField::OperationKind => &["read", "write", "list", "delete"],
            DerivedField::LoginUser
            | DerivedField::Principal
            | DerivedField::Actor
            | DerivedField::Namespace
            | DerivedField::MountType
            | DerivedField::Path => &[],
        },
        about: field.description(),
    })
}
