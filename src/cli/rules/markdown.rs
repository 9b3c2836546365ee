//! The rules as a page: an introduction, a table a tactic, the base rules, and what of ATT&CK is covered.

use std::collections::HashMap;

use super::catalogue::{Catalogue, CoveredTactic, Entry, ListedProfile};
use crate::attack::TACTICS;
use crate::cli::render::counted;

/// What stands above the tables.
const INTRODUCTION: &str = "\
The file of a rule says what a match means, when it is harmless and what to do, and brings its tests along.
To change a rule, change its tests with it: `vaultwatch check FILE` finds mistakes, and `vaultwatch test --mutate FILE` \
runs the tests and lists changes to the rule that none of them notices.
To leave out what is usual at your place, write a filter or fill a value list, and leave the rule as it is.

A rule that needs *request entries* sees nothing if the log, or the subscription's filter pattern, leaves those out.
One that needs the *root namespace* looks for what no other namespace has; on HCP, that one is HashiCorp's.
";

/// What stands above the table of the profiles.
const PROFILES: &str = "\
Which rules and filters are in force depends on where Vault runs.
The file `vaultwatch.yml` chooses; the function's variable `VAULTWATCH_PROFILE` and the option `--profile` of the command \
line choose otherwise.
A rule that needs a profile is in force in no other.

";

/// The page, with links relative to the directory of the rules.
pub(super) fn page(catalogue: &Catalogue<'_>) -> String {
    let files: Files<'_> = catalogue.rules.iter().map(|entry| (entry.name, entry.file.as_str())).collect();
    let (alerting, base) = catalogue.numbers();
    let base = match base {
        0 => String::new(),
        some => format!(", and {} for correlations", counted(some, "base rule", "base rules")),
    };
    let mut page = format!(
        "# Rules\n\n<!-- Written by `vaultwatch rules --format markdown`: change the rules, not this file. -->\n\n\
         {} by ATT&CK tactic{base}.\n{INTRODUCTION}",
        counted(alerting, "rule", "rules")
    );
    let profiles = catalogue.profiles.iter().map(|profile| profile_row(profile, &files));
    page += &section("Profiles", PROFILES, ["profile", "what it is for", "without"], profiles);
    let entries = || catalogue.rules.iter();
    for (tag, heading) in TACTICS.iter().map(|tactic| (Some(&tactic.tag), tactic.name)).chain([(None, "Other")]) {
        let listed = entries().filter(|entry| entry.alerts && entry.tactics.first() == tag);
        let columns = ["rule", "level", "what happened", "techniques", "needs"];
        page += &section(heading, "", columns, listed.map(|entry| alerting_row(entry, &files)));
    }
    let base = entries().filter(|entry| !entry.alerts).map(|entry| base_row(entry, &files));
    let about = "They never alert by themselves: correlations look at them.\n\n";
    page += &section("Base rules", about, ["rule", "what happened", "needs", "seen by"], base);
    let about = format!(
        "Which techniques of ATT&CK {} the rules that alert are about, and how many rules each has.\n\
         `vaultwatch rules --format navigator` writes this as a layer for the \
         [ATT&CK Navigator](https://mitre-attack.github.io/attack-navigator/).\n\n",
        catalogue.attack.version
    );
    page + &section(
        "ATT&CK",
        &about,
        ["tactic", "rules", "techniques"],
        catalogue.attack.tactics.iter().map(tactic_row),
    )
}

/// The files of the rules, by name.
type Files<'c> = HashMap<&'c str, &'c str>;

/// A table under a heading; nothing if it has no rows.
fn section<const COLUMNS: usize>(
    heading: &str,
    about: &str,
    columns: [&str; COLUMNS],
    rows: impl Iterator<Item = String>,
) -> String {
    let rows: String = rows.collect();
    if rows.is_empty() {
        return rows;
    }
    let line = "---|".repeat(COLUMNS);
    format!("\n## {heading}\n\n{about}{}|{line}\n{rows}", row(&columns.map(str::to_owned)))
}

fn row(cells: &[String]) -> String {
    format!("| {} |\n", cells.join(" | "))
}

fn alerting_row(entry: &Entry<'_>, files: &Files<'_>) -> String {
    let status = if entry.status == "stable" { String::new() } else { format!(", {}", entry.status) };
    row(&[
        rule(entry.name, files),
        format!("{}{status}", entry.level),
        escaped(entry.title),
        entry.techniques.iter().map(|id| technique(id)).collect::<Vec<_>>().join(", "),
        needs(entry, files),
    ])
}

fn base_row(entry: &Entry<'_>, files: &Files<'_>) -> String {
    row(&[rule(entry.name, files), escaped(entry.title), needs(entry, files), rules(&entry.seen_by, files)])
}

fn profile_row(profile: &ListedProfile<'_>, files: &Files<'_>) -> String {
    let default = if profile.default { ", unless another one is chosen" } else { "" };
    let without: Vec<&str> = profile.without.iter().map(String::as_str).collect();
    row(&[
        format!("`{}`{default}", profile.name),
        escaped(&profile.description.unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ")),
        rules(&without, files),
    ])
}

fn tactic_row(tactic: &CoveredTactic<'_>) -> String {
    let techniques = tactic.techniques.iter().map(|(id, rules)| format!("{} ({})", technique(id), rules.len()));
    row(&[
        format!("[{}](https://attack.mitre.org/tactics/{}/)", tactic.name, tactic.id),
        tactic.rules.to_string(),
        techniques.collect::<Vec<_>>().join(", "),
    ])
}

/// What must be there before it can match; for a correlation, what it looks at.
fn needs(entry: &Entry<'_>, files: &Files<'_>) -> String {
    let correlation = entry.correlation.as_ref().map(|correlation| {
        let looked_at: Vec<&str> = correlation.rules.iter().map(String::as_str).collect();
        format!("{} in {} of {}", correlation.kind, correlation.timespan, rules(&looked_at, files))
    });
    let needs = entry.needs.iter().map(|&word| word.to_owned());
    correlation.into_iter().chain(entry.in_profiles()).chain(needs).collect::<Vec<_>>().join("; ")
}

fn rules(names: &[&str], files: &Files<'_>) -> String {
    names.iter().map(|name| rule(name, files)).collect::<Vec<_>>().join(", ")
}

fn rule(name: &str, files: &Files<'_>) -> String {
    match files.get(name) {
        Some(file) if file.contains([' ', '(', ')']) => format!("[`{name}`](<{file}>)"),
        Some(file) => format!("[`{name}`]({file})"),
        None => format!("`{name}`"),
    }
}

fn technique(id: &str) -> String {
    format!("[{id}](https://attack.mitre.org/techniques/{}/)", id.replace('.', "/"))
}

/// The text as the cell of a table, with nothing in it that Markdown acts upon.
fn escaped(text: &str) -> String {
    let escape = |character: char| match character {
        '|' | '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '&' => format!("\\{character}"),
        other => other.to_string(),
    };
    text.chars().map(escape).collect()
}
