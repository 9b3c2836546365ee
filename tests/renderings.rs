//! What an alert looks like: OCSF, e-mail, text message, SNS message. The snapshots are what people and programs get.

use std::collections::HashSet;
use std::path::Path;
use std::sync::{Arc, LazyLock};

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use serde_json::{Value as Json, json};
use vaultwatch::alert::{
    Alert, Analytic, Attack, AuditFacts, Correlated, Evidence, Occurrences, Redactor, Stage, Subject, email, ocsf, sms,
};
use vaultwatch::aws::sns::{MAX_FINDING_BYTES, MAX_REQUEST_BYTES, SnsMessage};
use vaultwatch::diagnostic::{Source, Sources};
use vaultwatch::payload::{EventRef, LogBatch, LogEvent, LogStream, LogText, Position};
use vaultwatch::pipeline::{self, Analytics};
use vaultwatch::{rule, rule_files};

use crate::{corpus, line};

const UNWRAP_REFUSED: &str = r"
title: A response-wrapping token was presented a second time
id: 0d4b8f5e-6f0c-4a36-9d38-1b7c3f0f7a11
name: unwrap_refused
status: stable
description: >
  A wrapping token works once. Somebody presented one that was already used, had expired or never existed:
  either the secret in it was read by someone else first, or tokens are being guessed.
references: ['https://developer.hashicorp.com/vault/docs/concepts/response-wrapping']
logsource: {product: vault, service: audit}
detection:
  unwrap: {type: request, request.path: sys/wrapping/unwrap}
  refused: {error|contains: wrapping token is not valid or does not exist}
  condition: unwrap and refused
falsepositives: [a client that repeats an unwrap after a time-out]
level: high
tags: [attack.credential-access, attack.t1528, attack.t1078.003]
alert:
  runbook:
    - 'Find who unwrapped it first: search the log for the same request.data.token (the HMAC is equal).'
    - Rotate what was wrapped, then find out how the token travelled.
";

const FAILED_LOGINS: &str = r"
title: Many failed logins from one address
id: 5a0c39c4-3b55-4f0b-8a1e-2f6f6a3d9d02
name: auth_bruteforce_source
status: stable
logsource: {product: vault, service: audit}
detection: {entry: {type|exists: true}, condition: entry}
level: medium
tags: [attack.credential-access, attack.t1110.001]
";

/// Matches every entry, by the fields that whoever talks to Vault fills in.
const EVERYTHING: &str = r"
title: Something happened
id: 4c1f6a54-8a56-4a0e-8d7f-0f6d6c3b2a10
name: something_happened
status: stable
description: Anything at all.
logsource: {product: vault, service: audit}
detection:
  path: {request.path|re: '(?s).'}
  error: {error|re: '(?s).'}
  name: {auth.display_name|re: '(?s).'}
  policies: {auth.policies|re: '(?s).'}
  condition: 1 of them
level: medium
tags: [attack.impact]
";

fn compile(text: &str) -> Analytics {
    let reading = rule::read(&Sources(vec![Source::new("rule.yml", text)]));
    // The file is not named after its rule, which is a matter of style.
    assert_eq!(reading.rules.len(), 1, "{:?}", reading.diagnostics);
    line::compile(reading)
}

/// The alerts of these lines, as if `CloudWatch` had delivered them.
fn alerts(rules: &Analytics, lines: &[String]) -> Vec<Alert> {
    let log_event = |(index, line): (usize, &'_ String)| LogEvent {
        position: Position::LogEvent(format!("{:056}", 39_000_000 + index).into()),
        timestamp: Some(1_795_317_165_000),
        text: LogText::Plain(line.clone().leak()),
    };
    let stream = LogStream {
        owner: "123456789012".to_owned(),
        log_group: "/hcp/vault/audit".to_owned(),
        log_stream: "vault[1]".to_owned(),
    };
    let batch = LogBatch { stream, events: lines.iter().enumerate().map(log_event).collect(), ..LogBatch::default() };
    line::alerts(rules, &batch)
}

