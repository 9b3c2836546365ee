//! What several rules say of one happening: one alert, or one each.

use std::fmt::Write;

use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;
use vaultwatch::alert::Alert;
use vaultwatch::correlate::Windows;
use vaultwatch::diagnostic::{Source, Sources};
use vaultwatch::payload::{LogBatch, LogEvent, LogText, Position};
use vaultwatch::pipeline::{self, Analytics, Workspace};
use vaultwatch::rule::{self, Overlaps};

use crate::{cases, line};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    rules: Vec<String>,
    /// None, if absent.
    #[serde(default)]
    suppress: String,
    events: Vec<String>,
    /// How many events come in one batch; all, if absent.
    batch: Option<usize>,
    together: Vec<String>,
    apart: Vec<String>,
}

impl Case {
    fn analytics(&self) -> Analytics {
        let text = self.rules.iter().map(|rule| self.document(rule)).collect::<Vec<_>>().join("---\n");
        let reading = rule::read(&Sources(vec![Source::new("rules.yml", text)]));
        assert!(reading.diagnostics.is_empty(), "{}: {:?}", self.name, reading.diagnostics);
        line::compile(reading)
    }

    /// `name level search`, or `name level count of RULE CONDITION`.
    fn document(&self, rule: &str) -> String {
        let [name, level, asks] = rule.splitn(3, ' ').collect::<Vec<_>>().try_into().unwrap();
        let (name, status) = name.strip_suffix('?').map_or((name, "stable"), |name| (name, "experimental"));
        let id = Uuid::new_v5(&Uuid::NAMESPACE_OID, name.as_bytes());
        let head = format!("title: {name}\nid: {id}\nname: {name}\nlevel: {level}\nstatus: {status}\n");
        let log = "logsource: {product: vault, service: audit}\n";
        if let Some((of, condition)) = asks.strip_prefix("count of ").and_then(|count| count.split_once(" >= ")) {
            return format!(
                "{head}correlation: {{type: event_count, rules: [{of}], group-by: [derived.namespace], timespan: 1m, \
                 condition: {{gte: {condition}}}, generate: true}}\n"
            );
        }
        let suppress = if self.suppress.is_empty() { "0" } else { &self.suppress };
        let asks = if asks.starts_with('{') { asks.to_owned() } else { format!("{{{asks}}}") };
        format!("{head}{log}detection: {{it: {asks}, condition: it}}\nalert: {{suppress: {suppress}}}\n")
    }

    fn raised(&self, overlaps: Overlaps) -> Vec<String> {
        let analytics = self.analytics().with_overlaps(overlaps);
        let texts: Vec<String> = self.events.iter().zip(0..).map(|(event, second)| entry(event, second)).collect();
        let events = texts.iter().zip(1..).map(|(text, line)| LogEvent {
            position: Position::Line { file: "audit.log".into(), line },
            timestamp: None,
            text: LogText::Plain(text),
        });
        let events: Vec<LogEvent<'_>> = events.collect();
        let mut windows = Windows::default();
        let batches = events.chunks(self.batch.unwrap_or(events.len()));
        let alerts = batches.flat_map(|events| {
            let batch = LogBatch { events: events.to_vec(), ..LogBatch::default() };
            pipeline::replay(&analytics, &batch, &mut windows, &mut Workspace::default())
        });
        alerts.map(|alert| told(&alert)).collect()
    }
}

/// `id type path`
fn entry(event: &str, second: u32) -> String {
    let [id, kind, path] = event.split(' ').collect::<Vec<_>>().try_into().unwrap();
    let auth = json!({"display_name": "alice", "policies": ["default"]});
    let request = json!({"id": id, "operation": "update", "path": path, "remote_address": "192.0.2.1"});
    json!({"time": format!("2026-11-22T03:12:{second:02}Z"), "type": kind, "auth": auth, "request": request})
        .to_string()
}

/// `high by_hand x2 + written (medium)`
fn told(alert: &Alert) -> String {
    let stage = alert.occurrences.stage.word().map(|word| format!(" {word}")).unwrap_or_default();
    let (level, name, factor) = (alert.level.as_str(), &alert.analytic.name, alert.occurrences.factor());
    let mut told = format!("{level} {name}{factor}{stage}");
    for also in &alert.also {
        write!(told, " + {} ({})", also.analytic.name, also.level.as_str()).unwrap();
    }
    told
}

#[test]
fn overlaps_are_told_as_the_rules_want_it() {
    for case in cases::of_file::<Case>("tests/overlaps.toml") {
        assert_eq!(case.raised(Overlaps::Together), case.together, "{}: together", case.name);
        assert_eq!(case.raised(Overlaps::Apart), case.apart, "{}: apart", case.name);
    }
}
