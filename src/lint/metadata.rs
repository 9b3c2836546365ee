//! What a rule says about itself, beside what it looks for.

use crate::attack::{self, TACTICS};
use crate::diagnostic::{Code, Diagnostic, Sources, Span};
use crate::rule::Header;
use crate::rule::suggest::{enumerate, nearest};

/// Checks what the people who get an alert, or review a rule, read.
pub(super) fn check(header: &Header, found: &mut Vec<Diagnostic>) {
    let there = [
        ("description", header.description.is_some()),
        ("references", !header.references.is_empty()),
        ("falsepositives", !header.falsepositives.is_empty()),
        ("tags", !header.tags.is_empty()),
        ("alert.runbook", !header.alert.runbook.is_empty()),
    ];
    let missing: Vec<&str> = there.iter().filter(|(_, there)| !there).map(|(key, _)| *key).collect();
    if !missing.is_empty() {
        let message = format!("this rule has no {}", enumerate(&missing));
        let help = "whoever gets the alert wants to know what it means, when it is harmless, and what to do";
        found.push(Diagnostic::warning(Code::MissingMetadata, &header.span, message).help(help));
    }
    for (tag, span) in header.tags.iter().zip(&header.spans.tags) {
        found.extend(tag.strip_prefix("attack.").and_then(|name| unknown_attack(name, span)));
    }
}

/// A tactic or a technique that ATT&CK does not have. Groups and software are not looked up.
fn unknown_attack(name: &str, span: &Span) -> Option<Diagnostic> {
    let objection = |message: String| Diagnostic::warning(Code::UnknownAttack, span, message);
    let version = attack::VERSION;
    if is_numbered(name, 't') {
        let id = name.to_uppercase();
        return match attack::technique(&id) {
            attack::Known::Yes => None,
            attack::Known::Revoked(now) => {
                let tag = format!("attack.{}", now.to_lowercase());
                let message = format!("`{id}` is no technique of ATT&CK {version} any more: it is `{now}`");
                Some(objection(message).help(format!("write `{tag}`")).fix(span, tag))
            }
            attack::Known::No => Some(objection(format!("ATT&CK {version} has no technique `{id}`"))),
        };
    }
    if is_numbered(name, 'g') || is_numbered(name, 's') || TACTICS.iter().any(|tactic| tactic.tag == name) {
        return None;
    }
    if name.replace('_', "-") == "defense-evasion" {
        let message = format!("ATT&CK {version} has no tactic `{name}` any more: it was split in two");
        let help = "write `attack.defense-impairment` for what weakens the defence, such as an audit device that is \
                    disabled, and `attack.stealth` for what hides";
        return Some(objection(message).help(help));
    }
    let tags = TACTICS.iter().map(|tactic| tactic.tag);
    let hyphenated = name.replace('_', "-");
    let diagnostic = objection(format!("ATT&CK {version} has no tactic `{name}`"));
    Some(if tags.clone().any(|tag| tag == hyphenated) {
        let tag = format!("attack.{hyphenated}");
        diagnostic.help(format!("write `{tag}`")).fix(span, tag)
    } else {
        match nearest(name, tags) {
            Some(meant) => diagnostic.help(format!("did you mean `attack.{meant}`?")),
            None => diagnostic.help(format!("known are {}", enumerate(&TACTICS.map(|tactic| tactic.tag)))),
        }
    })
}

/// `t1078.003`, `g0016`, `s0002`
fn is_numbered(name: &str, letter: char) -> bool {
    let digits = name.strip_prefix(letter);
    digits.is_some_and(|digits| digits.bytes().next().is_some_and(|first| first.is_ascii_digit()))
}

/// Checks that each file points to the schema, in its first lines, so that editors complete and check.
pub(super) fn schema_comments(sources: &Sources, schema: &str, found: &mut Vec<Diagnostic>) {
    for (id, source) in sources.iter().filter(|(_, source)| source.unreadable.is_none() && !is_settings(&source.path)) {
        let Some(path) = relative(schema, &source.path) else { continue };
        let expected = format!("{MODELINE}{path}");
        let first = source.text.lines().next().unwrap_or_default();
        if source.text.lines().take_while(|line| line.starts_with('#')).any(|line| line.trim_end() == expected) {
            continue;
        }
        let (message, bytes, replacement) = if first.starts_with(MODELINE) {
            ("this points to another schema than the one of these rules", 0..first.len(), expected.clone())
        } else {
            ("this file does not point to the schema of these rules", 0..0, format!("{expected}\n"))
        };
        let span = Span { source: id, bytes };
        let diagnostic = Diagnostic::warning(Code::SchemaComment, &span, message);
        found.push(diagnostic.help(format!("start it with `{expected}`")).fix(&span, replacement));
    }
}

/// The file of settings holds no rule.
fn is_settings(path: &str) -> bool {
    matches!(path.rsplit('/').next(), Some("vaultwatch.yml" | "vaultwatch.yaml"))
}

/// What language servers for YAML look for.
const MODELINE: &str = "# yaml-language-server: $schema=";

/// The path of `target` as seen from the directory of `file`; both are written from the same place, `/` between.
fn relative(target: &str, file: &str) -> Option<String> {
    let (target, file): (Vec<&str>, Vec<&str>) = (target.split('/').collect(), file.split('/').collect());
    let directory = file.split_last()?.1;
    let shared = target.iter().zip(directory).take_while(|(a, b)| a == b).count();
    let up = directory.len().checked_sub(shared)?;
    let down = target.get(shared..)?;
    Some(std::iter::repeat_n("..", up).chain(down.iter().copied()).collect::<Vec<_>>().join("/"))
}
