//! What screens, REST and CLI show: status, list, detail, a stored file, a preview. Reads only.

use serde_json::{Map, Value, json};

use super::manage::constant;
use super::{Call, EngineError, read_json};
use crate::clock::{Clock, SystemClock};
use crate::codes::{Code, Coded};
use crate::queue::act::Action;
use crate::queue::job::Step;
use crate::queue::lock::RunLock;
use crate::queue::secrets::{NAMES, SecretView, last4};
use crate::queue::view::Query;
use crate::queue::{QueueError, Store};
use crate::relay::plan::Plan;
use crate::settings::Settings;
use crate::vault::Ring;
use crate::vault::file::SealedReader;

/// A run that shows no sign of life for so long hangs, whoever began it: no caller may begin steps for longer than
/// [`super::deliver::MOST_BUDGET_MS`].
const HANGS_MS: i64 = 15 * 60_000;

/// Everything that the Dashboard shows.
///
/// # Errors
/// The store's when it cannot be opened.
pub fn status(call: &Call) -> Result<Value, EngineError> {
    call.with_store(|store| {
        let now = SystemClock.now();
        let mut answer = Map::new();
        answer.insert("store".into(), about_store(store));
        answer.insert("counts".into(), Value::Object(store.counts()?));
        answer.insert("earlier_held".into(), json!(store.held_earlier()?));
        answer.insert("oldest_waiting".into(), store.oldest_waiting()?);
        answer.insert("lane".into(), lane(store)?);
        answer.insert("run".into(), running(store, now.wall));
        let runs = store.runs(3)?;
        answer.insert("last_run".into(), runs.first().cloned().unwrap_or_default());
        answer.insert("runs".into(), Value::Array(runs));
        let (left, due_in) = store.waiting(&now)?;
        answer.insert("left".into(), json!(left));
        answer.insert("next_due_at".into(), json!(due_in.map(|wait| now.wall + wait)));
        answer.insert("heartbeat".into(), json!(Some(store.fact("heartbeat")?).filter(|at| *at > 0)));
        // Of cron or a command only: runs after an answer go on while the schedule is dead.
        answer.insert("scheduled_at".into(), json!(Some(store.scheduled_at()?).filter(|at| *at > 0)));
        // How often cron came so far; null until it has come twice.
        answer.insert("interval".into(), json!(Some(store.fact("cron_interval")?).filter(|gap| *gap > 0)));
        answer.insert("secrets".into(), secrets(store, &call.settings)?);
        answer.insert("keys".into(), keys(store.ring()));
        answer.insert("clock_skew_ms".into(), json!(store.meta("skew")?.parse::<i64>().ok()));
        let (erasing, first) = store.erasing_soon(now.wall)?;
        answer.insert("erasing".into(), json!({ "count": erasing, "first_at": first }));
        answer.insert("unmapped".into(), json!(store.unmapped_for_a_day(now.wall)?));
        answer.insert("forms".into(), Value::Array(store.forms()?));
        answer.insert("refusals".into(), Value::Array(store.refusals()?));
        answer.insert("rate".into(), json!({ "pace": call.settings.number("pace") }));
        Ok(Value::Object(answer))
    })
}

fn about_store(store: &Store) -> Value {
    use std::os::unix::fs::MetadataExt;
    let Some(dir) = store.dir() else { return Value::Null };
    let sizes = ["queue.sqlite", "queue.sqlite-wal"]
        .map(|name| std::fs::metadata(dir.join(name)).map_or(0, |about| about.len()));
    let inode = std::fs::metadata(dir).map_or(0, |about| about.ino());
    json!({ "exists": true, "dir": dir.display().to_string(), "bytes": sizes.iter().sum::<u64>(), "inode": inode, "schema": crate::queue::open::SCHEMA })
}

fn lane(store: &Store) -> Result<Value, QueueError> {
    let pauses = store.pauses()?;
    let wait = store.wait_ms(&SystemClock.now())?;
    let reasons: Vec<Value> = pauses
        .iter()
        .map(|pause| {
            let code = Code::from_number(pause.code).map(|code| code.to_string());
            json!({ "reason": pause.reason.name(), "words": pause.reason.words(), "since": pause.since, "code": code, "detail": pause.detail })
        })
        .collect();
    Ok(
        json!({ "open": pauses.is_empty(), "reasons": reasons, "not_before": (wait > 0).then(|| SystemClock.now().wall + wait) }),
    )
}

pub(super) fn running(store: &Store, now: i64) -> Value {
    let holder = store.run_lock_path().and_then(|path| RunLock::holder(&path));
    holder.map_or_else(
        || json!({ "held": false, "hangs": false }),
        |holder| {
            let hangs = now - holder.since > HANGS_MS;
            json!({ "held": true, "since": holder.since, "pid": holder.pid, "caller": holder.caller, "hangs": hangs })
        },
    )
}

/// Which key seals, and what the plugin needs of it while the engine is away.
pub(super) fn keys(ring: &Ring) -> Value {
    use base64::Engine as _;
    let public = base64::engine::general_purpose::STANDARD.encode(ring.box_public());
    json!({ "current": ring.current(), "public": public, "count": ring.ids().len() })
}

