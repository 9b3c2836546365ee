//! Rule files on disk -> [`Sources`], bounded.
//!
//! One file that cannot be read never hides the others: it is among the sources, and reading the rules reports it.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::diagnostic::{Source, Sources};
use crate::rule::MAX_SOURCE_BYTES;

/// Why there is nothing to read rules from.
#[derive(Debug, Error)]
pub enum RuleFilesError {
    /// There is no such file or directory.
    #[error("there are no rules at `{}`: no such file or directory", path.display())]
    NotFound {
        /// The path as given.
        path: PathBuf,
    },
    /// The directory cannot be listed, or the one file cannot be read.
    #[error("the rules at `{}` cannot be read", path.display())]
    Unreadable {
        /// The path as given.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// The directory holds no rule file.
    #[error("the directory `{}` holds no rule files (`*.yml` or `*.yaml`)", path.display())]
    Empty {
        /// The path as given.
        path: PathBuf,
    },
}

/// Reads one file, or all `*.yml` and `*.yaml` files below a directory, sorted by path.
///
/// Names that start with a dot and files with other extensions are left out; symbolic links are followed, each
/// directory once.
///
/// # Errors
///
/// If there is nothing at `path`, if it cannot be read at all, or if the directory holds no rule file.
/// A file or directory further down that cannot be read is no error here: it is a [`Source`] that says why.
pub fn read(path: &Path) -> Result<Sources, RuleFilesError> {
    let unreadable = |source| RuleFilesError::Unreadable { path: path.to_owned(), source };
    let metadata = match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(RuleFilesError::NotFound { path: path.to_owned() });
        }
        other => other.map_err(unreadable)?,
    };
    if !metadata.is_dir() {
        let text = read_text(path).map_err(unreadable)?;
        return Ok(Sources(vec![Source::new(path.display().to_string(), text)]));
    }
    let mut walk = Walk::default();
    walk.directory(path).map_err(unreadable)?;
    if walk.found.is_empty() {
        return Err(RuleFilesError::Empty { path: path.to_owned() });
    }
    walk.found.sort_by(|(a, _), (b, _)| a.cmp(b));
    Ok(Sources(walk.found.into_iter().map(|(path, problem)| source(&path, problem)).collect()))
}

/// The rule files below a directory.
#[derive(Default)]
struct Walk {
    /// The files, and the directories that could not be listed with the reason.
    found: Vec<(PathBuf, Option<io::Error>)>,
    /// Directories as they really are, so that a symbolic link cannot make a loop.
    entered: HashSet<PathBuf>,
}

impl Walk {
    fn directory(&mut self, directory: &Path) -> io::Result<()> {
        if !self.entered.insert(fs::canonicalize(directory)?) {
            return Ok(());
        }
        for entry in fs::read_dir(directory)? {
            let path = entry?.path();
            if path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b".")) {
                continue;
            }
            let listed = if path.is_dir() { self.directory(&path) } else { Ok(()) };
            if let Err(error) = listed {
                self.found.push((path, Some(error)));
            } else if is_rule_file(&path) && !path.is_dir() {
                self.found.push((path, None));
            }
        }
        Ok(())
    }
}

fn is_rule_file(path: &Path) -> bool {
    let extension = path.extension().and_then(OsStr::to_str);
    extension.is_some_and(|extension| extension.eq_ignore_ascii_case("yml") || extension.eq_ignore_ascii_case("yaml"))
}

fn source(path: &Path, problem: Option<io::Error>) -> Source {
    let shown = path.display().to_string();
    let text = match problem {
        Some(error) => Err(error),
        None => regular(path).and_then(|()| read_text(path)),
    };
    match text {
        Ok(text) => Source::new(shown, text),
        Err(error) => Source { path: shown, text: String::new(), unreadable: Some(error.to_string()) },
    }
}

/// A pipe or a device among the rules would block, or never end.
fn regular(path: &Path) -> io::Result<()> {
    if fs::metadata(path)?.is_file() { Ok(()) } else { Err(io::Error::other("not a regular file")) }
}

/// The text without its byte order mark, cut just beyond the size that rules may have; bytes that are not UTF-8
/// become replacement characters. Reading the rules refuses both.
fn read_text(path: &Path) -> io::Result<String> {
    let limit = MAX_SOURCE_BYTES as u64 + 1;
    let mut bytes = Vec::new();
    File::open(path)?.take(limit + BYTE_ORDER_MARK.len() as u64).read_to_end(&mut bytes)?;
    let text = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&bytes);
    Ok(String::from_utf8_lossy(text).into_owned())
}

const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();
