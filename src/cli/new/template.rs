//! The text of a new rule file.

use std::fmt::Write;

use jiff::civil::Date;
use uuid::Uuid;

use super::seed::{Seed, Segment};

/// What the file is about.
pub(super) struct Stub<'a> {
    pub(super) name: &'a str,
    pub(super) tactic: Option<&'a str>,
    pub(super) id: Uuid,
    pub(super) date: Date,
    pub(super) seed: &'a Seed,
    /// Nobody gave an event: the search is there to show how it is done.
    pub(super) is_example: bool,
}

/// The whole file.
pub(super) fn write(stub: &Stub<'_>) -> String {
    let schema = if stub.tactic.is_some() { "../rule.schema.json" } else { "rule.schema.json" };
    let tags = stub.tactic.map_or_else(
        || "# tags:\n#   - attack.persistence\n#   - attack.t1098\n".to_owned(),
        |tactic| format!("tags:\n  - attack.{tactic}\n  # - attack.t1098\n"),
    );
    format!(
        "# yaml-language-server: $schema={schema}\n\
         title: {title}\n\
         id: {id}\n\
         name: {name}\n\
         # In shadow: it matches and is counted, and publishes nothing. `test`, then `stable`, once it is proven.\n\
         status: experimental\n\
         # description: >\n\
         #   What it means when this happens, and what an attacker gains by it.\n\
         # references:\n\
         #   - https://developer.hashicorp.com/vault/docs\n\
         # author: who to ask\n\
         date: {date}\n\
         logsource:\n  product: vault\n  service: audit\n\
         detection:\n{search}  condition: selection\n\
         # falsepositives:\n\
         #   - who does this, and is in the right\n\
         level: medium\n\
         {tags}\
         # alert:\n\
         #   runbook:\n\
         #     - \"What to do first.\"\n\
         tests:\n{tests}",
        title = title(stub.name),
        id = stub.id,
        name = stub.name,
        date = stub.date,
        search = search(stub),
        tests = tests(stub.seed),
    )
}

/// `root_token_used` -> `Root token used`
fn title(name: &str) -> String {
    let text = name.replace('_', " ");
    let text = text.trim();
    let mut characters = text.chars();
    match characters.next() {
        Some(first) => scalar(&first.to_uppercase().chain(characters).collect::<String>()),
        None => scalar(name),
    }
}

fn search(stub: &Stub<'_>) -> String {
    let seed = stub.seed;
    let mut lines = String::from("  selection:\n");
    if stub.is_example {
        lines.push_str("    # An example. `vaultwatch fields` lists what there is to look for.\n");
    }
    let mut line = |key: &str, value: String| {
        // Writing to a string cannot fail.
        let _ = writeln!(lines, "    {key}: {value}");
    };
    if let Some(entry_type) = &seed.entry_type {
        line("type", pattern(entry_type));
    }
    if let Some(mount_type) = &seed.mount_type {
        line("derived.mount_type", pattern(mount_type));
    }
    if let Some(path) = path(&seed.path, "*", escaped) {
        line("request.path", scalar(&path));
    }
    match seed.operation.as_deref() {
        // Vault logs most writes as updates, of new things as well.
        Some("create" | "update") => line("request.operation", "[create, update]".to_owned()),
        Some(operation) => line("request.operation", pattern(operation)),
        None => {}
    }
    if let Some(error) = &seed.error {
        line("error|contains", pattern(error));
    }
    if *seed == Seed::default() {
        line("type", "request".to_owned());
    }
    lines
}

/// One event that fires, and the same with another operation.
fn tests(seed: &Seed) -> String {
    let other = if seed.operation.as_deref() == Some("read") { "list" } else { "read" };
    let fires = event(seed, seed.operation.as_deref());
    let misses = match seed.like {
        Some(like) => format!("    like: {like}\n    event: {{request.operation: {other}}}\n"),
        None => event(seed, Some(other)),
    };
    format!(
        "  - name: this should alert\n{fires}    expect: match\n  \
         - name: a {other} of the same path should not\n{misses}    expect: no match\n"
    )
}

fn event(seed: &Seed, operation: Option<&str>) -> String {
    if let Some(like) = seed.like {
        return format!("    like: {like}\n");
    }
    let path = path(&seed.path, "0", str::to_owned);
    let values = [
        ("type", Some(seed.entry_type.as_deref().unwrap_or("request"))),
        ("request.mount_type", seed.mount_type.as_deref()),
        ("request.path", path.as_deref()),
        ("request.operation", operation),
        ("error", seed.error.as_deref()),
    ];
    let lines = values.into_iter().filter_map(|(key, value)| Some(format!("      {key}: {}\n", scalar(value?))));
    format!("    event:\n{}", lines.collect::<String>())
}

/// The path with something else in the place of its ids.
fn path(segments: &[Segment], id: &str, name: impl Fn(&str) -> String) -> Option<String> {
    let written = segments.iter().map(|segment| match segment {
        Segment::Name(text) => name(text),
        Segment::Id => id.to_owned(),
    });
    (!segments.is_empty()).then(|| written.collect::<Vec<_>>().join("/"))
}

/// The text with its wildcards as the characters that they are.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('*', "\\*").replace('?', "\\?")
}

fn pattern(text: &str) -> String {
    scalar(&escaped(text))
}

/// What YAML, 1.1 included, takes for something else than a text.
const YAML_WORDS: [&str; 9] = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"];

/// A text as YAML: bare where nobody could take it for anything else.
fn scalar(text: &str) -> String {
    let is_word = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-./ ".contains(&byte));
    let is_sure = text.starts_with(|first: char| first.is_ascii_alphabetic()) && is_word(text);
    let means_more = YAML_WORDS.iter().any(|word| text.eq_ignore_ascii_case(word));
    if is_sure && !means_more && !text.ends_with(' ') {
        return text.to_owned();
    }
    if text.chars().any(char::is_control) {
        // JSON's strings are YAML's.
        return serde_json::Value::from(text).to_string();
    }
    format!("'{}'", text.replace('\'', "''"))
}
