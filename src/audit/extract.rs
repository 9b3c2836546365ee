//! One pass over the JSON text that fills only the fields that somebody asks for.
//!
//! The walk follows the trie of a [`FieldTable`], keeps what ends in a slot, and skips the rest. What had escapes in it
//! goes to an arena. Nothing is allocated once the buffers have grown.

use super::Unreadable;
use super::fields::{FieldTable, NodeId, ROOT, Step};
use super::values::{Piece, Stored, Values, Visit, narrow};
use crate::json::{Container, Malformed, RawString, Scanner};
use crate::number::Number;

/// Arrays in arrays deeper than this, at a wanted field, are not read. Vault itself refuses such requests.
const DEEPEST: usize = 128;

/// A longer number, or one with an exponent, may be too large to have a value.
const SURELY_FINITE: usize = 30;

/// Fills `values` with the fields of `text`.
pub(super) fn extract(text: &str, table: &FieldTable, values: &mut Values) -> Result<(), Unreadable> {
    values.reset(table.slots());
    if u32::try_from(text.len()).is_err() {
        return Err(Unreadable::NotJson);
    }
    let mut walk = Walk { scanner: Scanner::new(text), table, values };
    if walk.scanner.peek() != Some(b'{') {
        let is_json = walk.skip().and_then(|()| walk.scanner.end()).is_ok();
        return Err(if is_json { Unreadable::NotAnObject } else { Unreadable::NotJson });
    }
    let root = Place { node: ROOT, literal: false, depth: 0 };
    walk.object(root).and_then(|()| walk.scanner.end()).map_err(|Malformed| Unreadable::NotJson)?;
    values.settle();
    Ok(())
}

/// The walk over the text, along the trie.
struct Walk<'t, 'v> {
    scanner: Scanner<'t>,
    table: &'t FieldTable,
    values: &'v mut Values,
}

/// Where the walk stands.
#[derive(Clone, Copy)]
struct Place {
    node: NodeId,
    /// A literal key with dots led here.
    literal: bool,
    /// Containers around.
    depth: usize,
}

impl Walk<'_, '_> {
    fn object(&mut self, place: Place) -> Result<(), Malformed> {
        self.scanner.expect(b'{')?;
        let own_visits = self.values.visits.len();
        let mut seen = 0_u128;
        let mut first = true;
        while self.scanner.next_member(Container::Object, first)? {
            first = false;
            let key = self.scanner.key()?;
            let Some(step) = self.step(place.node, key)? else {
                self.skip()?;
                continue;
            };
            let literal = step.position.is_none();
            let visit = Visit { node: step.node, literal, since: self.values.len() };
            // Past 128 siblings, and for literal keys, every key is looked up as a repeated one, which is only slow.
            let bit = step.position.and_then(|position| 1_u128.checked_shl(narrow(position))).unwrap_or(0);
            if bit == 0 || seen & bit != 0 {
                self.values.forget_earlier(visit, own_visits);
            }
            seen |= bit;
            self.values.visits.push(visit);
            self.value(Place { node: step.node, literal: place.literal || literal, depth: place.depth + 1 })?;
        }
        self.values.visits.truncate(own_visits);
        Ok(())
    }

    fn array(&mut self, place: Place) -> Result<(), Malformed> {
        self.scanner.expect(b'[')?;
        let mut first = true;
        while self.scanner.next_member(Container::Array, first)? {
            first = false;
            self.value(Place { depth: place.depth + 1, ..place })?;
        }
        if first {
            self.keep(place, Stored::Structure);
        }
        Ok(())
    }

    fn value(&mut self, place: Place) -> Result<(), Malformed> {
        if place.depth > DEEPEST {
            return Err(Malformed);
        }
        match self.scanner.peek().ok_or(Malformed)? {
            b'"' => self.string(place)?,
            b'{' => {
                self.keep(place, Stored::Structure);
                self.object(place)?;
            }
            b'[' => self.array(place)?,
            b'-' | b'0'..=b'9' => self.number(place)?,
            _ => {
                let stored = match self.scanner.word()? {
                    "true" => Stored::Bool(true),
                    "false" => Stored::Bool(false),
                    _ => Stored::Null,
                };
                self.keep(place, stored);
            }
        }
        Ok(())
    }

    fn string(&mut self, place: Place) -> Result<(), Malformed> {
        let string = self.scanner.string()?;
        if !string.escaped {
            self.keep(place, Stored::InText(Piece::new(string.start, string.text.len())));
        } else if self.table.node(place.node).slot.is_some() {
            let stored = self.values.unescape(string.text)?;
            self.keep(place, stored);
        }
        Ok(())
    }

    fn number(&mut self, place: Place) -> Result<(), Malformed> {
        let number = self.scanner.number()?;
        let doubtful = number.text.len() > SURELY_FINITE || number.text.contains(['e', 'E']);
        if doubtful && Number::parse(number.text).is_none() {
            return Err(Malformed);
        }
        self.keep(place, Stored::Number(Piece::new(number.start, number.text.len())));
        Ok(())
    }

    fn skip(&mut self) -> Result<(), Malformed> {
        self.scanner.skip(&mut self.values.open)
    }

    fn keep(&mut self, place: Place, stored: Stored) {
        if let Some(slot) = self.table.node(place.node).slot {
            self.values.push(slot, stored, place.literal);
        }
    }

    /// Where a key leads.
    fn step(&mut self, from: NodeId, key: RawString<'_>) -> Result<Option<Step>, Malformed> {
        if !key.escaped {
            return Ok(self.table.step(from, key.text));
        }
        let table = self.table;
        self.values.with_unescaped(key.text, |key| table.step(from, key))
    }
}
