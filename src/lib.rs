//! vaultwatch watches `HashiCorp` Vault's audit log and alerts the moment somebody does what they should not.
//!
//! ```text
//! subscription payload -> LogBatch -> AuditEvent -> matches -> windows -> Alert -> published
//!       payload                        audit       detect   correlate  pipeline   aws
//!                                                             state
//! ```
//!
//! The modules stand in the order of that flow, and a module imports only what stands above it.
//! The Lambda function ([`function`]) and the command line ([`cli`]) run the very same line.
//!
//! # Invariants
//!
//! - **Pure in the middle.** Only [`state`], [`rule_files`], [`aws`], [`function`], [`cli`] and the binaries are `async`
//!   or read the clock, the environment, files or the network.
//! - **Event time.** The `time` inside an audit event is when it happened; arrival time never matters.
//! - **One reader.** What the loader accepts is exactly what the function runs, and nothing in a rule file is ignored
//!   without a diagnostic.
//! - **A bad line never fails a batch, and is never lost.** It is counted, named by its log event id, and alerts.
//! - **Sound and complete.** Every alert is justified by events that really lie in its window, and every episode that one
//!   pass over the whole log finds is covered by an alert, however the log was cut into batches, repeated, delayed, or
//!   retried after a crash.
//! - **The same alert has the same id**, derived from its rule, the group and the event that made it fire. It is
//!   published at least once; twice only if the function dies between SNS accepting it and the store recording it.
//! - **First at once, then a digest.** Repeats are counted exactly and told; nothing is dropped silently.
//! - **Secrets stay in.** Text from the log leaves only as [`alert::Redacted`].

pub mod number;
pub mod fold;
mod json;
pub mod payload;
pub mod audit;
pub mod events;
pub mod attack;
pub mod diagnostic;
pub mod rule;
pub mod detect;
pub mod correlate;
pub mod lint;
pub mod alert;
pub mod pipeline;
pub mod rule_test;
pub mod deadline;
pub mod state;
pub mod rule_files;
pub mod aws;
pub mod function;
pub mod cli;
