//! The condition of a rule: text -> a tree over the indices of its searches.
//!
//! ```text
//! or         = and { "or" and }
//! and        = not { "and" not }
//! not        = { "not" } primary
//! primary    = "(" or ")" | quantifier "of" target | search
//! quantifier = "1" | "any" | "all"
//! target     = "them" | a search's name, in which `*` stands for any characters
//! ```
//!
//! Words end at white space, parentheses and `|`, so that `notable` is a search and `not(able)` is a negation.
//! `them` and patterns leave out searches whose name starts with `_`, unless the pattern does as well.
//!
//! With the searches `login`, `filter_ci` and `filter_backup`, the condition `login and not 1 of filter_*` becomes
//! `And[Search(0), Not(Or[Search(1), Search(2)])]`.

use std::collections::HashMap;
use std::ops::Range;

use super::report::{Places, Report};
use super::suggest::nearest;
use super::yaml::Scalar;
use super::{Condition, Search};
use crate::diagnostic::{Code, Diagnostic, Span};

/// How deep parentheses and negations may be nested.
const MAX_DEPTH: usize = 64;

/// How many searches the `of` expressions of a rule may look at altogether.
const MAX_WORK: usize = 1_000_000;

/// How many unknown searches of a rule are compared with the known ones.
const MAX_SUGGESTIONS: usize = 50;

/// The words that mean something in a condition.
pub(super) const RESERVED: [&str; 5] = ["and", "or", "not", "of", "them"];

fn is_operator(word: &str) -> bool {
    matches!(word, "and" | "or" | "not" | "of")
}

/// The searches of a rule, as its conditions see them.
pub(super) struct Names<'d> {
    searches: &'d [Search],
    indices: HashMap<&'d str, usize>,
    used: Vec<bool>,
    work: usize,
    suggestions: usize,
}

impl<'d> Names<'d> {
    pub(super) fn new(searches: &'d [Search]) -> Self {
        let indices = searches.iter().enumerate().map(|(index, search)| (search.name.as_str(), index)).collect();
        Self { searches, indices, used: vec![false; searches.len()], work: MAX_WORK, suggestions: MAX_SUGGESTIONS }
    }

    /// The searches that no condition used.
    pub(super) fn unused(&self) -> impl Iterator<Item = &'d Search> {
        self.searches.iter().zip(&self.used).filter(|(_, used)| !**used).map(|(search, _)| search)
    }

    fn index(&mut self, name: &str) -> Option<usize> {
        let index = *self.indices.get(name)?;
        self.mark(index);
        Some(index)
    }

    fn mark(&mut self, index: usize) {
        if let Some(used) = self.used.get_mut(index) {
            *used = true;
        }
    }

    /// The search that an unknown name was probably meant to be.
    fn suggest(&mut self, name: &str) -> Option<&'d str> {
        self.suggestions = self.suggestions.checked_sub(1)?;
        nearest(name, self.searches.iter().map(|search| search.name.as_str()))
    }

    /// The searches that a target names, in the order written; `None` if all conditions together ask for too many.
    fn target(&mut self, target: &str) -> Option<Vec<usize>> {
        self.work = self.work.checked_sub(self.searches.len())?;
        let pattern = if target == "them" { "*" } else { target };
        let hidden = pattern.starts_with('_');
        let named = |search: &Search| (hidden || !search.name.starts_with('_')) && glob(pattern, &search.name);
        let found: Vec<usize> = (0..).zip(self.searches).filter(|(_, search)| named(search)).map(|(i, _)| i).collect();
        for index in &found {
            self.mark(*index);
        }
        Some(found)
    }
}

/// Whether `name` is what `pattern` says, in which `*` stands for any characters.
fn glob(pattern: &str, name: &str) -> bool {
    let Some((head, tail)) = pattern.split_once('*') else { return pattern == name };
    let Some(mut rest) = name.strip_prefix(head) else { return false };
    let mut pieces: Vec<&str> = tail.split('*').collect();
    let last = pieces.pop().unwrap_or_default();
    for piece in pieces {
        let Some((_, after)) = rest.split_once(piece) else { return false };
        rest = after;
    }
    rest.ends_with(last)
}

/// Reads one condition; `None` if it cannot be made sense of.
pub(super) fn read(report: &mut Report<'_>, names: &mut Names<'_>, scalar: &Scalar<'_>) -> Option<Condition> {
    let places = report.places(scalar);
    let mut parser = Parser { text: &scalar.text, places, tokens: Vec::new(), next: 0, depth: 0, names, report };
    parser.tokenize();
    let condition = parser.or()?;
    match parser.peek() {
        None => Some(condition),
        Some(token) => parser.unexpected(&token),
    }
}

