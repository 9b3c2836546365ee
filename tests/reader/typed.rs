//! What rules become.

use std::fmt::Write as _;

use jiff::civil::date;
use serde::Deserialize;
use serde_json::json;
use vaultwatch::diagnostic::{Severity, Source, Sources};
use vaultwatch::number::Number;
use vaultwatch::rule::{
    self, Alias, Anchor, Body, Comparison, Condition, CorrelationKind, EventBase, FieldRef, Item, KeywordTest, Level,
    Link, Part, Pattern, Reading, RegexTest, Related, Relation, Rule, RuleTest, Status, TemplatePart, Test, TestEvent,
    Threshold, TimePart, Timespan,
};

use crate::cases;

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
    let mut failures = String::new();
    for Case { name, search, is } in cases::of_file("tests/reader/typed.toml") {
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
    assert_eq!(rule.header.title, "Ein Titel");
    assert_eq!(rule.header.id.to_string(), "6a0f6a4c-37e8-4b0a-8a5c-0d2f6a7f1b01");
    assert_eq!(rule.header.name, "case");
    assert_eq!(rule.header.status, Status::Test);
    assert_eq!(rule.header.description.as_deref(), Some("It means this.\n"));
    assert_eq!(rule.header.references, ["https://example.org/a", "https://example.org/b"]);
    assert_eq!(rule.header.author.as_deref(), Some("somebody"));
    assert_eq!((rule.header.date, rule.header.modified), (Some(date(2026, 11, 22)), Some(date(2026, 11, 23))));
    assert_eq!(rule.header.falsepositives, ["a", "b"]);
    assert_eq!(rule.header.level, Level::Critical);
    assert_eq!(rule.header.tags, ["attack.t1528"]);
    assert_eq!(rule.header.alert.runbook, ["Look.", "Act."]);
    assert_eq!(rule.header.span.bytes, 7..16);
}

#[test]
fn what_a_rule_lacks_is_derived_and_stays_the_same() {
    let text = "title: X\nlogsource: {product: vault, service: audit}\ndetection: {s: {x: v}, condition: s}\n";
    let reading = rule::read(&Sources(vec![Source::new("some/dir/Some Rule-1.yml", text)]));
    let [rule] = reading.rules.as_slice() else { panic!("one rule: {:?}", reading.diagnostics) };
    assert_eq!(rule.header.name, "some_rule_1");
    assert_eq!(rule.header.id.to_string(), "b9357ac4-ae5e-50ca-b718-451066ac0536");
    assert_eq!((rule.header.level, rule.header.status), (Level::Medium, Status::Stable));
}

fn read_all(texts: &[&str]) -> Reading {
    let source = |(index, text): (usize, &&str)| Source::new(format!("file_{index}.yml"), *text);
    rule::read(&Sources(texts.iter().enumerate().map(source).collect()))
}

#[test]
fn an_alert_block_keeps_everything() {
    let rule = read_one(&super::completed(
        "alert:\n  group-by: [a.b, c]\n  suppress: 1h\n  title: 'x {a.b}}} {{y'\n  severity: high\n\
         related: [{id: 6a0f6a4c-37e8-4b0a-8a5c-0d2f6a7f1b01, type: renamed}]",
    ));
    assert_eq!(rule.header.alert.group_by, ["a.b", "c"]);
    assert_eq!(rule.header.alert.suppress, Timespan::parse("1h"));
    let (text, field) = (|text: &str| TemplatePart::Text(text.to_owned()), TemplatePart::Field("a.b".to_owned()));
    assert_eq!(rule.header.alert.title.unwrap().parts, [text("x "), field, text("} {y")]);
    assert_eq!(rule.header.alert.severity.unwrap().constant(), Some("high"));
    let id = "6a0f6a4c-37e8-4b0a-8a5c-0d2f6a7f1b01".parse().unwrap();
    assert_eq!(rule.header.related, [Related { id, relation: Relation::Renamed }]);
}

