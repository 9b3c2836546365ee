//! Correlation rules: other rules' matches, counted and compared within a span of time.

mod condition;
pub(super) mod links;
pub(super) mod reader;

use jiff::civil::Date;
use uuid::Uuid;

use super::{AlertOptions, Comparison, Level, Related, RuleSpans, RuleTest, Status, Timespan};
use crate::diagnostic::Span;
use crate::number::Number;

/// A Sigma correlation rule, checked and complete. What it refers to exists.
#[derive(Debug, Clone)]
pub struct Correlation {
    /// Globally unique, among rules as well.
    pub id: Uuid,
    /// Unique slug, among rules as well.
    pub name: String,
    /// What happened, in the words of the one who gets the alert.
    pub title: String,
    /// What it means, and what an attacker gains.
    pub description: Option<String>,
    /// Maturity.
    pub status: Status,
    /// How bad it is.
    pub level: Level,
    /// URLs.
    pub references: Vec<String>,
    /// Benign causes, as the rule's author knows them.
    pub falsepositives: Vec<String>,
    /// `namespace.name`, as written.
    pub tags: Vec<String>,
    /// Who wrote it.
    pub author: Option<String>,
    /// First published.
    pub date: Option<Date>,
    /// Last changed.
    pub modified: Option<Date>,
    /// Other rules that this one has to do with.
    pub related: Vec<Related>,
    /// Our `alert:` block.
    pub alert: AlertOptions,
    /// The tests that it brings along.
    pub tests: Vec<RuleTest>,
    /// What is counted or compared.
    pub kind: CorrelationKind,
    /// The rules and correlations whose matches it looks at, by name, in the order written; never empty.
    pub rules: Vec<String>,
    /// Fields, or aliases, whose values the matches must share.
    pub group_by: Vec<String>,
    /// How far the first and the last match may lie apart, both ends included.
    pub timespan: Timespan,
    /// What the count or value must satisfy: all of these.
    /// For the temporal kinds it is about the number of distinct rules that matched, and if empty, all must have.
    pub condition: Vec<Threshold>,
    /// Names for fields that differ from rule to rule.
    pub aliases: Vec<Alias>,
    /// Whether the rules that it refers to alert by themselves as well.
    pub generate: bool,
    /// Where the document stands: the span of its title.
    pub span: Span,
    /// Where parts of it stand.
    pub spans: RuleSpans,
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
}

impl CorrelationKind {
    /// The fields, or aliases, whose values it looks at.
    #[must_use]
    pub fn fields(&self) -> &[String] {
        match self {
            Self::EventCount | Self::Temporal | Self::TemporalOrdered => &[],
            Self::ValueCount { fields } => fields,
            Self::ValueSum { field }
            | Self::ValueAvg { field }
            | Self::ValuePercentile { field, .. }
            | Self::ValueMedian { field } => std::slice::from_ref(field),
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
