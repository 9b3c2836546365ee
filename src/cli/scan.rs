//! `vaultwatch scan`: audit log files -> alerts.

use std::fs::File;
use std::io::Read;
use std::mem;
use std::sync::Arc;
use std::time::Instant;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::failure::Failure;
use super::input::{self, Input};
use super::lines::{Chunk, LineReader, Pace};
use super::render::{Columns, Outcome, Row};
use super::rules::{AlertsArgs, RulesArgs};
use super::{Console, Format, Output, pack};
use crate::alert::{Alert, Subject, ocsf};
use crate::detect::RuleSet;
use crate::payload::{LogBatch, LogEvent, LogStream, LogText, Position};
use crate::pipeline::{self, MOST_EVENTS, Workspace};
use crate::state::{Claim, Ledger};

/// Replay audit log files through the rules
///
/// Reads what Vault's audit devices write, one JSON object a line, in the order of the files, and writes one line an
/// alert to standard output: level, time (UTC), rule, principal, address, operation and path. Nothing in it is
/// secret, whatever the log holds. A summary goes to standard error.
///
/// A request and its response raise an alert once. Lines that cannot be read are counted, and raise one alert a
/// file, at its end. Files may be of any size, and compressed with gzip. Standard input is followed line by line, so that
/// `tail -F` can be watched.
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(super) struct ScanArgs {
    /// Audit log files; `-` for standard input
    #[arg(value_name = "FILES", required = true)]
    files: Vec<Input>,
    #[command(flatten)]
    rules: RulesArgs,
    #[command(flatten)]
    alerts: AlertsArgs,
    /// How alerts are written: lines of text, or one OCSF Detection Finding a line, whose `unmapped.events` tells the
    /// files and lines behind it
    #[arg(long, value_enum, default_value_t = Format::Text, hide_possible_values = true, value_name = "text|json")]
    format: Format,
}

const EXAMPLES: &str = "Examples:\n  \
    vaultwatch scan audit.log\n  \
    vaultwatch scan --rules my_rule.yml audit.log.2.gz audit.log.1 audit.log\n  \
    vaultwatch scan --format json audit.log | jq -r .finding_info.analytic.name | sort | uniq -c\n  \
    tail -F audit.log | vaultwatch scan -";

/// From how much on a file is worth a progress bar, in bytes: about as much as takes a second.
const LARGE: u64 = 256 << 20;

/// Stands for a line that is no UTF-8: no JSON either, and without the line's content.
const NO_TEXT: &str = "\u{fffd}";

pub(super) fn run(args: &ScanArgs, console: &mut Console<'_>) -> Result<(), Failure> {
    input::check_all(&args.files)?;
    let rules = args.rules.load(console)?;
    let started = now();
    let mut scan = Scan::new(&rules, args, progress(&args.files, &console.stderr));
    let mut unread = Vec::new();
    for input in &args.files {
        match scan.file(input, console) {
            Err(Failure::Inputs(errors)) => unread.extend(errors),
            other => other?,
        }
    }
    scan.progress.finish_and_clear();
    console.stdout.writer.flush()?;
    writeln!(console.stderr.writer, "{}", scan.outcome.summary(started.elapsed()))?;
    if unread.is_empty() { Ok(()) } else { Err(Failure::Inputs(unread)) }
}

/// A replay under way.
struct Scan<'r> {
    rules: &'r RuleSet,
    workspace: Workspace,
    ledger: Ledger,
    outcome: Outcome,
    /// The alerts of a file's last chunk: the response to a request may stand in the next one.
    held: Vec<Alert>,
    /// What the file's unreadable lines have come to.
    unreadable: Option<Alert>,
    /// When the lines read last were written, about, in milliseconds since 1970.
    about: Option<i64>,
    args: &'r ScanArgs,
    columns: Columns,
    progress: ProgressBar,
}

impl<'r> Scan<'r> {
    fn new(rules: &'r RuleSet, args: &'r ScanArgs, progress: ProgressBar) -> Self {
        Self {
            rules,
            workspace: Workspace::default(),
            ledger: Ledger::new(),
            outcome: Outcome::default(),
            held: Vec::new(),
            unreadable: None,
            about: None,
            args,
            columns: Columns::default(),
            progress,
        }
    }

