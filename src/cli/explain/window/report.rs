//! What is told of a correlation on a log, whether as text or as JSON.

use std::cmp::Ordering;

use jiff::Timestamp;
use serde::{Serialize, Serializer};

use super::group::{Group, Shown};
use super::{Course, words};
use crate::correlate::{Entry, reason, timestamp};
use crate::diagnostic::Sources;
use crate::pipeline::Tally;
use crate::rule::Header;

/// The whole answer.
#[derive(Serialize)]
pub(super) struct Report<'c> {
    pub(super) rule: RuleReport<'c>,
    pub(super) log: LogReport,
    pub(super) fired: bool,
    /// The groups that fired, then the others, those that came nearest first.
    pub(super) groups: Vec<GroupReport<'c>>,
}

#[derive(Serialize)]
pub(super) struct RuleReport<'c> {
    pub(super) name: &'c str,
    id: String,
    pub(super) title: &'c str,
    pub(super) file: String,
    pub(super) line: usize,
    /// When it fires, in words.
    pub(super) fires: String,
    pub(super) group_by: &'c [String],
}

#[derive(Serialize)]
pub(super) struct LogReport {
    pub(super) name: String,
    pub(super) events: usize,
    pub(super) unreadable: usize,
    /// For each of the rules that it looks at.
    pub(super) matches: Vec<MatchReport>,
    /// How many matches took no part, because a value to group by or to compare was absent.
    pub(super) without_value: usize,
}

/// The matches of a rule, or the firings of a correlation.
#[derive(Serialize)]
pub(super) struct MatchReport {
    pub(super) rule: String,
    /// Where they stand.
    pub(super) events: Vec<String>,
    #[serde(skip)]
    pub(super) is_correlation: bool,
}

/// A group at the moment at which it fired first, or came nearest.
#[derive(Serialize)]
pub(super) struct GroupReport<'c> {
    pub(super) group: Vec<FieldReport>,
    pub(super) fired: bool,
    /// What was measured, as far as it may be shown.
    measured: Option<String>,
    /// The same in words, and against what.
    pub(super) summary: String,
    /// What was missing, in words.
    pub(super) missing: Vec<String>,
    pub(super) alerts: Vec<AlertReport>,
    /// Those within the timespan, up to the moment.
    pub(super) entries: Vec<EntryReport<'c>>,
}

#[derive(Serialize)]
pub(super) struct FieldReport {
    pub(super) field: String,
    pub(super) values: Vec<String>,
}

#[derive(Serialize)]
pub(super) struct AlertReport {
    id: String,
    #[serde(serialize_with = "as_text")]
    pub(super) time: Timestamp,
    /// How many events it counts.
    pub(super) count: u64,
    #[serde(serialize_with = "as_text")]
    pub(super) last: Timestamp,
}

#[derive(Serialize)]
pub(super) struct EntryReport<'c> {
    #[serde(serialize_with = "as_text")]
    pub(super) time: Timestamp,
    pub(super) rule: &'c str,
    pub(super) event: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) values: Vec<FieldReport>,
}

impl<'c> Report<'c> {
    pub(super) fn of(course: &'c Course<'c>, sources: &Sources, log: &str, tally: Tally) -> Self {
        let mut groups: Vec<Group<'c>> =
            course.survey.windows.iter().filter_map(|surveyed| Group::of(course, surveyed)).collect();
        groups.sort_by(|a, b| a.distance.total_cmp(&b.distance).then_with(|| by_first(a, b)));
        let correlation = course.ensemble.correlation;
        let (file, line) = sources.place(&correlation.header.span);
        Self {
            rule: RuleReport {
                name: &correlation.header.name,
                id: correlation.header.id.to_string(),
                title: &correlation.header.title,
                file: file.to_owned(),
                line,
                fires: reason(correlation),
                group_by: &correlation.group_by,
            },
            log: LogReport {
                name: log.to_owned(),
                events: tally.events,
                unreadable: tally.unreadable,
                matches: matches(course),
                without_value: course.survey.without_value,
            },
            fired: groups.iter().any(|group| group.fired),
            groups: groups.iter().map(GroupReport::of).collect(),
        }
    }
}

/// By the first entry of each; every group has one.
fn by_first(a: &Group<'_>, b: &Group<'_>) -> Ordering {
    a.first().zip(b.first()).map_or(Ordering::Equal, |(a, b)| a.order(b))
}

/// What every rule matched, and every other correlation fired at, in the order of the rules.
fn matches(course: &Course<'_>) -> Vec<MatchReport> {
    let ensemble = course.ensemble;
    let rules = ensemble.rules.iter().map(|rule| (&rule.header, false));
    let headers = rules.chain(ensemble.correlations.iter().map(|other| (&other.header, true)));
    let plan = course.analytics.plan();
    let report = |(header, is_correlation): (&Header, bool)| {
        let of = plan.find(header.id);
        let own = course.survey.matches.iter().filter(|found| Some(found.source) == of);
        let events = own.map(|found| Group::position(&found.event)).collect();
        MatchReport { rule: header.name.clone(), events, is_correlation }
    };
    headers.map(report).collect()
}

impl<'c> GroupReport<'c> {
    fn of(group: &Group<'c>) -> Self {
        let alerts = group.incidents().iter().map(|incident| AlertReport {
            id: incident.id.to_string(),
            time: timestamp(incident.opened),
            count: incident.count,
            last: timestamp(incident.last),
        });
        Self {
            group: fields(group.named()),
            fired: group.fired,
            measured: group.measured(),
            summary: words::summary(group),
            missing: if group.fired { Vec::new() } else { words::missing(group) },
            alerts: alerts.collect(),
            entries: group.telling().into_iter().map(|entry| EntryReport::of(group, entry)).collect(),
        }
    }
}

impl<'c> EntryReport<'c> {
    fn of(group: &Group<'c>, entry: &Entry) -> Self {
        Self {
            time: timestamp(entry.time),
            rule: group.rule(entry),
            event: Group::position(&entry.event),
            values: fields(group.values(entry)),
        }
    }
}

fn fields(shown: Vec<Shown>) -> Vec<FieldReport> {
    let field =
        |(field, values): Shown| FieldReport { field, values: values.iter().map(ToString::to_string).collect() };
    shown.into_iter().map(field).collect()
}

fn as_text<S: Serializer>(time: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(time)
}
