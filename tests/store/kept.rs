//! A form that was kept without the engine, with files in parts: it comes in whole and once, or it stays where it is.

use std::io::Read;
use std::path::Path;

use halt_tracker::codes::Code;
use halt_tracker::engine::{Call, EngineError, adopt, show, take};
use halt_tracker::vault::file::SealedReader;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::Place;

const ID: &str = "11111111-1111-4111-8111-111111111111";
const SITE_ID: &str = "0123456789abcdef0123456789abcdef";

fn hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A site whose plugin has kept something, as the plugin writes it.
struct Kept {
    place: Place,
    public: crypto_box::PublicKey,
    key_id: String,
}

impl Kept {
    fn new() -> Self {
        let mut place = Place::new();
        let store = place.opened();
        let public = crypto_box::PublicKey::from(store.ring().box_public());
        let key_id = store.ring().current().to_owned();
        Self { place, public, key_id }
    }

    fn call(&self) -> Call {
        let site = json!({ "install_id": SITE_ID, "home": self.place.site.home, "epoch": self.place.site.epoch });
        let settings = json!({ "key_file": self.place.key_file().display().to_string() });
        let dir = self.place.dir().display().to_string();
        Call::read(dir.as_bytes(), site.to_string().as_bytes(), settings.to_string().as_bytes()).expect("a call")
    }

    fn seal(&self, plain: &[u8]) -> Vec<u8> {
        self.public.seal(&mut crypto_box::aead::OsRng, plain).expect("sealed")
    }

    fn adopt(&self, part: u32, plain: &[u8]) -> Result<Value, EngineError> {
        self.adopt_sealed(part, &hash(plain), &self.seal(plain))
    }

    fn adopt_sealed(&self, part: u32, hash: &str, sealed: &[u8]) -> Result<Value, EngineError> {
        let row = json!({ "id": ID, "part": part, "hash": hash, "key_id": self.key_id });
        adopt::adopt(&self.call(), row.to_string().as_bytes(), sealed)
    }

    fn files(&self) -> Vec<String> {
        let listed = std::fs::read_dir(self.place.dir().join("files")).expect("the folder of files");
        listed.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect()
    }

    fn held(&self) -> Option<Value> {
        show::get(&self.call(), ID).ok()
    }

    /// The bytes of the one file of the submission, opened from the store.
    fn stored(&self) -> Vec<u8> {
        let name = self.files().into_iter().find(|name| name.ends_with(".sealed")).expect("a sealed file");
        let store = self.place.open().expect("the store");
        let path = self.place.dir().join("files").join(name);
        let mut bytes = Vec::new();
        let mut reader = SealedReader::open(store.ring(), Path::new(&path), ID).expect("it opens");
        reader.read_to_end(&mut bytes).expect("it reads");
        bytes
    }
}

/// A CV of three parts, the last one short.
fn cv() -> [Vec<u8>; 3] {
    let fill = |seed: u32| (0..256 * 1024_u32).map(|at| (at.wrapping_mul(seed) >> 7) as u8).collect::<Vec<u8>>();
    let mut first = fill(2_654_435_761);
    first[..9].copy_from_slice(b"%PDF-1.4\n");
    [first, fill(40_503), b"the end of it\n%%EOF\n".to_vec()]
}

fn form(parts: &[Vec<u8>]) -> Vec<u8> {
    let hashes: Vec<String> = parts.iter().map(|part| hash(part)).collect();
    let size: usize = parts.iter().map(Vec::len).sum();
    json!({
        "id": ID, "received_at": 1_700_000_000_000_i64, "fields": { "name": "Ada", "email": "ada@example.org", "cv": "cv.pdf" },
        "files": [{ "field": "cv", "path": "/nowhere/cv.pdf", "name": "cv.pdf", "dirs": ["/nowhere"], "size": size,
            "modified": 1_700_000_000, "kept": { "first": 1, "hashes": hashes } }],
    })
    .to_string()
    .into_bytes()
}

