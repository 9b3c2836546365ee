//! Correlation rules: other rules' matches, counted and compared within a span of time.

mod condition;
mod first_seen;
pub(super) mod links;
pub(super) mod reader;

use super::{Comparison, Header, Timespan};
use crate::number::Number;

/// How many events a window keeps at most, the newest ones: no threshold on their count can lie above it.
pub const MOST_ENTRIES: usize = 1_000;

/// A Sigma correlation rule, checked and complete. What it refers to exists.
#[derive(Debug, Clone)]
pub struct Correlation {
    /// Who it is, and what people read.
    pub header: Header,
    /// What is counted or compared.
    pub kind: CorrelationKind,
    /// The rules and correlations whose matches it looks at, by name, in the order written; never empty.
    pub rules: Vec<String>,
    /// Fields, or aliases, whose values the matches must share.
    pub group_by: Vec<String>,
    /// How far the first and the last match may lie apart, both ends included; for `first_seen`, how long a value is
    /// remembered.
    pub timespan: Timespan,
    /// What the count or value must satisfy: all of these. Empty for `first_seen`.
    /// For the temporal kinds it is about the number of distinct rules that matched, and if empty, all must have.
    pub condition: Vec<Threshold>,
    /// Names for fields that differ from rule to rule.
    pub aliases: Vec<Alias>,
    /// Whether the rules that it refers to alert by themselves as well.
    pub generate: bool,
}

/// What a correlation counts or compares.
#[derive(Debug, Clone, PartialEq)]
pub enum CorrelationKind {
    /// How many events matched.
    EventCount,
    /// How many distinct values a field had, or how many distinct combinations of values several had.
    ValueCount {
        /// The fields, or aliases; never empty.
        fields: Vec<String>,
    },
    /// Every rule matched, in any order.
    Temporal,
    /// Every rule matched, in the order listed.
    TemporalOrdered,
    /// The sum of a field's numbers.
    ValueSum {
        /// The field, or an alias.
        field: String,
    },
    /// Their mean.
    ValueAvg {
        /// The field, or an alias.
        field: String,
    },
    /// One of their percentiles, by nearest rank.
    ValuePercentile {
        /// The field, or an alias.
        field: String,
        /// Above 0, at most 100; 50 where the rule does not say.
        percentile: Number,
    },
    /// Their median.
    ValueMedian {
        /// The field, or an alias.
        field: String,
    },
    /// A field has a value that the group did not have within the timespan before.
    FirstSeen {
        /// The field, or an alias.
        field: String,
        /// How long a group learns, from its first match on, before it alerts; 0 for not at all.
        warmup: Timespan,
    },
}

impl CorrelationKind {
    /// As rules write it, under `type`.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::EventCount => "event_count",
            Self::ValueCount { .. } => "value_count",
            Self::Temporal => "temporal",
            Self::TemporalOrdered => "temporal_ordered",
            Self::ValueSum { .. } => "value_sum",
            Self::ValueAvg { .. } => "value_avg",
            Self::ValuePercentile { .. } => "value_percentile",
            Self::ValueMedian { .. } => "value_median",
            Self::FirstSeen { .. } => "first_seen",
        }
    }

    /// The fields, or aliases, whose values it looks at.
    #[must_use]
    pub fn fields(&self) -> &[String] {
        match self {
            Self::EventCount | Self::Temporal | Self::TemporalOrdered => &[],
            Self::ValueCount { fields } => fields,
            Self::ValueSum { field }
            | Self::ValueAvg { field }
            | Self::ValuePercentile { field, .. }
            | Self::ValueMedian { field }
            | Self::FirstSeen { field, .. } => std::slice::from_ref(field),
        }
    }
}

/// One operator of a correlation's condition.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Threshold {
    /// `eq` and `neq` by `negated`, or the order.
    pub comparison: Comparison,
    /// `neq`: must not be equal.
    pub negated: bool,
    /// What is compared with.
    pub bound: Number,
}

/// A name for a field that is called differently in every rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alias {
    /// As `group_by` and `field` use it.
    pub name: String,
    /// For rules, by name, the field that it stands for.
    pub fields: Vec<(String, String)>,
}
