//! Typed rules -> predicates, shared matchers and the index of necessary predicates.

use std::collections::BTreeMap;
use std::slice;
use std::sync::Arc;

use hashbrown::HashMap;

use super::bits::Bits;
use super::expression::Expression;
use super::keywords::KeywordMatcher;
use super::matcher::FieldMatcher;
use super::necessary;
use super::predicate::{Predicate, PredicateId};
use super::{RuleId, RuleSet};
use crate::audit::{FieldTableBuilder, Slot};
use crate::rule::{Body, Condition, Item, KeywordTest, Keywords, Link, Rule, Test};

/// A rule over predicates.
#[derive(Debug)]
pub(super) struct CompiledRule {
    pub(super) rule: Arc<Rule>,
    /// In the order of the rule's searches.
    pub(super) searches: Vec<Expression>,
    pub(super) condition: Condition,
    /// What must hold whatever else does, so that there is more to look at.
    required: Vec<PredicateId>,
}

impl CompiledRule {
    pub(super) fn holds(&self, bits: &Bits) -> bool {
        self.required.iter().all(|id| bits.contains(id.index())) && self.condition_holds(&self.condition, bits)
    }

    /// The predicates because of which the rule matches.
    pub(super) fn reasons(&self, bits: &Bits) -> Vec<PredicateId> {
        let mut reasons = Vec::new();
        self.add_reasons(&self.condition, bits, &mut reasons);
        reasons
    }

    pub(super) fn condition_holds(&self, condition: &Condition, bits: &Bits) -> bool {
        match condition {
            Condition::Search(index) => self.searches.get(*index).is_some_and(|search| search.holds(bits)),
            Condition::Not(inner) => !self.condition_holds(inner, bits),
            Condition::And(all) => all.iter().all(|inner| self.condition_holds(inner, bits)),
            Condition::Or(any) => any.iter().any(|inner| self.condition_holds(inner, bits)),
        }
    }

    fn add_reasons(&self, condition: &Condition, bits: &Bits, reasons: &mut Vec<PredicateId>) {
        match condition {
            Condition::Search(index) => {
                if let Some(search) = self.searches.get(*index) {
                    search.reasons(bits, reasons);
                }
            }
            Condition::Not(_) => {}
            Condition::And(all) => all.iter().for_each(|inner| self.add_reasons(inner, bits, reasons)),
            Condition::Or(any) => {
                let holding = any.iter().filter(|inner| self.condition_holds(inner, bits));
                holding.for_each(|inner| self.add_reasons(inner, bits, reasons));
            }
        }
    }
}

impl RuleSet {
    /// Compiles rules together.
    #[must_use]
    pub fn compile(rules: Vec<Rule>) -> Self {
        let mut compiler = Compiler::default();
        let rules: Vec<CompiledRule> = rules.into_iter().map(|rule| compiler.rule(rule)).collect();
        let Compiler { fields, predicates, .. } = compiler;
        let fields = fields.build();
        let (matchers, keywords) = matchers(&predicates, fields.slots());
        let mut set = Self {
            waiting: vec![Vec::new(); predicates.len()],
            rules,
            fields,
            absent: absent(&predicates),
            predicates,
            matchers,
            keywords,
            always: Vec::new(),
        };
        set.index();
        set
    }

    /// Files every rule under its rarest necessary predicates.
    fn index(&mut self) {
        for (id, rule) in (0..).map(RuleId).zip(&mut self.rules) {
            rule.required = necessary::required(rule, &self.predicates);
            match necessary::necessary(rule, &self.predicates) {
                None => self.always.push(id),
                Some(predicates) => {
                    for predicate in predicates {
                        if let Some(waiting) = self.waiting.get_mut(predicate.index()) {
                            waiting.push(id);
                        }
                    }
                }
            }
        }
    }
}

/// The predicates that hold where a key is absent.
fn absent(predicates: &[Predicate]) -> Vec<(Slot, PredicateId)> {
    let ids = (0..).map(PredicateId).zip(predicates).filter(|(_, predicate)| matches!(predicate.test, Test::Null));
    ids.filter_map(|(id, predicate)| Some((predicate.slot?, id))).collect()
}

