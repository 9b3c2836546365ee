//! Matches -> windows -> incidents: pure folds over event time.
//!
//! A [`Window`] is what one analytic remembers of one group. [`fold`](Window::fold) joins new matches to it by their
//! identity, so that a redelivered event changes nothing, whatever the order, and two invocations that fold into the
//! same window come to the same end: whoever is second folds again, onto what the first one wrote.
//!
//! A rule about single events is the correlation "at least one event, within no time at all": repeats, suppression
//! and digests are the same thing for both.
//!
//! # What fires, and what alerts
//!
//! Entries are ordered by event time, ties by their place in the log. The condition *holds* at an entry if it is true
//! of the entries that lie at most `timespan` before it, itself included. It *fires* at the first entry of a run at
//! which it holds; a run ends where the next entry does not hold, or is more than `timespan` away. A firing opens an
//! [`Incident`] unless one covers it already: one of the same group that was opened at most `suppress` ago. What an
//! incident covers is counted, told at 10, 100, 1000 ... and once when it is over.
//!
//! # Bounds
//!
//! A window keeps what its condition can still need: entries of up to `timespan` plus [`LATENESS`] before the newest
//! one, and never more than [`MOST_ENTRIES`]. Beyond that the oldest of the largest group of like entries goes, so that
//! a flood of one value, or of matches of one rule, does not push the others out. No more than 64 incidents of a group
//! are under way at a time: what would open another one is counted in the last.

use jiff::Timestamp;

use crate::rule::MOST_ENTRIES;

pub use contribution::{Contribution, Contributions, Match, MatchValues, Named};
pub use entry::{Entry, EntryValue, Marks};
pub use group::{Group, HashKey, OwnedValue};
pub use incident::{Announcement, Claim, Incident, MOST_ADDRESSES, Owner, Stage};
pub use measure::Verdict;
pub use plan::{About, Plan, SpecId, resolve};
pub use reason::{bounds, reason};
pub use replay::Windows;
pub use spec::{Measure, WindowSpec, satisfies};
pub use step::Step;
pub use stored::StoredError;
pub use survey::{Survey, SurveyedWindow};
pub use told::{MOST_EVENTS, Occasion, Telling, Told};
pub use window::{Clock, Firing, Folded, Window};

mod announce;
mod contribution;
mod entry;
mod forget;
mod group;
mod incident;
mod measure;
mod plan;
mod reason;
mod replay;
mod runs;
mod spec;
mod step;
mod stored;
mod survey;
mod told;
mod window;

/// A span of event time.
pub type Nanoseconds = i64;

const SECOND: Nanoseconds = 1_000_000_000;

const DAY: Nanoseconds = 86_400 * SECOND;

/// How much later than others an event may arrive and still be seen in its place: `CloudWatch` usually takes less than
/// three minutes, and a failed invocation is tried again after one and after two.
pub const LATENESS: Nanoseconds = 300 * SECOND;

/// A time as windows have it, in nanoseconds since 1970; what lies beyond the year 2262 does so at its end.
#[must_use]
pub fn nanoseconds(time: Timestamp) -> Nanoseconds {
    i64::try_from(time.as_nanosecond()).unwrap_or(if time < Timestamp::UNIX_EPOCH { i64::MIN } else { i64::MAX })
}

/// A time as alerts have it.
#[must_use]
pub fn timestamp(nanoseconds: Nanoseconds) -> Timestamp {
    Timestamp::from_nanosecond(nanoseconds.into()).unwrap_or_default()
}
