//! Nothing secret leaves: the one gate between the log and every output.
//!
//! An audit device may write raw values (`log_raw`), and tokens stand in paths (`auth/token/lookup/<token>`), in
//! errors and in headers. A [`Redacted`] text can be made in no other way than through a [`Redactor`], which knows the
//! secrets of the event that the text is from.

use std::borrow::Cow;
use std::fmt;
use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value as Json;

use super::text;
use crate::audit::visibility::{Visibility, visibility};
use crate::audit::{AuditEvent, Value};
use crate::rule::{Template, TemplatePart};

/// What stands in the place of a secret.
const MARK: &str = "[redacted]";

/// A shorter value is no secret worth its replacement, in bytes: it would tear names apart.
const SHORTEST_SECRET: usize = 6;

/// The most that is told of the values of one field in a template, in bytes.
const FILLED_BYTES: usize = 100;

/// Text from the log that may be shown to people and sent to topics.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Redacted(String);

impl Redacted {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Redacted {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Knows the secrets of one event. The default knows none: for text that is from no event.
#[derive(Debug, Default)]
pub struct Redactor(Knowledge);

#[derive(Debug)]
enum Knowledge {
    Secrets(Secrets),
    /// The event could not be searched for secrets, so that none of its text is shown.
    Nothing,
}

/// What an event holds in clear where Vault should have written an HMAC; each list longest first.
#[derive(Debug, Default)]
struct Secrets {
    /// Tokens and accessors.
    credentials: Vec<String>,
    /// Strings of `request.data` and `response.data`.
    data: Vec<String>,
}

impl Default for Knowledge {
    fn default() -> Self {
        Self::Secrets(Secrets::default())
    }
}

impl Redactor {
    /// Collects the secrets of an event.
    #[must_use]
    pub fn new(event: &AuditEvent<'_>) -> Self {
        // The event was read before, so this fails only past a nesting that Vault itself refuses.
        Self(serde_json::from_str(event.text()).map_or(Knowledge::Nothing, |entry| Knowledge::Secrets(secrets(&entry))))
    }

    /// The text of a template, each field's values redacted, bounded and on one line.
    ///
    /// The event must have been read with the template's fields.
    #[must_use]
    pub fn filled(&self, template: &Template, event: &AuditEvent<'_>) -> Redacted {
        let part = |part: &TemplatePart| match part {
            TemplatePart::Text(words) => words.clone(),
            TemplatePart::Field(field) => self.listed(field, event),
        };
        // Words and values side by side could make up a token that neither of them holds.
        self.name(&template.parts.iter().map(part).collect::<String>())
    }

    fn listed(&self, field: &str, event: &AuditEvent<'_>) -> String {
        let values: Vec<String> = event.field(field).map(|value| self.value(field, value).0).collect();
        if values.is_empty() {
            "(none)".to_owned()
        } else {
            text::bounded(&values.join(", "), FILLED_BYTES).into_owned()
        }
    }

    /// A name, a path, an address: without tokens and accessors.
    #[must_use]
    pub fn name(&self, text: &str) -> Redacted {
        match &self.0 {
            Knowledge::Nothing => Redacted(MARK.to_owned()),
            Knowledge::Secrets(secrets) => redact(text.into(), [&secrets.credentials]),
        }
    }

    /// An error or a header, in which data may be quoted: without data values, too.
    #[must_use]
    pub fn prose(&self, text: &str) -> Redacted {
        match &self.0 {
            Knowledge::Nothing => Redacted(MARK.to_owned()),
            Knowledge::Secrets(secrets) => redact(text.into(), [&secrets.data, &secrets.credentials]),
        }
    }

    /// A value of a field that only an HMAC may be shown of.
    #[must_use]
    pub fn hmac(&self, text: &str) -> Redacted {
        Redacted(if HMAC.is_match(text) { text.to_owned() } else { MARK.to_owned() })
    }

