//! What goes wrong between us and the table, and what becomes of each call.

use std::net::TcpListener;
use std::time::Duration;

use futures_util::future::{join_all, join3};
use serde_json::json;
use vaultwatch::deadline::Deadline;
use vaultwatch::state::{DynamoDbStore, Patience, Store, StoreError, Stored, Write, Written};

use super::{at, first, key, next};
use crate::table::{self, Call, Fault, IMPATIENT, Table};

const FAULTS: [Fault; 15] = [
    Fault::Error(400, "ProvisionedThroughputExceededException"),
    Fault::Error(400, "ThrottlingException"),
    Fault::Error(400, "RequestLimitExceeded"),
    Fault::Error(500, "InternalServerError"),
    Fault::Error(503, "ServiceUnavailable"),
    Fault::Garbage,
    Fault::Silence,
    Fault::HangUp,
    Fault::AnswerLost,
    Fault::OneRead,
    Fault::NoneRead,
    Fault::Overtaken,
    Fault::Error(400, "AccessDeniedException"),
    Fault::Error(400, "ResourceNotFoundException"),
    Fault::Error(400, "ValidationException"),
];

const CALLS: [Call; 3] = [Call::BatchGetItem, Call::PutItem, Call::Query];

/// Waits two seconds for an answer that does not come, and six in all: enough on a machine that is busy otherwise.
const SHORT: Patience = Patience { attempt: Duration::from_secs(2), call: Duration::from_secs(6), ..IMPATIENT };

#[tokio::test]
async fn every_fault_at_every_call() {
    let cells = FAULTS.iter().flat_map(|&fault| CALLS.map(|call| (fault, call)));
    let rows = cells.filter(|&(fault, call)| may_happen(fault, call)).map(async |(fault, call)| {
        let (once, always) = (outcome(fault, call, 1).await, outcome(fault, call, usize::MAX).await);
        row(&name(fault), &format!("{call:?}"), &once, &always)
    });
    let table = [vec![row("fault", "call", "once", "always")], join_all(rows).await].concat().join("\n");
    println!("{table}");
    insta::assert_snapshot!("faults_of_a_table", table);
}

fn row(fault: &str, call: &str, once: &str, always: &str) -> String {
    format!("{fault:41} | {call:12} | {once:59} | {always}")
}

fn name(fault: Fault) -> String {
    match fault {
        Fault::Error(status, code) => format!("{status} {code}"),
        fault => format!("{fault:?}"),
    }
}

fn may_happen(fault: Fault, call: Call) -> bool {
    match fault {
        Fault::OneRead | Fault::NoneRead => call == Call::BatchGetItem,
        Fault::Overtaken => call == Call::PutItem,
        _ => true,
    }
}

/// What a call comes to that has this fault so many times.
async fn outcome(fault: Fault, call: Call, times: usize) -> String {
    let table = Table::start();
    let due = |number, due| Write { due: Some(at(due)), ..first(number, b"old") };
    let prepared = table.store(IMPATIENT).save(&[due(1, 10), due(2, 20), first(3, b"old")], Deadline::NONE).await;
    assert!(prepared.iter().all(|written| *written == Ok(Written::Saved)));
    table.fail(call, fault, times);
    let store = table.store(SHORT);
    let done = match call {
        Call::BatchGetItem => read(&store).await,
        Call::PutItem => write(&store, &table).await,
        Call::Query => ask(&store).await,
    };
    if done.contains("the ") { done } else { format!("{done} at try {}", store.requests().retries + 1) }
}

async fn read(store: &DynamoDbStore) -> String {
    let loaded = store.load(&[1, 2, 3, 4].map(key), Deadline::NONE).await;
    let old = || Ok(Some(Stored { version: 1, state: b"old".to_vec() }));
    if loaded == [old(), old(), old(), Ok(None)] {
        return "all read".to_owned();
    }
    let errors: Vec<&StoreError> = loaded.iter().filter_map(|result| result.as_ref().err()).collect();
    assert_eq!(errors.len(), 4, "none is said to be absent");
    errors[0].to_string()
}

async fn write(store: &DynamoDbStore, table: &Table) -> String {
    let written = store.save(&[next(1, 1, b"new")], Deadline::NONE).await.remove(0);
    let stands = table.store(IMPATIENT).load(&[key(1)], Deadline::NONE).await.remove(0).unwrap().unwrap();
    match written {
        Ok(Written::Saved) => {
            assert_eq!(stands, Stored { version: 2, state: b"new".to_vec() });
            "saved".to_owned()
        }
        Ok(Written::Lost(found)) => {
            assert_eq!(found, Some(stands));
            "lost".to_owned()
        }
        Err(error) if stands.version == 1 => error.to_string(),
        Err(error) => format!("{error}; and yet it stands"),
    }
}

