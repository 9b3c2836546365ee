//! Diagnostics as people see them.

use insta::assert_snapshot;
use vaultwatch::cli::diagnostics::render;
use vaultwatch::diagnostic::{Code, Source, Sources};
use vaultwatch::rule;

fn drawn(files: &[(&str, &str)]) -> String {
    let sources = Sources(files.iter().map(|(path, text)| Source::new(*path, *text)).collect());
    render(&sources, &rule::read(&sources).diagnostics, false)
}

/// What is drawn for a rule that lacks nothing else.
fn case(text: &str) -> String {
    drawn(&[("rules/impact/case.yml", &super::completed(text))])
}

#[test]
fn a_modifier_with_a_slip() {
    assert_snapshot!(case("detection:\n  s:\n    request.path|contians: sys/raw # here\n  condition: s\n"), @r#"
    error[unknown-modifier]: there is no modifier `contians`
     --> rules/impact/case.yml:3:18
      |
    3 |     request.path|contians: sys/raw # here
      |                  ^^^^^^^^
      |
      = help: did you mean `contains`?
    "#);
}

#[test]
fn two_places_of_one_file() {
    assert_snapshot!(case("detection:\n  s:\n    type: request\n    error: null\n    type: response\n  condition: s\n"), @r#"
    error[duplicate-key]: the key `type` appears twice
     --> rules/impact/case.yml:5:5
      |
    3 |     type: request
      |     ---- first here
    4 |     error: null
    5 |     type: response
      |     ^^^^ again here
      |
      = help: keep one of them; several values of one field are a list
    "#);
}

#[test]
fn two_files() {
    let rule = super::completed("title: One");
    assert_snapshot!(drawn(&[("rules/case.yml", &rule), ("rules/copy/case.yml", &rule)]), @r#"
    error[duplicate-id]: the id `6a0f6a4c-37e8-4b0a-8a5c-0d2f6a7f1b00` is taken
     --> rules/copy/case.yml:2:5
      |
    2 | id: 6a0f6a4c-37e8-4b0a-8a5c-0d2f6a7f1b00
      |     ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
     ::: rules/case.yml:2:5
      |
    2 | id: 6a0f6a4c-37e8-4b0a-8a5c-0d2f6a7f1b00
      |     ------------------------------------ by this rule
      |
      = help: every rule needs an id of its own

    error[duplicate-name]: the name `case` is taken
     --> rules/copy/case.yml:3:7
      |
    3 | name: case
      |       ^^^^
      |
     ::: rules/case.yml:3:7
      |
    3 | name: case
      |       ---- by this rule
      |
      = help: every rule needs a name of its own
    "#);
}

#[test]
fn a_place_after_text_that_is_not_ascii() {
    assert_snapshot!(case("detection:\n  größe: {'überall日本': [ok, 12:30]}\n  condition: größe and not größte\n"), @r#"
    warning[ambiguous-scalar]: `12:30` is text here, and a number in base 60 to tools that read YAML 1.1
     --> rules/impact/case.yml:2:29
      |
    2 |   größe: {'überall日本': [ok, 12:30]}
      |                               ^^^^^ quote it

    error[unknown-search]: there is no search `größte`
     --> rules/impact/case.yml:3:28
      |
    3 |   condition: größe and not größte
      |                            ^^^^^^
      |
      = help: did you mean `größe`?
    "#);
}

#[test]
fn a_network_with_host_bits() {
    assert_snapshot!(case("detection:\n  s:\n    request.remote_address|cidr: [10.0.0.0/8, 192.168.1.17/16]\n  condition: s\n"), @r#"
    error[invalid-network]: `192.168.1.17/16` has bits set after its prefix
     --> rules/impact/case.yml:3:47
      |
    3 |     request.remote_address|cidr: [10.0.0.0/8, 192.168.1.17/16]
      |                                               ^^^^^^^^^^^^^^^
      |
      = help: the network is `192.168.0.0/16`, the address alone `192.168.1.17`
    "#);
}

#[test]
fn an_expression_with_look_ahead() {
    assert_snapshot!(case("detection:\n  s:\n    auth.display_name|re: ^(?!ci-).*$\n  condition: s\n"), @r#"
    error[unsupported-regex]: regular expressions here have no look-around
     --> rules/impact/case.yml:3:28
      |
    3 |     auth.display_name|re: ^(?!ci-).*$
      |                            ^^^ look-around
      |
      = help: match what must be there, and exclude the rest with a second search and `not` in the condition
    "#);
}

#[test]
fn a_condition_over_several_lines() {
    assert_snapshot!(case("detection:\n  selection: {x: v}\n  condition: >\n    selection and\n    not (1 of filter_*)\n    | count() > 5\n"), @r#"
    error[unknown-search]: `filter_*` names no search
     --> rules/impact/case.yml:5:15
      |
    5 |     not (1 of filter_*)
      |               ^^^^^^^^

    error[condition-pipe]: a condition holds no `|`
     --> rules/impact/case.yml:6:5
      |
    6 |     | count() > 5
      |     ^^^^^^^^^^^^^
      |
      = help: counting over time is what correlation rules are for
    "#);
}

#[test]
fn a_value_list_with_a_fault_that_a_rule_uses() {
    let list = "name: offices\nvalues:\n  - 10.0.0.0/8\n  - 192.0.2.7/24\n";
    let rule = super::completed("detection:\n  s: {request.remote_address|expand|cidr: '%offices%'}\n  condition: s\n");
    assert_snapshot!(drawn(&[("rules/case.yml", &rule), ("rules/lists/offices.yml", list)]), @r"
    error[invalid-network]: `192.0.2.7/24` has bits set after its prefix
     --> rules/lists/offices.yml:4:5
      |
    4 |   - 192.0.2.7/24
      |     ^^^^^^^^^^^^
      |
     ::: rules/case.yml:2:43
      |
    2 |   s: {request.remote_address|expand|cidr: '%offices%'}
      |                                           ----------- used here
      |
      = help: the network is `192.0.2.0/24`, the address alone `192.0.2.7`
    ");
}

#[test]
fn a_filter_without_not() {
    let filter = "title: The backup job\nlogsource: {product: vault, service: audit}\n\
                  filter:\n  rules: [case]\n  job: {auth.display_name: backup}\n  condition: job\n";
    let rule = super::completed("title: One");
    assert_snapshot!(drawn(&[("rules/case.yml", &rule), ("rules/filters/backup.yml", filter)]), @r"
    error[filter-without-not]: this filter would let the rules match nothing but its own searches
     --> rules/filters/backup.yml:6:14
      |
    6 |   condition: job
      |              ^^^
      |
      = help: the condition is joined to the rule's with `and`: write `not selection`
    ");
}

#[test]
fn text_that_is_not_yaml() {
    assert_snapshot!(drawn(&[("case.yml", "title: one: two\n---\ntitle: [three\n")]), @r#"
    error[yaml-syntax]: this is not YAML: mapping values are not allowed in this context
     --> case.yml:1:11
      |
    1 | title: one: two
      |           ^

    error[yaml-syntax]: this is not YAML: while parsing a flow sequence, expected ',' or ']'
     --> case.yml:4:1
      |
    4 |
      | ^
    "#);
}

#[test]
fn a_file_that_cannot_be_read() {
    let source =
        Source { path: "rules/x.yml".into(), unreadable: Some("permission denied".into()), ..Source::default() };
    let sources = Sources(vec![source]);
    assert_snapshot!(render(&sources, &rule::read(&sources).diagnostics, false), @r#"
    error[file-unreadable]: this file cannot be read: permission denied
     --> rules/x.yml:1:1
      |
    1 |
      | ^
    "#);
}

#[test]
fn a_value_over_many_lines_is_shown_by_its_first() {
    assert_snapshot!(case("references:\n  first: a\n  second: b\n  third: c\n"), @r#"
    error[wrong-type]: `references` needs a list
     --> rules/impact/case.yml:2:3
      |
    2 |   first: a
      |   ^^^^^^^^
      |
      = help: start each member with `- `, on a line of its own
    "#);
}

#[test]
fn a_profile_without_what_something_else_needs() {
    let rule = super::completed("name: one");
    let often = "title: Often\nid: 6a0f6a4c-37e8-4b0a-8a5c-0d2f6a7f1b02\nname: often\nlevel: high\n\
                 correlation: {type: event_count, rules: [one], timespan: 5m, condition: {gte: 2}}\n";
    let settings = "profile: thre\nprofiles:\n  here: {}\n  there:\n    without: [one, ofte, audit]\n";
    let files = [("rules/one.yml", rule.as_str()), ("rules/often.yml", often), ("rules/vaultwatch.yml", settings)];
    assert_snapshot!(drawn(&files), @r#"
    error[unknown-value]: there is no profile `thre`
     --> rules/vaultwatch.yml:1:10
      |
    1 | profile: thre
      |          ^^^^
      |
      = help: did you mean `there`?

    warning[unknown-rule]: without `one`, the correlation `often` never fires
     --> rules/vaultwatch.yml:5:15
      |
    5 |     without: [one, ofte, audit]
      |               ^^^
      |
     ::: rules/often.yml:1:8
      |
    1 | title: Often
      |        ----- this one
      |
      = help: put the correlation there as well, or leave its rule in force

    error[unknown-rule]: there is no rule, correlation or filter `ofte`
     --> rules/vaultwatch.yml:5:20
      |
    5 |     without: [one, ofte, audit]
      |                    ^^^^
      |
      = help: did you mean `often`?

    error[unknown-rule]: there is no rule, correlation or filter `audit`
     --> rules/vaultwatch.yml:5:26
      |
    5 |     without: [one, ofte, audit]
      |                          ^^^^^
    "#);
}

#[test]
fn settings_without_a_choice() {
    let slips = ["- fields\n", "profiles: {here: {}}\n", "profile: here\n"];
    let drawn: Vec<String> = slips.iter().map(|text| drawn(&[("rules/vaultwatch.yml", text)])).collect();
    assert_snapshot!(drawn.join("\n"), @r#"
    error[wrong-type]: `vaultwatch.yml` is a map of `fields`, `overlaps`, `profile` and `profiles`
     --> rules/vaultwatch.yml:1:1
      |
    1 | - fields
      | ^

    error[missing-key]: there are profiles, and no `profile` says which of them is in force
     --> rules/vaultwatch.yml:1:12
      |
    1 | profiles: {here: {}}
      |            ^^^^
      |
      = help: add `profile: here`, or another one

    error[unknown-value]: there is no profile `here`
     --> rules/vaultwatch.yml:1:10
      |
    1 | profile: here
      |          ^^^^
      |
      = help: `profiles` names them, and what each is without
    "#);
}

#[test]
fn settings_with_slips() {
    let text =
        "profile: here\nprofiles: {'In Berlin': {}, here: x}\n---\nprofile: here\nprofiles: {here: {wthout: [one]}}\n";
    assert_snapshot!(drawn(&[("rules/vaultwatch.yml", text)]), @r#"
    error[invalid-name]: `In Berlin` cannot be the name of a profile
     --> rules/vaultwatch.yml:2:12
      |
    2 | profiles: {'In Berlin': {}, here: x}
      |            ^^^^^^^^^^^
      |
      = help: names consist of lower-case letters, digits, `-` and `_`

    error[wrong-type]: a profile is a map of `description` and `without`
     --> rules/vaultwatch.yml:2:35
      |
    2 | profiles: {'In Berlin': {}, here: x}
      |                                   ^

    error[duplicate-key]: the profile is chosen twice
     --> rules/vaultwatch.yml:4:10
      |
    1 | profile: here
      |          ---- first here
    ...
    4 | profile: here
      |          ^^^^
      |
      = help: keep one of them

    error[duplicate-name]: the name `here` is taken
     --> rules/vaultwatch.yml:5:12
      |
    2 | profiles: {'In Berlin': {}, here: x}
      |                             ---- by this profile
    ...
    5 | profiles: {here: {wthout: [one]}}
      |            ^^^^
      |
      = help: every profile needs its own

    error[unknown-key]: a profile has no key `wthout`
     --> rules/vaultwatch.yml:5:19
      |
    5 | profiles: {here: {wthout: [one]}}
      |                   ^^^^^^
      |
      = help: did you mean `without`?
    "#);
}

#[test]
fn places_far_apart_are_two_pieces() {
    let lines = "# a line\n".repeat(30);
    assert_snapshot!(case(&format!("author: a\n{lines}author: b\n")), @r#"
    error[duplicate-key]: the key `author` appears twice
      --> rules/impact/case.yml:32:1
       |
    32 | author: b
       | ^^^^^^ again here
       |
      ::: rules/impact/case.yml:1:1
       |
     1 | author: a
       | ------ first here
       |
       = help: keep one of them; several values of one field are a list
    "#);
}

#[test]
fn nothing_is_drawn_for_nothing() {
    assert_eq!(case("author: a"), "");
}

#[test]
fn control_characters_in_a_rule_do_not_reach_the_terminal() {
    let drawn = case("level: \"\\e[31mred\\a\"\ndescription: x\\\n");
    assert!(drawn.contains("is no level"), "{drawn}");
    assert!(!drawn.contains(|character: char| character.is_control() && character != '\n'), "{drawn:?}");
}

#[test]
fn long_texts_are_cut_and_line_breaks_escaped() {
    let text = super::completed(&format!("level: \"a\\n{}\"", "x".repeat(100_000)));
    let reading = rule::read(&Sources(vec![Source::new("case.yml", text)]));
    let [diagnostic] = reading.diagnostics.as_slice() else { panic!("{:?}", reading.diagnostics) };
    let length = diagnostic.message.chars().count();
    assert!((200..=400).contains(&length), "{length}");
    assert!(diagnostic.message.starts_with(r"`a\nxxx"), "{}", diagnostic.message);
    assert!(diagnostic.message.ends_with("xxx` is no level"), "{}", diagnostic.message);
}

#[test]
fn colours_are_only_drawn_when_asked_for() {
    let sources = Sources(vec![Source::new("x.yml", "a")]);
    let diagnostics = rule::read(&sources).diagnostics;
    assert!(render(&sources, &diagnostics, true).contains("\u{1b}["));
    assert!(!render(&sources, &diagnostics, false).contains('\u{1b}'));
}

#[test]
fn codes_are_stable_words() {
    let mut ids: Vec<_> = Code::ALL.iter().map(|code| code.id()).collect();
    for code in Code::ALL {
        let word = |part: &str| {
            !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
        };
        assert!(code.id().split('-').all(word), "{code}");
        assert!(!code.about().ends_with('.') && !code.about().is_empty(), "{code}");
    }
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), Code::ALL.len());
}
