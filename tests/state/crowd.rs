//! Many invocations at the same time, on real threads, about one and the same group.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Barrier;
use std::thread;

use tokio::runtime;
use vaultwatch::correlate::Stage;
use vaultwatch::payload::LogBatch;
use vaultwatch::pipeline::Analytics;
use vaultwatch::state::MemoryStore;

use super::log::{self, Event, Line, after_start};
use super::stage::{Actor, Gate, Publication, Scene};
use crate::line;
use crate::store::Place;
use crate::store::dynamodb::Table;

const THREADS: usize = 25;
const EVENTS: usize = 1_000;

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
  generate: true
";

/// Three events, and two runs of three.
const TWICE: &str = "
title: Three
id: 00000000-0000-4000-8000-000000000002
name: three
level: low
correlation: {type: event_count, rules: [single], timespan: 1m, condition: {gte: 3}}
---
title: Twice three
id: 00000000-0000-4000-8000-000000000003
name: twice
level: low
correlation: {type: event_count, rules: [three], timespan: 1m, condition: {gte: 2}, generate: true}
";

#[test]
fn in_memory_a_crowd_fires_once() {
    crowd("in memory", &MemoryStore::new());
}

#[tokio::test]
#[ignore = "needs a DynamoDB, which tests/run.sh starts"]
async fn in_dynamodb_a_crowd_fires_once() {
    let table = Table::create().await;
    // The threads have runtimes of their own.
    thread::spawn(move || crowd("in DynamoDB", &table)).join().unwrap();
}

/// Each of two payloads makes the condition true by itself, and together they are one run, whoever is first: what the
/// one who lost saw before must not be told to other correlations.
#[tokio::test]
async fn a_lost_race_is_no_second_firing() {
    let analytics = line::compile(super::read_beside_single(TWICE));
    let lines = log::lines((0..6).map(|second| event(second, second * 1000)).collect());
    let (first, second) = lines.split_at(3);
    let (first, second) = (log::batch(first), log::batch(second));
    for steps in 0..20 {
        let store = MemoryStore::new();
        let scene = Scene::new(&analytics, &store);
        let gates = [Gate::closed(), Gate::closed()];
        let mut slow = Actor::new(&scene, &gates[0], 0, 0, &first, after_start(0));
        let mut fast = Actor::new(&scene, &gates[1], 1, 1, &second, after_start(0));
        let mut ended = false;
        for _ in 0..steps {
            ended = ended || slow.step().await.is_some();
        }
        while fast.step().await.is_none() {}
        while !ended && slow.step().await.is_none() {}
        let published = scene.published.take();
        assert!(published.iter().all(|it| it.analytic == "three"), "after {steps} steps: {published:#?}");
    }
}

/// A payload for each thread, and every payload twice, to two threads.
fn crowd(name: &str, place: &impl Place) {
    let analytics = line::compile(super::read_beside_single(RULES));
    let lines = log::lines((0..EVENTS).map(|number| event(number, number * 10)).collect());
    let payloads: Vec<&[Line]> = lines.chunks(EVENTS / THREADS).collect();
    let start = Barrier::new(THREADS);
    let outcomes: Vec<(Vec<Publication>, usize)> = thread::scope(|scope| {
        let (analytics, payloads, start) = (&analytics, &payloads, &start);
        let threads: Vec<_> = (0..THREADS)
            .map(|thread| {
                scope.spawn(move || {
                    let own = [payloads[thread], payloads[(thread * 7 + 3) % THREADS]].map(log::batch);
                    start.wait();
                    run(analytics, place, thread, &own)
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let conflicts: usize = outcomes.iter().map(|(_, conflicts)| conflicts).sum();
    let mut published: Vec<Publication> = outcomes.into_iter().flat_map(|(published, _)| published).collect();
    let much_later =
        log::lines(vec![Event { milliseconds: 86_400_000, path: "other", user: 0, address: 0, number: 0, request: 0 }]);
    published.extend(run(&analytics, place, THREADS, &[log::batch(&much_later)]).0);

    let distinct: BTreeSet<_> = published.iter().map(|it| (it.id, it.stage, it.count)).collect();
    assert_eq!(distinct.len(), published.len(), "nothing is told twice: {published:#?}");
    for analytic in ["single", "hundred"] {
        let of_it = || published.iter().filter(|it| it.analytic == analytic);
        assert_eq!(of_it().filter(|it| it.stage == Stage::Opened).count(), 1, "{analytic} opens once: {published:#?}");
        let counts: BTreeMap<_, u64> = of_it().map(|it| (it.id, of_it().map(|it| it.count).max().unwrap())).collect();
        assert_eq!(counts.values().copied().collect::<Vec<_>>(), [EVENTS as u64], "{analytic} counts every event once");
    }
    println!(
        "{name}: {THREADS} threads, each payload of {} events twice, one key: {conflicts} lost races, {} messages",
        EVENTS / THREADS,
        published.len()
    );
}

fn event(number: usize, milliseconds: usize) -> Event {
    let milliseconds = milliseconds.try_into().unwrap();
    Event { milliseconds, path: "single", user: 0, address: 0, number: 0, request: number }
}

fn run(
    analytics: &Analytics,
    place: &impl Place,
    thread: usize,
    batches: &[LogBatch<'_>],
) -> (Vec<Publication>, usize) {
    let runtime = runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let store = place.store();
        let scene = Scene::new(analytics, &*store);
        for batch in batches {
            assert_eq!(scene.invoke(&Gate::open(), thread, batch, None).await, []);
        }
        (scene.published.take(), scene.conflicts.get())
    })
}
