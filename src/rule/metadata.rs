//! The keys of a rule beside its detection: typed, each with its own checks.

use jiff::civil::Date;
use uuid::Uuid;

use super::report::Report;
use super::scalar::Value;
use super::suggest::{advice, nearest};
use super::yaml::{Content, Entry, Node, Scalar};
use super::{Level, Related, Relation, Status};
use crate::diagnostic::{Code, Diagnostic};

/// The longest title, in characters; Sigma's limit.
const MAX_TITLE: usize = 256;

pub(super) const LEVELS: [(&str, Level); 5] = [
    ("informational", Level::Informational),
    ("low", Level::Low),
    ("medium", Level::Medium),
    ("high", Level::High),
    ("critical", Level::Critical),
];

const STATUSES: [(&str, Status); 5] = [
    ("stable", Status::Stable),
    ("test", Status::Test),
    ("experimental", Status::Experimental),
    ("deprecated", Status::Deprecated),
    ("unsupported", Status::Unsupported),
];

const RELATIONS: [(&str, Relation); 5] = [
    ("derived", Relation::Derived),
    ("obsolete", Relation::Obsolete),
    ("merged", Relation::Merged),
    ("renamed", Relation::Renamed),
    ("similar", Relation::Similar),
];

/// A text; everything else is refused.
pub(super) fn text<'n, 's>(report: &mut Report<'_>, entry: &'n Entry<'s>) -> Option<&'n Scalar<'s>> {
    text_node(report, &entry.key.text, &entry.value)
}

pub(super) fn text_node<'n, 's>(report: &mut Report<'_>, key: &str, node: &'n Node<'s>) -> Option<&'n Scalar<'s>> {
    let found = match &node.content {
        Content::Scalar(scalar) => match scalar.value() {
            Value::Text => return Some(scalar),
            Value::Null => "empty",
            Value::Bool(_) => "a boolean",
            Value::Number(_) | Value::Inexact => "a number",
        },
        Content::List(_) => "a list",
        Content::Map(_) => "a map",
    };
    let mut diagnostic = Diagnostic::error(Code::WrongType, &node.span, format!("`{key}` needs text")).label(found);
    if matches!(found, "a boolean" | "a number") {
        diagnostic = diagnostic.help("put it into quotes");
    }
    report.push(diagnostic);
    None
}

/// A list of texts.
pub(super) fn texts<'n, 's>(report: &mut Report<'_>, entry: &'n Entry<'s>) -> Option<Vec<&'n Scalar<'s>>> {
    let key = &entry.key.text;
    let Content::List(members) = &entry.value.content else {
        let message = format!("`{key}` needs a list");
        report.push(
            Diagnostic::error(Code::WrongType, &entry.value.span, message)
                .help("start each member with `- `, on a line of its own"),
        );
        return None;
    };
    let read: Vec<_> = members.iter().map(|member| text_node(report, key, member)).collect();
    read.into_iter().collect()
}

/// The same, when only the words matter.
pub(super) fn strings(report: &mut Report<'_>, entry: &Entry<'_>) -> Option<Vec<String>> {
    Some(texts(report, entry)?.into_iter().map(|scalar| scalar.text.to_string()).collect())
}

/// The name of a field.
pub(super) fn field(report: &mut Report<'_>, entry: &Entry<'_>) -> Option<String> {
    let field = text(report, entry)?;
    if field.text.is_empty() {
        let message = format!("`{}` needs the name of a field", entry.key.text);
        report.push(Diagnostic::error(Code::WrongType, &field.span, message));
        return None;
    }
    Some(field.text.to_string())
}

/// A list of one or more fields.
pub(super) fn fields(report: &mut Report<'_>, entry: &Entry<'_>) -> Option<Vec<String>> {
    let fields = texts(report, entry)?;
    let empty = fields.iter().find(|field| field.text.is_empty()).map(|field| &field.span);
    if let Some(span) = empty.or(fields.is_empty().then_some(&entry.value.span)) {
        let message = format!("`{}` needs the names of fields", entry.key.text);
        report.push(Diagnostic::error(Code::WrongType, span, message));
        return None;
    }
    Some(fields.into_iter().map(|field| field.text.to_string()).collect())
}

pub(super) fn title(report: &mut Report<'_>, entry: &Entry<'_>) -> Option<String> {
    let scalar = text(report, entry)?;
    let length = scalar.text.chars().count();
    let message = match length {
        0 => "the title is empty".to_owned(),
        _ if scalar.text.contains(char::is_control) => "the title is not one line of text".to_owned(),
        1..=MAX_TITLE => return Some(scalar.text.to_string()),
        _ => format!("the title has {length} characters, and may have {MAX_TITLE}"),
    };
    report.push(Diagnostic::error(Code::InvalidTitle, &scalar.span, message));
    None
}

