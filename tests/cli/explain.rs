//! `vaultwatch explain`.

use serde_json::{Value as Json, json};

use super::desk::{Desk, event, lines, text, transcript};
use crate::corpus;

/// Something of every kind, so that every reason of a miss can be seen.
const EVERYTHING: &str = include_str!("rules/everything.yml");

fn everything() -> Desk {
    Desk::with_rules().with("rules/everything.yml", EVERYTHING)
}

#[test]
fn a_rule_that_matches_and_one_that_does_not() {
    let desk = everything().with("audit.log", lines("07-policy-create-update-delete", &[1, 2]));
    let session = [
        desk.session(&["explain", "policy_written", "audit.log:2"]),
        desk.session(&["explain", "policy_written", "audit.log:1"]),
        desk.session(&["explain", "root_token_used", "kv_read_denied"]),
    ];
    insta::assert_snapshot!("explain", session.join("\n"));
}

/// An event on which every test of [`EVERYTHING`] fails for a reason of its own.
fn near_misses() -> String {
    json!({
        "type": "Request",
        "time": "yesterday",
        "error": "",
        "auth": {
            "display_name": "userpass-alice",
            "metadata": {"username": "bob"},
            "policies": ["default", "app-rw"],
            "num_uses": "042",
            "token_ttl": "soon",
            "remaining_uses": true,
        },
        "request": {
            "path": "secret/data/app",
            "remote_address": "vault.example",
            "client_id": {},
            "data": {"password": format!("hmac-sha256:{}", "0".repeat(64))},
            "headers": {"user-agent": ["curl/8.5.0"]},
        },
    })
    .to_string()
}

#[test]
fn why_each_test_is_not_passed() {
    let desk = everything().with("event.json", near_misses());
    insta::assert_snapshot!("explain_misses", desk.session(&["explain", "everything", "event.json"]));
}

#[test]
fn why_each_test_is_passed() {
    let event = json!({
        "type": "request",
        "time": "2026-11-22T23:12:45Z",
        "auth": {
            "display_name": "userpass-alice",
            "metadata": {"username": "Alice"},
            "policies": ["default", "Root", "hcp-root"],
            "num_uses": 42,
            "token_ttl": "3600",
            "remaining_uses": 1,
        },
        "request": {
            "path": "sys/policies/acl/app",
            "remote_address": "10.2.3.4",
            "client_id": "x",
            "data": {"password": "letmein"},
            "headers": {"user-agent": ["vault-api/1.2"]},
        },
    });
    let desk = everything().with("event.json", event.to_string());
    let output = desk.command(&["explain", "everything", "event.json"]).env("LANG", "en_GB.UTF-8").output().unwrap();
    insta::assert_snapshot!("explain_passes", transcript(&["explain", "everything", "event.json"], &output));
}

#[test]
fn the_json_says_the_same() {
    let desk = everything().with("event.json", near_misses());
    let output = desk.run(&["explain", "everything", "event.json", "--format", "json"]);
    assert_eq!(output.status.code(), Some(1));
    let told: Json = serde_json::from_slice(&output.stdout).unwrap();
    insta::assert_json_snapshot!("explain_json", told);
}

#[test]
fn an_event_can_be_named_in_many_ways() {
    let line = lines("04-root-token-use", &[1]);
    let pretty = serde_json::to_string_pretty(&serde_json::from_str::<Json>(&line).unwrap()).unwrap();
    let desk = Desk::with_rules()
        .with("one.json", &line)
        .with("pretty.json", &pretty)
        .with("audit.log", format!("{{\"type\":\"other\"}}\n\n{line}"))
        .with("marked.json", format!("\u{feff}{line}"))
        .with("payload.json", event("root-token-used"))
        .with("odd:3", &line);
    let matching = |words: &[&str]| desk.run(&[&["explain", "root_token_used"], words].concat()).status.code();
    for words in [["one.json"], ["pretty.json"], ["audit.log:3"], ["marked.json"], ["odd:3"], ["root_token_read"]] {
        assert_eq!(matching(&words), Some(0), "{words:?}");
    }
    assert_eq!(matching(&["audit.log:1"]), Some(1));
    let piped = |name: &str, text: &str| desk.pipe(&["explain", "root_token_used", name], text).status.code();
    assert_eq!(piped("-", &line), Some(0));
    let of_payload = |number| matching(&[format!("payload.json:{number}").as_str()]).filter(|code| *code < 2);
    let codes: Vec<i32> = (1..).map_while(of_payload).collect();
    assert!(codes.contains(&0) && codes.contains(&1), "{codes:?}");
    for named in ["3f0f2c0e-6a43-4d5c-9a0c-0d9b7a5e6b01", "rules/root_token_used.yml", "./rules/root_token_used.yml"] {
        let code = desk.run(&["explain", named, "one.json"]).status.code();
        assert_eq!(code, Some(0), "{named}");
    }
}

#[test]
fn what_cannot_be_explained() {
    let two = [include_str!("rules/root_token_used.yml"), include_str!("rules/policy_written.yml")].join("\n---\n");
    let desk = Desk::with_rules()
        .with("audit.log", lines("04-root-token-use", &[1, 2, 3]))
        .with("empty.log", "\n")
        .with("torn.log", "{\"type\":\"requ\n")
        .with("payload.json", event("root-token-used"))
        .with("two.yml", two)
        .with("broken.yml", "title: [\n");
    let session = [
        desk.session(&["explain", "root_tokn_used", "audit.log:1"]),
        desk.session(&["explain", "two.yml", "audit.log:1"]),
        desk.session(&["explain", "broken.yml", "audit.log:1"]),
        desk.session(&["explain", "root_token_used", "audit.log"]),
        desk.session(&["explain", "root_token_used", "audit.log:12"]),
        desk.session(&["explain", "root_token_used", "audit.log:0"]),
        desk.session(&["explain", "root_token_used", "payload.json"]),
        desk.session(&["explain", "root_token_used", "payload.json:99"]),
        desk.session(&["explain", "root_token_used", "empty.log"]),
        desk.session(&["explain", "root_token_used", "torn.log"]),
        desk.session(&["explain", "root_token_used", "nowhere.log:3"]),
    ];
    insta::assert_snapshot!("explain_refused", session.join("\n"));
}

/// A rule is explained with the rules around it, whatever is wrong with them.
#[test]
fn other_rules_do_not_matter() {
    let desk =
        Desk::with_rules().with("rules/broken.yml", "title: [\n").with("event.json", lines("04-root-token-use", &[1]));
    let output = desk.run(&["explain", "root_token_used", "event.json"]);
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), ""));
}

#[test]
fn no_secret_is_told() {
    let mut entry: Json = serde_json::from_str(&corpus::line("07-policy-create-update-delete.jsonl:2")).unwrap();
    let token = "hvs.CAESIJ1234567890abcdefghijklmnopqrstuvwxyz";
    corpus::set(&mut entry, "auth.client_token", json!(token));
    corpus::set(&mut entry, "request.path", json!(format!("sys/policies/acl/{token}")));
    corpus::set(&mut entry, "request.data.password", json!("correct-horse"));
    corpus::set(&mut entry, "error", json!("correct-horse is not the password"));
    let desk = everything().with("event.json", entry.to_string());
    for format in ["text", "json"] {
        for rule in ["policy_written", "everything"] {
            let output = desk.run(&["explain", rule, "event.json", "--format", format]);
            let told = text(&output.stdout);
            assert!(told.contains("[redacted]"), "{told}");
            assert!(!told.contains(token) && !told.contains("correct-horse"), "{told}");
        }
    }
}
