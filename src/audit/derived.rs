//! Derived fields: what Vault logs in several shapes, told once.
//!
//! Vault writes a failed login in three shapes, a denial in two and mount types under two names. Rules use these
//! fields like any other; a rule without them is plain Sigma.

use super::fields::{FieldTable, Slot};
use super::values::Values;
use super::{Value, login};

/// A field under `derived.`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DerivedField {
    /// `derived.login`
    Login,
    /// `derived.login_user`
    LoginUser,
    /// `derived.denied`
    Denied,
    /// `derived.outcome`
    Outcome,
    /// `derived.principal`
    Principal,
    /// `derived.actor`
    Actor,
    /// `derived.namespace`
    Namespace,
    /// `derived.mount_type`
    MountType,
    /// `derived.path`
    Path,
    /// `derived.operation_kind`
    OperationKind,
}

impl DerivedField {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Login,
        Self::LoginUser,
        Self::Denied,
        Self::Outcome,
        Self::Principal,
        Self::Actor,
        Self::Namespace,
        Self::MountType,
        Self::Path,
        Self::OperationKind,
    ];

    /// The field's name in rules.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Login => "derived.login",
            Self::LoginUser => "derived.login_user",
            Self::Denied => "derived.denied",
            Self::Outcome => "derived.outcome",
            Self::Principal => "derived.principal",
            Self::Actor => "derived.actor",
            Self::Namespace => "derived.namespace",
            Self::MountType => "derived.mount_type",
            Self::Path => "derived.path",
            Self::OperationKind => "derived.operation_kind",
        }
    }

    /// What it says, for the field reference.
    #[must_use]
    pub const fn description(self) -> &'static str {
        match self {
            Self::Login => "how a login ended: success, failed, mfa_pending; only on entries that can tell",
            Self::LoginUser => "whom a login is about, from its path or metadata, before anybody is authenticated",
            Self::Denied => {
                "why permission was denied: authorization (policies), authentication (no valid token), \
                 token_rejected (a live token, refused before its policies were looked at)"
            }
            Self::Outcome => "success or failed; a failed write may carry its error only in response.data.error",
            Self::Principal => "who: the entity, else the token's accessor, else the display name; then @namespace",
            Self::Actor => {
                "who, in whatever namespace: the entity, else the token's accessor, else the display name with @namespace"
            }
            Self::Namespace => "the namespace's path; `root` for the root one, never absent",
            Self::MountType => "the mount's type without the ns_ that namespaces add",
            Self::Path => "request.path without a leading slash or repeated slashes",
            Self::OperationKind => "read, write, list or delete",
        }
    }

    /// The derived field of that name.
    #[must_use]
    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|field| field.name() == name)
    }

    /// What it derives from.
    pub(super) const fn facts(self) -> &'static [Fact] {
        use Fact::{
            Accessor, Allowed, DataError, DisplayName, EntityId, Error, LoginToken, MetadataUser, MountClass,
            MountPoint, MountType, NamespaceId, NamespacePath, NewMetadataUser, Operation, Path, PolicyResults,
            Response, ResponseAuth, ResponseMountType, TokenAccessor, Type, WrapInfo,
        };
        match self {
            Self::Login => &[
                Type,
                Response,
                Path,
                Operation,
                MountClass,
                MountPoint,
                NamespacePath,
                Error,
                DataError,
                ResponseAuth,
                LoginToken,
                WrapInfo,
            ],
            Self::LoginUser => {
                &[Path, Operation, MountClass, MountPoint, MountType, NamespacePath, NewMetadataUser, MetadataUser]
            }
            Self::Denied => &[Error, Path, PolicyResults, Allowed, TokenAccessor, EntityId, Accessor],
            Self::Outcome => &[Type, Response, Error, DataError],
            Self::Principal | Self::Actor => {
                &[EntityId, Accessor, TokenAccessor, DisplayName, NamespacePath, NamespaceId]
            }
            Self::Namespace => &[NamespacePath, NamespaceId],
            Self::MountType => &[MountType, ResponseMountType],
            Self::Path => &[Path],
            Self::OperationKind => &[Operation],
        }
    }
}

