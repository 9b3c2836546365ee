//! Decoding a payload of nearly 1 MB, and the whole line on it, against inflating alone.

use std::hint::black_box;
use std::io::Read;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use criterion::{Criterion, Throughput};
use flate2::read::GzDecoder;
use serde_json::Value;
use vaultwatch::correlate::Windows;
use vaultwatch::payload::{self, DEFAULT_MAX_INFLATED, Inflated, Limits, Message};
use vaultwatch::pipeline::{self, Analytics, Workspace};

use crate::{corpus, paired};

pub(crate) fn figures() {
    let event = corpus::large_payload();
    ratios(&corpus::analytics(), event.as_bytes(), &compressed(&event));
}

pub(crate) fn statistics(criterion: &mut Criterion) {
    let (rules, event) = (corpus::analytics(), corpus::large_payload());
    let compressed = compressed(&event);
    let mut workspace = Workspace::default();
    let mut group = criterion.benchmark_group("payload");
    group.throughput(Throughput::Bytes(event.len() as u64));
    group.bench_function("inflate alone", |bencher| bencher.iter(|| gunzip(&compressed)));
    group.bench_function("decode", |bencher| bencher.iter(|| log_events(&inflated(event.as_bytes()))));
    group.bench_function("decode, detect and conclude", |bencher| {
        bencher.iter(|| alerts(&rules, event.as_bytes(), &mut workspace));
    });
    group.finish();
}

fn ratios(rules: &Analytics, event: &[u8], compressed: &[u8]) {
    let text = inflated(event);
    println!("a payload of {} bytes, {} inflated, {} log events", event.len(), text.size(), log_events(&text));
    let decode = paired::paired(|| _ = black_box(gunzip(compressed)), || _ = black_box(log_events(&inflated(event))));
    let mut workspace = Workspace::default();
    let whole =
        paired::paired(|| _ = black_box(gunzip(compressed)), || _ = black_box(alerts(rules, event, &mut workspace)));
    println!("  inflate alone               {:?}", decode.base);
    println!("  decode                      {:?}, ratio {:.2}", decode.other, decode.ratio);
    println!("  decode, detect and conclude {:?}, ratio {:.2}\n", whole.other, whole.ratio);
}

fn compressed(event: &str) -> Vec<u8> {
    let event: Value = serde_json::from_str(event).unwrap();
    STANDARD.decode(event["awslogs"]["data"].as_str().unwrap()).unwrap()
}

fn gunzip(compressed: &[u8]) -> usize {
    let mut text = Vec::new();
    GzDecoder::new(compressed).read_to_end(&mut text).unwrap()
}

fn inflated(event: &[u8]) -> Inflated {
    payload::inflate(event, Limits { max_inflated: DEFAULT_MAX_INFLATED }).unwrap()
}

fn log_events(text: &Inflated) -> usize {
    let Message::Data(batch) = payload::read(text).unwrap() else { return 0 };
    batch.events.len()
}

fn alerts(rules: &Analytics, event: &[u8], workspace: &mut Workspace) -> usize {
    let text = inflated(event);
    let Message::Data(batch) = payload::read(&text).unwrap() else { return 0 };
    pipeline::replay(rules, &batch, &mut Windows::default(), workspace).len()
}
