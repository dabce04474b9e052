//! What comes in enters the store: a form with its files. The same way is used for whatever was kept elsewhere.

use std::path::Path;

use hmac::digest::Digest;
use serde_json::{Value, json};
use sha2::Sha256;

use super::{Call, EngineError, parts};
use crate::clock::{Clock, SystemClock};
use crate::codes::{Code, Coded};
use crate::ingest::form::{self, FormSubmission};
use crate::ingest::uploads::{self, Identity, Upload};
use crate::ingest::{IngestError, files};
use crate::mapping::{self, Mode};
use crate::queue::accept::{Accepted, NewSubmission, Taken};
use crate::queue::open::hex;
use crate::queue::state::State;
use crate::queue::{QueueError, Store};
use crate::settings::Settings;
use crate::submission::{FilePart, Form, Submission};
use crate::tracker::marker;
use crate::vault::file::{SealedReader, SealedWriter};

/// Divi sends the same form twice in odd cases: same values and same nonce within ten minutes is one.
const FORM_TWIN_MS: i64 = 10 * 60_000;

/// Accepts a form.
///
/// # Errors
/// Any: then nothing was stored, and the caller keeps the form itself.
pub fn accept(call: &Call, submission: &[u8]) -> Result<Value, EngineError> {
    let read = form::read(submission)?;
    if read.empty {
        return Ok(json!({ "id": read.submission.id, "state": "ignored", "duplicate": false, "relay": false }));
    }
    call.with_store(|store| {
        let Some(state) = wanted(&call.settings, &read.submission.form) else {
            return Ok(json!({ "id": read.submission.id, "state": "ignored", "duplicate": false, "relay": false }));
        };
        let accepted = enter_form(store, &call.settings, &read, state)?;
        Ok(answer(store, &accepted))
    })
}

/// The state in which a form's submissions enter; `None` for a form that is ignored. A mapping that cannot be
/// read does not keep anything out: the submission is stored, and its mapping is looked at when it is sent.
pub(super) fn wanted(settings: &Settings, form: &Form) -> Option<State> {
    match mapping::profile(settings, form).map(|profile| profile.mode) {
        Ok(Mode::Ignore) => None,
        Ok(Mode::Hold) => Some(State::Held),
        Ok(Mode::Send) | Err(_) => Some(State::Queued),
    }
}

/// Stores a submission. When a file of the store was replaced during the commit, the store is opened again and
/// looked into before anything is acknowledged; the caller's next try finds it or stores it.
pub(super) fn enter(
    store: &mut Store,
    submission: &Submission,
    parts: &[FilePart],
    state: State,
    replay: Option<[u8; 32]>,
    duplicate: Option<(Vec<[u8; 32]>, i64)>,
) -> Result<Accepted, QueueError> {
    let marker = new_marker()?;
    let now = SystemClock.now().wall;
    let result =
        store.accept(&NewSubmission { submission, files: parts, state, replay, duplicate, marker: &marker, now });
    forget_nobodys(store, submission, parts, &result);
    result
}

/// Stores a form with the uploads that it names.
pub(super) fn enter_form(
    store: &mut Store,
    settings: &Settings,
    read: &FormSubmission,
    state: State,
) -> Result<Accepted, EngineError> {
    let submission = &read.submission;
    let duplicate = Some((form_keys(store, read), FORM_TWIN_MS));
    let (parts, taken) = take_uploads(store, settings, read)?;
    let marker = new_marker()?;
    let now = SystemClock.now().wall;
    let new = NewSubmission { submission, files: &parts, state, replay: None, duplicate, marker: &marker, now };
    let result = store.accept_with_uploads(&new, &taken);
    forget_nobodys(store, submission, &parts, &result);
    if result.as_ref().is_ok_and(|accepted| !accepted.duplicate) {
        // Of what another submission has taken the bytes go at once.
        let uploads = parts.iter().filter(|part| taken.iter().any(|upload| upload.ordinal == part.ordinal));
        store.unlink_unnamed(&uploads.map(|part| part.stored.clone()).collect::<Vec<_>>());
    }
    Ok(result?)
}

