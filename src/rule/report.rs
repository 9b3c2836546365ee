//! What was found wrong with one file while it is being read.

use std::ops::Range;

use super::yaml::{Scalar, Style};
use crate::diagnostic::{Code, Diagnostic, Severity, SourceId, Span};

/// How many problems of one file are kept: nobody reads more, and a file of rubbish holds hundreds of thousands.
const MAX_FOUND: usize = 1000;

/// The file that is being read, and what is wrong with it so far.
pub(super) struct Report<'s> {
    source: SourceId,
    text: &'s str,
    found: Vec<Diagnostic>,
    errors: usize,
    warnings: usize,
}

impl<'s> Report<'s> {
    pub(super) fn new(source: SourceId, text: &'s str) -> Self {
        Self { source, text, found: Vec::new(), errors: 0, warnings: 0 }
    }

    /// The text of the file.
    pub(super) fn text(&self) -> &'s str {
        self.text
    }

    /// The place of these bytes of the file's text.
    pub(super) fn span(&self, bytes: Range<usize>) -> Span {
        Span { source: self.source, bytes }
    }

    /// Notes what is wrong.
    pub(super) fn push(&mut self, diagnostic: Diagnostic) {
        match diagnostic.severity {
            Severity::Error => self.errors += 1,
            Severity::Warning => self.warnings += 1,
        }
        if self.found.len() < MAX_FOUND {
            self.found.push(diagnostic);
        }
    }

    /// How many errors were noted so far: a document loads only if reading it added none.
    pub(super) fn errors(&self) -> usize {
        self.errors
    }

    /// What was noted, by place.
    pub(super) fn into_found(mut self) -> Vec<Diagnostic> {
        let more = self.errors + self.warnings - self.found.len();
        self.found.sort_by_key(|diagnostic| diagnostic.span.bytes.start);
        // What an alias repeats is wrong in one place only.
        self.found.dedup();
        if more > 0 {
            let end = self.span(self.text.len()..self.text.len());
            let message = format!("this file has {more} more problems");
            let diagnostic = match self.errors {
                0 => Diagnostic::warning(Code::MoreProblems, &end, message),
                _ => Diagnostic::error(Code::MoreProblems, &end, message),
            };
            self.found.push(diagnostic);
        }
        self.found
    }

    /// Where the characters of `scalar` stand.
    pub(super) fn places(&self, scalar: &Scalar<'_>) -> Places {
        Places::new(self.text, scalar)
    }
}

/// Where the characters of one scalar stand in the file.
///
/// Quotes, folding and indentation only add or change white space around what is written, so that all other
/// characters correspond one to one. From the first escape on, every place is the whole scalar.
pub(super) struct Places {
    scalar: Span,
    /// For every character other than white space: its offset in the scalar's text, and where it stands.
    characters: Vec<(usize, Range<usize>)>,
    /// The part of the scalar's text, from its start, in which they correspond.
    known: usize,
}

impl Places {
    fn new(text: &str, scalar: &Scalar<'_>) -> Self {
        let start = scalar.span.bytes.start + usize::from(scalar.style == Style::Quoted);
        let written = text.get(start..scalar.span.bytes.end).unwrap_or_default();
        let characters: Vec<_> = solid(&scalar.text)
            .zip(solid(written))
            .take_while(|((_, read), (_, written))| read == written)
            .map(|((at, read), (offset, _))| (at, start + offset..start + offset + read.len_utf8()))
            .collect();
        let known = solid(&scalar.text).nth(characters.len()).map_or(scalar.text.len(), |(at, _)| at);
        Self { scalar: scalar.span.clone(), characters, known }
    }

    /// The place of a part of the scalar's text.
    pub(super) fn of(&self, part: Range<usize>) -> Span {
        let from = self.characters.partition_point(|(at, _)| *at < part.start);
        let to = self.characters.partition_point(|(at, _)| *at < part.end);
        let place = self.characters.get(from..to).unwrap_or_default();
        match (place.first(), place.last()) {
            (Some((_, first)), Some((_, last))) if part.end <= self.known => {
                Span { source: self.scalar.source, bytes: first.start..last.end }
            }
            _ => self.scalar.clone(),
        }
    }
}

/// The characters of `text` that are not white space, with their offsets.
fn solid(text: &str) -> impl Iterator<Item = (usize, char)> {
    text.char_indices().filter(|(_, character)| !character.is_whitespace())
}
