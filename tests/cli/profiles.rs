//! `--profile`

use super::desk::{Desk, event, lines};

const PROFILES: &str = "profile: here
profiles:
  here: {}
  there: {without: [root_token_used, policy_platform]}
";

const FILTER: &str = "title: The platform
name: policy_platform
logsource: {product: vault, service: audit}
filter: {rules: [policy_written], platform: {auth.display_name: root}, condition: not platform}
";

fn desk() -> Desk {
    Desk::with_rules()
        .with("rules/filters/policy_platform.yml", FILTER)
        .with("rules/vaultwatch.yml", PROFILES)
        .with("root.log", lines("04-root-token-use", &[1]))
        .with("policy.log", lines("07-policy-create-update-delete", &[1, 2]))
        .with("event.json", event("root-token-used"))
}

#[test]
fn what_is_in_force_depends_on_the_profile() {
    let desk = desk();
    let session = [
        desk.session(&["scan", "root.log", "policy.log"]),
        desk.session(&["scan", "--profile", "there", "root.log", "policy.log"]),
        desk.session(&["invoke", "--profile", "there", "--format", "json", "event.json"]),
        desk.session(&["explain", "policy_written", "policy.log:2"]),
        desk.session(&["explain", "--profile", "there", "policy_written", "policy.log:2"]),
        desk.session(&["explain", "--profile", "there", "root_token_used", "root.log:1"]),
        desk.session(&["explain", "--profile", "there", "rules/root_token_used.yml", "root.log:1"]),
        desk.session(&["explain", "--profile", "there", "root_token_use", "root.log:1"]),
    ];
    insta::assert_snapshot!("profiles", session.join("\n"));
}

#[test]
fn profiles_that_there_are_not() {
    let desk = desk();
    let slip = Desk::with_rules()
        .with("root.log", lines("04-root-token-use", &[1]))
        .with("rules/vaultwatch.yml", PROFILES.replace("profile: here", "profile: her"));
    let broken = Desk::with_rules()
        .with("root.log", lines("04-root-token-use", &[1]))
        .with("rules/vaultwatch.yml", format!("{PROFILES}{PROFILES}"));
    let session = [
        desk.session(&["scan", "--profile", "ther", "root.log"]),
        desk.session(&["explain", "--profile", "ther", "root_token_used", "root.log:1"]),
        desk.session(&["scan", "--rules", "rules/root_token_used.yml", "--profile", "there", "root.log"]),
        slip.session(&["scan", "root.log"]),
        broken.session(&["scan", "--profile", "there", "root.log"]),
        broken.session(&["explain", "--profile", "there", "root_token_used", "root.log:1"]),
    ];
    insta::assert_snapshot!("profiles_unknown", session.join("\n"));
}
