//! The fields to extract: a trie of dotted paths.

use hashbrown::HashMap;

use super::derived::{Derivation, DerivedField};
use super::values::narrow;

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

pub(super) type NodeId = u32;

pub(super) const ROOT: NodeId = 0;

#[derive(Debug, Default)]
pub(super) struct Node {
    pub(super) slot: Option<Slot>,
    /// In a finished table, by the length of their keys.
    children: Vec<(Box<str>, NodeId)>,
    /// Where the children with keys of this length begin; as long as needed for the longest key, and one more.
    by_length: Vec<usize>,
    /// Some child has children, so that a key with dots in it may name a field.
    deep: bool,
}

impl Node {
    fn sort(&mut self) {
        self.children.sort_by_key(|(key, _)| key.len());
        let longest = self.children.last().map_or(0, |(key, _)| key.len());
        let shorter_than = |length| self.children.partition_point(|(key, _)| key.len() < length);
        self.by_length = (0..=longest + 1).map(shorter_than).collect();
    }

    /// The place of the child with this key. Few have a key as long, so that this looks at one or two.
    fn position(&self, key: &str) -> Option<usize> {
        let (begin, end) = (*self.by_length.get(key.len())?, *self.by_length.get(key.len() + 1)?);
        let as_long = self.children.get(begin..end)?;
        Some(begin + as_long.iter().position(|(name, _)| **name == *key)?)
    }
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
            self.node(id).sort();
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

    /// The fields that were asked for, in no order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.slots.keys().map(String::as_str)
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
    pub(super) fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id as usize]
    }

    /// Where a key leads: to a child, or along several at once if it has dots in it.
    pub(super) fn step(&self, from: NodeId, key: &str) -> Option<Step> {
        let node = self.node(from);
        if let Some(position) = node.position(key) {
            let (_, child) = node.children.get(position)?;
            return Some(Step { node: *child, position: Some(position) });
        }
        if !node.deep || !key.contains('.') {
            return None;
        }
        let find = |at: NodeId, part: &str| {
            let node = self.node(at);
            node.children.get(node.position(part)?).map(|(_, child)| *child)
        };
        let node = key.split('.').try_fold(from, find)?;
        Some(Step { node, position: None })
    }
}

/// Where a key leads in the trie.
pub(super) struct Step {
    pub(super) node: NodeId,
    /// Place among the siblings; none for a literal key with dots.
    pub(super) position: Option<usize>,
}
