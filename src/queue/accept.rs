//! A submission enters the store: once, under the id that its caller made, in one transaction (A2).

use rusqlite::{OptionalExtension, params};
use serde_json::Value;

use super::addresses::Addresses;
use super::open::Tx;
use super::state::State;
use super::{QueueError, Store};
use crate::codes::Code;
use crate::submission::{FilePart, Source, Submission};

/// What enters, with the keys that recognise it when it comes again.
#[derive(Debug)]
pub struct NewSubmission<'a> {
    /// The submission.
    pub submission: &'a Submission,
    /// Its files, already sealed and synced to disk (A1).
    pub files: &'a [FilePart],
    /// `queued`, or `held` for a form that is reviewed first.
    pub state: State,
    /// A webhook's MAC: the same signed request again is answered the same, for 15 minutes.
    pub replay: Option<[u8; 32]>,
    /// Hash of the content under each key, the one that is kept first, and for how many milliseconds the same content is the same submission.
    pub duplicate: Option<(Vec<[u8; 32]>, i64)>,
    /// Unguessable text by which its record can be found again in Tracker.
    pub marker: &'a str,
    /// When it comes into the store, milliseconds since 1970: later than its receipt where it lay elsewhere until now.
    pub now: i64,
}

/// A file that an upload add-on laid down for everybody to name: it goes to the first submission that takes it.
#[derive(Debug)]
pub struct Taken {
    /// Its place among the files of the submission.
    pub ordinal: u32,
    /// Keyed hash of what it is known by, under each key, the one that is kept first.
    pub keys: Vec<[u8; 32]>,
}

/// Under which id it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    /// The id; of the first one, when this was a repetition.
    pub id: String,
    /// Its state now.
    pub state: State,
    /// Whether it was there already.
    pub duplicate: bool,
}

/// How long the same signed webhook request gets the same answer.
pub const REPLAY_MS: i64 = 15 * 60 * 1000;

/// How long it is remembered who took an upload. Nobody may name one that is older than a day; a form that named it in time
/// and was kept elsewhere may come in some days later.
const TAKEN_MS: i64 = 7 * 24 * 3_600_000;

impl Store {
    /// Stores a submission durably. After `Ok` it exists until it is erased.
    ///
    /// # Errors
    /// Any of the store's: then nothing was stored, save `HT-1113` (see [`Store::write`]).
    pub fn accept(&mut self, new: &NewSubmission<'_>) -> Result<Accepted, QueueError> {
        self.write(|tx| tx.accept(new, &[]))
    }

    /// The same for a form that names uploads: of one that another submission has taken only the name is kept (`HT-1707`).
    ///
    /// # Errors
    /// As [`Store::accept`].
    pub fn accept_with_uploads(&mut self, new: &NewSubmission<'_>, taken: &[Taken]) -> Result<Accepted, QueueError> {
        self.write(|tx| tx.accept(new, taken))
    }

    /// Stores what the earlier plugin held: `done` is history and never sent, `held` is looked for in Tracker before
    /// its first send, because that plugin may have sent it without hearing of it.
    ///
    /// # Errors
    /// As [`Store::accept`].
    pub fn take_over(&mut self, new: &NewSubmission<'_>) -> Result<Accepted, QueueError> {
        self.write(|tx| {
            let accepted = tx.accept(new, &[])?;
            if !accepted.duplicate && accepted.state == new.state {
                let ended = (new.state == State::Done).then_some(new.now);
                tx.sql
                    .prepare_cached("UPDATE submission SET ended_at = ?2, verify = ?3 WHERE id = ?1")?
                    .execute(params![new.submission.id, ended, ended.is_none()])?;
            }
            Ok(accepted)
        })
    }

    /// Whether a submission of this id exists, and its state.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn state_of(&self, id: &str) -> Result<Option<State>, QueueError> {
        self.read().state_of(id)
    }
}

