//! What is wrong with a rule file: plain data, drawn elsewhere.
//!
//! Reading rules returns the rules *and* the diagnostics.
//! An [`Severity::Error`] means that the rule does not load, or that it loads and can never do what it says; a
//! [`Severity::Warning`] means that it loads and is probably wrong.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

/// Index of a file in the [`Sources`] that were read together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SourceId(pub u32);

/// A rule file as it was read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Source {
    /// The path that users see, relative to where they named it.
    pub path: String,
    /// The whole text; a file beyond the size that rules may have is cut there, and is refused for it.
    pub text: String,
    /// Why the file could not be read, if so; its text is then empty.
    pub unreadable: Option<String>,
}

impl Source {
    /// A file that could be read.
    #[must_use]
    pub fn new(path: impl Into<String>, text: impl Into<String>) -> Self {
        Self { path: path.into(), text: text.into(), unreadable: None }
    }
}

/// All files that were read together; diagnostics quote from them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sources(pub Vec<Source>);

impl Sources {
    /// The file that `id` names, if it is one of these.
    #[must_use]
    pub fn get(&self, id: SourceId) -> Option<&Source> {
        self.0.get(usize::try_from(id.0).ok()?)
    }

    /// Where a span starts: the file's path and the line, from 1.
    #[must_use]
    pub fn place(&self, span: &Span) -> (&str, usize) {
        let Some(source) = self.get(span.source) else { return ("", 0) };
        let before = source.text.get(..span.bytes.start).unwrap_or_default();
        (&source.path, before.matches('\n').count() + 1)
    }

    /// Every file with its id, in the order read.
    pub fn iter(&self) -> impl Iterator<Item = (SourceId, &Source)> {
        (0..).map(SourceId).zip(&self.0)
    }
}

/// A range of bytes in one source.
///
/// INVARIANT: it lies within the source's text, on character boundaries.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Span {
    /// The file.
    pub source: SourceId,
    /// The bytes in its text.
    pub bytes: Range<usize>,
}

/// Whether the rule still loads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Severity {
    /// It loads, and is probably wrong.
    Warning,
    /// It does not load, or can never do what it says.
    Error,
}

/// One thing that is wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// Stable identifier of the kind of problem.
    pub code: Code,
    /// What it means for the rule.
    pub severity: Severity,
    /// What is wrong: lowercase, no final period, user text in backticks.
    pub message: String,
    /// The place.
    pub span: Span,
    /// What to write at the place, in the margin; may be empty.
    pub label: String,
    /// A second place that belongs to the problem (a duplicate's first occurrence), with its label.
    pub related: Option<(Span, String)>,
    /// Advice.
    pub help: Option<String>,
    /// What to write instead, if that cannot change what the rule matches.
    pub fix: Option<Fix>,
}

/// A change to a rule file that takes a problem away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fix {
    /// What is replaced; empty to insert.
    pub span: Span,
    /// What stands there then.
    pub replacement: String,
}

impl Diagnostic {
    /// A problem with which the rule does not load. The code's standing help, if any, is its advice.
    #[must_use]
    pub fn error(code: Code, span: &Span, message: impl Into<String>) -> Self {
        Self {
            code,
            severity: Severity::Error,
            message: shown(&message.into()),
            span: span.clone(),
            label: String::new(),
            related: None,
            help: code.help().map(str::to_owned),
            fix: None,
        }
    }

    /// A problem with which the rule still loads. The code's standing help, if any, is its advice.
    #[must_use]
    pub fn warning(code: Code, span: &Span, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(code, span, message) }
    }

    /// Writes `label` into the margin.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = shown(&label.into());
        self
    }

    /// Points at a second place.
    #[must_use]
    pub fn related(mut self, span: &Span, label: impl Into<String>) -> Self {
        self.related = Some((span.clone(), shown(&label.into())));
        self
    }

    /// Gives this advice instead of the code's own.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(shown(&help.into()));
        self
    }

    /// Offers to write this at `span` instead, which must not change what the rule matches.
    #[must_use]
    pub fn fix(mut self, span: &Span, replacement: impl Into<String>) -> Self {
        self.fix = Some(Fix { span: span.clone(), replacement: replacement.into() });
        self
    }
}

/// How many characters of a text are shown.
const MAX_SHOWN: usize = 400;

