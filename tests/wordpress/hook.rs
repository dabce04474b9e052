//! A program that sends webhooks: signs as documented, and lies about any part of the request when it is told to.

use crate::site::Site;
use crate::stack::Reply;
use hmac::{Hmac, KeyInit, Mac};
use std::time::{SystemTime, UNIX_EPOCH};

pub const PATH: &str = "/wp-json/halt-tracker/v1/ingest";

pub fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock after 1970").as_secs() as i64
}

/// HMAC-SHA256 of the timestamp, a dot and the body, in lower-case hex.
pub fn signature(secret: &str, stamp: &str, body: &[u8]) -> String {
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(secret.as_bytes()).expect("any length of key");
    mac.update(stamp.as_bytes());
    mac.update(b".");
    mac.update(body);
    mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A request as it will be sent.
pub struct Request {
    pub method: &'static str,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

/// A well-signed request of now.
pub fn request(secret: &str, body: impl Into<Vec<u8>>) -> Request {
    at(secret, body, &now().to_string())
}

/// A well-signed request that says it is of another time.
pub fn at(secret: &str, body: impl Into<Vec<u8>>, stamp: &str) -> Request {
    let body = body.into();
    let headers = [
        ("Content-Type", "application/json".to_owned()),
        ("X-Halt-Timestamp", stamp.to_owned()),
        ("X-Halt-Webhook-Signature", signature(secret, stamp, &body)),
    ];
    Request { method: "POST", headers: headers.map(|(name, value)| (name.to_owned(), value)).to_vec(), body }
}

impl Request {
    /// The same with another value of a header, or with one more header.
    pub fn with(mut self, name: &str, value: &str) -> Request {
        self.headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn send(&self, site: &Site) -> Reply {
        site.stack.send(self.method, PATH, &self.headers, &self.body)
    }
}

/// The code of an error in WordPress' REST shape; it says its status too, and the same one.
pub fn error(reply: &Reply) -> String {
    let body = reply.json();
    assert_eq!(body["data"]["status"], reply.status, "{}", reply.text());
    assert!(body["code"].as_str().is_some_and(|code| !code.is_empty()), "{}", reply.text());
    body["data"]["error"].as_str().unwrap_or_default().to_owned()
}
