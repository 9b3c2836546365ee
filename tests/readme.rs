//! The README tells the truth: its tables are complete, and its commands print what it shows.

use std::fs;
use std::path::Path;

use assert_cmd::Command;
use tempfile::TempDir;

use vaultwatch::audit::derived::DerivedField;
use vaultwatch::diagnostic::Code;
use vaultwatch::rule::{self, Level, Reading};
use vaultwatch::rule_files;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

fn readme() -> String {
    fs::read_to_string(Path::new(ROOT).join("README.md")).expect("the README is there")
}

/// The rows of the table that begins with this header.
fn table(header: &str) -> Vec<String> {
    let readme = readme();
    let (_, rest) = readme.split_once(header).unwrap_or_else(|| panic!("no table {header}"));
    rest.lines().skip(2).take_while(|line| line.starts_with('|')).map(str::to_owned).collect()
}

/// The rules themselves are listed in `rules/README.md`, which is generated.
#[test]
fn it_counts_the_rules() {
    let sources = rule_files::read(&Path::new(ROOT).join("rules")).expect("the rules are there");
    let Reading { rules, correlations, .. } = rule::read(&sources);
    let levels = rules.iter().map(|rule| rule.header.level);
    let levels = levels.chain(correlations.iter().map(|correlation| correlation.header.level));
    let (base, others): (Vec<Level>, Vec<Level>) = levels.partition(|level| *level == Level::Informational);
    let expected =
        format!("{} rules that alert, one file each by ATT&CK tactic, and {} base rules", others.len(), base.len());
    assert!(readme().contains(&expected), "{expected}");
}

#[test]
fn every_derived_field_is_listed() {
    let expected = DerivedField::ALL.map(|field| format!("| `{}` | {} |", field.name(), field.description()));
    assert_eq!(table("| field | what it says |"), expected);
}

#[test]
fn every_code_is_listed() {
    let expected: Vec<String> =
        Code::ALL.iter().map(|code| format!("| `{}` | {} |", code.id(), code.about())).collect();
    assert_eq!(table("| code | meaning |"), expected);
}

/// A command and what it prints, standard error last.
struct Transcript {
    /// `from -> to`: what is changed in the README's rule before, from a comment above the block.
    change: Option<(String, String)>,
    arguments: Vec<String>,
    output: String,
}

fn transcripts(readme: &str) -> Vec<Transcript> {
    let blocks = readme.split("```console\n$ vaultwatch ").collect::<Vec<_>>();
    let above = blocks.iter().map(|block| block.trim_end().rsplit('\n').next().unwrap_or_default());
    let transcript = |(above, block): (&str, &&str)| {
        let (command, output) = block.split_once('\n').expect("a command and its output");
        let (output, _) = output.split_once("\n```").expect("the block ends");
        let change = above.strip_prefix("<!-- ").and_then(|comment| comment.strip_suffix(" -->"));
        let change = change.and_then(|change| change.split_once(" -> "));
        Transcript {
            change: change.map(|(from, to)| (from.to_owned(), to.to_owned())),
            arguments: command.split_whitespace().map(str::to_owned).collect(),
            output: untimed(output),
        }
    };
    above.zip(&blocks[1..]).map(transcript).collect()
}

/// The README's rule.
fn example_rule(readme: &str) -> &str {
    let (_, rest) = readme.split_once("```yaml\n").expect("there is a rule");
    rest.split_once("```").expect("the block ends").0
}

/// How long it took differs, and where the rule is.
fn untimed(text: &str) -> String {
    let line = |line: &str| match (line.split_once(" events in "), line.split_once(" s, ")) {
        (Some((count, _)), Some((_, alerts))) => format!("{count} events in some time, {alerts}"),
        _ => line.to_owned(),
    };
    text.trim_end().lines().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn its_commands_print_what_it_shows() {
    let readme = readme();
    let transcripts = transcripts(&readme);
    assert!(transcripts.len() >= 3, "the README shows {} commands", transcripts.len());
    for transcript in transcripts {
        let directory = TempDir::new().expect("a directory for the rule");
        let (from, to) = transcript.change.unwrap_or_default();
        let path = directory.path().join("app_secret_written.yml");
        fs::write(&path, example_rule(&readme).replacen(&from, &to, 1)).expect("the rule can be written");
        let path = path.display().to_string();
        let arguments = transcript.arguments.iter().map(|argument| argument.replace("app_secret_written.yml", &path));
        let output = Command::cargo_bin("vaultwatch")
            .expect("the binary is built")
            .args(arguments)
            .current_dir(ROOT)
            .env_remove("AWS_REGION")
            .env("LC_ALL", "C.UTF-8")
            .output()
            .expect("it runs");
        let shown = String::from_utf8([output.stdout, output.stderr].concat()).expect("it prints UTF-8");
        let shown = untimed(&shown.replace(&path, "app_secret_written.yml"));
        assert_eq!(shown, transcript.output, "\nshows now:\n{shown}\n");
    }
}
