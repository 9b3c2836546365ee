//! What is to be published, before it is an alert.

use uuid::Uuid;

use super::Nanoseconds;
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

/// What a message is about, apart from the rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Occasion {
    /// One happening, which the request and its response share.
    Happening(Uuid),
    /// A number of happenings: those that began with the same one, are as many and end at the same time are the same.
    Digest {
        /// Whether it goes on.
        stage: Stage,
        /// The happening that it began with.
        opener: u64,
        /// How many.
        count: u64,
        /// When the last one was.
        last: Nanoseconds,
    },
}

impl AsRef<Told> for Told {
    fn as_ref(&self) -> &Told {
        self
    }
}

impl Told {
    /// What it is about, apart from the rule; none if that is not known any more.
    #[must_use]
    pub fn occasion(&self) -> Option<Occasion> {
        let Announcement { stage, count, .. } = self.announcement;
        let (Incident { opener: (_, opener), last, .. }, telling) = (&self.incident, &self.telling);
        match stage {
            Stage::Opened => {
                let telling = telling.as_ref().filter(|telling| telling.opened)?;
                Some(Occasion::Happening(telling.found.happening))
            }
            Stage::Repeated | Stage::Ended => Some(Occasion::Digest { stage, opener: *opener, count, last: *last }),
        }
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
