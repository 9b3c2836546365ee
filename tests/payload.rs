//! Decoding subscription payloads: every stage that can fail, the size cap, and what must be tolerated.

use std::io::Write;

use aws_lambda_events::cloudwatch_logs::LogsEvent;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;
use serde_json::json;
use vaultwatch::payload::{self, EventRef, Limits, Message, PayloadError};

const LIMITS: Limits = Limits { max_inflated: payload::DEFAULT_MAX_INFLATED };

const ENVELOPE: &str = r#"{"messageType":"DATA_MESSAGE","owner":"123456789012","logGroup":"vault","logStream":"s",
    "subscriptionFilters":["f"],"policyLevel":"ACCOUNT_LEVEL_POLICY","somethingNew":{"a":[1]},
    "logEvents":[{"id":"1","timestamp":5,"message":"{\"a\":\"x\\ny\"}","extractedFields":{"k":"v"}},
                 {"id":"2","timestamp":6,"message":{"a":1}},{"id":"3"},{}]}"#;

fn gzip(data: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

fn event(compressed: &[u8]) -> Vec<u8> {
    json!({"awslogs": {"data": STANDARD.encode(compressed)}}).to_string().into_bytes()
}

fn texts(event: &[u8]) -> Result<Vec<(EventRef, Option<String>)>, PayloadError> {
    let inflated = payload::inflate(event, LIMITS)?;
    let Message::Data(batch) = payload::read(&inflated)? else { return Ok(Vec::new()) };
    let text = |event: &payload::LogEvent<'_>| {
        let mut buffer = String::new();
        (event.position.to_ref(), event.text.unescape(&mut buffer).map(str::to_owned))
    };
    Ok(batch.events.iter().map(text).collect())
}

