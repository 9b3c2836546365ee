//! What is probably wrong with rules that load: checks that know Vault.
//!
//! The reader says what the language does not have; this module says what Vault never writes. Each check is a function
//! over what was read, each kind of problem a [`Code`]. They are warnings, for a rule that loads may be right against all
//! odds; what can never match, whatever the odds, is an error.

mod conditions;
mod entries;
mod fields;
mod formula;
mod meaning;
mod metadata;
pub mod needs;
mod operations;
mod paths;
mod plaintext;
mod rule_tests;
pub mod schema;
mod theory;
mod values;

use crate::diagnostic::{Code, Diagnostic, Sources, Span};
use crate::rule::{Body, Header, Item, Reading, Rule};

use formula::Formula;

/// Checks everything that was read; what is found is in the order of the files.
///
/// `schema` is the path of the JSON Schema that rule files should point to, as their own paths are written; without
/// one, they need not.
#[must_use]
pub fn check(sources: &Sources, reading: &Reading, schema: Option<&str>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let known = fields::Known::new(&reading.settings);
    for rule in &reading.rules {
        check_header(&rule.header, &known, &mut found);
        check_rule(rule, &known, sources, &mut found);
    }
    for correlation in &reading.correlations {
        check_header(&correlation.header, &known, &mut found);
        fields::correlation(correlation, &known, &mut found);
    }
    meaning::twins(&reading.rules, &mut found);
    if let Some(schema) = schema {
        metadata::schema_comments(sources, schema, &mut found);
    }
    in_order(found)
}

fn check_header(header: &Header, known: &fields::Known<'_>, found: &mut Vec<Diagnostic>) {
    metadata::check(header, found);
    fields::alert(header, known, found);
    rule_tests::check(header, known, found);
}

fn check_rule(rule: &Rule, known: &fields::Known<'_>, sources: &Sources, found: &mut Vec<Diagnostic>) {
    for item in items(rule) {
        fields::item(item, known, sources, found);
        values::check(item, found);
        plaintext::check(item, known, found);
        paths::check(item, found);
    }
    let formula = Formula::of(&rule.detection);
    operations::writes(&formula, found);
    let Some(ways) = formula.ways() else { return };
    if conditions::never(rule, &ways, found) || conditions::always(rule, found) {
        return;
    }
    operations::lists(&ways, found);
    entries::check(rule, &ways, found);
}

/// Whether an entry of `fields` in the settings names this field, or the family it belongs to.
#[must_use]
pub fn names(allowed: &str, field: &str) -> bool {
    match allowed.strip_suffix('*') {
        Some(start) => field.starts_with(start),
        None => allowed == field,
    }
}

/// The fields that each rule and each correlation uses.
#[must_use]
pub fn used_fields(reading: &Reading) -> Vec<Vec<&str>> {
    let rules = reading.rules.iter().map(fields::of_rule);
    rules.chain(reading.correlations.iter().map(fields::of_correlation)).collect()
}

/// Every item of a rule, whether its condition uses it or not.
fn items(rule: &Rule) -> Vec<&Item> {
    fn within(body: &Body) -> Vec<&Item> {
        match body {
            Body::AllOf(inner) | Body::AnyOf(inner) => inner.iter().flat_map(within).collect(),
            Body::Item(item) => vec![item],
            Body::Keywords(_) => Vec::new(),
        }
    }
    rule.detection.searches.iter().flat_map(|search| within(&search.body)).collect()
}

/// How many problems of one file are told.
const MAX_FOUND: usize = 1000;

/// By file and place, each once: what a filter says, it says in every rule that it is for.
fn in_order(mut found: Vec<Diagnostic>) -> Vec<Diagnostic> {
    let place = |span: &Span| (span.source, span.bytes.start, span.bytes.end);
    found.sort_by_key(|diagnostic| (place(&diagnostic.span), diagnostic.code));
    found.dedup();
    let files = found.chunk_by(|a, b| a.span.source == b.span.source);
    files.flat_map(|of_file| told(of_file.to_vec())).collect()
}

/// What is told of the problems of one file: all, or the first ones and how many there are more.
fn told(mut found: Vec<Diagnostic>) -> Vec<Diagnostic> {
    let untold = found.split_off(found.len().min(MAX_FOUND));
    if let Some(first) = untold.first() {
        let message = format!("this file has {} more problems", untold.len());
        let severity = untold.iter().map(|diagnostic| diagnostic.severity).max().unwrap_or(first.severity);
        found.push(Diagnostic { severity, ..Diagnostic::warning(Code::MoreProblems, &first.span, message) });
    }
    found
}
