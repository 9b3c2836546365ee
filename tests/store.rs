//! Keeping windows: the same cases against every store, and what a table's faults come to.

mod cases;
pub(crate) mod dynamodb;
mod faults;

use jiff::Timestamp;
use uuid::Uuid;
use vaultwatch::deadline::Deadline;
use vaultwatch::state::{Key, MemoryStore, Store, Write, Written};

/// An empty place for windows, and as many clients of it as a test wants.
pub(crate) trait Place: Sync {
    fn store(&self) -> Box<dyn Store>;
}

impl Place for MemoryStore {
    fn store(&self) -> Box<dyn Store> {
        Box::new(self.clone())
    }
}

/// A window's name, one for each number.
fn key(number: u128) -> Key {
    Key { analytic: Uuid::from_u128(number), group: number.to_be_bytes() }
}

/// A first write, of a window that stays long and is never due.
fn first(number: u128, state: &[u8]) -> Write {
    let expires = "2100-01-01T00:00:00Z".parse().unwrap();
    Write { key: key(number), expected: None, state: state.to_vec(), expires, due: None }
}

/// The write of a window that was read at this version.
fn next(number: u128, version: u64, state: &[u8]) -> Write {
    Write { expected: Some(version), ..first(number, state) }
}

/// A time in the year 2026, to the millisecond.
fn at(milliseconds: i64) -> Timestamp {
    Timestamp::from_millisecond(1_790_000_000_000 + milliseconds).unwrap()
}

#[tokio::test]
async fn a_memory_that_is_full_loses_what_expires_first() {
    let store = MemoryStore::with_room(10_000);
    let expiring = |number: i64| {
        let name = number.unsigned_abs().into();
        Write { expires: at(-number), due: Some(at(number)), ..first(name, &[0; 1_000]) }
    };
    let writes: Vec<Write> = (0..20).map(expiring).collect();
    assert!(store.save(&writes, Deadline::NONE).await.iter().all(|write| *write == Ok(Written::Saved)));
    let loaded = store.load(&(0..20).map(key).collect::<Vec<_>>(), Deadline::NONE).await;
    let kept: Vec<usize> = (0..20).filter(|&number| loaded[number] != Ok(None)).collect();
    assert_eq!(kept, [0, 1, 2, 3, 4, 5, 6]);
    assert_eq!(store.evicted(), 13);
    assert_eq!(store.due(at(100), Deadline::NONE).await.unwrap().len(), 7);
}
