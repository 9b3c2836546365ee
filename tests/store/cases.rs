//! What holds for every store.

use std::sync::Barrier;
use std::thread;
use std::time::Duration;

use tokio::runtime;
use vaultwatch::deadline::Deadline;
use vaultwatch::state::{
    Key, MAX_STATE_BYTES, MOST_DUE, MemoryStore, Requests, Store, StoreError, Stored, Write, Written,
};

use super::{Place, at, dynamodb, first, key, next};

/// Enough for a slow server, and the end of one that hangs.
fn soon() -> Deadline {
    Deadline::after(Duration::from_mins(1))
}

/// Makes of each case a test with memory and one with `DynamoDB`.
macro_rules! cases {
    ($($case:ident)*) => {
        mod in_memory {
            use super::*;
            $(
                #[tokio::test]
                async fn $case() {
                    super::$case(&MemoryStore::new()).await;
                }
            )*
        }

        mod in_dynamodb {
            use super::*;
            $(
                #[tokio::test]
                #[ignore = "needs a DynamoDB, which tests/run.sh starts"]
                async fn $case() {
                    super::$case(&dynamodb::Table::create().await).await;
                }
            )*
        }
    };
}

cases! {
    nothing_is_there_at_first
    what_is_saved_is_loaded
    a_version_follows_the_one_that_was_read
    a_stale_write_loses_to_what_stands_there
    a_first_write_loses_to_another_first_write
    a_write_of_what_is_gone_loses_to_nothing
    every_write_is_by_itself
    answers_come_in_the_order_of_the_keys
    a_window_may_be_large_but_not_larger
    what_is_due_comes_oldest_first
    a_window_is_due_as_its_last_write_says
    requests_are_counted
    twenty_five_at_a_time_lose_nothing
}

async fn load(store: &dyn Store, number: u128) -> Option<Stored> {
    store.load(&[key(number)], soon()).await.remove(0).unwrap()
}

async fn save(store: &dyn Store, write: Write) -> Written {
    store.save(&[write], soon()).await.remove(0).unwrap()
}

#[expect(clippy::unnecessary_wraps, reason = "as a store answers it")]
fn stored(version: u64, state: &[u8]) -> Option<Stored> {
    Some(Stored { version, state: state.to_vec() })
}

async fn nothing_is_there_at_first(place: &impl Place) {
    let store = place.store();
    assert_eq!(store.load(&[], soon()).await, []);
    assert_eq!(store.save(&[], soon()).await, []);
    assert_eq!(load(&*store, 1).await, None);
    assert_eq!(store.due(at(0), soon()).await, Ok(vec![]));
}

async fn what_is_saved_is_loaded(place: &impl Place) {
    let every_byte: Vec<u8> = (0..=u8::MAX).collect();
    for (number, state) in [(1, every_byte.as_slice()), (2, b""), (3, b"{}")] {
        assert_eq!(save(&*place.store(), first(number, state)).await, Written::Saved);
        assert_eq!(load(&*place.store(), number).await, stored(1, state), "by another client");
    }
    let other_group = Key { group: [0; 16], ..key(1) };
    assert_eq!(place.store().load(&[other_group], soon()).await, [Ok(None)]);
}

async fn a_version_follows_the_one_that_was_read(place: &impl Place) {
    let store = place.store();
    assert_eq!(save(&*store, first(1, b"a")).await, Written::Saved);
    assert_eq!(save(&*store, next(1, 1, b"b")).await, Written::Saved);
    assert_eq!(save(&*store, next(1, 2, b"c")).await, Written::Saved);
    assert_eq!(load(&*store, 1).await, stored(3, b"c"));
}

async fn a_stale_write_loses_to_what_stands_there(place: &impl Place) {
    let store = place.store();
    assert_eq!(save(&*store, first(1, b"a")).await, Written::Saved);
    assert_eq!(save(&*store, next(1, 1, b"b")).await, Written::Saved);
    for stale in [next(1, 1, b"late"), next(1, 3, b"early"), next(1, 1, b"b")] {
        assert_eq!(save(&*store, stale).await, Written::Lost(stored(2, b"b")));
    }
    assert_eq!(load(&*store, 1).await, stored(2, b"b"));
}

async fn a_first_write_loses_to_another_first_write(place: &impl Place) {
    let store = place.store();
    assert_eq!(save(&*store, first(1, b"a")).await, Written::Saved);
    assert_eq!(save(&*store, first(1, b"a")).await, Written::Lost(stored(1, b"a")), "even to the same bytes");
}

async fn a_write_of_what_is_gone_loses_to_nothing(place: &impl Place) {
    let store = place.store();
    assert_eq!(save(&*store, next(1, 7, b"a")).await, Written::Lost(None));
    assert_eq!(load(&*store, 1).await, None);
}

async fn every_write_is_by_itself(place: &impl Place) {
    let store = place.store();
    assert_eq!(save(&*store, first(2, b"there")).await, Written::Saved);
    let large = vec![0; MAX_STATE_BYTES + 1];
    let writes = [first(1, b"a"), first(2, b"b"), first(3, &large), next(4, 1, b"d"), first(5, b"e")];
    let expected = [
        Ok(Written::Saved),
        Ok(Written::Lost(stored(1, b"there"))),
        Err(StoreError::TooLarge { bytes: MAX_STATE_BYTES + 1 }),
        Ok(Written::Lost(None)),
        Ok(Written::Saved),
    ];
    assert_eq!(store.save(&writes, soon()).await, expected);
    assert_eq!(load(&*store, 3).await, None);
    assert_eq!(load(&*store, 5).await, stored(1, b"e"));
}

