//! Rules x event -> matches: all rules compiled together, evaluated in one go.
//!
//! The tests of all rules become predicates, each one once.
//! Every field has one matcher for the predicates of all rules; what it finds are bits.
//! Only rules of which a rare necessary bit is set have their condition evaluated, so that the cost of an event
//! hardly depends on the number of rules.

use std::sync::Arc;

use crate::audit::{AuditEvent, FieldTable, Slot, Value};
use crate::rule::Rule;

use bits::Bits;
use compile::CompiledRule;
use keywords::KeywordMatcher;
use matcher::{FieldMatcher, MemberBuffers};
use predicate::{Predicate, PredicateId};

mod bits;
mod compile;
mod expression;
mod gate;
mod keywords;
mod literals;
mod matcher;
mod necessary;
pub(crate) mod pattern;
mod predicate;
pub mod trace;

/// Rules, compiled together.
#[derive(Debug)]
pub struct RuleSet {
    rules: Vec<CompiledRule>,
    fields: FieldTable,
    predicates: Vec<Predicate>,
    /// By slot; none for what is read for other reasons.
    matchers: Vec<Option<FieldMatcher>>,
    /// What holds where a slot has no value.
    absent: Vec<(Slot, PredicateId)>,
    keywords: Option<KeywordMatcher>,
    /// Per predicate, the rules for which it is a necessary one.
    waiting: Vec<Vec<RuleId>>,
    /// Rules without a necessary predicate.
    always: Vec<RuleId>,
}

/// Index of a rule in its [`RuleSet`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RuleId(u32);

/// The memory that evaluation uses again for every event.
#[derive(Debug, Default)]
pub struct Scratch {
    bits: Bits,
    seen: Bits,
    candidates: Vec<RuleId>,
    matched: Vec<RuleId>,
    members: MemberBuffers,
}

/// A field that made a rule match, with the values that did.
#[derive(Debug, Clone, PartialEq)]
pub struct MatchedField<'e> {
    /// As the rule names it; none for keywords, which look everywhere.
    pub field: Option<&'e str>,
    /// In the order of the event.
    pub values: Vec<Value<'e>>,
}

impl RuleId {
    /// The rule at this place among those that were compiled, from 0.
    #[must_use]
    pub fn at(place: usize) -> Self {
        Self(u32::try_from(place).unwrap_or(u32::MAX))
    }

    /// Its place among the rules that were compiled, from 0.
    #[must_use]
    pub fn place(self) -> usize {
        self.0 as usize
    }
}

impl RuleSet {
    /// The fields that reading an event must extract for these rules.
    #[must_use]
    pub fn fields(&self) -> &FieldTable {
        &self.fields
    }

    /// How many rules there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rules.len()
    }

    /// Whether there is no rule at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// The rules, in the order compiled.
    pub fn rules(&self) -> impl Iterator<Item = (RuleId, &Arc<Rule>)> {
        (0..).map(RuleId).zip(self.rules.iter().map(|compiled| &compiled.rule))
    }

    /// A rule of this set.
    #[must_use]
    pub fn rule(&self, id: RuleId) -> Option<&Arc<Rule>> {
        Some(&self.rules.get(id.0 as usize)?.rule)
    }

    /// The rules that an event matches, in the order compiled.
    ///
    /// The event must have been read with this set's [`fields`](Self::fields).
    pub fn evaluate<'s>(&self, event: &AuditEvent<'_>, scratch: &'s mut Scratch) -> &'s [RuleId] {
        self.find(event, scratch);
        self.collect_candidates(scratch);
        scratch.matched.clear();
        for id in &scratch.candidates {
            if self.rules.get(id.0 as usize).is_some_and(|rule| rule.holds(&scratch.bits)) {
                scratch.matched.push(*id);
            }
        }
        scratch.matched.sort_unstable();
        &scratch.matched
    }

    /// Why a rule matched: the fields of its positive tests that hold, with the values that made them.
    ///
    /// Meant for the rare event that matched; this evaluates the rule's tests one by one.
    #[must_use]
    pub fn matched_fields<'e>(&'e self, id: RuleId, event: &AuditEvent<'e>) -> Vec<MatchedField<'e>> {
        let mut scratch = Scratch::default();
        self.find(event, &mut scratch);
        let Some(rule) = self.rules.get(id.0 as usize) else { return Vec::new() };
        let mut fields: Vec<MatchedField<'e>> = Vec::new();
        for predicate in rule.reasons(&scratch.bits).into_iter().filter_map(|id| self.predicates.get(id.index())) {
            let field = predicate.field.as_deref();
            let values = predicate.matching_values(event);
            match fields.iter_mut().find(|known| known.field == field) {
                Some(known) => known.values.extend(values),
                None => fields.push(MatchedField { field, values }),
            }
        }
        for field in &mut fields {
            dedup_in_order(&mut field.values);
        }
        fields
    }

    /// Sets the bits of all predicates that hold.
    fn find(&self, event: &AuditEvent<'_>, scratch: &mut Scratch) {
        scratch.bits.reset(self.predicates.len());
        for (_, id) in self.absent.iter().filter(|(slot, _)| !event.is_present(*slot)) {
            scratch.bits.insert(id.index());
        }
        // Most of the fields that the rules of a whole pack look at are not in one event.
        for slot in event.present() {
            if let Some(Some(matcher)) = self.matchers.get(slot.index()) {
                matcher.find(slot, event, &self.predicates, &mut scratch.members, &mut scratch.bits);
            }
        }
        if let Some(keywords) = &self.keywords {
            keywords.find(event, &self.predicates, &mut scratch.members, &mut scratch.bits);
        }
    }

    /// The rules that can match, given the bits.
    fn collect_candidates(&self, scratch: &mut Scratch) {
        scratch.candidates.clear();
        scratch.candidates.extend(&self.always);
        scratch.seen.reset(self.rules.len());
        for predicate in scratch.bits.ones() {
            for rule in self.waiting.get(predicate).into_iter().flatten() {
                if scratch.seen.insert(rule.0 as usize) {
                    scratch.candidates.push(*rule);
                }
            }
        }
    }
}

/// Values are few, so that a set would cost more than it saves.
fn dedup_in_order(values: &mut Vec<Value<'_>>) {
    let mut kept: Vec<Value<'_>> = Vec::with_capacity(values.len());
    for value in values.drain(..) {
        if !kept.contains(&value) {
            kept.push(value);
        }
    }
    *values = kept;
}
