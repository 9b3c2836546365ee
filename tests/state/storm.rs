//! Storms: a million failed logins on one key, and thousands of values that were never seen.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use uuid::Uuid;
use vaultwatch::correlate::{Contribution, Match, Stage, timestamp};
use vaultwatch::deadline::Deadline;
use vaultwatch::payload::{EventRef, LogBatch};
use vaultwatch::pipeline::{self, Analytics, Workspace};
use vaultwatch::state::{
    Answer, Key, MAX_STATE_BYTES, MemoryStore, Requests, Session, Settlement, Store, StoreError, Stored, Write, Written,
};

use super::log::{self, Event};
use super::stage::{Gate, Scene};
use crate::line;

const BATCHES: u32 = 200;
const EVENTS: u32 = 5_000;

/// What a window of a storm may take, in bytes.
const MOST_BYTES: usize = 64 << 10;

const RULES: &str = "
title: Often failed
id: 00000000-0000-4000-8000-000000000002
name: hundred
level: low
correlation:
  type: event_count
  rules: [single]
  group-by: [auth.display_name]
  timespan: 5m
  condition: {gte: 100}
alert: {suppress: 24h}
";

/// How many addresses one user has.
const VALUES: u16 = 5_000;

const NEW_VALUES: &str = "
title: New address
id: 00000000-0000-4000-8000-000000000002
name: new
level: low
correlation:
  type: first_seen
  rules: [single]
  group-by: [auth.display_name]
  timespan: 30d
  field: request.remote_address
";

/// A store that weighs what it is given.
#[derive(Debug, Default)]
struct Scales {
    store: MemoryStore,
    /// Of each write, in bytes.
    weights: RefCell<Vec<usize>>,
}

impl Scales {
    fn heaviest(&self) -> usize {
        self.weights.borrow().iter().copied().max().unwrap()
    }

    fn weighed(&self) -> String {
        let weights = self.weights.borrow();
        format!("of {} bytes on average, {} at most", weights.iter().sum::<usize>() / weights.len(), self.heaviest())
    }
}

impl Store for Scales {
    fn load<'a>(&'a self, keys: &'a [Key], deadline: Deadline) -> Answer<'a, Vec<Result<Option<Stored>, StoreError>>> {
        self.store.load(keys, deadline)
    }

    fn save<'a>(&'a self, writes: &'a [Write], deadline: Deadline) -> Answer<'a, Vec<Result<Written, StoreError>>> {
        self.weights.borrow_mut().extend(writes.iter().map(|write| write.state.len()));
        self.store.save(writes, deadline)
    }

    fn due(&self, until: Timestamp, deadline: Deadline) -> Answer<'_, Result<Vec<Key>, StoreError>> {
        self.store.due(until, deadline)
    }

    fn requests(&self) -> Requests {
        self.store.requests()
    }
}

/// What was told, by the name of the rule.
type Told = BTreeMap<String, Vec<(Stage, u64)>>;

/// The matches are made from one that was read: a million lines would test the reader.
#[tokio::test]
async fn a_million_failed_logins_are_one_alert_and_its_digests() {
    let analytics = line::compile(super::read_beside_single(RULES));
    let lines = log::lines(vec![event(0, "single", 0)]);
    let one = log::batch(&lines);
    let template = pipeline::detect(&analytics, &one, &mut Workspace::default()).matches.remove(0);
    let store = Scales::default();
    let mut told = Told::new();
    for batch in 0..BATCHES {
        told_by(&analytics, &store, &one, batch_of(&template, batch), &mut told).await;
        // Every tenth batch comes twice, the second time after three others.
        if let Some(again) = batch.checked_sub(3).filter(|batch| batch % 10 == 0) {
            told_by(&analytics, &store, &one, batch_of(&template, again), &mut told).await;
        }
    }
    let requests = store.requests();
    let invocations = u64::from(BATCHES + BATCHES / 10);
    println!(
        "{} failed logins of one key in {BATCHES} batches, a tenth of them twice: {} reads, {} writes, {}",
        BATCHES * EVENTS,
        requests.reads,
        requests.writes,
        store.weighed()
    );
    println!("what is told: {told:?}");
    assert!(store.heaviest() < MOST_BYTES);
    // The window is read once a batch and written once, unless it is known, and once more where something was told.
    let messages = told.values().map(Vec::len).sum::<usize>() as u64;
    assert_eq!(requests.reads, invocations);
    assert_eq!(requests.writes, u64::from(BATCHES) + messages);
    let digests =
        [(Stage::Opened, 5_000), (Stage::Repeated, 10_000), (Stage::Repeated, 100_000), (Stage::Repeated, 1_000_000)];
    assert_eq!(told["hundred"], digests);
}

