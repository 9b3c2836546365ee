//! A window as bytes: a version, then the window in the compact format of `postcard`.
//!
//! Whatever changes here gets a new version, and the old one stays readable: a deployment meets windows that the release
//! before it wrote, and a roll-back those of the release after it.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Nanoseconds;
use super::entry::{Entry, EntryValue, Marks};
use super::incident::{Claim, Incident};
use super::window::{Firing, Window};
use crate::number::Number;
use crate::payload::EventRef;

/// The version that is written.
const VERSION: u8 = 1;

/// How many decimal digits are reckoned with at a time: they fit into 64 bits.
const AT_A_TIME: usize = 19;

/// Ten to the power of [`AT_A_TIME`].
const SHIFT: u128 = 10_000_000_000_000_000_000;

/// Why a stored window cannot be read. It is left alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StoredError {
    /// A later release wrote it.
    #[error("the stored window has version {found}, and this release knows {VERSION}")]
    Newer {
        /// Its version.
        found: u8,
    },
    /// It is no window, or damaged.
    #[error("the stored window is damaged")]
    Damaged,
}

impl Window {
    /// Reads what [`to_bytes`](Self::to_bytes) wrote, in this release or an older one.
    ///
    /// # Errors
    ///
    /// If a later release wrote it, or it is damaged.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, StoredError> {
        match bytes.split_first() {
            Some((&VERSION, rest)) => {
                postcard::from_bytes(rest).map(WindowV1::into_window).map_err(|_| StoredError::Damaged)
            }
            Some((&found, _)) if found > VERSION => Err(StoredError::Newer { found }),
            _ => Err(StoredError::Damaged),
        }
    }

    /// The window as bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        // Writing to memory does not fail: every part has a length that is known.
        postcard::to_extend(&WindowV1::of(self), vec![VERSION]).unwrap_or_default()
    }
}

#[derive(Serialize, Deserialize)]
struct WindowV1 {
    entries: Vec<EntryV1>,
    incidents: Vec<IncidentV1>,
    deliveries: Vec<[u8; 8]>,
    newest: Option<Nanoseconds>,
    since: Option<Nanoseconds>,
    fired_until: Option<Nanoseconds>,
    thinned_until: Option<Nanoseconds>,
    firings: Vec<FiringV1>,
}

#[derive(Serialize, Deserialize)]
struct EntryV1 {
    /// Nanoseconds after the entry before it; after 1970 for the first one, and for one that stands alone.
    after: i64,
    id: [u8; 8],
    rule: u16,
    value: Option<ValueV1>,
    event: EventV1,
    marks: u8,
}

#[derive(Serialize, Deserialize)]
struct FiringV1 {
    delivery: [u8; 8],
    entry: EntryV1,
}

#[derive(Serialize, Deserialize)]
enum ValueV1 {
    Distinct([u8; 8]),
    Integer(i128),
    Decimal(f64),
}

#[derive(Serialize, Deserialize)]
enum EventV1 {
    /// 56 decimal digits fit into 24 bytes.
    Digits {
        count: u8,
        number: [u8; 24],
    },
    LogEvent(String),
    Line {
        file: String,
        line: u64,
    },
}

#[derive(Serialize, Deserialize)]
struct IncidentV1 {
    id: [u8; 16],
    opened: Nanoseconds,
    opener: (u16, u64),
    event: EventV1,
    value: Option<u64>,
    first: Nanoseconds,
    last: Nanoseconds,
    count: u64,
    announced: u64,
    claim: Option<(u64, u64, Nanoseconds)>,
    closed: bool,
    addresses: Vec<[u8; 8]>,
    description: Vec<u8>,
}

impl WindowV1 {
    fn of(window: &Window) -> Self {
        Self {
            entries: EntryV1::all_of(&window.entries),
            incidents: window.incidents.iter().map(IncidentV1::of).collect(),
            deliveries: window.deliveries.iter().map(|delivery| delivery.to_be_bytes()).collect(),
            newest: window.newest,
            since: window.since,
            fired_until: window.fired_until,
            thinned_until: window.thinned_until,
            firings: window.firings.iter().map(FiringV1::of).collect(),
        }
    }

    fn into_window(self) -> Window {
        Window {
            entries: EntryV1::into_entries(self.entries),
            incidents: self.incidents.into_iter().map(IncidentV1::into_incident).collect(),
            deliveries: self.deliveries.into_iter().map(u64::from_be_bytes).collect(),
            newest: self.newest,
            since: self.since,
            fired_until: self.fired_until,
            thinned_until: self.thinned_until,
            firings: self.firings.into_iter().map(FiringV1::into_firing).collect(),
        }
    }
}

impl FiringV1 {
    fn of((delivery, firing): &(u64, Firing)) -> Self {
        Self { delivery: delivery.to_be_bytes(), entry: EntryV1::of(&firing.entry, firing.entry.time) }
    }

    fn into_firing(self) -> (u64, Firing) {
        let time = self.entry.after;
        (u64::from_be_bytes(self.delivery), Firing { entry: self.entry.into_entry(time) })
    }
}

impl EntryV1 {
    fn all_of(entries: &[Entry]) -> Vec<Self> {
        let mut before: Nanoseconds = 0;
        let entries = entries.iter().map(|entry| {
            let after = entry.time.wrapping_sub(before);
            before = entry.time;
            Self::of(entry, after)
        });
        entries.collect()
    }

