//! A detection as one formula: `and` and `or` over what it asks of single fields, each asked for or ruled out.

use crate::diagnostic::Span;
use crate::rule::{Body, Condition, Detection, Item, Keywords, Link, Test};

/// A formula in which only single demands are negated.
#[derive(Debug, Clone)]
pub(super) enum Formula<'r> {
    Demand(Demand<'r>),
    And(Vec<Formula<'r>>),
    Or(Vec<Formula<'r>>),
}

/// What a rule asks of one field, or of the whole event.
#[derive(Debug, Clone, Copy)]
pub(super) struct Demand<'r> {
    pub(super) what: What<'r>,
    /// Asked for; otherwise ruled out.
    pub(super) wanted: bool,
}

/// One of these tests must hold.
#[derive(Debug, Clone, Copy)]
pub(super) enum What<'r> {
    Field {
        item: &'r Item,
        tests: &'r [Test],
        /// Where the value of each test stands.
        spans: &'r [Span],
    },
    Words(&'r Keywords),
}

/// How many ways in which a rule may match are looked at; with more of them, what needs them all is not checked.
const MAX_WAYS: usize = 1000;

/// How many demands these may hold together.
const MAX_DEMANDS: usize = 50_000;

/// Demands that all hold together: one of the ways in which a rule matches.
pub(super) type Way<'r> = Vec<Demand<'r>>;

impl<'r> Formula<'r> {
    /// What the rule asks for.
    pub(super) fn of(detection: &'r Detection) -> Self {
        of_condition(&detection.condition, detection, true)
    }

    /// What the rule asks for, negated.
    pub(super) fn against(detection: &'r Detection) -> Self {
        of_condition(&detection.condition, detection, false)
    }

    /// Every demand in it.
    pub(super) fn demands(&self) -> Vec<Demand<'r>> {
        match self {
            Self::Demand(demand) => vec![*demand],
            Self::And(inner) | Self::Or(inner) => inner.iter().flat_map(Self::demands).collect(),
        }
    }

    /// All ways in which it can hold; none if they are too many to look at.
    pub(super) fn ways(&self) -> Option<Vec<Way<'r>>> {
        match self {
            Self::Demand(demand) => Some(vec![vec![*demand]]),
            Self::Or(any) => {
                let mut ways = Vec::new();
                for inner in any {
                    ways.extend(inner.ways()?);
                    within_bounds(&ways)?;
                }
                Some(ways)
            }
            Self::And(all) => all.iter().try_fold(vec![Vec::new()], |ways, inner| both(&ways, &inner.ways()?)),
        }
    }
}

/// Every way of the one together with every way of the other.
fn both<'r>(some: &[Way<'r>], others: &[Way<'r>]) -> Option<Vec<Way<'r>>> {
    if some.len().saturating_mul(others.len()) > MAX_WAYS {
        return None;
    }
    let joined = |way: &Way<'r>, other: &Way<'r>| way.iter().chain(other).copied().collect();
    let ways: Vec<Way<'r>> = some.iter().flat_map(|way| others.iter().map(move |other| joined(way, other))).collect();
    within_bounds(&ways)?;
    Some(ways)
}

fn within_bounds(ways: &[Way<'_>]) -> Option<()> {
    let demands: usize = ways.iter().map(Vec::len).sum();
    (ways.len() <= MAX_WAYS && demands <= MAX_DEMANDS).then_some(())
}

fn of_condition<'r>(condition: &Condition, detection: &'r Detection, wanted: bool) -> Formula<'r> {
    let many = |inner: &[Condition]| inner.iter().map(|inner| of_condition(inner, detection, wanted)).collect();
    match condition {
        // INVARIANT: a condition names searches of its own detection.
        Condition::Search(index) => match detection.searches.get(*index) {
            Some(search) => of_body(&search.body, wanted),
            None => Formula::Or(Vec::new()),
        },
        Condition::Not(inner) => of_condition(inner, detection, !wanted),
        Condition::And(all) => joined(many(all), wanted),
        Condition::Or(any) => joined(many(any), !wanted),
    }
}

/// Joined by `and`, or else by `or`: negation turns one into the other.
fn joined(inner: Vec<Formula<'_>>, and: bool) -> Formula<'_> {
    if and { Formula::And(inner) } else { Formula::Or(inner) }
}

fn of_body(body: &Body, wanted: bool) -> Formula<'_> {
    match body {
        Body::AllOf(all) => joined(all.iter().map(|body| of_body(body, wanted)).collect(), wanted),
        Body::AnyOf(any) => joined(any.iter().map(|body| of_body(body, wanted)).collect(), !wanted),
        Body::Item(item) => of_item(item, wanted != item.negated),
        Body::Keywords(words) => Formula::Demand(Demand { what: What::Words(words), wanted }),
    }
}

fn of_item(item: &Item, wanted: bool) -> Formula<'_> {
    let demand = |tests, spans, wanted| Formula::Demand(Demand { what: What::Field { item, tests, spans }, wanted });
    match item.link {
        Link::Any if matches!(item.tests.as_slice(), [Test::Exists(false)]) => demand(&PRESENT, &item.spans, !wanted),
        Link::Any => demand(&item.tests, &item.spans, wanted),
        Link::All => {
            let each = item.tests.chunks(1).zip(item.spans.chunks(1));
            joined(each.map(|(test, span)| demand(test, span, wanted)).collect(), wanted)
        }
    }
}

/// That a field is there, which `exists: false` rules out.
static PRESENT: [Test; 1] = [Test::Exists(true)];

impl<'r> Demand<'r> {
    /// The field that it is about, with the tests of which one must hold; none for words over the whole event.
    pub(super) fn field(&self) -> Option<(&'r str, &'r [Test])> {
        match self.what {
            What::Field { item, tests, .. } => Some((&item.field, tests)),
            What::Words(_) => None,
        }
    }
}
