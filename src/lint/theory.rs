//! Whether demands can hold together, on one audit entry.
//!
//! Only what is certain counts: demands about which nothing is known go together.

use std::borrow::Cow;
use std::cmp::Ordering;

use super::formula::Demand;
use crate::audit::{address, reference};
use crate::detect::pattern;
use crate::fold::fold;
use crate::number::Number;
use crate::rule::{Comparison, Part, Pattern, Test};

/// How many pairs of values are compared for one field; beyond, they are taken to go together.
const MAX_PAIRS: usize = 200_000;

/// A field of which the demands cannot hold together, if there is one.
pub(super) fn contradiction<'r>(demands: &[Demand<'r>]) -> Option<&'r str> {
    let mut fields: Vec<&str> = demands.iter().filter_map(|demand| Some(demand.field()?.0)).collect();
    fields.sort_unstable();
    fields.dedup();
    fields.into_iter().find(|field| !on(field, demands).is_possible())
}

/// What is asked of one field, and ruled out.
struct OfField<'r> {
    wanted: Vec<&'r [Test]>,
    unwanted: Vec<&'r Test>,
    /// An entry has one value of it at most.
    single: bool,
}

fn on<'r>(field: &str, demands: &[Demand<'r>]) -> OfField<'r> {
    let about = |wanted: bool| {
        let matching = demands.iter().filter(move |demand| demand.wanted == wanted);
        matching.filter_map(Demand::field).filter(|(name, _)| *name == field).map(|(_, tests)| tests)
    };
    OfField {
        wanted: about(true).collect(),
        unwanted: about(false).flatten().collect(),
        single: reference::field(field).is_some_and(reference::Field::is_single),
    }
}

impl<'r> OfField<'r> {
    fn is_possible(&self) -> bool {
        let absent = self.unwanted.iter().any(|test| matches!(test, Test::Exists(true)));
        let not_null = self.unwanted.iter().any(|test| matches!(test, Test::Null));
        if absent && not_null {
            return false;
        }
        let open: Vec<Vec<&Test>> = self.wanted.iter().map(|tests| self.still_possible(tests)).collect();
        let each_open = open.iter().all(|tests| !tests.is_empty());
        each_open && (!self.single || pairs(&open).all(|(some, others)| go_together(some, others)))
    }

    /// The tests that nothing rules out.
    fn still_possible(&self, tests: &'r [Test]) -> Vec<&'r Test> {
        if tests.len().saturating_mul(self.unwanted.len()) > MAX_PAIRS {
            return tests.iter().collect();
        }
        tests.iter().filter(|test| !self.unwanted.iter().any(|unwanted| implies(test, unwanted))).collect()
    }
}

fn pairs<T>(all: &[T]) -> impl Iterator<Item = (&T, &T)> {
    all.iter().enumerate().flat_map(|(at, first)| all.iter().skip(at + 1).map(move |second| (first, second)))
}

/// Whether one value may satisfy a test of each.
fn go_together(some: &[&Test], others: &[&Test]) -> bool {
    some.len().saturating_mul(others.len()) > MAX_PAIRS
        || some.iter().any(|test| others.iter().any(|other| may_both_hold(test, other)))
}

/// Whether every value that satisfies `test` surely satisfies `other`.
fn implies(test: &Test, other: &Test) -> bool {
    let present = !matches!(test, Test::Null | Test::Exists(false));
    same(test, other)
        || matches!(other, Test::Exists(true)) && present
        || value_of(test).is_some_and(|value| satisfies(&value, other) == Some(true))
}

/// Whether one value may satisfy both.
fn may_both_hold(test: &Test, other: &Test) -> bool {
    if let Some(value) = value_of(test) {
        return satisfies(&value, other) != Some(false);
    }
    if let Some(value) = value_of(other) {
        return satisfies(&value, test) != Some(false);
    }
    match (test, other) {
        (Test::Pattern(one), Test::Pattern(two)) => ends_meet(one, two),
        (Test::Compare(one, first), Test::Compare(two, second)) => {
            ranges_meet(*one, *first, *two, *second) && ranges_meet(*two, *second, *one, *first)
        }
        _ => true,
    }
}

/// A value, as a rule writes it.
enum Value<'t> {
    /// Null or not there.
    Absent,
    Text {
        text: &'t str,
        /// In just this case; otherwise the text is folded, and stands for every case.
        cased: bool,
    },
    Number(Number),
}

/// The only value that satisfies the test, if there is only one.
fn value_of(test: &Test) -> Option<Value<'_>> {
    match test {
        Test::Null => Some(Value::Absent),
        Test::Number(number) => Some(Value::Number(*number)),
        Test::Pattern(pattern) => Some(Value::Text { text: exact(pattern)?, cased: pattern.cased }),
        _ => None,
    }
}

