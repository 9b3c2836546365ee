//! A trace as a tree of text: a line a part, with a mark that says whether it held.

use std::fmt::Write;

use anstyle::{AnsiColor, Style};

use super::{Explained, words};
use crate::alert::{Redacted, Redactor};
use crate::cli::render::{self, painted};
use crate::detect::trace::{
    BodyPart, BodyTrace, ConditionPart, ConditionTrace, ItemTrace, KeywordsTrace, TestTrace, Trace,
};
use crate::rule::Link;

/// How many tests of one item are drawn.
const MOST_TESTS: usize = 12;

/// What may be drawn with.
#[derive(Debug, Clone, Copy)]
pub(in crate::cli) struct Look {
    /// Marks beyond ASCII.
    pub(in crate::cli) unicode: bool,
    pub(in crate::cli) color: bool,
}

impl Look {
    /// For files, which other programs read.
    pub(in crate::cli) const PLAIN: Self = Self { unicode: true, color: false };

    pub(super) fn mark(self, held: bool) -> String {
        let (mark, hue) = match (held, self.unicode) {
            (true, true) => ("✓", AnsiColor::Green),
            (true, false) => ("+", AnsiColor::Green),
            (false, true) => ("✗", AnsiColor::Red),
            (false, false) => ("-", AnsiColor::Red),
        };
        painted(mark, hue.on_default().bold(), self.color)
    }

    pub(super) fn aside(self, text: &str) -> String {
        painted(text, Style::new().dimmed(), self.color)
    }
}

/// What was asked, the answer, and the tree.
pub(super) fn whole(explained: &Explained<'_>, look: Look) -> String {
    let (file, line) = explained.sources.place(&explained.rule.header.span);
    let verdict = if explained.trace.matched { "matches" } else { "does not match" };
    let answer = format!("{} {verdict}", explained.rule.header.name);
    format!(
        "{} {}\n  rule   {} ({}:{line})\n  event  {}: {}\n\n{}",
        look.mark(explained.trace.matched),
        painted(&answer, Style::new().bold(), look.color),
        render::plain(&explained.rule.header.title),
        render::plain(file),
        render::plain(explained.event_name),
        event(explained),
        tree(&explained.trace, &explained.redactor, look)
    )
}

/// `response, update sys/policies/acl/app, admin-auth-userpass-bob, 203.0.113.7, 2026-11-22 03:12:45Z`
fn event(explained: &Explained<'_>) -> String {
    let facts = &explained.facts;
    let shown = |text: &Option<Redacted>| text.as_ref().map(|text| render::bounded(text.as_str(), 120).into_owned());
    let action: Vec<String> = [shown(&facts.operation), shown(&facts.path)].into_iter().flatten().collect();
    let parts = [
        shown(&facts.entry_type),
        (!action.is_empty()).then(|| action.join(" ")),
        shown(&facts.display_name),
        shown(&facts.remote_address),
        explained.event.time().map(render::time),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    if parts.is_empty() { "no field of it is known".to_owned() } else { parts.join(", ") }
}

/// The tree alone.
pub(in crate::cli) fn tree(trace: &Trace<'_>, redactor: &Redactor, look: Look) -> String {
    let mut drawing = Drawing { trace, redactor, look, drawn: Vec::new(), text: String::new() };
    drawing.condition(&trace.condition, 0);
    drawing.text
}

struct Drawing<'t> {
    trace: &'t Trace<'t>,
    redactor: &'t Redactor,
    look: Look,
    /// The searches that are drawn already: a condition may name one more than once.
    drawn: Vec<usize>,
    text: String,
}

