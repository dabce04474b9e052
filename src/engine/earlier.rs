//! What the earlier plugin held comes over, once: what it had delivered as history, everything else held until a person
//! releases it, because nobody knows what that plugin sent and got no answer for.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::take::new_marker;
use super::webhook::Parts;
use super::{Call, EngineError, read_json};
use crate::clock::{Clock, SystemClock};
use crate::codes::{Code, Coded};
use crate::ingest::earlier::{self, Row};
use crate::queue::accept::NewSubmission;
use crate::queue::state::State;

/// Takes a row over under an id that is the row's own: the same row again is the same submission.
///
/// # Errors
/// `HT-1804` for a payload that cannot be read; the store's. Then the row stays where it is.
pub fn take_over(call: &Call, row: &[u8], payload: &[u8]) -> Result<Value, EngineError> {
    let row: Row = read_json(row, "row")?;
    call.with_store(|store| {
        let id = id_of(&call.site.install_id, &row, payload);
        if let Some(state) = store.state_of(&id)? {
            return Ok(json!({ "id": id, "complete": true, "duplicate": true, "state": state }));
        }
        let mut sink = Parts::new(store, &call.settings, &id);
        let read = earlier::parse(&row, &id, payload, &mut sink);
        let files = sink.kept;
        let unlink = |store: &crate::queue::Store| {
            store.unlink(&files.iter().map(|part| part.stored.clone()).collect::<Vec<_>>());
        };
        let submission = match read {
            Ok(submission) => submission,
            Err(error) => {
                unlink(store);
                return Err(match error.code() {
                    Code::WebhookJson | Code::WebhookSchema | Code::WebhookBase64 => {
                        EngineError::new(Code::EarlierUnreadable, error.to_string())
                    }
                    _ => error.into(),
                });
            }
        };
        let state = if row.is_delivered() { State::Done } else { State::Held };
        let marker = new_marker()?;
        let new = NewSubmission {
            submission: &submission,
            files: &files,
            state,
            replay: None,
            duplicate: None,
            marker: &marker,
            now: SystemClock.now().wall,
        };
        let accepted = store.take_over(&new)?;
        if accepted.state == State::Erased {
            unlink(store);
        }
        Ok(json!({ "id": accepted.id, "complete": true, "duplicate": accepted.duplicate, "state": accepted.state }))
    })
}

/// Made from the installation, the row's number and its content: a table that was emptied counts from 1 again.
fn id_of(install_id: &str, row: &Row, payload: &[u8]) -> String {
    let mut hash = Sha256::new();
    hash.update(format!("halt-tracker earlier\0{install_id}\0{}\0{}\0", row.earlier, row.received_at));
    hash.update(payload);
    let mut bytes = [0; 16];
    bytes.iter_mut().zip(hash.finalize()).for_each(|(to, from)| *to = from);
    uuid::Builder::from_custom_bytes(bytes).into_uuid().hyphenated().to_string()
}
