//! Profiles: what is in force, of any rules and of the pack, and what the platform of HCP may do in which.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::Path;

use serde::Deserialize;

use vaultwatch::diagnostic::{Source, Sources};
use vaultwatch::rule::{self, Header, Reading};
use vaultwatch::rule_test::{self, CapturedLines};
use vaultwatch::{lint, rule_files};

use crate::cases;

const SETTINGS: &str = "
profile: here
profiles:
  here: {}
  there:
    description: Nobody is exempt.
    without: [often, exempt, 6a0f6a4c-37e8-4b0a-8a5c-0d2f6a7f1d02]
";

fn rule_named(name: &str, id: u32, level: &str) -> Source {
    let text = format!(
        "title: Rule\nid: 6a0f6a4c-37e8-4b0a-8a5c-0d2f6a7f1d{id:02}\nname: {name}\nlevel: {level}\n\
         logsource: {{product: vault, service: audit}}\ndetection: {{s: {{x: {name}}}, condition: s}}\n"
    );
    Source::new(format!("{name}.yml"), text)
}

/// Two rules that alert, of which one has a filter, and a correlation with a rule that only it looks at.
fn sources(settings: Option<&str>) -> Sources {
    let often = "title: Often\nid: 6a0f6a4c-37e8-4b0a-8a5c-0d2f6a7f1d04\nname: often\nlevel: high\n\
                 correlation: {type: event_count, rules: [base], timespan: 5m, condition: {gte: 2}}\n";
    let exempt = "title: Exempt\nname: exempt\nlogsource: {product: vault, service: audit}\n\
                  filter: {rules: [one], a: {y: w}, condition: not a}\n";
    let rules = [
        rule_named("one", 1, "high"),
        rule_named("two", 2, "high"),
        rule_named("base", 3, "informational"),
        Source::new("often.yml", often),
        Source::new("exempt.yml", exempt),
    ];
    Sources(rules.into_iter().chain(settings.map(|text| Source::new("vaultwatch.yml", text))).collect())
}

fn headers(reading: &Reading) -> impl Iterator<Item = &Header> {
    let rules = reading.rules.iter().map(|rule| &rule.header);
    rules.chain(reading.correlations.iter().map(|correlation| &correlation.header))
}

fn names(reading: &Reading) -> BTreeSet<&str> {
    headers(reading).map(|header| header.name.as_str()).collect()
}

/// Whether the filter is part of the rule that it is for.
fn is_filtered(reading: &Reading) -> bool {
    let one = reading.rules.iter().find(|rule| rule.header.name == "one").expect("it is always in force");
    one.detection.searches.len() == 2
}

#[test]
fn what_is_in_force_is_asked_for_or_chosen() {
    let everything = BTreeSet::from(["one", "two", "base", "often"]);
    let there = SETTINGS.replace("profile: here", "profile: there");
    let nowhere = SETTINGS.replace("profile: here", "profile: nowhere");
    for (settings, asked, profile, names_in_force, filtered) in [
        (None, None, None, everything.clone(), true),
        (Some("fields: [x.*]"), None, None, everything.clone(), true),
        (Some(SETTINGS), None, Some("here"), everything.clone(), true),
        (Some(SETTINGS), Some("here"), Some("here"), everything.clone(), true),
        (Some(SETTINGS), Some("there"), Some("there"), BTreeSet::from(["one"]), false),
        (Some(&there), None, Some("there"), BTreeSet::from(["one"]), false),
        (Some(&there), Some("here"), Some("here"), everything.clone(), true),
        // The mistake is told, and takes nothing away.
        (Some(&nowhere), None, None, everything.clone(), true),
    ] {
        let sources = sources(settings);
        let reading = rule::read_in_force(&sources, asked).expect("there is such a profile");
        let case = format!("{asked:?} of {settings:?}");
        assert_eq!(reading.profile.as_deref(), profile, "{case}");
        assert_eq!((names(&reading), is_filtered(&reading)), (names_in_force, filtered), "{case}");
        let all = rule::read(&sources);
        assert_eq!((names(&all), is_filtered(&all), &all.profile), (everything.clone(), true, &None), "{case}");
        assert_eq!(reading.diagnostics, all.diagnostics, "{case}");
    }
}

#[test]
fn a_profile_that_there_is_not_is_told_from_those_that_there_are() {
    let only = "profile: here\nprofiles: {here: {}}\n";
    for (settings, told) in [
        (None, "there is no profile `over-there`: no `vaultwatch.yml` among the rules has profiles"),
        (Some(only), "there is no profile `over-there`: there is only `here`"),
        (Some(SETTINGS), "there is no profile `over-there`: there are `here` and `there`"),
    ] {
        let unknown = rule::read_in_force(&sources(settings), Some("over-there")).expect_err("there is none");
        assert_eq!(unknown.to_string(), told);
    }
    let broken = rule::read_in_force(&sources(Some("profile: here\nprofile: here\n")), Some("here"));
    let found = broken.expect_err("the settings do not load").diagnostics;
    assert_eq!(found.iter().map(|found| found.code.id()).collect::<Vec<_>>(), ["duplicate-key"]);
}

