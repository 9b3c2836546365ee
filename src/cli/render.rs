//! What people read on a terminal. Everything that the commands say is put into words and columns here.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::Duration;

use anstyle::{AnsiColor, Style};
use jiff::Timestamp;
use serde::Serialize;

use super::failure::Failure;
use crate::alert::{Alert, AuditFacts, Redacted, Stage, Subject, text};
use crate::payload::EventRef;
use crate::pipeline::Tally;
use crate::rule::Level;

/// Said of a `CONTROL_MESSAGE`.
pub(super) const CONTROL_MESSAGE: &str =
    "control message: CloudWatch Logs checks that the function can be invoked; no log events";

/// The longest name or address that a column shows, in characters.
const MAX_CELL: usize = 40;

/// The longest operation and path that a line shows, in characters.
const MAX_ACTION: usize = 120;

/// One JSON document, on several lines, of texts, numbers and lists of them, which always have a JSON form.
pub(super) fn json(document: &impl Serialize) -> String {
    serde_json::to_string_pretty(document).unwrap_or_default() + "\n"
}

/// `12,408`
pub(super) fn grouped(number: usize) -> String {
    text::grouped(number)
}

/// `1 alert`, `2 alerts`
pub(super) fn counted(number: usize, one: &str, many: &str) -> String {
    format!("{} {}", grouped(number), if number == 1 { one } else { many })
}

/// `2026-11-22 03:12:45Z`
pub(super) fn time(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M:%SZ").to_string()
}

/// The text on one line, with nothing in it that a terminal acts upon.
pub(super) fn plain(text: &str) -> Cow<'_, str> {
    text::visible(text)
}

/// The same, cut to about `max` bytes with a note of how long it was.
pub(super) fn bounded(text: &str, max: usize) -> Cow<'_, str> {
    text::bounded(text, max)
}

/// `error: ...` for each thing that is wrong, and `help: ...`.
pub(super) fn failure(failure: &Failure, color: bool) -> String {
    let error = failure.messages().into_iter().map(|message| labelled("error", AnsiColor::Red, &message, color));
    let help = failure.help().into_iter().map(|help| labelled("help", AnsiColor::Cyan, &help, color));
    error.chain(help).collect()
}

/// `warning: ...`
pub(super) fn warning(message: &str, color: bool) -> String {
    labelled("warning", AnsiColor::Yellow, message, color)
}

fn labelled(label: &str, hue: AnsiColor, message: &str, color: bool) -> String {
    let label = painted(label, hue.on_default().bold(), color);
    format!("{label}: {}\n", plain(message))
}

/// An alert's letter with its headline in the level's colour.
pub(super) fn letter(letter: &str, level: Level, color: bool) -> String {
    match letter.split_once('\n') {
        Some((headline, rest)) => format!("{}\n{rest}", by_level(headline, level, color)),
        None => letter.to_owned(),
    }
}

/// The text in the level's colour.
fn by_level(text: &str, level: Level, color: bool) -> String {
    let style = match level {
        Level::Critical => AnsiColor::BrightRed.on_default().bold(),
        Level::High => AnsiColor::Red.on_default(),
        Level::Medium => AnsiColor::Yellow.on_default(),
        Level::Low => AnsiColor::Cyan.on_default(),
        Level::Informational => Style::new().dimmed(),
    };
    painted(text, style, color)
}

/// The text in this style, or as it is.
pub(super) fn painted(text: &str, style: Style, color: bool) -> String {
    if color { format!("{style}{text}{style:#}") } else { text.to_owned() }
}

/// An alert as one line of columns.
#[derive(Debug)]
pub(super) struct Row {
    level: Level,
    time: String,
    rule: String,
    principal: String,
    address: String,
    action: String,
    /// The other rules that tell of it.
    also: String,
}

