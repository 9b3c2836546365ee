//! What the line costs: figures against their limits first, each a ratio within one run where that is possible, then
//! Criterion's statistics, which compare with the run before.

#![expect(
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark measures time, prints, and stops at the first surprise"
)]

use criterion::Criterion;

mod corpus;
mod decode;
mod evaluate;
mod load;
mod paired;
mod process;

fn main() {
    // `cargo test` runs benchmarks too, and a profiler wants to see one of them alone.
    let asked_for = |name: &str| std::env::args().any(|argument| argument == name);
    if asked_for("--bench") && !asked_for("--profile-time") {
        evaluate::figures();
        decode::figures();
        load::figures();
        process::figures();
    }
    let mut criterion = Criterion::default().configure_from_args();
    evaluate::statistics(&mut criterion);
    decode::statistics(&mut criterion);
    load::statistics(&mut criterion);
    criterion.final_summary();
}
