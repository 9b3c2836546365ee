//! What a detection means, in a form in which the same meaning is mostly the same text.

use std::collections::BTreeSet;

use super::vocabulary;
use crate::rule::{Body, Condition, Detection, Item, Keywords, Link, Test};

/// The field that every entry has, so that asking for any of its texts asks for nothing.
const ALWAYS_THERE: &str = "type";

/// A formula without what logic does not care for: names, order, repetition, nesting, and where `not` stands.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Form {
    /// A test, or the opposite of one.
    Test {
        holds: bool,
        what: String,
    },
    All(BTreeSet<Form>),
    Any(BTreeSet<Form>),
}

/// The form of a detection.
pub(super) fn of(detection: &Detection) -> Form {
    condition(&detection.condition, detection, true)
}

/// `holds` is false within an odd number of negations.
fn condition(condition: &Condition, detection: &Detection, holds: bool) -> Form {
    let each = |operands: &[Condition]| operands.iter().map(|inner| self::condition(inner, detection, holds)).collect();
    match condition {
        Condition::Search(index) => match detection.searches.get(*index) {
            Some(search) => body(&search.body, holds),
            None => joined(Vec::new(), holds),
        },
        Condition::Not(inner) => self::condition(inner, detection, !holds),
        Condition::And(operands) => joined(each(operands), holds),
        Condition::Or(operands) => joined(each(operands), !holds),
    }
}

fn body(searched: &Body, holds: bool) -> Form {
    let each = |bodies: &[Body]| bodies.iter().map(|inner| body(inner, holds)).collect();
    match searched {
        Body::AllOf(bodies) => joined(each(bodies), holds),
        Body::AnyOf(bodies) => joined(each(bodies), !holds),
        Body::Item(found) => item(found, holds != found.negated),
        Body::Keywords(found) => keywords(found, holds),
    }
}

fn item(item: &Item, holds: bool) -> Form {
    if let Some(words) = words(item) {
        let what = format!("{} {}", item.field, one_of(&words));
        let is_always = item.field == ALWAYS_THERE && vocabulary::is_all(&item.field, &words);
        return if is_always { joined(Vec::new(), holds) } else { Form::Test { holds, what } };
    }
    let tests = item.tests.iter().map(|test| self::test(&item.field, test, holds)).collect();
    joined(tests, holds == (item.link == Link::All))
}

/// Of a field that holds only a few texts, those of which the item asks for one.
fn words(item: &Item) -> Option<BTreeSet<&'static str>> {
    let accepted = item.tests.iter().map(|test| match test {
        Test::Pattern(pattern) => vocabulary::accepted(&item.field, pattern),
        _ => None,
    });
    let accepted: Option<Vec<_>> = accepted.collect();
    let is_one_of = item.link == Link::Any || item.tests.len() == 1;
    Some(accepted.filter(|_| is_one_of)?.into_iter().flatten().collect())
}

fn test(field: &str, test: &Test, holds: bool) -> Form {
    let (holds, what) = match test {
        Test::Exists(present) => (holds == *present, "is there".to_owned()),
        other => (holds, format!("{other:?}")),
    };
    Form::Test { holds, what: format!("{field} {what}") }
}

fn keywords(keywords: &Keywords, holds: bool) -> Form {
    let test = |test| Form::Test { holds, what: format!("{test:?}") };
    joined(keywords.tests.iter().map(test).collect(), holds == (keywords.link == Link::All))
}

/// All of the forms, or any of them; one alone is itself, and what is joined alike within is taken apart.
fn joined(forms: Vec<Form>, all: bool) -> Form {
    let mut flat = BTreeSet::new();
    for form in forms {
        match form {
            Form::All(inner) if all => flat.extend(inner),
            Form::Any(inner) if !all => flat.extend(inner),
            other => drop(flat.insert(other)),
        }
    }
    drop_implied(&mut flat, all);
    if flat.len() == 1
        && let Some(only) = flat.pop_first()
    {
        return only;
    }
    if all { Form::All(flat) } else { Form::Any(flat) }
}

fn one_of(words: &BTreeSet<&str>) -> String {
    format!("is one of {words:?}")
}

/// Beside a test that holds only where another does, the other one adds nothing; nor do their opposites, joined by
/// `or`.
fn drop_implied(forms: &mut BTreeSet<Form>, all: bool) {
    let form = |(field, word): (&str, &str)| Form::Test {
        holds: all,
        what: format!("{field} {}", one_of(&BTreeSet::from([word]))),
    };
    for implication in &vocabulary::IMPLICATIONS {
        if forms.contains(&form(implication.holds)) {
            forms.remove(&form(implication.implied));
        }
    }
}
