//! `field|modifier|modifier` -> what the values must satisfy.
//!
//! Modifiers apply from left to right.
//! Every pair of them in a key is looked up in one table, [`Modifier::followers`].

use std::ops::Range;

use super::encoding::Utf16;
use super::modifier::{Modifier, NAMES, Need};
use super::report::{Places, Report};
use super::suggest::{advice, enumerate};
use super::yaml::Scalar;
use super::{Anchor, Comparison, Link, RegexFlags, TimePart};
use crate::diagnostic::{Code, Diagnostic, Span};

/// A detection key, taken apart.
pub(super) struct Key {
    /// The part before the first `|`; empty for keywords.
    pub(super) field: String,
    /// The key as written.
    pub(super) span: Span,
    pub(super) chain: Chain,
}

/// What a chain of modifiers asks for.
#[derive(Clone)]
pub(super) struct Chain {
    /// As written, for messages.
    pub(super) modifiers: Vec<Modifier>,
    pub(super) link: Link,
    pub(super) negated: bool,
    pub(super) cased: bool,
    /// Placeholders are replaced before anything else happens to the values.
    pub(super) expands: bool,
    pub(super) operation: Operation,
}

impl Chain {
    /// No modifiers at all.
    pub(super) fn none() -> Self {
        chain(&[])
    }
}

/// How a value is compared.
#[derive(Clone)]
pub(super) enum Operation {
    /// As text with wildcards; or as a number, a boolean or null, where nothing asks for text.
    Text(TextOperation),
    Regex(RegexFlags),
    Cidr,
    Exists,
    Compare(Comparison),
    TimePart(TimePart, Comparison),
    FieldRef(Anchor),
}

/// What is done to a text, in this order, and where it must stand.
#[derive(Clone, Copy)]
pub(super) struct TextOperation {
    pub(super) windash: bool,
    pub(super) utf16: Option<Utf16>,
    pub(super) base64: Option<Base64>,
    pub(super) anchor: Anchor,
}

impl TextOperation {
    /// Whether it changes what is looked for, beyond where and in which case.
    pub(super) fn encodes(self) -> bool {
        self.windash || self.base64.is_some()
    }
}

/// How a text stands in what was encoded with Base64.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Base64 {
    /// It is all of it.
    Whole,
    /// It may start at any byte.
    Offset,
}

/// A modifier where it stands in its key.
struct Written {
    modifier: Modifier,
    at: Range<usize>,
}

/// Takes a detection key apart; `None` if something is wrong with it.
pub(super) fn read(report: &mut Report<'_>, key: &Scalar<'_>) -> Option<Key> {
    let before = report.errors();
    if key.text.is_empty() {
        report.push(Diagnostic::error(Code::EmptyDetection, &key.span, "this key names no field"));
    }
    let places = report.places(key);
    let mut segments = segments(&key.text);
    let field = segments.next().map(|(field, _)| field.to_owned()).unwrap_or_default();
    let written: Vec<Written> = segments
        .filter_map(|(name, at)| Some(Written { modifier: named(report, name, &places.of(at.clone()))?, at }))
        .collect();
    check(report, &written, &field, &places);
    let chain = chain(&written);
    (report.errors() == before).then(|| Key { field, span: key.span.clone(), chain })
}

/// The parts between the `|`s, with their places.
fn segments(key: &str) -> impl Iterator<Item = (&str, Range<usize>)> {
    let mut start = 0;
    key.split('|').map(move |segment| {
        let at = start..start + segment.len();
        start = at.end + 1;
        (segment, at)
    })
}

fn named(report: &mut Report<'_>, name: &str, place: &Span) -> Option<Modifier> {
    match Modifier::named(name) {
        None if name.is_empty() => {
            let message = "a modifier is missing beside this `|`";
            report.push(Diagnostic::error(Code::UnknownModifier, place, message));
            None
        }
        None => {
            let message = format!("there is no modifier `{name}`");
            report.push(Diagnostic::error(Code::UnknownModifier, place, message).help(advice(name, NAMES)));
            None
        }
        known => known,
    }
}

fn check(report: &mut Report<'_>, written: &[Written], field: &str, places: &Places) {
    for (at, it) in written.iter().enumerate() {
        let (before, after) = (written.get(..at).unwrap_or_default(), written.get(at + 1..).unwrap_or_default());
        let place = places.of(it.at.clone());
        if let Some(objection) = objection(before, it.modifier, after, field, &place) {
            report.push(objection);
        }
    }
    let find = |modifier| written.iter().find(|written| written.modifier == modifier);
    let offset = find(Modifier::Base64Offset).filter(|_| find(Modifier::Contains).is_none() && !field.is_empty());
    if let Some(offset) = offset {
        let message = "`base64offset` without `contains` compares the whole value";
        let diagnostic = Diagnostic::warning(Code::ModifierCombination, &places.of(offset.at.clone()), message);
        report.push(diagnostic.help("write `base64offset|contains`"));
    }
}

/// What speaks against a modifier between those before and those after it.
fn objection(
    before: &[Written],
    modifier: Modifier,
    after: &[Written],
    field: &str,
    place: &Span,
) -> Option<Diagnostic> {
    if let Some(earlier) = before.iter().find(|earlier| !earlier.modifier.allows(modifier)) {
        return Some(cannot_follow(earlier.modifier, modifier, place));
    }
    if field.is_empty() && !modifier.without_field() {
        let message = format!("`{}` needs a field before it", modifier.name());
        let diagnostic = Diagnostic::error(Code::ModifierCombination, place, message);
        return Some(match modifier {
            Modifier::Contains => diagnostic.help("words without a field may stand anywhere already"),
            _ => diagnostic,
        });
    }
    let need = modifier.needs()?;
    let others = if need.before { before } else { after };
    let met = others.iter().any(|other| need.one_of.contains(&other.modifier));
    (!met).then(|| lacks(modifier, &need, place))
}

