//! Fields that only ever hold a few texts, and what one text tells about another field. Values that accept the same
//! texts mean the same.

use std::collections::BTreeSet;

use crate::rule::{Part, Pattern};

/// Every text that the field can hold; none if it can hold any.
fn of(field: &str) -> Option<&'static [&'static str]> {
    let words: &[&str] = match field {
        // KMIP's entries have types of their own, and nothing else in common with Vault's.
        "type" => &["request", "response"],
        "request.operation" => &[
            "create", "read", "update", "delete", "list", "patch", "help", "header", "scan", "revoke", "renew",
            "rollback", "recover",
        ],
        "request.mount_class" | "response.mount_class" => &["auth", "secret"],
        "derived.login" => &["success", "failed", "mfa_pending"],
        "derived.denied" => &["authorization", "authentication", "token_rejected"],
        "derived.outcome" => &["success", "failed"],
        "derived.operation_kind" => &["read", "write", "list", "delete"],
        _ => return None,
    };
    Some(words)
}

/// Those of the field's texts that the pattern accepts; none if the field can hold any text, or the pattern has
/// wildcards within.
pub(super) fn accepted(field: &str, pattern: &Pattern) -> Option<Vec<&'static str>> {
    let accepts = |word: &str| match pattern.parts.as_slice() {
        [Part::Literal(text)] => Some(word == text),
        [Part::Literal(text), Part::AnyRun] => Some(word.starts_with(text.as_str())),
        [Part::AnyRun, Part::Literal(text)] => Some(word.ends_with(text.as_str())),
        [Part::AnyRun, Part::Literal(text), Part::AnyRun] => Some(word.contains(text.as_str())),
        _ => None,
    };
    let words = of(field)?.iter().copied();
    let accepted: Option<Vec<(&str, bool)>> = words.map(|word| Some((word, accepts(word)?))).collect();
    Some(accepted?.into_iter().filter(|(_, accepted)| *accepted).map(|(word, _)| word).collect())
}

/// Whether these are all texts that the field can hold.
pub(super) fn is_all(field: &str, words: &BTreeSet<&str>) -> bool {
    of(field).is_some_and(|all| all.iter().all(|word| words.contains(word)))
}

/// A test that holds only where another one does: of two fields, what each is.
pub(super) struct Implication {
    pub(super) holds: (&'static str, &'static str),
    pub(super) implied: (&'static str, &'static str),
}

/// How something ended is known from responses only.
pub(super) const IMPLICATIONS: [Implication; 4] = [
    Implication { holds: ("derived.outcome", "success"), implied: ("type", "response") },
    Implication { holds: ("derived.login", "success"), implied: ("type", "response") },
    Implication { holds: ("derived.login", "failed"), implied: ("type", "response") },
    Implication { holds: ("derived.login", "mfa_pending"), implied: ("type", "response") },
];
