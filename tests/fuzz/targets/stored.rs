//! Stored records. The first byte says what the rest is put into, sealed rightly as somebody would who has the key: a
//! payload, a plan, a file's description, a message, a form of the capture table; or edits to sealed bytes, which nobody has the key for: those never
//! open to anything but what was sealed.

use std::cell::RefCell;
use std::io::Read;

use halt_tracker::engine::EngineError;
use halt_tracker::ingest::form;
use halt_tracker::mapping::{apply, profile};
use halt_tracker::queue::accept::NewSubmission;
use halt_tracker::queue::state::State;
use halt_tracker::queue::view::Query;
use halt_tracker::queue::{Site, Store};
use halt_tracker::relay::plan::{Plan, Tenant, make};
use halt_tracker::settings::{Api, Settings};
use halt_tracker::submission::{FilePart, Form, Source, Submission};
use halt_tracker::vault::file::{SealedReader, SealedWriter};
use halt_tracker::vault::{Aad, Ring};
use serde_json::{Map, json};

const ID: &str = "00000000-0000-4000-8000-000000000001";
const PLAIN: &[u8] = b"Ada Lovelace, ada@example.org";
const PLACE: Aad<'static> = Aad { row: ID, column: "payload" };

struct World {
    store: Store,
    sealed: Vec<u8>,
    file: Vec<u8>,
    folder: tempfile::TempDir,
}

thread_local! {
    static WORLD: RefCell<World> = RefCell::new(World::new());
}

pub fn read(bytes: &[u8]) -> bool {
    let Some((kind, rest)) = bytes.split_first() else { return false };
    WORLD.with_borrow(|world| match kind {
        b'p' => world.column("UPDATE submission SET payload = ?1", "payload", rest),
        b'l' => world.column("UPDATE submission SET plan = ?1", "plan", rest),
        b'f' => world.column("UPDATE file SET about = ?1", "file", rest),
        b'm' => world.column("UPDATE submission SET message = ?1", "message", rest),
        b'j' => world.column("UPDATE journal SET detail = ?1", "journal", rest),
        b'k' => world.key_file(rest),
        b'c' => world.chunks(rest),
        b'a' => is_kept_form(rest),
        _ => world.value(rest),
    })
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let ring = Ring::create(&folder.path().join("key.php")).expect("a ring");
        let site = Site { install_id: "0123456789abcdef0123456789abcdef".into(), ..Site::default() };
        let sealed = ring.seal(&PLACE, PLAIN).expect("sealed");
        let mut writer = SealedWriter::create(&ring, folder.path(), ID).expect("begun");
        writer.write(&PLAIN.repeat(3_000)).expect("written");
        let file = folder.path().join(writer.finish().expect("finished").name);
        let file = std::fs::read(file).expect("read");
        let conn = rusqlite::Connection::open_in_memory().expect("memory");
        let mut store = Store::in_memory(conn, ring, &site).expect("a store");
        let part = FilePart {
            ordinal: 1,
            field: "cv".into(),
            name: "cv.pdf".into(),
            mime: "application/pdf".into(),
            size: 1,
            stored: "x.sealed".into(),
            refused: 0,
        };
        let new = NewSubmission {
            submission: &submission(),
            files: &[part],
            state: State::Queued,
            replay: None,
            duplicate: None,
            marker: "ht-marker",
            now: submission().received_at,
        };
        store.accept(&new).expect("accepted");
        Self { store, sealed, file, folder }
    }

    /// Anything in a sealed column is shown, planned and counted without a fault.
    fn column(&self, sql: &str, column: &str, plain: &[u8]) -> bool {
        let sealed = self.store.seal(ID, column, plain).expect("sealed");
        let transaction = self.store.connection().unchecked_transaction().expect("begun");
        transaction.execute(sql, [sealed]).expect("written");
        let mut taken = self.store.list(&Query::default()).is_ok_and(|(_, items)| items.len() == 1);
        taken &= self.store.detail(ID).is_ok_and(|(_, _, one)| one.is_some());
        taken &= self.store.journal(1, ID).is_ok() && self.store.step_views(1, ID).is_ok();
        match self.store.job(1) {
            Ok(job) => {
                let settings = Settings::parse("{}").expect("settings");
                let tenant = Tenant { hash: String::new(), generation: 0 };
                taken &= make(&settings, &job, self.store.ring(), &tenant).is_ok();
                let _ = serde_json::from_slice::<Plan>(&job.plan);
            }
            // What cannot be read says so under a code of its own.
            Err(error) => assert!((1301..=1399).contains(&EngineError::from(error).code.number())),
        }
        transaction.rollback().expect("as it was");
        taken
    }

    /// Edits to a sealed value: pairs of place and byte.
    fn value(&self, edits: &[u8]) -> bool {
        let changed = edited(&self.sealed, edits);
        let opened = self.store.ring().unseal(&PLACE, &changed);
        assert_eq!(opened.is_ok(), changed == self.sealed, "changed bytes opened");
        for place in [Aad { row: "another", ..PLACE }, Aad { column: "plan", ..PLACE }] {
            assert!(self.store.ring().unseal(&place, &changed).is_err(), "it opened elsewhere");
        }
        opened.is_ok()
    }

    /// Edits to a sealed file; it may open in part, but never to other bytes, nor to its end when it was cut.
    fn chunks(&self, edits: &[u8]) -> bool {
        let changed = edited(&self.file, edits);
        let path = self.folder.path().join("changed");
        std::fs::write(&path, &changed).expect("written");
        let Ok(mut reader) = SealedReader::open(self.store.ring(), &path, ID) else { return false };
        let mut plain = Vec::new();
        let whole = reader.read_to_end(&mut plain).is_ok();
        assert!(PLAIN.repeat(3_000).starts_with(&plain), "other bytes came out");
        assert_eq!(whole, changed == self.file, "a changed file was read to its end");
        whole
    }

    fn key_file(&self, text: &[u8]) -> bool {
        let path = self.folder.path().join("other.php");
        std::fs::write(&path, text).expect("written");
        let opened = Ring::open(&path);
        assert!(std::fs::read(&path).is_ok_and(|left| left == text), "a key file was written over");
        let _ = std::fs::remove_file(&path);
        opened.is_ok_and(|ring| ring.is_some_and(|ring| ring.seal(&PLACE, PLAIN).is_ok()))
    }
}

