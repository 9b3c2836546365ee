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

    /// How many problems are kept so far.
    pub(super) fn found(&self) -> usize {
        self.found.len()
    }

    /// Points at `place` from all errors since then that lie elsewhere.
    pub(super) fn relate(&mut self, since: usize, place: &Span, label: &str) {
        for diagnostic in self.found.iter_mut().skip(since) {
            let at = &diagnostic.span;
            let inside =
                at.source == place.source && place.bytes.start <= at.bytes.start && at.bytes.end <= place.bytes.end;
            if !inside && diagnostic.severity == Severity::Error && diagnostic.related.is_none() {
                diagnostic.related = Some((place.clone(), label.to_owned()));
            }
        }
    }

    /// What was noted, in no order, and at the file's end how much more there was.
    pub(super) fn into_found(mut self) -> Vec<Diagnostic> {
        let more = self.errors + self.warnings - self.found.len();
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
/// Most scalars stand there as they are. Quotes, folding and indentation only add or change white space around what is
/// written, so that all other characters correspond one to one. From the first escape on, every place is the whole scalar.
pub(super) struct Places {
    scalar: Span,
    written: Written,
}

/// How a scalar is written.
enum Written {
    /// As it is, from this byte on.
    Alike { text: String, start: usize },
    Otherwise {
        /// For every character other than white space: its offset in the scalar's text, and where it stands.
        characters: Vec<(usize, Range<usize>)>,
        /// The part of the scalar's text, from its start, in which they correspond.
        known: usize,
    },
}

impl Places {
    fn new(text: &str, scalar: &Scalar<'_>) -> Self {
        let start = scalar.span.bytes.start + usize::from(scalar.style == Style::Quoted);
        let written = text.get(start..scalar.span.bytes.end).unwrap_or_default();
        let written = if scalar.style != Style::Block && written.starts_with(scalar.text.as_ref()) {
            Written::Alike { text: scalar.text.to_string(), start }
        } else {
            let characters: Vec<_> = solid(&scalar.text)
                .zip(solid(written))
                .take_while(|((_, read), (_, written))| read == written)
                .map(|((at, read), (offset, _))| (at, start + offset..start + offset + read.len_utf8()))
                .collect();
            let known = solid(&scalar.text).nth(characters.len()).map_or(scalar.text.len(), |(at, _)| at);
            Written::Otherwise { characters, known }
        };
        Self { scalar: scalar.span.clone(), written }
    }

    /// The place of a part of the scalar's text, without the white space around it.
    pub(super) fn of(&self, part: Range<usize>) -> Span {
        let bytes = match &self.written {
            Written::Alike { text, start } => alike(text, part).map(|found| start + found.start..start + found.end),
            Written::Otherwise { characters, known } => otherwise(characters, *known, part),
        };
        let source = self.scalar.source;
        bytes.map_or_else(|| self.scalar.clone(), |bytes| Span { source, bytes })
    }
}

fn alike(text: &str, part: Range<usize>) -> Option<Range<usize>> {
    let tail = text.get(part.clone())?.trim_start();
    let start = part.end - tail.len();
    let length = tail.trim_end().len();
    (length > 0).then_some(start..start + length)
}

fn otherwise(characters: &[(usize, Range<usize>)], known: usize, part: Range<usize>) -> Option<Range<usize>> {
    let from = characters.partition_point(|(at, _)| *at < part.start);
    let to = characters.partition_point(|(at, _)| *at < part.end);
    let place = characters.get(from..to).filter(|_| part.end <= known)?;
    Some(place.first()?.1.start..place.last()?.1.end)
}

/// The characters of `text` that are not white space, with their offsets.
fn solid(text: &str) -> impl Iterator<Item = (usize, char)> {
    text.char_indices().filter(|(_, character)| !character.is_whitespace())
}