/// A word or a parenthesis, and where it stands in the condition.
#[derive(Clone, PartialEq, Eq)]
struct Token<'c> {
    text: &'c str,
    at: Range<usize>,
}

struct Parser<'c, 'p, 'd, 's> {
    text: &'c str,
    places: Places,
    tokens: Vec<Token<'c>>,
    next: usize,
    depth: usize,
    names: &'p mut Names<'d>,
    report: &'p mut Report<'s>,
}

impl<'c> Parser<'c, '_, '_, '_> {
    /// Splits the text. What follows a `|` is refused, and left out.
    fn tokenize(&mut self) {
        let mut start = 0;
        for part in self.text.split_inclusive(|character: char| "()|".contains(character) || character.is_whitespace())
        {
            let word = part.trim_end_matches(|character: char| "()|".contains(character) || character.is_whitespace());
            if !word.is_empty() {
                self.word(Token { text: word, at: start..start + word.len() });
            }
            let end = start + part.len();
            match part.get(word.len()..).unwrap_or_default() {
                "|" => return self.pipe(start + word.len()),
                mark @ ("(" | ")") => self.tokens.push(Token { text: mark, at: end - 1..end }),
                _ => {}
            }
            start = end;
        }
    }

    /// An operator in upper case is refused, and read as what it was meant to be.
    fn word(&mut self, mut token: Token<'c>) {
        let operators = RESERVED.iter().chain(&["all", "any"]);
        let meant = operators.copied().find(|operator| token.text.eq_ignore_ascii_case(operator));
        if let Some(operator) = meant
            && token.text != operator
            && !self.names.indices.contains_key(token.text)
        {
            let message = format!("`{}` is no operator", token.text);
            let place = self.places.of(token.at.clone());
            let diagnostic = Diagnostic::error(Code::ConditionCase, &place, message);
            self.report.push(diagnostic.label(format!("write `{operator}`")).fix(&place, operator));
            token.text = operator;
        }
        self.tokens.push(token);
    }

    fn pipe(&mut self, at: usize) {
        let rest = self.text.get(at + 1..).unwrap_or_default().trim_start();
        let aggregates = ["count", "min", "max", "avg", "sum", "near"].iter().any(|word| rest.starts_with(word));
        let span = self.places.of(at..self.text.len());
        let mut diagnostic = Diagnostic::error(Code::ConditionPipe, &span, "a condition holds no `|`");
        if !aggregates {
            diagnostic = diagnostic.help("write `or` between alternatives");
        }
        self.report.push(diagnostic);
    }

    fn peek(&self) -> Option<Token<'c>> {
        self.tokens.get(self.next).cloned()
    }

    /// Steps over the next token if it is this word.
    fn accept(&mut self, word: &str) -> bool {
        let accepted = self.tokens.get(self.next).is_some_and(|token| token.text == word);
        self.next += usize::from(accepted);
        accepted
    }

    fn or(&mut self) -> Option<Condition> {
        let mut alternatives = vec![self.and()?];
        while self.accept("or") {
            alternatives.push(self.and()?);
        }
        Some(joined(alternatives, Condition::Or))
    }

    fn and(&mut self) -> Option<Condition> {
        let mut parts = vec![self.not()?];
        while self.accept("and") {
            parts.push(self.not()?);
        }
        Some(joined(parts, Condition::And))
    }

    fn not(&mut self) -> Option<Condition> {
        let depth = self.depth;
        let mut negations = 0;
        while self.accept("not") {
            negations += 1;
            self.deeper()?;
        }
        let primary = self.primary()?;
        self.depth = depth;
        Some((0..negations).fold(primary, |condition, _| Condition::Not(Box::new(condition))))
    }

    fn primary(&mut self) -> Option<Condition> {
        let Some(token) = self.peek() else { return self.ends_early() };
        self.next += 1;
        match token.text {
            "(" => {
                self.deeper()?;
                let inner = self.or()?;
                self.depth -= 1;
                if self.accept(")") { Some(inner) } else { self.unclosed(&token) }
            }
            ")" | "and" | "or" | "of" | "them" => {
                self.next -= 1;
                self.unexpected(&token)
            }
            quantifier if self.accept("of") => self.quantified(quantifier, &token),
            name => Some(self.search(name, &token)),
        }
    }

    /// Counts one more level of nesting.
    fn deeper(&mut self) -> Option<()> {
        self.depth += 1;
        if self.depth <= MAX_DEPTH {
            return Some(());
        }
        let span = self.previous();
        let message = format!("this condition is nested more than {MAX_DEPTH} levels deep");
        self.report.push(Diagnostic::error(Code::TooComplex, &span, message));
        None
    }

    /// The place of the token before the next one; of the whole condition at its start.
    fn previous(&self) -> Span {
        let token = self.next.checked_sub(1).and_then(|previous| self.tokens.get(previous));
        self.places.of(token.map_or(0..self.text.len(), |token| token.at.clone()))
    }

    fn search(&mut self, name: &str, token: &Token<'_>) -> Condition {
        if let Some(index) = self.names.index(name) {
            return Condition::Search(index);
        }
        let span = self.places.of(token.at.clone());
        let mut diagnostic = Diagnostic::error(Code::UnknownSearch, &span, format!("there is no search `{name}`"));
        if name.contains('*') {
            diagnostic = diagnostic.help(format!("write `1 of {name}` or `all of {name}`"));
        } else if let Some(near) = self.names.suggest(name) {
            diagnostic = diagnostic.help(format!("did you mean `{near}`?"));
        }
        self.report.push(diagnostic);
        refused()
    }

    fn quantified(&mut self, quantifier: &str, first: &Token<'_>) -> Option<Condition> {
        let join = match quantifier {
            "1" | "any" => Condition::Or,
            "all" => Condition::And,
            other => {
                let message = format!("`{other} of` is not part of the language");
                let span = self.places.of(first.at.clone());
                self.report
                    .push(Diagnostic::error(Code::ConditionSyntax, &span, message).help("write `1 of` or `all of`"));
                return None;
            }
        };
        let Some(target) = self.peek() else { return self.ends_early() };
        if is_operator(target.text) || matches!(target.text, "(" | ")") {
            return self.unexpected(&target);
        }
        self.next += 1;
        let span = self.places.of(target.at.clone());
        let Some(found) = self.names.target(target.text) else {
            let message = "the conditions of this rule look at too many searches";
            self.report.push(Diagnostic::error(Code::TooComplex, &span, message));
            return None;
        };
        if found.is_empty() {
            let message = format!("`{}` names no search", target.text);
            self.report.push(self.names_nothing(&span, message));
            return Some(refused());
        }
        Some(joined(found.into_iter().map(Condition::Search).collect(), join))
    }

    fn names_nothing(&self, span: &Span, message: String) -> Diagnostic {
        let diagnostic = Diagnostic::error(Code::UnknownSearch, span, message);
        if self.names.searches.iter().any(|search| search.name.starts_with('_')) {
            return diagnostic.help("searches whose name starts with `_` are left out");
        }
        diagnostic
    }

    fn ends_early(&mut self) -> Option<Condition> {
        let span = self.previous();
        let message = match self.tokens.last() {
            Some(last) => format!("the condition ends after `{}`", last.text),
            None => "the condition is empty".to_owned(),
        };
        self.report.push(Diagnostic::error(Code::ConditionSyntax, &span, message).help("name a search"));
        None
    }

    fn unclosed(&mut self, open: &Token<'_>) -> Option<Condition> {
        if let Some(token) = self.peek() {
            return self.unexpected(&token);
        }
        let span = self.places.of(open.at.clone());
        self.report.push(Diagnostic::error(Code::ConditionSyntax, &span, "this parenthesis is never closed"));
        None
    }

    /// A token that cannot stand where it does.
    fn unexpected(&mut self, token: &Token<'_>) -> Option<Condition> {
        let span = self.places.of(token.at.clone());
        let expected = match self.next.checked_sub(1).and_then(|previous| self.tokens.get(previous)) {
            Some(previous) if !is_operator(previous.text) && previous.text != "(" => "`and`, `or` or the end",
            _ => "a search",
        };
        let message = format!("`{}` cannot stand here", token.text);
        self.report
            .push(Diagnostic::error(Code::ConditionSyntax, &span, message).label(format!("expected {expected}")));
        None
    }
}

fn joined(mut parts: Vec<Condition>, join: impl FnOnce(Vec<Condition>) -> Condition) -> Condition {
    match (parts.len(), parts.pop()) {
        (1, Some(only)) => only,
        (_, last) => {
            parts.extend(last);
            join(parts)
        }
    }
}

/// What stands in the tree for something that was refused; the rule does not load.
fn refused() -> Condition {
    Condition::Or(Vec::new())
}