#[test]
fn a_kept_form_comes_in_with_its_file_byte_for_byte() {
    let (kept, cv) = (Kept::new(), cv());
    for (part, number) in cv.iter().zip(1..) {
        assert_eq!(kept.adopt(number, part).expect("laid down")["complete"], false);
        assert!(kept.held().is_none(), "parts are no submission");
    }
    let answer = kept.adopt(0, &form(&cv)).expect("adopted");
    assert_eq!(
        (&answer["complete"], &answer["duplicate"], &answer["state"]),
        (&json!(true), &json!(false), &json!("queued"))
    );
    assert!(kept.stored() == cv.concat(), "the file has other bytes");
    assert_eq!(kept.files().len(), 1, "the parts are gone: {:?}", kept.files());
    let held = kept.held().expect("it");
    assert_eq!(held["file_list"][0]["name"], "cv.pdf");
}

#[test]
fn parts_may_come_in_any_order_and_twice_but_the_form_waits_for_all_of_them() {
    let (kept, cv) = (Kept::new(), cv());
    for number in [3, 1, 3] {
        kept.adopt(number, &cv[number as usize - 1]).expect("laid down");
        let early = kept.adopt(0, &form(&cv)).expect_err("a part is missing");
        assert_eq!(early.code, Code::CaptureParts);
        assert!(kept.held().is_none(), "half a form came in");
        assert!(kept.files().iter().all(|name| !name.ends_with(".sealed")), "{:?}", kept.files());
    }
    kept.adopt(2, &cv[1]).expect("laid down");
    kept.adopt(0, &form(&cv)).expect("adopted");
    assert!(kept.stored() == cv.concat());
}

#[test]
fn a_form_is_adopted_once_however_often_its_rows_come() {
    let (kept, cv) = (Kept::new(), cv());
    for round in 0..2 {
        for (part, number) in cv.iter().zip(1..) {
            let answer = kept.adopt(number, part).expect("laid down, or known");
            assert_eq!(answer["complete"], round == 1);
        }
        assert_eq!(kept.adopt(0, &form(&cv)).expect("adopted, or known")["duplicate"], round == 1);
    }
    assert_eq!(kept.files().len(), 1, "{:?}", kept.files());
    let all = show::list(&kept.call(), b"{}").expect("a list");
    assert_eq!(all["total"], 1);
}

#[test]
fn a_part_that_was_changed_or_exchanged_keeps_the_whole_form_out() {
    let (kept, cv) = (Kept::new(), cv());
    let mut sealed = kept.seal(&cv[0]);
    let last = sealed.len() - 1;
    sealed[last] ^= 1;
    let changed = kept.adopt_sealed(1, &hash(&cv[0]), &sealed).expect_err("it does not open");
    assert_eq!(changed.code, Code::CaptureUnreadable);
    // Two parts in each other's place, each sealed soundly.
    for (number, part) in [(1, &cv[1]), (2, &cv[0]), (3, &cv[2])] {
        kept.adopt(number, part).expect("laid down");
    }
    assert_eq!(kept.adopt(0, &form(&cv)).expect_err("exchanged").code, Code::CaptureParts);
    assert!(kept.held().is_none());
    // Laid down again as they should be, nothing of it is lost.
    for (part, number) in cv.iter().zip(1..) {
        kept.adopt(number, part).expect("laid down");
    }
    kept.adopt(0, &form(&cv)).expect("adopted");
    assert!(kept.stored() == cv.concat());
}

#[test]
fn a_part_laid_down_in_the_store_is_sealed_and_bound_to_its_place() {
    let (kept, cv) = (Kept::new(), cv());
    kept.adopt(3, &cv[2]).expect("laid down");
    let name = kept.files().remove(0);
    let folder = kept.place.dir().join("files");
    let bytes = std::fs::read(folder.join(&name)).expect("bytes");
    assert!(!bytes.windows(10).any(|part| part == b"the end of"), "a CV lies in the clear");
    std::fs::rename(folder.join(&name), folder.join(name.replace("-3", "-1"))).expect("moved");
    let one = form(&[cv[2].clone()]);
    assert_eq!(kept.adopt(0, &one).expect_err("it was part 3").code, Code::CaptureParts);
}

