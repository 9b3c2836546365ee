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

/// A desk with a correlation of four failed logins within five minutes.
fn correlating(log: &str) -> Desk {
    Desk::new()
        .with("rules/auth_login_failed.yml", include_str!("rules/auth_login_failed.yml"))
        .with("rules/auth_bruteforce_source.yml", include_str!("rules/auth_bruteforce_source.yml"))
        .with("audit.log", log)
}

/// A failed login so many seconds after noon, and one event that has nothing to do with it.
fn failed_logins(logins: &[(u32, &str)]) -> String {
    let mut log = lines("10-benign-kv-traffic", &[1]);
    for (number, (second, address)) in logins.iter().enumerate() {
        let mut entry: Json = serde_json::from_str(&corpus::line("15-userpass-brute-force-lockout.jsonl:2")).unwrap();
        corpus::set(&mut entry, "time", json!(format!("2026-11-22T12:{:02}:{:02}Z", second / 60, second % 60)));
        corpus::set(&mut entry, "request.remote_address", json!(address));
        corpus::set(&mut entry, "request.id", json!(format!("login-{number}")));
        log += &(entry.to_string() + "\n");
    }
    log
}

#[test]
fn a_window_that_missed_by_one() {
    let here = "203.0.113.7";
    let desk = correlating(&failed_logins(&[(0, here), (60, here), (120, here), (120, "198.51.100.4")]));
    insta::assert_snapshot!("explain_missed_by_one", desk.session(&["explain", "auth_bruteforce_source", "audit.log"]));
}

#[test]
fn a_window_that_took_too_long() {
    let here = "203.0.113.7";
    let desk = correlating(&failed_logins(&[(0, here), (100, here), (200, here), (301, here), (900, here)]));
    insta::assert_snapshot!("explain_took_too_long", desk.session(&["explain", "auth_bruteforce_source", "audit.log"]));
}

#[test]
fn one_of_two_groups_fires() {
    let (here, there) = ("203.0.113.7", "198.51.100.4");
    let logins = [(0, here), (10, there), (20, there), (100, here), (200, here), (300, here), (400, here)];
    let log = failed_logins(&logins);
    let desk = correlating(&log);
    let session = [
        desk.session(&["explain", "auth_bruteforce_source", "audit.log"]),
        desk.session(&["explain", "rules/auth_bruteforce_source.yml", "audit.log:3"]),
        desk.piped_session(&["explain", "auth_bruteforce_source", "-"], "torn\n"),
    ];
    insta::assert_snapshot!("explain_correlation", session.join("\n"));
    let json = desk.run(&["explain", "auth_bruteforce_source", "audit.log", "--format", "json"]);
    assert_eq!(json.status.code(), Some(0));
    let told: Json = serde_json::from_slice(&json.stdout).unwrap();
    insta::assert_json_snapshot!("explain_correlation_json", told);
}

/// A long list is told from both its ends, and many groups by those that came nearest.
#[test]
fn what_is_much_is_cut() {
    let addresses: Vec<String> = (1..=14).map(|number| format!("198.51.100.{number}")).collect();
    let single = addresses.iter().map(|address| (0, address.as_str()));
    let near = (0..3).map(|second| (second, "203.0.113.7"));
    let rule = include_str!("rules/auth_bruteforce_source.yml").replace("{gte: 4}", "{gte: 30}");
    let many = (0..20).map(|second| (second, "203.0.113.9"));
    let log = failed_logins(&single.chain(near).chain(many).collect::<Vec<_>>());
    let desk = correlating(&log).with("rules/auth_bruteforce_source.yml", rule);
    insta::assert_snapshot!(
        "explain_correlation_cut",
        desk.session(&["explain", "auth_bruteforce_source", "audit.log"])
    );
}

