//! Windows in a table of `DynamoDB`: one item each, with a version that guards it.

mod failure;
mod item;
mod patience;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_config::SdkConfig;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes, ReturnValuesOnConditionCheckFailure};
use futures_util::stream::{self, StreamExt};
use hashbrown::HashMap;
use jiff::Timestamp;
use tokio::time::{sleep, timeout_at};
use uuid::Uuid;

use super::store::{
    Answer, Key, MAX_STATE_BYTES, MOST_DUE, MOST_READ, Requests, Store, StoreError, Stored, Write, Written,
};
use crate::deadline::Deadline;
use item::Item;
pub use patience::Patience;
use patience::Pauses;

const READ: &str = "BatchGetItem";
const WRITE: &str = "PutItem";
const ASK: &str = "Query";

/// How many batches are read at a time. An answer has up to 16 MB, and the function little memory.
const BATCHES_AT_A_TIME: usize = 4;

/// How many windows are written at a time.
const WRITES_AT_A_TIME: usize = 16;

/// Keeps windows in a table. Clones share their counts.
///
/// What the table could not do just now is asked for again until it is done, the deadline comes or patience ends.
#[derive(Debug, Clone)]
pub struct DynamoDbStore {
    client: Client,
    table: String,
    patience: Patience,
    requests: Arc<Mutex<Requests>>,
}

impl DynamoDbStore {
    /// On this table, with this configuration of the SDK. Asks for nothing yet.
    #[must_use]
    pub fn new(sdk: &SdkConfig, table: impl Into<String>, patience: Patience) -> Self {
        let timeouts =
            TimeoutConfig::builder().connect_timeout(patience.connect).operation_attempt_timeout(patience.attempt);
        // The SDK gives up after a few tries and knows of no deadline: to it, each call is one attempt.
        let config = aws_sdk_dynamodb::config::Builder::from(sdk)
            .timeout_config(timeouts.build())
            .retry_config(RetryConfig::disabled());
        Self { client: Client::from_conf(config.build()), table: table.into(), patience, requests: Arc::default() }
    }

    /// Reads up to [`MOST_READ`] windows.
    async fn read(&self, keys: &[Key], until: Deadline) -> Vec<Result<Option<Stored>, StoreError>> {
        let mut found = HashMap::new();
        let mut waiting = keys.to_vec();
        waiting.sort_unstable();
        waiting.dedup();
        let outcome = self
            .persist(READ, until, async || {
                let left = self.read_some(&waiting, &mut found).await?;
                waiting.retain(|key| left.contains(key));
                if waiting.is_empty() { Ok(()) } else { Err(failure::unprocessed(READ)) }
            })
            .await;
        let result = |key| match (found.get(key), &outcome) {
            (Some(window), _) => Result::clone(window).map(Some),
            (None, Err(error)) if waiting.contains(key) => Err(error.clone()),
            (None, _) => Ok(None),
        };
        keys.iter().map(result).collect()
    }

    /// Reads what the table is ready to give, and returns the keys that it left.
    async fn read_some(&self, keys: &[Key], found: &mut Found) -> Result<Vec<Key>, StoreError> {
        self.count(|requests| {
            requests.batches += 1;
            requests.reads += keys.len() as u64;
        });
        let keys = keys.iter().copied().map(item::key).collect();
        let asked = KeysAndAttributes::builder().set_keys(Some(keys)).consistent_read(true).build();
        let asked = asked.map_err(|_| failure::not_made(READ))?;
        let answer = self.client.batch_get_item().request_items(&self.table, asked).send().await;
        let output = answer.map_err(|error| failure::of(READ, &error))?;
        for item in output.responses.into_iter().flatten().flat_map(|(_, items)| items) {
            if let Some(key) = item::key_of(&item) {
                found.insert(key, item::decode(item).map(|(stored, _)| stored));
            }
        }
        let left = output.unprocessed_keys.into_iter().flatten().flat_map(|(_, left)| left.keys);
        Ok(left.filter_map(|item| item::key_of(&item)).collect())
    }

    async fn write(&self, write: &Write, until: Deadline) -> Result<Written, StoreError> {
        let bytes = write.state.len();
        if bytes > MAX_STATE_BYTES {
            return Err(StoreError::TooLarge { bytes });
        }
        // Where the answer to a put gets lost, the repeated put fails its condition: at an item with our own mark.
        let mark = Uuid::new_v4();
        let item = item::encode(write, mark);
        self.persist(WRITE, until, async || self.put(write, item.clone(), mark).await).await
    }