/// A repetition leaves files behind that belong to nobody. After an error they stay: the commit may have gone
/// through, and what belongs to nobody is swept after a day.
fn forget_nobodys(store: &Store, submission: &Submission, parts: &[FilePart], result: &Result<Accepted, QueueError>) {
    let nobodys =
        |accepted: &Accepted| accepted.state == State::Erased || (accepted.duplicate && accepted.id != submission.id);
    if result.as_ref().is_ok_and(nobodys) {
        store.unlink(&parts.iter().map(|part| part.stored.clone()).collect::<Vec<_>>());
    }
}

/// Unguessable text by which a record can be found again in Tracker.
pub(super) fn new_marker() -> Result<String, QueueError> {
    let mut bytes = [0; marker::BYTES];
    getrandom::fill(&mut bytes).map_err(|_| QueueError::plain(Code::KeyRandom, "marker"))?;
    Ok(marker::of(bytes))
}

pub(super) fn answer(store: &Store, accepted: &Accepted) -> Value {
    json!({ "id": accepted.id, "state": accepted.state, "duplicate": accepted.duplicate, "relay": worth_a_run(store) })
}

/// Whether a run right after the answer makes sense: lane open, nothing failed lately, nobody at it.
pub(super) fn worth_a_run(store: &Store) -> bool {
    let open = store.pauses().is_ok_and(|pauses| pauses.is_empty());
    open && store.wait_ms(&SystemClock.now()).is_ok_and(|wait| wait == 0)
}

/// What recognises the same form when it comes again.
fn form_keys(store: &Store, read: &FormSubmission) -> Vec<[u8; 32]> {
    let values = serde_json::to_vec(&read.submission.fields).unwrap_or_default();
    let mut text = format!("{}\0{}\0", read.submission.form.key, read.token).into_bytes();
    text.extend(values);
    // A corrected file under the same name is another submission. What the plugin saw of it counts, because the file
    // itself may be gone when a kept form is taken over.
    for upload in &read.files {
        text.extend(format!("\0{}\0{}\0{}", upload.path, upload.size, upload.modified).into_bytes());
    }
    store.ring().hashes("form", &text)
}

/// Takes the files that an upload add-on laid down: seals them before the visitor's request ends, because
/// some add-ons delete them then. Of a kept form they lie in parts. With them comes by what each is known again.
fn take_uploads(
    store: &Store,
    settings: &Settings,
    read: &FormSubmission,
) -> Result<(Vec<FilePart>, Vec<Taken>), EngineError> {
    let mut parts: Vec<FilePart> = Vec::new();
    let mut taken = Vec::new();
    let mut total = 0;
    for (at, upload) in read.files.iter().enumerate() {
        let ordinal = u32::try_from(at + 1).unwrap_or(u32::MAX);
        let refused = |code: Code| FilePart {
            ordinal,
            field: upload.field.clone(),
            name: files::clean_name(&upload.name),
            mime: String::new(),
            size: 0,
            stored: String::new(),
            refused: code.number(),
        };
        if at >= files::MOST_FILES {
            parts.push(refused(Code::FileTooMany));
            continue;
        }
        match take_upload(store, settings, &read.submission.id, upload, ordinal, total) {
            Ok((part, upload)) => {
                total += part.size;
                parts.push(part);
                taken.extend(upload);
            }
            Err(error) if (1701..1800).contains(&error.code().number()) => parts.push(refused(error.code())),
            Err(error) => {
                // Half a form is none: what was sealed of it goes.
                store.unlink(&parts.iter().map(|part| part.stored.clone()).collect::<Vec<_>>());
                return Err(error.into());
            }
        }
    }
    Ok((parts, taken))
}

