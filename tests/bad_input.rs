//! A directory of files that are no rules, among which is one that is: each is told of, and nothing takes long or much.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value as Json;
use tempfile::TempDir;

use crate::lambda::{Answer, Lambda, in_seconds, subscription_event};
use crate::topic::Topic;

/// What a process may have: processor time in seconds, and address space in KiB.
///
/// The binaries under test are not optimised; what is not bounded takes hours and gigabytes.
const MOST_SECONDS: u32 = 20;
const MOST_MEMORY: u32 = 1 << 20;

const GOOD: &str = "\
title: Somebody used a root token
id: 3d7a4c0e-8a42-4d0c-9b1e-5f5d3a1c7e01
name: good
status: stable
logsource: {product: vault, service: audit}
detection: {root: {type: request, auth.policies: root}, condition: root}
level: critical
";

/// A rule with this detection, indented by two.
fn rule(name: &str, detection: &str) -> Vec<u8> {
    let detection = detection.trim_end().replace('\n', "\n  ");
    let number = name.bytes().fold(7, |hash: u64, byte| hash.wrapping_mul(31).wrapping_add(byte.into())) % 1_000_000;
    format!(
        "title: {name}\nid: 00000000-0000-4000-8000-{number:012}\nname: {name}\n\
         logsource: {{product: vault, service: audit}}\nlevel: low\ndetection:\n  {detection}\n"
    )
    .into_bytes()
}

fn utf16(text: &str) -> Vec<u8> {
    [0xff, 0xfe].into_iter().chain(text.encode_utf16().flat_map(u16::to_le_bytes)).collect()
}

/// Nine lists, each of ten times the one before.
fn billion_laughs() -> Vec<u8> {
    let first = "a: &a [ha, ha, ha, ha, ha, ha, ha, ha, ha, ha]".to_owned();
    let next = "abcdefgh".chars().zip("bcdefghi".chars()).map(|(from, to)| {
        let references = vec![format!("*{from}"); 10].join(", ");
        format!("{to}: &{to} [{references}]")
    });
    let last = "detection: {x: {y: *i}, condition: x}\n".to_owned();
    std::iter::once(first).chain(next).chain([last]).collect::<Vec<_>>().join("\n").into_bytes()
}

/// Every file that must not load, with a code that says why.
fn bad() -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let long = |count: usize, part: &str| part.repeat(count);
    vec![
        ("broken.yml", b"title: [\n".to_vec(), "yaml-syntax"),
        ("large.yml", rule("large", &format!("x: {{a: '{}'}}\ncondition: x\n", long(10 << 20, "x"))), "file-too-large"),
        ("laughs.yml", billion_laughs(), "yaml-alias"),
        (
            "nested.yml",
            rule("nested", &format!("x: {}a: b{}\ncondition: x\n", long(5000, "{a: "), long(5000, "}"))),
            "yaml-too-deep",
        ),
        ("brackets.yml", long(100_000, "[").into_bytes(), "yaml-syntax"),
        (
            "parentheses.yml",
            rule("parentheses", &format!("x: {{a: b}}\ncondition: {}x{}\n", long(20_000, "("), long(20_000, ")"))),
            "too-complex",
        ),
        (
            "negations.yml",
            rule("negations", &format!("x: {{a: b}}\ncondition: {}x\n", long(20_000, "not "))),
            "too-complex",
        ),
        ("regex.yml", rule("regex", "x: {a|re: '((a{100}){100}){100}'}\ncondition: x\n"), "too-complex"),
        (
            "dashes.yml",
            rule("dashes", &format!("x: {{a|windash: '{}'}}\ncondition: x\n", long(40, " -a"))),
            "too-complex",
        ),
        ("utf16.yml", utf16(GOOD), "file-not-utf8"),
        ("latin1.yml", [b"title: caf\xe9\n".as_slice(), GOOD.as_bytes()].concat(), "file-not-utf8"),
        ("binary.yml", (0..=255).cycle().take(100_000).collect(), "file-not-utf8"),
        ("nul.yml", b"title: a\0b\n".to_vec(), "yaml-syntax"),
        ("empty.yml", Vec::new(), "no-rule"),
    ]
}