/// One matcher for each field that rules look at, by its slot, and one for the keywords.
fn matchers(predicates: &[Predicate], slots: usize) -> (Vec<Option<FieldMatcher>>, Option<KeywordMatcher>) {
    let mut by_slot: BTreeMap<Option<Slot>, Vec<PredicateId>> = BTreeMap::new();
    for (id, predicate) in (0..).map(PredicateId).zip(predicates) {
        by_slot.entry(predicate.slot).or_default().push(id);
    }
    let keywords = by_slot.remove(&None).and_then(|ids| KeywordMatcher::new(predicates, &ids));
    let mut fields: Vec<Option<FieldMatcher>> = Vec::new();
    fields.resize_with(slots, || None);
    for (slot, ids) in by_slot {
        if let Some(field) = slot.and_then(|slot| fields.get_mut(slot.index())) {
            *field = Some(FieldMatcher::new(predicates, &ids));
        }
    }
    (fields, keywords)
}

/// Gives every distinct test one predicate.
#[derive(Default)]
struct Compiler {
    fields: FieldTableBuilder,
    predicates: Vec<Predicate>,
    known: HashMap<(Option<Slot>, String), PredicateId>,
}

impl Compiler {
    fn rule(&mut self, rule: Rule) -> CompiledRule {
        let searches = rule.detection.searches.iter().map(|search| self.body(&search.body)).collect();
        let condition = rule.detection.condition.clone();
        CompiledRule { rule: Arc::new(rule), searches, condition, required: Vec::new() }
    }

    fn body(&mut self, body: &Body) -> Expression {
        match body {
            Body::AllOf(bodies) => Expression::And(bodies.iter().map(|body| self.body(body)).collect()),
            Body::AnyOf(bodies) => Expression::Or(bodies.iter().map(|body| self.body(body)).collect()),
            Body::Item(item) => self.item(item),
            Body::Keywords(keywords) => self.keywords(keywords),
        }
    }

    fn item(&mut self, item: &Item) -> Expression {
        let tests = item.tests.iter().map(|test| self.test(Some(&item.field), test)).collect();
        let linked = link(item.link, tests);
        if item.negated { Expression::Not(Box::new(linked)) } else { linked }
    }

    fn keywords(&mut self, keywords: &Keywords) -> Expression {
        let tests = keywords.tests.iter().map(|test| {
            let test = match test {
                KeywordTest::Pattern(pattern) => Test::Pattern(pattern.clone()),
                KeywordTest::Regex(regex) => Test::Regex(regex.clone()),
            };
            self.test(None, &test)
        });
        link(keywords.link, tests.collect())
    }

    /// `exists: false` is the negation of the one predicate for the key.
    fn test(&mut self, field: Option<&str>, test: &Test) -> Expression {
        match test {
            Test::Exists(false) => {
                let exists = self.predicate(field, &Test::Exists(true));
                Expression::Not(Box::new(Expression::Predicate(exists)))
            }
            test => Expression::Predicate(self.predicate(field, test)),
        }
    }

    fn predicate(&mut self, field: Option<&str>, test: &Test) -> PredicateId {
        let slot = field.map(|field| self.fields.slot(field));
        let other = match test {
            Test::FieldRef(reference) => Some(self.fields.slot(&reference.field)),
            _ => None,
        };
        let new = PredicateId(u32::try_from(self.predicates.len()).unwrap_or(u32::MAX));
        // The debug form tells all tests apart: it shows every literal, flag and number.
        let id = *self.known.entry((slot, format!("{test:?}"))).or_insert(new);
        if id == new {
            self.predicates.push(Predicate { field: field.map(str::to_owned), slot, other, test: test.clone() });
        }
        id
    }
}

fn link(link: Link, mut expressions: Vec<Expression>) -> Expression {
    if expressions.len() == 1
        && let Some(only) = expressions.pop()
    {
        return only;
    }
    match link {
        Link::Any => Expression::Or(expressions),
        Link::All => Expression::And(expressions),
    }
}

/// The tests that [`link`] joined: `count` of them.
pub(super) fn linked(expression: &Expression, count: usize) -> &[Expression] {
    if count == 1 { slice::from_ref(expression) } else { expression.parts() }
}
