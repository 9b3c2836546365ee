//! The rule language: the cases of `tests/sigma/*.toml`, judged by the compiled rules, by their traces and by a
//! naive evaluator.

use std::fmt::Write;

use serde::Deserialize;

use vaultwatch::audit::{self, Buffers};
use vaultwatch::detect::{RuleSet, Scratch};
use vaultwatch::diagnostic::{Source, Sources};
use vaultwatch::rule::{self, Reading, Rule};

use tree::Json;

use crate::cases;

mod generated;
mod reference;
mod traced;
mod tree;

/// One case, as `tests/sigma/README.md` describes it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Case {
    pub(crate) name: String,
    search: Option<String>,
    detection: Option<String>,
    rule: Option<String>,
    file: Option<String>,
    #[serde(default)]
    r#match: Vec<String>,
    #[serde(default)]
    miss: Vec<String>,
    #[serde(default)]
    warns: Vec<String>,
    pub(crate) refused: Option<String>,
}

pub(crate) fn cases() -> Vec<Case> {
    cases::of_directory("tests/sigma", |_| true)
}

impl Case {
    /// The rule file; what the case leaves out is the same for all but the number.
    pub(crate) fn source(&self, number: usize) -> Source {
        let text = match (&self.search, &self.detection, &self.rule) {
            (Some(search), None, None) => {
                whole(number, &format!("  search:\n{}  condition: search\n", indented(search, 4)))
            }
            (None, Some(detection), None) => whole(number, &indented(detection, 2)),
            (None, None, Some(rule)) => rule.clone(),
            _ => panic!("{}: a case has a search, a detection or a rule", self.name),
        };
        Source::new(self.file.clone().unwrap_or_else(|| format!("case_{number}.yml")), text)
    }

    fn read(&self, number: usize) -> Reading {
        rule::read(&Sources(vec![self.source(number)]))
    }

    /// Whether the rule loads, or not, as the case says.
    fn check_reading(&self, reading: &Reading) -> Result<(), String> {
        let codes: Vec<&str> = reading.diagnostics.iter().map(|found| found.code.id()).collect();
        let as_said = match &self.refused {
            Some(code) => reading.rules.is_empty() && codes.first() == Some(&code.as_str()),
            None => !reading.rules.is_empty() && codes == self.warns,
        };
        let expected = self
            .refused
            .as_ref()
            .map_or_else(|| format!("warnings {:?}", self.warns), |code| format!("refused {code}"));
        as_said.then_some(()).ok_or_else(|| format!("expected {expected}\ngot      {:#?}", reading.diagnostics))
    }

    /// Every event with the verdict that the case wants.
    pub(crate) fn events(&self) -> impl Iterator<Item = (&str, bool)> {
        let wanted = self.r#match.iter().map(|event| (event.as_str(), true));
        wanted.chain(self.miss.iter().map(|event| (event.as_str(), false)))
    }
}

pub(crate) fn whole(number: usize, detection: &str) -> String {
    format!(
        "title: Case {number}\nid: 00000000-0000-4000-8000-{number:012}\nname: case_{number}\n\
         logsource: {{product: vault, service: audit}}\nlevel: low\ndetection:\n{detection}"
    )
}

pub(crate) fn indented(text: &str, by: usize) -> String {
    let lines: Vec<String> = text.trim_matches('\n').lines().map(|line| format!("{:by$}{line}\n", "")).collect();
    lines.concat()
}

/// The rules of the set that an event matches, by their names.
pub(crate) fn verdicts(rules: &RuleSet, event: &str) -> Vec<String> {
    let mut buffers = Buffers::default();
    let event = audit::read(event, rules.fields(), &mut buffers).expect("events of cases are JSON objects");
    let mut scratch = Scratch::default();
    let matched = rules.evaluate(&event, &mut scratch);
    matched.iter().map(|id| rules.rule(*id).expect("an id of this set").header.name.clone()).collect()
}

