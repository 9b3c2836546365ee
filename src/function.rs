//! The Lambda function: a subscription payload in, alerts out.

use std::cell::Cell;
use std::path::PathBuf;
use std::pin::Pin;

use jiff::Timestamp;
use lambda_runtime::{Diagnostic, LambdaEvent, service_fn};
use serde_json::value::RawValue;
use tokio::time::Instant;
use tracing::{debug, error, info, warn};

use crate::alert::{Alert, Subject};
use crate::aws::config::{Config, ConfigError};
use crate::aws::metric;
use crate::aws::publisher::{Patience, PublishError, Publisher};
use crate::aws::sdk;
use crate::aws::sns::SnsMessage;
use crate::correlate::{Contribution, Match};
use crate::deadline::Deadline;
use crate::diagnostic::{self, Severity, Sources};
use crate::payload::{self, Limits, LogBatch, Message, PayloadError};
use crate::pipeline::{self, Analytics, Workspace};
use crate::rule::{self, Level, UnknownProfile};
use crate::rule_files::{self, RuleFilesError};
use crate::state::{self, Claimed, DynamoDbStore, MemoryStore, Session, Settlement, StateError, Store};

/// How many alerts are written out at a time; a payload may raise thousands.
const ALERTS_AT_A_TIME: usize = 50;

