//! The values of an event's fields, as positions in its text, so that their memory outlives the event.

use super::Value;
use super::fields::{NodeId, Slot};
use crate::json::{self, Malformed, Open};
use crate::number::Number;

/// The values of one event.
#[derive(Debug, Default)]
pub(super) struct Values {
    entries: Vec<Entry>,
    /// Per slot: the first and the last of its entries.
    chains: Vec<Option<(u32, u32)>>,
    /// The slots that have a chain.
    present: Vec<Slot>,
    /// Texts that had escapes in them.
    arena: String,
    /// Texts of derived values.
    derived: String,
    /// There are values to drop: of repeated keys, or perhaps of literal ones.
    is_unsettled: bool,
    /// Wanted keys of the objects around the walk, outermost first.
    pub(super) visits: Vec<Visit>,
    /// Containers that are open while the walk skips a value.
    pub(super) open: Open,
}

/// One value of one field.
#[derive(Debug, Clone, Copy)]
struct Entry {
    slot: Slot,
    next: Option<u32>,
    /// Found under a literal key with dots, which a nested path beats.
    literal: bool,
    /// Its key was repeated.
    dropped: bool,
    stored: Stored,
}

/// A wanted key of an object.
#[derive(Debug, Clone, Copy)]
pub(super) struct Visit {
    pub(super) node: NodeId,
    /// A literal key with dots.
    pub(super) literal: bool,
    /// How many values there were before.
    pub(super) since: usize,
}

/// A value, free of lifetimes.
#[derive(Debug, Clone, Copy)]
pub(super) enum Stored {
    Null,
    Bool(bool),
    /// A number, as the text writes it.
    Number(Piece),
    InText(Piece),
    InArena(Piece),
    Derived(Piece),
    Structure,
}

/// A range of bytes.
///
/// INVARIANT: texts are shorter than 4 GiB, which the walk checks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Piece {
    start: u32,
    len: u32,
}

impl Piece {
    pub(super) fn new(start: usize, len: usize) -> Self {
        Self { start: narrow(start), len: narrow(len) }
    }

    fn of(self, text: &str) -> &str {
        let start = self.start as usize;
        text.get(start..start + self.len as usize).unwrap_or_default()
    }
}

pub(super) fn narrow(size: usize) -> u32 {
    u32::try_from(size).unwrap_or(u32::MAX)
}

impl Values {
    /// Forgets the last event, and makes room for the fields of the next.
    pub(super) fn reset(&mut self, slots: usize) {
        self.entries.clear();
        self.chains.clear();
        self.chains.resize(slots, None);
        self.present.clear();
        self.arena.clear();
        self.derived.clear();
        self.is_unsettled = false;
        self.visits.clear();
        self.open.clear();
    }

    /// How many values there are so far.
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn is_present(&self, slot: Slot) -> bool {
        matches!(self.chains.get(slot.index()), Some(Some(_)))
    }

    /// The slots with at least one value.
    pub(super) fn present(&self) -> &[Slot] {
        &self.present
    }

    pub(super) fn iter<'v>(&'v self, slot: Slot, text: &'v str) -> impl Iterator<Item = Value<'v>> + use<'v> {
        let mut at = self.chains.get(slot.index()).copied().flatten().map(|(first, _)| first);
        std::iter::from_fn(move || {
            let entry = self.entries.get(at? as usize)?;
            at = entry.next;
            Some(self.value(entry.stored, text))
        })
    }

    fn value<'v>(&'v self, stored: Stored, text: &'v str) -> Value<'v> {
        match stored {
            Stored::Null => Value::Null,
            Stored::Bool(boolean) => Value::Bool(boolean),
            // Every number that was kept has a value.
            Stored::Number(piece) => Number::parse(piece.of(text)).map_or(Value::Null, Value::Number),
            Stored::InText(piece) => Value::Text(piece.of(text)),
            Stored::InArena(piece) => Value::Text(piece.of(&self.arena)),
            Stored::Derived(piece) => Value::Text(piece.of(&self.derived)),
            Stored::Structure => Value::Structure,
        }
    }

    /// Adds a value of a field.
    pub(super) fn push(&mut self, slot: Slot, stored: Stored, literal: bool) {
        let new = narrow(self.entries.len());
        self.entries.push(Entry { slot, next: None, literal, dropped: false, stored });
        self.is_unsettled |= literal;
        let Some(chain) = self.chains.get_mut(slot.index()) else { return };
        let last = match chain {
            None => {
                *chain = Some((new, new));
                self.present.push(slot);
                return;
            }
            Some((_, last)) => std::mem::replace(last, new),
        };
        if let Some(entry) = self.entries.get_mut(last as usize) {
            entry.next = Some(new);
        }
    }

    /// Adds what `write` appends as the value of a derived field, if it says that there is one.
    pub(super) fn derive(&mut self, slot: Slot, write: impl FnOnce(&Self, &mut String) -> Option<()>) {
        let mut derived = std::mem::take(&mut self.derived);
        let start = derived.len();
        let written = write(self, &mut derived);
        let piece = Piece::new(start, derived.len().saturating_sub(start));
        self.derived = derived;
        if written.is_some() {
            self.push(slot, Stored::Derived(piece), false);
        }
    }

    /// Keeps a string's text without its escapes.
    pub(super) fn unescape(&mut self, raw: &str) -> Result<Stored, Malformed> {
        let start = self.arena.len();
        json::unescape(raw, &mut self.arena)?;
        Ok(Stored::InArena(Piece::new(start, self.arena.len() - start)))
    }

    /// Lends a string's text without its escapes.
    pub(super) fn with_unescaped<T>(&mut self, raw: &str, use_it: impl FnOnce(&str) -> T) -> Result<T, Malformed> {
        let start = self.arena.len();
        json::unescape(raw, &mut self.arena)?;
        let result = use_it(self.arena.get(start..).unwrap_or_default());
        self.arena.truncate(start);
        Ok(result)
    }

    /// A key came a second time in one object: the last one wins, so what came of the first is dropped, all of it.
    ///
    /// `own_visits` is where the object's own visits start. A literal key never repeats a nested one.
    pub(super) fn forget_earlier(&mut self, visit: Visit, own_visits: usize) {
        let visits = self.visits.get(own_visits..).unwrap_or_default();
        let ends = visits.iter().skip(1).map(|next| next.since).chain([visit.since]);
        for (earlier, end) in visits.iter().zip(ends) {
            if (earlier.node, earlier.literal) != (visit.node, visit.literal) {
                continue;
            }
            for entry in self.entries.get_mut(earlier.since..end).unwrap_or_default() {
                entry.dropped = true;
                self.is_unsettled = true;
            }
        }
    }

    /// Drops what was repeated, and literal keys with dots where there is a nested path. Vault writes neither.
    pub(super) fn settle(&mut self) {
        if !self.is_unsettled {
            return;
        }
        let mut entries = std::mem::take(&mut self.entries);
        entries.retain(|entry| !entry.dropped);
        let nested: Vec<Slot> = entries.iter().filter(|entry| !entry.literal).map(|entry| entry.slot).collect();
        entries.retain(|entry| !entry.literal || !nested.contains(&entry.slot));
        self.chains.fill(None);
        self.present.clear();
        for entry in entries {
            self.push(entry.slot, entry.stored, entry.literal);
        }
    }
}
