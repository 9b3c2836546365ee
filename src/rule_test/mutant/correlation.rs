//! Correlations with one thing changed.

use std::collections::HashSet;

use uuid::Uuid;

use super::{Mutation, Variant};
use crate::correlate::{Windows, satisfies};
use crate::number::Number;
use crate::pipeline::{self, Workspace};
use crate::rule::{Comparison, Correlation, CorrelationKind, Header, MOST_ENTRIES, Threshold, TimeUnit, Timespan};
use crate::rule_test::{CapturedLines, Ensemble, build};

/// The mutants of a correlation; all of them different.
#[must_use]
pub fn correlation_mutants(correlation: &Correlation) -> Vec<Variant<Correlation>> {
    let mut seen = HashSet::from([form(correlation)]);
    let mut mutants = thresholds(correlation);
    mutants.extend(rules(correlation));
    mutants.extend(fields(correlation));
    mutants.extend(times(correlation));
    mutants.extend(kinds(correlation));
    mutants.retain(|variant| seen.insert(form(&variant.changed)));
    mutants
}

/// Tries the tests of a correlation, which must pass, on its mutants.
#[must_use]
pub fn run_correlation(ensemble: &Ensemble<'_>, captured: &CapturedLines) -> Mutation {
    let header = &ensemble.correlation.header;
    let tried = correlation_mutants(ensemble.correlation);
    let named: Vec<Correlation> = (0..).zip(&tried).map(|(number, variant)| named(&variant.changed, number)).collect();
    let ids: Vec<Uuid> = named.iter().map(|correlation| correlation.header.id).collect();
    let analytics = ensemble.compile_with(named);
    let mut noticed = vec![false; tried.len()];
    for test in &header.tests {
        let events = build::events(header, test, captured).unwrap_or_default();
        let log = build::log(&events, &header.name);
        let alerts = pipeline::replay(&analytics, &log, &mut Windows::default(), &mut Workspace::default());
        let fired: HashSet<Uuid> = alerts.iter().map(|alert| alert.analytic.id).collect();
        for (id, noticed) in ids.iter().zip(&mut noticed) {
            *noticed |= fired.contains(id) != test.expect.matches;
        }
    }
    Mutation::of(tried, noticed)
}

/// With an identity of its own, beside the others.
fn named(correlation: &Correlation, number: u64) -> Correlation {
    let Correlation { header, .. } = correlation.clone();
    let name = format!("{} with change {number}", header.name);
    let id = Uuid::new_v5(&header.id, name.as_bytes());
    Correlation { header: Header { id, name, tests: Vec::new(), ..header }, ..correlation.clone() }
}

fn thresholds(correlation: &Correlation) -> Vec<Variant<Correlation>> {
    let condition = &correlation.condition;
    let variant = |condition: Vec<Threshold>, change: String| {
        let changed = Correlation { condition, ..correlation.clone() };
        Variant::new(changed, &correlation.header.spans.condition, change)
    };
    let mut variants = Vec::new();
    for (place, threshold) in condition.iter().enumerate() {
        for other in others(threshold) {
            let mut changed = condition.clone();
            if let Some(place) = changed.get_mut(place) {
                *place = other;
            }
            variants.push(variant(changed, format!("`{}` instead of `{}`", written(&other), written(threshold))));
        }
        if condition.len() > 1 {
            let mut changed = condition.clone();
            changed.remove(place);
            variants.push(variant(changed, format!("without `{}`", written(threshold))));
        }
    }
    if let (true, Some(all)) = (condition.is_empty(), rule_count(correlation)) {
        let one_less = Threshold { comparison: Comparison::Gte, negated: false, bound: Number::Integer(all - 1) };
        variants.push(variant(vec![one_less], format!("`{}` instead of all {all} rules", written(&one_less))));
    }
    variants
}

/// A threshold that is a little higher, a little lower, and with or without its bound.
fn others(threshold: &Threshold) -> Vec<Threshold> {
    let bound = |step: i8| match threshold.bound {
        Number::Integer(bound) => Number::Integer(bound.saturating_add(step.into())),
        Number::Decimal(bound) => Number::Decimal(bound + f64::from(step)),
    };
    let moved = [1, -1].map(|step| Threshold { bound: bound(step), ..*threshold });
    let (comparison, negated) = match threshold.comparison {
        Comparison::Gte => (Comparison::Gt, threshold.negated),
        Comparison::Gt => (Comparison::Gte, threshold.negated),
        Comparison::Lte => (Comparison::Lt, threshold.negated),
        Comparison::Lt => (Comparison::Lte, threshold.negated),
        Comparison::Eq => (Comparison::Eq, !threshold.negated),
    };
    moved.into_iter().chain([Threshold { comparison, negated, ..*threshold }]).collect()
}

/// As a rule writes it.
fn written(threshold: &Threshold) -> String {
    let operator = match (threshold.comparison, threshold.negated) {
        (Comparison::Gt, _) => "gt",
        (Comparison::Gte, _) => "gte",
        (Comparison::Lt, _) => "lt",
        (Comparison::Lte, _) => "lte",
        (Comparison::Eq, false) => "eq",
        (Comparison::Eq, true) => "neq",
    };
    format!("{operator}: {}", threshold.bound)
}

