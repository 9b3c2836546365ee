//! What a test says -> audit events.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value as Json};
use uuid::Uuid;

use crate::diagnostic::{SourceId, Span};
use crate::events::{self, LibraryEvent};
use crate::payload::{LogBatch, LogEvent, LogStream, LogText, Position};
use crate::rule::{EventBase, Header, RuleTest, TestEvent, Timespan};

/// How many events a test may have. It bounds what `repeat` can cost.
const MOST_EVENTS: usize = 10_000;

/// When a test starts, in seconds since 1970: noon of a Sunday, 2026-11-22. Events that are `like` one of the library
/// happen then.
const START: i64 = 1_795_348_800;

/// An event of a test, complete.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TestedEvent {
    /// Its JSON text.
    pub text: String,
    /// Which of the test's events it is, from 1, repetitions counted.
    pub number: usize,
    /// How many the test has, repetitions counted.
    pub of: usize,
    /// Where the test describes it.
    pub span: Span,
}

/// Why an event of a test cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BuildError {
    /// `like` names nothing.
    #[error("there is no event `{name}`")]
    UnknownEvent {
        /// As written.
        name: String,
        /// The name that was probably meant.
        nearest: Option<&'static str>,
    },
    /// `file` names a line that cannot be had.
    #[error("`{path}:{line}`: {error}")]
    Captured {
        /// As written.
        path: String,
        /// As written.
        line: u32,
        /// What is wrong with it.
        error: CaptureError,
    },
    /// `without` names a key that the event does not have, so that it changes nothing.
    #[error("the event has no `{0}` that it could go without")]
    NothingToTake(String),
    /// `repeat` asks for too much.
    #[error("more than {MOST_EVENTS} events")]
    TooMany,
}

/// Why a line of a captured log cannot be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CaptureError {
    /// The file was not read.
    #[error("the file cannot be read: {0}")]
    Unreadable(String),
    /// The file is shorter.
    #[error("there is no such line")]
    NoSuchLine,
    /// The line holds something else.
    #[error("the line is no JSON object")]
    NotAnEvent,
}

/// A line of a captured log, as tests name it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CapturedPlace {
    /// The rule file that names it.
    pub source: SourceId,
    /// As written: relative to the rule's file, or to the rules' directory.
    pub path: String,
    /// From 1.
    pub line: u32,
}

/// The lines that tests name, read beforehand.
pub type CapturedLines = HashMap<CapturedPlace, Result<String, CaptureError>>;

/// The lines of captured logs that the tests of a rule or a correlation name, in the order written.
pub fn captured_places(header: &Header) -> impl Iterator<Item = CapturedPlace> {
    let events = header.tests.iter().flat_map(|test| &test.events);
    events.filter_map(|event| match &event.base {
        EventBase::File { path, line, .. } => Some(place(header, path, *line)),
        EventBase::Complete | EventBase::Like { .. } => None,
    })
}

fn place(header: &Header, path: &str, line: u32) -> CapturedPlace {
    CapturedPlace { source: header.span.source, path: path.to_owned(), line }
}

/// The events of one of the tests of a rule or a correlation, in the order written, each with its repetitions.
///
/// An event that is `like` one of the library happens when the test starts, and any event `at` some time after that;
/// others keep their own time. Repetitions happen `every` so often, from then on. What `without` names is taken out first, then `event` is laid over the rest: an object
/// over an object key by key, anything else in the place of what was there. Repetitions are requests of their own, and
/// so is an event that starts from the same one as an event before it.
///
/// # Errors
///
/// If a test names what is not there, or asks for more than 10,000 events.
pub fn events(header: &Header, test: &RuleTest, captured: &CapturedLines) -> Result<Vec<TestedEvent>, BuildError> {
    let of = test.events.iter().map(|event| event.repeat as usize).sum();
    if of > MOST_EVENTS {
        return Err(BuildError::TooMany);
    }
    let mut built = Vec::with_capacity(of);
    for (place, event) in test.events.iter().enumerate() {
        let line = base(header, event, captured)?;
        let again = test.events.iter().take(place).filter(|before| starts_alike(before, event)).count();
        // Every base is an object, so that it reads.
        let complete = complete(event, again, serde_json::from_str(line).unwrap_or_default())?;
        for repetition in 0..event.repeat {
            let changed = || repeated(event, &complete, repetition).to_string();
            let json = if is_verbatim(event) { line.to_owned() } else { changed() };
            built.push(TestedEvent { text: json, number: built.len() + 1, of, span: event.span.clone() });
        }
    }
    Ok(built)
}

/// Whether it is a captured line as it stands, spelling included.
fn is_verbatim(event: &TestEvent) -> bool {
    let changed = !event.overrides.is_empty() || !event.without.is_empty() || !event.vary.is_empty();
    matches!(event.base, EventBase::File { .. }) && !changed && event.at.is_none() && event.repeat == 1
}

/// The text of what the event starts from.
fn base<'c>(header: &Header, event: &TestEvent, captured: &'c CapturedLines) -> Result<&'c str, BuildError> {
    match &event.base {
        EventBase::Complete => Ok("{}"),
        EventBase::Like { name, .. } => {
            let unknown = || BuildError::UnknownEvent { name: name.clone(), nearest: events::nearest(name) };
            events::by_name(name).map(LibraryEvent::text).ok_or_else(unknown)
        }
        EventBase::File { path, line, .. } => {
            let captured = captured.get(&place(header, path, *line));
            let text = captured.map_or(Err(&CaptureError::NoSuchLine), |line| line.as_deref());
            let text = text.and_then(|text| if is_object(text) { Ok(text) } else { Err(&CaptureError::NotAnEvent) });
            text.map_err(|error| BuildError::Captured { path: path.clone(), line: *line, error: error.clone() })
        }
    }
}

