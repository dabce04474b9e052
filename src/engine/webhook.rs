//! The webhook: from the raw request to the answer that the sender gets. It never fails: what goes wrong is an
//! answer too, and the sender repeats what was not acknowledged.

use serde_json::{Map, Value, json};
use zeroize::Zeroizing;

use super::manage::constant;
use super::take::{Sealing, enter, wanted, worth_a_run};
use super::{Call, EngineError, read_json};
use crate::clock::{Clock, SystemClock};
use crate::codes::Code;
use crate::ingest::body::{self, Body, FileSink};
use crate::ingest::signature::{self, Envelope, Verified};
use crate::ingest::{IngestError, files};
use crate::queue::Store;
use crate::settings::Settings;
use crate::submission::{FilePart, Form, Source, Submission};

/// How long the same body is the same submission: a sender that retries signs anew.
const DUPLICATE_MS: i64 = 72 * 3_600_000;
/// After how many seconds a sender may repeat what could not be taken.
const RETRY_AFTER_S: u32 = 120;

/// An answer to the sender.
struct Answer {
    status: u16,
    body: Value,
    id: Option<String>,
    relay: bool,
    remember: Option<Value>,
    /// One line for the site's log, where the administrator's tools look for refused requests.
    log: Option<String>,
}

/// Answers a request: `{"status","headers","body","id","relay","log","site"}`.
pub fn ingest(dir: &[u8], site: &[u8], settings: &[u8], request: &[u8], body: &[u8]) -> String {
    let answer = Call::read(dir, site, settings)
        .and_then(|call| {
            let envelope: Envelope = read_json(request, "request")?;
            answer(&call, &envelope, body)
        })
        .unwrap_or_else(|error| unavailable(&error));
    let retry = if answer.status == 503 { json!({ "Retry-After": RETRY_AFTER_S.to_string() }) } else { json!({}) };
    let mut whole = json!({ "status": answer.status, "headers": retry, "body": answer.body, "id": answer.id, "relay": answer.relay, "log": answer.log });
    if let (Some(site), Some(object)) = (answer.remember, whole.as_object_mut()) {
        object.insert("site".into(), site);
    }
    whole.to_string()
}

fn answer(call: &Call, envelope: &Envelope, body: &[u8]) -> Result<Answer, EngineError> {
    let most = usize::try_from(call.settings.number("body_limit_mib")).unwrap_or(36) * 1024 * 1024;
    let now = SystemClock.now().wall;
    let mut made = None;
    call.with_store(|store| {
        let result = taken(store, call, envelope, body, most, now);
        made = Some(match result {
            Ok(answer) => answer,
            Err(error) => {
                // The list of refused requests is a convenience: when it cannot be written, the answer stays.
                let _ = store.refused(&envelope.address, error.code, now);
                refusal(&error, &envelope.address)
            }
        });
        Ok(json!({}))
    })
    .map(|told| (told.get("site").cloned(), made))
    .and_then(|(remember, made)| {
        let mut answer = made.ok_or_else(|| EngineError::new(Code::EngineFault, "no answer"))?;
        answer.remember = remember;
        Ok(answer)
    })
}

fn taken(
    store: &mut Store,
    call: &Call,
    envelope: &Envelope,
    bytes: &[u8],
    most: usize,
    now: i64,
) -> Result<Answer, EngineError> {
    signature::check_envelope(envelope, bytes.len(), most).map_err(|code| EngineError::new(code, ""))?;
    let secrets = secrets(store, &call.settings)?;
    if secrets.is_empty() {
        return Err(EngineError::new(Code::WebhookNoSecret, ""));
    }
    let verified =
        signature::verify(envelope, bytes, &secrets, now / 1_000).map_err(|code| EngineError::new(code, ""))?;
    if verified.slot > 0 {
        // When the secret was last used is shown, never needed: a busy store does not turn a sender away.
        let _ = store.secret_was_used("shared_secret", verified.slot, now);
    }
    let id = uuid::Uuid::now_v7().hyphenated().to_string();
    let mut sink = Parts::new(store, &call.settings, &id);
    let read = body::parse(bytes, &mut sink);
    let parts = std::mem::take(&mut sink.kept);
    match read {
        Ok(body) => store_body(store, call, &id, body, bytes, &parts, &verified, now),
        Err(error) => {
            unlink(store, &parts);
            Err(error.into())
        }
    }
}

#[expect(clippy::too_many_arguments, reason = "everything that a submission is made of")]
fn store_body(
    store: &mut Store,
    call: &Call,
    id: &str,
    body: Body,
    bytes: &[u8],
    parts: &[FilePart],
    verified: &Verified,
    now: i64,
) -> Result<Answer, EngineError> {
    let form = Form { id: body.form_id.clone(), key: body.form_id, ..Form::default() };
    let Some(state) = wanted(&call.settings, &form) else {
        unlink(store, parts);
        return Ok(accepted(json!({ "queued": false, "queue_id": null, "ignored": true }), None, false));
    };
    let submission = Submission {
        id: id.to_owned(),
        source: Source::Webhook,
        received_at: now,
        timestamp: timestamp(&call.settings, now),
        form,
        fields: body.fields,
        labels: Map::new(),
        meta: body.meta,
    };
    let duplicate = store.ring().hashes("webhook", bytes);
    let stored = enter(store, &submission, parts, state, Some(verified.mac), Some((duplicate, DUPLICATE_MS)))?;
    let mut answer = json!({ "queued": true, "queue_id": stored.id });
    let refused: Vec<Value> = parts.iter().filter_map(refused_file).collect();
    if let (false, Some(object)) = (refused.is_empty(), answer.as_object_mut()) {
        object.insert("files".into(), Value::Array(refused));
    }
    Ok(accepted(answer, Some(stored.id), worth_a_run(store)))
}