/// A field of the event that something derives from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fact {
    Accessor,
    Allowed,
    DataError,
    DisplayName,
    EntityId,
    Error,
    LoginToken,
    MetadataUser,
    MountClass,
    MountPoint,
    MountType,
    NamespaceId,
    NamespacePath,
    NewMetadataUser,
    Operation,
    Path,
    PolicyResults,
    Response,
    ResponseAuth,
    ResponseMountType,
    TokenAccessor,
    Type,
    WrapInfo,
}

impl Fact {
    pub(super) const fn field(self) -> &'static str {
        match self {
            Self::Accessor => "auth.accessor",
            Self::Allowed => "auth.policy_results.allowed",
            Self::DataError => "response.data.error",
            Self::DisplayName => "auth.display_name",
            Self::EntityId => "auth.entity_id",
            Self::Error => "error",
            Self::LoginToken => "response.auth.client_token",
            Self::MetadataUser => "auth.metadata.username",
            Self::MountClass => "request.mount_class",
            Self::MountPoint => "request.mount_point",
            Self::MountType => "request.mount_type",
            Self::NamespaceId => "request.namespace.id",
            Self::NamespacePath => "request.namespace.path",
            Self::NewMetadataUser => "response.auth.metadata.username",
            Self::Operation => "request.operation",
            Self::Path => "request.path",
            Self::PolicyResults => "auth.policy_results",
            Self::Response => "response",
            Self::ResponseAuth => "response.auth",
            Self::ResponseMountType => "response.mount_type",
            Self::TokenAccessor => "request.client_token_accessor",
            Self::Type => "type",
            Self::WrapInfo => "response.wrap_info",
        }
    }
}

/// A derived field that somebody asked for, with the slots that it reads and the one that it fills.
#[derive(Debug)]
pub(super) struct Derivation {
    pub(super) field: DerivedField,
    pub(super) slot: Slot,
    pub(super) facts: Vec<(Fact, Slot)>,
}

/// Fills the derived fields that the table asks for.
pub(super) fn derive(text: &str, fields: &FieldTable, values: &mut Values) {
    for derivation in fields.derivations() {
        values.derive(derivation.slot, |values, out| {
            let facts = Facts { text, values, slots: &derivation.facts };
            write(derivation.field, &facts, out)
        });
    }
}

/// Appends the value of one derived field; `None` if the event has none.
fn write(field: DerivedField, facts: &Facts<'_>, out: &mut String) -> Option<()> {
    match field {
        DerivedField::Login => out.push_str(login::outcome(facts)?),
        DerivedField::LoginUser => out.push_str(login::user(facts)?),
        DerivedField::Denied => out.push_str(denied(facts)?),
        DerivedField::Outcome => out.push_str(outcome(facts)?),
        DerivedField::Principal => {
            let name = identity(facts).or_else(|| facts.text(Fact::DisplayName))?;
            write_within(name, namespace(facts), out);
        }
        // A display name is one in its namespace only, and an identity is one everywhere.
        DerivedField::Actor => match identity(facts) {
            Some(identity) => out.push_str(identity),
            None => write_within(facts.text(Fact::DisplayName)?, namespace(facts), out),
        },
        DerivedField::Namespace => out.push_str(namespace(facts)),
        DerivedField::MountType => out.push_str(mount_type(facts)?),
        DerivedField::Path => normalise_path(facts.text(Fact::Path)?, out),
        DerivedField::OperationKind => out.push_str(operation_kind(facts.text(Fact::Operation)?)?),
    }
    Some(())
}

/// The event, as far as derivations look at it. Absent, null and empty are alike.
pub(super) struct Facts<'v> {
    text: &'v str,
    values: &'v Values,
    slots: &'v [(Fact, Slot)],
}

