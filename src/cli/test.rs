//! `vaultwatch test`: the tests inside the rules.

use std::path::PathBuf;

use clap::ValueEnum;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::explain::tree::Look;
use super::failure::Failure;
use super::{Console, ExitStatus, Output, rule_set};
use crate::rule::{Rule, RuleTest};
use crate::rule_test::{self, CapturedLines, Ensemble, TestRun, Tested, mutant};

use report::{Mutated, Report};

mod captured;
mod json;
mod junit;
mod report;
mod text;

/// Run the tests inside the rules
///
/// A rule brings its tests along, under `tests`: a name, an event or several, and whether the rule must match. Events
/// are laid over complete ones that ship with the program (`like`), taken from a captured log (`file`), or written out.
/// Each of a test's events is to match, or each is not to; for a correlation rule they are a log on which it is to fire,
/// or not to. Every test is run, whatever became of the ones before; each failure says why the rule matched, or did not.
/// The rules and filters of all profiles are in force.
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(super) struct TestArgs {
    /// The rules: a directory of Sigma rule files, or one file [default: `rules` in the current directory]
    #[arg(value_name = "RULES")]
    rules: Option<PathBuf>,
    /// Run only the tests whose own name, or whose rule's, contains this text
    #[arg(long, value_name = "TEXT")]
    name: Option<String>,
    /// How the results are written
    #[arg(long, value_enum, default_value_t = Format::Text, hide_possible_values = true)]
    #[arg(value_name = "text|json|junit")]
    format: Format,
    /// Also change the rules themselves, one thing at a time, and list the changes that no test notices
    ///
    /// A value is dropped or widened, an item or a search is dropped or negated, `and` and `or` change places; of a
    /// correlation, the threshold is moved, the time halved and doubled, a rule or a field dropped. Changes
    /// that cannot be told apart from the rule by logic are not tried. Rules without tests, and those of which a test
    /// fails, are left out.
    #[arg(long)]
    mutate: bool,
}

/// How the results are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people: what failed, and why
    Text,
    /// One JSON document
    Json,
    /// `JUnit` XML, as continuous integration reads it
    Junit,
}

const EXAMPLES: &str = "Examples:\n  \
    vaultwatch test\n  \
    vaultwatch test --name policy_written rules\n  \
    vaultwatch test --mutate my_rule.yml\n  \
    vaultwatch test --format junit rules > rules.xml";

pub(super) fn run(args: &TestArgs, console: &mut Console<'_>) -> Result<ExitStatus, Failure> {
    let (path, sources, reading) = rule_set::read(args.rules.as_deref(), console)?;
    let captured = captured::read(&reading, &sources, &path);
    let ensembles: Vec<Ensemble<'_>> =
        reading.correlations.iter().map(|correlation| Ensemble::of(correlation, &reading)).collect();
    let report = Report { mutated: args.mutate.then(Mutated::default), ..Report::new(&sources) };
    let report = args.fill(report, &reading.rules, &ensembles, &captured, &console.stderr);
    if let Some(name) = &args.name
        && report.runs.is_empty()
    {
        return Err(Failure::NoTests { name: name.clone() });
    }
    let look = Look { unicode: console.stdout.unicode, color: console.stdout.color };
    let written = match args.format {
        Format::Text => text::failures(&report, look),
        Format::Json => json::document(&report),
        Format::Junit => junit::document(&report),
    };
    console.stdout.writer.write_all(written.as_bytes())?;
    console.stdout.writer.flush()?;
    write!(console.stderr.writer, "{}", text::summary(&report))?;
    Ok(if report.is_clean() { ExitStatus::Clean } else { ExitStatus::Findings })
}

impl TestArgs {
    /// Runs the tests of all rules, and tries the mutants if they are wanted.
    fn fill<'r>(
        &self,
        mut report: Report<'r>,
        rules: &'r [Rule],
        ensembles: &'r [Ensemble<'r>],
        captured: &CapturedLines,
        stderr: &Output<'_>,
    ) -> Report<'r> {
        let progress = progress(rules.len() + ensembles.len(), stderr);
        let rules = rules.iter().map(Tested::Rule);
        for tested in rules.chain(ensembles.iter().map(Tested::Correlation)) {
            self.run(&mut report, tested, captured);
            progress.inc(1);
        }
        progress.finish_and_clear();
        report
    }

    fn run<'r>(&self, report: &mut Report<'r>, tested: Tested<'r>, captured: &CapturedLines) {
        let header = tested.header();
        if header.tests.is_empty() {
            report.untested.push(header);
        }
        let runs = match tested {
            Tested::Rule(rule) => rule_test::run(rule, captured),
            Tested::Correlation(ensemble) => rule_test::run_correlation(ensemble, captured),
        };
        let passed = runs.iter().all(TestRun::passed);
        let before = report.runs.len();
        report.runs.extend(runs.into_iter().filter(|run| self.selects(&header.name, run.test)));
        let selected = report.runs.len() > before;
        let Some(mutated) = report.mutated.as_mut().filter(|_| selected) else { return };
        if !passed {
            mutated.failing += 1;
            return;
        }
        let mutation = match tested {
            Tested::Rule(rule) => mutant::run(rule, captured),
            Tested::Correlation(ensemble) => mutant::run_correlation(ensemble, captured),
        };
        mutated.mutations.push((header, mutation));
    }

    fn selects(&self, rule: &str, test: &RuleTest) -> bool {
        self.name.as_ref().is_none_or(|text| rule.contains(text) || test.name.contains(text))
    }
}

/// From how many rules on it is worth a progress bar: about as many as take a second.
const MANY: usize = 100;

/// A bar over the rules, where somebody is looking and there is something to wait for.
fn progress(rules: usize, stderr: &Output<'_>) -> ProgressBar {
    if !stderr.terminal || rules < MANY {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("  {bar:32} {pos} of {len} rules");
    ProgressBar::with_draw_target(Some(rules as u64), ProgressDrawTarget::stderr())
        .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}
