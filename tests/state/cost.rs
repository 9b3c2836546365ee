//! What the store is asked for.

use vaultwatch::state::MemoryStore;

use super::log::{self, Event, Line};
use super::stage::{Gate, Scene};
use crate::line;
use crate::store::Place;
use crate::store::dynamodb::Table;

const EVENTS: usize = 100_000;
const BATCH: usize = 1_000;
const GROUPS: usize = 100;

/// Failed logins alert by themselves, and twenty of one user as a correlation.
const RULES: &str = "
title: Often failed
id: 00000000-0000-4000-8000-000000000002
name: often
level: low
correlation:
  type: event_count
  rules: [single]
  group-by: [auth.display_name]
  timespan: 5m
  condition: {gte: 20}
  generate: true
";

#[tokio::test]
async fn in_memory_a_touched_window_costs_two_requests() {
    cost("in memory", &MemoryStore::new()).await;
}

#[tokio::test]
#[ignore = "needs a DynamoDB, which tests/run.sh starts"]
async fn in_dynamodb_a_touched_window_costs_two_requests() {
    cost("in DynamoDB", &Table::create().await).await;
}

async fn cost(name: &str, place: &impl Place) {
    let analytics = line::compile(super::read_beside_single(RULES));
    let store = place.store();
    let scene = Scene::new(&analytics, &*store);
    let event = |number: usize| Event {
        milliseconds: i64::try_from(number).unwrap(),
        path: if number.is_multiple_of(100) { "single" } else { "other" },
        user: u8::try_from(number / 100 % GROUPS).unwrap(),
        address: 0,
        number: 0,
        request: number,
    };
    let lines: Vec<Line> = log::lines((0..EVENTS).map(event).collect());
    for payload in lines.chunks(BATCH) {
        assert_eq!(scene.invoke(&Gate::open(), 0, &log::batch(payload), None).await, []);
    }
    let (touched, messages, requests) =
        (scene.windows.get() as u64, scene.published.take().len() as u64, store.requests());
    println!(
        "{name}: {EVENTS} events, one of a hundred matches, {GROUPS} groups, {} batches: {touched} windows touched, \
         {messages} messages, {requests:?}",
        EVENTS / BATCH
    );
    assert_eq!(requests.reads, touched, "each touched window is read once");
    assert!(requests.writes <= touched + messages, "and written once, and once more if something was told");
    assert!(requests.reads + requests.writes <= 2 * touched + messages);
    assert_eq!(requests.queries, (EVENTS / BATCH) as u64);
}
