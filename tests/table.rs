//! What takes the place of `DynamoDB`: a table that does what it is asked for, unless it is told to fail.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_dynamodb::config::{Credentials, SharedCredentialsProvider};
use serde_json::{Value, json};
use vaultwatch::state::{DynamoDbStore, Patience};

use crate::loopback::{self, Response};

/// The name of every table of the tests that have one to themselves.
pub(crate) const NAME: &str = "windows";

/// Tries as long as the function does, and pauses for next to nothing.
pub(crate) const IMPATIENT: Patience =
    Patience { first_pause: Duration::from_millis(1), longest_pause: Duration::from_millis(5), ..Patience::USUAL };

/// A table, with faults to come.
#[derive(Clone)]
pub(crate) struct Table {
    pub(crate) address: SocketAddr,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    items: BTreeMap<String, Value>,
    faults: Vec<Planned>,
    calls: Vec<Call>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Call {
    BatchGetItem,
    PutItem,
    Query,
}

/// What goes wrong with a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// An answer with this HTTP status and code.
    Error(u16, &'static str),
    /// An answer that is no JSON.
    Garbage,
    /// No answer, and a connection that stays.
    Silence,
    /// A connection that ends instead of an answer.
    HangUp,
    /// All is done, and the connection ends instead of the answer.
    AnswerLost,
    /// An answer with one window, and the others left for later.
    OneRead,
    /// An answer with all windows left for later.
    NoneRead,
    /// Somebody else writes the window first.
    Overtaken,
}

struct Planned {
    call: Call,
    fault: Fault,
    times: usize,
}

impl Table {
    /// An empty table that works.
    pub(crate) fn start() -> Self {
        let state = Arc::new(Mutex::new(State::default()));
        let shared = Arc::clone(&state);
        let address = loopback::serve(move |request| shared.lock().unwrap().answer(&request.body));
        Self { address, state }
    }

    /// Lets a call fail so many times from now on.
    pub(crate) fn fail(&self, call: Call, fault: Fault, times: usize) {
        self.state.lock().unwrap().faults.push(Planned { call, fault, times });
    }

    /// Every request so far.
    pub(crate) fn calls(&self) -> Vec<Call> {
        self.state.lock().unwrap().calls.clone()
    }

    /// The items, by their partition key, as `DynamoDB` writes them in JSON.
    pub(crate) fn items(&self) -> BTreeMap<String, Value> {
        self.state.lock().unwrap().items.clone()
    }

    /// Puts an item, past every condition.
    pub(crate) fn put(&self, item: Value) {
        let pk = item["pk"]["S"].as_str().unwrap().to_owned();
        self.state.lock().unwrap().items.insert(pk, item);
    }

    pub(crate) fn store(&self, patience: Patience) -> DynamoDbStore {
        DynamoDbStore::new(&sdk(&format!("http://{}", self.address)), NAME, patience)
    }
}

/// The SDK, for a server on loopback.
pub(crate) fn sdk(endpoint: &str) -> SdkConfig {
    let credentials = Credentials::new("test", "test", None, None, "test");
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .endpoint_url(endpoint)
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .build()
}

impl State {
    fn answer(&mut self, body: &str) -> Option<Response> {
        let request: Value = serde_json::from_str(body).unwrap();
        let call = match &request {
            request if request.get("RequestItems").is_some() => Call::BatchGetItem,
            request if request.get("Item").is_some() => Call::PutItem,
            _ => Call::Query,
        };
        self.calls.push(call);
        match self.next_fault(call) {
            Some(Fault::Error(status, code)) => Some(error(status, code)),
            Some(Fault::Garbage) => Some(Response { status: 200, body: "<html>".to_owned(), ..Response::default() }),
            Some(Fault::Silence) => None,
            Some(Fault::HangUp) => Some(Response::default()),
            Some(Fault::AnswerLost) => {
                self.serve(call, &request, usize::MAX);
                Some(Response::default())
            }
            Some(Fault::OneRead) => Some(self.serve(call, &request, 1)),
            Some(Fault::NoneRead) => Some(self.serve(call, &request, 0)),
            Some(Fault::Overtaken) => {
                self.overtake(&request);
                Some(self.serve(call, &request, usize::MAX))
            }
            None => Some(self.serve(call, &request, usize::MAX)),
        }
    }

