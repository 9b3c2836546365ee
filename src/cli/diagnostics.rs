//! Diagnostics as people see them: the place quoted from the file, like a compiler does.

use std::collections::HashMap;
use std::ops::Range;

use annotate_snippets::{Annotation, AnnotationKind, Group, Level, Renderer, Snippet, normalize_untrusted_str};

use crate::diagnostic::{Diagnostic, Severity, Source, SourceId, Sources, Span};

/// Two places of one file this many lines apart are shown together.
const NEAR: usize = 20;

/// Draws every diagnostic, one after the other with an empty line between; empty if there are none.
#[must_use]
pub fn render(sources: &Sources, diagnostics: &[Diagnostic], color: bool) -> String {
    let renderer = if color { Renderer::styled() } else { Renderer::plain() };
    let mut files = Files { sources, lines: HashMap::new() };
    let mut drawn = String::new();
    for diagnostic in diagnostics {
        let report = [group(&mut files, diagnostic)];
        drawn.push_str(&renderer.render(&report));
        drawn.push_str("\n\n");
    }
    drawn.truncate(drawn.trim_end_matches('\n').len());
    if !drawn.is_empty() {
        drawn.push('\n');
    }
    drawn
}

fn group<'a>(files: &mut Files<'a>, diagnostic: &'a Diagnostic) -> Group<'a> {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let mut group = Group::with_title(level.primary_title(&diagnostic.message).id(diagnostic.code.id()));
    for snippet in snippets(files, diagnostic) {
        group = group.element(snippet);
    }
    if let Some(help) = &diagnostic.help {
        group = group.element(Level::HELP.message(normalize_untrusted_str(help)));
    }
    group
}

/// The quoted places: one snippet, or two where the places are far apart or in two files.
fn snippets<'a>(files: &mut Files<'a>, diagnostic: &'a Diagnostic) -> Vec<Snippet<'a, Annotation<'a>>> {
    let primary = (AnnotationKind::Primary, &diagnostic.span, diagnostic.label.as_str());
    let Some((span, label)) = &diagnostic.related else { return files.snippet(&[primary]).into_iter().collect() };
    let related = (AnnotationKind::Context, span, label.as_str());
    if files.near(&diagnostic.span, span) {
        return files.snippet(&[primary, related]).into_iter().collect();
    }
    [files.snippet(&[primary]), files.snippet(&[related])].into_iter().flatten().collect()
}

/// The files with what has been found out about their lines: a file of many diagnostics is looked through once.
struct Files<'a> {
    sources: &'a Sources,
    /// Where the lines of a file start.
    lines: HashMap<SourceId, Vec<usize>>,
}

/// A place to mark: how, where, and what to write there.
type Mark<'a> = (AnnotationKind, &'a Span, &'a str);

impl<'a> Files<'a> {
    /// The number of the line that holds this byte, from 0.
    fn line(&mut self, id: SourceId, byte: usize) -> usize {
        let sources = self.sources;
        let lines = self.lines.entry(id).or_insert_with(|| {
            let text = sources.get(id).map_or("", |source| &source.text);
            std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect()
        });
        lines.partition_point(|start| *start <= byte).saturating_sub(1)
    }

    fn near(&mut self, a: &Span, b: &Span) -> bool {
        let (first, second) = (self.line(a.source, a.bytes.start), self.line(b.source, b.bytes.start));
        a.source == b.source && first.abs_diff(second) <= NEAR
    }

    /// The lines of the first mark's file that hold all marks; nothing for a file that is not there.
    fn snippet(&mut self, marks: &[Mark<'a>]) -> Option<Snippet<'a, Annotation<'a>>> {
        let (_, place, _) = marks.first()?;
        let source: &'a Source = self.sources.get(place.source)?;
        let start = marks.iter().map(|(_, span, _)| span.bytes.start).min()?;
        let end = marks.iter().map(|(_, span, _)| shown(span, source).end).max()?;
        let first = self.line(place.source, start);
        let from = source.text.get(..start)?.rfind('\n').map_or(0, |at| at + 1);
        let to = source.text.get(end..)?.find('\n').map_or(source.text.len(), |at| end + at);
        let quoted = source.text.get(from..to)?;
        let annotations = marks.iter().map(|(kind, span, label)| {
            let bytes = shown(span, source);
            kind.span(bytes.start - from..bytes.end - from).label((!label.is_empty()).then_some(*label))
        });
        Some(Snippet::source(quoted).path(&*source.path).line_start(first + 1).annotations(annotations))
    }
}

/// The part of a span that is worth marking: its first line.
fn shown(span: &Span, source: &Source) -> Range<usize> {
    let written = source.text.get(span.bytes.clone()).unwrap_or_default();
    let line = written.lines().next().unwrap_or_default();
    span.bytes.start..span.bytes.start + line.len()
}
