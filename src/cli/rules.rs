//! The rules that a command runs with.

use std::path::{Path, PathBuf};

use super::failure::Failure;
use super::{Console, diagnostics, render};
use crate::detect::RuleSet;
use crate::diagnostic::Severity;
use crate::{rule, rule_files};

/// Where rules are looked for when none are named.
const USUAL_PLACE: &str = "rules";

/// Which rules to run.
#[derive(Debug, clap::Args)]
pub(super) struct RulesArgs {
    /// The rules: a directory of Sigma rule files, or one file [default: `rules` in the current directory]
    #[arg(long = "rules", value_name = "PATH")]
    path: Option<PathBuf>,
}

impl RulesArgs {
    /// Reads and compiles the rules, and tells what is wrong with them. Warnings do not stop a command.
    pub(super) fn load(&self, console: &mut Console<'_>) -> Result<RuleSet, Failure> {
        let path = match &self.path {
            Some(path) => path,
            None if Path::new(USUAL_PLACE).is_dir() => Path::new(USUAL_PLACE),
            None => return Err(Failure::NoRules),
        };
        let sources = rule_files::read(path)?;
        let reading = rule::read(&sources);
        if !reading.diagnostics.is_empty() {
            let drawn = diagnostics::render(&sources, &reading.diagnostics, console.stderr.color);
            writeln!(console.stderr.writer, "{drawn}")?;
        }
        let errors = reading.diagnostics.iter().filter(|found| found.severity == Severity::Error).count();
        if errors > 0 {
            let errors = render::counted(errors, "error", "errors");
            return Err(Failure::Rules { errors, path: path.display().to_string() });
        }
        if reading.rules.is_empty() {
            return Err(Failure::NothingToRun { path: path.display().to_string() });
        }
        Ok(RuleSet::compile(reading.rules))
    }
}
