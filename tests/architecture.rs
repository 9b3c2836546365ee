//! What holds for the source itself: the flow of modules, purity, sizes and names.

use std::fs;
use std::path::{Path, PathBuf};

/// The longest file, in lines of code: without comments, blank lines and the tests within.
const MOST_LINES: usize = 400;

/// Modules that may be asynchronous, and read the clock, the environment, files and the network.
const EDGE: [&str; 7] = ["deadline", "state", "rule_files", "aws", "function", "cli", "bin"];

struct SourceFile {
    name: String,
    /// The first part of its path: `audit` for `src/audit.rs` and all below `src/audit/`.
    module: String,
    /// Lines of code, without the tests within.
    code: Vec<String>,
}

fn source_files() -> Vec<SourceFile> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.push(source_file(&root, &path));
            }
        }
    }
    assert!(found.len() > 30, "the source is elsewhere: {} files", found.len());
    found
}

fn source_file(root: &Path, path: &Path) -> SourceFile {
    let relative: PathBuf = path.strip_prefix(root).unwrap().to_owned();
    let module = relative.iter().next().unwrap().to_string_lossy().trim_end_matches(".rs").to_owned();
    let text = fs::read_to_string(path).unwrap();
    let code = text.split("#[cfg(test)]").next().unwrap_or_default().lines().map(str::trim);
    let code = code.filter(|line| !line.is_empty() && !line.starts_with("//")).map(str::to_owned).collect();
    SourceFile { name: relative.display().to_string(), module, code }
}

fn failures(check: impl Fn(&SourceFile) -> Vec<String>) {
    let failures: Vec<String> = source_files().iter().flat_map(check).collect();
    assert!(failures.is_empty(), "\n{}\n", failures.join("\n"));
}

/// The modules of the library, in the order of the flow.
fn modules() -> Vec<String> {
    let library = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lib.rs")).unwrap();
    let name =
        |line: &str| Some(line.trim_start_matches("pub ").strip_prefix("mod ")?.trim_end_matches(';').to_owned());
    library.lines().filter_map(name).collect()
}

#[test]
fn a_module_imports_only_what_stands_above_it() {
    let order = modules();
    let rank = |module: &str| order.iter().position(|known| known == module);
    failures(|file| {
        let Some(own) = rank(&file.module) else { return Vec::new() };
        let imported = file.code.iter().flat_map(|line| line.split("crate::").skip(1));
        let imported = imported.map(|rest| rest.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or(""));
        imported
            .filter(|module| rank(module).is_some_and(|rank| rank > own))
            .map(|module| format!("{} imports `{module}`, which stands below it", file.name))
            .collect()
    });
}

#[test]
fn the_middle_is_pure() {
    let impure = [
        "async ",
        "std::env",
        "std::fs",
        "std::net::Tcp",
        "tokio::",
        "Instant::now",
        "SystemTime::now",
        "Timestamp::now",
    ];
    failures(|file| {
        if EDGE.contains(&file.module.as_str()) {
            return Vec::new();
        }
        let found = |line: &String| impure.iter().find(|word| line.contains(**word));
        file.code.iter().filter_map(|line| Some(format!("{} has `{}`: {line}", file.name, found(line)?))).collect()
    });
}

#[test]
fn files_are_small_and_named_after_what_they_hold() {
    let vague = ["util", "utils", "common", "helper", "helpers", "manager", "misc", "mod"];
    failures(|file| {
        let stem = Path::new(&file.name).file_stem().unwrap().to_string_lossy();
        let mut found = Vec::new();
        if file.code.len() > MOST_LINES {
            found.push(format!("{} has {} lines of code", file.name, file.code.len()));
        }
        if vague.contains(&stem.as_ref()) {
            found.push(format!("{} says nothing about what it holds", file.name));
        }
        found
    });
}

#[test]
fn every_exported_module_is_in_the_layout() {
    let order = modules();
    let unlisted = source_files()
        .into_iter()
        .map(|file| file.module)
        .filter(|module| module != "lib" && module != "bin" && !order.contains(module));
    assert_eq!(unlisted.collect::<Vec<_>>(), Vec::<String>::new());
}
