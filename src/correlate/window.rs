//! What one analytic remembers of one group.

use hashbrown::HashMap;
use uuid::Uuid;

use super::Nanoseconds;
use super::entry::Entry;
use super::group::Group;
use super::incident::{Incident, Owner};
use super::measure::{self, Verdict};
use super::spec::{Measure, WindowSpec, integer};

/// How many deliveries are remembered: a redelivery of any of them changes nothing, even after its entries are gone.
const MOST_DELIVERIES: usize = 512;

/// How many firings are remembered.
const MOST_FIRINGS: usize = 64;

/// How many incidents of one window may be under way: what would open more is counted in the last one.
const MOST_OPEN: usize = 64;

/// The state of one analytic for one group.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Window {
    /// By [`Entry::order`].
    pub(super) entries: Vec<Entry>,
    /// By when they were opened.
    pub(super) incidents: Vec<Incident>,
    /// What was folded in, the newest last.
    pub(super) deliveries: Vec<u64>,
    /// The time of the newest entry ever.
    pub(super) newest: Option<Nanoseconds>,
    /// The time of the oldest entry ever.
    pub(super) since: Option<Nanoseconds>,
    /// If the entries that are gone ended in a run that fired: the time of the last one. The run may go on.
    pub(super) fired_until: Option<Nanoseconds>,
    /// The newest of the entries that had to go before their time.
    pub(super) thinned_until: Option<Nanoseconds>,
    /// If others look at it, what fired last, with the delivery that brought it about: whoever tries again finds it.
    pub(super) firings: Vec<(u64, Firing)>,
}

/// What time it is, in nanoseconds since 1970.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    /// By the log: the newest event time of the batch.
    pub event_time: Nanoseconds,
    /// By the machine's clock, for leases alone.
    pub now: Nanoseconds,
    /// Until when what this invocation claims is its own, by the machine's clock.
    pub lease: Nanoseconds,
    /// This invocation.
    pub owner: Owner,
}

/// That the condition became true.
#[derive(Debug, Clone, PartialEq)]
pub struct Firing {
    /// The entry with which it did.
    pub entry: Entry,
}

/// What came of folding.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Folded {
    /// The firings that the entries brought about, now or when they were first folded in.
    pub firings: Vec<Firing>,
    /// The incidents that were opened.
    pub opened: Vec<Uuid>,
    /// Whether the window is another now.
    pub changed: bool,
}

impl Window {
    /// Joins entries to the window, in whatever order, and looks at what they change.
    ///
    /// `delivery` names what is folded in: the same entries have the same name. Folding it again changes nothing.
    pub fn fold(&mut self, spec: &WindowSpec, group: &Group, entries: &[Entry], delivery: u64) -> Folded {
        if self.deliveries.contains(&delivery) {
            let firings = self.firings.iter().filter(|(of, _)| *of == delivery).map(|(_, firing)| firing.clone());
            return Folded { firings: firings.collect(), ..Folded::default() };
        }
        let mut folded = Folded { changed: true, ..Folded::default() };
        let newest = self.newest;
        if let Some(changed) = self.join(spec, entries) {
            (folded.firings, folded.opened) = self.evaluate(spec, group, changed, newest);
        }
        self.remember(spec, delivery, &folded.firings);
        folded
    }

    /// The window of a whole log, in which nothing is forgotten: for whoever looks at what became of it.
    #[must_use]
    pub fn whole(spec: &WindowSpec, group: &Group, entries: &[Entry]) -> Self {
        let mut window = Self::default();
        if let Some(changed) = window.join(spec, entries) {
            window.evaluate(spec, group, changed, None);
        }
        window
    }

    /// The entries, by [`Entry::order`].
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// What is found out about each entry, as far as the others are still there.
    #[must_use]
    pub fn verdicts(&self, spec: &WindowSpec) -> Vec<Verdict> {
        measure::verdicts(spec, &self.entries, 0..self.entries.len(), self.since.unwrap_or_default())
    }

    /// The firings among the entries.
    pub(super) fn all_firings(&self) -> Vec<Firing> {
        let fired = self.entries.iter().filter(|entry| entry.marks.fired);
        fired.map(|entry| Firing { entry: entry.clone() }).collect()
    }

