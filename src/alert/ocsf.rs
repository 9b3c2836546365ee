//! An alert as an OCSF Detection Finding (class 2004), the form in which it travels.
//!
//! OCSF has no place for some facts of Vault; they stand under `unmapped`, which is also the stable and flat place to
//! look for everything that the log said: `events`, `operation`, `path`, `namespace`, `matched` and so on. Who acted,
//! from where and how is told in `evidences`, because the class has `actor` and `api` only in profiles (`host`,
//! `cloud`) that would oblige us to describe a host or a cloud. Policies are the `authorizations` of the actor: they
//! say what the token may do, which is not what OCSF's groups say.
//!
//! All messages about one alert have its `finding_info.uid`: the first creates the finding, a digest updates it, the
//! last one closes it. `metadata.uid` tells them apart.

use std::borrow::Cow;
use std::net::IpAddr;

use jiff::Timestamp;

use crate::alert::{Alert, AuditFacts, Correlated, Evidence, Occurrences, Redacted, Subject};
use crate::payload::EventRef;
use crate::rule::Level;

use detail::{Cutter, Detail};
use document::{
    Actor, Aggregate, Analytic, Api, ApiRequest, ApiResponse, Authorization, Classification, DetectionFinding,
    EvidenceArtifact, FindingInfo, HttpRequest, Metadata, MountData, Named, NetworkEndpoint, Observable, Product,
    Remediation, Resource, Session, User,
};
use unmapped::{Also, EventPosition, Matched, Unmapped};

mod attack;
mod detail;
mod document;
mod unmapped;

/// The version of the schema that the documents follow.
pub const SCHEMA_VERSION: &str = "1.8.0";

/// The smallest bound that [`to_json_bounded`] keeps to whatever the alert, in bytes, beside the rule's name.
pub const SMALLEST_BOUND: usize = 16 << 10;

/// Nothing is cut.
const COMPLETE: Detail = Detail { text: usize::MAX, list: usize::MAX };

/// Ever less detail. An attacker decides how long a path is, so that the first step already limits every text.
const STEPS: [Detail; 6] = [
    Detail { text: 4096, list: 100 },
    Detail { text: 1024, list: 50 },
    Detail { text: 512, list: 20 },
    Detail { text: 256, list: 10 },
    Detail { text: 128, list: 5 },
    Detail { text: 64, list: 1 },
];

/// The whole alert as one line of JSON.
#[must_use]
pub fn to_json(alert: &Alert) -> String {
    write(alert, COMPLETE)
}

/// The alert as one line of JSON of at most `max_bytes`, as long as these are at least [`SMALLEST_BOUND`].
///
/// What is cut says so: a text by its original length, `unmapped.omitted` by the number of members that each list
/// lacks, and `metadata.is_truncated`. The ids of alert and rule, the rule's name, severity and time are never cut.
#[must_use]
pub fn to_json_bounded(alert: &Alert, max_bytes: usize) -> String {
    let mut json = String::new();
    for detail in STEPS {
        json = write(alert, detail);
        if json.len() <= max_bytes {
            break;
        }
    }
    json
}

fn write(alert: &Alert, detail: Detail) -> String {
    let document = finding(alert, &Cutter::new(detail));
    // Nothing in the document can fail to be written: no map has keys other than strings.
    let json = serde_json::to_string(&document).unwrap_or_default();
    // The two code points that JSON allows and XML does not, through which some deliveries go.
    json.replace('\u{fffe}', "\\ufffe").replace('\u{ffff}', "\\uffff")
}

fn finding<'a>(alert: &'a Alert, cut: &Cutter) -> DetectionFinding<'a> {
    let (severity_id, severity) = severity(alert.level);
    let facts = alert.subject.facts();
    let mut document = DetectionFinding {
        class: Classification::of(alert.occurrences.stage, alert.analytic.shadow),
        time: alert.message_time().as_millisecond(),
        aggregate: aggregate(alert),
        severity_id,
        severity,
        message: cut.text(alert.title()),
        finding_info: finding_info(alert, cut),
        evidences: facts.and_then(|facts| evidence_artifact(facts, cut)).into_iter().collect(),
        observables: facts.map(|facts| observables(facts, cut)).unwrap_or_default(),
        resources: facts.and_then(|facts| resource(facts, cut)).into_iter().collect(),
        remediation: remediation(alert, cut),
        metadata: metadata(alert, cut),
        unmapped: unmapped(alert, facts, cut),
    };
    document.metadata.is_truncated = cut.has_cut();
    document.unmapped.omitted = cut.omitted();
    document
}

/// How many log events, or happenings, one finding is about, if it is about several.
fn aggregate(alert: &Alert) -> Option<Aggregate> {
    let Occurrences { count, first, last, .. } = alert.occurrences;
    let [start_time, end_time] = [first, last].map(Timestamp::as_millisecond);
    (count > 1).then_some(Aggregate { count, start_time, end_time, duration: end_time.saturating_sub(start_time) })
}

