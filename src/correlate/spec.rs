//! What a window looks for.

use uuid::Uuid;

use super::{DAY, MOST_ENTRIES, Nanoseconds};
use crate::number::Number;
use crate::rule::{Comparison, Threshold};

/// The fewest entries that are kept: beyond what a condition needs, they tell redelivered events from new ones.
const LEAST_ENTRIES: usize = 512;

/// What the windows of one analytic look for: a correlation, or a rule about single events, which is the correlation
/// "at least one event, within no time at all".
#[derive(Debug, Clone, PartialEq)]
pub struct WindowSpec {
    /// The rule's or the correlation's id.
    pub analytic: Uuid,
    /// What is counted or compared.
    pub measure: Measure,
    /// What it must satisfy: all of these.
    pub thresholds: Vec<Threshold>,
    /// How far the first and the last entry may lie apart, both ends included.
    pub timespan: Nanoseconds,
    /// How long repeats are counted instead of alerted; 0 for not at all.
    pub suppress: Nanoseconds,
    /// Whether it alerts. If not, it only feeds other correlations.
    pub alerts: bool,
    /// Whether other correlations look at it.
    pub feeds: bool,
}

/// What is counted or compared.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Measure {
    /// How many entries there are.
    Count,
    /// How many distinct values they have.
    DistinctValues,
    /// How many of the rules matched, in any order. Without thresholds, all must have.
    DistinctRules {
        /// How many rules there are.
        of: usize,
    },
    /// How many of the rules matched one after the other, in the order listed. Without thresholds, all must have.
    OrderedRules {
        /// How many rules there are.
        of: usize,
    },
    /// The sum of the values.
    Sum,
    /// Their mean.
    Average,
    /// One of their percentiles, by nearest rank.
    Percentile(Number),
    /// Their median.
    Median,
    /// The value was not there within the timespan before, and the group is known for long enough.
    FirstSeen {
        /// How long a group learns before it alerts.
        warmup: Nanoseconds,
    },
}

impl WindowSpec {
    /// How many entries a window keeps at most.
    pub(super) fn most_entries(&self) -> usize {
        match self.measure {
            Measure::Count => self.bounds().max().map_or(LEAST_ENTRIES, |most| (2 * most).max(LEAST_ENTRIES)),
            Measure::DistinctRules { .. } | Measure::OrderedRules { .. } => LEAST_ENTRIES,
            _ => MOST_ENTRIES,
        }
        .min(MOST_ENTRIES)
    }

    fn bounds(&self) -> impl Iterator<Item = usize> {
        self.thresholds.iter().filter_map(|threshold| match threshold.bound {
            Number::Integer(bound) => usize::try_from(bound).ok().map(|bound| bound.min(MOST_ENTRIES)),
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the cast saturates")]
            Number::Decimal(bound) => Some((bound.ceil() as usize).min(MOST_ENTRIES)),
        })
    }

    /// Whether it remembers values, instead of counting.
    pub(super) fn is_first_seen(&self) -> bool {
        matches!(self.measure, Measure::FirstSeen { .. })
    }

    /// Whether each run is an alert: nothing is suppressed.
    pub(super) fn is_by_run(&self) -> bool {
        self.suppress == 0 && !self.is_first_seen()
    }

    /// Whether a measured number satisfies the condition.
    pub(super) fn holds(&self, measured: Number) -> bool {
        match (self.thresholds.is_empty(), self.measure) {
            (true, Measure::DistinctRules { of } | Measure::OrderedRules { of }) => measured == integer(of),
            _ => self.thresholds.iter().all(|threshold| satisfies(measured, threshold)),
        }
    }

    /// How long after its last event an item is of use to anybody: redeliveries may come a day later.
    #[must_use]
    pub fn retention(&self) -> Nanoseconds {
        let learning = if let Measure::FirstSeen { warmup } = self.measure { warmup } else { 0 };
        self.timespan.max(self.suppress).max(learning).saturating_add(2 * DAY)
    }
}

/// Whether a measured number is what an operator asks for.
#[must_use]
pub fn satisfies(measured: Number, threshold: &Threshold) -> bool {
    let order = measured.compare(threshold.bound);
    let holds = match threshold.comparison {
        Comparison::Eq => order.is_eq(),
        Comparison::Lt => order.is_lt(),
        Comparison::Lte => order.is_le(),
        Comparison::Gt => order.is_gt(),
        Comparison::Gte => order.is_ge(),
    };
    holds != threshold.negated
}

pub(super) fn integer(count: usize) -> Number {
    Number::Integer(i128::try_from(count).unwrap_or(i128::MAX))
}
