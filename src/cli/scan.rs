//! `vaultwatch scan`: audit log files -> alerts.

use std::fs::File;
use std::io::Read;
use std::sync::Arc;
use std::time::Instant;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::failure::Failure;
use super::input::{self, Input};
use super::lines::{Chunk, LineReader, Pace};
use super::render::{Columns, Outcome, Row};
use super::replay::Replay;
use super::rule_set::{AlertsArgs, RulesArgs};
use super::{Console, Format, Output, pack};
use crate::alert::{Alert, ocsf};
use crate::payload::{LogBatch, LogEvent, LogStream, LogText, Position};

/// Replay audit log files through the rules
///
/// Reads what Vault's audit devices write, one JSON object a line, in the order of the files, and writes one line an
/// alert to standard output: level, time (UTC), rule, principal, address, operation and path. Nothing in it is
/// secret, whatever the log holds. A summary goes to standard error.
///
/// What repeats is told as the function tells it: at once, then at the 10th, the 100th time and so on, and once when it
/// is over. Lines that cannot be read are counted, and raise an alert as well. Files may be of any size, and compressed with gzip. Standard input is followed line by line, so that
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
    let mut scan = Scan::new(Replay::new(rules)?, args, progress(&args.files, &console.stderr));
    let mut unread = Vec::new();
    for input in &args.files {
        match scan.file(input, console) {
            Err(Failure::Inputs(errors)) => unread.extend(errors),
            other => other?,
        }
    }
    scan.end(&mut console.stdout)?;
    scan.progress.finish_and_clear();
    console.stdout.writer.flush()?;
    writeln!(console.stderr.writer, "{}", scan.outcome.summary(started.elapsed()))?;
    if unread.is_empty() { Ok(()) } else { Err(Failure::Inputs(unread)) }
}

/// A scan under way.
struct Scan<'r> {
    replay: Replay,
    outcome: Outcome,
    /// When the lines read last were written, about, in milliseconds since 1970.
    about: Option<i64>,
    args: &'r ScanArgs,
    columns: Columns,
    progress: ProgressBar,
}

impl<'r> Scan<'r> {
    fn new(replay: Replay, args: &'r ScanArgs, progress: ProgressBar) -> Self {
        Self { replay, outcome: Outcome::default(), about: None, args, columns: Columns::default(), progress }
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
        loop {
            match lines.next_chunk() {
                Ok(Some(chunk)) => self.chunk(chunk, &name, &mut console.stdout)?,
                Ok(None) => break Ok(()),
                Err(error) => break Err(failed(error)),
            }
        }
    }

    /// Tells what these lines raise.
    fn chunk(&mut self, chunk: Chunk<'_>, file: &Arc<str>, stdout: &mut Output<'_>) -> Result<(), Failure> {
        self.about = chunk.lines().find_map(|(_, text)| pack::time_of(text?)).or(self.about);
        let (alerts, tally) = self.replay.batch(&batch(chunk, file, self.about))?;
        self.outcome.tally += tally;
        self.tell(alerts, stdout)
    }

    /// Tells what is left to tell.
    fn end(&mut self, stdout: &mut Output<'_>) -> Result<(), Failure> {
        let alerts = self.replay.end()?;
        self.tell(alerts, stdout)
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
        for alert in &alerts {
            self.outcome.count(alert);
        }
        Ok(())
    }
}

/// The lines as a batch. A line that has no time of its own was written at `about` that time.
pub(super) fn batch<'c>(chunk: Chunk<'c>, file: &Arc<str>, about: Option<i64>) -> LogBatch<'c> {
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