fn rules(correlation: &Correlation) -> Vec<Variant<Correlation>> {
    if correlation.rules.len() < 2 {
        return Vec::new();
    }
    let without = |(place, name): (usize, &String)| {
        let mut changed = correlation.clone();
        changed.rules.remove(place);
        Variant::new(changed, &correlation.header.spans.block, format!("rules: without `{name}`"))
    };
    correlation.rules.iter().enumerate().map(without).collect()
}

/// Without a field that it groups by, or compares.
fn fields(correlation: &Correlation) -> Vec<Variant<Correlation>> {
    let spans = &correlation.header.spans;
    let ungrouped = correlation.group_by.iter().enumerate().map(|(place, field)| {
        let mut changed = correlation.clone();
        changed.group_by.remove(place);
        let span = spans.group_by.get(place).unwrap_or(&spans.block);
        Variant::new(changed, span, format!("group-by: without `{field}`"))
    });
    let mut variants: Vec<_> = ungrouped.collect();
    if let CorrelationKind::ValueCount { fields } = &correlation.kind
        && fields.len() > 1
    {
        variants.extend(fields.iter().enumerate().map(|(place, field)| {
            let mut rest = fields.clone();
            rest.remove(place);
            let changed = Correlation { kind: CorrelationKind::ValueCount { fields: rest }, ..correlation.clone() };
            Variant::new(changed, &spans.condition, format!("field: without `{field}`"))
        }));
    }
    variants
}

/// With half and twice the time.
fn times(correlation: &Correlation) -> Vec<Variant<Correlation>> {
    let block = &correlation.header.spans.block;
    let timespan = correlation.timespan;
    let spans = [halved(timespan), doubled(timespan)].into_iter().flatten().map(|other| {
        let changed = Correlation { timespan: other, ..correlation.clone() };
        Variant::new(changed, block, format!("timespan: `{other}` instead of `{timespan}`"))
    });
    let mut variants: Vec<_> = spans.collect();
    if let CorrelationKind::FirstSeen { field, warmup } = &correlation.kind
        && warmup.count > 0
    {
        variants.extend([Some(Timespan::ZERO), doubled(*warmup)].into_iter().flatten().map(|other| {
            let kind = CorrelationKind::FirstSeen { field: field.clone(), warmup: other };
            let change = format!("warmup: `{other}` instead of `{warmup}`");
            Variant::new(Correlation { kind, ..correlation.clone() }, block, change)
        }));
    }
    variants
}

fn halved(timespan: Timespan) -> Option<Timespan> {
    if timespan.count.is_multiple_of(2) {
        return Some(Timespan { count: timespan.count / 2, ..timespan });
    }
    let seconds = timespan.duration().as_secs() / 2;
    Some(Timespan { count: u32::try_from(seconds).ok().filter(|half| *half > 0)?, unit: TimeUnit::Second })
}

fn doubled(timespan: Timespan) -> Option<Timespan> {
    Some(Timespan { count: timespan.count.checked_mul(2)?, ..timespan })
}

/// With less regard to what sets matches apart.
fn kinds(correlation: &Correlation) -> Option<Variant<Correlation>> {
    let (kind, change) = match correlation.kind {
        CorrelationKind::TemporalOrdered => (CorrelationKind::Temporal, "in any order"),
        CorrelationKind::ValueCount { .. } => (CorrelationKind::EventCount, "events are counted, not values"),
        _ => return None,
    };
    let changed = Correlation { kind, ..correlation.clone() };
    Some(Variant::new(changed, &correlation.header.spans.block, format!("type: {change}")))
}

/// What a correlation means, as far as it decides whether it fires: the same meaning is mostly the same text.
fn form(correlation: &Correlation) -> String {
    let Correlation { kind, rules, group_by, timespan, condition, .. } = correlation;
    let seconds = timespan.duration().as_secs();
    let Some(most) = highest_count(correlation) else {
        return format!("{kind:?} {rules:?} {group_by:?} {seconds} {condition:?}");
    };
    let least = match (condition.is_empty(), rule_count(correlation)) {
        (true, Some(all)) => Some(all),
        // A count grows by one at a time, so that it passes the least that will do.
        _ => (1..=most).find(|count| condition.iter().all(|bound| satisfies(Number::Integer(*count), bound))),
    };
    match (kind, least) {
        // Whatever matches will do.
        (CorrelationKind::ValueCount { .. }, Some(1)) => format!("{kind:?} {rules:?} {group_by:?}"),
        (_, Some(1)) => format!("any {rules:?} {group_by:?}"),
        _ => format!("{kind:?} {rules:?} {group_by:?} {seconds} {least:?}"),
    }
}

/// For what counts rules, how many there are.
fn rule_count(correlation: &Correlation) -> Option<i128> {
    match correlation.kind {
        CorrelationKind::Temporal | CorrelationKind::TemporalOrdered => i128::try_from(correlation.rules.len()).ok(),
        _ => None,
    }
}

/// For what counts, how far it can count.
fn highest_count(correlation: &Correlation) -> Option<i128> {
    match correlation.kind {
        CorrelationKind::EventCount | CorrelationKind::ValueCount { .. } => i128::try_from(MOST_ENTRIES + 1).ok(),
        _ => rule_count(correlation),
    }
}
