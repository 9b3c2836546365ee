//! `vaultwatch pack`: raw audit lines -> a subscription payload.

use std::borrow::Cow;
use std::io::{self, Write};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::GzEncoder;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::failure::Failure;
use super::input::Input;
use super::{Console, render};
use crate::payload::LogStream;

/// Make a subscription payload from raw audit lines
///
/// Writes to standard output what CloudWatch Logs would send to the function: each line is one log event, gzipped
/// and encoded together. The same lines always make the same payload. Blank lines are left out; a line that is no
/// JSON is packed as it is.
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(super) struct PackArgs {
    /// Audit lines, one JSON object a line; `-` for standard input
    #[arg(value_name = "LINES.jsonl", default_value = "-")]
    lines: Input,
    /// The account that owns the log group, twelve digits
    #[arg(long, default_value = "123456789012", value_parser = account)]
    owner: String,
    /// The log group that the lines come from
    #[arg(long, value_name = "NAME", default_value = "/hashicorp/hcp-vault/audit")]
    log_group: String,
    /// The log stream that the lines come from
    #[arg(long, value_name = "NAME", default_value = "vault-cluster")]
    log_stream: String,
}

const EXAMPLES: &str = "Examples:\n  \
    vaultwatch pack audit.log > event.json\n  \
    vaultwatch invoke event.json\n  \
    sam local invoke -e event.json\n  \
    cargo lambda invoke --data-file event.json\n\n  \
    Only the last hundred lines:\n  \
    tail -n 100 audit.log | vaultwatch pack | vaultwatch invoke -";

/// The largest event of an asynchronous invocation, in bytes.
const MAX_EVENT: usize = 1 << 20;

/// The most log events that `CloudWatch` Logs takes in one batch.
const MAX_LOG_EVENTS: usize = 10_000;

/// What the ids of log events derive from, beside the log stream and the line.
const LOG_EVENT_IDS: Uuid = Uuid::from_u128(0x5e1d_3a86_0f0c_4d5b_9c2e_6a71_b1d4_83f7);

pub(super) fn run(args: &PackArgs, console: &mut Console<'_>) -> Result<(), Failure> {
    let bytes = args.lines.read(console.stdin)?;
    let stream =
        LogStream { owner: args.owner.clone(), log_group: args.log_group.clone(), log_stream: args.log_stream.clone() };
    let packed = pack(&bytes, &stream)?;
    writeln!(console.stdout.writer, "{}", packed.event)?;
    for warning in warnings(&packed) {
        let line = render::warning(&warning, console.stderr.color);
        console.stderr.writer.write_all(line.as_bytes())?;
    }
    Ok(())
}

/// A payload, and what went into it.
#[derive(Debug, PartialEq, Eq)]
pub struct Packed {
    /// The invocation's event: `{"awslogs": {"data": ...}}`.
    pub event: String,
    /// How many log events it has.
    pub log_events: usize,
    /// How many lines were no UTF-8, which `CloudWatch` Logs does not take: the bytes in question are replaced.
    pub replaced: usize,
}

/// Packs lines, each ended by a newline, as log events of one stream.
///
/// A log event's timestamp is the `time` of its line, in milliseconds. A line without one takes that of the line
/// before, the first ones that of the first line that has one. The ids derive from stream, place and content.
///
/// # Errors
///
/// None in practice: everything is written to memory.
pub fn pack(bytes: &[u8], stream: &LogStream) -> io::Result<Packed> {
    let lines: Vec<Cow<'_, str>> = bytes
        .split(|&byte| byte == b'\n')
        .filter(|line| !line.trim_ascii().is_empty())
        .map(String::from_utf8_lossy)
        .collect();
    let envelope = Envelope {
        message_type: "DATA_MESSAGE",
        owner: &stream.owner,
        log_group: &stream.log_group,
        log_stream: &stream.log_stream,
        subscription_filters: ["vaultwatch"],
        log_events: log_events(&lines, stream),
    };
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(&serde_json::to_vec(&envelope)?)?;
    let data = STANDARD.encode(encoder.finish()?);
    Ok(Packed {
        event: serde_json::to_string(&Invocation { awslogs: Subscription { data } })?,
        log_events: lines.len(),
        replaced: lines.iter().filter(|line| matches!(line, Cow::Owned(_))).count(),
    })
}

