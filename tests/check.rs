//! What `vaultwatch check` finds in rules that load.
//!
//! The cases are data; `tests/check/README.md` describes them.

use std::fmt::Write as _;
use std::path::Path;

use serde::Deserialize;
use vaultwatch::diagnostic::{Code, Diagnostic, Severity, Source, Sources};
use vaultwatch::{lint, rule, rule_files};

use crate::{cases, reader};

mod reference;
mod schema;
mod sound;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    rule: String,
    #[serde(default)]
    more: Vec<More>,
    finds: Vec<String>,
    help: Option<String>,
    fixed: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct More {
    path: String,
    text: String,
}

/// What a rule should have, beside what a case is about.
const COMPLETE: [(&str, &str); 13] = [
    ("title", "Case"),
    ("id", "6a0f6a4c-37e8-4b0a-8a5c-0d2f6a7f1b00"),
    ("name", "case"),
    ("status", "test"),
    ("description", "A case"),
    ("references", "[https://example.com]"),
    ("logsource", "{product: vault, service: audit}"),
    ("detection", "{s: {type: response, auth.display_name: v}, condition: s}"),
    ("falsepositives", "[none]"),
    ("level", "low"),
    ("tags", "[attack.impact, attack.t1485]"),
    ("alert", "{runbook: [Look.]}"),
    ("tests", "[{name: fires, like: kv_read, expect: match}, {name: does not, like: kv_write, expect: no match}]"),
];

/// The text with the keys that it lacks; a key with `-` before it is left out.
fn completed(text: &str) -> String {
    let (left_out, kept): (Vec<&str>, Vec<&str>) = text.lines().partition(|line| line.starts_with("-- "));
    let mut whole = kept.join("\n") + "\n";
    for (key, value) in COMPLETE {
        let is_there = kept.iter().any(|line| line.starts_with(&format!("{key}:")));
        if !is_there && !left_out.contains(&format!("-- {key}").as_str()) {
            writeln!(whole, "{key}: {value}").unwrap();
        }
    }
    whole
}

/// Everything that is found, as the command finds it.
fn found(sources: &Sources) -> Vec<Diagnostic> {
    let mut reading = rule::read(sources);
    let mut found = std::mem::take(&mut reading.diagnostics);
    found.extend(lint::check(sources, &reading, None));
    found.sort_by_key(|diagnostic| (diagnostic.span.source, diagnostic.span.bytes.start));
    found
}

impl Case {
    fn sources(&self) -> Sources {
        let first = Source::new("rules/case.yml", completed(&self.rule));
        let more = self.more.iter().map(|more| Source::new(&more.path, &more.text));
        Sources([first].into_iter().chain(more).collect())
    }

    /// What is not as the case says.
    fn failure(&self) -> Option<String> {
        let sources = self.sources();
        let found = found(&sources);
        let lines: Vec<_> = found.iter().map(|diagnostic| reader::line(&sources, diagnostic)).collect();
        let help = found.first().and_then(|first| first.help.as_deref()).unwrap_or_default();
        let helps = self.help.as_deref().is_none_or(|expected| help.contains(expected));
        let fixed = found.first().and_then(|first| fixed(&sources, first));
        if lines == self.finds && helps && (self.fixed.is_none() || self.fixed == fixed) {
            return None;
        }
        Some(format!(
            "\n--- {}\n{}\nfinds = {:#?}\nbut found {lines:#?}\nwith help {help:?}\nfixed {fixed:?}\n",
            self.name, self.rule, self.finds
        ))
    }
}

/// The line of a problem after its fix.
fn fixed(sources: &Sources, diagnostic: &Diagnostic) -> Option<String> {
    let fix = diagnostic.fix.as_ref()?;
    let text = &sources.get(fix.span.source)?.text;
    let (before, after) = (text.get(..fix.span.bytes.start)?, text.get(fix.span.bytes.end..)?);
    let start = before.rsplit('\n').next()?;
    let end = after.split('\n').next()?;
    Some(format!("{start}{}{end}", fix.replacement))
}

fn cases() -> Vec<Case> {
    cases::of_directory("tests/check", |_| true)
}

#[test]
fn every_case_finds_what_it_says() {
    let cases = cases();
    let failures: Vec<_> = cases.iter().filter_map(Case::failure).collect();
    assert!(failures.is_empty(), "{} of {} cases fail:\n{}", failures.len(), cases.len(), failures.concat());
}

#[test]
fn every_check_has_a_case() {
    let cases = cases();
    let checks = Code::ALL.iter().skip_while(|code| **code != Code::SchemaComment).map(|code| code.id());
    let is_found =
        |code: &str| cases.iter().flat_map(|case| &case.finds).any(|line| line.contains(&format!("[{code}]")));
    let unseen: Vec<_> = checks.filter(|code| !is_found(code)).collect();
    // It depends on what lies beside the rules, and has a test of the command.
    assert_eq!(unseen, ["schema-comment"]);
}

#[test]
fn nothing_is_wrong_with_the_rules_that_ship() {
    let rules = Path::new(env!("CARGO_MANIFEST_DIR")).join("rules");
    let sources = rule_files::read(&rules).unwrap();
    let found = found(&sources);
    let lines: Vec<_> = found.iter().map(|diagnostic| reader::line(&sources, diagnostic)).collect();
    assert_eq!(lines, [""; 0]);
}

/// A fix must not change what a rule matches: what is read after it is what was read before.
#[test]
fn a_fix_changes_no_detection() {
    let detections = |sources: &Sources| -> Vec<String> {
        let spans = regex::Regex::new(r"Span \{[^}]*\}").unwrap();
        let rules = rule::read(sources).rules;
        rules
            .iter()
            .map(|rule| spans.replace_all(&format!("{} {:?}", rule.header.id, rule.detection), "").into_owned())
            .collect()
    };
    let mut fixes = 0;
    for (path, text) in
        reader::texts().into_iter().chain(cases().iter().map(|case| (case.name.clone(), completed(&case.rule))))
    {
        let sources = Sources(vec![Source::new("rules/case.yml", text)]);
        let before = detections(&sources);
        for diagnostic in found(&sources) {
            let Some(fix) = diagnostic.fix else { continue };
            let mut text = sources.0[0].text.clone();
            text.replace_range(fix.span.bytes.clone(), &fix.replacement);
            let mended = Sources(vec![Source::new("rules/case.yml", text)]);
            let after = detections(&mended);
            assert!(before.iter().all(|rule| after.contains(rule)), "{path}: {:?}\n{}", fix, mended.0[0].text);
            let still: Vec<_> = found(&mended).into_iter().filter(|other| other.fix.as_ref() == Some(&fix)).collect();
            assert_eq!(still, [], "{path}: it is still there");
            fixes += 1;
        }
    }
    assert!(fixes > 20, "only {fixes} fixes");
}

#[test]
fn a_file_of_rubbish_is_told_in_part() {
    let values: Vec<String> = (0..1500).map(|number| format!("v{number}")).collect();
    let rule = format!("detection: {{s: {{type: response, request.data.x: [{}]}}, condition: s}}\n", values.join(", "));
    let found = found(&Sources(vec![Source::new("rules/case.yml", completed(&rule))]));
    assert_eq!(found.len(), 1001);
    let last = found.last().unwrap();
    assert_eq!((last.code, last.severity), (Code::MoreProblems, Severity::Error));
    assert_eq!(last.message, "this file has 500 more problems");
}
