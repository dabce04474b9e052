//! Who was erased is kept on both sides, in the store and in an option of the site: this is where they tell each other.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Call, EngineError, read_json};
use crate::clock::{Clock, SystemClock};
use crate::queue::erasure::Erased;
use crate::queue::open::hex;

#[derive(Debug, Deserialize)]
struct Known {
    #[serde(default)]
    known: BTreeMap<String, i64>,
}

/// `{"known":{"<64 hex digits>":<milliseconds since 1970>}}` becomes `{"erased":{…},"again":<how many came back>}`.
///
/// # Errors
/// `HT-1005` when it cannot be read; the store's.
pub fn share(call: &Call, action: &[u8]) -> Result<Value, EngineError> {
    let known: Known = read_json(action, "erasures")?;
    let known: Erased = known.known.iter().filter_map(|(text, at)| unhex(text).map(|hash| (hash, *at))).collect();
    call.with_store(|store| {
        let now = SystemClock.now();
        let (erased, again) = store.share_erasures(&known, &now)?;
        let all: Map<String, Value> = erased.iter().map(|(hash, at)| (hex(hash), json!(at))).collect();
        if again > 0 {
            store.erase_aside()?;
        }
        Ok(json!({ "erased": all, "again": again }))
    })
}

fn unhex(text: &str) -> Option<[u8; 32]> {
    let digits = text.as_bytes();
    if digits.len() != 64 || !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    let mut hash = [0; 32];
    for (byte, pair) in hash.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(hash)
}
