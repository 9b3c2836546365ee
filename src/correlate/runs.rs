//! The runs of entries at which the condition holds: each fires once.

use std::ops::Range;

use super::Nanoseconds;
use super::entry::Entry;
use super::measure::Verdict;
use super::spec::WindowSpec;
use super::window::{Firing, Window};

impl Window {
    /// Where entries had to go, too few are left to judge those after them again: what held stands, and what arrives
    /// late amid a run belongs to it.
    pub(super) fn stand_by(
        &self,
        spec: &WindowSpec,
        start: usize,
        newest: Option<Nanoseconds>,
        verdicts: &mut [Verdict],
    ) {
        let Some(thinned_until) = self.thinned_until else { return };
        if spec.is_first_seen() {
            return;
        }
        let mut held = start.checked_sub(1).and_then(|before| self.entries.get(before)).is_some_and(|it| it.marks.held);
        for (entry, verdict) in self.entries.iter().skip(start).zip(verdicts) {
            if entry.time.saturating_sub(spec.timespan) <= thinned_until {
                verdict.holds |= entry.marks.held || (held && newest.is_some_and(|newest| entry.time < newest));
            }
            held = verdict.holds;
        }
    }

    /// Marks the first entry of each run in which nothing fired yet, and returns these.
    pub(super) fn fire(&mut self, spec: &WindowSpec, changed: Range<usize>) -> Vec<Firing> {
        let fire = |entry: &mut Entry| {
            entry.marks.fired = true;
            Firing { entry: entry.clone() }
        };
        // Every first sighting is one by itself.
        if spec.is_first_seen() {
            let changed = self.entries.get_mut(changed).unwrap_or_default().iter_mut();
            return changed.filter(|entry| entry.marks.held && !entry.marks.fired).map(fire).collect();
        }
        let mut firings = Vec::new();
        let mut at = self.run_start(spec, changed.start);
        while at < changed.end {
            let end = self.run_end(spec, at);
            let has_fired = at == 0 && self.goes_on(spec, 0);
            if let Some(run) = self.entries.get_mut(at..end)
                && !has_fired
                && !run.iter().any(|entry| entry.marks.fired)
                && let Some(entry) = run.first_mut().filter(|entry| entry.marks.held)
            {
                firings.push(fire(entry));
            }
            at = end;
        }
        firings
    }

    /// Whether a run goes on at an entry: it holds, as at the one before it, which is at most a timespan earlier.
    pub(super) fn goes_on(&self, spec: &WindowSpec, at: usize) -> bool {
        let before = match at.checked_sub(1) {
            None => self.fired_until,
            Some(before) => self.entries.get(before).filter(|entry| entry.marks.held).map(|entry| entry.time),
        };
        let (Some(before), Some(entry)) = (before, self.entries.get(at)) else { return false };
        entry.marks.held && (before..=before.saturating_add(spec.timespan)).contains(&entry.time)
    }

    /// Where the run begins that goes on at an entry.
    fn run_start(&self, spec: &WindowSpec, at: usize) -> usize {
        (1..=at).rev().find(|at| !self.goes_on(spec, *at)).unwrap_or(0)
    }

    /// Where the run ends that an entry is in.
    fn run_end(&self, spec: &WindowSpec, at: usize) -> usize {
        (at + 1..self.entries.len()).find(|at| !self.goes_on(spec, *at)).unwrap_or(self.entries.len())
    }

    /// The incident of the run that an entry is in.
    pub(super) fn of_run(&self, spec: &WindowSpec, index: usize) -> Option<usize> {
        let start = self.run_start(spec, index);
        if start == 0 && self.goes_on(spec, 0) {
            return self.incidents.len().checked_sub(1);
        }
        let run = self.entries.iter().take(self.run_end(spec, start)).skip(start);
        let fired = run.filter(|entry| entry.marks.fired).map(Entry::identity).collect::<Vec<_>>();
        self.incidents.iter().rposition(|incident| fired.contains(&incident.opener))
    }
}
