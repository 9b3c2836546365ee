//! Matches -> what each window is to be told of.

use std::collections::BTreeMap;
use std::sync::Arc;

use uuid::Uuid;

use super::Nanoseconds;
use super::entry::{Entry, EntryValue, Marks};
use super::group::{Group, HashKey, OwnedValue};
use super::plan::{Feed, Grouping, LOG, Plan, SpecId};
use super::spec::Measure;
use super::window::Firing;
use crate::audit::AuditEvent;
use crate::number::Number;
use crate::payload::EventRef;

/// How many groups, or values, one match may have: arrays multiply.
const MOST_COMBINATIONS: usize = 100;

/// That an event satisfied a rule, or that a correlation fired.
#[derive(Debug, Clone)]
pub struct Match {
    /// Of what.
    pub source: SpecId,
    /// What the request and its response share.
    pub happening: Uuid,
    /// When it happened by Vault's own clock, in nanoseconds since 1970.
    pub time: Nanoseconds,
    /// Where the event stands.
    pub event: EventRef,
    /// The place of the event among those of its batch.
    pub place: usize,
    /// The values by which it is grouped and compared.
    pub values: Arc<MatchValues>,
}

/// The values of an event's fields, by name; what is absent or null is not there.
#[derive(Debug, Clone, Default)]
pub struct MatchValues(Vec<(Arc<str>, Vec<OwnedValue>)>);

/// What a window is to be told of.
#[derive(Debug, Clone)]
pub struct Contribution {
    /// Whose window it is.
    pub spec: SpecId,
    /// Which one.
    pub group: Group,
    /// What the group is named by.
    pub named: Vec<Named>,
    /// In the order of the batch.
    pub entries: Vec<Entry>,
    /// For each entry, the match that it is of.
    pub matches: Vec<Match>,
}

/// A field by which a group is named.
#[derive(Debug, Clone, PartialEq)]
pub struct Named {
    /// As the rule names it.
    pub name: String,
    /// The field itself, if `name` is an alias: what may be shown of its values depends on it.
    pub field: String,
    /// Its values in this group.
    pub values: Vec<OwnedValue>,
}

/// What came of assigning matches to windows.
#[derive(Debug, Default)]
pub struct Contributions {
    /// By spec and group.
    pub windows: BTreeMap<(SpecId, [u8; 16]), Contribution>,
    /// How many times a match took no part in a correlation because a value to group by, or to compare, was absent.
    pub without_value: usize,
}

impl Named {
    fn new(name: &str, field: &str, values: Vec<OwnedValue>) -> Self {
        Self { name: name.to_owned(), field: field.to_owned(), values }
    }
}

impl MatchValues {
    /// Keeps the values of an event that was read with the plan's fields.
    #[must_use]
    pub fn of(plan: &Plan, event: &AuditEvent<'_>) -> Self {
        let kept = plan.kept().filter(|(slot, _)| event.is_present(*slot)).filter_map(|(slot, name)| {
            let values: Vec<OwnedValue> = event.values(slot).filter_map(OwnedValue::of).collect();
            (!values.is_empty()).then(|| (Arc::clone(name), values))
        });
        Self(kept.collect())
    }

    /// Of a log event that cannot be read, where it is from is all that is known.
    #[must_use]
    pub fn of_log(parts: &[&str]) -> Self {
        let parts = parts.iter().map(|part| OwnedValue::Text((*part).to_owned())).collect();
        Self(vec![(Arc::from(LOG), parts)])
    }

    fn set(&mut self, field: &str, values: Vec<OwnedValue>) {
        match self.0.iter_mut().find(|(name, _)| **name == *field) {
            Some((_, known)) => *known = values,
            None => self.0.push((Arc::from(field), values)),
        }
    }

    /// The values of a field.
    #[must_use]
    pub fn get(&self, field: &str) -> &[OwnedValue] {
        // Few, so that looking through them is as fast as hashing.
        self.0.iter().find(|(name, _)| **name == *field).map_or(&[], |(_, values)| values.as_slice())
    }
}

impl Contributions {
    /// Assigns matches to the windows that are looked at in a pass.
    #[must_use]
    pub fn of(plan: &Plan, matches: &[Match], pass: usize) -> Self {
        let mut contributions = Self::default();
        for found in matches {
            for feed in plan.feeds(found.source).iter().filter(|feed| plan.pass(feed.into) == pass) {
                contributions.add(plan, found, feed);
            }
        }
        contributions
    }

    fn add(&mut self, plan: &Plan, found: &Match, feed: &Feed) {
        let Some(spec) = plan.spec(feed.into) else { return };
        let groups = groups(found, &feed.grouping);
        let values = values(found, feed, plan.key());
        if groups.is_empty() || values.is_empty() {
            self.without_value += 1;
            return;
        }
        for named in groups {
            let by: Vec<Vec<OwnedValue>> = named.iter().map(|named| named.values.clone()).collect();
            let group = Group::of(spec.analytic, &by, plan.key());
            let contribution = self.windows.entry((feed.into, group.hash)).or_insert_with(|| Contribution {
                spec: feed.into,
                group,
                named,
                entries: Vec::new(),
                matches: Vec::new(),
            });
            for (id, value) in &values {
                contribution.entries.push(Entry {
                    time: found.time,
                    id: *id,
                    rule: feed.role,
                    value: *value,
                    event: found.event.clone(),
                    marks: Marks::default(),
                });
                contribution.matches.push(found.clone());
            }
        }
    }
}

