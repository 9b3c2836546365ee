//! Which fields of an audit event may be shown.

use super::reference::{self, Writing};

/// Whether a field's values may leave the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Visibility {
    /// Names, paths, operations, addresses: Vault writes them in clear on every device.
    Clear,
    /// Vault writes an HMAC, or a device with `log_raw` the secret itself: only an HMAC is shown.
    HmacOnly,
}

/// Whether a field's values may be shown. What nobody knows is treated as a secret.
#[must_use]
pub fn visibility(field: &str) -> Visibility {
    match reference::field(field).map(|field| field.writing) {
        Some(Writing::Clear) if !is_free_text(field) => Visibility::Clear,
        _ => Visibility::HmacOnly,
    }
}

/// In clear, but what a plugin or a client wrote as it liked: anything may be in there.
fn is_free_text(field: &str) -> bool {
    let auth = field.strip_prefix("response.").unwrap_or(field);
    field == "response.warnings" || auth.starts_with("auth.authorization_details")
}
