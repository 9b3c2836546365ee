//! An alert as an e-mail, which is also its block on a terminal.
//!
//! All text from the log goes through [`text`], so that no line of the letter is an attacker's.

use crate::alert::{Alert, AuditFacts, Evidence, Occurrences, Redacted, Stage, Subject, console, text};
use crate::payload::EventRef;

/// The longest letter, in bytes. Links and identity always fit; what goes before them is cut.
pub const MAX_BYTES: usize = 16 << 10;

/// The longest subject line that SNS takes, in bytes.
pub const MAX_SUBJECT_BYTES: usize = 99;

/// The width of the text, and of the labels' column.
const WIDTH: usize = 80;
const COLUMN: usize = 8;

/// How much of one log text, and of one text of the rule, is told, in bytes.
const LOG_TEXT_BYTES: usize = 200;
const RULE_TEXT_BYTES: usize = 1000;

/// How many of a list are told, and how many log events are linked to.
const LISTED: usize = 10;
const LINKED: usize = 3;

/// A longer link is none that `CloudWatch`'s names can make, in bytes.
const LINK_BYTES: usize = 3000;

/// `[vaultwatch] HIGH: <title of the rule>`, for a digest `[vaultwatch] HIGH, again: ...`: printable ASCII, and nothing
/// from the log in it.
#[must_use]
pub fn subject(alert: &Alert) -> String {
    text::ascii(&format!("[vaultwatch] {}", headline(alert, &alert.analytic.title)), MAX_SUBJECT_BYTES)
}

/// The letter: what happened, what to do about it, and where to look. With the `region` of the log group it has links
/// into the console.
#[must_use]
pub fn body(alert: &Alert, region: Option<&str>) -> String {
    let references = references(alert, region).0;
    let mut letter = story(alert).0;
    let room = MAX_BYTES.saturating_sub(references.len() + 1);
    if letter.len() > room {
        let note = format!("\n[{} bytes in all]\n", letter.len());
        letter.truncate(text::prefix(&letter, room.saturating_sub(note.len())).len());
        letter.push_str(&note);
    }
    letter + "\n" + &references
}

fn headline(alert: &Alert, title: &str) -> String {
    let shadow = alert.analytic.shadow.then_some("in shadow");
    let level = alert.level.as_str().to_uppercase();
    let head: Vec<&str> = [Some(&*level), shadow, alert.occurrences.stage.word()].into_iter().flatten().collect();
    format!("{}: {title}", head.join(", "))
}

/// What happened; of a digest how often, before what.
fn opening(letter: &mut Letter, alert: &Alert) {
    let title = rule_text(alert.title());
    let digest = match alert.occurrences.stage {
        Stage::Opened => return letter.paragraph("", 0, &headline(alert, &title)),
        Stage::Repeated | Stage::Ended => alert.occurrences.digest(),
    };
    letter.paragraph("", 0, &headline(alert, &digest));
    letter.paragraph("", 0, &title);
    if alert.occurrences.stage == Stage::Ended {
        letter.gap();
        letter.paragraph("", 0, "The suppression time is over. If it happens again, that is a new alert.");
    }
}

/// Everything above the links.
fn story(alert: &Alert) -> Letter {
    let analytic = &alert.analytic;
    let mut letter = Letter::default();
    opening(&mut letter, alert);
    letter.gap();
    letter.field("What", analytic.description.as_deref().map(rule_text));
    match &alert.subject {
        Subject::Audit(facts) => tell(&mut letter, facts, alert, None),
        Subject::Correlation(correlated) => tell(&mut letter, &correlated.facts, alert, Some(&correlated.reason)),
        Subject::Unreadable => letter.field("When", Some(when(alert))),
        Subject::RulesNotLoaded { files } => {
            letter.field("When", Some(when(alert)));
            letter.field("Files", some_text(listed(files, ", ", |file| rule_text(file))));
        }
    }
    for (also, index) in first(LISTED, &alert.also, also_line).into_iter().zip(0..) {
        letter.field(if index == 0 { "Also" } else { "" }, Some(also));
    }
    letter.field("Unless", some_text(listed(&analytic.falsepositives, "; ", |cause| rule_text(cause))));
    if !analytic.runbook.is_empty() {
        letter.gap();
        for (step, number) in analytic.runbook.iter().zip(1..) {
            let label = if number == 1 { "Do" } else { "" };
            let head = format!("{label:<COLUMN$}{number}. ");
            letter.paragraph(&head, head.len(), &rule_text(step));
        }
    }
    letter
}

/// What another rule says of it.
fn also_line(also: &Alert) -> String {
    let level = also.level.as_str().to_uppercase();
    format!("{level}: {}, {}", rule_text(also.title()), rule_text(&also.analytic.name))
}

