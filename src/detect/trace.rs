//! The same evaluation, recorded: which parts of a rule held, on which values, and why the others did not.
//!
//! There is no second evaluator. Every verdict here is read off the bits that the shared matchers set; only the reason
//! of a miss, which decides nothing, is worked out afterwards.

use super::bits::Bits;
use super::compile::{CompiledRule, linked};
use super::expression::Expression;
use super::predicate::Predicate;
use super::{RuleId, RuleSet, Scratch};
use crate::audit::{AuditEvent, Value};
use crate::rule::{Body, Condition, Item, Keywords, Search, Test};

pub use miss::Miss;

mod miss;

/// What became of one rule on one event.
#[derive(Debug, Clone)]
pub struct Trace<'e> {
    /// Whether the rule matches, as [`RuleSet::evaluate`] says.
    pub matched: bool,
    /// What joins the searches.
    pub condition: ConditionTrace,
    /// In the order of the rule's searches, whether or not the condition came to them.
    pub searches: Vec<SearchTrace<'e>>,
}

/// A part of the condition.
#[derive(Debug, Clone)]
pub struct ConditionTrace {
    /// Whether it is true.
    pub held: bool,
    /// What it consists of.
    pub part: ConditionPart,
}

/// What a part of a condition consists of; see [`Condition`].
#[derive(Debug, Clone)]
pub enum ConditionPart {
    /// Index into [`Trace::searches`].
    Search(usize),
    /// Negation.
    Not(Box<ConditionTrace>),
    /// All must hold.
    And(Vec<ConditionTrace>),
    /// One must hold.
    Or(Vec<ConditionTrace>),
}

/// One search.
#[derive(Debug, Clone)]
pub struct SearchTrace<'e> {
    /// The search of the rule.
    pub search: &'e Search,
    /// What it looks for.
    pub body: BodyTrace<'e>,
}

/// A part of a search.
#[derive(Debug, Clone)]
pub struct BodyTrace<'e> {
    /// Whether it is in the event.
    pub held: bool,
    /// What it consists of.
    pub part: BodyPart<'e>,
}

/// What a part of a search consists of; see [`Body`].
#[derive(Debug, Clone)]
pub enum BodyPart<'e> {
    /// All must hold.
    AllOf(Vec<BodyTrace<'e>>),
    /// One must hold.
    AnyOf(Vec<BodyTrace<'e>>),
    /// A field and what its value must satisfy.
    Item(ItemTrace<'e>),
    /// Words looked for in the whole event.
    Keywords(KeywordsTrace<'e>),
}

/// One item, with what the event has in its field.
#[derive(Debug, Clone)]
pub struct ItemTrace<'e> {
    /// The item of the rule.
    pub item: &'e Item,
    /// Every value of the field, in the order of the event; none if the field is absent.
    pub values: Vec<Value<'e>>,
    /// In the order of the item's tests. That the item is negated is not in their verdicts.
    pub tests: Vec<TestTrace<'e>>,
}

/// One test, with the values that passed it.
#[derive(Debug, Clone)]
pub struct TestTrace<'e> {
    /// The test of the rule.
    pub test: &'e Test,
    /// Whether it is passed.
    pub held: bool,
    /// Indices into [`ItemTrace::values`].
    pub passed_by: Vec<usize>,
    /// Why it is not passed, judged by the value that came nearest; none if it is.
    pub miss: Option<Miss>,
    /// What the other field of a `fieldref` holds.
    pub reference: Vec<Value<'e>>,
}

/// A keyword search. Where a word was found is not told: it may be in a secret.
#[derive(Debug, Clone)]
pub struct KeywordsTrace<'e> {
    /// The words of the rule.
    pub keywords: &'e Keywords,
    /// For each word, whether it is in the event.
    pub found: Vec<bool>,
}

impl RuleSet {
    /// Evaluates an event as [`evaluate`](Self::evaluate) does, and records what became of one rule; none if the rule
    /// is not of this set.
    ///
    /// The event must have been read with this set's [`fields`](Self::fields).
    #[must_use]
    pub fn trace<'e>(&'e self, id: RuleId, event: &AuditEvent<'e>) -> Option<Trace<'e>> {
        let rule = self.rules.get(id.0 as usize)?;
        let mut scratch = Scratch::default();
        let matched = self.evaluate(event, &mut scratch).contains(&id);
        let recorder = Recorder { predicates: &self.predicates, bits: &scratch.bits, event };
        let searches = rule.rule.detection.searches.iter().zip(&rule.searches);
        Some(Trace {
            matched,
            condition: condition(rule, &rule.condition, &scratch.bits),
            searches: searches.map(|(search, compiled)| recorder.search(search, compiled)).collect(),
        })
    }
}

