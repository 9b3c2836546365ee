//! What a document is made of.

use std::borrow::Cow;
use std::rc::Rc;

use crate::diagnostic::Span;
use crate::rule::scalar::{self, Value};

/// A value with its place.
#[derive(Clone)]
pub(in crate::rule) struct Node<'s> {
    pub(in crate::rule) span: Span,
    pub(in crate::rule) content: Content<'s>,
    /// Scalars and their bytes below here, aliases followed.
    pub(super) weight: usize,
}

/// What a node holds. Collections are shared, so that an alias costs nothing.
#[derive(Clone)]
pub(in crate::rule) enum Content<'s> {
    Scalar(Scalar<'s>),
    List(Rc<Vec<Node<'s>>>),
    Map(Rc<Vec<Entry<'s>>>),
}

/// One key of a map with its value. A map holds a key once.
#[derive(Clone)]
pub(in crate::rule) struct Entry<'s> {
    pub(in crate::rule) key: Scalar<'s>,
    pub(in crate::rule) value: Node<'s>,
}

/// A scalar as written.
#[derive(Clone)]
pub(in crate::rule) struct Scalar<'s> {
    pub(in crate::rule) text: Cow<'s, str>,
    pub(in crate::rule) style: Style,
    /// The core schema decides what it is; otherwise it is text.
    pub(in crate::rule) resolved: bool,
    pub(in crate::rule) span: Span,
}

/// How a scalar is written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::rule) enum Style {
    Plain,
    Quoted,
    Block,
}

impl Scalar<'_> {
    /// What the scalar is under YAML 1.2's core schema.
    pub(in crate::rule) fn value(&self) -> Value {
        if self.resolved { scalar::resolve(&self.text) } else { Value::Text }
    }
}
