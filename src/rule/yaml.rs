//! YAML 1.2 -> nodes that know their place in the file.
//!
//! The events come from `saphyr-parser`; this module adds what a rule file needs: byte spans, duplicate keys as
//! errors, bounded aliases and depth, and reading on at the next `---` after a document that is broken.

use std::borrow::Cow;

use hashbrown::HashMap;
use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, StrInput, Tag};

pub(super) use node::{Content, Entry, Node, Scalar, Style};

use super::report::Report;
use super::scalar::{self, Value};
use crate::diagnostic::{Code, Diagnostic, Span};

mod node;

/// How deep collections may be nested. Rules need five levels.
const MAX_DEPTH: usize = 64;

/// How much aliases may add to one document, in scalars and their bytes: a chain of aliases doubles with each link.
const MAX_EXPANSION: usize = 1 << 20;

/// How many documents of one file may be broken before the rest of it is given up.
const MAX_BROKEN: usize = 100;

/// The documents of one file.
pub(super) struct Documents<'s> {
    /// Those that could be read to their end, in order.
    pub(super) complete: Vec<Document<'s>>,
    /// How many could not.
    pub(super) broken: usize,
}

/// A document that could be read to its end.
pub(super) struct Document<'s> {
    pub(super) root: Node<'s>,
    /// Nothing in it was refused, such as a key that appears twice.
    pub(super) sound: bool,
}

/// Reads every document of the file; what is wrong goes into `report`.
pub(super) fn documents<'s>(report: &mut Report<'s>) -> Documents<'s> {
    let text = report.text();
    let offsets = Offsets::new(text);
    let mut documents = Documents { complete: Vec::new(), broken: 0 };
    let mut start = Some(0);
    while let Some(from) = start {
        let parser = Parser::new_from_str(text.get(from..).unwrap_or_default());
        let first = offsets.character(from);
        let mut loader =
            Loader { parser, first, offsets: &offsets, report, anchors: HashMap::new(), expansion: 0, document: from };
        start = None;
        if let Err(Broken) = loader.stream(&mut documents.complete) {
            let at = loader.document.max(from);
            documents.broken += 1;
            start = next_document(text, at);
        }
        if let Some(at) = start.filter(|_| documents.broken == MAX_BROKEN) {
            let message = format!("after {MAX_BROKEN} broken documents, the rest of this file is not read");
            report.push(Diagnostic::error(Code::MoreProblems, &report.span(at..at), message));
            start = None;
        }
    }
    documents
}

/// Where the next document marker after `from` stands. Nothing but a document starts with one, wherever it is.
fn next_document(text: &str, from: usize) -> Option<usize> {
    let mut at = from;
    loop {
        at += text.get(at..)?.find("\n---")? + 1;
        if text.as_bytes().get(at + 3).is_none_or(u8::is_ascii_whitespace) {
            return Some(at);
        }
    }
}

/// The document cannot be read on; the report says why.
struct Broken;

/// The parser counts characters, everybody else bytes.
struct Offsets {
    /// Where each character starts, and the end; `None` for ASCII, where they are the same.
    bytes: Option<Vec<usize>>,
    end: usize,
}

impl Offsets {
    fn new(text: &str) -> Self {
        let bytes = (!text.is_ascii()).then(|| text.char_indices().map(|(at, _)| at).collect());
        Self { bytes, end: text.len() }
    }

    fn byte(&self, character: usize) -> usize {
        match &self.bytes {
            Some(bytes) => bytes.get(character).copied().unwrap_or(self.end),
            None => character.min(self.end),
        }
    }

    fn character(&self, byte: usize) -> usize {
        self.bytes.as_ref().map_or(byte, |bytes| bytes.partition_point(|at| *at < byte))
    }
}

/// Builds nodes from the parser's events.
struct Loader<'r, 's> {
    parser: Parser<'s, StrInput<'s>>,
    /// The character at which this parser started.
    first: usize,
    offsets: &'r Offsets,
    report: &'r mut Report<'s>,
    /// The anchored nodes of this document that are complete.
    anchors: HashMap<usize, Node<'s>>,
    expansion: usize,
    /// The byte at which this document starts, or at which the last one ended.
    document: usize,
}