/// `severity_id` and its caption.
const fn severity(level: Level) -> (u8, &'static str) {
    match level {
        Level::Informational => (1, "Informational"),
        Level::Low => (2, "Low"),
        Level::Medium => (3, "Medium"),
        Level::High => (4, "High"),
        Level::Critical => (5, "Critical"),
    }
}

fn finding_info<'a>(alert: &'a Alert, cut: &Cutter) -> FindingInfo<'a> {
    let analytic = &alert.analytic;
    let related_analytics = match &alert.subject {
        Subject::Correlation(correlated) => cut.texts("related_analytics", &correlated.rules),
        Subject::Audit(_) | Subject::Unreadable | Subject::RulesNotLoaded { .. } => Vec::new(),
    };
    let of_base = related_analytics.into_iter().map(|name| Analytic::rule(None, name));
    let of_others = cut
        .list("also", &alert.also)
        .iter()
        .map(|also| Analytic::rule(Some(also.analytic.id.to_string()), cut.text(&also.analytic.name)));
    FindingInfo {
        uid: alert.id.to_string(),
        title: cut.text(alert.title()),
        desc: analytic.description.as_deref().map(|text| cut.text(text)),
        analytic: Analytic::rule(Some(analytic.id.to_string()), Cow::Borrowed(&analytic.name)),
        related_analytics: of_base.chain(of_others).collect(),
        attacks: attack::attacks(cut.list("attacks", &analytic.attacks), cut),
        created_time: alert.time.as_millisecond(),
        first_seen_time: alert.occurrences.first.as_millisecond(),
        last_seen_time: alert.occurrences.last.as_millisecond(),
        data_sources: ["HashiCorp Vault audit log"],
    }
}

fn metadata<'a>(alert: &'a Alert, cut: &Cutter) -> Metadata<'a> {
    let original_event_uid = alert.events.first().and_then(|event| match event {
        EventRef::LogEvent(id) => Some(cut.text(id)),
        EventRef::Line { .. } => None,
    });
    Metadata {
        version: SCHEMA_VERSION,
        product: Product { name: "vaultwatch", vendor_name: "vaultwatch", version: env!("CARGO_PKG_VERSION") },
        uid: alert.message_id().to_string(),
        log_provider: original_event_uid.is_some().then_some("Amazon CloudWatch Logs"),
        log_name: cut.name(&alert.log.log_group),
        original_event_uid,
        tenant_uid: cut.name(&alert.log.owner),
        is_truncated: false,
    }
}

/// Who did it, from where and how, as far as any of it is known.
fn evidence_artifact<'a>(facts: &'a AuditFacts, cut: &Cutter) -> Option<EvidenceArtifact<'a>> {
    let artifact = EvidenceArtifact {
        uid: cut.log_text(facts.request_id.as_ref()),
        actor: actor(facts, cut),
        src_endpoint: source(facts, cut),
        api: api(facts, cut),
        http_request: facts.user_agent.as_ref().map(|agent| HttpRequest { user_agent: cut.text(agent.as_str()) }),
    };
    let telling = artifact.actor.is_some() || artifact.src_endpoint.is_some() || artifact.api.is_some();
    telling.then_some(artifact)
}

fn actor<'a>(facts: &'a AuditFacts, cut: &Cutter) -> Option<Actor<'a>> {
    let user = User { name: cut.log_text(facts.display_name.as_ref()), uid: cut.log_text(facts.entity_id.as_ref()) };
    let user = Some(user).filter(|user| user.name.is_some() || user.uid.is_some());
    let session = facts.accessor.as_ref().map(|accessor| Session { uid: cut.text(accessor.as_str()) });
    if user.is_none() && session.is_none() {
        return None;
    }
    let policies = cut.list("policies", &facts.policies).iter();
    let authorizations =
        policies.map(|policy| Authorization { policy: Named { name: cut.text(policy.as_str()) } }).collect();
    Some(Actor { user, session, authorizations })
}

fn source<'a>(facts: &'a AuditFacts, cut: &Cutter) -> Option<NetworkEndpoint<'a>> {
    let address = facts.remote_address.as_ref().filter(|address| !address.as_str().is_empty())?;
    let ip: Option<IpAddr> = address.as_str().parse().ok();
    let hostname = ip.is_none().then(|| cut.text(address.as_str()));
    Some(NetworkEndpoint { ip, hostname, port: facts.remote_port })
}

fn api<'a>(facts: &'a AuditFacts, cut: &Cutter) -> Option<Api<'a>> {
    Some(Api {
        operation: cut.log_text(facts.operation.as_ref())?,
        service: Named { name: "vault".into() },
        request: cut.log_text(facts.request_id.as_ref()).map(|uid| ApiRequest { uid }),
        response: cut.log_text(facts.error.as_ref()).map(|error| ApiResponse { error }),
    })
}

