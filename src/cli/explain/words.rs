//! Tests, and why they are not passed, in words.

use crate::alert::{Redacted, Redactor};
use crate::audit::Value;
use crate::cli::render;
use crate::detect::pattern::{self, Shape};
use crate::detect::trace::{ItemTrace, Miss, TestTrace};
use crate::rule::{Anchor, Comparison, FieldRef, Item, KeywordTest, Link, Part, Pattern, RegexTest, Test, TimePart};

/// How many values of a field are shown.
const MOST_VALUES: usize = 8;

/// How much of a value is shown, in bytes.
const LONGEST_VALUE: usize = 200;

/// `contains "/export/"`
pub(super) fn test(test: &Test) -> String {
    match test {
        Test::Pattern(pattern) => of_pattern(pattern),
        Test::Number(number) => format!("is {number}"),
        Test::Null => "is null or absent".to_owned(),
        Test::Exists(true) => "is present".to_owned(),
        Test::Exists(false) => "is absent".to_owned(),
        Test::Regex(test) => of_regex(test),
        Test::Compare(comparison, bound) => format!("is {}{bound}", order(*comparison)),
        Test::Cidr(network) => format!("is in {network}"),
        Test::FieldRef(reference) => of_reference(reference),
        Test::TimePart(part, comparison, bound) => {
            format!("has {} {}{bound}", part_name(*part), order(*comparison))
        }
    }
}

/// `contains "debug"`
pub(super) fn keyword(test: &KeywordTest) -> String {
    match test {
        KeywordTest::Pattern(pattern) => of_pattern(pattern),
        KeywordTest::Regex(test) => of_regex(test),
    }
}

/// How the tests of an item or a keyword search are joined.
pub(super) fn link(link: Link, negated: bool) -> &'static str {
    match (link, negated) {
        (Link::Any, false) => "one of",
        (Link::All, false) => "all of",
        (Link::Any, true) => "none of",
        (Link::All, true) => "not all of",
    }
}

/// What the field has there: `it is "update"`. Nothing where that is plain from the test.
pub(super) fn found(trace: &ItemTrace<'_>, redactor: &Redactor) -> Option<String> {
    let field = &trace.item.field;
    let passing: Vec<usize> = trace.tests.iter().flat_map(|test| test.passed_by.iter().copied()).collect();
    let shown: Vec<Value<'_>> = trace
        .values
        .iter()
        .enumerate()
        .filter(|(at, _)| passing.is_empty() || passing.contains(at))
        .map(|(_, value)| *value)
        .collect();
    let verb = if trace.values.len() > 1 { "it has" } else { "it is" };
    match shown.as_slice() {
        [] if trace.item.tests.iter().all(|test| matches!(test, Test::Exists(_))) => None,
        [] => Some("the event has no such field".to_owned()),
        values if says_it(trace.item, values) => None,
        values => Some(format!("{verb} {}", listed(field, values, redactor))),
    }
}

