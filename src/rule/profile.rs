//! What is in force of all that was read: not what a profile is without, and not what is switched off by name.

use hashbrown::HashSet;
use uuid::Uuid;

use super::suggest::enumerate;
use super::{Correlation, Header, Level, Reading, Rule, Settings};
use crate::diagnostic::Diagnostic;

/// A way to run Vault, by the rules and filters that make no sense there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// As it is asked for.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// The names of the rules, correlations and filters that are not in force, with the rules that only served these
    /// correlations; sorted.
    pub without: Vec<String>,
}

impl Profile {
    /// Whether the rule, correlation or filter of this name is in force.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.without.binary_search_by(|without| without.as_str().cmp(name)).is_err()
    }
}

/// A profile was asked for that there is not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no profile `{asked}`: {}", those(known))]
pub struct UnknownProfile {
    /// What was asked for.
    pub asked: String,
    /// The profiles that there are.
    pub known: Vec<String>,
    /// Everything that is wrong with the rule files, which may be why.
    pub diagnostics: Vec<Diagnostic>,
}

fn those(known: &[String]) -> String {
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    match known.as_slice() {
        [] => "no `vaultwatch.yml` among the rules has profiles".to_owned(),
        [only] => format!("there is only `{only}`"),
        several => format!("there are {}", enumerate(several)),
    }
}

impl Settings {
    /// The profile that is asked for, or else the one that the settings choose; none if everything is in force.
    pub(super) fn choose(&self, asked: Option<&str>) -> Result<Option<&Profile>, UnknownProfile> {
        let wanted = asked.or(self.profile.as_deref());
        let found = self.profiles.iter().find(|profile| Some(profile.name.as_str()) == wanted);
        match asked {
            Some(asked) if found.is_none() => Err(UnknownProfile {
                asked: asked.to_owned(),
                known: self.profiles.iter().map(|profile| profile.name.clone()).collect(),
                diagnostics: Vec::new(),
            }),
            _ => Ok(found),
        }
    }
}

/// Names of rules, correlations and filters.
pub(super) type Names = HashSet<String>;

impl Reading {
    /// Takes out the rules that are named by id or name; returns the names that name none.
    ///
    /// A correlation that goes takes along what only served it: rules and correlations of the level `informational`
    /// that nothing else looks at, and that would begin to alert by themselves.
    pub fn disable(&mut self, named: &[String]) -> Vec<String> {
        let is = |header: &Header, name: &String| *name == header.name || Uuid::try_parse(name) == Ok(header.id);
        let headers =
            || self.rules.iter().map(|rule| &rule.header).chain(self.correlations.iter().map(|it| &it.header));
        let unknown = named.iter().filter(|name| !headers().any(|header| is(header, name))).cloned().collect();
        let known = headers().filter(|header| named.iter().any(|name| is(header, name)));
        let gone = with_servants(known.map(|header| header.name.clone()), &self.rules, &self.correlations);
        self.take_out(&gone);
        unknown
    }

    /// Takes out the rules and correlations of these names.
    pub(super) fn take_out(&mut self, gone: &Names) {
        self.rules.retain(|rule| !gone.contains(&rule.header.name));
        self.correlations.retain(|correlation| !gone.contains(&correlation.header.name));
    }
}

/// These names, and those of what only serves the correlations among them: rules and correlations of the level
/// `informational` that nothing else looks at, and that would begin to alert by themselves.
pub(super) fn with_servants(
    named: impl Iterator<Item = String>,
    rules: &[Rule],
    correlations: &[Correlation],
) -> Names {
    let mut gone: Names = named.collect();
    let mut going: Vec<&Correlation> = correlations.iter().filter(|it| gone.contains(&it.header.name)).collect();
    while let Some(correlation) = going.pop() {
        if correlation.generate {
            continue;
        }
        let stay = correlations.iter().filter(|it| !gone.contains(&it.header.name));
        let served: HashSet<&str> = stay.flat_map(|it| it.rules.iter().map(String::as_str)).collect();
        let goes = |header: &Header| {
            let only_served = correlation.rules.contains(&header.name) && !served.contains(header.name.as_str());
            only_served && header.level == Level::Informational && !gone.contains(&header.name)
        };
        let further: Vec<&Correlation> = correlations.iter().filter(|it| goes(&it.header)).collect();
        let along = rules.iter().map(|rule| &rule.header).filter(|header| goes(header));
        let along: Vec<String> = along.chain(further.iter().map(|it| &it.header)).map(|it| it.name.clone()).collect();
        gone.extend(along);
        going.extend(further);
    }
    gone
}
