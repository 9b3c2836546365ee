//! Why a correlation fires, in words: from the rule alone.

use crate::rule::{Comparison, Correlation, CorrelationKind, Threshold};

/// Such as "at least 10 events of `auth_login_failed` within 5m".
#[must_use]
pub fn reason(correlation: &Correlation) -> String {
    let rules: Vec<String> = correlation.rules.iter().map(|name| format!("`{name}`")).collect();
    let of = rules.join(", ");
    let bounds = bounds(&correlation.condition);
    let within = correlation.timespan;
    match &correlation.kind {
        CorrelationKind::EventCount => format!("{bounds} events of {of} within {within}"),
        CorrelationKind::ValueCount { fields } => {
            format!("{bounds} values of {} in events of {of} within {within}", quoted(fields))
        }
        CorrelationKind::Temporal | CorrelationKind::TemporalOrdered => {
            let how = if correlation.kind == CorrelationKind::Temporal { "in any order" } else { "in this order" };
            let many = if bounds.is_empty() { "all".to_owned() } else { bounds };
            format!("{many} of {of} {how} within {within}")
        }
        CorrelationKind::ValueSum { field } => measured("sum", field, &bounds, &of, within),
        CorrelationKind::ValueAvg { field } => measured("mean", field, &bounds, &of, within),
        CorrelationKind::ValueMedian { field } => measured("median", field, &bounds, &of, within),
        CorrelationKind::ValuePercentile { field, percentile } => {
            measured(&format!("percentile {percentile}"), field, &bounds, &of, within)
        }
        CorrelationKind::FirstSeen { field, .. } => {
            format!("a value of `{field}` in an event of {of} that was not seen for {within}")
        }
    }
}

fn measured(what: &str, field: &str, bounds: &str, of: &str, within: impl std::fmt::Display) -> String {
    format!("the {what} of `{field}` is {bounds} in events of {of} within {within}")
}

fn quoted(fields: &[String]) -> String {
    fields.iter().map(|field| format!("`{field}`")).collect::<Vec<_>>().join(", ")
}

/// `at least 10 and less than 20`
#[must_use]
pub fn bounds(thresholds: &[Threshold]) -> String {
    let bound = |threshold: &Threshold| {
        let words = match (threshold.comparison, threshold.negated) {
            (Comparison::Eq, false) => "exactly",
            (Comparison::Eq, true) => "not",
            (Comparison::Lt, _) => "less than",
            (Comparison::Lte, _) => "at most",
            (Comparison::Gt, _) => "more than",
            (Comparison::Gte, _) => "at least",
        };
        format!("{words} {}", threshold.bound)
    };
    thresholds.iter().map(bound).collect::<Vec<_>>().join(" and ")
}
