//! Sigma rules: YAML with spans -> typed rules and diagnostics.
//!
//! One reader serves running, linting and explaining: what loads here is exactly what the function runs.
//! Nothing in a rule file is ever ignored without a [`Diagnostic`].
//!
//! This page is the reference of the language: Sigma 2.1, and what we decide where it is silent.
//!
//! # Files
//!
//! YAML 1.2 with its core schema, UTF-8, at most [`MAX_SOURCE_BYTES`], any number of documents.
//! A document that is broken does not hide the next one; one with an error does not load, the others do.
//! Aliases are followed within bounds. Keys that appear twice, merge keys and tags outside the core schema are errors.
//!
//! # A rule
//!
//! | key | |
//! |---|---|
//! | `title` | needed; one line of at most 256 characters |
//! | `logsource` | needed; `product: vault` and `service: audit`, `definition` as you like; a `category` is a warning |
//! | `detection` | needed; see below |
//! | `id` | a UUID, unique; without one, derived from the name, and a warning |
//! | `name` | lower-case letters, digits and `_`, unique; without one, the file's or the title's, and a warning |
//! | `level` | `informational`, `low`, `medium`, `high`, `critical`; without one, `medium` and a warning |
//! | `status` | `stable`, `test`, `experimental`; a rule that is `deprecated` or `unsupported` is left out, with a warning |
//! | `date`, `modified` | YYYY-MM-DD |
//! | `tags` | a list of `namespace.name` |
//! | `references`, `falsepositives`, `fields`, `scope` | lists of texts |
//! | `description`, `author`, `license`, `taxonomy` | text |
//! | `related` | a list of `id` and `type` |
//! | `alert` | ours: `runbook`, a list of steps |
//!
//! Any other key is somebody's own, and is left alone unless it is nearly one of these.
//!
//! # Searches
//!
//! A map is AND over its entries, a list of maps is OR.
//! A list of words is a keyword search: one of them must stand somewhere in the event; under the key `'|all'`, all.
//! An entry is `field|modifier|modifier: value`; several values are a list and mean OR, with `all` AND.
//!
//! Text compares without case (Unicode simple folding), `*` stands for any characters, line breaks included, `?` for
//! one; `\*`, `\?` and `\\` are the characters themselves, and a backslash before anything else is a backslash.
//! Numbers compare exactly, with numbers and with texts that read so; `null` is null or absent; `''` is the empty text.
//!
//! # Modifiers
//!
//! They apply from left to right, and which may follow which is checked.
//!
//! | modifier | |
//! |---|---|
//! | `contains`, `startswith`, `endswith` | where the text stands; not for the empty text |
//! | `cased` | compares with case |
//! | `all` | every value must match, possibly by different members of an array |
//! | `neq` | none of the values; true on an absent field |
//! | `exists` | one boolean: whether the key is there |
//! | `re`, then `i`, `m`, `s` | the syntax of the `regex` crate, unanchored, with case; no look-around, no back-references |
//! | `cidr` | an address or a network without host bits |
//! | `lt`, `lte`, `gt`, `gte` | a number |
//! | `minute`, `hour`, `day`, `week`, `month`, `year` | a part of a time; alone or before one of the four above |
//! | `fieldref` | another field's value; also with `contains`, `startswith`, `endswith`, `cased`, `neq` |
//! | `windash` | `-`, `/` and three longer dashes before an option, in every permutation |
//! | `base64` | what the text encodes to; with case, no wildcards |
//! | `base64offset` | the same anywhere inside something encoded; before `contains` |
//! | `utf16le` or `wide`, `utf16be`, `utf16` | before one of those two |
//!
//! # Conditions
//!
//! `or` binds less than `and`, `and` less than `not`, `not` less than `1 of` and `all of`; parentheses.
//! `any of` is `1 of`; `them` and patterns such as `filter_*` name searches, those that start with `_` only by a
//! pattern that does. A list of conditions is OR. Operators are lower case. Every search must be used, or is a warning.
//!
//! # Refused
//!
//! Correlations, filters, collections (`action`), the modifier `expand`, and in `alert` everything but `runbook` are
//! not supported yet. `timeframe` and aggregations behind a `|` left the language.

mod condition;
mod detection;
mod document;
mod encoding;
mod expression;
mod key;
mod metadata;
mod modifier;
mod pattern;
mod reading;
mod report;
mod scalar;
mod suggest;
mod value;
mod yaml;

use ipnet::IpNet;
use jiff::civil::Date;
use uuid::Uuid;

use crate::diagnostic::{Diagnostic, Severity, Sources, Span};

/// How large a rule file may be, in bytes: a thousand times a long rule. It bounds what reading it can cost.
pub const MAX_SOURCE_BYTES: usize = 1 << 20;

/// What came of reading rule files.
#[derive(Debug, Clone, Default)]
pub struct Reading {
    /// The rules that load, by file and document.
    pub rules: Vec<Rule>,
    /// Everything that is wrong, by file and place.
    pub diagnostics: Vec<Diagnostic>,
}

impl Reading {
    /// Whether a rule does not load.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error)
    }
}

/// Reads every document of every file.
///
/// A document with an error does not load; the others do. Two rules never share an id or a name.
#[must_use]
pub fn read(sources: &Sources) -> Reading {
    reading::read(sources)
}
use crate::number::Number;

/// A Sigma rule about single events, checked and complete.
#[derive(Debug, Clone)]
pub struct Rule {
    /// Globally unique; alerts carry it as the analytic's uid.
    pub id: Uuid,
    /// Unique slug; the file is named after it.
    pub name: String,
    /// What happened, in the words of the one who gets the alert.
    pub title: String,
    /// What it means, and what an attacker gains.
    pub description: Option<String>,
    /// Maturity.
    pub status: Status,
    /// How bad a match is.
    pub level: Level,
    /// URLs.
    pub references: Vec<String>,
    /// Benign causes, as the rule's author knows them.
    pub falsepositives: Vec<String>,
    /// `namespace.name`, as written: `attack.t1528`.
    pub tags: Vec<String>,
    /// Who wrote it.
    pub author: Option<String>,
    /// First published.
    pub date: Option<Date>,
    /// Last changed.
    pub modified: Option<Date>,
    /// Our `alert:` block.
    pub alert: AlertOptions,
    /// What it looks for.
    pub detection: Detection,
    /// Where the document stands: the span of its title.
    pub span: Span,
}

/// Our own `alert:` block of a rule.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AlertOptions {
    /// Steps for whoever gets the alert, in order.
    pub runbook: Vec<String>,
}

/// Maturity of a rule, Sigma's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Status {
    /// Ready for production.
    #[default]
    Stable,
    /// Mostly stable.
    Test,
    /// New.
    Experimental,
    /// Replaced by another rule.
    Deprecated,
    /// Cannot be used as it is.
    Unsupported,
}

/// How bad a match is, Sigma's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// For correlation and context.
    Informational,
    /// Rarely worth a look by itself.
    Low,
    /// Worth a look today.
    Medium,
    /// Worth a look now.
    High,
    /// Worth waking somebody.
    Critical,
}

impl Level {
    /// As Sigma writes it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Informational => "informational",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

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
    /// A map: every entry must match.
    AllOf(Vec<Body>),
    /// A list of maps: one must match.
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
    /// Compiled with these flags.
    pub regex: regex::Regex,
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
