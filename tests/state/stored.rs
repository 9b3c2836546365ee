//! Windows as bytes: what is written is read, by this release and by those to come.

use proptest::prelude::*;
use uuid::Uuid;
use vaultwatch::correlate::{
    Clock, Entry, EntryValue, Group, HashKey, Marks, Measure, OwnedValue, StoredError, Window, WindowSpec,
};
use vaultwatch::number::Number;
use vaultwatch::payload::EventRef;
use vaultwatch::rule::{Comparison, Threshold};

/// What the first release wrote, in hexadecimal. It stays readable for ever.
const VERSION_1: &str = include_str!("window-1.hex");

const SECOND: i64 = 1_000_000_000;

fn spec(measure: Measure, suppress: i64) -> WindowSpec {
    let threshold = Threshold { comparison: Comparison::Gte, negated: false, bound: Number::Integer(2) };
    let analytic = Uuid::from_u128(7);
    WindowSpec {
        analytic,
        measure,
        thresholds: vec![threshold],
        timespan: 60 * SECOND,
        suppress,
        alerts: true,
        feeds: true,
    }
}

fn group(spec: &WindowSpec) -> Group {
    Group::of(spec.analytic, &[vec![OwnedValue::Text("alice".to_owned())]], &HashKey::default())
}

fn clock(event_time: i64) -> Clock {
    Clock { event_time, now: 5 * SECOND, lease: 60 * SECOND, owner: 42 }
}

/// A window in which there is one of everything.
fn full() -> Window {
    let entry = |seconds: i64, id, event| Entry {
        time: 1_790_000_000 * SECOND + seconds * SECOND,
        id,
        rule: 1,
        value: Some(EntryValue::Distinct(id % 3)),
        event,
        marks: Marks::default(),
    };
    let digits = |number: u32| EventRef::LogEvent(format!("{number:056}"));
    let entries = [
        entry(0, 1, digits(1)),
        entry(1, 2, EventRef::LogEvent("not a number".to_owned())),
        entry(2, 3, EventRef::Line { file: "audit.log".into(), line: 3 }),
        entry(500, 4, digits(4)),
        entry(501, 5, digits(5)),
    ];
    let spec = spec(Measure::DistinctValues, 60 * SECOND);
    let mut window = Window::default();
    for (delivery, entries) in (1..).zip(entries.chunks(3)) {
        let folded = window.fold(&spec, &group(&spec), entries, delivery);
        folded.opened.iter().for_each(|id| window.describe(*id, b"an account".to_vec()));
    }
    window.note_addresses(&[(entries[1].time, 17)]);
    window.claim(&spec, &clock(entries[4].time));
    window
}

#[test]
fn what_the_first_release_wrote_is_read() {
    let digits: Vec<u8> = VERSION_1.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    let byte = |digits: &[u8]| u8::from_str_radix(std::str::from_utf8(digits).unwrap(), 16).unwrap();
    let bytes: Vec<u8> = digits.chunks(2).map(byte).collect();
    assert_eq!(Window::from_bytes(&bytes), Ok(full()));
    assert_eq!(full().to_bytes(), bytes, "whatever is written otherwise gets a new version");
}

#[test]
fn other_versions_are_told_from_damage() {
    let bytes = full().to_bytes();
    let with_version = |version: u8| [&[version], &bytes[1..]].concat();
    for (what, bytes, expected) in [
        ("version 0", with_version(0), StoredError::Damaged),
        ("version 2", with_version(2), StoredError::Newer { found: 2 }),
        ("version 255", with_version(255), StoredError::Newer { found: 255 }),
        ("nothing", Vec::new(), StoredError::Damaged),
        ("a version alone", vec![1], StoredError::Damaged),
        ("half of it", bytes[..bytes.len() / 2].to_vec(), StoredError::Damaged),
    ] {
        assert_eq!(Window::from_bytes(&bytes), Err(expected), "{what}");
    }
    assert_eq!(
        StoredError::Newer { found: 2 }.to_string(),
        "the stored window has version 2, and this release knows 1"
    );
}

fn measures() -> impl Strategy<Value = Measure> {
    prop_oneof![
        Just(Measure::Count),
        Just(Measure::DistinctValues),
        Just(Measure::OrderedRules { of: 3 }),
        Just(Measure::Sum),
        Just(Measure::FirstSeen { warmup: SECOND }),
    ]
}

fn entries() -> impl Strategy<Value = Vec<Entry>> {
    let value = prop_oneof![
        Just(None),
        (0..4_u64).prop_map(|hash| Some(EntryValue::Distinct(hash))),
        any::<i128>().prop_map(|number| Some(EntryValue::Number(Number::Integer(number)))),
        (-1e9..1e9_f64).prop_map(|number| Some(EntryValue::Number(Number::Decimal(number)))),
    ];
    let event = prop_oneof![
        "[0-9]{1,60}".prop_map(EventRef::LogEvent),
        ".{0,9}".prop_map(EventRef::LogEvent),
        (".{0,9}", any::<u64>()).prop_map(|(file, line)| EventRef::Line { file: file.into(), line }),
    ];
    let time = prop_oneof![0..200 * SECOND, any::<i64>()];
    let entry = (time, 0..20_u64, 0..3_u16, value, event).prop_map(|(time, id, rule, value, event)| Entry {
        time,
        id,
        rule,
        value,
        event,
        marks: Marks::default(),
    });
    prop::collection::vec(entry, 1..12)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_is_read(
        measure in measures(),
        suppress in prop_oneof![Just(0), Just(10 * SECOND)],
        batches in prop::collection::vec(entries(), 1..6),
        claims in any::<bool>(),
        cut in any::<prop::sample::Index>(),
    ) {
        let spec = spec(measure, suppress);
        let mut window = Window::default();
        for (delivery, entries) in (0..).zip(&batches) {
            let folded = window.fold(&spec, &group(&spec), entries, delivery);
            folded.opened.iter().for_each(|id| window.describe(*id, vec![1, 2, 3]));
            if claims {
                for announcement in window.claim(&spec, &clock(0)) {
                    window.settle(&announcement, &clock(0));
                }
            }
            let bytes = window.to_bytes();
            prop_assert_eq!(Window::from_bytes(&bytes), Ok(window.clone()));
            prop_assert_eq!(Window::from_bytes(&bytes[..cut.index(bytes.len())]), Err(StoredError::Damaged));
        }
    }
}
