//! The line as pure functions: [`LogBatch`] -> matches ([`detect`]) -> alerts ([`conclude`]).
//!
//! The function, the replay of a log file and the tests of rules run these very functions.

use std::ops::AddAssign;
use std::sync::Arc;

use hashbrown::HashMap;
use jiff::Timestamp;
use uuid::Uuid;

use crate::alert::wording::{self, Wording};
use crate::alert::{Alert, Analytic, AuditFacts, Subject, facts};
use crate::audit::{self, AuditEvent};
use crate::detect::{RuleId, RuleSet, Scratch};
use crate::payload::{EventRef, LogBatch, LogEvent, LogStream};
use crate::rule::{Level, Rule, Status};

pub use operational::rules_not_loaded;

mod operational;

/// The positions of this many events behind one alert are kept; more are evidence of the same.
pub const MOST_EVENTS: usize = 100;

/// The positions of this many log events that could not be read are told.
const MOST_UNREADABLE: usize = 10;

/// The memory that [`detect`] uses again for every event.
#[derive(Debug, Default)]
pub struct Workspace {
    unescaped: String,
    buffers: audit::Buffers,
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
    stream: LogStream,
    matches: Vec<RuleMatch>,
    unreadable: Vec<EventRef>,
    /// When the first unreadable log event happened, by the shipper's clock.
    unreadable_since: Timestamp,
}

/// A rule that matched an event.
#[derive(Debug)]
struct RuleMatch {
    rule: RuleId,
    definition: Arc<Rule>,
    /// What the request and its response share.
    happening: Uuid,
    time: Timestamp,
    event: EventRef,
    facts: AuditFacts,
    wording: Wording,
}

/// Reads every log event of a batch and evaluates the rules on it.
///
/// What cannot be read is counted and never stops the batch.
pub fn detect(rules: &RuleSet, batch: &LogBatch<'_>, workspace: &mut Workspace) -> Detected {
    let mut detected = Detected {
        tally: Tally { events: batch.events.len(), ..Tally::default() },
        stream: batch.stream.clone(),
        matches: Vec::new(),
        unreadable: Vec::new(),
        unreadable_since: Timestamp::UNIX_EPOCH,
    };
    for log_event in &batch.events {
        let Workspace { unescaped, buffers, scratch } = workspace;
        let text = log_event.text.unescape(unescaped);
        match text.and_then(|text| audit::read(text, rules.fields(), buffers).ok()) {
            Some(event) => detected.evaluate(rules, log_event, &event, scratch),
            None => detected.note_unreadable(log_event),
        }
    }
    detected
}

/// Turns matches into alerts: one for each rule and happening, in the order of the events that made them fire.
///
/// A request and its response are one happening, and alert once. Log events that could not be read give one alert a
/// batch.
#[must_use]
pub fn conclude(detected: Detected) -> Vec<Alert> {
    let Detected { stream, matches, unreadable, unreadable_since, tally } = detected;
    let mut alerts: Vec<Alert> = Vec::new();
    let mut known: HashMap<Uuid, usize> = HashMap::new();
    let mut analytics: HashMap<RuleId, Arc<Analytic>> = HashMap::new();
    for found in matches {
        let analytic = analytics.entry(found.rule).or_insert_with(|| Arc::new(Analytic::of(&found.definition)));
        let id = alert_id(analytic, &found.happening.to_string());
        if let Some(alert) = known.get(&id).and_then(|at| alerts.get_mut(*at)) {
            alert.add_event(found.event);
        } else {
            known.insert(id, alerts.len());
            alerts.push(alert(id, analytic, found, &stream));
        }
    }
    alerts.extend(unreadable_alert(stream, unreadable, tally.unreadable, unreadable_since));
    alerts
}

impl Detected {
    fn evaluate(&mut self, rules: &RuleSet, log_event: &LogEvent<'_>, event: &AuditEvent<'_>, scratch: &mut Scratch) {
        let own_time = event.time();
        self.tally.untimed += usize::from(own_time.is_none());
        let matched = rules.evaluate(event, scratch);
        self.tally.matches += matched.len();
        for rule in matched {
            let Some(definition) = rules.rule(*rule) else { continue };
            let facts = facts::gather(event, &rules.matched_fields(*rule, event));
            self.matches.push(RuleMatch {
                rule: *rule,
                definition: Arc::clone(definition),
                happening: happening(event, &facts),
                time: own_time.unwrap_or_else(|| shipped_at(log_event)),
                event: log_event.position.to_ref(),
                facts,
                wording: wording::word(definition, event),
            });
        }
    }