#[test]
fn a_text_too_long_for_one_row_comes_in_from_its_parts() {
    let kept = Kept::new();
    let message = "ä".repeat(400_000);
    let text = json!({ "id": ID, "received_at": 1, "fields": { "message": message } }).to_string().into_bytes();
    let pieces: Vec<&[u8]> = text.chunks(256 * 1024).collect();
    for (piece, number) in pieces.iter().zip(1..) {
        kept.adopt(number, piece).expect("laid down");
    }
    let hashes: Vec<String> = pieces.iter().map(|piece| hash(piece)).collect();
    let last = json!({ "id": ID, "body": { "first": 1, "hashes": hashes } }).to_string();
    kept.adopt(0, last.as_bytes()).expect("adopted");
    assert_eq!(kept.held().expect("it")["fields"]["message"], message.as_str());
}

#[test]
fn what_was_too_large_for_the_table_is_named_and_the_form_comes_in() {
    let kept = Kept::new();
    let file = json!({ "field": "cv", "path": "/nowhere/huge.pdf", "name": "huge.pdf", "dirs": ["/nowhere"], "size": 11 * 1024 * 1024 });
    let text = json!({ "id": ID, "received_at": 1, "fields": { "name": "Ada" }, "files": [file] }).to_string();
    kept.adopt(0, text.as_bytes()).expect("adopted");
    let held = kept.held().expect("it");
    assert_eq!(held["file_list"][0]["refused"], Code::FileTooLarge.to_string(), "{held}");
}

#[test]
fn a_twin_is_one_submission_whether_it_was_accepted_or_kept() {
    let kept = Kept::new();
    let uploads = tempfile::tempdir().expect("a folder");
    let path = uploads.path().join("cv.pdf");
    let bytes = b"%PDF-1.4\n%%EOF\n".to_vec();
    std::fs::write(&path, &bytes).expect("written");
    let form = |id: &str, at: i64, kept: Value| {
        let file = json!({ "field": "cv", "path": path, "name": "cv.pdf", "dirs": [uploads.path()], "size": bytes.len(), "modified": 1_700_000_000, "kept": kept });
        json!({ "id": id, "received_at": at, "token": "0123456789", "fields": { "email": "ada@example.org", "cv": "cv.pdf" }, "files": [file] }).to_string()
    };
    let start = crate::now().wall;
    let accept =
        |id: &str, at: i64| take::accept(&kept.call(), form(id, at, Value::Null).as_bytes()).expect("accepted");
    let first = accept("22222222-2222-4222-8222-222222222222", start);
    assert_eq!(first["duplicate"], false);
    // The second click met a busy store: it was kept, and the add-on has deleted its file since.
    std::fs::remove_file(&path).expect("removed");
    kept.adopt(1, &bytes).expect("laid down");
    let twin = form(ID, start + 1_000, json!({ "first": 1, "hashes": [hash(&bytes)] }));
    let answer = kept.adopt(0, twin.as_bytes()).expect("adopted");
    assert_eq!((&answer["duplicate"], &answer["id"]), (&json!(true), &first["id"]));
    assert_eq!(kept.files().len(), 1, "the twin's file stayed: {:?}", kept.files());
    // Ten minutes later the same values are another submission.
    let later = accept("33333333-3333-4333-8333-333333333333", start + 10 * 60_000 + 1);
    assert_eq!(later["duplicate"], false);
    assert_eq!(accept("44444444-4444-4444-8444-444444444444", start + 10 * 60_000 + 2)["duplicate"], true);
}

#[test]
fn ids_and_numbers_from_the_table_never_become_paths() {
    let kept = Kept::new();
    let sealed = kept.seal(b"x");
    for (id, part) in [("../../etc/x", 1), ("", 1), (ID, 100_000)] {
        let row = json!({ "id": id, "part": part, "hash": hash(b"x"), "key_id": kept.key_id }).to_string();
        let error = adopt::adopt(&kept.call(), row.as_bytes(), &sealed).expect_err("refused");
        assert_eq!(error.code, Code::CaptureParts);
    }
    assert!(kept.files().is_empty(), "{:?}", kept.files());
}
