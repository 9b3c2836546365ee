//! Reading audit events: what the fields say, what cannot be read, and what JSON may look like.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde::Deserialize;
use serde_json::Value as Json;
use serde_json::value::RawValue;
use vaultwatch::audit::derived::DerivedField;
use vaultwatch::audit::{self, AuditEvent, Buffers, FieldTable, FieldTableBuilder, Unreadable, Value};

use crate::corpus;

#[derive(Deserialize)]
struct Shapes {
    case: Vec<Shape>,
}

#[derive(Deserialize)]
struct Shape {
    name: String,
    line: String,
    #[serde(default)]
    without: Vec<String>,
    #[serde(default)]
    with: BTreeMap<String, Json>,
    derived: BTreeMap<String, String>,
}

fn table(fields: &[&str]) -> FieldTable {
    let mut builder = FieldTableBuilder::default();
    for field in fields {
        builder.slot(field);
    }
    builder.build()
}

#[test]
fn derived_fields_tell_every_shape_of_a_failure() {
    let shapes: Shapes = toml::from_str(include_str!("audit/shapes.toml")).unwrap();
    let fields = table(&DerivedField::ALL.map(DerivedField::name));
    let failures: Vec<String> = shapes
        .case
        .iter()
        .filter_map(|shape| {
            let event = shape.event().to_string();
            let mut buffers = Buffers::default();
            let found = derived(&audit::read(&event, &fields, &mut buffers).unwrap());
            (found != shape.derived).then(|| {
                format!("{} ({})\n  expected {:?}\n  got      {found:?}", shape.name, shape.line, shape.derived)
            })
        })
        .collect();
    assert!(failures.is_empty(), "\n{}\n", failures.join("\n"));
}

impl Shape {
    fn event(&self) -> Json {
        let mut event: Json = serde_json::from_str(&corpus::line(&self.line)).unwrap();
        for path in &self.without {
            corpus::remove(&mut event, path);
        }
        for (path, value) in &self.with {
            corpus::set(&mut event, path, value.clone());
        }
        event
    }
}

fn derived(event: &AuditEvent<'_>) -> BTreeMap<String, String> {
    let text = |field: DerivedField| match event.field(field.name()).next() {
        Some(Value::Text(text)) => Some((field.name().trim_start_matches("derived.").to_owned(), text.to_owned())),
        _ => None,
    };
    DerivedField::ALL.into_iter().filter_map(text).collect()
}

