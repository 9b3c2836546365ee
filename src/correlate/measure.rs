//! Whether the condition holds at an entry: what is measured of the entries up to a timespan before it.

use std::ops::Range;

use hashbrown::HashMap;

use super::Nanoseconds;
use super::entry::{Entry, EntryValue};
use super::spec::{Measure, WindowSpec, integer};
use crate::number::Number;

/// What was found out about one entry.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Verdict {
    /// The condition holds.
    pub holds: bool,
    /// What was measured: for `first_seen`, how often the value is there. None of no numbers.
    pub measured: Option<Number>,
    /// The place of the first entry that lies within the timespan.
    pub since: usize,
}

/// The verdict on each of the entries in `at`, which are sorted.
///
/// `since` is when the group was first seen.
pub(super) fn verdicts(spec: &WindowSpec, entries: &[Entry], at: Range<usize>, since: Nanoseconds) -> Vec<Verdict> {
    let start = entries.get(at.start).map_or(0, |first| reach(entries, first.time.saturating_sub(spec.timespan)));
    let mut gauge = Gauge::new(spec, since);
    let mut verdicts = Vec::with_capacity(at.len());
    let mut oldest = start;
    for (index, entry) in entries.iter().enumerate().take(at.end).skip(start) {
        gauge.add(entry);
        let reach = entry.time.saturating_sub(spec.timespan);
        while let Some(old) = entries.get(oldest).filter(|old| old.time < reach) {
            gauge.remove(old);
            oldest += 1;
        }
        if index >= at.start {
            let within = entries.get(oldest..=index).unwrap_or_default();
            let measured = gauge.measure(entry, within);
            verdicts.push(Verdict { holds: gauge.holds(entry, measured), measured, since: oldest });
        }
    }
    verdicts
}

/// The first entry at or after a time.
fn reach(entries: &[Entry], time: Nanoseconds) -> usize {
    entries.partition_point(|entry| entry.time < time)
}

/// What is measured, kept up to date while the timespan moves along.
struct Gauge<'s> {
    spec: &'s WindowSpec,
    since: Nanoseconds,
    /// How often each value, or each rule, is there.
    tally: HashMap<u64, usize>,
    chains: Chains,
}

impl<'s> Gauge<'s> {
    fn new(spec: &'s WindowSpec, since: Nanoseconds) -> Self {
        let of = if let Measure::OrderedRules { of } = spec.measure { of } else { 0 };
        Self { spec, since, tally: HashMap::new(), chains: Chains::new(of) }
    }

    fn add(&mut self, entry: &Entry) {
        if let Some(class) = class(self.spec.measure, entry) {
            *self.tally.entry(class).or_default() += 1;
        }
        self.chains.add(entry);
    }

    fn remove(&mut self, entry: &Entry) {
        if let Some(class) = class(self.spec.measure, entry)
            && let Some(count) = self.tally.get_mut(&class)
        {
            *count -= 1;
            if *count == 0 {
                self.tally.remove(&class);
            }
        }
    }

    /// What is measured at the entry added last; `within` are those of the timespan.
    fn measure(&self, entry: &Entry, within: &[Entry]) -> Option<Number> {
        match self.spec.measure {
            Measure::Count => Some(integer(within.len())),
            Measure::DistinctValues | Measure::DistinctRules { .. } => Some(integer(self.tally.len())),
            Measure::OrderedRules { .. } => {
                Some(integer(self.chains.longest(entry.time.saturating_sub(self.spec.timespan))))
            }
            Measure::FirstSeen { .. } => {
                let sightings = class(self.spec.measure, entry).and_then(|class| self.tally.get(&class));
                sightings.copied().map(integer)
            }
            Measure::Sum => sum(&numbers(within)),
            Measure::Average => average(&numbers(within)),
            Measure::Percentile(percentile) => nearest_rank(numbers(within), percentile),
            Measure::Median => median(numbers(within)),
        }
    }

    fn holds(&self, entry: &Entry, measured: Option<Number>) -> bool {
        match self.spec.measure {
            Measure::FirstSeen { warmup } => {
                let is_first = measured == Some(integer(1)) && !entry.marks.known;
                is_first && entry.time.saturating_sub(self.since) >= warmup
            }
            _ => measured.is_some_and(|measured| self.spec.holds(measured)),
        }
    }
}