fn alert(rules: &str, line: &str) -> Alert {
    let mut alerts = alerts(&compile(rules), &[line.to_owned()]);
    assert_eq!(alerts.len(), 1);
    alerts.remove(0)
}

fn refused_unwrap() -> Alert {
    let refused = |(_, line): &(String, String)| {
        line.contains("wrapping token is not valid") && line.contains(r#""path":"sys/wrapping/unwrap""#)
    };
    let (_, line) = corpus::lines().into_iter().find(refused).unwrap();
    alert(UNWRAP_REFUSED, &line)
}

fn unreadable() -> Alert {
    let lines = ["not json", r#"{"type":"req"#, "[1]"].map(ToOwned::to_owned);
    alerts(&compile(UNWRAP_REFUSED), &lines).remove(0)
}

/// The same alert from a replayed file.
fn replayed(alert: Alert) -> Alert {
    let events = vec![EventRef::Line { file: "audit.log".into(), line: 12 }];
    Alert { events, log: LogStream::default(), ..alert }
}

fn rules_not_loaded() -> Alert {
    let files = ["/opt/rules/impact/seal.yml", "/opt/rules/persistence/root_token_minted.yml"].map(str::to_owned);
    let log = LogStream {
        owner: "123456789012".to_owned(),
        log_group: "/hcp/vault/audit".to_owned(),
        log_stream: "stream".to_owned(),
    };
    pipeline::rules_not_loaded(&files, "2026-11-22T03:12:45Z".parse().unwrap(), &log).unwrap()
}

/// The alert when it has happened so often in so many seconds, from 3 addresses.
fn counted(alert: Alert, stage: Stage, count: u64, seconds: i64) -> Alert {
    let (first, last) = (alert.time, alert.time + SignedDuration::from_secs(seconds));
    Alert { occurrences: Occurrences { stage, count, first, last, addresses: 3 }, ..alert }
}

/// Ten failed logins from one address and in one namespace, of which the last one made it fire.
fn correlated(stage: Stage, count: u64) -> Alert {
    correlated_by(&[("request.remote_address", "192.0.2.66"), ("request.namespace.path", "admin/")], stage, count)
}

fn correlated_by(group: &[(&str, &str)], stage: Stage, count: u64) -> Alert {
    let line = corpus::line("15-userpass-brute-force-lockout.jsonl:6");
    let alert = alert(FAILED_LOGINS, &line);
    let Subject::Audit(facts) = alert.subject else { panic!("an audit event") };
    let of_group = |(field, value): &(&str, &str)| Evidence {
        field: (*field).to_owned(),
        values: vec![Redactor::default().name(value)],
    };
    let correlated = Correlated {
        facts: AuditFacts { evidence: group.iter().map(of_group).collect(), ..*facts },
        reason: "10 events of `auth_login_failed` within 5m".to_owned(),
        rules: vec!["auth_login_failed".to_owned()],
    };
    let first = alert.time - SignedDuration::from_secs(132);
    Alert {
        occurrences: Occurrences { stage, count, first, last: alert.time, addresses: 1 },
        subject: Subject::Correlation(Box::new(correlated)),
        ..alert
    }
}

fn pretty(json: &str) -> String {
    let document: Json = serde_json::from_str(json).unwrap();
    serde_json::to_string_pretty(&document).unwrap()
}

#[test]
fn letters() {
    insta::assert_snapshot!("letter", email::body(&refused_unwrap(), Some("eu-central-1")));
    insta::assert_snapshot!("letter_without_region", email::body(&refused_unwrap(), None));
    insta::assert_snapshot!("letter_of_a_replay", email::body(&replayed(refused_unwrap()), Some("eu-central-1")));
    insta::assert_snapshot!("letter_about_unreadable_events", email::body(&unreadable(), Some("eu-central-1")));
    insta::assert_snapshot!(
        "letter_of_a_correlation",
        email::body(&correlated(Stage::Opened, 10), Some("eu-central-1"))
    );
}

/// Derived values do not stand in the log as they are.
#[test]
fn a_link_looks_for_what_stands_in_the_log() {
    for (field, value, pattern) in [
        ("derived.principal", "0793a6cd-f1a2@admin/", Some("0793a6cd-f1a2")),
        ("derived.actor", "0793a6cd-f1a2", Some("0793a6cd-f1a2")),
        ("derived.actor", "root@admin/team-a/", Some("root")),
        ("derived.mount_type", "userpass", None),
        ("request.mount_point", "auth/userpass/", Some("auth$252Fuserpass$252F")),
    ] {
        let letter = email::body(&correlated_by(&[(field, value)], Stage::Opened, 10), Some("eu-central-1"));
        let link = letter.lines().find(|line| line.starts_with("Around")).unwrap();
        let found = link.split_once("$2522").and_then(|(_, rest)| rest.split_once("$2522"));
        assert_eq!(found.map(|(pattern, _)| pattern), pattern, "{field} {value}: {link}");
    }
}

/// What changes in a letter when there is more to count.
#[test]
fn letters_count() {
    let letter = |stage, count, seconds| {
        let letter = email::body(&counted(refused_unwrap(), stage, count, seconds), Some("eu-central-1"));
        let head = letter.lines().take_while(|line| !line.starts_with("What"));
        let when = letter.lines().find(|line| line.starts_with("When"));
        let reach = letter.lines().find_map(|line| Some(line.rsplit_once("   (")?.1));
        head.chain(when).chain(reach).collect::<Vec<&str>>().join("\n")
    };
    let letters =
        [letter(Stage::Opened, 500, 17), letter(Stage::Repeated, 1000, 1637), letter(Stage::Ended, 57, 86_400)];
    insta::assert_snapshot!(letters.join("\n\n"), @r"
    HIGH: A response-wrapping token was presented a second time

    When    2026-11-22 13:40:33 UTC, 500 times until 13:40:50, from 3 addresses
    same principal, 30 minutes)

    HIGH, again: 1,000 times since 13:40:33 UTC, last at 14:07:50, from 3 addresses
    A response-wrapping token was presented a second time

    When    2026-11-22 13:40:33 UTC, 1,000 times until 14:07:50, from 3 addresses
    same principal, 57 minutes)

    HIGH, over: 57 times in all since 2026-11-22 13:40:33 UTC, last at 2026-11-23
    13:40:33, from 3 addresses
    A response-wrapping token was presented a second time

    The suppression time is over. If it happens again, that is a new alert.

    When    2026-11-22 13:40:33 UTC, 57 times until 2026-11-23 13:40:33, from 3
    same principal, 24 hours)
    ");
}