    fn remember(&mut self, spec: &WindowSpec, delivery: u64, firings: &[Firing]) {
        self.deliveries.push(delivery);
        let surplus = self.deliveries.len().saturating_sub(MOST_DELIVERIES);
        self.deliveries.drain(..surplus);
        if spec.feeds {
            self.firings.extend(firings.iter().map(|firing| (delivery, firing.clone())));
            let surplus = self.firings.len().saturating_sub(MOST_FIRINGS);
            self.firings.drain(..surplus);
        }
    }

    /// Adds what is not there yet; returns the span of time that changed.
    fn join(&mut self, spec: &WindowSpec, entries: &[Entry]) -> Option<(Nanoseconds, Nanoseconds)> {
        let mut known: HashMap<(u16, u64), usize> =
            self.entries.iter().enumerate().map(|(index, entry)| (entry.identity(), index)).collect();
        let sighted = self.sighted(spec);
        let mut changed = self.note_times(spec, entries);
        for entry in entries {
            let class = measure::class(spec.measure, entry);
            if class.and_then(|class| sighted.get(&class)).is_some_and(|sighted| sighted.is_later(entry.time)) {
                continue;
            }
            let stood_at = match known.get(&entry.identity()).and_then(|index| self.entries.get_mut(*index)) {
                None => {
                    known.insert(entry.identity(), self.entries.len());
                    self.entries.push(entry.clone());
                    entry.time
                }
                // Of a request and its response, the first one counts.
                Some(later) if entry.time < later.time => {
                    let stood_at = later.time;
                    let counted = self.incidents.iter_mut().filter(|it| later.marks.counted && it.is_about(later));
                    counted.for_each(|incident| incident.first = incident.first.min(entry.time));
                    later.time = entry.time;
                    later.event.clone_from(&entry.event);
                    stood_at
                }
                Some(_) => continue,
            };
            let (first, last) = changed.unwrap_or((entry.time, stood_at));
            changed = Some((first.min(entry.time), last.max(stood_at)));
        }
        if changed.is_some() {
            self.entries.sort_by(Entry::order);
        }
        changed
    }

    /// Takes note of the newest and the oldest entry. A group that turns out to have been there earlier has learned
    /// earlier: returns the span of time that this changes.
    fn note_times(&mut self, spec: &WindowSpec, entries: &[Entry]) -> Option<(Nanoseconds, Nanoseconds)> {
        let before = self.since;
        self.newest = entries.iter().map(|entry| entry.time).chain(self.newest).max();
        self.since = entries.iter().map(|entry| entry.time).chain(self.since).min();
        match (spec.measure, self.since, before) {
            (Measure::FirstSeen { warmup }, Some(since), Some(before)) if since < before => {
                Some((since, before.saturating_add(warmup)))
            }
            _ => None,
        }
    }

    /// For values that are remembered: when each was seen.
    fn sighted(&self, spec: &WindowSpec) -> HashMap<u64, Sighted> {
        let mut sighted: HashMap<u64, Sighted> = HashMap::new();
        for entry in self.entries.iter().filter(|_| spec.is_first_seen()) {
            let Some(class) = measure::class(spec.measure, entry) else { continue };
            let sighted = sighted.entry(class).or_default();
            sighted.last = entry.time;
            if !entry.marks.known && !entry.marks.fired {
                sighted.undecided = Some(entry.time);
            }
        }
        sighted
    }

    /// Looks at the entries whose timespan changed; `newest` was the newest before that. Returns what fired and what was
    /// opened.
    fn evaluate(
        &mut self,
        spec: &WindowSpec,
        group: &Group,
        (first, last): (Nanoseconds, Nanoseconds),
        newest: Option<Nanoseconds>,
    ) -> (Vec<Firing>, Vec<Uuid>) {
        let start = self.entries.partition_point(|entry| entry.time < first);
        let reach = last.saturating_add(spec.timespan);
        let end = self.entries.partition_point(|entry| entry.time <= reach);
        let mut verdicts = measure::verdicts(spec, &self.entries, start..end, self.since.unwrap_or_default());
        self.stand_by(spec, start, newest, &mut verdicts);
        for (entry, verdict) in self.entries.iter_mut().skip(start).zip(&verdicts) {
            entry.marks.held = verdict.holds;
            entry.marks.known |= spec.is_first_seen() && verdict.measured != Some(integer(1));
        }
        let firings = self.fire(spec, start..end);
        let opened = if spec.alerts { self.open_and_count(spec, group, start, &verdicts) } else { Vec::new() };
        (firings, opened)
    }

