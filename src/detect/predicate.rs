//! One test on one field, shared by all rules that make it.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::net::IpAddr;

use jiff::fmt::temporal::Pieces;

use super::matcher::{Member, MemberBuffers};
use super::pattern;
use crate::audit::{AuditEvent, Slot, Value, address};
use crate::fold::{fold, needs_folding};
use crate::number::Number;
use crate::rule::{Anchor, Comparison, FieldRef, Test, TimePart};

/// Index of a predicate in its rule set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct PredicateId(pub(super) u32);

impl PredicateId {
    pub(super) fn index(self) -> usize {
        self.0 as usize
    }
}

/// A test on a field, or on every scalar of the event.
#[derive(Debug)]
pub(super) struct Predicate {
    /// As rules name it; none for keywords.
    pub(super) field: Option<String>,
    /// The field's slot; none for keywords.
    pub(super) slot: Option<Slot>,
    /// The slot of the field that a field reference names.
    pub(super) other: Option<Slot>,
    pub(super) test: Test,
}

impl Predicate {
    /// Whether one value satisfies the test. This is the definition; the shared matchers are an index over it.
    pub(super) fn holds(&self, member: &Member<'_>, event: &AuditEvent<'_>) -> bool {
        match &self.test {
            Test::Pattern(pattern) => {
                let text = if pattern.cased { member.text } else { member.folded };
                text.is_some_and(|text| pattern::matches(&pattern.parts, text))
            }
            Test::Number(number) => equals_number(member, *number),
            Test::Null => member.value == Value::Null,
            Test::Exists(_) => true,
            Test::Regex(test) => member.text.is_some_and(|text| test.regex.is_match(text)),
            Test::Compare(comparison, bound) => {
                number_of(member).is_some_and(|number| compares(number, *comparison, *bound))
            }
            Test::Cidr(network) => {
                let address = member.text.and_then(address::parse);
                address.is_some_and(|(address, _)| network.trunc().contains(&canonical(address)))
            }
            Test::FieldRef(reference) => self.other.is_some_and(|other| refers(reference, other, member, event)),
            Test::TimePart(part, comparison, bound) => {
                let number = member.text.and_then(|text| time_part(text, *part));
                number.is_some_and(|number| compares(Number::Integer(number), *comparison, *bound))
            }
        }
    }

    /// The same for a value without its texts at hand.
    pub(super) fn holds_for(&self, value: Value<'_>, event: &AuditEvent<'_>) -> bool {
        self.holds(&MemberBuffers::default().member(value, true), event)
    }

    /// The values of the event that satisfy the test.
    pub(super) fn matching_values<'e>(&self, event: &AuditEvent<'e>) -> Vec<Value<'e>> {
        let Some(slot) = self.slot else { return Vec::new() };
        event.values(slot).filter(|value| self.holds_for(*value, event)).collect()
    }
}

fn canonical(address: IpAddr) -> IpAddr {
    address.to_canonical()
}

/// Equal as numbers, or as text where the event has a string: `"042"` is not 42.
fn equals_number(member: &Member<'_>, number: Number) -> bool {
    match member.value {
        Value::Number(found) => found == number,
        Value::Text(text) => Number::parse(text) == Some(number) && text == number.to_string(),
        _ => false,
    }
}

fn number_of(member: &Member<'_>) -> Option<Number> {
    match member.value {
        Value::Number(number) => Some(number),
        Value::Text(text) => Number::parse(text),
        _ => None,
    }
}

fn compares(number: Number, comparison: Comparison, bound: Number) -> bool {
    let order = number.compare(bound);
    match comparison {
        Comparison::Eq => order == Ordering::Equal,
        Comparison::Lt => order == Ordering::Less,
        Comparison::Lte => order != Ordering::Greater,
        Comparison::Gt => order == Ordering::Greater,
        Comparison::Gte => order != Ordering::Less,
    }
}

/// Whether the member relates to any value of the other field.
fn refers(reference: &FieldRef, other: Slot, member: &Member<'_>, event: &AuditEvent<'_>) -> bool {
    event.values(other).any(|value| {
        if let (Anchor::Whole, Value::Number(mine), Value::Number(theirs)) = (reference.anchor, member.value, value) {
            return mine == theirs;
        }
        let (Some(mine), Some(theirs)) = (if reference.cased { member.text } else { member.folded }, text_of(value))
        else {
            return false;
        };
        let theirs = if reference.cased || !needs_folding(&theirs) { theirs } else { Cow::Owned(fold(&theirs)) };
        match reference.anchor {
            Anchor::Whole => mine == theirs,
            Anchor::Start => mine.starts_with(&*theirs),
            Anchor::End => mine.ends_with(&*theirs),
            Anchor::Anywhere => mine.contains(&*theirs),
        }
    })
}

fn text_of(value: Value<'_>) -> Option<Cow<'_, str>> {
    match value {
        Value::Text(text) => Some(Cow::Borrowed(text)),
        Value::Bool(boolean) => Some(Cow::Borrowed(if boolean { "true" } else { "false" })),
        Value::Number(number) => Some(Cow::Owned(number.to_string())),
        Value::Null | Value::Structure => None,
    }
}

/// A part of a timestamp by its own clock: offsets are not applied.
pub(super) fn time_part(text: &str, part: TimePart) -> Option<i128> {
    let pieces = Pieces::parse(text).ok()?;
    let date = pieces.date();
    let number = match part {
        TimePart::Minute => pieces.time()?.minute(),
        TimePart::Hour => pieces.time()?.hour(),
        TimePart::Day => date.day(),
        TimePart::Week => date.iso_week_date().week(),
        TimePart::Month => date.month(),
        TimePart::Year => return Some(date.year().into()),
    };
    Some(number.into())
}
