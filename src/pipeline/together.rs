//! What is told in one message: whatever several rules say of one happening.

use hashbrown::HashMap;

use super::Analytics;
use crate::correlate::{Occasion, SpecId, Told};

/// Puts together what is to be told in one message, each in the order of its first.
///
/// That is what is about the same happening, if the rules want it so: a policy that a person writes by hand is a policy
/// that is written, too. What a rule tells twice of it, because it groups by an array, stays apart, and so does what is
/// in shadow, which must not hide behind what is published.
#[must_use]
pub fn together<'c, T: AsRef<Told>>(analytics: &Analytics, claimed: &'c [T]) -> Vec<Vec<&'c T>> {
    let mut messages: Vec<Vec<&T>> = Vec::new();
    let mut known: HashMap<(Occasion, usize), usize> = HashMap::new();
    let mut told_of: HashMap<(Occasion, SpecId), usize> = HashMap::new();
    for claim in claimed {
        let told = claim.as_ref();
        let shared = told.occasion().filter(|_| analytics.joins(told.spec)).map(|occasion| {
            let before = told_of.entry((occasion, told.spec)).or_default();
            *before += 1;
            (occasion, *before)
        });
        let place = shared.map_or(messages.len(), |shared| *known.entry(shared).or_insert(messages.len()));
        match messages.get_mut(place) {
            Some(message) => message.push(claim),
            None => messages.push(vec![claim]),
        }
    }
    messages
}
