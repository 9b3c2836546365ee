//! Which rule is meant.

use std::fs;
use std::path::Path;

use uuid::Uuid;

use crate::cli::failure::Failure;
use crate::cli::{Console, diagnostics, rules};
use crate::detect::RuleId;
use crate::diagnostic::{Diagnostic, Severity, Source, SourceId, Sources};
use crate::rule::{self, Reading, Rule, suggest};
use crate::rule_files;

/// The rule that was named, among all that were read with it.
pub(super) struct Chosen {
    pub(super) sources: Sources,
    pub(super) rules: Vec<Rule>,
    pub(super) id: RuleId,
}

/// Why there is no one rule where one was named.
#[derive(Debug, thiserror::Error)]
pub(in crate::cli) enum RuleError {
    /// No rule that loads has this name or id.
    #[error("no rule `{wanted}` loads from `{path}`")]
    Unknown { wanted: String, path: String, nearest: Option<String> },
    /// No rule of this file loads.
    #[error("no rule of `{file}` loads")]
    NothingLoads { file: String },
    /// The file holds several.
    #[error("`{file}` holds several rules")]
    Several { file: String, names: Vec<String> },
}

impl RuleError {
    /// What to do about it.
    pub(in crate::cli) fn help(&self) -> Option<String> {
        match self {
            Self::Unknown { nearest, .. } => nearest.as_ref().map(|name| format!("did you mean `{name}`?")),
            Self::NothingLoads { .. } => None,
            Self::Several { file, names } => {
                let names: Vec<&str> = names.iter().map(String::as_str).collect();
                Some(format!("name one of {}, and the file with `--rules {file}`", suggest::enumerate(&names)))
            }
        }
    }
}

/// Finds the rule by its file, its name or its id. Whatever is wrong with other rules does not matter here.
pub(super) fn choose(wanted: &str, named: Option<&Path>, console: &mut Console<'_>) -> Result<Chosen, Failure> {
    let (sources, file) = sources(wanted, named)?;
    let Reading { rules, diagnostics, .. } = rule::read(&sources);
    let found = match file {
        Some(file) => of_file(&rules, file, wanted),
        None => by_name(&rules, wanted).ok_or_else(|| unknown(&rules, wanted, named)),
    };
    let about = match (&found, file) {
        (_, Some(file)) => Some(file),
        (Ok(at), None) => rules.get(*at).map(|rule| rule.span.source),
        (Err(_), None) => None,
    };
    tell(&sources, &diagnostics, about, console)?;
    let id = RuleId::at(found?);
    Ok(Chosen { sources, rules, id })
}

/// The rules to read, and the file among them if one was named. A file is read with the rules around it, since they
/// may hold its lists and filters.
fn sources(wanted: &str, named: Option<&Path>) -> Result<(Sources, Option<SourceId>), Failure> {
    let Some(file) = Path::new(wanted).canonicalize().ok().filter(|file| file.is_file()) else {
        return Ok((rule_files::read(rules::place(named)?)?, None));
    };
    let around = rules::place(named).ok().map(rule_files::read).transpose()?;
    let is_it = |source: &Source| fs::canonicalize(&source.path).is_ok_and(|path| path == file);
    if let Some(sources) = around {
        let place = sources.iter().find(|(_, source)| is_it(source)).map(|(id, _)| id);
        if place.is_some() {
            return Ok((sources, place));
        }
    }
    Ok((rule_files::read(Path::new(wanted))?, Some(SourceId(0))))
}

fn of_file(rules: &[Rule], file: SourceId, wanted: &str) -> Result<usize, RuleError> {
    let mut of_file = rules.iter().enumerate().filter(|(_, rule)| rule.span.source == file);
    match (of_file.next(), of_file.next()) {
        (Some((only, _)), None) => Ok(only),
        (None, _) => Err(RuleError::NothingLoads { file: wanted.to_owned() }),
        (Some(_), Some(_)) => {
            let names = rules.iter().filter(|rule| rule.span.source == file).map(|rule| rule.name.clone());
            Err(RuleError::Several { file: wanted.to_owned(), names: names.collect() })
        }
    }
}

fn by_name(rules: &[Rule], wanted: &str) -> Option<usize> {
    let id = Uuid::parse_str(wanted).ok();
    rules.iter().position(|rule| rule.name == wanted || Some(rule.id) == id)
}

fn unknown(rules: &[Rule], wanted: &str, named: Option<&Path>) -> RuleError {
    let nearest = suggest::nearest(wanted, rules.iter().map(|rule| rule.name.as_str())).map(str::to_owned);
    let path = rules::place(named).map_or_else(|_| String::new(), |path| path.display().to_string());
    RuleError::Unknown { wanted: wanted.to_owned(), path, nearest }
}

/// Tells what is wrong with one file; without one, the errors of all, since one of them may be why a rule is missing.
fn tell(
    sources: &Sources,
    found: &[Diagnostic],
    about: Option<SourceId>,
    console: &mut Console<'_>,
) -> Result<(), Failure> {
    let matters = |found: &&Diagnostic| match about {
        Some(file) => found.span.source == file,
        None => found.severity == Severity::Error,
    };
    let telling: Vec<Diagnostic> = found.iter().filter(matters).cloned().collect();
    if !telling.is_empty() {
        let drawn = diagnostics::render(sources, &telling, console.stderr.color);
        writeln!(console.stderr.writer, "{drawn}")?;
    }
    Ok(())
}
