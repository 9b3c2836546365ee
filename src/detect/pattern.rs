//! Wildcard patterns over text.

use crate::rule::{Part, Pattern};

/// What a pattern amounts to, for the shared matchers.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Shape<'p> {
    /// No wildcard.
    Exact(&'p str),
    /// `literal*`
    Prefix(&'p str),
    /// `*literal`
    Suffix(&'p str),
    /// `*literal*`
    Contains(&'p str),
    /// `*`: any text.
    Anything,
    /// Anything else; the longest literal, if there is one, must be in the text.
    General(Option<&'p str>),
}

/// The shape of a pattern.
pub(crate) fn shape(pattern: &Pattern) -> Shape<'_> {
    match pattern.parts.as_slice() {
        [] => Shape::Exact(""),
        [Part::Literal(text)] => Shape::Exact(text),
        [Part::Literal(text), Part::AnyRun] => Shape::Prefix(text),
        [Part::AnyRun, Part::Literal(text)] => Shape::Suffix(text),
        [Part::AnyRun, Part::Literal(text), Part::AnyRun] => Shape::Contains(text),
        [Part::AnyRun] => Shape::Anything,
        parts => {
            let literals = parts.iter().filter_map(|part| match part {
                Part::Literal(text) => Some(text.as_str()),
                Part::AnyRun | Part::AnyChar => None,
            });
            Shape::General(literals.max_by_key(|text| text.len()))
        }
    }
}

/// Whether a text matches: `text` must be folded if the pattern's literals are.
///
/// Greedy with one place to come back to, the last `*`: at most pattern x text steps.
pub(crate) fn matches(parts: &[Part], text: &str) -> bool {
    let (mut parts, mut text) = (parts, text);
    let mut retry: Option<(&[Part], &str)> = None;
    loop {
        match parts {
            [] if text.is_empty() => return true,
            [Part::AnyRun] => return true,
            [Part::AnyRun, rest @ ..] => {
                parts = rest;
                retry = Some((rest, text));
                continue;
            }
            [first, rest @ ..] => {
                if let Some(remaining) = consume(first, text) {
                    parts = rest;
                    text = remaining;
                    continue;
                }
            }
            [] => {}
        }
        let Some((after_run, from)) = retry else { return false };
        let mut characters = from.chars();
        if characters.next().is_none() {
            return false;
        }
        parts = after_run;
        text = characters.as_str();
        retry = Some((after_run, text));
    }
}

/// The text behind one literal or one character.
fn consume<'t>(part: &Part, text: &'t str) -> Option<&'t str> {
    match part {
        Part::Literal(literal) => text.strip_prefix(literal.as_str()),
        Part::AnyChar => {
            let mut characters = text.chars();
            characters.next()?;
            Some(characters.as_str())
        }
        Part::AnyRun => Some(text),
    }
}