/// Everything that lives as long as the process.
#[derive(Debug)]
pub struct Function {
    analytics: Analytics,
    /// The rule files of which not every rule loads.
    faulty: Vec<String>,
    limits: Limits,
    min_level: Level,
    region: Option<String>,
    publisher: Publisher,
    store: Box<dyn Store>,
    /// Whether the alert about `faulty` was published by this process.
    faults_told: Cell<bool>,
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
    /// The environment asks for a profile that the rules do not have. Another one would watch something else.
    #[error("`VAULTWATCH_PROFILE` does not fit the rules: {0}")]
    Profile(#[from] UnknownProfile),
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
    /// Some windows are not up to date. What single events raise is published nevertheless; trying again makes up for
    /// the rest.
    #[error("{failed} of {windows} windows are not up to date: {reason}")]
    State {
        /// How many are not.
        failed: usize,
        /// How many the payload touched.
        windows: usize,
        /// Why the first of them is not.
        reason: StateError,
    },
}

impl Function {
    /// Reads the rules and prepares the clients. Nothing is sent yet.
    ///
    /// Rules that do not load are logged, counted and alerted with the first events, and the others run.
    ///
    /// # Errors
    ///
    /// If there is not one rule to run, or not the profile that is asked for.
    pub fn start(config: Config) -> Result<Self, StartError> {
        let (analytics, faulty) = load_rules(&config)?;
        metric::count("RuleFilesNotLoaded", faulty.len());
        let sdk = sdk::in_lambda("SNS", config.topic.region());
        let store: Box<dyn Store> = match &config.table {
            Some(table) => {
                let here = sdk::in_lambda("DYNAMODB", config.region.as_deref().unwrap_or(config.topic.region()));
                Box::new(DynamoDbStore::new(&here, table, state::Patience::USUAL))
            }
            None => Box::new(MemoryStore::new()),
        };
        if let Some(table) = &config.table {
            info!(rules = analytics.len(), table, "ready");
        } else {
            warn!(
                rules = analytics.len(),
                "ready without a table: this process remembers for itself, so that correlations and suppression see \
                 what it sees, and end with it"
            );
        }
        Ok(Self {
            analytics,
            faulty,
            limits: config.limits,
            min_level: config.min_level,
            region: config.region,
            publisher: Publisher::new(&sdk, config.topic, Patience::USUAL),
            store,
            faults_told: Cell::new(false),
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
        let (started, requests) = (Instant::now(), self.store.requests());
        let inflated = payload::inflate(event, self.limits)?;
        let Message::Data(batch) = payload::read(&inflated)? else {
            debug!("control message: nothing to do");
            return Ok(());
        };
        let detected = pipeline::detect(&self.analytics, &batch, &mut Workspace::default());
        let tally = detected.tally;
        let describe = |told: &Contribution, found: &Match| pipeline::describe(&self.analytics, &batch, told, found);
        let mut session =
            Session::new(self.analytics.plan(), self.store.as_ref(), deadline, detected.newest, &describe);
        let mut correlated = session.correlate(detected.matches).await;
        session.look_after(&mut correlated).await;
        let messages = pipeline::together(&self.analytics, &correlated.claimed);
        let outcome = self.publish(&batch, &messages, deadline).await;
        let settled: Vec<(&Claimed, Settlement)> = outcome.settled(&messages).collect();
        correlated.failures.extend(session.settle(&settled).await);
        info!(
            events = tally.events,
            unreadable = tally.unreadable,
            untimed = tally.untimed,
            matches = tally.matches,
            without_value = correlated.without_value,
            windows = correlated.windows,
            conflicts = correlated.conflicts,
            requests = self.store.requests().since(requests).total(),
            windows_failed = correlated.failures.len(),
            alerts = outcome.alerts(),
            withheld = outcome.withheld,
            published = outcome.published,
            failed = outcome.failed,
            inflated_bytes = inflated.size(),
            seconds = started.elapsed().as_secs_f64(),
            "batch done"
        );
        if correlated.without_value > 0 {
            metric::count("MatchesWithoutGroup", correlated.without_value);
        }
        outcome.result()?;
        report(&correlated)
    }

    /// The alert about rules that do not load. It is raised with every batch until this process has published it.
    fn about_rules(&self, batch: &LogBatch<'_>) -> Option<Alert> {
        if self.faults_told.get() {
            return None;
        }
        let shipped = batch.events.iter().find_map(|event| Timestamp::from_millisecond(event.timestamp?).ok())?;
        pipeline::rules_not_loaded(&self.faulty, shipped, &batch.stream)
    }

    /// Whether an alert is not to be published: it is in shadow, or below the least level.
    fn withholds(&self, alert: &Alert) -> bool {
        let is_about_us = matches!(alert.subject, Subject::RulesNotLoaded { .. });
        let withheld = alert.analytic.shadow || alert.level < self.min_level && !is_about_us;
        if withheld {
            let level = alert.level.as_str();
            info!(alert = %alert.id, rule = alert.analytic.name, shadow = alert.analytic.shadow, level, "withheld");
        }
        withheld
    }

    /// Publishes what was claimed, and what there is to say of the rules.
    async fn publish(&self, batch: &LogBatch<'_>, messages: &[Vec<&Claimed>], deadline: Deadline) -> Publishing {
        let mut outcome = Publishing::default();
        for messages in messages.chunks(ALERTS_AT_A_TIME) {
            let alerts = messages.iter().filter_map(|told| pipeline::conclude(&self.analytics, batch, told));
            self.publish_some(&alerts.collect::<Vec<_>>(), deadline, &mut outcome).await;
        }
        if let Some(alert) = self.about_rules(batch) {
            let before = outcome.failed;
            self.publish_some(&[alert], deadline, &mut outcome).await;
            self.faults_told.set(outcome.failed == before);
        }
        outcome
    }

    async fn publish_some(&self, alerts: &[Alert], deadline: Deadline, outcome: &mut Publishing) {
        let withheld: Vec<bool> = alerts.iter().map(|alert| self.withholds(alert)).collect();
        let wanted = alerts.iter().zip(&withheld).filter(|(_, withheld)| !**withheld);
        let messages: Vec<SnsMessage> =
            wanted.map(|(alert, _)| SnsMessage::of(alert, self.region.as_deref())).collect();
        let mut publications = self.publisher.publish(&messages, deadline).await.into_iter();
        for (alert, withheld) in alerts.iter().zip(withheld) {
            if withheld {
                outcome.withhold();
            } else {
                // What nothing is heard of was not published.
                let unheard = || Err(PublishError::Busy("the answer does not mention it".to_owned()));
                outcome.note(alert, publications.next().map_or_else(unheard, |publication| publication.result));
            }
        }
    }
}

/// What became of an invocation's alerts.
#[derive(Debug, Default)]
struct Publishing {
    withheld: usize,
    published: usize,
    failed: usize,
    /// Why the first one failed.
    reason: Option<PublishError>,
    /// For each alert, in their order.
    settlements: Vec<Settlement>,
}

impl Publishing {
    fn alerts(&self) -> usize {
        self.published + self.failed
    }

    /// What became of everything that was claimed, given the messages in which it was told.
    fn settled<'c>(&self, messages: &[Vec<&'c Claimed>]) -> impl Iterator<Item = (&'c Claimed, Settlement)> {
        let messages = messages.iter().zip(&self.settlements);
        messages.flat_map(|(claimed, settlement)| claimed.iter().map(|claimed| (*claimed, *settlement)))
    }

