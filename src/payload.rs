//! A subscription payload -> [`LogBatch`]: base64, gzip, size cap, message type.
//!
//! `CloudWatch` Logs invokes with `{"awslogs": {"data": base64(gzip(JSON))}}`.
//! The types of `aws_lambda_events` decode this inside `Deserialize`: without a size cap, without a look at the
//! checksum, and any unknown key fails the invocation before the handler runs. Here the payload is bounded, every
//! failure names its stage, and keys that we do not know are tolerated.
//!
//! Decoding has two steps because the batch borrows from the inflated text: [`inflate`], then [`read`].

use std::borrow::Cow;
use std::io::{self, Read};
use std::sync::Arc;

use base64::engine::general_purpose::STANDARD;
use base64::{DecodeError, Engine};
use flate2::bufread::MultiGzDecoder;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::json;

/// The default of [`Limits::max_inflated`], in bytes. A payload has at most 1 MB before inflating, and audit logs
/// shrink 5 to 20 times.
pub const DEFAULT_MAX_INFLATED: usize = 64 << 20;

/// How much the inflated text may grow at a time, in bytes, at least.
const CHUNK: usize = 64 << 10;

/// What a payload may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The largest inflated size that is accepted, in bytes.
    pub max_inflated: usize,
}

/// Why a payload cannot be decoded. No variant carries content.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum PayloadError {
    /// The event has no `awslogs.data` string, or its message type is neither data nor control.
    #[error("not a subscription payload: {0}")]
    NotSubscription(&'static str),
    /// `awslogs.data` is not base64.
    #[error("base64: {0}")]
    Base64(&'static str),
    /// The stream is truncated, damaged, or no gzip at all.
    #[error("gzip: {0}")]
    Gzip(String),
    /// More than [`Limits::max_inflated`] bytes.
    #[error("too large: more than {limit} bytes after inflating")]
    TooLarge {
        /// The limit, in bytes.
        limit: usize,
    },
    /// The inflated text is not the JSON of a log batch.
    #[error("json: unreadable at line {line}, column {column}")]
    Json {
        /// Counted from 1.
        line: usize,
        /// Counted from 1, in bytes.
        column: usize,
    },
}

impl PayloadError {
    /// The stage that failed, as a stable name for error reports and alarms.
    #[must_use]
    pub const fn stage(&self) -> &'static str {
        match self {
            Self::NotSubscription(_) => "not_a_subscription_payload",
            Self::Base64(_) => "base64",
            Self::Gzip(_) => "gzip",
            Self::TooLarge { .. } => "too_large",
            Self::Json { .. } => "json",
        }
    }
}

/// The inflated text of a payload, from which a [`LogBatch`] borrows.
#[derive(Debug)]
pub struct Inflated(Vec<u8>);

impl Inflated {
    /// The inflated size, in bytes.
    #[must_use]
    pub fn size(&self) -> usize {
        self.0.len()
    }
}

/// What `CloudWatch` Logs sent.
#[derive(Debug)]
pub enum Message<'a> {
    /// `CONTROL_MESSAGE`: a check of the destination, nothing to do.
    Control,
    /// `DATA_MESSAGE`: log events of one stream.
    Data(LogBatch<'a>),
}

/// The log events of one stream that arrived together.
#[derive(Debug, Default)]
pub struct LogBatch<'a> {
    /// Where they come from.
    pub stream: LogStream,
    /// The subscription filters that matched.
    pub subscription_filters: Vec<String>,
    /// In the order sent.
    pub events: Vec<LogEvent<'a>>,
}

/// The log stream that a batch came from; all empty in a replay.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LogStream {
    /// The account that owns the log group.
    pub owner: String,
    /// `logGroup`
    pub log_group: String,
    /// `logStream`
    pub log_stream: String,
}

/// One log event.
#[derive(Debug, Clone)]
pub struct LogEvent<'a> {
    /// Where it stands.
    pub position: Position<'a>,
    /// When it happened according to the shipper, in milliseconds since 1970. A replayed line may have none.
    pub timestamp: Option<i64>,
    /// What it says.
    pub text: LogText<'a>,
}

/// Where a log event stands, borrowed. [`Position::to_ref`] keeps it.
#[derive(Debug, Clone)]
pub enum Position<'a> {
    /// `logEvents[].id`
    LogEvent(Cow<'a, str>),
    /// A line of a replayed file.
    Line {
        /// The file as the user named it, `-` for standard input.
        file: Arc<str>,
        /// Counted from 1.
        line: u64,
    },
}

impl Position<'_> {
    /// The same, owned.
    #[must_use]
    pub fn to_ref(&self) -> EventRef {
        match self {
            Self::LogEvent(id) => EventRef::LogEvent(id.clone().into_owned()),
            Self::Line { file, line } => EventRef::Line { file: Arc::clone(file), line: *line },
        }
    }
}

/// Where one log event stands.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum EventRef {
    /// `logEvents[].id` of a payload.
    LogEvent(String),
    /// A line of a replayed file.
    Line {
        /// The file as the user named it, `-` for standard input.
        file: Arc<str>,
        /// Counted from 1.
        line: u64,
    },
}

