//! The line: batches in, alerts out, however the log was cut, repeated or damaged.

use std::borrow::Cow;
use std::collections::BTreeSet;

use jiff::Timestamp;
use uuid::Uuid;
use vaultwatch::alert::{Alert, Subject};
use vaultwatch::diagnostic::{Source, Sources};
use vaultwatch::payload::{EventRef, LogBatch, LogEvent, LogStream, LogText, Position};
use vaultwatch::pipeline::{self, Analytics, Tally, Workspace};
use vaultwatch::rule;

use crate::{corpus, line};

/// Two rules: one that both entries of a denied request match, and one about KMIP entries, which have no request id.
/// Each happening is an alert of its own.
const RULES: &str = r"
title: Denied
id: 6a1b7c1e-61a5-4a1c-9f9e-0c9d0b6c7c01
name: denied
logsource: {product: vault, service: audit}
detection: {denied: {derived.denied: '*'}, condition: denied}
level: low
alert: {suppress: 0}
---
title: KMIP
id: 6a1b7c1e-61a5-4a1c-9f9e-0c9d0b6c7c02
name: kmip
logsource: {product: vault, service: audit}
detection: {kmip: {type|startswith: kmip-}, condition: kmip}
level: low
alert: {suppress: 0}
";

fn rules() -> Analytics {
    let reading = rule::read(&Sources(vec![Source::new("rules.yml", RULES)]));
    assert!(reading.diagnostics.is_empty(), "{:?}", reading.diagnostics);
    line::compile(reading)
}

/// The lines as log events `1`, `2`, ..., shipped at 5 s past 1970.
fn run(lines: &[&str]) -> (Tally, Vec<Alert>) {
    let events = lines.iter().zip(1..).map(|(line, id)| LogEvent {
        position: Position::LogEvent(Cow::Owned(id.to_string())),
        timestamp: Some(5_000),
        text: LogText::Plain(line),
    });
    let stream = LogStream { owner: "1".into(), log_group: "vault".into(), log_stream: "s".into() };
    let batch = LogBatch { stream, events: events.collect(), ..LogBatch::default() };
    let rules = rules();
    let detected = pipeline::detect(&rules, &batch, &mut Workspace::default());
    (detected.tally, line::alerts(&rules, &batch))
}

fn ids(lines: &[&str]) -> BTreeSet<Uuid> {
    run(lines).1.iter().map(|alert| alert.id).collect()
}

fn log_events(alert: &Alert) -> Vec<&str> {
    alert.events.iter().map(log_event).collect()
}

fn log_event(event: &EventRef) -> &str {
    match event {
        EventRef::LogEvent(id) => id,
        EventRef::Line { .. } => panic!("no file was replayed"),
    }
}

#[test]
fn a_request_and_its_response_alert_once() {
    let (request, response) =
        (corpus::line("11-permission-denied-kv.jsonl:1"), corpus::line("11-permission-denied-kv.jsonl:2"));
    let (tally, alerts) = run(&[&request, &response]);
    assert_eq!(tally, Tally { events: 2, unreadable: 0, untimed: 0, matches: 2 });
    assert_eq!(alerts.len(), 1);
    assert_eq!(log_events(&alerts[0]), ["1", "2"]);
    assert_eq!(alerts[0].time, "2026-11-22T13:40:25.942468226Z".parse().unwrap());
}

#[test]
fn however_the_log_is_cut_or_repeated_the_ids_are_the_same() {
    let lines: Vec<String> = corpus::lines().into_iter().map(|(_, line)| line).collect();
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let whole = ids(&lines);
    assert!(whole.len() > 80, "the corpus has {} denials", whole.len());
    for size in [1, 7, 100] {
        let pieces: BTreeSet<Uuid> = lines.chunks(size).flat_map(ids).collect();
        assert_eq!(pieces, whole, "in pieces of {size}");
    }
    let mut shuffled = [&lines[..], &lines[..]].concat();
    shuffled.reverse();
    assert_eq!(run(&shuffled).1.len(), whole.len());
    assert_eq!(ids(&shuffled), whole);
}

#[test]
fn entries_without_a_request_id_stand_for_themselves() {
    let kmip = |line| corpus::line(&format!("public/elastic-vault-audit-real-and-kmip.jsonl:{line}"));
    let (first, second) = (kmip(4), kmip(5));
    assert_eq!(run(&[&first, &second, &first]).1.len(), 2);
}

#[test]
fn what_cannot_be_read_alerts_once_a_batch_without_its_content() {
    let good = corpus::line("11-permission-denied-kv.jsonl:1");
    let bad: Vec<String> = (0..30).map(|n| format!("secret {n}")).collect();
    let mut lines: Vec<&str> = bad.iter().map(String::as_str).collect();
    lines.insert(1, &good);
    let (tally, alerts) = run(&lines);
    assert_eq!((tally.events, tally.unreadable, tally.matches), (31, 30, 1));
    let names: Vec<&str> = alerts.iter().map(|alert| alert.analytic.name.as_str()).collect();
    assert_eq!(names, ["unreadable_audit_events", "denied"]);
    let unreadable = &alerts[0];
    assert!(matches!(unreadable.subject, Subject::Unreadable));
    assert_eq!(unreadable.occurrences.count, 30);
    assert_eq!((log_events(unreadable).len(), log_events(unreadable)[..3].to_vec()), (30, vec!["1", "3", "4"]));
    assert_eq!(unreadable.time, Timestamp::from_second(5).unwrap());
    assert!(!format!("{unreadable:?}").contains("secret"));
}

#[test]
fn an_event_without_a_readable_time_takes_its_log_events() {
    let line = corpus::line("11-permission-denied-kv.jsonl:1");
    for (name, time) in [("absent", None), ("not a time", Some("yesterday".into())), ("a number", Some(5.into()))] {
        let mut event = serde_json::from_str(&line).unwrap();
        corpus::remove(&mut event, "time");
        if let Some(time) = time {
            corpus::set(&mut event, "time", time);
        }
        let (tally, alerts) = run(&[&event.to_string()]);
        assert_eq!((tally.untimed, alerts[0].time), (1, Timestamp::from_second(5).unwrap()), "{name}");
    }
}