impl<'v> Facts<'v> {
    fn first(&self, fact: Fact) -> Option<Value<'v>> {
        let (_, slot) = self.slots.iter().find(|(known, _)| *known == fact)?;
        self.values.iter(*slot, self.text).next()
    }

    /// A string that is there and not empty.
    pub(super) fn text(&self, fact: Fact) -> Option<&'v str> {
        match self.first(fact)? {
            Value::Text(text) if !text.is_empty() => Some(text),
            _ => None,
        }
    }

    /// Anything but absent, null and the empty string.
    pub(super) fn has(&self, fact: Fact) -> bool {
        !matches!(self.first(fact), None | Some(Value::Null | Value::Text("")))
    }

    /// Whether the entry tells how the request ended.
    pub(super) fn is_response(&self) -> bool {
        match self.text(Fact::Type) {
            Some(entry) => entry == "response" || entry.ends_with("-response"),
            None => self.has(Fact::Response),
        }
    }
}

fn outcome(facts: &Facts<'_>) -> Option<&'static str> {
    if facts.has(Fact::Error) || facts.has(Fact::DataError) {
        return Some("failed");
    }
    // A request entry without an error is no proof of success.
    facts.is_response().then_some("success")
}

/// A policy denial names the caller and `allowed: false`; anything refused earlier has no policy
/// results, and then only the accessor tells a live token from a bad one.
fn denied(facts: &Facts<'_>) -> Option<&'static str> {
    if !facts.text(Fact::Error)?.contains("permission denied") {
        return None;
    }
    let has_caller = facts.has(Fact::EntityId) || facts.has(Fact::Accessor);
    let reason = match facts.first(Fact::Allowed) {
        Some(Value::Bool(false)) => "authorization",
        // Policies allowed it and the backend refused: with a caller it is about rights, without one about a login.
        Some(_) if has_caller => "authorization",
        None if !facts.has(Fact::PolicyResults) && facts.has(Fact::TokenAccessor) && !is_wrapping(facts) => {
            "token_rejected"
        }
        _ => "authentication",
    };
    Some(reason)
}

fn is_wrapping(facts: &Facts<'_>) -> bool {
    facts.text(Fact::Path).is_some_and(|path| path.trim_start_matches('/').starts_with("sys/wrapping/"))
}

/// Who acts, by what is unique.
fn identity<'v>(facts: &Facts<'v>) -> Option<&'v str> {
    [Fact::EntityId, Fact::Accessor, Fact::TokenAccessor].into_iter().find_map(|fact| facts.text(fact))
}

fn write_within(name: &str, namespace: &str, out: &mut String) {
    out.push_str(name);
    out.push('@');
    out.push_str(namespace);
}

fn namespace<'v>(facts: &Facts<'v>) -> &'v str {
    facts.text(Fact::NamespacePath).or_else(|| facts.text(Fact::NamespaceId)).unwrap_or("root")
}

fn mount_type<'v>(facts: &Facts<'v>) -> Option<&'v str> {
    let mount = facts.text(Fact::MountType).or_else(|| facts.text(Fact::ResponseMountType))?;
    Some(mount.strip_prefix("ns_").unwrap_or(mount))
}

fn normalise_path(path: &str, out: &mut String) {
    let mut after_slash = true;
    for character in path.chars() {
        let slash = character == '/';
        if !(slash && after_slash) {
            out.push(character);
        }
        after_slash = slash;
    }
}

/// `renew`, `revoke` and `rollback` are what Vault's own expiration manager asks of backends.
fn operation_kind(operation: &str) -> Option<&'static str> {
    match operation {
        "read" | "header" | "help" => Some("read"),
        "list" | "scan" => Some("list"),
        "create" | "update" | "patch" | "renew" | "rollback" | "recover" => Some("write"),
        "delete" | "revoke" => Some("delete"),
        _ => None,
    }
}