impl Drawing<'_> {
    fn line(&mut self, depth: usize, held: bool, what: &str, aside: Option<&str>) {
        let aside = aside.map(|aside| self.look.aside(&format!(": {aside}"))).unwrap_or_default();
        let indent = depth * 2;
        // Writing to a string cannot fail.
        let _ = writeln!(self.text, "{:indent$}{} {what}{aside}", "", self.look.mark(held));
    }

    fn condition(&mut self, condition: &ConditionTrace, depth: usize) {
        match &condition.part {
            ConditionPart::Search(index) => self.search(*index, condition.held, depth),
            ConditionPart::Not(inner) => self.negation(condition.held, inner, depth),
            ConditionPart::And(all) => self.conditions(condition.held, "all of", all, depth),
            ConditionPart::Or(any) => self.conditions(condition.held, "one of", any, depth),
        }
    }

    fn conditions(&mut self, held: bool, what: &str, parts: &[ConditionTrace], depth: usize) {
        self.line(depth, held, what, None);
        for part in parts {
            self.condition(part, depth + 1);
        }
    }

    fn negation(&mut self, held: bool, inner: &ConditionTrace, depth: usize) {
        self.line(depth, held, "not", None);
        self.condition(inner, depth + 1);
    }

    fn search(&mut self, index: usize, held: bool, depth: usize) {
        let Some(search) = self.trace.searches.get(index) else { return };
        if self.drawn.contains(&index) {
            return self.line(depth, held, &search.search.name, Some("see above"));
        }
        self.drawn.push(index);
        let what = match &search.body.part {
            BodyPart::AnyOf(any) if any.len() != 1 => format!("{} (one of)", search.search.name),
            _ => search.search.name.clone(),
        };
        self.line(depth, held, &what, None);
        match &search.body.part {
            BodyPart::AllOf(bodies) | BodyPart::AnyOf(bodies) => self.bodies(bodies, depth + 1),
            BodyPart::Item(_) | BodyPart::Keywords(_) => self.body(&search.body, depth + 1),
        }
    }

    fn bodies(&mut self, bodies: &[BodyTrace<'_>], depth: usize) {
        if bodies.is_empty() {
            let _ = writeln!(
                self.text,
                "{:indent$}  {}",
                "",
                self.look.aside("an empty list of values"),
                indent = depth * 2
            );
        }
        for body in bodies {
            self.body(body, depth);
        }
    }

    fn body(&mut self, body: &BodyTrace<'_>, depth: usize) {
        let (what, bodies) = match &body.part {
            BodyPart::Item(item) => return self.item(item, body.held, depth),
            BodyPart::Keywords(keywords) => return self.keywords(keywords, body.held, depth),
            BodyPart::AllOf(bodies) => ("all of", bodies),
            BodyPart::AnyOf(bodies) => ("one of", bodies),
        };
        if let [only] = bodies.as_slice() {
            return self.body(only, depth);
        }
        self.line(depth, body.held, what, None);
        self.bodies(bodies, depth + 1);
    }

    fn item(&mut self, trace: &ItemTrace<'_>, held: bool, depth: usize) {
        let item = trace.item;
        let found = words::found(trace, self.redactor);
        if let [only] = trace.tests.as_slice() {
            let what = format!("{} {}", item.field, words::test(only.test));
            let what = if item.negated { format!("not ({what})") } else { what };
            let aside: Vec<String> = found.into_iter().chain(words::miss(only, self.redactor)).collect();
            let aside = (!aside.is_empty()).then(|| aside.join("; "));
            return self.line(depth, held, &what, aside.as_deref());
        }
        let what = format!("{} ({})", item.field, words::link(item.link, item.negated));
        self.line(depth, held, &what, found.as_deref());
        self.tests(&trace.tests, depth + 1);
    }

    /// The tests that are passed, and the first of the others.
    fn tests(&mut self, tests: &[TestTrace<'_>], depth: usize) {
        let passed = tests.iter().filter(|test| test.held).count();
        let mut room = MOST_TESTS.saturating_sub(passed.min(MOST_TESTS));
        let mut left_out = (0, 0);
        let mut room_passed = MOST_TESTS;
        for test in tests {
            let (room, left_out) =
                if test.held { (&mut room_passed, &mut left_out.0) } else { (&mut room, &mut left_out.1) };
            if *room == 0 {
                *left_out += 1;
                continue;
            }
            *room -= 1;
            let aside = words::miss(test, self.redactor);
            self.line(depth, test.held, &words::test(test.test), aside.as_deref());
        }
        self.more(left_out.0, true, depth);
        self.more(left_out.1, false, depth);
    }

    fn more(&mut self, count: usize, held: bool, depth: usize) {
        if count > 0 {
            self.line(depth, held, &format!("{} more", render::grouped(count)), None);
        }
    }

    fn keywords(&mut self, trace: &KeywordsTrace<'_>, held: bool, depth: usize) {
        let keywords = trace.keywords;
        if let [only] = keywords.tests.as_slice() {
            return self.line(depth, held, &format!("any text of the event {}", words::keyword(only)), None);
        }
        let link = if keywords.link == Link::Any { "one of" } else { "all of" };
        self.line(depth, held, &format!("any text of the event ({link})"), None);
        for (test, found) in keywords.tests.iter().zip(&trace.found).take(MOST_TESTS) {
            self.line(depth + 1, *found, &words::keyword(test), None);
        }
        let rest = trace.found.get(MOST_TESTS..).unwrap_or_default();
        for held in [true, false] {
            self.more(rest.iter().filter(|found| **found == held).count(), held, depth + 1);
        }
    }
}
