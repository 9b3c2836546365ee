//! A trace as JSON.

use serde::Serialize;

use super::{Explained, words};
use crate::alert::Redacted;
use crate::cli::render;
use crate::detect::trace::{
    BodyPart, BodyTrace, ConditionPart, ConditionTrace, ItemTrace, Miss, SearchTrace, TestTrace,
};
use crate::diagnostic::Span;
use crate::rule::Link;

/// The whole answer.
#[derive(Serialize)]
struct Report<'e> {
    rule: RuleReport<'e>,
    event: EventReport<'e>,
    matched: bool,
    condition: ConditionReport<'e>,
    searches: Vec<SearchReport<'e>>,
}

#[derive(Serialize)]
struct RuleReport<'e> {
    name: &'e str,
    id: String,
    title: &'e str,
    file: &'e str,
    line: usize,
}

#[derive(Serialize)]
struct EventReport<'e> {
    name: &'e str,
    time: Option<String>,
    r#type: Option<&'e str>,
    operation: Option<&'e str>,
    path: Option<&'e str>,
    request_id: Option<&'e str>,
}

/// A part of the condition. What has a `search` is a leaf; the others have `of`.
#[derive(Serialize)]
struct ConditionReport<'e> {
    kind: &'static str,
    held: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    search: Option<&'e str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    of: Vec<ConditionReport<'e>>,
}

#[derive(Serialize)]
struct SearchReport<'e> {
    name: &'e str,
    held: bool,
    line: usize,
    body: BodyReport<'e>,
}

#[derive(Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
enum BodyReport<'e> {
    All { held: bool, of: Vec<BodyReport<'e>> },
    Any { held: bool, of: Vec<BodyReport<'e>> },
    Item(ItemReport<'e>),
    Keywords { held: bool, link: &'static str, line: usize, tests: Vec<TestReport> },
}

#[derive(Serialize)]
struct ItemReport<'e> {
    held: bool,
    field: &'e str,
    /// As the rule writes it, with its modifiers.
    key: &'e str,
    line: usize,
    link: &'static str,
    negated: bool,
    /// What the event has there, without secrets.
    values: Vec<String>,
    tests: Vec<TestReport>,
}

#[derive(Serialize)]
struct TestReport {
    test: String,
    held: bool,
    /// Why it is not passed: see [`Miss`].
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<&'static str>,
}

/// One object, on several lines.
pub(super) fn json(explained: &Explained<'_>) -> String {
    let (file, line) = explained.sources.place(&explained.rule.header.span);
    let facts = &explained.facts;
    let report = Report {
        rule: RuleReport {
            name: &explained.rule.header.name,
            id: explained.rule.header.id.to_string(),
            title: &explained.rule.header.title,
            file,
            line,
        },
        event: EventReport {
            name: explained.event_name,
            time: explained.event.time().map(|time| time.to_string()),
            r#type: facts.entry_type.as_ref().map(Redacted::as_str),
            operation: facts.operation.as_ref().map(Redacted::as_str),
            path: facts.path.as_ref().map(Redacted::as_str),
            request_id: facts.request_id.as_ref().map(Redacted::as_str),
        },
        matched: explained.trace.matched,
        condition: explained.condition(&explained.trace.condition),
        searches: explained.trace.searches.iter().map(|search| explained.search(search)).collect(),
    };
    render::json(&report)
}

impl Explained<'_> {
    fn line(&self, span: &Span) -> usize {
        self.sources.place(span).1
    }

    fn condition(&self, condition: &ConditionTrace) -> ConditionReport<'_> {
        let of = |parts: &[ConditionTrace]| parts.iter().map(|part| self.condition(part)).collect();
        let (kind, search, of) = match &condition.part {
            ConditionPart::Search(index) => {
                let search = self.trace.searches.get(*index).map(|search| search.search.name.as_str());
                ("search", search, Vec::new())
            }
            ConditionPart::Not(inner) => ("not", None, vec![self.condition(inner)]),
            ConditionPart::And(all) => ("all", None, of(all)),
            ConditionPart::Or(any) => ("any", None, of(any)),
        };
        ConditionReport { kind, held: condition.held, search, of }
    }

    fn search<'a>(&'a self, search: &'a SearchTrace<'_>) -> SearchReport<'a> {
        SearchReport {
            name: &search.search.name,
            held: search.body.held,
            line: self.line(&search.search.span),
            body: self.body(&search.body),
        }
    }

    fn body<'a>(&'a self, body: &'a BodyTrace<'_>) -> BodyReport<'a> {
        let held = body.held;
        match &body.part {
            BodyPart::AllOf(all) => BodyReport::All { held, of: all.iter().map(|body| self.body(body)).collect() },
            BodyPart::AnyOf(any) => BodyReport::Any { held, of: any.iter().map(|body| self.body(body)).collect() },
            BodyPart::Item(item) => BodyReport::Item(self.item(item, held)),
            BodyPart::Keywords(trace) => {
                let tests = trace.keywords.tests.iter().zip(&trace.found);
                BodyReport::Keywords {
                    held,
                    link: link(trace.keywords.link),
                    line: self.line(&trace.keywords.span),
                    tests: tests
                        .map(|(test, found)| TestReport { test: words::keyword(test), held: *found, why: None })
                        .collect(),
                }
            }
        }
    }

    fn item<'a>(&'a self, trace: &'a ItemTrace<'_>, held: bool) -> ItemReport<'a> {
        let item = trace.item;
        let value = |value| self.redactor.value(&item.field, value).to_string();
        ItemReport {
            held,
            field: &item.field,
            key: self.written(&item.span),
            line: self.line(&item.span),
            link: link(item.link),
            negated: item.negated,
            values: trace.values.iter().map(|found| value(*found)).collect(),
            tests: trace.tests.iter().map(test).collect(),
        }
    }
}

fn test(trace: &TestTrace<'_>) -> TestReport {
    TestReport { test: words::test(trace.test), held: trace.held, why: trace.miss.map(Miss::id) }
}

fn link(link: Link) -> &'static str {
    match link {
        Link::Any => "any",
        Link::All => "all",
    }
}