/// Which secrets are set: constants before saved ones; never a value.
fn secrets(store: &Store, settings: &Settings) -> Result<Value, EngineError> {
    let saved = store.secret_views()?;
    let mut all = Vec::new();
    for name in NAMES {
        if let Some(constant) = constant(settings, name) {
            all.push(json!({ "name": name, "id": 0, "set": true, "last4": last4(constant), "source": "constant",
                "weak": *name == "shared_secret" && super::manage::is_weak(constant) }));
            continue;
        }
        let mine: Vec<&SecretView> = saved.iter().filter(|view| view.name == *name).collect();
        if mine.is_empty() {
            all.push(json!({ "name": name, "id": 0, "set": false, "last4": "", "source": "", "weak": false }));
        }
        for view in mine {
            all.push(json!({ "name": name, "id": view.slot, "set": true, "last4": view.last4, "source": "saved",
                "saved_at": view.saved_at, "used_at": view.used_at, "weak": view.weak }));
        }
    }
    Ok(Value::Array(all))
}

/// One page of submissions, names masked.
///
/// # Errors
/// `HT-1005` for a query that cannot be read; the store's.
pub fn list(call: &Call, query: &[u8]) -> Result<Value, EngineError> {
    let query: Query = read_json(query, "query")?;
    call.with_store(|store| {
        let (total, items) = store.list(&query)?;
        let items: Vec<Value> = items
            .iter()
            .map(|item| {
                let mut row = json!(item);
                // What needs to know of open steps is offered by the details.
                row["can"] = json!(Action::fitting(item.state, "", false, item.has_data));
                row
            })
            .collect();
        Ok(json!({ "total": total, "items": items }))
    })
}

/// Everything about one submission, unmasked. What does not open is left out, and `unopened` says by which code: the rest is
/// what a person needs to decide about it.
///
/// # Errors
/// `HT-1901` for an unknown id; the store's.
pub fn get(call: &Call, id: &str) -> Result<Value, EngineError> {
    call.with_store(|store| {
        let (seq, item, submission) = store.detail(id)?;
        let (job, unopened) = match store.job(seq) {
            Ok(job) => (Some(job), None),
            Err(error) if matches!(error.code(), Code::KeyUnknown | Code::UnsealFailed) => (None, Some(error.code())),
            Err(error) => return Err(error.into()),
        };
        let state = item.state;
        let mut answer = serde_json::to_value(&item).map_err(|error| EngineError::new(Code::EngineFault, error.to_string()))?;
        let Some(object) = answer.as_object_mut() else { return Ok(answer) };
        object.insert("unopened".into(), json!(unopened.map(|code| code.to_string())));
        if let Some(one) = submission {
            object.insert("fields".into(), Value::Object(one.fields));
            object.insert("labels".into(), Value::Object(one.labels));
            object.insert("meta".into(), Value::Object(one.meta));
            object.insert("timestamp".into(), Value::String(one.timestamp));
        }
        let files: Vec<Value> = job
            .iter()
            .flat_map(|job| &job.files)
            .map(|file| {
                let refused = Code::from_number(file.refused).map(|code| code.to_string());
                json!({ "ordinal": file.ordinal, "field": file.field, "name": file.name, "mime": file.mime, "size": file.size, "refused": refused, "kept": !file.stored.is_empty() })
            })
            .collect();
        object.insert("file_list".into(), Value::Array(files));
        let found = job.as_ref().is_some_and(|job| job.steps.iter().any(Step::was_there));
        let plan = job.as_ref().map_or(&[][..], |job| job.plan.as_slice());
        object.insert("steps".into(), Value::Array(with_requests(store.step_views(seq, id)?, plan, found)));
        object.insert("journal".into(), Value::Array(store.journal(seq, id)?));
        object.insert("erases_at".into(), json!(store.erases_at(seq)?));
        object.insert("marker".into(), json!(job.map_or_else(String::new, |job| job.marker)));
        let steps = store.steps(seq)?;
        let open_record = steps.iter().any(Step::is_doubtful_record);
        object.insert("can".into(), json!(Action::fitting(state, &item.reason, open_record, item.has_data)));
        let waits = (item.code == Some(Code::RelaySamePerson.to_string())).then(|| item.message.clone());
        object.insert("waits_for".into(), json!(waits));
        Ok(answer)
    })
}

/// Puts beside each step what was or will be sent. Plans hold no secret: credentials join at the send.
fn with_requests(mut steps: Vec<Value>, plan: &[u8], found: bool) -> Vec<Value> {
    let Ok(plan) = serde_json::from_slice::<Plan>(plan) else { return steps };
    for (step, planned) in steps.iter_mut().zip(plan.steps) {
        if let Some(object) = step.as_object_mut() {
            object.insert("sent".into(), planned.body_for(found));
        }
    }
    steps
}

/// The bytes of a stored file.
///
/// # Errors
/// `HT-1901` for an unknown id, `HT-1708` when the file is gone or damaged.
pub fn file(call: &Call, id: &str, ordinal: u32) -> Result<Vec<u8>, EngineError> {
    use std::io::Read;
    handles_file(call, id, ordinal, |mut reader| {
        let mut bytes = Vec::new();
        reader.read_to_end(&mut bytes).map_err(|error| EngineError::new(Code::FileLost, error.to_string()))?;
        Ok(bytes)
    })
}

fn handles_file<T>(
    call: &Call,
    id: &str,
    ordinal: u32,
    read: impl FnOnce(SealedReader) -> Result<T, EngineError>,
) -> Result<T, EngineError> {
    super::handles::with_store(call, |store| {
        let seq = store.seq_of(id)?;
        let job = store.job(seq)?;
        let part = job.files.iter().find(|file| file.ordinal == ordinal && !file.stored.is_empty());
        let (Some(part), Some(folder)) = (part, store.files_dir()) else {
            return Err(EngineError::new(Code::FileLost, ""));
        };
        let reader = SealedReader::open(store.ring(), &folder.join(&part.stored), id)
            .map_err(|error| EngineError::new(Code::FileLost, error.to_string()))?;
        read(reader)
    })
}
