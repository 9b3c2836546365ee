//! What there is to say about rules, in the order in which people look for them.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use serde::Serialize;
use uuid::Uuid;

use crate::alert::Attack;
use crate::attack::{self, TACTICS};
use crate::correlate::{HashKey, Plan};
use crate::diagnostic::Sources;
use crate::lint::needs::{self, Needs};
use crate::rule::{Correlation, Header, Level, Profile, Reading, Rule};

/// All rules, and what of ATT&CK they cover.
#[derive(Serialize)]
pub(super) struct Catalogue<'r> {
    /// Those that alert by tactic, the highest level first; then the others, by name.
    pub(super) rules: Vec<Entry<'r>>,
    /// In the order written.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) profiles: Vec<ListedProfile<'r>>,
    pub(super) attack: Coverage<'r>,
}

/// A rule or a correlation.
#[derive(Serialize)]
pub(super) struct Entry<'r> {
    pub(super) name: &'r str,
    id: String,
    pub(super) title: &'r str,
    pub(super) level: &'static str,
    pub(super) status: &'static str,
    /// As seen from the directory of the rules.
    pub(super) file: String,
    /// As tags write them, the one that it is listed under first.
    pub(super) tactics: Vec<&'static str>,
    /// Their ids.
    pub(super) techniques: Vec<String>,
    /// Whether it alerts by itself.
    pub(super) alerts: bool,
    pub(super) needs: Vec<&'static str>,
    /// In which it is in force; none stands for all of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) profiles: Option<Vec<&'r str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) correlation: Option<Correlated<'r>>,
    /// The correlations that look at it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) seen_by: Vec<&'r str>,
}

/// A profile of the rules.
#[derive(Serialize)]
pub(super) struct ListedProfile<'r> {
    pub(super) name: &'r str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) description: Option<&'r str>,
    /// Whether it is in force unless another one is asked for.
    pub(super) default: bool,
    /// The rules, correlations and filters that are not in force.
    pub(super) without: &'r [String],
}

/// What a correlation looks at.
#[derive(Serialize)]
pub(super) struct Correlated<'r> {
    #[serde(rename = "type")]
    pub(super) kind: &'static str,
    pub(super) timespan: String,
    pub(super) rules: &'r [String],
}

/// How much of ATT&CK the rules that alert cover.
#[derive(Serialize)]
pub(super) struct Coverage<'r> {
    pub(super) version: &'static str,
    /// In the order of the matrix; none is left out.
    pub(super) tactics: Vec<CoveredTactic<'r>>,
}

/// A tactic with the techniques that rules with this tactic name and that serve it.
#[derive(Serialize)]
pub(super) struct CoveredTactic<'r> {
    /// As tags write it.
    pub(super) tactic: &'static str,
    pub(super) id: &'static str,
    pub(super) name: &'static str,
    /// How many rules have it.
    pub(super) rules: usize,
    /// By id, with the names of the rules.
    pub(super) techniques: BTreeMap<String, Vec<&'r str>>,
}

impl<'r> Catalogue<'r> {
    /// The catalogue of the rules that were read from `path`.
    pub(super) fn new(path: &Path, sources: &Sources, reading: &'r Reading) -> Self {
        let directory = if path.is_dir() { Some(path) } else { path.parent() };
        let reader = Reader { directory, sources, reading, plan: plan(reading), needs: needs::of(reading) };
        let rules = reading.rules.iter().map(|rule| reader.entry(&rule.header, None));
        let correlations = reading.correlations.iter();
        let correlations = correlations.map(|correlation| reader.entry(&correlation.header, Some(correlation)));
        let mut rules: Vec<Entry<'r>> = rules.chain(correlations).collect();
        rules.sort_by_key(place);
        let attack = Coverage::of(&rules);
        let settings = &reading.settings;
        let listed = |profile: &'r Profile| ListedProfile {
            name: &profile.name,
            description: profile.description.as_deref(),
            default: settings.profile.as_ref() == Some(&profile.name),
            without: &profile.without,
        };
        Self { rules, profiles: settings.profiles.iter().map(listed).collect(), attack }
    }

    /// How many alert, and how many do not.
    pub(super) fn numbers(&self) -> (usize, usize) {
        let alerting = self.rules.iter().filter(|entry| entry.alerts).count();
        (alerting, self.rules.len() - alerting)
    }

    /// How many alert at each level, the highest first, without levels that none has.
    pub(super) fn levels(&self) -> Vec<(&'static str, usize)> {
        let of = |level: Level| self.rules.iter().filter(|entry| entry.alerts && entry.level == level.as_str()).count();
        let levels = Level::ALL.into_iter().rev().map(|level| (level.as_str(), of(level)));
        levels.filter(|(_, number)| *number > 0).collect()
    }
}

/// Where an entry stands among all.
fn place<'r>(entry: &Entry<'r>) -> (bool, usize, usize, &'r str) {
    if !entry.alerts {
        return (true, 0, 0, entry.name);
    }
    let tactic = TACTICS.iter().position(|tactic| entry.tactics.first() == Some(&tactic.tag));
    let below = Level::ALL.iter().rev().position(|level| level.as_str() == entry.level);
    (false, tactic.unwrap_or(TACTICS.len()), below.unwrap_or_default(), entry.name)
}

