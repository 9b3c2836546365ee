//! The document's shape: OCSF's attributes in OCSF's words.

use std::borrow::Cow;
use std::net::IpAddr;

use serde::Serialize;

use super::unmapped::Unmapped;
use crate::alert::Stage;

pub(super) type Text<'a> = Cow<'a, str>;

/// The class, and what an alert says in it.
#[derive(Serialize)]
pub(super) struct DetectionFinding<'a> {
    #[serde(flatten)]
    pub(super) class: Classification,
    pub(super) time: i64,
    #[serde(flatten)]
    pub(super) aggregate: Option<Aggregate>,
    pub(super) severity_id: u8,
    pub(super) severity: &'static str,
    pub(super) message: Text<'a>,
    pub(super) finding_info: FindingInfo<'a>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) evidences: Vec<EvidenceArtifact<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) observables: Vec<Observable<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) resources: Vec<Resource<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) remediation: Option<Remediation>,
    pub(super) metadata: Metadata<'a>,
    pub(super) unmapped: Unmapped<'a>,
}

/// What only a finding about several events has; times in milliseconds.
#[derive(Serialize)]
pub(super) struct Aggregate {
    pub(super) count: u64,
    pub(super) start_time: i64,
    pub(super) end_time: i64,
    pub(super) duration: i64,
}

/// What every alert has in common.
#[derive(Serialize)]
pub(super) struct Classification {
    category_uid: u8,
    category_name: &'static str,
    class_uid: u16,
    class_name: &'static str,
    activity_id: u8,
    activity_name: &'static str,
    type_uid: u32,
    type_name: &'static str,
    status_id: u8,
    status: &'static str,
    is_alert: bool,
}

impl Classification {
    /// A Detection Finding that was created, updated or closed. It wants somebody's attention unless it is closed or its
    /// rule is in shadow.
    pub(super) fn of(stage: Stage, shadow: bool) -> Self {
        let stage = match stage {
            Stage::Opened => CREATED,
            Stage::Repeated => UPDATED,
            Stage::Ended => CLOSED,
        };
        Self { is_alert: stage.is_alert && !shadow, ..stage }
    }
}

const CREATED: Classification = Classification {
    category_uid: 2,
    category_name: "Findings",
    class_uid: 2004,
    class_name: "Detection Finding",
    activity_id: 1,
    activity_name: "Create",
    type_uid: 200_401,
    type_name: "Detection Finding: Create",
    status_id: 1,
    status: "New",
    is_alert: true,
};

const UPDATED: Classification = Classification {
    activity_id: 2,
    activity_name: "Update",
    type_uid: 200_402,
    type_name: "Detection Finding: Update",
    ..CREATED
};

/// That it is over does not mean that anybody has looked into it, which is what OCSF's `Resolved` says.
const CLOSED: Classification = Classification {
    activity_id: 3,
    activity_name: "Close",
    type_uid: 200_403,
    type_name: "Detection Finding: Close",
    status_id: 99,
    status: "Ended",
    is_alert: false,
    ..CREATED
};

/// `metadata`
#[derive(Serialize)]
pub(super) struct Metadata<'a> {
    pub(super) version: &'static str,
    pub(super) product: Product,
    pub(super) uid: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) log_provider: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) log_name: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) original_event_uid: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) tenant_uid: Option<Text<'a>>,
    #[serde(skip_serializing_if = "is_false")]
    pub(super) is_truncated: bool,
}

/// `product`
#[derive(Serialize)]
pub(super) struct Product {
    pub(super) name: &'static str,
    pub(super) vendor_name: &'static str,
    pub(super) version: &'static str,
}

/// `finding_info`
#[derive(Serialize)]
pub(super) struct FindingInfo<'a> {
    pub(super) uid: String,
    pub(super) title: Text<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) desc: Option<Text<'a>>,
    pub(super) analytic: Analytic<'a>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) related_analytics: Vec<Analytic<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) attacks: Vec<AttackObject<'a>>,
    pub(super) created_time: i64,
    pub(super) first_seen_time: i64,
    pub(super) last_seen_time: i64,
    pub(super) data_sources: [&'static str; 1],
}

