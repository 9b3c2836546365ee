//! The tests inside a rule.

mod event;
mod json;
pub(super) mod reader;

use serde_json::Value as Json;

use super::Timespan;
use crate::diagnostic::Span;

/// A test that a rule brings along: events, and whether the rule must match them.
#[derive(Debug, Clone, PartialEq)]
pub struct RuleTest {
    /// What it shows, in words; unique in its rule.
    pub name: String,
    /// Where it stands: the span of its name.
    pub span: Span,
    /// In the order written; never empty.
    pub events: Vec<TestEvent>,
    /// What must come of them.
    pub expect: Expectation,
}

/// One event of a test, or several that differ a little.
#[derive(Debug, Clone, PartialEq)]
pub struct TestEvent {
    /// What it starts from.
    pub base: EventBase,
    /// `event:` laid over the base, in the order written: dotted keys as written, and the JSON of their values.
    pub overrides: Vec<(String, Json)>,
    /// `without:` dotted keys that are taken out of the base before anything is laid over it.
    pub without: Vec<String>,
    /// `at:` how long after the start of the test it happens.
    pub at: Option<Timespan>,
    /// `repeat:` how often it happens; 1 or more.
    pub repeat: u32,
    /// `every:` how long after each other the repetitions happen.
    pub every: Option<Timespan>,
    /// `vary:` dotted keys, with a text in which `{n}` is the number of the repetition, from 1.
    pub vary: Vec<(String, String)>,
    /// Where it stands.
    pub span: Span,
}

/// What an event of a test starts from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EventBase {
    /// Nothing: `event:` is all of it.
    Complete,
    /// `like:` a complete event that ships with the program, by its name.
    Like {
        /// As written; whether there is such an event is not known here.
        name: String,
        /// Where the name stands.
        span: Span,
    },
    /// `file:` a line of a captured log.
    File {
        /// The path, relative to the rule's file or to the rules' directory.
        path: String,
        /// From 1.
        line: u32,
        /// Where both stand.
        span: Span,
    },
}

/// What must come of the events of a test.
#[derive(Debug, Clone, PartialEq)]
pub struct Expectation {
    /// Whether the rule must match, or must not.
    pub matches: bool,
    /// The searches that must hold, by name; empty if it does not matter which do.
    pub searches: Vec<String>,
    /// What the alert must say: dotted keys of its OCSF form, and the JSON that must stand there.
    pub alert: Vec<(String, Json)>,
}
