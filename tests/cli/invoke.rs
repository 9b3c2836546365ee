//! `vaultwatch invoke`

use std::io::Write;
use std::iter;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use super::desk::{Desk, event, text};

#[test]
fn a_root_token_is_told_as_a_letter() {
    let desk = Desk::with_rules().with("event.json", event("root-token-used"));
    insta::assert_snapshot!("invoke", desk.session(&["invoke", "event.json"]));
}

#[test]
fn without_a_file_there_is_a_recorded_payload() {
    let desk = Desk::with_rules().with("event.json", event("root-token-used"));
    let bundled = desk.run(&["invoke"]);
    assert_eq!(text(&bundled.stdout), text(&desk.run(&["invoke", "event.json"]).stdout));
    assert_eq!(text(&bundled.stdout), text(&desk.pipe(&["invoke", "-"], event("root-token-used")).stdout));
    assert_eq!(bundled.status.code(), Some(0));
}

#[test]
fn the_rules_that_ship_tell_each_recorded_payload() {
    let rules = concat!(env!("CARGO_MANIFEST_DIR"), "/rules");
    for (name, expected) in [
        ("root-token-used", vec!["root_token_used + hcp_platform_root_out_of_profile"]),
        ("wrapping-token-reused", vec!["hcp_admin_token_minted", "wrapping_token_invalid_unwrap"]),
        ("unreadable-line", vec!["root_token_used + hcp_platform_root_out_of_profile", "unreadable_audit_events"]),
        ("benign", vec![]),
        ("control-message", vec![]),
    ] {
        let output = Desk::new().pipe(&["invoke", "-", "--rules", rules, "--format", "json"], event(name));
        let mut names: Vec<String> = text(&output.stdout).lines().map(analytics).collect();
        names.sort();
        assert_eq!(names, expected, "{name}: {}", text(&output.stderr));
        assert_eq!(output.status.code(), Some(0), "{name}");
    }
}

/// The rule that leads an alert, and those that are named in it.
fn analytics(line: &str) -> String {
    let alert: Value = serde_json::from_str(line).unwrap();
    let also = alert["unmapped"]["also"].as_array().into_iter().flatten().map(|also| &also["rule"]);
    let rules = iter::once(&alert["finding_info"]["analytic"]["name"]).chain(also);
    rules.map(|rule| rule.as_str().unwrap()).collect::<Vec<_>>().join(" + ")
}

#[test]
fn json_is_one_finding_a_line() {
    let output = Desk::with_rules().pipe(&["invoke", "-", "--format", "json"], event("root-token-used"));
    let finding: Value = serde_json::from_str(text(&output.stdout)).unwrap();
    assert_eq!(finding["class_uid"], 2004);
    assert_eq!(finding["finding_info"]["analytic"]["uid"], "3f0f2c0e-6a43-4d5c-9a0c-0d9b7a5e6b01");
    assert_eq!(finding["finding_info"]["analytic"]["name"], "root_token_used");
    assert_eq!(finding["time"], 1_795_354_823_720_i64);
    assert_eq!(
        finding["unmapped"]["events"],
        json!([{"log_event_id": "40037750464732583348671192756023427928413309209751857250"}])
    );
}

#[test]
fn nothing_to_tell_is_no_failure() {
    let desk = Desk::with_rules()
        .with("benign.json", event("benign"))
        .with("control.json", event("control-message"))
        .with("unreadable.json", event("unreadable-line"));
    let session = [
        desk.session(&["invoke", "benign.json"]),
        desk.session(&["invoke", "control.json"]),
        desk.session(&["invoke", "unreadable.json"]),
    ];
    insta::assert_snapshot!("invoke_quiet", session.join("\n"));
}

#[test]
fn a_failure_record_is_a_payload_too() {
    let payload: Value = serde_json::from_slice(&event("root-token-used")).unwrap();
    let record =
        json!({"version": "1.0", "requestContext": {"condition": "RetriesExhausted"}, "requestPayload": payload});
    let desk = Desk::with_rules();
    let output = desk.pipe(&["invoke", "-"], record.to_string());
    assert_eq!(text(&output.stdout), text(&desk.run(&["invoke"]).stdout));
}

#[test]
fn a_payload_that_cannot_be_decoded_names_the_stage() {
    let whole = gzip(br#"{"messageType": "DATA_MESSAGE", "logEvents": []}"#);
    let bomb = gzip(&vec![b' '; 1 << 20]).repeat(65);
    let cases = [
        ("empty.json", Vec::new()),
        ("audit.log", br#"{"type": "request"}"#.to_vec()),
        ("no_base64.json", br#"{"awslogs": {"data": "!"}}"#.to_vec()),
        ("no_gzip.json", payload(b"plain text")),
        ("cut_gzip.json", payload(&whole[..whole.len() - 9])),
        ("no_json.json", payload(&gzip(b"{"))),
        ("no_log_batch.json", payload(&gzip(br#"{"messageType": "REPORT"}"#))),
        ("bomb.json", payload(&bomb)),
    ];
    let desk = cases.iter().fold(Desk::with_rules(), |desk, (name, content)| desk.with(name, content));
    let session: Vec<String> = cases.iter().map(|(name, _)| desk.session(&["invoke", name])).collect();
    insta::assert_snapshot!("invoke_refused", session.join("\n"));
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn payload(compressed: &[u8]) -> Vec<u8> {
    json!({"awslogs": {"data": STANDARD.encode(compressed)}}).to_string().into_bytes()
}

#[test]
fn files_that_cannot_be_read() {
    let desk = Desk::with_rules().with("directory/file", "");
    let session = [desk.session(&["invoke", "missing.json"]), desk.session(&["invoke", "directory"])];
    insta::assert_snapshot!("invoke_unread", session.join("\n"));
}

#[test]
fn colour_is_for_terminals_and_never_against_the_users_will() {
    let desk = Desk::with_rules();
    let colored = |name: &str, value: &str| {
        let output = desk.command(&["invoke"]).env("CLICOLOR_FORCE", "1").env(name, value).output().unwrap();
        output.stdout.contains(&0x1b)
    };
    assert!(!desk.run(&["invoke"]).stdout.contains(&0x1b));
    assert!(colored("TERM", "xterm"));
    assert!(!colored("NO_COLOR", "1"));
}
