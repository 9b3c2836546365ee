//! A file that a user named, `-` for standard input.

use std::ffi::OsString;
use std::fmt;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read};
use std::path::PathBuf;

use flate2::bufread::MultiGzDecoder;

use super::failure::{Failure, InputError};

/// How much of a file is read at once, in bytes.
const READ: usize = 256 << 10;

/// What a gzip file starts with.
const GZIP_MAGIC: &[u8] = &[0x1f, 0x8b];

/// What is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Input {
    /// `-`
    Stdin,
    /// Anything else.
    File(PathBuf),
}

impl From<OsString> for Input {
    fn from(text: OsString) -> Self {
        if text == "-" { Self::Stdin } else { Self::File(text.into()) }
    }
}

impl fmt::Display for Input {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stdin => formatter.write_str("-"),
            Self::File(path) => path.display().fmt(formatter),
        }
    }
}

impl Input {
    /// All of it.
    pub(super) fn read(&self, stdin: &mut dyn Read) -> Result<Vec<u8>, InputError> {
        let mut bytes = Vec::new();
        match self {
            Self::Stdin => stdin.read_to_end(&mut bytes).map(|_| bytes),
            Self::File(path) => fs::read(path),
        }
        .map_err(|error| self.failed(error))
    }

    /// How much there is to read, in bytes, where that is known beforehand: not of a pipe.
    pub(super) fn size(&self) -> Option<u64> {
        match self {
            Self::Stdin => None,
            Self::File(path) => fs::metadata(path).ok().filter(fs::Metadata::is_file).map(|found| found.len()),
        }
    }

    /// The same failure, with the file's name.
    pub(super) fn failed(&self, error: io::Error) -> InputError {
        InputError { name: self.to_string(), error }
    }

    /// Whether it can be opened. A directory can, on Unix, and only refuses to be read; a pipe is left alone, since
    /// whoever writes into it would notice.
    fn check(&self) -> io::Result<()> {
        let Self::File(path) = self else { return Ok(()) };
        let found = fs::metadata(path)?;
        if found.is_dir() {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        if found.is_file() { File::open(path).map(|_| ()) } else { Ok(()) }
    }
}

/// Checks all files before any is worked on, and names every one that cannot be read.
pub(super) fn check_all(inputs: &[Input]) -> Result<(), Failure> {
    let failures: Vec<InputError> =
        inputs.iter().filter_map(|input| input.check().err().map(|error| input.failed(error))).collect();
    if failures.is_empty() { Ok(()) } else { Err(Failure::Inputs(failures)) }
}

/// The text of a file that may be compressed; what it starts with tells.
pub(super) fn inflated<'r>(reader: Box<dyn Read + 'r>) -> io::Result<Box<dyn BufRead + 'r>> {
    let mut reader = BufReader::with_capacity(READ, reader);
    if reader.fill_buf()?.starts_with(GZIP_MAGIC) {
        return Ok(Box::new(BufReader::with_capacity(READ, MultiGzDecoder::new(reader))));
    }
    Ok(Box::new(reader))
}