fn cannot_follow(earlier: Modifier, later: Modifier, place: &Span) -> Diagnostic {
    let (first, second) = (earlier.name(), later.name());
    if earlier == later {
        return Diagnostic::error(Code::ModifierCombination, place, format!("`{first}` is written twice"));
    }
    let message = format!("`{second}` cannot follow `{first}`");
    let diagnostic = Diagnostic::error(Code::ModifierCombination, place, message);
    if later.allows(earlier) {
        return diagnostic.help(format!("modifiers apply from left to right: write `{second}|{first}`"));
    }
    if matches!((earlier, later), (Modifier::Neq, Modifier::All) | (Modifier::All, Modifier::Neq)) {
        return diagnostic
            .help("`neq` with a list already means none of them; for other meanings use `not` in the condition");
    }
    let valid: Vec<_> = earlier.followers().map(Modifier::name).collect();
    if valid.is_empty() {
        return diagnostic.help(format!("nothing can follow `{first}`"));
    }
    diagnostic.help(format!("after `{first}` there may be {}", enumerate(&valid)))
}

fn lacks(modifier: Modifier, need: &Need, place: &Span) -> Diagnostic {
    let name = modifier.name();
    let needed: Vec<_> = need.one_of.iter().map(|modifier| modifier.name()).collect();
    let needed = needed.join("` or `");
    let side = if need.before { "before" } else { "after" };
    let message = format!("`{name}` needs `{needed}` {side} it");
    Diagnostic::error(Code::ModifierCombination, place, message)
}

/// Folds the modifiers, in order, into what they ask for. They are known to go together.
fn chain(written: &[Written]) -> Chain {
    let mut chain = Chain {
        modifiers: written.iter().map(|written| written.modifier).collect(),
        link: Link::Any,
        negated: false,
        cased: false,
        expands: false,
        operation: Operation::Text(TextOperation { windash: false, utf16: None, base64: None, anchor: Anchor::Whole }),
    };
    for written in written {
        apply(&mut chain, written.modifier);
    }
    chain
}

fn apply(chain: &mut Chain, modifier: Modifier) {
    match modifier {
        Modifier::All => chain.link = Link::All,
        Modifier::Neq => chain.negated = true,
        Modifier::Cased => chain.cased = true,
        Modifier::Contains => chain.operation.anchor(Anchor::Anywhere),
        Modifier::StartsWith => chain.operation.anchor(Anchor::Start),
        Modifier::EndsWith => chain.operation.anchor(Anchor::End),
        Modifier::Windash => chain.operation.text(|text| text.windash = true),
        Modifier::Utf16Le => chain.operation.text(|text| text.utf16 = Some(Utf16::LittleEndian)),
        Modifier::Utf16Be => chain.operation.text(|text| text.utf16 = Some(Utf16::BigEndian)),
        Modifier::Utf16 => chain.operation.text(|text| text.utf16 = Some(Utf16::Marked)),
        Modifier::Base64 => chain.operation.text(|text| text.base64 = Some(Base64::Whole)),
        Modifier::Base64Offset => chain.operation.text(|text| text.base64 = Some(Base64::Offset)),
        Modifier::Re => chain.operation = Operation::Regex(RegexFlags::default()),
        Modifier::IgnoreCase => chain.operation.flag(|flags| flags.ignore_case = true),
        Modifier::MultiLine => chain.operation.flag(|flags| flags.multi_line = true),
        Modifier::DotAll => chain.operation.flag(|flags| flags.dot_all = true),
        Modifier::Cidr => chain.operation = Operation::Cidr,
        Modifier::Exists => chain.operation = Operation::Exists,
        Modifier::Lt => chain.operation.compare(Comparison::Lt),
        Modifier::Lte => chain.operation.compare(Comparison::Lte),
        Modifier::Gt => chain.operation.compare(Comparison::Gt),
        Modifier::Gte => chain.operation.compare(Comparison::Gte),
        Modifier::Minute => chain.operation = Operation::TimePart(TimePart::Minute, Comparison::Eq),
        Modifier::Hour => chain.operation = Operation::TimePart(TimePart::Hour, Comparison::Eq),
        Modifier::Day => chain.operation = Operation::TimePart(TimePart::Day, Comparison::Eq),
        Modifier::Week => chain.operation = Operation::TimePart(TimePart::Week, Comparison::Eq),
        Modifier::Month => chain.operation = Operation::TimePart(TimePart::Month, Comparison::Eq),
        Modifier::Year => chain.operation = Operation::TimePart(TimePart::Year, Comparison::Eq),
        Modifier::FieldRef => {
            let anchor = if let Operation::Text(text) = &chain.operation { text.anchor } else { Anchor::Whole };
            chain.operation = Operation::FieldRef(anchor);
        }
        Modifier::Expand => chain.expands = true,
    }
}

impl Operation {
    fn anchor(&mut self, place: Anchor) {
        match self {
            Self::FieldRef(anchor) => *anchor = place,
            other => other.text(|text| text.anchor = place),
        }
    }

    fn text(&mut self, set: impl FnOnce(&mut TextOperation)) {
        if let Self::Text(text) = self {
            set(text);
        }
    }

    fn flag(&mut self, set: impl FnOnce(&mut RegexFlags)) {
        if let Self::Regex(flags) = self {
            set(flags);
        }
    }

    fn compare(&mut self, comparison: Comparison) {
        match self {
            Self::TimePart(_, compared) => *compared = comparison,
            other => *other = Self::Compare(comparison),
        }
    }
}
