//! What a rule needs of the log, and of whoever runs Vault, before it can match at all.

use std::collections::HashMap;

use super::entries::is_exactly;
use super::formula::{Demand, Formula};
use super::paths::start;
use super::theory::exact;
use crate::fold::fold;
use crate::rule::{Correlation, CorrelationKind, Reading, Rule, Test};

/// What must be there for a rule to match; false where that is not certain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Needs {
    /// It looks at request entries only.
    pub request_entries: bool,
    /// What it looks for is found in the root namespace only.
    pub root_namespace: bool,
}

/// What each rule and each correlation needs, by name.
#[must_use]
pub fn of(reading: &Reading) -> HashMap<&str, Needs> {
    let rules = reading.rules.iter().map(|rule| (rule.header.name.as_str(), of_rule(rule)));
    let mut known: HashMap<&str, Needs> = rules.collect();
    let mut waiting: Vec<&Correlation> = reading.correlations.iter().collect();
    let mut left = usize::MAX;
    // Correlations look at correlations, in no circles: each round gets further.
    while waiting.len() < left {
        left = waiting.len();
        waiting.retain(|correlation| {
            let parts: Option<Vec<Needs>> =
                correlation.rules.iter().map(|name| known.get(name.as_str()).copied()).collect();
            let needs = parts.map(|parts| of_correlation(correlation, &parts));
            needs.is_none_or(|needs| known.insert(&correlation.header.name, needs).is_some())
        });
    }
    known
}

/// What the rule needs, from what it asks for.
fn of_rule(rule: &Rule) -> Needs {
    let formula = Formula::of(&rule.detection);
    Needs { request_entries: always(&formula, &is_of_request), root_namespace: always(&formula, &is_of_root) }
}

/// What all that the correlation looks at needs, and what any of it does if all of it must match.
fn of_correlation(correlation: &Correlation, parts: &[Needs]) -> Needs {
    let in_time = matches!(correlation.kind, CorrelationKind::Temporal | CorrelationKind::TemporalOrdered);
    let each_must_match = in_time && correlation.condition.is_empty();
    let needed = |of: fn(&Needs) -> bool| if each_must_match { parts.iter().any(of) } else { parts.iter().all(of) };
    Needs {
        request_entries: needed(|needs| needs.request_entries),
        root_namespace: needed(|needs| needs.root_namespace),
    }
}

/// Whether every way in which the formula holds has a demand like this.
fn always(formula: &Formula<'_>, like: &dyn Fn(&Demand<'_>) -> bool) -> bool {
    match formula {
        Formula::Demand(demand) => demand.wanted && like(demand),
        Formula::And(all) => all.iter().any(|part| always(part, like)),
        Formula::Or(any) => any.iter().all(|part| always(part, like)),
    }
}

fn is_of_request(demand: &Demand<'_>) -> bool {
    demand.field().is_some_and(|(field, tests)| field == "type" && tests.iter().all(|test| is_exactly(test, "request")))
}

fn is_of_root(demand: &Demand<'_>) -> bool {
    demand.field().is_some_and(|(field, tests)| match field {
        "request.path" | "derived.path" => tests.iter().all(is_below_restricted),
        "derived.namespace" | "request.namespace.id" => tests.iter().all(|test| is_exactly(test, "root")),
        _ => false,
    })
}

/// The paths that only the root namespace has, each with all below it.
///
/// They are those of which Vault's documentation says that an administrative namespace, such as `admin/` on HCP, may
/// not call them either (developer.hashicorp.com/vault/docs/enterprise/namespaces, "Restricted API paths"), without
/// `sys/config/ui`, `sys/internal/counters` and `sys/managed-keys`, of which namespaces got parts later; with all of
/// replication, which is the cluster's; and with what `OpenBao` calls differently.
const RESTRICTED: [&str; 30] = [
    "sys/audit",
    "sys/config/auditing",
    "sys/config/cors",
    "sys/config/reload",
    "sys/config/state",
    "sys/decode-token",
    "sys/experiments",
    "sys/generate-recovery-token",
    "sys/generate-root",
    "sys/generate-root-token",
    "sys/health",
    "sys/host-info",
    "sys/in-flight-req",
    "sys/init",
    "sys/internal/inspect/router",
    "sys/key-status",
    "sys/loggers",
    "sys/metrics",
    "sys/mfa/method",
    "sys/pprof",
    "sys/raw",
    "sys/rekey",
    "sys/rekey-recovery-key",
    "sys/replication",
    "sys/rotate",
    "sys/seal",
    "sys/sealwrap/rewrap",
    "sys/step-down",
    "sys/storage",
    "sys/unseal",
];

