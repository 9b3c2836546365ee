//! Logs of the tests: what happened, as lines of an audit log, and as the oracle sees it.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use jiff::{SignedDuration, Timestamp};
use vaultwatch::payload::{LogBatch, LogEvent, LogStream, LogText, Position};

use super::oracle::Hit;

/// When the logs of the tests begin.
pub(super) const START: &str = "2026-03-01T00:00:00Z";

/// Something that happened in Vault.
#[derive(Clone)]
pub(super) struct Event {
    /// After the start of the log.
    pub(super) milliseconds: i64,
    pub(super) path: &'static str,
    pub(super) user: u8,
    pub(super) address: u16,
    pub(super) number: u8,
    /// What a request and its response share.
    pub(super) request: usize,
}

impl Event {
    fn address(&self) -> String {
        let [high, low] = self.address.to_be_bytes();
        format!("10.0.{high}.{low}")
    }
}

impl fmt::Debug for Event {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { milliseconds, path, user, address, number, request } = self;
        write!(formatter, "{milliseconds} ms: {path} by {user} from {address}, {number}, request {request}")
    }
}

/// An event with its place in the log, which names it.
#[derive(Debug, Clone)]
pub(super) struct Line {
    pub(super) event: Event,
    pub(super) place: usize,
    text: String,
}

pub(super) fn after_start(milliseconds: i64) -> Timestamp {
    START.parse::<Timestamp>().unwrap() + SignedDuration::from_millis(milliseconds)
}

/// A log in the order of time.
pub(super) fn lines(mut events: Vec<Event>) -> Vec<Line> {
    events.sort_by_key(|event| event.milliseconds);
    events.into_iter().enumerate().map(|(place, event)| Line { text: text(&event), event, place }).collect()
}

fn text(event: &Event) -> String {
    let Event { milliseconds, path, user, number, request, .. } = event;
    let (time, address) = (after_start(*milliseconds), event.address());
    format!(
        r#"{{"time":"{time}","type":"request","auth":{{"display_name":"user-{user}"}},"request":{{"id":"{request:032}","path":"{path}","remote_address":"{address}","wrap_ttl":{number}}}}}"#
    )
}

/// The name of the event at a place: `CloudWatch` numbers upwards, with 56 digits.
pub(super) fn name(place: usize) -> String {
    format!("{place:056}")
}

pub(super) fn batch<'l>(lines: impl IntoIterator<Item = &'l Line>) -> LogBatch<'l> {
    let events = lines.into_iter().map(|line| LogEvent {
        position: Position::LogEvent(Cow::Owned(name(line.place))),
        timestamp: None,
        text: LogText::Plain(&line.text),
    });
    let stream = LogStream { owner: "1".into(), log_group: "vault".into(), log_stream: "audit".into() };
    LogBatch { stream, events: events.collect(), ..LogBatch::default() }
}

impl Line {
    /// In nanoseconds since 1970.
    pub(super) fn time(&self) -> i64 {
        after_start(self.event.milliseconds).as_nanosecond().try_into().unwrap()
    }

    /// The rules that it matches, as the paths of the events say.
    pub(super) fn rules(&self) -> Vec<&'static str> {
        match self.event.path {
            "ab" => vec!["a", "b"],
            path @ ("a" | "b" | "c" | "single" | "each") => vec![path],
            _ => Vec::new(),
        }
    }

    pub(super) fn hits(&self) -> Vec<Hit> {
        let Event { user, number, request, .. } = &self.event;
        let values = BTreeMap::from([
            ("auth.display_name".to_owned(), vec![format!("user-{user}")]),
            ("request.remote_address".to_owned(), vec![self.event.address()]),
            ("request.wrap_ttl".to_owned(), vec![number.to_string()]),
        ]);
        let hit = |rule: &str| Hit {
            rule: rule.to_owned(),
            time: self.time(),
            place: self.place,
            happening: request.to_string(),
            values: values.clone(),
        };
        self.rules().into_iter().map(hit).collect()
    }
}
