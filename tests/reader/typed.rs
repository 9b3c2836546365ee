//! What rules become.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use jiff::civil::date;
use serde::Deserialize;
use vaultwatch::diagnostic::{Source, Sources};
use vaultwatch::rule::{
    self, Anchor, Body, Comparison, Condition, FieldRef, Item, KeywordTest, Level, Link, Part, Pattern, RegexTest,
    Rule, Status, Test, TimePart,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Cases {
    case: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    search: String,
    is: String,
}

fn read_one(text: &str) -> Rule {
    let mut reading = rule::read(&Sources(vec![Source::new("case.yml", text)]));
    assert_eq!(reading.diagnostics, [], "in {text}");
    reading.rules.pop().expect("one rule")
}

#[test]
fn every_search_becomes_what_it_says() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reader/typed.toml");
    let cases: Cases = toml::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    let mut failures = String::new();
    for Case { name, search, is } in cases.case {
        let rule = read_one(&super::completed(&format!("detection:\n  s:\n    {search}\n  condition: s\n")));
        let shown = body(&rule.detection.searches[0].body);
        if shown != is {
            writeln!(failures, "\n{name}: {search}\n  is {is}\nnot {shown}").unwrap();
        }
    }
    assert!(failures.is_empty(), "{failures}");
}

fn body(it: &Body) -> String {
    match it {
        Body::AllOf(bodies) => bodies.iter().map(nested).collect::<Vec<_>>().join(" and "),
        Body::AnyOf(bodies) => bodies.iter().map(nested).collect::<Vec<_>>().join(" or "),
        Body::Item(Item { field, link, negated, tests, .. }) => {
            let not = if *negated { "not " } else { "" };
            format!("{not}{field} = {}", tests.iter().map(test).collect::<Vec<_>>().join(joint(*link)))
        }
        Body::Keywords(words) => {
            let tests = words.tests.iter().map(|word| match word {
                KeywordTest::Pattern(it) => pattern(it),
                KeywordTest::Regex(it) => regex(it),
            });
            format!("words {}", tests.collect::<Vec<_>>().join(joint(words.link)))
        }
    }
}

fn nested(it: &Body) -> String {
    if matches!(it, Body::AllOf(_) | Body::AnyOf(_)) { format!("({})", body(it)) } else { body(it) }
}

fn joint(link: Link) -> &'static str {
    match link {
        Link::Any => " | ",
        Link::All => " & ",
    }
}

fn test(it: &Test) -> String {
    match it {
        Test::Pattern(it) => pattern(it),
        Test::Number(number) => number.to_string(),
        Test::Null => "null".to_owned(),
        Test::Exists(true) => "exists".to_owned(),
        Test::Exists(false) => "absent".to_owned(),
        Test::Regex(it) => regex(it),
        Test::Compare(by, number) => format!("{} {number}", comparison(*by)),
        Test::Cidr(network) => network.to_string(),
        Test::FieldRef(it) => field_ref(it),
        Test::TimePart(part, by, number) => format!("{} {} {number}", time_part(*part), comparison(*by)),
    }
}

fn pattern(it: &Pattern) -> String {
    let parts = it.parts.iter().map(|part| match part {
        Part::Literal(text) => format!("\"{text}\""),
        Part::AnyRun => "*".to_owned(),
        Part::AnyChar => "?".to_owned(),
    });
    let cased = if it.cased { "cased " } else { "" };
    format!("{cased}{}", parts.collect::<Vec<_>>().join(" "))
}

fn regex(it: &RegexTest) -> String {
    let flags = [(it.flags.ignore_case, "i"), (it.flags.multi_line, "m"), (it.flags.dot_all, "s")];
    format!("/{}/{}", it.pattern, flags.iter().filter(|(set, _)| *set).map(|(_, flag)| *flag).collect::<String>())
}

fn field_ref(it: &FieldRef) -> String {
    let cased = if it.cased { "cased " } else { "" };
    let before = if matches!(it.anchor, Anchor::End | Anchor::Anywhere) { "*" } else { "" };
    let after = if matches!(it.anchor, Anchor::Start | Anchor::Anywhere) { "*" } else { "" };
    format!("{cased}{before}@{}{after}", it.field)
}

fn comparison(it: Comparison) -> &'static str {
    match it {
        Comparison::Eq => "==",
        Comparison::Lt => "<",
        Comparison::Lte => "<=",
        Comparison::Gt => ">",
        Comparison::Gte => ">=",
    }
}

