//! Sigma's spans of time: a whole number and a unit, such as `5m`.

use std::fmt;

use jiff::SignedDuration;

use super::metadata;
use super::report::Report;
use super::yaml::Entry;
use crate::diagnostic::{Code, Diagnostic};

/// A span of time as rules write it: a whole number and one of `s`, `m`, `h`, `d`, `w`, `M` and `y`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Timespan {
    /// How many units; 0 only where that makes sense, such as in an offset.
    pub count: u32,
    /// The unit.
    pub unit: TimeUnit,
}

/// The unit of a [`Timespan`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TimeUnit {
    /// `s`
    Second,
    /// `m`
    Minute,
    /// `h`
    Hour,
    /// `d`
    Day,
    /// `w`
    Week,
    /// `M`: a twelfth of a year.
    Month,
    /// `y`: the mean year of the Gregorian calendar, 365.2425 days.
    Year,
}

impl TimeUnit {
    const ALL: [Self; 7] = [Self::Second, Self::Minute, Self::Hour, Self::Day, Self::Week, Self::Month, Self::Year];

    const fn letter(self) -> char {
        match self {
            Self::Second => 's',
            Self::Minute => 'm',
            Self::Hour => 'h',
            Self::Day => 'd',
            Self::Week => 'w',
            Self::Month => 'M',
            Self::Year => 'y',
        }
    }

    const fn seconds(self) -> u32 {
        match self {
            Self::Second => 1,
            Self::Minute => 60,
            Self::Hour => 3_600,
            Self::Day => 86_400,
            Self::Week => 604_800,
            Self::Month => 2_629_746,
            Self::Year => 31_556_952,
        }
    }
}

impl Timespan {
    /// No time at all.
    pub const ZERO: Self = Self { count: 0, unit: TimeUnit::Second };

    /// How long it is.
    #[must_use]
    pub const fn duration(self) -> SignedDuration {
        // A `u32` of years has 57 bits of seconds.
        SignedDuration::from_secs(self.count as i64 * self.unit.seconds() as i64)
    }

    /// Reads `N[smhdwMy]`, in which N may be 0.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let unit = TimeUnit::ALL.into_iter().find(|unit| text.ends_with(unit.letter()))?;
        let digits = text.strip_suffix(unit.letter())?;
        let written = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        let count = digits.parse().ok().filter(|_| written)?;
        Some(Self { count, unit })
    }
}

impl fmt::Display for Timespan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.count, self.unit.letter())
    }
}

/// Reads the value of an entry: a time that passes.
pub(super) fn read(report: &mut Report<'_>, entry: &Entry<'_>) -> Option<Timespan> {
    let timespan = offset(report, entry)?;
    if timespan.count == 0 {
        let message = format!("`{timespan}` is no time at all");
        report.push(Diagnostic::error(Code::InvalidTimespan, &entry.value.span, message));
        return None;
    }
    Some(timespan)
}

/// Reads the value of an entry: a time that may be none.
pub(super) fn offset(report: &mut Report<'_>, entry: &Entry<'_>) -> Option<Timespan> {
    let scalar = metadata::text(report, entry)?;
    let timespan = Timespan::parse(&scalar.text);
    if timespan.is_none() {
        let message = format!("`{}` is no span of time", scalar.text);
        report.push(Diagnostic::error(Code::InvalidTimespan, &scalar.span, message));
    }
    timespan
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_numbers_and_units() {
        for (text, seconds) in [
            ("0s", 0),
            ("90s", 90),
            ("5m", 300),
            ("1h", 3_600),
            ("2d", 172_800),
            ("1w", 604_800),
            ("12M", 31_556_952),
            ("1y", 31_556_952),
            ("4294967295y", 135_536_076_769_884_840),
        ] {
            let timespan = Timespan::parse(text).unwrap();
            assert_eq!((timespan.duration().as_secs(), timespan.to_string()), (seconds, text.to_owned()));
        }
        for text in ["", "5", "m", "5 m", "-5m", "+5m", "1.5h", "5H", "5ms", "4294967296s"] {
            assert_eq!(Timespan::parse(text), None, "{text}");
        }
    }
}
