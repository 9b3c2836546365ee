//! Filters: exceptions that stand in files of their own, and become part of the rules that they name.
//!
//! A filter's condition is joined to the rule's by `and`, as it is written, so that it needs a `not`.

use std::collections::HashMap;

use super::detection;
use super::document::{self, File, Kind};
use super::header;
use super::list::Lists;
use super::profile::Names;
use super::reference::{self, Reference, Registry};
use super::report::Report;
use super::yaml::{Content, Entry, Node};
use super::{Body, Condition, Detection, Header, Rule, Search};
use crate::diagnostic::{Code, Diagnostic};

/// How many values all filters may add to all rules together: a filter for `any` rule is there once for each of them.
const MAX_ADDED: usize = 200_000;

/// A filter that was read. What it names is not looked up yet.
pub(super) struct Filter {
    pub(super) header: Header,
    detection: Detection,
    targets: Targets,
}

enum Targets {
    Any,
    These(Vec<Reference>),
}

/// Reads a filter; `None` if it is not to be applied, and the report says why.
pub(super) fn read<'s>(report: &mut Report<'s>, lists: &Lists<'s>, root: &Node<'s>, file: &File<'_>) -> Option<Filter> {
    let before = report.errors();
    let header = header::read(report, root, document::entries(root), file, Kind::Filter);
    document::logsource(report, root, Kind::Filter);
    let entry = document::needed(report, root, "filter", Kind::Filter)?;
    let detection = detection::read(report, lists, entry, &["rules"]);
    if let Some(detection) = &detection {
        check_condition(report, entry, &detection.condition);
    }
    let targets = targets(report, entry);
    let filter = Filter { header: header?, detection: detection?, targets: targets? };
    (report.errors() == before).then_some(filter)
}

fn check_condition(report: &mut Report<'_>, filter: &Entry<'_>, condition: &Condition) {
    if has_not(condition) {
        return;
    }
    let written = document::entries(&filter.value).iter().find(|entry| entry.key.text == "condition");
    let span = written.map_or(&filter.key.span, |entry| &entry.value.span);
    let message = "this filter would let the rules match nothing but its own searches";
    report.push(Diagnostic::error(Code::FilterWithoutNot, span, message));
}

fn has_not(condition: &Condition) -> bool {
    match condition {
        Condition::Search(_) => false,
        Condition::Not(_) => true,
        Condition::And(parts) | Condition::Or(parts) => parts.iter().any(has_not),
    }
}

/// `rules:` a list of ids and names, or `any`.
fn targets(report: &mut Report<'_>, filter: &Entry<'_>) -> Option<Targets> {
    let Some(entry) = document::entries(&filter.value).iter().find(|entry| entry.key.text == "rules") else {
        let message = "this filter does not say which `rules` it is for";
        report.push(Diagnostic::error(Code::MissingKey, &filter.key.span, message));
        return None;
    };
    match &entry.value.content {
        Content::Scalar(scalar) if scalar.text == "any" => Some(Targets::Any),
        Content::Scalar(scalar) => {
            let message = "`rules` needs a list of ids and names, or `any`";
            report.push(Diagnostic::error(Code::WrongType, &scalar.span, message));
            None
        }
        _ => reference::list(report, entry).map(Targets::These),
    }
}

/// Puts the filters into the rules that they name, but for those of the names `without`. What is wrong with a filter is
/// returned; it is then left out.
pub(super) fn fold(filters: &[Filter], rules: &mut [Rule], registry: &Registry, without: &Names) -> Vec<Diagnostic> {
    let indices: HashMap<String, usize> =
        rules.iter().enumerate().map(|(index, rule)| (rule.header.name.clone(), index)).collect();
    let mut found = Vec::new();
    let mut room = MAX_ADDED;
    for filter in filters {
        let targets = match filter.resolve(registry, &indices) {
            Ok(targets) => targets,
            Err(diagnostics) => {
                found.extend(diagnostics);
                continue;
            }
        };
        let cost = filter.detection.searches.iter().map(|search| size(&search.body)).sum::<usize>();
        let Some(rest) = room.checked_sub(cost.saturating_mul(targets.len())) else {
            let message = "this filter adds more values to its rules than there is room for";
            let diagnostic = Diagnostic::error(Code::TooComplex, &filter.header.span, message);
            found.push(diagnostic.help("filters belong to few rules, or hold few values"));
            continue;
        };
        room = rest;
        if without.contains(&filter.header.name) {
            continue;
        }
        for index in targets {
            if let Some(rule) = rules.get_mut(index) {
                filter.add_to(&mut rule.detection);
            }
        }
    }
    found
}

impl Filter {
    /// The indices of the rules that it names, or what is wrong with its names.
    ///
    /// A rule that does not load needs no filter.
    fn resolve(&self, registry: &Registry, indices: &HashMap<String, usize>) -> Result<Vec<usize>, Vec<Diagnostic>> {
        let references = match &self.targets {
            Targets::Any => return Ok((0..indices.len()).collect()),
            Targets::These(references) => references,
        };
        let mut targets = Vec::new();
        let mut problems = Vec::new();
        for reference in references {
            match registry.find(reference) {
                Some((name, document)) if document.kind == Kind::Rule => targets.extend(indices.get(name)),
                Some((_, document)) => {
                    let message = format!("`{}` is a {}", reference.text, document.kind);
                    let diagnostic = Diagnostic::error(Code::UnknownRule, &reference.span, message);
                    let diagnostic = diagnostic.related(&document.span, "this one");
                    problems.push(diagnostic.help("filters are for rules about single events"));
                }
                None => problems.push(registry.unknown(reference)),
            }
        }
        targets.sort_unstable();
        targets.dedup();
        if problems.is_empty() { Ok(targets) } else { Err(problems) }
    }

    /// Adds its searches, under names that no condition can write, and its condition.
    fn add_to(&self, detection: &mut Detection) {
        let offset = detection.searches.len();
        let renamed =
            |search: &Search| Search { name: format!("{}/{}", self.header.name, search.name), ..search.clone() };
        detection.searches.extend(self.detection.searches.iter().map(renamed));
        let added = shifted(&self.detection.condition, offset);
        let own = std::mem::replace(&mut detection.condition, Condition::And(Vec::new()));
        detection.condition = match own {
            Condition::And(mut parts) => {
                parts.push(added);
                Condition::And(parts)
            }
            own => Condition::And(vec![own, added]),
        };
    }
}

fn shifted(condition: &Condition, offset: usize) -> Condition {
    let all = |parts: &[Condition]| parts.iter().map(|part| shifted(part, offset)).collect();
    match condition {
        Condition::Search(index) => Condition::Search(index + offset),
        Condition::Not(inner) => Condition::Not(Box::new(shifted(inner, offset))),
        Condition::And(parts) => Condition::And(all(parts)),
        Condition::Or(parts) => Condition::Or(all(parts)),
    }
}

/// How many values a body holds, and one for itself.
fn size(body: &Body) -> usize {
    match body {
        Body::AllOf(bodies) | Body::AnyOf(bodies) => bodies.iter().map(size).sum::<usize>() + 1,
        Body::Item(item) => item.tests.len() + 1,
        Body::Keywords(keywords) => keywords.tests.len() + 1,
    }
}
