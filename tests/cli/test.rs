//! `vaultwatch test`

use super::desk::{Desk, lines, text};

/// A rule about payroll secrets, with these tests.
fn payroll(tests: &str) -> String {
    let rule = "title: A payroll secret was read\nid: 6a0f6a4c-37e8-4b0a-8a5c-0d2f6a7f1b00\nname: payroll_read\n\
                level: high\nlogsource: {product: vault, service: audit}\ndetection:\n  secret:\n    type: response\n    \
                request.path|startswith: secret/data/finance/\n  succeeded:\n    derived.outcome: success\n  \
                condition: secret and succeeded\n";
    format!("{rule}{tests}")
}

const SOUND: &str = "tests:
  - name: a payroll secret is read
    like: kv_read
    event: {request.path: secret/data/finance/payroll}
    expect: {searches: [secret, succeeded], alert: {severity: High, unmapped.path: secret/data/finance/payroll}}
  - name: a denied attempt
    like: kv_read_denied
    expect: {match: false, searches: [secret]}
  - name: another secret is read
    like: kv_read
    expect: no match
";

const UNSOUND: &str = "tests:
  - name: the alert says something else
    like: kv_read
    event: {request.path: secret/data/finance/payroll}
    expect: {alert: {severity: Critical, no.such.key: 1}}
  - name: two of three should fire and do not
    events:
      - {like: kv_read_denied}
      - {like: kv_read, event: {request.path: secret/data/finance/payroll}}
      - {like: kv_list}
    expect: match
  - name: this should not fire and does
    like: kv_read
    event: {request.path: secret/data/finance/payroll}
    expect: no match
  - name: a near miss that is far away
    like: kv_list
    expect: {match: false, searches: [secret, succeeded]}
  - name: many events that all do not fire
    events: [{like: kv_read, repeat: 12}]
    expect: match
  - name: there is no such event
    like: kv_raed
    expect: match
  - name: there is nothing like this event
    like: coffee
    expect: match
  - name: nothing is taken away
    like: kv_read
    without: [response.auth]
    expect: match
  - name: there is no such file
    file: corpus/none.jsonl:1
    expect: match
  - name: there is no such line
    file: corpus/log.jsonl:9
    expect: match
  - name: the line is no event
    file: corpus/log.jsonl:2
    expect: match
";

#[test]
fn tests_that_pass_are_only_counted() {
    let desk = Desk::new()
        .with("rules/payroll_read.yml", payroll(SOUND))
        .with("rules/untested.yml", payroll("").replace("payroll_read", "untested").replace("1b00", "1b01"));
    let session = [
        desk.session(&["test"]),
        desk.session(&["test", "rules/payroll_read.yml", "--name", "denied"]),
        desk.session(&["test", "--name", "payroll_read"]),
        desk.session(&["test", "--name", "no such test"]),
        desk.session(&["test", "nowhere"]),
    ];
    insta::assert_snapshot!("test_passes", session.join("\n"));
}

#[test]
fn every_failure_is_told_with_its_reason() {
    let log = lines("10-benign-kv-traffic", &[1]) + "[\"no event\"]\n";
    let desk = Desk::new().with("rules/payroll_read.yml", payroll(UNSOUND)).with("rules/corpus/log.jsonl", log);
    insta::assert_snapshot!("test_fails", desk.session(&["test"]));
}

#[test]
fn json_and_junit_tell_the_same() {
    let two: String = UNSOUND
        .lines()
        .take(5)
        .chain(["  - {name: \"<b> & \\u0001 ☃\", like: kv_raed, expect: match}"])
        .fold(String::new(), |text, line| text + line + "\n");
    let desk = Desk::new().with("rules/payroll_read.yml", payroll(&two));
    let session =
        [desk.session(&["test", "--format", "json"]), desk.session(&["test", "--format", "junit", "--mutate"])];
    insta::assert_snapshot!("test_formats", session.join("\n"));
    let output = desk.run(&["test", "--format", "junit"]);
    let report = quick_junit::Report::deserialize_from_str(text(&output.stdout)).unwrap();
    assert_eq!((report.tests, report.failures), (2, 2));
}

#[test]
fn mutants_that_no_test_notices_are_listed() {
    let desk = Desk::new()
        .with("sound.yml", payroll(SOUND).replace("payroll_read", "sound"))
        .with("failing.yml", payroll(UNSOUND).replace("payroll_read", "failing"))
        .with("untested.yml", payroll("").replace("payroll_read", "untested"));
    let session = [
        desk.session(&["test", "--mutate", "sound.yml"]),
        desk.session(&["test", "--mutate", "--name", "far away", "failing.yml"]),
        desk.session(&["test", "--mutate", "untested.yml"]),
        desk.session(&["test", "--mutate", "--format", "json", "sound.yml"]),
        desk.session(&["test", "--mutate", "--format", "junit", "sound.yml"]),
    ];
    insta::assert_snapshot!("test_mutants", session.join("\n"));
}

