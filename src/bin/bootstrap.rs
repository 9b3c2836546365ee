//! The Lambda function: environment, rules, clients, run.

use std::panic::{self, PanicHookInfo};
use std::process::ExitCode;

use lambda_runtime::Diagnostic;
use lambda_runtime_api_client::{PooledClient, body::Body, build_request};
use tracing::{Level, error};
use tracing_subscriber::filter::{FilterExt, Targets, filter_fn};
use tracing_subscriber::fmt;
use tracing_subscriber::prelude::*;
use vaultwatch::aws::config::{self, Config, DEFAULT_LOG_FILTER};
use vaultwatch::function::Function;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let config = Config::from_env();
    log_as_json(config.as_ref().map_or(DEFAULT_LOG_FILTER, |config| &config.log_filter));
    panic::set_hook(Box::new(log_panic));
    if !config::is_in_lambda() {
        error!("this program is the Lambda function; on a desk, `vaultwatch invoke` does its work");
        return ExitCode::FAILURE;
    }
    let started = match config {
        Ok(config) => Function::start(config),
        Err(error) => Err(error.into()),
    };
    match started {
        Ok(function) => serve(function).await,
        Err(error) => {
            report(&Diagnostic::from(&error)).await;
            ExitCode::FAILURE
        }
    }
}

async fn serve(function: Function) -> ExitCode {
    if let Err(error) = function.serve().await {
        error!(%error, "the interface to lambda failed");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

/// Structured logs on standard output, where Lambda takes them from.
///
/// Other crates log what passes through them when they trace: payloads and credentials. That is never written, whatever
/// the filter says.
fn log_as_json(filter: &str) {
    let is_ours_or_harmless =
        filter_fn(|metadata| metadata.target().starts_with("vaultwatch") || *metadata.level() < Level::TRACE);
    let lines = fmt::layer().json().flatten_event(true).with_span_list(false);
    tracing_subscriber::registry()
        .with(lines.with_filter(filter.parse::<Targets>().unwrap_or_default().and(is_ours_or_harmless)))
        .init();
}

/// Says where, and not what: the message of a panic may quote the text that caused it.
fn log_panic(panic: &PanicHookInfo<'_>) {
    let place = panic.location().map(ToString::to_string);
    error!(place, "panicked");
}

/// Logs why the function cannot start, and tells Lambda, so that failed invocations say it, too.
async fn report(diagnostic: &Diagnostic) {
    let Diagnostic { error_type, error_message } = diagnostic;
    error!(error_type, error_message, "the function cannot start");
    let request = build_request()
        .method("POST")
        .uri("/2018-06-01/runtime/init/error")
        .header("lambda-runtime-function-error-type", error_type)
        .body(Body::from(serde_json::to_vec(diagnostic).unwrap_or_default()));
    if let Ok(request) = request
        && let Err(error) = PooledClient::builder().build().call(request).await
    {
        error!(%error, "lambda cannot be told");
    }
}