/// The text in one line of bounded length: it quotes what somebody wrote into a file.
fn shown(text: &str) -> String {
    let length = text.chars().count();
    let short = if length > MAX_SHOWN {
        // What is wrong usually stands at the end.
        let head: String = text.chars().take(MAX_SHOWN / 2).collect();
        let tail: String = text.chars().skip(length - MAX_SHOWN / 4).collect();
        Cow::Owned(format!("{head} … {tail}"))
    } else {
        Cow::Borrowed(text)
    };
    let escape = |character: char| match character {
        control if control.is_control() => control.escape_default().to_string(),
        other => other.to_string(),
    };
    short.chars().map(escape).collect()
}

/// Declares [`Code`] from one table: name, identifier, what it says, and the advice that always applies.
macro_rules! codes {
    ($($name:ident $id:literal $about:literal $(=> $help:literal)?;)+) => {
        /// The kind of a problem. Its identifier is stable: people search for it and test against it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Code {
            $(#[doc = concat!("`", $id, "`: ", $about, ".")] $name,)+
        }

        impl Code {
            /// Every code, in the order of the reader's work.
            pub const ALL: &[Self] = &[$(Self::$name,)+];

            /// The identifier that users see.
            #[must_use]
            pub const fn id(self) -> &'static str {
                match self { $(Self::$name => $id,)+ }
            }

            /// What the code stands for, in one line.
            #[must_use]
            pub const fn about(self) -> &'static str {
                match self { $(Self::$name => $about,)+ }
            }

            /// Advice that holds wherever the code appears.
            #[must_use]
            pub const fn help(self) -> Option<&'static str> {
                match self { $(Self::$name => codes!(@help $($help)?),)+ }
            }
        }
    };
    (@help) => { None };
    (@help $help:literal) => { Some($help) };
}

