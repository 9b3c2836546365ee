//! The lines of captured logs that tests name.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::cli::failure::reason;
use crate::diagnostic::Sources;
use crate::rule::Reading;
use crate::rule_test::{CaptureError, CapturedLines, captured_places};

/// Reads them all, each file once: relative to the rule's own file, else to the directory of the rules.
pub(super) fn read(reading: &Reading, sources: &Sources, rules: &Path) -> CapturedLines {
    let mut files: HashMap<PathBuf, Result<String, String>> = HashMap::new();
    let mut lines = CapturedLines::new();
    let of_rules = reading.rules.iter().map(|rule| &rule.header);
    let headers = of_rules.chain(reading.correlations.iter().map(|correlation| &correlation.header));
    for place in headers.flat_map(captured_places) {
        let rule_file = sources.get(place.source).map_or("", |source| source.path.as_str());
        let path = find(&place.path, Path::new(rule_file), rules);
        let text =
            files.entry(path).or_insert_with_key(|path| fs::read_to_string(path).map_err(|error| reason(&error)));
        let line = match text {
            Ok(text) => nth(text, place.line).ok_or(CaptureError::NoSuchLine),
            Err(reason) => Err(CaptureError::Unreadable(reason.clone())),
        };
        lines.insert(place, line);
    }
    lines
}

fn find(path: &str, rule_file: &Path, rules: &Path) -> PathBuf {
    let beside = rule_file.parent().unwrap_or(Path::new("")).join(path);
    if beside.exists() { beside } else { rules.join(path) }
}

fn nth(text: &str, line: u32) -> Option<String> {
    let before = usize::try_from(line).ok()?.checked_sub(1)?;
    text.lines().nth(before).map(str::to_owned)
}
