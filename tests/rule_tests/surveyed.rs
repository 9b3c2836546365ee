//! What `explain` and the tests of correlations look at is what the function would have seen: a log as a whole, in one
//! batch, and line by line come to the same alerts.

use std::collections::BTreeSet;

use proptest::prelude::*;
use uuid::Uuid;

use vaultwatch::correlate::{Survey, Windows};
use vaultwatch::diagnostic::{Source, Sources};
use vaultwatch::payload::{LogBatch, LogEvent, LogStream, LogText, Position};
use vaultwatch::pipeline::{self, Workspace};
use vaultwatch::rule::{self, Reading};
use vaultwatch::rule_test::Ensemble;

const RULES: &str = "
title: A
id: 6a0f6a4c-37e8-4b0a-8a5c-0d2f6a7f1d00
name: a
level: low
logsource: {product: vault, service: audit}
detection: {s: {type: a}, condition: s}
---
title: B
id: 6a0f6a4c-37e8-4b0a-8a5c-0d2f6a7f1d01
name: b
level: low
logsource: {product: vault, service: audit}
detection: {s: {type: b}, condition: s}
";

/// What stands under `correlation`, beside the timespan.
const CORRELATIONS: [&str; 9] = [
    "{type: event_count, rules: [a, b], group-by: [g], condition: {gte: 4}",
    "{type: value_count, rules: [a], group-by: [g], condition: {field: v, gte: 3}",
    "{type: temporal, rules: [a, b], group-by: [g]",
    "{type: temporal_ordered, rules: [b, a], group-by: [g]",
    "{type: value_sum, rules: [a, b], group-by: [g], condition: {field: v, gt: 7.5}",
    "{type: value_avg, rules: [a], condition: {field: v, gte: 2, lt: 3}",
    "{type: value_median, rules: [b], group-by: [g], condition: {field: v, eq: 1}",
    "{type: first_seen, rules: [a], group-by: [g], field: v, warmup: 3s",
    "{type: temporal_ordered, rules: [correlation_0, correlation_2], group-by: [g]",
];

fn reading() -> Reading {
    let correlation = |(number, body): (usize, &&str)| {
        format!(
            "---\ntitle: C\nid: 6a0f6a4c-37e8-4b0a-8a5c-0d2f6a7f1e{number:02}\nname: correlation_{number}\nlevel: low\n\
             correlation: {body}, timespan: 5s}}\nalert: {{suppress: {}}}\n",
            ["0", "4s", "1h"][number % 3]
        )
    };
    let correlations: String = CORRELATIONS.iter().enumerate().map(correlation).collect();
    let reading = rule::read(&Sources(vec![Source::new("rules.yml", format!("{RULES}{correlations}"))]));
    assert_eq!(reading.correlations.len(), CORRELATIONS.len(), "{:?}", reading.diagnostics);
    reading
}

/// An event: which rule it matches, when in quarters of a second, its group and its value.
type Drawn = (bool, u32, u8, u8);

fn lines(drawn: &[Drawn]) -> Vec<String> {
    let line = |(number, (is_a, quarter, group, value)): (usize, &Drawn)| {
        let (kind, second, fraction) = (if *is_a { "a" } else { "b" }, quarter / 4, quarter % 4 * 25);
        format!(
            r#"{{"time":"2026-11-22T12:00:{second:02}.{fraction:02}Z","type":"{kind}","request":{{"id":"{number}"}},"g":"{group}","v":{value}}}"#
        )
    };
    drawn.iter().enumerate().map(line).collect()
}

fn batch(lines: &[String], first: usize) -> LogBatch<'_> {
    LogBatch {
        stream: LogStream::default(),
        subscription_filters: Vec::new(),
        events: (first as u64..)
            .zip(lines)
            .map(|(line, text)| LogEvent {
                position: Position::Line { file: "log".into(), line },
                timestamp: None,
                text: LogText::Plain(text),
            })
            .collect(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_log_comes_to_the_same_however_it_is_looked_at(
        mut drawn in prop::collection::vec((any::<bool>(), 0..120_u32, 0..2_u8, 0..5_u8), 0..40),
    ) {
        drawn.sort_by_key(|(_, quarter, ..)| *quarter);
        let lines = lines(&drawn);
        let reading = reading();
        for correlation in &reading.correlations {
            let analytics = Ensemble::of(correlation, &reading).compile();
            let id = correlation.header.id;
            let replay = |size: usize| -> BTreeSet<Uuid> {
                let (mut windows, mut workspace) = (Windows::default(), Workspace::default());
                let batches = lines.chunks(size).zip((1..).step_by(size));
                let alerts = batches.flat_map(|(lines, first)| {
                    pipeline::replay(&analytics, &batch(lines, first), &mut windows, &mut workspace)
                });
                alerts.filter(|alert| alert.analytic.id == id).map(|alert| alert.id).collect()
            };
            let matches = pipeline::detect(&analytics, &batch(&lines, 1), &mut Workspace::default()).matches;
            let survey = Survey::of(analytics.plan(), matches, analytics.plan().find(id).unwrap());
            let incidents = survey.windows.iter().flat_map(|surveyed| surveyed.window.incidents());
            let surveyed: BTreeSet<Uuid> = incidents.map(|incident| incident.id).collect();
            prop_assert_eq!(&surveyed, &replay(1000), "{} in one batch", &correlation.header.name);
            prop_assert_eq!(&surveyed, &replay(1), "{} line by line", &correlation.header.name);
        }
    }
}
