//! Tests inside rules: the events that they make, the mutants that they must notice, and those of the pack.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value as Json;

use vaultwatch::audit::{self, Buffers, FieldTableBuilder};
use vaultwatch::detect::{RuleSet, Scratch};
use vaultwatch::diagnostic::{Source, Sources};
use vaultwatch::rule::{self, Level, Reading, Rule};
use vaultwatch::rule_test::{self, CaptureError, CapturedLines, CapturedPlace, Ensemble, mutant};
use vaultwatch::{events, rule_files};

mod surveyed;

fn table<T: DeserializeOwned>(name: &str) -> T {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/rule_tests").join(name);
    let text = fs::read_to_string(path).expect("the table is there");
    toml::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"))
}

const HEAD: &str = "title: Case\nid: 6a0f6a4c-37e8-4b0a-8a5c-0d2f6a7f1b00\nname: case\nlevel: low\n\
                    logsource: {product: vault, service: audit}\n";

/// The one rule in a text, and the text as a source.
fn read(text: &str) -> (Rule, Sources) {
    let sources = Sources(vec![Source::new("case.yml", text)]);
    let Reading { mut rules, diagnostics, .. } = rule::read(&sources);
    let problems: Vec<&String> = diagnostics.iter().map(|diagnostic| &diagnostic.message).collect();
    assert_eq!(rules.len(), 1, "{problems:?}\n{text}");
    (rules.remove(0), sources)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EventCases {
    case: Vec<EventCase>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EventCase {
    what: String,
    event: String,
    events: Option<Vec<String>>,
    fails: Option<String>,
}

const LOG: [&str; 3] = [
    r#"{"time":"2026-01-01T00:00:00Z","type":"request","request":{"id":"1","path":"p","data":{"k":[1]}}}"#,
    "[1]",
    r#"{"type": "request", "n": 1.50e0, "a.b": "\u0041"}"#,
];

fn captured(rule: &Rule) -> CapturedLines {
    let line = |place: &CapturedPlace| match place.path.as_str() {
        "log.jsonl" => LOG.get(place.line as usize - 1).map(ToString::to_string).ok_or(CaptureError::NoSuchLine),
        _ => Err(CaptureError::Unreadable("no such file".to_owned())),
    };
    rule_test::captured_places(&rule.header).map(|place| (place.clone(), line(&place))).collect()
}

#[test]
fn what_a_test_says_makes_these_events() {
    let mut failures = String::new();
    for case in table::<EventCases>("events.toml").case {
        let test = format!("tests: [{{name: t, events: [{}], expect: match}}]\n", case.event);
        let (rule, _) = read(&format!("{HEAD}detection: {{s: {{x: v}}, condition: s}}\n{test}"));
        let got = rule_test::events(&rule.header, &rule.header.tests[0], &captured(&rule));
        let got = got.map(|events| events.into_iter().map(|event| event.text).collect::<Vec<_>>());
        let got = got.map_err(|error| error.to_string());
        let expected = case.events.ok_or_else(|| case.fails.expect("events or a failure"));
        if got != expected {
            writeln!(failures, "\n{}\nexpected {expected:#?}\ngot      {got:#?}", case.what).unwrap();
        }
    }
    assert!(failures.is_empty(), "{failures}");
}

#[test]
fn too_many_events_are_refused() {
    let member = "{like: kv_read, repeat: 6000}";
    let tests = format!("tests: [{{name: t, events: [{member}, {member}], expect: match}}]\n");
    let (rule, _) = read(&format!("{HEAD}detection: {{s: {{x: v}}, condition: s}}\n{tests}"));
    let error = rule_test::events(&rule.header, &rule.header.tests[0], &CapturedLines::new()).unwrap_err();
    assert_eq!(error.to_string(), "more than 10000 events");
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MutantCases {
    case: Vec<MutantCase>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MutantCase {
    what: String,
    detection: String,
    mutants: Vec<String>,
}

#[test]
fn everything_that_can_be_changed_in_a_detection() {
    let mut failures = String::new();
    for case in table::<MutantCases>("mutants.toml").case {
        let indented = format!("  {}", case.detection.trim_end().replace('\n', "\n  "));
        let head = format!("{HEAD}detection:\n");
        let (rule, sources) = read(&format!("{head}{indented}\n"));
        let lines = |text: &str| text.matches('\n').count();
        let line = |at: usize| lines(sources.0[0].text.get(..at).unwrap()) + 1 - lines(&head);
        let got: Vec<String> = mutant::mutants(&rule)
            .iter()
            .map(|variant| &variant.mutant)
            .map(|mutant| format!("{}: {}", line(mutant.span.bytes.start), mutant.change))
            .collect();
        if got != case.mutants {
            writeln!(failures, "\n{}\nexpected {:#?}\ngot      {got:#?}", case.what, case.mutants).unwrap();
        }
    }
    assert!(failures.is_empty(), "{failures}");
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CorrelationCases {
    case: Vec<CorrelationCase>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CorrelationCase {
    what: String,
    correlation: String,
    mutants: Vec<String>,
}

#[test]
fn everything_that_can_be_changed_in_a_correlation() {
    let rules = ["a", "b", "c"].map(|name| {
        let head = HEAD.replace("1b00", &format!("1b0{name}")).replace("name: case", &format!("name: {name}"));
        format!("{head}detection: {{s: {{x: v}}, condition: s}}\n---\n")
    });
    let head = format!(
        "{}title: Case\nid: 6a0f6a4c-37e8-4b0a-8a5c-0d2f6a7f1b09\nname: case\nlevel: low\ncorrelation:\n",
        rules.concat()
    );
    let mut failures = String::new();
    for case in table::<CorrelationCases>("correlation_mutants.toml").case {
        let indented = format!("  {}", case.correlation.trim_end().replace('\n', "\n  "));
        let sources = Sources(vec![Source::new("case.yml", format!("{head}{indented}\n"))]);
        let reading = rule::read(&sources);
        assert_eq!(reading.correlations.len(), 1, "{}: {:?}", case.what, reading.diagnostics);
        let lines = |text: &str| text.matches('\n').count();
        let line = |at: usize| lines(sources.0[0].text.get(..at).unwrap()) + 1 - lines(&head);
        let got: Vec<String> = mutant::correlation_mutants(&reading.correlations[0])
            .iter()
            .map(|variant| format!("{}: {}", line(variant.mutant.span.bytes.start), variant.mutant.change))
            .collect();
        if got != case.mutants {
            writeln!(failures, "\n{}\nexpected {:#?}\ngot      {got:#?}", case.what, case.mutants).unwrap();
        }
    }
    assert!(failures.is_empty(), "{failures}");
}

fn pack() -> Reading {
    let sources = rule_files::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("rules")).expect("the rules are there");
    rule::read(&sources)
}

/// The tests of the pack stand for themselves: what they name ships with the program.
#[test]
fn every_rule_of_the_pack_passes_its_tests() {
    let pack = pack();
    let ensembles: Vec<Ensemble<'_>> = pack.correlations.iter().map(|other| Ensemble::of(other, &pack)).collect();
    let of_rules = pack.rules.iter().map(|rule| (&rule.header, rule_test::run(rule, &CapturedLines::new())));
    let of_correlations = ensembles
        .iter()
        .map(|ensemble| (&ensemble.correlation.header, rule_test::run_correlation(ensemble, &CapturedLines::new())));
    for (header, runs) in of_rules.chain(of_correlations) {
        for run in &runs {
            assert!(run.passed(), "{}: {}: {:#?}", header.name, run.test.name, run.failures);
        }
        let hits = runs.iter().filter(|run| run.test.expect.matches).count();
        assert!(hits >= 1 && runs.len() - hits >= 2, "{}: {hits} of {} tests fire", header.name, runs.len());
    }
}

#[test]
fn the_tests_of_the_pack_notice_every_mutant() {
    let pack = pack();
    let ensembles: Vec<Ensemble<'_>> = pack.correlations.iter().map(|other| Ensemble::of(other, &pack)).collect();
    let of_rules = pack.rules.iter().map(|rule| (&rule.header, mutant::run(rule, &CapturedLines::new()), 6));
    let of_correlations = ensembles
        .iter()
        .map(|ensemble| (&ensemble.correlation.header, mutant::run_correlation(ensemble, &CapturedLines::new()), 3));
    let mut unnoticed = String::new();
    for (header, mutation, least) in of_rules.chain(of_correlations) {
        assert!(mutation.tried >= least && mutation.left_out == 0, "{}: {} mutants", header.name, mutation.tried);
        for mutant in mutation.unnoticed {
            writeln!(unnoticed, "{}: {}", header.name, mutant.change).unwrap();
        }
    }
    assert!(unnoticed.is_empty(), "\n{unnoticed}");
}

/// Tests read like documentation.
#[test]
fn the_names_of_the_packs_tests_are_sentences() {
    let Reading { rules, correlations, .. } = pack();
    let headers = rules.iter().map(|rule| &rule.header);
    let headers = headers.chain(correlations.iter().map(|correlation| &correlation.header));
    for (header, test) in headers.flat_map(|header| header.tests.iter().map(move |test| (header, test))) {
        let (rule, name) = (&header.name, &test.name);
        let words = name.split(' ').count();
        assert!(words >= 3 && name.len() <= 100 && !name.ends_with('.'), "{rule}: {name}");
        assert!(name.starts_with(char::is_lowercase) || begins_with_a_name(name), "{rule}: {name}");
    }
}

/// `HCP`, `OpenBao`, `SecretIDs`, or a number.
fn begins_with_a_name(text: &str) -> bool {
    let first = text.split(' ').next().unwrap_or_default();
    first.chars().filter(|letter| letter.is_uppercase()).count() >= 2 || first.parse::<u32>().is_ok()
}

/// What the library says happened did happen, by the fields that tell.
#[test]
fn the_events_of_the_library_are_what_they_say() {
    let fields = ["derived.outcome", "derived.login", "derived.denied", "auth.display_name"];
    let mut table = FieldTableBuilder::default();
    for field in fields {
        table.slot(field);
    }
    let table = table.build();
    let mut buffers = Buffers::default();
    let mut text = String::new();
    for event in events::all() {
        let read = audit::read(event.text(), &table, &mut buffers).expect("it reads");
        assert!(read.time().is_some(), "{}", event.name);
        let json: Json = serde_json::from_str(event.text()).expect("it reads");
        let at = |pointer: &str| json.pointer(pointer).and_then(Json::as_str).unwrap_or("-").to_owned();
        let facts = fields.map(|field| read.text_of(field).unwrap_or("-"));
        let operation = format!("{} {}", at("/request/operation"), at("/request/path"));
        writeln!(text, "{:34} {:8} {:60} {}", event.name, at("/type"), operation, facts.join("  ")).unwrap();
    }
    insta::assert_snapshot!(text);
}

/// What a filter adds is the filter's, and the values of a list are the list's: a rule's tests answer for neither.
#[test]
fn filters_and_lists_are_not_mutated() {
    let rule = format!(
        "{HEAD}detection:\n  s:\n    request.path|expand: [a, '%paths%']\n  t:\n    x|exists: true\n  \
         condition: s and t\n"
    );
    let filter = "title: Backups\nid: 6a0f6a4c-37e8-4b0a-8a5c-0d2f6a7f1b09\nname: backups\n\
                  logsource: {product: vault, service: audit}\nfilter:\n  rules: [case]\n  backup:\n    \
                  auth.display_name: [backup, snapshot]\n  condition: not backup\n";
    let list = "name: paths\ndescription: Paths\nvalues: [b, c, d]\n";
    let sources = Sources(vec![
        Source::new("case.yml", rule),
        Source::new("filters/backups.yml", filter),
        Source::new("lists/paths.yml", list),
    ]);
    let reading = rule::read(&sources);
    assert_eq!(reading.rules.len(), 1, "{:?}", reading.diagnostics);
    let rule = &reading.rules[0];
    assert_eq!(rule.detection.searches.len(), 3, "the filter is folded in");
    let changes: Vec<String> = mutant::mutants(rule).into_iter().map(|variant| variant.mutant.change).collect();
    insta::assert_snapshot!(changes.join("\n"), @"
    `request.path`: negated
    `request.path`: without `a`
    `request.path`: `a*` instead of `a`
    `request.path`: `*a` instead of `a`
    `request.path`: `*a*` instead of `a`
    `request.path`: without the values of a list
    `request.path`: all values must match, not one
    `x`: negated
    condition: without `s`
    condition: without `t`
    condition: `or` instead of `and` between `s`, `t`
    ");
}

/// A library event is ordinary unless it says otherwise: which rules of the pack alert on each one. Those that only
/// serve correlations look at what is ordinary.
#[test]
fn what_the_pack_makes_of_the_library() {
    let mut rules = pack().rules;
    rules.retain(|rule| rule.header.level > Level::Informational);
    let rules = RuleSet::compile(rules);
    let mut buffers = Buffers::default();
    let mut scratch = Scratch::default();
    let mut text = String::new();
    for event in events::all() {
        let read = audit::read(event.text(), rules.fields(), &mut buffers).expect("it reads");
        let matched = rules.evaluate(&read, &mut scratch).iter();
        let names: Vec<&str> =
            matched.map(|id| rules.rule(*id).expect("a rule of these").header.name.as_str()).collect();
        if !names.is_empty() {
            writeln!(text, "{}: {}", event.name, names.join(", ")).unwrap();
        }
    }
    insta::assert_snapshot!(text);
}
