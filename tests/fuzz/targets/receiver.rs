//! Webhook requests. The input is six header lines and a body; `@1` and `@2` in place of a signature stand for the right
//! MAC under an active secret, `@r` under a retired one, with whatever follows appended. A second reading of the rules, with
//! an HMAC of its own, says what ought to be taken: nothing else may be, and all of that must be.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use halt_tracker::ingest::IngestError;
use halt_tracker::ingest::body::{self, FileSink};
use halt_tracker::ingest::signature::{Envelope, check_envelope, verify};
use serde_json::Value;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

const NOW: i64 = 1_772_366_400;
const MOST: usize = 64 * 1024;
const SECRETS: [&str; 2] = ["active-9c1f6e0b7d2a4835-Kq7mZt4Rw2", "second-5a3b8c7d1e9f0246-Xv8nYp3Ls6"];
const RETIRED: &str = "retired-1f2e3d4c5b6a7988-Jt6hGd2Bq9";

pub fn read(bytes: &[u8]) -> bool {
    let (method, rest) = super::line(bytes);
    let (content_type, rest) = super::line(rest);
    let (content_encoding, rest) = super::line(rest);
    let (content_length, rest) = super::line(rest);
    let (timestamp, rest) = super::line(rest);
    let (signature, body) = super::line(rest);
    let message = [timestamp.as_bytes(), b".", body].concat();
    let signed = |secret: &str, after: &str| hex(&hmac(secret.as_bytes(), &message)) + after;
    let signature = match signature.split_at_checked(2) {
        Some(("@1", after)) => signed(SECRETS[0], after),
        Some(("@2", after)) => signed(SECRETS[1], after),
        Some(("@r", after)) => signed(RETIRED, after),
        _ => signature,
    };
    let address = String::new();
    let envelope = Envelope { method, content_type, content_encoding, content_length, timestamp, signature, address };
    let secrets: Vec<(i64, Zeroizing<String>)> =
        (1..).zip(SECRETS).map(|(slot, text)| (slot, Zeroizing::new(text.to_owned()))).collect();

    let let_in = check_envelope(&envelope, body.len(), MOST).is_ok();
    assert!(!let_in || may_enter(&envelope, body.len()), "let in: {envelope:?}");
    let verified = verify(&envelope, body, &secrets, NOW);
    assert_eq!(verified.is_ok(), is_signed(&envelope, &message), "{envelope:?}");
    if let Ok(verified) = verified {
        assert_eq!(hex(&verified.mac), envelope.signature);
    }
    let mut kept = Kept::default();
    if let Ok(read) = body::parse(body, &mut kept) {
        is_what_it_says(body, &read, &kept.0);
        return let_in && verified.is_ok();
    }
    false
}

/// The envelope's rules, read a second time and no narrower.
fn may_enter(envelope: &Envelope, size: usize) -> bool {
    let plain: String = envelope.content_type.chars().filter(|c| !c.is_whitespace() && *c != '"').collect();
    let mut parts = plain.split(';').filter(|part| !part.is_empty()).map(str::to_ascii_lowercase);
    envelope.method == "POST"
        && parts.next().as_deref() == Some("application/json")
        && parts.all(|part| part == "charset=utf-8")
        && envelope.content_encoding.chars().all(char::is_whitespace)
        && size <= MOST
}

fn is_signed(envelope: &Envelope, message: &[u8]) -> bool {
    let Ok(seconds) = envelope.timestamp.parse::<i64>() else { return false };
    let plain = seconds >= 1_000_000_000 && seconds.to_string() == envelope.timestamp && envelope.timestamp.len() == 10;
    let near = seconds.abs_diff(NOW) <= 300;
    let right = SECRETS.iter().any(|secret| hex(&hmac(secret.as_bytes(), message)) == envelope.signature);
    plain && near && right
}

/// serde_json finds the same in the body, and base64 the same in its files.
fn is_what_it_says(bytes: &[u8], read: &body::Body, files: &[(String, String, Vec<u8>)]) {
    let json: Value = serde_json::from_slice(bytes).expect("taken, and serde_json refuses it");
    assert_eq!(json["form_id"].as_str(), Some(read.form_id.as_str()));
    for (name, map) in [("fields", &read.fields), ("meta", &read.meta)] {
        let none = json.get(name).is_none_or(|value| value.as_array().is_some_and(Vec::is_empty));
        assert!(none && map.is_empty() || json[name].as_object() == Some(map), "{name}");
    }
    let known = ["form_id", "fields", "meta", "files"];
    assert!(json.as_object().is_some_and(|object| object.keys().all(|key| known.contains(&key.as_str()))));
    let listed = json.get("files").and_then(Value::as_array).cloned().unwrap_or_default();
    assert_eq!(listed.len(), files.len());
    for (one, (field, name, content)) in listed.iter().zip(files) {
        assert_eq!((one["field"].as_str(), one["name"].as_str()), (Some(field.as_str()), Some(name.as_str())));
        assert_eq!(one["encoding"], "base64");
        let plain = STANDARD.decode(one["content"].as_str().expect("content")).expect("taken, and no base64");
        assert!(&plain == content);
    }
}

#[derive(Default)]
struct Kept(Vec<(String, String, Vec<u8>)>, Vec<u8>);

impl FileSink for Kept {
    fn begin(&mut self) -> Result<(), IngestError> {
        self.1.clear();
        Ok(())
    }
    fn write(&mut self, bytes: &[u8]) -> Result<(), IngestError> {
        self.1.extend_from_slice(bytes);
        Ok(())
    }
    fn end(&mut self, field: &str, name: &str) -> Result<(), IngestError> {
        self.0.push((field.into(), name.into(), std::mem::take(&mut self.1)));
        Ok(())
    }
}

/// RFC 2104 by hand, so that nothing is checked against itself.
fn hmac(key: &[u8], message: &[u8]) -> [u8; 32] {
    let mut block = [0_u8; 64];
    if key.len() > 64 {
        block[..32].copy_from_slice(&Sha256::digest(key));
    } else {
        block[..key.len()].copy_from_slice(key);
    }
    let inner = Sha256::new().chain_update(block.map(|byte| byte ^ 0x36)).chain_update(message).finalize();
    Sha256::new().chain_update(block.map(|byte| byte ^ 0x5c)).chain_update(inner).finalize().into()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
