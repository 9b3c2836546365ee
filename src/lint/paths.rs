//! Paths as no audit entry has them.

use super::theory::exact;
use crate::diagnostic::{Code, Diagnostic, Span};
use crate::rule::{Item, Part, Pattern, Test};

/// Fields that hold a path within a namespace.
const PATHS: [&str; 3] = ["request.path", "derived.path", "response.wrap_info.creation_path"];

/// The namespace in which every customer of HCP Vault Dedicated is.
const HCP_NAMESPACE: &str = "admin/";

/// What stands at the root of every namespace, so that what stands before it is a namespace.
const ROOTS: [&str; 4] = ["sys/", "auth/", "identity/", "cubbyhole/"];

/// Mounts that people often have, below which such a name may stand as well.
const MOUNTS: [&str; 5] = ["secret/", "kv/", "transit/", "pki/", "ssh/"];

/// Checks the paths of an item.
pub(super) fn check(item: &Item, found: &mut Vec<Diagnostic>) {
    if !PATHS.contains(&item.field.as_str()) {
        return;
    }
    for (test, span) in item.tests.iter().zip(&item.spans) {
        if let Test::Pattern(pattern) = test {
            found.extend(objection(pattern, span));
        }
    }
}

fn objection(pattern: &Pattern, span: &Span) -> Option<Diagnostic> {
    let start = start(pattern)?;
    let (message, help) = if let Some(rest) = start.strip_prefix('/') {
        ("a path in the audit log has no leading slash".to_owned(), format!("write `{rest}`"))
    } else if let Some(rest) = start.strip_prefix("v1/") {
        ("a path in the audit log has no `v1/`, which only the URL has".to_owned(), format!("write `{rest}`"))
    } else if let Some((namespace, rest)) = behind_namespace(start) {
        let message = format!("a path in the audit log does not contain the namespace `{namespace}`");
        (message, format!("write `{rest}`, and match the namespace with `derived.namespace: {namespace}`"))
    } else {
        return None;
    };
    let mut diagnostic = Diagnostic::warning(Code::PathForm, span, message);
    // Of a pattern with wildcards, only its start is known.
    diagnostic = if exact(pattern).is_some() { diagnostic.help(help) } else { diagnostic.help(format!("{help} ...")) };
    Some(diagnostic)
}

/// What every path that the pattern matches starts with.
pub(super) fn start(pattern: &Pattern) -> Option<&str> {
    match pattern.parts.first() {
        Some(Part::Literal(text)) => Some(text),
        _ => None,
    }
}

/// The namespace that a path starts with, and what follows.
fn behind_namespace(path: &str) -> Option<(&str, &str)> {
    if path.starts_with(HCP_NAMESPACE) {
        return path.split_at_checked(HCP_NAMESPACE.len());
    }
    let (first, _) = path.split_once('/')?;
    let (namespace, rest) = path.split_at_checked(first.len() + 1)?;
    let known = ROOTS.iter().chain(&MOUNTS).any(|root| *root == namespace);
    (!known && ROOTS.iter().any(|root| rest.starts_with(root))).then_some((namespace, rest))
}
