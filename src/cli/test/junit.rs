//! Results as `JUnit` XML: a suite a rule, and a case a test. The mutants of a rule are one more case.

use quick_junit::{NonSuccessKind, TestCase, TestCaseStatus, TestSuite};

use super::report::{Report, tell};
use crate::cli::explain::tree::Look;
use crate::rule_test::TestRun;

pub(super) fn document(report: &Report<'_>) -> String {
    let mut document = quick_junit::Report::new("vaultwatch");
    document.add_test_suites(suites(report));
    // Writing to memory does not fail, and what XML cannot hold was left out before.
    document.to_string().unwrap_or_default()
}

/// In the order of the rules, correlation rules last.
fn suites(report: &Report<'_>) -> Vec<TestSuite> {
    let mut suites: Vec<TestSuite> = Vec::new();
    for run in &report.runs {
        add(&mut suites, &run.tested.header().name, ran(report, run));
    }
    for (header, mutation) in report.mutated.iter().flat_map(|mutated| &mutated.mutations) {
        let unnoticed = mutation.unnoticed.iter();
        let lines: Vec<String> =
            unnoticed.map(|mutant| format!("{}  {}", report.place(&mutant.span), mutant.change)).collect();
        let status = if lines.is_empty() {
            TestCaseStatus::success()
        } else {
            failed("mutants that no test notices", &lines.join("\n"))
        };
        add(&mut suites, &header.name, TestCase::new("every mutant is noticed", status));
    }
    suites
}

fn add(suites: &mut Vec<TestSuite>, rule: &str, mut case: TestCase) {
    case.set_classname(rule);
    if let Some(suite) = suites.iter_mut().find(|suite| suite.name.as_str() == rule) {
        suite.add_test_case(case);
    } else {
        let mut suite = TestSuite::new(rule);
        suite.add_test_case(case);
        suites.push(suite);
    }
}

fn ran(report: &Report<'_>, run: &TestRun<'_>) -> TestCase {
    let told = tell(run, Look::PLAIN);
    let status = match told.first() {
        None => TestCaseStatus::success(),
        Some(first) => {
            let lines = told.iter().flat_map(|told| std::iter::once(&told.message).chain(&told.why));
            let place = report.place(&run.test.span);
            let text: Vec<&str> = std::iter::once(place.as_str()).chain(lines.map(String::as_str)).collect();
            failed(&first.message, &text.join("\n"))
        }
    };
    TestCase::new(&*run.test.name, status)
}

fn failed(message: &str, description: &str) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
    status.set_message(message).set_description(description);
    status
}
