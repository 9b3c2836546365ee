//! Numbers of rules and events: integers stay exact, so that 2^53 + 1 is not 2^53.

use std::cmp::Ordering;
use std::fmt;

/// A JSON or YAML number.
#[derive(Debug, Clone, Copy)]
pub enum Number {
    /// An integer within 128 bits.
    Integer(i128),
    /// Anything else; finite.
    Decimal(f64),
}

/// The first power of two from which on not every integer has a `f64`.
const EXACT: i128 = 1 << 53;

impl Number {
    /// Reads a number that a string holds; surrounding blanks, `inf` and `nan` are no numbers.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if let Ok(integer) = text.parse() {
            return Some(Self::Integer(integer));
        }
        let plausible = text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E'));
        let decimal = text.parse::<f64>().ok().filter(|number| plausible && number.is_finite())?;
        Some(Self::Decimal(decimal))
    }

    /// Compares by value, whatever the representation.
    #[must_use]
    pub fn compare(self, other: Self) -> Ordering {
        match (self, other) {
            (Self::Integer(a), Self::Integer(b)) => a.cmp(&b),
            (Self::Decimal(a), Self::Decimal(b)) => (a + 0.0).total_cmp(&(b + 0.0)),
            (Self::Integer(a), Self::Decimal(b)) => compare_mixed(a, b),
            (Self::Decimal(a), Self::Integer(b)) => compare_mixed(b, a).reverse(),
        }
    }
}

/// Compares without rounding the integer: beyond `EXACT` the decimal has no fraction, so it is turned instead.
fn compare_mixed(integer: i128, decimal: f64) -> Ordering {
    if integer.abs() < EXACT {
        #[expect(clippy::cast_precision_loss, reason = "every integer below 2^53 has an exact f64")]
        return (integer as f64).total_cmp(&(decimal + 0.0));
    }
    #[expect(clippy::cast_possible_truncation, reason = "the cast saturates, which keeps the order")]
    let truncated = decimal as i128;
    integer.cmp(&truncated)
}

impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        self.compare(*other) == Ordering::Equal
    }
}

impl fmt::Display for Number {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Integer(integer) => integer.fmt(formatter),
            Self::Decimal(decimal) => decimal.fmt(formatter),
        }
    }
}
