//! The `detection` of a rule: named searches and the condition that joins them.

use std::borrow::Cow;

use super::condition::{self, Names, RESERVED};
use super::key::{self, Chain, Key, Operation, TextOperation};
use super::list::Lists;
use super::pattern;
use super::placeholder;
use super::report::Report;
use super::scalar::Value;
use super::suggest::nearest;
use super::value::{self, Budget};
use super::yaml::{Content, Entry, Node, Scalar};
use super::{Anchor, Body, Condition, Detection, Item, KeywordTest, Keywords, Link, Number, Part, Search, Test};
use crate::diagnostic::{Code, Diagnostic, Span};

/// Reads the value of `detection`, or of `filter`; `None` if its condition cannot be made sense of.
/// What is wrong with the searches is in the report, and they are then incomplete. The keys in `others` are no searches.
pub(super) fn read(
    report: &mut Report<'_>,
    lists: &Lists<'_>,
    Entry { key, value }: &Entry<'_>,
    others: &[&str],
) -> Option<Detection> {
    let Content::Map(entries) = &value.content else {
        let message = format!("`{}` holds named searches and a condition", key.text);
        report.push(Diagnostic::error(Code::WrongType, &value.span, message).label("not a map"));
        return None;
    };
    let condition = entries.iter().find(|entry| entry.key.text == "condition");
    if condition.is_none() {
        report.push(missing_condition(key, entries));
    }
    let mut reader = Reader { report, lists, budget: Budget::new() };
    let mut searches = Vec::with_capacity(entries.len());
    for entry in entries.iter() {
        match entry.key.text.as_ref() {
            "condition" => {}
            other if others.contains(&other) => {}
            "timeframe" => reader.timeframe(&entry.key),
            slip if condition.is_none() && is_nearly_condition(slip) => {}
            _ => searches.push(reader.search(entry)),
        }
    }
    if searches.is_empty() {
        let message = format!("this {} has no search", key.text);
        report.push(Diagnostic::error(Code::EmptyDetection, &key.span, message));
    }
    // Whatever is wrong with the searches, their names are known, and the condition is checked as well.
    let condition = join(report, &searches, &condition?.value)?;
    Some(Detection { searches, condition })
}

fn missing_condition(key: &Scalar<'_>, entries: &[Entry<'_>]) -> Diagnostic {
    let message = format!("this {} has no `condition`", key.text);
    let diagnostic = Diagnostic::error(Code::MissingKey, &key.span, message);
    match entries.iter().find(|entry| is_nearly_condition(&entry.key.text)) {
        Some(entry) => diagnostic.related(&entry.key.span, "did you mean `condition`?"),
        None => diagnostic.help("a condition names the searches that must match, such as `condition: selection`"),
    }
}

fn is_nearly_condition(key: &str) -> bool {
    nearest(key, ["condition"]).is_some()
}

/// Whether a condition can name a search so.
fn is_writable(name: &str) -> bool {
    let allowed = |character: char| character.is_alphanumeric() || "_-.".contains(character);
    let reserved = RESERVED.iter().any(|word| name.eq_ignore_ascii_case(word));
    !name.is_empty() && !reserved && name.chars().all(allowed)
}

/// Reads the condition, or the list of conditions of which one must hold.
fn join(report: &mut Report<'_>, searches: &[Search], node: &Node<'_>) -> Option<Condition> {
    let before = report.errors();
    let mut names = Names::new(searches);
    let conditions: Vec<&Node<'_>> = match &node.content {
        Content::List(list) => list.iter().collect(),
        _ => vec![node],
    };
    let mut read = Vec::with_capacity(conditions.len());
    for condition in &conditions {
        match &condition.content {
            Content::Scalar(scalar) if matches!(scalar.value(), Value::Text) => {
                read.extend(condition::read(report, &mut names, scalar));
            }
            _ => {
                let message = "a condition is text, or a list of texts";
                report.push(Diagnostic::error(Code::WrongType, &condition.span, message));
            }
        }
    }
    if conditions.is_empty() {
        report.push(Diagnostic::error(Code::EmptyDetection, &node.span, "this list of conditions is empty"));
    }
    if report.errors() > before {
        return None;
    }
    for search in names.unused().filter(|search| is_writable(&search.name)) {
        let message = format!("no condition uses the search `{}`", search.name);
        report.push(Diagnostic::warning(Code::UnusedSearch, &search.span, message));
    }
    if read.len() == 1 { read.pop() } else { Some(Condition::Or(read)) }
}