fn directory() -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    for (name, content, _) in bad() {
        fs::write(directory.path().join(name), content).unwrap();
    }
    let values: Vec<String> = (0..10_000).map(|number| format!("value-{number}")).collect();
    let many = rule("many", &format!("x:\n  type: request\n  request.path: [{}]\ncondition: x\n", values.join(", ")));
    fs::write(directory.path().join("many.yml"), many).unwrap();
    fs::write(directory.path().join("good.yml"), GOOD).unwrap();
    directory
}

/// Runs a program that ends by itself, or is stopped when it has used up what it may have.
fn bounded(directory: &Path, words: &[&str]) -> Output {
    let limited = format!("ulimit -t {MOST_SECONDS}; ulimit -v {MOST_MEMORY}; exec \"$0\" \"$@\"");
    let program = env!("CARGO_BIN_EXE_vaultwatch");
    Command::new("sh").args(["-c", &limited, program]).args(words).current_dir(directory).env_clear().output().unwrap()
}

#[test]
fn check_tells_of_every_file_within_bounds() {
    let directory = directory();
    let output = bounded(directory.path(), &["check", ".", "--format", "json"]);
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    let stdout = String::from_utf8(output.stdout).unwrap();
    let found: Vec<Json> = stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    for (name, _, code) in bad() {
        let of_file = found.iter().filter(|found| found["place"]["file"].as_str().unwrap().ends_with(name));
        let codes: Vec<&str> = of_file.map(|found| found["code"].as_str().unwrap()).collect();
        assert!(codes.contains(&code), "{name}: {codes:?}, not {code}");
    }
    let errors = found.iter().filter(|found| found["severity"] == "error");
    let good: Vec<&Json> = errors
        .filter(|found| {
            ["good.yml", "many.yml"].iter().any(|name| found["place"]["file"].as_str().unwrap().ends_with(name))
        })
        .collect();
    assert_eq!(good, Vec::<&Json>::new(), "long lists of values are rules");
    assert!(stdout.len() < 1 << 20, "{} bytes", stdout.len());
}

#[test]
fn each_file_alone_is_told_of_for_people() {
    for (name, content, code) in bad() {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join(name), content).unwrap();
        let output = bounded(directory.path(), &["check", name, "--deny", "warnings"]);
        let told = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        assert_eq!(output.status.code(), Some(1), "{name}: {told}");
        assert!(told.contains(&format!("[{code}]")), "{name}: {told}");
        assert!(told.len() < 100_000, "{name}: {} bytes", told.len());
    }
}

#[test]
fn the_function_runs_the_rules_that_are_good() {
    let directory = directory();
    let topic = Topic::start(vec![]);
    let endpoint = format!("http://{}", topic.address);
    let path = directory.path().display().to_string();
    let mut lambda = Lambda::start(&[
        ("VAULTWATCH_TOPIC_ARN", "arn:aws:sns:eu-central-1:123456789012:alerts"),
        ("VAULTWATCH_RULES", &path),
        ("AWS_ENDPOINT_URL", &endpoint),
        ("AWS_REGION", "eu-central-1"),
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
    ]);
    let event = subscription_event(&[crate::corpus::line("04-root-token-use.jsonl:1")]);
    assert_eq!(lambda.invoke(&event, in_seconds(60)), Answer::Success);
    let accepted = topic.accepted();
    let mut subjects: Vec<&str> = accepted.iter().map(|message| message.get("Subject")).collect();
    subjects.sort_unstable();
    assert_eq!(subjects, ["[vaultwatch] CRITICAL: Somebody used a root token", "[vaultwatch] HIGH: Rules do not load"]);
    let log = lambda.log();
    for (name, _, _) in bad().iter().filter(|(_, _, code)| *code != "no-rule") {
        let is_told = |line: &str| line.contains("a rule does not load") && line.contains(&format!("/{name}\""));
        assert!(log.lines().any(is_told), "{name} is not in\n{log}");
    }
}
