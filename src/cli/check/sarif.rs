//! Diagnostics as one SARIF 2.1.0 log, which code scanning shows on a pull request.

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde_json::{Value, json};

use super::json::word;
use super::place::Places;
use crate::diagnostic::{Code, Diagnostic, Fix, Sources, Span};

/// Where the schema of this version is.
const SCHEMA: &str = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// What a path may not have as it is in a URI.
const RESERVED: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'[')
    .add(b'\\')
    .add(b']')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

pub(super) fn log(sources: &Sources, found: &[Diagnostic]) -> String {
    let places = Places::new(sources);
    let rules: Vec<Value> = Code::ALL.iter().map(|code| descriptor(*code)).collect();
    let results: Vec<Value> = found.iter().map(|diagnostic| result(&places, diagnostic)).collect();
    let log = json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": { "name": "vaultwatch", "version": env!("CARGO_PKG_VERSION"), "rules": rules } },
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    });
    format!("{log:#}\n")
}

fn descriptor(code: Code) -> Value {
    let mut descriptor = json!({ "id": code.id(), "shortDescription": { "text": code.about() } });
    if let Some(help) = code.help() {
        add(&mut descriptor, "help", json!({ "text": help }));
    }
    descriptor
}

fn result(places: &Places<'_>, diagnostic: &Diagnostic) -> Value {
    let message = match &diagnostic.help {
        Some(help) => format!("{}; {help}", diagnostic.message),
        None => diagnostic.message.clone(),
    };
    let mut result = json!({
        "ruleId": diagnostic.code.id(),
        "ruleIndex": Code::ALL.iter().position(|code| *code == diagnostic.code),
        "level": word(diagnostic.severity),
        "message": { "text": message },
        "locations": [location(places, &diagnostic.span)],
    });
    if let Some((span, label)) = &diagnostic.related {
        let mut related = location(places, span);
        add(&mut related, "message", json!({ "text": label }));
        add(&mut result, "relatedLocations", json!([related]));
    }
    if let Some(change) = &diagnostic.fix {
        add(&mut result, "fixes", json!([fix(places, change)]));
    }
    result
}

fn location(places: &Places<'_>, span: &Span) -> Value {
    json!({ "physicalLocation": { "artifactLocation": artifact(places, span), "region": region(places, span) } })
}

fn artifact(places: &Places<'_>, span: &Span) -> Value {
    let path = places.path(span);
    let path = path.strip_prefix("./").unwrap_or(path);
    let scheme = if path.starts_with('/') { "file://" } else { "" };
    json!({ "uri": format!("{scheme}{}", utf8_percent_encode(path, RESERVED)) })
}

fn region(places: &Places<'_>, span: &Span) -> Value {
    let region = places.region(span);
    json!({
        "startLine": region.line,
        "startColumn": region.column,
        "endLine": region.end_line,
        "endColumn": region.end_column,
    })
}

fn fix(places: &Places<'_>, fix: &Fix) -> Value {
    json!({
        "artifactChanges": [{
            "artifactLocation": artifact(places, &fix.span),
            "replacements": [{
                "deletedRegion": region(places, &fix.span),
                "insertedContent": { "text": fix.replacement },
            }],
        }],
    })
}

fn add(object: &mut Value, key: &str, value: Value) {
    if let Value::Object(members) = object {
        members.insert(key.to_owned(), value);
    }
}
