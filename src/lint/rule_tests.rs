//! The tests inside rules: whether there are any, and whether what they name exists.

use super::fields::Known;
use crate::diagnostic::{Code, Diagnostic, Span};
use crate::events;
use crate::rule::{EventBase, Header};

/// Checks the tests of a rule.
pub(super) fn check(header: &Header, known: &Known<'_>, found: &mut Vec<Diagnostic>) {
    let Header { tests, span: title, .. } = header;
    let fires = tests.iter().any(|test| test.expect.matches);
    let stays_quiet = tests.iter().any(|test| !test.expect.matches);
    let missing = match (fires, stays_quiet) {
        (true, true) => None,
        (false, false) => Some("this rule has no tests"),
        (false, true) => Some("no test of this rule fires"),
        (true, false) => Some("this rule has no test that nearly fires"),
    };
    if let Some(message) = missing {
        let help = "under `tests`, show an event that it is for (`expect: match`) and one that only looks like it \
                    (`expect: no match`)";
        found.push(Diagnostic::warning(Code::MissingTest, title, message).help(help));
    }
    for event in tests.iter().flat_map(|test| &test.events) {
        if let EventBase::Like { name, span } = &event.base {
            found.extend(unknown_event(name, span));
        }
        let overridden = event.overrides.iter().map(|(field, _)| field);
        let named = overridden.chain(&event.without).chain(event.vary.iter().map(|(field, _)| field));
        found.extend(named.filter_map(|field| known.objection(field, &event.span)));
    }
}

fn unknown_event(name: &str, span: &Span) -> Option<Diagnostic> {
    if events::by_name(name).is_some() {
        return None;
    }
    let diagnostic = Diagnostic::warning(Code::UnknownEvent, span, format!("there is no event `{name}`"));
    Some(match events::nearest(name) {
        Some(meant) => diagnostic.help(format!("did you mean `{meant}`?")),
        None => diagnostic,
    })
}