/// The rules that an event matches by the naive evaluator, by their names.
fn expected_names(rules: &[Rule], event: &str) -> Vec<String> {
    let tree = Json::parse(event);
    let matching = rules.iter().filter(|rule| reference::matches(&rule.detection, &tree));
    matching.map(|rule| rule.header.name.clone()).collect()
}

/// A rule that matches nothing of these tests, and looks for so many texts in these fields that they are searched as
/// those of a whole pack are: prefixes apart from the rest.
fn crowd(fields: &[&str]) -> Rule {
    let texts: Vec<String> = (0..101).map(|number| format!("zz{number}")).collect();
    let texts = texts.join(", ");
    let item = |field: &&str| format!("'{field}|contains': [{texts}]\n    '{field}|contains|cased': [{texts}]\n");
    let items: Vec<String> = fields.iter().map(item).collect();
    let detection = format!("  crowd:\n    {}  condition: crowd\n", items.join("    "));
    let sources = Sources(vec![Source::new("crowd.yml", whole(999_999, &detection))]);
    let Reading { mut rules, diagnostics, .. } = rule::read(&sources);
    assert!(!rules.is_empty(), "{diagnostics:#?}");
    rules.remove(0)
}

/// Collects what went wrong, so that one run shows everything.
#[derive(Default)]
struct Failures(String);

impl Failures {
    fn add(&mut self, case: &Case, number: usize, what: &str) {
        let text = case.source(number).text;
        write!(self.0, "\n== {}\n{}\n-- {what}\n", case.name, text.trim_end()).expect("writing to a string");
    }

    #[track_caller]
    fn report(self) {
        let count = self.0.matches("\n== ").count();
        assert!(self.0.is_empty(), "{count} failures\n{}", self.0);
    }
}

#[test]
fn every_case_is_judged_as_it_says() {
    let mut failures = Failures::default();
    for (number, case) in cases().iter().enumerate() {
        let reading = case.read(number);
        if let Err(what) = case.check_reading(&reading) {
            failures.add(case, number, &what);
            continue;
        }
        let rules = RuleSet::compile(reading.rules.clone());
        for (event, expected) in case.events() {
            let compiled = !verdicts(&rules, event).is_empty();
            let traced = !traced::names(&rules, event).is_empty();
            let naive = !expected_names(&reading.rules, event).is_empty();
            if [compiled, traced, naive] != [expected; 3] {
                let what = format!(
                    "event    {event}\nexpected {expected}\ncompiled {compiled}\ntraced   {traced}\nnaive    {naive}"
                );
                failures.add(case, number, &what);
            }
        }
    }
    failures.report();
}

/// Rules share matchers, so that what one of them asks for must never change another one's verdict.
#[test]
fn all_rules_together_judge_as_each_alone() {
    let cases = cases();
    let loaded: Vec<Rule> = cases.iter().enumerate().flat_map(|(number, case)| case.read(number).rules).collect();
    let in_a_crowd = loaded.iter().cloned().chain([crowd(&["field"])]);
    let together = RuleSet::compile(in_a_crowd.collect());
    let mut failures = Vec::new();
    for (event, _) in cases.iter().flat_map(Case::events) {
        let expected = expected_names(&loaded, event);
        let got = verdicts(&together, event);
        if got != expected {
            let wrong: Vec<_> = expected.iter().filter(|name| !got.contains(name)).collect();
            let more: Vec<_> = got.iter().filter(|name| !expected.contains(name)).collect();
            failures.push(format!("event {event}\nmissing {wrong:?}\ntoo many {more:?}"));
        }
    }
    assert!(failures.is_empty(), "{} events\n{}", failures.len(), failures.join("\n"));
}

#[test]
fn cases_have_names_of_their_own_and_say_something() {
    let cases = cases();
    for case in &cases {
        assert_eq!(cases.iter().filter(|other| other.name == case.name).count(), 1, "{}: twice", case.name);
        let judges = !case.r#match.is_empty() || !case.miss.is_empty();
        assert_ne!(judges, case.refused.is_some(), "{}: events, or a refusal", case.name);
    }
}
