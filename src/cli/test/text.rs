//! Results for people: what failed and which mutants survived; what is in order goes without saying.

use std::fmt::Write;

use anstyle::AnsiColor;

use super::report::{Mutated, Report, tell};
use crate::alert::text::visible;
use crate::cli::explain::tree::Look;
use crate::cli::render::{self, counted, grouped};

/// Every failed test, then every mutant that no test noticed.
pub(super) fn failures(report: &Report<'_>, look: Look) -> String {
    let mut text = String::new();
    for run in report.runs.iter().filter(|run| !run.passed()) {
        let label = render::painted("FAILED", AnsiColor::Red.on_default().bold(), look.color);
        let _ = writeln!(text, "{label}  {}: {}", visible(&run.tested.header().name), visible(&run.test.name));
        let _ = writeln!(text, "        {}", report.place(&run.test.span));
        for told in tell(run, look) {
            let _ = writeln!(text, "        {}", told.message);
            for line in told.why {
                let _ = writeln!(text, "          {line}");
            }
        }
        text.push('\n');
    }
    for (header, mutant) in report.mutated.iter().flat_map(Mutated::survivors) {
        let label = render::painted("UNNOTICED", AnsiColor::Yellow.on_default().bold(), look.color);
        let place = report.place(&mutant.span);
        let _ = writeln!(text, "{label}  {}  {place}  {}", visible(&header.name), visible(&mutant.change));
    }
    text
}

/// How many tests there were, and what came of them; then of the mutants.
pub(super) fn summary(report: &Report<'_>) -> String {
    let ran = report.runs.len();
    let failed = report.failed();
    let mut text = format!("{}, {} passed, {failed} failed\n", counted(ran, "test", "tests"), ran - failed);
    if !report.untested.is_empty() {
        let _ = writeln!(text, "{} without tests", counted(report.untested.len(), "rule", "rules"));
    }
    if let Some(mutated) = &report.mutated {
        text.push_str(&mutants(mutated));
    }
    text
}

/// `47 of 48 mutants noticed (97 %)`
fn mutants(mutated: &Mutated<'_>) -> String {
    let (tried, unnoticed) = (mutated.tried(), mutated.unnoticed());
    if tried == 0 {
        let failing = counted(mutated.failing, "rule", "rules");
        return if mutated.failing == 0 {
            String::new()
        } else {
            format!("no mutants: {failing} with failing tests\n")
        };
    }
    // Rounded down, so that it is 100 % only if it is all.
    let share = (tried - unnoticed).saturating_mul(100).checked_div(tried).map(|share| format!(" ({share} %)"));
    let mutants = counted(tried, "mutant", "mutants");
    let mut text = format!("{} of {mutants} noticed{}", grouped(tried - unnoticed), share.unwrap_or_default());
    if mutated.left_out() > 0 {
        let _ = write!(text, ", {} more not tried", grouped(mutated.left_out()));
    }
    if mutated.failing > 0 {
        let _ = write!(text, "; {} with failing tests left out", counted(mutated.failing, "rule", "rules"));
    }
    text.push('\n');
    text
}
