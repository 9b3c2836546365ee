//! Windows in the memory of this process.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hashbrown::HashMap;
use jiff::Timestamp;
use tracing::warn;

use super::store::{
    Answer, Key, MAX_STATE_BYTES, MOST_DUE, MOST_READ, Requests, Store, StoreError, Stored, Write, Written,
};
use crate::deadline::Deadline;

/// What the windows of a function may take, in bytes: a quarter of the memory that it has.
const USUAL_ROOM: usize = 64 << 20;

/// What a window takes beside its content, in bytes, roughly.
const WINDOW_BYTES: usize = 256;

/// Keeps windows as a table does, as long as the process lives. Clones share what they keep.
///
/// Its room is bounded. What goes when it is full are the windows that expire first, and they are counted.
#[derive(Debug, Clone)]
pub struct MemoryStore {
    windows: Arc<Mutex<Windows>>,
}

#[derive(Debug)]
struct Windows {
    by_key: HashMap<Key, Window>,
    by_expiry: BTreeSet<(Timestamp, Key)>,
    /// In milliseconds since 1970.
    by_due: BTreeSet<(i64, Key)>,
    /// The bytes that all of them take, and may take.
    taken: usize,
    room: usize,
    evicted: u64,
    requests: Requests,
}

#[derive(Debug)]
struct Window {
    stored: Stored,
    expires: Timestamp,
    due: Option<Timestamp>,
}

impl MemoryStore {
    /// An empty store with as much room as the function can spare.
    #[must_use]
    pub fn new() -> Self {
        Self::with_room(USUAL_ROOM)
    }

    /// An empty store for so many bytes.
    #[must_use]
    pub fn with_room(room: usize) -> Self {
        let windows = Windows {
            by_key: HashMap::new(),
            by_expiry: BTreeSet::new(),
            by_due: BTreeSet::new(),
            taken: 0,
            room,
            evicted: 0,
            requests: Requests::default(),
        };
        Self { windows: Arc::new(Mutex::new(windows)) }
    }

    /// How many windows had to go for want of room.
    #[must_use]
    pub fn evicted(&self) -> u64 {
        self.windows().evicted
    }

    /// A panic of another thread leaves the windows whole: each is written by one step that cannot fail halfway.
    fn windows(&self) -> MutexGuard<'_, Windows> {
        self.windows.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

impl Store for MemoryStore {
    fn load<'a>(&'a self, keys: &'a [Key], _: Deadline) -> Answer<'a, Vec<Result<Option<Stored>, StoreError>>> {
        Box::pin(async {
            let mut windows = self.windows();
            windows.requests.batches += keys.len().div_ceil(MOST_READ) as u64;
            keys.iter().map(|key| Ok(windows.read(key))).collect()
        })
    }

    fn save<'a>(&'a self, writes: &'a [Write], _: Deadline) -> Answer<'a, Vec<Result<Written, StoreError>>> {
        Box::pin(async { writes.iter().map(|write| self.windows().write(write)).collect() })
    }

    fn due(&self, until: Timestamp, _: Deadline) -> Answer<'_, Result<Vec<Key>, StoreError>> {
        Box::pin(async move {
            let mut windows = self.windows();
            windows.requests.queries += 1;
            let until = until.as_millisecond();
            let due = windows.by_due.iter().take_while(|(due, _)| *due <= until).take(MOST_DUE);
            Ok(due.map(|(_, key)| *key).collect())
        })
    }

    fn requests(&self) -> Requests {
        self.windows().requests
    }
}

impl Windows {
    fn read(&mut self, key: &Key) -> Option<Stored> {
        self.requests.reads += 1;
        self.by_key.get(key).map(|window| window.stored.clone())
    }

    fn write(&mut self, write: &Write) -> Result<Written, StoreError> {
        let bytes = write.state.len();
        if bytes > MAX_STATE_BYTES {
            return Err(StoreError::TooLarge { bytes });
        }
        self.requests.writes += 1;
        let found = self.by_key.get(&write.key).map(|window| &window.stored);
        if found.map(|stored| stored.version) != write.expected {
            self.requests.conflicts += 1;
            return Ok(Written::Lost(found.cloned()));
        }
        self.remove(write.key);
        self.insert(write);
        self.evict();
        Ok(Written::Saved)
    }

    fn insert(&mut self, write: &Write) {
        let &Write { key, expires, due, .. } = write;
        let stored = Stored { version: write.version(), state: write.state.clone() };
        let window = Window { stored, expires, due };
        self.taken += window.bytes();
        self.by_expiry.insert((expires, key));
        self.by_due.extend(due.map(|due| (due.as_millisecond(), key)));
        self.by_key.insert(key, window);
    }

    fn remove(&mut self, key: Key) {
        let Some(window) = self.by_key.remove(&key) else { return };
        self.taken -= window.bytes();
        self.by_expiry.remove(&(window.expires, key));
        if let Some(due) = window.due {
            self.by_due.remove(&(due.as_millisecond(), key));
        }
    }

    fn evict(&mut self) {
        let before = self.evicted;
        while self.taken > self.room
            && let Some(&(_, first)) = self.by_expiry.first()
        {
            self.remove(first);
            self.evicted += 1;
        }
        if self.evicted > before {
            warn!(evicted = self.evicted, "there is no room for all windows: those that expire first are lost");
        }
    }
}

impl Window {
    fn bytes(&self) -> usize {
        self.stored.state.len() + WINDOW_BYTES
    }
}
