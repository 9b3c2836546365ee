//! What a rule means, written down as directly as possible: no compilation, no index, no sharing between rules.
//!
//! Slow on purpose, and independent of the evaluator that it judges: it walks a tree of the whole event.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};

use vaultwatch::audit::address;
use vaultwatch::fold::fold;
use vaultwatch::number::Number;
use vaultwatch::rule::{
    Anchor, Body, Comparison, Condition, Detection, FieldRef, KeywordTest, Link, Part, Pattern, Test, TimePart,
};

use super::tree::Json;

/// Whether the event satisfies the detection.
pub(super) fn matches(detection: &Detection, event: &Json) -> bool {
    satisfies(event, &detection.condition, detection)
}

fn satisfies(event: &Json, condition: &Condition, detection: &Detection) -> bool {
    match condition {
        Condition::Search(index) => has(event, &detection.searches[*index].body),
        Condition::Not(inner) => !satisfies(event, inner, detection),
        Condition::And(all) => all.iter().all(|inner| satisfies(event, inner, detection)),
        Condition::Or(any) => any.iter().any(|inner| satisfies(event, inner, detection)),
    }
}

fn has(event: &Json, body: &Body) -> bool {
    match body {
        Body::AllOf(all) => all.iter().all(|inner| has(event, inner)),
        Body::AnyOf(any) => any.iter().any(|inner| has(event, inner)),
        Body::Item(item) => {
            let values = field(event, &item.field);
            joined(item.link, &item.tests, |wanted| field_passes(wanted, &values, event)) != item.negated
        }
        Body::Keywords(keywords) => {
            let mut found = Vec::new();
            words(event, &mut found);
            joined(keywords.link, &keywords.tests, |wanted| found.iter().any(|word| word_passes(wanted, word)))
        }
    }
}

fn joined<T>(link: Link, tests: &[T], passes: impl FnMut(&T) -> bool) -> bool {
    match link {
        Link::Any => tests.iter().any(passes),
        Link::All => tests.iter().all(passes),
    }
}

/// The values of a field, arrays resolved: those at the nested path, or else those under literal keys with dots.
fn field<'e>(event: &'e Json, path: &str) -> Vec<&'e Json> {
    let keys: Vec<&str> = path.split('.').collect();
    let mut values = Vec::new();
    walk(event, &keys, 1, &mut values);
    if values.is_empty() {
        walk(event, &keys, keys.len(), &mut values);
    }
    values
}

/// Follows `keys`, of which up to `joined` may stand together in one literal key.
fn walk<'e>(value: &'e Json, keys: &[&str], joined: usize, values: &mut Vec<&'e Json>) {
    match value {
        Json::Array(members) if !members.is_empty() => {
            for member in members {
                walk(member, keys, joined, values);
            }
        }
        value if keys.is_empty() => values.push(value),
        object => {
            for (key, rest) in (1..=joined.min(keys.len())).map(|count| keys.split_at(count)) {
                if let Some(value) = object.get(&key.join(".")) {
                    walk(value, rest, joined, values);
                }
            }
        }
    }
}

/// Every string and number, at any depth.
fn words(value: &Json, found: &mut Vec<String>) {
    match value {
        Json::Text(_) | Json::Number(_) => found.extend(text(value)),
        Json::Array(members) => members.iter().for_each(|member| words(member, found)),
        Json::Object(members) => members.iter().for_each(|(_, member)| words(member, found)),
        Json::Null | Json::Bool(_) => {}
    }
}

fn word_passes(wanted: &KeywordTest, word: &str) -> bool {
    match wanted {
        KeywordTest::Pattern(pattern) => matches_pattern(pattern, word),
        KeywordTest::Regex(test) => test.regex.is_match(word),
    }
}

fn field_passes(wanted: &Test, values: &[&Json], event: &Json) -> bool {
    match wanted {
        Test::Null => values.is_empty() || values.iter().any(|value| matches!(value, Json::Null)),
        Test::Exists(expected) => values.is_empty() != *expected,
        wanted => values.iter().any(|value| value_passes(wanted, value, event)),
    }
}