#[test]
fn tests_keep_everything() {
    let rule = read_one(&super::completed(
        "tests:\n  \
         - {name: one, like: unwrap, without: [error], event: {a.b: 1, c: {d: [null, true, 1.5]}}, expect: match}\n  \
         - {name: two, events: [{file: 'x/y.jsonl:12', at: 0s}, {like: unwrap, at: 5m, repeat: 3, every: 10s, \
         vary: {a: 'n{n}'}}], expect: {match: true, searches: [s], alert: {severity: High}}}\n\
         rsigma.exemplars: [{event: {x: v}, expect: no-match}]",
    ));
    let bare = |event: &TestEvent| (event.repeat, event.at, event.every, event.vary.len(), event.without.len());
    let [one, two, three] = rule.header.tests.as_slice() else { panic!("three tests: {:?}", rule.header.tests) };
    let RuleTest { name, events, expect, .. } = one;
    assert_eq!((name.as_str(), events.len(), expect.matches), ("one", 1, true));
    assert!(matches!(&events[0].base, EventBase::Like { name, .. } if name == "unwrap"));
    let overrides = [("a.b".to_owned(), json!(1)), ("c".to_owned(), json!({"d": [null, true, 1.5]}))];
    assert_eq!(events[0].overrides, overrides);
    assert_eq!(bare(&events[0]), (1, None, None, 0, 1));

    let RuleTest { name, events, expect, .. } = two;
    assert_eq!((name.as_str(), events.len(), expect.matches), ("two", 2, true));
    assert!(matches!(&events[0].base, EventBase::File { path, line: 12, .. } if path == "x/y.jsonl"));
    assert_eq!(bare(&events[0]), (1, Timespan::parse("0s"), None, 0, 0));
    assert_eq!(bare(&events[1]), (3, Timespan::parse("5m"), Timespan::parse("10s"), 1, 0));
    assert_eq!(expect.searches, ["s"]);
    assert_eq!(expect.alert, [("severity".to_owned(), json!("High"))]);

    assert_eq!((three.name.as_str(), three.expect.matches), ("exemplar 1", false));
    assert_eq!(three.events[0].base, EventBase::Complete);
    assert_eq!(three.events[0].overrides, [("x".to_owned(), json!("v"))]);
}

#[test]
fn a_correlation_keeps_everything() {
    let reading = read_all(&[
        &super::completed("name: file_0"),
        "title: Many\nid: 6a0f6a4c-37e8-4b0a-8a5c-0d2f6a7f1b01\nname: file_1\nlevel: high\nstatus: test\n\
         tags: [attack.t1528]\ncorrelation:\n  type: value_percentile\n  \
         rules: [6a0f6a4c-37e8-4b0a-8a5c-0d2f6a7f1b00]\n  group-by: [who, request.path]\n  timespan: 15m\n  \
         aliases: {who: {file_0: auth.display_name}}\n  generate: true\n  \
         condition: {gte: 1.5, neq: 7, field: request.data.n, percentile: 90}\n",
    ]);
    assert_eq!(reading.diagnostics, []);
    let [it] = reading.correlations.as_slice() else { panic!("one correlation") };
    assert_eq!((it.header.name.as_str(), it.header.title.as_str()), ("file_1", "Many"));
    assert_eq!((it.header.level, it.header.status, it.generate), (Level::High, Status::Test, true));
    assert_eq!(it.rules, ["file_0"]);
    assert_eq!(it.group_by, ["who", "request.path"]);
    assert_eq!(it.timespan.to_string(), "15m");
    let fields = vec![("file_0".to_owned(), "auth.display_name".to_owned())];
    assert_eq!(it.aliases, [Alias { name: "who".to_owned(), fields }]);
    let (field, percentile) = ("request.data.n".to_owned(), Number::Integer(90));
    assert_eq!(it.kind, CorrelationKind::ValuePercentile { field, percentile });
    let least = Threshold { comparison: Comparison::Gte, negated: false, bound: Number::Decimal(1.5) };
    let not = Threshold { comparison: Comparison::Eq, negated: true, bound: Number::Integer(7) };
    assert_eq!(it.condition, [least, not]);
}

#[test]
fn what_an_alert_does_not_say_has_a_default() {
    for (written, group_by, suppress) in [
        ("{runbook: [Look.]}", vec!["derived.principal", "request.remote_address"], "1h"),
        ("{suppress: 0}", vec!["derived.principal", "request.remote_address"], "0s"),
        ("{group-by: [request.path], suppress: 2d}", vec!["request.path"], "2d"),
    ] {
        let alert = read_one(&super::completed(&format!("alert: {written}\n"))).header.alert;
        let grouped: Vec<&str> = alert.group_by().collect();
        assert_eq!((grouped, alert.suppress().to_string().as_str()), (group_by, suppress), "{written}");
    }
}

