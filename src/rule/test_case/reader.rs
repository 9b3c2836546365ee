//! `tests:` and `rsigma.exemplars:` -> tests.

use std::collections::HashMap;

use super::super::document::entries as entries_of;
use super::super::metadata::{self, strict_keys};
use super::super::report::Report;
use super::super::scalar::Value;
use super::super::suggest::{advice, nearest};
use super::super::yaml::{Content, Entry, Node, Scalar};
use super::super::{Detection, timespan};
use super::event;
use super::{Expectation, RuleTest, TestEvent, json};
use crate::diagnostic::{Code, Diagnostic, Span};

const TEST_KEYS: [&str; 7] = ["name", "like", "file", "event", "without", "events", "expect"];
const EXPECT_KEYS: [&str; 3] = ["match", "searches", "alert"];
const EXEMPLAR_KEYS: [&str; 4] = ["name", "event", "events", "expect"];
const EXEMPLARS: &str = "rsigma.exemplars";

/// What is tested.
#[derive(Clone, Copy)]
pub(in super::super) enum Subject<'d> {
    /// A rule; `None` if its detection cannot be read.
    Rule(Option<&'d Detection>),
    Correlation,
}

/// Reads the tests of a document. Those with a fault are left out, and the document does not load.
pub(in super::super) fn read(report: &mut Report<'_>, entries: &[Entry<'_>], subject: Subject<'_>) -> Vec<RuleTest> {
    let find = |entries: &[Entry<'_>], key| entries.iter().position(|entry| entry.key.text == key);
    let mut reader = Reader { report, subject, names: HashMap::new() };
    let mut tests = Vec::new();
    if let Some(entry) = find(entries, "tests").and_then(|at| entries.get(at)) {
        tests.extend(reader.list(entry, Reader::test));
    }
    // rsigma takes them from either place.
    let custom = find(entries, "custom_attributes").and_then(|at| entries.get(at));
    let nested = custom.map_or(&[][..], |entry| entries_of(&entry.value));
    for entries in [entries, nested] {
        if let Some(entry) = find(entries, EXEMPLARS).and_then(|at| entries.get(at)) {
            tests.extend(reader.list(entry, Reader::exemplar));
        }
    }
    tests
}

struct Reader<'r, 't, 'd> {
    report: &'r mut Report<'t>,
    subject: Subject<'d>,
    /// The names that are taken, and where.
    names: HashMap<String, Span>,
}

