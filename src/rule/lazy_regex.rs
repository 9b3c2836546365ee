//! Regular expressions that are compiled when an event first needs them.
//!
//! Compiling is the slow part of loading rules, and most expressions stand behind conditions that hardly ever hold.

use std::fmt;
use std::sync::{Arc, OnceLock};

use regex::{Regex, RegexBuilder};
use regex_syntax::ParserBuilder;
use regex_syntax::hir::{Class, Hir, HirKind};

use super::RegexFlags;

/// An expression that is known to compile, into how much at most.
#[derive(Clone)]
pub struct LazyRegex(Arc<Expression>);

struct Expression {
    pattern: String,
    flags: RegexFlags,
    compiled: OnceLock<Option<Regex>>,
}

impl LazyRegex {
    /// Whether the expression matches somewhere in `text`.
    #[must_use]
    pub fn is_match(&self, text: &str) -> bool {
        // INVARIANT: it parsed with these flags, and is not limited in size, so that it compiles.
        let compiled = self.0.compiled.get_or_init(|| builder(&self.0.pattern, self.0.flags).build().ok());
        compiled.as_ref().is_some_and(|regex| regex.is_match(text))
    }

    /// An expression that was parsed, and needs little enough.
    pub(super) fn deferred(pattern: &str, flags: RegexFlags) -> Self {
        Self::new(pattern, flags, OnceLock::new())
    }

    /// An expression that is compiled already.
    pub(crate) fn compiled(pattern: &str, flags: RegexFlags, regex: Regex) -> Self {
        Self::new(pattern, flags, OnceLock::from(Some(regex)))
    }

    fn new(pattern: &str, flags: RegexFlags, compiled: OnceLock<Option<Regex>>) -> Self {
        Self(Arc::new(Expression { pattern: pattern.to_owned(), flags, compiled }))
    }
}

/// The same whether compiled or not.
impl fmt::Debug for LazyRegex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LazyRegex").field("pattern", &self.0.pattern).field("flags", &self.0.flags).finish()
    }
}

/// Compiles without a limit unless told otherwise.
pub(super) fn builder(pattern: &str, flags: RegexFlags) -> RegexBuilder {
    let mut builder = RegexBuilder::new(pattern);
    builder
        .case_insensitive(flags.ignore_case)
        .multi_line(flags.multi_line)
        .dot_matches_new_line(flags.dot_all)
        .size_limit(usize::MAX);
    builder
}

/// Parses as [`builder`] will.
pub(super) fn parse(pattern: &str, flags: RegexFlags) -> Result<Hir, Box<regex_syntax::Error>> {
    ParserBuilder::new()
        .case_insensitive(flags.ignore_case)
        .multi_line(flags.multi_line)
        .dot_matches_new_line(flags.dot_all)
        .build()
        .parse(pattern)
        .map_err(Box::new)
}

/// What every expression needs, in bytes.
const BASE: usize = 1024;

/// What a state of the automaton needs, with what the alternatives or repetitions around it add.
const STATE: usize = 64;

/// What a set of characters needs, and each range in it: a few sequences of bytes, up to four each, or more for the few
/// ranges that are wide.
const CLASS: usize = 2048;
const RANGE: usize = 384;

/// How large an expression is once compiled, at most, in bytes; usually a few times less.
///
/// The expression is not nested deeper than the parser allows.
pub(super) fn size(hir: &Hir) -> usize {
    part(hir).saturating_add(BASE)
}

fn part(hir: &Hir) -> usize {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => STATE,
        HirKind::Literal(literal) => STATE.saturating_mul(literal.0.len() + 1),
        HirKind::Class(Class::Unicode(class)) => CLASS + RANGE * class.ranges().len(),
        HirKind::Class(Class::Bytes(class)) => STATE + RANGE * class.ranges().len(),
        HirKind::Repetition(repetition) => {
            let copies = repetition.max.unwrap_or(repetition.min).max(1);
            part(&repetition.sub)
                .saturating_add(2 * STATE)
                .saturating_mul(usize::try_from(copies).unwrap_or(usize::MAX))
        }
        HirKind::Capture(capture) => part(&capture.sub).saturating_add(4 * STATE),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => {
            parts.iter().fold(STATE, |sum, hir| sum.saturating_add(part(hir)).saturating_add(STATE))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_size_is_estimated_from_above() {
        for pattern in [
            "",
            "a",
            "root",
            "^(?:a|b|c|dd|eee)$",
            "[a-z0-9-]+",
            "(?i)kelvin",
            r"\w",
            r"\w+\s*\d{2,}",
            r"\W{3}",
            r"\p{Greek}?",
            r"(?i)\p{L}",
            ".*",
            "(?s).*x.*",
            "x{100}",
            "(?:a{10}){10}",
            "(?:ab?c*d+){3,7}",
            "(?:){50}",
            "((((((((a))))))))",
            r"(?m)^\b$\B",
            "日本|語",
            r"[^/]+/[^/]+",
            "[\u{0}-\u{10ffff}]{8}",
            "[^a]{20}",
            "[\u{80}-\u{7ff}ab\u{900}-\u{ffff}]+",
            r"(?i)[\w&&[^_0-9]]{2}",
            r"\P{Lu}",
        ] {
            let flags = RegexFlags::default();
            let size = size(&parse(pattern, flags).unwrap());
            let built = builder(pattern, flags).size_limit(size).build();
            assert!(built.is_ok(), "`{pattern}` needs more than {size}");
        }
    }

    #[test]
    fn what_is_compiled_late_is_the_same() {
        let flags = RegexFlags { ignore_case: true, multi_line: true, dot_all: true };
        let regex = LazyRegex::deferred("^a.b$", flags);
        let before = format!("{regex:?}");
        assert!(regex.is_match("x\nA\nB\ny") && !regex.is_match("ab"));
        assert_eq!(format!("{regex:?}"), before);
    }
}
