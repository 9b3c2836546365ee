//! What is kept of an alert between invocations, so that a digest can be told without the events.
//!
//! A stored text can only be made from a [`Redacted`], and goes through the redactor again when it is read: whoever
//! writes to the table puts no token into an alert. The form is for encodings that do not describe themselves: the
//! order of the fields is part of it, and a change of it is a change of the version that is stored beside it.

use serde::{Deserialize, Serialize};

use super::{AuditFacts, Evidence, Redacted, Redactor, text};

/// How much is kept of each text, in bytes: of a path or an error, of a name or an HMAC, of an id.
const LONG: usize = 160;
const NAME: usize = 80;
const SHORT: usize = 40;

/// The most that is kept of a title, in bytes.
const TITLE: usize = 256;

/// How many policies, fields of evidence and values of each are kept.
const POLICIES: usize = 8;
const EVIDENCE: usize = 4;
const VALUES: usize = 2;

/// What stands at the end of a text that was cut.
const CUT: &str = "...";

/// A text from the log, redacted and cut to at most 256 bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredText(String);

impl StoredText {
    fn cut(text: &Redacted, max: usize) -> Self {
        Self(cut(text.as_str(), max))
    }

    /// The text as an alert tells it.
    #[must_use]
    pub fn into_redacted(self) -> Redacted {
        Redactor::default().name(&self.0)
    }
}

impl From<&Redacted> for StoredText {
    fn from(text: &Redacted) -> Self {
        Self::cut(text, TITLE)
    }
}

/// The facts of an alert in at most 2,300 bytes, usually 500: long texts cut, at most 8 policies, and 4 fields of
/// evidence with 2 values each.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredFacts {
    display_name: Option<StoredText>,
    entity_id: Option<StoredText>,
    login_user: Option<StoredText>,
    policies: Vec<StoredText>,
    accessor: Option<StoredText>,
    remote_address: Option<StoredText>,
    remote_port: Option<u16>,
    user_agent: Option<StoredText>,
    request_id: Option<StoredText>,
    entry_type: Option<StoredText>,
    operation: Option<StoredText>,
    path: Option<StoredText>,
    namespace: StoredText,
    mount_point: Option<StoredText>,
    mount_type: Option<StoredText>,
    error: Option<StoredText>,
    evidence: Vec<StoredEvidence>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct StoredEvidence {
    field: String,
    values: Vec<StoredText>,
}

impl From<&AuditFacts> for StoredFacts {
    fn from(facts: &AuditFacts) -> Self {
        let kept = |text: &Option<Redacted>, max| text.as_ref().map(|text| StoredText::cut(text, max));
        Self {
            display_name: kept(&facts.display_name, NAME),
            entity_id: kept(&facts.entity_id, SHORT),
            login_user: kept(&facts.login_user, NAME),
            policies: texts(&facts.policies, POLICIES, SHORT),
            accessor: kept(&facts.accessor, NAME),
            remote_address: kept(&facts.remote_address, SHORT),
            remote_port: facts.remote_port,
            user_agent: kept(&facts.user_agent, NAME),
            request_id: kept(&facts.request_id, SHORT),
            entry_type: kept(&facts.entry_type, SHORT),
            operation: kept(&facts.operation, SHORT),
            path: kept(&facts.path, LONG),
            namespace: StoredText::cut(&facts.namespace, NAME),
            mount_point: kept(&facts.mount_point, NAME),
            mount_type: kept(&facts.mount_type, SHORT),
            error: kept(&facts.error, LONG),
            evidence: facts.evidence.iter().take(EVIDENCE).map(StoredEvidence::of).collect(),
        }
    }
}

impl StoredFacts {
    /// The facts as an alert tells them.
    #[must_use]
    pub fn into_facts(self) -> AuditFacts {
        let told = |text: Option<StoredText>| text.map(StoredText::into_redacted);
        AuditFacts {
            display_name: told(self.display_name),
            entity_id: told(self.entity_id),
            login_user: told(self.login_user),
            policies: redacted(self.policies),
            accessor: self.accessor.map(|accessor| Redactor::default().hmac(&accessor.0)),
            remote_address: told(self.remote_address),
            remote_port: self.remote_port,
            user_agent: told(self.user_agent),
            request_id: told(self.request_id),
            entry_type: told(self.entry_type),
            operation: told(self.operation),
            path: told(self.path),
            namespace: self.namespace.into_redacted(),
            mount_point: told(self.mount_point),
            mount_type: told(self.mount_type),
            error: told(self.error),
            evidence: self.evidence.into_iter().map(StoredEvidence::into_evidence).collect(),
        }
    }
}

