//! The command line: the Lambda function's pipeline, at a desk.
//!
//! Each subcommand is one file with its arguments and one function.
//! [`Args`] is what was typed: reading it does no I/O. [`run`] then opens what the arguments name and writes to the
//! [`Console`] it is given. Alerts and data go to standard output; summaries, warnings, progress and errors go to
//! standard error, so that a pipe gets nothing but the result.

use std::io::{self, Read, Write};
use std::process::ExitCode;

use clap::{Parser, Subcommand, ValueEnum};

use failure::Failure;

pub mod diagnostics;
pub mod pack;

mod check;
mod event;
mod explain;
mod failure;
mod fields;
mod input;
mod invoke;
mod lines;
mod new;
mod render;
mod replay;
mod rule_set;
mod rules;
mod scan;
mod schema;
mod test;
mod unpack;

/// What was typed.
#[derive(Debug, Parser)]
#[command(
    name = "vaultwatch",
    version,
    about = "Detects unauthorized access in HashiCorp Vault's audit log",
    long_about = "Detects unauthorized access in HashiCorp Vault's audit log.\n\n\
        Vault's audit log reaches AWS Lambda through a CloudWatch Logs subscription; the function evaluates Sigma \
        rules and publishes alerts to SNS. This program runs the same pipeline here: on a recorded subscription \
        payload (`invoke`) or on audit log files (`scan`).",
    after_long_help = EXIT_CODES,
    disable_help_subcommand = true
)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Invoke(invoke::InvokeArgs),
    Scan(scan::ScanArgs),
    Explain(explain::ExplainArgs),
    Check(check::CheckArgs),
    Test(test::TestArgs),
    Rules(rules::RulesArgs),
    Fields(fields::FieldsArgs),
    New(new::NewArgs),
    Schema(schema::SchemaArgs),
    Pack(pack::PackArgs),
    Unpack(unpack::UnpackArgs),
}

const EXIT_CODES: &str = "Exit codes:\n  \
    0  it ran, with or without alerts\n  \
    1  findings: `check` found an error, or a warning that is denied; in `test`, a\n     \
    test fails or a mutant goes unnoticed; the rule does not match in `explain`\n  \
    2  it could not run: a file cannot be read, the rules do not load,\n     \
    an alert cannot be published, or the arguments are wrong\n\n\
    A reader that closes the pipe early, as `head` does, is a success.";

/// How alerts are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    Text,
    /// One OCSF Detection Finding a line
    Json,
}

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExitStatus {
    /// It ran. Alerts are a result, not a failure.
    Clean = 0,
    /// A check found something that its caller should stop for.
    Findings = 1,
    /// It could not do what was asked; standard error says why.
    CouldNotRun = 2,
}

impl From<ExitStatus> for ExitCode {
    fn from(status: ExitStatus) -> Self {
        Self::from(status as u8)
    }
}

/// Where a command reads and writes.
pub struct Console<'a> {
    /// Read where `-` is named.
    pub stdin: &'a mut dyn Read,
    /// For alerts and data.
    pub stdout: Output<'a>,
    /// For everything else.
    pub stderr: Output<'a>,
}

/// One of the two outputs.
pub struct Output<'a> {
    /// Takes the bytes.
    pub writer: &'a mut dyn Write,
    /// Whether a person is likely to be looking.
    pub terminal: bool,
    /// Whether to colour text; off where `NO_COLOR` is set.
    pub color: bool,
    /// Whether signs beyond ASCII can be read there, by the locale.
    pub unicode: bool,
}

/// Does what was typed.
#[must_use]
pub fn run(args: Args, console: &mut Console<'_>) -> ExitStatus {
    let outcome = match args.command {
        Command::Check(args) => check::run(&args, console),
        Command::Rules(args) => rules::run(&args, console).map(clean),
        Command::Fields(args) => fields::run(&args, console).map(clean),
        Command::Schema(args) => schema::run(&args, console).map(clean),
        Command::Invoke(args) => invoke::run(&args, console).map(clean),
        Command::Scan(args) => scan::run(&args, console).map(clean),
        Command::Explain(args) => explain::run(&args, console),
        Command::Test(args) => test::run(&args, console),
        Command::New(args) => new::run(&args, console).map(clean),
        Command::Pack(args) => pack::run(&args, console).map(clean),
        Command::Unpack(args) => unpack::run(&args, console).map(clean),
    };
    match outcome.and_then(|status| Ok(console.stdout.writer.flush().map(|()| status)?)) {
        Ok(status) => status,
        // Whoever reads has seen enough; by Unix convention that is no failure.
        Err(Failure::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => ExitStatus::Clean,
        Err(failure) => {
            // Nothing is left to be told if standard error is closed, too.
            let _ = report(&failure, console);
            ExitStatus::CouldNotRun
        }
    }
}

/// What a command that only runs, or cannot, comes to.
fn clean((): ()) -> ExitStatus {
    ExitStatus::Clean
}

/// Tells why it could not run, after what was already written to standard output, if that takes it.
fn report(failure: &Failure, console: &mut Console<'_>) -> io::Result<()> {
    let _ = console.stdout.writer.flush();
    let text = render::failure(failure, console.stderr.color);
    console.stderr.writer.write_all(text.as_bytes())
}
