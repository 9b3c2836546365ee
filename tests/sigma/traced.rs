//! The verdict of a trace, and whether the tree under it adds up to that verdict.

use vaultwatch::audit::{self, Buffers};
use vaultwatch::detect::RuleSet;
use vaultwatch::detect::trace::{
    BodyPart, BodyTrace, ConditionPart, ConditionTrace, ItemTrace, KeywordsTrace, Miss, TestTrace, Trace,
};
use vaultwatch::rule::{Link, Test};

/// The rules that an event matches by their traces, by name.
///
/// Every part of a trace is joined again from the parts below it, down to the values that passed each test.
pub(super) fn names(rules: &RuleSet, event: &str) -> Vec<String> {
    let mut buffers = Buffers::default();
    let event = audit::read(event, rules.fields(), &mut buffers).expect("events of cases are JSON objects");
    let traces = rules.rules().map(|(id, rule)| (rule, rules.trace(id, &event).expect("a rule of this set")));
    let matched = traces.filter(|(_, trace)| {
        adds_up(trace);
        trace.matched
    });
    matched.map(|(rule, _)| rule.header.name.clone()).collect()
}

fn adds_up(trace: &Trace<'_>) {
    assert_eq!(trace.matched, trace.condition.held, "{trace:#?}");
    condition_adds_up(&trace.condition, trace);
    for search in &trace.searches {
        body_adds_up(&search.body);
    }
}

fn condition_adds_up(condition: &ConditionTrace, trace: &Trace<'_>) {
    let joined = match &condition.part {
        ConditionPart::Search(index) => trace.searches[*index].body.held,
        ConditionPart::Not(inner) => !inner.held,
        ConditionPart::And(all) => all.iter().all(|part| part.held),
        ConditionPart::Or(any) => any.iter().any(|part| part.held),
    };
    assert_eq!(condition.held, joined, "{condition:#?}");
    match &condition.part {
        ConditionPart::Search(_) => {}
        ConditionPart::Not(inner) => condition_adds_up(inner, trace),
        ConditionPart::And(parts) | ConditionPart::Or(parts) => {
            for part in parts {
                condition_adds_up(part, trace);
            }
        }
    }
}

fn body_adds_up(body: &BodyTrace<'_>) {
    let joined = match &body.part {
        BodyPart::AllOf(all) => all.iter().all(|part| part.held),
        BodyPart::AnyOf(any) => any.iter().any(|part| part.held),
        BodyPart::Item(item) => item_holds(item),
        BodyPart::Keywords(keywords) => keywords_hold(keywords),
    };
    assert_eq!(body.held, joined, "{body:#?}");
    if let BodyPart::AllOf(parts) | BodyPart::AnyOf(parts) = &body.part {
        parts.iter().for_each(body_adds_up);
    }
}

fn item_holds(trace: &ItemTrace<'_>) -> bool {
    assert_eq!(trace.tests.len(), trace.item.tests.len(), "{trace:#?}");
    trace.tests.iter().for_each(|test| test_adds_up(test, trace));
    joined(trace.item.link, trace.tests.iter().map(|test| test.held)) != trace.item.negated
}

fn test_adds_up(test: &TestTrace<'_>, trace: &ItemTrace<'_>) {
    let absent = trace.values.is_empty();
    let passed = match test.test {
        Test::Exists(present) => absent != *present,
        Test::Null => absent || !test.passed_by.is_empty(),
        _ => !test.passed_by.is_empty(),
    };
    assert_eq!(test.held, passed, "{trace:#?}");
    assert_eq!(test.held, test.miss.is_none(), "{trace:#?}");
    assert!(test.miss != Some(Miss::Absent) || absent, "{trace:#?}");
}

fn keywords_hold(trace: &KeywordsTrace<'_>) -> bool {
    assert_eq!(trace.found.len(), trace.keywords.tests.len(), "{trace:#?}");
    joined(trace.keywords.link, trace.found.iter().copied())
}

fn joined(link: Link, mut held: impl Iterator<Item = bool>) -> bool {
    match link {
        Link::Any => held.any(|held| held),
        Link::All => held.all(|held| held),
    }
}
