//! Rule files: what loads, what is found wrong with them, where, and how people see it.
//!
//! The cases are data; `tests/reader/README.md` describes them.

use std::fmt::Write as _;

use serde::Deserialize;
use vaultwatch::diagnostic::{Code, Diagnostic, Severity, Source, Sources, Span};
use vaultwatch::rule;

use crate::cases;

mod bounds;
mod drawn;
mod files;
mod typed;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    text: String,
    #[serde(default)]
    whole: bool,
    path: Option<String>,
    #[serde(default)]
    more: Vec<More>,
    finds: Vec<String>,
    loads: Option<usize>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct More {
    path: String,
    text: String,
}

/// What a rule needs, beside what a case is about.
const NEEDED: [(&str, &str); 6] = [
    ("title", "Case"),
    ("id", "6a0f6a4c-37e8-4b0a-8a5c-0d2f6a7f1b00"),
    ("name", "case"),
    ("level", "low"),
    ("logsource", "{product: vault, service: audit}"),
    ("detection", "{s: {x: v}, condition: s}"),
];

/// The text with the keys that it lacks.
fn completed(text: &str) -> String {
    let mut whole = text.trim_end_matches('\n').to_owned() + "\n";
    for (key, value) in NEEDED {
        if !text.lines().any(|line| line.starts_with(&format!("{key}:"))) {
            writeln!(whole, "{key}: {value}").unwrap();
        }
    }
    whole
}

impl Case {
    fn sources(&self) -> Sources {
        let text = if self.whole { self.text.clone() } else { completed(&self.text) };
        let first = Source::new(self.path.as_deref().unwrap_or("case.yml"), text);
        let more = self.more.iter().map(|more| Source::new(&more.path, &more.text));
        Sources([first].into_iter().chain(more).collect())
    }

    /// What is not as the case says.
    fn failure(&self) -> Option<String> {
        let sources = self.sources();
        let reading = rule::read(&sources);
        let found: Vec<_> = reading.diagnostics.iter().map(|diagnostic| line(&sources, diagnostic)).collect();
        let loads = self.loads.unwrap_or(usize::from(!reading.has_errors()));
        let loaded = reading.rules.len() + reading.correlations.len();
        if found == self.finds && loaded == loads {
            return None;
        }
        Some(format!(
            "\n--- {}\n{}\nfinds = {:#?}\nbut found {:#?}\nand loaded {loaded} rules, not {loads}\n",
            self.name, self.text, self.finds, found,
        ))
    }
}

/// A diagnostic in one line, as the cases write it.
pub(crate) fn line(sources: &Sources, diagnostic: &Diagnostic) -> String {
    let severity = match diagnostic.severity {
        Severity::Warning => "warning",
        Severity::Error => "error",
    };
    let (place, text) = quoted(sources, &diagnostic.span);
    let related = diagnostic.related.as_ref().map(|(span, _)| {
        let (place, text) = quoted(sources, span);
        format!(" + {place}: {text}")
    });
    format!("{place}: {severity}[{}] {text}{}", diagnostic.code, related.unwrap_or_default())
}

/// Where a span is, and what it covers.
fn quoted(sources: &Sources, span: &Span) -> (String, String) {
    let source = sources.get(span.source).expect("a span lies in one of the sources");
    let before = source.text.get(..span.bytes.start).expect("a span starts on a character");
    let text = source.text.get(span.bytes.clone()).expect("a span ends on a character");
    let line = before.matches('\n').count() + 1;
    let path = if span.source.0 == 0 { String::new() } else { format!("{}:", source.path) };
    (format!("{path}{line}"), text.replace('\n', "⏎"))
}

fn cases() -> Vec<Case> {
    cases::of_directory("tests/reader", |name| name != "typed.toml")
}

/// The text of every case, with its name.
pub(crate) fn texts() -> Vec<(String, String)> {
    cases().into_iter().map(|case| (case.name.clone(), case.sources().0.remove(0).text)).collect()
}

#[test]
fn every_case_finds_what_it_says() {
    let cases = cases();
    let failures: Vec<_> = cases.iter().filter_map(Case::failure).collect();
    assert!(failures.is_empty(), "{} of {} cases fail:\n{}", failures.len(), cases.len(), failures.concat());
}

/// Codes that only large files and the disk bring about; `bounds` and `files` have them.
const ELSEWHERE: [&str; 3] = ["file-unreadable", "file-too-large", "more-problems"];

#[test]
fn every_code_has_a_case() {
    let cases = cases();
    let found: Vec<_> = cases.iter().flat_map(|case| &case.finds).collect();
    let unseen: Vec<_> =
        rule_codes().filter(|code| !found.iter().any(|line| line.contains(&format!("[{code}]")))).collect();
    assert_eq!(unseen, ELSEWHERE);
}

/// The reader's codes; the linter's follow them.
fn rule_codes() -> impl Iterator<Item = &'static str> {
    Code::ALL.iter().take_while(|code| **code != Code::SchemaComment).map(|code| code.id())
}