fn take_upload(
    store: &Store,
    settings: &Settings,
    id: &str,
    upload: &Upload,
    ordinal: u32,
    total: u64,
) -> Result<(FilePart, Option<Taken>), IngestError> {
    let mut sink = Sealing::new(store, id)?;
    sink.content = Some(Sha256::new());
    let identity = match &upload.kept {
        Some(kept) => {
            for (number, hash) in kept.numbered() {
                sink.write_within(&parts::take_up(store, id, number, hash)?, total)?;
            }
            upload.identity()
        }
        // The plugin leaves in place what is too large for its table.
        None if upload.size > files::MOST_BYTES => return Err(IngestError::plain(Code::FileTooLarge)),
        None => {
            let mut file = uploads::open(upload, SystemClock.now().wall)?;
            let identity = Identity::of(&file)?;
            sink.copy(&mut file, total)?;
            Some(identity)
        }
    };
    // Two files of one length may follow each other in one place within one second: then their bytes tell them apart.
    let content = sink.content.take().map_or_else(String::new, |content| hex(&content.finalize()));
    let keys = |identity| store.ring().hashes("upload", format!("{identity} {content}").as_bytes());
    let taken = identity.map(|identity| Taken { ordinal, keys: keys(identity) });
    Ok((sink.finish(settings, ordinal, &upload.field, &upload.name)?, taken))
}

/// A file on its way into the store: sealed in passing, judged afterwards.
pub(super) struct Sealing<'a> {
    store: &'a Store,
    id: String,
    folder: std::path::PathBuf,
    writer: Option<SealedWriter>,
    size: u64,
    /// The hash of what passes, where that is asked for.
    content: Option<Sha256>,
}

impl<'a> Sealing<'a> {
    /// Begins a file of a submission.
    pub fn new(store: &'a Store, id: &str) -> Result<Self, IngestError> {
        let folder = store.files_dir().ok_or_else(|| IngestError::plain(Code::StoreNone))?;
        let writer = SealedWriter::create(store.ring(), &folder, id).map_err(IngestError::vault)?;
        Ok(Self { store, id: id.to_owned(), folder, writer: Some(writer), size: 0, content: None })
    }

    /// Takes more bytes. Beyond the limit nothing is kept but the count.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), IngestError> {
        self.size += bytes.len() as u64;
        if self.size > files::MOST_BYTES {
            self.writer = None;
        }
        if let Some(content) = &mut self.content {
            content.update(bytes);
        }
        match &mut self.writer {
            Some(writer) => writer.write(bytes).map_err(IngestError::vault),
            None => Ok(()),
        }
    }

    fn copy(&mut self, source: &mut dyn std::io::Read, total: u64) -> Result<(), IngestError> {
        let mut buffer = vec![0; 64 * 1024];
        loop {
            let count = source.read(&mut buffer).map_err(|_| IngestError::plain(Code::FileUpload))?;
            if count == 0 {
                return Ok(());
            }
            self.write_within(buffer.get(..count).unwrap_or_default(), total)?;
        }
    }

    /// Takes more bytes, as long as they and what the other files hold stay within the limit of a submission.
    fn write_within(&mut self, bytes: &[u8], total: u64) -> Result<(), IngestError> {
        self.write(bytes)?;
        if total + self.size > files::MOST_TOTAL { Err(IngestError::plain(Code::FileTooLarge)) } else { Ok(()) }
    }

    /// Ends the file: synced, under its final name, judged by name and content.
    pub fn finish(
        mut self,
        settings: &Settings,
        ordinal: u32,
        field: &str,
        name: &str,
    ) -> Result<FilePart, IngestError> {
        let allowed = settings.text("file_types");
        let Some(writer) = self.writer.take() else {
            let part = FilePart {
                ordinal,
                field: field.to_owned(),
                name: files::clean_name(name),
                mime: String::new(),
                size: self.size,
                stored: String::new(),
                refused: Code::FileTooLarge.number(),
            };
            return Ok(part);
        };
        let stored = writer.finish().map_err(IngestError::vault)?;
        let path = self.folder.join(&stored.name);
        let judged = judge(self.store, &path, &self.id, name, &allowed)?;
        Ok(FilePart {
            ordinal,
            field: field.to_owned(),
            name: judged.name,
            mime: judged.mime,
            size: stored.size,
            stored: stored.name,
            refused: judged.refused.map_or(0, Code::number),
        })
    }
}

fn judge(store: &Store, path: &Path, id: &str, name: &str, allowed: &str) -> Result<files::Judged, IngestError> {
    let mut reader = SealedReader::open(store.ring(), path, id).map_err(IngestError::vault)?;
    Ok(files::judge(name, &mut reader, allowed))
}
