//! `vaultwatch new`.

use std::fs;

use regex::Regex;
use serde_json::Value as Json;

use super::desk::{Desk, lines, text};
use crate::corpus;
use vaultwatch::events;

/// The file with its id and its day, which are others each time, as signs.
fn written(desk: &Desk, path: &str) -> String {
    let text = fs::read_to_string(desk.path().join(path)).unwrap();
    let id = Regex::new("(?m)^id: [0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$").unwrap();
    let date = Regex::new(r"(?m)^date: \d{4}-\d\d-\d\d$").unwrap();
    assert!(id.is_match(&text) && date.is_match(&text), "{text}");
    date.replace(&id.replace(&text, "id: [UUID]"), "date: [TODAY]").into_owned()
}

#[test]
fn a_file_to_start_from() {
    let desk = Desk::new()
        .with("audit.log", lines("11-permission-denied-kv", &[1, 2]))
        .with("snapshot.json", lines("30-raft-snapshot", &[2]));
    let shown = [
        desk.session(&["new", "something_new"]),
        written(&desk, "rules/something_new.yml"),
        desk.session(&["new", "secret_denied", "--tactic", "discovery", "--from-event", "audit.log:2"]),
        written(&desk, "rules/discovery/secret_denied.yml"),
        desk.session(&["new", "policy_gone", "--tactic", "persistence", "--from-event", "policy_delete"]),
        written(&desk, "rules/persistence/policy_gone.yml"),
    ];
    insta::assert_snapshot!("new", shown.join("\n"));
}

#[test]
fn nothing_is_written_over() {
    let desk = Desk::with_rules().with("rules/impact/seal.yml", "mine");
    let shown = [
        desk.session(&["new", "root_token_used", "--tactic", "impact"]),
        desk.session(&["new", "seal", "--tactic", "impact"]),
        desk.session(&["new", "Root-Token"]),
        desk.session(&["new", "other", "--tactic", "defense-evasion"]),
        desk.session(&["new", "other", "--from-event", "nowhere.json"]),
    ];
    assert_eq!(fs::read_to_string(desk.path().join("rules/impact/seal.yml")).unwrap(), "mine");
    let rules: Vec<_> =
        fs::read_dir(desk.path().join("rules")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(rules.len(), 3, "{rules:?}");
    insta::assert_snapshot!("new_refused", shown.join("\n"));
}

/// Whatever event should have fired: the rule loads, its tests pass, and it only lacks what its author must write.
#[test]
fn what_is_written_is_in_order() {
    let mut desk = Desk::new();
    let shipped: Vec<String> = events::all().iter().step_by(3).map(|event| event.name.to_owned()).collect();
    let mut captured = Vec::new();
    for (place, line) in corpus::lines().iter().step_by(25) {
        let name = format!("{}.json", place.replace([':', '.'], "_"));
        desk = desk.with(&name, line);
        captured.push(name);
    }
    for (number, event) in shipped.iter().chain(&captured).enumerate() {
        let output = desk.run(&["new", &format!("rule_{number}"), "--tactic", "impact", "--from-event", event]);
        assert_eq!(output.status.code(), Some(0), "{event}: {}", text(&output.stderr));
    }
    let tests = desk.run(&["test"]);
    assert_eq!(tests.status.code(), Some(0), "{}", text(&tests.stdout));
    let check = desk.run(&["check", "--format", "json"]);
    let found = text(&check.stdout).lines().map(|line| serde_json::from_str::<Json>(line).unwrap());
    // Some events are alike, and so are then the rules.
    let expected = ["missing-metadata", "same-meaning"];
    let wrong = found.filter(|found| !expected.contains(&found["code"].as_str().unwrap()));
    assert_eq!(wrong.collect::<Vec<_>>(), Vec::<Json>::new());
    let all: String = fs::read_dir(desk.path().join("rules/impact"))
        .unwrap()
        .map(|entry| fs::read_to_string(entry.unwrap().path()).unwrap())
        .collect();
    assert!(!all.contains("hmac-sha256"), "an HMAC is in a rule");
}