/// Where to look, and what to look for.
fn references(alert: &Alert, region: Option<&str>) -> Letter {
    let mut letter = Letter::default();
    letter.lines("Event", &event_lines(alert, region));
    letter.lines("Around", region.and_then(|region| around_line(alert, region)).as_slice());
    if let Some(facts) = alert.subject.facts() {
        let accessor = facts.accessor.as_ref().map(|accessor| format!("accessor {}", shown(accessor)));
        letter.lines("Token", accessor.as_slice());
        letter.lines("Request", facts.request_id.as_ref().map(shown).as_slice());
    }
    letter.lines("Rule", &rule_lines(alert));
    letter.lines("Alert", &[alert.id.to_string()]);
    letter
}

/// The rule, and of a correlation the rules that it builds on.
fn rule_lines(alert: &Alert) -> Vec<String> {
    let rule = format!("{}, {}", rule_text(&alert.analytic.name), alert.analytic.id);
    let over = match &alert.subject {
        Subject::Correlation(correlated) => some_text(listed(&correlated.rules, ", ", |rule| rule_text(rule))),
        Subject::Audit(_) | Subject::Unreadable | Subject::RulesNotLoaded { .. } => None,
    };
    [Some(rule), over.map(|rules| format!("over {rules}"))].into_iter().flatten().collect()
}

/// An audit event's facts. A correlation fired for a `reason`, and the evidence is its group.
fn tell(letter: &mut Letter, facts: &AuditFacts, alert: &Alert, reason: Option<&str>) {
    let note = if reason.is_some() { " (in the event that made it fire)" } else { "" };
    letter.field("Who", Some(who(facts) + note));
    letter.field("From", some_text(from(facts)));
    letter.field("Where", Some(whereabouts(facts)));
    letter.field("When", Some(when(alert)));
    let why = reason.map(rule_text).into_iter().chain(facts.evidence.iter().take(LISTED).map(because));
    for (because, index) in why.zip(0..) {
        letter.field(if index == 0 { "Why" } else { "" }, Some(because));
    }
    if !facts.evidence.iter().any(|evidence| evidence.field == "error") {
        letter.field("Error", facts.error.as_ref().map(quoted));
    }
}

fn who(facts: &AuditFacts) -> String {
    let name = facts.display_name.as_ref().map(shown);
    let login = facts.login_user.as_ref().map(|user| format!("login as {}", shown(user)));
    let entity = facts.entity_id.as_ref().map(|entity| format!("entity {}", shown(entity)));
    let policies = some_text(listed(&facts.policies, ", ", shown)).map(|policies| format!("policies {policies}"));
    let known: Vec<String> = [name, login, entity, policies].into_iter().flatten().collect();
    some_text(known.join(", ")).unwrap_or_else(|| "unknown: the entry names nobody".to_owned())
}

fn from(facts: &AuditFacts) -> String {
    let address = facts.remote_address.as_ref().map(shown);
    let port = facts.remote_port.map(|port| format!("port {port}"));
    let agent = facts.user_agent.as_ref().map(|agent| format!("with {}", quoted(agent)));
    let known: Vec<String> = [address, port, agent].into_iter().flatten().collect();
    known.join(", ")
}

fn whereabouts(facts: &AuditFacts) -> String {
    let request = [&facts.operation, &facts.path].into_iter().flatten().map(shown).collect::<Vec<_>>().join(" ");
    let mount = match (&facts.mount_point, &facts.mount_type) {
        (Some(point), Some(kind)) => Some(format!("mount {} of type {}", shown(point), shown(kind))),
        (Some(point), None) => Some(format!("mount {}", shown(point))),
        (None, Some(kind)) => Some(format!("mount of type {}", shown(kind))),
        (None, None) => None,
    };
    let parts = [some_text(format!("namespace {}", shown(&facts.namespace))), some_text(request), mount];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

fn because(evidence: &Evidence) -> String {
    let field = rule_text(&evidence.field);
    match some_text(listed(&evidence.values, ", ", quoted)) {
        Some(values) => format!("{field} is {values}"),
        None => field,
    }
}

fn when(alert: &Alert) -> String {
    let has_repeated = alert.occurrences.count > 1;
    if has_repeated { alert.occurrences.when() } else { Occurrences::once(alert.time).when() }
}

/// One line for each of the first log events: a link, or where it stands.
fn event_lines(alert: &Alert, region: Option<&str>) -> Vec<String> {
    first(LINKED, &alert.events, |event| event_line(alert, event, region))
}

fn event_line(alert: &Alert, event: &EventRef, region: Option<&str>) -> String {
    match event {
        EventRef::Line { file, line } => format!("{}:{line}", text::bounded(file, LOG_TEXT_BYTES)),
        EventRef::LogEvent(id) => {
            let link = region.map(|region| console::event(region, &alert.log, id, &alert.span()));
            link.filter(|link| link.len() <= LINK_BYTES).unwrap_or_else(|| position(alert, id))
        }
    }
}

fn position(alert: &Alert, event_id: &str) -> String {
    let names = [event_id, &alert.log.log_group, &alert.log.log_stream];
    let [id, group, stream] = names.map(|name| text::bounded(name, LOG_TEXT_BYTES));
    format!("{id} in {group}, stream {stream}")
}

fn around_line(alert: &Alert, region: &str) -> Option<String> {
    let is_about_the_log = !matches!(alert.subject, Subject::RulesNotLoaded { .. });
    if !is_about_the_log || alert.log.log_group.is_empty() {
        return None;
    }
    let (terms, whose) = match &alert.subject {
        Subject::Audit(facts) => (principal(facts).into_iter().collect(), "same principal, "),
        Subject::Correlation(correlated) => (group(&correlated.facts), "same group, "),
        Subject::Unreadable | Subject::RulesNotLoaded { .. } => (Vec::new(), ""),
    };
    let whose = if terms.is_empty() { "" } else { whose };
    let seen = alert.span();
    let link = console::around(region, &alert.log, &terms, &seen);
    (link.len() <= LINK_BYTES).then(|| format!("{link}   ({whose}{})", console::reach(&seen)))
}

/// What an entry of the same principal has in it.
fn principal(facts: &AuditFacts) -> Option<&str> {
    let known = [&facts.entity_id, &facts.accessor, &facts.display_name].into_iter().flatten().next();
    known.map(Redacted::as_str).filter(|term| is_term(term))
}

/// What every entry of a correlation's group has in it.
fn group(facts: &AuditFacts) -> Vec<&str> {
    let values = facts.evidence.iter().filter_map(|evidence| in_text(&evidence.field, evidence.values.first()?));
    values.filter(|term| is_term(term)).collect()
}

/// What of a value stands in the text of an entry. Of most derived fields nothing does, and of who it was the part
/// before the namespace.
fn in_text<'a>(field: &str, value: &'a Redacted) -> Option<&'a str> {
    let value = value.as_str();
    match field {
        "derived.principal" | "derived.actor" => Some(value.rsplit_once('@').map_or(value, |(who, _)| who)),
        _ => (!field.starts_with("derived.")).then_some(value),
    }
}