    /// Opens the incidents that are not there yet, and counts what they cover; returns those opened.
    fn open_and_count(&mut self, spec: &WindowSpec, group: &Group, start: usize, verdicts: &[Verdict]) -> Vec<Uuid> {
        let mut opened = Vec::new();
        let mut counted = 0;
        let mut before: Option<usize> = None;
        for (index, verdict) in (start..).zip(verdicts).filter(|(_, verdict)| verdict.holds) {
            // Runs may be long: where one goes on, it need not be looked for.
            let same_run = before.filter(|_| spec.is_by_run() && counted == index && self.goes_on(spec, index));
            before = same_run.or_else(|| self.incident_at(spec, group, index, &mut opened));
            let Some(place) = before else { continue };
            let Self { entries, incidents, .. } = self;
            let Some(incident) = incidents.get_mut(place) else { continue };
            // Other values lie within the timespan of a first sighting, and are no part of it.
            let reach = if spec.is_first_seen() { index } else { verdict.since };
            let since = counted.max(reach);
            for entry in entries.iter_mut().take(index + 1).skip(since).filter(|entry| !entry.marks.counted) {
                entry.marks.counted = true;
                incident.count(entry.time);
            }
            // What came late split a run: this one's events were counted in the other, and an incident has one at least.
            if incident.count == 0 {
                incident.count(incident.opened);
            }
            counted = index + 1;
        }
        self.incidents.sort_by_key(|incident| incident.opened);
        opened
    }

    /// The incident that covers an entry at which the condition holds, or a new one.
    fn incident_at(&mut self, spec: &WindowSpec, group: &Group, index: usize, opened: &mut Vec<Uuid>) -> Option<usize> {
        let entry = self.entries.get(index)?;
        let value = measure::class(spec.measure, entry).filter(|_| spec.is_first_seen());
        let covering = if spec.is_by_run() { self.of_run(spec, index) } else { self.covering(spec, entry.time, value) };
        if covering.is_some() {
            return covering;
        }
        let id = alert_id(spec.analytic, group, entry);
        let known = self.incidents.iter().position(|incident| incident.id == id);
        if let Some(place) = known.or_else(|| self.last_of_too_many()) {
            return Some(place);
        }
        opened.push(id);
        self.incidents.push(Incident {
            id,
            opened: entry.time,
            opener: entry.identity(),
            event: entry.event.clone(),
            value,
            first: entry.time,
            last: entry.time,
            count: 0,
            announced: 0,
            claim: None,
            closed: false,
            addresses: Vec::new(),
            description: Vec::new(),
        });
        Some(self.incidents.len() - 1)
    }

    fn covering(&self, spec: &WindowSpec, time: Nanoseconds, value: Option<u64>) -> Option<usize> {
        let covers = |incident: &Incident| incident.covers(spec, time, value);
        let before = self.incidents.iter().rposition(|incident| incident.opened <= time && covers(incident));
        before.or_else(|| self.incidents.iter().position(covers))
    }

    fn last_of_too_many(&self) -> Option<usize> {
        let open = self.incidents.iter().filter(|incident| !incident.closed).count();
        if open < MOST_OPEN { None } else { self.incidents.iter().rposition(|incident| !incident.closed) }
    }
}

/// When a value was seen.
#[derive(Debug, Clone, Copy, Default)]
struct Sighted {
    last: Nanoseconds,
    /// A first time of which nothing came so far, because the group was new.
    undecided: Option<Nanoseconds>,
}

impl Sighted {
    /// Whether an earlier sighting is no news. Instead of one that is undecided, it may be the first.
    fn is_later(&self, time: Nanoseconds) -> bool {
        self.last >= time && self.undecided.is_none_or(|undecided| undecided < time)
    }
}

/// The same firing of the same group gets the same id.
fn alert_id(analytic: Uuid, group: &Group, entry: &Entry) -> Uuid {
    let mut name = group.id.as_bytes().to_vec();
    name.extend(entry.rule.to_be_bytes());
    name.extend(entry.id.to_be_bytes());
    Uuid::new_v5(&analytic, &name)
}