    fn into_entries(entries: Vec<Self>) -> Vec<Entry> {
        let mut time: Nanoseconds = 0;
        let entries = entries.into_iter().map(|entry| {
            time = time.wrapping_add(entry.after);
            entry.into_entry(time)
        });
        entries.collect()
    }

    fn of(entry: &Entry, after: i64) -> Self {
        let Marks { held, fired, counted, known } = entry.marks;
        Self {
            after,
            id: entry.id.to_be_bytes(),
            rule: entry.rule,
            value: entry.value.map(ValueV1::of),
            event: EventV1::of(&entry.event),
            marks: u8::from(held) | u8::from(fired) << 1 | u8::from(counted) << 2 | u8::from(known) << 3,
        }
    }

    fn into_entry(self, time: Nanoseconds) -> Entry {
        let has = |bit: u8| self.marks & bit != 0;
        Entry {
            time,
            id: u64::from_be_bytes(self.id),
            rule: self.rule,
            value: self.value.map(ValueV1::into_value),
            marks: Marks { held: has(1), fired: has(2), counted: has(4), known: has(8) },
            event: self.event.into_event(),
        }
    }
}

impl ValueV1 {
    fn of(value: EntryValue) -> Self {
        match value {
            EntryValue::Distinct(hash) => Self::Distinct(hash.to_be_bytes()),
            EntryValue::Number(Number::Integer(integer)) => Self::Integer(integer),
            EntryValue::Number(Number::Decimal(decimal)) => Self::Decimal(decimal),
        }
    }

    fn into_value(self) -> EntryValue {
        match self {
            Self::Distinct(hash) => EntryValue::Distinct(u64::from_be_bytes(hash)),
            Self::Integer(integer) => EntryValue::Number(Number::Integer(integer)),
            Self::Decimal(decimal) => EntryValue::Number(Number::Decimal(decimal)),
        }
    }
}

impl EventV1 {
    fn of(event: &EventRef) -> Self {
        match event {
            EventRef::LogEvent(id) => to_number(id).map_or_else(
                || Self::LogEvent(id.clone()),
                |number| Self::Digits { count: u8::try_from(id.len()).unwrap_or_default(), number },
            ),
            EventRef::Line { file, line } => Self::Line { file: file.to_string(), line: *line },
        }
    }

    fn into_event(self) -> EventRef {
        match self {
            Self::Digits { count, number } => EventRef::LogEvent(to_digits(number, count)),
            Self::LogEvent(id) => EventRef::LogEvent(id),
            Self::Line { file, line } => EventRef::Line { file: Arc::from(file), line },
        }
    }
}

/// The number that up to 57 decimal digits make, big-endian.
fn to_number(digits: &str) -> Option<[u8; 24]> {
    if digits.is_empty() || digits.len() > 57 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let mut number = [0_u64; 3];
    for digits in digits.as_bytes().chunks(AT_A_TIME) {
        let value = digits.iter().fold(0, |value, digit| value * 10 + u128::from(digit - b'0'));
        let shift = digits.iter().fold(1, |shift, _| shift * 10);
        let mut carry = value;
        for limb in number.iter_mut().rev() {
            let wide = u128::from(*limb) * shift + carry;
            (*limb, carry) = (low(wide), wide >> 64);
        }
    }
    let mut bytes = [0; 24];
    bytes.iter_mut().zip(number.into_iter().flat_map(u64::to_be_bytes)).for_each(|(to, from)| *to = from);
    Some(bytes)
}

fn to_digits(bytes: [u8; 24], count: u8) -> String {
    let (limbs, _) = bytes.as_chunks();
    let mut number: Vec<u128> = limbs.iter().map(|limb| u64::from_be_bytes(*limb).into()).collect();
    let count = usize::from(count);
    let mut digits = String::new();
    while digits.len() < count {
        let mut rest = 0;
        for limb in &mut number {
            let dividend = rest << 64 | *limb;
            (*limb, rest) = (dividend / SHIFT, dividend % SHIFT);
        }
        digits = format!("{rest:0AT_A_TIME$}{digits}");
    }
    let surplus = digits.len() - count;
    digits.drain(..surplus);
    digits
}

/// The lower half of a number.
fn low(wide: u128) -> u64 {
    u64::try_from(wide & u128::from(u64::MAX)).unwrap_or_default()
}

impl IncidentV1 {
    fn of(incident: &Incident) -> Self {
        let claim = incident.claim.map(|Claim { owner, count, until }| (owner, count, until));
        Self {
            id: incident.id.into_bytes(),
            opened: incident.opened,
            opener: incident.opener,
            event: EventV1::of(&incident.event),
            value: incident.value,
            first: incident.first,
            last: incident.last,
            count: incident.count,
            announced: incident.announced,
            claim,
            closed: incident.closed,
            addresses: incident.addresses.iter().map(|address| address.to_be_bytes()).collect(),
            description: incident.description.clone(),
        }
    }

    fn into_incident(self) -> Incident {
        Incident {
            id: Uuid::from_bytes(self.id),
            opened: self.opened,
            opener: self.opener,
            event: self.event.into_event(),
            value: self.value,
            first: self.first,
            last: self.last,
            count: self.count,
            announced: self.announced,
            claim: self.claim.map(|(owner, count, until)| Claim { owner, count, until }),
            closed: self.closed,
            addresses: self.addresses.into_iter().map(u64::from_be_bytes).collect(),
            description: self.description,
        }
    }
}
