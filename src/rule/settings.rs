//! The file `vaultwatch.yml` among the rules: what it settles for all of them.

use super::document;
use super::metadata::{self, strict_keys};
use super::profile;
use super::reference::{self, Reference, Registry};
use super::report::Report;
use super::suggest::{enumerate, nearest};
use super::yaml::{Content, Entry, Node};
use super::{Correlation, CorrelationKind, Overlaps, Profile, Rule, Settings};
use crate::diagnostic::{Code, Diagnostic, Span};

/// The values of `overlaps`, as files name them.
const OVERLAPS: [(&str, Overlaps); 2] = [("apart", Overlaps::Apart), ("together", Overlaps::Together)];

/// Settings that were read. What they name is not looked up yet.
#[derive(Default)]
pub(super) struct Draft {
    fields: Vec<String>,
    overlaps: Option<(Overlaps, Span)>,
    profile: Option<Reference>,
    profiles: Vec<ProfileDraft>,
}

struct ProfileDraft {
    name: Reference,
    description: Option<String>,
    without: Vec<Reference>,
}

/// Reads a document of the file.
pub(super) fn read(report: &mut Report<'_>, root: &Node<'_>) -> Draft {
    let Content::Map(entries) = &root.content else {
        let message = "`vaultwatch.yml` is a map of `fields`, `overlaps`, `profile` and `profiles`";
        report.push(Diagnostic::error(Code::WrongType, &document::start(root), message));
        return Draft::default();
    };
    strict_keys(report, entries, "`vaultwatch.yml`", &["fields", "overlaps", "profile", "profiles"]);
    let find = |key| entries.iter().find(|entry| entry.key.text == key);
    let fields = find("fields").and_then(|entry| metadata::fields(report, entry));
    let chosen = find("profile").and_then(|entry| metadata::text(report, entry));
    Draft {
        fields: fields.unwrap_or_default(),
        overlaps: find("overlaps").and_then(|entry| overlaps(report, entry)),
        profile: chosen.map(|name| Reference { text: name.text.to_string(), span: name.span.clone() }),
        profiles: find("profiles").map(|entry| profiles(report, entry)).unwrap_or_default(),
    }
}

fn overlaps(report: &mut Report<'_>, entry: &Entry<'_>) -> Option<(Overlaps, Span)> {
    let overlaps = metadata::named(report, entry, "value of `overlaps`", &OVERLAPS)?;
    Some((overlaps, entry.key.span.clone()))
}

fn profiles(report: &mut Report<'_>, entry: &Entry<'_>) -> Vec<ProfileDraft> {
    let Content::Map(entries) = &entry.value.content else {
        let message = "`profiles` is a map of names, each with its `description` and `without`";
        report.push(Diagnostic::error(Code::WrongType, &entry.value.span, message));
        return Vec::new();
    };
    entries.iter().filter_map(|entry| profile(report, entry)).collect()
}

