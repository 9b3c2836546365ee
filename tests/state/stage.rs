//! A stage on which several invocations play at once: one at a time takes a step, from one call of the store, or one
//! publication, to the next, and any step may be the last one of whoever would take it.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;

use jiff::Timestamp;
use uuid::Uuid;
use vaultwatch::alert::Alert;
use vaultwatch::correlate::{Contribution, Match, Stage};
use vaultwatch::deadline::Deadline;
use vaultwatch::payload::{EventRef, LogBatch};
use vaultwatch::pipeline::{self, Analytics, Workspace};
use vaultwatch::state::{
    Answer, Claimed, Key, Requests, Session, Settlement, StateError, Store, StoreError, Stored, Write, Written,
};

/// Where an invocation waits for its turn.
#[derive(Debug)]
pub(super) struct Gate {
    stands_open: bool,
    waits: Cell<bool>,
}

impl Gate {
    /// Everybody waits.
    pub(super) fn closed() -> Self {
        Self { stands_open: false, waits: Cell::new(false) }
    }

    /// Nobody waits.
    pub(super) fn open() -> Self {
        Self { stands_open: true, waits: Cell::new(false) }
    }

    async fn pass(&self) {
        self.waits.set(!self.stands_open);
        poll_fn(|_| if self.waits.get() { Poll::Pending } else { Poll::Ready(()) }).await;
    }

    /// Lets an invocation go on to the next gate; what came of it if it has come to its end.
    async fn let_go<T>(&self, invocation: &mut Pin<Box<dyn Future<Output = T> + '_>>) -> Option<T> {
        self.waits.set(false);
        poll_fn(|context| match invocation.as_mut().poll(context) {
            Poll::Ready(outcome) => Poll::Ready(Some(outcome)),
            Poll::Pending if self.waits.get() => Poll::Ready(None),
            // It waits for an answer from outside.
            Poll::Pending => Poll::Pending,
        })
        .await
    }
}

/// A store with a gate before and after each call.
#[derive(Debug)]
struct Gated<'s> {
    store: &'s dyn Store,
    gate: &'s Gate,
    /// What this invocation, by its number, has published is on record with what it saves next.
    published: &'s RefCell<Vec<Publication>>,
    invocation: usize,
}

impl Gated<'_> {
    async fn pass<T>(&self, call: impl Future<Output = T>) -> T {
        self.gate.pass().await;
        let answer = call.await;
        self.gate.pass().await;
        answer
    }

    fn record(&self, key: Key) {
        let mut published = self.published.borrow_mut();
        let own = published.iter_mut().filter(|it| it.invocation == self.invocation && it.key == Some(key));
        own.for_each(|publication| publication.on_record = true);
    }
}

impl Store for Gated<'_> {
    fn load<'a>(&'a self, keys: &'a [Key], deadline: Deadline) -> Answer<'a, Vec<Result<Option<Stored>, StoreError>>> {
        Box::pin(self.pass(self.store.load(keys, deadline)))
    }

    fn save<'a>(&'a self, writes: &'a [Write], deadline: Deadline) -> Answer<'a, Vec<Result<Written, StoreError>>> {
        Box::pin(self.pass(async move {
            let written = self.store.save(writes, deadline).await;
            let saved = writes.iter().zip(&written).filter(|(_, written)| **written == Ok(Written::Saved));
            saved.for_each(|(write, _)| self.record(write.key));
            written
        }))
    }

    fn due(&self, until: Timestamp, deadline: Deadline) -> Answer<'_, Result<Vec<Key>, StoreError>> {
        Box::pin(self.pass(self.store.due(until, deadline)))
    }

    fn requests(&self) -> Requests {
        self.store.requests()
    }
}

