//! One YAML document -> a rule.

use uuid::Uuid;

use super::detection;
use super::metadata;
use super::report::Report;
use super::yaml::{Content, Entry, Node};
use super::{Level, Rule, Status};
use crate::diagnostic::{Code, Diagnostic, Span};

/// The keys that the language knows, and ours.
const KEYS: [&str; 22] = [
    "title",
    "id",
    "name",
    "related",
    "taxonomy",
    "status",
    "description",
    "license",
    "author",
    "references",
    "date",
    "modified",
    "logsource",
    "detection",
    "fields",
    "falsepositives",
    "level",
    "tags",
    "scope",
    "alert",
    "tests",
    "rsigma.exemplars",
];

/// Rules without an id get one derived from their name in this namespace, which must never change.
const NAMELESS: Uuid = Uuid::from_u128(0x8f3c_6d1e_52a7_4b09_9e64_1c0b_7a2d_f5e8);

/// The file in which a document stands.
pub(super) struct File<'s> {
    /// Its name without directories and extension.
    pub(super) stem: &'s str,
    /// The document is the only one in it.
    pub(super) alone: bool,
}

/// A rule with the places of what must be unique.
pub(super) struct Identified {
    pub(super) rule: Rule,
    pub(super) id: Span,
    pub(super) name: Span,
}

/// Reads one document; `None` if it is not to be loaded, and the report says why.
pub(super) fn read(report: &mut Report<'_>, root: &Node<'_>, file: &File<'_>) -> Option<Identified> {
    let Content::Map(entries) = &root.content else {
        let message = "a rule is a map of `title`, `logsource`, `detection` and more";
        report.push(Diagnostic::error(Code::NotARule, &start(root), message));
        return None;
    };
    if let Some(refusal) = unsupported(entries).or_else(|| retired(entries)).or_else(|| stranger(root, entries)) {
        report.push(refusal);
        return None;
    }
    let before = report.errors();
    let rule = Fields { report, entries, root, file }.rule();
    rule.filter(|_| report.errors() == before)
}

/// The place of a node that may be large: its first line.
fn start(node: &Node<'_>) -> Span {
    let bytes = node.span.bytes.clone();
    Span { source: node.span.source, bytes: bytes.start..bytes.start }
}

/// Correlations, filters and collections, which are documents of other kinds.
fn unsupported(entries: &[Entry<'_>]) -> Option<Diagnostic> {
    let kinds = [("correlation", "correlation rules"), ("filter", "filters"), ("action", "rule collections")];
    let found = entries.iter().find_map(|entry| {
        let (_, kind) = kinds.iter().find(|(key, _)| entry.key.text == *key)?;
        Some((entry, kind))
    });
    let (entry, kind) = found?;
    Some(Diagnostic::error(Code::NotSupportedYet, &entry.key.span, format!("{kind} are not supported yet")))
}

fn retired(entries: &[Entry<'_>]) -> Option<Diagnostic> {
    let status = entries.iter().find(|entry| entry.key.text == "status")?;
    let Content::Scalar(scalar) = &status.value.content else { return None };
    matches!(scalar.text.as_ref(), "deprecated" | "unsupported").then(|| {
        let message = format!("this rule is {} and does not load", scalar.text);
        Diagnostic::warning(Code::RetiredRule, &scalar.span, message)
    })
}

/// A document with nothing of a rule in it: one word about that says more than a list of what is missing.
fn stranger(root: &Node<'_>, entries: &[Entry<'_>]) -> Option<Diagnostic> {
    let telling = ["title", "logsource", "detection"];
    let known = entries.iter().any(|entry| telling.contains(&entry.key.text.as_ref()));
    let message = "this document has no `title`, `logsource` or `detection`";
    (!known).then(|| Diagnostic::error(Code::NotARule, &start(root), message))
}

/// The entries of a rule, and where they stand.
struct Fields<'r, 't, 's, 'n> {
    report: &'r mut Report<'t>,
    entries: &'n [Entry<'s>],
    root: &'n Node<'s>,
    file: &'n File<'n>,
}

