//! An alert as a text message: one line.

use crate::alert::{Alert, Redacted, Subject, text};

/// What fits into one message of the GSM alphabet, in bytes; a longer one is sent in parts.
pub const MAX_BYTES: usize = 140;

/// The most that is told of a rule's name, and of a text of the log, in bytes.
const NAME_BYTES: usize = 48;
const LOG_TEXT_BYTES: usize = 40;

/// Level, rule, when, who and from where, in at most [`MAX_BYTES`] of printable ASCII. What is least important stands
/// last, where it may be cut.
#[must_use]
pub fn line(alert: &Alert) -> String {
    let level = alert.level.as_str().to_uppercase();
    let rule = text::ascii(&alert.analytic.name, NAME_BYTES);
    let time = alert.time.strftime("%Y-%m-%d %H:%MZ");
    text::ascii(&format!("vaultwatch {level} {rule} {time}{}", subject(&alert.subject)), MAX_BYTES)
}

fn subject(subject: &Subject) -> String {
    let part = |preposition, text: Option<&Redacted>| {
        text.map(|text| format!(" {preposition} {}", log_text(text))).unwrap_or_default()
    };
    match subject {
        Subject::Audit(facts) => {
            let who = facts.display_name.as_ref().or(facts.login_user.as_ref());
            part("by", who) + &part("from", facts.remote_address.as_ref())
        }
        Subject::Unreadable { count } => format!(" {count} events"),
        Subject::RulesNotLoaded { files } => format!(" {} files", files.len()),
    }
}

fn log_text(text: &Redacted) -> String {
    text::ascii(&text::visible(text.as_str()), LOG_TEXT_BYTES)
}