/// A profile of which a part cannot be read is there without that part: whoever asks for it does not get another one.
fn profile(report: &mut Report<'_>, entry: &Entry<'_>) -> Option<ProfileDraft> {
    let key = &entry.key;
    let is_letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_');
    if key.text.is_empty() || !key.text.bytes().all(is_letter) {
        let message = format!("`{}` cannot be the name of a profile", key.text);
        let diagnostic = Diagnostic::error(Code::InvalidName, &key.span, message);
        report.push(diagnostic.help("names consist of lower-case letters, digits, `-` and `_`"));
        return None;
    }
    let name = Reference { text: key.text.to_string(), span: key.span.clone() };
    let Content::Map(entries) = &entry.value.content else {
        let message = "a profile is a map of `description` and `without`";
        report.push(Diagnostic::error(Code::WrongType, &entry.value.span, message));
        return Some(ProfileDraft { name, description: None, without: Vec::new() });
    };
    strict_keys(report, entries, "a profile", &["description", "without"]);
    let find = |key| entries.iter().find(|entry: &&Entry<'_>| entry.key.text == key);
    let description = find("description").and_then(|entry| metadata::text(report, entry));
    let without = find("without").filter(|entry| !is_empty_list(&entry.value));
    Some(ProfileDraft {
        name,
        description: description.map(|text| text.text.trim_end().to_owned()),
        without: without.and_then(|entry| reference::list(report, entry)).unwrap_or_default(),
    })
}

fn is_empty_list(node: &Node<'_>) -> bool {
    matches!(&node.content, Content::List(members) if members.is_empty())
}

impl Draft {
    /// Adds what another document says.
    pub(super) fn add(&mut self, more: Self, found: &mut Vec<Diagnostic>) {
        self.fields.extend(more.fields);
        if let (Some((_, first)), Some((_, second))) = (&self.overlaps, &more.overlaps) {
            let message = "what becomes of overlaps is settled twice";
            let diagnostic = Diagnostic::error(Code::DuplicateKey, second, message);
            found.push(diagnostic.related(first, "first here").help("keep one of them"));
        }
        self.overlaps = self.overlaps.take().or(more.overlaps);
        if let (Some(first), Some(second)) = (&self.profile, &more.profile) {
            let message = "the profile is chosen twice";
            let diagnostic = Diagnostic::error(Code::DuplicateKey, &second.span, message);
            found.push(diagnostic.related(&first.span, "first here").help("keep one of them"));
        }
        self.profile = self.profile.take().or(more.profile);
        for profile in more.profiles {
            match self.profiles.iter().find(|first| first.name.text == profile.name.text) {
                None => self.profiles.push(profile),
                Some(first) => {
                    let message = format!("the name `{}` is taken", profile.name.text);
                    let diagnostic = Diagnostic::error(Code::DuplicateName, &profile.name.span, message);
                    let diagnostic = diagnostic.related(&first.name.span, "by this profile");
                    found.push(diagnostic.help("every profile needs its own"));
                }
            }
        }
    }

    /// Looks up what the profiles name, and says what is wrong with that. What is unknown is left out.
    pub(super) fn resolve(
        self,
        registry: &Registry,
        rules: &[Rule],
        correlations: &[Correlation],
        found: &mut Vec<Diagnostic>,
    ) -> Settings {
        let profile = self.chosen(found);
        let resolved = |draft: ProfileDraft| {
            let named = look_up(&draft.without, registry, found);
            let gone = profile::with_servants(named.iter().map(|(name, _)| name.clone()), rules, correlations);
            found.extend(correlations.iter().filter_map(|correlation| stranded(correlation, &gone, &named)));
            let mut without: Vec<String> = gone.into_iter().collect();
            without.sort_unstable();
            Profile { name: draft.name.text, description: draft.description, without }
        };
        let overlaps = self.overlaps.map(|(overlaps, _)| overlaps).unwrap_or_default();
        Settings { fields: self.fields, overlaps, profile, profiles: self.profiles.into_iter().map(resolved).collect() }
    }

    /// The profile that is in force unless another one is asked for.
    fn chosen(&self, found: &mut Vec<Diagnostic>) -> Option<String> {
        let Some(chosen) = &self.profile else {
            if let Some(first) = self.profiles.first() {
                let message = "there are profiles, and no `profile` says which of them is in force";
                let diagnostic = Diagnostic::error(Code::MissingKey, &first.name.span, message);
                found.push(diagnostic.help(format!("add `profile: {}`, or another one", first.name.text)));
            }
            return None;
        };
        let names: Vec<&str> = self.profiles.iter().map(|profile| profile.name.text.as_str()).collect();
        if names.contains(&chosen.text.as_str()) {
            return Some(chosen.text.clone());
        }
        let message = format!("there is no profile `{}`", chosen.text);
        let diagnostic = Diagnostic::error(Code::UnknownValue, &chosen.span, message);
        found.push(match nearest(&chosen.text, names.iter().copied()) {
            Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
            None if names.is_empty() => diagnostic.help("`profiles` names them, and what each is without"),
            None => diagnostic.help(format!("known are {}", enumerate(&names))),
        });
        None
    }
}

/// What is not in force in a profile: the names, each with its place. What does not load is not in force anyway.
fn look_up<'d>(without: &'d [Reference], registry: &Registry, found: &mut Vec<Diagnostic>) -> Vec<(String, &'d Span)> {
    let mut named = Vec::with_capacity(without.len());
    for reference in without {
        if let Some((name, _)) = registry.find(reference) {
            named.push((name.to_owned(), &reference.span));
        } else {
            let message = format!("there is no rule, correlation or filter `{}`", reference.text);
            found.push(Diagnostic { message, ..registry.unknown(reference) });
        }
    }
    named
}

/// Warns of a correlation that stays in force and cannot fire any more.
fn stranded(correlation: &Correlation, gone: &profile::Names, named: &[(String, &Span)]) -> Option<Diagnostic> {
    if gone.contains(&correlation.header.name) {
        return None;
    }
    let kind = &correlation.kind;
    let needs_all = matches!(kind, CorrelationKind::Temporal | CorrelationKind::TemporalOrdered);
    let mut missing = correlation.rules.iter().filter(|rule| gone.contains(*rule));
    let first = missing.next()?;
    let fires_without =
        !(needs_all && correlation.condition.is_empty()) && missing.count() + 1 < correlation.rules.len();
    // What goes along unnamed serves nothing that stays, so that this one is named.
    let (_, span) = named.iter().find(|(name, _)| name == first).filter(|_| !fires_without)?;
    let message = format!("without `{first}`, the correlation `{}` never fires", correlation.header.name);
    let diagnostic = Diagnostic::warning(Code::UnknownRule, span, message);
    let diagnostic = diagnostic.related(&correlation.header.span, "this one");
    Some(diagnostic.help("put the correlation there as well, or leave its rule in force"))
}
