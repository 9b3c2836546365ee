//! One invocation at the store: load, fold, save; then, once published, settle.
//!
//! Nothing is locked. A window that somebody else wrote meanwhile is folded again, onto what stands there now; each
//! touched window is read once, with the others, and written once, unless that happens.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::sleep;
use tracing::warn;
use uuid::Uuid;

use super::store::{Key, Store, StoreError, Stored, Write, Written};
use crate::correlate::{
    About, Announcement, Clock, Contribution, Contributions, Match, Plan, SpecId, Step, StoredError, Told, Window,
    WindowSpec, nanoseconds, timestamp,
};
use crate::deadline::Deadline;

/// The first pause before a lost race is run again; it doubles each time, up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(5);

const LONGEST_PAUSE: Duration = Duration::from_millis(500);

/// How long a claim lasts where there is no deadline.
const LEASE: Duration = Duration::from_mins(1);

/// Why a window could not be brought up to date.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StateError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What stands there cannot be read, and is left alone.
    #[error(transparent)]
    Stored(#[from] StoredError),
    /// Others wrote the same window again and again.
    #[error("a window was written by others every time, until no time was left")]
    Contended,
}

/// One invocation's dealings with the windows.
pub struct Session<'s> {
    plan: &'s Plan,
    store: &'s dyn Store,
    deadline: Deadline,
    clock: Clock,
    describe: &'s dyn Fn(&Contribution, &Match) -> Vec<u8>,
    /// Before a lost race is run again.
    first_pause: Duration,
    /// What this invocation wrote last, to settle on.
    written: BTreeMap<Key, (Option<SpecId>, u64, Window)>,
}

/// A message that this invocation has claimed, and where.
#[derive(Debug, Clone)]
pub struct Claimed {
    /// What it tells.
    pub told: Told,
    /// The window in which the claim stands; none if it could not be written, so that there is nothing to settle.
    pub key: Option<Key>,
}

impl AsRef<Told> for Claimed {
    fn as_ref(&self) -> &Told {
        &self.told
    }
}

/// What became of something claimed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settlement {
    /// It was published, or is not to be.
    Published,
    /// It could not be published.
    GivenUp,
}

/// What came of an invocation's matches.
#[derive(Debug, Default)]
pub struct Outcome {
    /// What is to be published.
    pub claimed: Vec<Claimed>,
    /// Windows that were touched.
    pub windows: usize,
    /// How many times a match took no part in a correlation, because a value was absent.
    pub without_value: usize,
    /// How many races were lost, and run again.
    pub conflicts: usize,
    /// Windows that could not be brought up to date.
    pub failures: Vec<StateError>,
}

/// A window under way.
struct Work {
    key: Key,
    contribution: Option<Contribution>,
    /// None if the rule is gone.
    spec: Option<SpecId>,
    window: Window,
    expected: Option<u64>,
    step: Step,
}

impl fmt::Debug for Session<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Session").field("clock", &self.clock).finish_non_exhaustive()
    }
}

impl<'s> Session<'s> {
    /// Opens a session.
    ///
    /// `event_time` is the newest of the batch; `describe` says what the alerts of an incident will say.
    #[must_use]
    pub fn new(
        plan: &'s Plan,
        store: &'s dyn Store,
        deadline: Deadline,
        event_time: Timestamp,
        describe: &'s dyn Fn(&Contribution, &Match) -> Vec<u8>,
    ) -> Self {
        let now = Timestamp::now();
        let (owner, _) = Uuid::new_v4().as_u64_pair();
        let lease = now.saturating_add(deadline.left().unwrap_or(LEASE)).unwrap_or(now);
        let clock =
            Clock { event_time: nanoseconds(event_time), now: nanoseconds(now), lease: nanoseconds(lease), owner };
        Self { plan, store, deadline, clock, describe, first_pause: FIRST_PAUSE, written: BTreeMap::new() }
    }

