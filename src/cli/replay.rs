//! The whole line in this process: what the function does with a batch, up to the publishing.

use jiff::Timestamp;
use tokio::runtime::{self, Runtime};

use super::failure::Failure;
use crate::alert::Alert;
use crate::correlate::{Contribution, Match};
use crate::deadline::Deadline;
use crate::payload::LogBatch;
use crate::pipeline::{self, Analytics, Tally, Workspace};
use crate::state::{Claimed, MemoryStore, Outcome, Session, Settlement, StateError};

/// Rules at work on one log, from its start to its end.
pub(super) struct Replay {
    analytics: Analytics,
    store: MemoryStore,
    workspace: Workspace,
    runtime: Runtime,
    /// The time of the newest event so far.
    newest: Timestamp,
}

impl Replay {
    pub(super) fn new(analytics: Analytics) -> Result<Self, Failure> {
        Ok(Self {
            analytics,
            // A whole log is looked at, and nothing of it may be forgotten for want of room.
            store: MemoryStore::with_room(usize::MAX),
            workspace: Workspace::default(),
            runtime: runtime::Builder::new_current_thread().enable_all().build().map_err(Failure::Runtime)?,
            newest: Timestamp::UNIX_EPOCH,
        })
    }

    /// The alerts that a batch raises, in the order of the events that made them fire, and what was counted.
    pub(super) fn batch(&mut self, batch: &LogBatch<'_>) -> Result<(Vec<Alert>, Tally), Failure> {
        let detected = pipeline::detect(&self.analytics, batch, &mut self.workspace);
        self.newest = self.newest.max(detected.newest);
        let alerts = self.correlate(batch, detected.matches, self.newest)?;
        Ok((alerts, detected.tally))
    }

    /// What is left to tell when the log ends: the counts of everything that was repeated and not told.
    pub(super) fn end(&mut self) -> Result<Vec<Alert>, Failure> {
        let mut told = Vec::new();
        loop {
            let alerts = self.correlate(&LogBatch::default(), Vec::new(), Timestamp::MAX)?;
            if alerts.is_empty() {
                break;
            }
            told.extend(alerts);
        }
        told.sort_by_key(Alert::message_time);
        Ok(told)
    }

    fn correlate(&self, batch: &LogBatch<'_>, matches: Vec<Match>, newest: Timestamp) -> Result<Vec<Alert>, Failure> {
        let describe = |told: &Contribution, found: &Match| pipeline::describe(&self.analytics, batch, told, found);
        let plan = self.analytics.plan();
        let (outcome, failures) = self.runtime.block_on(async {
            let mut session = Session::new(plan, &self.store, Deadline::NONE, newest, &describe);
            let mut outcome = session.correlate(matches).await;
            session.look_after(&mut outcome).await;
            let settled: Vec<(&Claimed, Settlement)> =
                outcome.claimed.iter().map(|claimed| (claimed, Settlement::Published)).collect();
            let failures = session.settle(&settled).await;
            (outcome, failures)
        });
        let Outcome { claimed, failures: earlier, .. } = outcome;
        if let Some(error) = earlier.into_iter().chain(failures).next() {
            return Err(error.into());
        }
        let messages = pipeline::together(&self.analytics, &claimed);
        Ok(messages.iter().filter_map(|told| pipeline::conclude(&self.analytics, batch, told)).collect())
    }
}

impl From<StateError> for Failure {
    fn from(error: StateError) -> Self {
        Self::State(error)
    }
}
