//! The Lambda function's process: how long it takes to ask for work, how large it is, and what a large payload costs.
//!
//! The real `bootstrap` runs against a Runtime API and a topic on loopback.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::corpus;

const BOOTSTRAP: &str = env!("CARGO_BIN_EXE_bootstrap");

/// How often the process is started.
const STARTS: usize = 30;

pub(crate) fn figures() {
    let api = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut starts: Vec<Duration> = (0..STARTS).map(|_| start(&api)).collect();
    starts.sort();
    let size = stripped_size();
    let (payload, peak) = peak_memory(&api);
    println!("process");
    println!("  start to the first request for work {:.1?}, median of {STARTS} (at most 15 ms)", starts[STARTS / 2]);
    println!("  stripped binary                     {:.1} MB (at most 9 MB)", megabytes(size));
    println!(
        "  peak memory                         {:.1} MB, payload of {payload} bytes (under 40 MB)",
        megabytes(peak)
    );
}

/// From before the process exists to its first request.
fn start(api: &TcpListener) -> Duration {
    let begin = Instant::now();
    let mut child = spawn(api);
    let mut runtime = connection(api);
    assert!(request(&mut runtime).starts_with("GET "));
    let elapsed = begin.elapsed();
    stop(&mut child);
    elapsed
}

/// What SNS answers: it has taken all four messages.
const PUBLISHED: &str = "<PublishBatchResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\">\
    <PublishBatchResult><Successful>\
    <member><Id>0</Id></member><member><Id>1</Id></member><member><Id>2</Id></member><member><Id>3</Id></member>\
    </Successful></PublishBatchResult></PublishBatchResponse>";

/// The most memory that one invocation with a large payload and something to publish needed, in bytes, after the
/// payload's size.
fn peak_memory(api: &TcpListener) -> (usize, u64) {
    let payload = corpus::large_payload();
    let mut child = spawn(api);
    let mut runtime = connection(api);
    assert!(request(&mut runtime).contains("/invocation/next"));
    respond(
        &mut runtime,
        "Lambda-Runtime-Aws-Request-Id: 8476a536-e9f4-11e8-9739-2dfe598c3fcd\r\n\
         Lambda-Runtime-Deadline-Ms: 4102444800000\r\n\
         Lambda-Runtime-Invoked-Function-Arn: arn:aws:lambda:us-east-1:123456789012:function:vaultwatch\r\n",
        &payload,
    );
    let mut topic = connection(api);
    let publish = request(&mut topic);
    assert!(publish.starts_with("POST / "), "{publish}");
    respond(&mut topic, "", PUBLISHED);
    let answer = request(&mut runtime);
    assert!(answer.contains("/response"), "{answer}");
    let peak = high_water_mark(child.id());
    stop(&mut child);
    (payload.len(), peak)
}

fn spawn(api: &TcpListener) -> Child {
    Command::new(BOOTSTRAP)
        .env_clear()
        .env("AWS_LAMBDA_RUNTIME_API", api.local_addr().unwrap().to_string())
        .env("AWS_LAMBDA_FUNCTION_NAME", "vaultwatch")
        .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256")
        .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
        .env("AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/vaultwatch")
        .env("AWS_LAMBDA_LOG_STREAM_NAME", "stream")
        .env("AWS_REGION", "us-east-1")
        .env("AWS_ENDPOINT_URL", format!("http://{}", api.local_addr().unwrap()))
        .env("AWS_ACCESS_KEY_ID", "test")
        .env("AWS_SECRET_ACCESS_KEY", "test")
        .env("VAULTWATCH_TOPIC_ARN", "arn:aws:sns:us-east-1:123456789012:alerts")
        .env("VAULTWATCH_RULES", concat!(env!("CARGO_MANIFEST_DIR"), "/rules"))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

fn connection(api: &TcpListener) -> BufReader<TcpStream> {
    let (stream, _) = api.accept().unwrap();
    BufReader::new(stream)
}

/// Reads one HTTP request; returns its first line.
fn request(connection: &mut BufReader<TcpStream>) -> String {
    let mut first = String::new();
    connection.read_line(&mut first).unwrap();
    let mut length = 0;
    loop {
        let mut header = String::new();
        connection.read_line(&mut header).unwrap();
        let header = header.trim_end().to_ascii_lowercase();
        if header.is_empty() {
            break;
        }
        if let Some(value) = header.strip_prefix("content-length: ") {
            length = value.parse().unwrap();
        }
    }
    connection.read_exact(&mut vec![0; length]).unwrap();
    first
}

fn respond(connection: &mut BufReader<TcpStream>, headers: &str, body: &str) {
    let head = format!("HTTP/1.1 200 OK\r\n{headers}Content-Length: {}\r\n\r\n", body.len());
    connection.get_mut().write_all((head + body).as_bytes()).unwrap();
}

fn stop(child: &mut Child) {
    child.kill().unwrap();
    child.wait().unwrap();
}

/// `VmHWM`, in bytes.
fn high_water_mark(process: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_ascii_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
}

/// What is left without symbols, as it ships.
fn stripped_size() -> u64 {
    let stripped = tempfile::NamedTempFile::new().unwrap();
    let status = Command::new("strip").arg("-o").arg(stripped.path()).arg(BOOTSTRAP).status().unwrap();
    assert!(status.success());
    fs::metadata(stripped.path()).unwrap().len()
}

#[expect(clippy::cast_precision_loss, reason = "one digit after the point is shown")]
fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1_000_000.0
}
