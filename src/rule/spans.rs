//! Where the parts of a rule stand, for whoever finds fault with them later.

use super::report::Report;
use super::yaml::{Content, Entry, Node};
use crate::diagnostic::Span;

/// Where parts of a rule or a correlation stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleSpans {
    /// The id, or else the start of the document.
    pub id: Span,
    /// The name, or else the start of the document.
    pub name: Span,
    /// The key `detection` or `correlation`, or `filter`.
    pub block: Span,
    /// The value of the `condition` in it, or of the `field` that is there instead, or else the key above it.
    pub condition: Span,
    /// Each tag, in the order written.
    pub tags: Vec<Span>,
    /// Each field of the block's or of the alert's `group-by`, in the order written.
    pub group_by: Vec<Span>,
    /// The templates of the alert: its title, then its severity; those that there are.
    pub templates: Vec<Span>,
}

/// Under one of these stands what the document is about.
const BLOCKS: [&str; 3] = ["detection", "correlation", "filter"];

/// Finds them in a document; where its id and its name stand is known.
pub(super) fn read(report: &Report<'_>, entries: &[Entry<'_>], id: Span, name: Span) -> RuleSpans {
    let of = |node: &Node<'_>| node.span.clone();
    let nothing = || report.span(0..0);
    let key = entries.iter().find(|entry| BLOCKS.contains(&entry.key.text.as_ref()));
    let block = key.map_or_else(nothing, |entry| entry.key.span.clone());
    let within = key.map_or(&[][..], |entry| entries_of(&entry.value));
    let alert = value(entries, "alert").map_or(&[][..], entries_of);
    let group_by = value(within, "group-by").or_else(|| value(alert, "group-by"));
    let condition = value(within, "condition").or_else(|| value(within, "field"));
    let templates = [value(alert, "title"), value(alert, "severity")];
    RuleSpans {
        id,
        name,
        condition: condition.map_or_else(|| block.clone(), of),
        block,
        tags: value(entries, "tags").map_or(&[][..], members).iter().map(of).collect(),
        group_by: group_by.map_or(&[][..], members).iter().map(of).collect(),
        templates: templates.into_iter().flatten().map(of).collect(),
    }
}

fn value<'n, 's>(entries: &'n [Entry<'s>], key: &str) -> Option<&'n Node<'s>> {
    entries.iter().find(|entry| entry.key.text == key).map(|entry| &entry.value)
}

fn entries_of<'n, 's>(node: &'n Node<'s>) -> &'n [Entry<'s>] {
    if let Content::Map(entries) = &node.content { entries } else { &[] }
}

fn members<'n, 's>(node: &'n Node<'s>) -> &'n [Node<'s>] {
    if let Content::List(members) = &node.content { members } else { &[] }
}