/// Reads searches.
struct Reader<'r, 's, 'l> {
    report: &'r mut Report<'s>,
    lists: &'r Lists<'l>,
    budget: Budget,
}

impl<'l> Reader<'_, '_, 'l> {
    fn timeframe(&mut self, key: &Scalar<'_>) {
        let message = "`timeframe` is no longer part of the language";
        self.report.push(Diagnostic::error(Code::Timeframe, &key.span, message));
    }

    /// Reads one search. Its body is empty if it was refused; the rule does not load then.
    fn search(&mut self, Entry { key, value }: &Entry<'_>) -> Search {
        let name = key.text.to_string();
        if !is_writable(&name) {
            let message = format!("a condition cannot name the search `{name}`");
            self.report.push(
                Diagnostic::error(Code::InvalidSearchName, &key.span, message)
                    .help("names consist of letters, digits, `_`, `-` and `.`, and are no operators"),
            );
        }
        let body = self.body(value, &key.span).unwrap_or_else(|| Body::AnyOf(Vec::new()));
        Search { name, span: key.span.clone(), body }
    }

    fn body(&mut self, node: &Node<'_>, key: &Span) -> Option<Body> {
        match &node.content {
            Content::Map(entries) => self.map(entries, &node.span),
            Content::List(members) => self.list(members, &node.span),
            Content::Scalar(scalar) if scalar.value() == Value::Null => {
                self.report.push(Diagnostic::error(Code::EmptyDetection, key, "this search is empty"));
                None
            }
            Content::Scalar(_) => {
                let message = "a search is a map of fields, a list of maps, or a list of keywords";
                self.report.push(Diagnostic::error(Code::WrongType, &node.span, message).label("a single value"));
                None
            }
        }
    }

