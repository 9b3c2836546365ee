//! What one pass over a whole log comes to, by the definitions alone: naive, and without a line of what it judges.

use std::collections::{BTreeMap, BTreeSet};

use vaultwatch::number::Number;
use vaultwatch::rule::{Comparison, Correlation, CorrelationKind, Header, Reading, Rule, Threshold, Timespan};

/// That an event satisfied a rule, or that a correlation fired.
#[derive(Debug, Clone)]
pub(super) struct Hit {
    /// By name.
    pub(super) rule: String,
    /// In nanoseconds.
    pub(super) time: i64,
    /// The place in the log, which is also the event's name.
    pub(super) place: usize,
    pub(super) happening: String,
    pub(super) values: BTreeMap<String, Vec<String>>,
}

/// An alert, with everything that it will ever tell.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Incident {
    pub(super) analytic: String,
    pub(super) group: Vec<String>,
    pub(super) opened: i64,
    pub(super) first: i64,
    pub(super) last: i64,
    pub(super) count: usize,
}

/// A hit as one group of one analytic sees it.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) time: i64,
    pub(super) place: usize,
    pub(super) role: usize,
    pub(super) value: String,
    happening: String,
    /// Which of the numbers of its event it has: an event may have the same one twice.
    which: usize,
    hit: Hit,
}

/// Everything that is known of a log.
pub(super) struct Oracle<'r> {
    reading: &'r Reading,
    hits: Vec<Hit>,
    /// A request and its response are two, instead of one.
    responses_count: bool,
}

/// The entries of each group, in their order.
pub(super) type Groups = BTreeMap<Vec<String>, Vec<Entry>>;

impl<'r> Oracle<'r> {
    pub(super) fn new(reading: &'r Reading, hits: Vec<Hit>) -> Self {
        Self { reading, hits, responses_count: false }
    }

    /// Every alert, in no order that means anything.
    pub(super) fn incidents(&self) -> Vec<Incident> {
        let rules = self.reading.rules.iter().filter(|rule| self.is_heard(&rule.header.name));
        let correlations = self.reading.correlations.iter().filter(|it| self.is_heard(&it.header.name));
        let of_rules = rules.flat_map(|rule| incidents(&rule.header, None, self.rule_groups(rule)));
        let of_correlations = correlations.flat_map(|it| incidents(&it.header, Some(it), self.groups(it)));
        of_rules.chain(of_correlations).collect()
    }

    /// A rule that a correlation looks at alerts by itself if one of those says `generate`.
    fn is_heard(&self, name: &str) -> bool {
        let mut looking = self.reading.correlations.iter().filter(|it| it.rules.iter().any(|rule| rule == name));
        looking.clone().next().is_none() || looking.any(|correlation| correlation.generate)
    }

    /// Every event of a group, the responses to requests too.
    pub(super) fn all_entries(&self, analytic: &str, group: &[String]) -> Vec<Entry> {
        let all = Self { reading: self.reading, hits: self.hits.clone(), responses_count: true };
        let correlation = self.reading.correlations.iter().find(|it| it.header.name == analytic);
        let rule = self.reading.rules.iter().find(|it| it.header.name == analytic);
        let groups = correlation.map(|it| all.groups(it)).or(rule.map(|it| all.rule_groups(it)));
        groups.unwrap().remove(group).unwrap_or_default()
    }

    fn rule_groups(&self, rule: &Rule) -> Groups {
        let alert = &rule.header.alert;
        let group = |hit: &Hit| {
            if nanoseconds(alert.suppress()) == 0 {
                return vec![hit.happening.clone()];
            }
            let values = |field| hit.values.get(field).map_or(String::new(), |values| values.join("\n"));
            alert.group_by().map(values).collect()
        };
        let hits = self.hits.iter().filter(|hit| hit.rule == rule.header.name);
        self.sorted(hits.map(|hit| (group(hit), Entry::of(hit, 0, 0, String::new()))))
    }