/// Whether every path that the test admits is one of these, or lies below one.
fn is_below_restricted(test: &Test) -> bool {
    let Test::Pattern(pattern) = test else { return false };
    let Some(path) = start(pattern).map(fold) else { return false };
    RESTRICTED.iter().any(|restricted| match path.strip_prefix(restricted) {
        // What a pattern with wildcards starts with may go on: `sys/seal*` admits `sys/seal-status`.
        Some("") => exact(pattern).is_some(),
        Some(rest) => rest.starts_with('/'),
        None => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::{Source, Sources};
    use crate::rule;

    /// A rule or a correlation: its name, and the rest of it.
    fn document(name: &str, rest: &str) -> String {
        let id = uuid::Uuid::new_v5(&uuid::Uuid::nil(), name.as_bytes());
        format!("title: t\nid: {id}\nname: {name}\nlevel: low\n{rest}\n")
    }

    fn rule(name: &str, detection: &str) -> String {
        document(name, &format!("logsource: {{product: vault, service: audit}}\ndetection: {detection}"))
    }

    fn read(documents: &[String]) -> Reading {
        let reading = rule::read(&Sources(vec![Source::new("t.yml", documents.join("---\n"))]));
        assert_eq!(reading.diagnostics, [], "{documents:?}");
        reading
    }

    fn needs(detection: &str) -> Needs {
        of(&read(&[rule("t", detection)]))["t"]
    }

    #[test]
    fn request_entries_are_needed_where_every_way_asks_for_one() {
        for (detection, expected) in [
            ("{a: {type: request}, condition: a}", true),
            ("{a: {type: request, error: x}, b: {type: request}, condition: a or b}", true),
            ("{a: {type: request}, b: {error: x}, condition: a and b}", true),
            ("{a: {type: request}, b: {error: x}, condition: a or b}", false),
            ("{a: {type: request}, b: {error: x}, condition: b and not a}", false),
            ("{a: {type: [request, response]}, condition: a}", false),
            ("{a: {type|startswith: re}, condition: a}", false),
            ("{a: {type: response}, condition: a}", false),
        ] {
            assert_eq!(needs(detection).request_entries, expected, "{detection}");
        }
    }

    #[test]
    fn the_root_namespace_is_needed_where_nothing_else_has_the_path() {
        for (detection, expected) in [
            ("{a: {request.path: sys/seal}, condition: a}", true),
            ("{a: {request.path: SYS/SEAL}, condition: a}", true),
            ("{a: {derived.path|startswith: sys/audit/}, condition: a}", true),
            ("{a: {request.path: [sys/raw/*/x, sys/storage/raft/snapshot]}, condition: a}", true),
            ("{a: {derived.namespace: root}, condition: a}", true),
            ("{a: {request.path: sys/seal}, b: {request.namespace.id: root}, condition: a or b}", true),
            ("{a: {request.path: [sys/seal, sys/mounts]}, condition: a}", false),
            ("{a: {request.path|startswith: sys/audit}, condition: a}", false),
            ("{a: {request.path: sys/seal-status}, condition: a}", false),
            ("{a: {request.path|endswith: sys/seal}, condition: a}", false),
            ("{a: {request.path|re: ^sys/seal$}, condition: a}", false),
            ("{a: {request.path|neq: sys/seal}, condition: a}", false),
            ("{a: {request.path: sys/seal}, b: {error: x}, condition: b and not a}", false),
            ("{a: {auth.policies: root}, condition: a}", false),
        ] {
            assert_eq!(needs(detection).root_namespace, expected, "{detection}");
        }
    }

    #[test]
    fn a_correlation_needs_what_it_cannot_do_without() {
        let in_root = rule("in_root", "{a: {request.path: sys/seal}, condition: a}");
        let anywhere = rule("anywhere", "{a: {type: response}, condition: a}");
        let later = document("later", "correlation: {type: temporal, rules: [sooner, anywhere], timespan: 1h}");
        for (sooner, expected) in [
            ("{type: event_count, rules: [in_root], timespan: 1h, condition: {gte: 2}}", true),
            ("{type: event_count, rules: [in_root, anywhere], timespan: 1h, condition: {gte: 2}}", false),
            ("{type: temporal_ordered, rules: [in_root, anywhere], timespan: 1h}", true),
            ("{type: temporal, rules: [in_root, anywhere], timespan: 1h, condition: {gte: 1}}", false),
        ] {
            let sooner_document = document("sooner", &format!("correlation: {sooner}"));
            let reading = read(&[later.clone(), sooner_document, in_root.clone(), anywhere.clone()]);
            let needs = of(&reading);
            for name in ["sooner", "later"] {
                assert_eq!(needs[name], Needs { request_entries: false, root_namespace: expected }, "{name}: {sooner}");
            }
        }
    }
}