codes! {
    FileUnreadable "file-unreadable" "a rule file could not be read";
    FileTooLarge "file-too-large" "a rule file is larger than rules may be"
        => "split it: one rule a file";
    FileNotUtf8 "file-not-utf8" "a rule file is not UTF-8 text"
        => "save the file as UTF-8";
    FileName "file-name" "a file is not named after the rule in it";
    NoRule "no-rule" "a file holds no rule";
    YamlSyntax "yaml-syntax" "the text is not YAML";
    YamlTooDeep "yaml-too-deep" "the document is nested deeper than rules may be";
    YamlAlias "yaml-alias" "an alias that cannot be followed";
    YamlMergeKey "yaml-merge-key" "a merge key, which YAML 1.2 does not have"
        => "write the keys out, or give the whole value an anchor and refer to it with an alias";
    YamlTag "yaml-tag" "a tag outside the core schema, or one that its value does not fit";
    DuplicateKey "duplicate-key" "a mapping holds the same key twice"
        => "keep one of them; several values of one field are a list";
    AmbiguousScalar "ambiguous-scalar" "an unquoted value that YAML 1.1 reads as something else";
    NotARule "not-a-rule" "a document that is not a rule";
    Collection "collection" "a rule collection, which left the language";
    RetiredRule "retired-rule" "a deprecated or unsupported rule, which is left out"
        => "delete the file, or change the status to load it";
    MissingKey "missing-key" "a key that a rule needs is missing";
    UnknownKey "unknown-key" "a key that the language does not have here";
    WrongType "wrong-type" "a value of the wrong kind";
    InvalidTitle "invalid-title" "a title that is empty, too long or not one line";
    InvalidId "invalid-id" "an id that is no UUID"
        => "write a random UUID, such as `uuidgen` prints";
    InvalidName "invalid-name" "a name that is no slug"
        => "names consist of lower-case letters, digits and `_`";
    InvalidDate "invalid-date" "a date that is not of the form YYYY-MM-DD";
    InvalidTag "invalid-tag" "a tag that is not of the form `namespace.name`"
        => "tags are written `namespace.name` in lower case, such as `attack.t1078`";
    UnknownValue "unknown-value" "a value that the key does not have";
    DuplicateId "duplicate-id" "two rules have the same id"
        => "every rule needs an id of its own";
    DuplicateName "duplicate-name" "two rules have the same name"
        => "every rule needs a name of its own";
    ForeignLogsource "foreign-logsource" "a rule for another log source"
        => "rules here are for `product: vault` and `service: audit`";
    LogsourceCategory "logsource-category" "a log source category, which narrows nothing here";
    EmptyDetection "empty-detection" "an empty search, map or list";
    InvalidSearchName "invalid-search-name" "a search whose name no condition can use";
    UnusedSearch "unused-search" "a search that no condition uses";
    Timeframe "timeframe" "a time frame in a rule about single events"
        => "counting over time is what correlation rules are for";
    UnknownModifier "unknown-modifier" "a modifier that the language does not have";
    ModifierCombination "modifier-combination" "modifiers that make no sense together";
    ModifierValue "modifier-value" "a value that the modifier cannot work with";
    InvalidNumber "invalid-number" "a number that cannot be compared exactly, or counted up to"
        => "put it into quotes to compare it as text";
    InvalidRegex "invalid-regex" "a regular expression that does not compile";
    UnsupportedRegex "unsupported-regex" "a regular expression with look-around or back-references";
    InvalidNetwork "invalid-network" "a network that is not in CIDR notation";
    ConditionSyntax "condition-syntax" "a condition that does not follow the grammar";
    ConditionCase "condition-case" "an operator in upper case"
        => "operators are written in lower case";
    ConditionPipe "condition-pipe" "an aggregation in a condition"
        => "counting over time is what correlation rules are for";
    UnknownSearch "unknown-search" "a condition names a search that does not exist";
    UnknownList "unknown-list" "a value list that does not exist, or does not load"
        => "a value list is a document of `name` and `values`; `lists/` beside the rules is the place for them";
    UnexpandedPlaceholder "unexpanded-placeholder" "a value that looks like a placeholder, without `expand`";
    UnknownRule "unknown-rule" "a reference to a rule that does not exist, does not load or does not fit";
    FilterWithoutNot "filter-without-not" "a filter whose condition has no `not`"
        => "the condition is joined to the rule's with `and`: write `not selection`";
    CorrelationCircle "correlation-circle" "correlation rules that refer to each other in a circle";
    OpenCorrelation "open-correlation" "a correlation that more events may undo"
        => "a stream cannot know that no more will come: say `gt` or `gte`";
    UnusedAlias "unused-alias" "an alias that nothing uses, or that leaves out a rule";
    InvalidTemplate "invalid-template" "a text with braces that do not hold a field"
        => "`{request.path}` is a field's value; a brace itself is written twice";
    InvalidTest "invalid-test" "a test that cannot be run as it is written";
    InvalidTimespan "invalid-timespan" "a span of time that is not of the form `5m`"
        => "write a whole number and one of `s`, `m`, `h`, `d`, `w`, `M` (month) and `y`";
    TooComplex "too-complex" "a rule that would take too much time or memory";
    MoreProblems "more-problems" "a file has more problems than are shown"
        => "mend the first ones, then look again";
    SchemaComment "schema-comment" "a rule file that does not point to the schema beside it, for editors";
    MissingMetadata "missing-metadata" "a rule that does not say what its readers need";
    MissingTest "missing-test" "a rule without a test that fires, or without one that nearly does";
    UnknownEvent "unknown-event" "a test names an event that does not ship with the program"
        => "`vaultwatch fields --events` lists them";
    UnknownAttack "unknown-attack" "a tag that ATT&CK does not have";
    UnknownField "unknown-field" "a field that no Vault audit entry has";
    ImpossibleValue "impossible-value" "a value that the field never has";
    HmacPlaintext "hmac-plaintext" "plain text where Vault writes HMACs";
    ErrorEquality "error-equality" "an error compared as a whole"
        => "Vault joins errors with line breaks and more: write `error|contains`";
    PathForm "path-form" "a path as no audit entry has it";
    ListPath "list-path" "the path of a list without its final slash"
        => "Vault logs the path of every list with a slash at its end, whatever the client sent";
    CreateWithoutUpdate "create-without-update" "a write that is only `create`"
        => "most writes are logged as `update`, new things included: write `[create, update]`, or use \
            `derived.operation_kind: write`";
    MountTypeInNamespace "mount-type-in-namespace" "a mount type that has another name inside a namespace";
    MissingType "missing-type" "a rule that sees the request and the response of a call"
        => "`type: response` tells how it ended, `type: request` is written first; if either will do, write \
            `type: [request, response]`";
    RequestOnly "request-only" "the response to a call that Vault only logs the request of"
        => "write `type: request`";
    NeverTrue "never-true" "a condition that can never be true";
    AlwaysTrue "always-true" "a condition that is always true";
    SameMeaning "same-meaning" "two rules that match the same events"
        => "keep one of them";
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}
