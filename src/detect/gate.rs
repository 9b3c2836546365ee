//! The literals without which a regular expression cannot match.

use regex_syntax::ParserBuilder;
use regex_syntax::hir::literal::{ExtractKind, Extractor};

use crate::fold::fold;
use crate::rule::RegexTest;

/// More alternatives than this are not worth an automaton's states.
const MOST: usize = 64;

/// Shorter literals are in nearly every text.
const SHORTEST: usize = 3;

/// Literals of which one must be in every text that matches, case folded; none if there are no good ones.
///
/// A text that has a literal has, folded, the folded literal, because folding goes character by character.
pub(super) fn literals(test: &RegexTest) -> Option<Vec<String>> {
    let flags = test.flags;
    let mut parser = ParserBuilder::new()
        .case_insensitive(flags.ignore_case)
        .multi_line(flags.multi_line)
        .dot_matches_new_line(flags.dot_all)
        .build();
    let expression = parser.parse(&test.pattern).ok()?;
    [ExtractKind::Prefix, ExtractKind::Suffix].into_iter().find_map(|kind| {
        let sequence = Extractor::new().kind(kind).extract(&expression);
        let literals = sequence.literals().filter(|found| !found.is_empty() && found.len() <= MOST)?;
        let mut folded = literals
            .iter()
            .map(|literal| std::str::from_utf8(literal.as_bytes()).ok().map(fold))
            .collect::<Option<Vec<_>>>()?;
        folded.sort_unstable();
        folded.dedup();
        folded.iter().all(|literal| literal.len() >= SHORTEST).then_some(folded)
    })
}
