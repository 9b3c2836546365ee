//! One value of a detection item -> what satisfies it.

use std::net::{IpAddr, Ipv4Addr};

use ipnet::{IpNet, Ipv4Net};

use super::encoding;
use super::expression::{self, Allowance};
use super::key::{Base64, Chain, Operation, TextOperation};
use super::modifier::Modifier;
use super::pattern::{self, literal};
use super::report::Report;
use super::scalar::{self, Value};
use super::yaml::Scalar;
use super::{Anchor, Comparison, FieldRef, Number, Part, Test, TimePart};
use crate::diagnostic::{Code, Diagnostic};

/// What the values of one rule may cost, in bytes of text: a value with several dashes or alignments becomes many.
const MAX_COST: usize = 8 << 20;

/// What a value costs beside its text.
const COST_OF_ONE: usize = 64;

/// How many values there are, and how many bytes they have together.
#[derive(Clone, Copy, Default)]
pub(super) struct Size {
    pub(super) count: usize,
    pub(super) bytes: usize,
}

/// What the rest of a rule may still cost.
pub(super) struct Budget {
    cost: usize,
    exceeded: bool,
    expressions: Allowance,
}

impl Budget {
    pub(super) fn new() -> Self {
        Self { cost: MAX_COST, exceeded: false, expressions: Allowance::new() }
    }

    /// How many alternatives of `length` bytes may still be made.
    fn alternatives(&self, length: usize) -> usize {
        self.cost / (length + COST_OF_ONE)
    }

    /// Whether so many values may still be made, with this one; says once if not.
    pub(super) fn room(&mut self, report: &mut Report<'_>, scalar: &Scalar<'_>, size: Size) -> Option<()> {
        let cost = size.count.saturating_mul(COST_OF_ONE).saturating_add(size.bytes);
        if self.exceeded || cost > self.cost {
            self.exceed(report, scalar);
            return None;
        }
        Some(())
    }

    /// Takes the cost of `count` alternatives for this value; says once that it is too much.
    fn take(&mut self, report: &mut Report<'_>, scalar: &Scalar<'_>, count: usize) -> Option<()> {
        let affordable = count <= self.alternatives(scalar.text.len());
        if affordable {
            self.cost -= count * (scalar.text.len() + COST_OF_ONE);
            return Some(());
        }
        self.exceed(report, scalar);
        None
    }

    fn exceed(&mut self, report: &mut Report<'_>, scalar: &Scalar<'_>) {
        if !self.exceeded {
            self.exceeded = true;
            let message = "this rule has more values than a rule may hold";
            report.push(Diagnostic::error(Code::TooComplex, &scalar.span, message).label("the first one too many"));
        }
    }
}

/// Warns of a plain scalar that other tools read as something else.
pub(super) fn check_reading(report: &mut Report<'_>, scalar: &Scalar<'_>) {
    let other = if scalar.resolved { scalar::other_reading(&scalar.text) } else { None };
    if let Some(other) = other {
        let is_text = scalar.value() == Value::Text;
        let here = if is_text { "text" } else { "a decimal number" };
        let message = format!("`{}` is {here} here, and {other} to tools that read YAML 1.1", scalar.text);
        let diagnostic = Diagnostic::warning(Code::AmbiguousScalar, &scalar.span, message).label("quote it");
        // In quotes a number would be text.
        report.push(if is_text { diagnostic.fix(&scalar.span, format!("'{}'", scalar.text)) } else { diagnostic });
    }
}

/// The tests of which one must hold for this value; `None` if something is wrong with it.
pub(super) fn read(
    report: &mut Report<'_>,
    budget: &mut Budget,
    chain: &Chain,
    scalar: &Scalar<'_>,
) -> Option<Vec<Test>> {
    check_reading(report, scalar);
    let test = match &chain.operation {
        Operation::Text(text) => return exact_or_text(report, budget, chain, *text, scalar),
        Operation::Regex(flags) => {
            needs_text(report, chain, scalar)?;
            Test::Regex(expression::read(report, &mut budget.expressions, scalar, *flags)?)
        }
        Operation::Cidr => {
            needs_text(report, chain, scalar)?;
            Test::Cidr(network(report, scalar)?)
        }
        Operation::Exists => return None,
        Operation::Compare(comparison) => Test::Compare(*comparison, needs_number(report, chain, scalar)?),
        Operation::TimePart(part, comparison) => time_part(report, chain, *part, *comparison, scalar)?,
        Operation::FieldRef(anchor) => {
            needs_text(report, chain, scalar)?;
            Test::FieldRef(FieldRef { field: field_name(report, scalar)?, anchor: *anchor, cased: chain.cased })
        }
    };
    budget.take(report, scalar, 1)?;
    Some(vec![test])
}

