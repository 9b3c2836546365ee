//! `vaultwatch check`: everything that is wrong with the rules.

use std::path::{Path, PathBuf};

use clap::ValueEnum;

use super::failure::Failure;
use super::render::counted;
use super::{Console, ExitStatus, diagnostics, rule_set};
use crate::diagnostic::{Diagnostic, Severity, Sources};
use crate::{lint, rule, rule_files};

mod fixes;
mod github;
mod json;
mod place;
mod sarif;

/// Tell everything that is wrong with the rules
///
/// Reads the rules as the function does, and tells all that it finds in all files: what does not load, and what Vault
/// will never log as the rule expects it. Every problem has a code that does not change, its place, and what to do.
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(super) struct CheckArgs {
    /// The rules: a directory of Sigma rule files, or one file [default: `rules` in the current directory]
    #[arg(value_name = "RULES")]
    rules: Option<PathBuf>,
    /// End with 1 on warnings, too
    #[arg(long, value_enum, hide_possible_values = true, value_name = "warnings")]
    deny: Option<Deny>,
    /// How problems are written: for people, one JSON object a line, as SARIF 2.1.0 for code scanning, or as commands
    /// that a GitHub workflow turns into annotations
    #[arg(
        long,
        value_enum,
        default_value_t = Format::Human,
        hide_possible_values = true,
        value_name = "human|json|sarif|github"
    )]
    format: Format,
    /// Mend in the files what can be mended without changing what any rule matches
    #[arg(long)]
    fix: bool,
}

const EXAMPLES: &str = "Examples:\n  \
    vaultwatch check\n  \
    vaultwatch check --deny warnings rules\n  \
    vaultwatch check --fix my_rule.yml\n  \
    vaultwatch check --format sarif rules > rules.sarif";

/// What is not let pass, beside errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Deny {
    /// Anything at all
    Warnings,
}

/// How problems are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// The place quoted from the file, as compilers do
    Human,
    /// One object a line
    Json,
    /// One SARIF log
    Sarif,
    /// Workflow commands
    Github,
}

/// The schema that rule files point to, beside the rules or above them.
const SCHEMA: &str = "rule.schema.json";

/// How often mending is tried again: what was mended may uncover more.
const MAX_ROUNDS: usize = 10;

pub(super) fn run(args: &CheckArgs, console: &mut Console<'_>) -> Result<ExitStatus, Failure> {
    let path = rule_set::place(args.rules.as_deref())?;
    let mut checked = Checked::read(path)?;
    let mut mended = 0;
    for _ in 0..if args.fix { MAX_ROUNDS } else { 0 } {
        let changes = fixes::apply(&checked.sources, &checked.found)?;
        if changes == 0 {
            break;
        }
        mended += changes;
        checked = Checked::read(path)?;
    }
    let Checked { sources, found, .. } = &checked;
    let text = match args.format {
        Format::Human => diagnostics::render(sources, found, console.stdout.color),
        Format::Json => json::lines(sources, found),
        Format::Sarif => sarif::log(sources, found),
        Format::Github => github::commands(sources, found),
    };
    console.stdout.writer.write_all(text.as_bytes())?;
    console.stdout.writer.flush()?;
    if args.format == Format::Human && !found.is_empty() {
        writeln!(console.stderr.writer)?;
    }
    writeln!(console.stderr.writer, "{}", checked.summary(mended))?;
    Ok(checked.status(args.deny))
}

/// Rules that were read and checked.
struct Checked {
    sources: Sources,
    /// By file and place.
    found: Vec<Diagnostic>,
    /// How many rules and correlations load.
    rules: usize,
}

impl Checked {
    fn read(path: &Path) -> Result<Self, Failure> {
        let sources = rule_files::read(path)?;
        let mut reading = rule::read(&sources);
        let mut found = std::mem::take(&mut reading.diagnostics);
        found.extend(lint::check(&sources, &reading, schema(path).as_deref()));
        found.sort_by_key(|diagnostic| (diagnostic.span.source, diagnostic.span.bytes.start));
        Ok(Self { sources, found, rules: reading.rules.len() + reading.correlations.len() })
    }

    fn count(&self, severity: Severity) -> usize {
        self.found.iter().filter(|diagnostic| diagnostic.severity == severity).count()
    }

    fn status(&self, deny: Option<Deny>) -> ExitStatus {
        match (self.count(Severity::Error), self.count(Severity::Warning), deny) {
            (0, 0, _) | (0, _, None) => ExitStatus::Clean,
            _ => ExitStatus::Findings,
        }
    }

    /// `3 rules in 2 files: 1 error, 2 warnings (1 can be mended with --fix)`
    fn summary(&self, mended: usize) -> String {
        let rules = counted(self.rules, "rule", "rules");
        let files = counted(self.sources.0.len(), "file", "files");
        let numbers = [
            (self.count(Severity::Error), "error", "errors"),
            (self.count(Severity::Warning), "warning", "warnings"),
            (mended, "mended", "mended"),
        ];
        let numbers: Vec<String> = numbers
            .into_iter()
            .filter(|(number, ..)| *number > 0)
            .map(|(n, one, many)| counted(n, one, many))
            .collect();
        let result = if numbers.is_empty() { "no problems".to_owned() } else { numbers.join(", ") };
        let mendable = self.found.iter().filter(|diagnostic| diagnostic.fix.is_some()).count();
        let hint = if mendable > 0 { format!("; --fix mends {mendable}") } else { String::new() };
        format!("{rules} in {files}: {result}{hint}")
    }
}

/// The path of the schema, written as the paths of the rule files are; none if there is none.
fn schema(path: &Path) -> Option<String> {
    let nearest = if path.is_dir() { Some(path) } else { path.parent() };
    let mut candidates = nearest?.ancestors().map(|directory| directory.join(SCHEMA));
    let found = candidates.find(|candidate| candidate.is_file())?;
    Some(found.to_str()?.to_owned())
}
