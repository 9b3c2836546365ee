//! The events of a test.

use super::super::metadata::{self, strict_keys};
use super::super::report::Report;
use super::super::scalar::Value;
use super::super::timespan;
use super::super::yaml::{Content, Entry, Node};
use super::{EventBase, TestEvent, json};
use crate::diagnostic::{Code, Diagnostic, Span};
use crate::number::Number;

/// What may be said about the one event of a test.
pub(super) const KEYS: [&str; 4] = ["like", "file", "event", "without"];

/// What may be said about one of several.
const MEMBER_KEYS: [&str; 8] = ["like", "file", "event", "without", "at", "repeat", "every", "vary"];

/// How often one event may be repeated: far more than a threshold in a test needs.
const MOST_REPETITIONS: u32 = 10_000;

/// A member of `events:`.
pub(super) fn read_member(report: &mut Report<'_>, member: &Node<'_>) -> Option<TestEvent> {
    let Content::Map(entries) = &member.content else {
        let message = "a member of `events` is a map of `like`, `event`, `at` and more";
        report.push(Diagnostic::error(Code::WrongType, &member.span, message));
        return None;
    };
    strict_keys(report, entries, "an event", &MEMBER_KEYS);
    let bytes = member.span.bytes.clone();
    read(report, entries, &Span { source: member.span.source, bytes: bytes.start..bytes.start })
}

/// An event that is complete as it stands.
pub(super) fn complete(report: &mut Report<'_>, entry: &Entry<'_>) -> Option<TestEvent> {
    let overrides = json::members(report, entry)?;
    Some(TestEvent { overrides, ..bare(EventBase::Complete, &entry.value.span) })
}

fn bare(base: EventBase, span: &Span) -> TestEvent {
    TestEvent {
        base,
        overrides: Vec::new(),
        without: Vec::new(),
        at: None,
        repeat: 1,
        every: None,
        vary: Vec::new(),
        span: span.clone(),
    }
}

/// The entries that describe an event, which stands at `start`.
pub(super) fn read(report: &mut Report<'_>, entries: &[Entry<'_>], start: &Span) -> Option<TestEvent> {
    let before = report.errors();
    let mut event = bare(base(report, entries, start)?, start);
    for entry in entries {
        match entry.key.text.as_ref() {
            "event" => event.overrides = json::members(report, entry)?,
            "without" => event.without = metadata::fields(report, entry)?,
            "at" => event.at = timespan::offset(report, entry),
            "repeat" => event.repeat = repetitions(report, entry)?,
            "every" => event.every = timespan::read(report, entry),
            "vary" => event.vary = variations(report, entry)?,
            _ => {}
        }
    }
    let find = |key| entries.iter().find(|entry: &&Entry<'_>| entry.key.text == key);
    let pointless = [find("every"), find("vary")].into_iter().flatten().next();
    if let Some(entry) = pointless.filter(|_| event.repeat == 1) {
        let message = format!("`{}` without `repeat` does nothing", entry.key.text);
        report.push(Diagnostic::error(Code::InvalidTest, &entry.key.span, message));
    }
    (report.errors() == before).then_some(event)
}

/// What the event starts from: at most one of `like` and `file`, and something at all.
fn base(report: &mut Report<'_>, entries: &[Entry<'_>], start: &Span) -> Option<EventBase> {
    let find = |key| entries.iter().find(|entry: &&Entry<'_>| entry.key.text == key);
    match (find("like"), find("file"), find("event")) {
        (Some(like), Some(file), _) => {
            let message = "an event starts from one thing: `like` or `file`";
            let diagnostic = Diagnostic::error(Code::InvalidTest, &file.key.span, message);
            report.push(diagnostic.related(&like.key.span, "the other one"));
            None
        }
        (Some(entry), None, _) => {
            let scalar = metadata::text(report, entry)?;
            Some(EventBase::Like { name: scalar.text.to_string(), span: scalar.span.clone() })
        }
        (None, Some(entry), _) => file(report, entry),
        (None, None, Some(_)) => Some(EventBase::Complete),
        (None, None, None) => {
            let message = "there is no event here: no `like`, no `file` and no `event`";
            report.push(Diagnostic::error(Code::InvalidTest, start, message));
            None
        }
    }
}

/// `path:line`
fn file(report: &mut Report<'_>, entry: &Entry<'_>) -> Option<EventBase> {
    let scalar = metadata::text(report, entry)?;
    let parts = scalar.text.rsplit_once(':').filter(|(path, _)| !path.is_empty());
    let line = parts.and_then(|(path, line)| Some((path, line.parse::<u32>().ok().filter(|line| *line > 0)?)));
    let Some((path, line)) = line else {
        let message = format!("`{}` names no line of a file", scalar.text);
        let diagnostic = Diagnostic::error(Code::InvalidTest, &scalar.span, message);
        report.push(diagnostic.help("write the path, a colon and the number of the line: `corpus/x.jsonl:12`"));
        return None;
    };
    Some(EventBase::File { path: path.to_owned(), line, span: scalar.span.clone() })
}

fn repetitions(report: &mut Report<'_>, entry: &Entry<'_>) -> Option<u32> {
    if let Content::Scalar(scalar) = &entry.value.content
        && let Value::Number(Number::Integer(count)) = scalar.value()
        && let Some(count) = u32::try_from(count).ok().filter(|count| (1..=MOST_REPETITIONS).contains(count))
    {
        return Some(count);
    }
    let message = format!("`repeat` needs a whole number from 1 to {MOST_REPETITIONS}");
    report.push(Diagnostic::error(Code::InvalidTest, &entry.value.span, message));
    None
}

/// Fields whose text differs from repetition to repetition.
fn variations(report: &mut Report<'_>, entry: &Entry<'_>) -> Option<Vec<(String, String)>> {
    let Content::Map(entries) = &entry.value.content else {
        let message = "`vary` is a map of fields and texts";
        report.push(Diagnostic::error(Code::WrongType, &entry.value.span, message));
        return None;
    };
    let read: Vec<_> = entries
        .iter()
        .map(|entry| {
            let scalar = metadata::text(report, entry)?;
            if !scalar.text.contains("{n}") {
                let message = format!("`{}` is the same for every repetition", scalar.text);
                let diagnostic = Diagnostic::error(Code::InvalidTest, &scalar.span, message);
                report.push(diagnostic.help("`{n}` stands for the number of the repetition"));
                return None;
            }
            Some((entry.key.text.to_string(), scalar.text.to_string()))
        })
        .collect();
    read.into_iter().collect()
}
