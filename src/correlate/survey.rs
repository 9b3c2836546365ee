//! What a whole log comes to for one correlation, with everything that its windows would have forgotten: for whoever
//! asks why it fires, or why it does not.

use super::contribution::{Contribution, Contributions, Match};
use super::plan::{Plan, SpecId};
use super::window::Window;

/// What a log comes to for one correlation.
#[derive(Debug, Default)]
pub struct Survey {
    /// Of each group, in no order that means anything.
    pub windows: Vec<SurveyedWindow>,
    /// How many matches took no part because a value to group by, or to compare, was absent.
    pub without_value: usize,
    /// The matches of all rules, and the firings of the correlations that it looks at.
    pub matches: Vec<Match>,
}

/// The window of one group.
#[derive(Debug)]
pub struct SurveyedWindow {
    /// What was folded in, and for which group.
    pub contribution: Contribution,
    /// What came of it.
    pub window: Window,
}

impl Survey {
    /// Folds the matches of a whole log into the windows of a correlation, and of those that it looks at.
    #[must_use]
    pub fn of(plan: &Plan, matches: Vec<Match>, correlation: SpecId) -> Self {
        let mut survey = Self { matches, ..Self::default() };
        for pass in 0..=plan.pass(correlation) {
            let mut firings = Vec::new();
            let contributions = Contributions::of(plan, &survey.matches, pass);
            for ((id, _), contribution) in contributions.windows {
                let Some(spec) = plan.spec(id) else { continue };
                let window = Window::whole(spec, &contribution.group, &contribution.entries);
                if id == correlation {
                    survey.windows.push(SurveyedWindow { contribution, window });
                } else {
                    firings.extend(window.all_firings().iter().filter_map(|firing| contribution.fired(firing)));
                }
            }
            survey.matches.extend(firings);
            survey.without_value = contributions.without_value;
        }
        survey
    }
}
