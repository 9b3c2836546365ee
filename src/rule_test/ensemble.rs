//! A correlation with what it looks at.

use crate::correlate::HashKey;
use crate::pipeline::Analytics;
use crate::rule::{Correlation, Header, Reading, Rule};

use super::bare;

/// A correlation, and the rules and correlations that it looks at, directly or through others. What looks at it is left
/// out, so that it is heard here even if it only serves another correlation.
#[derive(Debug)]
pub struct Ensemble<'r> {
    /// The one that this is about.
    pub correlation: &'r Correlation,
    /// The rules about single events, in the order read.
    pub rules: Vec<&'r Rule>,
    /// The other correlations, in the order read.
    pub correlations: Vec<&'r Correlation>,
}

impl<'r> Ensemble<'r> {
    /// Gathers it from everything that was read.
    #[must_use]
    pub fn of(correlation: &'r Correlation, reading: &'r Reading) -> Self {
        let mut names: Vec<&str> = correlation.rules.iter().map(String::as_str).collect();
        let mut looked_at = 0;
        while let Some(name) = names.get(looked_at).copied() {
            let within = reading.correlations.iter().filter(|other| other.header.name == name);
            let further: Vec<&str> = within.flat_map(|other| &other.rules).map(String::as_str).collect();
            for name in further {
                if !names.contains(&name) {
                    names.push(name);
                }
            }
            looked_at += 1;
        }
        let is_named = |header: &Header| names.contains(&header.name.as_str());
        Self {
            correlation,
            rules: reading.rules.iter().filter(|rule| is_named(&rule.header)).collect(),
            correlations: reading.correlations.iter().filter(|other| is_named(&other.header)).collect(),
        }
    }

    /// Compiles it.
    #[must_use]
    pub fn compile(&self) -> Analytics {
        self.compile_with(vec![self.correlation.clone()])
    }

    /// Compiles these correlations in the place of the one that this is about.
    pub(super) fn compile_with(&self, correlations: Vec<Correlation>) -> Analytics {
        let rules = self.rules.iter().map(|rule| bare(rule)).collect();
        let correlations = self.correlations.iter().map(|other| (*other).clone()).chain(correlations).collect();
        Analytics::compile(rules, correlations, HashKey::default())
    }
}