/// A form as it lies in the site's own table while the engine is away.
fn is_kept_form(plain: &[u8]) -> bool {
    let Ok(read) = form::read(plain) else { return false };
    let settings = Settings::parse(r#"{"record_type":"Lead"}"#).expect("settings");
    let profile = profile(&settings, &read.submission.form).expect("a profile");
    for api in [Api::Widget, Api::Rest] {
        let _ = apply(&profile, api, &read.submission);
    }
    true
}

/// The first byte may cut the end off; then triples follow: two bytes of place, one that is xored in.
fn edited(bytes: &[u8], edits: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let Some((cut, edits)) = edits.split_first() else { return bytes };
    if *cut > 127 {
        bytes.truncate(bytes.len() * usize::from(*cut - 127) / 130);
    }
    for edit in edits.chunks_exact(3) {
        let at = (usize::from(edit[0]) << 8 | usize::from(edit[1])) % bytes.len().max(1);
        if let Some(byte) = bytes.get_mut(at) {
            *byte ^= edit[2];
        }
    }
    bytes
}

fn submission() -> Submission {
    Submission {
        id: ID.into(),
        source: Source::Webhook,
        received_at: 1_772_366_400_000,
        timestamp: String::new(),
        form: Form { id: "careers".into(), key: "careers".into(), ..Form::default() },
        fields: json!({ "name": "Ada Lovelace", "email": "ada@example.org" }).as_object().cloned().unwrap_or_default(),
        labels: Map::new(),
        meta: Map::new(),
    }
}
