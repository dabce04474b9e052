//! A submission comes in, with its files: between two runs, or while one is in progress.

use std::path::Path;

use halt_tracker::clock::Random;
use halt_tracker::queue::accept::{Accepted, NewSubmission};
use halt_tracker::queue::state::State;
use halt_tracker::queue::{QueueError, Store};
use halt_tracker::submission::{FilePart, Form, Source, Submission};
use halt_tracker::vault::file::SealedWriter;
use serde_json::{Map, Value};

use crate::world::{Dice, World};

/// A CV, which nobody else has.
pub fn curriculum(id: &str) -> String {
    format!("%PDF-1.4 the life of {id}")
}

/// What a sender sends: one request, whose files lie sealed already.
pub struct Arrival {
    pub submission: Submission,
    pub files: Vec<FilePart>,
    pub marker: String,
    pub state: State,
    /// What its signature is known by when the very same request comes again.
    pub signature: Option<[u8; 32]>,
}

/// Where a submission comes in, and with how many files.
pub struct Door<'a> {
    pub store: &'a mut Store,
    pub files: &'a Path,
    pub dice: &'a mut Dice,
    /// The site's wall clock.
    pub now: i64,
    pub documents: u32,
}

impl Door<'_> {
    /// Takes it in, to be sent or to be held; its id.
    pub fn admit(&mut self, fields: &Value, state: State) -> String {
        let arrival = self.receive(fields, state);
        self.take(&arrival).expect("accepted").id
    }

    pub fn receive(&mut self, fields: &Value, state: State) -> Arrival {
        let mut id = [0; 16];
        self.dice.bytes(&mut id);
        let id = uuid::Builder::from_random_bytes(id).into_uuid().to_string();
        let mut marker = [0; 10];
        self.dice.bytes(&mut marker);
        let marker = halt_tracker::tracker::marker::of(marker);
        let submission = Submission {
            id: id.clone(),
            source: Source::Webhook,
            received_at: self.now,
            timestamp: "2026-03-01T12:00:00+00:00".into(),
            form: Form { id: "careers".into(), key: "careers".into(), ..Form::default() },
            fields: fields.as_object().cloned().unwrap_or_default(),
            labels: Map::new(),
            meta: Map::new(),
        };
        let files = (1..=self.documents).map(|ordinal| self.document(&id, ordinal)).collect();
        Arrival { submission, files, marker, state, signature: None }
    }

    pub fn take(&mut self, arrival: &Arrival) -> Result<Accepted, QueueError> {
        self.store.accept(&NewSubmission {
            submission: &arrival.submission,
            files: &arrival.files,
            state: arrival.state,
            replay: arrival.signature,
            duplicate: None,
            marker: &arrival.marker,
            now: arrival.submission.received_at,
        })
    }

    fn document(&self, id: &str, ordinal: u32) -> FilePart {
        std::fs::create_dir_all(self.files).expect("a folder");
        let mut writer = SealedWriter::create(self.store.ring(), self.files, id).expect("a file");
        writer.write(curriculum(id).as_bytes()).expect("written");
        let stored = writer.finish().expect("kept");
        FilePart {
            ordinal,
            field: "cv".into(),
            name: format!("cv-{ordinal}.pdf"),
            mime: "application/pdf".into(),
            size: stored.size,
            stored: stored.name,
            refused: 0,
        }
    }
}

impl World {
    pub fn submit(&mut self, fields: &Value) -> String {
        self.door().admit(fields, State::Queued)
    }

    pub fn door(&mut self) -> Door<'_> {
        let now = self.clock.wall();
        let (store, _, files) = self.store.both();
        Door { store, files, dice: &mut self.dice, now, documents: self.documents }
    }
}