async fn answers_come_in_the_order_of_the_keys(place: &impl Place) {
    let store = place.store();
    let writes: Vec<Write> = (0..250).map(|number| first(number, &number.to_be_bytes())).collect();
    assert!(store.save(&writes, soon()).await.iter().all(|written| *written == Ok(Written::Saved)));
    // Some of them twice, and some that are not there.
    let numbers: Vec<u128> = (0..300).rev().chain([7, 7, 299, 0]).collect();
    let keys: Vec<Key> = numbers.iter().copied().map(key).collect();
    let loaded = store.load(&keys, soon()).await;
    assert_eq!(loaded.len(), numbers.len());
    for (number, found) in numbers.into_iter().zip(loaded) {
        let expected = if number < 250 { stored(1, &number.to_be_bytes()) } else { None };
        assert_eq!(found, Ok(expected), "{number}");
    }
}

async fn a_window_may_be_large_but_not_larger(place: &impl Place) {
    let store = place.store();
    let large = vec![1; MAX_STATE_BYTES];
    assert_eq!(save(&*store, Write { due: Some(at(1)), ..first(1, &large) }).await, Written::Saved);
    assert_eq!(save(&*store, first(1, b"")).await, Written::Lost(stored(1, &large)));
    let larger = first(2, &vec![1; MAX_STATE_BYTES + 1]);
    assert_eq!(store.save(&[larger], soon()).await, [Err(StoreError::TooLarge { bytes: MAX_STATE_BYTES + 1 })]);
}

async fn what_is_due_comes_oldest_first(place: &impl Place) {
    let store = place.store();
    let due = |number: u128, due| Write { due, ..first(number, b"") };
    let writes = [due(1, Some(at(20))), due(2, Some(at(-5))), due(3, None), due(4, Some(at(21))), due(5, Some(at(10)))];
    assert!(store.save(&writes, soon()).await.iter().all(|written| *written == Ok(Written::Saved)));
    for (until, expected) in
        [(-6, vec![]), (-5, vec![2]), (19, vec![2, 5]), (20, vec![2, 5, 1]), (99, vec![2, 5, 1, 4])]
    {
        let expected: Vec<Key> = expected.into_iter().map(key).collect();
        assert_eq!(store.due(at(until), soon()).await, Ok(expected), "until {until}");
    }
    let many: Vec<Write> = (100..150).zip(0..).map(|(number, place)| due(number, Some(at(1_000 - place)))).collect();
    assert!(store.save(&many, soon()).await.iter().all(|written| *written == Ok(Written::Saved)));
    let named = store.due(at(2_000), soon()).await.unwrap();
    assert_eq!(named.len(), MOST_DUE);
    assert_eq!(named[..5], [2, 5, 1, 4, 149].map(key));
}

async fn a_window_is_due_as_its_last_write_says(place: &impl Place) {
    let store = place.store();
    assert_eq!(save(&*store, Write { due: Some(at(10)), ..first(1, b"") }).await, Written::Saved);
    assert_eq!(save(&*store, Write { due: Some(at(30)), ..next(1, 1, b"") }).await, Written::Saved);
    assert_eq!(store.due(at(20), soon()).await, Ok(vec![]));
    assert_eq!(store.due(at(30), soon()).await, Ok(vec![key(1)]));
    assert_eq!(save(&*store, next(1, 2, b"")).await, Written::Saved);
    assert_eq!(store.due(at(99), soon()).await, Ok(vec![]));
}

async fn requests_are_counted(place: &impl Place) {
    let store = place.store();
    let writes: Vec<Write> = (0..120).map(|number| first(number, b"a")).collect();
    store.save(&writes, soon()).await;
    let before = store.requests();
    assert_eq!(before, Requests { writes: 120, ..Requests::default() });
    let keys: Vec<Key> = (0..120).map(key).collect();
    store.load(&keys, soon()).await;
    store.save(&writes[..3], soon()).await;
    store.due(at(0), soon()).await.unwrap();
    let expected = Requests { batches: 2, reads: 120, writes: 3, queries: 1, conflicts: 3, retries: 0 };
    assert_eq!(store.requests().since(before), expected);
}

/// Each adds its own numbers to one window, as an invocation does: load, fold, save, and again after a lost race.
async fn twenty_five_at_a_time_lose_nothing(place: &impl Place) {
    const THREADS: u8 = 25;
    const ROUNDS: u8 = 8;
    let start = &Barrier::new(THREADS.into());
    let conflicts: u64 = thread::scope(|scope| {
        let add =
            |thread: u8| move || add(place, start, &(thread * ROUNDS..(thread + 1) * ROUNDS).collect::<Vec<u8>>());
        let threads: Vec<_> = (0..THREADS).map(|thread| scope.spawn(add(thread))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    println!("{THREADS} threads, {ROUNDS} writes each, of one window: {conflicts} lost races");
    assert!(conflicts >= u64::from(THREADS) - 1, "all but one lose the first race");
    let Stored { version, state: mut added } = load(&*place.store(), 1).await.unwrap();
    added.sort_unstable();
    let expected: Vec<u8> = (0..THREADS * ROUNDS).collect();
    assert_eq!(added, expected);
    assert_eq!(version, u64::from(THREADS * ROUNDS));
}

fn add(place: &impl Place, start: &Barrier, numbers: &[u8]) -> u64 {
    let runtime = runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let store = place.store();
        let mut found = load(&*store, 1).await;
        start.wait();
        for &number in numbers {
            loop {
                let expected = found.as_ref().map(|found| found.version);
                let mut state = found.map_or_else(Vec::new, |found| found.state);
                state.push(number);
                match save(&*store, Write { expected, ..first(1, &state) }).await {
                    Written::Saved => break,
                    Written::Lost(stands) => found = stands,
                }
            }
            found = load(&*store, 1).await;
        }
        store.requests().conflicts
    })
}
