//! The store on real files, through its public face: whose it is, what it keeps, what leaves it, and under which keys.

mod addresses;
mod by_hand;
#[path = "../tracker_sim/model/mod.rs"]
mod tracker;

mod disk;
mod erasures;
mod history;
mod holder;
mod kept;
mod keys;
mod leaps;
mod model;
mod owner;
mod privacy;
mod rotation;
mod search;
mod swept;
mod unfit;
mod unopened;
mod uploads;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use halt_tracker::clock::{Clock, Moment, SystemClock};
use halt_tracker::codes::{Code, Coded};
use halt_tracker::engine::Call;
use halt_tracker::queue::accept::{Accepted, NewSubmission};
use halt_tracker::queue::state::State;
use halt_tracker::queue::{QueueError, Site, Store};
use halt_tracker::submission::{FilePart, Form, Source, Submission};
use halt_tracker::vault::file::SealedWriter;
use serde_json::{Map, Value, json};

/// A folder with a store in it.
pub struct Place {
    pub root: tempfile::TempDir,
    pub site: Site,
}

impl Place {
    #[expect(clippy::new_without_default, reason = "a place is made, never assumed")]
    pub fn new() -> Self {
        let site = Site {
            install_id: "0123456789abcdef0123456789abcdef".into(),
            home: "https://www.example.org/jobs/".into(),
            ..Site::default()
        };
        Self { root: tempfile::tempdir().expect("a folder"), site }
    }
    /// On a disk in memory, where there is one: for thousands of stores.
    pub fn in_memory() -> Self {
        let shm = std::path::Path::new("/dev/shm");
        let root = if shm.is_dir() { tempfile::tempdir_in(shm) } else { tempfile::tempdir() };
        Self { root: root.expect("a folder"), ..Self::new() }
    }
    pub fn dir(&self) -> PathBuf {
        self.root.path().join("store")
    }
    pub fn key_file(&self) -> PathBuf {
        self.root.path().join("keys/key.php")
    }
    pub fn open(&self) -> Result<Store, QueueError> {
        Store::open(&self.dir(), &self.key_file(), &self.site)
    }
    /// A call as the plugin makes it.
    pub fn call(&self) -> Call {
        let settings = json!({ "key_file": self.key_file().display().to_string() }).to_string();
        let site = serde_json::to_vec(&self.site).expect("encoded");
        Call::read(self.dir().display().to_string().as_bytes(), &site, settings.as_bytes()).expect("a call")
    }
    /// The site remembers its store, as WordPress does after the first answer.
    pub fn opened(&mut self) -> Store {
        let store = self.open().expect("a store");
        self.site.epoch = store.meta("epoch").expect("read");
        store
    }
}

pub fn now() -> Moment {
    SystemClock.now()
}

pub fn submission(id: u32, fields: &Value) -> Submission {
    Submission {
        id: format!("00000000-0000-4000-8000-{id:012}"),
        source: Source::Webhook,
        received_at: now().wall,
        timestamp: String::new(),
        form: Form { id: "careers".into(), key: "careers".into(), ..Form::default() },
        fields: fields.as_object().cloned().unwrap_or_default(),
        labels: Map::new(),
        meta: Map::new(),
    }
}

pub fn ada(id: u32) -> Submission {
    submission(id, &json!({ "name": "Ada Lovelace", "email": "ada@example.org", "message": "canary-message" }))
}

pub fn accept(store: &mut Store, one: &Submission) -> Accepted {
    try_accept(store, one, None, None).expect("accepted")
}

pub fn try_accept(
    store: &mut Store,
    one: &Submission,
    replay: Option<[u8; 32]>,
    duplicate: Option<(Vec<[u8; 32]>, i64)>,
) -> Result<Accepted, QueueError> {
    store.accept(&NewSubmission {
        submission: one,
        files: &[],
        state: State::Queued,
        replay,
        duplicate,
        marker: "ht-marker",
        now: now().wall.max(one.received_at),
    })
}

/// A file of a submission, sealed into the store's folder.
pub fn sealed_file(store: &Store, id: &str, name: &str, content: &[u8]) -> FilePart {
    let folder = store.files_dir().expect("a folder");
    let mut writer = SealedWriter::create(store.ring(), &folder, id).expect("begun");
    writer.write(content).expect("written");
    let stored = writer.finish().expect("finished");
    FilePart {
        ordinal: 1,
        field: "cv".into(),
        name: name.into(),
        mime: "application/pdf".into(),
        size: stored.size,
        stored: stored.name,
        refused: 0,
    }
}

pub fn accept_with(store: &mut Store, one: &Submission, files: &[FilePart]) -> Accepted {
    let new = NewSubmission {
        submission: one,
        files,
        state: State::Queued,
        replay: None,
        duplicate: None,
        marker: "ht-marker",
        now: now().wall.max(one.received_at),
    };
    store.accept(&new).expect("accepted")
}

/// Whether this is over within the time, once in three tries: a busy machine may stand still for a moment, but not each time.
pub fn is_over_within(limit: Duration, mut deed: impl FnMut()) -> bool {
    (0..3).any(|_| {
        let begin = Instant::now();
        deed();
        begin.elapsed() < limit
    })
}

pub fn code<T>(result: Result<T, QueueError>) -> Option<Code> {
    result.err().map(|error| error.code())
}
