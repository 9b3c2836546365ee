//! Which rule is meant.

use std::fs;
use std::path::Path;

use uuid::Uuid;

use crate::cli::failure::Failure;
use crate::cli::rule_set::{self, RulesArgs};
use crate::cli::{Console, diagnostics};
use crate::diagnostic::{Diagnostic, Severity, Source, SourceId, Sources};
use crate::rule::{self, Header, Reading, suggest};
use crate::rule_files;

/// The rule that was named, among all that were read with it.
pub(super) struct Chosen {
    pub(super) sources: Sources,
    pub(super) reading: Reading,
    pub(super) choice: Choice,
}

/// A rule, by its place among those of its kind.
#[derive(Debug, Clone, Copy)]
pub(super) enum Choice {
    Rule(usize),
    Correlation(usize),
}

/// Why there is no one rule where one was named.
#[derive(Debug, thiserror::Error)]
pub(in crate::cli) enum RuleError {
    /// No rule that loads has this name or id.
    #[error("no rule `{wanted}` loads from `{path}`")]
    Unknown { wanted: String, path: String, nearest: Option<String> },
    /// There is such a rule, but not in this profile.
    #[error("the rule `{name}` is not in force in the profile `{profile}`")]
    NotInForce { name: String, profile: String, others: Vec<String> },
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
            Self::NotInForce { others, .. } => {
                let other = others.first()?;
                Some(format!("explain it as it is in another one: `--profile {other}`"))
            }
            Self::NothingLoads { .. } => None,
            Self::Several { file, names } => {
                let names: Vec<&str> = names.iter().map(String::as_str).collect();
                Some(format!("name one of {}, and the file with `--rules {file}`", suggest::enumerate(&names)))
            }
        }
    }
}

/// Finds the rule by its file, its name or its id. Whatever is wrong with other rules does not matter here.
pub(super) fn choose(wanted: &str, args: &RulesArgs, console: &mut Console<'_>) -> Result<Chosen, Failure> {
    let named = args.path.as_deref();
    let (sources, file) = sources(wanted, named)?;
    let reading = match rule::read_in_force(&sources, args.profile.as_deref()) {
        Ok(reading) => reading,
        Err(unknown) => {
            tell(&sources, &unknown.diagnostics, None, console)?;
            return Err(unknown.into());
        }
    };
    let find = |reading: &Reading| {
        let choices = choices(reading);
        let found = match file {
            Some(file) => of_file(&choices, file, wanted),
            None => by_name(&choices, wanted).ok_or_else(|| unknown(&choices, wanted, named)),
        };
        found.map(|(header, choice)| (header.clone(), choice))
    };
    let found = find(&reading).map_err(|_| match find(&rule::read(&sources)) {
        Ok((header, _)) => not_in_force(header.name, &reading),
        Err(error) => error,
    });
    let about = file.or(found.as_ref().ok().map(|(header, _)| header.span.source));
    tell(&sources, &reading.diagnostics, about, console)?;
    let (_, choice) = found?;
    Ok(Chosen { sources, reading, choice })
}

fn not_in_force(name: String, reading: &Reading) -> RuleError {
    let others = reading.settings.profiles.iter().filter(|profile| profile.has(&name));
    let others = others.map(|profile| profile.name.clone()).collect();
    RuleError::NotInForce { name, profile: reading.profile.clone().unwrap_or_default(), others }
}

/// Everything that can be explained.
fn choices(reading: &Reading) -> Vec<(&Header, Choice)> {
    let rules = reading.rules.iter().map(|rule| &rule.header).zip((0..).map(Choice::Rule));
    let correlations = reading.correlations.iter().map(|correlation| &correlation.header);
    rules.chain(correlations.zip((0..).map(Choice::Correlation))).collect()
}

/// The rules to read, and the file among them if one was named. A file is read with the rules around it, since they
/// may hold its lists and filters.
fn sources(wanted: &str, named: Option<&Path>) -> Result<(Sources, Option<SourceId>), Failure> {
    let Some(file) = Path::new(wanted).canonicalize().ok().filter(|file| file.is_file()) else {
        return Ok((rule_files::read(rule_set::place(named)?)?, None));
    };
    let around = rule_set::place(named).ok().map(rule_files::read).transpose()?;
    let is_it = |source: &Source| fs::canonicalize(&source.path).is_ok_and(|path| path == file);
    if let Some(sources) = around {
        let place = sources.iter().find(|(_, source)| is_it(source)).map(|(id, _)| id);
        if place.is_some() {
            return Ok((sources, place));
        }
    }
    Ok((rule_files::read(Path::new(wanted))?, Some(SourceId(0))))
}

fn of_file<'h>(
    choices: &[(&'h Header, Choice)],
    file: SourceId,
    wanted: &str,
) -> Result<(&'h Header, Choice), RuleError> {
    let of_file: Vec<_> = choices.iter().filter(|(header, _)| header.span.source == file).copied().collect();
    match of_file.as_slice() {
        [only] => Ok(*only),
        [] => Err(RuleError::NothingLoads { file: wanted.to_owned() }),
        several => {
            let names = several.iter().map(|(header, _)| header.name.clone());
            Err(RuleError::Several { file: wanted.to_owned(), names: names.collect() })
        }
    }
}

fn by_name<'h>(choices: &[(&'h Header, Choice)], wanted: &str) -> Option<(&'h Header, Choice)> {
    let id = Uuid::parse_str(wanted).ok();
    choices.iter().find(|(header, _)| header.name == wanted || Some(header.id) == id).copied()
}

fn unknown(choices: &[(&Header, Choice)], wanted: &str, named: Option<&Path>) -> RuleError {
    let nearest = suggest::nearest(wanted, choices.iter().map(|(header, _)| header.name.as_str())).map(str::to_owned);
    let path = rule_set::place(named).map_or_else(|_| String::new(), |path| path.display().to_string());
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
