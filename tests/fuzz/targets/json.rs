//! Strict JSON. serde_json, and a census of what it read, say what ought to be taken: the reader may take nothing else, must
//! take all of that, and must have read the same value.

use std::collections::HashSet;
use std::fmt;

use halt_tracker::ingest::json::Reader;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

pub fn read(bytes: &[u8]) -> bool {
    let ours = Reader::new(bytes).and_then(|mut reader| {
        reader.begin();
        let value = reader.value()?;
        reader.end().map(|()| value)
    });
    let mut census = Census::default();
    let mut theirs = serde_json::Deserializer::from_slice(bytes);
    let counted = census.deserialize(&mut theirs).and_then(|()| theirs.end());
    let ought = counted.is_ok() && !census.strange && census.nodes <= 10_000 && !bytes.starts_with(b"\xef\xbb\xbf");
    match &ours {
        Ok(value) => {
            assert!(ought, "taken, and ought not to be: {:?}", counted.err());
            let same: Value = serde_json::from_slice(bytes).expect("taken, and serde_json refuses it");
            assert_eq!(&same, value);
            // What is stored is read back as it was.
            let again: Value = serde_json::from_slice(&serde_json::to_vec(value).expect("written")).expect("read back");
            assert_eq!(&again, value);
        }
        Err(error) => {
            assert!(!ought || census.undecided || may_hold_token(bytes), "refused, and ought not to be: {error}")
        }
    }
    ours.is_ok()
}

/// Whether what serde_json calls a number may be an object that pretends to be one.
fn may_hold_token(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    text.contains("serde_json") || text.contains("\\u")
}

/// What serde_json read, counted.
#[derive(Default)]
struct Census {
    nodes: usize,
    depth: usize,
    strange: bool,
    undecided: bool,
}

/// The name under which serde_json hands over numbers. As a name in the input it is refused.
const TOKEN: &str = "$serde_json::private::Number";

impl<'de> DeserializeSeed<'de> for &mut Census {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for &mut Census {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }
    fn visit_bool<E: Error>(self, _: bool) -> Result<(), E> {
        self.nodes += 1;
        Ok(())
    }
    fn visit_u64<E: Error>(self, _: u64) -> Result<(), E> {
        self.nodes += 1;
        Ok(())
    }
    fn visit_i64<E: Error>(self, _: i64) -> Result<(), E> {
        self.nodes += 1;
        Ok(())
    }
    fn visit_unit<E: Error>(self) -> Result<(), E> {
        self.nodes += 1;
        Ok(())
    }
    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        self.nodes += 1;
        self.strange |= text.contains('\0');
        Ok(())
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        self.nodes += 1;
        self.depth += 1;
        self.strange |= self.depth > 32;
        while list.next_element_seed(&mut *self)?.is_some() {}
        self.depth -= 1;
        Ok(())
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        self.nodes += 1;
        let mut seen = HashSet::new();
        let mut next = map.next_key::<String>()?;
        if next.as_deref() == Some(TOKEN) {
            let digits: String = map.next_value()?;
            // serde_json writes an exponent with its sign: at one more than the limit nobody can tell whether it came so.
            let signed = digits.len() == 101 && digits.contains('+');
            self.strange |= digits.len() > 100 && !signed;
            self.undecided |= signed;
            return Ok(());
        }
        self.depth += 1;
        self.strange |= self.depth > 32;
        while let Some(key) = next {
            self.nodes += 1;
            self.strange |= key.contains('\0') || key == TOKEN || !seen.insert(key);
            map.next_value_seed(&mut *self)?;
            next = map.next_key()?;
        }
        self.depth -= 1;
        Ok(())
    }
}
