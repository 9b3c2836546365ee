//! Regular expressions: checked when read, bounded, and explained where they fail.

use std::ops::Range;

use regex_syntax::ast;

use super::lazy_regex::{self, LazyRegex};
use super::report::Report;
use super::yaml::Scalar;
use super::{RegexFlags, RegexTest};
use crate::diagnostic::{Code, Diagnostic};

/// How large an expression may become, in bytes, to be compiled when it is needed; `\w{3}` may, `\w{4}` is compiled at
/// once, to see how large it is.
const DEFERRED: usize = 1 << 20;

/// How large a compiled expression usually is at most, in bytes: `\w` alone needs half of it, `[a-z]{100}` 8 KiB.
const USUAL: usize = 128 << 10;

/// How large those few may be that are larger; `\w{50}` is.
const LARGE: usize = 4 << 20;

/// How large all those of a rule may become together that are compiled when they are needed.
const MAX_DEFERRED: usize = 160 << 20;

/// How many expressions a rule may hold.
const MAX_EXPRESSIONS: usize = 500;

/// What the rest of a rule may still compile. Compiling takes the more time the larger the result.
pub(super) struct Allowance {
    used: usize,
    large: usize,
    deferred: usize,
}

impl Allowance {
    pub(super) fn new() -> Self {
        Self { used: 0, large: 16, deferred: MAX_DEFERRED }
    }

    /// Counts one more expression; says once that it is too much.
    fn take(&mut self, report: &mut Report<'_>, scalar: &Scalar<'_>) -> Option<()> {
        self.used += 1;
        if self.used == MAX_EXPRESSIONS + 1 {
            let message = "this rule has more regular expressions than a rule may hold";
            let diagnostic = Diagnostic::error(Code::TooComplex, &scalar.span, message);
            report.push(diagnostic.label("the first one too many").help("join several into one with `|`"));
        }
        (self.used <= MAX_EXPRESSIONS).then_some(())
    }
}

/// Compiles the expression that `scalar` holds.
pub(super) fn read(
    report: &mut Report<'_>,
    allowance: &mut Allowance,
    scalar: &Scalar<'_>,
    flags: RegexFlags,
) -> Option<RegexTest> {
    let pattern = scalar.text.as_ref();
    if pattern.is_empty() {
        let message = "an empty regular expression matches everything";
        report.push(Diagnostic::error(Code::InvalidRegex, &scalar.span, message));
        return None;
    }
    allowance.take(report, scalar)?;
    let hir = match lazy_regex::parse(pattern, flags) {
        Ok(hir) => hir,
        Err(error) => {
            let diagnostic = explain(report, scalar, &error);
            report.push(diagnostic);
            return None;
        }
    };
    let size = lazy_regex::size(&hir);
    let regex = match allowance.deferred.checked_sub(size) {
        Some(rest) if size <= DEFERRED => {
            allowance.deferred = rest;
            LazyRegex::deferred(pattern, flags)
        }
        _ => compile(report, allowance, scalar, flags)?,
    };
    Some(RegexTest { pattern: pattern.to_owned(), flags, regex })
}

/// Compiles an expression that may be too large.
fn compile(
    report: &mut Report<'_>,
    allowance: &mut Allowance,
    scalar: &Scalar<'_>,
    flags: RegexFlags,
) -> Option<LazyRegex> {
    let within = |limit| lazy_regex::builder(&scalar.text, flags).size_limit(limit).build();
    let built = match within(USUAL) {
        Err(_) if allowance.large > 0 => {
            allowance.large -= 1;
            within(LARGE)
        }
        usual => usual,
    };
    if built.is_err() {
        let message = "this regular expression compiles to more than a rule may hold";
        let help = "repeat less, or replace `\\w` and `\\d` with `[A-Za-z0-9_]` and `[0-9]`";
        report.push(Diagnostic::error(Code::TooComplex, &scalar.span, message).help(help));
    }
    Some(LazyRegex::compiled(&scalar.text, flags, built.ok()?))
}

fn explain(report: &Report<'_>, scalar: &Scalar<'_>, error: &regex_syntax::Error) -> Diagnostic {
    let (kind, place) = match error {
        regex_syntax::Error::Parse(error) => (Kind::of(error.kind()), bytes(error.span())),
        regex_syntax::Error::Translate(error) => (Kind::Other(error.kind().to_string()), bytes(error.span())),
        other => (Kind::Other(other.to_string()), 0..scalar.text.len()),
    };
    let span = report.places(scalar).of(place);
    match kind {
        Kind::LookAround => {
            Diagnostic::error(Code::UnsupportedRegex, &span, "regular expressions here have no look-around")
                .label("look-around")
                .help("match what must be there, and exclude the rest with a second search and `not` in the condition")
        }
        Kind::BackReference => {
            Diagnostic::error(Code::UnsupportedRegex, &span, "regular expressions here have no back-references")
                .label("a back-reference")
        }
        Kind::Other(reason) => {
            Diagnostic::error(Code::InvalidRegex, &span, format!("this regular expression is not valid: {reason}"))
        }
    }
}

/// Why an expression does not parse.
enum Kind {
    LookAround,
    BackReference,
    Other(String),
}

impl Kind {
    fn of(kind: &ast::ErrorKind) -> Self {
        match kind {
            ast::ErrorKind::UnsupportedLookAround => Self::LookAround,
            ast::ErrorKind::UnsupportedBackreference => Self::BackReference,
            other => Self::Other(other.to_string()),
        }
    }
}

fn bytes(span: &ast::Span) -> Range<usize> {
    span.start.offset..span.end.offset
}
