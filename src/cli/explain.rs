//! `vaultwatch explain`: why a rule matches an event, or does not.

use super::event::{EventArg, NamedEvent};
use super::failure::Failure;
use super::rules::RulesArgs;
use super::{Console, ExitStatus, Format};
use crate::alert::{AuditFacts, Redactor, facts};
use crate::audit::{AuditEvent, Buffers};
use crate::detect::trace::Trace;
use crate::detect::{RuleId, RuleSet};
use crate::diagnostic::{Sources, Span};
use crate::rule::Rule;

pub(super) use choice::RuleError;

mod choice;
mod report;
pub(super) mod tree;
mod words;

/// Show why a rule matches an event, or why it does not
///
/// Draws what became of every part of the rule: its condition, its searches, their items, and each value that they
/// ask for, with what the event has there and why it does not match. It is the very evaluation that the Lambda
/// function runs, recorded. Nothing in it is secret, whatever the log holds.
#[derive(Debug, clap::Args)]
#[command(after_long_help = MORE)]
pub(super) struct ExplainArgs {
    /// A rule: its name, its id, or its file
    #[arg(value_name = "RULE")]
    rule: String,
    /// An event: a JSON file, a line of an audit log (`audit.log:12`), a log event of a subscription payload
    /// (`event.json:3`), `-` for standard input, or the name of an event that comes with the program
    #[arg(value_name = "EVENT")]
    event: EventArg,
    #[command(flatten)]
    rules: RulesArgs,
    /// How it is told: as a tree, or as a JSON object
    #[arg(long, value_enum, default_value_t = Format::Text, hide_possible_values = true, value_name = "text|json")]
    format: Format,
}

const MORE: &str = "Exit codes:\n  \
    0  the rule matches the event\n  \
    1  it does not\n  \
    2  it could not run\n\n\
    Examples:\n  \
    vaultwatch explain root_token_used audit.log:12\n  \
    vaultwatch explain my_rule.yml event.json\n  \
    tail -1 audit.log | vaultwatch explain policy_written - --format json";

/// A rule on an event, and what came of it.
struct Explained<'e> {
    rule: &'e Rule,
    sources: &'e Sources,
    event_name: &'e str,
    event: AuditEvent<'e>,
    facts: AuditFacts,
    redactor: Redactor,
    trace: Trace<'e>,
}

pub(super) fn run(args: &ExplainArgs, console: &mut Console<'_>) -> Result<ExitStatus, Failure> {
    let named = args.event.read(console.stdin)?;
    let chosen = choice::choose(&args.rule, args.rules.path.as_deref(), console)?;
    let rules = RuleSet::compile(chosen.rules);
    let mut buffers = Buffers::default();
    let event = named.audit_event(rules.fields(), &mut buffers)?;
    let Some(explained) = explain(&rules, chosen.id, &chosen.sources, &named, event) else {
        return Err(RuleError::NothingLoads { file: args.rule.clone() }.into());
    };
    let stdout = &mut console.stdout;
    let text = match args.format {
        Format::Text => tree::whole(&explained, tree::Look { unicode: stdout.unicode, color: stdout.color }),
        Format::Json => report::json(&explained),
    };
    stdout.writer.write_all(text.as_bytes())?;
    Ok(if explained.trace.matched { ExitStatus::Clean } else { ExitStatus::Findings })
}

fn explain<'e>(
    rules: &'e RuleSet,
    id: RuleId,
    sources: &'e Sources,
    named: &'e NamedEvent,
    event: AuditEvent<'e>,
) -> Option<Explained<'e>> {
    Some(Explained {
        rule: rules.rule(id)?,
        sources,
        event_name: &named.name,
        facts: facts::gather(&event, &[]),
        redactor: Redactor::new(&event),
        trace: rules.trace(id, &event)?,
        event,
    })
}

impl Explained<'_> {
    /// The file and the line of a span, from 1.
    fn place(&self, span: &Span) -> (&str, usize) {
        let Some(source) = self.sources.get(span.source) else { return ("", 0) };
        let before = source.text.get(..span.bytes.start).unwrap_or_default();
        (&source.path, before.matches('\n').count() + 1)
    }

    /// What stands at a span.
    fn written(&self, span: &Span) -> &str {
        self.sources.get(span.source).and_then(|source| source.text.get(span.bytes.clone())).unwrap_or_default()
    }
}
