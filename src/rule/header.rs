//! What rules, correlation rules and filters have in common: who they are, and what people read.

use jiff::civil::Date;
use uuid::Uuid;

use super::alerting;
use super::document::{File, Kind, start};
use super::metadata;
use super::report::Report;
use super::scalar::{self, Value};
use super::spans;
use super::yaml::{Entry, Node};
use super::{AlertOptions, Level, Related, RuleSpans, RuleTest, Status};
use crate::diagnostic::{Code, Diagnostic, Span};

/// The keys that every kind of document has.
const COMMON: [&str; 13] = [
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
    "tags",
];

/// The keys that only some kinds have, and which.
const SPECIAL: [(&str, &[Kind]); 13] = [
    ("logsource", &[Kind::Rule, Kind::Filter]),
    ("detection", &[Kind::Rule]),
    ("correlation", &[Kind::Correlation]),
    ("filter", &[Kind::Filter]),
    ("generate", &[Kind::Correlation]),
    ("fields", &[Kind::Rule, Kind::Correlation]),
    ("falsepositives", &[Kind::Rule, Kind::Correlation]),
    ("level", &[Kind::Rule, Kind::Correlation]),
    ("scope", &[Kind::Rule, Kind::Correlation]),
    ("alert", &[Kind::Rule, Kind::Correlation]),
    ("tests", &[Kind::Rule, Kind::Correlation]),
    ("rsigma.exemplars", &[Kind::Rule, Kind::Correlation]),
    ("custom_attributes", &[Kind::Rule, Kind::Correlation]),
];

/// Documents without an id get one derived from their name in this namespace, which must never change.
const NAMELESS: Uuid = Uuid::from_u128(0x8f3c_6d1e_52a7_4b09_9e64_1c0b_7a2d_f5e8);

/// What stands in a document beside what it looks for: who it is, and what people read.
#[derive(Debug, Clone)]
pub struct Header {
    /// Globally unique, among rules and correlations; alerts carry it as the analytic's uid.
    pub id: Uuid,
    /// Unique slug, among rules and correlations; the file is named after it.
    pub name: String,
    /// What happened, in the words of the one who gets the alert.
    pub title: String,
    /// What it means, and what an attacker gains.
    pub description: Option<String>,
    /// Maturity.
    pub status: Status,
    /// How bad a match is.
    pub level: Level,
    /// URLs.
    pub references: Vec<String>,
    /// Benign causes, as the rule's author knows them.
    pub falsepositives: Vec<String>,
    /// `namespace.name`, as written: `attack.t1528`.
    pub tags: Vec<String>,
    /// Who wrote it.
    pub author: Option<String>,
    /// First published.
    pub date: Option<Date>,
    /// Last changed.
    pub modified: Option<Date>,
    /// Other rules that this one has to do with.
    pub related: Vec<Related>,
    /// Our `alert:` block.
    pub alert: AlertOptions,
    /// The tests that it brings along.
    pub tests: Vec<RuleTest>,
    /// Where the document stands: the span of its title.
    pub span: Span,
    /// Where parts of it stand.
    pub spans: RuleSpans,
}

/// Reads the header of a document, but for the tests; `None` if something is wrong with it.
pub(super) fn read(
    report: &mut Report<'_>,
    root: &Node<'_>,
    entries: &[Entry<'_>],
    file: &File<'_>,
    kind: Kind,
) -> Option<Header> {
    Fields { report, entries, root, file, kind }.header()
}

/// The entries of a document, and where they stand.
struct Fields<'r, 't, 's, 'n> {
    report: &'r mut Report<'t>,
    entries: &'n [Entry<'s>],
    root: &'n Node<'s>,
    file: &'n File<'n>,
    kind: Kind,
}