fn log_events<'a>(lines: &'a [Cow<'_, str>], stream: &LogStream) -> Vec<PackedEvent<'a>> {
    let mut timestamp = lines.iter().find_map(|line| time_of(line)).unwrap_or_default();
    lines
        .iter()
        .zip(0_u64..)
        .map(|(line, index)| {
            timestamp = time_of(line).unwrap_or(timestamp);
            PackedEvent { id: log_event_id(timestamp, stream, index, line), timestamp, message: line }
        })
        .collect()
}

/// The `time` of an audit line, in milliseconds since 1970.
pub(super) fn time_of(line: &str) -> Option<i64> {
    let time = serde_json::from_str::<Timed<'_>>(line).ok()?.time?;
    let time: Timestamp = time.parse().ok()?;
    Some(time.as_millisecond().max(0))
}

/// 56 digits that sort by time, as those of `CloudWatch` Logs: the milliseconds since 1970 times 2^144, plus what
/// sets this log event apart from others of the same time, its place first.
fn log_event_id(timestamp: i64, stream: &LogStream, index: u64, line: &str) -> String {
    let name = format!("{} {} {} {index} {line}", stream.owner, stream.log_group, stream.log_stream);
    let digest = Uuid::new_v5(&LOG_EVENT_IDS, name.as_bytes());
    let [.., place_high, place_low] = index.to_be_bytes();
    let place = [place_high, place_low];
    let mut number: Vec<u8> = timestamp.to_be_bytes().into_iter().chain(place).chain(*digest.as_bytes()).collect();
    let mut digits: Vec<char> = (0..56).map(|_| char::from(b'0' + divide_by_ten(&mut number))).collect();
    digits.reverse();
    digits.into_iter().collect()
}

/// Divides a number of any size, its most significant byte first. Returns the remainder.
fn divide_by_ten(number: &mut [u8]) -> u8 {
    number.iter_mut().fold(0, |remainder, byte| {
        let dividend = u16::from(remainder) << 8 | u16::from(*byte);
        let [_, quotient] = (dividend / 10).to_be_bytes();
        let [_, remainder] = (dividend % 10).to_be_bytes();
        *byte = quotient;
        remainder
    })
}

/// What the real services would not take.
fn warnings(packed: &Packed) -> Vec<String> {
    let mut warnings = Vec::new();
    if packed.event.len() > MAX_EVENT {
        warnings.push(format!(
            "the payload has {} bytes; an asynchronous invocation takes at most {}",
            render::grouped(packed.event.len()),
            render::grouped(MAX_EVENT)
        ));
    }
    if packed.log_events > MAX_LOG_EVENTS {
        warnings.push(format!(
            "the payload has {} log events; CloudWatch Logs takes at most {} in a batch",
            render::grouped(packed.log_events),
            render::grouped(MAX_LOG_EVENTS)
        ));
    }
    if packed.replaced > 0 {
        warnings.push(format!(
            "{} no UTF-8; the bytes in question were replaced by U+FFFD",
            render::counted(packed.replaced, "line is", "lines are")
        ));
    }
    warnings
}

fn account(text: &str) -> Result<String, &'static str> {
    if text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit()) {
        Ok(text.to_owned())
    } else {
        Err("an account has twelve digits")
    }
}

#[derive(Deserialize)]
struct Timed<'a> {
    #[serde(borrow)]
    time: Option<Cow<'a, str>>,
}

#[derive(Serialize)]
struct Invocation {
    awslogs: Subscription,
}

#[derive(Serialize)]
struct Subscription {
    data: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Envelope<'a> {
    message_type: &'static str,
    owner: &'a str,
    log_group: &'a str,
    log_stream: &'a str,
    subscription_filters: [&'static str; 1],
    log_events: Vec<PackedEvent<'a>>,
}

#[derive(Serialize)]
struct PackedEvent<'a> {
    id: String,
    timestamp: i64,
    message: &'a str,
}