    /// What a correlation looks at.
    pub(super) fn groups(&self, correlation: &Correlation) -> Groups {
        let mut entries = Vec::new();
        for (role, rule) in correlation.rules.iter().enumerate() {
            let field = |name: &str| {
                let alias = correlation.aliases.iter().find(|alias| alias.name == name);
                let field = alias.and_then(|alias| alias.fields.iter().find(|(of, _)| of == rule));
                field.map_or(name.to_owned(), |(_, field)| field.clone())
            };
            for hit in self.hits_of(rule) {
                let values = |name: &String| hit.values.get(&field(name)).cloned().unwrap_or_default();
                let compared = compared(&correlation.kind, values);
                for group in product(correlation.group_by.iter().map(values).collect()) {
                    let entry = |(which, value): &(usize, String)| Entry::of(&hit, role, *which, value.clone());
                    entries.extend(compared.iter().map(entry).map(|entry| (group.clone(), entry)));
                }
            }
        }
        self.sorted(entries)
    }

    /// The matches of a rule, or the firings of a correlation.
    fn hits_of(&self, name: &str) -> Vec<Hit> {
        let Some(correlation) = self.reading.correlations.iter().find(|it| it.header.name == name) else {
            return self.hits.iter().filter(|hit| hit.rule == name).cloned().collect();
        };
        let mut firings = Vec::new();
        for (group, entries) in self.groups(correlation) {
            for at in (0..entries.len()).filter(|at| fires(correlation, &entries, *at)) {
                let entry = &entries[at];
                let mut values = entry.hit.values.clone();
                values.extend(correlation.group_by.iter().cloned().zip(group.iter().map(|value| vec![value.clone()])));
                let happening = format!("{name} {group:?} {} {} {}", entry.role, entry.happening, entry.value);
                firings.push(Hit { rule: name.to_owned(), happening, values, ..entry.hit.clone() });
            }
        }
        firings
    }

    /// By group, each thing once, when it first happened, and in the order of time and place.
    fn sorted(&self, entries: impl IntoIterator<Item = (Vec<String>, Entry)>) -> Groups {
        let mut groups = Groups::new();
        for (group, entry) in entries {
            groups.entry(group).or_default().push(entry);
        }
        for entries in groups.values_mut() {
            entries.sort_by_key(|entry| (entry.time, entry.place, entry.role));
            let mut seen = BTreeSet::new();
            entries.retain(|entry| {
                let Entry { role, happening, which, value, place, .. } = entry.clone();
                seen.insert((role, happening, which, value, self.responses_count.then_some(place)))
            });
        }
        groups
    }
}

impl Entry {
    fn of(hit: &Hit, role: usize, which: usize, value: String) -> Self {
        let Hit { time, place, happening, .. } = hit.clone();
        Self { time, place, role, value, happening, which, hit: hit.clone() }
    }
}

/// What is compared of an event: its numbers, numbered, or its other values, each once.
fn compared(kind: &CorrelationKind, values: impl Fn(&String) -> Vec<String>) -> Vec<(usize, String)> {
    match kind {
        CorrelationKind::EventCount | CorrelationKind::Temporal | CorrelationKind::TemporalOrdered => {
            vec![(0, String::new())]
        }
        CorrelationKind::ValueCount { .. } | CorrelationKind::FirstSeen { .. } => {
            product(kind.fields().iter().map(values).collect()).iter().map(|values| (0, values.join("\n"))).collect()
        }
        _ => {
            let numbers = kind.fields().iter().flat_map(values).filter(|value| value.parse::<f64>().is_ok());
            numbers.enumerate().collect()
        }
    }
}

fn product(choices: Vec<Vec<String>>) -> Vec<Vec<String>> {
    let mut ways = vec![Vec::new()];
    for choice in choices {
        let distinct: BTreeSet<String> = choice.into_iter().collect();
        ways = ways
            .iter()
            .flat_map(|way| distinct.iter().map(move |value| [way.as_slice(), std::slice::from_ref(value)].concat()))
            .collect();
    }
    ways
}

