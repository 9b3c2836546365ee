//! `vaultwatch unpack`: a subscription payload -> the raw audit lines in it.

use jiff::Timestamp;

use super::failure::Failure;
use super::input::Input;
use super::{Console, Output, render};
use crate::payload::{self, DEFAULT_MAX_INFLATED, Limits, LogBatch, LogText, Message};

/// Show what is in a subscription payload
///
/// Writes the raw lines to standard output, one log event after the other, and what is known about the payload to
/// standard error: `unpack event.json > audit.log` undoes `pack`. A failure record, as the function's failure
/// destination keeps it, is taken as well.
///
/// The lines are shown as they were logged, with everything that is in them. The other commands show only what
/// holds no secret.
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(super) struct UnpackArgs {
    /// A subscription payload; `-` for standard input
    #[arg(value_name = "EVENT.json", default_value = "-")]
    event: Input,
}

const EXAMPLES: &str = "Examples:\n  \
    vaultwatch unpack event.json > audit.log\n  \
    vaultwatch unpack event.json 2>/dev/null | jq .request.path";

pub(super) fn run(args: &UnpackArgs, console: &mut Console<'_>) -> Result<(), Failure> {
    let event = args.event.read(console.stdin)?;
    let refused = |error| Failure::Payload { name: args.event.to_string(), error };
    let inflated = payload::inflate(&event, Limits { max_inflated: DEFAULT_MAX_INFLATED }).map_err(refused)?;
    let Message::Data(batch) = payload::read(&inflated).map_err(refused)? else {
        writeln!(console.stderr.writer, "{}", render::CONTROL_MESSAGE)?;
        return Ok(());
    };
    let header = header(&batch, event.len(), inflated.size());
    console.stderr.writer.write_all(header.as_bytes())?;
    let undecodable = write_lines(&batch, &mut console.stdout)?;
    if undecodable > 0 {
        let warning = format!(
            "{} no Unicode text; shown with the escapes",
            render::counted(undecodable, "message is", "messages are")
        );
        console.stderr.writer.write_all(render::warning(&warning, console.stderr.color).as_bytes())?;
    }
    Ok(())
}

fn header(batch: &LogBatch<'_>, encoded: usize, inflated: usize) -> String {
    let stream = &batch.stream;
    let mut timestamps: Vec<i64> = batch.events.iter().filter_map(|event| event.timestamp).collect();
    timestamps.sort_unstable();
    let span = match (timestamps.first(), timestamps.last()) {
        (Some(&first), Some(&last)) => format!(", {} to {}", at(first), at(last)),
        _ => String::new(),
    };
    let rows = [
        ("Owner", render::plain(&stream.owner).into_owned()),
        ("Log group", render::plain(&stream.log_group).into_owned()),
        ("Log stream", render::plain(&stream.log_stream).into_owned()),
        ("Filters", render::plain(&batch.subscription_filters.join(", ")).into_owned()),
        ("Events", format!("{}{span}", render::grouped(batch.events.len()))),
        ("Size", format!("{} bytes, {} inflated", render::grouped(encoded), render::grouped(inflated))),
    ];
    rows.map(|(name, value)| format!("{name:<11} {value}\n")).concat()
}

/// Writes each message and a newline; returns how many of them have no text.
///
/// A person's terminal gets control characters in a visible form, since anybody whom Vault logs can write them. A
/// pipe or a file gets every byte.
fn write_lines(batch: &LogBatch<'_>, stdout: &mut Output<'_>) -> Result<usize, Failure> {
    let mut buffer = String::new();
    let mut undecodable = 0;
    for event in &batch.events {
        let text = event.text.unescape(&mut buffer).unwrap_or_else(|| {
            undecodable += 1;
            as_written(event.text)
        });
        if stdout.terminal {
            writeln!(stdout.writer, "{}", render::plain(text))?;
        } else {
            writeln!(stdout.writer, "{text}")?;
        }
    }
    Ok(undecodable)
}

/// With its escapes, where it has any.
fn as_written(text: LogText<'_>) -> &str {
    match text {
        LogText::Escaped(written) | LogText::Plain(written) => written,
    }
}

fn at(milliseconds: i64) -> String {
    Timestamp::from_millisecond(milliseconds).map_or_else(|_| milliseconds.to_string(), render::time)
}
