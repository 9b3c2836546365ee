//! Searches with one thing changed.

use std::ops::Range;

use super::{Variant, value};
use crate::diagnostic::Span;
use crate::rule::{Body, Item, KeywordTest, Keywords, Link, Search, Test};

/// The body of a search in all its variants.
pub(super) fn variants(search: &Search) -> Vec<Variant<Body>> {
    of(&search.body, &search.span)
}

/// `around` is where what the body is part of stands.
fn of(body: &Body, around: &Span) -> Vec<Variant<Body>> {
    match body {
        Body::AllOf(entries) => joined(entries, around, Body::AllOf, Body::AnyOf, "one entry must match, not all"),
        Body::AnyOf(entries) => joined(entries, around, Body::AnyOf, Body::AllOf, "all entries must match, not one"),
        Body::Item(item) => items(item).into_iter().map(|variant| variant.map(Body::Item)).collect(),
        Body::Keywords(words) => keywords(words).into_iter().map(|variant| variant.map(Body::Keywords)).collect(),
    }
}

fn joined(
    entries: &[Body],
    around: &Span,
    join: fn(Vec<Body>) -> Body,
    other: fn(Vec<Body>) -> Body,
    flipped: &str,
) -> Vec<Variant<Body>> {
    let mut variants = Vec::new();
    for (index, entry) in entries.iter().enumerate() {
        let place = place(entry).unwrap_or(around);
        if entries.len() > 1 {
            let mut rest = entries.to_vec();
            rest.remove(index);
            variants.push(Variant::new(join(rest), place, format!("without {}", name(entry))));
        }
        variants.extend(of(entry, place).into_iter().map(|variant| {
            variant.map(|changed| {
                let mut entries = entries.to_vec();
                if let Some(entry) = entries.get_mut(index) {
                    *entry = changed;
                }
                join(entries)
            })
        }));
    }
    if entries.len() > 1 {
        variants.push(Variant::new(other(entries.to_vec()), around, flipped.to_owned()));
    }
    variants
}

/// Where the first item of a body stands.
fn place(body: &Body) -> Option<&Span> {
    match body {
        Body::Item(item) => Some(&item.span),
        Body::Keywords(keywords) => Some(&keywords.span),
        Body::AllOf(bodies) | Body::AnyOf(bodies) => bodies.iter().find_map(place),
    }
}

fn name(body: &Body) -> String {
    match body {
        Body::Item(item) => format!("`{}`", item.field),
        Body::Keywords(_) => "the keywords".to_owned(),
        Body::AllOf(bodies) | Body::AnyOf(bodies) => bodies.iter().map(name).collect::<Vec<_>>().join(" and "),
    }
}

fn items(item: &Item) -> Vec<Variant<Item>> {
    let field = &item.field;
    let negated = Item { negated: !item.negated, ..item.clone() };
    let change = format!("`{field}`: {}", if item.negated { "no longer negated" } else { "negated" });
    let mut variants = vec![Variant::new(negated, &item.span, change)];
    let values = values(item);
    for value in &values {
        if values.len() > 1 {
            variants.push(without(item, value));
        }
        variants.extend(otherwise(item, value));
    }
    if values.len() > 1 {
        let (link, change) = flipped(item.link);
        let change = format!("`{field}`: {change}");
        variants.push(Variant::new(Item { link, ..item.clone() }, &item.span, change));
    }
    variants
}

/// A value as it was written.
struct Value {
    /// What it was read as. A modifier such as `windash` makes several tests of one value.
    tests: Range<usize>,
    span: Span,
    /// They are the values of a list, which a placeholder stands for.
    listed: bool,
}

/// The values of an item, in the order written.
fn values(item: &Item) -> Vec<Value> {
    let mut values: Vec<Value> = Vec::new();
    for (index, span) in item.spans.iter().enumerate() {
        let listed = span.source != item.span.source;
        match values.last_mut() {
            Some(last) if last.span == *span || (last.listed && listed) => last.tests.end = index + 1,
            _ => values.push(Value { tests: index..index + 1, span: span.clone(), listed }),
        }
    }
    values
}

/// The item without one of its values.
fn without(item: &Item, value: &Value) -> Variant<Item> {
    let mut rest = item.clone();
    rest.tests.drain(value.tests.clone());
    rest.spans.drain(value.tests.clone());
    let (what, span) = match item.tests.get(value.tests.clone()) {
        Some(tests) if !value.listed => (format!("`{}`", value::text(tests)), &value.span),
        _ => ("the values of a list".to_owned(), &item.span),
    };
    Variant::new(rest, span, format!("`{}`: without {what}", item.field))
}

/// The item with something else in the place of one value, unless that is a list's or several in one.
fn otherwise(item: &Item, value: &Value) -> Vec<Variant<Item>> {
    let test = match item.tests.get(value.tests.clone()) {
        Some([test]) if !value.listed => test,
        _ => return Vec::new(),
    };
    let variant = |(test, change): (Test, String)| {
        let mut changed = item.clone();
        if let Some(place) = changed.tests.get_mut(value.tests.start) {
            *place = test;
        }
        Variant::new(changed, &value.span, format!("`{}`: {change}", item.field))
    };
    value::variants(test).into_iter().map(variant).collect()
}

fn flipped(link: Link) -> (Link, &'static str) {
    match link {
        Link::Any => (Link::All, "all values must match, not one"),
        Link::All => (Link::Any, "one value must match, not all"),
    }
}

fn keywords(keywords: &Keywords) -> Vec<Variant<Keywords>> {
    let variant = |changed, change| Variant::new(changed, &keywords.span, change);
    let mut variants = Vec::new();
    if keywords.tests.len() < 2 {
        return variants;
    }
    for (index, word) in keywords.tests.iter().enumerate() {
        let mut rest = keywords.clone();
        rest.tests.remove(index);
        let word = match word {
            KeywordTest::Pattern(pattern) => value::pattern(pattern),
            KeywordTest::Regex(regex) => regex.pattern.clone(),
        };
        variants.push(variant(rest, format!("keywords: without `{word}`")));
    }
    let (link, change) = flipped(keywords.link);
    variants.push(variant(Keywords { link, ..keywords.clone() }, format!("keywords: {change}")));
    variants
}
