//! From a submission and this run's settings to the requests that will be sent: made anew at every claim
//! while no create can have been applied, fixed from then on.

use serde::{Deserialize, Serialize};

use crate::codes::{Code, Coded};
use crate::mapping::template::TemplateValues;
use crate::mapping::{self, Profile};
use crate::queue::accept::normal;
use crate::queue::job::{Job, Step};
use crate::queue::state::StepState;
use crate::queue::work::NewPlan;
use crate::settings::{Api, RecordType, Settings};
use crate::submission::{FilePart, Submission};
use crate::tracker::activity::ActivityText;
use crate::tracker::plan::{PlanInput, Planned, StepKind, steps};
use crate::vault::Ring;

/// What will be sent for a submission, as it is kept sealed beside it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// The API that writes.
    pub api: Api,
    /// What the submission becomes.
    pub record_type: RecordType,
    /// The e-mail by which the person is recognised, as it is compared.
    pub email: Option<String>,
    /// The title of a Lead, by which it is searched.
    pub lead_name: String,
    /// The job of the long list.
    pub job_id: Option<i64>,
    /// Keys of the mapping that this record type has no place for.
    #[serde(default)]
    pub unused: Vec<String>,
    /// The requests, in order.
    pub steps: Vec<Planned>,
}

impl Plan {
    /// This fixed plan, with what the settings make now of every step that cannot have reached Tracker: after a correction the
    /// same refused request must not go out again. `None` where that changes nothing, or where it is about another record.
    pub fn corrected(&self, now: &Self, steps: &[Step]) -> Option<Self> {
        if (now.api, now.record_type, &now.email) != (self.api, self.record_type, &self.email) {
            return None;
        }
        let mut plan = self.clone();
        for step in steps {
            // What was lost once is sent again as it was: the first request may still arrive.
            let is_new = step.state == StepState::Todo && step.resends == 0 && step.kind != StepKind::Find;
            let at = usize::try_from(step.ordinal).unwrap_or(usize::MAX);
            let Some(mine) = plan.steps.get_mut(at).filter(|_| is_new) else { continue };
            match now.steps.iter().find(|one| (one.kind, one.file) == (mine.kind, mine.file)) {
                Some(one) => mine.clone_from(one),
                None if step.is_record() => continue,
                // The settings ask for it no longer.
                None => mine.path.clear(),
            }
            match step.kind {
                StepKind::Record => plan.lead_name.clone_from(&now.lead_name),
                StepKind::Longlist => plan.job_id = now.job_id,
                _ => {}
            }
        }
        (plan != *self).then_some(plan)
    }
}

/// Why there is no plan yet. The submission is kept, and looked at again when the settings change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoPlan {
    /// `HT-14xx`.
    pub code: Code,
    /// Words for people.
    pub message: String,
}

/// The credentials and hosts that a plan is made under.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tenant {
    /// Keyed hash of hosts and client id.
    pub hash: String,
    /// Generation of the credentials.
    pub generation: i64,
}

/// Makes the plan of a submission.
///
/// # Errors
/// [`NoPlan`] when the mapping does not fit the submission; nothing is sent then.
pub fn make(settings: &Settings, job: &Job, ring: &Ring, tenant: &Tenant) -> Result<(Plan, NewPlan), NoPlan> {
    let refuse = |error: mapping::MapError| NoPlan { code: error.code(), message: error.to_string() };
    let submission = job
        .submission
        .as_ref()
        .ok_or_else(|| NoPlan { code: Code::UnsealFailed, message: "nothing is left of it".into() })?;
    let profile = mapping::profile(settings, &submission.form).map_err(refuse)?;
    let api = settings.api();
    let mapped = mapping::apply(&profile, api, submission).map_err(refuse)?;
    if !mapped.missing.is_empty() {
        return Err(NoPlan { code: Code::MapRequired, message: format!("missing: {}", mapped.missing.join(", ")) });
    }
    let activity = activity(&profile, api, submission);
    let files: Vec<FilePart> = chosen(&profile, &job.files);
    let planned = steps(&PlanInput {
        api,
        record_type: profile.record_type,
        mapped: &mapped,
        find: settings.uses_existing() || job.verify,
        activity: activity.as_ref(),
        files: &files,
        marker: &job.marker,
        marker_field: settings.text("marker_field").trim().parse().ok(),
        received_at: job.received_at,
    });
    let email = mapped.email.as_deref().map(normal).filter(|email| !email.is_empty());
    let lead_name = lead_name(&planned);
    let plan = Plan {
        api,
        record_type: profile.record_type,
        email,
        lead_name,
        job_id: mapped.job_id,
        unused: mapped.unused.clone(),
        steps: planned,
    };
    let new = NewPlan {
        requests: serde_json::to_vec(&plan)
            .map_err(|error| NoPlan { code: Code::EngineFault, message: error.to_string() })?,
        steps: plan.steps.iter().map(|step| (step.kind, step.file, false)).collect(),
        person: plan.email.as_ref().map(|email| person_hash(ring, plan.record_type, email)),
        record_type: plan.record_type.name(),
        api: if api == Api::Rest { "rest" } else { "widget" },
        tenant: tenant.hash.clone(),
        generation: tenant.generation,
    };
    Ok((plan, new))
}

