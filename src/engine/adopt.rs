//! A form that was kept in the site's own table comes into the store: once, under its id, whole or not at all.

use serde::Deserialize;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::take::{enter_form, wanted};
use super::{Call, EngineError, parts, read_json};
use crate::codes::Code;
use crate::ingest::form;
use crate::ingest::uploads::Kept;
use crate::queue::Store;
use crate::settings::Settings;

/// A row of the plugin's table, beside what is sealed in it.
#[derive(Deserialize)]
struct Row {
    id: String,
    hash: String,
    #[serde(default)]
    key_id: String,
    /// 0 is the form itself; its files, and its text where that is long, are numbered from 1.
    #[serde(default)]
    part: u32,
}

/// A form too long for one row names the parts that hold its text.
#[derive(Deserialize)]
struct Long {
    id: String,
    body: Kept,
}

/// Takes a row of the plugin's table, or one of the earlier plugin's, which names itself so. A part is laid down, the form itself, which comes last, is accepted with everything it names.
///
/// # Errors
/// `HT-1801` when it does not open, `HT-1802` when it is not what was kept or a part is missing; the store's.
pub fn adopt(call: &Call, row: &[u8], sealed: &[u8]) -> Result<Value, EngineError> {
    let about: Value = read_json(row, "row")?;
    if about.get("earlier").is_some() {
        return super::earlier::take_over(call, row, sealed);
    }
    let mut row: Row = read_json(row, "row")?;
    // The id becomes part of file names.
    let id = uuid::Uuid::try_parse(&row.id).map_err(|_| EngineError::new(Code::CaptureParts, "the id is no UUID"))?;
    row.id = id.hyphenated().to_string();
    call.with_store(|store| {
        if let Some(state) = store.state_of(&row.id)? {
            parts::clear(store, &row.id);
            return Ok(json!({ "id": row.id, "complete": true, "duplicate": true, "state": state }));
        }
        let plain: Zeroizing<Vec<u8>> = store
            .ring()
            .open_box(&row.key_id, sealed)
            .map_err(|error| EngineError::new(Code::CaptureUnreadable, error.to_string()))?;
        if row.part > 0 {
            if row.part > parts::MOST_PARTS {
                return Err(EngineError::new(Code::CaptureParts, "the part's number"));
            }
            parts::lay_down(store, &row.id, row.part, &plain)?;
            return Ok(json!({ "id": row.id, "complete": false }));
        }
        if parts::hash_of(&plain) != row.hash {
            return Err(EngineError::new(Code::CaptureParts, "the hash differs"));
        }
        let text = whole_text(store, &row.id, plain)?;
        let answer = whole_form(store, &call.settings, &row.id, &text)?;
        parts::clear(store, &row.id);
        Ok(answer)
    })
}

/// The text of a form, which may lie in parts of its own.
fn whole_text(store: &Store, id: &str, plain: Zeroizing<Vec<u8>>) -> Result<Zeroizing<Vec<u8>>, EngineError> {
    let Ok(long) = serde_json::from_slice::<Long>(&plain) else { return Ok(plain) };
    if long.id != id {
        return Err(EngineError::new(Code::CaptureParts, "the id differs"));
    }
    let mut text = Zeroizing::new(Vec::new());
    for (number, hash) in long.body.numbered() {
        text.extend_from_slice(&parts::take_up(store, id, number, hash)?);
    }
    Ok(text)
}

fn whole_form(store: &mut Store, settings: &Settings, id: &str, text: &[u8]) -> Result<Value, EngineError> {
    let read = form::read(text)?;
    if read.submission.id != id {
        return Err(EngineError::new(Code::CaptureParts, "the id differs"));
    }
    let state = wanted(settings, &read.submission.form);
    let (Some(state), false) = (state, read.empty) else {
        return Ok(json!({ "id": id, "complete": true, "duplicate": false, "state": "ignored" }));
    };
    let accepted = enter_form(store, settings, &read, state)?;
    Ok(json!({ "id": accepted.id, "complete": true, "duplicate": accepted.duplicate, "state": accepted.state }))
}
