//! The time that an invocation has.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::Instant;

/// What is kept back to report and to answer.
const MARGIN: Duration = Duration::from_secs(1);

/// When work must stop, if it must.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadline(Option<Instant>);

impl Deadline {
    /// There is all the time in the world.
    pub const NONE: Self = Self(None);

    /// After this time from now.
    #[must_use]
    pub fn after(time: Duration) -> Self {
        Self(Instant::now().checked_add(time))
    }

    /// A little before the deadline of a Lambda invocation, which is in milliseconds since 1970.
    ///
    /// One that lies in the past is none: local emulators send such.
    #[must_use]
    pub fn of_invocation(milliseconds: u64) -> Self {
        #[expect(clippy::disallowed_methods, reason = "the edge reads the clock")]
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        match Duration::from_millis(milliseconds).checked_sub(now) {
            Some(left) if !left.is_zero() => Self::after(left.saturating_sub(MARGIN)),
            _ => Self::NONE,
        }
    }

    /// This, or so much time from now, whichever comes first.
    #[must_use]
    pub fn within(self, time: Duration) -> Self {
        let soon = Self::after(time);
        Self(self.0.into_iter().chain(soon.0).min())
    }

    /// When it is, unless there is none.
    #[must_use]
    pub const fn at(self) -> Option<Instant> {
        self.0
    }

    /// How much time is left, unless there is all the time in the world.
    #[must_use]
    pub fn left(self) -> Option<Duration> {
        self.0.map(|at| at.saturating_duration_since(Instant::now()))
    }

    /// Whether there is time for something that takes `time`.
    #[must_use]
    pub fn allows(self, time: Duration) -> bool {
        self.0.is_none_or(|at| Instant::now() + time < at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from_now(seconds: i64) -> u64 {
        u64::try_from(jiff::Timestamp::now().as_millisecond() + seconds * 1000).unwrap()
    }

    #[test]
    fn a_margin_is_kept() {
        let deadline = Deadline::of_invocation(from_now(60));
        assert!(deadline.allows(Duration::from_secs(55)));
        assert!(!deadline.allows(Duration::from_millis(59_500)));
    }

    #[test]
    fn within_the_margin_nothing_is_begun() {
        let deadline = Deadline::of_invocation(from_now(0) + 500);
        assert!(!deadline.allows(Duration::ZERO));
    }

    #[test]
    fn the_earlier_of_two_holds() {
        let deadline = Deadline::NONE.within(Duration::from_mins(1));
        assert!(deadline.at().is_some());
        assert_eq!(deadline.within(Duration::from_mins(2)), deadline);
        assert!(!deadline.within(Duration::from_secs(30)).allows(Duration::from_secs(45)));
    }

    #[test]
    fn a_deadline_in_the_past_is_none() {
        for milliseconds in [0, 600_000, from_now(-1)] {
            assert_eq!(Deadline::of_invocation(milliseconds), Deadline::NONE);
        }
    }
}
