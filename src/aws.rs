//! The edge towards AWS: configuration from the environment, the time that is left, SNS, metrics.

pub mod config;
pub mod deadline;
pub mod metric;
pub mod publisher;
pub mod sdk;
pub mod sns;
