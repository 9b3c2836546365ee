//! Sends messages to the topic, at least once each, and says of every one what became of it.

use std::time::Duration;

use aws_config::SdkConfig;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_sdk_sns::Client;
use aws_sdk_sns::error::{BuildError, ProvideErrorMetadata, SdkError};
use aws_sdk_sns::operation::publish_batch::{PublishBatchError, PublishBatchOutput};
use aws_sdk_sns::types::{BatchResultErrorEntry, MessageAttributeValue, PublishBatchRequestEntry};
use tokio::time::{sleep, timeout_at};
use uuid::Uuid;

use crate::alert::text;
use crate::aws::config::TopicArn;
use crate::aws::sns::{self, SnsMessage};
use crate::deadline::Deadline;

/// How much of SNS's own explanation is kept, in bytes.
const EXPLANATION_BYTES: usize = 200;

/// How long to wait for SNS, and how often to try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// Until a connection stands.
    pub connect: Duration,
    /// Until one attempt has its answer.
    pub attempt: Duration,
    /// Until a request is given up, its attempts and the pauses between them included.
    pub request: Duration,
    /// The first pause before something is tried again; it doubles each time.
    pub first_pause: Duration,
    /// How many times a message is sent that SNS could not take just now.
    pub rounds: u32,
}

impl Patience {
    /// What the function has.
    pub const USUAL: Self = Self {
        connect: Duration::from_secs(2),
        attempt: Duration::from_secs(5),
        request: Duration::from_secs(12),
        first_pause: Duration::from_millis(200),
        rounds: 4,
    };
}

/// What became of an alert.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Publication {
    /// The alert.
    pub alert_id: Uuid,
    /// Whether SNS has its message.
    pub result: Result<(), PublishError>,
}

/// Why an alert is not published.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PublishError {
    /// SNS will never take this message.
    #[error("sns refused the message: {0}")]
    Refused(String),
    /// SNS could not take this message just now, every time it was asked.
    #[error("sns could not take the message: {0}")]
    Busy(String),
    /// The request failed as a whole, also when it was repeated.
    #[error("the request to sns failed: {0}")]
    Failed(String),
    /// The request was malformed according to SNS: one of its messages may be.
    #[error("sns refused the request: {0}")]
    Malformed(String),
    /// No answer in time.
    #[error("sns did not answer in time")]
    Timeout,
    /// The invocation has no time left.
    #[error("the invocation has no time left")]
    Deadline,
}

/// Publishes to one topic.
#[derive(Debug, Clone)]
pub struct Publisher {
    client: Client,
    topic: TopicArn,
    patience: Patience,
}

impl Publisher {
    /// With this configuration of the SDK. Sends nothing yet.
    #[must_use]
    pub fn new(sdk: &SdkConfig, topic: TopicArn, patience: Patience) -> Self {
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(patience.connect)
            .operation_attempt_timeout(patience.attempt)
            .operation_timeout(patience.request);
        let retries = RetryConfig::standard().with_initial_backoff(patience.first_pause);
        let config = aws_sdk_sns::config::Builder::from(sdk)
            .timeout_config(timeouts.build())
            .retry_config(retries.with_max_backoff(patience.attempt));
        Self { client: Client::from_conf(config.build()), topic, patience }
    }

    /// Publishes messages, and tells what became of each, in their order.
    ///
    /// What SNS refuses is not tried again; what it could not take just now is, as long as the deadline allows.
    /// A message whose answer got lost may be published twice, with the same alert id in it.
    pub async fn publish(&self, messages: &[SnsMessage], deadline: Deadline) -> Vec<Publication> {
        let mut publications: Vec<Publication> = Vec::new();
        let mut waiting: Vec<&SnsMessage> = messages.iter().collect();
        let mut pause = self.patience.first_pause;
        for rounds_left in (0..self.patience.rounds.max(1)).rev() {
            let sent = self.send_all(&waiting, deadline).await;
            let is_over = rounds_left == 0 || !deadline.allows(pause);
            waiting.clear();
            for (message, result) in sent {
                match result {
                    Err(PublishError::Busy(_)) if !is_over => waiting.push(message),
                    result => publications.push(Publication { alert_id: message.alert_id, result }),
                }
            }
            if waiting.is_empty() {
                break;
            }
            sleep(pause).await;
            pause *= 2;
        }
        let place = |id| messages.iter().position(|message| message.alert_id == id);
        publications.sort_by_key(|publication| place(publication.alert_id));
        publications
    }

