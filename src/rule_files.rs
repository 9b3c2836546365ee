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
        let text = read_text(path, metadata.len()).map_err(unreadable)?;
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
            let entry = entry?;
            let path = entry.path();
            if path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b".")) {
                continue;
            }
            // Only of a symbolic link it takes another look to see what it leads to.
            let is_directory = match entry.file_type() {
                Ok(kind) if !kind.is_symlink() => kind.is_dir(),
                _ => path.is_dir(),
            };
            if is_directory {
                if let Err(error) = self.directory(&path) {
                    self.found.push((path, Some(error)));
                }
            } else if is_rule_file(&path) {
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
        None => read_regular(path),
    };
    match text {
        Ok(text) => Source::new(shown, text),
        Err(error) => Source { path: shown, text: String::new(), unreadable: Some(error.to_string()) },
    }
}

/// The text of a file; a pipe or a device among the rules would block, or never end.
fn read_regular(path: &Path) -> io::Result<String> {
    let metadata = fs::metadata(path)?;
    if metadata.is_file() { read_text(path, metadata.len()) } else { Err(io::Error::other("not a regular file")) }
}

/// The text without its byte order mark, cut just beyond the size that rules may have; bytes that are not UTF-8
/// become replacement characters. Reading the rules refuses both. The file has about `size` bytes.
fn read_text(path: &Path, size: u64) -> io::Result<String> {
    let limit = (MAX_SOURCE_BYTES + 1 + BYTE_ORDER_MARK.len()) as u64;
    // With room for one byte more, the end is found without asking for more room.
    let mut bytes = Vec::with_capacity(usize::try_from(size.min(limit)).unwrap_or_default() + 1);
    File::open(path)?.take(limit).read_to_end(&mut bytes)?;
    if bytes.starts_with(BYTE_ORDER_MARK) {
        bytes.drain(..BYTE_ORDER_MARK.len());
    }
    Ok(String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()))
}

const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();
