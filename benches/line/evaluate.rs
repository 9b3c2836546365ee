//! Reading and evaluating captured lines with the rules that ship, against validating the same JSON.

use std::hint::black_box;

use criterion::{Criterion, Throughput};
use serde::de::IgnoredAny;
use vaultwatch::audit::{self, Buffers};
use vaultwatch::detect::{RuleSet, Scratch};

use crate::{corpus, paired};

pub(crate) fn figures() {
    let lines = corpus::lines();
    for (rules, limit) in [(corpus::dozen_rules(), " (at most 2.5)"), (corpus::rules(), "")] {
        ratio(&rules, &lines, limit);
        allocations(&rules, &lines);
    }
}

pub(crate) fn statistics(criterion: &mut Criterion) {
    let (rules, lines) = (corpus::rules(), corpus::lines());
    let mut memory = Memory::default();
    let mut group = criterion.benchmark_group("captured lines");
    group.throughput(Throughput::Bytes(lines.iter().map(|line| line.len() as u64).sum()));
    group.bench_function("validate", |bencher| bencher.iter(|| lines.iter().for_each(|line| validate(line))));
    group.bench_function("read and evaluate", |bencher| {
        bencher.iter(|| lines.iter().map(|line| evaluate(&rules, line, &mut memory)).sum::<usize>());
    });
    group.finish();
}

/// The memory that evaluation uses again.
#[derive(Default)]
struct Memory {
    buffers: Buffers,
    scratch: Scratch,
}

/// How many rules match.
fn evaluate(rules: &RuleSet, line: &str, memory: &mut Memory) -> usize {
    match audit::read(line, rules.fields(), &mut memory.buffers) {
        Ok(event) => rules.evaluate(&event, &mut memory.scratch).len(),
        Err(_) => 0,
    }
}

fn validate(line: &str) {
    black_box(serde_json::from_str::<IgnoredAny>(black_box(line)).is_ok());
}

fn ratio(rules: &RuleSet, lines: &[String], limit: &str) {
    let mut memory = Memory::default();
    let found = paired::paired(
        || lines.iter().for_each(|line| validate(line)),
        || {
            for line in lines {
                black_box(evaluate(rules, black_box(line), &mut memory));
            }
        },
    );
    let count = u32::try_from(lines.len()).unwrap();
    println!("reading and evaluating {count} captured lines with {} rules", rules.len());
    println!("  validate, a line          {:?}", found.base / count);
    println!("  read and evaluate, a line {:?}", found.other / count);
    println!("  ratio                     {:.2}{limit}", found.ratio);
}

fn allocations(rules: &RuleSet, lines: &[String]) {
    let mut memory = Memory::default();
    let quiet: Vec<&String> = lines.iter().filter(|line| evaluate(rules, line, &mut memory) == 0).collect();
    let info = allocation_counter::measure(|| {
        for line in &quiet {
            black_box(evaluate(rules, line, &mut memory));
        }
    });
    println!(
        "  allocations               {} in {} lines that match nothing (at most 0)\n",
        info.count_total,
        quiet.len()
    );
}
