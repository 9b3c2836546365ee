//! Two things measured in turns, so that whatever else the machine does slows both.

use std::time::{Duration, Instant};

/// How often each is measured.
const ROUNDS: usize = 301;

/// The median times, and the median of their ratios.
pub(crate) struct Paired {
    pub(crate) base: Duration,
    pub(crate) other: Duration,
    pub(crate) ratio: f64,
}

pub(crate) fn paired(mut base: impl FnMut(), mut other: impl FnMut()) -> Paired {
    let mut rounds: Vec<(Duration, Duration)> = (0..ROUNDS)
        .map(|round| {
            if round % 2 == 0 {
                let base = timed(&mut base);
                (base, timed(&mut other))
            } else {
                let other = timed(&mut other);
                (timed(&mut base), other)
            }
        })
        .collect();
    let ratio = |&(base, other): &(Duration, Duration)| other.as_secs_f64() / base.as_secs_f64();
    rounds.sort_by(|left, right| ratio(left).total_cmp(&ratio(right)));
    let ratio = ratio(&rounds[ROUNDS / 2]);
    rounds.sort_by_key(|round| round.0);
    let base = rounds[ROUNDS / 2].0;
    rounds.sort_by_key(|round| round.1);
    Paired { base, other: rounds[ROUNDS / 2].1, ratio }
}

fn timed(work: &mut impl FnMut()) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed()
}
