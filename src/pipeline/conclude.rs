//! What was claimed -> alerts.

use std::cmp::Reverse;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::Analytics;
use crate::alert::wording::{self, Wording};
use crate::alert::{Alert, AuditFacts, Correlated, Occurrences, Redacted, StoredFacts, StoredText, Subject, facts};
use crate::audit::{self, Buffers};
use crate::correlate::{About, Contribution, Match, Named, OwnedValue, SpecId, Telling, Told, reason, timestamp};
use crate::detect::MatchedField;
use crate::payload::{LogBatch, LogStream};
use crate::rule::Level;

/// What is told of one event.
struct Account {
    facts: AuditFacts,
    wording: Wording,
    log: LogStream,
}

/// An account as a window keeps it, for whoever tells of it later.
#[derive(Serialize, Deserialize)]
struct Description {
    facts: StoredFacts,
    title: Option<StoredText>,
    /// Place in [`Level::ALL`].
    level: Option<u8>,
    owner: String,
    log_group: String,
    log_stream: String,
}

/// The alert that says what was claimed, [together](super::together()). `batch` is what it was claimed from.
///
/// The highest level leads; of several, a correlation, which has seen most, and then the rule that asks for most.
/// `None` if nothing was claimed.
#[must_use]
pub fn conclude<T: AsRef<Told>>(analytics: &Analytics, batch: &LogBatch<'_>, told: &[T]) -> Option<Alert> {
    let mut alerts: Vec<Alert> = told.iter().map(|told| alert(analytics, batch, told.as_ref())).collect();
    alerts.sort_by_key(|alert| Reverse((alert.level, rank(&alert.subject))));
    let mut alerts = alerts.into_iter();
    let lead = alerts.next()?;
    Some(Alert { also: alerts.collect(), ..lead })
}

/// How much is behind an alert.
fn rank(subject: &Subject) -> (bool, usize) {
    let evidence = subject.facts().map_or(0, |facts| facts.evidence.len());
    (matches!(subject, Subject::Correlation(_)), evidence)
}

/// What a window keeps of the event that opens an incident; see [`Contribution::fold_into`].
#[must_use]
pub fn describe(analytics: &Analytics, batch: &LogBatch<'_>, contribution: &Contribution, found: &Match) -> Vec<u8> {
    let account = account(analytics, batch, contribution.spec, found, &contribution.named);
    // Writing to memory does not fail: every part has a length that is known.
    account.and_then(|account| postcard::to_stdvec(&Description::of(&account)).ok()).unwrap_or_default()
}

fn alert(analytics: &Analytics, batch: &LogBatch<'_>, told: &Told) -> Alert {
    let analytic = analytics.analytic(told.spec);
    let account = best_account(analytics, batch, told);
    let Account { facts, wording, log } = account.unwrap_or_else(|| Account::none(batch));
    let incident = &told.incident;
    let occurrences = Occurrences {
        stage: told.announcement.stage,
        count: told.announcement.count,
        first: timestamp(incident.first),
        last: timestamp(incident.last),
        addresses: incident.addresses.len(),
    };
    Alert {
        id: incident.id,
        analytic: Arc::clone(analytic),
        level: wording.level.unwrap_or(analytic.level),
        title: wording.title,
        time: timestamp(incident.opened),
        occurrences,
        subject: subject(analytics, told, facts),
        events: told.events.clone(),
        log,
        also: Vec::new(),
    }
}

fn subject(analytics: &Analytics, told: &Told, facts: AuditFacts) -> Subject {
    match analytics.plan().about(told.spec) {
        About::Rule(_) => Subject::Audit(Box::new(facts)),
        About::Correlation(place) => {
            let correlation = analytics.correlation(place);
            let reason = correlation.map(reason).unwrap_or_default();
            let rules = correlation.map(|correlation| correlation.rules.clone()).unwrap_or_default();
            Subject::Correlation(Box::new(Correlated { facts, reason, rules }))
        }
        About::Unreadable => Subject::Unreadable,
    }
}

/// The event that opened the incident tells most; what was kept of it less; any other event of it is better than none.
fn best_account(analytics: &Analytics, batch: &LogBatch<'_>, told: &Told) -> Option<Account> {
    let of = |telling: &Telling| account(analytics, batch, told.spec, &telling.found, &telling.named);
    let opener = told.telling.as_ref().filter(|telling| telling.opened).and_then(of);
    let kept = || postcard::from_bytes(&told.incident.description).ok().map(Description::into_account);
    opener.or_else(kept).or_else(|| told.telling.as_ref().and_then(of))
}

/// Reads an event once more, for its facts.
fn account(
    analytics: &Analytics,
    batch: &LogBatch<'_>,
    spec: SpecId,
    found: &Match,
    named: &[Named],
) -> Option<Account> {
    let header = analytics.header(spec)?;
    let mut unescaped = String::new();
    let text = batch.events.get(found.place)?.text.unescape(&mut unescaped)?;
    let mut buffers = Buffers::default();
    let event = audit::read(text, analytics.rules().fields(), &mut buffers).ok()?;
    let matched = match analytics.plan().about(spec) {
        About::Rule(rule) => analytics.rules().matched_fields(rule, &event),
        About::Correlation(_) | About::Unreadable => named.iter().map(of_group).collect(),
    };
    Some(Account {
        facts: facts::gather(&event, &matched),
        wording: wording::word(header, &event),
        log: batch.stream.clone(),
    })
}

/// By the field itself, on which what may be shown depends.
fn of_group(named: &Named) -> MatchedField<'_> {
    MatchedField { field: Some(&named.field), values: named.values.iter().map(OwnedValue::as_value).collect() }
}

impl Account {
    fn none(batch: &LogBatch<'_>) -> Self {
        Self { facts: AuditFacts::default(), wording: Wording::default(), log: batch.stream.clone() }
    }
}

impl Description {
    fn of(account: &Account) -> Self {
        let Account { facts, wording, log } = account;
        let level = wording.level.and_then(|level| Level::ALL.into_iter().position(|other| other == level));
        Self {
            facts: StoredFacts::from(facts),
            title: wording.title.as_ref().map(StoredText::from),
            level: level.and_then(|place| u8::try_from(place).ok()),
            owner: log.owner.clone(),
            log_group: log.log_group.clone(),
            log_stream: log.log_stream.clone(),
        }
    }

    fn into_account(self) -> Account {
        let Self { facts, title, level, owner, log_group, log_stream } = self;
        let title: Option<Redacted> = title.map(StoredText::into_redacted);
        let level = level.and_then(|place| Level::ALL.get(usize::from(place)).copied());
        Account {
            facts: facts.into_facts(),
            wording: Wording { title, level },
            log: LogStream { owner, log_group, log_stream },
        }
    }
}
