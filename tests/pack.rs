//! The rule pack: every rule is complete, fires where it should in the captured logs, and nowhere near.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;

use vaultwatch::audit::{self, Buffers};
use vaultwatch::detect::{RuleSet, Scratch};
use vaultwatch::diagnostic::Sources;
use vaultwatch::rule::{self, Rule};
use vaultwatch::rule_files;

use crate::corpus;

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

/// The rules with the file that each comes from.
fn rules() -> Vec<(PathBuf, Rule)> {
    let sources = sources();
    let reading = rule::read(&sources);
    assert_eq!(reading.diagnostics, [], "the pack loads without a diagnostic");
    let path = |rule: &Rule| PathBuf::from(&sources.get(rule.header.span.source).expect("a source of these").path);
    reading.rules.into_iter().map(|rule| (path(&rule), rule)).collect()
}

fn compiled() -> RuleSet {
    RuleSet::compile(rules().into_iter().map(|(_, rule)| rule).collect())
}

/// The names of the rules that match a line; `None` if it is no audit event.
fn fired(rules: &RuleSet, line: &str) -> Option<BTreeSet<String>> {
    let mut buffers = Buffers::default();
    let event = audit::read(line, rules.fields(), &mut buffers).ok()?;
    let mut scratch = Scratch::default();
    let matched = rules.evaluate(&event, &mut scratch);
    Some(matched.iter().map(|id| rules.rule(*id).expect("an id of this set").header.name.clone()).collect())
}

#[test]
fn every_rule_tells_all_that_an_alert_needs() {
    for (path, rule) in rules() {
        let name = &rule.header.name;
        assert_eq!(
            path.file_stem().and_then(|stem| stem.to_str()),
            Some(name.as_str()),
            "the file is named after the rule"
        );
        assert!(
            rule.header.title.is_ascii() && rule.header.title.len() <= 75,
            "{name}: the title fits an e-mail's subject"
        );
        assert!(
            rule.header.description.as_ref().is_some_and(|text| text.len() > 80),
            "{name}: a description that explains"
        );
        assert!(rule.header.references.len() >= 2, "{name}: references");
        assert!(rule.header.references.iter().all(|link| link.starts_with("https://")), "{name}: references are links");
        assert!(!rule.header.falsepositives.is_empty(), "{name}: false positives");
        assert!(rule.header.author.is_some() && rule.header.date.is_some(), "{name}: author and date");
        assert!(rule.header.alert.runbook.len() >= 3, "{name}: a runbook of some steps");
        assert!(rule.header.alert.runbook.iter().any(|step| step.contains("`vault ")), "{name}: commands to run");
    }
}

#[test]
fn every_rule_has_a_tactic_that_is_its_directory_and_a_technique() {
    for (path, rule) in rules() {
        let name = &rule.header.name;
        let attack: Vec<&str> = rule.header.tags.iter().filter_map(|tag| tag.strip_prefix("attack.")).collect();
        assert_eq!(attack.len(), rule.header.tags.len(), "{name}: only ATT&CK tags");
        let (techniques, tactics): (Vec<&str>, Vec<&str>) = attack.iter().partition(|tag| is_technique(tag));
        assert!(!techniques.is_empty(), "{name}: a technique");
        assert!(tactics.iter().all(|tactic| TACTICS.contains(tactic)), "{name}: {tactics:?}");
        let directory = path.parent().and_then(Path::file_name).and_then(|name| name.to_str());
        assert_eq!(directory, tactics.first().copied(), "{name}: the directory is the first tactic");
    }
}

fn is_technique(tag: &str) -> bool {
    tag.strip_prefix('t').is_some_and(|id| id.starts_with(|first: char| first.is_ascii_digit()))
}

