//! How much memory of Rust's a CV costs on its whole way: received in a webhook's body, as an add-on's upload or in parts of the
//! capture table, checked, sealed, stored, opened and
//! sent to Tracker. PHP's memory limit does not see this heap, so that it has a limit of its own: 2 MiB above the body that
//! PHP holds anyway. SQLite's memory is C's and not counted.

mod tracker;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use halt_tracker::clock::{Clock, SystemClock};
use halt_tracker::engine::{Call, adopt, deliver, manage, parts, show, take, webhook};
use halt_tracker::vault::Ring;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};

/// The counters are the process's: one test at a time.
static ALONE: std::sync::Mutex<()> = std::sync::Mutex::new(());
const MIB: usize = 1024 * 1024;
const SECRET: &str = "Zq8vX3kLr5Tn9Wb2Yh6Jc4Mg7Pd1Sf0Ae";

/// Counts what is held, and the most that was held at once, on threads that did not ask to be left out.
struct Counting;

static HELD: AtomicUsize = AtomicUsize::new(0);
static MOST: AtomicUsize = AtomicUsize::new(0);
thread_local! {
    pub static LEFT_OUT: Cell<bool> = const { Cell::new(false) };
}

fn counts() -> bool {
    LEFT_OUT.try_with(|out| !out.get()).unwrap_or(false)
}

// SAFETY: every call is passed on to the system's allocator unchanged; the counters beside it allocate nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if counts() {
            let held = HELD.fetch_add(layout.size(), Ordering::Relaxed) + layout.size();
            MOST.fetch_max(held, Ordering::Relaxed);
        }
        // SAFETY: the caller's promise about the layout is handed on.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        if counts() {
            HELD.fetch_sub(layout.size(), Ordering::Relaxed);
        }
        // SAFETY: the caller's promise about pointer and layout is handed on.
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static HEAP: Counting = Counting;

/// How far the heap rose above where it stood, in bytes.
fn rise<T>(work: impl FnOnce() -> T) -> (usize, T) {
    let before = HELD.load(Ordering::Relaxed);
    MOST.store(before, Ordering::Relaxed);
    let result = work();
    (MOST.load(Ordering::Relaxed).saturating_sub(before), result)
}

/// A site of its own: data folder and settings.
struct Place {
    root: tempfile::TempDir,
    settings: String,
    /// What the site remembers of its store.
    remembered: Cell<i64>,
    epoch: String,
}

impl Place {
    fn new(tracker: &str, api: &str) -> Self {
        let root = tempfile::tempdir().expect("a folder");
        let key = root.path().join("keys/key.php");
        let settings = json!({ "api": api, "api_url": tracker, "oauth_url": tracker, "activity_enabled": "1",
            "pace": "60000", "key_file": key.display().to_string() });
        let mut place = Self { root, settings: settings.to_string(), remembered: Cell::new(0), epoch: String::new() };
        let widget = [
            ("client_secret", "a client's secret of some length"),
            ("refresh_token", "a refresh token of some length"),
        ];
        let rest = [("shared_secret", SECRET), ("api_token", "a static token of some length")];
        for (name, value) in rest.into_iter().chain(widget.into_iter().filter(|_| api == "widget")) {
            let saved = manage::save_secret(&place.call(), name, value).expect("saved");
            place.epoch = saved["site"]["epoch"].as_str().unwrap_or(&place.epoch).to_owned();
        }
        place
    }

    fn dir(&self) -> String {
        self.root.path().join("store").display().to_string()
    }

    fn site(&self) -> String {
        json!({ "install_id": "0123456789abcdef0123456789abcdef", "home": "https://www.example.org",
            "epoch": self.epoch, "counter": self.remembered.get() })
        .to_string()
    }

    fn call(&self) -> Call {
        Call::read(self.dir().as_bytes(), self.site().as_bytes(), self.settings.as_bytes()).expect("a call")
    }

    /// A run, as the plugin does it: the site's counter goes up before the engine's.
    fn runs(&self) -> usize {
        let options = br#"{"caller":"cli","budget_ms":60000}"#;
        loop {
            let call = self.call();
            let (rise, report) = rise(|| deliver::run(&call, options).expect("ran"));
            if report["outcome"] != "raise" {
                assert_eq!((&report["outcome"], &report["left"]), (&json!("ran"), &json!(0)), "{report:#}");
                return rise;
            }
            self.remembered.set(report["counter"].as_i64().expect("a counter"));
        }
    }

