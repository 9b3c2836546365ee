//! One match as a window remembers it.

use std::cmp::Ordering;

use crate::number::Number;
use crate::payload::EventRef;

/// A match: that an event satisfied one of the rules that a window looks at.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// When it happened by Vault's own clock, in nanoseconds since 1970.
    pub time: i64,
    /// Tells happenings apart, and their values: a redelivered event, and the response to a request, have the same.
    pub id: u64,
    /// Which of the rules it matched, by its place in the list.
    pub rule: u16,
    /// What the window compares, if it compares values.
    pub value: Option<EntryValue>,
    /// Where the event stands.
    pub event: EventRef,
    /// What came of it.
    pub marks: Marks,
}

/// A value that a window compares.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum EntryValue {
    /// A value that is only told apart from others: its keyed hash.
    Distinct(u64),
    /// A number that is reckoned with.
    Number(Number),
}

/// What came of an entry.
#[expect(clippy::struct_excessive_bools, reason = "each is a fact by itself")]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Marks {
    /// The condition held with this entry as the last one.
    pub held: bool,
    /// The condition became true with it.
    pub fired: bool,
    /// It is counted in an incident.
    pub counted: bool,
    /// Its value was there before, as it was found once: the sightings in between are forgotten.
    pub known: bool,
}

impl Entry {
    /// What tells it apart in its window.
    #[must_use]
    pub fn identity(&self) -> (u16, u64) {
        (self.rule, self.id)
    }

    /// By time, then by the place in the log, then by the order of the rules: the same however the log was cut.
    #[must_use]
    pub fn order(&self, other: &Self) -> Ordering {
        let place = || by_place(&self.event, &other.event);
        self.time.cmp(&other.time).then_with(place).then_with(|| self.identity().cmp(&other.identity()))
    }
}

/// `CloudWatch` numbers the events of a stream upwards, with up to 56 digits.
fn by_place(a: &EventRef, b: &EventRef) -> Ordering {
    match (a, b) {
        (EventRef::LogEvent(a), EventRef::LogEvent(b)) => a.len().cmp(&b.len()).then_with(|| a.cmp(b)),
        (EventRef::Line { file: a, line: x }, EventRef::Line { file: b, line: y }) => a.cmp(b).then_with(|| x.cmp(y)),
        (EventRef::LogEvent(_), EventRef::Line { .. }) => Ordering::Less,
        (EventRef::Line { .. }, EventRef::LogEvent(_)) => Ordering::Greater,
    }
}