#[test]
fn what_is_seen_for_the_first_time_keeps_everything() {
    for (written, warmup) in [("", "0s"), (", warmup: 0d", "0d"), (", warmup: 2w", "2w")] {
        let reading = read_all(&[
            &super::completed("name: file_0"),
            &format!(
                "title: New\nid: 6a0f6a4c-37e8-4b0a-8a5c-0d2f6a7f1b01\nname: file_1\nlevel: low\ncorrelation: {{type: \
                 first_seen, rules: [file_0], group-by: [x], timespan: 30d, field: y{written}}}\n"
            ),
        ]);
        assert_eq!(reading.diagnostics, []);
        let [it] = reading.correlations.as_slice() else { panic!("one correlation") };
        let warmup = Timespan::parse(warmup).unwrap();
        assert_eq!(it.kind, CorrelationKind::FirstSeen { field: "y".to_owned(), warmup });
        assert_eq!((it.condition.as_slice(), it.timespan.to_string().as_str()), (&[][..], "30d"));
    }
}

#[test]
fn a_filter_becomes_part_of_its_rules() {
    let reading = read_all(&[
        &super::completed("name: file_0\ndetection: {s: {x: v}, t: {x: w}, condition: s or t}"),
        "title: Filter\nname: file_1\nlogsource: {product: vault, service: audit}\n\
         filter: {rules: any, s: {y: v}, condition: not s}\n",
    ]);
    assert_eq!(reading.diagnostics, []);
    let [rule] = reading.rules.as_slice() else { panic!("one rule") };
    let names: Vec<&str> = rule.detection.searches.iter().map(|search| search.name.as_str()).collect();
    assert_eq!(names, ["s", "t", "file_1/s"]);
    let either = Condition::Or(vec![Condition::Search(0), Condition::Search(1)]);
    let none = Condition::Not(Box::new(Condition::Search(2)));
    assert_eq!(rule.detection.condition, Condition::And(vec![either, none]));
    assert_eq!(rule.detection.searches[2].span.source.0, 1, "its searches stand in its own file");
}

#[test]
fn what_only_served_a_disabled_correlation_goes_with_it() {
    let rule = |name: &str, level: &str| {
        let last = name.len() + usize::from(level == "high");
        super::completed(&format!("name: {name}\nlevel: {level}\nid: 6a0f6a4c-37e8-4b0a-8a5c-0d2f6a7f1c{last:02}"))
    };
    let correlation = |name: &str, level: &str, rules: &str, generate: &str| {
        format!(
            "title: Many\nname: {name}\nlevel: {level}\n\
             correlation: {{type: event_count, rules: [{rules}], timespan: 5m, condition: {{gte: 2}}{generate}}}\n"
        )
    };
    let all = [
        rule("file_0", "informational"),
        rule("file_1", "high"),
        correlation("file_2", "informational", "file_0, file_1", ""),
        correlation("file_3", "high", "file_2", ""),
        correlation("file_4", "high", "file_1", ", generate: true"),
    ];
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    for (disabled, left) in [
        (vec!["file_3"], vec!["file_1", "file_4"]),
        (vec!["file_4"], vec!["file_0", "file_1", "file_2", "file_3"]),
        (vec!["file_2"], vec!["file_1", "file_3", "file_4"]),
    ] {
        let mut reading = read_all(&all);
        let errors: Vec<_> = reading.diagnostics.iter().filter(|found| found.severity == Severity::Error).collect();
        assert!(errors.is_empty(), "{errors:?}");
        let disabled: Vec<String> = disabled.into_iter().map(str::to_owned).collect();
        assert!(reading.disable(&disabled).is_empty());
        let headers = reading.rules.iter().map(|rule| &rule.header);
        let headers = headers.chain(reading.correlations.iter().map(|correlation| &correlation.header));
        assert_eq!(headers.map(|header| header.name.as_str()).collect::<Vec<_>>(), left, "without {disabled:?}");
    }
}

#[test]
fn rules_are_disabled_by_id_or_name() {
    let all = || {
        read_all(&[
            &super::completed("name: file_0"),
            "title: Many\nid: 6a0f6a4c-37e8-4b0a-8a5c-0d2f6a7f1b01\nname: file_1\nlevel: high\n\
             correlation: {type: event_count, rules: [file_0], timespan: 5m, condition: {gte: 2}}\n",
        ])
    };
    for (named, unknown, left) in [
        (vec![], vec![], (1, 1)),
        (vec!["file_0"], vec![], (0, 1)),
        (vec!["6A0F6A4C-37E8-4B0A-8A5C-0D2F6A7F1B00", "file_1"], vec![], (0, 0)),
        (vec!["file_2", "file_1", "file"], vec!["file_2", "file"], (1, 0)),
    ] {
        let mut reading = all();
        let named: Vec<String> = named.into_iter().map(str::to_owned).collect();
        assert_eq!(reading.disable(&named), unknown);
        assert_eq!((reading.rules.len(), reading.correlations.len()), left, "{named:?}");
    }
}
