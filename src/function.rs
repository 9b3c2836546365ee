//! The Lambda function: a subscription payload in, alerts out.

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::pin::Pin;

use jiff::Timestamp;
use lambda_runtime::{Diagnostic, LambdaEvent, service_fn};
use serde_json::value::RawValue;
use tokio::time::Instant;
use tracing::{debug, error, info, warn};

use crate::alert::Alert;
use crate::aws::config::{Config, ConfigError};
use crate::aws::deadline::Deadline;
use crate::aws::metric;
use crate::aws::publisher::{Patience, Publication, PublishError, Publisher};
use crate::aws::sdk;
use crate::aws::sns::SnsMessage;
use crate::detect::RuleSet;
use crate::diagnostic::{self, Severity, Sources};
use crate::payload::{self, Limits, LogBatch, Message, PayloadError};
use crate::pipeline::{self, Workspace};
use crate::rule::{self, Level};
use crate::rule_files::{self, RuleFilesError};
use crate::state::{Claim, Ledger};

/// How many alerts are written out at a time; a payload may raise thousands.
const ALERTS_AT_A_TIME: usize = 50;

/// Everything that lives as long as the process.
#[derive(Debug)]
pub struct Function {
    rules: RuleSet,
    /// The rule files of which not every rule loads.
    faulty: Vec<String>,
    limits: Limits,
    min_level: Level,
    region: Option<String>,
    publisher: Publisher,
    ledger: RefCell<Ledger>,
}

type Invocation<'f> = Pin<Box<dyn Future<Output = Result<(), Diagnostic>> + 'f>>;

/// Why the function cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The environment is wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// There are no rule files.
    #[error(transparent)]
    RuleFiles(#[from] RuleFilesError),
    /// There are rule files, and not one rule in them loads. Running on would watch nothing.
    #[error("no rule in `{}` loads", path.display())]
    NoRules {
        /// Where they were looked for.
        path: PathBuf,
    },
}

/// Why an invocation failed.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvocationError {
    /// The payload cannot be decoded: trying again will not help.
    #[error(transparent)]
    Payload(#[from] PayloadError),
    /// Some alerts are not published, everything else is done: trying again publishes exactly these.
    #[error("{failed} of {alerts} alerts are not published: {reason}")]
    Publish {
        /// How many are not.
        failed: usize,
        /// How many the payload raised.
        alerts: usize,
        /// Why the first of them is not.
        reason: PublishError,
    },
}

impl Function {
    /// Reads the rules and prepares the clients. Nothing is sent yet.
    ///
    /// Rules that do not load are logged, counted and alerted with the first events, and the others run.
    ///
    /// # Errors
    ///
    /// If there is not one rule to run.
    pub fn start(config: Config) -> Result<Self, StartError> {
        let (rules, faulty) = load_rules(&config.rules, &config.disabled_rules)?;
        metric::count("RuleFilesNotLoaded", faulty.len());
        info!(rules = rules.len(), "ready; published alerts are remembered in this process only");
        Ok(Self {
            rules,
            faulty,
            limits: config.limits,
            min_level: config.min_level,
            region: config.region,
            publisher: Publisher::new(&sdk::in_lambda(config.topic.region()), config.topic, Patience::USUAL),
            ledger: RefCell::new(Ledger::new()),
        })
    }

    /// Takes events from Lambda, one after the other, until the process is stopped.
    ///
    /// # Errors
    ///
    /// If Lambda's interface fails. An invocation that fails, or panics, is reported and does not end the process.
    pub async fn serve(self) -> Result<(), lambda_runtime::Error> {
        lambda_runtime::run(service_fn(|event| self.invoke(event))).await
    }

