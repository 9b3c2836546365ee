//! YAML -> the JSON that stands in events.

use serde_json::{Map, Number as JsonNumber, Value as Json};

use super::super::report::Report;
use super::super::scalar::Value;
use super::super::yaml::{Content, Entry, Node};
use crate::diagnostic::{Code, Diagnostic};
use crate::number::Number;

/// The entries of a map, keys as written, in their order.
pub(super) fn members(report: &mut Report<'_>, entry: &Entry<'_>) -> Option<Vec<(String, Json)>> {
    let Content::Map(entries) = &entry.value.content else {
        let message = format!("`{}` is a map of fields and values", entry.key.text);
        report.push(Diagnostic::error(Code::WrongType, &entry.value.span, message));
        return None;
    };
    let read: Vec<_> =
        entries.iter().map(|Entry { key, value }| Some((key.text.to_string(), json(report, value)?))).collect();
    read.into_iter().collect()
}

/// The JSON of a value; `None` if a number in it has none.
fn json(report: &mut Report<'_>, node: &Node<'_>) -> Option<Json> {
    let scalar = match &node.content {
        Content::Scalar(scalar) => scalar,
        Content::List(members) => {
            let read: Vec<_> = members.iter().map(|member| json(report, member)).collect();
            return read.into_iter().collect::<Option<_>>().map(Json::Array);
        }
        Content::Map(entries) => {
            let read: Vec<_> =
                entries.iter().map(|Entry { key, value }| Some((key.text.to_string(), json(report, value)?))).collect();
            return read.into_iter().collect::<Option<Map<_, _>>>().map(Json::Object);
        }
    };
    let json = match scalar.value() {
        Value::Null => Some(Json::Null),
        Value::Bool(flag) => Some(Json::Bool(flag)),
        Value::Text => Some(Json::String(scalar.text.to_string())),
        Value::Number(Number::Integer(integer)) => JsonNumber::from_i128(integer).map(Json::Number),
        Value::Number(Number::Decimal(decimal)) => JsonNumber::from_f64(decimal).map(Json::Number),
        Value::Inexact => None,
    };
    if json.is_none() {
        let message = format!("`{}` is no number that an event can hold here", scalar.text);
        report.push(Diagnostic::error(Code::InvalidNumber, &scalar.span, message));
    }
    json
}
