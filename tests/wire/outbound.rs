//! What leaves the machine, and through whom: the proxy that WordPress was told to use, the hosts that it may not reach, a
//! connection of its own for each request, and no step beyond what was asked for.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use halt_tracker::clock::SystemClock;
use halt_tracker::codes::Code;
use halt_tracker::settings::Settings;
use halt_tracker::tracker::http::{HttpTransport, Patience};
use halt_tracker::tracker::transport::{Body, Failure, Request, Response, Transport};
use serde_json::json;

use crate::fault::Fault;
use crate::site::{Places, Real};

fn transport(settings: &serde_json::Value) -> HttpTransport {
    let settings = Settings::parse(&settings.to_string()).expect("settings");
    HttpTransport::new(&settings, Patience::default(), Arc::new(SystemClock)).expect("a client")
}

fn get(http: &mut HttpTransport, url: &str) -> Result<Response, Failure> {
    http.send(Request { method: "GET", url: url.to_owned(), bearer: None, body: Body::Empty, deadline: None })
}

fn head_of(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    while !bytes.ends_with(b"\r\n\r\n") {
        let mut one = [0];
        if stream.read(&mut one).expect("read") == 0 {
            break;
        }
        bytes.push(one[0]);
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// A proxy that tunnels, or refuses with a status, and keeps the heads that it was asked with.
fn proxy(refuses: Option<&'static str>) -> (SocketAddr, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let (address, heads) = (listener.local_addr().expect("an address"), Arc::new(Mutex::new(Vec::new())));
    let kept = Arc::clone(&heads);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.expect("connected");
            let head = head_of(&mut stream);
            let target = head.split(' ').nth(1).unwrap_or_default().to_owned();
            kept.lock().expect("heads").push(head);
            if let Some(status) = refuses {
                write!(stream, "HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n").expect("answered");
                continue;
            }
            let Ok(mut far) = TcpStream::connect(target) else { continue };
            stream.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").expect("answered");
            let (mut from_far, mut to_near) = (far.try_clone().expect("twice"), stream.try_clone().expect("twice"));
            std::thread::spawn(move || std::io::copy(&mut from_far, &mut to_near));
            std::thread::spawn(move || std::io::copy(&mut stream, &mut far));
        }
    });
    (address, heads)
}

#[test]
fn the_proxy_of_wordpress_is_used_with_its_password_and_sees_nothing_of_the_request() {
    let places = Places::new();
    let real = Real::new(&places, &json!({}));
    let (address, heads) = proxy(None);
    let mut settings = json!({ "proxy": format!("http://halt:p%40ss@{address}"), "proxy_bypass": "*.example.org",
        "ca_file": places.certificates.ca_file });
    let url = format!("https://{}/api/v1/MetaData", real.front.address);
    assert_eq!(get(&mut transport(&settings), &url).map(|answer| answer.status), Ok(401));
    let seen = heads.lock().expect("heads").clone();
    assert_eq!(seen.len(), 1);
    // `halt:p@ss`, in base64; the request itself went under TLS to Tracker.
    assert!(seen[0].contains("aGFsdDpwQHNz") && !seen[0].contains("MetaData"), "{}", seen[0]);
    settings["proxy_bypass"] = json!("www.example.org, 127.0.0.*");
    assert_eq!(get(&mut transport(&settings), &url).map(|answer| answer.status), Ok(401));
    assert_eq!(heads.lock().expect("heads").len(), 1, "a host that bypasses the proxy went through it");
}

#[test]
fn a_proxy_that_refuses_or_is_away_proves_that_nothing_reached_tracker() {
    let places = Places::new();
    let real = Real::new(&places, &json!({}));
    let url = format!("https://{}/api/v1/MetaData", real.front.address);
    let (refusing, _) = proxy(Some("407 Proxy Authentication Required"));
    for address in [refusing.to_string(), "127.0.0.1:1".to_owned()] {
        let settings = json!({ "proxy": format!("http://{address}"), "ca_file": places.certificates.ca_file });
        let answer = get(&mut transport(&settings), &url);
        assert!(matches!(answer, Err(Failure::NotSent(Code::TrackerUnreachable, _))), "{address}: {answer:?}");
    }
    assert_eq!(real.front.requests.load(std::sync::atomic::Ordering::SeqCst), 0);
}

#[test]
fn every_request_has_a_connection_of_its_own_although_the_server_would_keep_it() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}/", listener.local_addr().expect("an address"));
    let server = std::thread::spawn(move || {
        // Each connection must come anew: the second accept would wait for ever on a kept one.
        let mut open = Vec::new();
        for _ in 0..3 {
            let (mut stream, _) = listener.accept().expect("connected");
            head_of(&mut stream);
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}").expect("answered");
            open.push(stream);
        }
        // Nor is one left open when nothing more is asked: an idle worker would hold it for hours.
        for mut stream in open {
            stream.set_read_timeout(Some(std::time::Duration::from_secs(20))).expect("set");
            assert_eq!(stream.read(&mut [0]).expect("closed by the other side"), 0);
        }
    });
    let mut http = transport(&json!({}));
    for _ in 0..3 {
        assert_eq!(get(&mut http, &url).map(|answer| answer.status), Ok(200));
    }
    server.join().expect("three connections, and all of them closed");
}

#[test]
fn certificates_that_are_not_right_are_named_as_a_trouble_of_tls() {
    let places = Places::new();
    let real = Real::new(&places, &json!({}));
    let url = format!("https://{}/api/v1/MetaData", real.front.address);
    let mut http = transport(&json!({ "ca_file": places.certificates.ca_file }));
    for fault in [Fault::Untrusted, Fault::WrongName, Fault::Expired] {
        *real.front.next.lock().expect("orders") = Some(fault);
        let answer = get(&mut http, &url);
        assert!(matches!(answer, Err(Failure::NotSent(Code::TrackerTls, _))), "{fault:?}: {answer:?}");
    }
    // Without the file, the machine's own authorities are asked, and know nothing of ours.
    let answer = get(&mut transport(&json!({})), &url);
    assert!(matches!(answer, Err(Failure::NotSent(Code::TrackerTls, _))), "{answer:?}");
    assert_eq!(real.front.requests.load(std::sync::atomic::Ordering::SeqCst), 0);
}

#[test]
fn an_answer_without_end_is_given_up_at_one_mebibyte() {
    let places = Places::new();
    let real = Real::new(&places, &json!({}));
    *real.front.next.lock().expect("orders") = Some(Fault::Endless);
    let mut http = transport(&json!({ "ca_file": places.certificates.ca_file }));
    let answer = get(&mut http, &format!("https://{}/api/v1/MetaData", real.front.address));
    assert_eq!(answer, Err(Failure::Lost("the answer is larger than 1 MiB".into())));
}