impl<'t, 's, 'n> Fields<'_, 't, 's, 'n> {
    fn header(mut self) -> Option<Header> {
        self.check_the_rest();
        let title = self.title();
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
        let related = self.optional("related", metadata::related);
        let alert = self.get("alert").and_then(|entry| alerting::read(self.report, entry, self.kind));
        let ((title, span), (name, name_span), (id, id_span)) = (title?, name?, id?);
        Some(Header {
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
            related: related.unwrap_or_default(),
            alert: alert.unwrap_or_default(),
            tests: Vec::new(),
            span,
            spans: spans::read(self.report, self.entries, id_span, name_span),
        })
    }

    fn get(&self, key: &str) -> Option<&'n Entry<'s>> {
        self.entries.iter().find(|entry| entry.key.text == key)
    }

    fn optional<T>(&mut self, key: &str, read: fn(&mut Report<'t>, &Entry<'s>) -> Option<T>) -> Option<T> {
        read(self.report, self.get(key)?)
    }

    fn title(&mut self) -> Option<(String, Span)> {
        let Some(entry) = self.get("title") else {
            let message = format!("this {} has no `title`", self.kind);
            self.report.push(Diagnostic::error(Code::MissingKey, &start(self.root), message));
            return None;
        };
        Some((metadata::title(self.report, entry)?, entry.value.span.clone()))
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
            let message = format!("this {} has no `name`", self.kind);
            self.report.push(Diagnostic::error(Code::MissingKey, &span, message));
            return None;
        };
        let message = format!("this {} has no `name` and goes by `{name}`", self.kind);
        let quote = if scalar::resolve(&name) == Value::Text { "" } else { "'" };
        self.recommend(message, &format!("name: {quote}{name}{quote}"), self.after("title"));
        Some((name, span))
    }

    /// Warns of a key that a rule should have. Alerts carry nothing of a filter, and nobody refers to one.
    /// What is read without it, `line` says as well; it may be put in before the entry `next`.
    fn recommend(&mut self, message: String, line: &str, next: Option<&Entry<'_>>) {
        if self.kind == Kind::Filter {
            return;
        }
        let diagnostic =
            Diagnostic::warning(Code::MissingKey, &start(self.root), message).help(format!("add `{line}`"));
        let place = next.and_then(|next| Some((self.indentation(next)?, next.key.span.bytes.start)));
        self.report.push(match place {
            Some((indentation, at)) => diagnostic.fix(&self.report.span(at..at), format!("{line}\n{indentation}")),
            None => diagnostic,
        });
    }

    fn check_file_name(&mut self, name: &str, span: &Span) {
        let stem = self.file.stem;
        if self.file.alone && stem != name {
            let message = format!("the {} `{name}` stands in a file named `{stem}`", self.kind);
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
        let message = format!("this {} has no `id` and goes by `{id}`, which changes with its name", self.kind);
        self.recommend(message, &format!("id: {id}"), self.after("title"));
        Some((id, span))
    }

    /// The entry that follows this one.
    fn after(&self, key: &str) -> Option<&'n Entry<'s>> {
        let at = self.entries.iter().position(|entry| entry.key.text == key)?;
        self.entries.get(at + 1)
    }

    /// What stands before the entry on its line, if another line may be put in above.
    fn indentation(&self, entry: &Entry<'_>) -> Option<&'t str> {
        let line = self.report.text().get(..entry.key.span.bytes.start)?.rsplit('\n').next()?;
        let is_block = self.report.text().get(self.root.span.bytes.start..)?.starts_with(|first| first != '{');
        (is_block && line.chars().all(|character| character == ' ')).then_some(line)
    }

    fn level(&mut self) -> Option<Level> {
        if let Some(entry) = self.get("level") {
            return metadata::level(self.report, entry);
        }
        let message = format!("this {} has no `level` and counts as `medium`", self.kind);
        self.recommend(message, "level: medium", self.get("tags").or(self.entries.last()));
        Some(Level::Medium)
    }

    /// Checks the keys that nothing else looks at.
    fn check_the_rest(&mut self) {
        for entry in self.entries {
            let key = entry.key.text.as_ref();
            let special = SPECIAL.iter().find(|(name, _)| *name == key);
            match key {
                _ if special.is_some_and(|(_, kinds)| !kinds.contains(&self.kind)) => {
                    let message = format!("a {} has no `{key}`", self.kind);
                    self.report.push(Diagnostic::error(Code::UnknownKey, &entry.key.span, message));
                }
                "taxonomy" | "license" => drop(metadata::text(self.report, entry)),
                "fields" | "scope" => drop(metadata::texts(self.report, entry)),
                _ if special.is_some() || COMMON.contains(&key) => {}
                _ => metadata::custom(self.report, &entry.key, &self.keys()),
            }
        }
    }

    /// The keys that this kind of document has.
    fn keys(&self) -> Vec<&'static str> {
        let special = SPECIAL.iter().filter(|(_, kinds)| kinds.contains(&self.kind));
        COMMON.into_iter().chain(special.map(|(key, _)| *key)).collect()
    }
}
