//! What Vault itself writes, in the order of an entry.

use super::Kind::{Any, Boolean, Number, Object, Text, Texts, Time};
use super::Writing::{Clear, Either, Hmac};
use super::{Field, Kind, Writing};

/// A row of the reference.
struct Row {
    path: &'static str,
    kind: Kind,
    writing: Writing,
    since: Option<&'static str>,
    values: &'static [&'static str],
    about: &'static str,
}

const fn row(path: &'static str, kind: Kind, writing: Writing, about: &'static str) -> Row {
    Row { path, kind, writing, since: None, values: &[], about }
}

impl Row {
    const fn since(self, release: &'static str) -> Self {
        Self { since: Some(release), ..self }
    }

    const fn one_of(self, values: &'static [&'static str]) -> Self {
        Self { values, ..self }
    }

    /// The field, under `parent`, which is empty or ends in a dot.
    fn under(&self, parent: &str) -> Field {
        Field {
            path: format!("{parent}{}", self.path).into(),
            kind: self.kind,
            writing: self.writing,
            since: self.since,
            values: self.values,
            about: self.about,
        }
    }
}

/// Every field. A new token is described like the one that asked, a response's mount like the request's.
pub(super) fn fields() -> impl Iterator<Item = Field> {
    let whole = ENTRY.iter().map(|row| row.under(""));
    let caller = AUTH.iter().map(|row| row.under("auth."));
    let request = REQUEST.iter().chain(MOUNT).map(|row| row.under("request."));
    let response = RESPONSE.iter().chain(MOUNT).map(|row| row.under("response."));
    let issued = AUTH.iter().map(|row| row.under("response.auth."));
    whole.chain(caller).chain(request).chain(response).chain(issued)
}

/// Whether the path leads through a list of objects.
pub(super) fn is_in_a_list(path: &str) -> bool {
    path.contains(".granting_policies.")
}

const ENTRY: &[Row] = &[
    row("time", Time, Clear, "when the entry was formatted, in UTC"),
    row("type", Text, Clear, "the request, or the response to it; a call has one of each, with a few exceptions")
        .one_of(&["request", "response", "kmip-request", "kmip-response"]),
    row("error", Text, Clear, "why Vault refused; with line breaks, never to be compared as a whole"),
    row("forwarded", Boolean, Clear, "true on responses to requests that were forwarded"),
    row("forwarded_from", Text, Clear, "the standby that forwarded the request, host:port; Enterprise"),
    row("auth", Object, Clear, "who asked"),
    row("request", Object, Clear, "what was asked"),
    row("response", Object, Clear, "what was answered"),
];

const AUTH: &[Row] = &[
    row("client_token", Text, Hmac, "the token"),
    row("accessor", Text, Hmac, "the token's accessor; batch tokens have none"),
    row("display_name", Text, Clear, "`root`, `token`, `token-NAME` or `MOUNT-USER`"),
    row("policies", Texts, Clear, "every policy that applies, by name"),
    row("token_policies", Texts, Clear, "policies of the token itself"),
    row("identity_policies", Texts, Clear, "policies that come from the entity and its groups"),
    row("external_namespace_policies", Object, Clear, "policies in other namespaces, by namespace id; Enterprise"),
    row("external_namespace_policies.*", Texts, Clear, "their names"),
    row("no_default_policy", Boolean, Clear, "true if the token goes without `default`"),
    row("metadata", Object, Clear, "what the auth method tells about who logged in"),
    row("metadata.*", Any, Clear, "such as username, role_name, common_name or email"),
    row("authorization_details", Any, Clear, "what an OAuth token was issued for").since("2.0"),
    row("authorization_details.*", Any, Clear, "its parts").since("2.0"),
    row("policy_results", Object, Clear, "what the policies say; absent if the token was refused before"),
    row("policy_results.allowed", Boolean, Clear, "whether they allow it; true for paths that need no token"),
    row("policy_results.granting_policies", Object, Clear, "which of them do; a list"),
    row("policy_results.granting_policies.name", Text, Clear, "the policy's name"),
    row("policy_results.granting_policies.namespace_id", Text, Clear, "its namespace, by id"),
    row("policy_results.granting_policies.namespace_path", Text, Clear, "its namespace, by path"),
    row("policy_results.granting_policies.type", Text, Clear, "`acl`, `rgp`, `egp`, or empty"),
    row("entity_id", Text, Clear, "the identity entity; the best name for somebody"),
    row("entity_created", Boolean, Clear, "true on the first login of this alias ever"),
    row("num_uses", Number, Clear, "how often a new token may be used; absent if without limit"),
    row("remaining_uses", Number, Clear, "how often it still could be used before this request"),
    row("token_type", Text, Clear, "the kind of token").one_of(&[
        "service",
        "batch",
        "default",
        "default-service",
        "default-batch",
    ]),
    row("token_ttl", Number, Clear, "seconds it was issued for; absent for a token that never expires"),
    row("token_issue_time", Time, Clear, "when it was issued, maybe with a local offset"),
];

