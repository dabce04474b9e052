//! What people do: actions on submissions and on the lane, secrets, checks of settings.

use std::path::Path;

use serde::Deserialize;
use serde_json::{Value, json};

use super::show::running;
use super::{Call, EngineError, read_json};
use crate::clock::{Clock, SystemClock};
use crate::codes::{Code, Coded};
use crate::mapping;
use crate::queue::act::Action;
use crate::queue::secrets::{NAMES, last4};
use crate::queue::state::{Pause, State};
use crate::queue::view::Query;
use crate::queue::{Site, Store};
use crate::settings::Settings;
use crate::submission::Form;

/// How many submissions of a state one call takes.
const MOST_AT_ONCE: i64 = 500;

/// A secret that wp-config.php gives.
pub(super) fn constant<'a>(settings: &'a Settings, name: &str) -> Option<&'a str> {
    settings.surrounding("constants")?.get(name)?.as_str().filter(|text| !text.is_empty())
}

#[derive(Debug, Deserialize)]
struct Act {
    action: String,
    #[serde(default)]
    ids: Vec<String>,
    #[serde(default)]
    tracker_id: Option<i64>,
    #[serde(default)]
    reason: String,
    #[serde(default)]
    email: String,
    #[serde(default)]
    id: i64,
    #[serde(default)]
    path: String,
    #[serde(default)]
    state: String,
    #[serde(default)]
    form: Option<Form>,
}

/// Does what a person asks for: on submissions, on the lane, on secrets.
///
/// # Errors
/// `HT-1903` for an unknown action or pause, `HT-1409` for a webhook secret that is not there; the store's.
pub fn act(call: &Call, action: &[u8]) -> Result<Value, EngineError> {
    let act: Act = read_json(action, "action")?;
    if act.action == "moved" {
        let moved = Call {
            dir: call.dir.clone(),
            site: Site { moved: true, ..call.site.clone() },
            settings: call.settings.clone(),
        };
        return moved.with_store(|_| Ok(json!({ "changed": ["site"], "refused": [] })));
    }
    if act.action == "at" {
        return at(call);
    }
    if act.action == "restore" {
        return restore(call, Path::new(&act.path));
    }
    if act.action == "erasures" {
        return super::erasures::share(call, action);
    }
    if act.action == "test" {
        return super::trial::send(call, act.form.as_ref().unwrap_or(&Form::default()));
    }
    call.with_store(|store| {
        let now = SystemClock.now();
        let changed =
            |done: bool| json!({ "changed": if done { vec![act.reason.clone()] } else { Vec::new() }, "refused": [] });
        match act.action.as_str() {
            "pause" => {
                store.pause(Pause::ByHand, Code::RelayPaused, "", now.wall, 0)?;
                Ok(changed(true))
            }
            "resume" => {
                // A name that was mistyped must not end the pause that somebody has ordered.
                let reason = match act.reason.as_str() {
                    "" => Pause::ByHand,
                    name => Pause::from_name(name).ok_or_else(|| EngineError::new(Code::ActName, name))?,
                };
                Ok(changed(store.lift(reason)?))
            }
            "confirm_restore" => Ok(changed(store.lift(Pause::Restored)?)),
            "release_earlier" => Ok(json!({ "changed": [], "refused": [], "count": store.release_earlier(&now)? })),
            "unlock" => Ok(unlock(store, now.wall)),
            "retire_secret" => {
                if store.retire_secret("shared_secret", act.id)? {
                    return Ok(changed(true));
                }
                // Whoever mistypes the number of a leaked secret must not believe that it opens nothing any more.
                Err(EngineError::new(Code::SecretName, act.id.to_string()))
            }
            "rotate_key" => Ok(json!({ "changed": [store.rotate_key()?], "refused": [] })),
            "backup" => Ok(
                json!({ "changed": [act.path.clone()], "refused": [], "files": store.back_up(Path::new(&act.path))? }),
            ),
            "find_person" => {
                store.index_all_addresses()?;
                let ids = store.ids_of_email(&act.email)?;
                let mut mentioned = Vec::new();
                for id in &ids {
                    if store.only_mentions(id, &act.email)? {
                        mentioned.push(id);
                    }
                }
                Ok(json!({ "ids": ids, "mentioned": mentioned }))
            }
            name => on_submissions(store, name, &act),
        }
    })
}

/// The store lies in this folder, a person says. Where it is the site's own and the site has another name since - the options of
/// a copy were written over its own - the site takes its former name back.
fn at(call: &Call) -> Result<Value, EngineError> {
    let Some(former) = call.site.former(&call.dir) else {
        return call.with_store(|_| Ok(json!({ "changed": [], "refused": [] })));
    };
    let install_id = former.install_id.clone();
    let back = Call { dir: call.dir.clone(), site: former, settings: call.settings.clone() };
    let mut answer = back.with_store(|store| {
        store.pause_as_found(SystemClock.now().wall)?;
        Ok(json!({ "changed": ["site"], "refused": [] }))
    })?;
    if let Some(site) = answer.get_mut("site").and_then(Value::as_object_mut) {
        site.insert("install_id".into(), json!(install_id));
    }
    Ok(answer)
}

/// Puts a backup back, and opens the store anew: what it calls unsent may have been sent, so that sending pauses. A store
/// that cannot be opened is what backups are made for.
fn restore(call: &Call, backup: &Path) -> Result<Value, EngineError> {
    let now = SystemClock.now();
    let mut aside = None;
    let put_back = call.with_store(|store| {
        aside = Some(store.put_back(backup, &now)?);
        Ok(Value::Null)
    });
    match put_back {
        Err(error) if matches!(error.code(), Code::StoreDamaged | Code::StoreMissing) => {
            aside = Store::put_back_unopened(&call.dir, &call.key_file(), &call.site, backup, &now)?;
        }
        done => {
            done?;
        }
    }
    let changed: Vec<String> = aside.iter().map(|path| path.display().to_string()).collect();
    call.with_store(|_| Ok(json!({ "changed": changed, "refused": [] })))
}

