//! The edges of every measure, as tables: what the windows find, and what the oracle finds by the definitions alone.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Write;

use serde::Deserialize;
use serde_json::{Value as Json, json};
use vaultwatch::correlate::{Contributions, Match, Windows, nanoseconds};
use vaultwatch::payload::{LogBatch, LogEvent, LogText, Position};
use vaultwatch::pipeline::{self, Analytics, Detected, Workspace};
use vaultwatch::rule::Reading;

use super::log;
use super::oracle::{Hit, Incident, Oracle};
use crate::{cases, line};

/// One case, as the head of `cases.toml` describes it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    rules: String,
    log: Vec<String>,
    alerts: Vec<String>,
    backwards: Option<Vec<String>>,
    without_value: Option<usize>,
}

/// A line of a case's log.
struct Event {
    /// After the start.
    milliseconds: i64,
    /// That it matches, by name.
    rules: Vec<String>,
    fields: BTreeMap<String, Vec<String>>,
    /// What it shares with its request or response: by default its place.
    request: String,
    text: String,
}

impl Event {
    fn read((place, line): (usize, &String)) -> Self {
        let mut words = line.split_whitespace();
        let seconds: f64 = words.next().unwrap().parse().unwrap();
        #[expect(clippy::cast_possible_truncation, reason = "tests are about seconds")]
        let milliseconds = (seconds * 1000.0).round() as i64;
        let (fields, rules): (Vec<&str>, Vec<&str>) = words.partition(|word| word.contains('='));
        let field = |word: &&str| -> (String, Vec<String>) {
            let (name, values) = word.split_once('=').unwrap();
            (name.to_owned(), values.split(',').map(str::to_owned).collect())
        };
        let mut fields: BTreeMap<String, Vec<String>> = fields.iter().map(field).collect();
        let request = fields.remove("request").map_or_else(|| place.to_string(), |id| id[0].clone());
        let mut event = json!({
            "time": log::after_start(milliseconds).to_string(),
            "type": "request",
            "request": {"id": format!("request {request}")},
            "rules": rules,
        });
        for (name, values) in &fields {
            event[name] = match values.as_slice() {
                [value] => text_or_number(value),
                values => values.iter().map(|value| text_or_number(value)).collect(),
            };
        }
        let rules = rules.into_iter().map(str::to_owned).collect();
        Self { milliseconds, rules, fields, request, text: event.to_string() }
    }

    fn hits(&self, place: usize) -> impl Iterator<Item = Hit> {
        let time = nanoseconds(log::after_start(self.milliseconds));
        self.rules.iter().map(move |rule| Hit {
            rule: rule.clone(),
            time,
            place,
            happening: self.request.clone(),
            values: self.fields.iter().map(|(name, values)| (name.clone(), unquoted(values))).collect(),
        })
    }
}

/// Numbers and texts that read alike are alike.
fn unquoted(values: &[String]) -> Vec<String> {
    values.iter().map(|value| value.trim_matches('"').to_owned()).collect()
}

fn text_or_number(value: &str) -> Json {
    serde_json::from_str(value).unwrap_or_else(|_| value.into())
}

impl Case {
    /// The rules `a`, `b` and `c`, unless the case has them, and what it adds.
    fn reading(&self) -> Reading {
        let mut text = String::new();
        let added: Vec<&str> = self.rules.split("---\n").filter(|rule| !rule.is_empty()).collect();
        let is_added = |name: &str| added.iter().any(|rule| rule.starts_with(&format!("name: {name}\n")));
        let rules = ["a", "b", "c"].into_iter().filter(|name| !is_added(name)).map(|name| format!("name: {name}\n"));
        for (number, rule) in (1..).zip(rules.chain(added.iter().map(|rule| (*rule).to_owned()))) {
            let name = rule.lines().next().unwrap().trim_start_matches("name: ");
            write!(text, "---\n{rule}\ntitle: T\nid: 00000000-0000-4000-8000-{number:012}\nlevel: low\n").unwrap();
            if !rule.contains("correlation:") {
                let detection = format!("{{rule: {{rules: {name}}}, condition: rule}}");
                write!(text, "logsource: {{product: vault, service: audit}}\ndetection: {detection}\n").unwrap();
            }
        }
        super::read(&text)
    }

    fn events(&self) -> Vec<Event> {
        self.log.iter().enumerate().map(Event::read).collect()
    }

