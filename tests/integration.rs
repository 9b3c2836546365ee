//! The integration tests, one module a surface.

// Reading audit events.
mod audit;
// The captured audit logs, for all of these.
mod corpus;
// Decoding subscription payloads.
mod payload;
