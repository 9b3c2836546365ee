//! `vaultwatch pack` and `vaultwatch unpack`

use aws_lambda_events::event::cloudwatch_logs::LogsEvent;
use clap::Parser;
use proptest::prelude::*;
use vaultwatch::cli::pack::pack;
use vaultwatch::cli::{self, Args, Console, ExitStatus, Output};
use vaultwatch::payload::{self, DEFAULT_MAX_INFLATED, Limits, LogStream, Message};

use super::desk::{Desk, corpus, event, lines, text};

#[test]
fn packing_and_unpacking() {
    let desk = Desk::new().with("audit.log", lines("10-benign-kv-traffic", &[1, 2])).with("empty.log", "");
    let packed =
        desk.run(&["pack", "audit.log", "--owner", "210987654321", "--log-group", "/vault", "--log-stream", "a"]);
    let desk = desk.with("event.json", &packed.stdout).with("control.json", event("control-message"));
    let session = [
        desk.session(&["unpack", "event.json"]),
        desk.session(&["unpack", "control.json"]),
        desk.session(&["unpack", "audit.log"]),
        desk.session(&["pack", "missing.log"]),
    ];
    assert_eq!(text(&packed.stderr), "");
    insta::assert_snapshot!("unpack", session.join("\n"));
}

#[test]
fn a_whole_log_comes_back_byte_for_byte() {
    let desk = Desk::new();
    for name in ["04-root-token-use", "10-benign-kv-traffic", "42-very-large-requests", "45-generate-root"] {
        let packed = desk.pipe(&["pack"], corpus(name));
        let unpacked = desk.pipe(&["unpack"], packed.stdout);
        assert!(unpacked.stdout == corpus(name).as_bytes(), "{name}");
    }
}

#[test]
fn the_recorded_payloads_hold_captured_lines() {
    let benign = lines("10-benign-kv-traffic", &(1..=12).collect::<Vec<_>>());
    let root = lines("04-root-token-use", &[1, 2]);
    for (name, expected) in [
        ("root-token-used", root + &benign),
        ("wrapping-token-reused", lines("23-response-wrapping-and-second-unwrap", &[1, 2, 7, 8, 9, 10, 11])),
        ("benign", corpus("10-benign-kv-traffic")),
    ] {
        let unpacked = Desk::new().pipe(&["unpack", "-"], event(name));
        assert_eq!(text(&unpacked.stdout), expected, "{name}");
    }
}

#[test]
fn a_terminal_gets_nothing_that_it_would_act_upon() {
    let packed = pack(b"\x1b[2Jplain\ttext\n", &LogStream::default()).unwrap().event;
    let unpacked = |terminal| {
        let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
        let mut console = Console {
            stdin: &mut packed.as_bytes(),
            stdout: Output { writer: &mut stdout, terminal, color: terminal, unicode: terminal },
            stderr: Output { writer: &mut stderr, terminal, color: terminal, unicode: terminal },
        };
        let status = cli::run(Args::parse_from(["vaultwatch", "unpack", "-"]), &mut console);
        assert_eq!(status, ExitStatus::Clean);
        String::from_utf8(stdout).unwrap()
    };
    assert_eq!(unpacked(true), "\\u{1b}[2Jplain\\ttext\n");
    assert_eq!(unpacked(false), "\u{1b}[2Jplain\ttext\n");
}

#[test]
fn what_the_services_would_not_take_is_told() {
    let many = "{}\n".repeat(10_001);
    let bad = b"{}\n\xff\n".to_vec();
    // Digits in no order, which gzip cannot make much of.
    let large: String = (0..100_000_u64).map(|number| number.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_string()).collect();
    let desk = Desk::new();
    let told: Vec<String> = [many.into_bytes(), bad, large.into_bytes()]
        .map(|log| text(&desk.pipe(&["pack"], log).stderr).to_owned())
        .into();
    insta::assert_snapshot!("pack_warnings", told.join("\n"));
}

#[test]
fn what_is_packed_is_what_the_service_sends() {
    let log = corpus("10-benign-kv-traffic") + "plain text\n";
    let packed = pack(log.as_bytes(), &LogStream { log_group: "/vault".to_owned(), ..LogStream::default() }).unwrap();
    let event: LogsEvent = serde_json::from_str(&packed.event).unwrap();
    let data = event.aws_logs.data;
    let ids: Vec<&String> = data.log_events.iter().map(|event| &event.id).collect();
    assert!(ids.is_sorted());
    assert!(ids.iter().all(|id| id.len() == 56 && id.bytes().all(|digit| digit.is_ascii_digit())));
    let timestamps: Vec<i64> = data.log_events.iter().map(|event| event.timestamp).collect();
    assert_eq!(timestamps[0], 1_795_354_825_744);
    assert_eq!(timestamps[44], timestamps[43], "a line without a time is as old as the one before");
    assert_eq!(data.log_group, "/vault");
    assert_eq!(packed.log_events, 45);
}

proptest! {
    #[test]
    fn unpacking_undoes_packing(lines in prop::collection::vec("[^\n]*[^\n\\s][^\n]*", 0..8)) {
        let log: String = lines.iter().flat_map(|line| [line.as_str(), "\n"]).collect();
        let packed = pack(log.as_bytes(), &LogStream::default()).unwrap();
        let inflated = payload::inflate(packed.event.as_bytes(), Limits { max_inflated: DEFAULT_MAX_INFLATED }).unwrap();
        let Message::Data(batch) = payload::read(&inflated).unwrap() else { panic!("no data") };
        let mut buffer = String::new();
        let unpacked: Vec<String> =
            batch.events.iter().map(|event| event.text.unescape(&mut buffer).unwrap().to_owned()).collect();
        prop_assert_eq!(unpacked, lines);
    }

    #[test]
    fn equal_lines_have_ids_of_their_own(line in "[a-z]{1,9}", count in 1..9_usize) {
        let packed = pack(format!("{line}\n").repeat(count).as_bytes(), &LogStream::default()).unwrap();
        let inflated = payload::inflate(packed.event.as_bytes(), Limits { max_inflated: DEFAULT_MAX_INFLATED }).unwrap();
        let Message::Data(batch) = payload::read(&inflated).unwrap() else { panic!("no data") };
        let ids: std::collections::HashSet<_> = batch.events.iter().map(|event| event.position.to_ref()).collect();
        prop_assert_eq!(ids.len(), count);
    }
}