async fn ask(store: &DynamoDbStore) -> String {
    match store.due(at(100), Deadline::NONE).await {
        Ok(due) => {
            assert_eq!(due, [1, 2].map(key));
            "answered".to_owned()
        }
        Err(error) => error.to_string(),
    }
}

#[tokio::test]
async fn nobody_listens() {
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let store = DynamoDbStore::new(&table::sdk(&format!("http://{address}")), table::NAME, SHORT);
    let unreachable = |call| StoreError::Unreachable { call };
    let (keys, writes) = ([key(1)], [first(1, b"")]);
    let calls =
        (store.load(&keys, Deadline::NONE), store.save(&writes, Deadline::NONE), store.due(at(0), Deadline::NONE));
    let (loaded, saved, due) = join3(calls.0, calls.1, calls.2).await;
    assert_eq!(loaded, [Err(unreachable("BatchGetItem"))]);
    assert_eq!(saved, [Err(unreachable("PutItem"))]);
    assert_eq!(due, Err(unreachable("Query")));
    assert!(store.requests().retries >= 3, "each was tried again");
}

#[tokio::test]
async fn no_time_left_is_no_call() {
    let table = Table::start();
    let (store, deadline) = (table.store(IMPATIENT), Deadline::after(Duration::ZERO));
    let late = |call| StoreError::Deadline { call };
    assert_eq!(store.load(&[key(1)], deadline).await, [Err(late("BatchGetItem"))]);
    assert_eq!(store.save(&[first(1, b"")], deadline).await, [Err(late("PutItem"))]);
    assert_eq!(store.due(at(0), deadline).await, Err(late("Query")));
    assert_eq!(table.calls(), []);
}

#[tokio::test]
async fn a_window_that_must_wait_holds_up_no_other() {
    let table = Table::start();
    table.fail(Call::PutItem, Fault::Silence, 1);
    let writes: Vec<Write> = (0..60).map(|number| first(number, b"")).collect();
    let patience = Patience { attempt: Duration::from_mins(1), ..IMPATIENT };
    let written = table.store(patience).save(&writes, Deadline::after(Duration::from_secs(2))).await;
    let (saved, failed): (Vec<_>, Vec<_>) = written.into_iter().partition(|written| *written == Ok(Written::Saved));
    assert_eq!(saved.len(), 59);
    assert_eq!(failed, [Err(StoreError::Timeout { call: "PutItem" })]);
}

#[tokio::test]
async fn a_batch_that_fails_takes_no_other_along() {
    let table = Table::start();
    let store = table.store(IMPATIENT);
    let writes: Vec<Write> = (0..150).map(|number| first(number, b"")).collect();
    assert!(store.save(&writes, Deadline::NONE).await.iter().all(|written| *written == Ok(Written::Saved)));
    table.fail(Call::BatchGetItem, Fault::Error(400, "ValidationException"), 1);
    let loaded = store.load(&(0..150).map(key).collect::<Vec<_>>(), Deadline::NONE).await;
    let failed = loaded.iter().filter(|loaded| loaded.is_err()).count();
    assert!([50, 100].contains(&failed), "{failed}");
    assert_eq!(loaded.iter().filter(|loaded| matches!(loaded, Ok(Some(_)))).count(), 150 - failed);
}

#[tokio::test]
async fn what_is_no_window_is_left_alone() {
    let table = Table::start();
    let store = table.store(IMPATIENT);
    assert_eq!(store.save(&[first(1, b""), first(2, b"")], Deadline::NONE).await.len(), 2);
    let (pk, _) = table.items().into_iter().next().unwrap();
    let foreign = json!({ "pk": { "S": pk }, "v": { "N": "1" }, "due_at": { "N": "1" } });
    table.put(foreign.clone());
    let loaded = store.load(&[key(1), key(2)], Deadline::NONE).await;
    assert_eq!(loaded, [Err(StoreError::Foreign), Ok(Some(Stored { version: 1, state: Vec::new() }))]);
    assert_eq!(store.save(&[first(1, b"new")], Deadline::NONE).await, [Err(StoreError::Foreign)]);
    assert_eq!(table.items()[&pk], foreign);
}

#[test]
fn which_errors_may_pass() {
    let call = "PutItem";
    let code = String::new;
    for (error, may_pass) in [
        (StoreError::Unavailable { call, code: code() }, true),
        (StoreError::Unreachable { call }, true),
        (StoreError::Unreadable { call }, true),
        (StoreError::Timeout { call }, true),
        (StoreError::Deadline { call }, true),
        (StoreError::Refused { call, code: code() }, false),
        (StoreError::TooLarge { bytes: 1 }, false),
        (StoreError::Foreign, false),
    ] {
        assert_eq!(error.may_pass(), may_pass, "{error}");
    }
}
