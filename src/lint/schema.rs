//! The JSON Schema of rule files, with which editors complete and check while one types.
//!
//! It says less than the reader, which alone decides: what the reader accepts is valid, and much that it refuses is not.

use serde_json::{Map, Value, json};

use crate::attack::TACTICS;
use crate::audit::reference::{self, Kind, Writing};

/// The modifiers of the language.
const MODIFIERS: &str = "contains|startswith|endswith|all|cased|exists|neq|windash|re|i|m|s|base64|base64offset|utf16le|wide|\
                         utf16be|utf16|lt|lte|gt|gte|minute|hour|day|week|month|year|cidr|expand|fieldref";

/// The schema of one document of a rule file.
#[must_use]
pub fn schema() -> Value {
    json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "A document of a vaultwatch rule file",
        "description": "A Sigma rule for Vault's audit log, a correlation of rules, a filter for rules, a value list, or the settings of `vaultwatch.yml`.",
        "type": "object",
        "if": { "required": ["correlation"] },
        "then": { "$ref": "#/definitions/correlation_rule" },
        "else": {
            "if": { "required": ["filter"] },
            "then": { "$ref": "#/definitions/filter_rule" },
            "else": {
                "if": { "required": ["values"], "not": { "required": ["detection"] } },
                "then": { "$ref": "#/definitions/value_list" },
                "else": {
                    "if": is_settings(),
                    "then": { "$ref": "#/definitions/settings" },
                    "else": { "$ref": "#/definitions/rule" },
                },
            },
        },
        "definitions": definitions(),
    })
}

fn definitions() -> Value {
    json!({
        "rule": document(&["title", "logsource", "detection"], &[header(), reading(), of_rule()]),
        "correlation_rule": document(&["title", "correlation"], &[header(), reading(), of_correlation()]),
        "filter_rule": document(&["title", "logsource", "filter"], &[header(), of_filter()]),
        "value_list": value_list(),
        "settings": settings(),
        "texts": { "type": "array", "items": { "type": "string" } },
        "scalar": { "type": ["string", "number", "boolean", "null"] },
        "fields": { "type": "array", "items": { "$ref": "#/definitions/field" } },
        "field": { "type": "string", "minLength": 1 },
        "logsource": logsource(),
        "level": one_of(&["informational", "low", "medium", "high", "critical"]),
        "timespan": { "type": "string", "pattern": "^0*[1-9][0-9]*[smhdwMy]$", "description": "such as `5m`: s, m, h, d, w, M (month) or y" },
        "offset": { "type": "string", "pattern": "^[0-9]+[smhdwMy]$", "description": "such as `5m`, or `0s`" },
        "condition": condition(),
        "search": search(),
        "search_map": search_map(),
        "alert": alert(),
        "test": test(),
        "event": event(),
        "repeated_event": repeated_event(),
        "expect": expect(),
    })
}

/// A kind of document. Custom keys are anybody's.
fn document(required: &[&str], properties: &[Value]) -> Value {
    let properties: Map<String, Value> = properties.iter().filter_map(Value::as_object).flat_map(Map::clone).collect();
    json!({ "required": required, "properties": properties })
}

/// A map that has these keys and no others.
fn closed(properties: Value, required: &[&str]) -> Value {
    let mut map = Map::new();
    map.insert("type".to_owned(), "object".into());
    map.insert("properties".to_owned(), properties);
    map.insert("additionalProperties".to_owned(), false.into());
    if !required.is_empty() {
        map.insert("required".to_owned(), json!(required));
    }
    Value::Object(map)
}

fn one_of(values: &[&str]) -> Value {
    json!({ "type": "string", "enum": values })
}

fn described(schema: &str, description: &str) -> Value {
    json!({ "allOf": [{ "$ref": format!("#/definitions/{schema}") }], "description": description })
}

fn text(description: &str) -> Value {
    json!({ "type": "string", "description": description })
}

/// What every kind of rule says about itself.
fn header() -> Value {
    json!({
        "title": { "type": "string", "minLength": 1, "maxLength": 256, "description": "what happened, in one line, for the one who gets the alert" },
        "id": { "type": "string", "format": "uuid", "pattern": "^[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}$", "description": "a random UUID that never changes" },
        "name": { "type": "string", "pattern": "^[a-z0-9_]+$", "description": "unique; the file is named after it" },
        "status": {
            "type": "string",
            "enum": ["stable", "test", "experimental", "deprecated", "unsupported"],
            "description": "experimental rules match and are counted, but do not alert; deprecated and unsupported ones do not load",
        },
        "description": text("what it means, and what an attacker gains"),
        "references": described("texts", "URLs"),
        "author": text("who wrote it"),
        "license": text("an SPDX identifier"),
        "taxonomy": text("of the field names; Vault's own"),
        "date": { "type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$", "description": "first published, YYYY-MM-DD" },
        "modified": { "type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$", "description": "last changed, YYYY-MM-DD" },
        "tags": { "type": "array", "items": tag() },
        "related": {
            "type": "array",
            "items": closed(
                json!({ "id": { "type": "string" }, "type": one_of(&["derived", "obsolete", "merged", "renamed", "similar"]) }),
                &["id", "type"],
            ),
        },
    })
}