/// A value under no modifier may be a number, a boolean or null; under those that look at text it is text.
fn exact_or_text(
    report: &mut Report<'_>,
    budget: &mut Budget,
    chain: &Chain,
    operation: TextOperation,
    scalar: &Scalar<'_>,
) -> Option<Vec<Test>> {
    let value = scalar.value();
    if value == Value::Text {
        let patterns = patterns(report, budget, operation, scalar)?;
        let anchor = operation.anchor;
        let cased = chain.cased || operation.base64.is_some();
        return Some(patterns.into_iter().map(|parts| Test::Pattern(pattern::pattern(parts, anchor, cased))).collect());
    }
    if !chain.modifiers.iter().all(|modifier| is_about_values(*modifier)) {
        needs_text(report, chain, scalar)?;
    }
    budget.take(report, scalar, 1)?;
    let test = match value {
        Value::Null => Test::Null,
        Value::Number(number) => Test::Number(number),
        Value::Bool(flag) => {
            Test::Pattern(pattern::pattern(vec![Part::Literal(flag.to_string())], Anchor::Whole, false))
        }
        Value::Inexact | Value::Text => return inexact(report, scalar),
    };
    Some(vec![test])
}

/// The alternatives that a text stands for, before folding and without the wildcards of its anchor.
pub(super) fn patterns(
    report: &mut Report<'_>,
    budget: &mut Budget,
    operation: TextOperation,
    scalar: &Scalar<'_>,
) -> Option<Vec<Vec<Part>>> {
    let parts = pattern::parts(&scalar.text);
    if parts.is_empty() && operation.anchor != Anchor::Whole {
        let message = "every text contains the empty one: this is always true";
        report.push(Diagnostic::error(Code::ModifierValue, &scalar.span, message));
        return None;
    }
    let written = if operation.windash {
        let Some(ways) = pattern::windash(&parts, budget.alternatives(scalar.text.len())) else {
            // More than there is room for, whatever the number.
            budget.take(report, scalar, usize::MAX)?;
            return None;
        };
        ways
    } else {
        vec![parts]
    };
    let alignments = if operation.base64 == Some(Base64::Offset) { 3 } else { 1 };
    budget.take(report, scalar, written.len() * alignments)?;
    if operation.base64.is_none() {
        return Some(written);
    }
    let mut encoded = Vec::with_capacity(written.len() * alignments);
    for parts in &written {
        encoded.extend(encode(report, operation, parts, scalar)?);
    }
    Some(encoded)
}

fn encode(
    report: &mut Report<'_>,
    operation: TextOperation,
    parts: &[Part],
    scalar: &Scalar<'_>,
) -> Option<Vec<Vec<Part>>> {
    let Some(text) = literal(parts) else {
        let message = "a wildcard has no Base64 form";
        report.push(
            Diagnostic::error(Code::ModifierValue, &scalar.span, message)
                .help("write `\\*` or `\\?` for the character itself; `contains` looks for parts of the text"),
        );
        return None;
    };
    let bytes = operation.utf16.map_or_else(|| text.as_bytes().to_vec(), |order| encoding::utf16(text, order));
    if operation.base64 == Some(Base64::Whole) {
        return Some(vec![vec![Part::Literal(encoding::base64(&bytes))]]);
    }
    let Some(alignments) = encoding::base64_offsets(&bytes) else {
        let message = "this is too short: at some offset no character of its Base64 form is its own";
        report.push(Diagnostic::error(Code::ModifierValue, &scalar.span, message));
        return None;
    };
    Some(alignments.map(|text| vec![Part::Literal(text)]).into())
}

fn kind(value: Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) | Value::Inexact => "a number",
        Value::Text => "text",
    }
}

/// The modifier that decides what values there may be.
fn deciding(chain: &Chain) -> &'static str {
    chain.modifiers.iter().find(|modifier| !is_about_values(**modifier)).map_or("", |modifier| modifier.name())
}

