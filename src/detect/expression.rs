//! What a rule asks, over the bits of predicates.

use super::bits::Bits;
use super::predicate::PredicateId;

/// A search's body over predicates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Expression {
    Predicate(PredicateId),
    Not(Box<Expression>),
    And(Vec<Expression>),
    Or(Vec<Expression>),
}

impl Expression {
    pub(super) fn holds(&self, bits: &Bits) -> bool {
        match self {
            Self::Predicate(id) => bits.contains(id.index()),
            Self::Not(inner) => !inner.holds(bits),
            Self::And(all) => all.iter().all(|inner| inner.holds(bits)),
            Self::Or(any) => any.iter().any(|inner| inner.holds(bits)),
        }
    }

    /// Adds the predicates that must all hold for it to hold.
    pub(super) fn add_required(&self, required: &mut Vec<PredicateId>) {
        match self {
            Self::Predicate(id) => required.push(*id),
            Self::And(all) => all.iter().for_each(|inner| inner.add_required(required)),
            Self::Not(_) | Self::Or(_) => {}
        }
    }

    /// What it joins; nothing if it joins nothing.
    pub(super) fn parts(&self) -> &[Self] {
        match self {
            Self::And(parts) | Self::Or(parts) => parts,
            Self::Predicate(_) | Self::Not(_) => &[],
        }
    }

    /// What it negates; itself if it negates nothing.
    pub(super) fn negated(&self) -> &Self {
        match self {
            Self::Not(inner) => inner,
            other => other,
        }
    }

    /// Adds the predicates because of which the expression holds. What holds because something is not there has none.
    pub(super) fn reasons(&self, bits: &Bits, reasons: &mut Vec<PredicateId>) {
        match self {
            Self::Predicate(id) => reasons.push(*id),
            Self::Not(_) => {}
            Self::And(all) => all.iter().for_each(|inner| inner.reasons(bits, reasons)),
            Self::Or(any) => {
                any.iter().filter(|inner| inner.holds(bits)).for_each(|inner| inner.reasons(bits, reasons));
            }
        }
    }
}