    /// A map: every entry must match.
    fn map(&mut self, entries: &[Entry<'_>], span: &Span) -> Option<Body> {
        if entries.is_empty() {
            self.report.push(Diagnostic::error(Code::EmptyDetection, span, "this map is empty"));
            return None;
        }
        let bodies: Vec<_> = entries.iter().map(|entry| self.entry(entry)).collect();
        let bodies: Option<Vec<_>> = bodies.into_iter().collect();
        Some(joined(bodies?, Body::AllOf))
    }

    /// A list: one of its maps or words must match.
    fn list(&mut self, members: &[Node<'_>], span: &Span) -> Option<Body> {
        if members.is_empty() {
            self.report.push(Diagnostic::error(Code::EmptyDetection, span, "this list is empty"));
            return None;
        }
        let mut words = Vec::new();
        let mut bodies = Vec::new();
        for member in members {
            match &member.content {
                Content::Map(entries) => bodies.push(self.map(entries, &member.span)),
                Content::Scalar(scalar) => words.push(scalar),
                Content::List(_) => {
                    let message = "a list of searches holds maps and words, no lists";
                    self.report.push(Diagnostic::error(Code::WrongType, &member.span, message));
                    bodies.push(None);
                }
            }
        }
        if !words.is_empty() {
            bodies.push(self.keywords(&Chain::none(), &words, span));
        }
        let bodies: Option<Vec<_>> = bodies.into_iter().collect();
        Some(joined(bodies?, Body::AnyOf))
    }

    /// One `field|modifiers: values` entry, or `'|modifiers': words`.
    fn entry(&mut self, Entry { key, value }: &Entry<'_>) -> Option<Body> {
        let read = key::read(self.report, key);
        let written = self.values(key, value)?;
        let key = read?;
        if key.chain.link == Link::All && written.len() == 1 && !key.chain.expands {
            let message = "`all` has one value here, and changes nothing";
            self.report.push(Diagnostic::warning(Code::ModifierCombination, &key.span, message));
        }
        if matches!(key.chain.operation, Operation::Exists) {
            return self.exists(key, value);
        }
        let values = self.expanded(&key, written)?;
        let before = self.report.found();
        let body = self.compared(&key, &values, &value.span);
        self.report.relate(before, &value.span, "used here");
        body
    }

    /// The values with their placeholders replaced.
    fn expanded<'n>(&mut self, key: &Key, written: Vec<&'n Scalar<'n>>) -> Option<Vec<Cow<'n, Scalar<'n>>>>
    where
        'l: 'n,
    {
        if !key.chain.expands {
            for scalar in &written {
                placeholder::check_unexpanded(self.report, self.lists, scalar);
            }
            return Some(written.into_iter().map(Cow::Borrowed).collect());
        }
        if !written.iter().any(|scalar| placeholder::is_in(&scalar.text)) {
            let message = "`expand` finds no `%name%` in this, and changes nothing";
            self.report.push(Diagnostic::warning(Code::ModifierCombination, &key.span, message));
        }
        let expanded = placeholder::expand(self.report, &mut self.budget, self.lists, &written)?;
        Some(expanded.into_iter().map(Cow::Owned).collect())
    }

    /// What compares the values.
    fn compared(&mut self, key: &Key, values: &[Cow<'_, Scalar<'_>>], span: &Span) -> Option<Body> {
        if values.is_empty() {
            // Only value lists are empty. Nothing is among their values, and everything is not.
            let body = if key.chain.negated { Body::AllOf } else { Body::AnyOf };
            return Some(body(Vec::new()));
        }
        if key.field.is_empty() {
            let words: Vec<_> = values.iter().map(AsRef::as_ref).collect();
            return self.keywords(&key.chain, &words, span);
        }
        let tests: Vec<_> = values.iter().map(|scalar| self.value(&key.chain, scalar)).collect();
        let tests: Option<Vec<_>> = tests.into_iter().collect();
        Some(item(key, tests?))
    }

    /// The tests of which one must hold for this value, each with the value's place.
    fn value(&mut self, chain: &Chain, scalar: &Scalar<'_>) -> Option<Vec<(Test, Span)>> {
        let tests = value::read(self.report, &mut self.budget, chain, scalar)?;
        Some(tests.into_iter().map(|test| (test, scalar.span.clone())).collect())
    }

    /// The values of an entry: one scalar, or a list of them.
    fn values<'n, 's>(&mut self, key: &Scalar<'_>, node: &'n Node<'s>) -> Option<Vec<&'n Scalar<'s>>> {
        let members = match &node.content {
            Content::Scalar(scalar) => return Some(vec![scalar]),
            Content::List(members) => members,
            Content::Map(entries) => {
                let message = format!("the value of `{}` is a map", key.text);
                let inner = entries.first().map_or("…", |entry| entry.key.text.as_ref());
                let help = format!("name nested fields with dots: `{}.{inner}`", key.text);
                self.report.push(Diagnostic::error(Code::WrongType, &node.span, message).help(help));
                return None;
            }
        };
        if members.is_empty() {
            self.report.push(Diagnostic::error(Code::EmptyDetection, &node.span, "this list is empty"));
            return None;
        }
        let mut scalars = Vec::with_capacity(members.len());
        for member in members.iter() {
            if let Content::Scalar(scalar) = &member.content {
                scalars.push(scalar);
            } else {
                let message = format!("the values of `{}` are no collections", key.text);
                self.report.push(Diagnostic::error(Code::WrongType, &member.span, message));
            }
        }
        (scalars.len() == members.len()).then_some(scalars)
    }

    fn exists(&mut self, key: Key, node: &Node<'_>) -> Option<Body> {
        let value = if let Content::Scalar(scalar) = &node.content { Some(scalar.value()) } else { None };
        let Some(Value::Bool(expected)) = value else {
            let message = "`exists` needs `true` or `false`";
            self.report.push(Diagnostic::error(Code::ModifierValue, &node.span, message));
            return None;
        };
        let tests = vec![Test::Exists(expected)];
        let spans = vec![node.span.clone()];
        Some(Body::Item(Item { field: key.field, span: key.span, link: Link::Any, negated: false, tests, spans }))
    }

    /// Words over the whole event.
    fn keywords(&mut self, chain: &Chain, words: &[&Scalar<'_>], span: &Span) -> Option<Body> {
        let tests: Vec<_> = words.iter().map(|word| self.keyword(chain, word)).collect();
        let tests: Option<Vec<_>> = tests.into_iter().collect();
        let group = |link, tests| Body::Keywords(Keywords { span: span.clone(), link, tests });
        Some(distribute(chain.link, tests?, group))
    }

    fn keyword(&mut self, chain: &Chain, word: &Scalar<'_>) -> Option<Vec<KeywordTest>> {
        let Operation::Text(operation) = chain.operation else {
            let tests = value::read(self.report, &mut self.budget, chain, word)?;
            return Some(tests.into_iter().filter_map(keyword_regex).collect());
        };
        value::check_reading(self.report, word);
        if matches!(word.value(), Value::Number(_)) && operation.encodes() {
            value::needs_text(self.report, chain, word)?;
        }
        let patterns = match word.value() {
            Value::Number(Number::Integer(integer)) => vec![vec![Part::Literal(integer.to_string())]],
            Value::Number(Number::Decimal(_)) => vec![vec![Part::Literal(word.text.to_string())]],
            Value::Text => {
                let anywhere = TextOperation { anchor: Anchor::Anywhere, ..operation };
                value::patterns(self.report, &mut self.budget, anywhere, word)?
            }
            Value::Null | Value::Bool(_) | Value::Inexact => {
                let message = format!("keywords are texts and numbers, and `{}` is neither", word.text);
                self.report.push(
                    Diagnostic::error(Code::ModifierValue, &word.span, message)
                        .help("put it into quotes to look for the word"),
                );
                return None;
            }
        };
        let cased = chain.cased || operation.base64.is_some();
        let test = |parts| KeywordTest::Pattern(pattern::pattern(parts, Anchor::Anywhere, cased));
        Some(patterns.into_iter().map(test).collect())
    }
}

/// The one body, or all of them.
fn joined(mut bodies: Vec<Body>, join: impl FnOnce(Vec<Body>) -> Body) -> Body {
    match (bodies.len(), bodies.pop()) {
        (1, Some(only)) => only,
        (_, last) => {
            bodies.extend(last);
            join(bodies)
        }
    }
}

fn item(key: &Key, values: Vec<Vec<(Test, Span)>>) -> Body {
    distribute(key.chain.link, values, |link, tests| {
        let (tests, spans) = tests.into_iter().unzip();
        let (field, span) = (key.field.clone(), key.span.clone());
        Body::Item(Item { field, span, link, negated: key.chain.negated, tests, spans })
    })
}

/// Joins the alternatives of several values.
///
/// Where every value must match and one of them has alternatives, each becomes a body of its own: the link of one
/// body says either "any" or "all".
fn distribute<T>(link: Link, values: Vec<Vec<T>>, body: impl Fn(Link, Vec<T>) -> Body) -> Body {
    if link == Link::All && values.iter().any(|alternatives| alternatives.len() > 1) {
        return joined(values.into_iter().map(|tests| body(Link::Any, tests)).collect(), Body::AllOf);
    }
    body(link, values.into_iter().flatten().collect())
}

fn keyword_regex(test: Test) -> Option<KeywordTest> {
    if let Test::Regex(regex) = test { Some(KeywordTest::Regex(regex)) } else { None }
}
