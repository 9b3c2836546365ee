//! `vaultwatch scan`

use std::fs::OpenOptions;
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use super::desk::{Desk, corpus, lines, text};

/// One line that raises an alert, with a request id of its own.
fn root_line(number: usize) -> String {
    let id = format!("f2002773-e3bb-fef2-e9a6-{number:012}");
    lines("04-root-token-use", &[1]).replace("f2002773-e3bb-fef2-e9a6-a174a4e2ab38", &id)
}

#[test]
fn alerts_are_aligned_lines() {
    let desk = Desk::with_rules()
        .with("root.log", corpus("04-root-token-use"))
        .with("policy.log", corpus("07-policy-create-update-delete"))
        .with("benign.log", corpus("10-benign-kv-traffic"));
    let session = [
        desk.session(&["scan", "benign.log"]),
        desk.session(&["scan", "root.log", "benign.log", "policy.log"]),
        desk.session(&["scan", "--rules", "rules/root_token_used.yml", "policy.log", "root.log"]),
        desk.piped_session(&["scan", "-"], corpus("04-root-token-use")),
    ];
    insta::assert_snapshot!("scan", session.join("\n"));
}

#[test]
fn what_is_in_shadow_or_beneath_notice() {
    let desk = Desk::with_rules()
        .with("rules/often.yml", OFTEN)
        .with("rules/quiet.yml", QUIET)
        .with("root.log", lines("04-root-token-use", &[1]));
    let session = [
        desk.session(&["scan", "root.log"]),
        desk.session(&["scan", "--min-level", "high", "root.log"]),
        desk.session(&["scan", "--min-level", "loud", "root.log"]),
    ];
    insta::assert_snapshot!("scan_shadow", session.join("\n"));
}

const OFTEN: &str = "title: Often
id: 6a1b7c1e-61a5-4a1c-9f9e-0c9d0b6c7c10
name: often
level: high
correlation: {type: event_count, rules: [quiet], timespan: 5m, condition: {gte: 10}}
";

const QUIET: &str = "title: Quiet
id: 6a1b7c1e-61a5-4a1c-9f9e-0c9d0b6c7c11
name: quiet
status: experimental
logsource: {product: vault, service: audit}
detection: {root: {auth.policies: root}, condition: root}
level: low
";

#[test]
fn json_tells_file_and_line() {
    let desk = Desk::with_rules()
        .with("benign.log", corpus("10-benign-kv-traffic"))
        .with("log/root.log", "\n".to_owned() + &lines("04-root-token-use", &[1, 2]));
    let output = desk.run(&["scan", "--format", "json", "benign.log", "log/root.log"]);
    let finding: Value = serde_json::from_str(text(&output.stdout)).unwrap();
    assert_eq!(finding["finding_info"]["analytic"]["uid"], "3f0f2c0e-6a43-4d5c-9a0c-0d9b7a5e6b01");
    assert_eq!(finding["finding_info"]["analytic"]["name"], "root_token_used");
    assert_eq!(finding["time"], 1_795_354_823_720_i64);
    assert_eq!(finding["unmapped"]["events"], json!([{"file": "log/root.log", "line": 2}]));
}

#[test]
fn a_happening_is_told_once_however_often_it_is_read() {
    let desk = Desk::with_rules().with("root.log", lines("04-root-token-use", &[1, 2, 1]));
    let output = desk.run(&["scan", "root.log", "root.log"]);
    assert_eq!(text(&output.stdout).lines().count(), 1);
}

#[test]
fn files_in_every_shape() {
    let root = lines("04-root-token-use", &[1]);
    let root = root.trim_end();
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(format!("{root}\n").as_bytes()).unwrap();
    let gzip = gzip.finish().unwrap();
    for (shape, content) in [
        ("no final newline", root.into()),
        ("CRLF", format!("{root}\r\n").into_bytes()),
        ("blank lines", format!("\n \r\n\n{root}\n\n\t\n").into_bytes()),
        ("a byte order mark", format!("\u{feff}{root}\n").into_bytes()),
        ("gzip", gzip.clone()),
        ("several gzip members", [gzip.clone(), gzip].concat()),
    ] {
        let desk = Desk::with_rules().with("audit.log", &content);
        for output in [
            desk.run(&["scan", "audit.log"]),
            desk.pipe(&["scan", "/dev/stdin"], &*content),
            desk.pipe(&["scan", "-"], content),
        ] {
            assert_eq!(text(&output.stdout).lines().count(), 1, "{shape}: {}", text(&output.stdout));
            assert!(text(&output.stderr).ends_with("0 unreadable\n"), "{shape}: {}", text(&output.stderr));
            assert_eq!(output.status.code(), Some(0), "{shape}");
        }
    }
}

