//! The server in front of the model of Tracker: TLS on a real port, one connection after the other, and a fault where one
//! was ordered. Connections are handled in turn, so that whatever Tracker does late is done before the next request.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustls::{ServerConnection, StreamOwned};

use crate::certificates::Certificates;
use crate::fault::Fault;
use crate::model::{self, Tracker};
use crate::site::Leap;

type Tls = StreamOwned<ServerConnection, TcpStream>;

const PAGE: &str = "<html><body><h1>Please sign in to the guest network</h1></body></html>";

/// One Tracker behind one port.
pub struct Front {
    pub address: SocketAddr,
    pub tracker: Arc<Mutex<Tracker>>,
    /// The fault of the next connection.
    pub next: Arc<Mutex<Option<Fault>>>,
    pub requests: Arc<AtomicU64>,
    ends: Arc<AtomicBool>,
    thread: Option<std::thread::JoinHandle<()>>,
}

struct Desk {
    certificates: Arc<Certificates>,
    tracker: Arc<Mutex<Tracker>>,
    requests: Arc<AtomicU64>,
    clock: Arc<Leap>,
    elsewhere: SocketAddr,
}

impl Front {
    /// Begins to listen. `elsewhere` is where redirects point to.
    pub fn start(certificates: Arc<Certificates>, clock: Arc<Leap>, elsewhere: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let (tracker, next) = (Arc::new(Mutex::new(Tracker::new())), Arc::new(Mutex::new(None)));
        let (requests, ends) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
        let desk =
            Desk { certificates, tracker: Arc::clone(&tracker), requests: Arc::clone(&requests), clock, elsewhere };
        let (orders, over) = (Arc::clone(&next), Arc::clone(&ends));
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if over.load(Ordering::SeqCst) {
                    break;
                }
                let fault = orders.lock().expect("orders").take();
                // What breaks here is what was ordered, or a caller that left.
                let _ = stream.and_then(|stream| desk.serve(stream, fault));
            }
        });
        Self { address, tracker, next, requests, ends, thread: Some(thread) }
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        self.ends.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Desk {
    fn serve(&self, stream: TcpStream, fault: Option<Fault>) -> std::io::Result<()> {
        // Longer than any sender waits: nobody hangs when a test is wrong.
        stream.set_read_timeout(Some(Duration::from_secs(60)))?;
        stream.set_write_timeout(Some(Duration::from_secs(20)))?;
        stream.set_nodelay(true)?;
        if fault == Some(Fault::ResetAtAccept) {
            return reset(&stream);
        }
        let config = match fault {
            Some(Fault::Untrusted) => &self.certificates.untrusted,
            Some(Fault::WrongName) => &self.certificates.wrong_name,
            Some(Fault::Expired) => &self.certificates.expired,
            _ => &self.certificates.right,
        };
        let session = ServerConnection::new(Arc::clone(config)).map_err(std::io::Error::other)?;
        let mut tls = StreamOwned::new(session, stream);
        while tls.conn.is_handshaking() {
            tls.conn.complete_io(&mut tls.sock)?;
        }
        if fault == Some(Fault::ResetBefore) {
            return reset(&tls.sock);
        }
        if fault == Some(Fault::ResetWithin) {
            tls.read_exact(&mut [0; 40])?;
            return reset(&tls.sock);
        }
        let request = read_request(&mut tls)?;
        self.requests.fetch_add(1, Ordering::SeqCst);
        self.answer(&mut tls, &request, fault)
    }

    fn answer(&self, tls: &mut Tls, request: &model::Request, fault: Option<Fault>) -> std::io::Result<()> {
        if fault == Some(Fault::LateApply) {
            until_left(tls)?;
        }
        let applied = fault.is_none_or(Fault::applies).then(|| {
            use halt_tracker::clock::Clock;
            self.tracker.lock().expect("the model").handle(request, self.clock.now().wall)
        });
        let (status, headers, body) = applied.map_or_else(
            || (200, Vec::new(), PAGE.as_bytes().to_vec()),
            |answer| (answer.status, answer.headers, answer.body),
        );
        let mut head = format!("HTTP/1.1 {status} Simulated\r\nconnection: close\r\n");
        for (name, value) in headers.iter().filter(|(name, _)| name != "content-length") {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        let whole =
            |length: usize, body: &[u8]| [format!("{head}content-length: {length}\r\n\r\n").as_bytes(), body].concat();
        let (long, half) = (body.len(), body.len() / 2);
        let page = |status: &str| {
            let length = PAGE.len();
            format!("HTTP/1.1 {status}\r\ncontent-type: text/html\r\ncontent-length: {length}\r\n\r\n{PAGE}")
                .into_bytes()
        };
        let bytes = match fault {
            None => whole(long, &body),
            // Nobody is there any more.
            Some(Fault::LateApply) => return Ok(()),
            Some(Fault::ResetAfter | Fault::ResetAfterApply) => return reset(&tls.sock),
            Some(Fault::NoAnswer | Fault::NoAnswerAfterApply) => return until_left(tls),
            Some(Fault::CutInHead) => head.into_bytes()[..20].to_vec(),
            Some(Fault::CutInBody) => whole(long.max(2), body.get(..half).unwrap_or_default()),
            Some(Fault::Garbage) => b"\x15\x03\x00 this is no HTTP \r\n\r\n".to_vec(),
            Some(Fault::Page | Fault::PageAfterApply) => page("200 OK"),
            Some(Fault::TooShort) => whole(long + 7, &body),
            Some(Fault::TooLong) => whole(half.max(1), &body),
            Some(Fault::Error500AfterApply) => page("500 Internal Server Error"),
            Some(Fault::Error503Before) => page("503 Service Unavailable"),
            Some(Fault::Redirect) => {
                let to = format!("http://{}/stolen", self.elsewhere);
                format!("HTTP/1.1 307 Temporary Redirect\r\nlocation: {to}\r\ncontent-length: 0\r\n\r\n").into_bytes()
            }
            Some(Fault::Drip) => return drip(tls, &whole(long, &body)),
            Some(Fault::Endless) => return endless(tls, &head),
            Some(other) => unreachable!("{other:?} happens before an answer"),
        };
        tls.write_all(&bytes)?;
        tls.conn.send_close_notify();
        tls.flush()
    }
}

/// Closes so that the other side sees a reset.
fn reset(stream: &TcpStream) -> std::io::Result<()> {
    socket2::SockRef::from(stream).set_linger(Some(Duration::ZERO))
}

/// Waits until the sender has left.
fn until_left(tls: &mut Tls) -> std::io::Result<()> {
    loop {
        match tls.read(&mut [0; 64]) {
            Ok(0) => return Ok(()),
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            // A sender that leaves without a word of TLS has left all the same.
            Err(_) => return Ok(()),
        }
    }
}

fn drip(tls: &mut Tls, bytes: &[u8]) -> std::io::Result<()> {
    for byte in bytes {
        tls.write_all(&[*byte])?;
        tls.flush()?;
        std::thread::sleep(Duration::from_millis(40));
    }
    Ok(())
}

fn endless(tls: &mut Tls, head: &str) -> std::io::Result<()> {
    tls.write_all(format!("{head}transfer-encoding: chunked\r\n\r\n").as_bytes())?;
    let piece = [b" ".repeat(16 * 1024), b"\r\n".to_vec()].concat();
    // Far beyond what any reader takes; an error says that it has left.
    for _ in 0..1024 {
        tls.write_all(b"4000\r\n")?;
        tls.write_all(&piece)?;
    }
    Ok(())
}

fn read_request(tls: &mut Tls) -> std::io::Result<model::Request> {
    let mut bytes = Vec::new();
    let mut buffer = [0; 16 * 1024];
    let mut wanted = None;
    loop {
        if let Some(end) = wanted.filter(|end| bytes.len() >= *end) {
            bytes.truncate(end);
            break;
        }
        let count = tls.read(&mut buffer)?;
        if count == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        bytes.extend_from_slice(&buffer[..count]);
        if wanted.is_none() {
            wanted = bytes.windows(4).position(|four| four == b"\r\n\r\n").map(|at| at + 4 + length(&bytes[..at]));
        }
    }
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").expect("a head");
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let mut lines = head.split("\r\n");
    let first: Vec<&str> = lines.next().unwrap_or_default().split(' ').collect();
    let (path, query) = first[1].split_once('?').unwrap_or((first[1], ""));
    Ok(model::Request {
        method: first[0].to_owned(),
        path: path.to_owned(),
        query: query.to_owned(),
        headers: lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.to_lowercase(), value.trim().to_owned()))
            .collect(),
        body: bytes[end + 4..].to_vec(),
    })
}

fn length(head: &[u8]) -> usize {
    let head = String::from_utf8_lossy(head).to_lowercase();
    assert!(!head.contains("transfer-encoding"), "the length of every request is known before");
    let line = head.split("\r\n").find_map(|line| line.strip_prefix("content-length:")).unwrap_or("0");
    line.trim().parse().expect("a length")
}
