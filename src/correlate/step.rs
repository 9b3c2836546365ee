//! One contribution, one window: what every store and every replay does, in the same way.

use super::Nanoseconds;
use super::contribution::{Contribution, Match};
use super::plan::{About, Plan};
use super::told::Told;
use super::window::{Clock, Folded, Window};

/// What a step came to.
#[derive(Debug, Default)]
pub struct Step {
    /// What was claimed, and is to be published.
    pub told: Vec<Told>,
    /// The firings, as matches for other correlations.
    pub firings: Vec<Match>,
    /// Whether the window is another now, so that it must be written.
    pub changed: bool,
}

impl Contribution {
    /// Folds this into its window, and claims what is to be told.
    ///
    /// `describe` says what the alerts of an incident will say, given the match that opened it.
    pub fn fold_into(
        &self,
        window: &mut Window,
        plan: &Plan,
        clock: &Clock,
        describe: &mut dyn FnMut(&Self, &Match) -> Vec<u8>,
    ) -> Step {
        let Some(spec) = plan.spec(self.spec) else { return Step::default() };
        let delivery = plan.key().delivery(&self.entries);
        let folded = window.fold(spec, &self.group, &self.entries, delivery);
        for id in &folded.opened {
            let telling = window.incident(*id).and_then(|incident| self.telling(incident.opener));
            if let Some(description) = telling.map(|telling| describe(self, telling)) {
                window.describe(*id, description);
            }
        }
        if folded.changed {
            window.note_addresses(&self.addresses(plan));
        }
        let announcements = window.claim(spec, clock);
        let told = announcements.iter().filter_map(|it| Told::of(self.spec, window, Some(self), it)).collect();
        window.prune(spec);
        Step { told, firings: self.firings(plan, &folded), changed: folded.changed || !announcements.is_empty() }
    }

    /// What other correlations see of it. Of rules they see the matches themselves.
    fn firings(&self, plan: &Plan, folded: &Folded) -> Vec<Match> {
        match plan.about(self.spec) {
            About::Correlation(_) => folded.firings.iter().filter_map(|firing| self.fired(firing)).collect(),
            About::Rule(_) | About::Unreadable => Vec::new(),
        }
    }

    /// When an event came from which address, hashed.
    fn addresses(&self, plan: &Plan) -> Vec<(Nanoseconds, u64)> {
        let address = |found: &Match| {
            let address = found.values.get("request.remote_address").first()?;
            Some((found.time, plan.key().values(std::slice::from_ref(address))))
        };
        let mut addresses: Vec<(Nanoseconds, u64)> = self.matches.iter().filter_map(address).collect();
        addresses.sort_unstable_by_key(|(time, address)| (*address, *time));
        addresses.dedup_by_key(|(_, address)| *address);
        addresses
    }
}
