//! Complete audit events to write tests from: `like: policy_write` in a rule's test names one of them.
//!
//! They are captured lines, dressed as Vault writes them on HCP: the callers of the captures got names, policies and
//! addresses of their own. `alice` reads and `bob` writes secrets, the administrator of the namespace `admin/` has the
//! policy `hcp-root`, and the operator `olga` works in the root namespace. A name says what happened and means the
//! entry that tells how it ended: mostly the response, the request where Vault writes no response or where the rules
//! look at requests. The other entry is under the same name with `_request` or `_response`, and both share their
//! request's id.

use std::sync::LazyLock;

use serde::Deserialize;
use serde_json::value::RawValue;

/// A complete audit event with a name.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LibraryEvent {
    /// What `like` says: `policy_write`.
    pub name: &'static str,
    /// What happened, in one line.
    pub about: &'static str,
    #[serde(borrow)]
    event: &'static RawValue,
}

impl LibraryEvent {
    /// The JSON text, as an audit device writes it.
    #[must_use]
    pub fn text(&self) -> &'static str {
        self.event.get()
    }
}

/// How alike two names must be for the one to be meant by the other, from 0 to 1.
const ALIKE: f64 = 0.75;

static LIBRARY: LazyLock<Vec<LibraryEvent>> = LazyLock::new(|| {
    // Lines that do not read would be missing; a test counts them.
    include_str!("events/library.jsonl").lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
});

/// All of them, by subject.
#[must_use]
pub fn all() -> &'static [LibraryEvent] {
    &LIBRARY
}

/// The event of that name.
#[must_use]
pub fn by_name(name: &str) -> Option<&'static LibraryEvent> {
    all().iter().find(|event| event.name == name)
}

/// The name that was probably meant.
#[must_use]
pub fn nearest(name: &str) -> Option<&'static str> {
    let rated = all().iter().map(|event| (strsim::jaro_winkler(event.name, name), event.name));
    let (similarity, nearest) = rated.max_by(|(a, _), (b, _)| a.total_cmp(b))?;
    (similarity >= ALIKE).then_some(nearest)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value as Json;

    use super::*;

    #[test]
    fn every_line_of_the_library_is_an_event() {
        assert_eq!(all().len(), include_str!("events/library.jsonl").lines().count());
        let names: BTreeSet<&str> = all().iter().map(|event| event.name).collect();
        assert_eq!(names.len(), all().len(), "names are unique");
    }

    /// A request and its response are about one thing, and different things have different ids.
    #[test]
    fn twins_share_the_id_of_their_request_and_nobody_else_has_it() {
        let happening = |name: &str| {
            let stem = name.strip_suffix("_request").or_else(|| name.strip_suffix("_response"));
            stem.filter(|stem| by_name(stem).is_some()).unwrap_or(name).to_owned()
        };
        let id = |event: &LibraryEvent| {
            let event: Json = serde_json::from_str(event.text()).unwrap();
            event["request"]["id"].as_str().unwrap().to_owned()
        };
        let pairs: BTreeSet<(String, String)> = all().iter().map(|event| (happening(event.name), id(event))).collect();
        let happenings: BTreeSet<&String> = pairs.iter().map(|(happening, _)| happening).collect();
        let ids: BTreeSet<&String> = pairs.iter().map(|(_, id)| id).collect();
        assert_eq!((happenings.len(), ids.len()), (pairs.len(), pairs.len()));
    }

    #[test]
    fn a_name_says_which_entry_it_is() {
        for event in all() {
            let json: Json = serde_json::from_str(event.text()).unwrap();
            let entry = json["type"].as_str().unwrap();
            let suffix = ["request", "response"].into_iter().find(|entry| event.name.ends_with(&format!("_{entry}")));
            assert!(suffix.is_none_or(|suffix| suffix == entry), "{}", event.name);
            assert_eq!(json.get("response").is_some(), entry == "response", "{}", event.name);
        }
    }

    #[test]
    fn a_name_that_is_nearly_one_is_recognised() {
        assert_eq!(nearest("policy_wirte"), Some("policy_write"));
        assert_eq!(nearest("nothing of the kind"), None);
    }
}