    /// Sends each message once.
    async fn send_all<'m>(&self, messages: &[&'m SnsMessage], deadline: Deadline) -> Vec<Sent<'m>> {
        let mut sent = Vec::with_capacity(messages.len());
        for request in sns::requests(messages) {
            let answers = self.send(&request, deadline).await;
            let is_malformed = matches!(answers.first(), Some((_, Err(PublishError::Malformed(_)))));
            if is_malformed && request.len() > 1 {
                // One message must not keep the others from being published.
                for message in request {
                    sent.extend(self.send(&[message], deadline).await);
                }
            } else {
                sent.extend(answers);
            }
        }
        sent
    }

    /// Sends one request.
    async fn send<'m>(&self, messages: &[&'m SnsMessage], deadline: Deadline) -> Vec<Sent<'m>> {
        let all = |error: PublishError| messages.iter().map(|message| (*message, Err(error.clone()))).collect();
        if !deadline.allows(Duration::ZERO) {
            return all(PublishError::Deadline);
        }
        let entries: Result<Vec<_>, BuildError> =
            messages.iter().zip(0..).map(|(message, index)| entry(message, index)).collect();
        let Ok(entries) = entries else {
            return all(not_made());
        };
        let request = self.client.publish_batch().topic_arn(self.topic.as_str());
        let answer = request.set_publish_batch_request_entries(Some(entries)).send();
        let answer = match deadline.at() {
            Some(at) => timeout_at(at, answer).await,
            None => Ok(answer.await),
        };
        match answer {
            Err(_) => all(PublishError::Deadline),
            Ok(Err(error)) => all(request_error(&error)),
            Ok(Ok(output)) => {
                messages.iter().zip(0..).map(|(message, index)| (*message, result_of(&output, index))).collect()
            }
        }
    }
}

type Sent<'m> = (&'m SnsMessage, Result<(), PublishError>);

fn entry(message: &SnsMessage, index: usize) -> Result<PublishBatchRequestEntry, BuildError> {
    let mut entry = PublishBatchRequestEntry::builder()
        .id(entry_id(index))
        .subject(&message.subject)
        .message(&message.body)
        .message_structure("json");
    for attribute in &message.attributes {
        let value = MessageAttributeValue::builder().data_type(attribute.data_type).string_value(&attribute.value);
        entry = entry.message_attributes(attribute.name, value.build()?);
    }
    entry.build()
}

fn entry_id(index: usize) -> String {
    index.to_string()
}

/// HTTP 200 says nothing yet: each entry has its own result.
fn result_of(output: &PublishBatchOutput, index: usize) -> Result<(), PublishError> {
    let id = entry_id(index);
    if let Some(failed) = output.failed().iter().find(|entry| entry.id() == id) {
        return Err(entry_error(failed));
    }
    if output.successful().iter().any(|entry| entry.id() == Some(id.as_str())) {
        return Ok(());
    }
    Err(PublishError::Busy("the answer does not mention it".to_owned()))
}

fn entry_error(failed: &BatchResultErrorEntry) -> PublishError {
    let reason = reason(failed.code(), failed.message());
    if failed.sender_fault() { PublishError::Refused(reason) } else { PublishError::Busy(reason) }
}

fn request_error(error: &SdkError<PublishBatchError>) -> PublishError {
    let Some(service_error) = error.as_service_error() else {
        return match error {
            SdkError::TimeoutError(_) => PublishError::Timeout,
            SdkError::DispatchFailure(failure) if failure.is_timeout() => PublishError::Timeout,
            SdkError::DispatchFailure(_) => PublishError::Failed("no connection, or no credentials".to_owned()),
            SdkError::ResponseError(_) => PublishError::Failed("the answer is unreadable".to_owned()),
            _ => not_made(),
        };
    };
    let code = service_error.code().unwrap_or("unknown error");
    let reason = reason(code, service_error.message());
    if is_about_content(code) { PublishError::Malformed(reason) } else { PublishError::Failed(reason) }
}

fn not_made() -> PublishError {
    PublishError::Failed("the request could not be made".to_owned())
}

/// Errors that another selection of messages may not have.
fn is_about_content(code: &str) -> bool {
    ["InvalidParameter", "InvalidParameterValue", "ParameterValueInvalid", "ValidationError", "BatchRequestTooLong"]
        .into_iter()
        .any(|name| code.strip_suffix("Exception").unwrap_or(code) == name)
}

fn reason(code: &str, message: Option<&str>) -> String {
    let code = text::bounded(code, EXPLANATION_BYTES);
    match message {
        Some(message) => format!("`{code}`, {}", text::bounded(message.trim_end_matches('.'), EXPLANATION_BYTES)),
        None => format!("`{code}`"),
    }
}
