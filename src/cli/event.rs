//! One audit event that a user named: a file, a line of one, standard input, an event of a payload, or an event that
//! ships with the program.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::fs::{self, File};
use std::io::{self, BufRead, Read};
use std::path::Path;

use serde::de::IgnoredAny;

use super::failure::Failure;
use super::input::{self, Input};
use super::lines::{LineReader, Pace};
use super::render;
use crate::audit::{AuditEvent, Buffers, FieldTable, Unreadable};
use crate::payload::{self, DEFAULT_MAX_INFLATED, Limits, Message, PayloadError};
use crate::{audit, events};

mod batches;

/// No single event is longer than this, in bytes: what is, has many lines, of which one must be named.
const LONGEST: u64 = 64 << 20;

/// How far into a file the name of a payload's only key is looked for, in bytes.
const PAYLOAD_HEAD: usize = 4 << 10;

/// What was typed: `FILE`, `FILE:LINE`, `-`, or the name of an event that ships with the program.
#[derive(Debug, Clone)]
pub(super) struct EventArg(OsString);

impl From<OsString> for EventArg {
    fn from(text: OsString) -> Self {
        Self(text)
    }
}

/// The text of one log event, and what to call it.
#[derive(Debug)]
pub(super) struct NamedEvent {
    /// `audit.log:12`
    pub(super) name: String,
    /// As an audit device wrote it.
    pub(super) text: String,
}

/// Why there is no one event where one was named.
#[derive(Debug, thiserror::Error)]
pub(super) enum EventError {
    /// There are several, and no number.
    #[error("`{name}` holds {count}")]
    Several { name: String, count: String },
    /// There is no event of that number.
    #[error("`{name}` has no {kind} {number}")]
    NoSuchNumber { name: String, kind: Kind, number: u64, last: u64 },
    /// There is nothing at all.
    #[error("`{name}` holds no event")]
    Empty { name: String },
    /// There is something, and it is no audit event.
    #[error("`{name}` is no audit event: {reason}")]
    Unreadable { name: String, reason: Unreadable },
}

/// What the numbers count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Lines of a file, from 1, blank ones included.
    Line,
    /// Log events of a payload, from 1.
    LogEvent,
}

impl fmt::Display for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Line => "line",
            Self::LogEvent => "log event",
        })
    }
}

impl EventError {
    /// What to do about it.
    pub(super) fn help(&self) -> Option<String> {
        match self {
            Self::Several { name, .. } => Some(format!("name one by its number: `{name}:1`")),
            Self::NoSuchNumber { last, kind, .. } => Some(format!("the last {kind} is number {last}")),
            Self::Empty { .. } | Self::Unreadable { .. } => None,
        }
    }
}

impl NamedEvent {
    /// Reads the event.
    pub(super) fn audit_event<'e>(
        &'e self,
        fields: &'e FieldTable,
        buffers: &'e mut Buffers,
    ) -> Result<AuditEvent<'e>, EventError> {
        audit::read(&self.text, fields, buffers)
            .map_err(|reason| EventError::Unreadable { name: self.name.clone(), reason })
    }
}

impl EventArg {
    /// The event.
    pub(super) fn read(&self, stdin: &mut dyn Read) -> Result<NamedEvent, Failure> {
        let place = Place::of(&self.0);
        if let Some(shipped) = place.shipped() {
            return Ok(NamedEvent { name: shipped.name.to_owned(), text: shipped.text().to_owned() });
        }
        let mut reader = place.open(stdin)?;
        let head = reader.fill_buf().map_err(|error| place.failed(error))?;
        match place.number {
            Some(number) if !may_be_payload(head) => {
                let lines = LineReader::new(reader, Pace::Full);
                place.line(lines, number)
            }
            _ => {
                let mut bytes = Vec::new();
                reader.take(LONGEST + 1).read_to_end(&mut bytes).map_err(|error| place.failed(error))?;
                place.pick(&bytes)
            }
        }
    }
}

/// What an [`EventArg`] means.
#[derive(Debug)]
struct Place {
    input: Input,
    /// Of the line, or of the log event in a payload; from 1.
    number: Option<u64>,
}

impl Place {
    /// A file that is there is meant, whatever its name ends with.
    fn of(text: &OsStr) -> Self {
        let whole = Self { input: Input::from(text.to_owned()), number: None };
        if Path::new(text).exists() {
            return whole;
        }
        let numbered = text.to_str().and_then(|text| text.rsplit_once(':'));
        match numbered.and_then(|(file, number)| Some((file, number.parse().ok()?))) {
            Some((file, number)) => Self { input: Input::from(OsString::from(file)), number: Some(number) },
            None => whole,
        }
    }

