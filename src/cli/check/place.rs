//! Where a span is, in lines and columns.

use std::collections::HashMap;

use crate::diagnostic::{SourceId, Sources, Span};

/// A range of characters in a file. Lines and columns count from 1, columns in characters, the end is excluded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Region {
    pub(super) line: usize,
    pub(super) column: usize,
    pub(super) end_line: usize,
    pub(super) end_column: usize,
}

/// The files with where their lines start: a file of many problems is looked through once.
pub(super) struct Places<'s> {
    sources: &'s Sources,
    lines: HashMap<SourceId, Vec<usize>>,
}

impl<'s> Places<'s> {
    pub(super) fn new(sources: &'s Sources) -> Self {
        let starts = |text: &str| std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        let lines = sources.iter().map(|(id, source)| (id, starts(&source.text))).collect();
        Self { sources, lines }
    }

    /// The file's path, as users see it.
    pub(super) fn path(&self, span: &Span) -> &'s str {
        self.sources.get(span.source).map_or("", |source| &source.path)
    }

    pub(super) fn region(&self, span: &Span) -> Region {
        let (line, column) = self.place(span.source, span.bytes.start);
        let (end_line, end_column) = self.place(span.source, span.bytes.end);
        Region { line, column, end_line, end_column }
    }

    fn place(&self, id: SourceId, byte: usize) -> (usize, usize) {
        let lines = self.lines.get(&id).map_or(&[][..], Vec::as_slice);
        let line = lines.partition_point(|start| *start <= byte).max(1);
        let start = lines.get(line - 1).copied().unwrap_or_default();
        let before = self.sources.get(id).and_then(|source| source.text.get(start..byte)).unwrap_or_default();
        (line, before.chars().count() + 1)
    }
}
