//! The shared matcher of one field: the predicates of all rules, found together.

use std::fmt::Write;

use hashbrown::HashMap;

use super::bits::Bits;
use super::gate;
use super::literals::{Literal, LiteralMatcher};
use super::pattern::{self, Shape};
use super::predicate::{Predicate, PredicateId};
use crate::audit::{AuditEvent, Slot, Value};
use crate::fold::{fold_into, needs_folding};
use crate::rule::{Anchor, Pattern, Test};

/// A value with its text: numbers and booleans compare by theirs.
#[derive(Debug, Clone, Copy)]
pub(super) struct Member<'m> {
    pub(super) value: Value<'m>,
    pub(super) text: Option<&'m str>,
    /// The text with its case folded.
    pub(super) folded: Option<&'m str>,
}

/// The memory for the texts of a [`Member`].
#[derive(Debug, Default)]
pub(super) struct MemberBuffers {
    number: String,
    folded: String,
}

impl MemberBuffers {
    /// The member for a value. Without `folding`, the folded text is the plain one.
    pub(super) fn member<'m>(&'m mut self, value: Value<'m>, folding: bool) -> Member<'m> {
        let text = match value {
            Value::Text(text) => Some(text),
            Value::Bool(true) => Some("true"),
            Value::Bool(false) => Some("false"),
            Value::Number(number) => {
                self.number.clear();
                // Writing to a string cannot fail.
                let _ = write!(self.number, "{number}");
                Some(self.number.as_str())
            }
            Value::Null | Value::Structure => None,
        };
        let folded = match text {
            Some(text) if folding && needs_folding(text) => Some(fold_into(text, &mut self.folded)),
            other => other,
        };
        Member { value, text, folded }
    }
}

/// The predicates on one field.
#[derive(Debug)]
pub(super) struct FieldMatcher {
    /// Hold when the key is there.
    present: Vec<PredicateId>,
    texts: TextMatcher,
}

impl FieldMatcher {
    pub(super) fn new(predicates: &[Predicate], ids: &[PredicateId]) -> Self {
        let kind = |wanted: fn(&Test) -> bool| {
            let is_wanted = |id: &PredicateId| predicates.get(id.index()).is_some_and(|found| wanted(&found.test));
            ids.iter().copied().filter(is_wanted).collect::<Vec<_>>()
        };
        Self {
            present: kind(|test| matches!(test, Test::Exists(_))),
            texts: TextMatcher::new(predicates, &kind(|test| !matches!(test, Test::Exists(_)))),
        }
    }

    /// Sets the bits of the predicates that hold for any value of the field, which is present.
    pub(super) fn find(
        &self,
        slot: Slot,
        event: &AuditEvent<'_>,
        predicates: &[Predicate],
        buffers: &mut MemberBuffers,
        bits: &mut Bits,
    ) {
        for id in &self.present {
            bits.insert(id.index());
        }
        for value in event.values(slot) {
            let member = buffers.member(value, self.texts.folds);
            self.texts.find(&member, event, predicates, bits);
        }
    }
}

/// Predicates on a value, by how they are found.
#[derive(Debug)]
pub(super) struct TextMatcher {
    exact: HashMap<Box<str>, Vec<PredicateId>>,
    exact_cased: HashMap<Box<str>, Vec<PredicateId>>,
    literals: Option<LiteralMatcher>,
    literals_cased: Option<LiteralMatcher>,
    /// Hold for any text.
    anything: Vec<PredicateId>,
    /// Asked one by one.
    others: Vec<PredicateId>,
    /// Whether any of these compares without case.
    pub(super) folds: bool,
}

impl TextMatcher {
    pub(super) fn new(predicates: &[Predicate], ids: &[PredicateId]) -> Self {
        let mut sorted = Sorted::default();
        for id in ids {
            if let Some(predicate) = predicates.get(id.index()) {
                sorted.add(*id, &predicate.test);
            }
        }
        sorted.finish()
    }

