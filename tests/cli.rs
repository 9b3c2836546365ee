//! What a user of the command line sees. The snapshots are whole sessions: change them as you would change the manual.

use self::desk::Desk;

mod check;
mod desk;
mod explain;
mod fields;
mod invoke;
mod new;
mod pack;
mod profiles;
mod publish;
mod rules;
mod scan;
mod test;

#[test]
fn the_help_of_every_command() {
    let desk = Desk::new();
    let help: Vec<String> = [
        "--help",
        "invoke --help",
        "scan --help",
        "check --help",
        "test --help",
        "explain --help",
        "new --help",
        "rules --help",
        "fields --help",
        "schema --help",
        "pack --help",
        "unpack --help",
    ]
    .iter()
    .map(|words| desk.session(&words.split(' ').collect::<Vec<_>>()))
    .collect();
    insta::assert_snapshot!("help", help.join("\n"));
}

#[test]
fn arguments_that_make_no_sense() {
    let desk = Desk::new();
    let session = [
        desk.session(&[]),
        desk.session(&["scn", "audit.log"]),
        desk.session(&["scan"]),
        desk.session(&["scan", "audit.log", "--format", "yaml"]),
        desk.session(&["scan", "audit.log", "--rule", "rules"]),
        desk.session(&["pack", "audit.log", "--owner", "me"]),
    ];
    insta::assert_snapshot!("arguments", session.join("\n"));
}

#[test]
fn the_version() {
    let expected = format!("$ vaultwatch --version\nvaultwatch {}\n[exit 0]\n", env!("CARGO_PKG_VERSION"));
    assert_eq!(Desk::new().session(&["--version"]), expected);
}
