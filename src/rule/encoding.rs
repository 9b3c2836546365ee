//! The encodings that modifiers apply to a text: UTF-16 and Base64.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// The byte orders of UTF-16.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Utf16 {
    LittleEndian,
    BigEndian,
    /// Little-endian after a byte order mark, as Windows writes it.
    Marked,
}

/// The bytes of `text` in UTF-16.
pub(super) fn utf16(text: &str, order: Utf16) -> Vec<u8> {
    let units = text.encode_utf16();
    match order {
        Utf16::LittleEndian => units.flat_map(u16::to_le_bytes).collect(),
        Utf16::BigEndian => units.flat_map(u16::to_be_bytes).collect(),
        Utf16::Marked => std::iter::once(0xfeff).chain(units).flat_map(u16::to_le_bytes).collect(),
    }
}

/// Base64 of these bytes alone.
pub(super) fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// What stands in the Base64 of anything that contains `bytes`: one text for each of the three alignments, without
/// the characters at the edges that also depend on the bytes around.
///
/// `None` if too few bytes are given for one of them to have a character of its own.
pub(super) fn base64_offsets(bytes: &[u8]) -> Option<[String; 3]> {
    let aligned = |before: usize| {
        let padded: Vec<u8> = std::iter::repeat_n(b' ', before).chain(bytes.iter().copied()).collect();
        // A character is stable if all of its six bits come from `bytes`.
        let first = (before * 8).div_ceil(6);
        let end = padded.len() * 8 / 6;
        STANDARD.encode(&padded).get(first..end).filter(|stable| !stable.is_empty()).map(str::to_owned)
    };
    Some([aligned(0)?, aligned(1)?, aligned(2)?])
}
