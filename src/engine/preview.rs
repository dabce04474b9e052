//! What would be sent under the settings of a call, without sending: the last real submission of a form through the
//! mapping, or the marked test of a form that nobody has filled in yet.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Call, EngineError, read_json, trial};
use crate::clock::{Clock, SystemClock};
use crate::queue::Store;
use crate::queue::job::Job;
use crate::queue::state::State;
use crate::queue::view::Query;
use crate::relay::plan::{Tenant, make};
use crate::submission::{Form, Submission};

/// Fields that are listed for a form at most: a table of thousands helps nobody.
const MOST_FIELDS: usize = 200;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct PreviewQuery {
    /// A submission.
    id: String,
    /// A form's key: its last submission.
    form: String,
    /// A form whose marked test is meant.
    test: Option<Form>,
}

/// What would be sent, and the names of the fields that the submission has.
///
/// # Errors
/// `HT-1901` when there is no such submission; the store's.
pub fn preview(call: &Call, query: &[u8]) -> Result<Value, EngineError> {
    let query: PreviewQuery = read_json(query, "query")?;
    call.with_store(|store| {
        let job = match &query.test {
            Some(form) => job_of(trial::submission(call, form)?),
            None => last_job(store, &query)?,
        };
        let tenant = Tenant { hash: String::new(), generation: 0 };
        let names = job.submission.as_ref().map(names).unwrap_or_default();
        Ok(match make(&call.settings, &job, store.ring(), &tenant) {
            Ok((plan, _)) => json!({ "id": job.id, "api": plan.api, "record_type": plan.record_type, "errors": [], "unused": plan.unused, "fields": names,
                "steps": plan.steps.iter().filter(|step| !step.only_if_found).map(|step| json!({ "kind": step.kind.name(), "request": step.body })).collect::<Vec<_>>() }),
            Err(error) => json!({ "id": job.id, "steps": [], "unused": [], "fields": names, "errors": [{ "code": error.code.to_string(), "message": error.message }] }),
        })
    })
}

fn last_job(store: &Store, query: &PreviewQuery) -> Result<Job, EngineError> {
    let id = if query.id.is_empty() {
        let last = Query { form: query.form.clone(), per_page: 1, ..Query::default() };
        store.list(&last)?.1.into_iter().next().map(|item| item.id).unwrap_or_default()
    } else {
        query.id.clone()
    };
    let mut job = store.job(store.seq_of(&id)?)?;
    job.plan_fixed = false;
    Ok(job)
}

/// A job that stands in no store.
fn job_of(submission: Submission) -> Job {
    Job {
        seq: 0,
        id: submission.id.clone(),
        received_at: SystemClock.now().wall,
        state: State::Queued,
        code: 0,
        attempts: 0,
        crashes: 0,
        marker: String::new(),
        person: None,
        tenant: String::new(),
        generation: 0,
        plan: Vec::new(),
        plan_fixed: false,
        tracker_id: None,
        verify: false,
        said_absent: false,
        submission: Some(submission),
        files: Vec::new(),
        steps: Vec::new(),
    }
}

/// The names under which a mapping may speak of what came in, nested ones with their path.
fn names(submission: &Submission) -> Vec<String> {
    let mut names = Vec::new();
    walk("", &submission.fields, &mut names);
    walk("meta.", &submission.meta, &mut names);
    names.truncate(MOST_FIELDS);
    names
}

fn walk(before: &str, map: &Map<String, Value>, names: &mut Vec<String>) {
    for (name, value) in map {
        match value {
            Value::Object(inner) if !inner.is_empty() && before.matches('.').count() < 4 => {
                walk(&format!("{before}{name}."), inner, names);
            }
            _ => names.push(format!("{before}{name}")),
        }
    }
}
