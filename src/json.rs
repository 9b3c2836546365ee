//! A strict scanner over JSON text: it tells tokens apart, checks all of them, and copies nothing.
//!
//! `serde_json` would do, and a visitor over it was the first form of this; it allocates a stack for every line in
//! which it skips something nested, and at half the speed. What it accepts is what this accepts, which a property in
//! the tests holds both to.

/// The text is not JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Malformed;

/// The scanner, standing before a token.
#[derive(Debug)]
pub(crate) struct Scanner<'t> {
    text: &'t str,
    at: usize,
}

/// The inside of a string, as it is written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RawString<'t> {
    pub(crate) text: &'t str,
    /// Where it starts in the scanned text, in bytes.
    pub(crate) start: usize,
    /// It has escapes in it.
    pub(crate) escaped: bool,
}

/// Containers that are open while skipping; kept by the caller so that its memory is used again.
pub(crate) type Open = Vec<Container>;

/// A container.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Container {
    Object,
    Array,
}

impl Container {
    const fn end(self) -> u8 {
        match self {
            Self::Object => b'}',
            Self::Array => b']',
        }
    }
}

impl<'t> Scanner<'t> {
    pub(crate) fn new(text: &'t str) -> Self {
        Self { text, at: 0 }
    }

    /// The first byte of the next token, which is not consumed.
    pub(crate) fn peek(&mut self) -> Option<u8> {
        let rest = self.text.as_bytes().get(self.at..)?;
        // Vault writes no blanks.
        if let Some(byte) = rest.first().filter(|byte| **byte > b' ') {
            return Some(*byte);
        }
        let blanks = rest.iter().position(|byte| !matches!(byte, b' ' | b'\n' | b'\t' | b'\r'))?;
        self.at += blanks;
        rest.get(blanks).copied()
    }

    /// Nothing but blanks is left.
    pub(crate) fn end(&mut self) -> Result<(), Malformed> {
        if self.peek().is_none() { Ok(()) } else { Err(Malformed) }
    }

    /// Consumes one byte that must come next.
    pub(crate) fn expect(&mut self, byte: u8) -> Result<(), Malformed> {
        if self.peek() != Some(byte) {
            return Err(Malformed);
        }
        self.at += 1;
        Ok(())
    }

    /// Steps to the next member of an open container; whether there is one. `first` right behind the opening.
    pub(crate) fn next_member(&mut self, container: Container, first: bool) -> Result<bool, Malformed> {
        match self.peek() {
            Some(byte) if byte == container.end() => {
                self.at += 1;
                Ok(false)
            }
            Some(b',') if !first => {
                self.at += 1;
                Ok(true)
            }
            Some(_) if first => Ok(true),
            _ => Err(Malformed),
        }
    }

    /// A key with its colon.
    pub(crate) fn key(&mut self) -> Result<RawString<'t>, Malformed> {
        let key = self.string()?;
        self.expect(b':')?;
        Ok(key)
    }

    /// A string with its quotes.
    pub(crate) fn string(&mut self) -> Result<RawString<'t>, Malformed> {
        self.expect(b'"')?;
        let start = self.at;
        let mut escaped = false;
        loop {
            let rest = self.text.as_bytes().get(self.at..).ok_or(Malformed)?;
            self.at += plain_bytes(rest);
            match self.text.as_bytes().get(self.at) {
                Some(b'"') => break,
                Some(b'\\') => {
                    escaped = true;
                    self.escape()?;
                }
                _ => return Err(Malformed),
            }
        }
        let text = self.text.get(start..self.at).ok_or(Malformed)?;
        self.at += 1;
        Ok(RawString { text, start, escaped })
    }

    /// A number as it is written, with its position.
    pub(crate) fn number(&mut self) -> Result<RawString<'t>, Malformed> {
        let start = self.at;
        self.take(|byte| byte == b'-', 1);
        match self.take(|byte| byte.is_ascii_digit(), usize::MAX) {
            0 => return Err(Malformed),
            1 => {}
            _ if self.text.get(start..).is_some_and(|number| number.trim_start_matches('-').starts_with('0')) => {
                return Err(Malformed);
            }
            _ => {}
        }
        if self.take(|byte| byte == b'.', 1) == 1 && self.take(|byte| byte.is_ascii_digit(), usize::MAX) == 0 {
            return Err(Malformed);
        }
        if self.take(|byte| matches!(byte, b'e' | b'E'), 1) == 1 {
            self.take(|byte| matches!(byte, b'+' | b'-'), 1);
            if self.take(|byte| byte.is_ascii_digit(), usize::MAX) == 0 {
                return Err(Malformed);
            }
        }
        let text = self.text.get(start..self.at).ok_or(Malformed)?;
        Ok(RawString { text, start, escaped: false })
    }

    /// `true`, `false` or `null`.
    pub(crate) fn word(&mut self) -> Result<&'static str, Malformed> {
        let rest = self.text.get(self.at..).ok_or(Malformed)?;
        let word = ["true", "false", "null"].into_iter().find(|word| rest.starts_with(word)).ok_or(Malformed)?;
        self.at += word.len();
        Ok(word)
    }

    /// Skips a value of any kind and depth. `open` must be empty, and is again.
    pub(crate) fn skip(&mut self, open: &mut Open) -> Result<(), Malformed> {
        loop {
            match self.peek().ok_or(Malformed)? {
                b'"' => _ = self.string()?,
                b'{' => {
                    self.at += 1;
                    open.push(Container::Object);
                    if self.next_member(Container::Object, true)? {
                        self.key()?;
                        continue;
                    }
                    open.pop();
                }
                b'[' => {
                    self.at += 1;
                    open.push(Container::Array);
                    if self.next_member(Container::Array, true)? {
                        continue;
                    }
                    open.pop();
                }
                b'-' | b'0'..=b'9' => _ = self.number()?,
                _ => _ = self.word()?,
            }
            if !self.leave(open)? {
                return Ok(());
            }
        }
    }

    /// Behind a value: closes what ends here, and steps to the next member of what does not; whether there is one.
    fn leave(&mut self, open: &mut Open) -> Result<bool, Malformed> {
        while let Some(container) = open.last() {
            if self.next_member(*container, false)? {
                if *container == Container::Object {
                    self.key()?;
                }
                return Ok(true);
            }
            open.pop();
        }
        Ok(false)
    }

    fn escape(&mut self) -> Result<(), Malformed> {
        let bytes = self.text.as_bytes();
        match bytes.get(self.at + 1) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => self.at += 2,
            Some(b'u') => {
                let digits = bytes.get(self.at + 2..self.at + 6).ok_or(Malformed)?;
                if !digits.iter().all(u8::is_ascii_hexdigit) {
                    return Err(Malformed);
                }
                self.at += 6;
            }
            _ => return Err(Malformed),
        }
        Ok(())
    }

    /// Consumes at most `most` bytes that are `wanted`; how many there were.
    fn take(&mut self, wanted: impl Fn(u8) -> bool, most: usize) -> usize {
        let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
        let taken = rest.iter().take(most).take_while(|byte| wanted(**byte)).count();
        self.at += taken;
        taken
    }
}

