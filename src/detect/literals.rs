//! Prefixes, suffixes and substrings of all rules in one automaton.

use aho_corasick::{AhoCorasick, MatchKind};

use super::predicate::PredicateId;
use crate::rule::Anchor;

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

/// Finds the literals of a field in one pass.
#[derive(Debug)]
pub(super) struct LiteralMatcher {
    automaton: AhoCorasick,
    literals: Vec<Literal>,
}

impl LiteralMatcher {
    /// `None` for no literals, or if they are too many for an automaton, which takes gigabytes of rules.
    pub(super) fn new(literals: Vec<Literal>) -> Option<Self> {
        if literals.is_empty() {
            return None;
        }
        let texts = literals.iter().map(|literal| &literal.text);
        let automaton = AhoCorasick::builder().match_kind(MatchKind::Standard).build(texts).ok()?;
        Some(Self { automaton, literals })
    }

    /// Calls `found` for every literal that stands where it must.
    pub(super) fn find(&self, text: &str, mut found: impl FnMut(&Literal)) {
        for hit in self.automaton.find_overlapping_iter(text) {
            let Some(literal) = self.literals.get(hit.pattern().as_usize()) else { continue };
            let at_start = hit.start() == 0;
            let at_end = hit.end() == text.len();
            let in_place = match literal.anchor {
                Anchor::Whole => at_start && at_end,
                Anchor::Start => at_start,
                Anchor::End => at_end,
                Anchor::Anywhere => true,
            };
            if in_place {
                found(literal);
            }
        }
    }
}