    /// A request is received: the rise of the heap, and the id under which it is stored.
    fn receives(&self, body: &[u8]) -> (usize, String) {
        let stamp = (SystemClock.now().wall / 1_000).to_string();
        let mut mac = Hmac::<sha2::Sha256>::new_from_slice(SECRET.as_bytes()).expect("any length");
        mac.update(stamp.as_bytes());
        mac.update(b".");
        mac.update(body);
        let signature: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
        let request =
            json!({ "method": "POST", "content_type": "application/json", "content_length": body.len().to_string(),
            "timestamp": stamp, "signature": signature, "address": "192.0.2.7" })
            .to_string();
        let (dir, site) = (self.dir(), self.site());
        let (rise, answer) = rise(|| {
            webhook::ingest(dir.as_bytes(), site.as_bytes(), self.settings.as_bytes(), request.as_bytes(), body)
        });
        let answer: Value = serde_json::from_str(&answer).expect("an answer");
        assert_eq!(answer["status"], 202, "{answer}");
        assert_eq!(answer["body"]["files"], Value::Null, "{answer}");
        (rise, answer["id"].as_str().expect("an id").to_owned())
    }
}

/// A body with one file, as a sender writes it; PHP escapes each slash.
fn body(email: &str, name: &str, content: &[u8], like_php: bool) -> Vec<u8> {
    let mut text = BASE64.encode(content);
    if like_php {
        text = text.replace('/', "\\/");
    }
    format!(
        r#"{{"form_id":"careers","fields":{{"name":"Ada Lovelace","email":"{email}"}},"files":[{{"field":"cv","name":"{name}","content":"{text}","encoding":"base64"}}]}}"#
    )
    .into_bytes()
}

/// Ten MiB to the byte, of every byte that there is.
fn pdf() -> Vec<u8> {
    b"%PDF-1.7\n".iter().copied().chain((0..).map(|at: u64| (at * at % 251) as u8)).take(10 * MIB).collect()
}

/// A text document: the check for control characters reads all of it.
fn text() -> Vec<u8> {
    b"Curriculum vitae, line by line.\r\n".iter().copied().cycle().take(MIB).collect()
}

/// A document with as large a directory as is looked at.
fn docx() -> Vec<u8> {
    let mut bytes = vec![7; MIB];
    let begin = bytes.len() as u32;
    for at in 0..1_900 {
        let name = format!("word/{at:0>450}.xml");
        bytes.extend_from_slice(b"PK\x01\x02");
        bytes.extend_from_slice(&[0; 20]);
        bytes.extend_from_slice(&1_000_u32.to_le_bytes());
        bytes.extend_from_slice(&(name.len() as u16).to_le_bytes());
        bytes.extend_from_slice(&[0; 16]);
        bytes.extend_from_slice(name.as_bytes());
    }
    let length = bytes.len() as u32 - begin;
    bytes.extend_from_slice(b"PK\x05\x06\0\0\0\0");
    for number in [1_900_u16, 1_900] {
        bytes.extend_from_slice(&number.to_le_bytes());
    }
    bytes.extend_from_slice(&length.to_le_bytes());
    bytes.extend_from_slice(&begin.to_le_bytes());
    bytes.extend_from_slice(&[0, 0]);
    bytes
}

#[test]
fn a_cv_of_ten_mib_costs_less_than_two_mib_of_heap_from_receipt_to_tracker() {
    let _alone = ALONE.lock();
    let tracker = tracker::Tracker::start();
    let place = Place::new(&tracker.url, "rest");
    // Whatever is made once a process is made before anything is measured.
    place.receives(&body("warm@example.org", "cv.pdf", b"%PDF-1.7 warm", false));
    place.runs();
    assert_eq!(tracker.documents().len(), 1, "{:?}", tracker.documents());

    let kinds: [(&str, Vec<u8>, bool); 3] =
        [("cv.pdf", pdf(), true), ("cv.txt", text(), false), ("cv.docx", docx(), true)];
    for (at, (name, content, like_php)) in kinds.into_iter().enumerate() {
        let body = body(&format!("ada{at}@example.org"), name, &content, like_php);
        let (received, id) = place.receives(&body);
        let sent = place.runs();
        let call = place.call();
        let shown = show::get(&call, &id).expect("there");
        assert_eq!(shown["state"], "done", "{shown:#}");
        // It arrived whole.
        let arrived = tracker.documents();
        assert_eq!(arrived.last(), Some(&BASE64.encode(&content).len()), "{arrived:?}");
        println!(
            "campaign heap {name}: real engine: body {} KiB, file {} KiB; Rust's heap rose by {} KiB while it was received and stored, by {} KiB while it was sent",
            body.len() / 1024,
            content.len() / 1024,
            received / 1024,
            sent / 1024
        );
        assert!(received <= 2 * MIB, "{name}: {received} bytes while it was received");
        assert!(sent <= 2 * MIB, "{name}: {sent} bytes while it was sent");
        // The control: what holds a file at once is seen.
        let (held, bytes) = rise(|| show::file(&call, &id, 1).expect("opened"));
        assert!(bytes == content && held >= content.len(), "{held}");
    }
}

