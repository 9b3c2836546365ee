//! Links into the `CloudWatch` console.
//!
//! The console keeps its state behind the `#`, percent-encoded twice and with `$` for `%`: a slash in the name of a log
//! group is `$252F`.

use std::ops::RangeInclusive;

use jiff::Timestamp;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::payload::LogStream;

/// How far a link looks beyond what was seen, on either side, in milliseconds.
const REACH: i64 = 15 * 60 * 1000;

const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// The log event itself, marked among its neighbours in the stream.
#[must_use]
pub fn event(region: &str, log: &LogStream, event_id: &str, seen: &RangeInclusive<Timestamp>) -> String {
    let query = [window(seen), vec![("refEventId", event_id.to_owned())]].concat();
    format!("{}/log-events/{}{}", log_group(region, log), twice(&log.log_stream), search(&query))
}

/// All streams of the group from a quarter of an hour before what was seen to a quarter after, only the log events that
/// hold all of `terms`.
#[must_use]
pub fn around(region: &str, log: &LogStream, terms: &[&str], seen: &RangeInclusive<Timestamp>) -> String {
    let quoted: Vec<String> = terms.iter().map(|term| format!("\"{term}\"")).collect();
    let filter = (!quoted.is_empty()).then(|| ("filterPattern", quoted.join(" ")));
    let query = [window(seen), filter.into_iter().collect()].concat();
    format!("{}/log-events{}", log_group(region, log), search(&query))
}

/// How long a time [`around`] shows: `30 minutes`, or more if what was seen took longer.
#[must_use]
pub fn reach(seen: &RangeInclusive<Timestamp>) -> String {
    let milliseconds = seen.end().as_millisecond().saturating_sub(seen.start().as_millisecond());
    let minutes = milliseconds.saturating_add(2 * REACH) / 60_000;
    if minutes < 120 { format!("{minutes} minutes") } else { format!("{} hours", minutes / 60) }
}

fn log_group(region: &str, log: &LogStream) -> String {
    let host = if region.starts_with("cn-") {
        "amazonaws.cn"
    } else if region.starts_with("us-gov-") {
        "amazonaws-us-gov.com"
    } else {
        "aws.amazon.com"
    };
    let group = twice(&log.log_group);
    format!("https://{region}.console.{host}/cloudwatch/home?region={region}#logsV2:log-groups/log-group/{group}")
}

fn window(seen: &RangeInclusive<Timestamp>) -> Vec<(&'static str, String)> {
    let start = seen.start().as_millisecond().saturating_sub(REACH);
    let end = seen.end().as_millisecond().saturating_add(REACH);
    vec![("start", start.to_string()), ("end", end.to_string())]
}

/// The query part: its own signs are encoded once, the values twice.
fn search(query: &[(&str, String)]) -> String {
    let pairs: Vec<String> = query.iter().map(|(name, value)| format!("{name}$3D{}", twice(value))).collect();
    format!("$3F{}", pairs.join("$26"))
}

fn twice(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string().replace('%', "$25")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log() -> LogStream {
        LogStream {
            owner: "123456789012".to_owned(),
            log_group: "/hcp/vault/audit".to_owned(),
            log_stream: "a[$LATEST] b".to_owned(),
        }
    }

    /// From one second to another.
    fn seen(first: i64, last: i64) -> RangeInclusive<Timestamp> {
        Timestamp::from_second(first).unwrap()..=Timestamp::from_second(last).unwrap()
    }

    #[test]
    fn an_event_is_marked_in_its_stream() {
        assert_eq!(
            event("eu-west-1", &log(), "3964", &seen(1_800_000_000, 1_800_000_000)),
            "https://eu-west-1.console.aws.amazon.com/cloudwatch/home?region=eu-west-1#logsV2:log-groups/log-group/\
             $252Fhcp$252Fvault$252Faudit/log-events/a$255B$2524LATEST$255D$2520b\
             $3Fstart$3D1799999100000$26end$3D1800000900000$26refEventId$3D3964"
        );
    }

    #[test]
    fn the_neighbourhood_is_filtered_by_quoted_terms() {
        let seen = seen(1_800_000_000, 1_800_003_600);
        assert_eq!(
            around("us-gov-west-1", &log(), &["62ff-12", "admin/"], &seen),
            "https://us-gov-west-1.console.amazonaws-us-gov.com/cloudwatch/home?region=us-gov-west-1\
             #logsV2:log-groups/log-group/$252Fhcp$252Fvault$252Faudit/log-events\
             $3Fstart$3D1799999100000$26end$3D1800004500000$26filterPattern$3D$252262ff-12$2522$2520$2522admin$252F$2522"
        );
        assert_eq!(reach(&seen), "90 minutes");
        assert!(!around("cn-north-1", &log(), &[], &seen).contains("filterPattern"));
    }
}
