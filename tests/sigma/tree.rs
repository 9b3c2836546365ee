//! A JSON text as a tree that keeps what `serde_json`'s own gives up: repeated keys, and integers beyond 64 bits.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use vaultwatch::number::Number;

pub(super) enum Json {
    Null,
    Bool(bool),
    Number(Number),
    Text(String),
    Array(Vec<Json>),
    /// As written, repeated keys included.
    Object(Vec<(String, Json)>),
}

impl Json {
    pub(super) fn parse(text: &str) -> Self {
        let raw: &RawValue = serde_json::from_str(text).unwrap_or_else(|error| panic!("{error} in {text}"));
        Self::from_raw(raw)
    }

    fn from_raw(raw: &RawValue) -> Self {
        let text = raw.get();
        match text.as_bytes()[0] {
            b'n' => Self::Null,
            b't' => Self::Bool(true),
            b'f' => Self::Bool(false),
            b'"' => Self::Text(part(text)),
            b'[' => Self::Array(part::<Vec<&RawValue>>(text).into_iter().map(Self::from_raw).collect()),
            b'{' => {
                let Members(members) = part(text);
                Self::Object(members.into_iter().map(|(key, raw)| (key, Self::from_raw(raw))).collect())
            }
            _ => Self::Number(Number::parse(text).expect("JSON's numbers are numbers")),
        }
    }

    /// The value of a key: of a repeated one the last.
    pub(super) fn get(&self, key: &str) -> Option<&Self> {
        let Self::Object(members) = self else { return None };
        members.iter().rfind(|(name, _)| name == key).map(|(_, value)| value)
    }
}

fn part<'t, T: Deserialize<'t>>(text: &'t str) -> T {
    serde_json::from_str(text).expect("a part of a JSON text is JSON")
}

/// The members of one object.
struct Members<'t>(Vec<(String, &'t RawValue)>);

impl<'t> Deserialize<'t> for Members<'t> {
    fn deserialize<D: Deserializer<'t>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MembersVisitor)
    }
}

struct MembersVisitor;

impl<'t> Visitor<'t> for MembersVisitor {
    type Value = Members<'t>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'t>>(self, mut map: A) -> Result<Members<'t>, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(Members(members))
    }
}
