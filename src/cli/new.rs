//! `vaultwatch new`: a rule file to start from.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::builder::PossibleValuesParser;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use uuid::Uuid;

use super::Console;
use super::event::EventArg;
use super::failure::Failure;
use crate::attack::TACTICS;
use crate::{rule, rule_files};

use seed::Seed;
use template::Stub;

mod seed;
mod template;

/// Write a rule file to start from
///
/// The file has an id, today's date, a search, and two tests: an event that fires and one that nearly does. It loads
/// as it is, in shadow (`status: experimental`): it matches and is counted, and publishes nothing. What only its author
/// can write is left out, with a place for it; `vaultwatch check` says what is missing.
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(super) struct NewArgs {
    /// The rule's name: lower-case letters, digits and `_`; the file is named after it
    #[arg(value_name = "NAME")]
    name: String,
    /// The tactic of ATT&CK that it is about, which is also the directory that it goes to
    #[arg(long, value_parser = PossibleValuesParser::new(TACTICS.map(|tactic| tactic.tag)), hide_possible_values = true)]
    tactic: Option<String>,
    /// An event that should have fired: a JSON file, a line of an audit log (`audit.log:12`), a log event of a
    /// subscription payload (`event.json:3`), `-` for standard input, or the name of an event that comes with the
    /// program. What tells it from others becomes the search, without ids and HMACs
    #[arg(long, value_name = "EVENT")]
    from_event: Option<EventArg>,
    /// The directory of the rules
    #[arg(long = "rules", value_name = "DIRECTORY", default_value = "rules")]
    rules: PathBuf,
}

const EXAMPLES: &str = "Examples:\n  \
    vaultwatch new database_root_rotated --tactic credential-access\n  \
    vaultwatch new seal_from_outside --tactic impact --from-event audit.log:2041";

/// Why there is no new rule file.
#[derive(Debug, thiserror::Error)]
pub(super) enum NewError {
    /// The name is no slug.
    #[error("`{name}` is no name for a rule")]
    Name { name: String },
    /// Something is there already.
    #[error("`{}` exists", path.display())]
    Exists { path: PathBuf },
    /// Another file holds a rule of that name.
    #[error("there is a rule `{name}` in `{file}`")]
    Taken { name: String, file: String },
    /// The file system refuses.
    #[error("cannot write `{}`: {}", path.display(), super::failure::reason(error))]
    Write { path: PathBuf, error: io::Error },
}

impl NewError {
    /// What to do about it.
    pub(super) fn help(&self) -> Option<String> {
        match self {
            Self::Name { .. } => Some("names consist of lower-case letters, digits and `_`".to_owned()),
            Self::Exists { .. } | Self::Taken { .. } => Some("choose another name; nothing was written".to_owned()),
            Self::Write { .. } => None,
        }
    }
}

pub(super) fn run(args: &NewArgs, console: &mut Console<'_>) -> Result<(), Failure> {
    if !is_slug(&args.name) {
        return Err(NewError::Name { name: args.name.clone() }.into());
    }
    let seed = match &args.from_event {
        Some(event) => Seed::of(&event.read(console.stdin)?)?,
        None => Seed::example(),
    };
    is_free(&args.name, &args.rules)?;
    let path = args.path();
    let text = template::write(&Stub {
        name: &args.name,
        tactic: args.tactic.as_deref(),
        id: Uuid::new_v4(),
        date: Timestamp::now().to_zoned(TimeZone::UTC).date(),
        seed: &seed,
        is_example: args.from_event.is_none(),
    });
    create(&path, &text).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => NewError::Exists { path: path.clone() },
        _ => NewError::Write { path: path.clone(), error },
    })?;
    let shown = path.display();
    writeln!(console.stdout.writer, "{shown}")?;
    writeln!(
        console.stderr.writer,
        "what is left to write: `vaultwatch check {shown}`; its tests: `vaultwatch test {shown}`"
    )?;
    Ok(())
}

impl NewArgs {
    fn path(&self) -> PathBuf {
        let directory = self.tactic.as_ref().map_or_else(|| self.rules.clone(), |tactic| self.rules.join(tactic));
        directory.join(format!("{}.yml", self.name))
    }
}

fn is_slug(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_'))
}

/// Names are unique among all rules. A directory that is not there yet, or is not in order, holds no objection.
fn is_free(name: &str, directory: &Path) -> Result<(), NewError> {
    let Ok(sources) = rule_files::read(directory) else { return Ok(()) };
    let reading = rule::read(&sources);
    let taken = reading
        .rules
        .iter()
        .find(|rule| rule.header.name == name)
        .and_then(|rule| sources.get(rule.header.span.source));
    taken.map_or(Ok(()), |source| Err(NewError::Taken { name: name.to_owned(), file: source.path.clone() }))
}

/// Never over something that is there.
fn create(path: &Path, text: &str) -> io::Result<()> {
    if let Some(directory) = path.parent() {
        fs::create_dir_all(directory)?;
    }
    File::create_new(path)?.write_all(text.as_bytes())
}
