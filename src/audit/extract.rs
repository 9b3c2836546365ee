//! One pass over the JSON text that fills only the fields that somebody asks for.
//!
//! A [`FieldTable`] is a trie of dotted paths. The walk over the text follows it, keeps what ends in a slot, and skips
//! the rest. Values are kept as positions in the text (or in an arena, where unescaping made a new text), so that the
//! buffers outlive the event and nothing is allocated once they have grown.

use hashbrown::HashMap;

use super::derived::{Derivation, DerivedField};
use super::json::{self, Container, Malformed, Open, RawString, Scanner};
use super::{Unreadable, Value};
use crate::number::Number;

/// A field of a [`FieldTable`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Slot(u32);

impl Slot {
    /// The slot as an index: slots count from 0 without gaps.
    #[must_use]
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// The fields to extract, as a trie.
#[derive(Debug)]
pub struct FieldTable {
    nodes: Vec<Node>,
    slots: HashMap<String, Slot>,
    time: Slot,
    wrappers: [Slot; 2],
    derivations: Vec<Derivation>,
}

/// Collects the fields of a [`FieldTable`].
#[derive(Debug)]
pub struct FieldTableBuilder {
    nodes: Vec<Node>,
    slots: HashMap<String, Slot>,
    derivations: Vec<Derivation>,
}

type NodeId = u32;

const ROOT: NodeId = 0;

#[derive(Debug, Default)]
struct Node {
    slot: Option<Slot>,
    children: Vec<(Box<str>, NodeId)>,
    /// Some child has children, so that a key with dots in it may name a field.
    deep: bool,
}

impl Default for FieldTableBuilder {
    fn default() -> Self {
        Self { nodes: vec![Node::default()], slots: HashMap::new(), derivations: Vec::new() }
    }
}

impl FieldTableBuilder {
    /// The slot of a field, a new one if nobody asked for it yet. A derived field brings along what it derives from.
    pub fn slot(&mut self, field: &str) -> Slot {
        if let Some(&slot) = self.slots.get(field) {
            return slot;
        }
        let slot = Slot(u32::try_from(self.slots.len()).unwrap_or(u32::MAX));
        self.slots.insert(field.to_owned(), slot);
        match DerivedField::by_name(field) {
            Some(derived) => {
                let facts = derived.facts().iter().map(|fact| (*fact, self.slot(fact.field()))).collect();
                self.derivations.push(Derivation { field: derived, slot, facts });
            }
            None => self.insert(field, slot),
        }
        slot
    }

    /// The finished table.
    #[must_use]
    pub fn build(mut self) -> FieldTable {
        let time = self.slot("time");
        let wrappers = [self.slot("message"), self.slot("log")];
        for id in 0..narrow(self.nodes.len()) {
            let children: Vec<NodeId> = self.node(id).children.iter().map(|(_, child)| *child).collect();
            self.node(id).deep = children.into_iter().any(|child| !self.node(child).children.is_empty());
        }
        FieldTable { nodes: self.nodes, slots: self.slots, time, wrappers, derivations: self.derivations }
    }

    fn insert(&mut self, field: &str, slot: Slot) {
        let leaf = field.split('.').fold(ROOT, |at, key| self.child(at, key));
        self.node(leaf).slot = Some(slot);
    }

    fn child(&mut self, parent: NodeId, key: &str) -> NodeId {
        let new = NodeId::try_from(self.nodes.len()).unwrap_or(NodeId::MAX);
        let node = self.node(parent);
        if let Some((_, child)) = node.children.iter().find(|(name, _)| **name == *key) {
            return *child;
        }
        node.children.push((key.into(), new));
        self.nodes.push(Node::default());
        new
    }

    #[expect(clippy::indexing_slicing, reason = "INVARIANT: node ids are handed out by `child` and stay valid")]
    fn node(&mut self, id: NodeId) -> &mut Node {
        &mut self.nodes[id as usize]
    }
}

impl FieldTable {
    /// The slot of a field that was asked for.
    #[must_use]
    pub fn slot(&self, field: &str) -> Option<Slot> {
        self.slots.get(field).copied()
    }

    /// How many slots there are.
    #[must_use]
    pub fn slots(&self) -> usize {
        self.slots.len()
    }