/// Something that was published.
#[derive(Debug, Clone)]
pub(super) struct Publication {
    pub(super) analytic: String,
    pub(super) id: Uuid,
    pub(super) stage: Stage,
    pub(super) count: u64,
    pub(super) opened: i64,
    pub(super) first: i64,
    pub(super) last: i64,
    /// The places of its events in the log.
    pub(super) events: Vec<usize>,
    pub(super) key: Option<Key>,
    /// The window says that it was published.
    pub(super) on_record: bool,
    invocation: usize,
}

/// What all invocations share.
pub(super) struct Scene<'s> {
    analytics: &'s Analytics,
    pub(super) store: &'s dyn Store,
    pub(super) published: RefCell<Vec<Publication>>,
    pub(super) deadline: Deadline,
    pub(super) conflicts: Cell<usize>,
    /// How many windows were touched.
    pub(super) windows: Cell<usize>,
}

impl<'s> Scene<'s> {
    pub(super) fn new(analytics: &'s Analytics, store: &'s dyn Store) -> Self {
        let (published, conflicts, windows) = Default::default();
        Self { analytics, store, published, deadline: Deadline::NONE, conflicts, windows }
    }

    /// What the function does with a payload, with a list in the place of the topic, and by the machine's clock unless
    /// it is said what time it is. What failed is returned.
    pub(super) async fn invoke(
        &self,
        gate: &Gate,
        invocation: usize,
        batch: &LogBatch<'_>,
        now: Option<Timestamp>,
    ) -> Vec<StateError> {
        let detected = pipeline::detect(self.analytics, batch, &mut Workspace::default());
        let describe = |told: &Contribution, found: &Match| pipeline::describe(self.analytics, batch, told, found);
        let store = Gated { store: self.store, gate, published: &self.published, invocation };
        let mut session = Session::new(self.analytics.plan(), &store, self.deadline, detected.newest, &describe);
        if let Some(now) = now {
            session = session.rehearsed(now);
        }
        let mut correlated = session.correlate(detected.matches).await;
        session.look_after(&mut correlated).await;
        let mut settled = Vec::new();
        for claimed in &correlated.claimed {
            gate.pass().await;
            if let Some(alert) = pipeline::conclude(self.analytics, batch, &[claimed]) {
                self.published.borrow_mut().push(Publication::of(&alert, claimed, invocation));
            }
            gate.pass().await;
            settled.push((claimed, Settlement::Published));
        }
        correlated.failures.extend(session.settle(&settled).await);
        self.conflicts.set(self.conflicts.get() + correlated.conflicts);
        self.windows.set(self.windows.get() + correlated.windows);
        correlated.failures
    }
}

/// An invocation that has begun.
pub(super) struct Actor<'s> {
    pub(super) payload: usize,
    gate: &'s Gate,
    invocation: Pin<Box<dyn Future<Output = Vec<StateError>> + 's>>,
}

impl<'s> Actor<'s> {
    /// `number` tells it from others.
    pub(super) fn new(
        scene: &'s Scene<'s>,
        gate: &'s Gate,
        payload: usize,
        number: usize,
        batch: &'s LogBatch<'s>,
        now: Timestamp,
    ) -> Self {
        Self { payload, gate, invocation: Box::pin(scene.invoke(gate, number, batch, Some(now))) }
    }

    /// Takes a step; what failed if it was the last one.
    pub(super) async fn step(&mut self) -> Option<Vec<StateError>> {
        self.gate.let_go(&mut self.invocation).await
    }
}

impl Publication {
    fn of(alert: &Alert, claimed: &Claimed, invocation: usize) -> Self {
        let place = |event: &EventRef| match event {
            EventRef::LogEvent(name) => name.parse().unwrap(),
            EventRef::Line { .. } => panic!("no file was read"),
        };
        let incident = &claimed.told.incident;
        Self {
            analytic: alert.analytic.name.clone(),
            id: alert.id,
            stage: alert.occurrences.stage,
            count: alert.occurrences.count,
            opened: incident.opened,
            first: incident.first,
            last: incident.last,
            events: alert.events.iter().map(place).collect(),
            key: claimed.key,
            on_record: false,
            invocation,
        }
    }
}