#[test]
fn findings() {
    insta::assert_snapshot!("finding", pretty(&ocsf::to_json(&refused_unwrap())));
    insta::assert_snapshot!("finding_of_a_replay", pretty(&ocsf::to_json(&replayed(refused_unwrap()))));
    insta::assert_snapshot!("finding_about_unreadable_events", pretty(&ocsf::to_json(&unreadable())));
    insta::assert_snapshot!("finding_of_a_correlation", pretty(&ocsf::to_json(&correlated(Stage::Opened, 10))));
    let policies: Vec<String> = (0..500).map(|number| format!("policy-{number}")).collect();
    let line = json!({
        "auth": {"display_name": "a".repeat(200_000), "policies": policies},
        "error": "\"\n".repeat(100_000),
        "request": {"path": "b/".repeat(40_000)},
    });
    let cut = ocsf::to_json_bounded(&alert(EVERYTHING, &line.to_string()), 4000);
    insta::assert_snapshot!("finding_that_is_cut", pretty(&cut));
}

/// What changes in a finding from one message about an alert to the next.
#[test]
fn findings_have_a_life() {
    let stages = [(Stage::Opened, 1, 0), (Stage::Opened, 500, 17), (Stage::Repeated, 1000, 60), (Stage::Ended, 57, 60)];
    let lives = stages.map(|(stage, count, seconds)| {
        let alert = counted(refused_unwrap(), stage, count, seconds);
        let finding: Json = serde_json::from_str(&ocsf::to_json(&alert)).unwrap();
        let told = |pointer: &str| format!("{pointer}: {}", finding.pointer(pointer).unwrap_or(&Json::Null));
        [
            "/activity_id",
            "/activity_name",
            "/type_uid",
            "/type_name",
            "/status_id",
            "/status",
            "/is_alert",
            "/time",
            "/count",
            "/start_time",
            "/end_time",
            "/duration",
            "/finding_info/uid",
            "/finding_info/created_time",
            "/finding_info/first_seen_time",
            "/finding_info/last_seen_time",
            "/metadata/uid",
            "/unmapped/stage",
            "/unmapped/count",
            "/unmapped/addresses",
        ]
        .map(told)
        .join("\n")
    });
    insta::assert_snapshot!("findings_have_a_life", lives.join("\n\n"));
}

