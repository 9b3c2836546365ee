//! How much of an alert a document tells, and what it leaves out.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use crate::alert::{Redacted, text};

/// The most that is told of each text and of each list.
#[derive(Debug, Clone, Copy)]
pub(super) struct Detail {
    /// In bytes, before the note that says how long the text was.
    pub(super) text: usize,
    /// Members.
    pub(super) list: usize,
}

/// Cuts texts and lists to a [`Detail`] and remembers that it did.
#[derive(Debug)]
pub(super) struct Cutter {
    detail: Detail,
    has_cut: Cell<bool>,
    omitted: RefCell<BTreeMap<&'static str, usize>>,
}

impl Cutter {
    pub(super) fn new(detail: Detail) -> Self {
        Self { detail, has_cut: Cell::new(false), omitted: RefCell::default() }
    }

    pub(super) fn has_cut(&self) -> bool {
        self.has_cut.get()
    }

    /// How many members each list lacks.
    pub(super) fn omitted(&self) -> BTreeMap<&'static str, usize> {
        self.omitted.borrow().clone()
    }

    pub(super) fn text<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let kept = text::prefix(text, self.detail.text);
        if kept.len() == text.len() {
            return Cow::Borrowed(text);
        }
        self.has_cut.set(true);
        Cow::Owned(text::with_length_note(kept, text.len()))
    }

    pub(super) fn log_text<'a>(&self, text: Option<&'a Redacted>) -> Option<Cow<'a, str>> {
        text.map(|text| self.text(text.as_str()))
    }

    /// A name that is empty where there is none.
    pub(super) fn name<'a>(&self, name: &'a str) -> Option<Cow<'a, str>> {
        Some(name).filter(|name| !name.is_empty()).map(|name| self.text(name))
    }

    /// The members of `list` that are told; how many are not is noted under `name`.
    pub(super) fn list<'a, T>(&self, name: &'static str, list: &'a [T]) -> &'a [T] {
        let (told, omitted) = self.members(list);
        if let Some(omitted) = omitted {
            self.omitted.borrow_mut().insert(name, omitted);
        }
        told
    }

    /// The members of `list` that are told, and how many are not.
    pub(super) fn members<'a, T>(&self, list: &'a [T]) -> (&'a [T], Option<usize>) {
        match list.split_at_checked(self.detail.list) {
            None | Some((_, [])) => (list, None),
            Some((told, rest)) => {
                self.has_cut.set(true);
                (told, Some(rest.len()))
            }
        }
    }

    pub(super) fn texts<'a>(&self, name: &'static str, list: &'a [String]) -> Vec<Cow<'a, str>> {
        self.list(name, list).iter().map(|text| self.text(text)).collect()
    }

    pub(super) fn log_texts<'a>(&self, list: &'a [Redacted]) -> Vec<Cow<'a, str>> {
        list.iter().map(|text| self.text(text.as_str())).collect()
    }
}
