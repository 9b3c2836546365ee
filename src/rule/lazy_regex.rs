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

/// How large an expression is once compiled, at most, in bytes.
///
/// The expression's structure is not nested deeper than the parser allows.
pub(super) fn size(hir: &Hir) -> usize {
    /// What a state of the automaton needs, with what the alternatives or repetitions around it add.
    const STATE: usize = 64;
    /// What a range of characters needs: a few sequences of bytes, up to four each.
    const RANGE: usize = 384;
    let sum = |parts: &[Hir]| parts.iter().map(size).fold(STATE, |sum, size| sum.saturating_add(size + STATE));
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => STATE,
        HirKind::Literal(literal) => STATE.saturating_mul(literal.0.len() + 1),
        HirKind::Class(Class::Unicode(class)) => STATE + RANGE * class.ranges().len(),
        HirKind::Class(Class::Bytes(class)) => STATE + RANGE * class.ranges().len(),
        HirKind::Repetition(repetition) => {
            let copies = repetition.max.unwrap_or(repetition.min).max(1) as usize;
            (size(&repetition.sub) + 2 * STATE).saturating_mul(copies)
        }
        HirKind::Capture(capture) => size(&capture.sub).saturating_add(4 * STATE),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => sum(parts),
    }
}