/// `analytic`: the rule.
#[derive(Serialize)]
pub(super) struct Analytic<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    uid: Option<String>,
    name: Text<'a>,
    #[serde(rename = "type")]
    kind: &'static str,
    type_id: u8,
}

impl<'a> Analytic<'a> {
    /// A correlation is a rule, too: OCSF's other kinds are statistics, learning and searches of content.
    pub(super) fn rule(uid: Option<String>, name: Text<'a>) -> Self {
        Self { uid, name, kind: "Rule", type_id: 1 }
    }
}

/// `attack`
#[derive(Serialize)]
pub(super) struct AttackObject<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) tactic: Option<Identified<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) technique: Option<Identified<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) sub_technique: Option<Identified<'a>>,
    pub(super) version: &'static str,
}

/// `tactic`, `technique`, `sub_technique`
#[derive(Clone, Serialize)]
pub(super) struct Identified<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) uid: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) name: Option<Text<'a>>,
}

/// `evidences`
#[derive(Serialize)]
pub(super) struct EvidenceArtifact<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) uid: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) actor: Option<Actor<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) src_endpoint: Option<NetworkEndpoint<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) api: Option<Api<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) http_request: Option<HttpRequest<'a>>,
}

/// `actor`
#[derive(Serialize)]
pub(super) struct Actor<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) user: Option<User<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) session: Option<Session<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) authorizations: Vec<Authorization<'a>>,
}

/// `user`: display name and entity id.
#[derive(Serialize)]
pub(super) struct User<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) name: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) uid: Option<Text<'a>>,
}

/// `session`: the token's accessor, as its HMAC.
#[derive(Serialize)]
pub(super) struct Session<'a> {
    pub(super) uid: Text<'a>,
}

/// `authorization`
#[derive(Serialize)]
pub(super) struct Authorization<'a> {
    pub(super) policy: Named<'a>,
}

/// `policy`, `service`
#[derive(Serialize)]
pub(super) struct Named<'a> {
    pub(super) name: Text<'a>,
}

/// `network_endpoint`
#[derive(Serialize)]
pub(super) struct NetworkEndpoint<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) ip: Option<IpAddr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) hostname: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) port: Option<u16>,
}

/// `api`
#[derive(Serialize)]
pub(super) struct Api<'a> {
    pub(super) operation: Text<'a>,
    pub(super) service: Named<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) request: Option<ApiRequest<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) response: Option<ApiResponse<'a>>,
}

/// `request`
#[derive(Serialize)]
pub(super) struct ApiRequest<'a> {
    pub(super) uid: Text<'a>,
}

/// `response`
#[derive(Serialize)]
pub(super) struct ApiResponse<'a> {
    pub(super) error: Text<'a>,
}

/// `http_request`
#[derive(Serialize)]
pub(super) struct HttpRequest<'a> {
    pub(super) user_agent: Text<'a>,
}

/// `observable`
#[derive(Serialize)]
pub(super) struct Observable<'a> {
    pub(super) name: &'static str,
    pub(super) type_id: u8,
    #[serde(rename = "type")]
    pub(super) kind: &'static str,
    pub(super) value: Text<'a>,
}

/// `resource_details`
#[derive(Serialize)]
pub(super) struct Resource<'a> {
    pub(super) name: Text<'a>,
    pub(super) namespace: Text<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[serde(rename = "type")]
    pub(super) kind: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) data: Option<MountData<'a>>,
}

/// `data` of a resource.
#[derive(Serialize)]
pub(super) struct MountData<'a> {
    pub(super) mount_point: Text<'a>,
}

/// `remediation`
#[derive(Serialize)]
pub(super) struct Remediation {
    pub(super) desc: String,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
const fn is_false(flag: &bool) -> bool {
    !*flag
}
