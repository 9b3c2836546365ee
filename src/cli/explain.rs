//! `vaultwatch explain`: why a rule matches an event, or does not, and why a correlation fires on a log, or does not.

use super::event::{EventArg, NamedEvent};
use super::failure::Failure;
use super::rule_set::RulesArgs;
use super::{Console, ExitStatus, Format};
use crate::alert::{AuditFacts, Redactor, facts};
use crate::audit::{AuditEvent, Buffers};
use crate::detect::trace::Trace;
use crate::detect::{RuleId, RuleSet};
use crate::diagnostic::{Sources, Span};
use crate::rule::{Reading, Rule};
use crate::rule_test::Ensemble;

pub(super) use choice::RuleError;
use choice::{Choice, Chosen};

mod choice;
mod report;
pub(super) mod tree;
pub(super) mod window;
mod words;

/// Show why a rule matches an event, or why it does not
///
/// Draws what became of every part of the rule: its condition, its searches, their items, and each value that they
/// ask for, with what the event has there and why it does not match. It is the very evaluation that the Lambda
/// function runs, recorded. Nothing in it is secret, whatever the log holds.
///
/// A correlation is explained on all lines of a log: for each group what its window held when it fired, or when it came
/// nearest to it, and what was missing.
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(super) struct ExplainArgs {
    /// A rule: its name, its id, or its file
    #[arg(value_name = "RULE")]
    rule: String,
    /// An event: a JSON file, a line of an audit log (`audit.log:12`), a log event of a subscription payload
    /// (`event.json:3`), `-` for standard input, or the name of an event that comes with the program; for a correlation
    /// also a whole log
    #[arg(value_name = "EVENT")]
    event: EventArg,
    #[command(flatten)]
    rules: RulesArgs,
    /// How it is told: as a tree, or as a JSON object
    #[arg(long, value_enum, default_value_t = Format::Text, hide_possible_values = true, value_name = "text|json")]
    format: Format,
}

const EXAMPLES: &str = "Examples:\n  \
    vaultwatch explain root_token_used audit.log:12\n  \
    vaultwatch explain my_rule.yml event.json\n  \
    tail -1 audit.log | vaultwatch explain policy_written - --format json\n  \
    vaultwatch explain my_correlation audit.log";

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
    let Chosen { sources, reading, choice } = choice::choose(&args.rule, &args.rules, console)?;
    match choice {
        Choice::Rule(place) => args.explain_rule(reading, RuleId::at(place), &sources, console),
        Choice::Correlation(place) => args.explain_correlation(&reading, place, &sources, console),
    }
}

impl ExplainArgs {
    fn explain_correlation(
        &self,
        reading: &Reading,
        place: usize,
        sources: &Sources,
        console: &mut Console<'_>,
    ) -> Result<ExitStatus, Failure> {
        let Some(correlation) = reading.correlations.get(place) else { return Err(self.nothing_loads()) };
        window::run(&Ensemble::of(correlation, reading), sources, &self.event, self.format, console)
    }

    fn explain_rule(
        &self,
        reading: Reading,
        id: RuleId,
        sources: &Sources,
        console: &mut Console<'_>,
    ) -> Result<ExitStatus, Failure> {
        let named = self.event.read(console.stdin)?;
        let rules = RuleSet::compile(reading.rules);
        let mut buffers = Buffers::default();
        let event = named.audit_event(rules.fields(), &mut buffers)?;
        let explained = explain(&rules, id, sources, &named, event).ok_or_else(|| self.nothing_loads())?;
        let stdout = &mut console.stdout;
        let text = match self.format {
            Format::Text => tree::whole(&explained, tree::Look { unicode: stdout.unicode, color: stdout.color }),
            Format::Json => report::json(&explained),
        };
        stdout.writer.write_all(text.as_bytes())?;
        Ok(if explained.trace.matched { ExitStatus::Clean } else { ExitStatus::Findings })
    }

    fn nothing_loads(&self) -> Failure {
        RuleError::NothingLoads { file: self.rule.clone() }.into()
    }
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
    /// What stands at a span.
    fn written(&self, span: &Span) -> &str {
        self.sources.get(span.source).and_then(|source| source.text.get(span.bytes.clone())).unwrap_or_default()
    }
}
