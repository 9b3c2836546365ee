//! The integration tests, one module a surface.

// Clippy then knows that the functions beside the tests are for tests as well.
#![cfg(test)]

// Reading audit events.
mod audit;
// The command line, as users see it.
mod cli;
// The captured audit logs, for all of these.
mod corpus;
// Decoding subscription payloads.
mod payload;
// The rule pack, on captured and on bent lines.
mod pack;
// The rule language, as cases and as generated rules.
mod sigma;
// Rule files: what loads, what is found wrong with them, and how people see it.
mod reader;
// What an alert looks like, wherever it goes.
mod renderings;
// Publishing to SNS.
mod sns;
// The function's binary, as Lambda runs it.
mod function;
// What takes the place of Lambda, of SNS, and the server under both.
mod lambda;
mod topic;
mod loopback;
// From log batches to alerts.
mod pipeline;
// No secret leaves.
mod redaction;
// What holds for the source itself.
mod architecture;
// What the README says.
mod readme;
