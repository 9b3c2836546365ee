//! Where windows are between batches, and how an invocation deals with them.
//!
//! A [`Store`] keeps versioned bytes: in [memory](MemoryStore), or in a table of [`DynamoDB`](DynamoDbStore). A
//! [`Session`] is one invocation: it loads the windows that its matches touch, folds, saves, and once what it claimed is
//! published, settles. What the windows mean is [`correlate`](crate::correlate)'s business.

mod store;
mod memory;
mod dynamodb;
mod session;

pub use dynamodb::{DynamoDbStore, Patience};
pub use memory::MemoryStore;
pub use session::{Claimed, Outcome, Session, Settlement, StateError};
pub use store::{Answer, Key, MAX_STATE_BYTES, MOST_DUE, Requests, Store, StoreError, Stored, Write, Written};
