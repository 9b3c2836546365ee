//! The edge towards AWS: configuration from the environment, clients, SNS, metrics.

pub mod config;
pub mod metric;
pub mod publisher;
pub mod sdk;
pub mod sns;
