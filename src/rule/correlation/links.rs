//! Drafts of correlations -> correlations: every reference leads to something that loads, and none in a circle.

use std::collections::{HashMap, HashSet};

use super::super::document::Kind;
use super::super::reference::{Reference, Registered, Registry};
use super::reader::{AliasDraft, Draft};
use super::{Alias, Correlation};
use crate::diagnostic::{Code, Diagnostic};

/// Looks up what the drafts refer to. Those with a fault are left out, and what is wrong with them is returned.
pub(in super::super) fn resolve(drafts: Vec<Draft>, registry: &Registry) -> (Vec<Correlation>, Vec<Diagnostic>) {
    let mut found = Vec::new();
    let mut nodes: Vec<Node> = drafts.into_iter().map(|draft| Node::new(draft, registry, &mut found)).collect();
    refuse_circles(&mut nodes, registry, &mut found);
    let loads = nodes.into_iter().filter(|node| node.sound).map(|node| node.correlation);
    (loads.collect(), found)
}

/// A correlation with the correlations that it refers to.
struct Node {
    correlation: Correlation,
    references: Vec<Reference>,
    /// Nothing is wrong with it so far.
    sound: bool,
    /// The correlations among its rules, by name, each with the index of the reference.
    correlations: Vec<(String, usize)>,
}

impl Node {
    fn new(draft: Draft, registry: &Registry, found: &mut Vec<Diagnostic>) -> Self {
        let Draft { mut correlation, rules, aliases } = draft;
        let before = found.len();
        let mut correlations = Vec::new();
        for (index, reference) in rules.iter().enumerate() {
            let Some((name, document)) = look_up(reference, registry, found) else { continue };
            if document.kind == Kind::Correlation {
                correlations.push((name.to_owned(), index));
            }
            correlation.rules.push(name.to_owned());
        }
        // With a rule missing, whatever else there is to say would be wrong.
        if found.len() == before {
            let named = aliases.into_iter().map(|alias| named(alias, &correlation, registry, found)).collect();
            correlation.aliases = named;
        }
        Self { correlation, references: rules, sound: found.len() == before, correlations }
    }

    fn name(&self) -> &str {
        &self.correlation.header.name
    }

    /// The first of its references to one of these correlations.
    fn reference_into(&self, names: &HashSet<String>) -> Option<&Reference> {
        let (_, at) = self.correlations.iter().find(|(name, _)| names.contains(name))?;
        self.references.get(*at)
    }
}

/// The document that a reference leads to.
fn look_up<'r>(
    reference: &Reference,
    registry: &'r Registry,
    found: &mut Vec<Diagnostic>,
) -> Option<(&'r str, &'r Registered)> {
    let document = registry.find(reference);
    match document {
        None => found.push(registry.unknown(reference)),
        Some((_, document)) if !document.loads => found.push(document.does_not_load(reference)),
        Some((_, document)) if !matches!(document.kind, Kind::Rule | Kind::Correlation) => {
            let message = format!("`{}` is a {}", reference.text, document.kind);
            let diagnostic = Diagnostic::error(Code::UnknownRule, &reference.span, message);
            found.push(diagnostic.related(&document.span, "this one"));
        }
        Some(document) => return Some(document),
    }
    None
}

/// The alias with the names of its rules, which must be those of the correlation.
fn named(alias: AliasDraft, correlation: &Correlation, registry: &Registry, found: &mut Vec<Diagnostic>) -> Alias {
    let AliasDraft { name, span, fields: written } = alias;
    let mut fields: Vec<(String, String)> = Vec::with_capacity(written.len());
    for (reference, field) in written {
        let rule = registry.find(&reference).map(|(rule, _)| rule);
        let Some(rule) = rule.filter(|rule| correlation.rules.iter().any(|listed| listed == rule)) else {
            let message = format!("`{}` is not among the `rules` of this correlation", reference.text);
            found.push(Diagnostic::error(Code::UnknownRule, &reference.span, message));
            return Alias { name, fields };
        };
        fields.push((rule.to_owned(), field));
    }
    if !uses(correlation, &name) {
        let message = format!("nothing in this correlation uses the alias `{name}`");
        found.push(Diagnostic::error(Code::UnusedAlias, &span, message));
    }
    let missing = correlation.rules.iter().find(|rule| !fields.iter().any(|(named, _)| named == *rule));
    if let Some(rule) = missing {
        let message = format!("the alias `{name}` names no field of `{rule}`");
        let diagnostic = Diagnostic::error(Code::UnusedAlias, &span, message);
        found.push(diagnostic.help("an alias says for every rule which field it stands for"));
    }
    Alias { name, fields }
}