    fn note_unreadable(&mut self, log_event: &LogEvent<'_>) {
        self.tally.unreadable += 1;
        if self.unreadable.is_empty() {
            self.unreadable_since = shipped_at(log_event);
        }
        if self.unreadable.len() < MOST_UNREADABLE {
            self.unreadable.push(log_event.position.to_ref());
        }
    }
}

impl Alert {
    fn add_event(&mut self, event: EventRef) {
        if self.events.len() < MOST_EVENTS && !self.events.contains(&event) {
            self.events.push(event);
        }
    }
}

fn alert(id: Uuid, analytic: &Arc<Analytic>, found: RuleMatch, stream: &LogStream) -> Alert {
    Alert {
        id,
        analytic: Arc::clone(analytic),
        level: found.wording.level.unwrap_or(analytic.level),
        title: found.wording.title,
        time: found.time,
        subject: Subject::Audit(Box::new(found.facts)),
        events: vec![found.event],
        log: stream.clone(),
    }
}

fn unreadable_alert(stream: LogStream, events: Vec<EventRef>, count: usize, since: Timestamp) -> Option<Alert> {
    let analytic = Arc::new(Analytic::unreadable_audit_events());
    let first = match events.first()? {
        EventRef::LogEvent(id) => id.clone(),
        EventRef::Line { file, line } => format!("{file}:{line}"),
    };
    let happening = format!("{}\n{}\n{}\n{first}", stream.owner, stream.log_group, stream.log_stream);
    Some(Alert {
        id: alert_id(&analytic, &happening),
        level: analytic.level,
        title: None,
        time: since,
        subject: Subject::Unreadable { count },
        events,
        log: stream,
        analytic,
    })
}

/// The same analytic and the same happening give the same id.
fn alert_id(analytic: &Analytic, happening: &str) -> Uuid {
    Uuid::new_v5(&analytic.id, happening.as_bytes())
}

/// Vault gives a request and its response one id; help requests and KMIP entries have none and stand for themselves.
fn happening(event: &AuditEvent<'_>, facts: &AuditFacts) -> Uuid {
    let namespace = Uuid::NAMESPACE_OID;
    match &facts.request_id {
        Some(id) => Uuid::new_v5(&namespace, format!("request {id}").as_bytes()),
        None => Uuid::new_v5(&namespace, format!("entry {}", event.text()).as_bytes()),
    }
}

fn shipped_at(log_event: &LogEvent<'_>) -> Timestamp {
    let milliseconds = log_event.timestamp.unwrap_or_default();
    Timestamp::from_millisecond(milliseconds).unwrap_or(Timestamp::UNIX_EPOCH)
}

impl Analytic {
    /// The part of a rule that its alerts carry.
    fn of(rule: &Rule) -> Self {
        Self {
            id: rule.id,
            name: rule.name.clone(),
            title: rule.title.clone(),
            // A folded block of YAML ends in a line break.
            description: rule.description.as_deref().map(|text| text.trim_end().to_owned()),
            level: rule.level,
            shadow: rule.status == Status::Experimental,
            references: rule.references.clone(),
            falsepositives: rule.falsepositives.clone(),
            runbook: rule.alert.runbook.clone(),
            attacks: rule.tags.iter().filter_map(|tag| crate::alert::Attack::from_tag(tag)).collect(),
        }
    }

    /// Log events that are no audit events: somebody may be hiding behind them, or the shipping is broken.
    fn unreadable_audit_events() -> Self {
        Self {
            id: UNREADABLE_ID,
            name: "unreadable_audit_events".to_owned(),
            title: "Audit log events could not be read".to_owned(),
            description: Some(
                "Log events in the audit log's stream are not JSON objects: cut off, damaged, or not from Vault. No \
                 rule has seen them."
                    .to_owned(),
            ),
            level: Level::Medium,
            shadow: false,
            references: Vec::new(),
            falsepositives: vec!["something other than Vault writes to the log group".to_owned()],
            runbook: vec![
                "Read the log events named here in CloudWatch: are they from Vault?".to_owned(),
                "If entries are cut off, look for requests with very many keys; shippers cut or drop what is over \
                 their limit."
                    .to_owned(),
            ],
            attacks: Vec::new(),
        }
    }
}

/// The id of the analytic `unreadable_audit_events`.
const UNREADABLE_ID: Uuid = Uuid::from_u128(0x5b1f_7a0e_2c64_4d0b_9a8f_6d1e_0c3b_7f42);
