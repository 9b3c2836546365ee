//! `vaultwatch fields`: what rules can look at.

use std::path::PathBuf;

use clap::ValueEnum;
use serde::Serialize;

use super::failure::Failure;
use super::{Console, rule_set};
use crate::audit::reference::{self, Field};
use crate::rule::Reading;
use crate::{events, lint, rule, rule_files};

/// List the fields that rules can use
///
/// Every field of Vault's audit entries, and those under `derived.` that vaultwatch adds: what its values are, whether
/// Vault writes them in clear or as HMACs, since which release of Vault, and how many of the rules use it. A `*`
/// stands for keys that are anybody's choice.
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(super) struct FieldsArgs {
    /// The rules to count in: a directory of Sigma rule files, or one file [default: `rules` in the current directory,
    /// if there is one]
    #[arg(long, value_name = "PATH")]
    rules: Option<PathBuf>,
    /// List the complete events instead that the tests of rules can name with `like`
    #[arg(long, conflicts_with = "rules")]
    events: bool,
    /// How the list is written: columns of text, or one JSON object a line
    #[arg(long, value_enum, default_value_t = Format::Text, hide_possible_values = true, value_name = "text|json")]
    format: Format,
}

const EXAMPLES: &str = "Examples:\n  \
    vaultwatch fields | grep mount\n  \
    vaultwatch fields --events\n  \
    vaultwatch fields --format json | jq -r 'select(.written == \"HMAC\") | .field'";

/// How the list is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    Text,
    /// One object a line
    Json,
}

pub(super) fn run(args: &FieldsArgs, console: &mut Console<'_>) -> Result<(), Failure> {
    let text = if args.events {
        events(args.format)
    } else {
        let reading = read(args)?;
        let rows = rows(reading.as_ref());
        match args.format {
            Format::Text => table(&rows),
            Format::Json => rows.iter().filter_map(line).collect(),
        }
    };
    Ok(console.stdout.writer.write_all(text.as_bytes())?)
}

/// The rules that were named, or those in the usual place; none if there are none there.
fn read(args: &FieldsArgs) -> Result<Option<Reading>, Failure> {
    match rule_set::place(args.rules.as_deref()) {
        Ok(path) => Ok(Some(rule::read(&rule_files::read(path)?))),
        Err(Failure::NoRules) => Ok(None),
        Err(failure) => Err(failure),
    }
}

/// A field, as it is listed.
#[derive(Serialize)]
struct Row<'f> {
    field: &'f str,
    #[serde(rename = "type")]
    kind: &'static str,
    written: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    since: Option<&'static str>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    values: &'static [&'static str],
    /// How many rules use it, if any were read.
    #[serde(skip_serializing_if = "Option::is_none")]
    rules: Option<usize>,
    about: &'f str,
}

fn rows(reading: Option<&Reading>) -> Vec<Row<'_>> {
    let rules: Option<Vec<Vec<&str>>> = reading.map(lint::used_fields);
    let uses = |of: &dyn Fn(&str) -> bool| {
        rules.as_ref().map(|rules| rules.iter().filter(|fields| fields.iter().any(|field| of(field))).count())
    };
    let known = reference::fields().iter().map(|field| Row {
        field: &field.path,
        kind: field.kind.as_str(),
        written: field.writing.as_str(),
        since: field.since,
        values: field.values,
        rules: uses(&|used| reference::field(used).is_some_and(|used: &Field| used.path == field.path)),
        about: field.about,
    });
    let allowed = reading.map_or(&[][..], |reading| &reading.settings.fields);
    let own = allowed.iter().filter(|field| reference::field(field).is_none()).map(|field| Row {
        field,
        kind: "any",
        written: "clear",
        since: None,
        values: &[],
        rules: uses(&|used| lint::names(field, used)),
        about: "allowed in `vaultwatch.yml`",
    });
    known.chain(own).collect()
}

fn line<T: Serialize>(row: &T) -> Option<String> {
    serde_json::to_string(row).ok().map(|line| line + "\n")
}

fn table(rows: &[Row<'_>]) -> String {
    let width = rows.iter().map(|row| row.field.len()).max().unwrap_or_default();
    let counted = rows.iter().any(|row| row.rules.is_some());
    let count = |cell: &str| if counted { format!("{cell:>5}  ") } else { String::new() };
    let head = format!(
        "{:width$}  {:7}  {:7}  {:5}  {}{}\n",
        "field",
        "type",
        "written",
        "since",
        count("rules"),
        "what it says"
    );
    let row = |row: &Row<'_>| {
        let rules = row.rules.map_or_else(String::new, |rules| rules.to_string());
        let since = row.since.unwrap_or_default();
        format!("{:width$}  {:7}  {:7}  {since:5}  {}{}\n", row.field, row.kind, row.written, count(&rules), row.about)
    };
    std::iter::once(head).chain(rows.iter().map(row)).collect()
}

/// An event of the library, as it is listed.
#[derive(Serialize)]
struct Event {
    name: &'static str,
    about: &'static str,
}

fn events(format: Format) -> String {
    let width = events::all().iter().map(|event| event.name.len()).max().unwrap_or_default();
    let event = |event: &events::LibraryEvent| match format {
        Format::Text => Some(format!("{:width$}  {}\n", event.name, event.about)),
        Format::Json => line(&Event { name: event.name, about: event.about }),
    };
    events::all().iter().filter_map(event).collect()
}