/// Which rules alert by themselves, as the function decides it.
fn plan(reading: &Reading) -> Plan {
    let rules: Vec<&Rule> = reading.rules.iter().collect();
    Plan::compile(&rules, &reading.correlations, Uuid::nil(), HashKey::default())
}

/// What entries are made from.
struct Reader<'r, 's> {
    directory: Option<&'s Path>,
    sources: &'s Sources,
    reading: &'r Reading,
    plan: Plan,
    needs: HashMap<&'r str, Needs>,
}

impl<'r> Reader<'r, '_> {
    fn entry(&self, header: &'r Header, correlation: Option<&'r Correlation>) -> Entry<'r> {
        let attacks: Vec<Attack> = header.tags.iter().filter_map(|tag| Attack::from_tag(tag)).collect();
        let spec = self.plan.find(header.id).and_then(|id| self.plan.spec(id));
        let needs = self.needs.get(header.name.as_str()).copied().unwrap_or_default();
        let words = [(needs.request_entries, "request entries"), (needs.root_namespace, "root namespace")];
        let looking = self.reading.correlations.iter().filter(|correlation| correlation.rules.contains(&header.name));
        Entry {
            name: &header.name,
            id: header.id.to_string(),
            title: &header.title,
            level: header.level.as_str(),
            status: header.status.as_str(),
            file: self.file(header),
            tactics: attacks.iter().filter_map(known_tactic).collect(),
            techniques: attacks.iter().filter_map(technique).collect(),
            alerts: spec.is_some_and(|spec| spec.alerts),
            profiles: self.profiles(header),
            needs: words.into_iter().filter(|(is_needed, _)| *is_needed).map(|(_, word)| word).collect(),
            correlation: correlation.map(Correlated::of),
            seen_by: looking.map(|correlation| correlation.header.name.as_str()).collect(),
        }
    }

    /// The profiles that it is in force in, if that is not in all of them.
    fn profiles(&self, header: &Header) -> Option<Vec<&'r str>> {
        let all = &self.reading.settings.profiles;
        let having = all.iter().filter(|profile| profile.has(&header.name)).map(|profile| profile.name.as_str());
        let having: Vec<&str> = having.collect();
        (having.len() < all.len()).then_some(having)
    }

    fn file(&self, header: &Header) -> String {
        let path = self.sources.get(header.span.source).map_or("", |source| &source.path);
        let below = self.directory.and_then(|directory| Path::new(path).strip_prefix(directory).ok());
        below.unwrap_or(Path::new(path)).display().to_string()
    }
}

fn known_tactic(attack: &Attack) -> Option<&'static str> {
    let Attack::Tactic(name) = attack else { return None };
    TACTICS.iter().map(|tactic| tactic.tag).find(|tag| tag == name)
}

fn technique(attack: &Attack) -> Option<String> {
    let Attack::Technique(id) = attack else { return None };
    Some(id.clone())
}

impl<'r> Correlated<'r> {
    fn of(correlation: &'r Correlation) -> Self {
        Self { kind: correlation.kind.as_str(), timespan: correlation.timespan.to_string(), rules: &correlation.rules }
    }
}

impl Entry<'_> {
    /// The profiles that it is in force in, in words; nothing if that is all of them.
    pub(super) fn in_profiles(&self) -> Option<String> {
        Some(match self.profiles.as_ref()?.as_slice() {
            [] => "no profile".to_owned(),
            [only] => format!("profile {only}"),
            several => format!("profiles {}", several.join(", ")),
        })
    }

    /// Whether it is about a technique for the sake of a tactic. Tags do not say which belongs to which, but ATT&CK does;
    /// a technique that serves none of the rule's tactics counts under the first of them.
    fn covers(&self, technique: &str, tactic: &str) -> bool {
        let serving = |tactic: &&str| attack::serves(technique, tactic);
        if self.tactics.iter().any(serving) {
            return self.tactics.contains(&tactic) && serving(&tactic);
        }
        self.tactics.first() == Some(&tactic)
    }
}

impl<'r> Coverage<'r> {
    fn of(entries: &[Entry<'r>]) -> Self {
        let alerting: Vec<&Entry<'r>> = entries.iter().filter(|entry| entry.alerts).collect();
        let tactics = TACTICS.iter().map(|tactic| {
            let mut techniques: BTreeMap<String, Vec<&str>> = BTreeMap::new();
            for entry in &alerting {
                for technique in entry.techniques.iter().filter(|technique| entry.covers(technique, tactic.tag)) {
                    techniques.entry(technique.clone()).or_default().push(entry.name);
                }
            }
            CoveredTactic {
                tactic: tactic.tag,
                id: tactic.id,
                name: tactic.name,
                rules: alerting.iter().filter(|entry| entry.tactics.contains(&tactic.tag)).count(),
                techniques,
            }
        });
        Self { version: attack::VERSION, tactics: tactics.collect() }
    }
}
