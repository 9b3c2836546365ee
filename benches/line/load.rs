//! Loading rule files: reading them, and compiling the rules together.

use std::fmt::Write;
use std::fs;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use criterion::{BenchmarkId, Criterion};
use vaultwatch::detect::RuleSet;
use vaultwatch::{rule, rule_files};

/// How many files, and what loading them may take, in milliseconds.
const SIZES: [(usize, u32); 2] = [(100, 12), (500, 60)];

/// How often each is loaded for the figures.
const ROUNDS: usize = 51;

pub(crate) fn figures() {
    println!("loading rule files");
    for (count, limit) in SIZES {
        let directory = directory(count);
        let mut rounds: Vec<Duration> = (0..ROUNDS).map(|_| timed(&directory)).collect();
        rounds.sort();
        println!("  {count} rules from {count} files  {:.1?} (at most {limit} ms)", rounds[ROUNDS / 2]);
    }
    println!();
}

pub(crate) fn statistics(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("load");
    for (count, _) in SIZES {
        let directory = directory(count);
        group.bench_with_input(BenchmarkId::from_parameter(count), &directory, |bencher, directory| {
            bencher.iter(|| load(directory));
        });
    }
    group.finish();
}

fn timed(directory: &Path) -> Duration {
    let started = Instant::now();
    black_box(load(directory));
    started.elapsed()
}

/// What the function does before it asks for work.
fn load(directory: &Path) -> RuleSet {
    let sources = rule_files::read(directory).unwrap();
    RuleSet::compile(rule::read(&sources).rules)
}

/// So many rule files, every one like one that ships, and with tests and values of its own.
fn directory(count: usize) -> PathBuf {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("load-{count}"));
    fs::create_dir_all(&directory).unwrap();
    let shipped = rule_files::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("rules")).unwrap();
    // Value lists are in files of their own.
    let stands_alone = |text: &&str| text.contains("\ndetection:") && !text.contains("|expand");
    let shipped: Vec<&str> = shipped.0.iter().map(|source| source.text.as_str()).filter(stands_alone).collect();
    for number in 0..count {
        let text = alike(shipped[number % shipped.len()], number);
        fs::write(directory.join(format!("rule_{number}.yml")), text).unwrap();
    }
    let rules = load(&directory);
    assert_eq!(rules.len(), count, "some of the generated rules do not load");
    directory
}

/// The rule under another name, with values that no other has, and with a regular expression, one in five of which is large.
fn alike(rule: &str, number: usize) -> String {
    let mut text = String::new();
    let mut in_detection = false;
    for line in rule.lines() {
        in_detection = (in_detection || line.starts_with("detection:")) && !line.starts_with("falsepositives:");
        let line = match line.split_once(": ") {
            Some(("id", _)) => format!("id: 00000000-0000-4000-8000-{number:012}"),
            Some(("name", _)) => format!("name: rule_{number}"),
            _ if in_detection => line.replace("sys/", &format!("sys{number}/")),
            _ => line.to_owned(),
        };
        if in_detection && line.starts_with("  condition: ") {
            let pattern = if number.is_multiple_of(5) { r"\w+/data" } else { "team/[a-z0-9-]+/" };
            writeln!(text, "  mine:\n    request.path|re: '^{pattern}{number}$'\n{} and not mine", braced(&line))
                .unwrap();
        } else {
            writeln!(text, "{line}").unwrap();
        }
    }
    text
}

/// `  condition: a or b` -> `  condition: (a or b)`
fn braced(line: &str) -> String {
    let (key, condition) = line.split_once(": ").unwrap();
    format!("{key}: ({condition})")
}
