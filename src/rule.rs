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
//! A document is what its keys say, wherever its file lies: with `correlation` a correlation rule, with `filter` a
//! filter, with `values` and none of these or `detection` a value list, otherwise a rule.
//! A file named `vaultwatch.yml` holds settings for all rules, see below.
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
//! | `status` | `stable`, `test`; `experimental` rules run in shadow: they match, are counted and appear in replays, and nothing is published; `deprecated` and `unsupported` rules are left out, with a warning |
//! | `date`, `modified` | YYYY-MM-DD |
//! | `tags` | a list of `namespace.name` |
//! | `references`, `falsepositives`, `fields`, `scope` | lists of texts |
//! | `description`, `author`, `license`, `taxonomy` | text |
//! | `related` | a list of `id` and `type`: `derived`, `obsolete`, `merged`, `renamed`, `similar` |
//! | `alert` | ours, see below |
//! | `tests` | ours, see below; `rsigma.exemplars` is read as well |
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
//! | `expand` | placeholders are replaced first; not for numbers, times, expressions and fields |
//!
//! # Value lists
//!
//! A document of `name` and `values`, and a `description` if you like. Under `expand`, `%name%` stands for the values
//! of that list: alone, for each of them with its type; within a text, for each one's text; several placeholders for
//! every combination. Wildcards in a list are wildcards, `\%` is the character. A list that does not exist is an
//! error. Nothing is among the values of an empty list, also under `all`; under `neq`, everything is outside it.
//!
//! # Conditions
//!
//! `or` binds less than `and`, `and` less than `not`, `not` less than `1 of` and `all of`; parentheses.
//! `any of` is `1 of`; `them` and patterns such as `filter_*` name searches, those that start with `_` only by a
//! pattern that does. A list of conditions is OR. Operators are lower case. Every search must be used, or is a warning.
//!
//! # Filters
//!
//! An exception that becomes part of the rules that it names: `title` and `logsource` like a rule, and `filter` with
//! `rules`, a list of ids and names or `any`, searches, and a `condition` over its own searches. The condition is
//! joined to the rule's with `and`, as it is written, so that it must have a `not`. Rules that do not exist are
//! errors; a filter that does not load takes nothing away.
//!
//! # Correlations
//!
//! What other rules match, counted and compared within a span of event time. The header is a rule's, and `correlation`
//! holds
//!
//! | key | |
//! |---|---|
//! | `type` | `event_count`, `value_count`, `temporal`, `temporal_ordered`, `value_sum`, `value_avg`, `value_percentile`, `value_median`; ours is `first_seen` |
//! | `rules` | needed; ids and names of rules and correlations, which must load; no circles |
//! | `timespan` | needed; a number and one of `s`, `m`, `h`, `d`, `w`, `M`, `y` |
//! | `group-by` | fields or aliases; a match that lacks one takes no part, and one with an array in it belongs to a group for each member |
//! | `condition` | `gt`, `gte`, `lt`, `lte`, `eq`, `neq`, all of which must hold; `field` for those that look at values, `percentile` (50). Temporal ones do without: every rule must have matched. Without `gt` and `gte`, a warning. Counts go up to 1,000 |
//! | `aliases` | names for fields, with the field of every rule |
//! | `generate` | whether the rules alert by themselves as well; `false` if absent, and allowed beside `correlation` |
//!
//! `first_seen` is true of a value that the group did not have before, such as a principal's first source address. It
//! has no `condition`, and beside the other keys
//!
//! | key | |
//! |---|---|
//! | `field` | needed; the field, or the alias, whose values are looked at |
//! | `timespan` | how long a value is remembered |
//! | `warmup` | how long a group learns, from its first match on, before it alerts; `0s` if absent |
//!
//! # Alerts
//!
//! | key | |
//! |---|---|
//! | `runbook` | a list of steps |
//! | `title` | what the alert says, with `{field}` for the values of a field, redacted; subject lines keep the rule's title |
//! | `severity` | a level, or `{field}`: a value that is one raises the level, and never lowers it |
//! | `group-by` | fields by whose values alerts belong together; `derived.principal` and `request.remote_address` if absent. The alerts of a correlation go by its own `group-by` |
//! | `suppress` | how long further matches of the same group are counted instead of alerted; `1h` if absent, `0` for not at all |
//!
//! # Tests
//!
//! A test has a `name`, an event and `expect`: `match`, `no match`, or a map of `match`, `searches` that must hold and
//! `alert` fields. The event starts from `like`, a named one, or from `file: path:line`, or from nothing; `without`
//! takes fields out, `event` lays fields over it, both by dotted keys. A list of `events` has the same keys, and `at`,
//! `repeat`, `every`, and `vary`, texts in which `{n}` is the number of the repetition.
//!
//! # Settings
//!
//! | key | |
//! |---|---|
//! | `fields` | names of fields that rules may use although no audit event is known to have them; a `*` at the end stands for anything |
//! | `overlaps` | what becomes of the alerts of several rules about one happening, a request with its response: `apart` (each is one, also if absent) or `together` (one alert, at the highest level, which names the others) |
//! | `profiles` | names, each with a `description`, and under `without` a list of ids and names of rules, correlations and filters that are not in force there. A correlation takes along the informational rules that only served it |
//! | `profile` | the one that is in force unless another one is asked for; needed where there are `profiles` |
//!
//! What is not in force is read and checked all the same. Without profiles, everything is in force.
//!
//! # Refused
//!
//! Collections (`action`), `timeframe` and aggregations behind a `|` left the language.

