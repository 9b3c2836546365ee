//! An independent engine, rsigma, judges the same rules on the same events.
//!
//! It decides nothing: where it differs, `oracle/differences.toml` says why, and a difference that is gone must leave
//! that file.

use rsigma_eval::Engine;
use rsigma_eval::event::JsonEvent;
use rsigma_parser::parse_sigma_yaml;
use serde::Deserialize;
use serde_json::Value as Json;

use crate::sigma::{self, Case};

mod generated;

/// Why the other engine judges otherwise, and where.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Difference {
    reason: String,
    /// In the cases of these names,
    #[serde(default)]
    cases: Vec<String>,
    /// and in all cases in whose rule file this text stands.
    text: Option<String>,
}

impl Difference {
    fn covers(&self, case: &Case, rules: &str) -> bool {
        self.cases.contains(&case.name) || self.text.as_ref().is_some_and(|text| rules.contains(text))
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Differences {
    difference: Vec<Difference>,
}

fn known() -> Vec<Difference> {
    let Differences { difference } = toml::from_str(include_str!("oracle/differences.toml")).unwrap();
    let cases: Vec<&String> = difference.iter().flat_map(|known| &known.cases).collect();
    for known in &difference {
        assert!(known.reason.ends_with('.'), "say why: {}", known.reason);
        assert_ne!(known.cases.is_empty(), known.text.is_none(), "{}: either cases or a text", known.reason);
    }
    for name in &cases {
        assert_eq!(cases.iter().filter(|other| other == &name).count(), 1, "{name} is listed twice");
    }
    difference
}

/// The other engine with the rules of one file.
struct Oracle(Engine);

impl Oracle {
    fn new(rules: &str) -> Result<Self, String> {
        let collection = parse_sigma_yaml(rules).map_err(|error| error.to_string())?;
        if collection.has_errors() {
            return Err(collection.errors.join("; "));
        }
        let mut engine = Engine::new();
        engine.add_collection(&collection).map_err(|error| error.to_string())?;
        Ok(Self(engine))
    }

    fn matches(&self, event: &str) -> bool {
        let event: Json = serde_json::from_str(event).expect("events of cases are JSON");
        !self.0.evaluate(&JsonEvent::borrow(&event)).is_empty()
    }
}

/// What the other engine judges otherwise.
fn differing(case: &Case, rules: &str) -> Vec<String> {
    match Oracle::new(rules) {
        Err(error) => vec![format!("refused: {error}")],
        Ok(oracle) => case
            .events()
            .filter(|(event, expected)| oracle.matches(event) != *expected)
            .map(|(event, expected)| format!("expected {expected}: {event}"))
            .collect(),
    }
}

#[test]
fn another_engine_agrees_on_every_case_but_the_known_ones() {
    let known = known();
    let (mut unknown, mut differ) = (Vec::new(), Vec::new());
    let cases = sigma::cases();
    let judged = cases.iter().enumerate().filter(|(_, case)| case.refused.is_none());
    for (number, case) in judged.clone() {
        let rules = case.source(number).text;
        let found = differing(case, &rules);
        if found.is_empty() {
            continue;
        }
        differ.push(&case.name);
        if !known.iter().any(|known| known.covers(case, &rules)) {
            unknown.push(format!("{}: {found:#?}", case.name));
        }
    }
    let agreed = judged.count() - differ.len();
    assert!(unknown.is_empty(), "{agreed} agree, these do not, and nobody said why:\n{}", unknown.join("\n"));
    let gone = known.iter().flat_map(|known| &known.cases).filter(|name| !differ.contains(name));
    assert_eq!(gone.collect::<Vec<_>>(), Vec::<&String>::new(), "no longer differ, or are no cases");
    assert!(agreed > 250, "only {agreed} agree: the other engine is not asked rightly");
}
