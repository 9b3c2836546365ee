//! The line as pure functions: [`LogBatch`] -> matches ([`detect`]) -> what was claimed -> alerts ([`conclude()`]).
//!
//! The function, the replay of a log file and the tests of rules run these very functions. What lies between, which
//! matches belong together and what was told of them before, is [`correlate`](crate::correlate): it runs on the windows
//! of a store, or of this process.

use std::ops::AddAssign;
use std::sync::Arc;

use jiff::Timestamp;
use uuid::Uuid;

use crate::alert::Alert;
use crate::audit::{self, AuditEvent};
use crate::correlate::{Contribution, Match, MatchValues, SpecId, Windows, nanoseconds};
use crate::detect::Scratch;
use crate::payload::{EventRef, LogBatch, LogEvent};

pub use analytics::Analytics;
pub use conclude::{conclude, describe};
pub use operational::rules_not_loaded;
pub use together::together;

mod analytics;
mod conclude;
mod operational;
mod together;

/// The memory that [`detect`] uses again for every event.
#[derive(Debug, Default)]
pub struct Workspace {
    unescaped: String,
    buffers: audit::Buffers,
    match_buffers: audit::Buffers,
    scratch: Scratch,
}

/// What the events of a batch amount to, counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Log events.
    pub events: usize,
    /// Log events that are no audit events.
    pub unreadable: usize,
    /// Audit events without a readable `time`, which took their log event's.
    pub untimed: usize,
    /// Matches: rule x event.
    pub matches: usize,
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.events += other.events;
        self.unreadable += other.unreadable;
        self.untimed += other.untimed;
        self.matches += other.matches;
    }
}

/// What [`detect`] found in one batch.
#[derive(Debug)]
pub struct Detected {
    /// What was counted.
    pub tally: Tally,
    /// In the order of the events.
    pub matches: Vec<Match>,
    /// The time of the newest event, by Vault's own clock; the epoch if there is none.
    pub newest: Timestamp,
}

/// Reads every log event of a batch and evaluates the rules on it.
///
/// What cannot be read is counted, matches what stands for such events, and never stops the batch.
pub fn detect(analytics: &Analytics, batch: &LogBatch<'_>, workspace: &mut Workspace) -> Detected {
    let tally = Tally { events: batch.events.len(), ..Tally::default() };
    let mut detected = Detected { tally, matches: Vec::new(), newest: Timestamp::UNIX_EPOCH };
    for (place, log_event) in batch.events.iter().enumerate() {
        let Workspace { unescaped, buffers, match_buffers, scratch } = workspace;
        let text = log_event.text.unescape(unescaped);
        match text.and_then(|text| audit::read(text, analytics.rules().fields(), buffers).ok()) {
            Some(event) => {
                let time = detected.time(log_event, &event);
                let matched = analytics.rules().evaluate(&event, scratch);
                if !matched.is_empty() {
                    let kept = keep(analytics, &event, match_buffers);
                    let plan = analytics.plan();
                    let found = matched.iter().map(|rule| found(&kept, plan.of_rule(*rule), place, log_event, time));
                    detected.matches.extend(found);
                    detected.tally.matches += matched.len();
                }
            }
            None => detected.note_unreadable(analytics, batch, place, log_event),
        }
    }
    detected
}

/// The alerts that a batch raises, given what this process remembers: the whole line without a store.
pub fn replay(
    analytics: &Analytics,
    batch: &LogBatch<'_>,
    windows: &mut Windows,
    workspace: &mut Workspace,
) -> Vec<Alert> {
    let Detected { matches, newest, .. } = detect(analytics, batch, workspace);
    let mut describe = |told: &Contribution, found: &Match| describe(analytics, batch, told, found);
    let told = windows.correlate(analytics.plan(), matches, nanoseconds(newest), &mut describe);
    together(analytics, &told).iter().filter_map(|told| conclude(analytics, batch, told)).collect()
}

/// What is kept of an event that matched, whatever the rule.
struct Kept {
    happening: Uuid,
    values: Arc<MatchValues>,
}

/// Reads an event a second time, for the values that it is grouped and compared by: matches are rare, and the rules'
/// own pass stays small.
fn keep(analytics: &Analytics, event: &AuditEvent<'_>, buffers: &mut audit::Buffers) -> Kept {
    // It was read before, and reads again.
    let read = audit::read(event.text(), analytics.plan().fields(), buffers);
    let values = read.as_ref().map(|event| MatchValues::of(analytics.plan(), event)).unwrap_or_default();
    let request_id = read.as_ref().ok().and_then(|event| event.text_of("request.id"));
    Kept { happening: happening(event, request_id), values: Arc::new(values) }
}

fn found(kept: &Kept, source: SpecId, place: usize, log_event: &LogEvent<'_>, time: Timestamp) -> Match {
    Match {
        source,
        happening: kept.happening,
        time: nanoseconds(time),
        event: log_event.position.to_ref(),
        place,
        values: Arc::clone(&kept.values),
    }
}

impl Detected {
    fn time(&mut self, log_event: &LogEvent<'_>, event: &AuditEvent<'_>) -> Timestamp {
        let own_time = event.time();
        self.tally.untimed += usize::from(own_time.is_none());
        let time = own_time.unwrap_or_else(|| shipped_at(log_event));
        self.newest = self.newest.max(time);
        time
    }

    fn note_unreadable(&mut self, analytics: &Analytics, batch: &LogBatch<'_>, place: usize, log_event: &LogEvent<'_>) {
        self.tally.unreadable += 1;
        let event = log_event.position.to_ref();
        let (file, name) = match &event {
            EventRef::LogEvent(id) => ("", id.clone()),
            EventRef::Line { file, line } => (file.as_ref(), format!("{file}:{line}")),
        };
        let stream = &batch.stream;
        let log = [stream.owner.as_str(), &stream.log_group, &stream.log_stream, file];
        let happening = format!("log event {} {name}", log.join("\n"));
        let values = Arc::new(MatchValues::of_log(&log));
        self.matches.push(Match {
            source: analytics.plan().of_unreadable(),
            happening: Uuid::new_v5(&Uuid::NAMESPACE_OID, happening.as_bytes()),
            time: nanoseconds(shipped_at(log_event)),
            event,
            place,
            values,
        });
    }
}

/// Vault gives a request and its response one id; help requests and KMIP entries have none and stand for themselves.
fn happening(event: &AuditEvent<'_>, request_id: Option<&str>) -> Uuid {
    let namespace = Uuid::NAMESPACE_OID;
    match request_id {
        Some(id) => Uuid::new_v5(&namespace, format!("request {id}").as_bytes()),
        None => Uuid::new_v5(&namespace, format!("entry {}", event.text()).as_bytes()),
    }
}

fn shipped_at(log_event: &LogEvent<'_>) -> Timestamp {
    let milliseconds = log_event.timestamp.unwrap_or_default();
    Timestamp::from_millisecond(milliseconds).unwrap_or(Timestamp::UNIX_EPOCH)
}
