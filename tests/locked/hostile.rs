//! A Tracker whose refusals say what the test wants, in front of the simulator: its words are a stranger's words too. What
//! is not refused goes on to the simulator unchanged.

use crate::stack::http::request;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

pub struct Hostile {
    pub url: String,
}

impl Hostile {
    /// Refuses every request whose method and path this accepts, with 400 and these words.
    pub fn start(sim: &str, words: &str, refuses: fn(&str, &str) -> bool) -> Hostile {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let (sim, words) = (sim.to_owned(), words.to_owned());
        // Tokens are rotated: two requests at once must not overtake each other on the way.
        let turn = Arc::new(Mutex::new(()));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (sim, words, turn) = (sim.clone(), words.clone(), turn.clone());
                std::thread::spawn(move || {
                    let _turn = turn.lock();
                    let _ = answer(stream, &sim, &words, refuses);
                });
            }
        });
        Hostile { url }
    }
}

fn answer(mut stream: TcpStream, sim: &str, words: &str, refuses: fn(&str, &str) -> bool) -> std::io::Result<()> {
    let mut raw = Vec::new();
    let mut piece = [0; 65_536];
    let (end, length) = loop {
        let count = stream.read(&mut piece)?;
        if count == 0 {
            return Ok(());
        }
        raw.extend_from_slice(&piece[..count]);
        if let Some(end) = raw.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&raw[..end]).to_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok());
            break (end + 4, length.unwrap_or(0));
        }
    };
    while raw.len() < end + length {
        let count = stream.read(&mut piece)?;
        if count == 0 {
            return Ok(());
        }
        raw.extend_from_slice(&piece[..count]);
    }
    let head = String::from_utf8_lossy(&raw[..end]).into_owned();
    let mut lines = head.lines();
    let mut first = lines.next().unwrap_or("").split(' ');
    let (method, path) = (first.next().unwrap_or(""), first.next().unwrap_or(""));
    let (status, kind, body) = if refuses(method, path) {
        let problem = serde_json::json!({ "title": words, "detail": words, "message": words, "status": 400,
            "error": words, "error_description": words, "errors": { words: [words] } });
        (400, "application/problem+json".to_owned(), problem.to_string().into_bytes())
    } else {
        let headers: Vec<(String, String)> = lines
            .filter_map(|line| line.split_once(": "))
            .filter(|(name, _)| !["host", "connection", "content-length"].contains(&name.to_lowercase().as_str()))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        let reply = request(sim, method, path, &headers, &raw[end..]);
        (reply.status, reply.header("content-type").unwrap_or("application/json").to_owned(), reply.body)
    };
    let head = format!(
        "HTTP/1.1 {status} OK\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes())?;
    stream.write_all(&body)
}
