//! Windows of one log that is read from its start to its end, in this process alone: for the tests of rules.

use std::collections::BTreeMap;

use super::Nanoseconds;
use super::contribution::{Contribution, Contributions, Match};
use super::plan::{Plan, SpecId};
use super::told::Told;
use super::window::{Clock, Window};

/// All windows, by what they look for and their group.
#[derive(Debug, Default)]
pub struct Windows {
    windows: BTreeMap<(SpecId, [u8; 16]), Window>,
}

impl Windows {
    /// Folds in the matches of a batch; what it claims counts as published.
    pub fn correlate(
        &mut self,
        plan: &Plan,
        mut matches: Vec<Match>,
        event_time: Nanoseconds,
        describe: &mut dyn FnMut(&Contribution, &Match) -> Vec<u8>,
    ) -> Vec<Told> {
        let clock = Clock { event_time, now: 0, lease: 0, owner: 0 };
        let mut told = Vec::new();
        for pass in 0..plan.passes() {
            let mut firings = Vec::new();
            for (key, contribution) in Contributions::of(plan, &matches, pass).windows {
                let window = self.windows.entry(key).or_default();
                let step = contribution.fold_into(window, plan, &clock, describe);
                step.told.iter().for_each(|told| window.settle(&told.announcement, &clock));
                told.extend(step.told);
                firings.extend(step.firings);
            }
            matches.extend(firings);
        }
        told.sort_by_key(Told::place);
        told
    }

    /// The windows of one spec.
    pub fn of(&self, spec: SpecId) -> impl Iterator<Item = &Window> {
        self.windows.range((spec, [0; 16])..=(spec, [u8::MAX; 16])).map(|(_, window)| window)
    }
}