/// The entries that lie at most a timespan before one, itself included.
fn within(entries: &[Entry], at: usize, timespan: i64) -> Vec<&Entry> {
    entries[..=at].iter().filter(|entry| entries[at].time - entry.time <= timespan).collect()
}

pub(super) fn holds(correlation: &Correlation, entries: &[Entry], at: usize) -> bool {
    let within = within(entries, at, nanoseconds(correlation.timespan));
    let distinct = |of: &dyn Fn(&Entry) -> String| within.iter().map(|entry| of(entry)).collect::<BTreeSet<_>>().len();
    let numbers = || within.iter().filter_map(|entry| entry.value.parse::<f64>().ok()).collect::<Vec<f64>>();
    let measured = match &correlation.kind {
        CorrelationKind::EventCount => Some(float(within.len())),
        CorrelationKind::ValueCount { .. } => Some(float(distinct(&|entry| entry.value.clone()))),
        CorrelationKind::Temporal => Some(float(distinct(&|entry| entry.role.to_string()))),
        CorrelationKind::TemporalOrdered => Some(float(longest(&within))),
        CorrelationKind::ValueSum { .. } => (!numbers().is_empty()).then(|| numbers().iter().sum()),
        CorrelationKind::ValueAvg { .. } => mean(&numbers()),
        CorrelationKind::ValueMedian { .. } => median(numbers()),
        CorrelationKind::ValuePercentile { percentile, .. } => nearest_rank(&numbers(), as_float(*percentile)),
        CorrelationKind::FirstSeen { warmup, .. } => {
            let began = entries.iter().map(|entry| entry.time).min().unwrap();
            let sightings = within.iter().filter(|entry| entry.value == entries[at].value).count();
            return sightings == 1 && entries[at].time - began >= nanoseconds(*warmup);
        }
    };
    let is_temporal = matches!(correlation.kind, CorrelationKind::Temporal | CorrelationKind::TemporalOrdered);
    let all_rules = Number::Integer(correlation.rules.len().try_into().unwrap());
    let all = Threshold { comparison: Comparison::Eq, negated: false, bound: all_rules };
    let condition = match correlation.condition.as_slice() {
        [] if is_temporal => std::slice::from_ref(&all),
        condition => condition,
    };
    measured.is_some_and(|measured| condition.iter().all(|threshold| satisfies(measured, threshold)))
}

/// The most rules of which entries follow each other in the order of the rules.
fn longest(entries: &[&Entry]) -> usize {
    let mut lengths: Vec<usize> = Vec::new();
    for (at, entry) in entries.iter().enumerate() {
        let before = entries[..at].iter().zip(&lengths).filter(|(before, _)| before.role < entry.role);
        lengths.push(1 + before.map(|(_, length)| *length).max().unwrap_or(0));
    }
    lengths.into_iter().max().unwrap_or(0)
}

fn mean(numbers: &[f64]) -> Option<f64> {
    (!numbers.is_empty()).then(|| numbers.iter().sum::<f64>() / float(numbers.len()))
}

fn median(mut numbers: Vec<f64>) -> Option<f64> {
    numbers.sort_by(f64::total_cmp);
    let half = numbers.len() / 2;
    match numbers.len() {
        0 => None,
        odd if odd % 2 == 1 => Some(numbers[half]),
        _ => mean(&numbers[half - 1..=half]),
    }
}

/// The least number that at least so many percent of all do not exceed.
fn nearest_rank(numbers: &[f64], percentile: f64) -> Option<f64> {
    let share = |bound: &f64| float(numbers.iter().filter(|number| *number <= bound).count()) / float(numbers.len());
    numbers.iter().filter(|bound| share(bound) * 100.0 >= percentile).copied().min_by(f64::total_cmp)
}

