//! A value's text -> a pattern: wildcards, escapes, and the dashes of command lines.

use super::{Anchor, Part, Pattern};
use crate::fold::fold;

/// The characters that start a command line's option: `-`, `/`, en dash, em dash and horizontal bar.
const DASHES: [char; 5] = ['-', '/', '\u{2013}', '\u{2014}', '\u{2015}'];

/// Reads wildcards and escapes: `*` and `?` are wildcards, `\*`, `\?` and `\\` are the characters themselves, and a
/// backslash before anything else is a backslash.
pub(super) fn parts(text: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut literal = String::new();
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        let wildcard = match character {
            '*' => Part::AnyRun,
            '?' => Part::AnyChar,
            '\\' => {
                literal.push(characters.next_if(|next| matches!(next, '*' | '?' | '\\')).unwrap_or('\\'));
                continue;
            }
            _ => {
                literal.push(character);
                continue;
            }
        };
        flush(&mut literal, &mut parts);
        parts.push(wildcard);
    }
    flush(&mut literal, &mut parts);
    parts
}

fn flush(literal: &mut String, parts: &mut Vec<Part>) {
    if !literal.is_empty() {
        parts.push(Part::Literal(std::mem::take(literal)));
    }
}

/// The one literal that the parts are; `None` with a wildcard among them.
pub(super) fn literal(parts: &[Part]) -> Option<&str> {
    match parts {
        [] => Some(""),
        [Part::Literal(text)] => Some(text),
        _ => None,
    }
}

/// The pattern of `parts` at `anchor`, folded unless `cased`.
pub(super) fn pattern(parts: Vec<Part>, anchor: Anchor, cased: bool) -> Pattern {
    let before = matches!(anchor, Anchor::End | Anchor::Anywhere).then_some(Part::AnyRun);
    let after = matches!(anchor, Anchor::Start | Anchor::Anywhere).then_some(Part::AnyRun);
    let mut normal: Vec<Part> = Vec::with_capacity(parts.len() + 2);
    for part in before.into_iter().chain(parts).chain(after) {
        match (normal.last_mut(), part) {
            (Some(Part::AnyRun), Part::AnyRun) => {}
            (_, Part::Literal(text)) if text.is_empty() => {}
            (Some(Part::Literal(literal)), Part::Literal(text)) => literal.push_str(&text),
            (_, part) => normal.push(part),
        }
    }
    if !cased {
        for part in &mut normal {
            if let Part::Literal(text) = part {
                *text = fold(text);
            }
        }
    }
    Pattern { parts: normal, cased }
}

/// Every way to write the dashes of `parts` that start an option; `None` if there are more than `limit`.
///
/// As in pySigma, an option starts at a dash after the start, a wildcard or a character that no word contains, and
/// before one that words contain.
pub(super) fn windash(parts: &[Part], limit: usize) -> Option<Vec<Vec<Part>>> {
    let options: usize =
        parts.iter().map(|part| if let Part::Literal(text) = part { options(text).len() } else { 0 }).sum();
    let ways = u32::try_from(options).ok().and_then(|options| DASHES.len().checked_pow(options))?;
    if ways > limit {
        return None;
    }
    let mut all = vec![Vec::with_capacity(parts.len())];
    for part in parts {
        let written = match part {
            Part::Literal(text) => dashed(text),
            wildcard => vec![wildcard.clone()],
        };
        all = all
            .iter()
            .flat_map(|head| written.iter().map(|part| head.iter().chain([part]).cloned().collect()))
            .collect();
    }
    Some(all)
}

/// Every way to write the dashes of one literal.
fn dashed(text: &str) -> Vec<Part> {
    let mut ways = vec![String::with_capacity(text.len())];
    let mut rest = 0;
    for at in options(text) {
        let before = text.get(rest..at).unwrap_or_default();
        ways = ways.iter().flat_map(|head| DASHES.map(|dash| format!("{head}{before}{dash}"))).collect();
        rest = at + text.get(at..).and_then(|tail| tail.chars().next()).map_or(0, char::len_utf8);
    }
    let tail = text.get(rest..).unwrap_or_default();
    ways.into_iter().map(|head| Part::Literal(head + tail)).collect()
}

/// Where the dashes that start an option stand.
fn options(text: &str) -> Vec<usize> {
    let mut before = None;
    let mut characters = text.char_indices().peekable();
    let mut found = Vec::new();
    while let Some((at, character)) = characters.next() {
        let opens = !before.is_some_and(is_word) && characters.peek().is_some_and(|(_, next)| is_word(*next));
        if opens && DASHES.contains(&character) {
            found.push(at);
        }
        before = Some(character);
    }
    found
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}
