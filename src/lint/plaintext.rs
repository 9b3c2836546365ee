//! Plain text where Vault writes HMACs.

use super::fields::{Known, written};
use crate::audit::reference::{Kind, Writing};
use crate::diagnostic::{Code, Diagnostic, Span};
use crate::number::Number;
use crate::rule::{Item, Part, Pattern, RegexTest, Test};

/// What every HMAC starts with.
const PREFIX: &str = "hmac-sha256:";

/// How many hexadecimal digits follow.
const DIGITS: usize = 64;

/// Fields in clear that tell what one that is hashed would.
const INSTEAD: [(&str, &str); 7] = [
    ("request.data.policies", "the policies that a new token really got are in clear in `response.auth.policies`"),
    ("request.data.token_policies", "the policies that a token really got are in clear in `response.auth.policies`"),
    ("request.data.policy", "the name of a policy is in clear in `request.path`; its text is not logged"),
    ("request.data.username", "the user's name is in clear in `request.path`, and after a login in `auth.metadata`"),
    ("request.data.type", "the type of a mount is in clear in `derived.mount_type`, once it is used"),
    ("request.data.path", "the path is in clear in `request.path`"),
    ("response.data.error", "`derived.outcome: failed` tells that there is one"),
];

/// Checks what an item expects of a field that is not in clear.
pub(super) fn check(item: &Item, known: &Known<'_>, found: &mut Vec<Diagnostic>) {
    let Some(field) = written(item).filter(|field| field.writing == Writing::Hmac) else { return };
    if known.is_allowed(&item.field) {
        return;
    }
    let only_text = field.kind == Kind::Text;
    let plain = item.tests.iter().zip(&item.spans).filter(|(test, _)| is_plain(test, only_text));
    found.extend(plain.map(|(_, span)| objection(&item.field, span)));
}

fn objection(field: &str, span: &Span) -> Diagnostic {
    let message = format!("`{field}` holds HMACs, never plain text");
    let instead = INSTEAD.iter().find(|(hashed, _)| *hashed == field).map(|(_, instead)| (*instead).to_owned());
    let help = instead.unwrap_or_else(|| {
        "match what is in clear: the path, the operation, the policies, whether the field is there; if your mount or \
         device leaves this field in clear, name it under `fields` in `vaultwatch.yml`"
            .to_owned()
    });
    Diagnostic::error(Code::HmacPlaintext, span, message).label("this can never match").help(help)
}

/// Whether the test can hold for no HMAC, and for nothing that is in clear in such a place.
fn is_plain(test: &Test, only_text: bool) -> bool {
    match test {
        Test::Pattern(pattern) => !may_be_hmac(pattern) && (only_text || !may_be_clear(pattern)),
        Test::Regex(test) => !may_match_hmac(test),
        Test::Number(_) | Test::Compare(..) => only_text,
        Test::Cidr(_) => true,
        Test::Null | Test::Exists(_) | Test::FieldRef(_) | Test::TimePart(..) => false,
    }
}

/// Numbers, booleans and the empty text are as they are.
fn may_be_clear(pattern: &Pattern) -> bool {
    let literals = literals(pattern);
    let numeric = |text: &str| text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'-' | b'+' | b'e'));
    literals.iter().all(|text| numeric(text) || "true".contains(text) || "false".contains(text) || is_number(text))
}

fn is_number(text: &str) -> bool {
    Number::parse(text).is_some()
}

/// Whether every literal of the pattern may stand in an HMAC.
fn may_be_hmac(pattern: &Pattern) -> bool {
    let [Part::Literal(whole)] = pattern.parts.as_slice() else {
        return literals(pattern).into_iter().all(may_stand_in_hmac);
    };
    whole.strip_prefix(PREFIX).is_some_and(|digits| digits.len() == DIGITS && is_hexadecimal(digits))
}

fn literals(pattern: &Pattern) -> Vec<&str> {
    let literal = |part: &'_ Part| match part {
        Part::Literal(_) => true,
        Part::AnyRun | Part::AnyChar => false,
    };
    let texts = pattern.parts.iter().filter(|part| literal(part));
    texts.filter_map(|part| if let Part::Literal(text) = part { Some(text.as_str()) } else { None }).collect()
}

/// A piece of the prefix, digits, or the end of the prefix with digits behind it.
fn may_stand_in_hmac(text: &str) -> bool {
    let behind_prefix = (0..PREFIX.len()).filter_map(|at| PREFIX.get(at..)).find_map(|end| text.strip_prefix(end));
    PREFIX.contains(text) || is_hexadecimal(text) || behind_prefix.is_some_and(is_hexadecimal)
}

fn is_hexadecimal(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// Whether an expression may match an HMAC, or something in clear: tried on a few, and trusted where it looks for
/// digits of its own.
fn may_match_hmac(test: &RegexTest) -> bool {
    let digits = ["0123456789abcdef", "f0e1d2c3b4a59687", "aaaaaaaabbbbbbbb", "9e107d9d372bb682"];
    let samples = digits.map(|digits| format!("{PREFIX}{}", digits.repeat(DIGITS / digits.len())));
    let clear = ["", "0", "1", "42", "3600", "true", "false"];
    let written = test.pattern.to_lowercase();
    written.contains("hmac")
        || written.bytes().filter(u8::is_ascii_alphabetic).all(|letter| letter <= b'f')
        || samples.iter().any(|sample| test.regex.is_match(sample))
        || clear.iter().any(|text| test.regex.is_match(text))
}
