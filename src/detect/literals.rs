//! Prefixes, suffixes and substrings of all rules in automata.

use aho_corasick::automaton::OverlappingState;
use aho_corasick::{AhoCorasick, Anchored, BuildError, Input, MatchKind, Span, StartKind};

use super::predicate::PredicateId;
use crate::rule::Anchor;

/// For more patterns than these, the automaton is one that takes more time and less memory.
const MOST_IN_ONE_PASS: usize = 100;

/// A literal that a predicate needs.
#[derive(Debug, Clone)]
pub(super) struct Literal {
    pub(super) text: String,
    /// Where it must stand.
    pub(super) anchor: Anchor,
    pub(super) predicate: PredicateId,
    /// Finding it is not enough: the predicate itself must be asked.
    pub(super) verify: bool,
}

/// Finds the literals of a field in at most two passes.
#[derive(Debug)]
pub(super) struct LiteralMatcher {
    /// Given up at the first character that no prefix has there, which is an early one.
    prefixes: Option<Automaton>,
    elsewhere: Option<Automaton>,
}

impl LiteralMatcher {
    /// `None` for no literals, or if they are too many for an automaton, which takes gigabytes of rules.
    pub(super) fn new(literals: Vec<Literal>) -> Option<Self> {
        if literals.is_empty() {
            return None;
        }
        let many = literals.len() > MOST_IN_ONE_PASS;
        // Few literals are found fastest in one pass, whatever their place.
        let is_apart = |literal: &Literal| literal.anchor == Anchor::Start && many;
        let (prefixes, elsewhere) = literals.into_iter().partition(is_apart);
        let automaton = |literals: Vec<Literal>, start| {
            if literals.is_empty() { Ok(None) } else { Automaton::new(literals, start).map(Some) }
        };
        Some(Self {
            prefixes: automaton(prefixes, StartKind::Anchored).ok()?,
            elsewhere: automaton(elsewhere, StartKind::Unanchored).ok()?,
        })
    }

    /// Calls `found` for every literal that stands where it must.
    pub(super) fn find(&self, text: &str, mut found: impl FnMut(&Literal)) {
        if let Some(prefixes) = &self.prefixes {
            // What stands inside another prefix is reported as well, where it ends.
            prefixes.find(&Input::new(text).anchored(Anchored::Yes), |literal, place| {
                if place.start == 0 {
                    found(literal);
                }
            });
        }
        let Some(elsewhere) = &self.elsewhere else { return };
        elsewhere.find(&Input::new(text), |literal, place| {
            let in_place = match literal.anchor {
                Anchor::Whole => place.start == 0 && place.end == text.len(),
                Anchor::Start => place.start == 0,
                Anchor::End => place.end == text.len(),
                Anchor::Anywhere => true,
            };
            if in_place {
                found(literal);
            }
        });
    }
}

/// Literals that are found together.
#[derive(Debug)]
struct Automaton {
    automaton: AhoCorasick,
    literals: Vec<Literal>,
}

impl Automaton {
    fn new(literals: Vec<Literal>, start: StartKind) -> Result<Self, BuildError> {
        let texts = literals.iter().map(|literal| &literal.text);
        let mut builder = AhoCorasick::builder();
        let automaton = builder.match_kind(MatchKind::Standard).start_kind(start).build(texts)?;
        Ok(Self { automaton, literals })
    }

    fn find(&self, input: &Input<'_>, mut found: impl FnMut(&Literal, Span)) {
        let mut state = OverlappingState::start();
        loop {
            self.automaton.find_overlapping(input.clone(), &mut state);
            let Some(hit) = state.get_match() else { return };
            if let Some(literal) = self.literals.get(hit.pattern().as_usize()) {
                found(literal, hit.span());
            }
        }
    }
}
