//! vaultwatch watches `HashiCorp` Vault's audit log and alerts the moment somebody does what they should not.
//!
//! The modules stand in the order of the flow, and a module imports only what stands above it.

pub mod number;
pub mod fold;
pub mod payload;
pub mod audit;
pub mod diagnostic;
pub mod rule;
pub mod detect;
pub mod rule_files;
pub mod cli;
