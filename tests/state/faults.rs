//! A store that fails: at each call, in every way. What is told at once, and what the retry makes up for.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use vaultwatch::correlate::Stage;
use vaultwatch::deadline::Deadline;
use vaultwatch::pipeline::Analytics;
use vaultwatch::state::{Answer, Key, MemoryStore, Requests, StateError, Store, StoreError, Stored, Write, Written};

use super::log::{self, Event, Line, after_start};
use super::stage::{Gate, Publication, Scene};
use crate::line;

const RULES: &str = "
title: Alone
id: 00000000-0000-4000-8000-000000000001
name: single
level: low
logsource: {product: vault, service: audit}
detection: {path: {request.path: single}, condition: path}
alert: {group-by: [auth.display_name], suppress: 10m}
---
title: A
id: 00000000-0000-4000-8000-000000000002
name: a
level: low
logsource: {product: vault, service: audit}
detection: {path: {request.path: a}, condition: path}
---
title: Many
id: 00000000-0000-4000-8000-000000000003
name: many
level: low
correlation:
  type: event_count
  rules: [a]
  group-by: [auth.display_name]
  timespan: 2m
  condition: {gte: 4}
---
title: Many, looked at
id: 00000000-0000-4000-8000-000000000004
name: chain
level: low
correlation:
  type: event_count
  rules: [many]
  group-by: [auth.display_name]
  timespan: 2m
  condition: {gte: 1}
  generate: true
";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    Throttled,
    Silent,
    Refused,
    /// Of several windows, only the first is not served.
    Partly,
    /// It is done, and the answer gets lost.
    AnswerLost,
    /// Somebody else seems to be faster, [`MOST_CONFLICTS`] times.
    Conflicts,
}

/// The calls of an invocation with a correlation of a correlation, which also looks after a window of others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Call {
    Load,
    Save,
    LoadLater,
    SaveLater,
    Due,
    LoadDue,
    SaveDue,
    Settle,
}

const CALLS: [Call; 8] =
    [Call::Load, Call::Save, Call::LoadLater, Call::SaveLater, Call::Due, Call::LoadDue, Call::SaveDue, Call::Settle];

const FAULTS: [Fault; 6] =
    [Fault::Throttled, Fault::Silent, Fault::Refused, Fault::Partly, Fault::AnswerLost, Fault::Conflicts];

impl Call {
    const LOADS: [Self; 3] = [Self::Load, Self::LoadLater, Self::LoadDue];
    const SAVES: [Self; 4] = [Self::Save, Self::SaveLater, Self::SaveDue, Self::Settle];

    fn can_have(self, fault: Fault) -> bool {
        match fault {
            Fault::Throttled | Fault::Silent | Fault::Refused => true,
            Fault::Partly => self != Self::Due,
            Fault::AnswerLost | Fault::Conflicts => Self::SAVES.contains(&self),
        }
    }
}

const MOST_CONFLICTS: usize = 20;

impl Fault {
    fn error(self) -> StoreError {
        let call = "PutItem";
        match self {
            Self::Throttled | Self::Partly | Self::Conflicts => {
                StoreError::Unavailable { call, code: "ThrottlingException".to_owned() }
            }
            Self::Silent | Self::AnswerLost => StoreError::Timeout { call },
            Self::Refused => StoreError::Refused { call, code: "AccessDeniedException".to_owned() },
        }
    }
}

/// A store that fails at one call.
#[derive(Debug)]
struct Faulty<'s> {
    store: &'s MemoryStore,
    call: Call,
    fault: Fault,
    loads: Cell<usize>,
    saves: Cell<usize>,
    conflicts: Cell<usize>,
}

impl Faulty<'_> {
    fn hits(&self, place: usize) -> bool {
        place == 0 || self.fault != Fault::Partly
    }

    async fn failing_save(&self, writes: &[Write]) -> Vec<Result<Written, StoreError>> {
        match self.fault {
            Fault::AnswerLost => {
                let done = self.store.save(writes, Deadline::NONE).await;
                done.into_iter().map(|_| Err(self.fault.error())).collect()
            }
            Fault::Conflicts => {
                let keys: Vec<Key> = writes.iter().map(|write| write.key).collect();
                let stand = self.store.load(&keys, Deadline::NONE).await;
                stand.into_iter().map(|stored| stored.map(Written::Lost)).collect()
            }
            _ => {
                let mut written = Vec::new();
                for (place, write) in writes.iter().enumerate() {
                    let saved = self.store.save(std::slice::from_ref(write), Deadline::NONE);
                    written.push(if self.hits(place) { Err(self.fault.error()) } else { saved.await.remove(0) });
                }
                written
            }
        }
    }
}

