//! Logins: which requests are one, how they ended, and whom they are about.

use super::derived::{Fact, Facts};

/// How a login ended. Only a response can tell.
///
/// A wrong password, an unknown user and a locked one are logged in three different ways, the second without any
/// `error`; what they share is an error somewhere and no token.
pub(super) fn outcome(facts: &Facts<'_>) -> Option<&'static str> {
    if !facts.is_response() || !(login_target(facts).is_some() || is_second_factor(facts)) {
        return None;
    }
    if facts.has(Fact::LoginToken) || facts.has(Fact::WrapInfo) {
        return Some("success");
    }
    if facts.has(Fact::Error) || facts.has(Fact::DataError) {
        return Some("failed");
    }
    facts.has(Fact::ResponseAuth).then_some("mfa_pending")
}

/// The user that a login names: in its path (`auth/userpass/login/alice`), else in the metadata of its token.
pub(super) fn user<'v>(facts: &Facts<'v>) -> Option<&'v str> {
    let target = login_target(facts)?;
    let in_path = target.strip_prefix("login/").map(|user| user.trim_end_matches('/')).filter(|user| !user.is_empty());
    // Only there the path names a role.
    let in_path = in_path.filter(|_| facts.text(Fact::MountType) != Some("oci"));
    in_path.or_else(|| facts.text(Fact::NewMetadataUser)).or_else(|| facts.text(Fact::MetadataUser))
}

/// The second leg of a login with multi-factor authentication.
fn is_second_factor(facts: &Facts<'_>) -> bool {
    facts.text(Fact::Path).is_some_and(|path| path.trim_start_matches('/') == "sys/mfa/validate")
}

/// The path within the auth mount, if the request is a login: `login`, `login/alice`, `oidc/callback`.
fn login_target<'v>(facts: &Facts<'v>) -> Option<&'v str> {
    if !matches!(facts.text(Fact::Operation)?, "create" | "update" | "read") {
        return None;
    }
    let path = facts.text(Fact::Path)?.trim_start_matches('/');
    let in_auth = path.strip_prefix("auth/");
    if in_auth.is_none() && facts.text(Fact::MountClass) != Some("auth") {
        return None;
    }
    let target = within_mount(facts, path).or_else(|| after_mount_name(in_auth?))?;
    let mut segments = target.split('/');
    let is_login = match segments.next()? {
        "login" | "callback" => true,
        "oidc" | "jwt" | "saml" => matches!(segments.next(), Some("callback" | "login")),
        _ => false,
    };
    is_login.then_some(target)
}

/// What follows the mount, when the entry names it: `admin/auth/userpass/` is `auth/userpass/` within `admin/`.
fn within_mount<'v>(facts: &Facts<'v>, path: &'v str) -> Option<&'v str> {
    let mount = facts.text(Fact::MountPoint)?;
    let namespace = facts.text(Fact::NamespacePath).unwrap_or_default();
    path.strip_prefix(mount.strip_prefix(namespace).unwrap_or(mount))
}

/// What follows the mount's name, when only the path is known. Mount names may have slashes in them, so the login is
/// looked for behind the first segment; `token` has no logins.
fn after_mount_name(in_auth: &str) -> Option<&str> {
    let (mount, rest) = in_auth.split_once('/')?;
    if mount == "token" {
        return None;
    }
    let mut at = rest;
    loop {
        match at.split('/').next()? {
            "login" | "callback" => return Some(at),
            // Below these stand names that people chose, `login` among them.
            "users" | "user" | "role" | "roles" | "config" | "map" | "groups" => return None,
            _ => at = at.split_once('/')?.1,
        }
    }
}