mod alerting;
mod condition;
mod correlation;
mod detection;
mod document;
mod encoding;
mod expression;
mod file;
mod filter;
mod header;
mod key;
mod lazy_regex;
mod list;
mod metadata;
mod model;
mod modifier;
mod pattern;
mod placeholder;
mod profile;
mod reading;
mod reference;
mod report;
mod scalar;
mod settings;
mod spans;
pub(crate) mod suggest;
mod template;
mod test_case;
mod timespan;
mod value;
mod yaml;

use uuid::Uuid;

pub use correlation::{Alias, Correlation, CorrelationKind, MOST_ENTRIES, Threshold};
pub use header::Header;
pub use lazy_regex::LazyRegex;
pub use model::{
    Anchor, Body, Comparison, Condition, Detection, FieldRef, Item, KeywordTest, Keywords, Link, Part, Pattern,
    RegexFlags, RegexTest, Search, Test, TimePart,
};
pub use profile::{Profile, UnknownProfile};
pub use spans::RuleSpans;
pub use template::{Template, TemplatePart};
pub use test_case::{EventBase, Expectation, RuleTest, TestEvent};
pub use timespan::{TimeUnit, Timespan};

use crate::diagnostic::{Diagnostic, Severity, Sources};
use crate::number::Number;

/// How large a rule file may be, in bytes: a thousand times a long rule. It bounds what reading it can cost.
pub const MAX_SOURCE_BYTES: usize = 1 << 20;

/// What came of reading rule files.
#[derive(Debug, Clone, Default)]
pub struct Reading {
    /// The rules that load, by file and document.
    pub rules: Vec<Rule>,
    /// The correlation rules that load, by file and document.
    pub correlations: Vec<Correlation>,
    /// What `vaultwatch.yml` beside the rules settles.
    pub settings: Settings,
    /// The profile that these are in force in; `None` for everything that loads.
    pub profile: Option<String>,
    /// Everything that is wrong, by file and place.
    pub diagnostics: Vec<Diagnostic>,
}

/// What the file `vaultwatch.yml` among the rule files settles for all of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings {
    /// `fields:` names of fields that no Vault audit event is known to have, and that rules may use all the same.
    pub fields: Vec<String>,
    /// `overlaps:` what becomes of the alerts of several rules about one happening.
    pub overlaps: Overlaps,
    /// `profile:` the profile that is in force unless another one is asked for.
    pub profile: Option<String>,
    /// `profiles:` in the order written.
    pub profiles: Vec<Profile>,
}

/// What becomes of the alerts that several rules raise about one happening.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Overlaps {
    /// `apart`: each is an alert.
    #[default]
    Apart,
    /// `together`: they are one alert, at the highest level, which names the others.
    Together,
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
/// Everything that loads is in force, in whatever profile it is.
#[must_use]
pub fn read(sources: &Sources) -> Reading {
    reading::read(sources)
}

/// Reads every document of every file, and leaves out what is not in force in a profile: the one that is asked for, or
/// else the one that the settings choose. What is wrong is the same in every profile.
///
/// # Errors
///
/// If there is no such profile.
pub fn read_in_force(sources: &Sources, profile: Option<&str>) -> Result<Reading, UnknownProfile> {
    reading::read_in_force(sources, profile)
}

/// A Sigma rule about single events, checked and complete.
#[derive(Debug, Clone)]
pub struct Rule {
    /// Who it is, and what people read.
    pub header: Header,
    /// What it looks for, the filters for this rule included.
    pub detection: Detection,
}

/// Our own `alert:` block of a rule.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AlertOptions {
    /// Steps for whoever gets the alert, in order.
    pub runbook: Vec<String>,
    /// Fields by whose values alerts belong together; empty for the default. Correlations have none.
    pub group_by: Vec<String>,
    /// How long repeats are counted instead of alerted; 0 for not at all, none for the default.
    pub suppress: Option<Timespan>,
    /// What the alert says instead of the rule's title, except in subject lines, which never hold text from the log.
    pub title: Option<Template>,
    /// A level instead of the rule's. One that is taken from the event never lowers it.
    pub severity: Option<Template>,
}

impl AlertOptions {
    /// By whose values alerts belong together where the rule does not say: who did it, and from where.
    pub const DEFAULT_GROUP_BY: [&str; 2] = ["derived.principal", "request.remote_address"];

    /// How long repeats are counted instead of alerted where the rule does not say.
    pub const DEFAULT_SUPPRESS: Timespan = Timespan { count: 1, unit: TimeUnit::Hour };

    /// The fields by whose values alerts of a rule about single events belong together.
    pub fn group_by(&self) -> impl Iterator<Item = &str> {
        let default = if self.group_by.is_empty() { &Self::DEFAULT_GROUP_BY[..] } else { &[] };
        self.group_by.iter().map(String::as_str).chain(default.iter().copied())
    }

    /// How long repeats are counted instead of alerted; 0 for not at all.
    #[must_use]
    pub fn suppress(&self) -> Timespan {
        self.suppress.unwrap_or(Self::DEFAULT_SUPPRESS)
    }
}

/// Another rule that a rule has to do with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Related {
    /// The other rule.
    pub id: Uuid,
    /// What it is to this one.
    pub relation: Relation,
}

/// What another rule is to a rule, Sigma's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relation {
    /// This rule was derived from it.
    Derived,
    /// This rule replaces it.
    Obsolete,
    /// This rule was merged from it and others.
    Merged,
    /// This rule was known by that id before.
    Renamed,
    /// They look for alike things.
    Similar,
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

impl Status {
    /// As Sigma writes it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Stable => "stable",
            Self::Test => "test",
            Self::Experimental => "experimental",
            Self::Deprecated => "deprecated",
            Self::Unsupported => "unsupported",
        }
    }
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
    /// Every level, the least first.
    pub const ALL: [Self; 5] = [Self::Informational, Self::Low, Self::Medium, Self::High, Self::Critical];

    /// The level that Sigma writes so.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.as_str() == name)
    }

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
