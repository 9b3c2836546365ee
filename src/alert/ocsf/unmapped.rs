//! What the schema has no place for, and a flat copy of what it has.

use std::collections::BTreeMap;

use serde::Serialize;

use super::document::Text;

/// `unmapped`
#[derive(Default, Serialize)]
pub(super) struct Unmapped<'a> {
    /// `opened`, `repeated`, `ended`
    pub(super) stage: &'static str,
    /// How often it has happened, or how many log events it is about.
    pub(super) count: u64,
    /// How many distinct addresses they came from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) addresses: Option<usize>,
    /// Why a correlation fired.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reason: Option<Text<'a>>,
    /// The rules whose matches a correlation saw.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) rules: Vec<Text<'a>>,
    /// What a correlation's matches have in common.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) group: Vec<Matched<'a>>,
    pub(super) events: Vec<EventPosition<'a>>,
    /// What other rules say of the same happening, for which there is no finding but this.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) also: Vec<Also<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) entry_type: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) request_id: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) operation: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) path: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) namespace: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) mount_point: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) mount_type: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) error: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) login_user: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) accessor: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) policies: Vec<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) remote_address: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) remote_port: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) user_agent: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) matched: Vec<Matched<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) log_group: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) log_stream: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) owner: Option<Text<'a>>,
    /// Of which not every rule loads.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) rule_files: Vec<Text<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) falsepositives: Vec<Text<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) runbook: Vec<Text<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) references: Vec<Text<'a>>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    /// How many members each list lacks.
    pub(super) omitted: BTreeMap<&'static str, usize>,
}

/// A field that made the rule match, or that a correlation groups by.
#[derive(Serialize)]
pub(super) struct Matched<'a> {
    pub(super) field: Text<'a>,
    pub(super) values: Vec<Text<'a>>,
    /// How many values are not told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) omitted: Option<usize>,
}

/// What another rule says of the same happening.
#[derive(Serialize)]
pub(super) struct Also<'a> {
    pub(super) rule: Text<'a>,
    pub(super) severity_id: u8,
    pub(super) title: Text<'a>,
    pub(super) count: u64,
    /// What its repetitions have as `finding_info.uid`, which are told by themselves.
    pub(super) finding_uid: String,
}

/// Where an event stands.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum EventPosition<'a> {
    LogEvent { log_event_id: Text<'a> },
    Line { file: Text<'a>, line: u64 },
}
