//! `vaultwatch rules`: which rules there are.

use std::path::PathBuf;

use clap::ValueEnum;

use super::failure::Failure;
use super::render::{self, counted, plain};
use super::{Console, rule_set};
use catalogue::{Catalogue, Entry};

mod catalogue;
mod markdown;
mod navigator;

/// List the rules
///
/// Every rule by its tactic, with its level, what it tells of, its status, if that is not `stable`, and the profiles that
/// it is in force in, if those are not all. Rules that only correlations look at, and that never alert by themselves,
/// stand last.
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(super) struct RulesArgs {
    /// The rules: a directory of Sigma rule files, or one file [default: `rules` in the current directory]
    #[arg(value_name = "RULES")]
    rules: Option<PathBuf>,
    /// How the list is written: columns of text, a page with the techniques of ATT&CK that the rules cover, one JSON
    /// document, or a layer for the ATT&CK Navigator
    #[arg(
        long,
        value_enum,
        default_value_t = Format::Text,
        hide_possible_values = true,
        value_name = "text|markdown|json|navigator"
    )]
    format: Format,
}

const EXAMPLES: &str = "Examples:\n  \
    vaultwatch rules | grep critical\n  \
    vaultwatch rules --format markdown rules > rules/README.md\n  \
    vaultwatch rules --format json | jq -r '.rules[] | select(.alerts) | .name'\n  \
    vaultwatch rules --format navigator > layer.json";

/// How the list is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    Text,
    /// For people who browse the rules
    Markdown,
    /// One document
    Json,
    /// A layer for the ATT&CK Navigator
    Navigator,
}

pub(super) fn run(args: &RulesArgs, console: &mut Console<'_>) -> Result<(), Failure> {
    let (path, sources, reading) = rule_set::read(args.rules.as_deref(), console)?;
    let catalogue = Catalogue::new(&path, &sources, &reading);
    let text = match args.format {
        Format::Text => table(&catalogue.rules),
        Format::Markdown => markdown::page(&catalogue),
        Format::Json => render::json(&catalogue),
        Format::Navigator => render::json(&navigator::layer(&catalogue)),
    };
    console.stdout.writer.write_all(text.as_bytes())?;
    if args.format == Format::Text {
        console.stdout.writer.flush()?;
        writeln!(console.stderr.writer, "{}", summary(&catalogue))?;
    }
    Ok(())
}

fn table(entries: &[Entry<'_>]) -> String {
    let widest = |cell: fn(&Entry<'_>) -> usize| entries.iter().map(cell).max().unwrap_or_default();
    let tactics = widest(|entry| tactic(entry).len()).max("tactic".len());
    let names = widest(|entry| entry.name.len()).max("name".len());
    let row = |level: &str, tactic: &str, name: &str, title: &str| {
        format!("{level:13}  {tactic:tactics$}  {name:names$}  {title}\n")
    };
    let head = row("level", "tactic", "name", "title");
    let rows = entries.iter().map(|entry| {
        let notes = notes(entry);
        let notes = if notes.is_empty() { String::new() } else { format!(" ({})", notes.join(", ")) };
        row(entry.level, tactic(entry), entry.name, &format!("{}{notes}", plain(entry.title)))
    });
    std::iter::once(head).chain(rows).collect()
}

fn tactic<'e>(entry: &'e Entry<'_>) -> &'e str {
    entry.tactics.first().copied().unwrap_or("-")
}

/// What sets it apart from a rule in its prime.
fn notes(entry: &Entry<'_>) -> Vec<String> {
    let base = (!entry.alerts).then_some("base rule");
    let words = base.into_iter().chain((entry.status != "stable").then_some(entry.status)).map(str::to_owned);
    words.chain(entry.in_profiles()).collect()
}

/// `12 rules (8 critical, 3 high, 1 medium), 3 base rules`
fn summary(catalogue: &Catalogue<'_>) -> String {
    let (alerting, base) = catalogue.numbers();
    let levels: Vec<String> =
        catalogue.levels().into_iter().map(|(level, number)| format!("{} {level}", render::grouped(number))).collect();
    let levels = if levels.is_empty() { String::new() } else { format!(" ({})", levels.join(", ")) };
    let base = if base == 0 { String::new() } else { format!(", {}", counted(base, "base rule", "base rules")) };
    format!("{}{levels}{base}", counted(alerting, "rule", "rules"))
}
