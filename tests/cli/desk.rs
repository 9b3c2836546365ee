//! A desk to work at: a directory of its own, and nothing of the machine's environment that changes what is said.

use std::fs;
use std::path::Path;
use std::process::Output;

use assert_cmd::Command;
use regex::Regex;
use tempfile::TempDir;

/// The rules that most sessions run with, so that they do not change with the ones that ship.
const ROOT_TOKEN_USED: &str = include_str!("rules/root_token_used.yml");
const POLICY_WRITTEN: &str = include_str!("rules/policy_written.yml");

pub(crate) struct Desk {
    directory: TempDir,
}

impl Desk {
    /// A directory with nothing in it.
    pub(crate) fn new() -> Self {
        Self { directory: TempDir::new().unwrap() }
    }

    /// A directory with two rules in it.
    pub(crate) fn with_rules() -> Self {
        Self::new().with("rules/root_token_used.yml", ROOT_TOKEN_USED).with("rules/policy_written.yml", POLICY_WRITTEN)
    }

    /// With one more file.
    pub(crate) fn with(self, path: &str, content: impl AsRef<[u8]>) -> Self {
        let path = self.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
        self
    }

    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    pub(crate) fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_vaultwatch"));
        command.args(words).env_clear().current_dir(self.path());
        command
    }

    pub(crate) fn run(&self, words: &[&str]) -> Output {
        self.command(words).output().unwrap()
    }

    pub(crate) fn pipe(&self, words: &[&str], stdin: impl Into<Vec<u8>>) -> Output {
        self.command(words).write_stdin(stdin).output().unwrap()
    }

    /// A command with everything that it writes.
    pub(crate) fn session(&self, words: &[&str]) -> String {
        transcript(words, &self.run(words))
    }

    /// The same, with something on standard input.
    pub(crate) fn piped_session(&self, words: &[&str], stdin: impl Into<Vec<u8>>) -> String {
        transcript(words, &self.pipe(words, stdin))
    }
}

/// A captured audit log.
pub(crate) fn corpus(name: &str) -> String {
    fs::read_to_string(format!("tests/corpus/{name}.jsonl")).unwrap()
}

/// Some lines of a captured audit log, counted from 1.
pub(crate) fn lines(name: &str, numbers: &[usize]) -> String {
    let text = corpus(name);
    let lines: Vec<&str> = text.lines().collect();
    numbers.iter().flat_map(|number| [lines[number - 1], "\n"]).collect()
}

/// One of the recorded payloads.
pub(crate) fn event(name: &str) -> Vec<u8> {
    fs::read(format!("tests/events/{name}.json")).unwrap()
}

pub(crate) fn text(bytes: &[u8]) -> &str {
    str::from_utf8(bytes).unwrap()
}

pub(crate) fn transcript(words: &[&str], output: &Output) -> String {
    let duration = Regex::new(r"in \d+\.\d s").unwrap();
    let stderr = duration.replace_all(text(&output.stderr), "in 0.0 s");
    let divider = if stderr.is_empty() { "" } else { "[standard error]\n" };
    let command: Vec<&str> = ["$ vaultwatch"].iter().chain(words).copied().collect();
    format!(
        "{}\n{}{divider}{stderr}[exit {}]\n",
        command.join(" "),
        text(&output.stdout),
        output.status.code().unwrap()
    )
}
