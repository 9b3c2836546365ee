//! The tests inside rules: their events, what the rule makes of them, and whether that is what was expected.
//!
//! ```yaml
//! tests:
//!   - name: a policy is written
//!     like: policy_write                      # a complete event that ships with the program
//!     event: {request.path: sys/policies/acl/ops}   # laid over it; a map goes key by key
//!     without: [response.data]                # taken out of it before
//!     expect: match
//!   - name: a policy is read, or the policies are listed
//!     events: [{like: policy_read}, {like: policy_list}, {file: "corpus/x.jsonl:12"}]
//!     expect: {match: false, searches: [succeeded]}
//! ```
//!
//! In a rule about single events each event of a test stands for itself: `match` means that every one of them matches,
//! `no match` that none does. `searches` hold in either case, which shows how near a near miss is. `alert` names parts
//! of the alert in its OCSF form: `unmapped.path: sys/policies/acl/ops`.
//!
//! Events are evaluated by the engine that the function runs ([`RuleSet`]), and alerts are made by the [`pipeline`].
//! Running tests is pure: the lines of captured logs that tests name are read by whoever runs them, into
//! [`CapturedLines`].

use serde_json::Value as Json;

use crate::alert::ocsf;
use crate::audit::{self, Buffers};
use crate::detect::{RuleId, RuleSet};
use crate::payload::{LogBatch, LogEvent, LogStream, LogText, Position};
use crate::pipeline::{self, Workspace};
use crate::rule::{Expectation, Rule, RuleTest};

pub use build::{BuildError, CaptureError, CapturedLines, CapturedPlace, TestedEvent, captured_places, events};

pub mod mutant;

mod build;

/// A test and what came of it.
#[derive(Debug)]
pub struct TestRun<'r> {
    /// The rule that it stands in.
    pub rule: &'r Rule,
    /// The test.
    pub test: &'r RuleTest,
    /// Everything that is not as expected; empty if it passed.
    pub failures: Vec<Failure>,
}

impl TestRun<'_> {
    /// Whether all was as expected.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.failures.is_empty()
    }
}

/// Something that is not as a test expects.
#[derive(Debug)]
pub enum Failure {
    /// An event cannot be made, so that nothing was tested.
    Build(BuildError),
    /// What the rule made of one event.
    Event {
        /// The event.
        event: TestedEvent,
        /// What is wrong; never empty.
        mismatches: Vec<Mismatch>,
    },
}

/// What a rule made of an event that it should not have.
#[derive(Debug, Clone, PartialEq)]
pub enum Mismatch {
    /// It should match.
    NoMatch,
    /// It should not match.
    Match,
    /// This search should hold, whether or not the rule matches.
    SearchDoesNotHold(String),
    /// The alert should say something else.
    Alert {
        /// The dotted key in the alert's OCSF form.
        field: String,
        /// What should stand there.
        expected: Json,
        /// What does; none if there is no such key.
        found: Vec<Json>,
    },
}

/// Runs all tests of a rule, in the order written.
#[must_use]
pub fn run<'r>(rule: &'r Rule, captured: &CapturedLines) -> Vec<TestRun<'r>> {
    let subject = Subject::new(rule);
    let run = |test| TestRun { rule, test, failures: subject.check(test, captured) };
    rule.tests.iter().map(run).collect()
}

/// A rule, compiled.
struct Subject<'r> {
    rule: &'r Rule,
    rules: RuleSet,
    id: Option<RuleId>,
}

impl<'r> Subject<'r> {
    fn new(rule: &'r Rule) -> Self {
        let rules = RuleSet::compile(vec![bare(rule)]);
        let id = rules.rules().map(|(id, _)| id).next();
        Self { rule, rules, id }
    }

    fn check(&self, test: &RuleTest, captured: &CapturedLines) -> Vec<Failure> {
        let events = match events(self.rule, test, captured) {
            Ok(events) => events,
            Err(error) => return vec![Failure::Build(error)],
        };
        let failure = |event: TestedEvent| {
            let mismatches = self.mismatches(&event.text, &test.expect);
            (!mismatches.is_empty()).then_some(Failure::Event { event, mismatches })
        };
        events.into_iter().filter_map(failure).collect()
    }

    fn mismatches(&self, event: &str, expect: &Expectation) -> Vec<Mismatch> {
        let mut buffers = Buffers::default();
        let read = audit::read(event, self.rules.fields(), &mut buffers).ok();
        // An event is made from an object, so that it reads, and the rule is the one that was compiled.
        let trace = read.and_then(|event| self.rules.trace(self.id?, &event));
        let Some(trace) = trace else { return vec![Mismatch::NoMatch] };
        let holds = |name: &String| trace.searches.iter().any(|traced| traced.search.name == *name && traced.body.held);
        let unheld = expect.searches.iter().filter(|name| !holds(name));
        let mut found: Vec<Mismatch> = unheld.cloned().map(Mismatch::SearchDoesNotHold).collect();
        match (trace.matched, expect.matches) {
            (false, true) => found.insert(0, Mismatch::NoMatch),
            (true, false) => found.insert(0, Mismatch::Match),
            (true, true) => found.extend(self.alert_mismatches(event, &expect.alert)),
            (false, false) => {}
        }
        found
    }

    fn alert_mismatches(&self, event: &str, expected: &[(String, Json)]) -> Vec<Mismatch> {
        if expected.is_empty() {
            return Vec::new();
        }
        let alert = raised(self.rule, event);
        let mismatch = |(field, expected): &(String, Json)| {
            let found: Vec<Json> = at(&alert, field).into_iter().cloned().collect();
            let (field, expected) = (field.clone(), expected.clone());
            (!found.contains(&expected)).then_some(Mismatch::Alert { field, expected, found })
        };
        expected.iter().filter_map(mismatch).collect()
    }
}

/// The rule without its tests, which do not matter to matching and may be long.
fn bare(rule: &Rule) -> Rule {
    Rule { tests: Vec::new(), ..rule.clone() }
}

/// The alert that an event raises, in its OCSF form; null if it raises none.
fn raised(rule: &Rule, event: &str) -> Json {
    let rules = RuleSet::compile(vec![bare(rule)]);
    let position = Position::Line { file: rule.name.as_str().into(), line: 1 };
    let batch = LogBatch {
        stream: LogStream::default(),
        subscription_filters: Vec::new(),
        events: vec![LogEvent { position, timestamp: None, text: LogText::Plain(event) }],
    };
    let alerts = pipeline::conclude(pipeline::detect(&rules, &batch, &mut Workspace::default()));
    alerts.first().and_then(|alert| serde_json::from_str(&ocsf::to_json(alert)).ok()).unwrap_or_default()
}

/// What stands at a dotted key, which leads through arrays as the fields of rules do.
fn at<'j>(json: &'j Json, key: &str) -> Vec<&'j Json> {
    let step = |places: Vec<&'j Json>, part: &str| -> Vec<&'j Json> {
        places.into_iter().flat_map(members).filter_map(|place| place.get(part)).collect()
    };
    let places = key.split('.').fold(vec![json], step);
    // An array is what it is, and each of its members.
    places.into_iter().flat_map(|place| std::iter::once(place).chain(place.as_array().into_iter().flatten())).collect()
}

fn members(json: &Json) -> Vec<&Json> {
    json.as_array().map_or_else(|| vec![json], |members| members.iter().collect())
}
