//! What is to be published, before it is an alert.

use uuid::Uuid;

use super::contribution::{Contribution, Match, Named};
use super::incident::{Announcement, Incident, Stage};
use super::plan::SpecId;
use super::window::Window;
use crate::payload::EventRef;

/// The positions of this many events behind one alert are told; more are evidence of the same.
pub const MOST_EVENTS: usize = 100;

/// A message that was claimed, with what it tells.
#[derive(Debug, Clone)]
pub struct Told {
    /// Whose window it is from.
    pub spec: SpecId,
    /// What is told.
    pub announcement: Announcement,
    /// The incident as it stands.
    pub incident: Incident,
    /// Where events behind it stand, at most [`MOST_EVENTS`].
    pub events: Vec<EventRef>,
    /// An event of the batch to tell of, if one is of this incident.
    pub telling: Option<Telling>,
}

/// The event that an alert tells of.
#[derive(Debug, Clone)]
pub struct Telling {
    /// The match.
    pub found: Match,
    /// What its group is named by.
    pub named: Vec<Named>,
    /// It opened the incident.
    pub opened: bool,
}

impl AsRef<Told> for Told {
    fn as_ref(&self) -> &Told {
        self
    }
}

impl Told {
    /// What it is the first to tell of, if it is not a repetition: what the request and its response share.
    #[must_use]
    pub fn happening(&self) -> Option<Uuid> {
        let telling = self.telling.as_ref().filter(|telling| telling.opened)?;
        (self.announcement.stage == Stage::Opened).then_some(telling.found.happening)
    }

    /// What an announcement tells, given the window, and what was folded into it, if anything was.
    #[must_use]
    pub fn of(
        spec: SpecId,
        window: &Window,
        contribution: Option<&Contribution>,
        announcement: &Announcement,
    ) -> Option<Self> {
        let incident = window.incident(announcement.incident)?;
        let folded = contribution.map_or(&[][..], |contribution| &contribution.entries);
        Some(Self {
            spec,
            announcement: *announcement,
            incident: incident.clone(),
            events: window.events(announcement, folded, MOST_EVENTS),
            telling: contribution.and_then(|contribution| Telling::of(contribution, incident)),
        })
    }

    /// Where it stands among what a batch tells: by the event that it tells of, what only time brought about last.
    #[must_use]
    pub fn place(&self) -> usize {
        self.telling.as_ref().map_or(usize::MAX, |telling| telling.found.place)
    }
}

impl Telling {
    fn of(contribution: &Contribution, incident: &Incident) -> Option<Self> {
        let found = contribution.telling(incident.opener)?.clone();
        let opened = contribution.entries.iter().any(|entry| entry.identity() == incident.opener);
        Some(Self { found, named: contribution.named.clone(), opened })
    }
}