    /// The slot of `time`, which every table has.
    pub(super) fn time(&self) -> Slot {
        self.time
    }

    /// The slots of the keys under which shippers nest an entry.
    pub(super) fn wrappers(&self) -> [Slot; 2] {
        self.wrappers
    }

    pub(super) fn derivations(&self) -> &[Derivation] {
        &self.derivations
    }

    #[expect(clippy::indexing_slicing, reason = "INVARIANT: node ids come from this table's own nodes")]
    fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id as usize]
    }

    /// Where a key leads: to a child, or along several at once if it has dots in it. The first number is the child's
    /// place among its siblings.
    fn step(&self, from: NodeId, key: &str) -> Option<Step> {
        let node = self.node(from);
        let plain = node.children.iter().position(|(name, _)| **name == *key);
        if let Some(position) = plain {
            let (_, child) = node.children.get(position)?;
            return Some(Step { node: *child, position: Some(position) });
        }
        if !node.deep || !key.contains('.') {
            return None;
        }
        let find = |at: NodeId, part: &str| {
            let (_, child) = self.node(at).children.iter().find(|(name, _)| **name == *part)?;
            Some(*child)
        };
        let node = key.split('.').try_fold(from, find)?;
        Some(Step { node, position: None })
    }

    /// Whether a slot lies at or below a node.
    fn leads_to(&self, node: NodeId, slot: Slot) -> bool {
        let node = self.node(node);
        node.slot == Some(slot) || node.children.iter().any(|(_, child)| self.leads_to(*child, slot))
    }
}

/// Where a key leads in the trie.
struct Step {
    node: NodeId,
    /// Place among the siblings; none for a literal key with dots.
    position: Option<usize>,
}

/// The values of one event.
#[derive(Debug, Default)]
pub(super) struct Values {
    entries: Vec<Entry>,
    /// Per slot: the first and the last of its entries.
    chains: Vec<Option<(u32, u32)>>,
    /// Texts that had escapes in them.
    arena: String,
    /// Texts of derived values.
    derived: String,
    has_literal_keys: bool,
    /// Containers that are open while skipping.
    open: Open,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    slot: Slot,
    next: Option<u32>,
    /// Found under a literal key with dots, which a nested path beats.
    literal: bool,
    stored: Stored,
}

/// A value as positions, free of lifetimes.
#[derive(Debug, Clone, Copy)]
enum Stored {
    Null,
    Bool(bool),
    Number { start: u32, len: u32 },
    InText { start: u32, len: u32 },
    InArena { start: u32, len: u32 },
    Derived { start: u32, len: u32 },
    Structure,
}

impl Values {
    fn reset(&mut self, slots: usize) {
        self.entries.clear();
        self.chains.clear();
        self.chains.resize(slots, None);
        self.arena.clear();
        self.derived.clear();
        self.has_literal_keys = false;
    }

