//! Titles and levels that rules word for the event at hand.

use serde_json::{Value as Json, json};
use vaultwatch::alert::{Alert, email, ocsf, sms};
use vaultwatch::diagnostic::{Source, Sources};
use vaultwatch::payload::{LogBatch, LogEvent, LogText, Position};
use vaultwatch::rule::{self, Level};

use crate::line;

const RULE: &str = r"
title: Something was done
id: 6a1b7c1e-61a5-4a1c-9f9e-0c9d0b6c7c04
name: done
logsource: {product: vault, service: audit}
detection: {entry: {type: request}, condition: entry}
level: medium
alert:
";

fn event() -> Json {
    json!({
        "type": "request",
        "time": "2026-11-22T03:12:45Z",
        "auth": {"display_name": "bob", "policies": ["app-rw", "default"], "metadata": {"severity": "High"}},
        "request": {"path": "sys/auth/ldap", "data": {"force": true, "name": "in clear"}},
        "error": "1 error occurred:\n\t* no\u{1b}[2J\n",
    })
}

fn alert(options: &str, event: &Json) -> Alert {
    let reading = rule::read(&Sources(vec![Source::new("done.yml", format!("{RULE}  {options}\n"))]));
    assert_eq!(reading.diagnostics, [], "{options}");
    let line = event.to_string();
    let log_event = LogEvent { position: Position::LogEvent("1".into()), timestamp: None, text: LogText::Plain(&line) };
    let batch = LogBatch { events: vec![log_event], ..LogBatch::default() };
    let rules = line::compile(reading);
    line::alerts(&rules, &batch).remove(0)
}

#[test]
fn titles_are_filled_in() {
    for (title, expected) in [
        ("{auth.display_name} touched {request.path}", "bob touched sys/auth/ldap"),
        ("{{{auth.display_name}}} is in braces", "{bob} is in braces"),
        ("as {auth.policies}", "as app-rw, default"),
        ("in {derived.namespace}, by {auth.entity_id}", "in root, by (none)"),
        ("forced: {request.data.force}, {request.data.name}", "forced: [redacted], [redacted]"),
        ("because {error}", "because 1 error occurred:\\n\\t* no\\u{1b}[2J\\n"),
    ] {
        assert_eq!(alert(&format!("title: '{title}'"), &event()).title(), expected);
    }
}

#[test]
fn a_long_value_is_cut() {
    let mut event = event();
    event["request"]["path"] = json!("a".repeat(5000));
    let title = alert("title: 'at {request.path}'", &event).title().to_owned();
    assert_eq!(title, format!("at {}... (5000 bytes in all)", "a".repeat(100)));
}

#[test]
fn the_rule_names_the_level_or_the_event_raises_it() {
    for (severity, found, expected) in [
        ("low", "High", Level::Low),
        ("critical", "High", Level::Critical),
        ("'{auth.metadata.severity}'", "High", Level::High),
        ("'{auth.metadata.severity}'", "critical", Level::Critical),
        ("'{auth.metadata.severity}'", "informational", Level::Medium),
        ("'{auth.metadata.severity}'", "harmless", Level::Medium),
        ("'{auth.metadata.absent}'", "High", Level::Medium),
    ] {
        let mut event = event();
        event["auth"]["metadata"]["severity"] = json!(found);
        assert_eq!(alert(&format!("severity: {severity}"), &event).level, expected, "{severity} of {found}");
    }
}

/// People and machines sort by subject lines and rules' names, which whoever writes the log must have no hand in.
#[test]
fn a_filled_in_title_stands_where_text_from_the_log_may() {
    let alert = alert("title: '{auth.display_name} did it'", &event());
    assert_eq!(email::subject(&alert), "[vaultwatch] MEDIUM: Something was done");
    assert_eq!(sms::line(&alert), "vaultwatch MEDIUM done 2026-11-22 03:12Z by bob");
    assert!(email::body(&alert, None).starts_with("MEDIUM: bob did it\n"), "{}", email::body(&alert, None));
    let finding: Json = serde_json::from_str(&ocsf::to_json(&alert)).unwrap();
    assert_eq!(finding["message"], "bob did it");
    assert_eq!(finding["finding_info"]["title"], "bob did it");
    assert_eq!(finding["finding_info"]["analytic"]["name"], "done");
}

#[test]
fn an_alert_in_shadow_says_so() {
    let alert = alert("runbook: [Look.]\nstatus: experimental", &event());
    assert!(alert.analytic.shadow);
    assert!(email::body(&alert, None).starts_with("MEDIUM, in shadow: Something was done\n"));
    let finding: Json = serde_json::from_str(&ocsf::to_json(&alert)).unwrap();
    assert_eq!(finding["is_alert"], false);
}
