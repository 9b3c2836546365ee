//! Links into the `CloudWatch` console.
//!
//! The console keeps its state behind the `#`, percent-encoded twice and with `$` for `%`: a slash in the name of a log
//! group is `$252F`.

use jiff::Timestamp;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::payload::LogStream;

/// How far a link looks to either side of the alert's time, in milliseconds.
const REACH: i64 = 15 * 60 * 1000;

const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// The log event itself, marked among its neighbours in the stream.
#[must_use]
pub fn event(region: &str, log: &LogStream, event_id: &str, time: Timestamp) -> String {
    let query = [window(time), vec![("refEventId", event_id.to_owned())]].concat();
    format!("{}/log-events/{}{}", log_group(region, log), twice(&log.log_stream), search(&query))
}

/// All streams of the group for half an hour around `time`, only the log events that hold `term` if there is one.
#[must_use]
pub fn around(region: &str, log: &LogStream, term: Option<&str>, time: Timestamp) -> String {
    let filter = term.map(|term| ("filterPattern", format!("\"{term}\"")));
    let query = [window(time), filter.into_iter().collect()].concat();
    format!("{}/log-events{}", log_group(region, log), search(&query))
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

fn window(time: Timestamp) -> Vec<(&'static str, String)> {
    let time = time.as_millisecond();
    vec![("start", time.saturating_sub(REACH).to_string()), ("end", time.saturating_add(REACH).to_string())]
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

    #[test]
    fn an_event_is_marked_in_its_stream() {
        let time = Timestamp::from_second(1_800_000_000).unwrap();
        assert_eq!(
            event("eu-west-1", &log(), "3964", time),
            "https://eu-west-1.console.aws.amazon.com/cloudwatch/home?region=eu-west-1#logsV2:log-groups/log-group/\
             $252Fhcp$252Fvault$252Faudit/log-events/a$255B$2524LATEST$255D$2520b\
             $3Fstart$3D1799999100000$26end$3D1800000900000$26refEventId$3D3964"
        );
    }

    #[test]
    fn the_neighbourhood_is_filtered_by_a_quoted_term() {
        let time = Timestamp::from_second(1_800_000_000).unwrap();
        assert_eq!(
            around("us-gov-west-1", &log(), Some("62ff-12"), time),
            "https://us-gov-west-1.console.amazonaws-us-gov.com/cloudwatch/home?region=us-gov-west-1\
             #logsV2:log-groups/log-group/$252Fhcp$252Fvault$252Faudit/log-events\
             $3Fstart$3D1799999100000$26end$3D1800000900000$26filterPattern$3D$252262ff-12$2522"
        );
        assert!(!around("cn-north-1", &log(), None, time).contains("filterPattern"));
    }
}
