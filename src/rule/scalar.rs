//! What a plain scalar is: YAML 1.2's core schema, and where YAML 1.1 disagrees.

use std::sync::LazyLock;

use regex::RegexSet;

use super::Number;

/// What a scalar is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Value {
    Null,
    Bool(bool),
    Number(Number),
    /// A number that cannot be held exactly: infinite, not a number, or an integer beyond 128 bits.
    Inexact,
    Text,
}

/// What YAML 1.2's core schema makes of a plain scalar.
pub(super) fn resolve(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::Bool(true),
        "false" | "False" | "FALSE" => Value::Bool(false),
        _ => number(text),
    }
}

fn number(text: &str) -> Value {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    // Most scalars are words: look no further.
    if !unsigned.starts_with(|character: char| character.is_ascii_digit() || character == '.') {
        return Value::Text;
    }
    if let Some(digits) = text.strip_prefix("0x") {
        return radix(digits, 16);
    }
    if let Some(digits) = text.strip_prefix("0o") {
        return radix(digits, 8);
    }
    if matches!(unsigned, ".inf" | ".Inf" | ".INF") || matches!(text, ".nan" | ".NaN" | ".NAN") {
        return Value::Inexact;
    }
    if all_digits(unsigned) {
        return text.parse().map_or(Value::Inexact, |integer| Value::Number(Number::Integer(integer)));
    }
    if !is_decimal(unsigned) {
        return Value::Text;
    }
    match text.parse::<f64>() {
        Ok(decimal) if decimal.is_finite() => Value::Number(Number::Decimal(decimal)),
        _ => Value::Inexact,
    }
}

fn radix(digits: &str, radix: u32) -> Value {
    if digits.is_empty() || !digits.chars().all(|digit| digit.is_digit(radix)) {
        return Value::Text;
    }
    i128::from_str_radix(digits, radix).map_or(Value::Inexact, |integer| Value::Number(Number::Integer(integer)))
}

/// `( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )?`
fn is_decimal(text: &str) -> bool {
    let (mantissa, exponent) = text.split_once(['e', 'E']).map_or((text, None), |(m, e)| (m, Some(e)));
    let exponent = exponent.is_none_or(|digits| all_digits(digits.strip_prefix(['-', '+']).unwrap_or(digits)));
    let mantissa = match mantissa.split_once('.') {
        Some(("", fraction)) => all_digits(fraction),
        Some((whole, fraction)) => all_digits(whole) && (fraction.is_empty() || all_digits(fraction)),
        None => all_digits(mantissa),
    };
    mantissa && exponent
}

fn all_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// What YAML 1.1 reads a plain scalar as, where that differs from YAML 1.2's reading.
///
/// People who write rules have other tools beside this one, and most of those read YAML 1.1.
pub(super) fn other_reading(text: &str) -> Option<&'static str> {
    let lowered = text.to_ascii_lowercase();
    if matches!(lowered.as_str(), "y" | "n" | "yes" | "no" | "on" | "off") {
        return Some("a boolean");
    }
    let form = text.starts_with(['-', '+', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9']);
    let matched = if form { FORMS.as_ref()?.matches(text).iter().next() } else { None };
    matched.and_then(|form| READINGS.get(form)).map(|(_, reading)| *reading)
}

/// The scalars that the two versions read differently, besides the words.
const READINGS: [(&str, &str); 6] = [
    (r"^[-+]?0[0-9_]+$", "an octal number"),
    (r"^0o[0-7]+$", "text"),
    (r"^[-+]?([0-9]+_[0-9_]*|0b[01_]+|0x[0-9a-fA-F]*_[0-9a-fA-F_]*)$", "a number"),
    (r"^[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?$", "a number in base 60"),
    (r"^[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([Tt ].*)?$", "a date"),
    (r"^[-+]?([0-9]+[eE][-+]?[0-9]+|[0-9]+\.[0-9]*[eE][0-9]+)$", "text"),
];

static FORMS: LazyLock<Option<RegexSet>> = LazyLock::new(|| RegexSet::new(READINGS.iter().map(|(form, _)| form)).ok());
