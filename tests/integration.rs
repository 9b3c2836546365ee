//! The integration tests, one module a surface.

// Clippy then knows that the functions beside the tests are for tests as well.
#![cfg(test)]

// Reading audit events.
mod audit;
// The captured audit logs, for all of these.
mod corpus;
// Decoding subscription payloads.
mod payload;
// Rule files: what loads, what is found wrong with them, and how people see it.
mod reader;
// The rule language, as cases and as generated rules.
mod sigma;
// From log batches to alerts.
mod pipeline;
// No secret leaves.
mod redaction;
