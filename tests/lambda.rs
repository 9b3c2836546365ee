//! What takes the place of Lambda: the interface that a runtime asks for events, around the real binary.

use std::fs::File;
use std::io::Write;
use std::process::{Child, Command, ExitStatus};
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value as Json, json};
use tempfile::NamedTempFile;

use crate::loopback::{self, Request, Response};

/// The deadline that `cargo lambda watch` sends: ten minutes after the beginning of 1970.
pub(crate) const PAST_DEADLINE: u64 = 600_000;

/// Longer than anything here takes: only a test that fails waits for it.
const PATIENCE: Duration = Duration::from_secs(30);

/// The running function.
pub(crate) struct Lambda {
    process: Child,
    log: NamedTempFile,
    events: Sender<Event>,
    answers: Receiver<Answer>,
}

struct Event {
    text: String,
    deadline: u64,
}

/// What the function said to an event, or at its start.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Success,
    Error { error_type: String, error_message: String },
    InitError { error_type: String, error_message: String },
}

impl Lambda {
    /// Starts the function with these variables and no others, beside Lambda's own.
    pub(crate) fn start(variables: &[(&str, &str)]) -> Self {
        Self::run(&mut Command::new(env!("CARGO_BIN_EXE_bootstrap")), variables)
    }

    /// The same with another program.
    pub(crate) fn run(program: &mut Command, variables: &[(&str, &str)]) -> Self {
        let (events, next) = channel::<Event>();
        let (answer, answers) = channel();
        let next = Mutex::new(next);
        let address = loopback::serve(move |request| interface(request, &next, &answer));
        let log = NamedTempFile::new().unwrap();
        let process = program
            .env_clear()
            .env("AWS_LAMBDA_RUNTIME_API", address.to_string())
            .env("AWS_LAMBDA_FUNCTION_NAME", "vaultwatch")
            .env("AWS_LAMBDA_FUNCTION_VERSION", "1")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256")
            .envs(variables.iter().copied())
            .stdout(output(&log))
            .stderr(output(&log))
            .spawn()
            .unwrap();
        Self { process, log, events, answers }
    }

    /// Hands an event to the function, with a deadline in milliseconds since 1970.
    pub(crate) fn invoke(&mut self, event: &str, deadline: u64) -> Answer {
        self.events.send(Event { text: event.to_owned(), deadline }).unwrap();
        self.answer()
    }

    /// Waits for what the function says next.
    pub(crate) fn answer(&mut self) -> Answer {
        self.answers.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("no answer; the log:\n{}", self.log()))
    }

    /// Waits until the process has ended by itself.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        self.process.wait().unwrap()
    }

    /// Everything logged so far.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.log.path()).unwrap()
    }

    /// The last line of the log that says so.
    pub(crate) fn log_line(&self, message: &str) -> Json {
        let log = self.log();
        let mut lines = log.lines().map(|line| serde_json::from_str::<Json>(line).unwrap());
        lines.rfind(|line| line["message"] == message).unwrap_or_else(|| panic!("{message} is not in\n{log}"))
    }
}

impl Drop for Lambda {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn output(log: &NamedTempFile) -> File {
    File::options().append(true).open(log.path()).unwrap()
}

fn interface(request: &Request, next: &Mutex<Receiver<Event>>, answer: &Sender<Answer>) -> Option<Response> {
    let said = |kind: fn(String, String) -> Answer| {
        let body: Json = serde_json::from_str(&request.body).unwrap();
        let text = |field: &str| body[field].as_str().unwrap().to_owned();
        // The test may be over.
        let _ = answer.send(kind(text("errorType"), text("errorMessage")));
    };
    let path = request.path.strip_prefix("/2018-06-01/runtime/").unwrap();
    match (request.method.as_str(), path) {
        ("GET", "invocation/next") => return next.lock().unwrap().recv().ok().map(invocation),
        ("POST", "init/error") => said(|error_type, error_message| Answer::InitError { error_type, error_message }),
        ("POST", path) if path.ends_with("/error") => {
            said(|error_type, error_message| Answer::Error { error_type, error_message });
        }
        ("POST", path) if path.ends_with("/response") => {
            let _ = answer.send(Answer::Success);
        }
        (method, path) => panic!("Lambda does not know {method} {path}"),
    }
    Some(Response { status: 202, ..Response::default() })
}

fn invocation(event: Event) -> Response {
    let headers = vec![
        ("content-type", "application/json".to_owned()),
        ("lambda-runtime-aws-request-id", "8f507cfc-0000-4000-8000-000000000000".to_owned()),
        ("lambda-runtime-deadline-ms", event.deadline.to_string()),
        ("lambda-runtime-invoked-function-arn", "arn:aws:lambda:eu-central-1:123456789012:function:vaultwatch".into()),
    ];
    Response { status: 200, headers, body: event.text }
}

/// A deadline so far from now.
pub(crate) fn in_seconds(seconds: i64) -> u64 {
    u64::try_from(jiff::Timestamp::now().as_millisecond() + seconds * 1000).unwrap()
}

/// The event of a subscription that delivers these lines.
pub(crate) fn subscription_event(lines: &[String]) -> String {
    let event =
        |(index, line): (usize, &String)| json!({"id": format!("{index:056}"), "timestamp": 0, "message": line});
    let batch = json!({
        "messageType": "DATA_MESSAGE",
        "owner": "123456789012",
        "logGroup": "/hcp/vault/audit",
        "logStream": "stream",
        "subscriptionFilters": ["vaultwatch"],
        "logEvents": lines.iter().enumerate().map(event).collect::<Vec<Json>>(),
    });
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(batch.to_string().as_bytes()).unwrap();
    json!({"awslogs": {"data": STANDARD.encode(encoder.finish().unwrap())}}).to_string()
}