impl<'t, 's, 'n> Fields<'_, 't, 's, 'n> {
    fn rule(mut self) -> Option<Identified> {
        self.check_the_rest();
        let title = self.needed("title", metadata::title);
        let name = self.name(title.as_ref().map(|(title, _)| title.as_str()));
        let id = self.id(name.as_ref().map(|(name, _)| name.as_str()));
        let status = self.optional("status", metadata::status);
        let level = self.level();
        let description = self.text("description");
        let author = self.text("author");
        let date = self.optional("date", metadata::date);
        let modified = self.optional("modified", metadata::date);
        let references = self.optional("references", metadata::strings);
        let falsepositives = self.optional("falsepositives", metadata::strings);
        let tags = self.optional("tags", metadata::tags);
        let alert = self.optional("alert", metadata::alert);
        let detection = self.detection();
        let ((title, span), (name, name_span), (id, id_span)) = (title?, name?, id?);
        let rule = Rule {
            id,
            name,
            title,
            description,
            status: status.unwrap_or(Status::Stable),
            level: level?,
            references: references.unwrap_or_default(),
            falsepositives: falsepositives.unwrap_or_default(),
            tags: tags.unwrap_or_default(),
            author,
            date,
            modified,
            alert: alert.unwrap_or_default(),
            detection: detection?,
            span,
        };
        Some(Identified { rule, id: id_span, name: name_span })
    }

    fn get(&self, key: &str) -> Option<&'n Entry<'s>> {
        self.entries.iter().find(|entry| entry.key.text == key)
    }

    fn optional<T>(&mut self, key: &str, read: fn(&mut Report<'t>, &Entry<'s>) -> Option<T>) -> Option<T> {
        read(self.report, self.get(key)?)
    }

    /// A key without which a rule does not load, with the place of its value.
    fn needed<T>(&mut self, key: &str, read: fn(&mut Report<'t>, &Entry<'s>) -> Option<T>) -> Option<(T, Span)> {
        let Some(entry) = self.get(key) else {
            let message = format!("this rule has no `{key}`");
            self.report.push(Diagnostic::error(Code::MissingKey, &start(self.root), message));
            return None;
        };
        Some((read(self.report, entry)?, entry.value.span.clone()))
    }

    fn text(&mut self, key: &str) -> Option<String> {
        metadata::text(self.report, self.get(key)?).map(|scalar| scalar.text.to_string())
    }

    /// The name, or the file's if it has none: Sigma does not ask for one.
    fn name(&mut self, title: Option<&str>) -> Option<(String, Span)> {
        if let Some(entry) = self.get("name") {
            let name = metadata::name(self.report, entry)?;
            self.check_file_name(&name, &entry.value.span);
            return Some((name, entry.value.span.clone()));
        }
        let stem = self.file.alone.then_some(self.file.stem);
        let fallback = stem.and_then(metadata::slug).or_else(|| metadata::slug(title?));
        let span = start(self.root);
        let Some(name) = fallback else {
            let message = "this rule has no `name`";
            self.report.push(Diagnostic::error(Code::MissingKey, &span, message));
            return None;
        };
        let message = format!("this rule has no `name` and goes by `{name}`");
        let help = format!("add `name: {name}`");
        self.report.push(Diagnostic::warning(Code::MissingKey, &span, message).help(help));
        Some((name, span))
    }

    fn check_file_name(&mut self, name: &str, span: &Span) {
        let stem = self.file.stem;
        if self.file.alone && stem != name {
            let message = format!("the rule `{name}` stands in a file named `{stem}`");
            let help = format!("rename the file to `{name}.yml`");
            self.report.push(Diagnostic::warning(Code::FileName, span, message).help(help));
        }
    }

    /// The id, or one derived from the name: Sigma does not ask for one, alerts need it.
    fn id(&mut self, name: Option<&str>) -> Option<(Uuid, Span)> {
        if let Some(entry) = self.get("id") {
            let id = metadata::id(self.report, entry)?;
            return Some((id, entry.value.span.clone()));
        }
        let id = Uuid::new_v5(&NAMELESS, name?.as_bytes());
        let span = start(self.root);
        let message = format!("this rule has no `id` and goes by `{id}`, which changes with its name");
        let help = format!("add `id: {id}`");
        self.report.push(Diagnostic::warning(Code::MissingKey, &span, message).help(help));
        Some((id, span))
    }

    fn level(&mut self) -> Option<Level> {
        if let Some(entry) = self.get("level") {
            return metadata::level(self.report, entry);
        }
        let message = "this rule has no `level` and counts as `medium`";
        self.report.push(Diagnostic::warning(Code::MissingKey, &start(self.root), message).help("add `level: medium`"));
        Some(Level::Medium)
    }

    fn detection(&mut self) -> Option<super::Detection> {
        self.needed("logsource", |report, entry| {
            metadata::logsource(report, entry);
            Some(())
        });
        let read = |report: &mut Report<'t>, entry: &Entry<'s>| detection::read(report, &entry.key.span, &entry.value);
        self.needed("detection", read).map(|(detection, _)| detection)
    }

    /// Checks the keys that nothing here uses.
    fn check_the_rest(&mut self) {
        for entry in self.entries {
            match entry.key.text.as_ref() {
                "related" => metadata::related(self.report, entry),
                "taxonomy" | "license" => drop(metadata::text(self.report, entry)),
                "fields" | "scope" => drop(metadata::texts(self.report, entry)),
                key if KEYS.contains(&key) => {}
                _ => metadata::custom(self.report, &entry.key, &KEYS),
            }
        }
    }
}
