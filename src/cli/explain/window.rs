//! Why a correlation fires on a log, or why it does not: what went into its windows, how near each of them came, and what
//! was missing. What is measured comes from the windows themselves.

use std::collections::HashMap;

use crate::alert::Redactor;
use crate::audit::{self, Buffers};
use crate::cli::event::EventArg;
use crate::cli::explain::tree::Look;
use crate::cli::failure::Failure;
use crate::cli::{Console, ExitStatus, Format, render};
use crate::correlate::{Match, SpecId, Survey};
use crate::diagnostic::Sources;
use crate::payload::{EventRef, LogBatch};
use crate::pipeline::{self, Analytics, Tally, Workspace};
use crate::rule_test::{self, Ensemble, TestedEvent};

use report::Report;

mod group;
mod report;
mod text;
mod words;

/// Explains a correlation on everything that was named.
pub(super) fn run(
    ensemble: &Ensemble<'_>,
    sources: &Sources,
    event: &EventArg,
    format: Format,
    console: &mut Console<'_>,
) -> Result<ExitStatus, Failure> {
    let analytics = ensemble.compile();
    let mut log = Log::new(&analytics);
    event.each_batch(console.stdin, &mut |batch| log.read(batch))?;
    let tally = log.tally;
    let course = log.follow(ensemble);
    let report = Report::of(&course, sources, &event.name(), tally);
    let stdout = &mut console.stdout;
    let told = match format {
        Format::Text => text::whole(&report, Look { unicode: stdout.unicode, color: stdout.color }),
        Format::Json => render::json(&report),
    };
    stdout.writer.write_all(told.as_bytes())?;
    Ok(if report.fired { ExitStatus::Clean } else { ExitStatus::Findings })
}

/// What a correlation makes of the events of a test, a few lines a group.
pub(in crate::cli) fn of_test(ensemble: &Ensemble<'_>, events: &[TestedEvent], look: Look) -> String {
    let analytics = ensemble.compile();
    let mut log = Log::new(&analytics);
    log.read(&rule_test::log(events, "event"));
    text::brief(&Report::of(&log.follow(ensemble), &Sources(Vec::new()), "", Tally::default()), look)
}

/// A log as it is read: the matches in it, and what is secret in the events behind them.
struct Log<'e> {
    analytics: &'e Analytics,
    matches: Vec<Match>,
    redactors: HashMap<EventRef, Redactor>,
    tally: Tally,
    workspace: Workspace,
}

/// What a log comes to for a correlation.
struct Course<'e> {
    ensemble: &'e Ensemble<'e>,
    analytics: &'e Analytics,
    spec: SpecId,
    survey: Survey,
    redactors: HashMap<EventRef, Redactor>,
}

impl<'e> Log<'e> {
    fn new(analytics: &'e Analytics) -> Self {
        let (matches, redactors) = (Vec::new(), HashMap::new());
        Self { analytics, matches, redactors, tally: Tally::default(), workspace: Workspace::default() }
    }

    fn read(&mut self, batch: &LogBatch<'_>) {
        let detected = pipeline::detect(self.analytics, batch, &mut self.workspace);
        self.tally += detected.tally;
        let (mut buffers, mut unescaped) = (Buffers::default(), String::new());
        for found in &detected.matches {
            let text = batch.events.get(found.place).and_then(|event| event.text.unescape(&mut unescaped));
            let event = text.and_then(|text| audit::read(text, self.analytics.plan().fields(), &mut buffers).ok());
            if let Some(event) = event {
                self.redactors.entry(found.event.clone()).or_insert_with(|| Redactor::new(&event));
            }
        }
        self.matches.extend(detected.matches);
    }

    /// Follows the correlation through all of it.
    fn follow(self, ensemble: &'e Ensemble<'e>) -> Course<'e> {
        let Self { analytics, matches, redactors, .. } = self;
        let plan = analytics.plan();
        // It was compiled with the others.
        let spec = plan.find(ensemble.correlation.header.id).unwrap_or_else(|| plan.of_unreadable());
        let survey = Survey::of(plan, matches, spec);
        Course { ensemble, analytics, spec, survey, redactors }
    }
}