fn is_object(text: &str) -> bool {
    serde_json::from_str::<Map<String, Json>>(text).is_ok()
}

/// The events as a log, each a line.
#[must_use]
pub fn log<'e>(events: &'e [TestedEvent], name: &str) -> LogBatch<'e> {
    let file: Arc<str> = name.into();
    let event = |(line, event): (u64, &'e TestedEvent)| LogEvent {
        position: Position::Line { file: Arc::clone(&file), line },
        // An event without a time happens when the test starts.
        timestamp: Some(START * 1000),
        text: LogText::Plain(&event.text),
    };
    LogBatch {
        stream: LogStream::default(),
        subscription_filters: Vec::new(),
        events: (1..).zip(events).map(event).collect(),
    }
}

fn starts_alike(a: &TestEvent, b: &TestEvent) -> bool {
    match (&a.base, &b.base) {
        (EventBase::Like { name: a, .. }, EventBase::Like { name: b, .. }) => a == b,
        (EventBase::File { path: a, line: x, .. }, EventBase::File { path: b, line: y, .. }) => (a, x) == (b, y),
        _ => false,
    }
}

/// The base at its time, without what the test takes out of it, and with what it lays over it. `again` is how many
/// events before it start from the same base.
fn complete(event: &TestEvent, again: usize, mut base: Json) -> Result<Json, BuildError> {
    if again > 0 {
        renew(&mut base, &format!("again {again}"));
    }
    let is_untimed = || event.every.is_some() && base.get("time").is_none();
    if event.at.is_some() || matches!(event.base, EventBase::Like { .. }) || is_untimed() {
        let start = Timestamp::from_second(START).unwrap_or_default();
        let at = event.at.map_or(SignedDuration::ZERO, Timespan::duration);
        lay(&mut base, "time", &Json::String(start.saturating_add(at).unwrap_or(start).to_string()));
    }
    for key in &event.without {
        if !take(&mut base, key) {
            return Err(BuildError::NothingToTake(key.clone()));
        }
    }
    for (key, value) in &event.overrides {
        lay(&mut base, key, value);
    }
    Ok(base)
}

/// One of several that differ a little: in time, in the id of the request, and as `vary` says. The first is `0`.
fn repeated(event: &TestEvent, complete: &Json, repetition: u32) -> Json {
    let mut repeated = complete.clone();
    if repetition > 0 {
        let own_time = complete.get("time").and_then(Json::as_str).and_then(|time| time.parse::<Timestamp>().ok());
        if let (Some(time), Some(every)) = (own_time, event.every) {
            let later = every.duration().saturating_mul(repetition.cast_signed());
            let time = time.saturating_add(later).unwrap_or(time);
            lay(&mut repeated, "time", &Json::String(time.to_string()));
        }
        renew(&mut repeated, &repetition.to_string());
    }
    for (key, text) in &event.vary {
        let number = (u64::from(repetition) + 1).to_string();
        lay(&mut repeated, key, &Json::String(text.replace("{n}", &number)));
    }
    // The very same line twice would be one that was delivered twice.
    if repetition > 0 && repeated == *complete {
        lay(&mut repeated, "request.id", &Json::String(format!("repetition {repetition}")));
    }
    repeated
}

/// Makes it a request of its own.
fn renew(event: &mut Json, which: &str) {
    if let Some(id) = event.pointer("/request/id").and_then(Json::as_str) {
        let id = Uuid::new_v5(&Uuid::NAMESPACE_OID, format!("{id} {which}").as_bytes());
        lay(event, "request.id", &Json::String(id.to_string()));
    }
}

/// Lays a value over what stands at a dotted key: an object over an object key by key, anything else in its place.
fn lay(event: &mut Json, key: &str, value: &Json) {
    let keys: Vec<&str> = key.split('.').collect();
    lay_at(event, &keys, value);
}

fn lay_at(place: &mut Json, keys: &[&str], value: &Json) {
    match (keys, value) {
        ([first, rest @ ..], _) => {
            within(place, |members| lay_at(members.entry(*first).or_insert(Json::Null), rest, value));
        }
        ([], Json::Object(laid)) => within(place, |members| {
            for (key, value) in laid {
                lay_at(members.entry(key).or_insert(Json::Null), &[], value);
            }
        }),
        ([], other) => other.clone_into(place),
    }
}

/// Changes the members of the object at this place; whatever else stood there gives way to one.
fn within(place: &mut Json, change: impl FnOnce(&mut Map<String, Json>)) {
    let mut members = match place.take() {
        Json::Object(members) => members,
        _ => Map::new(),
    };
    change(&mut members);
    *place = Json::Object(members);
}

/// Takes out what stands at a dotted key; whether there was anything.
fn take(event: &mut Json, key: &str) -> bool {
    let (parents, last) = key.rsplit_once('.').map_or((None, key), |(parents, last)| (Some(parents), last));
    let mut parents = parents.into_iter().flat_map(|keys| keys.split('.'));
    let parent = parents.try_fold(event, |place, key| place.as_object_mut()?.get_mut(key));
    parent.and_then(Json::as_object_mut).and_then(|members| members.remove(last)).is_some()
}
