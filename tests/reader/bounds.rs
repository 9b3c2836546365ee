//! Whatever a file holds, reading it ends soon, and every place that it names exists.

use proptest::prelude::*;
use vaultwatch::cli::diagnostics::render;
use vaultwatch::diagnostic::{Code, Source, Sources, Span};
use vaultwatch::rule;

/// A rule with most of the language in it, to be damaged.
const RULE: &str = r#"title: "Ünïcode \u00e9"
id: 6a0f6a4c-37e8-4b0a-8a5c-0d2f6a7f1b00
name: case
level: low
status: test
description: >-
  folded ü
  text
date: 2026-11-22
references: &refs [https://example.org/]
logsource: {product: vault, service: audit}
detection:
  # 日本
  one:
    request.path|contains|all: ['ä*', "b\tc", d]
    f|base64offset|contains: foobar
    g|re|i: '^(x|日本)+$'
    h|cidr: [10.0.0.0/8, '::1/128']
    i|windash: -x
    j|hour|gte: 22
    k: [null, '', 5, 1.5, true, 12:30]
    l|exists: true
    m|expand: 'a %names% %%'
  two_x: *refs
  three: [{a: b}, {c|fieldref|neq: d}]
  condition: |
    one and not (1 of two_* or all of th*)
    or them_not
tags: [attack.t1078]
alert: {runbook: [Look.], suppress: 5m, title: "{{x}} {request.path} ü", group-by: [a]}
tests:
  - name: ü
    events: [{like: x, event: {a.b: [1, {c: null}]}, at: 5s, repeat: 3, every: 1m, vary: {d: "é{n}"}}]
    expect: {match: false, searches: [one]}
---
title: second
---
name: names
values: [ä, 5]
---
title: Filter
logsource: {product: vault, service: audit}
filter: {rules: [case], trusted: {x: v}, condition: not trusted}
---
title: Often
name: often
id: 6a0f6a4c-37e8-4b0a-8a5c-0d2f6a7f1b07
level: low
correlation: {type: value_count, rules: [case, often], group-by: [w], timespan: 5m, condition: {gte: 2, field: x}}
"#;

/// Reads and draws; every span must lie in its file.
fn check(text: &str) -> Vec<Code> {
    let sources = Sources(vec![Source::new("rules/case.yml", text)]);
    let reading = rule::read(&sources);
    for diagnostic in &reading.diagnostics {
        let spans = [Some(&diagnostic.span), diagnostic.related.as_ref().map(|(span, _)| span)];
        for Span { source, bytes } in spans.into_iter().flatten() {
            let text = &sources.get(*source).expect("the file is there").text;
            assert!(text.get(bytes.clone()).is_some(), "{bytes:?} is no part of {text:?}: {diagnostic:?}");
        }
        assert!(!diagnostic.message.ends_with('.'), "{diagnostic:?}");
        assert!(diagnostic.message.starts_with(|first: char| !first.is_uppercase()), "{diagnostic:?}");
    }
    assert_eq!(rule::read(&sources).diagnostics, reading.diagnostics);
    let drawn = render(&sources, &reading.diagnostics, false);
    assert!(drawn.matches("rules/case.yml:").count() >= reading.diagnostics.len(), "{drawn}");
    reading.diagnostics.iter().map(|diagnostic| diagnostic.code).collect()
}

/// What is put into rules to damage them.
fn fragment() -> impl Strategy<Value = String> {
    let marks = "[ \\[\\]{}:,\"'|>&*!%@`?#\\\\()\t\n\r\u{85}\u{2028}\u{feff}äß日𝄞İ-]{0,4}";
    let words = prop::sample::select(vec![
        "---",
        "\n---\n",
        "...\n",
        "<<: ",
        "*refs",
        "&a ",
        "!!int ",
        "!x ",
        "|re: (",
        "|contains",
        "1 of ",
        " and ",
        " NOT ",
        "null",
        "~",
        "\n  ",
        "\n      ",
        "%YAML 1.2\n",
        "\u{0}",
        "\u{7f}",
        "\\u12",
        "[[[[[[[[",
        "? ",
    ]);
    prop_oneof![marks.prop_map(String::from), words.prop_map(String::from)]
}

/// Cuts, repeats and inserts, each somewhere in the text.
fn damage(text: &str, edits: &[(usize, usize, String)]) -> String {
    let mut characters: Vec<char> = text.chars().collect();
    for (at, cut, fragment) in edits {
        let from = at % (characters.len() + 1);
        let to = (from + cut).min(characters.len());
        characters.splice(from..to, fragment.chars());
    }
    characters.into_iter().collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn arbitrary_text_is_read(text in "(?s).{0,300}") {
        check(&text);
    }

    #[test]
    fn arbitrary_marks_are_read(fragments in prop::collection::vec(fragment(), 0..40)) {
        check(&fragments.concat());
    }

    #[test]
    fn damaged_rules_are_read(edits in prop::collection::vec((any::<usize>(), 0usize..12, fragment()), 1..5)) {
        check(&damage(RULE, &edits));
    }

    #[test]
    fn arbitrary_conditions_are_read(condition in "(a|b_x|_c|and|or|not|1 of|all of|them|b_\\*|[()| ]|AND|é|\n   ){0,30}") {
        let searches = "  a: {x: v}\n  b_x: {x: v}\n  _c: {x: v}\n";
        check(&super::completed(&format!("detection:\n{searches}  condition: >\n    {condition}\n")));
    }

    #[test]
    fn arbitrary_keys_and_values_are_read(
        key in "[a-z.]{0,3}(\\|(contains|startswith|all|cased|re|i|base64offset|wide|windash|cidr|gt|hour|neq|exists|fieldref|x)){0,4}",
        value in "[-/*?\\\\a-z0-9.:é ]{0,12}",
    ) {
        let value = value.replace('\'', "");
        check(&super::completed(&format!("detection:\n  s:\n    '{key}': ['{value}', {value}]\n  condition: s\n")));
    }
}

#[test]
fn the_undamaged_rule_is_nearly_right() {
    assert_eq!(
        check(RULE),
        [
            Code::AmbiguousScalar,
            Code::UnknownSearch,
            Code::MissingKey,
            Code::MissingKey,
            Code::MissingKey,
            Code::MissingKey,
            Code::MissingKey,
            Code::UnknownRule,
            Code::CorrelationCircle
        ]
    );
}

/// A rule whose one search has these lines, and whose condition is this.
fn rule(search: &str, condition: &str) -> String {
    super::completed(&format!("detection:\n  s:\n{search}\n  condition: {condition}\n"))
}

#[test]
fn large_rules_load() {
    let values: Vec<_> = (0..10_000).map(|number| format!("      - value {number}\n")).collect();
    assert_eq!(check(&rule(&format!("    x|contains:\n{}", values.concat()), "s")), []);
    assert_eq!(check(&rule("    x: v", &format!("{}s", "s or ".repeat(10_000)))), []);
    let nested = format!("{}s{}", "(".repeat(60), ")".repeat(60));
    assert_eq!(check(&rule("    x: v", &nested)), []);
}

#[test]
fn large_files_of_documents_load() {
    let correlation = |number: usize, rule: &str| {
        format!(
            "---\ntitle: C\nname: c{number}\nid: 6a0f6a4c-37e8-4b0a-8a5c-{number:012}\nlevel: low\n\
             correlation: {{type: event_count, rules: [{rule}], timespan: 5m, condition: {{gte: 2}}}}\n"
        )
    };
    let chain: String = (1..4_000).rev().map(|number| correlation(number, &format!("c{}", number - 1))).collect();
    assert_eq!(check(&(super::completed("title: One") + &chain + &correlation(0, "case"))), []);
    let circle = check(&(super::completed("title: One") + &chain + &correlation(0, "c3999")));
    assert_eq!(circle.len(), 4_000, "every one of them is in the circle");
    assert!(circle.iter().all(|code| *code == Code::CorrelationCircle));
}

#[test]
fn what_filters_add_is_bounded() {
    let values: Vec<_> = (0..10_000).map(|number| format!("value {number}")).collect();
    let filter = format!(
        "title: Filter\nlogsource: {{product: vault, service: audit}}\n\
         filter: {{rules: any, s: {{x: [{}]}}, condition: not s}}\n",
        values.join(", ")
    );
    let rules = (0..30).map(|number| {
        let text = super::completed(&format!("name: rule_{number}\nid: 6a0f6a4c-37e8-4b0a-8a5c-{number:012}"));
        Source::new(format!("rule_{number}.yml"), text)
    });
    let sources = Sources(rules.chain([Source::new("filter.yml", filter)]).collect());
    let reading = rule::read(&sources);
    assert_eq!(reading.rules.len(), 30);
    assert!(reading.rules.iter().all(|rule| rule.detection.searches.len() == 1));
    assert_eq!(reading.diagnostics.iter().map(|found| found.code).collect::<Vec<_>>(), [Code::TooComplex]);
}

#[test]
fn what_is_too_much_is_refused() {
    let item = "    x: v";
    let lines = |count: usize, line: &str| line.repeat(count);
    let cases = [
        ("10 MB", "# comment\n".repeat(1 << 20), Code::FileTooLarge),
        ("parentheses", rule(item, &format!("{}s{}", "(".repeat(10_000), ")".repeat(10_000))), Code::TooComplex),
        ("negations", rule(item, &format!("{}s", "not ".repeat(10_000))), Code::TooComplex),
        ("collections in collections", format!("a: {}", "- ".repeat(20_000)), Code::YamlSyntax),
        ("lists in lists", "- ".repeat(20_000), Code::YamlTooDeep),
        ("maps in maps", "{a: ".repeat(10_000), Code::YamlSyntax),
        (
            "values that multiply",
            rule(&format!("    x|windash:\n{}", lines(300, "      - ' -a -b -c -d'\n")), "s"),
            Code::TooComplex,
        ),
        (
            "placeholders that multiply",
            rule("    x|expand: '%l%%l%%l%'", "s") + &format!("---\nname: l\nvalues: [{}]\n", "v, ".repeat(500)),
            Code::TooComplex,
        ),
        (
            "lists that add up",
            rule(&format!("    - x|expand: [{}]\n", "'%l%', ".repeat(100)).repeat(300), "s")
                + &format!("---\nname: l\nvalues: [{}]\n", "v, ".repeat(100_000)),
            Code::TooComplex,
        ),
        (
            "expressions that are large together",
            rule(&format!("    x|re:\n{}", lines(400, "      - '\\w{3}'\n")), "s"),
            Code::TooComplex,
        ),
        ("expressions", rule(&format!("    x|re:\n{}", lines(501, "      - a.b\n")), "s"), Code::TooComplex),
        ("large expressions", rule(&format!("    x|re:\n{}", lines(17, "      - '\\w{5}'\n")), "s"), Code::TooComplex),
        ("problems", rule(&lines(1_001, "    ? [a]\n    : b\n"), "s"), Code::MoreProblems),
        ("broken documents", "---\n[\n".repeat(200), Code::MoreProblems),
    ];
    for (name, text, expected) in cases {
        let found = check(&text);
        assert!(found.contains(&expected), "{name}: {:?}", found.iter().take(5).collect::<Vec<_>>());
    }
}

#[test]
fn many_searches_under_many_patterns_are_refused() {
    let searches: Vec<_> = (0..1_200).map(|number| format!("  s{number}: {{x: v}}\n")).collect();
    let searches = searches.concat();
    let text =
        super::completed(&format!("detection:\n{searches}  condition: {}1 of s*\n", "1 of s* or ".repeat(1_200)));
    assert_eq!(check(&text), [Code::TooComplex]);
}