/// Which person of which kind: the key under which twins are prevented inside our own store.
pub fn person_hash(ring: &Ring, record_type: RecordType, email: &str) -> [u8; 32] {
    // A Lead's person is a Contact: forms of both kinds know each other.
    let searched = if record_type == RecordType::Lead { RecordType::Contact } else { record_type };
    ring.hash("person", format!("{}\0{}", searched.name(), normal(email)).as_bytes())
}

/// The files that are sent: of the attachment field where one is named, else all; refused ones stay listed as
/// steps, so that the journal says why they were not sent.
fn chosen(profile: &Profile, files: &[FilePart]) -> Vec<FilePart> {
    let wanted = profile.attachment_field.trim();
    files.iter().filter(|file| wanted.is_empty() || file.field.eq_ignore_ascii_case(wanted)).cloned().collect()
}

/// The activity: of every record where activities are switched on, else of a record that was there already, since what the form
/// brought stands nowhere else in Tracker then.
fn activity(profile: &Profile, api: Api, submission: &Submission) -> Option<ActivityText> {
    let brought = mapping::brought(profile, api, submission);
    if !profile.activity_enabled && brought.is_empty() {
        return None;
    }
    // The record's id is not known yet: its placeholder stays and is filled in when the step is sent.
    let values = TemplateValues { submission };
    Some(ActivityText {
        subject: mapping::template::render(&profile.activity_subject, &values),
        notes: mapping::template::render(&profile.activity_notes, &values),
        kind: profile.activity_type.clone(),
        brought,
        only_if_found: !profile.activity_enabled,
    })
}

fn lead_name(planned: &[Planned]) -> String {
    let record = planned.iter().find(|step| step.kind == StepKind::Record);
    let name = record.and_then(|step| find_text(&step.body, &["name", "leadname"]));
    name.unwrap_or_default()
}

/// The first text under one of the names, anywhere in a request's body.
fn find_text(value: &serde_json::Value, names: &[&str]) -> Option<String> {
    let object = value.as_object()?;
    let here = names.iter().find_map(|name| object.get(*name)?.as_str().map(ToOwned::to_owned));
    here.or_else(|| object.values().find_map(|inner| find_text(inner, names)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::submission::Form;

    #[test]
    fn only_files_of_the_attachment_field_are_sent_and_the_others_are_kept() {
        let file = |ordinal: u32, field: &str| FilePart {
            ordinal,
            field: field.into(),
            name: "cv.pdf".into(),
            mime: "application/pdf".into(),
            size: 1,
            stored: "x".into(),
            refused: 0,
        };
        let files = [file(1, "resume"), file(2, "photo")];
        let sent = |settings: &str| {
            let settings = Settings::parse(settings).expect("settings");
            let profile = mapping::profile(&settings, &Form::default()).expect("a profile");
            chosen(&profile, &files).iter().map(|file| file.ordinal).collect::<Vec<_>>()
        };
        assert_eq!(sent("{}"), [1, 2]);
        assert_eq!(sent(r#"{"attachment_field":"Resume"}"#), [1]);
        assert_eq!(sent(r#"{"attachment_field":"other"}"#), Vec::<u32>::new());
    }
}
