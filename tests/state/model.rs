//! The model test: random logs, cut, delayed, repeated and retried in every way that Lambda allows.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fmt;
use std::ops::AddAssign;
use std::thread;

use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use tokio::runtime;
use vaultwatch::state::MemoryStore;

use super::judge::Judge;
use super::log::{self, Line};
use super::oracle::Oracle;
use super::play::{Outcome, play};
use super::plot::{Plot, plots};
use crate::line;
use crate::store::Place;
use crate::store::dynamodb::Table;

const RULES: &str = include_str!("model.yml");

#[test]
fn in_memory_the_outcome_is_that_of_one_pass() {
    let in_parallel = |seed| thread::spawn(move || model(500, seed, async || MemoryStore::new()));
    let parts: Vec<_> = (0..4).map(in_parallel).collect();
    let mut figures = Figures::default();
    for part in parts {
        figures += part.join().unwrap();
    }
    println!("in memory: {figures}");
}

#[test]
#[ignore = "needs a DynamoDB, which tests/run.sh starts"]
fn in_dynamodb_the_outcome_is_that_of_one_pass() {
    println!("in DynamoDB: {}", model(200, 4, Table::create));
}

/// Plays so many plots, each in a place of its own, and judges them.
fn model<P: Place>(cases: u32, seed: u8, new_place: impl AsyncFn() -> P) -> Figures {
    let reading = super::read(RULES);
    let analytics = line::compile(reading.clone());
    let runtime = runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let figures = RefCell::new(Figures::default());
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 3_000, ..Config::default() };
    // The same cases every time.
    let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &[seed; 32]));
    let outcome = runner.run(&plots(), |plot| {
        let lines = log::lines(plot.events.clone());
        let outcome = runtime.block_on(async {
            let place = new_place().await;
            play(&plot, &analytics, &lines, &*place.store()).await
        });
        let oracle = Oracle::new(&reading, lines.iter().flat_map(Line::hits).collect());
        let judge = Judge { reading: &reading, lines: &lines, oracle, outcome: &outcome };
        *figures.borrow_mut() += Figures::of(&plot, &outcome);
        judge.nothing_is_told_twice()?;
        judge.sound()?;
        judge.complete()?;
        judge.counts_are_exact()?;
        if plot.in_order { judge.same_as_one_pass(&analytics) } else { Ok(()) }
    });
    if let Err(error) = outcome {
        panic!("{error:#}");
    }
    figures.into_inner()
}

#[derive(Debug, Default)]
struct Figures {
    logs: usize,
    in_order: usize,
    events: usize,
    invocations: usize,
    deaths: usize,
    conflicts: usize,
    messages: usize,
    told_again: usize,
}

impl Figures {
    fn of(plot: &Plot, outcome: &Outcome) -> Self {
        let Outcome { published, invocations, deaths, conflicts, .. } = outcome;
        let distinct: BTreeSet<_> = published.iter().map(|it| (it.id, it.stage, it.count)).collect();
        Self {
            logs: 1,
            in_order: plot.in_order.into(),
            events: plot.events.len(),
            invocations: *invocations,
            deaths: *deaths,
            conflicts: *conflicts,
            messages: published.len(),
            told_again: published.len() - distinct.len(),
        }
    }
}

impl AddAssign for Figures {
    fn add_assign(&mut self, other: Self) {
        self.logs += other.logs;
        self.in_order += other.in_order;
        self.events += other.events;
        self.invocations += other.invocations;
        self.deaths += other.deaths;
        self.conflicts += other.conflicts;
        self.messages += other.messages;
        self.told_again += other.told_again;
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { logs, in_order, events, invocations, deaths, conflicts, messages, told_again } = self;
        write!(
            formatter,
            "{logs} logs ({in_order} in order), {events} events, {invocations} invocations, of which {deaths} died, \
             {conflicts} lost races, {messages} messages, {told_again} of them again because an invocation died before \
             that was on record"
        )
    }
}
