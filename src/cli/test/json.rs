//! Results as one JSON document.

use serde::Serialize;

use super::report::{Mutated, Report, tell};
use crate::cli::explain::tree::Look;
use crate::cli::render;
use crate::rule_test::TestRun;

#[derive(Serialize)]
struct Document<'r> {
    tests: Vec<Test<'r>>,
    /// Names of the rules that have none.
    rules_without_tests: Vec<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mutants: Option<Mutants<'r>>,
}

#[derive(Serialize)]
struct Test<'r> {
    rule: &'r str,
    name: &'r str,
    file: &'r str,
    line: usize,
    /// `passed` or `failed`.
    outcome: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    failures: Vec<Failure>,
}

#[derive(Serialize)]
struct Failure {
    message: String,
    /// What became of each part of the rule, a line each.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    why: Vec<String>,
}

#[derive(Serialize)]
struct Mutants<'r> {
    tried: usize,
    not_tried: usize,
    unnoticed: Vec<Mutant<'r>>,
}

#[derive(Serialize)]
struct Mutant<'r> {
    rule: &'r str,
    file: &'r str,
    line: usize,
    change: &'r str,
}

pub(super) fn document(report: &Report<'_>) -> String {
    let document = Document {
        tests: tests(report),
        rules_without_tests: report.untested.iter().map(|header| header.name.as_str()).collect(),
        mutants: report.mutated.as_ref().map(|mutated| mutants(report, mutated)),
    };
    render::json(&document)
}

fn tests<'r>(report: &'r Report<'_>) -> Vec<Test<'r>> {
    let test = |run: &'r TestRun<'r>| {
        let (file, line) = report.sources.place(&run.test.span);
        let told = tell(run, Look::PLAIN).into_iter();
        let failures = told.map(|told| Failure { message: told.message, why: told.why }).collect();
        let outcome = if run.passed() { "passed" } else { "failed" };
        Test { rule: &run.tested.header().name, name: &run.test.name, file, line, outcome, failures }
    };
    report.runs.iter().map(test).collect()
}

fn mutants<'r>(report: &'r Report<'_>, mutated: &'r Mutated<'_>) -> Mutants<'r> {
    let unnoticed = mutated.survivors().map(|(header, mutant)| {
        let (file, line) = report.sources.place(&mutant.span);
        Mutant { rule: &header.name, file, line, change: &mutant.change }
    });
    Mutants { tried: mutated.tried(), not_tried: mutated.left_out(), unnoticed: unnoticed.collect() }
}
