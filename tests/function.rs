//! The function as Lambda runs it: the real binary, between a stand-in for Lambda and one for SNS.

use std::fs;
use std::process::Command;

use lambda_runtime::{Diagnostic, LambdaEvent, service_fn};
use serde_json::value::RawValue;
use serde_json::{Value as Json, json};
use tempfile::TempDir;
use vaultwatch::aws::config;

use crate::lambda::{Answer, Lambda, PAST_DEADLINE, in_seconds, subscription_event};
use crate::topic::{Reply, Topic};

const TOPIC_ARN: &str = "arn:aws:sns:eu-central-1:123456789012:alerts";

const ROOT_USED: &str = r"
title: Somebody used a root token
id: 3d7a4c0e-8a42-4d0c-9b1e-5f5d3a1c7e01
name: root_used
status: stable
description: Root may do everything.
logsource: {product: vault, service: audit}
detection: {root: {auth.policies: root}, condition: root}
falsepositives: [an emergency]
level: critical
alert: {suppress: 0}
tags: [attack.privilege-escalation, attack.t1078.003]
";

/// An audit entry of a root token; the path is what the entry is known by.
fn entry(id: &str, path: &str, policy: &str) -> String {
    json!({
        "time": "2026-11-22T03:12:45Z",
        "type": "request",
        "auth": {"display_name": "root", "policies": [policy], "token_type": "service"},
        "request": {"id": id, "operation": "read", "path": path, "namespace": {"id": "root"}, "remote_address": "192.0.2.1"},
    })
    .to_string()
}

/// A function with these rule files, and the directory that they are in.
fn start(topic: &Topic, rules: &[(&str, &str)], more: &[(&str, &str)]) -> (Lambda, TempDir) {
    let directory = tempfile::tempdir().unwrap();
    for (name, text) in rules {
        fs::write(directory.path().join(name), text).unwrap();
    }
    let endpoint = format!("http://{}", topic.address);
    let path = directory.path().display().to_string();
    let mut variables = vec![
        ("VAULTWATCH_TOPIC_ARN", TOPIC_ARN),
        ("VAULTWATCH_RULES", &path),
        ("AWS_ENDPOINT_URL", &endpoint),
        ("AWS_REGION", "eu-central-1"),
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
    ];
    variables.extend(more);
    (Lambda::start(&variables), directory)
}

fn error_type(answer: &Answer) -> &str {
    match answer {
        Answer::Error { error_type, .. } => error_type,
        other => panic!("an error was expected, not {other:?}"),
    }
}

