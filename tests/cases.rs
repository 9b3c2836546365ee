//! Tables of cases: TOML files of which each `[[case]]` is one.

use std::fs;
use std::path::Path;

use serde::Deserialize;
use serde::de::DeserializeOwned;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table<T> {
    case: Vec<T>,
}

/// The cases of a file, whose path starts at the root of the project.
pub(crate) fn of_file<T: DeserializeOwned>(path: &str) -> Vec<T> {
    read(&Path::new(env!("CARGO_MANIFEST_DIR")).join(path))
}

/// The cases of all files of a directory for which `wanted` holds, given their names; by file.
pub(crate) fn of_directory<T: DeserializeOwned>(path: &str, wanted: fn(&str) -> bool) -> Vec<T> {
    let entries = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).expect("the cases are there");
    let mut files: Vec<_> = entries.map(|entry| entry.expect("readable").path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "toml"));
    files.retain(|file| file.file_name().and_then(|name| name.to_str()).is_some_and(wanted));
    files.sort();
    files.iter().flat_map(|file| read(file)).collect()
}

fn read<T: DeserializeOwned>(file: &Path) -> Vec<T> {
    let text = fs::read_to_string(file).expect("cases are UTF-8");
    toml::from_str::<Table<T>>(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display())).case
}