fn condition(rule: &CompiledRule, written: &Condition, bits: &Bits) -> ConditionTrace {
    let inner = |inner: &Condition| condition(rule, inner, bits);
    ConditionTrace {
        held: rule.condition_holds(written, bits),
        part: match written {
            Condition::Search(index) => ConditionPart::Search(*index),
            Condition::Not(negated) => ConditionPart::Not(Box::new(inner(negated))),
            Condition::And(all) => ConditionPart::And(all.iter().map(inner).collect()),
            Condition::Or(any) => ConditionPart::Or(any.iter().map(inner).collect()),
        },
    }
}

/// Goes through a rule as written and as compiled side by side; both have the same shape.
struct Recorder<'e, 's> {
    predicates: &'e [Predicate],
    bits: &'s Bits,
    event: &'s AuditEvent<'e>,
}

impl<'e> Recorder<'e, '_> {
    fn search(&self, search: &'e Search, compiled: &Expression) -> SearchTrace<'e> {
        SearchTrace { search, body: self.body(&search.body, compiled) }
    }

    fn body(&self, body: &'e Body, compiled: &Expression) -> BodyTrace<'e> {
        let all = |bodies: &'e [Body]| {
            let parts = bodies.iter().zip(compiled.parts());
            parts.map(|(body, compiled)| self.body(body, compiled)).collect()
        };
        let part = match body {
            Body::AllOf(bodies) => BodyPart::AllOf(all(bodies)),
            Body::AnyOf(bodies) => BodyPart::AnyOf(all(bodies)),
            Body::Item(item) => BodyPart::Item(self.item(item, compiled)),
            Body::Keywords(keywords) => {
                let tests = linked(compiled, keywords.tests.len());
                BodyPart::Keywords(KeywordsTrace {
                    keywords,
                    found: tests.iter().map(|test| self.holds(test)).collect(),
                })
            }
        };
        BodyTrace { held: self.holds(compiled), part }
    }

    fn item(&self, item: &'e Item, compiled: &Expression) -> ItemTrace<'e> {
        let compiled = if item.negated { compiled.negated() } else { compiled };
        let tests: Vec<(&Test, &Expression)> = item.tests.iter().zip(linked(compiled, item.tests.len())).collect();
        let slot = tests.iter().find_map(|(_, test)| self.predicate(test)?.slot);
        let values: Vec<Value<'e>> = slot.into_iter().flat_map(|slot| self.event.values(slot)).collect();
        let tests = tests.into_iter().map(|(test, compiled)| self.test(test, compiled, &values)).collect();
        ItemTrace { item, values, tests }
    }

    fn test(&self, test: &'e Test, compiled: &Expression, values: &[Value<'e>]) -> TestTrace<'e> {
        let held = self.holds(compiled);
        let Some(predicate) = self.predicate(compiled) else {
            return TestTrace { test, held, passed_by: Vec::new(), miss: None, reference: Vec::new() };
        };
        let passes = |value: Value<'_>| predicate.holds_for(value, self.event);
        TestTrace {
            test,
            held,
            passed_by: (0..).zip(values).filter(|(_, value)| passes(**value)).map(|(at, _)| at).collect(),
            miss: (!held).then(|| miss::nearest(test, predicate, values, self.event)),
            reference: predicate.other.into_iter().flat_map(|other| self.event.values(other)).collect(),
        }
    }

    fn holds(&self, compiled: &Expression) -> bool {
        compiled.holds(self.bits)
    }

    /// The predicate of one test.
    fn predicate(&self, compiled: &Expression) -> Option<&'e Predicate> {
        match compiled {
            Expression::Predicate(id) => self.predicates.get(id.index()),
            // `exists: false` is the negation of the predicate for the key.
            Expression::Not(inner) => self.predicate(inner),
            Expression::And(_) | Expression::Or(_) => None,
        }
    }
}
