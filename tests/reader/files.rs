//! Rule files on disk.

use std::fs;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::path::Path;

use tempfile::TempDir;
use vaultwatch::diagnostic::{Code, Sources};
use vaultwatch::{rule, rule_files};

fn directory(files: &[(&str, &[u8])]) -> TempDir {
    let directory = TempDir::new().unwrap();
    for (path, content) in files {
        let path = directory.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    directory
}

/// The paths below the directory, in the order read.
fn paths(directory: &TempDir, sources: &Sources) -> Vec<String> {
    let prefix = format!("{}/", directory.path().display());
    sources.0.iter().map(|source| source.path.strip_prefix(&prefix).unwrap().to_owned()).collect()
}

fn codes(sources: &Sources) -> Vec<(u32, Code)> {
    rule::read(sources).diagnostics.iter().map(|diagnostic| (diagnostic.span.source.0, diagnostic.code)).collect()
}

fn good(name: &str, number: u8) -> String {
    format!(
        "title: Good\nid: 6a0f6a4c-37e8-4b0a-8a5c-0d2f6a7f1b{number:02}\nname: {name}\nlevel: low\n\
         logsource: {{product: vault, service: audit}}\ndetection: {{s: {{x: v}}, condition: s}}\n"
    )
}

#[test]
fn a_directory_is_read_in_the_order_of_its_paths() {
    let directory = directory(&[
        ("b.yml", b"b"),
        ("a/z.yaml", b"z"),
        ("a/B.YML", b"B"),
        ("c/d/e.yml", b"e"),
        ("README.md", b"no rule"),
        ("a/list.txt", b"no rule"),
        (".hidden.yml", b"no rule"),
        (".git/x.yml", b"no rule"),
        ("yml", b"no rule"),
    ]);
    let sources = rule_files::read(directory.path()).unwrap();
    assert_eq!(paths(&directory, &sources), ["a/B.YML", "a/z.yaml", "b.yml", "c/d/e.yml"]);
    assert_eq!(sources.0[3].text, "e");
}

#[test]
fn one_file_may_have_any_name() {
    let directory = directory(&[("rule", b"x")]);
    let path = directory.path().join("rule");
    let sources = rule_files::read(&path).unwrap();
    assert_eq!(sources.0[0].path, path.display().to_string());
    assert_eq!(sources.0[0].text, "x");
}

#[test]
fn nothing_to_read_is_an_error() {
    let directory = directory(&[("README.md", b"x"), ("empty/.keep", b"")]);
    let message = |path: &Path| {
        let message = rule_files::read(path).expect_err("there are no rules").to_string();
        message.replace(&directory.path().display().to_string(), "DIR")
    };
    assert_eq!(message(directory.path()), "the directory `DIR` holds no rule files (`*.yml` or `*.yaml`)");
    assert_eq!(message(&directory.path().join("no")), "there are no rules at `DIR/no`: no such file or directory");
    assert_eq!(message(&directory.path().join("README.md/x")), "the rules at `DIR/README.md/x` cannot be read");
}

#[test]
fn a_file_that_cannot_be_read_hides_no_other() {
    let huge = vec![b'#'; rule::MAX_SOURCE_BYTES + 1];
    let directory = directory(&[
        ("good.yml", good("good", 1).as_bytes()),
        ("huge.yml", &huge),
        ("latin1.yml", b"title: caf\xe9\n"),
        ("zzz.yml", good("zzz", 2).as_bytes()),
    ]);
    symlink("nowhere", directory.path().join("dangling.yml")).unwrap();
    let _socket = UnixListener::bind(directory.path().join("socket.yml")).unwrap();
    let sources = rule_files::read(directory.path()).unwrap();
    let expected = ["dangling.yml", "good.yml", "huge.yml", "latin1.yml", "socket.yml", "zzz.yml"];
    assert_eq!(paths(&directory, &sources), expected);
    let problems =
        [(0, Code::FileUnreadable), (2, Code::FileTooLarge), (3, Code::FileNotUtf8), (4, Code::FileUnreadable)];
    assert_eq!(codes(&sources), problems);
    let names: Vec<_> = rule::read(&sources).rules.into_iter().map(|rule| rule.header.name).collect();
    assert_eq!(names, ["good", "zzz"]);
}

#[test]
fn links_are_followed_and_loops_are_not() {
    let directory = directory(&[("real/rule.yml", b"x")]);
    symlink(directory.path(), directory.path().join("real/loop")).unwrap();
    symlink("real/rule.yml", directory.path().join("linked.yml")).unwrap();
    let sources = rule_files::read(directory.path()).unwrap();
    assert_eq!(paths(&directory, &sources), ["linked.yml", "real/rule.yml"]);
}

#[test]
fn a_byte_order_mark_is_no_part_of_the_text() {
    let marked = format!("\u{feff}{}", good("marked", 1));
    let directory = directory(&[("marked.yml", marked.as_bytes())]);
    let sources = rule_files::read(directory.path()).unwrap();
    assert!(sources.0[0].text.starts_with("title"));
    assert_eq!(codes(&sources), []);
}
