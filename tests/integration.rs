//! The integration tests, one module a surface.

// Clippy then knows that the functions beside the tests are for tests as well.
#![cfg(test)]

// Reading audit events.
mod audit;
// The command line, as users see it.
mod cli;
// Tables of cases, and the captured audit logs, for all of these.
mod cases;
mod corpus;
// Decoding subscription payloads.
mod payload;
// The rule pack, on captured logs.
mod pack;
// Which rules and filters are in force.
mod profiles;
// Tests inside rules.
mod rule_tests;
// The rule language, as cases and as generated rules.
mod sigma;
// Another Sigma engine, asked for its opinion.
mod oracle;
// Rule files: what loads, what is found wrong with them, and how people see it.
mod reader;
// Files that are no rules, however large and twisted.
mod bad_input;
// What `check` finds in them beside, how it tells it, and what it mends.
mod check;
// What an alert looks like, wherever it goes.
mod renderings;
// Publishing to SNS.
mod sns;
// The function's binary, as Lambda runs it.
mod function;
// Keeping windows, in memory and in a table.
mod store;
// Correlations and alerts that stay right, whatever happens to invocations.
mod state;
// What takes the place of Lambda, of SNS and of DynamoDB, and the server under all three.
mod lambda;
mod topic;
mod table;
mod loopback;
// From log batches to alerts.
mod line;
mod pipeline;
// Several rules about one happening.
mod overlaps;
// No secret leaves.
mod redaction;
// Titles and levels of alerts that rules word themselves.
mod wording;
// What holds for the source itself.
mod architecture;
// What the README says.
mod readme;
