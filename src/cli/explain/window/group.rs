//! One group of a correlation, at the moment at which it fired or came nearest to it.

use std::collections::HashMap;

use super::Course;
use crate::alert::Redacted;
use crate::audit::Value;
use crate::correlate::{Entry, EntryValue, Incident, Match, Named, OwnedValue, SurveyedWindow, Verdict, resolve};
use crate::number::Number;
use crate::payload::EventRef;
use crate::rule::{Comparison, Correlation, CorrelationKind, Threshold};

/// A group, at its moment.
pub(super) struct Group<'c> {
    course: &'c Course<'c>,
    surveyed: &'c SurveyedWindow,
    /// What each entry is of.
    matches: HashMap<Origin<'c>, &'c Match>,
    /// The entry at which it fired first, or came nearest.
    at: usize,
    pub(super) verdict: Verdict,
    pub(super) fired: bool,
    /// How much was missing; 0 if it fired.
    pub(super) distance: f64,
}

/// An entry's identity, and its event: a request and its response have the same identity.
type Origin<'c> = ((u16, u64), &'c EventRef);

/// A field with what may be shown of its values.
pub(super) type Shown = (String, Vec<Redacted>);

impl<'c> Group<'c> {
    pub(super) fn of(course: &'c Course<'c>, surveyed: &'c SurveyedWindow) -> Option<Self> {
        let spec = course.analytics.plan().spec(course.spec)?;
        let verdicts = surveyed.window.verdicts(spec);
        let fired_at = surveyed.window.entries().iter().position(|entry| entry.marks.fired);
        let at = fired_at.or_else(|| nearest(course.ensemble.correlation, surveyed.window.entries(), &verdicts))?;
        let verdict = *verdicts.get(at)?;
        let missing = if fired_at.is_some() { 0.0 } else { distance(course.ensemble.correlation, &verdict) };
        let entries = surveyed.contribution.entries.iter().map(|entry| (entry.identity(), &entry.event));
        let matches = entries.zip(&surveyed.contribution.matches).collect();
        Some(Self { course, surveyed, matches, at, verdict, fired: fired_at.is_some(), distance: missing })
    }

    pub(super) fn correlation(&self) -> &'c Correlation {
        self.course.ensemble.correlation
    }

    /// The entries within the timespan, up to the moment; never empty.
    pub(super) fn within(&self) -> &'c [Entry] {
        self.surveyed.window.entries().get(self.verdict.since..=self.at).unwrap_or_default()
    }

    /// Those of them that are worth looking at: of values that are remembered, those of the value in question.
    pub(super) fn telling(&self) -> Vec<&'c Entry> {
        let last = self.within().last();
        let is_of_value = |entry: &&Entry| last.is_some_and(|last| is_alike(self.correlation(), last, entry));
        let is_of_all = !matches!(self.correlation().kind, CorrelationKind::FirstSeen { .. });
        self.within().iter().filter(|entry| is_of_all || is_of_value(entry)).collect()
    }

    /// The entries after the moment.
    pub(super) fn later(&self) -> &'c [Entry] {
        self.surveyed.window.entries().get(self.at + 1..).unwrap_or_default()
    }

    pub(super) fn incidents(&self) -> &'c [Incident] {
        self.surveyed.window.incidents()
    }

    /// The first entry of the group.
    pub(super) fn first(&self) -> Option<&'c Entry> {
        self.surveyed.window.entries().first()
    }

    /// Until when something more would have been in time, in nanoseconds since 1970.
    pub(super) fn deadline(&self) -> Option<i64> {
        let within = self.within();
        let is_repeated = |place: usize, entry: &Entry| {
            within.iter().skip(place + 1).any(|later| is_alike(self.correlation(), entry, later))
        };
        let counted = (0..within.len()).zip(within).filter(|(place, entry)| !is_repeated(*place, entry));
        let first = counted.map(|(_, entry)| entry.time).min()?;
        let timespan = self.correlation().timespan.duration().as_nanos();
        Some(first.saturating_add(timespan.try_into().unwrap_or(i64::MAX)))
    }

    /// What the group is named by.
    pub(super) fn named(&self) -> Vec<Shown> {
        let contribution = &self.surveyed.contribution;
        let Some(found) = contribution.matches.first() else { return Vec::new() };
        let shown = |Named { name, field, values }: &Named| {
            let values = values.iter().filter_map(|value| self.redacted(found, field, value.as_value()));
            (name.clone(), values.collect())
        };
        contribution.named.iter().map(shown).collect()
    }

    /// The name of the rule that an entry is a match of.
    pub(super) fn rule(&self, entry: &Entry) -> &'c str {
        self.correlation().rules.get(usize::from(entry.rule)).map_or("", String::as_str)
    }

    /// Where an event stands.
    pub(super) fn position(event: &EventRef) -> String {
        match event {
            EventRef::LogEvent(id) => id.clone(),
            EventRef::Line { file, line } => format!("{file}:{line}"),
        }
    }

    /// The values of an entry that are compared.
    pub(super) fn values(&self, entry: &Entry) -> Vec<Shown> {
        let Some(found) = self.matches.get(&(entry.identity(), &entry.event)) else { return Vec::new() };
        let fields = self.correlation().kind.fields();
        let shown = |name: &String| {
            let field = resolve(self.correlation(), self.rule(entry), name);
            let values = match entry.value {
                Some(EntryValue::Number(number)) => {
                    self.redacted(found, &field, Value::Number(number)).into_iter().collect()
                }
                Some(EntryValue::Distinct(hash)) => {
                    let key = self.course.analytics.plan().key();
                    let is_its = |value: &&OwnedValue| fields.len() > 1 || key.values(&[(**value).clone()]) == hash;
                    let own = found.values.get(&field).iter().filter(is_its);
                    own.filter_map(|value| self.redacted(found, &field, value.as_value())).collect()
                }
                None => Vec::new(),
            };
            (name.clone(), values)
        };
        fields.iter().map(shown).collect()
    }

    /// What was measured, as far as it may be shown: numbers of events may always, those of secret values never.
    pub(super) fn measured(&self) -> Option<String> {
        let number = self.verdict.measured?;
        let is_count = matches!(
            self.correlation().kind,
            CorrelationKind::EventCount
                | CorrelationKind::ValueCount { .. }
                | CorrelationKind::Temporal
                | CorrelationKind::TemporalOrdered
        );
        if is_count {
            return Some(number.to_string());
        }
        let entry = self.within().last()?;
        let found = self.surveyed.contribution.matches.first()?;
        let field = resolve(self.correlation(), self.rule(entry), self.correlation().kind.fields().first()?);
        Some(self.redacted(found, &field, Value::Number(number))?.to_string())
    }

    /// Every event that matched has a redactor; without one, nothing of it is shown.
    fn redacted(&self, found: &Match, field: &str, value: Value<'_>) -> Option<Redacted> {
        Some(self.course.redactors.get(&found.event)?.value(field, value))
    }
}