    async fn put(&self, write: &Write, item: Item, mark: Uuid) -> Result<Written, StoreError> {
        self.count(|requests| requests.writes += 1);
        let request = self.client.put_item().table_name(&self.table).set_item(Some(item));
        let request = request.return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let request = match write.expected {
            None => request.condition_expression("attribute_not_exists(pk)"),
            Some(version) => request
                .condition_expression("v = :expected")
                .expression_attribute_values(":expected", AttributeValue::N(version.to_string())),
        };
        let Err(error) = request.send().await else { return Ok(Written::Saved) };
        match error.as_service_error() {
            Some(PutItemError::ConditionalCheckFailedException(failed)) => self.lost(failed.item().cloned(), mark),
            _ => Err(failure::of(WRITE, &error)),
        }
    }

    /// What a put with this mark comes to whose condition failed at this item.
    fn lost(&self, item: Option<Item>, mark: Uuid) -> Result<Written, StoreError> {
        let found = item.map(item::decode).transpose()?;
        if found.as_ref().is_some_and(|(_, found)| *found == mark) {
            return Ok(Written::Saved);
        }
        self.count(|requests| requests.conflicts += 1);
        Ok(Written::Lost(found.map(|(stored, _)| stored)))
    }

    async fn ask(&self, until: Timestamp) -> Result<Vec<Key>, StoreError> {
        self.count(|requests| requests.queries += 1);
        let request = self.client.query().table_name(&self.table).index_name("due");
        let request = request
            .key_condition_expression("due = :due AND due_at <= :until")
            .expression_attribute_values(":due", item::due())
            .expression_attribute_values(":until", AttributeValue::N(until.as_millisecond().to_string()))
            .limit(i32::try_from(MOST_DUE).unwrap_or(i32::MAX));
        let output = request.send().await.map_err(|error| failure::of(ASK, &error))?;
        output.items().iter().map(|item| item::key_of(item).ok_or(StoreError::Foreign)).collect()
    }

    /// Tries until it is done, or refused, or there is no time for another try.
    async fn persist<T>(
        &self,
        call: &'static str,
        until: Deadline,
        mut attempt: impl AsyncFnMut() -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        if !until.allows(Duration::ZERO) {
            return Err(StoreError::Deadline { call });
        }
        let mut pauses = Pauses::new(self.patience);
        let mut last = StoreError::Timeout { call };
        loop {
            let answer = match until.at() {
                // What went wrong before says more than that the last try was cut short.
                Some(at) => timeout_at(at, attempt()).await.unwrap_or(Err(last)),
                None => attempt().await,
            };
            let pause = pauses.next();
            match answer {
                Err(error) if error.may_pass() && until.allows(pause) => last = error,
                answer => return answer,
            }
            sleep(pause).await;
            self.count(|requests| requests.retries += 1);
        }
    }

    fn count(&self, add: impl FnOnce(&mut Requests)) {
        add(&mut self.requests.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

/// What was read so far.
type Found = HashMap<Key, Result<Stored, StoreError>>;

impl Store for DynamoDbStore {
    fn load<'a>(&'a self, keys: &'a [Key], deadline: Deadline) -> Answer<'a, Vec<Result<Option<Stored>, StoreError>>> {
        let until = deadline.within(self.patience.call);
        let batches = stream::iter(keys.chunks(MOST_READ)).map(move |keys| self.read(keys, until));
        Box::pin(batches.buffered(BATCHES_AT_A_TIME).flat_map(stream::iter).collect())
    }

    fn save<'a>(&'a self, writes: &'a [Write], deadline: Deadline) -> Answer<'a, Vec<Result<Written, StoreError>>> {
        let until = deadline.within(self.patience.call);
        // In any order, so that one window that has to wait does not keep the others from being written.
        let written = stream::iter(writes.iter().enumerate())
            .map(move |(place, write)| async move { (place, self.write(write, until).await) })
            .buffer_unordered(WRITES_AT_A_TIME);
        Box::pin(async {
            let mut written: Vec<_> = written.collect().await;
            written.sort_unstable_by_key(|(place, _)| *place);
            written.into_iter().map(|(_, result)| result).collect()
        })
    }

    fn due(&self, until: Timestamp, deadline: Deadline) -> Answer<'_, Result<Vec<Key>, StoreError>> {
        let deadline = deadline.within(self.patience.call);
        Box::pin(self.persist(ASK, deadline, async move || self.ask(until).await))
    }

    fn requests(&self) -> Requests {
        *self.requests.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
