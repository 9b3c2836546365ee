//! How a log comes to pass: what happens, and in which payloads, how late, how often and to whom it is delivered.

use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::log::{Event, Line};

#[derive(Debug, Clone)]
pub(super) struct Plot {
    pub(super) events: Vec<Event>,
    /// Events come in the order of time, one payload after the other.
    pub(super) in_order: bool,
    /// How late each event comes, in milliseconds, in turn.
    delays: Vec<i64>,
    /// How many events each payload has, in turn.
    cuts: Vec<usize>,
    /// Which payloads come once more, and after how many others.
    repeats: Vec<(Index, usize)>,
    /// How many invocations run at a time.
    pub(super) at_a_time: usize,
    /// Who takes the next step, in turn.
    pub(super) turns: Vec<u8>,
    /// At which steps whoever would take it dies.
    pub(super) deaths: BTreeSet<usize>,
}

pub(super) fn plots() -> impl Strategy<Value = Plot> {
    let delays = prop_oneof![
        Just(vec![0]),
        prop::collection::vec(0..2_000_i64, 1..30),
        prop::collection::vec(prop_oneof![Just(0), 0..=300_000_i64], 1..30),
    ];
    let cuts = prop::collection::vec(1..12_usize, 1..12);
    let repeats = prop::collection::vec((any::<Index>(), 0..12_usize), 0..5);
    let turns = prop::collection::vec(any::<u8>(), 1..64);
    let deaths = prop_oneof![Just(BTreeSet::new()), prop::collection::btree_set(0..150_usize, 0..6)];
    (events(), any::<bool>(), delays, cuts, repeats, 1..=8_usize, turns, deaths).prop_map(
        |(events, in_order, delays, cuts, repeats, at_a_time, turns, deaths)| Plot {
            events,
            in_order,
            delays: if in_order { vec![0] } else { delays },
            cuts,
            repeats,
            at_a_time: if in_order { 1 } else { at_a_time },
            turns,
            deaths,
        },
    )
}

/// Episodes of several users, and some events that are logged twice: as a request, and a little later as its response.
fn events() -> impl Strategy<Value = Vec<Event>> {
    let episodes = prop::collection::vec(episode(), 1..8);
    (episodes, prop::collection::vec((any::<Index>(), 1..2_000_i64), 0..6)).prop_map(|(episodes, responses)| {
        let mut events: Vec<Event> = episodes.into_iter().flatten().collect();
        events.iter_mut().enumerate().for_each(|(request, event)| event.request = request);
        let respond = |(index, after): &(Index, i64)| {
            let request = index.get(&events).clone();
            Event { milliseconds: request.milliseconds + after, ..request }
        };
        let responses: Vec<Event> = responses.iter().map(respond).collect();
        events.into_iter().chain(responses).collect()
    })
}

fn episode() -> impl Strategy<Value = Vec<Event>> {
    let path = select(vec!["a", "b", "c", "ab", "single", "each", "other"]);
    let spacing = select(vec![0_i64, 1, 500, 10_000, 20_000, 30_000, 60_000, 120_000]);
    let events = prop::collection::vec((path, 0..4_u16, 0..12_u8), 1..9);
    (0..40_i64, 0..2_u8, spacing, events).prop_map(|(start, user, spacing, events)| {
        let event = |(step, (path, address, number)): (i64, (&'static str, u16, u8))| {
            let milliseconds = start * 60_000 + step * spacing;
            Event { milliseconds, path, user, address, number, request: 0 }
        };
        (0..).zip(events).map(event).collect()
    })
}

impl Plot {
    /// The payloads, by when they come first.
    pub(super) fn payloads<'l>(&self, lines: &'l [Line]) -> Vec<Vec<&'l Line>> {
        let delays = self.delays.iter().cycle();
        let mut arrivals: Vec<(i64, &Line)> =
            lines.iter().zip(delays).map(|(line, delay)| (line.event.milliseconds + delay, line)).collect();
        arrivals.sort_by_key(|(arrival, line)| (*arrival, line.place));
        let mut rest = arrivals.into_iter().map(|(_, line)| line).peekable();
        let mut cuts = self.cuts.iter().cycle();
        let mut payloads = Vec::new();
        while rest.peek().is_some() {
            payloads.push(rest.by_ref().take(*cuts.next().unwrap()).collect());
        }
        payloads
    }

    /// In which order payloads are delivered, those that come again included.
    pub(super) fn deliveries(&self, payloads: usize) -> Vec<usize> {
        let mut deliveries: Vec<usize> = (0..payloads).collect();
        for (index, after) in &self.repeats {
            let payload = index.index(payloads);
            let first = deliveries.iter().position(|delivered| *delivered == payload).unwrap();
            deliveries.insert((first + 1 + after).min(deliveries.len()), payload);
        }
        deliveries
    }
}