/// Of a storm, most entries are gone at once: a batch that overtakes another does not make it two.
#[tokio::test]
async fn a_storm_out_of_order_is_one_run() {
    let analytics = line::compile(super::read_beside_single(&RULES.replace("suppress: 24h", "suppress: 0s")));
    let lines = log::lines(vec![event(0, "single", 0)]);
    let one = log::batch(&lines);
    let template = pipeline::detect(&analytics, &one, &mut Workspace::default()).matches.remove(0);
    let store = Scales::default();
    let mut told = Told::new();
    for batch in [1, 0, 3, 2, 5, 4, 7, 6] {
        told_by(&analytics, &store, &one, batch_of(&template, batch), &mut told).await;
    }
    assert_eq!(told["hundred"], [(Stage::Opened, 5_000), (Stage::Repeated, 10_000)]);
}

/// Delivers matches, and adds what is told.
async fn told_by(analytics: &Analytics, store: &Scales, batch: &LogBatch<'_>, matches: Vec<Match>, told: &mut Told) {
    let newest = timestamp(matches.last().unwrap().time);
    // All are about the event of the batch.
    let describe = |contribution: &Contribution, found: &Match| {
        pipeline::describe(analytics, batch, contribution, &Match { place: 0, ..found.clone() })
    };
    let mut session = Session::new(analytics.plan(), store, Deadline::NONE, newest, &describe);
    let mut correlated = session.correlate(matches).await;
    session.look_after(&mut correlated).await;
    for alert in correlated.claimed.iter().filter_map(|claimed| pipeline::conclude(analytics, batch, &[claimed])) {
        let stages = told.entry(alert.analytic.name.clone()).or_default();
        stages.push((alert.occurrences.stage, alert.occurrences.count));
    }
    let settled: Vec<_> = correlated.claimed.iter().map(|claimed| (claimed, Settlement::Published)).collect();
    correlated.failures.extend(session.settle(&settled).await);
    assert_eq!(correlated.failures, []);
}

/// Whoever has thousands of addresses decides how many values are new: each is counted, and the window stays small.
#[tokio::test]
async fn a_storm_of_new_values_does_not_make_a_window_burst() {
    let analytics = line::compile(super::read_beside_single(NEW_VALUES));
    let new = (0..VALUES).map(|address| event(address.into(), "single", address));
    // What was seen last is remembered best.
    let again = (VALUES - 900..VALUES).map(|address| Event {
        request: usize::from(address) + 10_000,
        ..event(i64::from(address) + 10_000, "single", address)
    });
    let lines = log::lines(new.chain(again).collect());
    let much_later = log::lines(vec![event(86_400_000, "other", 0)]);
    let store = Scales::default();
    let scene = Scene::new(&analytics, &store);
    for payload in lines.chunks(1_000).chain([much_later.as_slice()]) {
        assert_eq!(scene.invoke(&Gate::open(), 0, &log::batch(payload), None).await, []);
    }
    let published = scene.published.take();
    let last: BTreeMap<Uuid, u64> = published.iter().map(|it| (it.id, it.count)).collect();
    println!(
        "{VALUES} new values of one group: {} alerts, {} messages, {}",
        last.len(),
        published.len(),
        store.weighed()
    );
    assert_eq!(last.values().sum::<u64>(), u64::from(VALUES), "every new value is counted once");
    assert!(store.heaviest() < MAX_STATE_BYTES / 2);
}

fn event(milliseconds: i64, path: &'static str, address: u16) -> Event {
    Event { milliseconds, path, user: 0, address, number: 0, request: address.into() }
}

/// A hundred a second.
fn batch_of(template: &Match, batch: u32) -> Vec<Match> {
    let numbers = batch * EVENTS..(batch + 1) * EVENTS;
    let one = |(place, number): (usize, u32)| Match {
        happening: Uuid::from_u128(number.into()),
        time: template.time + i64::from(number) * 10_000_000,
        event: EventRef::LogEvent(log::name(number as usize)),
        place,
        values: Arc::clone(&template.values),
        ..template.clone()
    };
    numbers.enumerate().map(one).collect()
}
