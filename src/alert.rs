//! A match as it leaves: who did what, from where, and why it matters.
//!
//! Every text in an [`Alert`] that came from the log is a [`Redacted`]: it has no secret in it, whatever the audit
//! device wrote. The renderings ([`ocsf`], [`email`], [`sms`]) only arrange it.

use std::ops::RangeInclusive;
use std::sync::Arc;

use jiff::Timestamp;
use uuid::Uuid;

pub use occurrences::{MOST_ADDRESSES, Occurrences, Stage};
pub use redact::{Redacted, Redactor};
pub use stored::{StoredFacts, StoredText};

use crate::payload::{EventRef, LogStream};
use crate::rule::Level;

pub mod console;
pub mod email;
pub mod facts;
mod occurrences;
pub mod ocsf;
pub mod redact;
pub mod sms;
mod stored;
pub mod text;
pub mod wording;

/// What is published.
#[derive(Debug, Clone)]
pub struct Alert {
    /// Derives from the analytic and what happened: the same happening gets the same id, however often it is seen.
    pub id: Uuid,
    /// What raised it.
    pub analytic: Arc<Analytic>,
    /// How bad it is.
    pub level: Level,
    /// What happened, if the rule words it for this event; otherwise the analytic's title says it.
    pub title: Option<Redacted>,
    /// The time of the event that made it fire; a later message about the same alert keeps it.
    pub time: Timestamp,
    /// How often it has happened, and which message about it this is.
    pub occurrences: Occurrences,
    /// What was seen.
    pub subject: Subject,
    /// The log events behind it, in the order read; bounded, the first one made it fire.
    pub events: Vec<EventRef>,
    /// The log stream that they came from.
    pub log: LogStream,
    /// What other rules, of no higher level, found in the same happening, which is told here and nowhere else.
    pub also: Vec<Alert>,
}

impl Alert {
    /// What happened, for people. It may hold text from the log.
    #[must_use]
    pub fn title(&self) -> &str {
        self.title.as_ref().map_or(&self.analytic.title, Redacted::as_str)
    }

    /// The time that this message is about: of the event that made the alert fire, then of the last one counted.
    #[must_use]
    pub fn message_time(&self) -> Timestamp {
        match self.occurrences.stage {
            Stage::Opened => self.time,
            Stage::Repeated | Stage::Ended => self.occurrences.last,
        }
    }

    /// Tells the messages about one alert apart, and is the same whenever the same one is sent again.
    ///
    /// The first has the alert's own id, whatever it counts: a retry may have more to count.
    #[must_use]
    pub fn message_id(&self) -> Uuid {
        let Occurrences { stage, count, .. } = self.occurrences;
        match stage {
            Stage::Opened => self.id,
            Stage::Repeated | Stage::Ended => Uuid::new_v5(&self.id, format!("{}\n{count}", stage.as_str()).as_bytes()),
        }
    }

    /// From the first to the last event that it tells of.
    fn span(&self) -> RangeInclusive<Timestamp> {
        self.time.min(self.occurrences.first)..=self.time.max(self.occurrences.last)
    }
}

/// The part of a rule that its alerts carry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Analytic {
    /// The rule's id.
    pub id: Uuid,
    /// The rule's slug.
    pub name: String,
    /// What happened, for people.
    pub title: String,
    /// What it means.
    pub description: Option<String>,
    /// The rule's level.
    pub level: Level,
    /// The rule is experimental: its alerts are counted and shown in replays, and not published.
    pub shadow: bool,
    /// URLs.
    pub references: Vec<String>,
    /// Benign causes.
    pub falsepositives: Vec<String>,
    /// Steps to take, in order.
    pub runbook: Vec<String>,
    /// ATT&CK, from the rule's tags.
    pub attacks: Vec<Attack>,
}

/// A tactic or a technique of MITRE ATT&CK, from one `attack.` tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Attack {
    /// `attack.credential-access`: the tag's name.
    Tactic(String),
    /// `attack.t1528`: the id in capitals, `T1110.003` for a sub-technique.
    Technique(String),
}

impl Attack {
    /// Reads a tag; none if it is not ATT&CK's.
    #[must_use]
    pub fn from_tag(tag: &str) -> Option<Self> {
        let name = tag.strip_prefix("attack.")?;
        let is_technique =
            name.strip_prefix(['t', 'T']).is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
        Some(if is_technique { Self::Technique(name.to_uppercase()) } else { Self::Tactic(name.to_owned()) })
    }
}

/// What an alert is about.
#[derive(Debug, Clone)]
pub enum Subject {
    /// An audit event that a rule matched.
    Audit(Box<AuditFacts>),
    /// Several matches of rules that a correlation found to belong together.
    Correlation(Box<Correlated>),
    /// Log events that are not readable as audit events.
    Unreadable,
    /// Rule files of which not every rule loads.
    RulesNotLoaded {
        /// Their paths, where the function runs; never empty.
        files: Vec<String>,
    },
}

impl Subject {
    /// The facts of the audit event that made the alert fire, if it was one.
    #[must_use]
    pub fn facts(&self) -> Option<&AuditFacts> {
        match self {
            Self::Audit(facts) => Some(facts),
            Self::Correlation(correlated) => Some(&correlated.facts),
            Self::Unreadable | Self::RulesNotLoaded { .. } => None,
        }
    }
}

/// What a correlation found.
#[derive(Debug, Clone, Default)]
pub struct Correlated {
    /// The event that made it fire. Its evidence is the group: the fields that the correlation groups by, with the
    /// group's values.
    pub facts: AuditFacts,
    /// Why, as in "10 events of the rule within 5m": from rules and numbers alone, no text from the log.
    pub reason: String,
    /// The names of the rules whose matches were seen.
    pub rules: Vec<String>,
}

/// The facts of one audit event that an alert tells. Everything is optional in Vault's log.
#[derive(Debug, Clone, Default)]
pub struct AuditFacts {
    /// `auth.display_name`
    pub display_name: Option<Redacted>,
    /// `auth.entity_id`
    pub entity_id: Option<Redacted>,
    /// `derived.login_user`: whom a login is about, before anybody is authenticated.
    pub login_user: Option<Redacted>,
    /// `auth.policies`
    pub policies: Vec<Redacted>,
    /// `auth.accessor`, else `request.client_token_accessor`, as its HMAC.
    pub accessor: Option<Redacted>,
    /// `request.remote_address`, without a port.
    pub remote_address: Option<Redacted>,
    /// `request.remote_port`, or the port in the address.
    pub remote_port: Option<u16>,
    /// `request.headers.user-agent`
    pub user_agent: Option<Redacted>,
    /// `request.id`
    pub request_id: Option<Redacted>,
    /// `type`: `request`, `response`, ...
    pub entry_type: Option<Redacted>,
    /// `request.operation`
    pub operation: Option<Redacted>,
    /// `request.path`
    pub path: Option<Redacted>,
    /// `derived.namespace`: `root`, or the path with its final slash.
    pub namespace: Redacted,
    /// `request.mount_point`
    pub mount_point: Option<Redacted>,
    /// `request.mount_type`
    pub mount_type: Option<Redacted>,
    /// `error`
    pub error: Option<Redacted>,
    /// The fields that made the rule match.
    pub evidence: Vec<Evidence>,
}

/// A field that made a rule match, with the values that did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// The field as the rule names it.
    pub field: String,
    /// The matching values.
    pub values: Vec<Redacted>,
}
