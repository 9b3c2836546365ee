//! The state: correlations and alerts that stay right however invocations interleave, repeat and die, held against what
//! one pass over the whole log finds.

mod cases;
mod cost;
mod crowd;
mod faults;
mod judge;
mod log;
mod model;
mod oracle;
mod play;
mod plot;
mod stage;
mod stored;
mod storm;

use vaultwatch::diagnostic::{Severity, Source, Sources};
use vaultwatch::rule::{self, Reading};

/// A rule about single events, for correlations to look at.
const SINGLE: &str = "
title: Single
id: 00000000-0000-4000-8000-000000000001
name: single
level: low
logsource: {product: vault, service: audit}
detection: {path: {request.path: single}, condition: path}
---
";

/// These rules, and the one about single events.
fn read_beside_single(text: &str) -> Reading {
    read(&[SINGLE, text].concat())
}

/// Rules without errors.
fn read(text: &str) -> Reading {
    let reading = rule::read(&Sources(vec![Source::new("rules.yml", text)]));
    let errors: Vec<_> = reading.diagnostics.iter().filter(|found| found.severity == Severity::Error).collect();
    assert!(errors.is_empty(), "{errors:#?}");
    reading
}