    /// As if the machine's clock stood at `now`, and without pauses: for whoever lets several invocations take turns.
    #[must_use]
    pub fn rehearsed(mut self, now: Timestamp) -> Self {
        let lease = now.saturating_add(LEASE).unwrap_or(now);
        self.clock = Clock { now: nanoseconds(now), lease: nanoseconds(lease), ..self.clock };
        self.first_pause = Duration::ZERO;
        self
    }

    /// Brings the windows up to date with these matches, and claims what is to be published.
    pub async fn correlate(&mut self, mut matches: Vec<Match>) -> Outcome {
        let mut outcome = Outcome::default();
        for pass in 0..self.plan.passes() {
            let contributions = Contributions::of(self.plan, &matches, pass);
            outcome.without_value += contributions.without_value;
            let firings = self.pass(contributions.windows.into_values().collect(), &mut outcome).await;
            matches.extend(firings);
        }
        outcome.claimed.sort_by_key(|claimed| claimed.told.place());
        outcome
    }

    /// Claims what others left to tell of windows in which nothing happens any more.
    pub async fn look_after(&mut self, outcome: &mut Outcome) {
        let until = timestamp(self.clock.event_time);
        let keys = match self.store.due(until, self.deadline).await {
            Ok(keys) => keys,
            Err(error) => return outcome.failures.push(error.into()),
        };
        let keys: Vec<Key> = keys.into_iter().filter(|key| !self.written.contains_key(key)).collect();
        let mut works = Vec::new();
        for (key, loaded) in keys.iter().zip(self.store.load(&keys, self.deadline).await) {
            match loaded {
                // Nothing in it waits for this invocation, whose retry would find it just as it is.
                Ok(Some(stored)) => match self.reopened(*key, &stored) {
                    Ok(work) => works.push(work),
                    Err(error) => warn!(%error, analytic = %key.analytic, "a window that is due is left alone"),
                },
                Ok(None) => {}
                Err(error) => outcome.failures.push(error.into()),
            }
        }
        self.save(works, outcome).await;
    }

    /// One pass: the firings that came of it.
    async fn pass(&mut self, contributions: Vec<Contribution>, outcome: &mut Outcome) -> Vec<Match> {
        let keys: Vec<Key> = contributions.iter().map(|contribution| self.key(contribution)).collect();
        outcome.windows += keys.len();
        let loaded = if keys.is_empty() { Vec::new() } else { self.store.load(&keys, self.deadline).await };
        let mut works = Vec::new();
        for ((key, contribution), loaded) in keys.into_iter().zip(contributions).zip(loaded) {
            match loaded.map_err(StateError::from).and_then(opened) {
                Ok(opened) => works.push(self.folded(key, contribution, opened)),
                Err(error) => self.tell_unsaved(&self.folded(key, contribution, Opened::default()), error, outcome),
            }
        }
        self.save(works, outcome).await
    }

    fn key(&self, contribution: &Contribution) -> Key {
        let analytic = self.plan.spec(contribution.spec).map_or(Uuid::nil(), |spec| spec.analytic);
        Key { analytic, group: contribution.group.hash }
    }

    fn folded(&self, key: Key, contribution: Contribution, (mut window, expected): Opened) -> Work {
        let mut describe = |contribution: &Contribution, found: &Match| (self.describe)(contribution, found);
        let step = contribution.fold_into(&mut window, self.plan, &self.clock, &mut describe);
        Work { key, spec: Some(contribution.spec), contribution: Some(contribution), window, expected, step }
    }