    pub(super) fn find(&self, member: &Member<'_>, event: &AuditEvent<'_>, predicates: &[Predicate], bits: &mut Bits) {
        let holds = |id: PredicateId| predicates.get(id.index()).is_some_and(|found| found.holds(member, event));
        for id in &self.others {
            if !bits.contains(id.index()) && holds(*id) {
                bits.insert(id.index());
            }
        }
        let (Some(text), Some(folded)) = (member.text, member.folded) else { return };
        let hits = self.exact.get(folded).into_iter().chain(self.exact_cased.get(text)).flatten();
        for id in hits.chain(&self.anything) {
            bits.insert(id.index());
        }
        let mut found = |literal: &Literal| {
            let id = literal.predicate;
            if !bits.contains(id.index()) && (!literal.verify || holds(id)) {
                bits.insert(id.index());
            }
        };
        if let Some(literals) = &self.literals {
            literals.find(folded, &mut found);
        }
        if let Some(literals) = &self.literals_cased {
            literals.find(text, &mut found);
        }
    }
}

/// Predicates being sorted by how they are found: without case first, with case second.
#[derive(Default)]
struct Sorted {
    exact: [HashMap<Box<str>, Vec<PredicateId>>; 2],
    literals: [Vec<Literal>; 2],
    anything: Vec<PredicateId>,
    others: Vec<PredicateId>,
    folds: bool,
}

impl Sorted {
    fn add(&mut self, id: PredicateId, test: &Test) {
        match test {
            Test::Pattern(pattern) => self.add_pattern(id, pattern),
            Test::Regex(regex) => match gate::literals(regex) {
                Some(literals) => {
                    self.folds = true;
                    for text in literals {
                        self.add_literal(
                            false,
                            Literal { text, anchor: Anchor::Anywhere, predicate: id, verify: true },
                        );
                    }
                }
                None => self.others.push(id),
            },
            Test::FieldRef(reference) => {
                self.folds |= !reference.cased;
                self.others.push(id);
            }
            _ => self.others.push(id),
        }
    }

    fn add_pattern(&mut self, id: PredicateId, pattern: &Pattern) {
        self.folds |= !pattern.cased;
        let mut literal = |text: &str, anchor, verify| {
            self.add_literal(pattern.cased, Literal { text: text.to_owned(), anchor, predicate: id, verify });
        };
        match pattern::shape(pattern) {
            Shape::Prefix(text) => literal(text, Anchor::Start, false),
            Shape::Suffix(text) => literal(text, Anchor::End, false),
            Shape::Contains(text) => literal(text, Anchor::Anywhere, false),
            Shape::General(Some(text)) => literal(text, Anchor::Anywhere, true),
            Shape::General(None) => self.others.push(id),
            Shape::Anything => self.anything.push(id),
            Shape::Exact(text) => {
                let [folded, cased] = &mut self.exact;
                let map = if pattern.cased { cased } else { folded };
                map.entry(text.into()).or_default().push(id);
            }
        }
    }

    fn add_literal(&mut self, cased: bool, literal: Literal) {
        let [folded, with_case] = &mut self.literals;
        if cased { with_case.push(literal) } else { folded.push(literal) }
    }

    fn finish(self) -> TextMatcher {
        let [exact, exact_cased] = self.exact;
        let [mut literals, literals_cased] = self.literals;
        let mut others = self.others;
        let mut automaton = |literals: &mut Vec<Literal>| {
            let matcher = LiteralMatcher::new(literals.clone());
            if matcher.is_none() {
                others.extend(literals.drain(..).map(|literal| literal.predicate));
            }
            matcher
        };
        let mut literals_cased = literals_cased;
        let folded = automaton(&mut literals);
        let cased = automaton(&mut literals_cased);
        TextMatcher {
            exact,
            exact_cased,
            literals: folded,
            literals_cased: cased,
            anything: self.anything,
            others,
            folds: self.folds,
        }
    }
}
