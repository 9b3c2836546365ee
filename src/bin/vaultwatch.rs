//! The command line: parse, run, exit code.

use std::env;
use std::io::{self, BufWriter, IsTerminal};
use std::process::ExitCode;

use anstream::{AutoStream, ColorChoice};
use clap::Parser;
use vaultwatch::cli::{self, Args, Console, Output};

fn main() -> ExitCode {
    let args = Args::parse();
    let stdout = io::stdout();
    let stderr = io::stderr();
    let unicode = locale_is_utf8();
    let mut console = Console {
        stdin: &mut io::stdin(),
        stdout: Output {
            terminal: stdout.is_terminal(),
            color: AutoStream::choice(&stdout) != ColorChoice::Never,
            unicode,
            writer: &mut BufWriter::new(stdout),
        },
        stderr: Output {
            terminal: stderr.is_terminal(),
            color: AutoStream::choice(&stderr) != ColorChoice::Never,
            unicode,
            writer: &mut io::stderr(),
        },
    };
    cli::run(args, &mut console).into()
}

/// Whether the locale's texts are UTF-8: the first of these variables that says anything decides.
#[expect(clippy::disallowed_methods, reason = "the locale is for programs that talk to people, not for the function")]
fn locale_is_utf8() -> bool {
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"]
        .into_iter()
        .find_map(|name| env::var(name).ok().filter(|value| !value.is_empty()));
    locale.is_some_and(|locale| {
        let locale = locale.to_ascii_lowercase();
        locale.contains("utf-8") || locale.contains("utf8")
    })
}