#[test]
fn a_match_is_published() {
    let topic = Topic::start(vec![]);
    let (mut lambda, _rules) = start(&topic, &[("root_used.yml", ROOT_USED)], &[]);
    let lines = [entry("1", "sys/mounts", "root"), entry("2", "kv/app", "default")];
    assert_eq!(lambda.invoke(&subscription_event(&lines), in_seconds(60)), Answer::Success);

    let accepted = topic.accepted();
    let [message] = accepted.as_slice() else { panic!("one message: {accepted:?}") };
    assert_eq!(message.get("Subject"), "[vaultwatch] CRITICAL: Somebody used a root token");
    let attributes: Vec<(&str, &str)> =
        message.attributes.iter().map(|(name, (_, value))| (name.as_str(), value.as_str())).collect();
    assert_eq!(
        attributes,
        [
            ("namespace", "root"),
            ("rule_id", "root_used"),
            ("severity", "critical"),
            ("stage", "opened"),
            ("tactic", r#"["privilege-escalation"]"#)
        ]
    );
    let finding: Json = serde_json::from_str(&message.text("default")).unwrap();
    assert_eq!(finding["class_uid"], 2004);
    assert_eq!(finding["unmapped"]["path"], "sys/mounts");
    assert_eq!(finding["unmapped"]["log_group"], "/hcp/vault/audit");
    let event = finding["unmapped"]["events"][0]["log_event_id"].as_str().unwrap();
    assert!(message.text("email").contains(&format!("refEventId$3D{event}")));
    assert_eq!(message.text("sms"), "vaultwatch CRITICAL root_used 2026-11-22 03:12Z by root from 192.0.2.1");

    let done = lambda.log_line("batch done");
    for (field, count) in [("events", 2), ("unreadable", 0), ("matches", 1), ("alerts", 1), ("published", 1)] {
        assert_eq!(done[field], count, "{field} in {done}");
    }
    assert!(done["seconds"].is_f64(), "{done}");
}

/// The same rule about another path, with another name and a line more.
fn another(name: &str, more: &str) -> String {
    let id = format!("3d7a4c0e-8a42-4d0c-9b1e-{:012}", name.len());
    ROOT_USED
        .replace("root_used", name)
        .replace("3d7a4c0e-8a42-4d0c-9b1e-5f5d3a1c7e01", &id)
        .replace("status: stable", more)
        .replace("level: critical", "level: high")
}

#[test]
fn what_is_withheld_is_counted_and_logged() {
    let topic = Topic::start(vec![]);
    let rules = [
        ("root_used.yml", ROOT_USED.to_owned()),
        ("shadow.yml", another("shadow", "status: experimental")),
        ("minor.yml", another("minor", "status: stable")),
        ("disabled.yml", another("disabled", "author: nobody")),
    ];
    let rules: Vec<(&str, &str)> = rules.iter().map(|(name, text)| (*name, text.as_str())).collect();
    let more = [("VAULTWATCH_MIN_LEVEL", "critical"), ("VAULTWATCH_DISABLED_RULES", "disabled,no_such_rule")];
    let (mut lambda, _rules) = start(&topic, &rules, &more);
    let event = subscription_event(&[entry("1", "sys/mounts", "root")]);
    assert_eq!(lambda.invoke(&event, in_seconds(60)), Answer::Success);

    let accepted = topic.accepted();
    assert_eq!(accepted.iter().map(|message| &message.attributes["rule_id"].1).collect::<Vec<_>>(), ["root_used"]);
    let unknown = lambda.log_line("`VAULTWATCH_DISABLED_RULES` names no rule that is in force");
    assert_eq!(unknown["name"], "no_such_rule");
    assert_eq!(lambda.log_line("withheld")["rule"], "shadow");
    let done = lambda.log_line("batch done");
    for (field, count) in [("matches", 3), ("alerts", 1), ("withheld", 2), ("published", 1)] {
        assert_eq!(done[field], count, "{field} in {done}");
    }
}

const PROFILES: &str = "profile: all\nprofiles: {all: {}, some: {without: [minor]}}\n";

#[test]
fn a_profile_is_asked_for_or_chosen_by_the_rules() {
    let minor = another("minor", "status: stable");
    let rules = [("root_used.yml", ROOT_USED), ("minor.yml", minor.as_str()), ("vaultwatch.yml", PROFILES)];
    for (variable, profile, expected) in [
        ("", "all", &["minor", "root_used"][..]),
        ("all", "all", &["minor", "root_used"]),
        ("some", "some", &["root_used"]),
    ] {
        let topic = Topic::start(vec![]);
        let (mut lambda, _rules) = start(&topic, &rules, &[("VAULTWATCH_PROFILE", variable)]);
        let event = subscription_event(&[entry("1", "sys/mounts", "root")]);
        assert_eq!(lambda.invoke(&event, in_seconds(60)), Answer::Success);
        let mut raised: Vec<String> =
            topic.accepted().iter().map(|message| message.attributes["rule_id"].1.clone()).collect();
        raised.sort_unstable();
        assert_eq!(raised, expected, "{variable:?}");
        assert_eq!(lambda.log_line("the rules of this profile are in force")["profile"], profile);
    }
}

#[test]
fn with_a_profile_that_there_is_not_nothing_starts() {
    for (rules, told) in [
        (&[("root_used.yml", ROOT_USED), ("vaultwatch.yml", PROFILES)][..], "there are `all` and `some`"),
        (&[("root_used.yml", ROOT_USED)], "no `vaultwatch.yml` among the rules has profiles"),
    ] {
        let topic = Topic::start(vec![]);
        let (mut lambda, _rules) = start(&topic, rules, &[("VAULTWATCH_PROFILE", "nome")]);
        let Answer::InitError { error_type, error_message } = lambda.answer() else { panic!("it started") };
        assert_eq!(error_type, "vaultwatch.start.config");
        let expected = format!("`VAULTWATCH_PROFILE` does not fit the rules: there is no profile `nome`: {told}");
        assert_eq!(error_message, expected);
        assert!(!lambda.wait().success());
    }
}

#[test]
fn a_correlation_sees_what_came_in_several_payloads() {
    let correlation = "title: Often\nid: 3d7a4c0e-8a42-4d0c-9b1e-5f5d3a1c7e09\nname: often\nlevel: high\n\
                       correlation: {type: event_count, rules: [root_used], timespan: 5m, condition: {gte: 3}}\n";
    let topic = Topic::start(vec![]);
    let (mut lambda, _rules) = start(&topic, &[("root_used.yml", ROOT_USED), ("often.yml", correlation)], &[]);
    for ids in [["1", "2"], ["2", "1"], ["3", "1"], ["3", "4"]] {
        let event = subscription_event(&ids.map(|id| entry(id, "sys/mounts", "root")));
        assert_eq!(lambda.invoke(&event, in_seconds(60)), Answer::Success);
    }
    let accepted = topic.accepted();
    assert_eq!(accepted.len(), 1, "its rule does not alert by itself, and what repeats is counted");
    let finding: Json = serde_json::from_str(&accepted[0].text("default")).unwrap();
    assert_eq!(finding["finding_info"]["analytic"]["name"], "often");
    assert_eq!(finding["unmapped"]["count"], 3);
    assert_eq!(finding["unmapped"]["reason"], "at least 3 events of `root_used` within 5m");
}

#[test]
fn what_repeats_is_told_at_once_and_then_in_digests() {
    let topic = Topic::start(vec![]);
    let suppressed = ROOT_USED.replace("suppress: 0", "suppress: 1h");
    let (mut lambda, _rules) = start(&topic, &[("root_used.yml", &suppressed)], &[]);
    for from in (0..120).step_by(6) {
        let lines: Vec<String> = (from..from + 6).map(|id| entry(&id.to_string(), "sys/mounts", "root")).collect();
        assert_eq!(lambda.invoke(&subscription_event(&lines), in_seconds(60)), Answer::Success);
    }
    let told: Vec<(Json, Json)> = topic
        .accepted()
        .into_iter()
        .map(|entry| serde_json::from_str::<Json>(&entry.text("default")).unwrap())
        .map(|finding| (finding["unmapped"]["stage"].clone(), finding["unmapped"]["count"].clone()))
        .collect();
    assert_eq!(json!(told), json!([["opened", 6], ["repeated", 12], ["repeated", 102]]));
}

#[test]
fn what_cannot_be_decoded_is_an_error_with_a_stable_type() {
    let topic = Topic::start(vec![]);
    let (mut lambda, _rules) =
        start(&topic, &[("root_used.yml", ROOT_USED)], &[("VAULTWATCH_MAX_INFLATED_BYTES", "100")]);
    for (event, expected) in [
        (json!({"Records": []}).to_string(), "vaultwatch.payload.not_a_subscription_payload"),
        (json!([1]).to_string(), "vaultwatch.payload.not_a_subscription_payload"),
        (json!({"awslogs": {"data": "@@@@"}}).to_string(), "vaultwatch.payload.base64"),
        (json!({"awslogs": {"data": "bm8gZ3ppcA=="}}).to_string(), "vaultwatch.payload.gzip"),
        (subscription_event(&["x".repeat(200)]), "vaultwatch.payload.too_large"),
    ] {
        assert_eq!(error_type(&lambda.invoke(&event, in_seconds(60))), expected, "{event}");
    }
    assert!(topic.calls().is_empty());
}

#[test]
fn a_control_message_is_a_success() {
    let topic = Topic::start(vec![]);
    let (mut lambda, _rules) = start(&topic, &[("root_used.yml", ROOT_USED)], &[]);
    let event = include_str!("events/control-message.json");
    assert_eq!(lambda.invoke(event, in_seconds(60)), Answer::Success);
    assert!(topic.calls().is_empty());
}

#[test]
fn a_retry_publishes_what_was_not_published_and_nothing_else() {
    let topic = Topic::start(vec![]);
    let (mut lambda, _rules) = start(&topic, &[("root_used.yml", ROOT_USED)], &[]);
    let event = subscription_event(&[entry("1", "sys/a", "root"), entry("2", "sys/b", "root")]);

    topic.answer_usually(Reply::Error(403, "AuthorizationError"));
    let answer = lambda.invoke(&event, in_seconds(60));
    assert_eq!(error_type(&answer), "vaultwatch.publish");
    assert_eq!(topic.accepted().len(), 0);

    topic.answer_usually(Reply::Fail(vec![(0, "InvalidParameter", true)]));
    let Answer::Error { error_message, .. } = lambda.invoke(&event, in_seconds(60)) else { panic!("one is missing") };
    assert_eq!(error_message, "1 of 2 alerts are not published: sns refused the message: `InvalidParameter`, as told");
    assert_eq!(topic.accepted().len(), 1);

    topic.answer_usually(Reply::Accept);
    assert_eq!(lambda.invoke(&event, in_seconds(60)), Answer::Success);
    assert_eq!(topic.calls(), [2, 2, 1]);

    assert_eq!(lambda.invoke(&event, in_seconds(60)), Answer::Success);
    assert_eq!(topic.calls(), [2, 2, 1], "a redelivered payload publishes nothing");
}

#[test]
fn a_payload_may_raise_many_alerts() {
    let topic = Topic::start(vec![]);
    let (mut lambda, _rules) = start(&topic, &[("root_used.yml", ROOT_USED)], &[]);
    let lines: Vec<String> = (0..120).map(|number| entry(&number.to_string(), "sys/mounts", "root")).collect();
    assert_eq!(lambda.invoke(&subscription_event(&lines), in_seconds(60)), Answer::Success);
    assert_eq!(topic.calls(), [10; 12]);
    let findings = topic.accepted().into_iter().map(|entry| serde_json::from_str(&entry.text("default")).unwrap());
    let requests: Vec<String> = findings.map(|finding: Json| finding["unmapped"]["request_id"].to_string()).collect();
    assert_eq!(requests, (0..120).map(|number| format!("\"{number}\"")).collect::<Vec<String>>());
}

#[test]
fn the_deadline_is_respected() {
    let topic = Topic::start(vec![]);
    topic.answer_usually(Reply::Silence);
    let (mut lambda, _rules) = start(&topic, &[("root_used.yml", ROOT_USED)], &[]);
    // The time of this event begins when the process already runs.
    assert_eq!(lambda.invoke(include_str!("events/control-message.json"), in_seconds(60)), Answer::Success);
    let event = subscription_event(&[entry("1", "sys/a", "root")]);
    let Answer::Error { error_type, error_message } = lambda.invoke(&event, in_seconds(2)) else { panic!("no answer") };
    assert_eq!(error_type, "vaultwatch.publish");
    assert_eq!(error_message, "1 of 1 alerts are not published: the invocation has no time left");

    topic.answer_usually(Reply::Accept);
    assert_eq!(lambda.invoke(&event, PAST_DEADLINE), Answer::Success);
    assert_eq!(topic.accepted().len(), 1, "a deadline in the past is none");
}

#[test]
fn a_broken_rule_is_logged_and_the_others_run() {
    let topic = Topic::start(vec![]);
    let broken = "title: Broken\nid: no uuid\n";
    let (mut lambda, _rules) = start(&topic, &[("root_used.yml", ROOT_USED), ("broken.yml", broken)], &[]);
    for id in ["1", "2"] {
        let event = subscription_event(&[entry(id, "sys/a", "root")]);
        assert_eq!(lambda.invoke(&event, in_seconds(60)), Answer::Success);
    }
    let accepted = topic.accepted();
    let subjects: Vec<&str> = accepted.iter().map(|message| message.get("Subject")).collect();
    let root = "[vaultwatch] CRITICAL: Somebody used a root token";
    assert_eq!(subjects, [root, "[vaultwatch] HIGH: Rules do not load", root], "told once a process");
    let finding: Json = serde_json::from_str(&accepted[1].text("default")).unwrap();
    assert_eq!(finding["finding_info"]["analytic"]["name"], "rules_not_loaded");
    assert_eq!(finding["unmapped"]["rule_files"].as_array().map(Vec::len), Some(1));
    assert!(accepted[1].text("email").contains("/broken.yml"), "{}", accepted[1].text("email"));
    let log = lambda.log();
    let mut lines = log.lines().map(|line| serde_json::from_str::<Json>(line).unwrap());
    let metric = lines.find(|line| line.get("_aws").is_some()).unwrap();
    assert_eq!(metric["RuleFilesNotLoaded"], 1);
    assert_eq!(metric["_aws"]["CloudWatchMetrics"][0]["Metrics"][0]["Name"], "RuleFilesNotLoaded");
    let problem = lambda.log_line("a rule does not load");
    assert_eq!(problem["level"], "ERROR");
    assert!(problem["file"].as_str().unwrap().ends_with("broken.yml"), "{problem}");
    assert!(problem["line"].as_u64().unwrap() >= 1, "{problem}");
}

#[test]
fn without_a_rule_nothing_starts() {
    let topic = Topic::start(vec![]);
    let (mut lambda, _rules) = start(&topic, &[("broken.yml", "title: Broken\n")], &[]);
    let Answer::InitError { error_type, error_message } = lambda.answer() else { panic!("it started") };
    assert_eq!(error_type, "vaultwatch.start.rules");
    assert!(error_message.starts_with("no rule in "), "{error_message}");
    assert!(!lambda.wait().success());
}

#[test]
fn a_wrong_environment_is_told_at_once() {
    let mut lambda = Lambda::start(&[("VAULTWATCH_MAX_INFLATED_BYTES", "many")]);
    let Answer::InitError { error_type, error_message } = lambda.answer() else { panic!("it started") };
    assert_eq!(error_type, "vaultwatch.start.config");
    assert_eq!(
        error_message,
        "`VAULTWATCH_TOPIC_ARN` is not set, but must be the ARN of a standard SNS topic, \
         `arn:aws:sns:<region>:<account>:<name>`; \
         `VAULTWATCH_MAX_INFLATED_BYTES` is `many`, but must be a number of bytes above 0"
    );
    assert!(!lambda.wait().success());
    assert_eq!(lambda.log_line("the function cannot start")["error_message"], error_message);
}

#[test]
fn on_a_desk_it_names_the_program_to_run() {
    let output = Command::new(env!("CARGO_BIN_EXE_bootstrap")).env_clear().output().unwrap();
    assert!(!output.status.success());
    assert!(String::from_utf8(output.stdout).unwrap().contains("vaultwatch invoke"));
}

#[test]
fn the_log_has_no_content_of_the_audit_log_in_it() {
    let topic = Topic::start(vec![Reply::Fail(vec![(0, "InvalidParameter", true)])]);
    let (mut lambda, _rules) = start(&topic, &[("root_used.yml", ROOT_USED)], &[("VAULTWATCH_LOG", "trace")]);
    let event = subscription_event(&[entry("1", "sys/path-of-the-entry", "root")]);
    lambda.invoke(&event, in_seconds(60));
    let data = serde_json::from_str::<Json>(&event).unwrap()["awslogs"]["data"].as_str().unwrap().to_owned();
    let log = lambda.log();
    assert!(log.contains("batch done"));
    assert!(!log.contains("path-of-the-entry"), "the entry is in the log");
    assert!(!log.contains(&data), "the payload is in the log");
}

/// This test plays both parts: started by itself as a function, it panics when told to.
#[test]
fn a_panic_fails_one_invocation() {
    if config::is_in_lambda() {
        return serve(async |event| assert_ne!(event.payload.get(), "\"panic\""));
    }
    let mut itself = Command::new(std::env::current_exe().unwrap());
    let mut lambda = Lambda::run(itself.args(["--exact", "function::a_panic_fails_one_invocation"]), &[]);
    assert!(matches!(lambda.invoke("\"panic\"", in_seconds(60)), Answer::Error { .. }));
    assert_eq!(lambda.invoke("{}", in_seconds(60)), Answer::Success);
}

fn serve(handle: impl AsyncFn(LambdaEvent<Box<RawValue>>)) {
    let handler = service_fn(async |event| {
        handle(event).await;
        Ok::<(), Diagnostic>(())
    });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(lambda_runtime::run(handler)).unwrap();
}

/// `cargo lambda build` makes panics abort the process unless the profile says otherwise.
#[test]
fn panics_unwind_in_the_binary_that_ships() {
    let manifest: toml::Table = include_str!("../Cargo.toml").parse().unwrap();
    assert_eq!(manifest["profile"]["release"]["panic"].as_str(), Some("unwind"));
}
