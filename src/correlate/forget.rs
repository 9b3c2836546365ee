//! What a window forgets, and what it keeps of that.

use hashbrown::{HashMap, HashSet};

use super::entry::Entry;
use super::measure;
use super::spec::WindowSpec;
use super::window::Window;
use super::{LATENESS, Nanoseconds};

/// How many incidents that are over are remembered, so that a late redelivery does not open them again.
const MOST_CLOSED: usize = 32;

impl Window {
    /// Forgets what the condition can no longer need.
    pub(super) fn prune(&mut self, spec: &WindowSpec) {
        let Some(newest) = self.newest else { return };
        let oldest = newest.saturating_sub(spec.timespan).saturating_sub(LATENESS);
        let expired = self.entries.partition_point(|entry| entry.time < oldest);
        self.forget(spec, |index| index < expired);
        if spec.is_first_seen() {
            self.keep_last_sightings(spec, newest);
        }
        self.evict(spec);
        let closed = self.incidents.iter().filter(|incident| incident.closed).count();
        let mut surplus = closed.saturating_sub(MOST_CLOSED);
        self.incidents.retain(|incident| {
            let goes = incident.closed && surplus > 0;
            surplus -= usize::from(goes);
            !goes
        });
    }

    /// Keeps the last sighting of each value, and a first one that may still be judged otherwise.
    fn keep_last_sightings(&mut self, spec: &WindowSpec, newest: Nanoseconds) {
        let class = |entry: &Entry| measure::class(spec.measure, entry);
        let mut later = HashSet::new();
        let stays = |entry: &Entry| {
            let is_last = later.insert(class(entry));
            is_last || (!entry.marks.known && entry.time >= newest.saturating_sub(LATENESS))
        };
        let mut stay: Vec<bool> = self.entries.iter().rev().map(stays).collect();
        stay.reverse();
        self.forget(spec, |index| !stay.get(index).copied().unwrap_or(true));
    }

    /// Keeps the window small: of the largest class of like entries the oldest go, but those that fired last.
    fn evict(&mut self, spec: &WindowSpec) {
        let surplus = self.entries.len().saturating_sub(spec.most_entries());
        if surplus == 0 {
            return;
        }
        let class = |entry: &Entry| measure::class(spec.measure, entry).unwrap_or_default();
        let mut sizes: HashMap<u64, Size> = HashMap::new();
        for (index, entry) in self.entries.iter().enumerate() {
            let size = sizes.entry(class(entry)).or_default();
            *size = Size { entries: size.entries + 1, newest: index };
        }
        let mut quota = quotas(&sizes, self.entries.len() - surplus);
        let mut keep = vec![false; self.entries.len()];
        for fired in [true, false] {
            for (keep, entry) in keep.iter_mut().zip(&self.entries).rev().filter(|(_, it)| it.marks.fired == fired) {
                if let Some(left) = quota.get_mut(&class(entry)).filter(|left| **left > 0) {
                    *left -= 1;
                    *keep = true;
                }
            }
        }
        let newest = keep.iter().zip(&self.entries).rfind(|(keep, _)| !**keep).map(|(_, entry)| entry.time);
        self.thinned_until = self.thinned_until.max(newest);
        self.forget(spec, |index| !keep.get(index).copied().unwrap_or(true));
    }

    /// Drops entries, and remembers whether the run that is first then has fired.
    fn forget(&mut self, spec: &WindowSpec, goes: impl Fn(usize) -> bool) {
        let Self { entries, fired_until, .. } = self;
        let mut index = 0;
        let mut begun = false;
        entries.retain(|entry| {
            let goes = goes(index);
            index += 1;
            begun |= !goes;
            if goes && !begun {
                let goes_on = fired_until.is_some_and(|last| entry.time.saturating_sub(last) <= spec.timespan);
                *fired_until = (entry.marks.held && (entry.marks.fired || goes_on)).then_some(entry.time);
            }
            !goes
        });
    }
}

/// How many entries a class has, and where the newest one stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Size {
    entries: usize,
    newest: usize,
}

/// How many of each class may stay, so that no more than `room` do: the largest classes give first, of like ones those
/// that were there longest ago.
fn quotas(sizes: &HashMap<u64, Size>, room: usize) -> HashMap<u64, usize> {
    let mut ascending: Vec<(u64, Size)> = sizes.iter().map(|(class, size)| (*class, *size)).collect();
    ascending.sort_unstable_by_key(|(_, size)| *size);
    let mut left = room;
    let mut classes = ascending.len();
    let mut quotas = HashMap::with_capacity(classes);
    for (class, size) in ascending {
        let share = left.checked_div(classes).unwrap_or_default().min(size.entries);
        quotas.insert(class, share);
        left -= share;
        classes -= 1;
    }
    quotas
}