#[test]
fn a_log_can_be_named_in_many_ways() {
    let here = "203.0.113.7";
    let log = failed_logins(&[(0, here), (60, here), (120, here), (180, here)]);
    let line = log.lines().nth(1).unwrap();
    let laid_out = serde_json::to_string_pretty(&serde_json::from_str::<Json>(line).unwrap()).unwrap();
    let desk = correlating(&log).with("laid_out.json", laid_out).with("empty.log", "\n").with("torn.log", "{\n{\n");
    let packed = desk.run(&["pack", "audit.log"]).stdout;
    let desk = desk.with("payload.json", packed);
    let told = |name: &str, stdin: &str| {
        let words = ["explain", "auth_bruteforce_source", name, "--format", "json"];
        let output = desk.pipe(&words, stdin);
        let told: Json = serde_json::from_slice(&output.stdout).unwrap_or_default();
        (output.status.code().unwrap(), told["log"]["events"].as_u64(), told["log"]["matches"][0]["events"].clone())
    };
    let four = |name: &str| json!([2, 3, 4, 5].map(|number| format!("{name}:{number}")));
    assert_eq!(told("audit.log", ""), (0, Some(5), four("audit.log")));
    assert_eq!(told("payload.json", ""), (0, Some(5), four("payload.json")));
    assert_eq!(told("-", &log), (0, Some(5), four("-")));
    assert_eq!(told("audit.log:2", ""), (1, Some(1), json!(["audit.log:2"])));
    assert_eq!(told("payload.json:2", ""), (1, Some(1), json!(["payload.json:2"])));
    assert_eq!(told("laid_out.json", ""), (1, Some(1), json!(["laid_out.json:1"])));
    assert_eq!(told("userpass_login_failed", ""), (1, Some(1), json!(["userpass_login_failed:1"])));
    assert_eq!(told("torn.log", ""), (1, Some(2), json!([])));
    assert_eq!(told("empty.log", ""), (2, None, Json::Null));
}

/// Groups and values are shown as far as an alert shows them; so is what is reckoned from them.
#[test]
fn no_secret_of_a_window_is_told() {
    let rule = "title: A\nid: 6a0f6a4c-37e8-4b0a-8a5c-0d2f6a7f1c10\nname: a\nlevel: low\n\
                logsource: {product: vault, service: audit}\ndetection: {s: {type: request}, condition: s}\n";
    let correlation = |number: u32, name: &str, body: &str| {
        format!(
            "---\ntitle: B\nid: 6a0f6a4c-37e8-4b0a-8a5c-0d2f6a7f1c{number}\nname: {name}\nlevel: low\ncorrelation:\n  \
             rules: [a]\n  timespan: 5m\n  {body}\n"
        )
    };
    let rules = [
        rule.to_owned(),
        correlation(
            11,
            "count",
            "type: value_count\n  group-by: [request.data.user, request.path]\n  condition: {field: request.data.password, gte: 9}",
        ),
        correlation(12, "sum", "type: value_sum\n  condition: {field: request.data.pin, gte: 99999}"),
        correlation(
            13,
            "alias",
            "type: first_seen\n  field: it\n  warmup: 1h\n  aliases: {it: {a: request.data.password}}",
        ),
    ];
    let token = "hvs.CAESIJ1234567890abcdefghijklmnopqrstuvwxyz";
    let event = json!({
        "type": "request",
        "time": "2026-11-22T12:00:00Z",
        "auth": {"client_token": token},
        "request": {
            "id": "1",
            "path": format!("auth/token/lookup/{token}"),
            "data": {"user": "tulips-4711", "password": "correct-horse", "pin": 80815},
        },
    });
    let desk = Desk::new().with("rules/rules.yml", rules.concat()).with("audit.log", format!("{event}\n"));
    for format in ["text", "json"] {
        for name in ["count", "sum", "alias"] {
            let output = desk.run(&["explain", name, "audit.log", "--format", format]);
            assert_eq!(output.status.code(), Some(1), "{output:?}");
            let told = text(&output.stdout);
            assert!(told.contains("[redacted]"), "{told}");
            for secret in [token, "tulips-4711", "correct-horse", "80815"] {
                assert!(!told.contains(secret), "{secret}: {told}");
            }
        }
    }
}