#[test]
fn messages_of_one_alert_are_told_apart() {
    let id = |stage, count, seconds| counted(refused_unwrap(), stage, count, seconds).message_id();
    assert_eq!(id(Stage::Opened, 1, 0), refused_unwrap().id);
    assert_eq!(id(Stage::Opened, 500, 17), refused_unwrap().id, "a retry has counted more");
    assert_eq!(id(Stage::Repeated, 10, 17), id(Stage::Repeated, 10, 18));
    let ids =
        [id(Stage::Opened, 1, 0), id(Stage::Repeated, 10, 1), id(Stage::Repeated, 100, 2), id(Stage::Ended, 100, 2)];
    assert_eq!(ids.iter().collect::<HashSet<_>>().len(), ids.len());
}

#[test]
fn single_lines() {
    let again = |stage, count| counted(refused_unwrap(), stage, count, 3600);
    let lines = [
        refused_unwrap(),
        unreadable(),
        again(Stage::Opened, 500),
        again(Stage::Repeated, 1_000_000),
        again(Stage::Ended, 57),
        correlated(Stage::Repeated, 100),
    ]
    .map(|alert| [email::subject(&alert), sms::line(&alert)].join("\n"));
    insta::assert_snapshot!(lines.join("\n"), @r"
    [vaultwatch] HIGH: A response-wrapping token was presented a second time
    vaultwatch HIGH unwrap_refused 2026-11-22 13:40Z from 127.0.0.34
    [vaultwatch] MEDIUM: Audit log events could not be read
    vaultwatch MEDIUM unreadable_audit_events x3 2026-11-22 03:12Z
    [vaultwatch] HIGH: A response-wrapping token was presented a second time
    vaultwatch HIGH unwrap_refused x500 2026-11-22 13:40Z from 127.0.0.34
    [vaultwatch] HIGH, again: A response-wrapping token was presented a second time
    vaultwatch HIGH, again: unwrap_refused x1000000 2026-11-22 14:40Z from 127.0.0.34
    [vaultwatch] HIGH, over: A response-wrapping token was presented a second time
    vaultwatch HIGH, over: unwrap_refused x57 2026-11-22 14:40Z from 127.0.0.34
    [vaultwatch] MEDIUM, again: Many failed logins from one address
    vaultwatch MEDIUM, again: auth_bruteforce_source x100 2026-11-22 13:40Z by alice from 192.0.2.66
    ");
}

#[test]
fn attributes() {
    let message = SnsMessage::of(&correlated(Stage::Repeated, 100), None);
    let attributes: Vec<String> =
        message.attributes.iter().map(|one| format!("{} {} {}", one.name, one.data_type, one.value)).collect();
    insta::assert_snapshot!(attributes.join("\n"), @r#"
    severity String medium
    rule_id String auth_bruteforce_source
    tactic String.Array ["credential-access"]
    namespace String admin/
    stage String repeated
    "#);
}

/// What other rules found in the same happening.
#[test]
fn several_rules_in_one_alert() {
    let found = alert(EVERYTHING, &corpus::line("15-userpass-brute-force-lockout.jsonl:6"));
    let seen = correlated(Stage::Opened, 10);
    let alert = Alert { also: vec![found, seen], ..refused_unwrap() };
    let letter = email::body(&alert, Some("eu-central-1"));
    let told = letter.lines().skip_while(|line| !line.starts_with("Also")).take_while(|line| !line.starts_with("Do"));
    let told: String = told.map(|line| line.to_owned() + "\n").collect();
    let finding: Json = serde_json::from_str(&ocsf::to_json(&alert)).unwrap();
    let places = ["/finding_info/related_analytics", "/unmapped/also"];
    let found = places.map(|place| format!("\n{place} {:#}", finding.pointer(place).unwrap()));
    insta::assert_snapshot!("several_rules_in_one_alert", told + &found.join("\n"));
    let message = SnsMessage::of(&alert, None);
    let [also] = message.attributes.iter().filter(|one| one.name == "also").collect::<Vec<_>>()[..] else { panic!() };
    assert_eq!((also.data_type, &*also.value), ("String.Array", r#"["something_happened","auth_bruteforce_source"]"#));
    check_limits(&alert);
}

#[test]
fn rules_that_do_not_load() {
    let alert = rules_not_loaded();
    let told = [email::body(&alert, Some("eu-central-1")), sms::line(&alert), pretty(&ocsf::to_json(&alert))];
    insta::assert_snapshot!("rules_not_loaded", told.join("\n\n"));
    check_limits(&alert);
    assert_eq!(alert.id, rules_not_loaded().id, "the same files, the same alert");
}

#[test]
fn techniques_stand_with_the_one_tactic_and_beside_several() {
    let attacks = |tags: &[&str]| {
        let attacks = tags.iter().filter_map(|tag| Attack::from_tag(tag)).collect();
        let alert = unreadable();
        let analytic = Arc::new(Analytic { attacks, ..Analytic::clone(&alert.analytic) });
        let finding: Json = serde_json::from_str(&ocsf::to_json(&Alert { analytic, ..alert })).unwrap();
        let ids = |attack: &Json| {
            ["tactic", "technique", "sub_technique"]
                .map(|kind| attack[kind]["uid"].as_str().unwrap_or("-").to_owned())
                .join(" ")
        };
        let attacks = finding["finding_info"]["attacks"].as_array().cloned().unwrap_or_default();
        attacks.iter().map(ids).collect::<Vec<String>>()
    };
    assert_eq!(attacks(&[]), [""; 0]);
    assert_eq!(attacks(&["attack.stealth"]), ["TA0005 - -"]);
    assert_eq!(attacks(&["attack.t1528"]), ["- T1528 -"]);
    assert_eq!(
        attacks(&["attack.defense-impairment", "attack.t1685", "attack.t1685.002"]),
        ["TA0112 T1685 -", "TA0112 T1685 T1685.002"]
    );
    assert_eq!(
        attacks(&["attack.persistence", "attack.t1098", "attack.impact"]),
        ["TA0003 - -", "TA0040 - -", "- T1098 -"]
    );
}

/// An entry in which everything that a client chooses tries to look like something else.
fn hostile_line() -> String {
    let forged = "x\nWho     root\r\n\u{1b}[2J\u{202e}\u{200b}\u{2028}Alert   none\u{85}\0";
    json!({
        "time": "2026-11-22T03:12:45Z",
        "type": forged,
        "error": forged,
        "auth": {"display_name": forged, "entity_id": forged, "policies": [forged, forged], "accessor": forged},
        "request": {
            "id": forged, "operation": forged, "path": forged, "remote_address": forged, "mount_type": forged,
            "mount_point": forged, "namespace": {"path": forged}, "headers": {"user-agent": [forged]},
        },
    })
    .to_string()
}

#[test]
fn an_attacker_writes_no_line_of_the_letter() {
    let alert = alert(EVERYTHING, &hostile_line());
    let letter = email::body(&alert, Some("eu-central-1"));
    let labels = [
        "MEDIUM:", "What", "Who", "From", "Where", "When", "Why", "Event", "Around", "Token", "Request", "Rule",
        "Alert",
    ];
    let mut seen = Vec::new();
    for line in letter.lines().filter(|line| !line.is_empty()) {
        assert!(line.chars().all(|character| character == ' ' || character.is_ascii_graphic()), "{line:?}");
        if !line.starts_with("        ") {
            seen.push(line.split(' ').next().unwrap());
        }
    }
    assert_eq!(seen, labels);
    assert_eq!(email::subject(&alert), "[vaultwatch] MEDIUM: Something happened");
    let line = sms::line(&alert);
    assert!(line.bytes().all(|byte| matches!(byte, b' '..=b'~')) && line.len() <= 140, "{line:?}");
}

/// What SNS and its subscribers demand of every message.
fn check_limits(alert: &Alert) {
    let message = SnsMessage::of(alert, Some("eu-central-1"));
    assert!(message.size() <= MAX_REQUEST_BYTES, "{} bytes", message.size());
    assert!((1..=99).contains(&message.subject.len()));
    assert!(message.subject.bytes().all(|byte| matches!(byte, b' '..=b'~')), "{}", message.subject);
    assert!(!message.body.contains(['\u{fffe}', '\u{ffff}']), "deliveries by way of XML would fail");
    let body: Json = serde_json::from_str(&message.body).unwrap();
    for protocol in ["default", "email", "sms"] {
        assert!(!body[protocol].as_str().unwrap().is_empty());
    }
    assert!(body["email"].as_str().unwrap().len() <= email::MAX_BYTES);
    assert!(body["sms"].as_str().unwrap().len() <= sms::MAX_BYTES);
    for attribute in &message.attributes {
        assert!((1..=4096).contains(&attribute.value.len()), "{attribute:?}");
        assert!(!attribute.value.contains(char::is_control), "{attribute:?}");
        if attribute.data_type == "String.Array" {
            assert!(serde_json::from_str::<Vec<String>>(&attribute.value).is_ok_and(|list| !list.is_empty()));
        }
    }
    for bound in [ocsf::SMALLEST_BOUND, MAX_FINDING_BYTES] {
        let json = ocsf::to_json_bounded(alert, bound);
        assert!(json.len() <= bound, "{} bytes", json.len());
        check_identity(alert, &serde_json::from_str(&json).unwrap());
    }
}

fn check_identity(alert: &Alert, finding: &Json) {
    assert_eq!(finding["class_uid"], 2004);
    assert_eq!(finding["finding_info"]["uid"], alert.id.to_string());
    assert_eq!(finding["finding_info"]["analytic"]["uid"], alert.analytic.id.to_string());
    assert_eq!(finding["finding_info"]["analytic"]["name"], alert.analytic.name);
    assert_eq!(finding["time"], alert.message_time().as_millisecond());
    assert_eq!(finding["metadata"]["uid"], alert.message_id().to_string());
    assert_eq!(finding["unmapped"]["stage"], alert.occurrences.stage.as_str());
    assert_eq!(finding["severity"].as_str().map(str::to_lowercase).as_deref(), Some(alert.level.as_str()));
    let events = finding["unmapped"]["events"].as_array().unwrap();
    assert!(events.is_empty() == alert.events.is_empty());
}

/// A text as what it repeats, so that a failure can be read.
#[derive(Debug, Clone)]
struct Text {
    piece: String,
    bytes: usize,
}

impl Text {
    fn write(&self) -> String {
        let mut text = self.piece.repeat(self.bytes / self.piece.len().max(1) + 1);
        text.truncate(text.floor_char_boundary(self.bytes));
        text
    }
}

/// Texts of every size, of characters that are cheap and dear to write.
fn any_text() -> impl Strategy<Value = Text> {
    const DEAR: &[&str] = &["\"\\\"", "\0\u{1}\u{1f}\n", "\u{ffff}\u{202e}\u{e0041}", "a/"];
    let piece = prop_oneof![any::<String>(), prop::sample::select(DEAR).prop_map(str::to_owned)];
    let bytes = prop_oneof![0..100_usize, 3000..5000_usize, 0..50_000_usize];
    (piece, bytes).prop_map(|(piece, bytes)| Text { piece, bytes })
}

/// A list of the same text.
fn any_list() -> impl Strategy<Value = (Text, usize)> {
    (any_text(), prop_oneof![0..3_usize, 0..120_usize])
        .prop_map(|(text, times)| (Text { bytes: text.bytes.min(4500), ..text }, times))
}

static RULES: LazyLock<Analytics> = LazyLock::new(|| compile(EVERYTHING));

/// An alert with these texts and lists wherever it has one.
fn alert_of(texts: &[Text; 8], lists: &[(Text, usize); 4], name: &str, events: usize) -> Alert {
    let [error, who, id, path, namespace, address, title, event_id] = texts.each_ref().map(Text::write);
    let [policies, falsepositives, runbook, tactics] = lists.each_ref().map(|(text, times)| vec![text.write(); *times]);
    let line = json!({
        "error": error,
        "auth": {"display_name": who, "entity_id": id, "policies": policies},
        "request": {
            "id": id, "operation": address, "path": path, "mount_type": namespace, "mount_point": path,
            "remote_address": address, "namespace": {"path": namespace}, "headers": {"user-agent": [address]},
        },
    });
    let alert = alerts(&RULES, &[line.to_string()]).pop().unwrap_or_else(unreadable);
    let subject = match alert.subject {
        Subject::Audit(facts) if events.is_multiple_of(2) => {
            Subject::Correlation(Box::new(Correlated { facts: *facts, reason: title.clone(), rules: tactics.clone() }))
        }
        subject => subject,
    };
    let stage = [Stage::Opened, Stage::Repeated, Stage::Ended][events % 3];
    let occurrences =
        Occurrences { stage, count: u64::MAX, last: Timestamp::MAX, addresses: events, ..alert.occurrences };
    let analytic = Analytic {
        name: name.to_owned(),
        description: Some(title.clone()),
        references: runbook.clone(),
        attacks: tactics.into_iter().map(Attack::Tactic).collect(),
        title,
        falsepositives,
        runbook,
        ..Analytic::clone(&alert.analytic)
    };
    Alert {
        analytic: Arc::new(analytic),
        log: LogStream { owner: event_id.clone(), log_group: event_id.clone(), log_stream: event_id.clone() },
        events: vec![EventRef::LogEvent(event_id); events],
        subject,
        occurrences,
        ..alert
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_alert_keeps_to_the_limits(
        texts in prop::array::uniform8(any_text()),
        lists in prop::array::uniform4(any_list()),
        name in "[a-z_]{1,200}",
        events in 0..300_usize,
    ) {
        check_limits(&alert_of(&texts, &lists, &name, events));
    }
}

#[test]
fn every_alert_of_the_captured_logs_keeps_to_the_limits() {
    let sources = rule_files::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("rules").as_path()).unwrap();
    let rules = line::compile(rule::read(&sources));
    let lines: Vec<String> = corpus::lines().into_iter().map(|(_, line)| line).collect();
    let alerts: Vec<Alert> = lines.iter().flat_map(|line| alerts(&rules, std::slice::from_ref(line))).collect();
    assert!(alerts.len() > 100, "{} alerts", alerts.len());
    for alert in &alerts {
        check_limits(alert);
        check_identity(alert, &serde_json::from_str(&ocsf::to_json(alert)).unwrap());
    }
}
