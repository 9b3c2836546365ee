//! Metrics: a line of JSON on standard output, which `CloudWatch` Logs turns into a metric (embedded metric format).

use std::io::{self, Write};

use jiff::Timestamp;
use serde_json::json;

/// Where the metrics are found in `CloudWatch`.
const NAMESPACE: &str = "vaultwatch";

/// Publishes one value of a metric that counts something.
pub fn count(name: &str, value: usize) {
    let line = json!({
        "_aws": {
            "Timestamp": Timestamp::now().as_millisecond(),
            "CloudWatchMetrics": [{
                "Namespace": NAMESPACE,
                "Dimensions": [[]],
                "Metrics": [{"Name": name, "Unit": "Count"}],
            }],
        },
        name: value,
    });
    // Where the log cannot be written there is nobody to tell.
    let _ = writeln!(io::stdout(), "{line}");
}
