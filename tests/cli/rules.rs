//! `vaultwatch rules`

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use vaultwatch::rule;
use vaultwatch::rule_files;

use super::desk::{Desk, text};

/// Rules of every kind: two that alert, one in shadow without a tactic, a correlation with a rule that only it looks at.
fn desk() -> Desk {
    Desk::new()
        .with("rules/privilege-escalation/root_token_used.yml", include_str!("rules/root_token_used.yml"))
        .with("rules/impact/sealed.yml", SEALED)
        .with("rules/odd.yml", ODD)
        .with("rules/base/auth_login_failed.yml", include_str!("rules/auth_login_failed.yml"))
        .with("rules/credential-access/auth_bruteforce_source.yml", BRUTEFORCE)
}

const SEALED: &str = "title: Vault was sealed
id: 6a0f6a4c-37e8-4b0a-8a5c-0d2f6a7f1e01
name: sealed
level: critical
logsource: {product: vault, service: audit}
detection: {sealed: {type: request, request.path: sys/seal}, condition: sealed}
tags: [attack.impact, attack.privilege-escalation, attack.t1489, attack.t1068, attack.t1528]
";

const ODD: &str = "title: 'Odd | <b>*things*</b>'
id: 6a0f6a4c-37e8-4b0a-8a5c-0d2f6a7f1e02
name: odd
status: experimental
level: low
logsource: {product: vault, service: audit}
detection: {odd: {type: response, error|contains: odd}, condition: odd}
";

const BRUTEFORCE: &str = "title: Many failed logins from one address
id: 6a0f6a4c-37e8-4b0a-8a5c-0d2f6a7f1e03
name: auth_bruteforce_source
level: medium
correlation:
  type: event_count
  rules: [auth_login_failed]
  group-by: [request.remote_address]
  timespan: 5m
  condition: {gte: 4}
tags: [attack.credential-access, attack.t1110, attack.t1110.003]
";

#[test]
fn rules_are_listed() {
    let desk = desk();
    let sessions = [desk.session(&["rules"]), desk.session(&["rules", "rules/impact/sealed.yml"])];
    insta::assert_snapshot!("rules", sessions.join("\n"));
}

#[test]
fn rules_make_a_page() {
    insta::assert_snapshot!("rules_page", desk().session(&["rules", "--format", "markdown"]));
}

#[test]
fn rules_are_one_document() {
    insta::assert_snapshot!("rules_json", desk().session(&["rules", "--format", "json"]));
}

#[test]
fn rules_make_a_layer() {
    insta::assert_snapshot!("rules_layer", desk().session(&["rules", "--format", "navigator"]));
}

const PROFILES: &str = "profile: cloud
profiles:
  cloud:
    description: >
      Everything is in force,
      with the [filters].
  ground: {without: [auth_bruteforce_source, sealed]}
  test: {without: [sealed]}
";

#[test]
fn rules_are_listed_with_their_profiles() {
    let desk = desk().with("rules/vaultwatch.yml", PROFILES);
    let formats = ["text", "markdown"].map(|format| desk.session(&["rules", "--format", format]));
    insta::assert_snapshot!("rules_profiles", formats.join("\n"));
    let output = desk.run(&["rules", "--format", "json"]);
    let document: Value = serde_json::from_str(text(&output.stdout)).unwrap();
    let of = |name: &str| {
        let rules = document["rules"].as_array().unwrap();
        rules.iter().find(|rule| rule["name"] == name).unwrap()["profiles"].clone()
    };
    assert_eq!(of("sealed"), json!(["cloud"]));
    assert_eq!(of("auth_bruteforce_source"), json!(["cloud", "test"]));
    assert_eq!(of("root_token_used"), Value::Null);
    let ground = json!({
        "name": "ground", "default": false, "without": ["auth_bruteforce_source", "sealed"],
    });
    assert_eq!(document["profiles"][1], ground);
}

#[test]
fn rules_that_do_not_load_are_not_listed() {
    let desk = desk().with("rules/broken.yml", "title: Broken\n");
    let output = desk.run(&["rules", "--format", "markdown"]);
    assert_eq!((text(&output.stdout), output.status.code()), ("", Some(2)));
    assert!(text(&output.stderr).contains("rules/broken.yml"), "{}", text(&output.stderr));
}

fn shipped() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("rules")
}

/// What a command says of the rules that ship.
fn said_of_shipped(format: &str) -> String {
    let directory = shipped().display().to_string();
    let output = Desk::new().run(&["rules", &directory, "--format", format]);
    assert_eq!((text(&output.stderr).lines().count() <= 1, output.status.code()), (true, Some(0)));
    text(&output.stdout).to_owned()
}

#[test]
fn every_rule_that_ships_is_listed() {
    let reading = rule::read(&rule_files::read(&shipped()).unwrap());
    let names: BTreeSet<String> = (reading.rules.iter().map(|rule| rule.header.name.clone()))
        .chain(reading.correlations.iter().map(|correlation| correlation.header.name.clone()))
        .collect();
    assert!(names.len() >= 12, "{names:?}");

    let (table, page) = (said_of_shipped("text"), said_of_shipped("markdown"));
    let document: Value = serde_json::from_str(&said_of_shipped("json")).unwrap();
    let rules = document["rules"].as_array().unwrap();
    let listed: BTreeSet<String> = rules.iter().map(|rule| rule["name"].as_str().unwrap().to_owned()).collect();
    assert_eq!(listed, names);
    assert_eq!(table.lines().count(), names.len() + 1);
    for rule in rules {
        let (name, file) = (rule["name"].as_str().unwrap(), rule["file"].as_str().unwrap());
        assert!(shipped().join(file).is_file(), "{file}");
        assert!(page.contains(&format!("\n| [`{name}`]({file}) | ")), "{name} has no row");
        assert!(table.contains(&format!("  {name}  ")), "{name} has no line");
    }
}

/// As the Navigator's format asks for it: <https://github.com/mitre-attack/attack-navigator/tree/master/layers>
#[test]
fn the_layer_of_the_rules_that_ship_is_one() {
    let layer: Value = serde_json::from_str(&said_of_shipped("navigator")).unwrap();
    assert_eq!(layer["domain"], "enterprise-attack");
    assert_eq!(layer["versions"]["layer"], "4.5");
    assert!(layer["gradient"]["maxValue"].as_u64() > layer["gradient"]["minValue"].as_u64());
    let techniques = layer["techniques"].as_array().unwrap();
    assert!(!techniques.is_empty());
    let mut seen = BTreeSet::new();
    let mut named = BTreeSet::new();
    for technique in techniques {
        let (id, tactic) = (technique["techniqueID"].as_str().unwrap(), technique["tactic"].as_str().unwrap());
        assert!(seen.insert((id, tactic)), "{id} stands twice under {tactic}");
        let rules: Vec<&str> = technique["comment"].as_str().unwrap().split(", ").collect();
        assert_eq!(technique["score"], rules.len(), "{id} under {tactic}");
        named.extend(rules);
    }
    let document: Value = serde_json::from_str(&said_of_shipped("json")).unwrap();
    let alerting = document["rules"].as_array().unwrap().iter().filter(|rule| rule["alerts"] == true);
    let expected: BTreeSet<&str> = alerting.map(|rule| rule["name"].as_str().unwrap()).collect();
    assert_eq!(named, expected);
}
