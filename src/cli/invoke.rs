//! `vaultwatch invoke`: the Lambda function's work on one payload, in this process.

use std::time::Instant;

use tokio::runtime;

use super::failure::Failure;
use super::input::Input;
use super::render::{self, Outcome};
use super::replay::Replay;
use super::rule_set::{AlertsArgs, RulesArgs};
use super::{Console, Format, Output};
use crate::alert::{Alert, email, ocsf};
use crate::aws::config::Config;
use crate::aws::publisher::{Patience, Publication, Publisher};
use crate::aws::sdk;
use crate::aws::sns::SnsMessage;
use crate::deadline::Deadline;
use crate::payload::{self, DEFAULT_MAX_INFLATED, Limits, Message};

/// Run the Lambda function's pipeline on a subscription payload
///
/// Decodes the payload, evaluates the rules and writes each alert as it would be published: as the text of the
/// e-mail, or with `--format json` as OCSF. Nothing in it is secret, whatever the log holds. A failure record, as
/// the function's failure destination keeps it, is taken as well.
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(super) struct InvokeArgs {
    /// A subscription payload; `-` for standard input [default: a recorded one that comes with the program]
    #[arg(value_name = "EVENT.json")]
    event: Option<Input>,
    #[command(flatten)]
    rules: RulesArgs,
    #[command(flatten)]
    alerts: AlertsArgs,
    /// How alerts are written: blocks of text, or one OCSF Detection Finding a line
    #[arg(long, value_enum, default_value_t = Format::Text, hide_possible_values = true, value_name = "text|json")]
    format: Format,
    /// Where the log group is; the text then has links into the console of CloudWatch
    #[arg(long, env = "AWS_REGION", hide_env_values = true)]
    region: Option<String>,
    /// Publish the alerts, too: to the SNS topic in `VAULTWATCH_TOPIC_ARN`, with the credentials that the AWS tools
    /// would use
    #[arg(long)]
    publish: bool,
}

const EXAMPLES: &str = "Examples:\n  \
    vaultwatch invoke\n  \
    vaultwatch invoke event.json --format json | jq .severity\n  \
    vaultwatch pack audit.log | vaultwatch invoke -\n  \
    aws s3 cp s3://BUCKET/KEY - | vaultwatch invoke - --publish";

impl InvokeArgs {
    /// An empty variable counts as absent.
    fn region(&self) -> Option<&str> {
        self.region.as_deref().filter(|region| !region.is_empty())
    }
}

/// What is run where no payload is named: a root token at work among ordinary traffic.
const RECORDED: &[u8] = include_bytes!("../../tests/events/root-token-used.json");

pub(super) fn run(args: &InvokeArgs, console: &mut Console<'_>) -> Result<(), Failure> {
    let config = if args.publish { Some(Config::from_env()?) } else { None };
    let (name, event) = match &args.event {
        None => ("the recorded payload".to_owned(), RECORDED.to_vec()),
        Some(input) => (input.to_string(), input.read(console.stdin)?),
    };
    let rules = args.rules.load(console)?;
    let started = now();
    let refused = |error| Failure::Payload { name: name.clone(), error };
    let inflated = payload::inflate(&event, Limits { max_inflated: DEFAULT_MAX_INFLATED }).map_err(refused)?;
    let Message::Data(batch) = payload::read(&inflated).map_err(refused)? else {
        writeln!(console.stderr.writer, "{}", render::CONTROL_MESSAGE)?;
        return Ok(());
    };
    let (mut alerts, tally) = Replay::new(rules)?.batch(&batch)?;
    let mut outcome = Outcome { tally, ..Outcome::default() };
    alerts.retain(|alert| args.alerts.admit(alert));
    for alert in &alerts {
        outcome.count(alert);
    }
    write(&alerts, args, &mut console.stdout)?;
    console.stdout.writer.flush()?;
    writeln!(console.stderr.writer, "{}", outcome.summary(started.elapsed()))?;
    match config {
        Some(config) => publish(&alerts, args, config, console),
        None => Ok(()),
    }
}

fn write(alerts: &[Alert], args: &InvokeArgs, stdout: &mut Output<'_>) -> Result<(), Failure> {
    for (index, alert) in alerts.iter().enumerate() {
        match args.format {
            Format::Json => writeln!(stdout.writer, "{}", ocsf::to_json(alert))?,
            Format::Text => {
                let gap = if index == 0 { "" } else { "\n" };
                let letter = email::body(alert, args.region());
                write!(stdout.writer, "{gap}{}", render::letter(&letter, alert.level, stdout.color))?;
            }
        }
    }
    Ok(())
}

/// Publishes as the function does, nothing in shadow, without a deadline, and tells what came of it.
fn publish(alerts: &[Alert], args: &InvokeArgs, config: Config, console: &mut Console<'_>) -> Result<(), Failure> {
    let topic = config.topic.as_str().to_owned();
    let granted = alerts.iter().filter(|alert| !alert.analytic.shadow);
    let messages: Vec<SnsMessage> = granted.map(|alert| SnsMessage::of(alert, args.region())).collect();
    let runtime = runtime::Builder::new_current_thread().enable_all().build().map_err(Failure::Runtime)?;
    let publications = runtime.block_on(async {
        let sdk = sdk::on_a_desk(config.topic.region()).await;
        let publisher = Publisher::new(&sdk, config.topic, Patience::USUAL);
        publisher.publish(&messages, Deadline::NONE).await
    });
    let (published, failed): (Vec<Publication>, Vec<Publication>) =
        publications.into_iter().partition(|publication| publication.result.is_ok());
    let published = render::counted(published.len(), "alert", "alerts");
    writeln!(console.stderr.writer, "{published} published to {topic}")?;
    if failed.is_empty() { Ok(()) } else { Err(Failure::Publish(failed)) }
}

#[expect(clippy::disallowed_methods, reason = "the command line is the edge, and says how long it took")]
fn now() -> Instant {
    Instant::now()
}
