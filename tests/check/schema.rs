//! The JSON Schema of rule files: what the reader accepts is valid.

use std::fs;
use std::path::Path;

use jsonschema::Validator;
use serde_json::{Value, json};
use vaultwatch::{lint, rule, rule_files};

use super::*;

fn validator() -> Validator {
    jsonschema::draft7::new(&lint::schema::schema()).expect("the schema is one")
}

/// What is wrong with the documents of a text, by the schema.
fn objections(validator: &Validator, text: &str) -> Vec<String> {
    let documents = yaml_serde::Deserializer::from_str(text).map(|document| Value::deserialize(document).unwrap());
    let objection = |document: Value| -> Vec<String> {
        validator.iter_errors(&document).map(|error| format!("{}: {error}", error.instance_path())).collect()
    };
    documents.filter(|document| !document.is_null()).flat_map(objection).collect()
}

#[test]
fn the_committed_schema_is_the_programs() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("rules/rule.schema.json");
    let expected = format!("{:#}\n", lint::schema::schema());
    assert!(
        fs::read_to_string(&path).unwrap() == expected,
        "write it anew: cargo run -- schema > rules/rule.schema.json"
    );
}

#[test]
fn the_rules_that_ship_are_valid() {
    let validator = validator();
    let sources = rule_files::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("rules")).unwrap();
    for (_, source) in sources.iter() {
        assert_eq!(objections(&validator, &source.text), [""; 0], "{}", source.path);
    }
}

/// Everything that the reader takes without a word, of all cases there are.
#[test]
fn what_loads_is_valid() {
    let validator = validator();
    let mut valid = 0;
    let texts = reader::texts().into_iter().chain(cases().into_iter().map(|case| (case.name, completed(&case.rule))));
    for (name, text) in texts {
        let sources = Sources(vec![Source::new("case.yml", text.clone())]);
        // Aliases, tags and the like are not the schema's business.
        if !rule::read(&sources).diagnostics.is_empty() || text.contains(['&', '!', '\u{feff}', '\u{85}']) {
            continue;
        }
        assert_eq!(objections(&validator, &text), [""; 0], "{name}\n{text}");
        valid += 1;
    }
    assert!(valid > 100, "only {valid} cases are valid");
}

/// What an editor should underline while one types.
#[test]
fn slips_are_not_valid() {
    let validator = validator();
    let rule = |change: fn(&mut Value)| {
        let mut rule = json!({
            "title": "A", "logsource": {"product": "vault", "service": "audit"}, "level": "low",
            "detection": {"s": {"request.path|startswith": ["sys/"]}, "condition": "s"},
            "alert": {"runbook": ["Look."], "suppress": "5m"},
            "tests": [{"name": "fires", "like": "kv_read", "expect": "match"}],
        });
        change(&mut rule);
        rule
    };
    assert!(validator.is_valid(&rule(|_| {})));
    assert!(validator.is_valid(&rule(|rule| rule["alert"]["suppress"] = json!(0))));
    let slips: [fn(&mut Value); 15] = [
        |rule| rule["level"] = json!("severe"),
        |rule| rule["title"] = json!(""),
        |rule| rule["id"] = json!("1"),
        |rule| rule["date"] = json!("2026/11/22"),
        |rule| rule["tags"] = json!(["root"]),
        |rule| rule["logsource"]["product"] = json!("windows"),
        |rule| rule["detection"]["s"] = json!({"request.path|startwith": "sys/"}),
        |rule| rule["detection"]["s"] = json!({"request.path": {"is": "sys/"}}),
        |rule| rule["detection"] = json!({"s": {"request.path": "sys/"}}),
        |rule| rule["alert"]["supress"] = json!("5m"),
        |rule| rule["alert"]["suppress"] = json!("5 minutes"),
        |rule| rule["alert"]["suppress"] = json!(60),
        |rule| rule["tests"][0]["expect"] = json!("matches"),
        |rule| rule["tests"][0]["lke"] = json!("kv_read"),
        |rule| rule["correlation"] = json!({"type": "count", "rules": ["a"], "timespan": "5m"}),
    ];
    for (at, slip) in slips.into_iter().enumerate() {
        assert!(!validator.is_valid(&rule(slip)), "slip {at} is valid");
    }
}
