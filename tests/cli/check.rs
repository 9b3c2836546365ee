//! `vaultwatch check` and `vaultwatch schema`

use std::fs;

use serde_json::Value;

use super::desk::{Desk, text};

/// A rule that vaultwatch has nothing to say about.
const GOOD: &str = include_str!("rules/checked.yml");

/// The same, with other words in it.
fn changed(changes: &[(&str, &str)]) -> String {
    changes.iter().fold(GOOD.to_owned(), |rule, (from, to)| {
        assert!(rule.contains(from), "there is no {from}");
        rule.replacen(from, to, 1)
    })
}

fn desk_with_problems() -> Desk {
    let plain = changed(&[("auth.policies: admin", "request.data.policies: root"), ("    type: response\n", "")]);
    let old = changed(&[
        ("name: checked", "name: old"),
        ("2b2d7b0a", "2b2d7b0b"),
        ("s and not t", "s AND NOT t"),
        ("attack.t1078", "attack.t1562.008"),
        ("sys/mounts/a", "/sys/mounts/a"),
    ]);
    Desk::new().with("rules/checked.yml", plain).with("rules/more/old.yml", old)
}

#[test]
fn problems_are_told_with_their_places() {
    let desk = desk_with_problems();
    let session = [
        desk.session(&["check"]),
        desk.session(&["check", "--format", "github"]),
        desk.session(&["check", "rules/checked.yml", "--format", "json"]),
    ];
    insta::assert_snapshot!("check", session.join("\n"));
}

#[test]
fn it_ends_as_the_worst_that_was_found() {
    let warned = changed(&[("    type: response\n", "")]);
    let desk = Desk::new().with("good/checked.yml", GOOD).with("warned/checked.yml", warned).with("empty/x.txt", "");
    let session = [
        desk.session(&["check", "good", "--deny", "warnings"]),
        desk.session(&["check", "warned"]),
        desk.session(&["check", "warned", "--deny", "warnings", "--format", "github"]),
        desk.session(&["check", "empty"]),
        desk.session(&["check", "nowhere"]),
        desk.session(&["check"]),
    ];
    insta::assert_snapshot!("check_ends", session.join("\n"));
}

#[test]
fn sarif_is_valid() {
    let schema: Value = serde_json::from_str(include_str!("../check/sarif-2.1.0.json")).unwrap();
    let validator = jsonschema::draft4::new(&schema).unwrap();
    let odd = changed(&[("name: checked", "name: odd"), ("2b2d7b0a", "2b2d7b0c"), ("level: low", "level: lów")]);
    let desk = desk_with_problems().with("rules/ä b%#?.yml", odd);
    let absolute = desk.path().join("rules").display().to_string();
    for path in ["rules", "./rules", &absolute] {
        let output = desk.run(&["check", "--format", "sarif", path]);
        assert_eq!(output.status.code(), Some(1));
        let log: Value = serde_json::from_slice(&output.stdout).unwrap();
        let objections: Vec<String> =
            validator.iter_errors(&log).map(|error| format!("{}: {error}", error.instance_path())).collect();
        assert_eq!(objections, [""; 0]);
    }
    let output = desk.run(&["check", "--format", "sarif", "rules"]);
    let log: Value = serde_json::from_slice(&output.stdout).unwrap();
    let results = log["runs"][0]["results"].as_array().unwrap();
    let places: Vec<String> = results.iter().map(place).collect();
    insta::assert_snapshot!("check_sarif", places.join("\n"));
    // Every result points to the description of its code.
    for result in results {
        let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(log["runs"][0]["tool"]["driver"]["rules"][index]["id"], result["ruleId"]);
    }
}

/// `error never-true in rules/a.yml, 3:4 to 3:9`
fn place(result: &Value) -> String {
    let place = &result["locations"][0]["physicalLocation"];
    let region = |key: &str| place["region"][key].as_u64().unwrap();
    format!(
        "{} {} in {}, {}:{} to {}:{}",
        result["level"].as_str().unwrap(),
        result["ruleId"].as_str().unwrap(),
        place["artifactLocation"]["uri"].as_str().unwrap(),
        region("startLine"),
        region("startColumn"),
        region("endLine"),
        region("endColumn"),
    )
}

#[test]
fn what_can_be_mended_is_mended_in_the_files() {
    let old = changed(&[
        ("title: ", "\u{feff}title: "),
        ("id: 2b2d7b0a-3c31-4a9c-9c39-6b9c3f5a7e01\n", ""),
        ("name: checked\n", ""),
        ("level: low\n", ""),
        ("s and not t", "s AND NOT t"),
        ("attack.t1078", "attack.t1562.008"),
        ("date: 2026-11-22", "date: 2026/11/22"),
        ("auth.policies: admin", "auth.policies: no"),
    ]);
    let desk = Desk::new().with("rules/impact/old.yml", old).with("rules/rule.schema.json", "{}");
    let session = [
        desk.session(&["check", "--format", "github"]),
        desk.session(&["check", "--fix", "--deny", "warnings"]),
        desk.session(&["check", "--deny", "warnings"]),
        desk.session(&["check", "--deny", "warnings", "rules/impact/old.yml"]),
    ];
    let mended = fs::read_to_string(desk.path().join("rules/impact/old.yml")).unwrap();
    assert!(mended.starts_with('\u{feff}'), "the byte order mark is kept");
    insta::assert_snapshot!("check_fix", session.join("\n") + "\n" + mended.trim_start_matches('\u{feff}'));
}

#[test]
fn a_file_that_cannot_be_written_stops_it() {
    let desk = desk_with_problems();
    let path = desk.path().join("rules/more/old.yml");
    let mut permissions = fs::metadata(&path).unwrap().permissions();
    permissions.set_readonly(true);
    fs::set_permissions(&path, permissions).unwrap();
    let output = desk.run(&["check", "--fix"]);
    // The superuser may write it all the same.
    if output.status.code() == Some(2) {
        assert_eq!(text(&output.stderr), "error: cannot write `rules/more/old.yml`: permission denied\n");
    }
}

#[test]
fn the_schema_points_editors_the_way() {
    let desk = Desk::new();
    let schema: Value = serde_json::from_slice(&desk.run(&["schema"]).stdout).unwrap();
    assert_eq!(schema["$schema"], "http://json-schema.org/draft-07/schema#");
    let search = &schema["definitions"]["search_map"]["properties"];
    assert_eq!(
        search["request.path"]["description"],
        "without the namespace, without a leading slash; lists end with one"
    );
}