impl Contribution {
    /// A firing of this window as a match for other correlations.
    #[must_use]
    pub fn fired(&self, firing: &Firing) -> Option<Match> {
        let at = self.entries.iter().rposition(|entry| entry.identity() == firing.entry.identity());
        let own = at.and_then(|at| self.matches.get(at));
        // Of an event that is not at hand, what is known is what its group is named by.
        let mut values = own.map(|own| MatchValues::clone(&own.values)).unwrap_or_default();
        for Named { name, field, values: named } in &self.named {
            values.set(field, named.clone());
            values.set(name, named.clone());
        }
        let (rule, id) = firing.entry.identity();
        let name = [rule.to_be_bytes().as_slice(), id.to_be_bytes().as_slice()].concat();
        Some(Match {
            source: self.spec,
            happening: Uuid::new_v5(&self.group.id, &name),
            time: firing.entry.time,
            event: firing.entry.event.clone(),
            place: own.or(self.matches.last())?.place,
            values: Arc::new(values),
        })
    }

    /// The match that an incident's alert tells of: the one that opened it, or else the last one.
    #[must_use]
    pub fn telling(&self, opener: (u16, u64)) -> Option<&Match> {
        let at = self.entries.iter().position(|entry| entry.identity() == opener);
        at.map_or_else(|| self.matches.last(), |at| self.matches.get(at))
    }
}

/// The groups that a match belongs to: none if a value is missing that must be there.
fn groups(found: &Match, grouping: &Grouping) -> Vec<Vec<Named>> {
    match grouping {
        Grouping::Happening => {
            vec![vec![Named::new("happening", "happening", vec![OwnedValue::Text(found.happening.to_string())])]]
        }
        Grouping::Fields(fields) => {
            vec![fields.iter().map(|field| Named::new(field, field, found.values.get(field).to_vec())).collect()]
        }
        Grouping::Correlated(fields) => {
            let choices: Vec<&[OwnedValue]> = fields.iter().map(|(field, _)| found.values.get(field)).collect();
            let combinations = combinations(&choices).into_iter();
            let named = |combination: Vec<OwnedValue>| {
                let named = fields.iter().zip(combination);
                named.map(|((field, name), value)| Named::new(name, field, vec![value])).collect()
            };
            combinations.map(named).collect()
        }
    }
}

/// The values of a match that are compared, each with what tells it apart: none if there is nothing to compare.
fn values(found: &Match, feed: &Feed, key: &HashKey) -> Vec<(u64, Option<EntryValue>)> {
    let choices: Vec<&[OwnedValue]> = feed.values.iter().map(|field| found.values.get(field)).collect();
    match feed.measure {
        Measure::DistinctValues | Measure::FirstSeen { .. } => {
            let distinct = combinations(&choices).into_iter().map(|values| {
                let hash = key.values(&values);
                (identity(found.happening, &hash.to_be_bytes()), Some(EntryValue::Distinct(hash)))
            });
            distinct.collect()
        }
        Measure::Sum | Measure::Average | Measure::Percentile(_) | Measure::Median => {
            let numbers = choices.into_iter().flatten().filter_map(number).take(MOST_COMBINATIONS);
            let numbered = (0_u64..).zip(numbers).map(|(place, number)| {
                (identity(found.happening, &place.to_be_bytes()), Some(EntryValue::Number(number)))
            });
            numbered.collect()
        }
        Measure::Count | Measure::DistinctRules { .. } | Measure::OrderedRules { .. } => {
            vec![(identity(found.happening, &[]), None)]
        }
    }
}

fn identity(happening: Uuid, value: &[u8]) -> u64 {
    let (high, low) = Uuid::new_v5(&happening, value).as_u64_pair();
    high ^ low
}

fn number(value: &OwnedValue) -> Option<Number> {
    match value {
        OwnedValue::Number(number) => Some(*number),
        OwnedValue::Text(text) => Number::parse(text),
        OwnedValue::Bool(_) => None,
    }
}

/// Every way to take one of each; a value that occurs twice is one.
fn combinations(choices: &[&[OwnedValue]]) -> Vec<Vec<OwnedValue>> {
    let mut combinations: Vec<Vec<OwnedValue>> = vec![Vec::new()];
    for choice in choices {
        let mut longer: Vec<Vec<OwnedValue>> = Vec::new();
        for (combination, value) in
            combinations.iter().flat_map(|before| choice.iter().map(move |value| (before, value)))
        {
            let combination = [combination.as_slice(), std::slice::from_ref(value)].concat();
            if longer.len() < MOST_COMBINATIONS && !longer.contains(&combination) {
                longer.push(combination);
            }
        }
        combinations = longer;
    }
    combinations
}