impl StoredEvidence {
    fn of(evidence: &Evidence) -> Self {
        Self { field: cut(&evidence.field, SHORT), values: texts(&evidence.values, VALUES, NAME) }
    }

    fn into_evidence(self) -> Evidence {
        Evidence { field: self.field, values: redacted(self.values) }
    }
}

fn texts(texts: &[Redacted], most: usize, max: usize) -> Vec<StoredText> {
    texts.iter().take(most).map(|text| StoredText::cut(text, max)).collect()
}

fn redacted(texts: Vec<StoredText>) -> Vec<Redacted> {
    texts.into_iter().map(StoredText::into_redacted).collect()
}

fn cut(text: &str, max: usize) -> String {
    if text.len() <= max { text.to_owned() } else { text::prefix(text, max.saturating_sub(CUT.len())).to_owned() + CUT }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Facts with the same text wherever there is one.
    fn facts(text: &str, policies: usize, evidence: usize) -> AuditFacts {
        let text = Redactor::default().name(text);
        let some = || Some(text.clone());
        let evidence = vec![Evidence { field: text.to_string(), values: vec![text.clone(); evidence] }; evidence];
        AuditFacts {
            display_name: some(),
            entity_id: some(),
            login_user: some(),
            policies: vec![text.clone(); policies],
            accessor: some(),
            remote_address: some(),
            remote_port: Some(8200),
            user_agent: some(),
            request_id: some(),
            entry_type: some(),
            operation: some(),
            path: some(),
            namespace: text.clone(),
            mount_point: some(),
            mount_type: some(),
            error: some(),
            evidence,
        }
    }

    fn kept(facts: &AuditFacts) -> AuditFacts {
        let bytes = postcard::to_stdvec(&StoredFacts::from(facts)).unwrap();
        assert!(bytes.len() <= 2300, "{} bytes", bytes.len());
        postcard::from_bytes::<StoredFacts>(&bytes).unwrap().into_facts()
    }

    #[test]
    fn what_is_short_comes_back_as_it_was() {
        let hmac = format!("hmac-sha256:{}", "0123456789abcdef".repeat(4));
        let facts = AuditFacts { accessor: Some(Redactor::default().hmac(&hmac)), ..facts("auth/x-[redacted]", 8, 2) };
        assert_eq!(format!("{:?}", kept(&facts)), format!("{facts:?}"));
        assert_eq!(format!("{:?}", kept(&AuditFacts::default())), format!("{:?}", AuditFacts::default()));
    }

    #[test]
    fn what_is_long_is_cut() {
        let kept = kept(&facts(&"a/".repeat(10_000), 20, 20));
        assert_eq!(kept.path.unwrap().as_str(), "a/".repeat(78) + "a...");
        assert_eq!((kept.policies.len(), kept.evidence.len(), kept.evidence[0].values.len()), (8, 4, 2));
    }

    #[test]
    fn a_token_in_the_store_stays_there() {
        let token = "hvs.CAESIJxTpGm0Ls4tQ1v9yR8wKzE2bN5cD7fH3jM6nP0qS1uV4x";
        let mut forged = StoredFacts::from(&facts("x", 8, 4));
        forged.path = Some(StoredText(format!("auth/token/lookup/{token}")));
        forged.accessor = Some(StoredText("8rT5wQz1Xc3Vb7Nm9KjHgFdS".to_owned()));
        let told = forged.into_facts();
        assert_eq!(told.path.unwrap().as_str(), "auth/token/lookup/[redacted]");
        assert_eq!(told.accessor.unwrap().as_str(), "[redacted]");
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn keeping_what_was_kept_changes_nothing(text in "(.|s\\.|hvs\\.|[a-z]{30}){0,60}", count in 0..20_usize) {
            let once = kept(&facts(&text, count, count));
            prop_assert_eq!(format!("{:?}", kept(&once)), format!("{once:?}"));
        }
    }
}