fn satisfies(measured: f64, threshold: &Threshold) -> bool {
    let bound = as_float(threshold.bound);
    #[expect(clippy::float_cmp, reason = "the numbers of the tests are exact")]
    let holds = match threshold.comparison {
        Comparison::Eq => measured == bound,
        Comparison::Lt => measured < bound,
        Comparison::Lte => measured <= bound,
        Comparison::Gt => measured > bound,
        Comparison::Gte => measured >= bound,
    };
    holds != threshold.negated
}

/// Whether a run goes on at an entry: the condition held before it as well, and there was no silence of a timespan.
fn goes_on(correlation: &Correlation, entries: &[Entry], at: usize) -> bool {
    let Some(before) = at.checked_sub(1) else { return false };
    let silence = entries[at].time - entries[before].time;
    silence <= nanoseconds(correlation.timespan) && holds(correlation, entries, before)
}

/// Whether the condition becomes true at an entry.
fn fires(correlation: &Correlation, entries: &[Entry], at: usize) -> bool {
    holds(correlation, entries, at) && (is_first_seen(correlation) || !goes_on(correlation, entries, at))
}

fn is_first_seen(correlation: &Correlation) -> bool {
    matches!(correlation.kind, CorrelationKind::FirstSeen { .. })
}

/// What all groups raise. A rule about single events holds at each of them.
fn incidents(header: &Header, correlation: Option<&Correlation>, groups: Groups) -> Vec<Incident> {
    groups.into_iter().flat_map(|(group, entries)| of_group(header, correlation, &group, &entries)).collect()
}

/// What a group raises: an entry at which the condition holds is covered by an incident that was opened within the
/// suppression time or, if there is none, with the same run; of first sightings, by one of the same value.
fn of_group(header: &Header, correlation: Option<&Correlation>, group: &[String], entries: &[Entry]) -> Vec<Incident> {
    let suppress = nanoseconds(header.alert.suppress());
    let by_value = correlation.is_some_and(is_first_seen);
    let mut incidents: Vec<(Incident, &str)> = Vec::new();
    let mut counted = BTreeSet::new();
    for at in (0..entries.len()).filter(|at| correlation.is_none_or(|it| holds(it, entries, *at))) {
        let entry = &entries[at];
        let covers = |(incident, value): &(Incident, &str)| match correlation {
            Some(correlation) if suppress == 0 && !by_value => goes_on(correlation, entries, at),
            _ => entry.time - incident.opened <= suppress && (!by_value || *value == entry.value),
        };
        let covering = incidents.iter().rposition(covers).unwrap_or_else(|| {
            incidents.push((Incident::opened_by(&header.name, group, entry), &entry.value));
            incidents.len() - 1
        });
        let timespan = correlation.map_or(0, |it| nanoseconds(it.timespan));
        let first = if by_value { at } else { at + 1 - within(entries, at, timespan).len() };
        for other in (first..=at).filter(|other| counted.insert(*other)) {
            incidents[covering].0.count(&entries[other]);
        }
    }
    incidents.into_iter().map(|(incident, _)| incident).collect()
}

impl Incident {
    fn opened_by(analytic: &str, group: &[String], entry: &Entry) -> Self {
        let Entry { time, .. } = *entry;
        let (analytic, group) = (analytic.to_owned(), group.to_vec());
        Self { analytic, group, opened: time, first: time, last: time, count: 0 }
    }

    fn count(&mut self, entry: &Entry) {
        self.count += 1;
        self.first = self.first.min(entry.time);
        self.last = self.last.max(entry.time);
    }
}

pub(super) fn nanoseconds(timespan: Timespan) -> i64 {
    timespan.duration().as_nanos().try_into().unwrap()
}

fn float(count: usize) -> f64 {
    u32::try_from(count).unwrap().into()
}

fn as_float(number: Number) -> f64 {
    number.to_string().parse().unwrap()
}
