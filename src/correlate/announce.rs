//! What is told of a window's incidents, and by whom.

use std::iter;

use hashbrown::{HashMap, HashSet};
use uuid::Uuid;

use super::Nanoseconds;
use super::entry::Entry;
use super::incident::{Announcement, Claim, Incident, Stage};
use super::spec::WindowSpec;
use super::window::{Clock, Window};
use crate::payload::EventRef;

impl Window {
    /// Claims everything that is to be told and that nobody else is telling.
    pub fn claim(&mut self, spec: &WindowSpec, clock: &Clock) -> Vec<Announcement> {
        let event_time = self.newest.max(Some(clock.event_time)).unwrap_or_default();
        let mut claimed = Vec::new();
        for incident in self.incidents.iter_mut().filter(|incident| !incident.closed) {
            match incident.untold(spec, event_time) {
                Some(announcement) if !incident.is_claimed(clock) => {
                    let Clock { owner, lease, .. } = *clock;
                    incident.claim = Some(Claim { owner, count: announcement.count, until: lease });
                    claimed.push(announcement);
                }
                None if event_time > incident.end(spec) => incident.close(),
                Some(_) | None => {}
            }
        }
        claimed
    }

    /// Records that something was told. Nothing happens if the incident is gone.
    pub fn settle(&mut self, announcement: &Announcement, clock: &Clock) {
        let Some(incident) = self.incident_mut(announcement.incident) else { return };
        incident.announced = incident.announced.max(announcement.count);
        if incident.claim.is_some_and(|claim| claim.owner == clock.owner) {
            incident.claim = None;
        }
        if announcement.stage == Stage::Ended && incident.announced == incident.count {
            incident.close();
        }
    }

    /// Gives up a claim: it was not told, and whoever looks next may try.
    pub fn release(&mut self, announcement: &Announcement, clock: &Clock) {
        if let Some(incident) = self.incident_mut(announcement.incident)
            && incident.claim.is_some_and(|claim| claim.owner == clock.owner)
        {
            incident.claim = None;
        }
    }

    /// When somebody should look after it although nothing new happens: by event time, if at all.
    #[must_use]
    pub fn due(&self, spec: &WindowSpec) -> Option<Nanoseconds> {
        let untold = self.incidents.iter().filter(|incident| incident.count > incident.announced);
        untold.map(|incident| incident.end(spec).saturating_add(1)).min()
    }

    /// An incident.
    #[must_use]
    pub fn incident(&self, id: Uuid) -> Option<&Incident> {
        self.incidents.iter().find(|incident| incident.id == id)
    }

    /// All incidents, by when they were opened.
    #[must_use]
    pub fn incidents(&self) -> &[Incident] {
        &self.incidents
    }

    /// Keeps what the alerts of an incident say.
    pub fn describe(&mut self, id: Uuid, description: Vec<u8>) {
        if let Some(incident) = self.incident_mut(id) {
            incident.description = description;
        }
    }

    /// Takes note of where the events between two times came from.
    pub fn note_addresses(&mut self, addresses: &[(Nanoseconds, u64)]) {
        for incident in self.incidents.iter_mut().filter(|incident| !incident.closed) {
            let span = incident.first..=incident.last;
            let within = addresses.iter().filter(|(time, _)| span.contains(time));
            within.for_each(|(_, address)| incident.note_address(*address));
        }
    }

    /// Where events behind an incident stand, at most `most`: the first ones, or the last ones of a repetition.
    ///
    /// Of what was folded in just now, every event counts, the response to a request as well. If all are forgotten,
    /// the event that opened it is left.
    #[must_use]
    pub fn events(&self, announcement: &Announcement, folded: &[Entry], most: usize) -> Vec<EventRef> {
        let Some(incident) = self.incident(announcement.incident) else { return Vec::new() };
        let within = self.entries.iter().filter(|entry| entry.marks.counted && incident.is_about(entry));
        let mut same: HashMap<(u16, u64), Vec<&EventRef>> = HashMap::new();
        for entry in folded {
            same.entry(entry.identity()).or_default().push(&entry.event);
        }
        let mut seen: HashSet<&EventRef> = HashSet::new();
        let mut events: Vec<EventRef> = Vec::new();
        for entry in within {
            let others = same.get(&entry.identity()).into_iter().flatten().copied();
            let new = iter::once(&entry.event).chain(others).filter(|event| seen.insert(*event));
            events.extend(new.cloned());
        }
        if events.is_empty() {
            events.push(incident.event.clone());
        }
        match announcement.stage {
            Stage::Opened => events.truncate(most),
            Stage::Repeated | Stage::Ended => drop(events.drain(..events.len().saturating_sub(most))),
        }
        events
    }

    fn incident_mut(&mut self, id: Uuid) -> Option<&mut Incident> {
        self.incidents.iter_mut().find(|incident| incident.id == id)
    }
}

impl Incident {
    /// It is over, and nobody will ask what it was about.
    fn close(&mut self) {
        self.closed = true;
        self.claim = None;
        self.description = Vec::new();
        self.addresses = Vec::new();
    }
}
