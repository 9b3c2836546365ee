//! Rules and correlations -> which match goes into which windows.

use std::sync::Arc;

use hashbrown::{HashMap, HashSet};
use uuid::Uuid;

use super::group::HashKey;
use super::spec::{Measure, WindowSpec};
use super::{Nanoseconds, SECOND};
use crate::audit::{FieldTable, FieldTableBuilder, Slot};
use crate::detect::RuleId;
use crate::number::Number;
use crate::rule::{Comparison, Correlation, CorrelationKind, Rule, Threshold, Timespan};

/// Stands for the log stream, or the file, among the values of a match.
pub(super) const LOG: &str = "log";

/// For how long log events that cannot be read are counted instead of alerted again.
const UNREADABLE_SUPPRESSION: Nanoseconds = 3600 * SECOND;

/// What to remember of matches, and where.
#[derive(Debug)]
pub struct Plan {
    /// Of the rules, in their order, then of the correlations, in theirs, then of what is no rule.
    specs: Vec<WindowSpec>,
    /// How many of `specs` are rules.
    rules: usize,
    /// How many of `specs` are correlations.
    correlations: usize,
    /// For each of `specs`, where its matches go.
    feeds: Vec<Vec<Feed>>,
    /// For each of `specs`, after how many others it can be looked at.
    passes: Vec<usize>,
    /// What a match is read with.
    fields: FieldTable,
    /// Its fields by name: every match keeps the names of those that it has.
    kept: Vec<(Slot, Arc<str>)>,
    key: HashKey,
}

/// What a match can be of, and a window for: a rule, or a correlation. Index into the specs of a [`Plan`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SpecId(pub(super) usize);

/// What a spec is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum About {
    /// A rule about single events.
    Rule(RuleId),
    /// A correlation, by its place among them.
    Correlation(usize),
    /// Log events that cannot be read.
    Unreadable,
}

/// That the matches of a rule, or the firings of a correlation, go into the windows of one spec.
#[derive(Debug)]
pub(super) struct Feed {
    pub(super) into: SpecId,
    /// Which of the rules that the correlation looks at they are of.
    pub(super) role: u16,
    pub(super) grouping: Grouping,
    /// The fields that it compares.
    pub(super) values: Vec<String>,
    pub(super) measure: Measure,
}

/// What makes matches belong together.
#[derive(Debug)]
pub(super) enum Grouping {
    /// For a rule: these fields' values, whether or not they are there.
    Fields(Vec<String>),
    /// For a rule without suppression: nothing but being the same.
    Happening,
    /// For a correlation: these fields' values, which must be there; of several values each is one.
    /// The second name is the one that the correlation goes by.
    Correlated(Vec<(String, String)>),
}

impl Plan {
    /// For rules and correlations, in their orders, and log events that cannot be read, which go by the id `unreadable`.
    #[must_use]
    pub fn compile(rules: &[&Rule], correlations: &[Correlation], unreadable: Uuid, key: HashKey) -> Self {
        let names: HashMap<&str, SpecId> = (rules.iter().map(|rule| rule.header.name.as_str()))
            .chain(correlations.iter().map(|correlation| correlation.header.name.as_str()))
            .zip((0..).map(SpecId))
            .collect();
        let muted = muted(correlations);
        let is_heard = |name: &str| !muted.contains(name);
        let specs = (rules.iter().map(|rule| of_rule(rule, is_heard(&rule.header.name)))).chain(
            correlations.iter().map(|correlation| of_correlation(correlation, is_heard(&correlation.header.name))),
        );
        let unreadable = single(unreadable, UNREADABLE_SUPPRESSION, true);
        let mut plan = Self {
            specs: specs.chain(std::iter::once(unreadable)).collect(),
            rules: rules.len(),
            correlations: correlations.len(),
            feeds: Vec::new(),
            passes: Vec::new(),
            fields: FieldTableBuilder::default().build(),
            kept: Vec::new(),
            key,
        };
        plan.feeds.resize_with(plan.specs.len(), Vec::new);
        plan.passes.resize(plan.specs.len(), 0);
        plan.feed_rules(rules);
        plan.feed_correlations(correlations, &names);
        plan.feed_unreadable();
        plan.order(correlations, &names);
        plan.fields = plan.field_table();
        let kept = plan.fields.names().filter_map(|name| Some((plan.fields.slot(name)?, Arc::from(name))));
        plan.kept = kept.collect();
        plan
    }

