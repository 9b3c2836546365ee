//! Alerts about vaultwatch itself.

use std::sync::Arc;

use jiff::Timestamp;
use uuid::Uuid;

use crate::alert::{Alert, Analytic, Occurrences, Subject};
use crate::payload::LogStream;
use crate::rule::Level;

/// The id of the analytic `rules_not_loaded`.
const RULES_NOT_LOADED_ID: Uuid = Uuid::from_u128(0x7c93_1f5a_64de_4c27_8b0e_52a1_9d4f_36b8);

/// Tells that rules of these files do not load; none if there are no such files.
///
/// The same files give the same id, in every process that starts with them.
#[must_use]
pub fn rules_not_loaded(files: &[String], time: Timestamp, log: &LogStream) -> Option<Alert> {
    if files.is_empty() {
        return None;
    }
    let analytic = Arc::new(analytic());
    Some(Alert {
        id: Uuid::new_v5(&analytic.id, files.join("\n").as_bytes()),
        level: analytic.level,
        title: None,
        time,
        occurrences: Occurrences::once(time),
        subject: Subject::RulesNotLoaded { files: files.to_vec() },
        events: Vec::new(),
        log: log.clone(),
        also: Vec::new(),
        analytic,
    })
}

fn analytic() -> Analytic {
    Analytic {
        id: RULES_NOT_LOADED_ID,
        name: "rules_not_loaded".to_owned(),
        title: "Rules do not load".to_owned(),
        description: Some(
            "The function runs without some of its rules: what only they would find raises no alert.".to_owned(),
        ),
        level: Level::High,
        shadow: false,
        references: Vec::new(),
        falsepositives: Vec::new(),
        runbook: vec![
            "Read the function's log since its last start: `a rule does not load` names the file, the line and what is \
             wrong there."
                .to_owned(),
            "Mend the rules until `vaultwatch check` finds no error in them, and deploy them again. Find out how they \
             were deployed without it."
                .to_owned(),
        ],
        attacks: Vec::new(),
    }
}
