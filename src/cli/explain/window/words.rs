//! What was measured of a group, and what was missing, in words.

use jiff::SignedDuration;

use super::group::{self, Group};
use crate::cli::render;
use crate::correlate::{Entry, bounds, satisfies, timestamp};
use crate::number::Number;
use crate::rule::{CorrelationKind, MOST_ENTRIES, suggest};

/// `9 of at least 10 events within 5m: 2026-11-22 12:00:00Z to 12:04:00Z, 4m apart`
pub(super) fn summary(group: &Group<'_>) -> String {
    let entries = group.telling();
    let (Some(first), Some(last)) = (entries.first(), entries.last()) else { return String::new() };
    let from = render::time(timestamp(first.time));
    let when = if first.time == last.time {
        from
    } else {
        format!("{from} to {}, {} apart", clock(last, &from), span(last.time - first.time))
    };
    let fires = if group.fired { "it fires with " } else { "" };
    format!("{fires}{}: {when}", measured(group))
}

/// `9 of at least 10 events within 5m`
fn measured(group: &Group<'_>) -> String {
    let correlation = group.correlation();
    let noun = match &correlation.kind {
        CorrelationKind::EventCount => "events".to_owned(),
        CorrelationKind::ValueCount { fields } => format!("values of {}", listed(fields)),
        CorrelationKind::Temporal => "rules".to_owned(),
        CorrelationKind::TemporalOrdered => "rules in their order".to_owned(),
        CorrelationKind::ValueSum { field } => return reckoned(group, "the sum", field),
        CorrelationKind::ValueAvg { field } => return reckoned(group, "the mean", field),
        CorrelationKind::ValueMedian { field } => return reckoned(group, "the median", field),
        CorrelationKind::ValuePercentile { field, percentile } => {
            return reckoned(group, &format!("percentile {percentile}"), field);
        }
        CorrelationKind::FirstSeen { field, .. } => {
            let novelty = if group.verdict.measured == Some(Number::Integer(1)) { "new" } else { "known" };
            return format!("a {novelty} value of `{field}`");
        }
    };
    let asked = match bounds(&correlation.condition) {
        _ if group.fired => String::new(),
        all if all.is_empty() => format!(" of {}", correlation.rules.len()),
        bounds => format!(" of {bounds}"),
    };
    let measured = group.measured().unwrap_or_default();
    format!("{measured}{asked} {noun} within {}", correlation.timespan)
}

/// `the sum of `x` is 12, and should be at least 100, within 5m`
fn reckoned(group: &Group<'_>, what: &str, field: &str) -> String {
    let correlation = group.correlation();
    let (measured, within) = (group.measured().unwrap_or_else(|| "unknown".to_owned()), correlation.timespan);
    if group.fired {
        return format!("{what} of `{field}` at {measured} within {within}");
    }
    let bounds = bounds(&correlation.condition);
    format!("{what} of `{field}` is {measured}, and should be {bounds}, within {within}")
}

/// What would have made it fire.
pub(super) fn missing(group: &Group<'_>) -> Vec<String> {
    match &group.correlation().kind {
        CorrelationKind::EventCount | CorrelationKind::ValueCount { .. } => more(group).into_iter().collect(),
        CorrelationKind::Temporal | CorrelationKind::TemporalOrdered => rules(group),
        CorrelationKind::FirstSeen { warmup, .. } => vec![known(group, nanoseconds_of(warmup.duration()))],
        _ => Vec::new(),
    }
}