    /// The event of that name, if there is no such file.
    fn shipped(&self) -> Option<&'static events::LibraryEvent> {
        match &self.input {
            Input::File(path) if self.number.is_none() && fs::metadata(path).is_err() => {
                events::by_name(path.to_str()?)
            }
            Input::File(_) | Input::Stdin => None,
        }
    }

    fn open<'r>(&self, stdin: &'r mut dyn Read) -> Result<Box<dyn BufRead + 'r>, Failure> {
        let reader: Box<dyn Read + 'r> = match &self.input {
            Input::Stdin => Box::new(stdin),
            Input::File(path) => Box::new(File::open(path).map_err(|error| self.failed(error))?),
        };
        input::inflated(reader).map_err(|error| self.failed(error))
    }

    fn failed(&self, error: io::Error) -> Failure {
        self.input.failed(error).into()
    }

    fn named(&self, number: Option<u64>, text: &str) -> NamedEvent {
        let name = match number {
            Some(number) => format!("{}:{number}", self.input),
            None => self.input.to_string(),
        };
        NamedEvent { name, text: text.to_owned() }
    }

    /// One line of a file of any length.
    fn line(&self, mut lines: LineReader<impl BufRead>, number: u64) -> Result<NamedEvent, Failure> {
        let mut last = 0;
        while let Some(chunk) = lines.next_chunk().map_err(|error| self.failed(error))? {
            for (at, text) in chunk.lines() {
                last = at;
                if at == number {
                    return Ok(self.named(Some(number), text.unwrap_or_default()));
                }
            }
        }
        Err(self.no_such(Kind::Line, number, last).into())
    }

    /// The one event in all of this.
    fn pick(&self, bytes: &[u8]) -> Result<NamedEvent, Failure> {
        match payload::inflate(bytes, Limits { max_inflated: DEFAULT_MAX_INFLATED }) {
            Ok(inflated) => self.of_payload(&payload::read(&inflated).map_err(|error| self.refused(error))?),
            Err(PayloadError::NotSubscription(_)) => self.of_text(bytes),
            Err(error) => Err(self.refused(error)),
        }
    }

    fn of_payload(&self, message: &Message<'_>) -> Result<NamedEvent, Failure> {
        let events = match message {
            Message::Data(batch) => batch.events.as_slice(),
            Message::Control => &[],
        };
        let at = match (self.number, events) {
            (_, []) => return Err(EventError::Empty { name: self.input.to_string() }.into()),
            (None, [_]) => 0,
            (None, several) => return Err(self.several(several.len(), "log event", "log events").into()),
            (Some(number), _) => number.wrapping_sub(1),
        };
        let Some(event) = usize::try_from(at).ok().and_then(|at| events.get(at)) else {
            return Err(self.no_such(Kind::LogEvent, at.wrapping_add(1), count(events.len())).into());
        };
        let mut buffer = String::new();
        Ok(self.named(self.number, event.text.unescape(&mut buffer).unwrap_or_default()))
    }

    /// A file that is one JSON value, on however many lines, or that has one line.
    fn of_text(&self, bytes: &[u8]) -> Result<NamedEvent, Failure> {
        if let Some(number) = self.number {
            return self.line(LineReader::new(bytes, Pace::Full), number);
        }
        let text = String::from_utf8_lossy(bytes);
        let text = text.trim_start_matches('\u{feff}').trim();
        let is_one = serde_json::from_str::<IgnoredAny>(text).is_ok();
        match text.lines().filter(|line| !line.trim().is_empty()).count() {
            0 => Err(EventError::Empty { name: self.input.to_string() }.into()),
            lines if lines == 1 || is_one => Ok(self.named(None, text)),
            lines => Err(self.several(lines, "line", "lines").into()),
        }
    }

    fn several(&self, number: usize, one: &str, many: &str) -> EventError {
        EventError::Several { name: self.input.to_string(), count: render::counted(number, one, many) }
    }

    fn no_such(&self, kind: Kind, number: u64, last: u64) -> EventError {
        EventError::NoSuchNumber { name: self.input.to_string(), kind, number, last }
    }

    fn refused(&self, error: PayloadError) -> Failure {
        Failure::Payload { name: self.input.to_string(), error }
    }
}

fn may_be_payload(head: &[u8]) -> bool {
    let head = String::from_utf8_lossy(head.get(..PAYLOAD_HEAD).unwrap_or(head));
    head.trim_start().starts_with('{') && (head.contains("\"awslogs\"") || head.contains("\"requestPayload\""))
}

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}
