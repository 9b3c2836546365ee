//! The command line: parse, run, exit code.

use std::io::{self, BufWriter, IsTerminal};
use std::process::ExitCode;

use anstream::{AutoStream, ColorChoice};
use clap::Parser;
use vaultwatch::cli::{self, Args, Console, Output};

fn main() -> ExitCode {
    let args = Args::parse();
    let stdout = io::stdout();
    let stderr = io::stderr();
    let mut console = Console {
        stdin: &mut io::stdin(),
        stdout: Output {
            terminal: stdout.is_terminal(),
            color: AutoStream::choice(&stdout) != ColorChoice::Never,
            writer: &mut BufWriter::new(stdout),
        },
        stderr: Output {
            terminal: stderr.is_terminal(),
            color: AutoStream::choice(&stderr) != ColorChoice::Never,
            writer: &mut io::stderr(),
        },
    };
    cli::run(args, &mut console).into()
}