    fn file(&mut self, input: &Input, console: &mut Console<'_>) -> Result<(), Failure> {
        let name: Arc<str> = input.to_string().into();
        let failed = |error| Failure::from(input.failed(error));
        let reader: Box<dyn Read + '_> = match input {
            Input::Stdin => Box::new(&mut *console.stdin),
            Input::File(path) => Box::new(self.progress.wrap_read(File::open(path).map_err(failed)?)),
        };
        let pace = if input.size().is_some() { Pace::Full } else { Pace::Live };
        let mut lines = LineReader::new(input::inflated(reader).map_err(failed)?, pace);
        let end = loop {
            match lines.next_chunk() {
                Ok(Some(chunk)) => self.chunk(chunk, &name, pace, &mut console.stdout)?,
                Ok(None) => break Ok(()),
                Err(error) => break Err(failed(error)),
            }
        };
        let mut rest = mem::take(&mut self.held);
        rest.extend(self.unreadable.take().filter(|alert| self.is_new(alert)));
        self.tell(rest, &mut console.stdout)?;
        end
    }

    /// Tells what these lines raise, or holds it back until the next ones were read, if nobody waits for it.
    fn chunk(&mut self, chunk: Chunk<'_>, file: &Arc<str>, pace: Pace, stdout: &mut Output<'_>) -> Result<(), Failure> {
        self.about = chunk.lines().find_map(|(_, text)| pack::time_of(text?)).or(self.about);
        let detected = pipeline::detect(self.rules, &batch(chunk, file, self.about), &mut self.workspace);
        self.outcome.tally += detected.tally;
        let mut raised = pipeline::conclude(detected);
        raised.retain(|alert| !self.gathered(alert) && self.is_new(alert));
        let complete = mem::replace(&mut self.held, raised);
        self.tell(complete, stdout)?;
        match pace {
            Pace::Full => Ok(()),
            Pace::Live => {
                let raised = mem::take(&mut self.held);
                self.tell(raised, stdout)
            }
        }
    }

    /// Whether it only adds to an alert that is not told yet: to the same happening's, or to the file's one about
    /// unreadable lines.
    fn gathered(&mut self, alert: &Alert) -> bool {
        let untold = match alert.subject {
            Subject::Audit(_) | Subject::RulesNotLoaded { .. } => self.held.iter_mut().find(|held| held.id == alert.id),
            Subject::Unreadable { .. } => Some(self.unreadable.get_or_insert_with(|| Alert {
                subject: Subject::Unreadable { count: 0 },
                events: Vec::new(),
                ..alert.clone()
            })),
        };
        untold.map(|untold| add(untold, alert)).is_some()
    }

    fn is_new(&self, alert: &Alert) -> bool {
        self.ledger.claim(alert.id) == Claim::Granted
    }

    fn tell(&mut self, mut alerts: Vec<Alert>, stdout: &mut Output<'_>) -> Result<(), Failure> {
        alerts.retain(|alert| self.args.alerts.admit(alert));
        if alerts.is_empty() {
            return Ok(());
        }
        let text = match self.args.format {
            Format::Json => alerts.iter().map(|alert| ocsf::to_json(alert) + "\n").collect(),
            Format::Text => {
                let rows: Vec<Row> = alerts.iter().map(Row::new).collect();
                self.columns.lines(&rows, stdout.color)
            }
        };
        self.progress.suspend(|| stdout.writer.write_all(text.as_bytes()).and_then(|()| stdout.writer.flush()))?;
        for alert in alerts {
            self.ledger.settle(alert.id);
            self.outcome.count(&alert);
        }
        Ok(())
    }
}

/// Adds what the same alert of a later chunk tells.
fn add(alert: &mut Alert, later: &Alert) {
    if let (Subject::Unreadable { count: total }, Subject::Unreadable { count }) = (&mut alert.subject, &later.subject)
    {
        *total += count;
    }
    let room = MOST_EVENTS.saturating_sub(alert.events.len());
    alert.events.extend(later.events.iter().take(room).cloned());
}

/// The lines as a batch. A line that has no time of its own was written at `about` that time.
fn batch<'c>(chunk: Chunk<'c>, file: &Arc<str>, about: Option<i64>) -> LogBatch<'c> {
    let events = chunk.lines().map(|(line, text)| LogEvent {
        position: Position::Line { file: Arc::clone(file), line },
        timestamp: about,
        text: LogText::Plain(text.unwrap_or(NO_TEXT)),
    });
    LogBatch { stream: LogStream::default(), subscription_filters: Vec::new(), events: events.collect() }
}

/// A bar over all files, where somebody is looking and there is something to wait for.
fn progress(files: &[Input], stderr: &Output<'_>) -> ProgressBar {
    let total: Option<u64> = files.iter().map(Input::size).sum();
    let Some(total) = total.filter(|&total| stderr.terminal && total >= LARGE) else {
        return ProgressBar::hidden();
    };
    let style = ProgressStyle::with_template("  {bar:32} {bytes} of {total_bytes}, {eta} left");
    ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr())
        .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

#[expect(clippy::disallowed_methods, reason = "the command line is the edge, and says how long it took")]
fn now() -> Instant {
    Instant::now()
}
