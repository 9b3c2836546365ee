//! `vaultwatch fields`

use serde_json::Value;

use super::desk::{Desk, text};

fn json_lines(bytes: &[u8]) -> Vec<Value> {
    text(bytes).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn every_field_is_listed() {
    let desk = Desk::new();
    insta::assert_snapshot!("fields", desk.session(&["fields"]));
}

#[test]
fn fields_tell_how_many_rules_use_them() {
    let desk = Desk::with_rules().with("rules/vaultwatch.yml", "fields: [request.team, request.kmip.*]\n");
    let rows = json_lines(&desk.run(&["fields", "--format", "json"]).stdout);
    let row = |field: &str| rows.iter().find(|row| row["field"] == field).unwrap_or_else(|| panic!("no {field}"));
    assert_eq!(row("request.path")["rules"], 1);
    assert_eq!(row("type")["rules"], 1);
    assert_eq!(row("derived.outcome")["values"], serde_json::json!(["success", "failed"]));
    assert_eq!(row("request.data.*")["written"], "HMAC");
    assert_eq!(row("request.client_id")["since"], "1.9");
    assert_eq!(row("request.team")["rules"], 0);
    assert_eq!(row("request.kmip.*")["about"], "allowed in `vaultwatch.yml`");
    let without_rules = json_lines(&Desk::new().run(&["fields", "--format", "json"]).stdout);
    assert!(without_rules.iter().all(|row| row.get("rules").is_none()));
    assert_eq!(desk.run(&["fields", "--rules", "nowhere"]).status.code(), Some(2));
}

#[test]
fn events_are_listed_by_name() {
    let desk = Desk::new();
    let listed = json_lines(&desk.run(&["fields", "--events", "--format", "json"]).stdout);
    let names: Vec<&str> = listed.iter().map(|event| event["name"].as_str().unwrap()).collect();
    let known: Vec<&str> = vaultwatch::events::all().iter().map(|event| event.name).collect();
    assert_eq!(names, known);
    let shown = desk.run(&["fields", "--events"]);
    assert_eq!(text(&shown.stdout).lines().count(), known.len());
}