/// ATT&CK's tactics are offered; other tags are as good.
fn tag() -> Value {
    let tactics: Vec<String> = TACTICS.iter().map(|tactic| format!("attack.{}", tactic.tag)).collect();
    json!({ "type": "string", "pattern": "^[a-z0-9_-]+\\.[a-z0-9._-]+$", "examples": tactics })
}

/// What people read who get an alert.
fn reading() -> Value {
    json!({
        "level": described("level", "how bad a match is"),
        "falsepositives": described("texts", "benign causes"),
        "fields": described("texts", "fields worth a look"),
        "scope": described("texts", "where it applies"),
        "alert": { "$ref": "#/definitions/alert" },
        "tests": { "type": "array", "items": { "$ref": "#/definitions/test" } },
    })
}

fn of_rule() -> Value {
    json!({
        "logsource": { "$ref": "#/definitions/logsource" },
        "detection": {
            "type": "object",
            "description": "named searches, and the condition that joins them",
            "required": ["condition"],
            "properties": { "condition": { "$ref": "#/definitions/condition" } },
            "additionalProperties": { "$ref": "#/definitions/search" },
        },
    })
}

fn of_filter() -> Value {
    json!({
        "logsource": { "$ref": "#/definitions/logsource" },
        "filter": {
            "type": "object",
            "description": "what the rules that are named here leave out",
            "required": ["rules", "condition"],
            "properties": {
                "rules": { "anyOf": [{ "const": "any" }, { "$ref": "#/definitions/texts" }, { "type": "string" }] },
                "condition": described("condition", "with a `not`: it is joined to the rules' own by `and`"),
            },
            "additionalProperties": { "$ref": "#/definitions/search" },
        },
    })
}

fn of_correlation() -> Value {
    let kinds = [
        "event_count",
        "value_count",
        "temporal",
        "temporal_ordered",
        "value_sum",
        "value_avg",
        "value_percentile",
        "value_median",
        "first_seen",
    ];
    let number = json!({ "type": "number" });
    let field = json!({ "anyOf": [{ "$ref": "#/definitions/field" }, { "$ref": "#/definitions/fields" }] });
    let condition = closed(
        json!({
            "gt": number, "gte": number, "lt": number, "lte": number, "eq": number, "neq": number, "percentile": number,
            "field": field,
        }),
        &[],
    );
    let aliases = json!({ "type": "object", "additionalProperties": { "type": "object", "additionalProperties": { "type": "string" } } });
    json!({
        "generate": { "type": "boolean" },
        "correlation": closed(
            json!({
                "type": one_of(&kinds),
                "rules": { "anyOf": [{ "$ref": "#/definitions/texts" }, { "type": "string" }] },
                "group-by": { "$ref": "#/definitions/fields" },
                "timespan": { "$ref": "#/definitions/timespan" },
                "condition": condition,
                "field": described("field", "of `first_seen`: whose values are looked at"),
                "warmup": described("offset", "of `first_seen`: how long a group learns before it alerts"),
                "aliases": aliases,
                "generate": { "type": "boolean" },
            }),
            &["type", "rules", "timespan"],
        ),
    })
}

fn value_list() -> Value {
    closed(
        json!({
            "name": { "type": "string", "pattern": "^[a-z0-9_]+$", "description": "as `%name%` refers to it" },
            "description": text("what is in it"),
            "values": { "type": "array", "items": { "$ref": "#/definitions/scalar" } },
        }),
        &["name", "values"],
    )
}

/// The reader goes by the file's name, which a schema does not see.
fn is_settings() -> Value {
    let has = |key: &str| json!({ "required": [key] });
    let any = |keys: &[&str]| json!({ "anyOf": keys.iter().map(|key| has(key)).collect::<Vec<_>>() });
    json!({ "allOf": [any(&["fields", "overlaps", "profile", "profiles"]), { "not": any(&["title", "detection", "logsource"]) }] })
}

fn settings() -> Value {
    let name = json!({ "type": "string", "pattern": "^[a-z0-9_-]+$" });
    let profile = closed(
        json!({
            "description": text("what it is for"),
            "without": described("texts", "ids and names of rules, correlations and filters that are not in force"),
        }),
        &[],
    );
    closed(
        json!({
            "fields": described("fields", "names of fields that rules may use although no audit event is known to have them"),
            "overlaps": one_of(&["apart", "together"]),
            "profile": name,
            "profiles": { "type": "object", "propertyNames": name, "additionalProperties": profile },
        }),
        &[],
    )
}