/// Whether a text can stand between quotation marks in a filter pattern, is whole, and not so short that it is
/// everywhere.
fn is_term(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:@/+=".contains(&byte);
    (4..=LOG_TEXT_BYTES).contains(&text.len()) && text.bytes().all(is_plain) && !text.ends_with("...")
}

fn shown(text: &Redacted) -> String {
    text::bounded(text.as_str().trim(), LOG_TEXT_BYTES).into_owned()
}

fn quoted(text: &Redacted) -> String {
    format!("\"{}\"", shown(text))
}

/// Text of a rule file, which may span lines.
fn rule_text(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    text::bounded(&line, RULE_TEXT_BYTES).into_owned()
}

/// The first [`LISTED`] members, and how many there are beyond them.
fn listed<T>(members: &[T], separator: &str, show: impl Fn(&T) -> String) -> String {
    first(LISTED, members, show).join(separator)
}

/// The first `most` members, and how many there are beyond them.
fn first<T>(most: usize, members: &[T], show: impl Fn(&T) -> String) -> Vec<String> {
    let mut told: Vec<String> = members.iter().take(most).map(show).collect();
    let more = members.len().saturating_sub(most);
    if more > 0 {
        told.push(format!("and {more} more"));
    }
    told
}

/// Words to break lines between. What stands in backticks is a command to copy, which stays in one line.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let mut in_command = false;
    let is_break = move |character: char| {
        in_command ^= character == '`';
        character.is_whitespace() && !in_command
    };
    text.split(is_break).filter(|word| !word.is_empty())
}

fn some_text(text: String) -> Option<String> {
    Some(text).filter(|text| !text.is_empty())
}

/// Lines with a column of labels.
#[derive(Default)]
struct Letter(String);

impl Letter {
    fn gap(&mut self) {
        self.0.push('\n');
    }

    /// A label with wrapped text beside it, if there is any.
    fn field(&mut self, label: &str, text: Option<String>) {
        if let Some(text) = text {
            self.paragraph(&format!("{label:<COLUMN$}"), COLUMN, &text);
        }
    }

    /// A label with unbroken lines beside it.
    fn lines(&mut self, label: &str, lines: &[String]) {
        for (line, index) in lines.iter().zip(0..) {
            let label = if index == 0 { label } else { "" };
            for piece in [&format!("{label:<COLUMN$}"), line, "\n"] {
                self.0.push_str(piece);
            }
        }
    }

    /// Wraps `text` behind `head`, the lines after the first indented by `indent`.
    fn paragraph(&mut self, head: &str, indent: usize, text: &str) {
        self.0.push_str(head);
        let mut column = head.len();
        for (word, index) in words(text).zip(0..) {
            let width = word.chars().count();
            if index > 0 && column + 1 + width > WIDTH {
                self.0.push('\n');
                self.0.push_str(&" ".repeat(indent));
                column = indent;
            } else if index > 0 {
                self.0.push(' ');
                column += 1;
            }
            self.0.push_str(word);
            column += width;
        }
        self.0.push('\n');
    }
}
