//! Where windows are kept between invocations: versioned bytes that only the expected version may replace.

use std::fmt;
use std::pin::Pin;

use jiff::Timestamp;
use uuid::Uuid;

use crate::deadline::Deadline;

/// The largest state that a store takes, in bytes: an item of `DynamoDB` has 400 KiB, of which the rest is for its keys.
pub const MAX_STATE_BYTES: usize = (400 << 10) - 512;

/// The most windows that one request reads.
pub(super) const MOST_READ: usize = 100;

/// How many windows [`Store::due`] names at most.
pub const MOST_DUE: usize = 25;

/// What a store answers, some time later. It is boxed so that the function need not know which store it has.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// Keeps windows. Every implementation behaves alike.
///
/// Nothing is locked: who writes a window says which version it was read at, and loses to whoever wrote in between.
pub trait Store: fmt::Debug {
    /// What stands under each of the keys, in their order. What was saved before the call began is seen by it.
    fn load<'a>(&'a self, keys: &'a [Key], deadline: Deadline) -> Answer<'a, Vec<Result<Option<Stored>, StoreError>>>;

    /// Writes windows, each by itself, and tells what became of each, in their order.
    ///
    /// A write that failed may have happened nevertheless: its answer may be what got lost.
    fn save<'a>(&'a self, writes: &'a [Write], deadline: Deadline) -> Answer<'a, Vec<Result<Written, StoreError>>>;

    /// The windows that are due at or before this time, the longest due first, [`MOST_DUE`] at most.
    ///
    /// A window that was written a moment ago may be missing, or be named although it is due no more.
    fn due(&self, until: Timestamp, deadline: Deadline) -> Answer<'_, Result<Vec<Key>, StoreError>>;

    /// What the store was asked for since it was made, by everybody who shares it.
    fn requests(&self) -> Requests;
}

/// Names a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// The rule or correlation that the window belongs to.
    pub analytic: Uuid,
    /// The group within it, hashed.
    pub group: [u8; 16],
}

/// A window as it stands in a store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// How many times it has been written.
    pub version: u64,
    /// Its content.
    pub state: Vec<u8>,
}

/// A window that is to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Write {
    /// Its name.
    pub key: Key,
    /// The version that must stand there, which the new one follows; `None` if nothing may.
    pub expected: Option<u64>,
    /// Its content, [`MAX_STATE_BYTES`] at most.
    pub state: Vec<u8>,
    /// When nobody needs it any more. It may be gone from then on, or stay for days.
    pub expires: Timestamp,
    /// When [`Store::due`] should name it, to the millisecond.
    pub due: Option<Timestamp>,
}

impl Write {
    /// The version of the window once it is written.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.expected.map_or(1, |version| version.saturating_add(1))
    }
}

/// What became of a write.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub enum Written {
    /// It stands.
    Saved,
    /// Another version than the expected one stands there: this one. `None` if nothing does.
    Lost(Option<Stored>),
}

/// Why a store did not do what it was asked for. No message holds anything of a window.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// It was too busy or out of order, every time it was asked.
    #[error("the table could not serve {call}: `{code}`")]
    Unavailable {
        /// The call, as `DynamoDB` names it.
        call: &'static str,
        /// What it answered last.
        code: String,
    },
    /// No connection could be made, or none lasted.
    #[error("the connection to the table failed at {call}")]
    Unreachable {
        /// The call.
        call: &'static str,
    },
    /// It answered something else than a table does, or half of it.
    #[error("the answer of the table to {call} is unreadable")]
    Unreadable {
        /// The call.
        call: &'static str,
    },
    /// It was asked, and did not answer in time.
    #[error("the table did not answer {call} in time")]
    Timeout {
        /// The call.
        call: &'static str,
    },
    /// There is no time left to ask.
    #[error("there is no time left for {call}")]
    Deadline {
        /// The call.
        call: &'static str,
    },
    /// It will not do that, however often it is asked: a permission or the table is missing, or the request is wrong.
    #[error("the table refused {call}: `{code}`")]
    Refused {
        /// The call.
        call: &'static str,
        /// Why.
        code: String,
    },
    /// The window has outgrown what a store takes.
    #[error("a window of {bytes} bytes is more than the table takes")]
    TooLarge {
        /// Its size.
        bytes: usize,
    },
    /// What stands under the key was not written by this store.
    #[error("an item of the table is not a window")]
    Foreign,
}

impl StoreError {
    /// Whether the same call may succeed later.
    #[must_use]
    pub const fn may_pass(&self) -> bool {
        match self {
            Self::Unavailable { .. }
            | Self::Unreachable { .. }
            | Self::Unreadable { .. }
            | Self::Timeout { .. }
            | Self::Deadline { .. } => true,
            Self::Refused { .. } | Self::TooLarge { .. } | Self::Foreign => false,
        }
    }
}

/// How often a store was asked for what.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Requests {
    /// Requests that read windows, up to a hundred in each.
    pub batches: u64,
    /// Windows asked for in them.
    pub reads: u64,
    /// Windows sent to be written.
    pub writes: u64,
    /// Questions for what is due.
    pub queries: u64,
    /// Writes that lost to somebody else's.
    pub conflicts: u64,
    /// How many of all these, except for the conflicts, repeat one that had no answer, or not a whole one.
    pub retries: u64,
}

impl Requests {
    /// Requests of every kind.
    #[must_use]
    pub const fn total(self) -> u64 {
        self.batches.saturating_add(self.writes).saturating_add(self.queries)
    }

    /// What came since an earlier count.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Self {
        Self {
            batches: self.batches.saturating_sub(earlier.batches),
            reads: self.reads.saturating_sub(earlier.reads),
            writes: self.writes.saturating_sub(earlier.writes),
            queries: self.queries.saturating_sub(earlier.queries),
            conflicts: self.conflicts.saturating_sub(earlier.conflicts),
            retries: self.retries.saturating_sub(earlier.retries),
        }
    }
}
