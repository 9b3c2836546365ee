//! How often it has happened: the first alert goes out at once, what follows is counted and told in digests.

use jiff::Timestamp;
use jiff::tz::TimeZone;

pub use crate::correlate::{MOST_ADDRESSES, Stage};

use super::text;

/// How often what an alert is about has happened, and which message about the alert this is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Occurrences {
    /// Which message.
    pub stage: Stage,
    /// How often it has happened since the alert was opened; at least 1.
    pub count: u64,
    /// The time of the first event counted.
    pub first: Timestamp,
    /// The time of the last event counted.
    pub last: Timestamp,
    /// How many distinct addresses they came from, at most [`MOST_ADDRESSES`]; 0 if they name none.
    pub addresses: usize,
}

impl Occurrences {
    /// What has happened once, and is told at once.
    #[must_use]
    pub fn once(time: Timestamp) -> Self {
        Self { stage: Stage::Opened, count: 1, first: time, last: time, addresses: 0 }
    }

    /// `100 times since 03:12:45 UTC, last at 03:40:02, from 3 addresses`; with dates if they differ.
    #[must_use]
    pub fn digest(&self) -> String {
        let in_all = if self.stage == Stage::Ended { " in all" } else { "" };
        let first = if self.is_within_a_day() { clock(self.first) } else { date_and_clock(self.first) };
        let addresses = self.addresses();
        match self.count {
            ..=1 => format!("once{in_all}, at {first} UTC{addresses}"),
            _ => format!("{}{in_all} since {first} UTC, last at {}{addresses}", self.times(), self.last()),
        }
    }

    /// `2026-11-22 03:12:45 UTC, 500 times until 03:13:02, from 3 addresses`
    #[must_use]
    pub fn when(&self) -> String {
        let first = date_and_clock(self.first);
        match self.count {
            ..=1 => format!("{first} UTC"),
            _ => format!("{first} UTC, {} until {}{}", self.times(), self.last(), self.addresses()),
        }
    }

    /// ` x500`; nothing for what has happened once.
    #[must_use]
    pub fn factor(&self) -> String {
        if self.count > 1 { format!(" x{}", self.count) } else { String::new() }
    }

    fn times(&self) -> String {
        format!("{} times", text::grouped(self.count))
    }

    fn last(&self) -> String {
        if self.is_within_a_day() { clock(self.last) } else { date_and_clock(self.last) }
    }

    fn is_within_a_day(&self) -> bool {
        let date = |time: Timestamp| TimeZone::UTC.to_datetime(time).date();
        date(self.first) == date(self.last)
    }

    fn addresses(&self) -> String {
        match self.addresses {
            0 => String::new(),
            1 => ", from one address".to_owned(),
            MOST_ADDRESSES.. => format!(", from at least {MOST_ADDRESSES} addresses"),
            addresses => format!(", from {addresses} addresses"),
        }
    }
}

fn clock(time: Timestamp) -> String {
    time.strftime("%H:%M:%S").to_string()
}

fn date_and_clock(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M:%S").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_read_how_often() {
        let seen = |stage, count, last: &str, addresses| {
            let time = |text: &str| format!("2026-11-{text}Z").parse().unwrap();
            Occurrences { stage, count, first: time("22T03:12:45"), last: time(last), addresses }
        };
        let (early, late) = ("22T03:40:02", "23T00:00:00");
        for (occurrences, digest, when) in [
            (
                seen(Stage::Repeated, 100, early, 3),
                "100 times since 03:12:45 UTC, last at 03:40:02, from 3 addresses",
                "2026-11-22 03:12:45 UTC, 100 times until 03:40:02, from 3 addresses",
            ),
            (
                seen(Stage::Repeated, 1_000_000, late, 1),
                "1,000,000 times since 2026-11-22 03:12:45 UTC, last at 2026-11-23 00:00:00, from one address",
                "2026-11-22 03:12:45 UTC, 1,000,000 times until 2026-11-23 00:00:00, from one address",
            ),
            (
                seen(Stage::Ended, 57, early, MOST_ADDRESSES),
                "57 times in all since 03:12:45 UTC, last at 03:40:02, from at least 32 addresses",
                "2026-11-22 03:12:45 UTC, 57 times until 03:40:02, from at least 32 addresses",
            ),
            (seen(Stage::Ended, 1, "22T03:12:45", 0), "once in all, at 03:12:45 UTC", "2026-11-22 03:12:45 UTC"),
        ] {
            assert_eq!(occurrences.digest(), digest);
            assert_eq!(occurrences.when(), when);
        }
    }
}