    /// What a match must be read with.
    #[must_use]
    pub fn fields(&self) -> &FieldTable {
        &self.fields
    }

    /// The values that a match keeps: of these fields, as far as the event has them.
    pub(super) fn kept(&self) -> impl Iterator<Item = (Slot, &Arc<str>)> {
        self.kept.iter().map(|(slot, name)| (*slot, name))
    }

    /// The key of the hashes in windows.
    #[must_use]
    pub fn key(&self) -> &HashKey {
        &self.key
    }

    /// What the windows of a rule or a correlation look for.
    #[must_use]
    pub fn spec(&self, id: SpecId) -> Option<&WindowSpec> {
        self.specs.get(id.0)
    }

    /// By the analytic's id.
    #[must_use]
    pub fn find(&self, analytic: Uuid) -> Option<SpecId> {
        self.specs.iter().position(|spec| spec.analytic == analytic).map(SpecId)
    }

    /// What it is about.
    #[must_use]
    pub fn about(&self, id: SpecId) -> About {
        match id.0.checked_sub(self.rules) {
            None => About::Rule(RuleId::at(id.0)),
            Some(place) if place < self.correlations => About::Correlation(place),
            Some(_) => About::Unreadable,
        }
    }

    /// Of a rule.
    #[must_use]
    pub fn of_rule(&self, rule: RuleId) -> SpecId {
        SpecId(rule.place())
    }

    /// Of log events that cannot be read.
    #[must_use]
    pub fn of_unreadable(&self) -> SpecId {
        SpecId(self.rules + self.correlations)
    }

    /// How often windows are looked at, one after the other: correlations of correlations wait for those.
    #[must_use]
    pub fn passes(&self) -> usize {
        self.passes.iter().max().map_or(1, |last| last + 1)
    }

    pub(super) fn pass(&self, id: SpecId) -> usize {
        self.passes.get(id.0).copied().unwrap_or_default()
    }

    pub(super) fn feeds(&self, source: SpecId) -> &[Feed] {
        self.feeds.get(source.0).map_or(&[], Vec::as_slice)
    }

    fn feed_rules(&mut self, rules: &[&Rule]) {
        for (place, rule) in rules.iter().enumerate() {
            let Some(spec) = self.specs.get(place).filter(|spec| spec.alerts) else { continue };
            let grouping = if spec.suppress == 0 {
                Grouping::Happening
            } else {
                Grouping::Fields(rule.header.alert.group_by().map(str::to_owned).collect())
            };
            let feed = Feed { into: SpecId(place), role: 0, grouping, values: Vec::new(), measure: spec.measure };
            self.add_feed(SpecId(place), feed);
        }
    }

    fn feed_correlations(&mut self, correlations: &[Correlation], names: &HashMap<&str, SpecId>) {
        for (correlation, place) in correlations.iter().zip(self.rules..) {
            let Some(measure) = self.specs.get(place).map(|spec| spec.measure) else { continue };
            for (role, name) in (0..).zip(&correlation.rules) {
                let Some(source) = names.get(name.as_str()) else { continue };
                let field = |name_here: &String| resolve(correlation, name, name_here);
                let group_by = correlation.group_by.iter().map(|name| (field(name), name.clone()));
                let feed = Feed {
                    into: SpecId(place),
                    role,
                    grouping: Grouping::Correlated(group_by.collect()),
                    values: correlation.kind.fields().iter().map(field).collect(),
                    measure,
                };
                self.add_feed(*source, feed);
            }
        }
    }

    /// Those of one log stream, or of one file, belong together.
    fn feed_unreadable(&mut self) {
        let id = self.of_unreadable();
        let grouping = Grouping::Fields(vec![LOG.to_owned()]);
        self.add_feed(id, Feed { into: id, role: 0, grouping, values: Vec::new(), measure: Measure::Count });
    }