    /// A value of any field, by what may be shown of it.
    #[must_use]
    pub fn value(&self, field: &str, value: Value<'_>) -> Redacted {
        match (visibility(field), value) {
            (Visibility::Clear, Value::Text(text)) if is_prose(field) => self.prose(text),
            (Visibility::Clear, Value::Text(text)) => self.name(text),
            (Visibility::Clear, Value::Number(number)) => Redacted(number.to_string()),
            (Visibility::Clear, Value::Bool(boolean)) => Redacted(boolean.to_string()),
            (Visibility::HmacOnly, Value::Text(text)) => self.hmac(text),
            (_, Value::Null) => Redacted("null".to_owned()),
            (_, Value::Structure) => Redacted("present".to_owned()),
            (Visibility::HmacOnly, Value::Number(_) | Value::Bool(_)) => Redacted(MARK.to_owned()),
        }
    }
}

/// Where an entry has tokens and accessors.
const CREDENTIALS: [&str; 9] = [
    "/auth/client_token",
    "/auth/accessor",
    "/request/client_token",
    "/request/client_token_accessor",
    "/response/auth/client_token",
    "/response/auth/accessor",
    "/response/wrap_info/token",
    "/response/wrap_info/accessor",
    "/response/wrap_info/wrapped_accessor",
];

fn secrets(entry: &Json) -> Secrets {
    let mut secrets = Secrets::default();
    for text in CREDENTIALS.iter().filter_map(|place| entry.pointer(place)?.as_str()) {
        keep_secret(&mut secrets.credentials, text);
    }
    for data in ["/request/data", "/response/data"].iter().filter_map(|place| entry.pointer(place)) {
        collect_strings(data, &mut secrets.data);
    }
    for list in [&mut secrets.credentials, &mut secrets.data] {
        list.sort_unstable_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        list.dedup();
    }
    secrets
}

/// Free text, in which anything may be quoted.
fn is_prose(field: &str) -> bool {
    field == "error" || field.starts_with("request.headers.")
}

fn collect_strings(data: &Json, secrets: &mut Vec<String>) {
    match data {
        Json::String(text) => keep_secret(secrets, text),
        Json::Array(members) => members.iter().for_each(|member| collect_strings(member, secrets)),
        Json::Object(members) => members.values().for_each(|member| collect_strings(member, secrets)),
        Json::Null | Json::Bool(_) | Json::Number(_) => {}
    }
}

fn keep_secret(secrets: &mut Vec<String>, text: &str) {
    if text.len() >= SHORTEST_SECRET && !HMAC.is_match(text) {
        secrets.push(text.to_owned());
    }
}

/// Replaces the known secrets, then whatever looks like a token.
fn redact<const N: usize>(text: Cow<'_, str>, known: [&Vec<String>; N]) -> Redacted {
    let text = known.into_iter().flatten().fold(text, |text, secret| {
        if text.contains(secret.as_str()) { Cow::Owned(text.replace(secret.as_str(), MARK)) } else { text }
    });
    Redacted(TOKEN.replace_all(&text, MARK).into_owned())
}

/// What Vault writes in the place of a value.
static HMAC: LazyLock<Regex> = LazyLock::new(|| pattern(r"\Ahmac-sha256:[0-9a-f]{1,128}\z"));

/// Vault's and `OpenBao`'s tokens, old and new (`hvs.`, `hvb.`, `hvr.`, `s.`, `b.`, `r.`), and JSON web tokens.
static TOKEN: LazyLock<Regex> = LazyLock::new(|| {
    pattern(concat!(
        r"\b(?:hv[sbr]|[sbr])\.[A-Za-z0-9_\-]{20,}(?:\.[A-Za-z0-9]+)?",
        r"|\beyJ[A-Za-z0-9_\-]{8,}\.[A-Za-z0-9_\-.]*"
    ))
});

#[expect(clippy::expect_used, reason = "the patterns are constants, and a test compiles each")]
fn pattern(pattern: &str) -> Regex {
    Regex::new(pattern).expect("the pattern is a constant")
}
