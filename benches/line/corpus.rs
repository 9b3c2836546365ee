//! What the benchmarks run on: the captured lines, the rules that ship, and a payload as large as they come.

use std::fs;
use std::path::Path;

use vaultwatch::cli::pack::pack;
use vaultwatch::correlate::HashKey;
use vaultwatch::detect::RuleSet;
use vaultwatch::payload::LogStream;
use vaultwatch::pipeline::Analytics;
use vaultwatch::{rule, rule_files};

/// The largest event of an asynchronous invocation, in bytes.
const LARGEST_EVENT: usize = 1 << 20;

/// Traffic that no rule is about.
const BENIGN: [&str; 2] = ["10-benign-kv-traffic", "21-kv2-mass-read-enumeration"];

/// A root token at work.
const ALERTING: &str = "04-root-token-use";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// As many rules as the limits were set for, about single events that are rare.
const DOZEN: [&str; 12] = [
    "root_token_used",
    "root_token_minted",
    "root_generation_activity",
    "policy_written",
    "identity_alias_write",
    "wrapping_token_invalid_unwrap",
    "mount_or_auth_disabled",
    "audit_device_enabled",
    "audit_device_disabled",
    "transit_key_exported",
    "raft_snapshot_taken",
    "auth_method_enabled_or_reconfigured",
];

/// All rules that ship, base rules among them that match in most lines.
pub(crate) fn rules() -> RuleSet {
    let sources = rule_files::read(&root().join("rules")).unwrap();
    RuleSet::compile(rule::read(&sources).rules)
}

/// A dozen of them.
pub(crate) fn dozen_rules() -> RuleSet {
    let sources = rule_files::read(&root().join("rules")).unwrap();
    let mut rules = rule::read(&sources).rules;
    rules.retain(|rule| DOZEN.contains(&rule.header.name.as_str()));
    assert_eq!(rules.len(), DOZEN.len());
    RuleSet::compile(rules)
}

/// Everything that ships and raises alerts.
pub(crate) fn analytics() -> Analytics {
    let reading = rule::read(&rule_files::read(&root().join("rules")).unwrap());
    Analytics::of(reading, HashKey::default())
}

/// Every captured line.
pub(crate) fn lines() -> Vec<String> {
    let mut files: Vec<_> =
        fs::read_dir(root().join("tests/corpus")).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "jsonl"));
    files.sort();
    let texts = files.iter().map(|path| fs::read_to_string(path).unwrap());
    texts.flat_map(|text| text.lines().map(str::to_owned).collect::<Vec<_>>()).collect()
}

/// A payload of nearly 1 MB: something to alert on, and then benign lines in which every id, HMAC and fraction of a
/// second is another one each time, so that it shrinks as a real log does.
pub(crate) fn large_payload() -> String {
    let benign: String = BENIGN.into_iter().map(captured).collect();
    let mut digits = Digits(0x9e37_79b9_7f4a_7c15);
    let mut log = captured(ALERTING);
    let mut packed = String::new();
    loop {
        for _ in 0..5 {
            log.push_str(&scrambled(&benign, &mut digits));
        }
        let larger = pack(log.as_bytes(), &LogStream::default()).unwrap().event;
        if larger.len() > LARGEST_EVENT {
            return packed;
        }
        packed = larger;
    }
}

fn captured(name: &str) -> String {
    fs::read_to_string(root().join(format!("tests/corpus/{name}.jsonl"))).unwrap()
}

/// The same text with other digits in every run of at least eight hexadecimal ones. The first one stays, so that no
/// number begins with a zero.
fn scrambled(text: &str, digits: &mut Digits) -> String {
    let mut output = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(|character: char| character.is_ascii_hexdigit()) {
        let (before, run) = rest.split_at(start);
        output.push_str(before);
        let end = run.find(|character: char| !character.is_ascii_hexdigit()).unwrap_or(run.len());
        let (run, after) = run.split_at(end);
        let radix = if run.bytes().all(|byte| byte.is_ascii_digit()) { 10 } else { 16 };
        if run.len() < 8 {
            output.push_str(run);
        } else {
            output.extend(run.chars().take(1));
            output.extend(run.chars().skip(1).map(|_| digits.next(radix)));
        }
        rest = after;
    }
    output + rest
}

/// The same digits in every run.
struct Digits(u64);

impl Digits {
    fn next(&mut self, radix: u32) -> char {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        let digit = u32::try_from((self.0 >> 32) % u64::from(radix)).unwrap();
        char::from_digit(digit, radix).unwrap()
    }
}
