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
//! In a correlation rule the events of a test are a log, in the order written, and `match` means that the correlation
//! fires:
//!
//! ```yaml
//! tests:
//!   - name: ten failures within five minutes
//!     events: [{like: userpass_login_failed, repeat: 10, every: 30s}]
//!     expect: match
//! ```
//!
//! Events are evaluated by the engine that the function runs ([`RuleSet`]), and alerts are made by the [`pipeline`].
//! Running tests is pure: the lines of captured logs that tests name are read by whoever runs them, into
//! [`CapturedLines`].

use serde_json::Value as Json;

use crate::alert::ocsf;
use crate::audit::{self, Buffers};
use crate::correlate::{HashKey, Windows};
use crate::detect::{RuleId, RuleSet};
use crate::pipeline::{self, Analytics, Workspace};
use crate::rule::{Expectation, Header, Rule, RuleTest};

pub use build::{BuildError, CaptureError, CapturedLines, CapturedPlace, TestedEvent, captured_places, events, log};
pub use ensemble::Ensemble;

pub mod mutant;

mod build;
mod ensemble;

/// A test and what came of it.
#[derive(Debug)]
pub struct TestRun<'r> {
    /// What it stands in.
    pub tested: Tested<'r>,
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

/// What a test stands in.
#[derive(Debug, Clone, Copy)]
pub enum Tested<'r> {
    /// A rule about single events.
    Rule(&'r Rule),
    /// A correlation, with what it looks at.
    Correlation(&'r Ensemble<'r>),
}

impl<'r> Tested<'r> {
    /// Who it is.
    #[must_use]
    pub fn header(self) -> &'r Header {
        match self {
            Self::Rule(rule) => &rule.header,
            Self::Correlation(ensemble) => &ensemble.correlation.header,
        }
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
    /// What a correlation made of all events.
    Log {
        /// The events.
        events: Vec<TestedEvent>,
        /// What is wrong; never empty.
        mismatches: Vec<Mismatch>,
    },
}

/// What a rule made of an event that it should not have, or a correlation of several.
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

/// Runs all tests of a rule about single events, in the order written.
#[must_use]
pub fn run<'r>(rule: &'r Rule, captured: &CapturedLines) -> Vec<TestRun<'r>> {
    let subject = Subject::new(rule);
    let run = |test| TestRun { tested: Tested::Rule(rule), test, failures: subject.check(test, captured) };
    rule.header.tests.iter().map(run).collect()
}

/// Runs all tests of a correlation, in the order written.
#[must_use]
pub fn run_correlation<'r>(ensemble: &'r Ensemble<'r>, captured: &CapturedLines) -> Vec<TestRun<'r>> {
    let analytics = ensemble.compile();
    let run = |test| {
        let failures = check_log(ensemble, &analytics, test, captured).into_iter().collect();
        TestRun { tested: Tested::Correlation(ensemble), test, failures }
    };
    ensemble.correlation.header.tests.iter().map(run).collect()
}

fn check_log(
    ensemble: &Ensemble<'_>,
    analytics: &Analytics,
    test: &RuleTest,
    captured: &CapturedLines,
) -> Option<Failure> {
    let header = &ensemble.correlation.header;
    let events = match events(header, test, captured) {
        Ok(events) => events,
        Err(error) => return Some(Failure::Build(error)),
    };
    let alerts: Vec<Json> = raised(analytics, &events, header);
    let mismatches = match (alerts.is_empty(), test.expect.matches) {
        (true, true) => vec![Mismatch::NoMatch],
        (false, false) => vec![Mismatch::Match],
        (true, false) => Vec::new(),
        // Of several groups, one alert is to say it all.
        (false, true) => {
            let missed = alerts.iter().map(|alert| alert_mismatches(alert, &test.expect.alert));
            missed.min_by_key(Vec::len).unwrap_or_default()
        }
    };
    (!mismatches.is_empty()).then_some(Failure::Log { events, mismatches })
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
        let events = match events(&self.rule.header, test, captured) {
            Ok(events) => events,
            Err(error) => return vec![Failure::Build(error)],
        };
        let failure = |event: TestedEvent| {
            let mismatches = self.mismatches(&event, &test.expect);
            (!mismatches.is_empty()).then_some(Failure::Event { event, mismatches })
        };
        events.into_iter().filter_map(failure).collect()
    }

    fn mismatches(&self, event: &TestedEvent, expect: &Expectation) -> Vec<Mismatch> {
        let mut buffers = Buffers::default();
        let read = audit::read(&event.text, self.rules.fields(), &mut buffers).ok();
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

    fn alert_mismatches(&self, event: &TestedEvent, expected: &[(String, Json)]) -> Vec<Mismatch> {
        if expected.is_empty() {
            return Vec::new();
        }
        let analytics = Analytics::compile(vec![bare(self.rule)], Vec::new(), HashKey::default());
        let alerts = raised(&analytics, std::slice::from_ref(event), &self.rule.header);
        alert_mismatches(alerts.first().unwrap_or(&Json::Null), expected)
    }
}

/// The rule without its tests, which do not matter to matching and may be long.
fn bare(rule: &Rule) -> Rule {
    let rule = rule.clone();
    Rule { header: Header { tests: Vec::new(), ..rule.header }, ..rule }
}

/// The alerts of a rule that events raise, in their OCSF form.
fn raised(analytics: &Analytics, events: &[TestedEvent], header: &Header) -> Vec<Json> {
    let batch = log(events, &header.name);
    let alerts = pipeline::replay(analytics, &batch, &mut Windows::default(), &mut Workspace::default());
    let own = alerts.iter().filter(|alert| alert.analytic.id == header.id);
    own.map(|alert| serde_json::from_str(&ocsf::to_json(alert)).unwrap_or_default()).collect()
}

fn alert_mismatches(alert: &Json, expected: &[(String, Json)]) -> Vec<Mismatch> {
    let mismatch = |(field, expected): &(String, Json)| {
        let found: Vec<Json> = at(alert, field).into_iter().cloned().collect();
        let (field, expected) = (field.clone(), expected.clone());
        (!found.contains(&expected)).then_some(Mismatch::Alert { field, expected, found })
    };
    expected.iter().filter_map(mismatch).collect()
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