pub(super) fn id(report: &mut Report<'_>, entry: &Entry<'_>) -> Option<Uuid> {
    let scalar = text(report, entry)?;
    // `Uuid` also reads forms that other Sigma tools do not: braces, URNs, no hyphens.
    let parsed = if scalar.text.len() == 36 { Uuid::try_parse(&scalar.text).ok() } else { None };
    if parsed.is_none() {
        let message = format!("`{}` is no UUID", scalar.text);
        report.push(Diagnostic::error(Code::InvalidId, &scalar.span, message));
    }
    parsed
}

pub(super) fn name(report: &mut Report<'_>, entry: &Entry<'_>) -> Option<String> {
    slug_text(report, entry, "a rule")
}

/// The name of `what`.
pub(super) fn slug_text(report: &mut Report<'_>, entry: &Entry<'_>, what: &str) -> Option<String> {
    let scalar = text(report, entry)?;
    if is_slug(&scalar.text) {
        return Some(scalar.text.to_string());
    }
    let message = format!("`{}` cannot be the name of {what}", scalar.text);
    let mut diagnostic = Diagnostic::error(Code::InvalidName, &scalar.span, message);
    if let Some(slug) = slug(&scalar.text) {
        diagnostic = diagnostic.help(format!("names consist of lower-case letters, digits and `_`: `{slug}`"));
    }
    report.push(diagnostic);
    None
}