fn on_submissions(store: &mut Store, name: &str, act: &Act) -> Result<Value, EngineError> {
    let action = match (name, act.tracker_id) {
        ("retry", _) => Action::Retry,
        ("discard", _) => Action::Discard,
        ("spam", _) => Action::Spam,
        ("release", _) => Action::Release,
        ("erase", _) => Action::Erase,
        ("absent", _) => Action::Absent,
        ("exists", Some(id)) if id > 0 => Action::Exists(id),
        _ => return Err(EngineError::new(Code::ActName, name)),
    };
    let now = SystemClock.now();
    let (mut changed, mut refused) = (Vec::new(), Vec::new());
    if action == Action::Erase && !act.email.is_empty() {
        // Also for what lies elsewhere, sealed, and comes in later.
        store.note_erasure(&act.email, now.wall)?;
    }
    // By state: what is there now, as many as one request may take; the caller asks again for the others.
    let named = if act.ids.is_empty() && !act.state.is_empty() {
        let query =
            Query { state: act.state.clone(), per_page: MOST_AT_ONCE, direction: "asc".into(), ..Query::default() };
        store.list(&query)?.1.into_iter().map(|item| item.id).collect()
    } else {
        act.ids.clone()
    };
    for id in &named {
        let files = if action == Action::Erase {
            store.seq_of(id).and_then(|seq| store.stored_files(seq)).unwrap_or_default()
        } else {
            Vec::new()
        };
        match store.act(id, action, &now) {
            Ok(()) => {
                if store.state_of(id)? == Some(State::Erased) {
                    store.unlink(&files);
                }
                changed.push(id.clone());
            }
            Err(error) if matches!(error.code(), Code::ActUnknown | Code::ActState) => {
                refused
                    .push(json!({ "id": id, "code": error.code().to_string(), "message": error.code().entry().what }));
            }
            Err(error) => return Err(error.into()),
        }
    }
    let mut retained = false;
    if action == Action::Erase && !changed.is_empty() {
        store.erase_aside()?;
        // What was erased lies in the WAL until it is moved and cut off. A reader that holds it leaves that to the next run.
        retained = match store.checkpoint() {
            Err(error) if error.code() == Code::StoreBusy => true,
            other => other.map(|()| false)?,
        };
    }
    let left =
        if act.state.is_empty() { 0 } else { store.counts()?.get(&act.state).and_then(Value::as_i64).unwrap_or(0) };
    Ok(json!({ "changed": changed, "refused": refused, "retained": retained, "left": left }))
}

/// *Clear Sync Lock*: says who holds it. The kernel frees the lock of a dead run by itself, and a living one
/// is never overridden, so there is nothing to remove; the next run cleans up after a dead one.
fn unlock(store: &Store, now: i64) -> Value {
    let mut answer = running(store, now);
    if let Some(object) = answer.as_object_mut() {
        object.insert("changed".into(), json!([]));
        object.insert("refused".into(), json!([]));
    }
    answer
}

/// Saves a secret that a person entered. It is never given back.
///
/// # Errors
/// `HT-1409` for an unknown name, `HT-1408` for a weak webhook secret, `HT-1406` for an empty one; the store's.
pub fn save_secret(call: &Call, name: &str, value: &str) -> Result<Value, EngineError> {
    if !NAMES.contains(&name) {
        return Err(EngineError::new(Code::SecretName, name));
    }
    let value = value.trim();
    if value.is_empty() {
        return Err(EngineError::new(Code::SettingInvalid, "an empty secret is not saved"));
    }
    // One that was taken over from the earlier plugin works, and is flagged.
    let taken_over = call.settings.surrounding("taking_over").and_then(Value::as_bool).unwrap_or(false);
    let weak = name == "shared_secret" && is_weak(value);
    if weak && !taken_over {
        return Err(EngineError::new(Code::SecretWeak, ""));
    }
    call.with_store(|store| {
        store.save_secret(name, value, weak, SystemClock.now().wall)?;
        // New credentials are the cure of a pause for the old ones: the next run tries them at once.
        let resumed = name != "shared_secret" && store.resume(Pause::Credentials)?;
        let resumed = resumed.then(|| Pause::Credentials.name());
        Ok(json!({ "name": name, "set": true, "last4": last4(value), "weak": weak, "resumed": resumed }))
    })
}

/// Short, of few different characters, or a plain run of them.
pub(super) fn is_weak(secret: &str) -> bool {
    let mut distinct: Vec<char> = secret.chars().collect();
    distinct.sort_unstable();
    distinct.dedup();
    let lower = secret.to_lowercase();
    secret.chars().count() < 32
        || distinct.len() < 10
        || ["changeme", "password", "secret", "example", "1234567890"].iter().any(|word| lower.contains(word))
}

/// Checks settings without a store.
///
/// # Errors
/// `HT-1005` when the settings cannot be read at all.
pub fn check(settings: &[u8]) -> Result<Value, EngineError> {
    let text = std::str::from_utf8(settings).map_err(|_| EngineError::new(Code::BadCall, "settings are not UTF-8"))?;
    let settings = match Settings::parse(text) {
        Ok(settings) => settings,
        Err(error) => {
            let problem = json!({ "setting": error.setting, "code": error.code().to_string(), "message": error.problem, "line": null, "column": null });
            return Ok(json!({ "errors": [problem], "warnings": [] }));
        }
    };
    let (errors, warnings) = mapping::check(&settings);
    Ok(json!({ "errors": errors, "warnings": warnings }))
}