/// The text that a pattern without wildcards matches.
pub(super) fn exact(pattern: &Pattern) -> Option<&str> {
    match pattern.parts.as_slice() {
        [] => Some(""),
        [Part::Literal(text)] => Some(text),
        _ => None,
    }
}

/// Whether the value satisfies the test, if that is certain.
fn satisfies(value: &Value<'_>, test: &Test) -> Option<bool> {
    match (value, test) {
        (Value::Absent, Test::Null) => Some(true),
        // A key with null in it is there.
        (Value::Absent, Test::Exists(_)) => None,
        (Value::Absent, _) | (_, Test::Null) => Some(false),
        (_, Test::Exists(expected)) => Some(*expected),
        (Value::Text { text, cased }, Test::Pattern(pattern)) => match (cased, pattern.cased) {
            (false, true) => None,
            (true, false) => Some(pattern::matches(&pattern.parts, &fold(text))),
            _ => Some(pattern::matches(&pattern.parts, text)),
        },
        (Value::Number(number), Test::Pattern(pattern)) => Some(pattern::matches(&pattern.parts, &number.to_string())),
        // As text, `042` is not 42.
        (Value::Text { text, .. }, Test::Number(expected)) => Some(*text == expected.to_string()),
        (Value::Number(number), Test::Number(expected)) => Some(number == expected),
        (_, Test::Compare(comparison, bound)) => {
            Some(as_number(value).is_some_and(|number| compares(number.compare(*bound), *comparison)))
        }
        (_, Test::Cidr(network)) => {
            let address = address::parse(&as_text(value)).map(|(address, _)| address.to_canonical());
            Some(address.is_some_and(|address| network.trunc().contains(&address)))
        }
        (Value::Text { text, cased: true }, Test::Regex(test)) => Some(test.regex.is_match(text)),
        (_, Test::Regex(_) | Test::FieldRef(_) | Test::TimePart(..)) => None,
    }
}

fn as_number(value: &Value<'_>) -> Option<Number> {
    match value {
        Value::Absent => None,
        Value::Number(number) => Some(*number),
        Value::Text { text, .. } => Number::parse(text),
    }
}

fn as_text<'v>(value: &Value<'v>) -> Cow<'v, str> {
    match value {
        Value::Absent => Cow::Borrowed(""),
        Value::Number(number) => Cow::Owned(number.to_string()),
        Value::Text { text, .. } => Cow::Borrowed(text),
    }
}

fn compares(order: Ordering, comparison: Comparison) -> bool {
    match comparison {
        Comparison::Eq => order == Ordering::Equal,
        Comparison::Lt => order == Ordering::Less,
        Comparison::Lte => order != Ordering::Greater,
        Comparison::Gt => order == Ordering::Greater,
        Comparison::Gte => order != Ordering::Less,
    }
}

/// Whether `value ONE first` leaves room for `value TWO second`, seen from the lower bound.
fn ranges_meet(one: Comparison, first: Number, two: Comparison, second: Number) -> bool {
    let lower = matches!(one, Comparison::Gt | Comparison::Gte);
    let upper = matches!(two, Comparison::Lt | Comparison::Lte);
    let closed = one == Comparison::Gte && two == Comparison::Lte;
    match first.compare(second) {
        _ if !(lower && upper) => true,
        Ordering::Less => true,
        Ordering::Equal => closed,
        Ordering::Greater => false,
    }
}

/// Whether what one pattern starts and ends with leaves room for the other.
fn ends_meet(one: &Pattern, two: &Pattern) -> bool {
    // In different cases anything is possible.
    one.cased != two.cased
        || meet(one.parts.first(), two.parts.first(), |a, b| a.starts_with(b))
            && meet(one.parts.last(), two.parts.last(), |a, b| a.ends_with(b))
}

fn meet(one: Option<&Part>, two: Option<&Part>, includes: impl Fn(&str, &str) -> bool) -> bool {
    match (one, two) {
        (Some(Part::Literal(a)), Some(Part::Literal(b))) => includes(a, b) || includes(b, a),
        _ => true,
    }
}

/// Whether two tests are written alike.
pub(super) fn same(one: &Test, two: &Test) -> bool {
    match (one, two) {
        (Test::Pattern(a), Test::Pattern(b)) => a == b,
        (Test::Number(a), Test::Number(b)) => a == b,
        (Test::Null, Test::Null) => true,
        (Test::Exists(a), Test::Exists(b)) => a == b,
        (Test::Regex(a), Test::Regex(b)) => a.pattern == b.pattern && a.flags == b.flags,
        (Test::Compare(a, first), Test::Compare(b, second)) => a == b && first == second,
        (Test::Cidr(a), Test::Cidr(b)) => a == b,
        (Test::FieldRef(a), Test::FieldRef(b)) => a == b,
        (Test::TimePart(a, x, first), Test::TimePart(b, y, second)) => a == b && x == y && first == second,
        _ => false,
    }
}
