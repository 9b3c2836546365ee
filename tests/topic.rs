//! What takes the place of SNS.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use percent_encoding::percent_decode_str;

use crate::loopback::{self, Response};

/// An SNS topic that answers as it is told to, and keeps what it accepted.
#[derive(Clone)]
pub(crate) struct Topic {
    pub(crate) address: SocketAddr,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    replies: Vec<Reply>,
    usually: Reply,
    calls: Vec<Vec<Entry>>,
    accepted: Vec<Entry>,
}

/// How the topic answers one call.
#[derive(Clone, Default)]
pub(crate) enum Reply {
    #[default]
    Accept,
    /// HTTP 200 with failures: the place in the batch, the code, and whether the sender is at fault.
    Fail(Vec<(usize, &'static str, bool)>),
    /// HTTP 200 that mentions only the first so many entries.
    Forget(usize),
    /// An error for the whole call: HTTP status and code.
    Error(u16, &'static str),
    /// An error for the whole call while it has more than one entry.
    ErrorForMany(u16, &'static str),
    Silence,
}

/// One message of a call, by the names of the query protocol: `Id`, `Subject`, `Message`, ...
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) fields: BTreeMap<String, String>,
    /// name -> (data type, value)
    pub(crate) attributes: BTreeMap<String, (String, String)>,
}

impl Entry {
    pub(crate) fn get(&self, field: &str) -> &str {
        self.fields.get(field).map_or("", String::as_str)
    }

    /// A document of `MessageStructure=json`.
    pub(crate) fn text(&self, protocol: &str) -> String {
        let body: serde_json::Value = serde_json::from_str(self.get("Message")).unwrap();
        body[protocol].as_str().unwrap().to_owned()
    }
}

impl Topic {
    /// Answers the first calls by `replies`, the others by accepting.
    pub(crate) fn start(replies: Vec<Reply>) -> Self {
        let state = Arc::new(Mutex::new(State { replies, ..State::default() }));
        let shared = Arc::clone(&state);
        let address = loopback::serve(move |request| shared.lock().unwrap().answer(&request.body));
        Self { address, state }
    }

    /// How calls are answered from now on.
    pub(crate) fn answer_usually(&self, reply: Reply) {
        self.state.lock().unwrap().usually = reply;
    }

    /// How many messages each call had.
    pub(crate) fn calls(&self) -> Vec<usize> {
        self.state.lock().unwrap().calls.iter().map(Vec::len).collect()
    }

    /// What was accepted, in order.
    pub(crate) fn accepted(&self) -> Vec<Entry> {
        self.state.lock().unwrap().accepted.clone()
    }
}

impl State {
    fn answer(&mut self, form: &str) -> Option<Response> {
        let entries = entries(form);
        self.calls.push(entries.clone());
        let reply = if self.replies.is_empty() { self.usually.clone() } else { self.replies.remove(0) };
        match reply {
            Reply::Accept => Some(self.result(entries, &[], usize::MAX)),
            Reply::Fail(failures) => Some(self.result(entries, &failures, usize::MAX)),
            Reply::Forget(mentioned) => Some(self.result(entries, &[], mentioned)),
            Reply::ErrorForMany(..) if entries.len() == 1 => Some(self.result(entries, &[], usize::MAX)),
            Reply::Error(status, code) | Reply::ErrorForMany(status, code) => Some(error(status, code)),
            Reply::Silence => None,
        }
    }

    fn result(&mut self, entries: Vec<Entry>, failures: &[(usize, &str, bool)], mentioned: usize) -> Response {
        let (mut failed, mut successful) = (Vec::new(), Vec::new());
        for (index, entry) in entries.into_iter().enumerate().take(mentioned) {
            let id = entry.get("Id").to_owned();
            if let Some((_, code, sender_fault)) = failures.iter().find(|(place, _, _)| *place == index) {
                failed.push(format!(
                    "<member><Id>{id}</Id><Code>{code}</Code><Message>as told.</Message>\
                     <SenderFault>{sender_fault}</SenderFault></member>"
                ));
            } else {
                successful.push(format!("<member><Id>{id}</Id><MessageId>{index}</MessageId></member>"));
                self.accepted.push(entry);
            }
        }
        let (failed, successful) = (failed.concat(), successful.concat());
        let body = format!(
            "<PublishBatchResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><PublishBatchResult>\
             <Failed>{failed}</Failed><Successful>{successful}</Successful></PublishBatchResult>\
             <ResponseMetadata><RequestId>0</RequestId></ResponseMetadata></PublishBatchResponse>"
        );
        xml(200, body)
    }
}

fn error(status: u16, code: &str) -> Response {
    let body = format!(
        "<ErrorResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><Error><Type>Sender</Type>\
         <Code>{code}</Code><Message>as told</Message></Error><RequestId>0</RequestId></ErrorResponse>"
    );
    xml(status, body)
}

fn xml(status: u16, body: String) -> Response {
    Response { status, headers: vec![("content-type", "text/xml".to_owned())], body }
}

/// Reads `PublishBatchRequestEntries.member.1.MessageAttributes.entry.2.Value.StringValue=...` and its like.
fn entries(form: &str) -> Vec<Entry> {
    let pairs: BTreeMap<String, String> = form
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .map(|(name, value)| (decoded(name), decoded(value)))
        .collect();
    (1..=10)
        .map(|number| below(&pairs, &format!("PublishBatchRequestEntries.member.{number}.")))
        .take_while(|fields| !fields.is_empty())
        .map(|fields| Entry { attributes: attributes(&fields), fields })
        .collect()
}

fn attributes(fields: &BTreeMap<String, String>) -> BTreeMap<String, (String, String)> {
    (1..=10)
        .map(|number| below(fields, &format!("MessageAttributes.entry.{number}.")))
        .take_while(|parts| !parts.is_empty())
        .map(|parts| (parts["Name"].clone(), (parts["Value.DataType"].clone(), parts["Value.StringValue"].clone())))
        .collect()
}

fn below(fields: &BTreeMap<String, String>, prefix: &str) -> BTreeMap<String, String> {
    let stripped = |(name, value): (&String, &String)| Some((name.strip_prefix(prefix)?.to_owned(), value.clone()));
    fields.iter().filter_map(stripped).collect()
}

fn decoded(text: &str) -> String {
    percent_decode_str(&text.replace('+', " ")).decode_utf8().unwrap().into_owned()
}