/// What an investigator searches for in other logs.
fn observables<'a>(facts: &'a AuditFacts, cut: &Cutter) -> Vec<Observable<'a>> {
    let address = facts.remote_address.as_ref().filter(|address| address.as_str().parse::<IpAddr>().is_ok());
    let address = cut.log_text(address).map(|value| Observable {
        name: "evidences[].src_endpoint.ip",
        type_id: 2,
        kind: "IP Address",
        value,
    });
    let user = cut.log_text(facts.display_name.as_ref()).map(|value| Observable {
        name: "evidences[].actor.user.name",
        type_id: 4,
        kind: "User Name",
        value,
    });
    address.into_iter().chain(user).collect()
}

/// What it was done to.
fn resource<'a>(facts: &'a AuditFacts, cut: &Cutter) -> Option<Resource<'a>> {
    Some(Resource {
        name: cut.log_text(facts.path.as_ref())?,
        namespace: cut.text(facts.namespace.as_str()),
        kind: cut.log_text(facts.mount_type.as_ref()),
        data: cut.log_text(facts.mount_point.as_ref()).map(|mount_point| MountData { mount_point }),
    })
}

fn remediation(alert: &Alert, cut: &Cutter) -> Option<Remediation> {
    let steps: Vec<String> = (1..)
        .zip(cut.list("runbook", &alert.analytic.runbook))
        .map(|(number, step)| format!("{number}. {}", cut.text(step)))
        .collect();
    (!steps.is_empty()).then(|| Remediation { desc: steps.join("\n") })
}

fn unmapped<'a>(alert: &'a Alert, facts: Option<&'a AuditFacts>, cut: &Cutter) -> Unmapped<'a> {
    let analytic = &alert.analytic;
    let told = facts.map(|facts| audit_facts(facts, cut)).unwrap_or_default();
    let told = match &alert.subject {
        Subject::Correlation(correlated) => correlation(correlated, told, cut),
        Subject::Audit(_) | Subject::Unreadable | Subject::RulesNotLoaded { .. } => told,
    };
    Unmapped {
        stage: alert.occurrences.stage.as_str(),
        count: alert.occurrences.count,
        addresses: Some(alert.occurrences.addresses).filter(|addresses| *addresses > 0),
        events: cut.list("events", &alert.events).iter().map(|event| position(event, cut)).collect(),
        log_group: cut.name(&alert.log.log_group),
        log_stream: cut.name(&alert.log.log_stream),
        owner: cut.name(&alert.log.owner),
        rule_files: match &alert.subject {
            Subject::RulesNotLoaded { files } => cut.texts("rule_files", files),
            Subject::Audit(_) | Subject::Correlation(_) | Subject::Unreadable => Vec::new(),
        },
        also: cut.list("also", &alert.also).iter().map(|also| also_told(also, cut)).collect(),
        falsepositives: cut.texts("falsepositives", &analytic.falsepositives),
        runbook: cut.texts("runbook", &analytic.runbook),
        references: cut.texts("references", &analytic.references),
        ..told
    }
}

fn also_told<'a>(alert: &'a Alert, cut: &Cutter) -> Also<'a> {
    let (severity_id, _) = severity(alert.level);
    Also {
        rule: cut.text(&alert.analytic.name),
        severity_id,
        title: cut.text(alert.title()),
        count: alert.occurrences.count,
        finding_uid: alert.id.to_string(),
    }
}

/// What a correlation tells beside the facts of the event that made it fire, whose evidence is its group.
fn correlation<'a>(correlated: &'a Correlated, facts: Unmapped<'a>, cut: &Cutter) -> Unmapped<'a> {
    Unmapped {
        reason: Some(cut.text(&correlated.reason)),
        rules: cut.texts("rules", &correlated.rules),
        group: facts.matched,
        matched: Vec::new(),
        ..facts
    }
}

fn audit_facts<'a>(facts: &'a AuditFacts, cut: &Cutter) -> Unmapped<'a> {
    let text = |text: &'a Option<Redacted>| cut.log_text(text.as_ref());
    Unmapped {
        entry_type: text(&facts.entry_type),
        request_id: text(&facts.request_id),
        operation: text(&facts.operation),
        path: text(&facts.path),
        namespace: Some(cut.text(facts.namespace.as_str())),
        mount_point: text(&facts.mount_point),
        mount_type: text(&facts.mount_type),
        error: text(&facts.error),
        login_user: text(&facts.login_user),
        accessor: text(&facts.accessor),
        policies: cut.log_texts(cut.list("policies", &facts.policies)),
        remote_address: text(&facts.remote_address),
        remote_port: facts.remote_port,
        user_agent: text(&facts.user_agent),
        matched: cut.list("matched", &facts.evidence).iter().map(|evidence| matched(evidence, cut)).collect(),
        ..Unmapped::default()
    }
}

fn matched<'a>(evidence: &'a Evidence, cut: &Cutter) -> Matched<'a> {
    let (values, omitted) = cut.members(&evidence.values);
    Matched { field: cut.text(&evidence.field), values: cut.log_texts(values), omitted }
}

fn position<'a>(event: &'a EventRef, cut: &Cutter) -> EventPosition<'a> {
    match event {
        EventRef::LogEvent(id) => EventPosition::LogEvent { log_event_id: cut.text(id) },
        EventRef::Line { file, line } => EventPosition::Line { file: cut.text(file), line: *line },
    }
}