fn uses(correlation: &Correlation, alias: &str) -> bool {
    correlation.group_by.iter().chain(correlation.kind.fields()).any(|field| field == alias)
}

/// For every correlation, the ones that it refers to.
fn edges(nodes: &[Node]) -> Vec<Vec<usize>> {
    let indices: HashMap<&str, usize> = nodes.iter().enumerate().map(|(index, node)| (node.name(), index)).collect();
    let index = |(name, _): &(String, usize)| indices.get(name.as_str()).copied();
    nodes.iter().map(|node| node.correlations.iter().filter_map(index).collect()).collect()
}

/// The same with every arrow turned round, among those that are in `among`.
fn reversed(edges: &[Vec<usize>], among: &HashSet<usize>) -> Vec<Vec<usize>> {
    let mut reversed: Vec<Vec<usize>> = vec![Vec::new(); edges.len()];
    for (from, to) in edges.iter().enumerate().filter(|(from, _)| among.contains(from)) {
        for to in to.iter().filter(|to| among.contains(to)) {
            if let Some(back) = reversed.get_mut(*to) {
                back.push(from);
            }
        }
    }
    reversed
}

/// Takes away, again and again, what has no edge to anything that is still there; in the order taken.
fn peel(edges: &[Vec<usize>]) -> Vec<usize> {
    let all = (0..edges.len()).collect();
    let reversed = reversed(edges, &all);
    let mut open: Vec<usize> = edges.iter().map(Vec::len).collect();
    let mut order: Vec<usize> = (0..edges.len()).filter(|index| open.get(*index) == Some(&0)).collect();
    let mut next = 0;
    while let Some(taken) = order.get(next).copied() {
        next += 1;
        for dependent in reversed.get(taken).into_iter().flatten() {
            if let Some(open) = open.get_mut(*dependent) {
                *open -= 1;
                if *open == 0 {
                    order.push(*dependent);
                }
            }
        }
    }
    order
}

/// Takes out the correlations that are in a circle, and those that refer to one that does not load.
fn refuse_circles(nodes: &mut [Node], registry: &Registry, found: &mut Vec<Diagnostic>) {
    let edges = edges(nodes);
    let order = peel(&edges);
    // What is left is in a circle, or leads into one; of that, what nothing in it leads to is not in the circle.
    let settled: HashSet<usize> = order.iter().copied().collect();
    let mut left: HashSet<usize> = (0..nodes.len()).filter(|index| !settled.contains(index)).collect();
    let mut leading = peel(&reversed(&edges, &left));
    leading.retain(|index| left.remove(index));
    let mut lost: HashSet<String> =
        left.iter().filter_map(|index| nodes.get(*index)).map(|node| node.name().to_owned()).collect();
    for node in nodes.iter_mut().filter(|node| lost.contains(node.name())) {
        node.sound = false;
        if let Some(reference) = node.reference_into(&lost) {
            let message = format!("`{}` leads back to `{}`", reference.text, node.name());
            found.push(Diagnostic::error(Code::CorrelationCircle, &reference.span, message));
        }
    }
    for index in order.iter().chain(leading.iter().rev()) {
        let Some(node) = nodes.get_mut(*index) else { continue };
        let reference = node.reference_into(&lost).filter(|_| node.sound);
        if let Some((reference, (_, document))) = reference.and_then(|it| Some((it, registry.find(it)?))) {
            found.push(document.does_not_load(reference));
            node.sound = false;
        }
        if !node.sound {
            lost.insert(node.name().to_owned());
        }
    }
}