impl Store for Faulty<'_> {
    fn load<'a>(&'a self, keys: &'a [Key], deadline: Deadline) -> Answer<'a, Vec<Result<Option<Stored>, StoreError>>> {
        Box::pin(async move {
            let fails = Call::LOADS.get(self.loads.replace(self.loads.get() + 1)) == Some(&self.call);
            let mut loaded = self.store.load(keys, deadline).await;
            for (_, loaded) in loaded.iter_mut().enumerate().filter(|(place, _)| fails && self.hits(*place)) {
                *loaded = Err(self.fault.error());
            }
            loaded
        })
    }

    fn save<'a>(&'a self, writes: &'a [Write], deadline: Deadline) -> Answer<'a, Vec<Result<Written, StoreError>>> {
        Box::pin(async move {
            if Call::SAVES.get(self.saves.get()) == Some(&self.call) && self.conflicts.get() < MOST_CONFLICTS {
                self.conflicts.set(self.conflicts.get() + 1);
                if self.fault != Fault::Conflicts {
                    self.saves.set(self.saves.get() + 1);
                }
                return self.failing_save(writes).await;
            }
            self.saves.set(self.saves.get() + 1);
            self.store.save(writes, deadline).await
        })
    }

    fn due(&self, until: Timestamp, deadline: Deadline) -> Answer<'_, Result<Vec<Key>, StoreError>> {
        Box::pin(async move {
            if self.call == Call::Due { Err(self.fault.error()) } else { self.store.due(until, deadline).await }
        })
    }

    fn requests(&self) -> Requests {
        self.store.requests()
    }
}

/// How often what is told: by whom, and of which stage.
type Told = BTreeMap<(String, Stage), usize>;

fn told(published: &[Publication]) -> Told {
    let mut told = Told::new();
    for it in published {
        *told.entry((it.analytic.clone(), it.stage)).or_default() += 1;
    }
    told
}

fn in_words(told: &Told) -> String {
    let words = told.iter().map(|((analytic, stage), times)| match (stage.word(), times) {
        (word, 1) => [analytic.as_str(), word.unwrap_or_default()].join(" ").trim_end().to_owned(),
        (_, times) => format!("{analytic} {times} times"),
    });
    words.collect::<Vec<_>>().join(", ")
}

/// One user's repeats are left to be told when, an hour later, another's events come.
fn log() -> Vec<Line> {
    let event = |seconds: i64, path, user| Event {
        milliseconds: seconds * 1000,
        path,
        user,
        address: 0,
        number: 0,
        request: usize::try_from(seconds).unwrap(),
    };
    let repeats = [event(0, "single", 0), event(1, "single", 0)];
    let later = (3600..3604).map(|seconds| event(seconds, "a", 1)).chain([event(3604, "single", 1)]);
    log::lines(repeats.into_iter().chain(later).collect())
}

/// What is published, and what fails, so many minutes later.
async fn invoke(
    analytics: &Analytics,
    store: &dyn Store,
    lines: &[Line],
    minutes: i64,
) -> (Vec<Publication>, Vec<StateError>) {
    let scene = Scene::new(analytics, store);
    let failures = scene.invoke(&Gate::open(), 0, &log::batch(lines), Some(after_start(minutes * 60_000))).await;
    (scene.published.take(), failures)
}

/// A store in which one user's repeats are left to be told.
async fn prepared(analytics: &Analytics, lines: &[Line]) -> MemoryStore {
    let store = MemoryStore::new();
    for line in lines {
        assert_eq!(invoke(analytics, &store, std::slice::from_ref(line), 0).await.1, []);
    }
    store
}