    /// A window that nothing is folded into: time has passed.
    fn reopened(&self, key: Key, stored: &Stored) -> Result<Work, StoredError> {
        let mut window = Window::from_bytes(&stored.state)?;
        let found = self.plan.find(key.analytic).and_then(|id| Some((id, self.plan.spec(id)?)));
        // If the rule is gone, there is nothing left to say of it.
        let told = found.map_or_else(Vec::new, |(id, spec)| {
            let announcements = window.claim(spec, &self.clock);
            announcements.iter().filter_map(|announcement| Told::of(id, &window, None, announcement)).collect()
        });
        let spec = found.map(|(id, _)| id);
        let step = Step { changed: spec.is_none() || !told.is_empty(), told, firings: Vec::new() };
        Ok(Work { key, contribution: None, spec, window, expected: Some(stored.version), step })
    }

    /// Saves what changed, folding again what others were faster with; returns the firings of what stands there then.
    async fn save(&mut self, works: Vec<Work>, outcome: &mut Outcome) -> Vec<Match> {
        let (mut waiting, unchanged): (Vec<Work>, Vec<Work>) = works.into_iter().partition(|work| work.step.changed);
        let mut firings: Vec<Match> = unchanged.into_iter().flat_map(|work| work.step.firings).collect();
        let mut pause = self.first_pause;
        while !waiting.is_empty() {
            let writes: Vec<Write> = waiting.iter().map(|work| self.write(work)).collect();
            let mut again = Vec::new();
            for (work, written) in waiting.into_iter().zip(self.store.save(&writes, self.deadline).await) {
                match written {
                    Ok(Written::Saved) => firings.extend(self.keep(work, outcome)),
                    Ok(Written::Lost(stored)) => match self.redone(&work, stored) {
                        Ok(redone) => again.push(redone),
                        Err(error) => self.tell_unsaved(&work, error, outcome),
                    },
                    Err(error) => self.tell_unsaved(&work, error.into(), outcome),
                }
            }
            outcome.conflicts += again.len();
            let unchanged: Vec<Work>;
            (waiting, unchanged) = again.into_iter().partition(|work| work.step.changed);
            firings.extend(unchanged.into_iter().flat_map(|work| work.step.firings));
            if !waiting.is_empty() && !self.wait(&mut pause).await {
                waiting.drain(..).for_each(|work| self.tell_unsaved(&work, StateError::Contended, outcome));
            }
        }
        firings
    }

    /// The same work, on what stands there now.
    fn redone(&self, work: &Work, stored: Option<Stored>) -> Result<Work, StateError> {
        match (&work.contribution, stored) {
            (Some(contribution), stored) => Ok(self.folded(work.key, contribution.clone(), opened(stored)?)),
            (None, Some(stored)) => Ok(self.reopened(work.key, &stored)?),
            (None, None) => Ok(Work::nothing(work.key)),
        }
    }

    /// Waits before a lost race is run again; false if there is no time for it.
    async fn wait(&self, pause: &mut Duration) -> bool {
        if !self.deadline.allows(*pause) {
            return false;
        }
        if !pause.is_zero() {
            sleep(jittered(*pause)).await;
        }
        *pause = (*pause * 2).min(LONGEST_PAUSE);
        true
    }

    fn write(&self, work: &Work) -> Write {
        let spec = work.spec.and_then(|id| self.plan.spec(id));
        Write {
            key: work.key,
            expected: work.expected,
            state: work.window.to_bytes(),
            expires: timestamp(self.clock.now.saturating_add(spec.map_or(0, WindowSpec::retention))),
            due: spec.and_then(|spec| work.window.due(spec)).map(timestamp),
        }
    }

    /// Takes note of what was saved, and returns its firings.
    fn keep(&mut self, work: Work, outcome: &mut Outcome) -> Vec<Match> {
        Self::tell(&work, Some(work.key), outcome);
        self.written.insert(work.key, (work.spec, work.expected.map_or(1, |version| version + 1), work.window));
        work.step.firings
    }

    /// At least once beats never: what is about single events is published all the same. What correlations found is
    /// found again when the invocation is tried again.
    fn tell_unsaved(&self, work: &Work, error: StateError, outcome: &mut Outcome) {
        outcome.failures.push(error);
        if work.contribution.is_some()
            && work.spec.is_some_and(|id| !matches!(self.plan.about(id), About::Correlation(_)))
        {
            Self::tell(work, None, outcome);
        }
    }

