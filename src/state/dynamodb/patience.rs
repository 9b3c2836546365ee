//! How long to wait for the table.

use std::time::Duration;

/// How long to wait, and how long between tries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// Until a connection stands.
    pub connect: Duration,
    /// Until one attempt has its answer.
    pub attempt: Duration,
    /// Until a call of the store is given up, with all its attempts and the pauses between them.
    pub call: Duration,
    /// The first pause before something is tried again, at most; each may be twice as long as the one before.
    pub first_pause: Duration,
    /// No pause is longer.
    pub longest_pause: Duration,
}

impl Patience {
    /// What the function has: an invocation can lose patience three times and still say so.
    pub const USUAL: Self = Self {
        connect: Duration::from_secs(1),
        attempt: Duration::from_secs(3),
        call: Duration::from_secs(12),
        first_pause: Duration::from_millis(50),
        longest_pause: Duration::from_secs(1),
    };
}

/// The pauses between the tries of one request.
#[derive(Debug)]
pub(super) struct Pauses {
    most: Duration,
    longest: Duration,
}

impl Pauses {
    pub(super) fn new(patience: Patience) -> Self {
        Self { most: patience.first_pause, longest: patience.longest_pause }
    }

    /// Any length up to the most, so that those who were turned away together do not come back together.
    pub(super) fn next(&mut self) -> Duration {
        let pause = self.most.mul_f64(fastrand::f64());
        self.most = self.longest.min(self.most * 2);
        pause
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_up_to_a_limit_and_differ() {
        let longest = |tries| {
            let pauses = (0..200).map(|_| {
                let mut pauses = Pauses::new(Patience::USUAL);
                (0..tries).map(|_| pauses.next()).last().unwrap()
            });
            pauses.max().unwrap()
        };
        let first = longest(1);
        assert!(first <= Patience::USUAL.first_pause);
        assert!(first > Patience::USUAL.first_pause / 2, "200 pauses of random length, the longest is {first:?}");
        assert!(longest(4) > Patience::USUAL.first_pause * 2);
        assert!(longest(40) <= Patience::USUAL.longest_pause);
    }
}
