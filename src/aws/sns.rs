//! An alert as an SNS message, within every limit of SNS: data, nothing is sent here.
//!
//! No emulator enforces these limits and SNS itself answers with an error, so that an alert over a limit would be lost.
//! They hold by construction: every text has its own bound, and the bounds add up.
//!
//! | part | for | bound |
//! |---|---|---|
//! | body `default` | queues, functions, HTTPS | OCSF JSON of at most 96 KiB |
//! | body `email` | e-mail | at most 16 KiB |
//! | body `sms` | text messages | 140 bytes |
//! | subject | e-mail | 99 bytes of printable ASCII, nothing from the log |
//! | attributes | filter policies of subscriptions | 256 bytes a value |
//!
//! Writing a text into the body's JSON at most doubles it, which makes 225 KiB in the worst case.
//!
//! The attributes are those that people filter by: `severity` (`high`), `rule_id` (the rule's name, as rule files and
//! people write it), `tactic` (ATT&CK's tactics as tags write them, a list), `namespace` (`root` or `admin/`) and `stage`
//! (`opened`, `repeated`, `ended`: whether it is an alert, or a digest of one). `also`, a list, is there if other rules
//! found something in the same happening, and names them.

use serde::Serialize;
use uuid::Uuid;

use crate::alert::{Alert, Attack, email, ocsf, sms, text};

/// The most that one request may carry: the texts and attributes of all its messages, in bytes.
pub const MAX_REQUEST_BYTES: usize = 256 << 10;

/// The most messages in one request.
pub const MAX_BATCH: usize = 10;

/// The largest OCSF document, in bytes.
pub const MAX_FINDING_BYTES: usize = 96 << 10;

/// The largest value of an attribute, in bytes.
const MAX_VALUE_BYTES: usize = 256;

/// Of a list, so many members are told, and so much of each, in bytes. ATT&CK has no more tactics.
const MAX_MEMBERS: usize = 15;
const MAX_MEMBER_BYTES: usize = 64;

/// What is sent for one alert.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SnsMessage {
    /// Whose it is.
    pub alert_id: Uuid,
    /// The subject line.
    pub subject: String,
    /// The JSON document of `MessageStructure=json`: one text for each protocol.
    pub body: String,
    /// For filter policies.
    pub attributes: Vec<Attribute>,
}

/// A message attribute; never empty, without control characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attribute {
    /// Its name.
    pub name: &'static str,
    /// `String` or `String.Array`.
    pub data_type: &'static str,
    /// The text, or the JSON of the array.
    pub value: String,
}

/// `MessageStructure=json`
#[derive(Serialize)]
struct Body {
    default: String,
    email: String,
    sms: String,
}

impl SnsMessage {
    /// The message of an alert. With the `region` of its log group, the e-mail has links into the console.
    #[must_use]
    pub fn of(alert: &Alert, region: Option<&str>) -> Self {
        let body = Body {
            default: ocsf::to_json_bounded(alert, MAX_FINDING_BYTES),
            email: email::body(alert, region),
            sms: sms::line(alert),
        };
        Self {
            alert_id: alert.id,
            subject: email::subject(alert),
            // Three strings can always be written.
            body: serde_json::to_string(&body).unwrap_or_default(),
            attributes: attributes(alert),
        }
    }

    /// What SNS counts, in bytes.
    #[must_use]
    pub fn size(&self) -> usize {
        let attributes = self.attributes.iter();
        let attributes: usize = attributes.map(|one| one.name.len() + one.data_type.len() + one.value.len()).sum();
        self.subject.len() + self.body.len() + attributes
    }
}

fn attributes(alert: &Alert) -> Vec<Attribute> {
    let string =
        |name, value: &str| Attribute { name, data_type: "String", value: attribute_value(value, MAX_VALUE_BYTES) };
    let namespace = alert.subject.facts().map_or("", |facts| facts.namespace.as_str());
    let attributes = [
        string("severity", alert.level.as_str()),
        string("rule_id", &alert.analytic.name),
        list("tactic", tactics(&alert.analytic.attacks)),
        list("also", alert.also.iter().map(|also| also.analytic.name.as_str())),
        string("namespace", namespace),
        string("stage", alert.occurrences.stage.as_str()),
    ];
    attributes.into_iter().filter(|attribute| !attribute.value.is_empty()).collect()
}

fn tactics(attacks: &[Attack]) -> impl Iterator<Item = &str> {
    attacks.iter().filter_map(|attack| match attack {
        Attack::Tactic(name) => Some(name.as_str()),
        Attack::Technique(_) => None,
    })
}

/// Empty for no members.
fn list<'v>(name: &'static str, members: impl Iterator<Item = &'v str>) -> Attribute {
    let members: Vec<String> =
        members.take(MAX_MEMBERS).map(|member| attribute_value(member, MAX_MEMBER_BYTES)).collect();
    let value = if members.is_empty() { String::new() } else { serde_json::to_string(&members).unwrap_or_default() };
    Attribute { name, data_type: "String.Array", value }
}

/// Without control characters, and cut without a note, which no filter policy would expect.
fn attribute_value(value: &str, max: usize) -> String {
    text::prefix(&text::visible(value), max).to_owned()
}

/// Packs messages into requests, in their order and as many into each as it takes.
#[must_use]
pub fn requests<'m>(messages: &[&'m SnsMessage]) -> Vec<Vec<&'m SnsMessage>> {
    let mut requests: Vec<Vec<&SnsMessage>> = Vec::new();
    let mut room = 0;
    for &message in messages {
        match requests.last_mut() {
            Some(request) if request.len() < MAX_BATCH && message.size() <= room => request.push(message),
            _ => {
                requests.push(vec![message]);
                room = MAX_REQUEST_BYTES;
            }
        }
        room = room.saturating_sub(message.size());
    }
    requests
}