fn is_slug(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

/// The slug nearest to `text`, if any letter of it can be in one.
pub(super) fn slug(text: &str) -> Option<String> {
    let words = text.split(|character: char| !character.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let slug = words.map(str::to_ascii_lowercase).collect::<Vec<_>>().join("_");
    is_slug(&slug).then_some(slug)
}

pub(super) fn date(report: &mut Report<'_>, entry: &Entry<'_>) -> Option<Date> {
    let scalar = text(report, entry)?;
    // `Date` also reads forms that Sigma does not have, and those with a time.
    let parsed = if scalar.text.len() == 10 { scalar.text.parse::<Date>().ok() } else { None };
    if parsed.is_none() {
        let message = format!("`{}` is no date of the form YYYY-MM-DD", scalar.text);
        let turned = scalar.text.replace(['/', '.'], "-");
        let mut diagnostic = Diagnostic::error(Code::InvalidDate, &scalar.span, message);
        if turned != scalar.text && turned.parse::<Date>().is_ok() {
            diagnostic = diagnostic.help(format!("write `{turned}`")).fix(&scalar.span, turned);
        }
        report.push(diagnostic);
    }
    parsed
}

pub(super) fn level(report: &mut Report<'_>, entry: &Entry<'_>) -> Option<Level> {
    one_of(report, entry, &LEVELS)
}

pub(super) fn status(report: &mut Report<'_>, entry: &Entry<'_>) -> Option<Status> {
    one_of(report, entry, &STATUSES)
}

fn one_of<T: Copy>(report: &mut Report<'_>, entry: &Entry<'_>, values: &[(&'static str, T)]) -> Option<T> {
    named(report, entry, &entry.key.text, values)
}

/// One of the values that have names; together they are `what`.
pub(super) fn named<T: Copy>(
    report: &mut Report<'_>,
    entry: &Entry<'_>,
    what: &str,
    values: &[(&'static str, T)],
) -> Option<T> {
    let scalar = text(report, entry)?;
    let value = values.iter().find(|(name, _)| *name == scalar.text);
    if value.is_none() {
        let names: Vec<_> = values.iter().map(|(name, _)| *name).collect();
        let message = format!("`{}` is no {what}", scalar.text);
        report.push(Diagnostic::error(Code::UnknownValue, &scalar.span, message).help(advice(&scalar.text, &names)));
    }
    value.map(|(_, value)| *value)
}

pub(super) fn tags(report: &mut Report<'_>, entry: &Entry<'_>) -> Option<Vec<String>> {
    let tags = texts(report, entry)?;
    for tag in &tags {
        if !is_tag(&tag.text) {
            let message = format!("`{}` is no tag", tag.text);
            let diagnostic = Diagnostic::error(Code::InvalidTag, &tag.span, message);
            let lowered = tag.text.to_ascii_lowercase();
            report.push(if is_tag(&lowered) { diagnostic.fix(&tag.span, lowered) } else { diagnostic });
        }
    }
    Some(tags.into_iter().map(|tag| tag.text.to_string()).collect())
}

fn is_tag(text: &str) -> bool {
    let written = |part: &str| {
        let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_.".contains(&byte);
        !part.is_empty() && part.bytes().all(allowed)
    };
    text.split_once('.').is_some_and(|(namespace, name)| written(namespace) && written(name))
}

/// The rules that this one has to do with.
pub(super) fn related(report: &mut Report<'_>, entry: &Entry<'_>) -> Option<Vec<Related>> {
    let Content::List(members) = &entry.value.content else {
        report.push(Diagnostic::error(Code::WrongType, &entry.value.span, "`related` needs a list"));
        return None;
    };
    let read: Vec<_> = members.iter().map(|member| related_rule(report, member)).collect();
    read.into_iter().collect()
}

fn related_rule(report: &mut Report<'_>, member: &Node<'_>) -> Option<Related> {
    let Content::Map(entries) = &member.content else {
        let message = "a related rule is a map of `id` and `type`";
        report.push(Diagnostic::error(Code::WrongType, &member.span, message));
        return None;
    };
    strict_keys(report, entries, "`related`", &["id", "type"]);
    let mut needed = |key: &str| {
        let entry = entries.iter().find(|entry| entry.key.text == key);
        if entry.is_none() {
            let message = format!("this related rule has no `{key}`");
            report.push(Diagnostic::error(Code::MissingKey, &member.span, message));
        }
        entry
    };
    let (other, relation) = (needed("id"), needed("type"));
    let other = other.and_then(|entry| id(report, entry));
    let relation = relation.and_then(|entry| named(report, entry, "relation", &RELATIONS));
    Some(Related { id: other?, relation: relation? })
}

/// Refuses every key that is not one of these.
pub(super) fn strict_keys(report: &mut Report<'_>, entries: &[Entry<'_>], place: &str, known: &[&'static str]) {
    for entry in entries.iter().filter(|entry| !known.contains(&entry.key.text.as_ref())) {
        report.push(unknown_key(&entry.key, place, known));
    }
}

fn unknown_key(key: &Scalar<'_>, place: &str, known: &[&'static str]) -> Diagnostic {
    let message = format!("{place} has no key `{}`", key.text);
    Diagnostic::error(Code::UnknownKey, &key.span, message).help(advice(&key.text, known))
}

/// Whether the rule is for Vault's audit log; says so if not.
pub(super) fn logsource(report: &mut Report<'_>, entry: &Entry<'_>) {
    let Content::Map(entries) = &entry.value.content else {
        let message = "`logsource` is a map of `product` and `service`";
        report.push(Diagnostic::error(Code::WrongType, &entry.value.span, message));
        return;
    };
    for entry in entries.iter() {
        match entry.key.text.as_ref() {
            "product" => ours(report, entry, "vault"),
            "service" => ours(report, entry, "audit"),
            "definition" => drop(text(report, entry)),
            "category" => {
                let message = "a log source has no category here: the rule sees every audit event";
                report.push(Diagnostic::warning(Code::LogsourceCategory, &entry.key.span, message));
            }
            _ => {
                let known = ["product", "service", "category", "definition"];
                report.push(unknown_key(&entry.key, "`logsource`", &known));
            }
        }
    }
    for needed in ["product", "service"] {
        if !entries.iter().any(|entry| entry.key.text == needed) {
            let message = format!("the log source has no `{needed}`");
            report.push(Diagnostic::error(Code::ForeignLogsource, &entry.value.span, message));
        }
    }
}

fn ours(report: &mut Report<'_>, entry: &Entry<'_>, expected: &str) {
    if let Some(scalar) = text(report, entry).filter(|scalar| scalar.text != expected) {
        let message = format!("this rule is for the {} `{}`", entry.key.text, scalar.text);
        report
            .push(Diagnostic::error(Code::ForeignLogsource, &scalar.span, message).label(format!("not `{expected}`")));
    }
}

/// Warns of a key that is nearly one of the language. All other keys are somebody's own, as Sigma allows.
pub(super) fn custom(report: &mut Report<'_>, key: &Scalar<'_>, known: &[&'static str]) {
    if let Some(meant) = nearest(&key.text, known.iter().copied()) {
        let message = format!("the key `{}` is not part of the language", key.text);
        report.push(Diagnostic::warning(Code::UnknownKey, &key.span, message).help(format!("did you mean `{meant}`?")));
    }
}