/// What a log event says, as it came.
#[derive(Debug, Clone, Copy)]
pub enum LogText<'a> {
    /// A JSON string, still escaped, quotes included. Each message is unescaped when its turn comes, so that a batch
    /// is never held twice.
    Escaped(&'a str),
    /// The text itself.
    Plain(&'a str),
}

impl<'a> LogText<'a> {
    /// The text itself, unescaped into `buffer` where that is needed.
    ///
    /// # Errors
    ///
    /// `None` if the escapes are no Unicode text.
    pub fn unescape<'b>(self, buffer: &'b mut String) -> Option<&'b str>
    where
        'a: 'b,
    {
        match self {
            Self::Plain(text) => Some(text),
            Self::Escaped(quoted) => {
                buffer.clear();
                json::unescape(quoted.strip_prefix('"')?.strip_suffix('"')?, buffer).ok()?;
                Some(buffer)
            }
        }
    }
}

/// Takes the text out of an invocation's event: base64, then gzip (several members; each checksum is verified).
///
/// An asynchronous invocation's failure record, which holds the event as `requestPayload`, is taken as well, so that
/// what failed can be sent again as it lies in the failure destination.
///
/// # Errors
///
/// [`PayloadError`] names the stage; nothing larger than the limit is ever allocated.
pub fn inflate(event: &[u8], limits: Limits) -> Result<Inflated, PayloadError> {
    let invocation: Invocation<'_> =
        serde_json::from_slice(event).map_err(|_| PayloadError::NotSubscription("the event is not a JSON object"))?;
    let subscription = invocation.awslogs.or(invocation.request_payload.and_then(|record| record.awslogs));
    let data = subscription.ok_or(PayloadError::NotSubscription("the event has no `awslogs.data`"))?.data;
    let compressed = STANDARD.decode(data.as_bytes()).map_err(|error| PayloadError::Base64(base64_problem(&error)))?;
    gunzip(&compressed, limits.max_inflated).map(Inflated)
}

/// Reads the inflated text.
///
/// # Errors
///
/// [`PayloadError::Json`] or [`PayloadError::NotSubscription`].
pub fn read(inflated: &Inflated) -> Result<Message<'_>, PayloadError> {
    let envelope: Envelope<'_> = serde_json::from_slice(&inflated.0)
        .map_err(|error| PayloadError::Json { line: error.line(), column: error.column() })?;
    match envelope.message_type.as_ref() {
        "CONTROL_MESSAGE" => Ok(Message::Control),
        "DATA_MESSAGE" => Ok(Message::Data(envelope.into_batch())),
        _ => Err(PayloadError::NotSubscription("the message type is neither data nor control")),
    }
}

fn base64_problem(error: &DecodeError) -> &'static str {
    match error {
        DecodeError::InvalidByte(..) => "a byte that is none of its symbols",
        _ => "the text is cut off, or padded wrongly",
    }
}

/// Inflates at most `limit` bytes, and never reserves more than that.
fn gunzip(compressed: &[u8], limit: usize) -> Result<Vec<u8>, PayloadError> {
    let mut decoder = MultiGzDecoder::new(compressed);
    let mut inflated = Vec::new();
    let mut chunk = vec![0; CHUNK];
    loop {
        let read = match decoder.read(&mut chunk) {
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(PayloadError::Gzip(error.to_string())),
        };
        let Some(piece) = chunk.get(..read).filter(|piece| !piece.is_empty()) else {
            return Ok(inflated);
        };
        let needed = inflated.len() + piece.len();
        if needed > limit {
            return Err(PayloadError::TooLarge { limit });
        }
        if needed > inflated.capacity() {
            let capacity = (inflated.capacity() * 2).clamp(needed, limit);
            inflated.reserve_exact(capacity - inflated.len());
        }
        inflated.extend_from_slice(piece);
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Invocation<'a> {
    #[serde(borrow)]
    awslogs: Option<Subscription<'a>>,
    #[serde(borrow)]
    request_payload: Option<FailedInvocation<'a>>,
}

#[derive(Deserialize)]
struct FailedInvocation<'a> {
    #[serde(borrow)]
    awslogs: Option<Subscription<'a>>,
}

#[derive(Deserialize)]
struct Subscription<'a> {
    #[serde(borrow)]
    data: Cow<'a, str>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Envelope<'a> {
    #[serde(borrow, default)]
    message_type: Cow<'a, str>,
    #[serde(default)]
    owner: String,
    #[serde(default)]
    log_group: String,
    #[serde(default)]
    log_stream: String,
    #[serde(default)]
    subscription_filters: Vec<String>,
    #[serde(borrow, default)]
    log_events: Vec<EnvelopeEvent<'a>>,
}

#[derive(Deserialize)]
struct EnvelopeEvent<'a> {
    #[serde(borrow, default)]
    id: Cow<'a, str>,
    #[serde(default)]
    timestamp: Option<i64>,
    #[serde(borrow, default)]
    message: Option<&'a RawValue>,
}

impl<'a> Envelope<'a> {
    fn into_batch(self) -> LogBatch<'a> {
        LogBatch {
            stream: LogStream { owner: self.owner, log_group: self.log_group, log_stream: self.log_stream },
            subscription_filters: self.subscription_filters,
            events: self.log_events.into_iter().map(EnvelopeEvent::into_event).collect(),
        }
    }
}

impl<'a> EnvelopeEvent<'a> {
    fn into_event(self) -> LogEvent<'a> {
        let raw = self.message.map_or("", RawValue::get);
        let text = if raw.starts_with('"') { LogText::Escaped(raw) } else { LogText::Plain(raw) };
        LogEvent { position: Position::LogEvent(self.id), timestamp: self.timestamp, text }
    }
}