#[test]
fn lines_that_cannot_be_read_are_told_once_a_file() {
    let root = lines("04-root-token-use", &[1]);
    let mut odd = b"\xff\xfe\nnot json\n[1]\n".to_vec();
    odd.extend_from_slice(root.as_bytes());
    odd.extend_from_slice(root.get(..200).unwrap().as_bytes());
    let desk = Desk::with_rules().with("odd.log", odd).with("cut.log", root.get(..99).unwrap()).with("empty.log", "");
    let session = [desk.session(&["scan", "odd.log", "cut.log"]), desk.session(&["scan", "empty.log"])];
    insta::assert_snapshot!("scan_unreadable", session.join("\n"));
}

#[test]
fn a_line_of_any_length_is_one_line() {
    let filled = |letters: usize| format!("{{\"type\": \"{}\"}}\n", "x".repeat(letters));
    let end = "y".repeat(17 << 20);
    let log = [root_line(1), filled(17 << 20), root_line(2), filled(3 << 20), end].concat();
    let desk = Desk::with_rules().with("audit.log", &log);
    for output in
        [desk.run(&["scan", "--format", "json", "audit.log"]), desk.pipe(&["scan", "--format", "json", "-"], log)]
    {
        let positions: Vec<Value> = text(&output.stdout)
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap()["unmapped"]["events"].clone())
            .map(|events| events.as_array().unwrap().iter().map(|event| event["line"].clone()).collect())
            .collect();
        assert_eq!(positions, [json!([1]), json!([2]), json!([2, 5]), json!([1, 3])], "opened twice, ended twice");
    }
}

#[test]
fn a_long_log_is_one_log() {
    let benign = corpus("10-benign-kv-traffic");
    let mut log = String::new();
    for number in 0..50 {
        log += &root_line(number);
        log += "not json\n";
        log += &benign;
        log += &root_line(number).replacen("\"request\"", "\"response\"", 1);
    }
    let output = Desk::with_rules().with("audit.log", log).run(&["scan", "audit.log"]);
    let stdout = text(&output.stdout);
    for name in ["root_token_used", "unreadable_audit_events"] {
        let told: Vec<&str> = stdout.lines().filter(|line| line.contains(name)).collect();
        let opened = told.iter().filter(|line| !line.contains(" again") && !line.contains(" over")).count();
        assert_eq!(opened, 1, "{stdout}");
        assert!(told.last().unwrap().contains(&format!("{name} x50 over")), "{stdout}");
    }
    assert!(text(&output.stderr).starts_with("2,350 events in "), "{}", text(&output.stderr));
}

