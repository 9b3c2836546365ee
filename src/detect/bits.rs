//! A set of small numbers that is cheap to empty.

/// A bit set that remembers what was inserted, so that emptying costs as much as filling did.
#[derive(Debug, Default)]
pub(super) struct Bits {
    words: Vec<u64>,
    ones: Vec<usize>,
}

impl Bits {
    /// Empties the set and makes room for the numbers below `size`.
    pub(super) fn reset(&mut self, size: usize) {
        for one in self.ones.drain(..) {
            if let Some(word) = self.words.get_mut(one / 64) {
                *word = 0;
            }
        }
        self.words.resize(size.div_ceil(64), 0);
    }

    /// Adds a number; whether it is new.
    pub(super) fn insert(&mut self, number: usize) -> bool {
        let Some(word) = self.words.get_mut(number / 64) else { return false };
        let bit = 1 << (number % 64);
        if *word & bit != 0 {
            return false;
        }
        *word |= bit;
        self.ones.push(number);
        true
    }

    pub(super) fn contains(&self, number: usize) -> bool {
        self.words.get(number / 64).is_some_and(|word| word & (1 << (number % 64)) != 0)
    }

    /// The members, in the order inserted.
    pub(super) fn ones(&self) -> impl Iterator<Item = usize> {
        self.ones.iter().copied()
    }
}
