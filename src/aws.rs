//! The edge towards AWS: configuration from the environment, the time that is left, SNS.

pub mod config;
pub mod deadline;
pub mod publisher;
pub mod sns;