impl<'s> Loader<'_, 's> {
    /// Reads to the end of the file, or of what can be read.
    fn stream(&mut self, complete: &mut Vec<Document<'s>>) -> Result<(), Broken> {
        loop {
            match self.next()? {
                (Event::StreamEnd, _) => return Ok(()),
                (Event::DocumentStart(_), span) => {
                    self.anchors.clear();
                    self.expansion = 0;
                    self.document = span.bytes.start;
                    let before = self.report.errors();
                    let (event, span) = self.next()?;
                    let root = self.node(event, span, 0)?;
                    complete.push(Document { root, sound: self.report.errors() == before });
                }
                (Event::DocumentEnd, span) => self.document = span.bytes.start,
                _ => {}
            }
        }
    }

    fn next(&mut self) -> Result<(Event<'s>, Span), Broken> {
        match self.parser.next_event() {
            Some(Ok((event, span))) => Ok((event, self.place(span))),
            Some(Err(error)) => Err(self.syntax(&error)),
            None => Ok((Event::StreamEnd, self.report.span(self.offsets.end..self.offsets.end))),
        }
    }

    fn place(&self, span: saphyr_parser::Span) -> Span {
        let start = self.offsets.byte(self.first + span.start.index());
        let end = self.offsets.byte(self.first + span.end.index());
        self.report.span(start..end.max(start))
    }

    fn syntax(&mut self, error: &ScanError) -> Broken {
        let character = self.first + error.marker().index();
        let at = self.offsets.byte(character);
        let span = self.report.span(at..self.offsets.byte(character + 1));
        let diagnostic = if error.info().contains("unknown anchor") {
            Diagnostic::error(Code::YamlAlias, &span, "this alias has no anchor")
                .help("a value that starts with `*` needs quotes")
        } else {
            Diagnostic::error(Code::YamlSyntax, &span, format!("this is not YAML: {}", error.info()))
        };
        self.report.push(diagnostic);
        Broken
    }

    fn node(&mut self, event: Event<'s>, span: Span, depth: usize) -> Result<Node<'s>, Broken> {
        if depth > MAX_DEPTH {
            let message = format!("the document is nested more than {MAX_DEPTH} levels deep");
            return Err(self.broken(Code::YamlTooDeep, &span, message));
        }
        let (anchor, node) = match event {
            Event::Scalar(text, style, anchor, tag) => (anchor, self.scalar(text, style, tag.as_deref(), span)),
            Event::SequenceStart(anchor, tag) => {
                self.collection_tag(tag.as_deref(), "seq", &span);
                (anchor, self.list(&span, depth)?)
            }
            Event::MappingStart(anchor, tag) => {
                self.collection_tag(tag.as_deref(), "map", &span);
                (anchor, self.map(&span, depth)?)
            }
            Event::Alias(anchor) => return self.alias(anchor, &span),
            _ => return Err(self.broken(Code::YamlSyntax, &span, "this is not YAML: a value is missing")),
        };
        if anchor > 0 {
            self.anchors.insert(anchor, node.clone());
        }
        Ok(node)
    }

    fn broken(&mut self, code: Code, span: &Span, message: impl Into<String>) -> Broken {
        self.report.push(Diagnostic::error(code, span, message));
        Broken
    }

    fn scalar(&mut self, text: Cow<'s, str>, style: ScalarStyle, tag: Option<&Tag>, mut span: Span) -> Node<'s> {
        let written = self.report.text().get(span.bytes.clone()).unwrap_or_default();
        span.bytes.end = span.bytes.start + written.trim_end().len();
        let style = match style {
            ScalarStyle::Plain => Style::Plain,
            ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted => Style::Quoted,
            ScalarStyle::Literal | ScalarStyle::Folded => Style::Block,
        };
        let resolved = self.scalar_tag(tag, &text, &span).unwrap_or(style == Style::Plain);
        let weight = 1 + text.len();
        let content = Content::Scalar(Scalar { text, style, resolved, span: span.clone() });
        Node { span, content, weight }
    }

    /// Whether a tag says that the core schema decides, or that it does not.
    fn scalar_tag(&mut self, tag: Option<&Tag>, text: &str, span: &Span) -> Option<bool> {
        let tag = tag?;
        let fits = match (tag.is_yaml_core_schema(), tag.suffix.as_str()) {
            (true, "str") => return Some(false),
            (true, "null") => matches!(scalar::resolve(text), Value::Null),
            (true, "bool") => matches!(scalar::resolve(text), Value::Bool(_)),
            (true, "int" | "float") => matches!(scalar::resolve(text), Value::Number(_)),
            _ => {
                self.foreign_tag(tag, span);
                return None;
            }
        };
        if !fits {
            let message = format!("`{text}` is no `!!{}`", tag.suffix);
            self.report.push(Diagnostic::error(Code::YamlTag, span, message));
        }
        Some(true)
    }

    fn collection_tag(&mut self, tag: Option<&Tag>, expected: &str, span: &Span) {
        if let Some(tag) = tag.filter(|tag| !tag.is_yaml_core_schema() || tag.suffix != expected) {
            self.foreign_tag(tag, span);
        }
    }

    fn foreign_tag(&mut self, tag: &Tag, span: &Span) {
        let name = if tag.is_yaml_core_schema() { format!("!!{}", tag.suffix) } else { tag.to_string() };
        let message = format!("the tag `{name}` has no meaning here");
        self.report.push(
            Diagnostic::error(Code::YamlTag, span, message)
                .help("`!!str` makes text of a value, and so do quotes; other tags are not needed"),
        );
    }

    fn list(&mut self, start: &Span, depth: usize) -> Result<Node<'s>, Broken> {
        let mut members = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd, end) => {
                    let span = self.collection_span(start, &end, "]", members.last());
                    let weight = members.iter().map(|member: &Node<'_>| member.weight).fold(1, usize::saturating_add);
                    return Ok(Node { span, content: Content::List(members.into()), weight });
                }
                (event, span) => members.push(self.node(event, span, depth + 1)?),
            }
        }
    }

    fn map(&mut self, start: &Span, depth: usize) -> Result<Node<'s>, Broken> {
        let mut entries = Entries::default();
        loop {
            let (event, span) = match self.next()? {
                (Event::MappingEnd, end) => {
                    let last = entries.list.last().map(|entry| &entry.value);
                    let span = self.collection_span(start, &end, "}", last);
                    return Ok(Node { span, weight: entries.weight, content: Content::Map(entries.list.into()) });
                }
                other => other,
            };
            let key = self.node(event, span, depth + 1)?;
            let (event, span) = self.next()?;
            let value = self.node(event, span, depth + 1)?;
            self.entry(key, value, &mut entries);
        }
    }

    fn entry(&mut self, key: Node<'s>, mut value: Node<'s>, entries: &mut Entries<'s>) {
        let Content::Scalar(scalar) = key.content else {
            let message = "a key must be text";
            self.report.push(Diagnostic::error(Code::WrongType, &key.span, message).label("a collection"));
            return;
        };
        if scalar.style == Style::Plain && scalar.text == "<<" {
            let message = "merge keys are not part of YAML 1.2";
            self.report.push(Diagnostic::error(Code::YamlMergeKey, &scalar.span, message));
            return;
        }
        // A value that is not there has no place of its own.
        if let Content::Scalar(missing) = &mut value.content
            && missing.style == Style::Plain
            && missing.text.is_empty()
        {
            missing.span = scalar.span.clone();
            value.span = scalar.span.clone();
        }
        if let Some(first) = entries.place(&scalar.text) {
            let message = format!("the key `{}` appears twice", scalar.text);
            self.report.push(
                Diagnostic::error(Code::DuplicateKey, &scalar.span, message)
                    .label("again here")
                    .related(first, "first here"),
            );
            return;
        }
        entries.weight = entries.weight.saturating_add(key.weight).saturating_add(value.weight);
        entries.push(Entry { key: scalar, value });
    }

    /// Flow collections end with their bracket, the others with their last member.
    fn collection_span(&self, start: &Span, end: &Span, bracket: &str, last: Option<&Node<'_>>) -> Span {
        let bracketed = self.report.text().get(end.bytes.clone()) == Some(bracket);
        let end = if bracketed { end.bytes.end } else { last.map_or(start.bytes.end, |node| node.span.bytes.end) };
        self.report.span(start.bytes.start..end.max(start.bytes.start))
    }

    fn alias(&mut self, anchor: usize, span: &Span) -> Result<Node<'s>, Broken> {
        let Some(node) = self.anchors.get(&anchor).cloned() else {
            let message = "this alias stands inside its own anchor, or its anchor is in another document";
            return Err(self.broken(Code::YamlAlias, span, message));
        };
        self.expansion = self.expansion.saturating_add(node.weight);
        if self.expansion > MAX_EXPANSION {
            let message = "the aliases of this document expand to more than a rule may hold";
            return Err(self.broken(Code::YamlAlias, span, message));
        }
        Ok(node)
    }
}

/// The entries of a map in the making.
#[derive(Default)]
struct Entries<'s> {
    list: Vec<Entry<'s>>,
    /// Where the keys are in the list, once there are many.
    indices: HashMap<Cow<'s, str>, usize>,
    weight: usize,
}

/// How many keys are found faster by looking at each.
const FEW: usize = 16;

impl<'s> Entries<'s> {
    /// Where this key stands already.
    fn place(&self, key: &str) -> Option<&Span> {
        let entry = if self.list.len() <= FEW {
            self.list.iter().find(|entry| entry.key.text == key)
        } else {
            self.list.get(*self.indices.get(key)?)
        };
        entry.map(|entry| &entry.key.span)
    }

    fn push(&mut self, entry: Entry<'s>) {
        self.list.push(entry);
        if self.list.len() > FEW {
            let known = self.indices.len();
            let new = self.list.iter().enumerate().skip(known);
            self.indices.extend(new.map(|(index, entry)| (entry.key.text.clone(), index)));
        }
    }
}