/// What an entry is like others in, for measures that tell apart.
pub(super) fn class(measure: Measure, entry: &Entry) -> Option<u64> {
    match measure {
        Measure::DistinctRules { .. } | Measure::OrderedRules { .. } => Some(u64::from(entry.rule)),
        Measure::DistinctValues | Measure::FirstSeen { .. } => match entry.value? {
            EntryValue::Distinct(hash) => Some(hash),
            EntryValue::Number(_) => None,
        },
        _ => None,
    }
}

/// For rules that must match one after the other: of the chains of each length that end with each rule, when the one
/// that began last began.
struct Chains {
    /// `[rule][length - 1]`
    began: Vec<Vec<Option<Nanoseconds>>>,
}

impl Chains {
    fn new(rules: usize) -> Self {
        Self { began: vec![vec![None; rules]; rules] }
    }

    fn add(&mut self, entry: &Entry) {
        let rule = usize::from(entry.rule);
        for length in 1..=self.began.len() {
            let before = if length == 1 {
                Some(entry.time)
            } else {
                self.began.iter().take(rule).filter_map(|lengths| *lengths.get(length - 2)?).max()
            };
            if let Some(place) = self.began.get_mut(rule).and_then(|lengths| lengths.get_mut(length - 1)) {
                *place = (*place).max(before);
            }
        }
    }

    /// How many rules the longest chain has that began at or after a time.
    fn longest(&self, since: Nanoseconds) -> usize {
        let reaches = |length: &usize| {
            self.began.iter().any(|lengths| matches!(lengths.get(length - 1), Some(Some(began)) if *began >= since))
        };
        (1..=self.began.len()).rev().find(reaches).unwrap_or(0)
    }
}

fn numbers(entries: &[Entry]) -> Vec<Number> {
    let number = |entry: &Entry| match entry.value? {
        EntryValue::Number(number) => Some(number),
        EntryValue::Distinct(_) => None,
    };
    entries.iter().filter_map(number).collect()
}

#[expect(clippy::cast_precision_loss, reason = "a mean of integers of more than 53 bits is near enough")]
fn decimal(number: Number) -> f64 {
    match number {
        Number::Integer(integer) => integer as f64,
        Number::Decimal(decimal) => decimal,
    }
}

/// Exact as long as all are integers; none of no numbers.
fn sum(numbers: &[Number]) -> Option<Number> {
    let add = |sum: Number, number: &Number| match (sum, *number) {
        (Number::Integer(a), Number::Integer(b)) => {
            a.checked_add(b).map_or_else(|| Number::Decimal(decimal(sum) + decimal(*number)), Number::Integer)
        }
        (a, b) => Number::Decimal(decimal(a) + decimal(b)),
    };
    let (first, rest) = numbers.split_first()?;
    Some(rest.iter().fold(*first, add))
}

#[expect(clippy::cast_precision_loss, reason = "a window has at most a thousand entries")]
fn average(numbers: &[Number]) -> Option<Number> {
    let average = decimal(sum(numbers)?) / numbers.len() as f64;
    Some(Number::Decimal(average))
}

/// The smallest number that at least this percentage of the numbers does not exceed.
fn nearest_rank(mut numbers: Vec<Number>, percentile: Number) -> Option<Number> {
    numbers.sort_unstable_by(|a, b| a.compare(*b));
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a rank among at most a thousand entries"
    )]
    let rank = (decimal(percentile) * numbers.len() as f64 / 100.0).ceil() as usize;
    numbers.get(rank.clamp(1, numbers.len().max(1)) - 1).copied()
}

fn median(mut numbers: Vec<Number>) -> Option<Number> {
    numbers.sort_unstable_by(|a, b| a.compare(*b));
    let middle = numbers.len() / 2;
    let upper = *numbers.get(middle)?;
    if numbers.len() % 2 == 1 {
        return Some(upper);
    }
    let lower = *numbers.get(middle.checked_sub(1)?)?;
    average(&[lower, upper])
}