/// How many more it would take, and by when.
fn more(group: &Group<'_>) -> Option<String> {
    let correlation = group.correlation();
    let Some(Number::Integer(measured)) = group.verdict.measured else { return None };
    let most = i128::try_from(MOST_ENTRIES).ok()? + 1;
    let suffices = |count: &i128| correlation.condition.iter().all(|bound| satisfies(Number::Integer(*count), bound));
    let more = usize::try_from((measured + 1..=most).find(suffices)? - measured).ok()?;
    let count = match (&correlation.kind, more) {
        (CorrelationKind::ValueCount { .. }, 1) => "one other".to_owned(),
        (CorrelationKind::ValueCount { .. }, _) => format!("{} others", render::grouped(more)),
        (_, 1) => "one more".to_owned(),
        (_, _) => format!("{} more", render::grouped(more)),
    };
    let news = |entry: &&Entry| !group.within().iter().any(|known| group::is_alike(correlation, known, entry));
    Some(format!("{count} would have to come by {}", deadline(group, group.later().iter().find(news))?))
}

/// Which rules did not match, or not in their order.
fn rules(group: &Group<'_>) -> Vec<String> {
    let is_there = |name: &&String| group.within().iter().any(|entry| group.rule(entry) == name.as_str());
    let absent: Vec<&str> =
        group.correlation().rules.iter().filter(|name| !is_there(name)).map(String::as_str).collect();
    if absent.is_empty() {
        return vec!["all of them matched, in another order".to_owned()];
    }
    let would = |name: &str| {
        let next = group.later().iter().find(|entry| group.rule(entry) == name);
        Some(format!("`{name}` would have to match by {}", deadline(group, next)?))
    };
    absent.into_iter().filter_map(would).collect()
}

/// Until when something could have come, and when it came, if it did.
fn deadline(group: &Group<'_>, next: Option<&Entry>) -> Option<String> {
    let until = group.deadline()?;
    let by = render::time(timestamp(until));
    let next = next.filter(|next| next.time > until);
    Some(match next {
        Some(next) => format!(
            "{by}; {} came at {}, {} too late",
            Group::position(&next.event),
            render::time(timestamp(next.time)),
            span(next.time - until)
        ),
        None => by,
    })
}

/// Why a value is no news.
fn known(group: &Group<'_>, warmup: i64) -> String {
    let Some((last, before)) = group.within().split_last() else { return String::new() };
    if let Some(earlier) = before.iter().rev().find(|entry| entry.value == last.value) {
        let (place, ago) = (Group::position(&earlier.event), span(last.time - earlier.time));
        return format!("it was seen {ago} before, at {place}, and is remembered for {}", group.correlation().timespan);
    }
    let since = group.first().map_or(last.time, |first| first.time);
    let until = render::time(timestamp(since.saturating_add(warmup)));
    let since = render::time(timestamp(since));
    format!("the group is known since {since} only: until {until} it learns")
}

/// `1d 2h`, `5m 30s`; what is short to the millisecond, what is very short exactly.
fn span(nanoseconds: i64) -> String {
    let exact = SignedDuration::from_nanos(nanoseconds);
    let rounded = match exact.as_millis() {
        10_000.. => SignedDuration::from_secs(exact.as_secs()),
        1.. => SignedDuration::from_nanos(nanoseconds - nanoseconds % 1_000_000),
        _ => exact,
    };
    let days = rounded.as_hours() / 24;
    let rest = rounded - SignedDuration::from_hours(days * 24);
    match (days, rest.is_zero()) {
        (0, _) => format!("{rest:#}"),
        (_, true) => format!("{days}d"),
        (_, false) => format!("{days}d {rest:#}"),
    }
}

fn nanoseconds_of(duration: SignedDuration) -> i64 {
    duration.as_nanos().try_into().unwrap_or(i64::MAX)
}

/// When an entry was: the time alone, if the day is the same as in `since`.
fn clock(entry: &Entry, since: &str) -> String {
    let time = render::time(timestamp(entry.time));
    match (time.split_once(' '), since.split_once(' ')) {
        (Some((day, clock)), Some((other, _))) if day == other => clock.to_owned(),
        _ => time,
    }
}

fn listed(fields: &[String]) -> String {
    suggest::enumerate(&fields.iter().map(String::as_str).collect::<Vec<_>>())
}
