//! The rule pack: every rule is complete, and raises what it should on the captured logs, and nothing beside it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::Value;

use vaultwatch::alert::Alert;
use vaultwatch::audit::{self, Buffers};
use vaultwatch::detect::{RuleSet, Scratch};
use vaultwatch::diagnostic::Sources;
use vaultwatch::payload::{EventRef, LogBatch, LogEvent, LogText, Position};
use vaultwatch::pipeline::Analytics;
use vaultwatch::rule::{self, Header, Level, Reading};
use vaultwatch::rule_files;

use crate::{corpus, line};

/// MITRE ATT&CK's tactics, as Sigma tags them since version 19.
const TACTICS: [&str; 15] = [
    "reconnaissance",
    "resource-development",
    "initial-access",
    "execution",
    "persistence",
    "privilege-escalation",
    "stealth",
    "defense-impairment",
    "credential-access",
    "discovery",
    "lateral-movement",
    "collection",
    "command-and-control",
    "exfiltration",
    "impact",
];

fn within(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn sources() -> Sources {
    rule_files::read(&within("rules")).expect("the rules are there")
}

fn reading(sources: &Sources) -> Reading {
    let reading = rule::read(sources);
    assert_eq!(reading.diagnostics, [], "the pack loads without a diagnostic");
    reading
}

/// The headers of rules and correlations alike, with the file within `rules/` that each comes from.
fn headers() -> Vec<(PathBuf, Header)> {
    let sources = sources();
    let Reading { rules, correlations, .. } = reading(&sources);
    let headers = rules.into_iter().map(|rule| rule.header);
    let headers = headers.chain(correlations.into_iter().map(|correlation| correlation.header));
    let file = |header: &Header| {
        let path = &sources.get(header.span.source).expect("a source of these").path;
        Path::new(path).strip_prefix(within("rules")).expect("below the rules").to_owned()
    };
    headers.map(|header| (file(&header), header)).collect()
}

/// A base rule only serves correlations.
fn is_base(file: &Path) -> bool {
    file.starts_with("base")
}

fn analytics() -> Analytics {
    line::compile(reading(&sources()))
}

/// The names of the rules about single events that match a line; `None` if it is no audit event.
fn fired(rules: &RuleSet, line: &str) -> Option<BTreeSet<String>> {
    let mut buffers = Buffers::default();
    let event = audit::read(line, rules.fields(), &mut buffers).ok()?;
    let mut scratch = Scratch::default();
    let matched = rules.evaluate(&event, &mut scratch);
    Some(matched.iter().map(|id| rules.rule(*id).expect("an id of this set").header.name.clone()).collect())
}

/// What a whole file raises, correlations among it, in the order told.
fn raised(analytics: &Analytics, lines: &[String]) -> Vec<Alert> {
    let file: Arc<str> = "audit.log".into();
    let events = lines.iter().zip(1..).map(|(text, line)| LogEvent {
        position: Position::Line { file: Arc::clone(&file), line },
        timestamp: Some(0),
        text: LogText::Plain(text),
    });
    line::alerts(analytics, &LogBatch { events: events.collect(), ..LogBatch::default() })
}

#[test]
fn every_rule_tells_what_it_is_about() {
    for (file, header) in headers() {
        let name = &header.name;
        assert_eq!(file.file_stem().and_then(|stem| stem.to_str()), Some(name.as_str()), "the file is named after it");
        assert!(header.title.is_ascii() && header.title.len() <= 75, "{name}: the title fits an e-mail's subject");
        let explains = header.description.as_ref().is_some_and(|text| text.len() > 80);
        assert!(explains, "{name}: a description that explains");
        let least = if is_base(&file) { 1 } else { 2 };
        assert!(header.references.len() >= least, "{name}: references");
        assert!(header.references.iter().all(|link| link.starts_with("https://")), "{name}: references are links");
        assert!(!header.falsepositives.is_empty(), "{name}: false positives");
        assert!(header.author.is_some() && header.date.is_some(), "{name}: author and date");
    }
}

#[test]
fn every_rule_that_alerts_says_what_to_do() {
    for (_, header) in headers().into_iter().filter(|(file, _)| !is_base(file)) {
        let (name, runbook) = (header.name, header.alert.runbook);
        assert!(runbook.len() >= 3, "{name}: a runbook of some steps");
        assert!(runbook.iter().any(|step| step.contains("`vault ")), "{name}: commands to run");
    }
}

#[test]
fn every_rule_has_a_technique_and_a_tactic_that_is_its_directory() {
    for (file, header) in headers() {
        let name = &header.name;
        let attack: Vec<&str> = header.tags.iter().filter_map(|tag| tag.strip_prefix("attack.")).collect();
        assert_eq!(attack.len(), header.tags.len(), "{name}: only ATT&CK tags");
        let (techniques, tactics): (Vec<&str>, Vec<&str>) = attack.iter().partition(|tag| is_technique(tag));
        assert!(!techniques.is_empty(), "{name}: a technique");
        assert!(!tactics.is_empty(), "{name}: a tactic");
        assert!(tactics.iter().all(|tactic| TACTICS.contains(tactic)), "{name}: {tactics:?}");
        let directory = file.parent().and_then(Path::to_str);
        let expected = if is_base(&file) { Some("base") } else { tactics.first().copied() };
        assert_eq!(directory, expected, "{name}: the directory is the first tactic");
    }
}

fn is_technique(tag: &str) -> bool {
    tag.strip_prefix('t').is_some_and(|id| id.starts_with(|first: char| first.is_ascii_digit()))
}

/// What is in `base/` says nothing by itself and is there for a correlation; everything else can be heard.
#[test]
fn base_rules_serve_correlations_and_all_others_alert() {
    let analytics = analytics();
    let plan = analytics.plan();
    let correlations = reading(&sources()).correlations;
    for (file, header) in headers() {
        let name = &header.name;
        let spec = plan.find(header.id).and_then(|id| plan.spec(id)).expect("everything that loads is planned");
        assert_eq!(is_base(&file), header.level == Level::Informational, "{name}: informational is for base rules");
        assert_eq!(is_base(&file), !spec.alerts, "{name}: base rules alone do not alert");
        let serves = correlations.iter().any(|correlation| correlation.rules.contains(name));
        assert!(serves || !is_base(&file), "{name}: no correlation looks at it");
    }
}

/// The tests of the rules use the value that a list ships with, so that a user's own values stand beside it.
#[test]
fn every_list_says_that_values_are_added() {
    let sources = sources();
    let lists: Vec<_> = sources.0.iter().filter(|source| source.path.contains("/lists/")).collect();
    assert!(!lists.is_empty());
    for list in lists {
        let words: Vec<&str> = list.text.split_whitespace().collect();
        let text = words.join(" ");
        assert!(text.contains("Add ") && text.contains("leave the first one"), "{}", list.path);
        let first = list.text.lines().find_map(|line| line.strip_prefix("  - "));
        let is_nobodys = first.is_some_and(|value| value.starts_with("replace-me"));
        assert!(is_nobodys || text.contains("as it ships it holds"), "{}", list.path);
    }
}

/// Every captured file by its name within the corpus, with its lines.
fn captured() -> BTreeMap<String, Vec<String>> {
    let mut files = BTreeMap::new();
    for directory in ["", "public/"] {
        for entry in fs::read_dir(within("tests/corpus").join(directory)).expect("the corpus is there") {
            let path = entry.expect("readable").path();
            if path.extension().is_some_and(|extension| extension == "jsonl") {
                let name = path.file_name().and_then(|name| name.to_str()).expect("a name in UTF-8");
                let text = fs::read_to_string(&path).expect("captured logs are UTF-8");
                files.insert(format!("{directory}{name}"), text.lines().map(str::to_owned).collect());
            }
        }
    }
    files
}

/// The whole truth about single entries of the corpus, read and confirmed line by line: which rules match where, and
/// that no other does. Most matches are those of base rules, which look at what is ordinary.
#[test]
fn what_matches_in_the_captured_logs() {
    let analytics = analytics();
    let of_base: BTreeSet<String> =
        headers().into_iter().filter(|(file, _)| is_base(file)).map(|(_, header)| header.name).collect();
    let mut table = String::new();
    for (file, lines) in captured() {
        let mut hits: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (number, line) in (1..).zip(&lines) {
            let names = fired(analytics.rules(), line).unwrap_or_else(|| BTreeSet::from(["(unreadable)".to_owned()]));
            for name in names {
                hits.entry(name).or_default().push(number);
            }
        }
        writeln!(table, "{file}").expect("writing to a string");
        for (name, numbers) in hits {
            let base = if of_base.contains(&name) { "base/" } else { "" };
            writeln!(table, "  {base}{name}: {}", spans(&numbers)).expect("writing to a string");
        }
    }
    insta::assert_snapshot!(table);
}

/// Line numbers with what follows at the same distance drawn together: `3 8-20/2` is 3, then every second from 8 to 20.
fn spans(numbers: &[usize]) -> String {
    let mut texts = Vec::new();
    let mut rest = numbers;
    while let [first, ..] = rest {
        let step = rest.get(1).map_or(1, |second| second - first);
        let run = rest.iter().zip((0..).map(|n| first + n * step)).take_while(|(number, expected)| *number == expected);
        let length = run.count();
        if length < 4 {
            texts.push(first.to_string());
            rest = &rest[1..];
            continue;
        }
        let last = rest[length - 1];
        texts.push(if step == 1 { format!("{first}-{last}") } else { format!("{first}-{last}/{step}") });
        rest = &rest[length..];
    }
    texts.join(" ")
}

/// What comes of each captured file at the end of the line, correlations and repeats among it: each alert read, and
/// confirmed to be true.
#[test]
fn what_the_captured_logs_raise() {
    let analytics = analytics();
    let mut table = String::new();
    for (file, lines) in captured() {
        writeln!(table, "{file}").expect("writing to a string");
        for alert in raised(&analytics, &lines) {
            let (level, name, count) = (alert.level.as_str(), &alert.analytic.name, alert.occurrences.count);
            write!(table, "  {level:8} {name} x{count} from line {}", first_line(&alert)).expect("writing to a string");
            for also in &alert.also {
                let (level, name, count) = (also.level.as_str(), &also.analytic.name, also.occurrences.count);
                write!(table, ", {level} {name} x{count}").expect("writing to a string");
            }
            table.push('\n');
        }
    }
    insta::assert_snapshot!(table);
}

fn first_line(alert: &Alert) -> u64 {
    match alert.events.first() {
        Some(EventRef::Line { line, .. }) => *line,
        other => panic!("a line of a file is behind it, not {other:?}"),
    }
}

#[test]
fn ordinary_traffic_raises_nothing() {
    let analytics = analytics();
    let captured = captured();
    for file in [
        "10-benign-kv-traffic.jsonl",
        "11-permission-denied-kv.jsonl",
        "42-very-large-requests.jsonl",
        "public/hashicorp-docs-schema-vault-1.19.jsonl",
        "public/hcp-vault-1.8.5-internal-msp.jsonl",
    ] {
        assert_eq!(names(&raised(&analytics, &captured[file])), [""; 0], "{file}");
    }
}

/// Five addresses presented five invalid tokens each, which is what twenty-five agents do after a fail-over. The same
/// tokens from one address are somebody who tries.
#[test]
fn invalid_tokens_count_by_address() {
    let analytics = analytics();
    let spread = &captured()["14-invalid-token-burst.jsonl"];
    let from_one = spread.iter().map(|line| {
        let mut event: Value = serde_json::from_str(line).expect("a captured line is JSON");
        corpus::set(&mut event, "request.remote_address", "127.0.0.20".into());
        event.to_string()
    });
    assert_eq!(names(&raised(&analytics, spread)), [""; 0]);
    assert_eq!(names(&raised(&analytics, &from_one.collect::<Vec<_>>())), ["auth_invalid_token_burst"]);
}

/// Fourteen lists and twelve reads are the walk through a small tree, and less than what the rules count to; that the
/// token came to another address is the only lead.
#[test]
fn a_small_tree_is_read_below_the_thresholds() {
    let alerts = raised(&analytics(), &captured()["21-kv2-mass-read-enumeration.jsonl"]);
    assert_eq!(names(&alerts), ["auth_person_token_multi_source"]);
    assert_eq!(alerts[0].level, Level::Low);
}

fn names(alerts: &[Alert]) -> Vec<&str> {
    alerts.iter().map(|alert| alert.analytic.name.as_str()).collect()
}

/// A request and its response are one happening. `audit_device_enabled` looks at both, because the first device that
/// is enabled sees the response only; the pipeline folds the pair by its request id.
#[test]
fn a_request_and_its_response_fire_once() {
    let analytics = analytics();
    for (file, lines) in captured() {
        let mut seen = BTreeSet::new();
        for line in &lines {
            let Some(names) = fired(analytics.rules(), line) else { continue };
            let event: Value = serde_json::from_str(line).expect("it was read");
            let Some(request) = event.pointer("/request/id").and_then(Value::as_str) else { continue };
            for name in names.into_iter().filter(|name| name != "audit_device_enabled") {
                assert!(seen.insert((name.clone(), request.to_owned())), "{file}: {name} fires twice for {request}");
            }
        }
    }
}
