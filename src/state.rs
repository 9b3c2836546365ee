//! What is remembered between batches.

use std::collections::VecDeque;

use hashbrown::HashSet;
use uuid::Uuid;

/// How many alerts one process remembers. A warm instance lives for hours; at 16 bytes an id this is a few megabytes,
/// and what is older has long been delivered as often as it will be.
const MOST_REMEMBERED: usize = 100_000;

/// Which alerts were published, in the memory of this process.
///
/// A redelivered batch then publishes nothing again. What failed, or was cut short by a panic, was never settled, so
/// that Lambda's retry publishes it; one process has one invocation at a time, so that nobody else is at it meanwhile.
#[derive(Debug, Default)]
pub struct Ledger {
    published: HashSet<Uuid>,
    oldest_first: VecDeque<Uuid>,
}

/// Whether an alert is ours to publish.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Claim {
    /// Publish it, then settle it.
    Granted,
    /// It was published.
    Taken,
}

impl Ledger {
    /// An empty ledger.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Claims an alert for publishing.
    pub fn claim(&self, id: Uuid) -> Claim {
        if self.published.contains(&id) { Claim::Taken } else { Claim::Granted }
    }

    /// Records that an alert was published.
    pub fn settle(&mut self, id: Uuid) {
        if !self.published.insert(id) {
            return;
        }
        self.oldest_first.push_back(id);
        if self.oldest_first.len() > MOST_REMEMBERED
            && let Some(oldest) = self.oldest_first.pop_front()
        {
            self.published.remove(&oldest);
        }
    }
}