/// Beside the rule first, then in the directory of the rules.
#[test]
fn captured_lines_are_found_beside_the_rule_and_beside_all_rules() {
    let read = lines("10-benign-kv-traffic", &[4]).replace("secret/data/app/cfg0", "secret/data/finance/x");
    let other = lines("10-benign-kv-traffic", &[4]);
    let tests = "tests:
  - {name: beside the rule, file: 'near.jsonl:1', expect: match}
  - {name: beside all rules, file: 'corpus/far.jsonl:2', expect: match}
  - {name: the nearer of two, file: 'both.jsonl:1', expect: match}
  - {name: a line that is changed, file: 'near.jsonl:1', event: {type: request}, expect: no match}
";
    let desk = Desk::new()
        .with("rules/collection/payroll_read.yml", payroll(tests))
        .with("rules/collection/near.jsonl", &read)
        .with("rules/collection/both.jsonl", &read)
        .with("rules/both.jsonl", &other)
        .with("rules/corpus/far.jsonl", other + &read);
    let output = desk.run(&["test"]);
    assert_eq!((text(&output.stdout), text(&output.stderr)), ("", "4 tests, 4 passed, 0 failed\n"));
    assert_eq!(output.status.code(), Some(0));
}

const LOGIN_FAILED: &str = include_str!("rules/auth_login_failed.yml");
const BRUTEFORCE: &str = include_str!("rules/auth_bruteforce_source.yml");
const CORRELATIONS: &str = include_str!("rules/correlations.yml");

/// A desk with a correlation and the rule that it counts.
fn correlating(bruteforce: &str) -> Desk {
    Desk::new().with("rules/auth_login_failed.yml", LOGIN_FAILED).with("rules/auth_bruteforce_source.yml", bruteforce)
}

#[test]
fn tests_of_a_correlation_are_a_log_each() {
    let desk = correlating(BRUTEFORCE);
    let session = [desk.session(&["test"]), desk.session(&["test", "--mutate", "--name", "bruteforce"])];
    insta::assert_snapshot!("test_correlation", session.join("\n"));
}

/// What was to fire is not to, and the other way round.
#[test]
fn why_a_correlation_fires_and_why_it_does_not() {
    let (head, tests) = BRUTEFORCE.split_once("tests:").unwrap();
    let turned = tests
        .replace("analytic.name: auth_bruteforce_source", "analytic.name: another_rule")
        .replace("expect: no match", "expect: match");
    let fires = "  - name: this should not fire and does\n    events: [{like: userpass_login_failed, repeat: 14}]\n    \
                 expect: no match\n  - name: no event is one of these\n    events: [{like: kv_read, repeat: 4}]\n    \
                 expect: match\n";
    let desk = correlating(&format!("{head}tests:{turned}{fires}"));
    insta::assert_snapshot!("test_correlation_fails", desk.session(&["test", "--name", "bruteforce"]));
}

#[test]
fn what_is_missing_for_every_kind_of_correlation() {
    let desk = correlating(BRUTEFORCE).with("rules/correlations.yml", CORRELATIONS);
    insta::assert_snapshot!("test_correlations", desk.session(&["test"]));
}

#[test]
fn mutants_of_a_correlation_that_no_test_notices() {
    let (head, tests) = BRUTEFORCE.split_once("tests:").unwrap();
    let some: String = tests.split_inclusive('\n').take(7).collect();
    let desk = correlating(&format!("{head}tests:{some}"));
    let session = [
        desk.session(&["test", "--mutate", "--name", "bruteforce"]),
        desk.session(&["test", "--mutate", "--name", "bruteforce", "--format", "json"]),
        desk.session(&["test", "--mutate", "--name", "bruteforce", "--format", "junit"]),
    ];
    insta::assert_snapshot!("test_correlation_mutants", session.join("\n"));
}

/// A device with `log_raw` writes secrets in clear; a failing test on such a line must not repeat them.
#[test]
fn a_failure_shows_no_secret() {
    let raw = r#"{"type":"response","auth":{"client_token":"hvs.SECRETTOKEN1"},"request":{"operation":"read",
        "path":"secret/data/finance/hvs.SECRETTOKEN1","data":{"password":"correct horse"}},
        "response":{"data":{"data":{"pin":"tulips-4711"}}}}"#;
    let raw: String = raw.lines().map(str::trim).collect();
    let tests = "tests:\n  - {name: a raw line, file: 'raw.jsonl:1', expect: no match}\n  \
                 - {name: the alert of a raw line, file: 'raw.jsonl:1', expect: {alert: {unmapped.path: x}}}\n";
    let rule = payroll(tests).replace(
        "    derived.outcome: success\n",
        "    derived.outcome: success\n    request.data.password|contains: horse\n    \
             response.data.data.pin: [a, tulips*]\n",
    );
    let desk = Desk::new().with("rules/payroll_read.yml", rule).with("rules/raw.jsonl", raw);
    for format in ["text", "json", "junit"] {
        let output = desk.run(&["test", "--format", format]);
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        let shown = format!("{}{}", text(&output.stdout), text(&output.stderr));
        assert!(shown.contains("[redacted]"), "{shown}");
        for secret in ["SECRETTOKEN1", "correct horse", "tulips-4711"] {
            assert!(!shown.contains(secret), "{secret}: {shown}");
        }
    }
}
