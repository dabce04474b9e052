//! A webhook request that begins as a right one, so that a row of the table says in one line what an attacker changes in
//! it; how it is sent, straight to the engine and over HTTP, is here too. It judges nothing.

use crate::hook::{PATH, now};
use crate::site::Site;
use crate::stack::Reply;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::{Digest, Sha256, Sha512};
use std::io::Write;
use std::process::{Command, Stdio};

/// The active secrets, and one that was retired.
pub const FIRST: &str = "first-Yc7mQpXw2LrT9vKd4sHz8NbFgJ6uE3Aa";
pub const SECOND: &str = "second-hV5tZq8nRk3WxB6yMd9LpCs2JfG7eUoT";
pub const RETIRED: &str = "retired-uP4kWm7QzX9rLc2TvBn6HsYd8FgJ3eAa";
/// In every body: it may stand in no log.
pub const CANARY: &str = "Canaryfeather";

pub struct Draft {
    pub method: &'static str,
    pub kind: String,
    pub encoding: String,
    /// What `Content-Length` says, when that is a lie.
    pub length: Option<String>,
    pub stamp: String,
    pub signature: String,
    pub body: Vec<u8>,
    pub secret: &'static str,
    /// Further header lines, which only HTTP has.
    pub lines: Vec<(String, String)>,
    /// Seconds from the server's now; signed at the very moment of sending.
    pub edge: Option<i64>,
    pub email: String,
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub fn mac(key: &[u8], message: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("any length of key");
    mac.update(message);
    mac.finalize().into_bytes().to_vec()
}

impl Draft {
    /// A right request of now; the number makes its body unlike all others.
    pub fn right(number: usize) -> Draft {
        let email = format!("row-{number}@canary.example");
        let body = format!(
            "{{\"form_id\":\"careers\",\"fields\":{{\"name\":\"Müller {CANARY}\",\"email\":\"{email}\",\"note\":\"a/b\"}}}}"
        );
        let mut draft = Draft {
            method: "POST",
            kind: "application/json".into(),
            encoding: String::new(),
            length: None,
            stamp: now().to_string(),
            signature: String::new(),
            body: body.into_bytes(),
            secret: FIRST,
            lines: Vec::new(),
            edge: None,
            email,
        };
        draft.sign();
        draft
    }

    pub fn message(&self) -> Vec<u8> {
        [self.stamp.as_bytes(), b".", &self.body].concat()
    }

    /// Signs what the request now says, as its owner would.
    pub fn sign(&mut self) {
        self.signature = hex(&mac(self.secret.as_bytes(), &self.message()));
    }

    pub fn sign_as(&mut self, secret: &'static str) {
        self.secret = secret;
        self.sign();
    }

    /// A MAC with the right key of something else than is sent.
    pub fn sign_message(&mut self, message: &[u8]) {
        self.signature = hex(&mac(self.secret.as_bytes(), message));
    }

    pub fn sign_with_key(&mut self, key: &[u8]) {
        self.signature = hex(&mac(key, &self.message()));
    }

    pub fn sign_sha512(&mut self) {
        let mut mac = Hmac::<Sha512>::new_from_slice(self.secret.as_bytes()).expect("any length of key");
        mac.update(&self.message());
        self.signature = hex(&mac.finalize().into_bytes());
    }

    /// A hash without HMAC, of a prefix and the message.
    pub fn hash_with(&mut self, prefix: &str) {
        self.signature = hex(&Sha256::digest([prefix.as_bytes(), &self.message()].concat()));
    }

    pub fn raw_mac(&self) -> Vec<u8> {
        mac(self.secret.as_bytes(), &self.message())
    }

    /// Another timestamp, rightly signed; `T` stands for the right one.
    pub fn stamped(&mut self, pattern: &str) {
        self.stamp = pattern.replace('T', &self.stamp);
        self.sign();
    }

    /// Another timestamp under the signature of the right one.
    pub fn restamped(&mut self, pattern: &str) {
        self.stamp = pattern.replace('T', &self.stamp);
    }

    pub fn shifted(&mut self, seconds: i64) {
        self.stamp = (now() + seconds).to_string();
        self.sign();
    }

