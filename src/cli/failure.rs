//! Why a command could not run, and what helps.

use std::io;

use super::event::EventError;
use super::explain::RuleError;
use super::new::NewError;
use crate::aws::config::ConfigError;
use crate::aws::publisher::Publication;
use crate::payload::{DEFAULT_MAX_INFLATED, PayloadError};
use crate::rule::UnknownProfile;
use crate::rule_files::RuleFilesError;
use crate::state::StateError;

/// Why a command could not run.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    /// Files that cannot be read; never empty.
    #[error("{} cannot be read", .0.len())]
    Inputs(Vec<InputError>),
    /// A file was read, and is no subscription payload.
    #[error("cannot decode `{name}`: {error}")]
    Payload { name: String, error: PayloadError },
    /// No rules were named, and there are none in the usual place.
    #[error("no rules: there is no directory `rules` here")]
    NoRules,
    /// The rule files cannot be read.
    #[error(transparent)]
    RuleFiles(#[from] RuleFilesError),
    /// Rule files were read, and have errors; they are already told.
    #[error("the rules do not load: {errors} in `{path}`")]
    Rules { errors: String, path: String },
    /// The rules do not have the profile that is asked for.
    #[error(transparent)]
    Profile(#[from] UnknownProfile),
    /// One rule was named, and there is none, or several.
    #[error(transparent)]
    Rule(#[from] RuleError),
    /// A new rule file cannot be written.
    #[error(transparent)]
    New(#[from] NewError),
    /// One event was named, and there is none, or several.
    #[error(transparent)]
    Event(#[from] EventError),
    /// All rules are set aside by their status, so that nothing could ever be found.
    #[error("no rules: none of those in `{path}` is to be run")]
    NothingToRun { path: String },
    /// No test is called so.
    #[error("no tests: no rule and no test has `{name}` in its name")]
    NoTests { name: String },
    /// A rule file cannot be mended.
    #[error("cannot write `{name}`: {}", reason(.error))]
    Mend { name: String, error: io::Error },
    /// What publishing needs is not in the environment.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// What the windows say cannot be trusted.
    #[error(transparent)]
    State(StateError),
    /// Nothing can be sent at all.
    #[error("cannot publish: {}", reason(.0))]
    Runtime(#[source] io::Error),
    /// SNS did not take these; never empty.
    #[error("{} not published", .0.len())]
    Publish(Vec<Publication>),
    /// Standard output does not take it.
    #[error("cannot write to standard output: {}", reason(.0))]
    Output(#[from] io::Error),
}

/// Why one file cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("cannot read `{name}`: {}", reason(.error))]
pub(super) struct InputError {
    /// As the user named it.
    pub(super) name: String,
    pub(super) error: io::Error,
}

impl From<InputError> for Failure {
    fn from(error: InputError) -> Self {
        Self::Inputs(vec![error])
    }
}

impl Failure {
    /// One message for each thing that is wrong.
    pub(super) fn messages(&self) -> Vec<String> {
        match self {
            Self::Inputs(errors) => errors.iter().map(ToString::to_string).collect(),
            Self::Config(error) => error.problems.iter().map(ToString::to_string).collect(),
            Self::Publish(failed) => failed.iter().filter_map(unpublished).collect(),
            _ => vec![self.to_string()],
        }
    }

    /// What to do about it.
    pub(super) fn help(&self) -> Option<String> {
        match self {
            Self::Payload { error, .. } => Some(payload_help(error)),
            Self::NoRules => Some("name a directory of rules, or one file; `--help` says how".to_owned()),
            Self::Rule(error) => error.help(),
            Self::Event(error) => error.help(),
            Self::New(error) => error.help(),
            Self::Inputs(_)
            | Self::RuleFiles(_)
            | Self::Rules { .. }
            | Self::Profile(_)
            | Self::NothingToRun { .. }
            | Self::NoTests { .. }
            | Self::Mend { .. }
            | Self::Config(_)
            | Self::Runtime(_)
            | Self::State(_)
            | Self::Publish(_)
            | Self::Output(_) => None,
        }
    }
}

fn unpublished(publication: &Publication) -> Option<String> {
    let error = publication.result.as_ref().err()?;
    Some(format!("alert `{}` is not published: {error}", publication.alert_id))
}

fn payload_help(error: &PayloadError) -> String {
    match error {
        PayloadError::NotSubscription(_) => {
            "a payload is `{\"awslogs\": {\"data\": ...}}`; for raw audit lines there is `vaultwatch scan`, and \
             `vaultwatch pack` makes a payload of them"
                .to_owned()
        }
        PayloadError::Base64(_) | PayloadError::Gzip(_) => {
            "`awslogs.data` holds gzip in base64; it was probably cut or altered on its way here".to_owned()
        }
        PayloadError::TooLarge { .. } => {
            format!("the function takes {} MiB by default; pack fewer lines", DEFAULT_MAX_INFLATED >> 20)
        }
        PayloadError::Json { .. } => {
            "base64 and gzip are sound; what they hold is not the JSON that CloudWatch Logs sends".to_owned()
        }
    }
}

/// The system's reason without its number: `No such file or directory`, not `... (os error 2)`.
pub(super) fn reason(error: &io::Error) -> String {
    let full = error.to_string();
    let text = full.rsplit_once(" (os error ").map_or(full.as_str(), |(text, _)| text);
    let mut characters = text.chars();
    characters.next().map_or_else(String::new, |first| first.to_lowercase().chain(characters).collect())
}