    fn add_feed(&mut self, source: SpecId, feed: Feed) {
        if source != feed.into
            && let Some(spec) = self.specs.get_mut(source.0)
        {
            spec.feeds = true;
        }
        if let Some(feeds) = self.feeds.get_mut(source.0) {
            feeds.push(feed);
        }
    }

    /// The reader refuses circles, so that this comes to an end.
    fn order(&mut self, correlations: &[Correlation], names: &HashMap<&str, SpecId>) {
        for _ in correlations {
            for (correlation, place) in correlations.iter().zip(self.rules..) {
                let before = correlation.rules.iter().filter_map(|name| names.get(name.as_str()));
                let pass = before.filter(|id| id.0 >= self.rules).map(|id| self.pass(*id) + 1).max();
                if let Some(own) = self.passes.get_mut(place) {
                    *own = pass.unwrap_or_default();
                }
            }
        }
    }

    fn field_table(&self) -> FieldTable {
        let mut table = FieldTableBuilder::default();
        for field in ["request.id", "request.remote_address"] {
            table.slot(field);
        }
        for feed in self.feeds.iter().flatten() {
            let grouping = match &feed.grouping {
                Grouping::Fields(fields) => fields.iter().collect(),
                Grouping::Happening => Vec::new(),
                Grouping::Correlated(fields) => fields.iter().map(|(field, _)| field).collect::<Vec<_>>(),
            };
            for field in grouping.into_iter().chain(&feed.values) {
                table.slot(field);
            }
        }
        table.build()
    }
}

/// The names of what does not alert by itself, because a correlation looks at it.
fn muted(correlations: &[Correlation]) -> HashSet<&str> {
    let looked_at = |generate: bool| {
        let correlations = correlations.iter().filter(move |correlation| correlation.generate == generate);
        correlations.flat_map(|correlation| correlation.rules.iter().map(String::as_str))
    };
    let heard: HashSet<&str> = looked_at(true).collect();
    looked_at(false).filter(|name| !heard.contains(name)).collect()
}

/// The field that a correlation means in the events of one of its rules.
#[must_use]
pub fn resolve(correlation: &Correlation, rule: &str, name: &str) -> String {
    let alias = correlation.aliases.iter().find(|alias| alias.name == name);
    let field = alias.and_then(|alias| alias.fields.iter().find(|(of, _)| of == rule));
    field.map_or(name, |(_, field)| field).to_owned()
}

fn of_rule(rule: &Rule, alerts: bool) -> WindowSpec {
    single(rule.header.id, nanoseconds(rule.header.alert.suppress()), alerts)
}

/// At least one event, within no time at all.
fn single(analytic: Uuid, suppress: Nanoseconds, alerts: bool) -> WindowSpec {
    let one = Threshold { comparison: Comparison::Gte, negated: false, bound: Number::Integer(1) };
    WindowSpec { analytic, measure: Measure::Count, thresholds: vec![one], timespan: 0, suppress, alerts, feeds: false }
}

fn of_correlation(correlation: &Correlation, alerts: bool) -> WindowSpec {
    let of = correlation.rules.len();
    let measure = match &correlation.kind {
        CorrelationKind::EventCount => Measure::Count,
        CorrelationKind::ValueCount { .. } => Measure::DistinctValues,
        CorrelationKind::Temporal => Measure::DistinctRules { of },
        CorrelationKind::TemporalOrdered => Measure::OrderedRules { of },
        CorrelationKind::ValueSum { .. } => Measure::Sum,
        CorrelationKind::ValueAvg { .. } => Measure::Average,
        CorrelationKind::ValuePercentile { percentile, .. } => Measure::Percentile(*percentile),
        CorrelationKind::ValueMedian { .. } => Measure::Median,
        CorrelationKind::FirstSeen { warmup, .. } => Measure::FirstSeen { warmup: nanoseconds(*warmup) },
    };
    WindowSpec {
        analytic: correlation.header.id,
        measure,
        thresholds: correlation.condition.clone(),
        timespan: nanoseconds(correlation.timespan),
        suppress: nanoseconds(correlation.header.alert.suppress()),
        alerts,
        feeds: false,
    }
}

fn nanoseconds(timespan: Timespan) -> Nanoseconds {
    timespan.duration().as_nanos().try_into().unwrap_or(Nanoseconds::MAX)
}