    /// What is wrong, if anything is.
    fn check(&self) -> Option<String> {
        let reading = self.reading();
        let analytics = line::compile(reading.clone());
        let events = self.events();
        let whole: Vec<Vec<(usize, &Event)>> = vec![events.iter().enumerate().collect()];
        let pieces: Vec<Vec<(usize, &Event)>> = events.iter().enumerate().map(|event| vec![event]).collect();
        let backwards: Vec<Vec<(usize, &Event)>> = pieces.iter().rev().cloned().collect();
        let hits = events.iter().enumerate().flat_map(|(place, event)| event.hits(place)).collect();
        let oracle = Oracle::new(&reading, hits).incidents();
        let found: Vec<(&str, Vec<String>)> = vec![
            ("by the definitions", sorted(oracle.iter().map(told).collect())),
            ("as one batch", incidents(&analytics, &whole)),
            ("line by line", incidents(&analytics, &pieces)),
        ];
        let wanted = sorted(self.alerts.clone());
        let without_value = Contributions::of(analytics.plan(), &matches(&analytics, &events), 0).without_value;
        if self.without_value.is_some_and(|wanted| wanted != without_value) {
            return Some(format!("{without_value} took no part"));
        }
        let wrong = found.into_iter().find(|(_, alerts)| *alerts != wanted);
        let wrong = wrong.map(|(how, alerts)| format!("{how}: {alerts:#?}\nexpected: {wanted:#?}"));
        wrong.or_else(|| {
            let wanted = sorted(self.backwards.clone()?);
            let alerts = incidents(&analytics, &backwards);
            (alerts != wanted).then(|| format!("backwards: {alerts:#?}\nexpected: {wanted:#?}"))
        })
    }
}

/// An alert as the cases have it: `name 60: 0-60 x2`, opened at 60 s, with two events from 0 s to 60 s.
fn told(incident: &Incident) -> String {
    let Incident { analytic, opened, first, last, count, .. } = incident;
    format!("{analytic} {}: {}-{} x{count}", seconds(*opened), seconds(*first), seconds(*last))
}

fn seconds(time: i64) -> String {
    let milliseconds = (time - nanoseconds(log::after_start(0))) / 1_000_000;
    #[expect(clippy::cast_precision_loss, reason = "tests are about seconds")]
    let seconds = milliseconds as f64 / 1000.0;
    seconds.to_string()
}

/// All incidents that the batches leave in the windows.
fn incidents(analytics: &Analytics, batches: &[Vec<(usize, &Event)>]) -> Vec<String> {
    let mut windows = Windows::default();
    let mut specs = BTreeMap::new();
    for events in batches {
        let batch = batch(events);
        let Detected { matches, newest, .. } = pipeline::detect(analytics, &batch, &mut Workspace::default());
        let told = windows.correlate(analytics.plan(), matches, nanoseconds(newest), &mut |_, _| Vec::new());
        let alerts = told.iter().filter_map(|told| pipeline::conclude(analytics, &batch, &[told]));
        specs.extend(told.iter().zip(alerts).map(|(told, alert)| (told.spec, alert.analytic.name.clone())));
    }
    let incidents = specs.iter().flat_map(|(spec, name)| {
        let incidents = windows.of(*spec).flat_map(|window| window.incidents().to_vec());
        incidents.map(|it| {
            told(&Incident {
                analytic: name.clone(),
                group: Vec::new(),
                opened: it.opened,
                first: it.first,
                last: it.last,
                count: usize::try_from(it.count).unwrap(),
            })
        })
    });
    sorted(incidents.collect())
}

fn sorted(mut alerts: Vec<String>) -> Vec<String> {
    alerts.sort();
    alerts
}

fn matches(analytics: &Analytics, events: &[Event]) -> Vec<Match> {
    let events: Vec<(usize, &Event)> = events.iter().enumerate().collect();
    pipeline::detect(analytics, &batch(&events), &mut Workspace::default()).matches
}

fn batch<'e>(events: &[(usize, &'e Event)]) -> LogBatch<'e> {
    let events = events.iter().map(|(place, event)| LogEvent {
        position: Position::LogEvent(Cow::Owned(log::name(*place))),
        timestamp: None,
        text: LogText::Plain(&event.text),
    });
    LogBatch { events: events.collect(), ..LogBatch::default() }
}

#[test]
fn every_edge_is_where_the_tables_say() {
    let mut failures = String::new();
    let cases: Vec<Case> = cases::of_file("tests/state/cases.toml");
    for case in &cases {
        if let Some(wrong) = case.check() {
            writeln!(failures, "\n{}\n{wrong}", case.name).unwrap();
        }
    }
    println!("{} cases", cases.len());
    assert!(failures.is_empty(), "{failures}");
}