impl Row {
    pub(super) fn new(alert: &Alert) -> Self {
        let (principal, address) = alert.subject.facts().map_or_else(|| (cell(None), cell(None)), origin);
        let action = match &alert.subject {
            Subject::Audit(facts) => format!("{} {}", cell(facts.operation.as_ref()), cell(facts.path.as_ref())),
            Subject::Correlation(correlated) => plain(&correlated.reason).into_owned(),
            Subject::Unreadable => unreadable(&alert.events),
            Subject::RulesNotLoaded { files } => plain(&files.join(", ")).into_owned(),
        };
        Self {
            level: alert.level,
            time: time(alert.time),
            rule: rule(alert),
            principal: clipped(&principal, MAX_CELL),
            address: clipped(&address, MAX_CELL),
            action: clipped(&action, MAX_ACTION),
            also: also(alert),
        }
    }
}

/// How wide the columns are. They start as wide as most names are, and only ever grow: lines are written as they
/// come, long before the widest is known.
#[derive(Debug)]
pub(super) struct Columns {
    rule: usize,
    principal: usize,
    address: usize,
}

impl Default for Columns {
    fn default() -> Self {
        Self { rule: 24, principal: 16, address: 12 }
    }
}

impl Columns {
    /// Lines for these alerts, aligned.
    pub(super) fn lines(&mut self, rows: &[Row], color: bool) -> String {
        let width = |text: &String| text.chars().count();
        for row in rows {
            self.rule = self.rule.max(width(&row.rule));
            self.principal = self.principal.max(width(&row.principal));
            self.address = self.address.max(width(&row.address));
        }
        rows.iter().map(|row| self.line(row, color)).collect()
    }

    fn line(&self, row: &Row, color: bool) -> String {
        format!(
            "  {level}  {time}  {rule:<rules$}  {principal:<principals$}  {address:<addresses$}  {action}{also}\n",
            level = by_level(&format!("{:<8}", label(row.level)), row.level, color),
            time = row.time,
            rule = row.rule,
            rules = self.rule,
            principal = row.principal,
            principals = self.principal,
            address = row.address,
            addresses = self.address,
            action = row.action,
            also = painted(&row.also, Style::new().dimmed(), color && !row.also.is_empty()),
        )
    }
}

/// At most as wide as `CRITICAL`.
fn label(level: Level) -> &'static str {
    match level {
        Level::Critical => "CRITICAL",
        Level::High => "HIGH",
        Level::Medium => "MEDIUM",
        Level::Low => "LOW",
        Level::Informational => "INFO",
    }
}

/// `root_token_used (shadow) x100 again`. How often stands here, where nothing from the log does.
fn rule(alert: &Alert) -> String {
    let shadow = if alert.analytic.shadow { " (shadow)" } else { "" };
    let stage = alert.occurrences.stage.word().map(|word| format!(" {word}")).unwrap_or_default();
    format!("{}{shadow}{}{stage}", alert.analytic.name, alert.occurrences.factor())
}

/// `  + policy_written (medium)`
fn also(alert: &Alert) -> String {
    let rules = alert.also.iter().map(|also| format!("{} ({})", rule(also), also.level.as_str()));
    let rules: Vec<String> = rules.collect();
    if rules.is_empty() { String::new() } else { format!("  + {}", rules.join(", ")) }
}

/// Who, and from which address.
fn origin(facts: &AuditFacts) -> (String, String) {
    let principal = [&facts.display_name, &facts.login_user, &facts.entity_id].into_iter().flatten().next();
    (cell(principal), cell(facts.remote_address.as_ref()))
}

fn cell(text: Option<&Redacted>) -> String {
    let text = text.map_or("", Redacted::as_str);
    if text.is_empty() { "-".to_owned() } else { plain(text).into_owned() }
}

fn clipped(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars().take(most.saturating_sub(1)).chain(['…']).collect()
}

/// `3 lines, the first is audit.log:12`
fn unreadable(events: &[EventRef]) -> String {
    match events.first() {
        Some(EventRef::Line { file, line }) => format!("the first is {}:{line}", plain(file)),
        _ => "-".to_owned(),
    }
}

/// What a run came to.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    /// What was read.
    pub(super) tally: Tally,
    /// Alerts by level, without those in shadow.
    pub(super) alerts: BTreeMap<Level, usize>,
    /// Alerts in shadow.
    pub(super) shadow: usize,
}