/// A form as the plugin hands it over, with one file.
fn form(id: &str, email: &str, file: &Value) -> Vec<u8> {
    json!({ "id": id, "received_at": SystemClock.now().wall, "fields": { "name": "Ada Lovelace", "email": email }, "files": [file] })
        .to_string()
        .into_bytes()
}

/// What was accepted is delivered, whole.
fn sent_whole(place: &Place, tracker: &tracker::Tracker, id: &str, content: &[u8], way: &str, taken: usize) {
    let sent = place.runs();
    let shown = show::get(&place.call(), id).expect("there");
    assert_eq!(shown["state"], "done", "{way}: {shown:#}");
    let arrived = tracker.documents();
    assert_eq!(arrived.last(), Some(&BASE64.encode(content).len()), "{way}: {arrived:?}");
    println!(
        "campaign heap {way}: real engine: file {} KiB; Rust's heap rose by {} KiB while it was taken in, by {} KiB while it was sent",
        content.len() / 1024,
        taken / 1024,
        sent / 1024
    );
    assert!(taken <= 2 * MIB, "{way}: {taken} bytes while it was taken in");
    assert!(sent <= 2 * MIB, "{way}: {sent} bytes while it was sent");
}

#[test]
fn through_the_widget_from_an_upload_and_from_the_capture_table_it_costs_no_more() {
    let _alone = ALONE.lock();
    let tracker = tracker::Tracker::start();
    for api in ["rest", "widget"] {
        let place = Place::new(&tracker.url, api);
        place.receives(&body("warm@example.org", "cv.pdf", b"%PDF-1.7 warm", false));
        place.runs();
        let content = pdf();

        let (taken, id) = place.receives(&body("ada@example.org", "cv.pdf", &content, true));
        sent_whole(&place, &tracker, &id, &content, &format!("{api}, webhook"), taken);

        // How a form comes in does not depend on the API.
        if api == "widget" {
            continue;
        }
        let uploads = place.root.path().join("uploads");
        std::fs::create_dir(&uploads).expect("made");
        std::fs::write(uploads.join("cv.pdf"), &content).expect("written");
        let path = uploads.join("cv.pdf").display().to_string();
        let id = "00000000-0000-4000-8000-000000000001";
        let file = json!({ "field": "cv", "path": path, "name": "cv.pdf", "dirs": [uploads.display().to_string()], "size": content.len(), "modified": SystemClock.now().wall / 1_000 });
        let text = form(id, "upload@example.org", &file);
        let (taken, answer) = rise(|| take::accept(&place.call(), &text).expect("accepted"));
        assert_eq!(answer["state"], "queued", "{answer}");
        sent_whole(&place, &tracker, id, &content, &format!("{api}, upload of an add-on"), taken);

        // As the plugin keeps it: 256 KiB a row, each sealed for itself, the form last.
        let id = "00000000-0000-4000-8000-000000000002";
        let ring = Ring::open(&place.root.path().join("keys/key.php")).expect("read").expect("a key");
        let public = crypto_box::PublicKey::from(ring.box_public());
        let seal = |plain: &[u8]| public.seal(&mut crypto_box::aead::OsRng, plain).expect("sealed");
        let hashes: Vec<String> = content.chunks(256 * 1024).map(parts::hash_of).collect();
        let file = json!({ "field": "cv", "path": "/gone/cv.pdf", "name": "cv.pdf", "dirs": [], "size": content.len(), "modified": 1, "kept": { "first": 1, "hashes": hashes } });
        let text = form(id, "kept@example.org", &file);
        let whole = (0, text.as_slice());
        let mut taken = 0;
        for (number, plain) in (1..).zip(content.chunks(256 * 1024)).chain([whole]) {
            let (sealed, row) = (
                seal(plain),
                json!({ "id": id, "part": number, "hash": parts::hash_of(plain), "key_id": ring.current() })
                    .to_string(),
            );
            let (rose, answer) = rise(|| adopt::adopt(&place.call(), row.as_bytes(), &sealed).expect("taken over"));
            assert_eq!(answer["complete"], number == 0, "{answer}");
            taken = taken.max(rose);
        }
        sent_whole(&place, &tracker, id, &content, &format!("{api}, kept in {} parts", hashes.len()), taken);
    }
}
