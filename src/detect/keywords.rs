//! Keywords: strings and numbers at any depth of the event, values only.
//!
//! Compiled apart from the fields, so that they cost nothing where no rule has any.

use std::borrow::Cow;

use super::bits::Bits;
use super::matcher::{MemberBuffers, TextMatcher};
use super::predicate::{Predicate, PredicateId};
use crate::audit::{AuditEvent, Value};
use crate::json::{self, RawString, Scanner};
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
/// INVARIANT: the text was read before, so that it is valid JSON, and its tokens need no structure.
fn scalars(json: &str) -> impl Iterator<Item = Cow<'_, str>> {
    let mut scanner = Scanner::new(json);
    std::iter::from_fn(move || {
        loop {
            match scanner.peek()? {
                b'"' => {
                    let string = scanner.string().ok()?;
                    if scanner.peek() != Some(b':') {
                        return Some(unescaped(string));
                    }
                }
                b'-' | b'0'..=b'9' => return Some(canonical(scanner.number().ok()?.text)),
                b't' | b'f' | b'n' => drop(scanner.word().ok()?),
                structure => scanner.expect(structure).ok()?,
            }
        }
    })
}

/// A lone surrogate has no text: such a string is taken as it is written.
fn unescaped(string: RawString<'_>) -> Cow<'_, str> {
    let mut text = String::new();
    if string.escaped && json::unescape(string.text, &mut text).is_ok() { text.into() } else { string.text.into() }
}

/// A number as the fields have it: `1.50` is 1.5.
fn canonical(number: &str) -> Cow<'_, str> {
    match Number::parse(number) {
        Some(Number::Decimal(decimal)) => Cow::Owned(Number::Decimal(decimal).to_string()),
        _ => Cow::Borrowed(number),
    }
}