impl Outcome {
    /// One more alert; what is told of it later is not another one.
    pub(super) fn count(&mut self, alert: &Alert) {
        if alert.occurrences.stage != Stage::Opened {
            return;
        }
        if alert.analytic.shadow {
            self.shadow += 1;
        } else {
            *self.alerts.entry(alert.level).or_default() += 1;
        }
    }

    /// `12,408 events in 0.1 s, 2 alerts (1 critical, 1 high), 0 unreadable`
    pub(super) fn summary(&self, elapsed: Duration) -> String {
        let mut text = format!(
            "{} in {:.1} s, {}, {} unreadable",
            counted(self.tally.events, "event", "events"),
            elapsed.as_secs_f64(),
            self.alerts(),
            grouped(self.tally.unreadable)
        );
        if self.shadow > 0 {
            let _ = write!(text, ", {} in shadow", counted(self.shadow, "alert", "alerts"));
        }
        if self.tally.untimed > 0 {
            let _ = write!(text, ", {} without a time", grouped(self.tally.untimed));
        }
        text
    }

    fn alerts(&self) -> String {
        let total: usize = self.alerts.values().sum();
        if total == 0 {
            return "no alerts".to_owned();
        }
        let levels: Vec<String> =
            self.alerts.iter().rev().map(|(level, count)| format!("{} {}", grouped(*count), level.as_str())).collect();
        format!("{} ({})", counted(total, "alert", "alerts"), levels.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alert::{Occurrences, Stage};
    use crate::payload::LogStream;
    use crate::pipeline;

    #[test]
    fn what_is_counted_has_its_noun() {
        assert_eq!(counted(1, "alert", "alerts"), "1 alert");
        assert_eq!(counted(2000, "alert", "alerts"), "2,000 alerts");
    }

    #[test]
    fn a_summary_leaves_out_what_is_not_worth_a_word() {
        let mut outcome = Outcome::default();
        assert_eq!(outcome.summary(Duration::ZERO), "0 events in 0.0 s, no alerts, 0 unreadable");
        outcome.tally = Tally { events: 12_408, unreadable: 3, untimed: 2, matches: 9 };
        for level in [Level::High, Level::Critical, Level::Low, Level::High] {
            *outcome.alerts.entry(level).or_default() += 1;
        }
        assert_eq!(
            outcome.summary(Duration::from_millis(149)),
            "12,408 events in 0.1 s, 4 alerts (1 critical, 2 high, 1 low), 3 unreadable, 2 without a time"
        );
        outcome.shadow = 1;
        assert_eq!(
            outcome.summary(Duration::ZERO),
            "12,408 events in 0.0 s, 4 alerts (1 critical, 2 high, 1 low), 3 unreadable, 1 alert in shadow, \
             2 without a time"
        );
    }

    #[test]
    fn a_row_says_how_often() {
        let alert = pipeline::rules_not_loaded(&["a.yml".to_owned()], Timestamp::UNIX_EPOCH, &LogStream::default());
        let alert = alert.unwrap();
        for (stage, count, expected) in [
            (Stage::Opened, 1, "rules_not_loaded"),
            (Stage::Opened, 500, "rules_not_loaded x500"),
            (Stage::Repeated, 100, "rules_not_loaded x100 again"),
            (Stage::Ended, 57, "rules_not_loaded x57 over"),
        ] {
            let occurrences = Occurrences { stage, count, ..alert.occurrences };
            assert_eq!(Row::new(&Alert { occurrences, ..alert.clone() }).rule, expected);
        }
    }

    #[test]
    fn colour_is_only_around_the_level() {
        assert_eq!(by_level("HIGH", Level::High, false), "HIGH");
        assert_eq!(letter("HIGH: a\nb\n", Level::High, true), "\u{1b}[31mHIGH: a\u{1b}[0m\nb\n");
    }

    #[test]
    fn what_is_long_is_clipped() {
        assert_eq!(clipped("12345", 5), "12345");
        assert_eq!(clipped("123456", 5), "1234…");
    }
}