/// Whether a modifier says which values there are and how they are joined, and nothing about how one is compared.
fn is_about_values(modifier: Modifier) -> bool {
    matches!(modifier, Modifier::All | Modifier::Neq | Modifier::Expand)
}

pub(super) fn needs_text(report: &mut Report<'_>, chain: &Chain, scalar: &Scalar<'_>) -> Option<()> {
    let value = scalar.value();
    if value == Value::Text {
        return Some(());
    }
    let message = format!("`{}` needs text, and this is {}", deciding(chain), kind(value));
    let mut diagnostic = Diagnostic::error(Code::ModifierValue, &scalar.span, message).label(kind(value));
    if value != Value::Null {
        diagnostic = diagnostic.help(format!("put it into quotes: `'{}'`", scalar.text));
    }
    report.push(diagnostic);
    None
}

fn needs_number(report: &mut Report<'_>, chain: &Chain, scalar: &Scalar<'_>) -> Option<Number> {
    match scalar.value() {
        Value::Number(number) => Some(number),
        Value::Inexact => inexact(report, scalar),
        value => {
            let message = format!("`{}` needs a number, and this is {}", deciding(chain), kind(value));
            let mut diagnostic = Diagnostic::error(Code::ModifierValue, &scalar.span, message).label(kind(value));
            if matches!(scalar::resolve(&scalar.text), Value::Number(_)) {
                diagnostic = diagnostic.help("write it without quotes");
            }
            report.push(diagnostic);
            None
        }
    }
}

fn inexact<T>(report: &mut Report<'_>, scalar: &Scalar<'_>) -> Option<T> {
    let message = format!("`{}` is no number that can be compared exactly", scalar.text);
    report.push(Diagnostic::error(Code::InvalidNumber, &scalar.span, message));
    None
}

fn time_part(
    report: &mut Report<'_>,
    chain: &Chain,
    part: TimePart,
    comparison: Comparison,
    scalar: &Scalar<'_>,
) -> Option<Test> {
    let number = needs_number(report, chain, scalar)?;
    let range = match part {
        TimePart::Minute => 0..=59,
        TimePart::Hour => 0..=23,
        TimePart::Day => 1..=31,
        TimePart::Week => 1..=53,
        TimePart::Month => 1..=12,
        TimePart::Year => 0..=9999,
    };
    if matches!(number, Number::Integer(value) if range.contains(&value)) {
        return Some(Test::TimePart(part, comparison, number));
    }
    let name = deciding(chain);
    let message = format!("`{}` is no {name}", scalar.text);
    let help = format!("`{name}` is a whole number from {} to {}", range.start(), range.end());
    report.push(Diagnostic::error(Code::ModifierValue, &scalar.span, message).help(help));
    None
}

fn field_name(report: &mut Report<'_>, scalar: &Scalar<'_>) -> Option<String> {
    if scalar.text.is_empty() {
        report.push(Diagnostic::error(Code::ModifierValue, &scalar.span, "`fieldref` needs the name of a field"));
        return None;
    }
    Some(scalar.text.to_string())
}

/// A network in CIDR notation, or one address.
fn network(report: &mut Report<'_>, scalar: &Scalar<'_>) -> Option<IpNet> {
    let text = scalar.text.as_ref();
    let parsed = text.parse::<IpNet>().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from));
    let Some(network) = parsed else {
        let message = format!("`{text}` is no network");
        report.push(
            Diagnostic::error(Code::InvalidNetwork, &scalar.span, message)
                .help("write an address, or a network such as `10.0.0.0/8` or `2001:db8::/32`"),
        );
        return None;
    };
    let truncated = network.trunc();
    if truncated != network {
        let message = format!("`{text}` has bits set after its prefix");
        let help = format!("the network is `{truncated}`, the address alone `{}`", network.addr());
        report.push(Diagnostic::error(Code::InvalidNetwork, &scalar.span, message).help(help));
        return None;
    }
    Some(unmapped(network))
}

/// An IPv4-mapped IPv6 network is its IPv4 network, as addresses in events are.
fn unmapped(network: IpNet) -> IpNet {
    let IpNet::V6(mapped) = network else { return network };
    let address: Option<Ipv4Addr> = mapped.addr().to_ipv4_mapped();
    let prefix = mapped.prefix_len().checked_sub(96);
    match (address, prefix) {
        (Some(address), Some(prefix)) => Ipv4Net::new(address, prefix).map_or(network, IpNet::V4),
        _ => network,
    }
}
