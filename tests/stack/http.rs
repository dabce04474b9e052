//! A small HTTP client for the loopback servers of the tests, here so that a test controls every header and sees every
//! byte; it refuses to follow redirects or to interpret anything.

use serde_json::Value;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

/// What the server answered. A request that never got an answer has status 0 and the reason as its body.
#[derive(Debug, Clone)]
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    pub seconds: f64,
}

impl Reply {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    /// The first header of this name, whatever its letter case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    pub fn has(&self, needle: &str) -> bool {
        self.text().contains(needle)
    }

    /// The value of the first `<input>` with this name, for nonces and other hidden inputs.
    pub fn input(&self, name: &str) -> Option<String> {
        let html = self.text();
        let tag = html.split("<input").skip(1).find_map(|rest| {
            let tag = rest.split('>').next()?;
            (attribute(tag, "name")? == name).then(|| tag.to_string())
        })?;
        attribute(&tag, "value").map(|value| unescape(&value))
    }
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    for quote in ['"', '\''] {
        if let Some((_, rest)) = tag.split_once(&format!(" {name}={quote}")) {
            return rest.split(quote).next().map(str::to_string);
        }
    }
    None
}

fn unescape(text: &str) -> String {
    text.replace("&quot;", "\"").replace("&#039;", "'").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}

/// Cookies of one visitor, taken over from every answer.
#[derive(Debug, Clone, Default)]
pub struct Session {
    pub cookies: Vec<(String, String)>,
}

impl Session {
    pub fn keep(&mut self, reply: &Reply) {
        let set = reply.headers.iter().filter(|(key, _)| key.eq_ignore_ascii_case("set-cookie"));
        for (_, line) in set {
            let pair = line.split(';').next().unwrap_or("");
            if let Some((name, value)) = pair.split_once('=') {
                self.cookies.retain(|(known, _)| known != name);
                self.cookies.push((name.to_string(), value.to_string()));
            }
        }
    }

    pub fn header(&self) -> (String, String) {
        let pairs: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        ("Cookie".to_string(), pairs.join("; "))
    }
}

pub fn form_encode(pairs: &[(String, String)]) -> String {
    let encoded = pairs.iter().map(|(key, value)| format!("{}={}", percent(key), percent(value)));
    encoded.collect::<Vec<_>>().join("&")
}

pub fn percent(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' => out.push(byte as char),
            b' ' => out.push('+'),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

/// One request on a connection of its own. `base` is `http://host:port`; `path` may also be a whole address below it.
/// `Content-Length` is added unless the caller gives one, so that a test can lie about it.
pub fn request(base: &str, method: &str, path: &str, headers: &[(String, String)], body: &[u8]) -> Reply {
    let started = Instant::now();
    let outcome = exchange(base, method, path, headers, body);
    let seconds = started.elapsed().as_secs_f64();
    match outcome.and_then(|raw| parse(&raw)) {
        Ok((status, headers, body)) => Reply { status, headers, body, seconds },
        Err(reason) => Reply { status: 0, headers: Vec::new(), body: reason.into_bytes(), seconds },
    }
}

fn exchange(
    base: &str,
    method: &str,
    path: &str,
    headers: &[(String, String)],
    body: &[u8],
) -> Result<Vec<u8>, String> {
    let host = base.trim_start_matches("http://").trim_end_matches('/');
    let path = path.strip_prefix(base).unwrap_or(path);
    let path = if path.is_empty() { "/" } else { path };
    let mut stream = TcpStream::connect(host).map_err(|error| format!("connect {host}: {error}"))?;
    let limit = Some(Duration::from_secs(180));
    stream.set_read_timeout(limit).and_then(|()| stream.set_write_timeout(limit)).map_err(|error| error.to_string())?;

    let given = |name: &str| headers.iter().any(|(key, _)| key.eq_ignore_ascii_case(name));
    let mut head = format!("{method} {path} HTTP/1.1\r\nConnection: close\r\n");
    if !given("host") {
        head.push_str(&format!("Host: {host}\r\n"));
    }
    if !given("content-length") && (method != "GET" || !body.is_empty()) {
        head.push_str(&format!("Content-Length: {}\r\n", body.len()));
    }
    for (key, value) in headers {
        head.push_str(&format!("{key}: {value}\r\n"));
    }
    head.push_str("\r\n");

    // A server may answer and close before it has read everything (413): its answer still counts.
    let sent = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body));
    let mut raw = Vec::new();
    let read = stream.read_to_end(&mut raw);
    if raw.is_empty() {
        sent.map_err(|error| format!("send: {error}"))?;
        read.map_err(|error| format!("read: {error}"))?;
        return Err("the server closed the connection without an answer".to_string());
    }
    Ok(raw)
}

type Parsed = (u16, Vec<(String, String)>, Vec<u8>);

fn parse(raw: &[u8]) -> Result<Parsed, String> {
    let end = raw.windows(4).position(|four| four == b"\r\n\r\n").ok_or("an answer without an end of its head")?;
    let head = String::from_utf8_lossy(&raw[..end]).into_owned();
    let mut lines = head.split("\r\n");
    let first = lines.next().unwrap_or("");
    let status: u16 = first.split(' ').nth(1).and_then(|code| code.parse().ok()).ok_or("no status line")?;
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(key, value)| (key.trim().to_string(), value.trim().to_string()))
        .collect();
    let chunked = headers
        .iter()
        .any(|(key, value)| key.eq_ignore_ascii_case("transfer-encoding") && value.eq_ignore_ascii_case("chunked"));
    let body = if chunked { unchunk(&raw[end + 4..]) } else { raw[end + 4..].to_vec() };
    Ok((status, headers, body))
}

/// The bytes of a chunked body; a body cut short gives what arrived, which is what a test of a cut wants to see.
fn unchunk(mut rest: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    while let Some(end) = rest.windows(2).position(|two| two == b"\r\n") {
        let line = String::from_utf8_lossy(&rest[..end]).into_owned();
        let size = usize::from_str_radix(line.split(';').next().unwrap_or("").trim(), 16).unwrap_or(0);
        let from = end + 2;
        let to = (from + size).min(rest.len());
        if size == 0 {
            break;
        }
        body.extend_from_slice(&rest[from..to]);
        rest = rest.get(to + 2..).unwrap_or(&[]);
    }
    body
}