    pub(super) fn is_present(&self, slot: Slot) -> bool {
        matches!(self.chains.get(slot.index()), Some(Some(_)))
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
        let piece = |from: &'v str, start: u32, len: u32| {
            let range = start as usize..start as usize + len as usize;
            from.get(range).unwrap_or_default()
        };
        match stored {
            Stored::Null => Value::Null,
            Stored::Bool(boolean) => Value::Bool(boolean),
            // Every number that was kept has a value.
            Stored::Number { start, len } => Number::parse(piece(text, start, len)).map_or(Value::Null, Value::Number),
            Stored::InText { start, len } => Value::Text(piece(text, start, len)),
            Stored::InArena { start, len } => Value::Text(piece(&self.arena, start, len)),
            Stored::Derived { start, len } => Value::Text(piece(&self.derived, start, len)),
            Stored::Structure => Value::Structure,
        }
    }

    /// Adds what `write` appends as the value of a derived field, if it says that there is one.
    pub(super) fn derive(&mut self, slot: Slot, write: impl FnOnce(&Self, &mut String) -> Option<()>) {
        let mut derived = std::mem::take(&mut self.derived);
        let start = derived.len();
        let written = write(self, &mut derived);
        let stored = Stored::Derived { start: narrow(start), len: narrow(derived.len().saturating_sub(start)) };
        self.derived = derived;
        if written.is_some() {
            self.push(slot, stored, false);
        }
    }

    fn push(&mut self, slot: Slot, stored: Stored, literal: bool) {
        let new = narrow(self.entries.len());
        self.entries.push(Entry { slot, next: None, literal, stored });
        self.has_literal_keys |= literal;
        let Some(chain) = self.chains.get_mut(slot.index()) else { return };
        let last = match chain {
            None => {
                *chain = Some((new, new));
                return;
            }
            Some((_, last)) => std::mem::replace(last, new),
        };
        if let Some(entry) = self.entries.get_mut(last as usize) {
            entry.next = Some(new);
        }
    }

    /// Keeps only the entries that `keep` wants. Only doubled and literal keys need this, which Vault never writes.
    fn retain(&mut self, keep: impl Fn(&Self, usize, &Entry) -> bool) {
        let kept: Vec<Entry> =
            self.entries.iter().enumerate().filter(|(at, entry)| keep(self, *at, entry)).map(|(_, e)| *e).collect();
        self.entries.clear();
        self.chains.fill(None);
        for entry in kept {
            self.push(entry.slot, entry.stored, entry.literal);
        }
    }

    /// A nested path beats a literal key with dots.
    fn settle_literal_keys(&mut self) {
        if self.has_literal_keys {
            let has_nested =
                |values: &Self, slot| values.entries.iter().any(|entry| entry.slot == slot && !entry.literal);
            self.retain(|values, _, entry| !entry.literal || !has_nested(values, entry.slot));
        }
    }
}

/// INVARIANT: texts are shorter than 4 GiB, which `extract` checks.
fn narrow(size: usize) -> u32 {
    u32::try_from(size).unwrap_or(u32::MAX)
}

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
    values.settle_literal_keys();
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
        let since = self.values.entries.len();
        let mut seen = 0_u128;
        let mut first = true;
        while self.scanner.next_member(Container::Object, first)? {
            first = false;
            let key = self.scanner.key()?;
            let Some(step) = self.step(place.node, key)? else {
                self.skip()?;
                continue;
            };
            // Past 128 siblings, and for literal keys, every key is treated as a repeated one, which is only slow.
            let bit = step.position.and_then(|position| 1_u128.checked_shl(narrow(position))).unwrap_or(0);
            if bit == 0 || seen & bit != 0 {
                self.forget(&step, since);
            }
            seen |= bit;
            let literal = place.literal || step.position.is_none();
            self.value(Place { node: step.node, literal, depth: place.depth + 1 })?;
        }
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
            self.keep(place, Stored::InText { start: narrow(string.start), len: narrow(string.text.len()) });
        } else if self.table.node(place.node).slot.is_some() {
            let arena = &mut self.values.arena;
            let start = arena.len();
            json::unescape(string.text, arena)?;
            let len = narrow(arena.len() - start);
            self.keep(place, Stored::InArena { start: narrow(start), len });
        }
        Ok(())
    }

    fn number(&mut self, place: Place) -> Result<(), Malformed> {
        let number = self.scanner.number()?;
        let doubtful = number.text.len() > SURELY_FINITE || number.text.contains(['e', 'E']);
        if doubtful && Number::parse(number.text).is_none() {
            return Err(Malformed);
        }
        self.keep(place, Stored::Number { start: narrow(number.start), len: narrow(number.text.len()) });
        Ok(())
    }

    fn skip(&mut self) -> Result<(), Malformed> {
        self.values.open.clear();
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
        let arena = &mut self.values.arena;
        let start = arena.len();
        json::unescape(key.text, arena)?;
        let step = arena.get(start..).and_then(|key| self.table.step(from, key));
        arena.truncate(start);
        Ok(step)
    }

    /// A key came a second time in one object: the last one wins, so what came of the first is dropped.
    ///
    /// A literal key never repeats a nested one, nor the other way round.
    fn forget(&mut self, step: &Step, since: usize) {
        let table = self.table;
        let same_kind = |entry: &Entry| step.position.is_some() || entry.literal;
        self.values.retain(|_, at, entry| at < since || !same_kind(entry) || !table.leads_to(step.node, entry.slot));
    }
}