fn value_passes(wanted: &Test, value: &Json, event: &Json) -> bool {
    match (wanted, value) {
        (Test::Pattern(pattern), value) => text(value).is_some_and(|text| matches_pattern(pattern, &text)),
        (Test::Regex(test), value) => text(value).is_some_and(|text| test.regex.is_match(&text)),
        (Test::Number(wanted), Json::Number(found)) => found == wanted,
        (Test::Number(wanted), Json::Text(text)) => *text == wanted.to_string(),
        (Test::Compare(comparison, bound), Json::Number(found)) => compare(*found, *comparison, *bound),
        (Test::Compare(comparison, bound), Json::Text(text)) => {
            Number::parse(text).is_some_and(|found| compare(found, *comparison, *bound))
        }
        (Test::Cidr(network), Json::Text(text)) => {
            address::parse(text).is_some_and(|(address, _)| network.contains(&address))
        }
        (Test::TimePart(part, comparison, bound), Json::Text(text)) => {
            time_part(text, *part).is_some_and(|found| compare(Number::Integer(found), *comparison, *bound))
        }
        (Test::FieldRef(reference), value) => {
            field(event, &reference.field).iter().any(|other| refers(reference, value, other))
        }
        _ => false,
    }
}

fn text(value: &Json) -> Option<String> {
    match value {
        Json::Text(text) => Some(text.clone()),
        Json::Bool(boolean) => Some(boolean.to_string()),
        Json::Number(number) => Some(number.to_string()),
        Json::Null | Json::Array(_) | Json::Object(_) => None,
    }
}

fn compare(found: Number, comparison: Comparison, bound: Number) -> bool {
    let order = found.compare(bound);
    match comparison {
        Comparison::Eq => order.is_eq(),
        Comparison::Lt => order.is_lt(),
        Comparison::Lte => order.is_le(),
        Comparison::Gt => order.is_gt(),
        Comparison::Gte => order.is_ge(),
    }
}

fn matches_pattern(pattern: &Pattern, text: &str) -> bool {
    let text = if pattern.cased { text.to_owned() } else { fold(text) };
    matches_parts(&pattern.parts, &text)
}

fn matches_parts(parts: &[Part], text: &str) -> bool {
    let Some((first, rest)) = parts.split_first() else { return text.is_empty() };
    let mut characters = text.chars();
    match first {
        Part::Literal(literal) => text.strip_prefix(literal.as_str()).is_some_and(|text| matches_parts(rest, text)),
        Part::AnyChar => characters.next().is_some() && matches_parts(rest, characters.as_str()),
        Part::AnyRun => {
            matches_parts(rest, text) || characters.next().is_some() && matches_parts(parts, characters.as_str())
        }
    }
}

fn refers(reference: &FieldRef, mine: &Json, theirs: &Json) -> bool {
    let (Some(mine), Some(theirs)) = (text(mine), text(theirs)) else { return false };
    let (mine, theirs) = if reference.cased { (mine, theirs) } else { (fold(&mine), fold(&theirs)) };
    match reference.anchor {
        Anchor::Whole => mine == theirs,
        Anchor::Start => mine.starts_with(&theirs),
        Anchor::End => mine.ends_with(&theirs),
        Anchor::Anywhere => mine.contains(&theirs),
    }
}

/// Reads the digits where RFC 3339 has them, with an offset or without one; none is applied.
fn time_part(text: &str, part: TimePart) -> Option<i128> {
    if text.parse::<Timestamp>().is_err() && text.parse::<DateTime>().is_err() {
        return None;
    }
    let date: Date = text.get(..10)?.parse().ok()?;
    match part {
        TimePart::Minute => text.get(14..16)?.parse().ok(),
        TimePart::Hour => text.get(11..13)?.parse().ok(),
        TimePart::Day => Some(date.day().into()),
        TimePart::Week => Some(date.iso_week_date().week().into()),
        TimePart::Month => Some(date.month().into()),
        TimePart::Year => Some(date.year().into()),
    }
}
