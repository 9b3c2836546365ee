//! Which fields of an audit event may be shown.

/// Whether a field's values may leave the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Visibility {
    /// Names, paths, operations, addresses: Vault writes them in clear on every device.
    Clear,
    /// Vault writes an HMAC, or a device with `log_raw` the secret itself: only an HMAC is shown.
    HmacOnly,
}

/// Fields that are in clear, by their full path.
const CLEAR: [&str; 36] = [
    "time",
    "type",
    "error",
    "forwarded",
    "forwarded_from",
    "auth.display_name",
    "auth.policies",
    "auth.token_policies",
    "auth.identity_policies",
    "auth.no_default_policy",
    "auth.entity_id",
    "auth.entity_created",
    "auth.num_uses",
    "auth.remaining_uses",
    "auth.token_type",
    "auth.token_ttl",
    "auth.token_issue_time",
    "request.id",
    "request.client_id",
    "request.operation",
    "request.path",
    "request.request_uri",
    "request.remote_address",
    "request.remote_port",
    "request.policy_override",
    "request.wrap_ttl",
    "request.replication_cluster",
    "request.client_certificate_serial_number",
    "request.headers.user-agent",
    "request.headers.correlation-id",
    "request.headers.x-correlation-id",
    "response.redirect",
    "response.secret.lease_id",
    "response.wrap_info.ttl",
    "response.wrap_info.creation_time",
    "response.wrap_info.creation_path",
];

/// Fields that are in clear with everything below them.
const CLEAR_BELOW: [&str; 5] =
    ["auth.policy_results.", "auth.external_namespace_policies.", "auth.metadata.", "request.namespace.", "derived."];

/// Starts of names that are in clear: `request.mount_type`, `response.mount_accessor`.
const CLEAR_STARTS: [&str; 2] = ["request.mount_", "response.mount_"];

/// Whether a field's values may be shown. What nobody knows is treated as a secret.
#[must_use]
pub fn visibility(field: &str) -> Visibility {
    // A new token is described like the one that asked.
    let in_auth = field.strip_prefix("response.").filter(|rest| rest.starts_with("auth."));
    let field = in_auth.unwrap_or(field);
    let clear = CLEAR.contains(&field)
        || CLEAR_BELOW.iter().any(|start| field.starts_with(start))
        || CLEAR_STARTS.iter().any(|start| field.starts_with(start));
    if clear { Visibility::Clear } else { Visibility::HmacOnly }
}