    fn next_fault(&mut self, call: Call) -> Option<Fault> {
        let planned = self.faults.iter_mut().find(|planned| planned.call == call && planned.times > 0)?;
        planned.times -= 1;
        Some(planned.fault)
    }

    fn serve(&mut self, call: Call, request: &Value, read: usize) -> Response {
        match call {
            Call::BatchGetItem => self.batch_get_item(request, read),
            Call::PutItem => self.put_item(request),
            Call::Query => self.query(request),
        }
    }

    fn batch_get_item(&self, request: &Value, read: usize) -> Response {
        let asked = &request["RequestItems"][NAME];
        assert_eq!(asked["ConsistentRead"], true, "what was just saved must be seen");
        let keys = asked["Keys"].as_array().unwrap();
        assert!((1..=100).contains(&keys.len()), "{} keys", keys.len());
        let (read, left) = keys.split_at(read.min(keys.len()));
        let found: Vec<&Value> =
            read.iter().filter_map(|key| self.items.get(key["pk"]["S"].as_str().unwrap())).collect();
        let left = if left.is_empty() { json!({}) } else { json!({ NAME: { "Keys": left, "ConsistentRead": true } }) };
        answer(200, &json!({ "Responses": { NAME: found }, "UnprocessedKeys": left }))
    }

    fn put_item(&mut self, request: &Value) -> Response {
        let item = &request["Item"];
        let found = self.items.get(item["pk"]["S"].as_str().unwrap());
        let holds = match request["ConditionExpression"].as_str().unwrap() {
            "attribute_not_exists(pk)" => found.is_none(),
            "v = :expected" => {
                found.is_some_and(|found| found["v"] == request["ExpressionAttributeValues"][":expected"])
            }
            other => panic!("no such condition: {other}"),
        };
        if !holds {
            assert_eq!(request["ReturnValuesOnConditionCheckFailure"], "ALL_OLD");
            let code = "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException";
            let failed = json!({ "__type": code, "message": "The conditional request failed", "Item": found });
            return answer(400, &failed);
        }
        let pk = item["pk"]["S"].as_str().unwrap().to_owned();
        self.items.insert(pk, item.clone());
        answer(200, &json!({}))
    }

    fn query(&self, request: &Value) -> Response {
        let number = |value: &Value| value["N"].as_str().and_then(|number| number.parse::<i64>().ok());
        let until = number(&request["ExpressionAttributeValues"][":until"]).unwrap();
        let due = |item: &&Value| number(&item["due_at"]).is_some_and(|due| due <= until);
        let mut items: Vec<&Value> = self.items.values().filter(due).collect();
        items.sort_by_key(|item| number(&item["due_at"]));
        items.truncate(usize::try_from(request["Limit"].as_u64().unwrap()).unwrap());
        answer(200, &json!({ "Items": items, "Count": items.len() }))
    }

    /// What another invocation does that read the window at the same time.
    fn overtake(&mut self, request: &Value) {
        let mut item = request["Item"].clone();
        item["w"] = json!({ "B": "b3RoZXItaW52b2NhdGlvbg==" });
        let pk = item["pk"]["S"].as_str().unwrap().to_owned();
        let found = self.items.get(&pk).map_or(0, |found| found["v"]["N"].as_str().unwrap().parse::<u64>().unwrap());
        item["v"] = json!({ "N": (found + 1).to_string() });
        self.items.insert(pk, item);
    }
}

fn error(status: u16, code: &str) -> Response {
    answer(
        status,
        &json!({ "__type": format!("com.amazonaws.dynamodb.v20120810#{code}"), "message": "quotes `secret`" }),
    )
}

fn answer(status: u16, body: &Value) -> Response {
    let headers = vec![("content-type", "application/x-amz-json-1.0".to_owned())];
    Response { status, headers, body: body.to_string() }
}