    fn withhold(&mut self) {
        self.withheld += 1;
        self.settlements.push(Settlement::Published);
    }

    fn note(&mut self, alert: &Alert, result: Result<(), PublishError>) {
        let (id, rule, stage) = (alert.id, alert.analytic.name.as_str(), alert.occurrences.stage.as_str());
        match result {
            Ok(()) => {
                debug!(alert = %id, rule, stage, "published");
                self.published += 1;
                self.settlements.push(Settlement::Published);
            }
            Err(reason) => {
                error!(alert = %id, rule, stage, %reason, "not published");
                self.failed += 1;
                self.reason.get_or_insert(reason);
                self.settlements.push(Settlement::GivenUp);
            }
        }
    }

    fn result(self) -> Result<(), InvocationError> {
        let (failed, alerts) = (self.failed, self.alerts());
        self.reason.map_or(Ok(()), |reason| Err(InvocationError::Publish { failed, alerts, reason }))
    }
}

/// Windows that are not up to date fail the invocation, after everything else is done.
fn report(correlated: &state::Outcome) -> Result<(), InvocationError> {
    for failure in &correlated.failures {
        error!(%failure, "a window is not up to date");
    }
    let (failed, windows) = (correlated.failures.len(), correlated.windows);
    let first = correlated.failures.first().cloned();
    first.map_or(Ok(()), |reason| Err(InvocationError::State { failed, windows, reason }))
}

/// The types are stable: alarms and redrives tell poison from outages by them.
impl From<InvocationError> for Diagnostic {
    fn from(error: InvocationError) -> Self {
        let error_type = match &error {
            InvocationError::Payload(error) => format!("vaultwatch.payload.{}", error.stage()),
            InvocationError::Publish { .. } => "vaultwatch.publish".to_owned(),
            InvocationError::State { .. } => "vaultwatch.state".to_owned(),
        };
        Self { error_type, error_message: error.to_string() }
    }
}

impl From<&StartError> for Diagnostic {
    fn from(error: &StartError) -> Self {
        let error_type = match error {
            StartError::Config(_) | StartError::Profile(_) => "vaultwatch.start.config",
            StartError::RuleFiles(_) | StartError::NoRules { .. } => "vaultwatch.start.rules",
        };
        Self { error_type: error_type.to_owned(), error_message: error.to_string() }
    }
}

/// The rules and correlations that are in force, and the files of which not everything loads.
fn load_rules(config: &Config) -> Result<(Analytics, Vec<String>), StartError> {
    let sources = rule_files::read(&config.rules)?;
    let reading = rule::read_in_force(&sources, config.profile.as_deref());
    let diagnostics = reading.as_ref().map_or_else(|unknown| &unknown.diagnostics, |reading| &reading.diagnostics);
    for diagnostic in diagnostics {
        log_diagnostic(&sources, diagnostic);
    }
    let mut reading = reading?;
    if let Some(profile) = &reading.profile {
        info!(profile, "the rules of this profile are in force");
    }
    for name in reading.disable(&config.disabled_rules) {
        warn!(name, "`VAULTWATCH_DISABLED_RULES` names no rule that is in force");
    }
    if reading.rules.is_empty() {
        return Err(StartError::NoRules { path: config.rules.clone() });
    }
    let mut faulty: Vec<String> = reading
        .diagnostics
        .iter()
        .filter(|diagnostic| diagnostic.severity == Severity::Error)
        .filter_map(|diagnostic| Some(sources.get(diagnostic.span.source)?.path.clone()))
        .collect();
    faulty.sort_unstable();
    faulty.dedup();
    Ok((Analytics::of(reading, config.hash_key.clone()), faulty))
}

fn log_diagnostic(sources: &Sources, diagnostic: &diagnostic::Diagnostic) {
    let (file, line) = sources.place(&diagnostic.span);
    let code = diagnostic.code.id();
    let help = diagnostic.help.as_deref().or(diagnostic.code.help());
    match diagnostic.severity {
        Severity::Error => error!(file, line, code, help, problem = diagnostic.message, "a rule does not load"),
        Severity::Warning => warn!(file, line, code, help, problem = diagnostic.message, "a rule is probably wrong"),
    }
}