/// Text, fields asked for, and each field with its values as they print.
#[test]
fn values_of_fields() {
    let cases: &[(&str, &str, &str)] = &[
        (
            "scalars of each type",
            r#"{"a":"x","b":1,"c":true,"d":null,"e":1.5,"f":-7}"#,
            "a=x b=1 c=true d=null e=1.5 f=-7",
        ),
        ("absent", r#"{"z":1}"#, "a= b="),
        (
            "64 bits are exact",
            r#"{"a":18446744073709551615,"b":-9223372036854775808}"#,
            "a=18446744073709551615 b=-9223372036854775808",
        ),
        ("past 2^53 as well", r#"{"a":9007199254740993}"#, "a=9007199254740993"),
        ("a nested path", r#"{"a":{"b":{"c":"x"}}}"#, "a.b.c=x"),
        ("an object is present without a value", r#"{"a":{"b":1}}"#, "a=present"),
        ("through arrays", r#"{"a":[{"b":1},{"b":2},3,{"c":4}]}"#, "a.b=1,2"),
        ("members of arrays, nested too", r#"{"a":["x",["y",[]],null]}"#, "a=x,y,present,null"),
        ("an empty array is present", r#"{"a":[]}"#, "a=present"),
        ("a literal key with dots", r#"{"a.b":1}"#, "a.b=1"),
        ("a literal key below a nested one", r#"{"a":{"b.c":1}}"#, "a.b.c=1"),
        ("the nested path beats the literal key", r#"{"a.b":1,"a":{"b":2}}"#, "a.b=2"),
        ("in any order", r#"{"a":{"b":2},"a.b":1}"#, "a.b=2"),
        ("of doubled keys the last one wins", r#"{"a":1,"a":2}"#, "a=2"),
        ("and its subtree starts afresh", r#"{"a":{"b":1,"c":2},"a":{"c":3}}"#, "a.b= a.c=3"),
        ("doubled in one member of an array only", r#"{"a":[{"b":1},{"b":2,"b":3}]}"#, "a.b=1,3"),
        ("doubled literal keys", r#"{"a.b":1,"a.b":2}"#, "a.b=2"),
        ("a doubled key that ends as another type", r#"{"a":{"b":1},"a":"x"}"#, "a=x a.b="),
        ("literal keys below a doubled one", r#"{"a":{"b.c":"x"},"a":{"b":{"d":1}}}"#, "a.b.c= a.b.d=1"),
        ("a doubled key beside a literal one", r#"{"a":1,"a.b":"x","a":2}"#, "a=2 a.b=x"),
        ("escaped keys", r#"{"\u0061":{"\u0062":1}}"#, "a.b=1"),
        ("escaped values", r#"{"a":"x\n\ty\u003cz","b":"\ud83d\ude00"}"#, "a=x\n\ty<z b=😀"),
        ("an unknown type is an event", r#"{"type":"telepathy"}"#, "type=telepathy"),
        ("so is an empty object", "{}", "type="),
        ("blanks around", " \t{\"a\":1}\r\n", "a=1"),
        ("wrapped under message", r#"{"message":"{\"a\":1}","host":"h"}"#, "a=1 host="),
        (
            "wrapped under log, with escapes within",
            r#"{"log":"{\"a\":\"x\\ny\"}\n","stream":"stdout","time":"t"}"#,
            "a=x\ny",
        ),
        ("a message that is no object stays a message", r#"{"message":"hello","a":1}"#, "a=1"),
        ("an entry with a message is an entry", r#"{"request":{"id":"1"},"message":"{\"a\":1}"}"#, "request.id=1 a="),
    ];
    for (name, text, expected) in cases {
        let names: Vec<&str> = expected.split(' ').filter_map(|field| Some(field.split_once('=')?.0)).collect();
        let fields = table(&names);
        let mut buffers = Buffers::default();
        let event = audit::read(text, &fields, &mut buffers).unwrap_or_else(|error| panic!("{name}: {error}"));
        let found: Vec<String> = names.iter().map(|field| format!("{field}={}", values(&event, field))).collect();
        assert_eq!(found.join(" "), *expected, "{name}");
    }
}

fn values(event: &AuditEvent<'_>, field: &str) -> String {
    let texts = event.field(field).map(|value| match value {
        Value::Null => "null".to_owned(),
        Value::Bool(boolean) => boolean.to_string(),
        Value::Number(number) => number.to_string(),
        Value::Text(text) => text.to_owned(),
        Value::Structure => "present".to_owned(),
    });
    texts.collect::<Vec<_>>().join(",")
}

#[test]
fn what_cannot_be_read() {
    let deep = format!("{}1{}", r#"{"a":"#.repeat(200), "}".repeat(200));
    let cases: &[(&str, Unreadable)] = &[
        ("", Unreadable::NotJson),
        ("hello", Unreadable::NotJson),
        (r#"{"a":1"#, Unreadable::NotJson),
        (r#"{"a":1} {"b":2}"#, Unreadable::NotJson),
        (r#"{"a":"\ud800"}"#, Unreadable::NotJson),
        (r#"{"message":"{\"a\":"}"#, Unreadable::NotJson),
        ("[]", Unreadable::NotAnObject),
        ("42", Unreadable::NotAnObject),
        (r#""text""#, Unreadable::NotAnObject),
        ("null", Unreadable::NotAnObject),
    ];
    let fields = table(&["a"]);
    for (text, expected) in cases {
        let found = audit::read(text, &fields, &mut Buffers::default()).err();
        assert_eq!(found, Some(*expected), "{text}");
    }
    // Depth stops nobody from hiding: what is skipped may be nested as deeply as it likes.
    assert!(audit::read(&deep, &fields, &mut Buffers::default()).is_ok());
}

#[test]
fn every_captured_line_is_an_event_with_a_time() {
    let fields = table(&["type"]);
    let mut buffers = Buffers::default();
    for (place, line) in corpus::lines() {
        let event = audit::read(&line, &fields, &mut buffers).unwrap_or_else(|error| panic!("{place}: {error}"));
        assert!(event.time().is_some(), "{place}");
    }
}

fn json() -> impl Strategy<Value = Json> {
    let key = prop::sample::select(vec!["a", "b", "c", "d", "é\"\n"]).prop_map(str::to_owned);
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<i64>().prop_map(Json::from),
        (-1e9..1e9).prop_map(Json::from),
        "[ab\"\\\\\n\u{1}é😀]{0,40}".prop_map(Json::from),
    ];
    let tree = leaf.prop_recursive(4, 40, 5, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Json::from),
            prop::collection::btree_map(key.clone(), inner, 0..5).prop_map(|map| map.into_iter().collect()),
        ]
    });
    let key = prop::sample::select(vec!["a", "b", "x"]).prop_map(str::to_owned);
    prop::collection::btree_map(key, tree, 0..5).prop_map(|map| map.into_iter().collect())
}

/// The values at a path, by walking a parsed tree. Literal keys with dots have cases of their own.
fn reference(at: &Json, path: &[&str], found: &mut Vec<String>) {
    match (at, path) {
        (Json::Array(members), _) if !members.is_empty() => {
            for member in members {
                reference(member, path, found);
            }
        }
        (Json::Object(members), [key, rest @ ..]) => {
            if let Some(member) = members.get(*key) {
                reference(member, rest, found);
            }
        }
        (Json::Array(_) | Json::Object(_), []) => found.push("present".to_owned()),
        (Json::String(text), []) => found.push(text.clone()),
        (scalar, []) => found.push(scalar.to_string()),
        _ => {}
    }
}

proptest! {
    #[test]
    fn extraction_agrees_with_a_parsed_tree(event in json()) {
        for text in [event.to_string(), serde_json::to_string_pretty(&event).unwrap()] {
            let names = ["a", "b.a", "b.c.a", "x"];
            let fields = table(&names);
            let mut buffers = Buffers::default();
            let read = audit::read(&text, &fields, &mut buffers).unwrap();
            for name in names {
                let mut expected = Vec::new();
                reference(&event, &name.split('.').collect::<Vec<_>>(), &mut expected);
                prop_assert_eq!(values(&read, name), expected.join(","), "{} in {}", name, text);
            }
        }
    }

    #[test]
    fn what_is_json_is_what_serde_says(
        event in json(),
        edits in prop::collection::vec((any::<prop::sample::Index>(), "[\\[\\]{}:,\"\\\\u0019ae. +\u{1}-]{0,2}", 0_usize..3), 0..3),
    ) {
        let mut characters: Vec<char> = event.to_string().chars().collect();
        for (place, insert, remove) in edits {
            let at = place.index(characters.len() + 1);
            let end = characters.len().min(at + remove);
            characters.splice(at..end, insert.chars());
        }
        let text: String = characters.into_iter().collect();
        let theirs = serde_json::from_str::<BTreeMap<String, &RawValue>>(&text);
        let fields = table(&["nothing that is there"]);
        let mut buffers = Buffers::default();
        let ours = audit::read(&text, &fields, &mut buffers);
        prop_assert_eq!(ours.is_ok(), theirs.is_ok(), "{}", text);
    }
}
