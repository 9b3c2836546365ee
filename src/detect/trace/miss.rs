//! Why a test is not passed.

use super::super::predicate::{self, Predicate};
use crate::audit::{AuditEvent, Value, address};
use crate::fold::fold;
use crate::number::Number;
use crate::rule::{FieldRef, LazyRegex, Part, Pattern, RegexFlags, RegexTest, Test};

/// Why a test is not passed, from the farthest to the nearest: of several values the nearest one counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Miss {
    /// The field is not in the event.
    Absent,
    /// The field is in the event, and must not be.
    Present,
    /// The value is of a kind that the test can never be passed by, such as an object where a text is wanted.
    WrongType,
    /// The value is another one.
    OtherValue,
    /// The text is no number.
    NoNumber,
    /// The text is no network address.
    NoAddress,
    /// The text is no time.
    NoTime,
    /// The other field, which this one is compared with, is not in the event.
    ReferenceAbsent,
    /// Vault wrote an HMAC, which no plain text ever matches.
    Hmac,
    /// The text is the number, written in another way: `"042"` is not 42.
    OtherSpelling,
    /// Only upper and lower case differ, and the test compares with case.
    OtherCase,
}

impl Miss {
    /// A stable identifier.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::Absent => "absent",
            Self::Present => "present",
            Self::WrongType => "wrong-type",
            Self::OtherValue => "other-value",
            Self::NoNumber => "no-number",
            Self::NoAddress => "no-address",
            Self::NoTime => "no-time",
            Self::ReferenceAbsent => "reference-absent",
            Self::Hmac => "hmac",
            Self::OtherSpelling => "other-spelling",
            Self::OtherCase => "other-case",
        }
    }
}

/// Why none of these values passes the test.
pub(super) fn nearest(test: &Test, predicate: &Predicate, values: &[Value<'_>], event: &AuditEvent<'_>) -> Miss {
    if let Test::Exists(false) = test {
        return Miss::Present;
    }
    let misses = values.iter().map(|value| of_value(test, predicate, *value, event));
    misses.max().unwrap_or(Miss::Absent)
}

fn of_value(test: &Test, predicate: &Predicate, value: Value<'_>, event: &AuditEvent<'_>) -> Miss {
    if let Value::Text(text) = value
        && is_hmac(text)
        && !wants_hmac(test)
    {
        return Miss::Hmac;
    }
    match test {
        Test::Null | Test::Exists(_) => Miss::OtherValue,
        Test::FieldRef(reference) => of_reference(reference, predicate, value, event),
        Test::Pattern(pattern) => near_case(value, pattern.cased.then(|| uncased(pattern)), event),
        Test::Regex(regex) => near_case(value, ignores_case(regex), event),
        Test::Number(number) => of_number(value, Miss::OtherSpelling, |text| Number::parse(text) == Some(*number)),
        Test::Compare(..) => of_number(value, Miss::NoNumber, |text| Number::parse(text).is_none()),
        Test::Cidr(_) => of_text(value, Miss::NoAddress, |text| address::parse(text).is_none()),
        Test::TimePart(part, ..) => of_text(value, Miss::NoTime, |text| predicate::time_part(text, *part).is_none()),
    }
}

/// A text that may pass the same test without case, if there is one.
fn near_case(value: Value<'_>, without_case: Option<Test>, event: &AuditEvent<'_>) -> Miss {
    match value {
        Value::Null | Value::Structure => Miss::WrongType,
        value if without_case.is_some_and(|test| passes(&test, value, event)) => Miss::OtherCase,
        _ => Miss::OtherValue,
    }
}

fn of_number(value: Value<'_>, miss: Miss, is_so: impl Fn(&str) -> bool) -> Miss {
    match value {
        Value::Number(_) => Miss::OtherValue,
        other => of_text(other, miss, is_so),
    }
}

fn of_text(value: Value<'_>, miss: Miss, is_so: impl Fn(&str) -> bool) -> Miss {
    match value {
        Value::Text(text) if is_so(text) => miss,
        Value::Text(_) => Miss::OtherValue,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Structure => Miss::WrongType,
    }
}

fn of_reference(reference: &FieldRef, predicate: &Predicate, value: Value<'_>, event: &AuditEvent<'_>) -> Miss {
    let others = predicate.other.map(|other| event.values(other).count());
    if others.unwrap_or(0) == 0 {
        return Miss::ReferenceAbsent;
    }
    let uncased = Predicate {
        test: Test::FieldRef(FieldRef { cased: false, ..reference.clone() }),
        field: None,
        slot: predicate.slot,
        other: predicate.other,
    };
    match value {
        Value::Null | Value::Structure => Miss::WrongType,
        value if reference.cased && uncased.holds_for(value, event) => Miss::OtherCase,
        _ => Miss::OtherValue,
    }
}

/// Whether a value passes a test that differs from the rule's own: only to tell how near it came.
fn passes(test: &Test, value: Value<'_>, event: &AuditEvent<'_>) -> bool {
    Predicate { field: None, slot: None, other: None, test: test.clone() }.holds_for(value, event)
}

fn uncased(pattern: &Pattern) -> Test {
    let parts = pattern.parts.iter().map(|part| match part {
        Part::Literal(text) => Part::Literal(fold(text)),
        wildcard => wildcard.clone(),
    });
    Test::Pattern(Pattern { parts: parts.collect(), cased: false })
}

/// The same expression without case; none if it already is, or is too large then.
fn ignores_case(test: &RegexTest) -> Option<Test> {
    let flags = RegexFlags { ignore_case: true, ..test.flags };
    if flags == test.flags {
        return None;
    }
    let regex = regex::RegexBuilder::new(&test.pattern)
        .case_insensitive(true)
        .multi_line(flags.multi_line)
        .dot_matches_new_line(flags.dot_all)
        .build()
        .ok()?;
    let regex = LazyRegex::compiled(&test.pattern, flags, regex);
    Some(Test::Regex(RegexTest { pattern: test.pattern.clone(), flags, regex }))
}

/// What Vault writes in the place of a value.
const HMAC: &str = "hmac-sha256:";

fn is_hmac(text: &str) -> bool {
    text.starts_with(HMAC)
}

/// Whether an HMAC is as good as any other text: the rule names one, or compares nothing with a text of its own.
fn wants_hmac(test: &Test) -> bool {
    let is_named = |text: &str| text.to_ascii_lowercase().contains("hmac-sha256");
    match test {
        Test::Pattern(pattern) => {
            pattern.parts.iter().any(|part| matches!(part, Part::Literal(literal) if is_named(literal)))
        }
        Test::Regex(test) => is_named(&test.pattern),
        Test::Null | Test::Exists(_) | Test::FieldRef(_) => true,
        Test::Number(_) | Test::Compare(..) | Test::Cidr(_) | Test::TimePart(..) => false,
    }
}
