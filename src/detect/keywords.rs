//! Keywords: strings and numbers at any depth of the event, values only.
//!
//! Compiled apart from the fields, so that they cost nothing where no rule has any.

use std::borrow::Cow;

use super::bits::Bits;
use super::matcher::{MemberBuffers, TextMatcher};
use super::predicate::{Predicate, PredicateId};
use crate::audit::{AuditEvent, Value};
use crate::number::Number;

/// The keywords of all rules.
#[derive(Debug)]
pub(super) struct KeywordMatcher(TextMatcher);

impl KeywordMatcher {
    /// `None` if no rule has keywords.
    pub(super) fn new(predicates: &[Predicate], ids: &[PredicateId]) -> Option<Self> {
        (!ids.is_empty()).then(|| Self(TextMatcher::new(predicates, ids)))
    }

    /// Sets the bits of the keywords that are in the event.
    pub(super) fn find(
        &self,
        event: &AuditEvent<'_>,
        predicates: &[Predicate],
        buffers: &mut MemberBuffers,
        bits: &mut Bits,
    ) {
        for scalar in scalars(event.text()) {
            let member = buffers.member(Value::Text(&scalar), self.0.folds);
            self.0.find(&member, event, predicates, bits);
        }
    }
}

/// The strings (unescaped) and numbers of a JSON text, keys left out.
///
/// INVARIANT: the text was read before, so that it is valid JSON and only tokens need telling apart. A visitor would
/// stop at its depth limit; this one has none.
fn scalars(json: &str) -> impl Iterator<Item = Cow<'_, str>> {
    let mut rest = json;
    std::iter::from_fn(move || {
        loop {
            let start = rest.find(|c: char| c == '"' || c == '-' || c.is_ascii_digit())?;
            let token = rest.get(start..)?;
            if token.starts_with('"') {
                let end = string_end(token)?;
                let (string, after) = token.split_at_checked(end)?;
                rest = after;
                if !after.trim_start().starts_with(':') {
                    return Some(unescape(string));
                }
            } else {
                let end = token.find(|c: char| !matches!(c, '0'..='9' | '+' | '-' | '.' | 'e' | 'E'));
                let (number, after) = token.split_at_checked(end.unwrap_or(token.len()))?;
                rest = after;
                return Some(canonical(number));
            }
        }
    })
}

/// The end of the string at the start of the text, behind its closing quote.
fn string_end(token: &str) -> Option<usize> {
    let mut from = 1;
    loop {
        let at = from + token.get(from..)?.find(['"', '\\'])?;
        if token.as_bytes().get(at) == Some(&b'"') {
            return Some(at + 1);
        }
        from = at + 2;
    }
}

/// A lone surrogate has no text: such a string is taken as it is written.
fn unescape(quoted: &str) -> Cow<'_, str> {
    let inner = quoted.get(1..quoted.len().saturating_sub(1)).unwrap_or_default();
    if !inner.contains('\\') {
        return Cow::Borrowed(inner);
    }
    serde_json::from_str::<String>(quoted).map_or(Cow::Borrowed(inner), Cow::Owned)
}

/// A number as the fields have it: `1.50` is 1.5.
fn canonical(number: &str) -> Cow<'_, str> {
    match Number::parse(number) {
        Some(Number::Decimal(decimal)) => Cow::Owned(Number::Decimal(decimal).to_string()),
        _ => Cow::Borrowed(number),
    }
}
