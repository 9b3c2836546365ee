//! Whether what was published is what one pass over the whole log finds.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use vaultwatch::correlate::{Incident, LATENESS, Stage, Windows, nanoseconds};
use vaultwatch::pipeline::{self, Analytics, Workspace};
use vaultwatch::rule::{AlertOptions, Correlation, CorrelationKind, Reading};

use super::log::{self, Line};
use super::oracle::{self, Entry, Oracle};
use super::play::Outcome;
use super::stage::Publication;

pub(super) struct Judge<'j> {
    pub(super) reading: &'j Reading,
    pub(super) lines: &'j [Line],
    pub(super) oracle: Oracle<'j>,
    pub(super) outcome: &'j Outcome,
}

type Verdict = Result<(), TestCaseError>;

impl Judge<'_> {
    /// What was told, and is on record as told, is told again only with more to tell.
    pub(super) fn nothing_is_told_twice(&self) -> Verdict {
        let mut on_record: BTreeMap<_, u64> = BTreeMap::new();
        for it in &self.outcome.published {
            let told = on_record.get(&it.id).copied().unwrap_or(0);
            prop_assert!(it.count > told, "{told} were told of before: {it:?}");
            prop_assert!(it.stage != Stage::Opened || told == 0, "opened twice: {it:?}");
            if it.on_record {
                on_record.insert(it.id, it.count);
            }
        }
        Ok(())
    }

    /// Every alert is justified by events that really lie in its window. What a correlation of correlations is told
    /// depends on the order in which its events came.
    pub(super) fn sound(&self) -> Verdict {
        for it in self.outcome.published.iter().filter(|it| !self.is_chain(&it.analytic)) {
            prop_assert!(!it.events.is_empty(), "no evidence: {it:?}");
            prop_assert!(it.first <= it.opened && it.opened <= it.last, "opened out of its time: {it:?}");
            let group = self.group(it);
            let entries = self.oracle.all_entries(&it.analytic, &group);
            for place in &it.events {
                prop_assert!(entries.iter().any(|entry| entry.place == *place), "{place} is not of {group:?}: {it:?}");
                prop_assert!(self.lies_within(*place, it), "{place} lies outside: {it:?}");
            }
            prop_assert!(self.holds(it, &group, &entries), "does not hold: {it:?}");
        }
        Ok(())
    }

    /// A request and its response stand for each other.
    fn lies_within(&self, place: usize, it: &Publication) -> bool {
        let request = self.lines[place].event.request;
        let mut times = self.lines.iter().filter(|line| line.event.request == request).map(Line::time);
        times.any(|time| (it.first..=it.last).contains(&time))
    }

    fn holds(&self, it: &Publication, group: &[String], entries: &[Entry]) -> bool {
        let last = entries.iter().rposition(|entry| entry.time == it.opened);
        let Some((correlation, last)) = self.correlation(&it.analytic).zip(last) else { return last.is_some() };
        match correlation.kind {
            CorrelationKind::FirstSeen { .. } => {
                let sightings = self.oracle.groups(correlation).remove(group).unwrap();
                let timespan = oracle::nanoseconds(correlation.timespan);
                // An earlier sighting may come late.
                let reach = it.opened - timespan..it.opened - LATENESS;
                let is_new = |entry: &&Entry| {
                    !sightings.iter().any(|other| other.value == entry.value && reach.contains(&other.time))
                };
                entries.iter().filter(|entry| entry.time == it.opened).any(|entry| is_new(&entry))
            }
            _ => oracle::holds(correlation, entries, last),
        }
    }

    /// Every alert that one pass over the log finds is covered by one that was published.
    pub(super) fn complete(&self) -> Verdict {
        for wanted in self.oracle.incidents().iter().filter(|wanted| !self.is_chain(&wanted.analytic)) {
            let mut published = self.outcome.published.iter().filter(|it| it.analytic == wanted.analytic);
            let covers = |it: &Publication| self.group(it) == wanted.group && self.covers(it, wanted.opened);
            prop_assert!(published.any(covers), "nobody told of {wanted:?}");
        }
        Ok(())
    }

    fn covers(&self, it: &Publication, time: i64) -> bool {
        let Some(incident) = self.incident(it) else { return false };
        // Which sighting of a value was the first one depends on the order in which they came.
        let is_first_seen =
            self.correlation(&it.analytic).is_some_and(|it| matches!(it.kind, CorrelationKind::FirstSeen { .. }));
        let slack = if is_first_seen { LATENESS } else { 0 };
        let suppressed = incident.opened + oracle::nanoseconds(self.alert_options(&it.analytic).suppress());
        (incident.first - slack..=incident.last.max(suppressed) + slack).contains(&time)
    }

    /// Repeats of events that alert by themselves are counted exactly.
    pub(super) fn counts_are_exact(&self) -> Verdict {
        let incidents = self.oracle.incidents();
        let wanted: usize = incidents.iter().filter(|it| it.analytic == "single").map(|it| it.count).sum();
        let told: u64 = self.last_told().values().filter(|it| it.analytic == "single").map(|it| it.count).sum();
        prop_assert_eq!(told, wanted as u64);
        Ok(())
    }

    /// The alerts of one pass, with the same ids, times and counts.
    pub(super) fn same_as_one_pass(&self, analytics: &Analytics) -> Verdict {
        // Whether a value is new may hang on a response whose request was forgotten.
        let has_responses =
            self.lines.iter().map(|line| line.event.request).collect::<BTreeSet<_>>().len() < self.lines.len();
        let is_exact = |analytic: &str| !has_responses || !["first_seen", "chain_of_kinds"].contains(&analytic);
        let wanted = self.oracle.incidents().into_iter().filter(|it| is_exact(&it.analytic));
        let mut wanted: Vec<_> =
            wanted.map(|it| (it.analytic, it.opened, it.first, it.last, it.count as u64)).collect();
        let last_told = self.last_told();
        let told = last_told.values().filter(|it| is_exact(&it.analytic));
        let mut told: Vec<_> = told.map(|it| (it.analytic.clone(), it.opened, it.first, it.last, it.count)).collect();
        wanted.sort();
        told.sort();
        prop_assert_eq!(told, wanted);
        let batch = log::batch(self.lines);
        let detected = pipeline::detect(analytics, &batch, &mut Workspace::default());
        let event_time = nanoseconds(detected.newest);
        let told = Windows::default().correlate(analytics.plan(), detected.matches, event_time, &mut |_, _| Vec::new());
        let ids: BTreeSet<_> = told.iter().map(|told| told.announcement.incident).collect();
        prop_assert_eq!(last_told.keys().copied().collect::<BTreeSet<_>>(), ids);
        Ok(())
    }

    fn last_told(&self) -> BTreeMap<uuid::Uuid, &Publication> {
        self.outcome.published.iter().map(|it| (it.id, it)).collect()
    }

    fn correlation(&self, name: &str) -> Option<&Correlation> {
        self.reading.correlations.iter().find(|correlation| correlation.header.name == name)
    }

    fn is_chain(&self, name: &str) -> bool {
        self.correlation(name).is_some_and(|it| it.rules.iter().any(|rule| self.correlation(rule).is_some()))
    }

    fn alert_options(&self, name: &str) -> &AlertOptions {
        let rule = self.reading.rules.iter().map(|rule| &rule.header).find(|header| header.name == name);
        &rule.or(self.correlation(name).map(|it| &it.header)).unwrap().alert
    }

    fn incident(&self, it: &Publication) -> Option<&Incident> {
        self.outcome.windows[&it.key?].incident(it.id)
    }

    /// The group of the first event that is told, as the rules of `model.yml` group them.
    fn group(&self, it: &Publication) -> Vec<String> {
        let hits = self.lines[it.events[0]].hits();
        let value = |field: &str| hits[0].values[field][0].clone();
        match it.analytic.as_str() {
            "each" => vec![hits[0].happening.clone()],
            "single" => vec![value("auth.display_name"), value("request.remote_address")],
            _ => vec![value("auth.display_name")],
        }
    }
}
