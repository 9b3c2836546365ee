//! What an alert is about, from its first event to its last: told at once, then counted.

use uuid::Uuid;

use super::entry::{Entry, EntryValue};
use super::spec::{Measure, WindowSpec};
use super::window::Clock;
use super::{LATENESS, Nanoseconds};
use crate::payload::EventRef;

/// Names an invocation, among all that run.
pub type Owner = u64;

/// The most source addresses that are told apart in one incident.
pub const MOST_ADDRESSES: usize = 32;

/// A firing, and what it covers.
#[derive(Debug, Clone, PartialEq)]
pub struct Incident {
    /// The alert's id: derives from the analytic, the group and the entry that opened it.
    pub id: Uuid,
    /// The time of the entry that opened it.
    pub opened: Nanoseconds,
    /// The identity of that entry.
    pub opener: (u16, u64),
    /// Where that entry's event stands.
    pub event: EventRef,
    /// The value of that entry, if it is about the first sighting of a value.
    pub value: Option<u64>,
    /// The time of the first event behind it.
    pub first: Nanoseconds,
    /// The time of the last event behind it.
    pub last: Nanoseconds,
    /// How many events are behind it.
    pub count: u64,
    /// How many were told of; 0 as long as it was not announced.
    pub announced: u64,
    /// Who is announcing it.
    pub claim: Option<Claim>,
    /// It is over, and everything was told.
    pub closed: bool,
    /// Hashes of the source addresses seen; bounded.
    pub addresses: Vec<u64>,
    /// What its alerts say of it. Whoever tells of it later may not have the events.
    pub description: Vec<u8>,
}

/// That somebody is announcing an incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claim {
    /// Who.
    pub owner: Owner,
    /// The count that is being told.
    pub count: u64,
    /// Until when nobody else tries, by the clock of the machines, in nanoseconds since 1970.
    pub until: Nanoseconds,
}

/// Which message about an alert this is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// The first, at once.
    Opened,
    /// It goes on: a digest at the 10th, the 100th, the 1000th time and so on.
    Repeated,
    /// The suppression time is over: the last message, with the count of everything.
    Ended,
}

impl Stage {
    /// As programs read it: `opened`, `repeated`, `ended`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::Repeated => "repeated",
            Self::Ended => "ended",
        }
    }

    /// As people read it, behind the level: nothing, `again`, `over`.
    #[must_use]
    pub const fn word(self) -> Option<&'static str> {
        match self {
            Self::Opened => None,
            Self::Repeated => Some("again"),
            Self::Ended => Some("over"),
        }
    }
}

/// A message that an invocation has claimed: it publishes it, then [settles](super::Window::settle) it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Announcement {
    /// The alert.
    pub incident: Uuid,
    /// What the message is to it.
    pub stage: Stage,
    /// How many events it tells of.
    pub count: u64,
}

impl Incident {
    /// Whether an entry that would fire is covered.
    pub(super) fn covers(&self, spec: &WindowSpec, time: Nanoseconds, value: Option<u64>) -> bool {
        let after = time.saturating_sub(self.opened);
        if let Measure::FirstSeen { .. } = spec.measure
            && self.value != value
        {
            return false;
        }
        // An event that arrives late, and would have opened it earlier, is part of it.
        let ahead = spec.timespan.max(spec.suppress).max(LATENESS);
        -ahead <= after && after <= spec.suppress
    }

    /// Counts an event. Events may be counted in any order.
    pub(super) fn count(&mut self, time: Nanoseconds) {
        self.count += 1;
        self.first = self.first.min(time);
        self.last = self.last.max(time);
        self.closed = false;
    }

    /// Whether an entry, if it is counted at all, is behind it.
    pub(super) fn is_about(&self, entry: &Entry) -> bool {
        let alike = self.value.is_none_or(|value| entry.value == Some(EntryValue::Distinct(value)));
        alike && (self.first..=self.last).contains(&entry.time)
    }

    /// Takes note of where an event came from.
    pub(super) fn note_address(&mut self, address: u64) {
        if self.addresses.len() < MOST_ADDRESSES && !self.addresses.contains(&address) {
            self.addresses.push(address);
        }
    }

    /// When it is over: nothing that it could cover can still arrive.
    pub(super) fn end(&self, spec: &WindowSpec) -> Nanoseconds {
        let covered = self.opened.saturating_add(spec.suppress);
        let end = if spec.suppress == 0 { self.last.saturating_add(spec.timespan) } else { covered };
        end.max(self.last).saturating_add(LATENESS)
    }

    /// Whether somebody else is announcing it.
    pub(super) fn is_claimed(&self, clock: &Clock) -> bool {
        self.claim.is_some_and(|claim| claim.owner != clock.owner && claim.until > clock.now)
    }

    /// What is to be told of it, if anything.
    pub(super) fn untold(&self, spec: &WindowSpec, now: Nanoseconds) -> Option<Announcement> {
        let stage = match self.announced {
            0 => Stage::Opened,
            told if self.count > told && now > self.end(spec) => Stage::Ended,
            told if milestone(self.count) > milestone(told) => Stage::Repeated,
            _ => return None,
        };
        Some(Announcement { incident: self.id, stage, count: self.count })
    }
}

/// The largest power of ten up to a count.
fn milestone(count: u64) -> u64 {
    count.checked_ilog10().map_or(0, |digits| 10_u64.saturating_pow(digits)).max(1)
}