const REQUEST: &[Row] = &[
    row("id", Text, Clear, "pairs a request with its response; absent on `help` and KMIP"),
    row("client_id", Text, Clear, "what counts as one client for billing: the entity, or a hash").since("1.9"),
    row("operation", Text, Clear, "what is done; a write is `create` or `update`, so name both").one_of(&[
        "read", "list", "create", "update", "patch", "delete", "help", "header", "scan", "renew", "revoke", "rollback",
        "recover",
    ]),
    row("path", Text, Clear, "without the namespace, without a leading slash; lists end with one"),
    row("request_uri", Text, Clear, "the URI as sent, where it differs from the path").since("2.0"),
    row("namespace", Object, Clear, "where"),
    row("namespace.id", Text, Clear, "the namespace's id; `root` for the root one"),
    row("namespace.path", Text, Clear, "with a final slash; absent for the root one"),
    row("client_token", Text, Hmac, "the token presented; without an accessor beside it, it was not valid"),
    row("client_token_accessor", Text, Hmac, "the accessor of the token presented"),
    row("remote_address", Text, Clear, "the caller's address, as the proxy tells it where one is trusted"),
    row("remote_port", Number, Clear, "the caller's port"),
    row("headers", Object, Either, "the headers that are audited, by lower-case name"),
    row("headers.user-agent", Texts, Clear, "the client's name of itself").since("1.17"),
    row("headers.correlation-id", Texts, Clear, "the client's id for the request").since("1.17"),
    row("headers.x-correlation-id", Texts, Clear, "the client's id for the request").since("1.17"),
    row("headers.*", Texts, Either, "clear or HMAC, as the header is configured"),
    row("data", Object, Hmac, "what was sent"),
    row("data.*", Any, Hmac, "strings are HMACs; numbers, booleans, null and the keys are clear"),
    row("policy_override", Boolean, Clear, "whether soft-mandatory Sentinel policies were overridden"),
    row("wrap_ttl", Number, Clear, "seconds for which the response is to be wrapped"),
    row("replication_cluster", Text, Clear, "the cluster that the request came from; Enterprise"),
    row("client_certificate_serial_number", Text, Clear, "of the verified client certificate"),
    row("supplemental_audit_data", Object, Hmac, "what a plugin adds"),
    row("supplemental_audit_data.*", Any, Hmac, "what a plugin adds"),
];

/// Of the request and, where it is known, again of the response.
const MOUNT: &[Row] = &[
    row("mount_point", Text, Clear, "the mount's path, with its namespace"),
    row("mount_type", Text, Clear, "the engine or method; in a namespace `ns_system`, `ns_token`, ... instead"),
    row("mount_accessor", Text, Clear, "the mount's accessor"),
    row("mount_class", Text, Clear, "auth method or secrets engine").since("1.16").one_of(&["auth", "secret"]),
    row("mount_running_version", Text, Clear, "of the plugin, on requests"),
    row("mount_running_plugin_version", Text, Clear, "of the plugin, on responses"),
    row("mount_running_sha256", Text, Clear, "of the plugin's binary"),
    row("mount_is_external_plugin", Boolean, Clear, "whether the plugin is not built in"),
];

const RESPONSE: &[Row] = &[
    row("auth", Object, Clear, "a token was issued or renewed: whose, and with which policies"),
    row("data", Object, Hmac, "what was answered"),
    row("data.*", Any, Hmac, "strings are HMACs; numbers, booleans, null and the keys are clear"),
    row("secret", Object, Clear, "a lease was issued; may be empty"),
    row("secret.lease_id", Text, Clear, "the lease"),
    row("wrap_info", Object, Clear, "the response was wrapped"),
    row("wrap_info.ttl", Number, Clear, "seconds that the wrapping token lives"),
    row("wrap_info.token", Text, Hmac, "the wrapping token; equal to `request.data.token` of its unwrap"),
    row("wrap_info.accessor", Text, Hmac, "its accessor"),
    row("wrap_info.creation_time", Time, Clear, "when it was wrapped"),
    row("wrap_info.creation_path", Text, Clear, "the path whose response is in it"),
    row("wrap_info.wrapped_accessor", Text, Hmac, "the accessor of a token that is in it"),
    row("redirect", Text, Clear, "where the client is sent instead"),
    row("warnings", Texts, Clear, "what Vault warns the client of"),
    row("headers", Object, Either, "headers of the response"),
    row("headers.*", Texts, Either, "by canonical name"),
];