    fn tell(work: &Work, key: Option<Key>, outcome: &mut Outcome) {
        outcome.claimed.extend(work.step.told.iter().cloned().map(|told| Claimed { told, key }));
    }

    /// Records what was published, and gives up the claims of what was not.
    ///
    /// What cannot be recorded is published again, by whoever looks at the window next, once the claim has run out.
    pub async fn settle(&mut self, claimed: &[(&Claimed, Settlement)]) -> Vec<StateError> {
        let mut failures = Vec::new();
        let mut waiting: BTreeMap<Key, Vec<(Announcement, Settlement)>> = BTreeMap::new();
        for (Claimed { told, key }, settlement) in claimed {
            if let Some(key) = key {
                waiting.entry(*key).or_default().push((told.announcement, *settlement));
            }
        }
        let mut pause = self.first_pause;
        while !waiting.is_empty() {
            let works: Vec<Work> =
                waiting.iter().filter_map(|(key, settlements)| self.settled(*key, settlements)).collect();
            let writes: Vec<Write> = works.iter().map(|work| self.write(work)).collect();
            let mut again = BTreeMap::new();
            for (work, written) in works.into_iter().zip(self.store.save(&writes, self.deadline).await) {
                let settlements = waiting.remove(&work.key).unwrap_or_default();
                match self.after_settling(work, written) {
                    Ok(None) => {}
                    Ok(Some(key)) => drop(again.insert(key, settlements)),
                    Err(error) => failures.push(error),
                }
            }
            waiting = again;
            if !waiting.is_empty() && !self.wait(&mut pause).await {
                failures.extend(waiting.values().map(|_| StateError::Contended));
                break;
            }
        }
        failures
    }

    fn settled(&self, key: Key, settlements: &[(Announcement, Settlement)]) -> Option<Work> {
        let (spec, version, window) = self.written.get(&key)?;
        let mut window = window.clone();
        for (announcement, settlement) in settlements {
            match settlement {
                Settlement::Published => window.settle(announcement, &self.clock),
                Settlement::GivenUp => window.release(announcement, &self.clock),
            }
        }
        Some(Work { spec: *spec, window, expected: Some(*version), ..Work::nothing(key) })
    }

    /// Returns the key if somebody else was faster, so that it is to be settled on what they wrote.
    fn after_settling(&mut self, work: Work, written: Result<Written, StoreError>) -> Result<Option<Key>, StateError> {
        let Work { key, spec, expected, window, .. } = work;
        match written? {
            Written::Saved => {
                self.written.insert(key, (spec, expected.map_or(1, |version| version + 1), window));
                Ok(None)
            }
            Written::Lost(None) => Ok(None),
            Written::Lost(Some(stored)) => {
                let window = Window::from_bytes(&stored.state)?;
                self.written.insert(key, (spec, stored.version, window));
                Ok(Some(key))
            }
        }
    }
}

/// A window as it stands, or a new one, and the version that its next one follows.
type Opened = (Window, Option<u64>);

fn opened(stored: Option<Stored>) -> Result<Opened, StateError> {
    Ok(match stored {
        None => Opened::default(),
        Some(Stored { version, state }) => (Window::from_bytes(&state)?, Some(version)),
    })
}

impl Work {
    /// A window of which nothing is there, and nothing is to be done.
    fn nothing(key: Key) -> Self {
        Self { key, contribution: None, spec: None, window: Window::default(), expected: None, step: Step::default() }
    }
}

/// At random, so that those who collided do not collide again.
fn jittered(pause: Duration) -> Duration {
    let (random, _) = Uuid::new_v4().as_u64_pair();
    let percent = u32::try_from(random % 100).unwrap_or_default();
    pause.mul_f64(0.5 + f64::from(percent) / 100.0)
}
