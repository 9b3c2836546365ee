//! What a rule looks for, typed: the tree that a detection and its condition are read into.

use ipnet::IpNet;

use super::LazyRegex;
use crate::diagnostic::Span;
use crate::number::Number;

/// The named searches of a rule and the condition that joins them.
#[derive(Debug, Clone)]
pub struct Detection {
    /// In the order written.
    pub searches: Vec<Search>,
    /// Over the indices of `searches`.
    pub condition: Condition,
}

/// One search identifier with its body.
#[derive(Debug, Clone)]
pub struct Search {
    /// The identifier.
    pub name: String,
    /// Where the identifier stands.
    pub span: Span,
    /// What it looks for.
    pub body: Body,
}

/// The body of a search: maps are AND, lists are OR.
#[derive(Debug, Clone)]
pub enum Body {
    /// A map: every entry must match. An empty one matches every event: `neq` with an empty value list.
    AllOf(Vec<Body>),
    /// A list of maps: one must match. An empty one matches no event: an item with an empty value list.
    AnyOf(Vec<Body>),
    /// One `field|modifiers: values` entry.
    Item(Item),
    /// A list of words over the whole event.
    Keywords(Keywords),
}

/// One detection item: a field and what its value must satisfy.
#[derive(Debug, Clone)]
pub struct Item {
    /// Dotted path in the audit event, or a derived field.
    pub field: String,
    /// The key with its modifiers, as written.
    pub span: Span,
    /// How the tests are joined.
    pub link: Link,
    /// `neq`: the whole item is negated, so that it is true on an absent field.
    pub negated: bool,
    /// One per value; never empty.
    pub tests: Vec<Test>,
    /// Where the value of each test stands: as many as there are tests.
    pub spans: Vec<Span>,
}

/// Words looked for in every string and number of the event, at any depth.
#[derive(Debug, Clone)]
pub struct Keywords {
    /// Where the list stands.
    pub span: Span,
    /// How the words are joined.
    pub link: Link,
    /// Each already a `contains` pattern or a regex; never empty.
    pub tests: Vec<KeywordTest>,
}

/// How several values of one item are joined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Link {
    /// One of them.
    Any,
    /// Every one, possibly by different members of an array.
    All,
}

/// One word of a keyword search.
#[derive(Debug, Clone)]
pub enum KeywordTest {
    /// A substring pattern.
    Pattern(Pattern),
    /// A regular expression.
    Regex(RegexTest),
}

/// What one value must satisfy. An array satisfies it when any member does.
#[derive(Debug, Clone)]
pub enum Test {
    /// The value's text matches a pattern; numbers and booleans by their text.
    Pattern(Pattern),
    /// Equal as a number, or as text when the value is a string.
    Number(Number),
    /// The value is JSON null, or the field is absent.
    Null,
    /// The key is present (with any value, null included), or is not.
    Exists(bool),
    /// Unanchored regular expression over the value's text.
    Regex(RegexTest),
    /// Numeric comparison; strings that read as numbers count.
    Compare(Comparison, Number),
    /// The value is an address within the network; IPv4-mapped IPv6 equals IPv4.
    Cidr(IpNet),
    /// Compared with another field's values.
    FieldRef(FieldRef),
    /// A part of a timestamp, by the value's own clock.
    TimePart(TimePart, Comparison, Number),
}

/// A string with wildcards.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Pattern {
    /// Literals and wildcards in order.
    /// INVARIANT: no two literals and no two `AnyRun`s are adjacent, no literal is empty; no parts at all match the
    /// empty string only.
    pub parts: Vec<Part>,
    /// Case-sensitive. Otherwise the literals are already folded with [`fold`](crate::fold::fold).
    pub cased: bool,
}

/// A piece of a [`Pattern`].
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Part {
    /// These characters.
    Literal(String),
    /// `*`: any number of characters, newlines included.
    AnyRun,
    /// `?`: exactly one character.
    AnyChar,
}

/// A regular expression that was found valid.
#[derive(Debug, Clone)]
pub struct RegexTest {
    /// As written in the rule, without flags.
    pub pattern: String,
    /// `i`, `m`, `s` as Sigma's sub-modifiers set them.
    pub flags: RegexFlags,
    /// The expression with these flags.
    pub regex: LazyRegex,
}

/// Sigma's regular expression sub-modifiers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct RegexFlags {
    /// `i`
    pub ignore_case: bool,
    /// `m`
    pub multi_line: bool,
    /// `s`
    pub dot_all: bool,
}

/// A numeric comparison: `value OP bound`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Comparison {
    /// Equal.
    Eq,
    /// `lt`
    Lt,
    /// `lte`
    Lte,
    /// `gt`
    Gt,
    /// `gte`
    Gte,
}

/// A comparison with another field of the same event.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct FieldRef {
    /// The other field.
    pub field: String,
    /// Where the other field's text must stand in this one's.
    pub anchor: Anchor,
    /// Case-sensitive.
    pub cased: bool,
}

/// Where a text must stand in another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Anchor {
    /// All of it.
    Whole,
    /// At its start.
    Start,
    /// At its end.
    End,
    /// Anywhere.
    Anywhere,
}

/// A part of a timestamp.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TimePart {
    /// 0 to 59.
    Minute,
    /// 0 to 23.
    Hour,
    /// Day of the month.
    Day,
    /// ISO week.
    Week,
    /// 1 to 12.
    Month,
    /// As written.
    Year,
}

/// A condition over searches; `1 of` and `all of` are already resolved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// Index into [`Detection::searches`].
    Search(usize),
    /// Negation.
    Not(Box<Condition>),
    /// All; never empty.
    And(Vec<Condition>),
    /// One; never empty.
    Or(Vec<Condition>),
}
