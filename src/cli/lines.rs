//! Text of any length in chunks of whole lines, in bounded memory.

use std::io::{self, BufRead};

/// How much is handed on at once, in bytes, give or take a read: enough that the work for a chunk outweighs the work
/// of making one, little enough to stay in the processor's cache.
const CHUNK: usize = 1 << 20;

/// The longest line that is read, in bytes. `CloudWatch` takes log events of up to 1 MB; a file may hold longer ones,
/// such as the listing of a directory with a hundred thousand secrets.
const MAX_LINE: usize = 16 << 20;

/// Stands for a line that is too long: a byte that UTF-8 does not have, so that it is as unreadable as it should be.
const OVERLONG: u8 = 0xff;

/// Some editors put it in front of UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Reads lines in chunks.
pub(super) struct LineReader<R> {
    reader: R,
    pace: Pace,
    /// The chunk that was handed out last, and after it the start of the next one.
    buffer: Vec<u8>,
    /// How much of `buffer` was handed out.
    taken: usize,
    /// How much of `buffer` is whole lines.
    whole: usize,
    /// The number of the line that the next chunk starts with.
    line: u64,
    /// Within a line that is too long.
    skipping: bool,
}

/// When a chunk is complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pace {
    /// When it is full, or at the end.
    Full,
    /// As soon as there is a line: for a pipe into which somebody may still be writing.
    Live,
}

/// Some whole lines.
#[derive(Debug, Clone, Copy)]
pub(super) struct Chunk<'a> {
    bytes: &'a [u8],
    first: u64,
}

impl<R: BufRead> LineReader<R> {
    pub(super) fn new(reader: R, pace: Pace) -> Self {
        Self { reader, pace, buffer: Vec::new(), taken: 0, whole: 0, line: 1, skipping: false }
    }

    /// The next lines, `None` at the end. The last line needs no newline.
    pub(super) fn next_chunk(&mut self) -> io::Result<Option<Chunk<'_>>> {
        self.buffer.drain(..self.taken);
        (self.taken, self.whole) = (0, 0);
        while !self.is_complete() {
            if !self.fill()? {
                self.whole = self.buffer.len();
                break;
            }
            if self.whole == 0 && self.buffer.len() > MAX_LINE {
                self.buffer.clear();
                self.buffer.push(OVERLONG);
                self.skipping = true;
            }
        }
        self.taken = self.whole;
        let first = self.line;
        let bytes = self.buffer.get(..self.taken).unwrap_or_default();
        self.line += bytes.iter().map(|&byte| u64::from(byte == b'\n')).sum::<u64>();
        Ok(Some(Chunk { bytes, first }).filter(|chunk| !chunk.bytes.is_empty()))
    }

    fn is_complete(&self) -> bool {
        self.whole > 0 && (self.pace == Pace::Live || self.buffer.len() >= CHUNK)
    }

    /// Reads once; false at the end. Of a line that is too long only the newline is kept.
    fn fill(&mut self) -> io::Result<bool> {
        let read = loop {
            match self.reader.fill_buf() {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => break other?,
            }
        };
        let kept = if self.skipping { read.iter().position(|&byte| byte == b'\n') } else { Some(0) };
        let (count, held) = (read.len(), self.buffer.len());
        if let Some(new) = kept.and_then(|start| read.get(start..)) {
            self.skipping = false;
            self.buffer.extend_from_slice(new);
            self.whole = new.iter().rposition(|&byte| byte == b'\n').map_or(self.whole, |at| held + at + 1);
        }
        self.reader.consume(count);
        Ok(count > 0)
    }
}

impl<'a> Chunk<'a> {
    /// Each line that is not blank, with its number. A line that is no UTF-8, or too long, is `None`.
    pub(super) fn lines(self) -> impl Iterator<Item = (u64, Option<&'a str>)> {
        (self.first..)
            .zip(self.bytes.split(|&byte| byte == b'\n'))
            .map(|(number, line)| (number, if number == 1 { without_mark(line) } else { line }))
            .filter(|(_, line)| !line.trim_ascii().is_empty())
            .map(|(number, line)| (number, text(line)))
    }
}

fn text(line: &[u8]) -> Option<&str> {
    let text = str::from_utf8(line).ok().filter(|text| text.len() <= MAX_LINE)?;
    Some(text.strip_suffix('\r').unwrap_or(text))
}

fn without_mark(line: &[u8]) -> &[u8] {
    line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(line)
}

#[cfg(test)]
mod tests {
    use std::io::BufReader;

    use proptest::prelude::*;

    use super::*;

    /// What the reader says, read in pieces of this size.
    fn read(bytes: &[u8], piece: usize, pace: Pace) -> Vec<(u64, Option<String>)> {
        let mut reader = LineReader::new(BufReader::with_capacity(piece, bytes), pace);
        let mut lines = Vec::new();
        while let Some(chunk) = reader.next_chunk().unwrap() {
            lines.extend(chunk.lines().map(|(number, line)| (number, line.map(str::to_owned))));
        }
        lines
    }

    #[test]
    fn lines_are_numbered_from_one() {
        let expected = [(2, Some("a".to_owned())), (4, None), (5, Some(" b ".to_owned()))];
        assert_eq!(read(b"\xef\xbb\xbf\na\r\n \t\n\xff\n b ", 3, Pace::Live), expected);
        assert_eq!(read(b"", 3, Pace::Full), []);
    }

    #[test]
    fn a_line_that_is_too_long_is_no_text() {
        let text = ["x".repeat(MAX_LINE + 1), "y".repeat(MAX_LINE), "z".repeat(MAX_LINE + 1)].join("\n");
        for pace in [Pace::Full, Pace::Live] {
            let found = read(text.as_bytes(), 1 << 16, pace);
            let lengths: Vec<(u64, Option<usize>)> =
                found.into_iter().map(|(number, line)| (number, line.map(|line| line.len()))).collect();
            assert_eq!(lengths, [(1, None), (2, Some(MAX_LINE)), (3, None)]);
        }
    }

    proptest! {
        #[test]
        fn lines_do_not_depend_on_how_they_are_read(
            bytes in prop::collection::vec(prop::sample::select(b"ab \r\n\n\xff".to_vec()), 0..60),
            piece in 1..20_usize,
        ) {
            let whole = read(&bytes, 100, Pace::Full);
            let naive: Vec<(u64, Option<String>)> = bytes
                .split(|&byte| byte == b'\n')
                .zip(1..)
                .filter(|(line, _)| !line.trim_ascii().is_empty())
                .map(|(line, number)| (number, line.strip_suffix(b"\r").unwrap_or(line)))
                .map(|(number, line)| (number, String::from_utf8(line.to_vec()).ok()))
                .collect();
            prop_assert_eq!(&whole, &naive);
            prop_assert_eq!(&read(&bytes, piece, Pace::Live), &naive);
            prop_assert_eq!(&read(&bytes, piece, Pace::Full), &naive);
        }
    }
}
