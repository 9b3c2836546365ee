//! Case folding for comparisons that ignore case: Unicode simple lower case, character by character.

/// The simple lower case of one character.
#[must_use]
pub fn fold_char(character: char) -> char {
    if character.is_ascii() {
        return character.to_ascii_lowercase();
    }
    // The one character whose full lower case is longer than its simple one.
    if character == '\u{130}' {
        return 'i';
    }
    character.to_lowercase().next().unwrap_or(character)
}

/// Folds a whole text.
#[must_use]
pub fn fold(text: &str) -> String {
    text.chars().map(fold_char).collect()
}

/// Whether folding may change a text: most of what Vault writes is lower-case ASCII already.
#[must_use]
pub fn needs_folding(text: &str) -> bool {
    // Looking at all of it takes many bytes at a time, which stopping at the first would not.
    text.bytes().fold(false, |found, byte| found | byte.is_ascii_uppercase() | !byte.is_ascii())
}

/// Folds `text` into `buffer`, which keeps its allocation.
pub fn fold_into<'b>(text: &str, buffer: &'b mut String) -> &'b str {
    buffer.clear();
    if text.is_ascii() {
        buffer.push_str(text);
        buffer.make_ascii_lowercase();
    } else {
        buffer.extend(text.chars().map(fold_char));
    }
    buffer
}