#[tokio::test]
async fn whatever_fails_nothing_is_lost() {
    let analytics = line::compile(super::read(RULES));
    let lines = log();
    let (before, payload) = lines.split_at(2);
    println!("{:<10} {:<11} {:>5}  {:<33} {}", "call", "fault", "fails", "told at once", "told by the retry");
    for call in CALLS {
        for fault in FAULTS.into_iter().filter(|fault| call.can_have(*fault)) {
            let store = prepared(&analytics, before).await;
            let (loads, saves, conflicts) = Default::default();
            let faulty = Faulty { store: &store, call, fault, loads, saves, conflicts };
            let (at_once, failures) = invoke(&analytics, &faulty, payload, 2).await;
            let (by_retry, again) = invoke(&analytics, &store, payload, 4).await;
            assert_eq!(again, []);
            let (at_once, by_retry) = (told(&at_once), told(&by_retry));
            let (first, second) = (in_words(&at_once), in_words(&by_retry));
            println!(
                "{:<10} {:<11} {:>5}  {first:<33} {second}",
                format!("{call:?}"),
                format!("{fault:?}"),
                failures.len()
            );
            assert_eq!(failures.is_empty(), fault == Fault::Conflicts, "{call:?} {fault:?}: {failures:?}");
            check(call, fault, &at_once, &by_retry);
        }
    }
}

fn check(call: Call, fault: Fault, at_once: &Told, by_retry: &Told) {
    let single = ("single".to_owned(), Stage::Opened);
    let is_hit = matches!(call, Call::Load | Call::Save) && fault != Fault::Conflicts;
    assert!(at_once.contains_key(&single), "{call:?} {fault:?}: single events are told at once");
    for told in [single.clone(), ("chain".to_owned(), Stage::Opened), ("single".to_owned(), Stage::Ended)] {
        let times = at_once.get(&told).unwrap_or(&0) + by_retry.get(&told).unwrap_or(&0);
        // Without the store nobody knows that it was told.
        let is_unknown = (is_hit && told == single) || (call == Call::Settle && fault != Fault::AnswerLost);
        let most = if is_unknown && fault != Fault::Conflicts { 2 } else { 1 };
        assert!((1..=most).contains(&times), "{call:?} {fault:?}: {told:?} is told {times} times");
    }
}

/// Bytes that this release cannot read are left as they are, and what does not need them goes on.
#[tokio::test]
async fn windows_of_another_release_are_left_alone() {
    let analytics = line::compile(super::read(RULES));
    let lines = log();
    let (before, payload) = lines.split_at(2);
    for (what, version) in [("of a newer release", 2), ("damaged", 0)] {
        let store = prepared(&analytics, before).await;
        let keys = store.due(after_start(86_400_000), Deadline::NONE).await.unwrap();
        let stored = store.load(&keys, Deadline::NONE).await.remove(0).unwrap().unwrap();
        let expires = after_start(864_000_000);
        let due = Some(after_start(1));
        let state = [&[version], &stored.state[1..]].concat();
        let write = Write { key: keys[0], expected: Some(stored.version), state: state.clone(), expires, due };
        assert_eq!(store.save(&[write], Deadline::NONE).await, [Ok(Written::Saved)]);
        let repeat = invoke(&analytics, &store, &before[1..], 1).await;
        let others = invoke(&analytics, &store, payload, 2).await;
        println!("{what}: {} and {}; {:?}", in_words(&told(&repeat.0)), in_words(&told(&others.0)), repeat.1);
        assert_eq!(in_words(&told(&repeat.0)), "single", "{what}: it is told without the window");
        assert!(matches!(repeat.1[..], [StateError::Stored(_), ..]), "{what}: {:?}", repeat.1);
        assert_eq!(in_words(&told(&others.0)), "chain, many, single", "{what}: the others go on");
        let left = store.load(&keys, Deadline::NONE).await.remove(0).unwrap().unwrap();
        assert_eq!(left.state, state, "{what}: it is left alone");
    }
}

/// Where others are always faster, time runs out: what is about single events is told, and the rest by a retry.
#[tokio::test]
async fn a_race_that_is_lost_for_ever_ends_with_the_time() {
    let analytics = line::compile(super::read(RULES));
    let lines = log();
    let (before, payload) = lines.split_at(2);
    let store = prepared(&analytics, before).await;
    let (loads, saves, conflicts) = Default::default();
    let faulty = Faulty { store: &store, call: Call::Save, fault: Fault::Conflicts, loads, saves, conflicts };
    let mut scene = Scene::new(&analytics, &faulty);
    scene.deadline = Deadline::after(Duration::ZERO);
    let failures = scene.invoke(&Gate::open(), 0, &log::batch(payload), Some(after_start(120_000))).await;
    assert!(failures.contains(&StateError::Contended), "{failures:?}");
    assert_eq!(in_words(&told(&scene.published.take())), "single");
    let (by_retry, _) = invoke(&analytics, &store, payload, 4).await;
    assert_eq!(in_words(&told(&by_retry)), "chain, many, single, single over");
}
