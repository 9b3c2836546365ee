//! `vaultwatch invoke --publish`

use std::process::Output;

use super::desk::{Desk, event, text, transcript};
use crate::topic::{Reply, Topic};

const TOPIC: &str = "arn:aws:sns:eu-central-1:123456789012:alerts";

#[test]
fn what_is_printed_is_what_is_published() {
    let topic = Topic::start(Vec::new());
    let letter = publish(&["invoke", "event.json", "--publish"], &topic);
    let json = publish(&["invoke", "event.json", "--publish", "--format", "json"], &topic);
    let published = topic.accepted();
    assert_eq!(text(&letter.stdout), published[0].text("email"));
    assert_eq!(text(&json.stdout), published[1].text("default") + "\n");
    assert!(text(&letter.stderr).ends_with(&format!("1 alert published to {TOPIC}\n")));
    assert_eq!(letter.status.code(), Some(0));
    assert_eq!(topic.calls(), [1, 1]);
}

#[test]
fn nothing_to_tell_is_nothing_to_publish() {
    let topic = Topic::start(Vec::new());
    let output = publish(&["invoke", "benign.json", "--publish"], &topic);
    assert!(text(&output.stderr).ends_with(&format!("0 alerts published to {TOPIC}\n")));
    assert_eq!(topic.calls().len(), 0);
}

#[test]
fn an_alert_that_sns_refuses_is_a_failure() {
    let topic = Topic::start(vec![Reply::Fail(vec![(0, "InvalidParameter", true)])]);
    let words = ["invoke", "event.json", "--publish", "--format", "json"];
    let output = publish(&words, &topic);
    assert_eq!(text(&output.stdout).lines().count(), 1, "it is printed all the same");
    insta::assert_snapshot!("publish_refused", transcript(&words, &Output { stdout: Vec::new(), ..output }));
}

#[test]
fn publishing_needs_a_topic() {
    let desk = Desk::with_rules();
    let words = ["invoke", "--publish"];
    let misnamed = desk.command(&words).env("VAULTWATCH_TOPIC_ARN", "alerts").output().unwrap();
    let session = [desk.session(&words), transcript(&words, &misnamed)];
    insta::assert_snapshot!("publish_nowhere", session.join("\n"));
}

fn publish(words: &[&str], topic: &Topic) -> Output {
    Desk::with_rules()
        .with("event.json", event("root-token-used"))
        .with("benign.json", event("benign"))
        .command(words)
        .env("VAULTWATCH_TOPIC_ARN", TOPIC)
        .env("AWS_ENDPOINT_URL", format!("http://{}", topic.address))
        .env("AWS_REGION", "eu-central-1")
        .env("AWS_ACCESS_KEY_ID", "test")
        .env("AWS_SECRET_ACCESS_KEY", "test")
        .output()
        .unwrap()
}
