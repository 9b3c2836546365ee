//! "Did you mean": the known word that an unknown one was probably meant to be.

use strsim::osa_distance;

/// Words longer than this are no slips of the finger.
const MAX_LENGTH: usize = 64;

/// How many candidates are looked at: a rule may have thousands of searches.
const MAX_CANDIDATES: usize = 200;

/// The candidate nearest to `word`, if it is near enough: one slip for every three letters.
pub(crate) fn nearest<'c>(word: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    let length = word.chars().count();
    if length > MAX_LENGTH {
        return None;
    }
    let lowered = word.to_lowercase();
    candidates
        .into_iter()
        .take(MAX_CANDIDATES)
        .filter(|candidate| candidate.len().abs_diff(lowered.len()) <= length)
        .map(|candidate| (osa_distance(&lowered, candidate), candidate))
        .min_by_key(|(distance, _)| *distance)
        .filter(|(distance, _)| *distance <= length / 3)
        .map(|(_, candidate)| candidate)
}

/// Advice for an unknown word: the nearest known one, or all of them.
pub(crate) fn advice(word: &str, known: &[&'static str]) -> String {
    match nearest(word, known.iter().copied()) {
        Some(known) => format!("did you mean `{known}`?"),
        None => format!("known are {}", enumerate(known)),
    }
}

/// "`a`, `b` and `c`".
pub(crate) fn enumerate(words: &[&str]) -> String {
    match words {
        [] => String::new(),
        [only] => format!("`{only}`"),
        [most @ .., last] => format!("`{}` and `{last}`", most.join("`, `")),
    }
}