/// How many bytes of a string come before a quote, a backslash or a control character.
///
/// Eight bytes at a time: in each word the lowest of the marked bytes is one that is looked for.
fn plain_bytes(bytes: &[u8]) -> usize {
    const ONES: u64 = u64::MAX / 0xff;
    const HIGH: u64 = ONES << 7;
    let (words, rest) = bytes.as_chunks::<8>();
    for (position, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        let equal = |byte: u8| {
            let difference = word ^ (ONES * u64::from(byte));
            difference.wrapping_sub(ONES) & !difference
        };
        let control = word.wrapping_sub(ONES * 0x20) & !word;
        let marked = (control | equal(b'"') | equal(b'\\')) & HIGH;
        if marked != 0 {
            return position * 8 + marked.trailing_zeros() as usize / 8;
        }
    }
    let tail = rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..0x20)).unwrap_or(rest.len());
    bytes.len() - rest.len() + tail
}

/// Appends a string's text without its escapes.
///
/// A lone surrogate is no text.
pub(crate) fn unescape(raw: &str, out: &mut String) -> Result<(), Malformed> {
    let mut rest = raw;
    while let Some((plain, escape)) = rest.split_once('\\') {
        out.push_str(plain);
        let (kind, after) = escape.split_at_checked(1).ok_or(Malformed)?;
        let (character, after) = match kind {
            "u" => code_point(after)?,
            simple => (simple_escape(simple)?, after),
        };
        out.push(character);
        rest = after;
    }
    out.push_str(rest);
    Ok(())
}

fn simple_escape(kind: &str) -> Result<char, Malformed> {
    Ok(match kind {
        "\"" => '"',
        "\\" => '\\',
        "/" => '/',
        "b" => '\u{8}',
        "f" => '\u{c}',
        "n" => '\n',
        "r" => '\r',
        "t" => '\t',
        _ => return Err(Malformed),
    })
}

/// Reads the digits behind `\u`, and the second escape of a surrogate pair; the text behind them.
fn code_point(digits: &str) -> Result<(char, &str), Malformed> {
    let (first, after) = unit(digits)?;
    if let Some(character) = char::from_u32(first) {
        return Ok((character, after));
    }
    let (second, after) = unit(after.strip_prefix("\\u").ok_or(Malformed)?)?;
    let high = first.checked_sub(0xd800).filter(|high| *high < 0x400).ok_or(Malformed)?;
    let low = second.checked_sub(0xdc00).filter(|low| *low < 0x400).ok_or(Malformed)?;
    let character = char::from_u32(0x1_0000 + (high << 10) + low).ok_or(Malformed)?;
    Ok((character, after))
}

fn unit(digits: &str) -> Result<(u32, &str), Malformed> {
    let (digits, after) = digits.split_at_checked(4).ok_or(Malformed)?;
    let unit = u32::from_str_radix(digits, 16).map_err(|_| Malformed)?;
    Ok((unit, after))
}
