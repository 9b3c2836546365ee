//! `vaultwatch schema`: the JSON Schema of rule files.

use super::Console;
use super::failure::Failure;
use crate::lint;

/// Print the JSON Schema of rule files
///
/// Editors that know YAML complete and check a rule file while one types, if its first line points to this schema:
/// `# yaml-language-server: $schema=../rule.schema.json`. `vaultwatch check --fix` writes that line wherever there is a
/// `rule.schema.json` among the rules.
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(super) struct SchemaArgs {}

const EXAMPLES: &str = "Example:\n  vaultwatch schema > rules/rule.schema.json";

pub(super) fn run(SchemaArgs {}: &SchemaArgs, console: &mut Console<'_>) -> Result<(), Failure> {
    writeln!(console.stdout.writer, "{:#}", lint::schema::schema())?;
    Ok(())
}
