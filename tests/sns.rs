//! Publishing: what goes wrong between us and SNS, and what becomes of each alert.

use std::time::Duration;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_sns::config::{Credentials, SharedCredentialsProvider};
use uuid::Uuid;
use vaultwatch::aws::config::TopicArn;
use vaultwatch::aws::publisher::{Patience, PublishError, Publisher};
use vaultwatch::aws::sns::{Attribute, MAX_REQUEST_BYTES, SnsMessage, requests};
use vaultwatch::deadline::Deadline;

use crate::topic::{Reply, Topic};

/// Tries as often as the function does, and waits for next to nothing.
const IMPATIENT: Patience = Patience {
    connect: Duration::from_millis(500),
    attempt: Duration::from_secs(5),
    request: Duration::from_secs(12),
    first_pause: Duration::from_millis(1),
    rounds: 4,
};

fn message(number: u32, body_bytes: usize) -> SnsMessage {
    SnsMessage {
        alert_id: Uuid::from_u128(number.into()),
        subject: format!("[vaultwatch] HIGH: alert {number}"),
        body: format!("{{\"default\":\"{}\"}}", "x".repeat(body_bytes)),
        attributes: vec![
            Attribute { name: "severity", data_type: "String", value: "high".to_owned() },
            Attribute { name: "tactic", data_type: "String.Array", value: r#"["impact"]"#.to_owned() },
        ],
    }
}

fn messages(count: u32) -> Vec<SnsMessage> {
    (0..count).map(|number| message(number, 10)).collect()
}

fn publisher(topic: &Topic, patience: Patience) -> Publisher {
    let credentials = Credentials::new("test", "test", None, None, "test");
    let sdk = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-central-1"))
        .endpoint_url(format!("http://{}", topic.address))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .build();
    let arn = TopicArn::parse("arn:aws:sns:eu-central-1:123456789012:alerts").unwrap();
    Publisher::new(&sdk, arn, patience)
}

/// Publishes so many messages to a topic that answers so, and says what became of each.
async fn publish(count: u32, topic: &Topic) -> Vec<Result<(), PublishError>> {
    let publications = publisher(topic, IMPATIENT).publish(&messages(count), Deadline::NONE).await;
    let ids: Vec<u128> = publications.iter().map(|publication| publication.alert_id.as_u128()).collect();
    assert_eq!(ids, (0..count.into()).collect::<Vec<u128>>(), "every alert once, in order");
    publications.into_iter().map(|publication| publication.result).collect()
}

fn failures(results: &[Result<(), PublishError>]) -> Vec<(usize, String)> {
    let failed = results.iter().enumerate();
    failed.filter_map(|(index, result)| Some((index, result.as_ref().err()?.to_string()))).collect()
}

#[tokio::test]
async fn a_message_arrives_whole() {
    let topic = Topic::start(vec![]);
    assert_eq!(publish(1, &topic).await, [Ok(())]);
    let accepted = topic.accepted();
    let [entry] = accepted.as_slice() else { panic!("one message") };
    assert_eq!(entry.get("Subject"), "[vaultwatch] HIGH: alert 0");
    assert_eq!(entry.get("MessageStructure"), "json");
    assert_eq!(entry.text("default"), "xxxxxxxxxx");
    let text = |kind: &str, value: &str| (kind.to_owned(), value.to_owned());
    assert_eq!(entry.attributes["severity"], text("String", "high"));
    assert_eq!(entry.attributes["tactic"], text("String.Array", r#"["impact"]"#));
}

#[tokio::test]
async fn nothing_to_publish_is_no_call() {
    let topic = Topic::start(vec![]);
    assert_eq!(publish(0, &topic).await, []);
    assert!(topic.calls().is_empty());
}

#[tokio::test]
async fn ten_go_into_a_call() {
    let topic = Topic::start(vec![]);
    let results = publish(25, &topic).await;
    assert!(results.iter().all(Result::is_ok));
    assert_eq!(topic.calls(), [10, 10, 5]);
    assert_eq!(topic.accepted().len(), 25);
}

#[tokio::test]
async fn what_sns_could_not_take_is_sent_again() {
    let topic = Topic::start(vec![
        Reply::Fail(vec![(1, "InternalError", false), (2, "ThrottledException", false)]),
        Reply::Fail(vec![(1, "InternalError", false)]),
    ]);
    assert_eq!(failures(&publish(4, &topic).await), []);
    assert_eq!(topic.calls(), [4, 2, 1]);
    let subjects: Vec<String> = topic.accepted().iter().map(|entry| entry.get("Subject").to_owned()).collect();
    assert_eq!(subjects, [0, 3, 1, 2].map(|number| format!("[vaultwatch] HIGH: alert {number}")));
}

#[tokio::test]
async fn what_sns_never_takes_is_given_up() {
    let topic = Topic::start(vec![]);
    topic.answer_usually(Reply::Fail(vec![(0, "InternalError", false)]));
    let expected = "sns could not take the message: `InternalError`, as told".to_owned();
    assert_eq!(failures(&publish(2, &topic).await), [(0, expected)]);
    assert_eq!(topic.calls(), [2, 1, 1, 1]);
}

#[tokio::test]
async fn what_sns_refuses_is_not_sent_again() {
    let topic = Topic::start(vec![Reply::Fail(vec![(1, "InvalidParameter", true)])]);
    let expected = "sns refused the message: `InvalidParameter`, as told".to_owned();
    assert_eq!(failures(&publish(3, &topic).await), [(1, expected)]);
    assert_eq!(topic.calls(), [3]);
}

#[tokio::test]
async fn what_the_answer_does_not_mention_is_sent_again() {
    let topic = Topic::start(vec![Reply::Forget(2)]);
    assert_eq!(failures(&publish(3, &topic).await), []);
    assert_eq!(topic.calls(), [3, 1]);
}

#[tokio::test]
async fn one_malformed_message_does_not_take_the_others_along() {
    let topic = Topic::start(vec![Reply::ErrorForMany(400, "InvalidParameter"), Reply::Accept]);
    topic.answer_usually(Reply::ErrorForMany(400, "InvalidParameter"));
    assert_eq!(failures(&publish(3, &topic).await), []);
    assert_eq!(topic.calls(), [3, 1, 1, 1]);

    let topic = Topic::start(vec![Reply::Error(400, "InvalidParameter")]);
    let expected = "sns refused the request: `InvalidParameter`, as told".to_owned();
    assert_eq!(failures(&publish(1, &topic).await), [(0, expected)]);
    assert_eq!(topic.calls(), [1]);
}

#[tokio::test]
async fn an_outage_is_waited_out() {
    for (status, code) in [(500, "InternalFailure"), (503, "ServiceUnavailable"), (400, "Throttling")] {
        let topic = Topic::start(vec![Reply::Error(status, code)]);
        assert_eq!(failures(&publish(2, &topic).await), [], "{code}");
        assert_eq!(topic.calls(), [2, 2], "{code}");
    }
}

#[tokio::test]
async fn an_outage_that_stays_fails_every_alert() {
    let topic = Topic::start(vec![]);
    topic.answer_usually(Reply::Error(500, "InternalFailure"));
    let results = publish(12, &topic).await;
    assert_eq!(failures(&results).len(), 12);
    assert_eq!(results[0], Err(PublishError::Failed("`InternalFailure`, as told".to_owned())));
    assert_eq!(topic.calls(), [10, 10, 10, 2, 2, 2]);
}

#[tokio::test]
async fn a_missing_permission_is_not_tried_again() {
    let topic = Topic::start(vec![]);
    topic.answer_usually(Reply::Error(403, "AuthorizationError"));
    assert_eq!(failures(&publish(3, &topic).await).len(), 3);
    assert_eq!(topic.calls(), [3]);
}

#[tokio::test]
async fn silence_times_out() {
    let topic = Topic::start(vec![]);
    topic.answer_usually(Reply::Silence);
    let attempt = Duration::from_millis(20);
    let patience = Patience { attempt, request: attempt * 2, ..IMPATIENT };
    let publications = publisher(&topic, patience).publish(&messages(1), Deadline::NONE).await;
    assert_eq!(publications[0].result, Err(PublishError::Timeout));
}

#[tokio::test]
async fn the_deadline_cuts_a_call_short() {
    let topic = Topic::start(vec![]);
    topic.answer_usually(Reply::Silence);
    let deadline = Deadline::after(Duration::from_millis(200));
    let publications = publisher(&topic, IMPATIENT).publish(&messages(11), deadline).await;
    assert!(publications.iter().all(|publication| publication.result == Err(PublishError::Deadline)));
    assert!(topic.calls().len() <= 1, "the second request is not even begun");
}

#[tokio::test]
async fn no_time_left_is_no_call() {
    let topic = Topic::start(vec![]);
    let publications = publisher(&topic, IMPATIENT).publish(&messages(3), Deadline::after(Duration::ZERO)).await;
    assert!(publications.iter().all(|publication| publication.result == Err(PublishError::Deadline)));
    assert!(topic.calls().is_empty());
}

#[tokio::test]
async fn there_is_no_pause_past_the_deadline() {
    let topic = Topic::start(vec![]);
    topic.answer_usually(Reply::Fail(vec![(0, "InternalError", false)]));
    let patience = Patience { first_pause: Duration::from_mins(2), ..IMPATIENT };
    let publications = publisher(&topic, patience).publish(&messages(1), Deadline::after(Duration::from_mins(1))).await;
    assert!(matches!(publications[0].result, Err(PublishError::Busy(_))));
    assert_eq!(topic.calls(), [1]);
}

#[test]
fn requests_are_packed_by_number_and_by_bytes() {
    let room = MAX_REQUEST_BYTES - message(0, 0).size();
    for (bodies, expected) in [
        (vec![], vec![]),
        (vec![10; 21], vec![10, 10, 1]),
        (vec![room, 10], vec![1, 1]),
        (vec![10, room], vec![1, 1]),
        (vec![room / 2, room / 2 - 100, 10], vec![2, 1]),
        (vec![100_000; 5], vec![2, 2, 1]),
    ] {
        let messages: Vec<SnsMessage> = bodies.iter().map(|&bytes| message(1, bytes)).collect();
        let packed = requests(&messages.iter().collect::<Vec<_>>());
        let sizes: Vec<usize> = packed.iter().map(Vec::len).collect();
        assert_eq!(sizes, expected, "{bodies:?}");
        for request in packed {
            assert!(request.iter().map(|message| message.size()).sum::<usize>() <= MAX_REQUEST_BYTES);
        }
    }
}
