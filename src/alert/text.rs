//! Log text in plain-text renderings: one place that makes it harmless.
//!
//! Whoever talks to Vault chooses paths, user names and error texts. In an e-mail or on a terminal such a text could
//! start a new line, rewrite the line that it stands in, or hide a part of itself. [`visible`] escapes every character
//! that does so, which keeps the text readable and its lines ours.

use std::borrow::Cow;
use std::fmt::Display;

/// Letters and symbols that Unicode counts as printable although nothing is seen of them.
const BLANK: [char; 5] = ['\u{115f}', '\u{1160}', '\u{2800}', '\u{3164}', '\u{ffa0}'];

/// Escapes what cannot be seen: line breaks, control characters and terminal escapes, bidirectional overrides,
/// zero-width, combining and unassigned characters, and blanks other than the space.
#[must_use]
pub fn visible(text: &str) -> Cow<'_, str> {
    if text.chars().all(is_plain) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        if is_plain(character) {
            escaped.push(character);
        } else if BLANK.contains(&character) {
            escaped.extend(character.escape_unicode());
        } else {
            escaped.extend(character.escape_debug());
        }
    }
    Cow::Owned(escaped)
}

/// The text [`visible`], and cut to about `max` bytes with a note of how long it was.
#[must_use]
pub fn bounded(text: &str, max: usize) -> Cow<'_, str> {
    let kept = prefix(text, max);
    let shown = visible(kept);
    if kept.len() == text.len() && shown.len() <= max {
        return shown;
    }
    Cow::Owned(with_length_note(prefix(&shown, max), text.len()))
}

/// The start of a text that had `length` bytes, saying so.
#[must_use]
pub fn with_length_note(start: &str, length: usize) -> String {
    format!("{start}... ({length} bytes in all)")
}

/// The longest start of `text` that has at most `max` bytes.
#[must_use]
pub fn prefix(text: &str, max: usize) -> &str {
    text.get(..text.floor_char_boundary(max)).unwrap_or(text)
}

/// A whole number with its digits in groups: `12,408`.
#[must_use]
pub fn grouped(number: impl Display) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (digit, left) in digits.chars().zip((0..digits.len()).rev()) {
        text.push(digit);
        if left > 0 && left % 3 == 0 {
            text.push(',');
        }
    }
    text
}

/// Printable ASCII on one line, at most `max` bytes: the signs of typography become their ASCII relatives, everything
/// else that is not ASCII a question mark.
#[must_use]
pub fn ascii(text: &str, max: usize) -> String {
    let mut line = String::new();
    for word in text.split_whitespace() {
        if !line.is_empty() {
            line.push(' ');
        }
        line.extend(word.chars().map(ascii_char));
    }
    if line.len() > max {
        line.truncate(max.saturating_sub(3));
        line.push_str("...");
        line.truncate(max);
    }
    line
}

fn ascii_char(character: char) -> char {
    match character {
        ' '..='~' => character,
        '\u{2018}' | '\u{2019}' => '\'',
        '\u{201c}' | '\u{201d}' => '"',
        '\u{2010}'..='\u{2015}' => '-',
        _ => '?',
    }
}

fn is_plain(character: char) -> bool {
    match character {
        ' '..='~' => true,
        _ if character.is_ascii() || BLANK.contains(&character) => false,
        // The standard library escapes what Unicode does not count as printable, and combining characters.
        _ => character.escape_debug().len() == 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_seen_is_escaped() {
        for (text, expected) in [
            ("secret/data/app", "secret/data/app"),
            ("gr\u{fc}\u{df}e \u{65e5}\u{672c} \"a\\b\"", "gr\u{fc}\u{df}e \u{65e5}\u{672c} \"a\\b\""),
            ("a\nWho    root", "a\\nWho    root"),
            ("a\r\tb\0", "a\\r\\tb\\0"),
            ("\u{1b}[2J\u{9b}31m", "\\u{1b}[2J\\u{9b}31m"),
            ("\u{202e}gpj.exe\u{2066}", "\\u{202e}gpj.exe\\u{2066}"),
            ("ro\u{200b}ot\u{feff}\u{ad}", "ro\\u{200b}ot\\u{feff}\\u{ad}"),
            ("a\u{2028}b\u{2029}c\u{85}d", "a\\u{2028}b\\u{2029}c\\u{85}d"),
            ("\u{3164}\u{2800}\u{a0}\u{3000}", "\\u{3164}\\u{2800}\\u{a0}\\u{3000}"),
            ("e\u{301}\u{fe0f}\u{e0041}", "e\\u{301}\\u{fe0f}\\u{e0041}"),
            ("\u{ffff}\u{e000}", "\\u{ffff}\\u{e000}"),
        ] {
            assert_eq!(visible(text), expected);
        }
    }

    #[test]
    fn what_is_long_is_cut_and_says_so() {
        for (text, max, expected) in [
            ("12345", 5, "12345"),
            ("123456", 5, "12345... (6 bytes in all)"),
            ("\u{fc}\u{fc}\u{fc}", 3, "\u{fc}... (6 bytes in all)"),
            ("\n\n\n\n", 5, "\\n\\n\\... (4 bytes in all)"),
        ] {
            assert_eq!(bounded(text, max), expected);
        }
    }

    #[test]
    fn digits_stand_in_groups() {
        for (number, expected) in
            [(0, "0"), (999, "999"), (1000, "1,000"), (12_408, "12,408"), (1_000_000, "1,000,000")]
        {
            assert_eq!(grouped(number), expected);
        }
    }

    #[test]
    fn one_line_of_ascii() {
        for (text, max, expected) in [
            ("Somebody\u{2019}s  token\nleaked", 99, "Somebody's token leaked"),
            ("caf\u{e9} \u{2013} \u{202e}", 99, "caf? - ?"),
            ("a long title", 9, "a long..."),
            ("abc", 2, ".."),
        ] {
            assert_eq!(ascii(text, max), expected);
        }
    }
}