    /// One invocation. The future is boxed because the compiler cannot lay out the runtime's and the SDK's together.
    fn invoke(&self, event: LambdaEvent<Box<RawValue>>) -> Invocation<'_> {
        Box::pin(async move {
            let deadline = Deadline::of_invocation(event.context.deadline);
            self.handle(event.payload.get().as_bytes(), deadline).await.map_err(Diagnostic::from)
        })
    }

    /// Handles one invocation's event.
    ///
    /// # Errors
    ///
    /// If the payload cannot be decoded, or an alert is not published.
    pub async fn handle(&self, event: &[u8], deadline: Deadline) -> Result<(), InvocationError> {
        let started = Instant::now();
        let inflated = payload::inflate(event, self.limits)?;
        let Message::Data(batch) = payload::read(&inflated)? else {
            debug!("control message: nothing to do");
            return Ok(());
        };
        let detected = pipeline::detect(&self.rules, &batch, &mut Workspace::default());
        let tally = detected.tally;
        let (mut alerts, withheld) = self.withhold(pipeline::conclude(detected));
        alerts.extend(self.about_rules(&batch));
        let Outcome { published, already_published, failed, reason } = self.publish(&alerts, deadline).await;
        info!(
            events = tally.events,
            unreadable = tally.unreadable,
            untimed = tally.untimed,
            matches = tally.matches,
            alerts = alerts.len(),
            withheld,
            published,
            already_published,
            failed,
            inflated_bytes = inflated.size(),
            seconds = started.elapsed().as_secs_f64(),
            "batch done"
        );
        match reason {
            None => Ok(()),
            Some(reason) => Err(InvocationError::Publish { failed, alerts: alerts.len(), reason }),
        }
    }

    /// The alert about rules that do not load. It is raised with every batch, and published once a process.
    fn about_rules(&self, batch: &LogBatch<'_>) -> Option<Alert> {
        let shipped = batch.events.iter().find_map(|event| Timestamp::from_millisecond(event.timestamp?).ok())?;
        pipeline::rules_not_loaded(&self.faulty, shipped, &batch.stream)
    }

    /// The alerts that are to be published, and how many are not: those in shadow, and those below the least level.
    fn withhold(&self, mut alerts: Vec<Alert>) -> (Vec<Alert>, usize) {
        let raised = alerts.len();
        alerts.retain(|alert| {
            let withheld = alert.analytic.shadow || alert.level < self.min_level;
            if withheld {
                let level = alert.level.as_str();
                info!(alert = %alert.id, rule = alert.analytic.name, shadow = alert.analytic.shadow, level, "withheld");
            }
            !withheld
        });
        let withheld = raised - alerts.len();
        (alerts, withheld)
    }

    /// Publishes what was not published before. What fails is not settled, so that a retry publishes exactly that.
    async fn publish(&self, alerts: &[Alert], deadline: Deadline) -> Outcome {
        let is_granted = |alert: &&Alert| self.ledger.borrow().claim(alert.id) == Claim::Granted;
        let granted: Vec<&Alert> = alerts.iter().filter(is_granted).collect();
        let mut outcome = Outcome { already_published: alerts.len() - granted.len(), ..Outcome::default() };
        for alerts in granted.chunks(ALERTS_AT_A_TIME) {
            let messages: Vec<SnsMessage> =
                alerts.iter().map(|alert| SnsMessage::of(alert, self.region.as_deref())).collect();
            let publications = self.publisher.publish(&messages, deadline).await;
            for (alert, publication) in alerts.iter().zip(publications) {
                self.settle(alert, publication, &mut outcome);
            }
        }
        outcome
    }

    fn settle(&self, alert: &Alert, publication: Publication, outcome: &mut Outcome) {
        let (id, rule) = (publication.alert_id, alert.analytic.name.as_str());
        match publication.result {
            Ok(()) => {
                self.ledger.borrow_mut().settle(id);
                debug!(alert = %id, rule, "published");
                outcome.published += 1;
            }
            Err(reason) => {
                error!(alert = %id, rule, %reason, "not published");
                outcome.failed += 1;
                outcome.reason.get_or_insert(reason);
            }
        }
    }
}

/// What became of an invocation's alerts.
#[derive(Debug, Default)]
struct Outcome {
    published: usize,
    already_published: usize,
    failed: usize,
    /// Why the first one failed.
    reason: Option<PublishError>,
}

/// The types are stable: alarms and redrives tell poison from outages by them.
impl From<InvocationError> for Diagnostic {
    fn from(error: InvocationError) -> Self {
        let error_type = match &error {
            InvocationError::Payload(error) => format!("vaultwatch.payload.{}", error.stage()),
            InvocationError::Publish { .. } => "vaultwatch.publish".to_owned(),
        };
        Self { error_type, error_message: error.to_string() }
    }
}

impl From<&StartError> for Diagnostic {
    fn from(error: &StartError) -> Self {
        let error_type = match error {
            StartError::Config(_) => "vaultwatch.start.config",
            StartError::RuleFiles(_) | StartError::NoRules { .. } => "vaultwatch.start.rules",
        };
        Self { error_type: error_type.to_owned(), error_message: error.to_string() }
    }
}

/// The rules that load, and the files of which not every rule does.
fn load_rules(path: &Path, disabled: &[String]) -> Result<(RuleSet, Vec<String>), StartError> {
    let sources = rule_files::read(path)?;
    let mut reading = rule::read(&sources);
    for diagnostic in &reading.diagnostics {
        log_diagnostic(&sources, diagnostic);
    }
    for name in reading.disable(disabled) {
        warn!(name, "`VAULTWATCH_DISABLED_RULES` names no rule that loads");
    }
    if !reading.correlations.is_empty() {
        warn!(
            correlations = reading.correlations.len(),
            "correlation rules are not evaluated yet; the rules referred to alert by themselves"
        );
    }
    if reading.rules.is_empty() {
        return Err(StartError::NoRules { path: path.to_owned() });
    }
    let mut faulty: Vec<String> = reading
        .diagnostics
        .iter()
        .filter(|diagnostic| diagnostic.severity == Severity::Error)
        .filter_map(|diagnostic| Some(sources.get(diagnostic.span.source)?.path.clone()))
        .collect();
    faulty.sort_unstable();
    faulty.dedup();
    Ok((RuleSet::compile(reading.rules), faulty))
}

fn log_diagnostic(sources: &Sources, diagnostic: &diagnostic::Diagnostic) {
    let source = sources.get(diagnostic.span.source);
    let file = source.map_or("", |source| source.path.as_str());
    let before = source.and_then(|source| source.text.get(..diagnostic.span.bytes.start)).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    let code = diagnostic.code.id();
    let help = diagnostic.help.as_deref().or(diagnostic.code.help());
    match diagnostic.severity {
        Severity::Error => error!(file, line, code, help, problem = diagnostic.message, "a rule does not load"),
        Severity::Warning => warn!(file, line, code, help, problem = diagnostic.message, "a rule is probably wrong"),
    }
}
