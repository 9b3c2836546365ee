//! An alert as a text message: one line.

use crate::alert::{Alert, AuditFacts, Redacted, Subject, text};

/// What fits into one message of the GSM alphabet, in bytes; a longer one is sent in parts.
pub const MAX_BYTES: usize = 140;

/// The most that is told of a rule's name, and of a text of the log, in bytes.
const NAME_BYTES: usize = 48;
const LOG_TEXT_BYTES: usize = 40;

/// Level, rule, how often, when, who and from where, in at most [`MAX_BYTES`] of printable ASCII. What is least important stands
/// last, where it may be cut.
#[must_use]
pub fn line(alert: &Alert) -> String {
    let level = alert.level.as_str().to_uppercase();
    let rule = text::ascii(&alert.analytic.name, NAME_BYTES);
    let stage = alert.occurrences.stage.word().map(|word| format!(", {word}:")).unwrap_or_default();
    let factor = alert.occurrences.factor();
    let time = alert.message_time().strftime("%Y-%m-%d %H:%MZ");
    let subject = subject(&alert.subject);
    text::ascii(&format!("vaultwatch {level}{stage} {rule}{factor} {time}{subject}"), MAX_BYTES)
}

fn subject(subject: &Subject) -> String {
    let part = |preposition, text: Option<&Redacted>| {
        text.map(|text| format!(" {preposition} {}", log_text(text))).unwrap_or_default()
    };
    let told = |facts: &AuditFacts| {
        let who = facts.display_name.as_ref().or(facts.login_user.as_ref());
        part("by", who) + &part("from", facts.remote_address.as_ref())
    };
    match subject {
        Subject::Audit(facts) => told(facts),
        Subject::Correlation(correlated) => told(&correlated.facts),
        Subject::Unreadable => String::new(),
        Subject::RulesNotLoaded { files } => format!(" {} files", files.len()),
    }
}

fn log_text(text: &Redacted) -> String {
    text::ascii(&text::visible(text.as_str()), LOG_TEXT_BYTES)
}