fn time_part(it: TimePart) -> String {
    format!("{it:?}").to_lowercase()
}

#[test]
fn conditions_resolve_what_they_name() {
    let condition = |text: &str| {
        let searches = "  login: {x: v}\n  filter_ci: {x: v}\n  filter_backup: {x: v}\n  _hidden: {x: v}\n";
        let all = format!("  condition: [\"{text}\", 'login or 1 of filter_* or _hidden']\n");
        let rule = read_one(&super::completed(&format!("detection:\n{searches}{all}")));
        match rule.detection.condition {
            Condition::Or(mut conditions) => conditions.swap_remove(0),
            other => other,
        }
    };
    let filters = || vec![Condition::Search(1), Condition::Search(2)];
    let them = || vec![Condition::Search(0), Condition::Search(1), Condition::Search(2)];
    let not = |inner| Condition::Not(Box::new(inner));
    let cases = [
        ("login", Condition::Search(0)),
        ("login and not 1 of filter_*", Condition::And(vec![Condition::Search(0), not(Condition::Or(filters()))])),
        ("all of filter_*", Condition::And(filters())),
        ("1 of login", Condition::Search(0)),
        ("any of *_b*p", Condition::Search(2)),
        ("1 of them", Condition::Or(them())),
        ("all of them", Condition::And(them())),
        ("all of *", Condition::And(them())),
        ("1 of _*", Condition::Search(3)),
        ("not not login", not(not(Condition::Search(0)))),
        ("(((login)))", Condition::Search(0)),
        (
            "login or filter_ci and not filter_backup",
            Condition::Or(vec![
                Condition::Search(0),
                Condition::And(vec![Condition::Search(1), not(Condition::Search(2))]),
            ]),
        ),
        (
            "(login or filter_ci) and not(filter_backup)",
            Condition::And(vec![
                Condition::Or(vec![Condition::Search(0), Condition::Search(1)]),
                not(Condition::Search(2)),
            ]),
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(condition(text), expected, "for {text}");
    }
}

#[test]
fn a_complete_rule_keeps_everything() {
    let rule = read_one(
        "title: Ein Titel\n\
         id: 6A0f6a4c-37e8-4b0a-8a5c-0d2f6a7f1b01\n\
         name: case\n\
         status: test\n\
         description: >\n  It means\n  this.\n\
         references: [https://example.org/a, 'https://example.org/b']\n\
         author: somebody\n\
         date: 2026-11-22\n\
         modified: 2026-11-23\n\
         logsource: {product: vault, service: audit}\n\
         detection: {s: {x: v}, condition: s}\n\
         falsepositives: [a, b]\n\
         level: critical\n\
         tags: [attack.t1528]\n\
         alert: {runbook: [Look., Act.]}\n",
    );
    assert_eq!(rule.title, "Ein Titel");
    assert_eq!(rule.id.to_string(), "6a0f6a4c-37e8-4b0a-8a5c-0d2f6a7f1b01");
    assert_eq!(rule.name, "case");
    assert_eq!(rule.status, Status::Test);
    assert_eq!(rule.description.as_deref(), Some("It means this.\n"));
    assert_eq!(rule.references, ["https://example.org/a", "https://example.org/b"]);
    assert_eq!(rule.author.as_deref(), Some("somebody"));
    assert_eq!((rule.date, rule.modified), (Some(date(2026, 11, 22)), Some(date(2026, 11, 23))));
    assert_eq!(rule.falsepositives, ["a", "b"]);
    assert_eq!(rule.level, Level::Critical);
    assert_eq!(rule.tags, ["attack.t1528"]);
    assert_eq!(rule.alert.runbook, ["Look.", "Act."]);
    assert_eq!(rule.span.bytes, 7..16);
}

#[test]
fn what_a_rule_lacks_is_derived_and_stays_the_same() {
    let text = "title: X\nlogsource: {product: vault, service: audit}\ndetection: {s: {x: v}, condition: s}\n";
    let reading = rule::read(&Sources(vec![Source::new("some/dir/Some Rule-1.yml", text)]));
    let [rule] = reading.rules.as_slice() else { panic!("one rule: {:?}", reading.diagnostics) };
    assert_eq!(rule.name, "some_rule_1");
    assert_eq!(rule.id.to_string(), "b9357ac4-ae5e-50ca-b718-451066ac0536");
    assert_eq!((rule.level, rule.status), (Level::Medium, Status::Stable));
}