#[test]
fn unknown_keys_and_missing_ones_are_tolerated() {
    let inflated = payload::inflate(&event(&gzip(ENVELOPE.as_bytes())), LIMITS).unwrap();
    let Ok(Message::Data(batch)) = payload::read(&inflated) else { panic!("a data message") };
    assert_eq!(
        (&*batch.stream.owner, &*batch.stream.log_group, &*batch.stream.log_stream),
        ("123456789012", "vault", "s")
    );
    assert_eq!(batch.subscription_filters, ["f"]);
    assert_eq!(batch.events.iter().map(|event| event.timestamp).collect::<Vec<_>>(), [Some(5), Some(6), None, None]);
    let found = texts(&event(&gzip(ENVELOPE.as_bytes()))).unwrap();
    let expected = [("1", r#"{"a":"x\ny"}"#), ("2", r#"{"a":1}"#), ("3", ""), ("", "")];
    let expected = expected.map(|(id, text)| (EventRef::LogEvent(id.to_owned()), Some(text.to_owned())));
    assert_eq!(found, expected);
}

#[test]
fn a_failure_record_holds_the_event() {
    let inner: serde_json::Value = serde_json::from_slice(&event(&gzip(ENVELOPE.as_bytes()))).unwrap();
    let record =
        json!({"version": "1.0", "requestContext": {"condition": "RetriesExhausted"}, "requestPayload": inner});
    assert_eq!(texts(record.to_string().as_bytes()).unwrap().len(), 4);
}

#[test]
fn several_gzip_members_are_one_text() {
    let (first, second) = ENVELOPE.as_bytes().split_at(100);
    let compressed = [gzip(first), gzip(second)].concat();
    assert_eq!(texts(&event(&compressed)).unwrap().len(), 4);
}

#[test]
fn a_control_message_has_no_events() {
    let text = r#"{"messageType":"CONTROL_MESSAGE","owner":"CloudwatchLogs","logGroup":"","logStream":"",
        "subscriptionFilters":[],"logEvents":[{"id":"","timestamp":1,"message":"CWL CONTROL MESSAGE: Checking health"}]}"#;
    let inflated = payload::inflate(&event(&gzip(text.as_bytes())), LIMITS).unwrap();
    assert!(matches!(payload::read(&inflated), Ok(Message::Control)));
}

#[test]
fn every_failure_names_its_stage() {
    let good = gzip(ENVELOPE.as_bytes());
    let mut bad_checksum = good.clone();
    let trailer = bad_checksum.len() - 8;
    bad_checksum[trailer] ^= 1;
    let cases: Vec<(&str, Vec<u8>, &str)> = vec![
        ("no JSON", b"hello".to_vec(), "not_a_subscription_payload"),
        ("another event", br#"{"Records":[]}"#.to_vec(), "not_a_subscription_payload"),
        ("no data", br#"{"awslogs":{}}"#.to_vec(), "not_a_subscription_payload"),
        ("data of another type", br#"{"awslogs":{"data":5}}"#.to_vec(), "not_a_subscription_payload"),
        ("another message type", event(&gzip(br#"{"messageType":"OTHER"}"#)), "not_a_subscription_payload"),
        ("no message type", event(&gzip(b"{}")), "not_a_subscription_payload"),
        ("bad base64", br#"{"awslogs":{"data":"%%%"}}"#.to_vec(), "base64"),
        ("no gzip", event(b"hello"), "gzip"),
        ("nothing", event(b""), "gzip"),
        ("cut off", event(&good[..good.len() - 12]), "gzip"),
        ("cut in the checksum", event(&good[..good.len() - 4]), "gzip"),
        ("a wrong checksum", event(&bad_checksum), "gzip"),
        ("garbage behind it", event(&[good.clone(), b"garbage!".to_vec()].concat()), "gzip"),
        ("no JSON inside", event(&gzip(b"hello")), "json"),
        ("not UTF-8", event(&gzip(b"{\"messageType\":\"DATA_MESSAGE\",\"owner\":\"\xff\"}")), "json"),
        ("too large", event(&gzip(&vec![b' '; payload::DEFAULT_MAX_INFLATED + 1])), "too_large"),
    ];
    for (name, event, stage) in cases {
        let error = texts(&event).expect_err(name);
        assert_eq!(error.stage(), stage, "{name}: {error}");
    }
}

#[test]
fn the_cap_is_exact_and_configurable() {
    let text = format!(r#"{{"messageType":"DATA_MESSAGE","pad":"{}"}}"#, "x".repeat(200_000));
    let event = event(&gzip(text.as_bytes()));
    assert!(payload::inflate(&event, Limits { max_inflated: text.len() }).is_ok());
    let error = payload::inflate(&event, Limits { max_inflated: text.len() - 1 }).unwrap_err();
    assert_eq!(error, PayloadError::TooLarge { limit: text.len() - 1 });
}

/// `aws_lambda_events` decodes the same where it is sound.
#[test]
fn agrees_with_the_published_types() {
    let text = r#"{"messageType":"DATA_MESSAGE","owner":"1","logGroup":"g","logStream":"s","subscriptionFilters":[],
        "logEvents":[{"id":"7","timestamp":5,"message":"{\"a\":\"\\u00e9\"}"}]}"#;
    let event = event(&gzip(text.as_bytes()));
    let theirs: LogsEvent = serde_json::from_slice(&event).unwrap();
    let theirs =
        theirs.aws_logs.data.log_events.into_iter().map(|event| (EventRef::LogEvent(event.id), Some(event.message)));
    assert_eq!(texts(&event).unwrap(), theirs.collect::<Vec<_>>());
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = texts(&bytes);
        let _ = texts(&event(&bytes));
        let _ = texts(&event(&gzip(&bytes)));
    }

    #[test]
    fn messages_arrive_as_they_were_sent(messages in proptest::collection::vec(any::<String>(), 0..6)) {
        let events: Vec<_> = messages.iter().map(|text| json!({"id": "1", "timestamp": 1, "message": text})).collect();
        let envelope = json!({"messageType": "DATA_MESSAGE", "logEvents": events}).to_string();
        let found: Vec<_> = texts(&event(&gzip(envelope.as_bytes()))).unwrap().into_iter().filter_map(|(_, text)| text).collect();
        prop_assert_eq!(found, messages);
    }
}