impl Tx<'_> {
    fn accept(&self, new: &NewSubmission<'_>, taken: &[Taken]) -> Result<Accepted, QueueError> {
        let id = new.submission.id.as_str();
        if let Some(state) = self.state_of(id)? {
            return Ok(Accepted { id: id.to_owned(), state, duplicate: true });
        }
        let now = new.submission.received_at;
        if let Some(mac) = &new.replay
            && let Some(known) = self.replayed(&replay_key(mac), now)?
        {
            return Ok(known);
        }
        for key in new.duplicate.iter().flat_map(|(keys, _)| keys) {
            if let Some(known) = self.known(key, now)? {
                return Ok(known);
            }
        }
        let addresses = Addresses::of(new.submission);
        self.insert(new, &addresses, taken)?;
        if let Some(mac) = &new.replay {
            self.remember(&replay_key(mac), id, now + REPLAY_MS)?;
        }
        if let Some((keys, window)) = &new.duplicate
            && let Some(key) = keys.first()
        {
            self.remember(key, id, now + window)?;
        }
        // Its sender was erased after it was received: it lay elsewhere at that time. An erasure that was noted by a clock that ran
        // ahead says nothing of what comes in before that time has come.
        if self.erased_between(addresses.senders(), now, new.now)? {
            let seq = self.sql.query_row("SELECT seq FROM submission WHERE id = ?1", [id], |row| row.get(0))?;
            self.erase_now(seq, id, new.submission.received_at)?;
            return Ok(Accepted { id: id.to_owned(), state: State::Erased, duplicate: false });
        }
        Ok(Accepted { id: id.to_owned(), state: new.state, duplicate: false })
    }

    pub(super) fn state_of(&self, id: &str) -> Result<Option<State>, QueueError> {
        let name: Option<String> = self
            .sql
            .prepare_cached("SELECT state FROM submission WHERE id = ?1")?
            .query_row([id], |row| row.get(0))
            .optional()?;
        Ok(name.and_then(|name| State::from_name(&name)))
    }

    /// The submission that a signed request made. Whoever recorded it can send it again for as long as its timestamp is
    /// young: it never makes a second one, also when the first was discarded or erased meanwhile.
    fn replayed(&self, key: &[u8], now: i64) -> Result<Option<Accepted>, QueueError> {
        let id: Option<String> = self
            .sql
            .prepare_cached("SELECT id FROM once WHERE key = ?1 AND until > ?2")?
            .query_row(params![key, now], |row| row.get(0))
            .optional()?;
        let Some(id) = id else { return Ok(None) };
        let Some(state) = self.state_of(&id)? else { return Ok(None) };
        if state == State::Failed {
            self.queue_again(&id, now)?;
            return Ok(Some(Accepted { id, state: State::Queued, duplicate: true }));
        }
        Ok(Some(Accepted { id, state, duplicate: true }))
    }

    /// Forgets by which content a submission is recognised; the same content is a new one from now on.
    pub(super) fn forget_content(&self, id: &str) -> Result<(), QueueError> {
        self.sql.prepare_cached("DELETE FROM once WHERE id = ?1 AND length(key) = 32")?.execute([id])?;
        Ok(())
    }

    /// The submission that a key recognises. A failed one is queued again; a discarded or erased one is
    /// forgotten, so that the repetition is new.
    fn known(&self, key: &[u8; 32], now: i64) -> Result<Option<Accepted>, QueueError> {
        let found: Option<(String, String)> = self
            .sql
            .prepare_cached("SELECT once.id, submission.state FROM once JOIN submission ON submission.id = once.id WHERE key = ?1 AND until > ?2")?
            .query_row(params![key, now], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        let Some((id, name)) = found else { return Ok(None) };
        match State::from_name(&name) {
            None | Some(State::Discarded | State::Erased) => {
                self.sql.prepare_cached("DELETE FROM once WHERE key = ?1")?.execute(params![key])?;
                Ok(None)
            }
            Some(State::Failed) => {
                self.queue_again(&id, now)?;
                Ok(Some(Accepted { id, state: State::Queued, duplicate: true }))
            }
            Some(state) => Ok(Some(Accepted { id, state, duplicate: true })),
        }
    }

    fn remember(&self, key: &[u8], id: &str, until: i64) -> Result<(), QueueError> {
        self.sql
            .prepare_cached("INSERT OR REPLACE INTO once (key, id, until) VALUES (?1, ?2, ?3)")?
            .execute(params![key, id, until])?;
        Ok(())
    }

    fn insert(&self, new: &NewSubmission<'_>, addresses: &Addresses, taken: &[Taken]) -> Result<(), QueueError> {
        let one = new.submission;
        let json = serde_json::to_vec(one).map_err(|error| QueueError::plain(Code::EngineFault, error.to_string()))?;
        let payload = self.seal(&one.id, "payload", &json)?;
        self.sql
            .prepare_cached(
                "INSERT INTO submission (id, source, form_key, form_id, received_at, updated_at, state, marker, files, payload)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?5, ?6, ?7, ?8, ?9)",
            )?
            .execute(params![one.id, one.source.name(), one.form.key, one.form.id, one.received_at, new.state.name(), new.marker, i64::try_from(new.files.len()).unwrap_or(i64::MAX), payload])?;
        let seq = self.sql.last_insert_rowid();
        for file in new.files {
            let file = &self.own_or_refused(one, file, taken)?;
            let about = serde_json::to_vec(file).unwrap_or_default();
            let about = self.seal(&one.id, "file", &about)?;
            self.sql
                .prepare_cached("INSERT INTO file (seq, ordinal, about, stored) VALUES (?1, ?2, ?3, ?4)")?
                .execute(params![seq, file.ordinal, about, file.stored])?;
        }
        self.index(seq, self.email_keys(addresses))?;
        self.index(seq, self.name_keys(one))?;
        // A row of the earlier plugin knows a form by its id alone: what is known of the form today stays.
        if one.source != Source::Legacy {
            self.saw_form(one)?;
        }
        self.note(seq, one.received_at, "", "", "accepted", 0, &one.id, "")
    }

    /// A file, or its name alone when it is an upload that another submission has taken.
    fn own_or_refused(&self, one: &Submission, file: &FilePart, taken: &[Taken]) -> Result<FilePart, QueueError> {
        let Some(upload) = taken.iter().find(|upload| upload.ordinal == file.ordinal) else { return Ok(file.clone()) };
        let mut statement = self.sql.prepare_cached("SELECT 1 FROM once WHERE key = ?1 AND id <> ?2 AND until > ?3")?;
        for key in &upload.keys {
            if statement.exists(params![upload_key(key), one.id, one.received_at])? {
                return Ok(file.refused_for(Code::FileUpload.number()));
            }
        }
        if let Some(key) = upload.keys.first() {
            self.remember(&upload_key(key), &one.id, one.received_at + TAKEN_MS)?;
        }
        Ok(file.clone())
    }

    fn saw_form(&self, one: &Submission) -> Result<(), QueueError> {
        let aliases = serde_json::to_string(&one.form.aliases).unwrap_or_default();
        self.sql
            .prepare_cached(
                "INSERT INTO form (key, id, title, aliases, last_seen, count) VALUES (?1, ?2, ?3, ?4, ?5, 1)
                 ON CONFLICT (key) DO UPDATE SET id = excluded.id, title = excluded.title, aliases = excluded.aliases,
                 last_seen = excluded.last_seen, count = count + 1",
            )?
            .execute(params![one.form.key, one.form.id, one.form.title, aliases, one.received_at])?;
        Ok(())
    }

    /// Keyed hashes of each word of the names, for exact search.
    fn name_keys(&self, one: &Submission) -> Vec<[u8; 32]> {
        let mut keys = Vec::new();
        for (field, value) in &one.fields {
            let Value::String(text) = value else { continue };
            if is_email(text) {
                continue;
            }
            if field.to_lowercase().contains("name") && text.len() <= 200 {
                keys.extend(normal(text).split_whitespace().map(|word| self.ring.hash("word", word.as_bytes())));
            }
        }
        keys
    }

    /// Writes a line into the journal of a submission.
    #[expect(clippy::too_many_arguments, reason = "one column each")]
    pub(super) fn note(
        &self,
        seq: i64,
        at: i64,
        run_id: &str,
        step: &str,
        event: &str,
        code: u16,
        id: &str,
        words: &str,
    ) -> Result<(), QueueError> {
        let detail = self.seal_words(id, "journal", words)?;
        self.sql
            .prepare_cached(
                "INSERT INTO journal (seq, at, run_id, step, event, code, detail) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            )?
            .execute(params![seq, at, run_id, step, event, code, detail])?;
        Ok(())
    }
}

/// A replay key is told from the hash of a content by its length.
fn replay_key(mac: &[u8; 32]) -> Vec<u8> {
    [b"r", mac.as_slice()].concat()
}

/// The same of who took an upload: an erasure does not free it for others.
fn upload_key(key: &[u8; 32]) -> Vec<u8> {
    [b"u", key.as_slice()].concat()
}

/// Whether a value looks like an e-mail address.
fn is_email(text: &str) -> bool {
    text.contains('@') && !text.trim().contains(char::is_whitespace)
}

/// Text as it is compared: trimmed, NFC, lower case, nothing else.
pub fn normal(text: &str) -> String {
    use unicode_normalization::UnicodeNormalization;
    text.trim().nfc().collect::<String>().to_lowercase()
}