    /// Another body, rightly signed; `EMAIL` and `NAME` become those of this request.
    pub fn says(&mut self, text: &str) {
        self.bytes(self.filled(text).into_bytes());
    }

    /// The same for bytes that are no text.
    pub fn bytes(&mut self, body: Vec<u8>) {
        self.body = body;
        self.sign();
    }

    /// Signed as the first text, sent as the second.
    pub fn swapped(&mut self, signed: &str, sent: &str) {
        self.says(signed);
        self.body = self.filled(sent).into_bytes();
    }

    fn filled(&self, text: &str) -> String {
        text.replace("EMAIL", &self.email).replace("NAME", CANARY)
    }

    /// A body whose `fields` hold one more member.
    pub fn field(&mut self, member: &str) {
        self.says(&format!(
            "{{\"form_id\":\"careers\",\"fields\":{{\"name\":\"NAME\",\"email\":\"EMAIL\",{member}}}}}"
        ));
    }

    /// A body with one more member beside `fields`.
    pub fn member(&mut self, member: &str) {
        self.says(&format!(
            "{{\"form_id\":\"careers\",\"fields\":{{\"name\":\"NAME\",\"email\":\"EMAIL\"}},{member}}}"
        ));
    }

    pub fn utf16(&mut self, big: bool) {
        let text = String::from_utf8(self.body.clone()).expect("a text");
        let bytes = text.encode_utf16().flat_map(|unit| if big { unit.to_be_bytes() } else { unit.to_le_bytes() });
        self.bytes(bytes.collect());
    }

    pub fn gzipped(&mut self) {
        let mut child = Command::new("gzip")
            .arg("-c")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("gzip is part of every system");
        child.stdin.take().expect("a pipe").write_all(&self.body).expect("written");
        let packed = child.wait_with_output().expect("packed").stdout;
        self.bytes(packed);
    }

    /// White space up to this size.
    pub fn padded(&mut self, size: usize) {
        let mut body = self.body.clone();
        body.resize(size, b' ');
        self.bytes(body);
    }

    pub fn line(&mut self, name: &str, value: &str) {
        self.lines.push((name.into(), value.into()));
    }

    /// As the argument of `Engine::ingest`, with what the batch script needs.
    pub fn for_engine(&self) -> Value {
        let length = self.length.clone().unwrap_or_else(|| self.body.len().to_string());
        json!({
            "request": { "method": self.method, "content_type": self.kind, "content_encoding": self.encoding,
                "content_length": length, "timestamp": self.stamp, "signature": self.signature,
                "address": "192.0.2.7", "now": null },
            "body": BASE64.encode(&self.body), "edge": self.edge, "secret": self.secret,
        })
    }

    fn headers(&self) -> Vec<(String, String)> {
        let mut headers: Vec<(String, String)> = [
            ("Content-Type", &self.kind),
            ("Content-Encoding", &self.encoding),
            ("X-Halt-Timestamp", &self.stamp),
            ("X-Halt-Webhook-Signature", &self.signature),
        ]
        .into_iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| (name.to_owned(), value.clone()))
        .collect();
        if let Some(length) = &self.length {
            headers.push(("Content-Length".into(), length.clone()));
        }
        headers.extend(self.lines.iter().cloned());
        headers
    }

    pub fn send(&self, site: &Site) -> Reply {
        site.stack.send(self.method, PATH, &self.headers(), &self.body)
    }

    /// At an edge the answer counts only when the second did not change on the way. What was answered in another second may
    /// be kept all the same, and rightly: those ids are given too.
    pub fn send_at_edge(&mut self, site: &Site, seconds: i64) -> (Reply, Vec<String>) {
        let mut kept = Vec::new();
        for _ in 0..60 {
            let before = now();
            while now() == before {
                std::thread::sleep(std::time::Duration::from_millis(2));
            }
            let at = now();
            self.shifted(seconds);
            let reply = self.send(site);
            if now() == at {
                return (reply, kept);
            }
            kept.extend(reply.json()["queue_id"].as_str().map(str::to_owned));
        }
        panic!("this machine does not answer within a second");
    }
}