/// The place of the verdict that is nearest to firing.
fn nearest(correlation: &Correlation, entries: &[Entry], verdicts: &[Verdict]) -> Option<usize> {
    if matches!(correlation.kind, CorrelationKind::FirstSeen { .. }) {
        return verdicts.len().checked_sub(1);
    }
    // Of several that are equally near, the one that saw most rules, then the first: what comes after it tells most.
    let is_ordered = correlation.kind == CorrelationKind::TemporalOrdered;
    let mut seen: Vec<Option<usize>> = vec![None; if is_ordered { correlation.rules.len() } else { 0 }];
    let rated = (0..).zip(entries.iter().zip(verdicts)).map(|(place, (entry, verdict))| {
        if let Some(seen) = seen.get_mut(usize::from(entry.rule)) {
            *seen = Some(place);
        }
        let absent = seen.iter().filter(|seen| **seen < Some(verdict.since)).count();
        (place, distance(correlation, verdict), absent)
    });
    let (place, distance, _) = rated.min_by(|(_, x, a), (_, y, b)| x.total_cmp(y).then_with(|| a.cmp(b)))?;
    Some(repeated(correlation, entries, verdicts, place, distance))
}

/// The last place up to which nothing new comes, and nothing goes: that is how long the moment lasts.
fn repeated(correlation: &Correlation, entries: &[Entry], verdicts: &[Verdict], place: usize, distance: f64) -> usize {
    let known = verdicts.get(place).and_then(|verdict| entries.get(verdict.since..=place)).unwrap_or_default();
    let later = entries.iter().zip(verdicts).skip(place + 1);
    let lasts = later.take_while(|(entry, verdict)| {
        let is_near = self::distance(correlation, verdict).total_cmp(&distance).is_eq();
        is_near && known.iter().any(|known| is_alike(correlation, known, entry))
    });
    place + lasts.count()
}

/// Whether two entries count as one.
pub(super) fn is_alike(correlation: &Correlation, a: &Entry, b: &Entry) -> bool {
    match correlation.kind {
        CorrelationKind::Temporal | CorrelationKind::TemporalOrdered => a.rule == b.rule,
        CorrelationKind::ValueCount { .. } | CorrelationKind::FirstSeen { .. } => a.value == b.value,
        _ => a.identity() == b.identity(),
    }
}

/// How far a verdict is from firing.
fn distance(correlation: &Correlation, verdict: &Verdict) -> f64 {
    let Some(measured) = verdict.measured.map(decimal) else { return f64::INFINITY };
    if matches!(correlation.kind, CorrelationKind::FirstSeen { .. }) {
        // How often the value is there: once if only the group is too young.
        return measured;
    }
    let all = f64::from(u32::try_from(correlation.rules.len()).unwrap_or(u32::MAX));
    if correlation.condition.is_empty() {
        return all - measured;
    }
    let missing = |threshold: &Threshold| {
        let over = measured - decimal(threshold.bound);
        match (threshold.comparison, threshold.negated) {
            (Comparison::Gt | Comparison::Gte, _) => (-over).max(0.0),
            (Comparison::Lt | Comparison::Lte, _) => over.max(0.0),
            (Comparison::Eq, false) => over.abs(),
            (Comparison::Eq, true) => 0.0,
        }
    };
    correlation.condition.iter().map(missing).sum()
}

#[expect(clippy::cast_precision_loss, reason = "it only says which of several is nearest")]
fn decimal(number: Number) -> f64 {
    match number {
        Number::Integer(integer) => integer as f64,
        Number::Decimal(decimal) => decimal,
    }
}
