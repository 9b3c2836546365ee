//! A plot on a stage: what the invocations do, step by step, and what is left at the end.

use std::collections::{BTreeMap, VecDeque};

use jiff::{SignedDuration, Timestamp};
use vaultwatch::correlate::{LATENESS, Window};
use vaultwatch::deadline::Deadline;
use vaultwatch::payload::LogBatch;
use vaultwatch::pipeline::Analytics;
use vaultwatch::state::{Key, Store};

use super::log::{self, Event, Line, after_start};
use super::plot::Plot;
use super::stage::{Actor, Gate, Publication, Scene};

/// Longer than Lambda waits before it tries again, and than claims last.
const A_WHILE: SignedDuration = SignedDuration::from_secs(61);

/// What came of a plot.
pub(super) struct Outcome {
    pub(super) published: Vec<Publication>,
    /// As they stand at the end, of everything that was published.
    pub(super) windows: BTreeMap<Key, Window>,
    pub(super) invocations: usize,
    pub(super) deaths: usize,
    pub(super) conflicts: usize,
}

/// A payload that is to be delivered.
struct Payload<'l> {
    batch: LogBatch<'l>,
    /// In milliseconds after the start of the log.
    oldest: i64,
    newest: i64,
}

/// Those who play, and those who will.
struct Play<'p> {
    plot: &'p Plot,
    scene: &'p Scene<'p>,
    payloads: &'p [Payload<'p>],
    /// One for each invocation.
    gates: &'p [Gate],
    waiting: VecDeque<usize>,
    /// Payloads whose invocation died.
    retries: VecDeque<usize>,
    on_stage: Vec<Actor<'p>>,
    begun: usize,
    deaths: usize,
    /// The newest event delivered so far, in milliseconds after the start of the log.
    newest: i64,
    /// The clock of the machines.
    now: Timestamp,
}

/// Lets the invocations play until all payloads are handled, and then time pass until there is nothing left to tell.
pub(super) async fn play(plot: &Plot, analytics: &Analytics, lines: &[Line], store: &dyn Store) -> Outcome {
    let payloads: Vec<Payload<'_>> = plot.payloads(lines).into_iter().map(Payload::of).collect();
    let scene = Scene::new(analytics, store);
    let gates: Vec<Gate> = (0..200).map(|_| Gate::closed()).collect();
    let waiting = plot.deliveries(payloads.len()).into();
    let mut play = Play {
        plot,
        scene: &scene,
        payloads: &payloads,
        gates: &gates,
        waiting,
        retries: VecDeque::new(),
        on_stage: Vec::new(),
        begun: 0,
        deaths: 0,
        newest: i64::MIN,
        now: after_start(0),
    };
    play.run().await;
    let Play { begun, deaths, now, .. } = play;
    let_time_pass(&scene, now).await;
    let published = scene.published.take();
    let windows = windows(store, &published).await;
    Outcome { published, windows, invocations: begun, deaths, conflicts: scene.conflicts.get() }
}

impl<'l> Payload<'l> {
    fn of(lines: Vec<&'l Line>) -> Self {
        let times = || lines.iter().map(|line| line.event.milliseconds);
        let (oldest, newest) = (times().min().unwrap(), times().max().unwrap());
        Self { batch: log::batch(lines), oldest, newest }
    }
}

impl Play<'_> {
    async fn run(&mut self) {
        let mut turns = self.plot.turns.iter().cycle();
        let mut steps = 0;
        self.enter();
        while !self.on_stage.is_empty() {
            let place = usize::from(*turns.next().unwrap()) % self.on_stage.len();
            steps += 1;
            if self.plot.deaths.contains(&steps) {
                let actor = self.on_stage.swap_remove(place);
                self.retries.push_back(actor.payload);
                self.deaths += 1;
            } else if let Some(failures) = self.on_stage[place].step().await {
                assert_eq!(failures, []);
                self.on_stage.swap_remove(place);
            }
            self.enter();
        }
    }

    /// Begins what may begin now.
    fn enter(&mut self) {
        if self.on_stage.is_empty()
            && let Some(payload) = self.retries.pop_front()
        {
            // Nobody who began before is still there.
            self.now += A_WHILE;
            self.begin(payload);
        }
        while let Some(next) = self.waiting.front().copied()
            && self.on_stage.len() < self.plot.at_a_time
            && self.may_begin(next)
        {
            self.waiting.pop_front();
            self.begin(next);
        }
    }

    /// What is under way may be overtaken, but not by more than the lateness.
    fn may_begin(&self, next: usize) -> bool {
        let under_way = self.on_stage.iter().map(|actor| actor.payload).chain(self.retries.iter().copied());
        let mut under_way = under_way.peekable();
        if under_way.peek().is_none() {
            return true;
        }
        let oldest = under_way.chain([next]).map(|payload| self.payloads[payload].oldest).min().unwrap();
        let newest = self.newest.max(self.payloads[next].newest);
        !self.plot.in_order && newest - oldest <= LATENESS / 1_000_000
    }

    fn begin(&mut self, payload: usize) {
        let Payload { batch, newest, .. } = &self.payloads[payload];
        self.newest = self.newest.max(*newest);
        self.now += SignedDuration::from_millis(1);
        self.on_stage.push(Actor::new(self.scene, &self.gates[self.begun], payload, self.begun, batch, self.now));
        self.begun += 1;
    }
}

/// Much later, something happens that has to do with nothing, until nobody has anything left to tell.
async fn let_time_pass(scene: &Scene<'_>, mut now: Timestamp) {
    let much_later = Event { milliseconds: 86_400_000, path: "other", user: 0, address: 0, number: 0, request: 0 };
    let lines = log::lines(vec![much_later]);
    let batch = log::batch(&lines);
    loop {
        let told = scene.published.borrow().len();
        now += A_WHILE;
        assert_eq!(scene.invoke(&Gate::open(), usize::MAX, &batch, Some(now)).await, []);
        if told == scene.published.borrow().len() {
            break;
        }
    }
    let due = scene.store.due(after_start(86_400_000), Deadline::NONE).await;
    assert_eq!(due, Ok(Vec::new()), "there is nothing left to tell");
}

async fn windows(store: &dyn Store, published: &[Publication]) -> BTreeMap<Key, Window> {
    let keys: Vec<Key> = published.iter().map(|it| it.key.unwrap()).collect();
    let stored = store.load(&keys, Deadline::NONE).await;
    let window = |stored: vaultwatch::state::Stored| Window::from_bytes(&stored.state).unwrap();
    keys.into_iter().zip(stored).map(|(key, stored)| (key, window(stored.unwrap().unwrap()))).collect()
}
