//! Everything that raises alerts, compiled.

use std::sync::Arc;

use uuid::Uuid;

use crate::alert::{Analytic, Attack};
use crate::correlate::{About, HashKey, Plan, SpecId};
use crate::detect::RuleSet;
use crate::rule::{Correlation, Header, Level, Overlaps, Reading, Rule, Status};

/// Rules and correlations, compiled together.
#[derive(Debug)]
pub struct Analytics {
    rules: RuleSet,
    correlations: Vec<Correlation>,
    plan: Plan,
    of_rules: Vec<Arc<Analytic>>,
    of_correlations: Vec<Arc<Analytic>>,
    of_unreadable: Arc<Analytic>,
    overlaps: Overlaps,
}

impl Analytics {
    /// Compiles what was read, with what is settled for all of it. The key is for the hashes in windows; see
    /// [`HashKey`].
    #[must_use]
    pub fn of(reading: Reading, key: HashKey) -> Self {
        Self::compile(reading.rules, reading.correlations, key).with_overlaps(reading.settings.overlaps)
    }

    /// Compiles rules and correlations. The key is for the hashes in windows; see [`HashKey`].
    #[must_use]
    pub fn compile(rules: Vec<Rule>, correlations: Vec<Correlation>, key: HashKey) -> Self {
        let analytic = |header: &Header| Arc::new(Analytic::of(header));
        Self {
            of_rules: rules.iter().map(|rule| analytic(&rule.header)).collect(),
            of_correlations: correlations.iter().map(|correlation| analytic(&correlation.header)).collect(),
            of_unreadable: Arc::new(Analytic::unreadable_audit_events()),
            plan: Plan::compile(&rules.iter().collect::<Vec<_>>(), &correlations, UNREADABLE_ID, key),
            rules: RuleSet::compile(rules),
            correlations,
            overlaps: Overlaps::default(),
        }
    }

    /// The same, with another answer to what becomes of overlaps.
    #[must_use]
    pub fn with_overlaps(self, overlaps: Overlaps) -> Self {
        Self { overlaps, ..self }
    }

    /// Whether what this tells is told together with what others tell.
    pub(super) fn joins(&self, id: SpecId) -> bool {
        self.overlaps == Overlaps::Together && !self.analytic(id).shadow
    }

    /// The rules about single events.
    #[must_use]
    pub fn rules(&self) -> &RuleSet {
        &self.rules
    }

    /// Which match goes into which windows.
    #[must_use]
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// How many rules and correlations there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rules.len() + self.correlations.len()
    }

    /// Whether there is not one.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A correlation.
    pub(super) fn correlation(&self, place: usize) -> Option<&Correlation> {
        self.correlations.get(place)
    }

    /// What the alerts of a spec carry.
    pub(super) fn analytic(&self, id: SpecId) -> &Arc<Analytic> {
        let analytic = match self.plan.about(id) {
            About::Rule(rule) => self.of_rules.get(rule.place()),
            About::Correlation(place) => self.of_correlations.get(place),
            About::Unreadable => None,
        };
        analytic.unwrap_or(&self.of_unreadable)
    }

    /// The header of the rule or the correlation that a spec is about.
    pub(super) fn header(&self, id: SpecId) -> Option<&Header> {
        match self.plan.about(id) {
            About::Rule(rule) => Some(&self.rules.rule(rule)?.header),
            About::Correlation(place) => Some(&self.correlations.get(place)?.header),
            About::Unreadable => None,
        }
    }
}

impl Analytic {
    /// The part of a rule's header that its alerts carry.
    fn of(header: &Header) -> Self {
        Self {
            id: header.id,
            name: header.name.clone(),
            title: header.title.clone(),
            // A folded block of YAML ends in a line break.
            description: header.description.as_deref().map(|text| text.trim_end().to_owned()),
            level: header.level,
            shadow: header.status == Status::Experimental,
            references: header.references.clone(),
            falsepositives: header.falsepositives.clone(),
            runbook: header.alert.runbook.clone(),
            attacks: header.tags.iter().filter_map(|tag| Attack::from_tag(tag)).collect(),
        }
    }

    /// Log events that are no audit events: somebody may be hiding behind them, or the shipping is broken.
    fn unreadable_audit_events() -> Self {
        Self {
            id: UNREADABLE_ID,
            name: "unreadable_audit_events".to_owned(),
            title: "Audit log events could not be read".to_owned(),
            description: Some(
                "Log events in the audit log's stream are not JSON objects: cut off, damaged, or not from Vault. No \
                 rule has seen them."
                    .to_owned(),
            ),
            level: Level::Medium,
            shadow: false,
            references: Vec::new(),
            falsepositives: vec!["something other than Vault writes to the log group".to_owned()],
            runbook: vec![
                "Read the log events named here in CloudWatch: are they from Vault?".to_owned(),
                "If entries are cut off, look for requests with very many keys; shippers cut or drop what is over \
                 their limit."
                    .to_owned(),
            ],
            attacks: Vec::new(),
        }
    }
}

/// The id of the analytic `unreadable_audit_events`.
const UNREADABLE_ID: Uuid = Uuid::from_u128(0x5b1f_7a0e_2c64_4d0b_9a8f_6d1e_0c3b_7f42);
