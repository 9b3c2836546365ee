//! The rules that a command runs with.

use std::path::{Path, PathBuf};

use super::failure::Failure;
use super::{Console, diagnostics, render};
use crate::alert::Alert;
use crate::correlate::HashKey;
use crate::diagnostic::{Diagnostic, Severity, Sources};
use crate::pipeline::Analytics;
use crate::rule::{self, Level, Reading};
use crate::rule_files;

/// Where rules are looked for when none are named.
const USUAL_PLACE: &str = "rules";

/// Which rules to run.
#[derive(Debug, clap::Args)]
pub(super) struct RulesArgs {
    /// The rules: a directory of Sigma rule files, or one file [default: `rules` in the current directory]
    #[arg(long = "rules", value_name = "PATH")]
    pub(super) path: Option<PathBuf>,
    /// The profile whose rules and filters are in force [default: the one that `vaultwatch.yml` among the rules names]
    #[arg(long, value_name = "NAME")]
    pub(super) profile: Option<String>,
}

/// Which alerts to tell of.
#[derive(Debug, clap::Args)]
pub(super) struct AlertsArgs {
    /// Leave out alerts below this level: informational, low, medium, high or critical
    #[arg(long, value_name = "LEVEL", value_parser = level)]
    min_level: Option<Level>,
}

impl AlertsArgs {
    /// Whether an alert is to be told of.
    pub(super) fn admit(&self, alert: &Alert) -> bool {
        self.min_level.is_none_or(|least| alert.level >= least)
    }
}

fn level(name: &str) -> Result<Level, String> {
    Level::named(name).ok_or_else(|| format!("levels are {}", Level::ALL.map(Level::as_str).join(", ")))
}

impl RulesArgs {
    /// Reads and compiles the rules that are in force, and tells what is wrong with any. Warnings do not stop a command.
    pub(super) fn load(&self, console: &mut Console<'_>) -> Result<Analytics, Failure> {
        let path = place(self.path.as_deref())?;
        let sources = rule_files::read(path)?;
        let reading = rule::read_in_force(&sources, self.profile.as_deref());
        let diagnostics = reading.as_ref().map_or_else(|unknown| &unknown.diagnostics, |reading| &reading.diagnostics);
        tell(path, &sources, diagnostics, console)?;
        let reading = reading?;
        if reading.rules.is_empty() {
            return Err(Failure::NothingToRun { path: path.display().to_string() });
        }
        Ok(Analytics::of(reading, HashKey::default()))
    }
}

/// Where the rules are: as named, or in the usual place.
pub(super) fn place(named: Option<&Path>) -> Result<&Path, Failure> {
    match named {
        Some(path) => Ok(path),
        None if Path::new(USUAL_PLACE).is_dir() => Ok(Path::new(USUAL_PLACE)),
        None => Err(Failure::NoRules),
    }
}

/// Reads the rules that were named, or those in the usual place, whatever profile they are in force in, and tells what
/// is wrong with them. Errors stop a command, warnings do not.
pub(super) fn read(named: Option<&Path>, console: &mut Console<'_>) -> Result<(PathBuf, Sources, Reading), Failure> {
    let path = place(named)?;
    let sources = rule_files::read(path)?;
    let reading = rule::read(&sources);
    tell(path, &sources, &reading.diagnostics, console)?;
    Ok((path.to_owned(), sources, reading))
}

fn tell(path: &Path, sources: &Sources, found: &[Diagnostic], console: &mut Console<'_>) -> Result<(), Failure> {
    if !found.is_empty() {
        let drawn = diagnostics::render(sources, found, console.stderr.color);
        writeln!(console.stderr.writer, "{drawn}")?;
    }
    match found.iter().filter(|found| found.severity == Severity::Error).count() {
        0 => Ok(()),
        errors => {
            let errors = render::counted(errors, "error", "errors");
            Err(Failure::Rules { errors, path: path.display().to_string() })
        }
    }
}
