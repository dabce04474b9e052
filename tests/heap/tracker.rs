//! A Tracker that answers in fixed buffers and keeps nothing but the length of each document's base64, so that what is
//! measured beside it is the engine's alone.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

pub struct Tracker {
    pub url: String,
    documents: Arc<Mutex<Vec<usize>>>,
}

impl Tracker {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let documents = Arc::new(Mutex::new(Vec::with_capacity(64)));
        let kept = Arc::clone(&documents);
        std::thread::spawn(move || {
            crate::LEFT_OUT.with(|out| out.set(true));
            let mut next = 100;
            for stream in listener.incoming().flatten() {
                next += 1;
                answer(stream, next, &kept);
            }
        });
        Self { url, documents }
    }

    /// How many characters of base64 each document had.
    pub fn documents(&self) -> Vec<usize> {
        self.documents.lock().expect("kept").clone()
    }
}

fn answer(mut stream: TcpStream, id: u64, documents: &Mutex<Vec<usize>>) {
    let mut buffer = [0; 16 * 1024];
    let mut filled = 0;
    let head_end = loop {
        let count = stream.read(&mut buffer[filled..]).expect("read");
        assert!(count > 0, "no head");
        filled += count;
        if let Some(at) = buffer[..filled].windows(4).position(|part| part == b"\r\n\r\n") {
            break at + 4;
        }
    };
    let head = String::from_utf8_lossy(&buffer[..head_end]).to_lowercase();
    let length = head.split("content-length: ").nth(1).and_then(|rest| rest.split("\r\n").next()?.parse().ok());
    let length: usize = length.unwrap_or(0);
    // The longest text is the document.
    let (mut longest, mut run, mut seen) = (0, 0, 0);
    let mut piece = head_end..filled;
    loop {
        // Quotes stand around it, and nothing within it.
        for (at, part) in buffer[piece.clone()].split(|byte| *byte == b'"').enumerate() {
            run = if at == 0 { run + part.len() } else { part.len() };
            longest = longest.max(run);
        }
        seen += piece.len();
        if seen >= length {
            break;
        }
        let count = stream.read(&mut buffer).expect("read");
        assert!(count > 0, "{seen} of {length}");
        piece = 0..count;
    }
    let path = head.split(' ').nth(1).unwrap_or_default();
    if path.contains("document") {
        documents.lock().expect("kept").push(longest);
    }
    let body = if path.contains("search") {
        "[]".to_owned()
    } else {
        format!("{{\"id\":{id},\"success\":true,\"status\":0,\"message\":\"created\",\"count\":1,\"recordId\":{id}}}")
    };
    let token = "{\"token\":\"jwt\",\"jwt\":\"jwt\"}";
    let body = if path.contains("exchangetoken") { token.to_owned() } else { body };
    let oauth =
        "{\"access_token\":\"a\",\"refresh_token\":\"another refresh token of some length\",\"expires_in\":3600}";
    let body = if path.contains("oauth2") { oauth.to_owned() } else { body };
    let answer = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    let _ = stream.write_all(answer.as_bytes());
}
