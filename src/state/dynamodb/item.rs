//! What an item of the table looks like.
//!
//! | attribute | type | |
//! |---|---|---|
//! | `pk` | S | the key: `<uuid of the analytic>#<group, in hexadecimal>` |
//! | `v` | N | the version |
//! | `w` | B | the mark of who wrote it, another one each time |
//! | `s` | B | the state |
//! | `ttl` | N | when it expires, in seconds since 1970: the table removes it some days later, and nobody reads this |
//! | `due`, `due_at` | S, N | a constant, and milliseconds since 1970: the keys of the index `due`, absent if never due |

use std::collections::HashMap;

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use uuid::Uuid;

use crate::state::store::{Key, StoreError, Stored, Write};

pub(super) type Item = HashMap<String, AttributeValue>;

/// The attributes that name an item.
pub(super) fn key(key: Key) -> Item {
    let group = Uuid::from_bytes(key.group);
    let pk = AttributeValue::S(format!("{}#{}", key.analytic, group.simple()));
    Item::from([("pk".to_owned(), pk)])
}

/// What an item is named.
pub(super) fn key_of(item: &Item) -> Option<Key> {
    let (analytic, group) = item.get("pk")?.as_s().ok()?.split_once('#')?;
    Some(Key { analytic: Uuid::try_parse(analytic).ok()?, group: Uuid::try_parse(group).ok()?.into_bytes() })
}

/// The item that a write puts, with the mark of this write.
pub(super) fn encode(write: &Write, mark: Uuid) -> Item {
    let mut item = key(write.key);
    let mut set = |name: &str, value| item.insert(name.to_owned(), value);
    set("v", AttributeValue::N(write.version().to_string()));
    set("w", AttributeValue::B(Blob::new(mark.into_bytes())));
    set("s", AttributeValue::B(Blob::new(write.state.clone())));
    set("ttl", AttributeValue::N(write.expires.as_second().to_string()));
    if let Some(at) = write.due {
        set("due", due());
        set("due_at", AttributeValue::N(at.as_millisecond().to_string()));
    }
    item
}

/// What stands in an item, and the mark of who wrote it.
pub(super) fn decode(mut item: Item) -> Result<(Stored, Uuid), StoreError> {
    let mut take = |name| item.remove(name).ok_or(StoreError::Foreign);
    let (version, mark, state) = (take("v")?, take("w")?, take("s")?);
    let version = version.as_n().ok().and_then(|version| version.parse().ok()).ok_or(StoreError::Foreign)?;
    let mark = mark.as_b().ok().and_then(|mark| Uuid::from_slice(mark.as_ref()).ok()).ok_or(StoreError::Foreign)?;
    let AttributeValue::B(state) = state else { return Err(StoreError::Foreign) };
    Ok((Stored { version, state: state.into_inner() }, mark))
}

/// What `due` holds in the items that are due some time.
pub(super) fn due() -> AttributeValue {
    AttributeValue::S("yes".to_owned())
}