#[test]
fn the_first_twelve_are_there() {
    let names: BTreeSet<String> = rules().into_iter().map(|(_, rule)| rule.header.name).collect();
    let expected = [
        "audit_device_disabled",
        "audit_device_enabled",
        "auth_method_enabled_or_reconfigured",
        "identity_alias_write",
        "mount_or_auth_disabled",
        "policy_written",
        "raft_snapshot_taken",
        "root_generation_activity",
        "root_token_minted",
        "root_token_used",
        "transit_key_exported",
        "wrapping_token_invalid_unwrap",
    ];
    assert!(expected.iter().all(|name| names.contains(*name)), "{names:?}");
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

/// The whole truth about the corpus, read and confirmed line by line: what fires where, and that nothing else does.
#[test]
fn what_fires_on_the_captured_logs() {
    let rules = compiled();
    let mut table = String::new();
    for (file, lines) in captured() {
        let mut hits: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (number, line) in (1..).zip(&lines) {
            for name in fired(&rules, line).unwrap_or_else(|| BTreeSet::from(["(unreadable)".to_owned()])) {
                hits.entry(name).or_default().push(format!("{number}"));
            }
        }
        writeln!(table, "{file}").expect("writing to a string");
        for (name, numbers) in hits {
            writeln!(table, "  {name}: {}", numbers.join(" ")).expect("writing to a string");
        }
    }
    insta::assert_snapshot!(table);
}

#[test]
fn ordinary_traffic_raises_nothing() {
    let rules = compiled();
    let captured = captured();
    for file in [
        "10-benign-kv-traffic.jsonl",
        "public/hashicorp-docs-schema-vault-1.19.jsonl",
        "public/hcp-vault-1.8.5-internal-msp.jsonl",
    ] {
        for line in &captured[file] {
            assert_eq!(fired(&rules, line), Some(BTreeSet::new()), "{line}");
        }
    }
}

/// A request and its response are one happening. `audit_device_enabled` looks at both, because the first device that
/// is enabled sees the response only; the pipeline folds the pair by its request id.
#[test]
fn a_request_and_its_response_fire_once() {
    let rules = compiled();
    for (file, lines) in captured() {
        let mut seen = BTreeSet::new();
        for line in &lines {
            let Some(names) = fired(&rules, line) else { continue };
            let event: Value = serde_json::from_str(line).expect("it was read");
            let Some(request) = event.pointer("/request/id").and_then(Value::as_str) else { continue };
            for name in names.into_iter().filter(|name| name != "audit_device_enabled") {
                assert!(seen.insert((name.clone(), request.to_owned())), "{file}: {name} fires twice for {request}");
            }
        }
    }
}

/// A captured line, and what is changed in it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Happening {
    what: String,
    like: String,
    #[serde(default)]
    set: BTreeMap<String, Value>,
    #[serde(default)]
    unset: Vec<String>,
    #[serde(default)]
    fires: BTreeSet<String>,
    #[serde(default)]
    near: Vec<Near>,
}

/// A happening with a little more changed.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Near {
    what: String,
    #[serde(default)]
    set: BTreeMap<String, Value>,
    #[serde(default)]
    unset: Vec<String>,
    #[serde(default)]
    fires: BTreeSet<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Happenings {
    happening: Vec<Happening>,
}

fn happenings() -> Vec<Happening> {
    let text = fs::read_to_string(within("tests/pack.toml")).expect("the table is there");
    toml::from_str::<Happenings>(&text).unwrap_or_else(|error| panic!("{error}")).happening
}

/// Removes and sets fields by their dotted paths.
fn change(event: &mut Value, set: &BTreeMap<String, Value>, unset: &[String]) {
    for path in unset {
        corpus::remove(event, path);
    }
    for (path, value) in set {
        corpus::set(event, path, value.clone());
    }
}

#[test]
fn rules_fire_on_what_they_mean_and_not_near_it() {
    let rules = compiled();
    let mut failures = String::new();
    let mut check = |what: &str, event: &Value, expected: &BTreeSet<String>| {
        let got = fired(&rules, &event.to_string());
        if got.as_ref() != Some(expected) {
            write!(failures, "\n{what}\nexpected {expected:?}\ngot      {got:?}\n{event}\n")
                .expect("writing to a string");
        }
    };
    for happening in happenings() {
        let mut event: Value = serde_json::from_str(&corpus::line(&happening.like)).expect("a captured line is JSON");
        change(&mut event, &happening.set, &happening.unset);
        check(&happening.what, &event, &happening.fires);
        for near in &happening.near {
            let mut event = event.clone();
            change(&mut event, &near.set, &near.unset);
            check(&format!("{}; {}", happening.what, near.what), &event, &near.fires);
        }
    }
    assert!(failures.is_empty(), "{failures}");
}

/// A near miss is worth something only beside a hit.
#[test]
fn every_rule_has_a_hit_and_near_misses() {
    let happenings = happenings();
    for (_, rule) in rules() {
        let hits = happenings.iter().filter(|happening| happening.fires.contains(&rule.header.name));
        let near = hits.clone().flat_map(|happening| &happening.near);
        let misses = near.filter(|near| !near.fires.contains(&rule.header.name)).count();
        assert!(hits.count() >= 1 && misses >= 2, "{}: {misses} near misses", rule.header.name);
    }
}
