//! The field reference, held against what was captured.

use std::collections::BTreeSet;

use serde_json::Value;
use vaultwatch::audit::reference::{self, Kind, Writing};
use vaultwatch::events;

use crate::corpus;

/// Whether the captured server leaves it in clear: the keys of a list, to which its mounts are tuned, and times.
fn is_left_clear(path: &str, value: &Value) -> bool {
    path == "response.data.keys" || value.as_str().is_some_and(|text| text.parse::<jiff::Timestamp>().is_ok())
}

/// Every scalar of an entry with its dotted path.
fn scalars(value: &Value, path: &str, into: &mut Vec<(String, Value)>) {
    match value {
        Value::Object(members) => {
            for (key, member) in members {
                let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                scalars(member, &path, into);
            }
        }
        Value::Array(members) => members.iter().for_each(|member| scalars(member, path, into)),
        scalar => into.push((path.to_owned(), scalar.clone())),
    }
}

fn is_hmac(value: &Value) -> bool {
    value.as_str().is_some_and(|text| text.starts_with("hmac-sha256:"))
}

fn fits(kind: Kind, value: &Value) -> bool {
    match kind {
        Kind::Text | Kind::Texts | Kind::Time => value.is_string(),
        Kind::Number => value.is_number(),
        Kind::Boolean => value.is_boolean(),
        Kind::Object => false,
        Kind::Any => true,
    }
}

#[test]
fn every_captured_field_is_as_the_reference_says() {
    let mut wrong = BTreeSet::new();
    let mut seen = BTreeSet::new();
    let captured = corpus::lines().into_iter().map(|(_, line)| line);
    for line in captured.chain(events::all().iter().map(|event| event.text().to_owned())) {
        let entry: Value = serde_json::from_str(&line).unwrap();
        let mut found = Vec::new();
        scalars(&entry, "", &mut found);
        for (path, value) in found {
            let Some(field) = reference::field(&path) else {
                wrong.insert(format!("{path} is not in the reference"));
                continue;
            };
            seen.insert(field.path.as_ref());
            let as_written = match field.writing {
                Writing::Clear => !is_hmac(&value),
                Writing::Hmac => !value.is_string() || is_hmac(&value) || is_left_clear(&path, &value),
                Writing::Either => true,
            };
            let one_of = field.values.is_empty() || field.values.contains(&value.as_str().unwrap_or_default());
            if !(as_written && one_of && fits(field.kind, &value)) {
                wrong.insert(format!("{path} is {value}"));
            }
        }
    }
    assert_eq!(wrong.into_iter().collect::<Vec<_>>(), [""; 0]);
    assert!(seen.len() > 60, "only {} fields are captured", seen.len());
}

#[test]
fn a_field_is_listed_once() {
    let paths: Vec<&str> = reference::fields().iter().map(|field| field.path.as_ref()).collect();
    let distinct: BTreeSet<&str> = paths.iter().copied().collect();
    assert_eq!(paths.len(), distinct.len());
}

#[test]
fn a_name_is_looked_up_exactly_or_in_its_family() {
    for (name, expected) in [
        ("request.path", Some("request.path")),
        ("request.data", Some("request.data")),
        ("request.data.a", Some("request.data.*")),
        ("request.data.a.b.c", Some("request.data.*")),
        ("request.data.", None),
        ("request.headers.user-agent", Some("request.headers.user-agent")),
        ("request.headers.x", Some("request.headers.*")),
        ("response.auth.metadata.x", Some("response.auth.metadata.*")),
        ("derived.outcome", Some("derived.outcome")),
        ("derived.x", None),
        ("request.Path", None),
        ("path", None),
        ("", None),
    ] {
        assert_eq!(reference::field(name).map(|field| field.path.as_ref()), expected, "{name}");
    }
}