/// Receipt for people: the plugin says what the site's clock shows beside UTC.
fn timestamp(settings: &Settings, now: i64) -> String {
    let minutes = settings.surrounding("utc_offset").and_then(Value::as_i64).unwrap_or(0);
    let local = crate::tracker::time::iso(now + minutes * 60_000);
    let sign = if minutes < 0 { '-' } else { '+' };
    format!("{}{sign}{:02}:{:02}", local.trim_end_matches('Z'), minutes.abs() / 60, minutes.abs() % 60)
}

fn refused_file(part: &FilePart) -> Option<Value> {
    let code = Code::from_number(part.refused)?;
    Some(json!({ "field": part.field, "name": part.name, "error": code.to_string(), "message": code.entry().what }))
}

fn accepted(body: Value, id: Option<String>, relay: bool) -> Answer {
    Answer { status: 202, body, id, relay, remember: None, log: None }
}

/// What a refused sender learns: after authentication the reason, before it one and the same for everything.
fn refusal(error: &EngineError, address: &str) -> Answer {
    let (status, shown) = match error.code {
        Code::WebhookTimestampMissing
        | Code::WebhookTimestampForm
        | Code::WebhookTimestampOld
        | Code::WebhookSignatureMissing
        | Code::WebhookSignatureForm
        | Code::WebhookSignatureWrong => (401, Code::WebhookRefused),
        Code::WebhookMethod => (405, error.code),
        Code::WebhookContentType => (415, error.code),
        Code::WebhookTooLarge => (413, error.code),
        Code::WebhookJson | Code::WebhookSchema | Code::WebhookBase64 => (400, error.code),
        Code::WebhookNoSecret => (503, error.code),
        _ => return unavailable(error),
    };
    let message = match error.code {
        Code::WebhookJson | Code::WebhookSchema | Code::WebhookBase64 => {
            format!("{} {}", shown.entry().what, sentence(&error.words))
        }
        _ => shown.entry().what.to_owned(),
    };
    let address: String =
        address.chars().filter(|letter| letter.is_ascii_hexdigit() || matches!(letter, '.' | ':')).take(45).collect();
    let log = format!("halt-tracker: webhook refused {} from {address}", error.code);
    Answer { status, body: problem(status, shown, &message), id: None, relay: false, remember: None, log: Some(log) }
}

fn unavailable(error: &EngineError) -> Answer {
    let log = format!("halt-tracker: webhook not available {}", error.code);
    let body = problem(503, Code::WebhookUnavailable, Code::WebhookUnavailable.entry().what);
    Answer { status: 503, body, id: None, relay: false, remember: None, log: Some(log) }
}

/// WordPress' REST shape of an error.
fn problem(status: u16, code: Code, message: &str) -> Value {
    json!({ "code": format!("halt_tracker_{status}"), "message": message, "data": { "status": status, "error": code.to_string() } })
}

fn sentence(words: &str) -> String {
    format!("({words}).")
}

fn secrets(store: &Store, settings: &Settings) -> Result<Vec<(i64, Zeroizing<String>)>, EngineError> {
    if let Some(constant) = constant(settings, "shared_secret") {
        return Ok(vec![(0, Zeroizing::new(constant.to_owned()))]);
    }
    Ok(store.secrets("shared_secret")?)
}

fn unlink(store: &Store, parts: &[FilePart]) {
    let names: Vec<String> = parts.iter().map(|part| part.stored.clone()).collect();
    store.unlink(&names);
}

/// The files of a body on their way into the store.
pub(super) struct Parts<'a> {
    store: &'a Store,
    settings: &'a Settings,
    id: &'a str,
    open: Option<Sealing<'a>>,
    /// What was taken so far.
    pub kept: Vec<FilePart>,
    total: u64,
}

impl<'a> Parts<'a> {
    /// Begins with none.
    pub const fn new(store: &'a Store, settings: &'a Settings, id: &'a str) -> Self {
        Self { store, settings, id, open: None, kept: Vec::new(), total: 0 }
    }

    /// Files beyond the limits are named, not kept.
    fn is_full(&self) -> Option<Code> {
        if self.kept.len() >= files::MOST_FILES {
            Some(Code::FileTooMany)
        } else if self.total > files::MOST_TOTAL {
            Some(Code::FileTooLarge)
        } else {
            None
        }
    }
}

impl FileSink for Parts<'_> {
    fn begin(&mut self) -> Result<(), IngestError> {
        self.open = match self.is_full() {
            Some(_) => None,
            None => Some(Sealing::new(self.store, self.id)?),
        };
        Ok(())
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), IngestError> {
        self.total += bytes.len() as u64;
        match &mut self.open {
            Some(open) => open.write(bytes),
            None => Ok(()),
        }
    }

    fn end(&mut self, field: &str, name: &str) -> Result<(), IngestError> {
        let ordinal = u32::try_from(self.kept.len() + 1).unwrap_or(u32::MAX);
        let part = match self.open.take() {
            Some(open) if self.total <= files::MOST_TOTAL => open.finish(self.settings, ordinal, field, name)?,
            _ => FilePart {
                ordinal,
                field: field.to_owned(),
                name: files::clean_name(name),
                mime: String::new(),
                size: 0,
                stored: String::new(),
                refused: self.is_full().unwrap_or(Code::FileTooLarge).number(),
            },
        };
        self.kept.push(part);
        Ok(())
    }
}
