//! The whole line on one batch, for tests that look at its ends.

use vaultwatch::alert::Alert;
use vaultwatch::correlate::{HashKey, Windows};
use vaultwatch::payload::LogBatch;
use vaultwatch::pipeline::{self, Analytics, Workspace};
use vaultwatch::rule::Reading;

/// Everything that loads, compiled.
pub(crate) fn compile(reading: Reading) -> Analytics {
    Analytics::of(reading, HashKey::default())
}

/// What a batch raises where nothing happened before.
pub(crate) fn alerts(analytics: &Analytics, batch: &LogBatch<'_>) -> Vec<Alert> {
    pipeline::replay(analytics, batch, &mut Windows::default(), &mut Workspace::default())
}
