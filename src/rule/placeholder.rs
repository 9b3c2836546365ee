//! `%name%` under `expand`: a value -> as many values as the list of that name has.
//!
//! A placeholder that is the whole value becomes each value of the list, with its type.
//! Within a text it becomes each value's text; several placeholders become every combination.
//! Wildcards in a list are wildcards. `\%` is the character itself.

use std::borrow::Cow;
use std::ops::Range;

use super::list::{Lists, Values};
use super::report::Report;
use super::scalar::Value;
use super::value::{Budget, Size};
use super::yaml::{Scalar, Style};
use crate::diagnostic::{Code, Diagnostic};

/// A piece of a value under `expand`.
#[derive(Debug, PartialEq, Eq)]
enum Piece<'t> {
    Text(Cow<'t, str>),
    /// The name between the percent signs, and where both stand in the text.
    List(&'t str, Range<usize>),
}

/// Whether a text holds a placeholder.
pub(super) fn is_in(text: &str) -> bool {
    pieces(text).iter().any(|piece| matches!(piece, Piece::List(..)))
}

/// The name of the list for which all of `text` is the placeholder.
pub(super) fn whole(text: &str) -> Option<&str> {
    text.strip_prefix('%')?.strip_suffix('%').filter(|name| is_name(name))
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|character| character.is_alphanumeric() || character == '_')
}

fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut literal = String::new();
    let mut at = 0;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        let after = rest.strip_prefix('%').and_then(|rest| rest.split_once('%')).map(|(name, _)| name);
        if let Some(name) = after.filter(|name| is_name(name)) {
            flush(&mut literal, &mut pieces);
            let end = at + name.len() + 2;
            pieces.push(Piece::List(name, at..end));
            at = end;
            continue;
        }
        let mut characters = rest.chars();
        match (characters.next(), characters.clone().next()) {
            (Some('\\'), Some('%')) => literal.push('%'),
            // What a backslash escapes is the pattern's affair, and stays together.
            (Some('\\'), Some(escaped @ ('\\' | '*' | '?'))) => literal.extend(['\\', escaped]),
            (first, _) => {
                literal.extend(first);
                at += first.map_or(0, char::len_utf8);
                continue;
            }
        }
        at += 2;
    }
    flush(&mut literal, &mut pieces);
    pieces
}

fn flush(literal: &mut String, pieces: &mut Vec<Piece<'_>>) {
    if !literal.is_empty() {
        pieces.push(Piece::Text(Cow::Owned(std::mem::take(literal))));
    }
}

/// What the values under `expand` stand for; none if the lists that they name are empty.
/// `None` if one cannot be used, or if it is too much.
pub(super) fn expand<'s>(
    report: &mut Report<'_>,
    budget: &mut Budget,
    lists: &Lists<'s>,
    written: &[&Scalar<'s>],
) -> Option<Vec<Scalar<'s>>> {
    let mut expanded = Some(Vec::new());
    let mut size = Size::default();
    for scalar in written {
        // Once it is too much, nothing more is made; the lists are looked up all the same.
        let values = one(report, budget, lists, scalar, &mut size);
        expanded = expanded.zip(values).map(|(mut expanded, values)| {
            expanded.extend(values);
            expanded
        });
    }
    expanded
}

fn one<'s>(
    report: &mut Report<'_>,
    budget: &mut Budget,
    lists: &Lists<'s>,
    written: &Scalar<'s>,
    size: &mut Size,
) -> Option<Vec<Scalar<'s>>> {
    if written.value() != Value::Text {
        return Some(vec![written.clone()]);
    }
    let pieces = pieces(&written.text);
    let places = report.places(written);
    let choices: Vec<_> = pieces
        .iter()
        .map(|piece| match piece {
            Piece::Text(text) => Some(Choice::Text(text)),
            Piece::List(name, at) => lists.find(report, name, &places.of(at.clone())).map(Choice::List),
        })
        .collect();
    let choices: Vec<_> = choices.into_iter().collect::<Option<_>>()?;
    let more = combinations(&choices);
    *size = Size { count: size.count.saturating_add(more.count), bytes: size.bytes.saturating_add(more.bytes) };
    budget.room(report, written, *size)?;
    if let [Choice::List(values)] = choices.as_slice() {
        return Some(values.scalars.clone());
    }
    let text =
        |text| Scalar { text: Cow::Owned(text), style: Style::Quoted, resolved: false, span: written.span.clone() };
    Some(combine(&choices).into_iter().map(text).collect())
}

/// What may stand in the place of a piece.
enum Choice<'c, 's> {
    Text(&'c str),
    List(&'c Values<'s>),
}

impl Choice<'_, '_> {
    fn size(&self) -> Size {
        match self {
            Self::Text(text) => Size { count: 1, bytes: text.len() },
            Self::List(values) => values.size,
        }
    }
}

fn combinations(choices: &[Choice<'_, '_>]) -> Size {
    choices.iter().map(Choice::size).fold(Size { count: 1, bytes: 0 }, |heads, more| Size {
        count: heads.count.saturating_mul(more.count),
        bytes: heads.bytes.saturating_mul(more.count).saturating_add(more.bytes.saturating_mul(heads.count)),
    })
}

fn combine(choices: &[Choice<'_, '_>]) -> Vec<String> {
    choices.iter().fold(vec![String::new()], |heads, choice| match choice {
        Choice::Text(text) => heads.into_iter().map(|head| head + text).collect(),
        Choice::List(values) => heads
            .iter()
            .flat_map(|head| values.scalars.iter().map(move |value| format!("{head}{}", value.text)))
            .collect(),
    })
}

/// Warns of a value that looks like a placeholder where none is replaced.
pub(super) fn check_unexpanded(report: &mut Report<'_>, lists: &Lists<'_>, scalar: &Scalar<'_>) {
    if let Some(name) = whole(&scalar.text).filter(|name| lists.contains(name)) {
        let message = format!("`%{name}%` is compared as it stands: this key has no `expand`");
        let help = format!("write `|expand` for the values of the list `{name}`");
        report.push(Diagnostic::warning(Code::UnexpandedPlaceholder, &scalar.span, message).help(help));
    }
}