#[test]
fn a_request_and_its_response_are_one_alert_however_far_apart() {
    let [request, response] = [1, 2].map(|number| lines("07-policy-create-update-delete", &[number]));
    let between = corpus("10-benign-kv-traffic").repeat(16);
    let log = [request, between, response].concat();
    let output = Desk::with_rules().with("audit.log", &log).run(&["scan", "--format", "json", "audit.log"]);
    let findings: Vec<Value> = text(&output.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let policy =
        findings.iter().find(|finding| finding["finding_info"]["analytic"]["name"] == "policy_written").unwrap();
    assert_eq!(policy["unmapped"]["events"], json!([{"file": "audit.log", "line": 1}]));
    assert_eq!(policy["unmapped"]["count"], 1);
    assert_eq!(findings.len(), 2);
    assert!(log.len() > 1 << 20);
}

#[test]
fn what_cannot_be_read_stops_before_anything_is_scanned() {
    let mut broken = b"\x1f\x8b\x08\0".to_vec();
    broken.extend_from_slice(&[0; 40]);
    let desk =
        Desk::with_rules().with("audit.log", corpus("04-root-token-use")).with("broken.gz", broken).with("logs/x", "");
    let session = [
        desk.session(&["scan", "audit.log", "missing.log", "logs"]),
        desk.session(&["scan", "broken.gz", "audit.log"]),
    ];
    insta::assert_snapshot!("scan_unread", session.join("\n"));
}

#[test]
fn rules_that_do_not_load() {
    let rule = |body: &str| {
        include_str!("rules/root_token_used.yml")
            .replace("    auth.policies: root\n", &format!("    auth.policies{body}\n"))
    };
    let log = corpus("04-root-token-use");
    let none = Desk::new().with("audit.log", &log).with("empty/README.md", "");
    let broken = Desk::new().with("audit.log", &log).with("rules/root_token_used.yml", rule("|like: root")).with(
        "rules/warned/root_token_used.yml",
        rule(": root").replace("condition: root", "unused: {type: x}\n  condition: root"),
    );
    let session = [
        none.session(&["scan", "audit.log"]),
        none.session(&["scan", "--rules", "missing", "audit.log"]),
        none.session(&["scan", "--rules", "empty", "audit.log"]),
        broken.session(&["scan", "audit.log"]),
        broken.session(&["scan", "--rules", "rules/warned", "audit.log"]),
    ];
    insta::assert_snapshot!("scan_rules", session.join("\n"));
}

#[test]
fn whoever_stops_reading_is_content() {
    let desk = Desk::with_rules().with("audit.log", (0..2000).map(root_line).collect::<String>());
    let mut child = spawn(&desk, &["scan", "audit.log"]);
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(text(&output.stderr), "");
}

#[test]
fn a_full_disk_is_a_failure() {
    let desk = Desk::with_rules().with("audit.log", corpus("04-root-token-use"));
    let output = Command::new(env!("CARGO_BIN_EXE_vaultwatch"))
        .args(["scan", "audit.log"])
        .env_clear()
        .current_dir(desk.path())
        .stdout(OpenOptions::new().write(true).open("/dev/full").unwrap())
        .output()
        .unwrap();
    assert_eq!(text(&output.stderr), "error: cannot write to standard output: no space left on device\n");
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn a_line_that_is_still_being_piped_is_told_at_once() {
    let desk = Desk::with_rules();
    let mut child = spawn(&desk, &["scan", "-"]);
    let mut stdin = child.stdin.take().unwrap();
    let stdout = BufReader::new(child.stdout.take().unwrap());
    let (told, alerts) = mpsc::channel();
    thread::spawn(move || stdout.lines().try_for_each(|line| told.send(line.unwrap())));
    for number in 0..3 {
        // From somebody else each time: what repeats is counted.
        let line = root_line(number).replace("\"127.0.0.1\"", &format!("\"192.0.2.{number}\""));
        stdin.write_all(line.as_bytes()).unwrap();
        let alert = alerts.recv_timeout(Duration::from_mins(1)).unwrap();
        assert!(alert.contains("root_token_used"), "{alert}");
    }
    drop(stdin);
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

fn spawn(desk: &Desk, words: &[&str]) -> std::process::Child {
    Command::new(env!("CARGO_BIN_EXE_vaultwatch"))
        .args(words)
        .env_clear()
        .current_dir(desk.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

#[test]
fn what_an_attacker_writes_stays_on_its_line() {
    let evil = root_line(1)
        .replace("\"auth/token/lookup-self\"", r#""auth/x\u001b[2J\n  CRITICAL  forged \u202e""#)
        .replace("\"display_name\":\"root\"", &format!("\"display_name\":\"{}\"", "A".repeat(100_000)));
    let output = Desk::with_rules().pipe(&["scan", "-"], evil);
    insta::assert_snapshot!("scan_attacker", text(&output.stdout));
}

#[test]
fn secrets_stay_in() {
    let secrets = ["hvs.CAESIJ7kq3Zm1u5n", "correct horse battery", "s.Wd9tO0eQm2c7Vb4x"];
    let [token, password, wrapped] = secrets;
    let raw = json!({
        "time": "2026-11-22T13:40:23.7Z",
        "type": "request",
        "auth": {"client_token": token, "display_name": "root", "policies": ["root"]},
        "request": {
            "id": "f2002773-e3bb-fef2-e9a6-a174a4e2ab38",
            "operation": "update",
            "client_token": token,
            "path": format!("auth/token/lookup/{token}"),
            "data": {"password": password, "token": wrapped},
            "headers": {"x-vault-token": [token], "user-agent": [format!("curl {token}")]},
        },
        "error": format!("bad token {wrapped}"),
    });
    let desk = Desk::with_rules().with("raw.log", format!("{raw}\n{token} {password}\n"));
    let packed = desk.run(&["pack", "raw.log"]).stdout;
    let desk = desk.with("raw.json", packed);
    for words in [["scan", "raw.log"], ["invoke", "raw.json"]] {
        for format in ["text", "json"] {
            let output = desk.run(&[words.as_slice(), &["--format", format]].concat());
            let told = text(&output.stdout).to_owned() + text(&output.stderr);
            assert!(told.contains("root_token_used") && told.contains("unreadable_audit_events"), "{told}");
            for secret in secrets {
                assert!(!told.contains(secret), "{told}");
            }
        }
    }
}
