//! The answer for people: what was asked, what the log holds, and each group with its entries.

use std::fmt::Write;

use anstyle::Style;

use super::report::{EntryReport, FieldReport, GroupReport, MatchReport, Report};
use crate::cli::explain::tree::Look;
use crate::cli::render::{self, counted, painted, plain};

/// How many groups are told of: the others came less near.
const MOST_GROUPS: usize = 10;

/// The same beside a test that fails.
const MOST_GROUPS_OF_TEST: usize = 3;

/// How many of a group's entries are shown: half of them from the start, half from the end.
const MOST_ENTRIES: usize = 12;

/// How many events of a rule are named.
const MOST_EVENTS: usize = 8;

/// How much of a value is shown, in bytes.
const LONGEST_VALUE: usize = 120;

/// Everything.
pub(super) fn whole(report: &Report<'_>, look: Look) -> String {
    let rule = &report.rule;
    let verdict = if report.fired { "fires" } else { "does not fire" };
    let answer = format!("{} {verdict}", rule.name);
    let mut text = format!(
        "{} {}\n  rule   {} ({}:{})\n  fires  on {}\n",
        look.mark(report.fired),
        painted(&answer, Style::new().bold(), look.color),
        plain(rule.title),
        plain(&rule.file),
        rule.line,
        plain(&rule.fires),
    );
    if !rule.group_by.is_empty() {
        let _ = writeln!(text, "  by     {}", rule.group_by.join(", "));
    }
    let log = &report.log;
    let _ = write!(text, "  log    {}: {}", plain(&log.name), counted(log.events, "event", "events"));
    if log.unreadable > 0 {
        let _ = write!(text, ", {} unreadable", render::grouped(log.unreadable));
    }
    text.push_str("\n\n");
    text.push_str(&matches(report));
    for group in report.groups.iter().take(MOST_GROUPS) {
        text.push('\n');
        text.push_str(&of_group(group, look));
    }
    text.push_str(&others(report, MOST_GROUPS));
    text
}

/// What became of each group, and nothing else.
pub(super) fn brief(report: &Report<'_>, look: Look) -> String {
    let mut text = if report.groups.is_empty() { matches(report) } else { String::new() };
    report.groups.iter().take(MOST_GROUPS_OF_TEST).for_each(|group| text.push_str(&of_group(group, look)));
    text.push_str(&others(report, MOST_GROUPS_OF_TEST));
    text
}

/// Which rules matched what.
fn matches(report: &Report<'_>) -> String {
    let mut text: String = report.log.matches.iter().map(of_rule).collect();
    if report.log.without_value > 0 {
        let matches = counted(report.log.without_value, "match takes", "matches take");
        let _ = writeln!(text, "{matches} no part: a value to group by, or to compare, is absent");
    }
    text
}

/// `auth_login_failed matched 3 events: audit.log:1, 5, 7`
fn of_rule(found: &MatchReport) -> String {
    let name = plain(&found.rule);
    let count = found.events.len();
    let did = match (count, found.is_correlation) {
        (0, false) => return format!("{name} matched nothing\n"),
        (0, true) => return format!("{name} did not fire\n"),
        (_, false) => format!("matched {}", counted(count, "event", "events")),
        (_, true) => format!("fired {}", counted(count, "time", "times")),
    };
    let more = if count > MOST_EVENTS { ", ..." } else { "" };
    format!("{name} {did}: {}{more}\n", places(found.events.iter().take(MOST_EVENTS)))
}

/// `audit.log:1, 5, 7`
fn places<'e>(events: impl Iterator<Item = &'e String>) -> String {
    let mut last = "";
    let place = |event: &'e String| {
        let (file, line) = event.rsplit_once(':').unwrap_or((event, event));
        let place = if file == last { line } else { event };
        last = file;
        plain(place)
    };
    events.map(place).collect::<Vec<_>>().join(", ")
}

fn of_group(group: &GroupReport<'_>, look: Look) -> String {
    let name = if group.group.is_empty() { "all together".to_owned() } else { fields(&group.group) };
    let name = painted(&name, Style::new().bold(), look.color);
    let mut text = format!("{} {name}\n  {}\n", look.mark(group.fired), plain(&group.summary));
    for missing in &group.missing {
        let _ = writeln!(text, "  {}", plain(missing));
    }
    for alert in &group.alerts {
        let count = counted(usize::try_from(alert.count).unwrap_or(usize::MAX), "event", "events");
        let (time, last) = (render::time(alert.time), render::time(alert.last));
        let _ = writeln!(text, "  alert at {time}: {count} until {last}");
    }
    text.push_str(&entries(&group.entries, look));
    text
}

fn entries(entries: &[EntryReport<'_>], look: Look) -> String {
    let left_out = entries.len().saturating_sub(MOST_ENTRIES);
    if left_out == 0 {
        return entries.iter().map(entry).collect();
    }
    let (start, end) = (entries.iter().take(MOST_ENTRIES / 2), entries.iter().skip(MOST_ENTRIES / 2 + left_out));
    let more = look.aside(&format!("    {} more", render::grouped(left_out)));
    start.map(entry).chain([more + "\n"]).chain(end.map(entry)).collect()
}

/// `2026-11-22 12:00:00Z  auth_login_failed  audit.log:3`
fn entry(entry: &EntryReport<'_>) -> String {
    let EntryReport { time, rule, event, values } = entry;
    let values = if values.is_empty() { String::new() } else { format!("  {}", fields(values)) };
    format!("    {}  {}  {}{values}\n", render::time(*time), plain(rule), plain(event))
}

/// `request.remote_address 203.0.113.7, request.namespace.path admin/`
fn fields(fields: &[FieldReport]) -> String {
    let field = |FieldReport { field, values }: &FieldReport| {
        let values: Vec<_> = values.iter().map(|value| shown(value)).collect();
        format!("{} {}", plain(field), values.join(" "))
    };
    fields.iter().map(field).collect::<Vec<_>>().join(", ")
}

/// A value, in quotes if it is hard to see otherwise where it ends.
fn shown(value: &str) -> String {
    let shown = render::bounded(value, LONGEST_VALUE);
    if value.is_empty() || value.contains([' ', ',', '"']) { format!("\"{shown}\"") } else { shown.into_owned() }
}

fn others(report: &Report<'_>, shown: usize) -> String {
    match report.groups.len().saturating_sub(shown) {
        0 => String::new(),
        more => format!("and {}\n", counted(more, "other group", "other groups")),
    }
}