impl Reader<'_, '_, '_> {
    fn list(
        &mut self,
        entry: &Entry<'_>,
        read: fn(&mut Self, usize, &[Entry<'_>], &Span) -> Option<RuleTest>,
    ) -> Vec<RuleTest> {
        let key = &entry.key.text;
        let Content::List(members) = &entry.value.content else {
            let message = format!("`{key}` needs a list of tests");
            self.report.push(Diagnostic::error(Code::WrongType, &entry.value.span, message));
            return Vec::new();
        };
        let mut tests = Vec::new();
        for (index, member) in members.iter().enumerate() {
            if let Content::Map(entries) = &member.content {
                tests.extend(read(self, index, entries, &member.span));
            } else {
                let message = format!("a member of `{key}` is a map of `name`, `event` and `expect`");
                self.report.push(Diagnostic::error(Code::WrongType, &member.span, message));
            }
        }
        tests
    }

    fn test(&mut self, _: usize, entries: &[Entry<'_>], span: &Span) -> Option<RuleTest> {
        strict_keys(self.report, entries, "a test", &TEST_KEYS);
        let start = start(span);
        let name = match find(entries, "name") {
            Some(entry) => self.name(entry),
            None => self.lacks(&start, "this test has no `name`"),
        };
        let events = self.events(entries, &start);
        let expect = match find(entries, "expect") {
            Some(entry) => self.expectation(entry),
            None => self.lacks(&start, "this test expects nothing"),
        };
        let (name, span) = name?;
        Some(RuleTest { name, span, events: events?, expect: expect? })
    }

    fn lacks<T>(&mut self, place: &Span, message: &str) -> Option<T> {
        self.report.push(Diagnostic::error(Code::MissingKey, place, message));
        None
    }

    fn refuse<T>(&mut self, place: &Span, message: impl Into<String>) -> Option<T> {
        self.report.push(Diagnostic::error(Code::InvalidTest, place, message));
        None
    }

    fn name(&mut self, entry: &Entry<'_>) -> Option<(String, Span)> {
        let scalar = metadata::text(self.report, entry)?;
        if scalar.text.trim().is_empty() {
            return self.refuse(&scalar.span, "the name of this test is empty");
        }
        if let Some(first) = self.names.get(scalar.text.as_ref()) {
            let message = format!("the name `{}` is taken", scalar.text);
            let diagnostic = Diagnostic::error(Code::InvalidTest, &scalar.span, message);
            self.report.push(diagnostic.related(first, "by this test"));
            return None;
        }
        self.names.insert(scalar.text.to_string(), scalar.span.clone());
        Some((scalar.text.to_string(), scalar.span.clone()))
    }

    /// The one event of a test, or the list of them.
    fn events(&mut self, entries: &[Entry<'_>], start: &Span) -> Option<Vec<TestEvent>> {
        let Some(list) = find(entries, "events") else {
            let own: Vec<Entry<'_>> = entries.iter().filter(|entry| is_about_event(&entry.key.text)).cloned().collect();
            return Some(vec![event::read(self.report, &own, start)?]);
        };
        if let Some(stray) = entries.iter().find(|entry| is_about_event(&entry.key.text)) {
            let message = format!("`{}` and `events` cannot stand side by side", stray.key.text);
            return self.refuse(&stray.key.span, message);
        }
        let Content::List(members) = &list.value.content else {
            let message = "`events` needs a list of maps";
            self.report.push(Diagnostic::error(Code::WrongType, &list.value.span, message));
            return None;
        };
        if members.is_empty() {
            return self.refuse(&list.value.span, "this test has no event");
        }
        let read: Vec<_> = members.iter().map(|member| event::read_member(self.report, member)).collect();
        read.into_iter().collect()
    }

    /// `match`, `no match`, or a map of what else must be.
    fn expectation(&mut self, entry: &Entry<'_>) -> Option<Expectation> {
        let Content::Map(entries) = &entry.value.content else {
            let matches = self.verdict(entry, ["match", "no match"])?;
            return Some(Expectation { matches, searches: Vec::new(), alert: Vec::new() });
        };
        strict_keys(self.report, entries, "`expect`", &EXPECT_KEYS);
        let matches = find(entries, "match").map_or(Some(true), |entry| self.boolean(entry));
        let searches = find(entries, "searches").map_or(Some(Vec::new()), |entry| self.searches(entry));
        let alert = find(entries, "alert").map(|entry| (entry, json::members(self.report, entry)));
        if let (Some(false), Some((entry, _))) = (matches, &alert) {
            return self.refuse(&entry.key.span, "where nothing matches, there is no alert");
        }
        let alert = alert.map_or(Some(Vec::new()), |(_, members)| members);
        Some(Expectation { matches: matches?, searches: searches?, alert: alert? })
    }

    fn verdict(&mut self, entry: &Entry<'_>, [yes, no]: [&'static str; 2]) -> Option<bool> {
        let scalar = metadata::text(self.report, entry)?;
        if scalar.text == yes || scalar.text == no {
            return Some(scalar.text == yes);
        }
        let message = format!("`{}` is nothing that can be expected", scalar.text);
        let diagnostic = Diagnostic::error(Code::UnknownValue, &scalar.span, message);
        self.report.push(diagnostic.help(advice(&scalar.text, &[yes, no])));
        None
    }

    fn boolean(&mut self, entry: &Entry<'_>) -> Option<bool> {
        if let Content::Scalar(scalar) = &entry.value.content
            && let Value::Bool(flag) = scalar.value()
        {
            return Some(flag);
        }
        let message = format!("`{}` needs `true` or `false`", entry.key.text);
        self.report.push(Diagnostic::error(Code::WrongType, &entry.value.span, message));
        None
    }

    /// The searches that must hold, which must exist.
    fn searches(&mut self, entry: &Entry<'_>) -> Option<Vec<String>> {
        let named = metadata::texts(self.report, entry)?;
        let detection = match self.subject {
            Subject::Correlation => return self.refuse(&entry.key.span, "a correlation rule has no searches"),
            Subject::Rule(detection) => detection,
        };
        for scalar in &named {
            self.check_search(detection, scalar);
        }
        Some(named.into_iter().map(|scalar| scalar.text.to_string()).collect())
    }

    fn check_search(&mut self, detection: Option<&Detection>, named: &Scalar<'_>) {
        let Some(detection) = detection else { return };
        let searches = || detection.searches.iter().map(|search| search.name.as_str());
        if searches().any(|name| name == named.text) {
            return;
        }
        let message = format!("there is no search `{}`", named.text);
        let diagnostic = Diagnostic::error(Code::UnknownSearch, &named.span, message);
        self.report.push(match nearest(&named.text, searches()) {
            Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
            None => diagnostic,
        });
    }

    /// A test as rsigma has it: a name is not needed, and events have an `offset`.
    fn exemplar(&mut self, index: usize, entries: &[Entry<'_>], span: &Span) -> Option<RuleTest> {
        strict_keys(self.report, entries, "an exemplar", &EXEMPLAR_KEYS);
        let start = start(span);
        let name = match find(entries, "name") {
            Some(entry) => self.name(entry),
            None => Some((format!("exemplar {}", index + 1), start.clone())),
        };
        let events = match self.subject {
            Subject::Rule(_) => match find(entries, "event") {
                Some(entry) => event::complete(self.report, entry).map(|event| vec![event]),
                None => self.lacks(&start, "this exemplar has no `event`"),
            },
            Subject::Correlation => match find(entries, "events") {
                Some(entry) => self.timed_events(entry),
                None => self.lacks(&start, "this exemplar has no `events`"),
            },
        };
        let matches = match find(entries, "expect") {
            Some(entry) => self.verdict(entry, ["match", "no-match"]),
            None => self.lacks(&start, "this exemplar expects nothing"),
        };
        let (name, span) = name?;
        let expect = Expectation { matches: matches?, searches: Vec::new(), alert: Vec::new() };
        Some(RuleTest { name, span, events: events?, expect })
    }

    fn timed_events(&mut self, entry: &Entry<'_>) -> Option<Vec<TestEvent>> {
        let Content::List(members) = &entry.value.content else {
            let message = "`events` needs a list of maps";
            self.report.push(Diagnostic::error(Code::WrongType, &entry.value.span, message));
            return None;
        };
        if members.is_empty() {
            return self.refuse(&entry.value.span, "this exemplar has no event");
        }
        let read: Vec<_> = members.iter().map(|member| self.timed_event(member)).collect();
        read.into_iter().collect()
    }

    fn timed_event(&mut self, member: &Node<'_>) -> Option<TestEvent> {
        let entries = entries_of(member);
        strict_keys(self.report, entries, "a timed event", &["offset", "event"]);
        let Some(event) = find(entries, "event") else {
            return self.lacks(&start(&member.span), "this timed event has no `event`");
        };
        let at = find(entries, "offset").and_then(|entry| timespan::offset(self.report, entry));
        Some(TestEvent { at, ..event::complete(self.report, event)? })
    }
}

fn is_about_event(key: &str) -> bool {
    event::KEYS.contains(&key)
}

fn find<'n, 's>(entries: &'n [Entry<'s>], key: &str) -> Option<&'n Entry<'s>> {
    entries.iter().find(|entry| entry.key.text == key)
}

fn start(span: &Span) -> Span {
    Span { source: span.source, bytes: span.bytes.start..span.bytes.start }
}
