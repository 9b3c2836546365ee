//! No secret leaves, whatever the audit device wrote and wherever the secret stands.

use serde_json::{Value as Json, json};
use vaultwatch::alert::{email, ocsf, sms};
use vaultwatch::diagnostic::{Source, Sources};
use vaultwatch::payload::{LogBatch, LogEvent, LogText, Position};
use vaultwatch::rule;

use crate::{corpus, line};

/// Matches everything, and shows every kind of field as evidence and in its title.
const NOSY: &str = r"
title: Nosy
id: 6a1b7c1e-61a5-4a1c-9f9e-0c9d0b6c7c03
name: nosy
logsource: {product: vault, service: audit}
detection:
  fields:
    - request.data.password|re: '.'
    - request.data.pin|gte: 0
    - request.data.list|re: '.'
    - response.data.data.value|re: '.'
    - auth.client_token|re: '.'
    - auth.accessor|re: '.'
    - request.client_token|re: '.'
    - request.client_token_accessor|re: '.'
    - response.auth.client_token|re: '.'
    - response.wrap_info.token|re: '.'
    - request.headers.authorization|re: '.'
    - request.headers.user-agent|re: '.'
    - request.path|re: '.'
    - derived.principal|re: '.'
    - auth.metadata.note|re: '.'
    - error|re: '.'
    - something.nobody.knows|re: '.'
  words: [hunter2, 'hvs.']
  condition: fields or words
level: low
alert:
  title: >-
    {request.data.password}{request.data.pin}{request.data.list}{response.data.data.value}{auth.client_token}{error}
    {request.path}{derived.principal}{auth.metadata.note}{request.headers.user-agent}{request.headers.authorization}
    {something.nobody.knows}
";

const TOKEN: &str = "hvs.CAESIJxTpGm0Ls4tQ1v9yR8wKzE2bN5cD7fH3jM6nP0qS1uV4x";
const LEGACY: &str = "s.Zr8Qk3vN5wX1yT7uB2mC9dF4";
const JWT: &str = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.c2lnbmF0dXJl";
const ACCESSOR: &str = "8rT5wQz1Xc3Vb7Nm9KjHgFdS";
const PASSWORD: &str = "hunter2-correct-horse";
/// What is set in the event, by dotted path.
type Changes = Vec<(&'static str, Json)>;

const HMAC: &str = "hmac-sha256:fe4b296de80a893e12079f5edc90672d7ae590fc4922c620714a4b8b66f41448";

fn outputs(event: &Json) -> String {
    let reading = rule::read(&Sources(vec![Source::new("nosy.yml", NOSY)]));
    let rules = line::compile(reading);
    let line = event.to_string();
    let log_event = LogEvent { position: Position::LogEvent("1".into()), timestamp: None, text: LogText::Plain(&line) };
    let batch = LogBatch { events: vec![log_event], ..LogBatch::default() };
    let alerts = line::alerts(&rules, &batch);
    assert_eq!(alerts.len(), 1, "{line}");
    let alert = &alerts[0];
    format!(
        "{alert:?}\n{}\n{}\n{}\n{}",
        ocsf::to_json(alert),
        email::subject(alert),
        email::body(alert, None),
        sms::line(alert)
    )
}

fn event(changes: &[(&str, Json)]) -> Json {
    let mut event = serde_json::from_str(&corpus::line("15-userpass-brute-force-lockout.jsonl:30")).unwrap();
    for (path, value) in changes {
        corpus::set(&mut event, path, value.clone());
    }
    event
}

#[test]
fn a_secret_is_in_no_output() {
    let cases: Vec<(&str, &str, Changes)> = vec![
        (
            "raw token of the caller",
            TOKEN,
            vec![("auth.client_token", json!(TOKEN)), ("request.client_token", json!(TOKEN))],
        ),
        ("raw token of another shape", "my-custom-token", vec![("auth.client_token", json!("my-custom-token"))]),
        (
            "raw accessor, which is also the principal",
            ACCESSOR,
            vec![
                ("auth.entity_id", json!("")),
                ("auth.accessor", json!(ACCESSOR)),
                ("request.client_token_accessor", json!(ACCESSOR)),
            ],
        ),
        ("new token", TOKEN, vec![("response.auth.client_token", json!(TOKEN))]),
        ("wrapping token", TOKEN, vec![("response.wrap_info.token", json!(TOKEN))]),
        ("request data", PASSWORD, vec![("request.data.password", json!(PASSWORD))]),
        ("a number in request data", "94731", vec![("request.data.pin", json!(94731))]),
        ("members of a list", PASSWORD, vec![("request.data.list", json!([HMAC, PASSWORD]))]),
        ("response data", PASSWORD, vec![("response.data.data.value", json!(PASSWORD))]),
        (
            "data that looks like an HMAC and is none",
            PASSWORD,
            vec![("request.data.password", json!(format!("hmac-sha256:{PASSWORD}")))],
        ),
        ("a token in the path", TOKEN, vec![("request.path", json!(format!("auth/token/lookup/{TOKEN}")))]),
        ("an old token in the path", LEGACY, vec![("request.path", json!(format!("auth/token/revoke/{LEGACY}")))]),
        (
            "the caller's accessor in the path",
            ACCESSOR,
            vec![
                ("auth.accessor", json!(ACCESSOR)),
                ("request.path", json!(format!("auth/token/lookup-accessor/{ACCESSOR}"))),
            ],
        ),
        (
            "data quoted in an error",
            PASSWORD,
            vec![
                ("request.data.password", json!(PASSWORD)),
                ("error", json!(format!("password `{PASSWORD}` is too short"))),
            ],
        ),
        ("a token in an error", LEGACY, vec![("error", json!(format!("bad token {LEGACY}")))]),
        ("a token in the user agent", TOKEN, vec![("request.headers.user-agent", json!([format!("x/1 {TOKEN}")]))]),
        ("a web token in metadata", JWT, vec![("auth.metadata.note", json!(JWT))]),
        (
            "a header that nobody hashed",
            PASSWORD,
            vec![("request.headers.authorization", json!([format!("Basic {PASSWORD}")]))],
        ),
        ("a field that nobody knows", PASSWORD, vec![("something.nobody.knows", json!(PASSWORD))]),
        ("a word found anywhere", "hunter2", vec![("request.data.deep", json!({"er": ["hunter2"]}))]),
    ];
    for (name, secret, changes) in cases {
        let outputs = outputs(&event(&changes));
        assert!(!outputs.contains(secret), "{name}: {outputs}");
    }
}

#[test]
fn names_and_hmacs_are_told() {
    let changes = [("request.data.password", json!(HMAC)), ("request.path", json!("auth/userpass/login/s.hort"))];
    let outputs = outputs(&event(&changes));
    for name in
        [HMAC, "auth/userpass/login/s.hort", "admin-auth-userpass-alice", "0793a6cd-f1a2-69f0-8107-1a2f18093d29"]
    {
        assert!(outputs.contains(name), "{name}: {outputs}");
    }
}

#[test]
fn an_event_too_deep_to_be_searched_tells_nothing() {
    let deep = (0..200).fold(json!(PASSWORD), |inner, _| json!({ "a": inner }));
    let outputs = outputs(&event(&[("request.data.deep", deep), ("request.path", json!(PASSWORD))]));
    assert!(!outputs.contains(PASSWORD), "{outputs}");
}
