//! Mending files.

use std::fs;
use std::io;
use std::path::Path;

use super::super::failure::Failure;
use crate::diagnostic::{Diagnostic, Fix, Source, Sources};

/// Applies what can be fixed, to the files themselves; how many changes were made.
///
/// Of changes that overlap only the first is made: the others may not be right any more.
pub(super) fn apply(sources: &Sources, found: &[Diagnostic]) -> Result<usize, Failure> {
    let mut changes = 0;
    for (id, source) in sources.iter() {
        let fixes = found.iter().filter_map(|diagnostic| diagnostic.fix.as_ref()).filter(|fix| fix.span.source == id);
        let fixes = disjoint(fixes.collect());
        if fixes.is_empty() {
            continue;
        }
        write(source, &fixes).map_err(|error| Failure::Mend { name: source.path.clone(), error })?;
        changes += fixes.len();
    }
    Ok(changes)
}

/// In the order of the file, none over another.
fn disjoint(mut fixes: Vec<&Fix>) -> Vec<&Fix> {
    fixes.sort_by_key(|fix| fix.span.bytes.start);
    let mut kept: Vec<&Fix> = Vec::new();
    for fix in fixes {
        let free = kept.last().is_none_or(|last| {
            last.span.bytes.end <= fix.span.bytes.start && last.span.bytes.start < fix.span.bytes.start
        });
        if free {
            kept.push(fix);
        }
    }
    kept
}

/// Writes the file anew, unless it is not any more what was read.
fn write(source: &Source, fixes: &[&Fix]) -> io::Result<()> {
    let path = Path::new(&source.path);
    let written = fs::read_to_string(path)?;
    // A byte order mark is no part of the text.
    let mark = written.strip_suffix(source.text.as_str()).filter(|mark| matches!(*mark, "" | "\u{feff}"));
    let mark = mark.ok_or_else(|| io::Error::other("it changed while it was being checked"))?;
    let mut mended = mark.to_owned();
    let mut at = 0;
    for fix in fixes {
        mended.push_str(source.text.get(at..fix.span.bytes.start).unwrap_or_default());
        mended.push_str(&fix.replacement);
        at = fix.span.bytes.end;
    }
    mended.push_str(source.text.get(at..).unwrap_or_default());
    fs::write(path, mended)
}