fn logsource() -> Value {
    closed(
        json!({
            "product": { "const": "vault" },
            "service": { "const": "audit" },
            "category": { "type": "string" },
            "definition": { "type": "string" },
        }),
        &["product", "service"],
    )
}

fn condition() -> Value {
    json!({
        "description": "over the searches: and, or, not, 1 of, all of, parentheses",
        "anyOf": [{ "type": "string", "minLength": 1 }, { "type": "array", "minItems": 1, "items": { "type": "string" } }],
    })
}

fn search() -> Value {
    let word = json!({ "$ref": "#/definitions/scalar" });
    let map = json!({ "$ref": "#/definitions/search_map" });
    json!({ "anyOf": [map, { "type": "array", "minItems": 1, "items": { "anyOf": [map, word] } }] })
}

/// Fields with their values: the known ones are offered, each with what it says.
fn search_map() -> Value {
    let known = reference::fields().iter().filter(|field| !field.path.ends_with('*'));
    let fields: Map<String, Value> = known.map(|field| (field.path.to_string(), of_field(field))).collect();
    json!({
        "type": "object",
        "minProperties": 1,
        "propertyNames": { "pattern": format!("^[^|]*(\\|({MODIFIERS}))*$") },
        "properties": fields,
        "additionalProperties": values(),
    })
}

fn values() -> Value {
    let scalar = json!({ "$ref": "#/definitions/scalar" });
    json!({ "anyOf": [scalar, { "type": "array", "minItems": 1, "items": scalar }] })
}

fn of_field(field: &reference::Field) -> Value {
    let written = match (field.writing, field.kind) {
        (Writing::Hmac, Kind::Text) => " (HMAC)",
        (Writing::Hmac, _) => " (strings are HMACs)",
        (Writing::Clear | Writing::Either, _) => "",
    };
    let mut schema = values();
    if let Value::Object(members) = &mut schema {
        members.insert("description".to_owned(), format!("{}{written}", field.about).into());
        if !field.values.is_empty() {
            members.insert("examples".to_owned(), json!(field.values));
        }
    }
    schema
}

fn alert() -> Value {
    let mut alert = closed(
        json!({
            "runbook": described("texts", "steps for whoever gets the alert, in order"),
            "group-by": described("fields", "by whose values alerts belong together; not in a correlation"),
            "suppress": {
                "anyOf": [{ "$ref": "#/definitions/offset" }, { "const": 0 }],
                "description": "how long repeats are counted instead of alerted, such as `1h`, which is the default; 0 for not at all",
            },
            "title": text("instead of the rule's; `{request.path}` stands for a field"),
            "severity": text("instead of the rule's level: one, or a field in braces that holds one"),
        }),
        &[],
    );
    if let Value::Object(members) = &mut alert {
        members.insert("description".to_owned(), "what an alert of this rule looks like".into());
    }
    alert
}

fn test() -> Value {
    closed(
        json!({
            "name": text("what it shows"),
            "like": text("a complete event by its name; `vaultwatch fields --events` lists them"),
            "file": text("a line of a captured log: `corpus/x.jsonl:12`"),
            "event": described("event", "what is laid over it, or all of the event"),
            "without": described("fields", "what is taken out of it"),
            "events": { "type": "array", "minItems": 1, "items": { "$ref": "#/definitions/repeated_event" } },
            "expect": { "$ref": "#/definitions/expect" },
        }),
        &["name", "expect"],
    )
}

fn event() -> Value {
    json!({ "type": "object", "description": "fields and values; keys may be dotted" })
}

fn repeated_event() -> Value {
    closed(
        json!({
            "like": text("a complete event by its name"),
            "file": text("a line of a captured log: `corpus/x.jsonl:12`"),
            "event": { "$ref": "#/definitions/event" },
            "without": { "$ref": "#/definitions/fields" },
            "at": described("offset", "when it happens"),
            "repeat": { "type": "integer", "minimum": 1, "maximum": 10_000 },
            "every": described("timespan", "how long after each other the repetitions happen"),
            "vary": {
                "type": "object",
                "additionalProperties": { "type": "string", "pattern": "\\{n\\}" },
                "description": "fields, with a text in which `{n}` is the number of the repetition",
            },
        }),
        &[],
    )
}

fn expect() -> Value {
    let parts = closed(
        json!({
            "match": { "type": "boolean" },
            "searches": described("texts", "which must hold"),
            "alert": { "type": "object", "description": "fields of the OCSF document, and what they must be" },
        }),
        &[],
    );
    json!({ "anyOf": [one_of(&["match", "no match"]), parts] })
}
