//! The groups of a rule: whose matches belong together.

use std::fmt;

use hmac::digest::array::Array;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use uuid::Uuid;

use super::entry::Entry;
use crate::audit::Value;
use crate::number::Number;

/// Windows of one analytic are told apart in this namespace, which must never change: alert ids derive from it.
const GROUPS: Uuid = Uuid::from_u128(0x1f4b_2c86_93d5_4e0a_8b7c_5d21_ee90_4a63);

/// The key of the hashes in which a table holds addresses and HMACs that are only compared.
#[derive(Clone)]
pub struct HashKey(Hmac<Sha256>);

/// A group: the values of the group-by fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Group {
    /// Names its window in a store.
    pub hash: [u8; 16],
    /// Names it in the ids of alerts, which do not depend on the key.
    pub id: Uuid,
}

/// A value of an event, kept.
#[derive(Debug, Clone, PartialEq)]
pub enum OwnedValue {
    /// A boolean.
    Bool(bool),
    /// A number.
    Number(Number),
    /// A string.
    Text(String),
}

impl OwnedValue {
    /// Keeps what can be compared: null and structures cannot.
    #[must_use]
    pub fn of(value: Value<'_>) -> Option<Self> {
        match value {
            Value::Bool(flag) => Some(Self::Bool(flag)),
            Value::Number(number) => Some(Self::Number(number)),
            Value::Text(text) => Some(Self::Text(text.to_owned())),
            Value::Null | Value::Structure => None,
        }
    }

    /// As it was read.
    #[must_use]
    pub fn as_value(&self) -> Value<'_> {
        match self {
            Self::Bool(flag) => Value::Bool(*flag),
            Self::Number(number) => Value::Number(*number),
            Self::Text(text) => Value::Text(text),
        }
    }

    /// Typed and with its length, so that no two lists of values have the same bytes. Numbers and their texts are alike,
    /// as in rules.
    fn write(&self, bytes: &mut Vec<u8>) {
        let (kind, text) = match self {
            Self::Bool(flag) => (b'b', flag.to_string()),
            Self::Number(number) => (b't', number.to_string()),
            Self::Text(text) => (b't', text.clone()),
        };
        bytes.push(kind);
        bytes.extend(u64::try_from(text.len()).unwrap_or(u64::MAX).to_be_bytes());
        bytes.extend(text.as_bytes());
    }
}

impl Group {
    /// The group of these values: one list a field, empty if the field is absent.
    #[must_use]
    pub fn of(analytic: Uuid, values: &[Vec<OwnedValue>], key: &HashKey) -> Self {
        let mut bytes = analytic.as_bytes().to_vec();
        for values in values {
            bytes.extend(u64::try_from(values.len()).unwrap_or(u64::MAX).to_be_bytes());
            write_all(values, &mut bytes);
        }
        Self { hash: key.hash(&bytes), id: Uuid::new_v5(&GROUPS, &bytes) }
    }
}

impl HashKey {
    /// From any text; an empty one is as good as published.
    #[must_use]
    pub fn new(text: &str) -> Self {
        // An HMAC takes keys of any length.
        let key = [b"vaultwatch ", text.as_bytes()].concat();
        Self(Hmac::new_from_slice(&key).unwrap_or_else(|_| Hmac::new(&Array::default())))
    }

    /// Stands for values that are only compared.
    #[must_use]
    pub fn values(&self, values: &[OwnedValue]) -> u64 {
        let mut bytes = b"values".to_vec();
        write_all(values, &mut bytes);
        first_half(self.hash(&bytes))
    }

    /// Names what is folded into a window in one go: the same entries have the same name, in whatever order.
    #[must_use]
    pub fn delivery(&self, entries: &[Entry]) -> u64 {
        let mut identities: Vec<(u16, u64, i64)> =
            entries.iter().map(|entry| (entry.rule, entry.id, entry.time)).collect();
        identities.sort_unstable();
        let mut bytes = b"delivery".to_vec();
        for (rule, id, time) in identities {
            bytes.extend(rule.to_be_bytes());
            bytes.extend(id.to_be_bytes());
            bytes.extend(time.to_be_bytes());
        }
        first_half(self.hash(&bytes))
    }

    fn hash(&self, bytes: &[u8]) -> [u8; 16] {
        let digest = self.0.clone().chain_update(bytes).finalize().into_bytes();
        let mut hash = [0; 16];
        hash.iter_mut().zip(digest).for_each(|(to, from)| *to = from);
        hash
    }
}

fn write_all(values: &[OwnedValue], bytes: &mut Vec<u8>) {
    for value in values {
        value.write(bytes);
    }
}

fn first_half(hash: [u8; 16]) -> u64 {
    u64::try_from(u128::from_be_bytes(hash) >> 64).unwrap_or_default()
}

impl Default for HashKey {
    fn default() -> Self {
        Self::new("")
    }
}

impl PartialEq for HashKey {
    fn eq(&self, other: &Self) -> bool {
        self.hash(b"") == other.hash(b"")
    }
}

impl Eq for HashKey {}

impl fmt::Debug for HashKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("HashKey")
    }
}
