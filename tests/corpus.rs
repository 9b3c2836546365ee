//! The captured audit logs, and ways to bend a captured line into another shape.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value as Json;

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus")
}

/// A captured line by its place: `11-permission-denied-kv.jsonl:2`.
#[track_caller]
pub(crate) fn line(place: &str) -> String {
    let (file, number) = place.rsplit_once(':').expect("a place is file:line");
    let number: usize = number.parse().expect("lines are numbers");
    let text = fs::read_to_string(directory().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
    text.lines().nth(number - 1).unwrap_or_else(|| panic!("{place} is past the end")).to_owned()
}

/// All captured lines that real servers wrote, with their places.
pub(crate) fn lines() -> Vec<(String, String)> {
    let mut files: Vec<PathBuf> = fs::read_dir(directory())
        .expect("the corpus is there")
        .map(|entry| entry.expect("the corpus can be read").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "jsonl"))
        .collect();
    files.sort();
    files.iter().flat_map(|file| numbered(file)).collect()
}

fn numbered(file: &Path) -> Vec<(String, String)> {
    let name = file.file_name().expect("a file has a name").to_string_lossy().into_owned();
    let text = fs::read_to_string(file).expect("the corpus is text");
    text.lines().zip(1..).map(|(line, number)| (format!("{name}:{number}"), line.to_owned())).collect()
}

/// Removes the value at a dotted path, if it is there.
pub(crate) fn remove(event: &mut Json, path: &str) {
    let (parent, key) = match path.rsplit_once('.') {
        Some((parent, key)) => (event.pointer_mut(&format!("/{}", parent.replace('.', "/"))), key),
        None => (Some(event), path),
    };
    if let Some(Json::Object(parent)) = parent {
        parent.remove(key);
    }
}

/// Sets the value at a dotted path, making objects on the way.
pub(crate) fn set(event: &mut Json, path: &str, value: Json) {
    let place = path.split('.').fold(event, |at, key| {
        if !at.is_object() {
            *at = Json::Object(serde_json::Map::new());
        }
        &mut at[key]
    });
    *place = value;
}