#[test]
fn what_goes_along_is_told_of_a_profile() {
    let Reading { settings, .. } = rule::read(&sources(Some(SETTINGS)));
    let profiles: Vec<(&str, &[String])> =
        settings.profiles.iter().map(|profile| (profile.name.as_str(), profile.without.as_slice())).collect();
    let without = ["base", "exempt", "often", "two"].map(str::to_owned);
    assert_eq!(profiles, [("here", &[][..]), ("there", &without[..])]);
    assert!(settings.profiles[1].has("one") && !settings.profiles[1].has("base"));
}

fn pack() -> Sources {
    rule_files::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("rules")).expect("the rules are there")
}

fn in_force<'r>(sources: &Sources, profile: impl Into<Option<&'r str>>) -> Reading {
    let reading = rule::read_in_force(sources, profile.into()).expect("the pack has this profile");
    assert_eq!(reading.diagnostics, []);
    reading
}

#[test]
fn on_hcp_all_rules_of_the_pack_are_in_force_and_elsewhere_all_that_are_not_hcps() {
    let sources = pack();
    let everything = rule::read(&sources);
    let hcp = in_force(&sources, None);
    assert_eq!((hcp.profile.as_deref(), names(&hcp)), (Some("hcp"), names(&everything)));

    let self_managed = in_force(&sources, "self-managed");
    let gone: BTreeSet<&str> = names(&everything).difference(&names(&self_managed)).copied().collect();
    assert_eq!(gone, names(&everything).into_iter().filter(|name| name.starts_with("hcp_")).collect());
    assert!(gone.contains("hcp_customer_refused_in_root"), "base rules go along");

    let [first, second] = everything.settings.profiles.as_slice() else { panic!("two profiles") };
    assert_eq!((first.name.as_str(), first.without.as_slice()), ("hcp", &[][..]));
    let filters: Vec<&str> = second.without.iter().map(String::as_str).filter(|name| !gone.contains(name)).collect();
    assert_eq!(filters, ["hcp_platform", "hcp_platform_root", "hcp_platform_upkeep"]);
    for name in filters {
        assert!(sources.0.iter().any(|source| source.path.ends_with(&format!("filters/{name}.yml"))), "{name}");
    }
}

/// What is platform noise on HCP has no place where there is no platform.
#[test]
fn self_managed_no_rule_knows_the_platform() {
    let reading = in_force(&pack(), "self-managed");
    for rule in &reading.rules {
        let searches = rule.detection.searches.iter().map(|search| search.name.as_str());
        assert_eq!(
            searches.filter(|name| name.contains("platform")).collect::<Vec<_>>(),
            [""; 0],
            "{}",
            rule.header.name
        );
    }
}

#[test]
fn every_profile_of_the_pack_is_as_sound_as_all_of_it() {
    let sources = pack();
    for profile in ["hcp", "self-managed"] {
        assert_eq!(lint::check(&sources, &in_force(&sources, profile), None), [], "{profile}");
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    rule: String,
    exempt: bool,
    events: Vec<String>,
}

/// The pack, with these cases in the place of the tests of their rules.
fn pack_with(cases: &[Case], is_exempt: impl Fn(&Case) -> bool) -> Sources {
    let mut sources = pack();
    for source in &mut sources.0 {
        let mut own = cases.iter().zip(1..).filter(|(case, _)| source.path.ends_with(&format!("/{}.yml", case.rule)));
        let Some(first) = own.next() else { continue };
        let (rule, _) = source.text.split_once("\ntests:").expect("rules bring tests along");
        let mut text = format!("{rule}\ntests:\n");
        for (case, number) in std::iter::once(first).chain(own) {
            let expect = if is_exempt(case) { "no match" } else { "match" };
            writeln!(text, "  - name: case {number}\n    expect: {expect}\n    events:").unwrap();
            for event in &case.events {
                writeln!(text, "      - {event}").unwrap();
            }
        }
        source.text = text;
    }
    sources
}

#[test]
fn the_platform_is_exempt_on_hcp_and_nowhere_else() {
    let cases: Vec<Case> = cases::of_directory("tests/profiles", |_| true);
    let rules: BTreeSet<&str> = cases.iter().map(|case| case.rule.as_str()).collect();
    for (profile, has_platform) in [("hcp", true), ("self-managed", false)] {
        let sources = pack_with(&cases, |case| case.exempt && has_platform);
        let reading = in_force(&sources, profile);
        let known = rules.iter().filter(|rule| has_platform || !rule.starts_with("hcp_"));
        for name in known {
            let rule = reading.rules.iter().find(|rule| rule.header.name == *name);
            let rule = rule.unwrap_or_else(|| panic!("`{name}` is not in force in {profile}"));
            for run in rule_test::run(rule, &CapturedLines::default()) {
                assert!(run.passed(), "{name} in {profile}: {}: {:#?}", run.test.name, run.failures);
            }
        }
    }
}