/// Whether the one test names the very value.
fn says_it(item: &Item, values: &[Value<'_>]) -> bool {
    match (item.tests.as_slice(), values) {
        ([Test::Pattern(pattern)], [Value::Text(text)]) => pattern::shape(pattern) == Shape::Exact(text),
        ([Test::Number(wanted)], [Value::Number(number)]) => wanted.to_string() == number.to_string(),
        _ => false,
    }
}

/// Why a test is not passed, beyond the value being another one.
pub(super) fn miss(trace: &TestTrace<'_>, redactor: &Redactor) -> Option<String> {
    let text = match trace.miss? {
        Miss::Absent | Miss::Present | Miss::OtherValue => return reference(trace, redactor),
        Miss::WrongType => match trace.test {
            Test::Number(_) | Test::Compare(..) => "that is no number",
            _ => "that is no text",
        },
        Miss::NoNumber => "that reads as no number",
        Miss::NoAddress => "that is no address",
        Miss::NoTime => "that is no time",
        Miss::ReferenceAbsent => "the other field is not in the event",
        Miss::Hmac => "Vault wrote an HMAC there, which no plain text matches",
        Miss::OtherSpelling => "the same number, written in another way",
        Miss::OtherCase => "only upper and lower case differ",
    };
    Some(text.to_owned())
}

/// What a `fieldref` compares with.
fn reference(trace: &TestTrace<'_>, redactor: &Redactor) -> Option<String> {
    let Test::FieldRef(FieldRef { field, .. }) = trace.test else { return None };
    let verb = if trace.reference.len() > 1 { "has" } else { "is" };
    (!trace.reference.is_empty()).then(|| format!("`{field}` {verb} {}", listed(field, &trace.reference, redactor)))
}

/// `"default", "app-rw"`
fn listed(field: &str, values: &[Value<'_>], redactor: &Redactor) -> String {
    let mut shown: Vec<String> =
        values.iter().take(MOST_VALUES).map(|value| self::value(*value, &redactor.value(field, *value))).collect();
    if let Some(more) = values.len().checked_sub(MOST_VALUES).filter(|more| *more > 0) {
        shown.push(format!("and {}", render::counted(more, "other", "others")));
    }
    shown.join(", ")
}

fn value(value: Value<'_>, shown: &Redacted) -> String {
    match value {
        Value::Structure => "an object or an empty list".to_owned(),
        Value::Text(_) => format!("\"{}\"", render::bounded(shown.as_str(), LONGEST_VALUE)),
        Value::Null | Value::Bool(_) | Value::Number(_) => shown.to_string(),
    }
}

fn of_pattern(pattern: &Pattern) -> String {
    let quoted = |text: &str| format!("\"{}\"", render::bounded(text, LONGEST_VALUE));
    let words = match pattern::shape(pattern) {
        Shape::Exact("") => "is empty".to_owned(),
        Shape::Exact(text) => format!("is {}", quoted(text)),
        Shape::Prefix(text) => format!("starts with {}", quoted(text)),
        Shape::Suffix(text) => format!("ends with {}", quoted(text)),
        Shape::Contains(text) => format!("contains {}", quoted(text)),
        Shape::Anything => "is any text".to_owned(),
        Shape::General(_) => format!("is like {}", quoted(&wildcards(&pattern.parts))),
    };
    if pattern.cased { words + " with this case" } else { words }
}

/// As a rule writes it.
fn wildcards(parts: &[Part]) -> String {
    parts
        .iter()
        .map(|part| match part {
            Part::Literal(text) => text.replace('\\', "\\\\").replace('*', "\\*").replace('?', "\\?"),
            Part::AnyRun => "*".to_owned(),
            Part::AnyChar => "?".to_owned(),
        })
        .collect()
}

fn of_regex(test: &RegexTest) -> String {
    let flags = [('i', test.flags.ignore_case), ('m', test.flags.multi_line), ('s', test.flags.dot_all)];
    let flags: String = flags.iter().filter(|(_, set)| *set).map(|(flag, _)| *flag).collect();
    format!("matches /{}/{flags}", render::bounded(&test.pattern, LONGEST_VALUE))
}

fn of_reference(reference: &FieldRef) -> String {
    let place = match reference.anchor {
        Anchor::Whole => "equals",
        Anchor::Start => "starts with",
        Anchor::End => "ends with",
        Anchor::Anywhere => "contains",
    };
    let case = if reference.cased { " with its case" } else { "" };
    format!("{place} `{}`{case}", reference.field)
}

fn order(comparison: Comparison) -> &'static str {
    match comparison {
        Comparison::Eq => "",
        Comparison::Lt => "less than ",
        Comparison::Lte => "at most ",
        Comparison::Gt => "more than ",
        Comparison::Gte => "at least ",
    }
}

fn part_name(part: TimePart) -> &'static str {
    match part {
        TimePart::Minute => "minute",
        TimePart::Hour => "hour",
        TimePart::Day => "day",
        TimePart::Week => "week",
        TimePart::Month => "month",
        TimePart::Year => "year",
    }
}
