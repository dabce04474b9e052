//! Before a first send: is the person in Tracker already? Our own store is asked first, since Tracker's search lags
//! behind its own writes.

use super::deliver::{Claimed, Walk};
use super::run::Runner;
use super::send::{found, ids_of, is_record, put_back};
use crate::queue::QueueError;
use crate::queue::job::Step;
use crate::queue::state::StepState;
use crate::queue::work::StepOutcome;
use crate::settings::RecordType;
use crate::tracker::lookup::{Hit, Look};
use crate::tracker::outcome::{Refusal, Verdict};
use crate::tracker::plan::StepKind;

impl Runner<'_> {
    /// Looks for the person before the record is sent. A hit is taken; anything but a hit goes on, since
    /// nothing was sent yet.
    pub fn find(&mut self, claimed: &mut Claimed, step: &Step) -> Result<Walk, QueueError> {
        let Some(target) = target_of_find(claimed) else { return self.skip(claimed, step, "nothing to look for") };
        if !self.has_time() {
            return Ok(put_back(claimed));
        }
        if let Some(known) = self.find_in_own_store(claimed, &target)? {
            return match known {
                Ok(id) => self.use_existing(claimed, step, &target, id, ""),
                Err(verdict) => self.trouble(claimed, Some(step), &verdict),
            };
        }
        let hits = match self.look_for_person(claimed, target.kind)? {
            Look::Clean(hits) | Look::Unclean { hits, .. } => hits,
            // A search that was not answered is asked again later: going on could make a second person.
            Look::Failed(verdict) => return self.trouble(claimed, Some(step), &verdict),
            Look::Impossible => Vec::new(),
        };
        claimed.looked = true;
        let Some((chosen, all)) = newest(&hits) else { return self.skip(claimed, step, "no existing record") };
        self.use_existing(claimed, step, &target, chosen, &all)
    }

    /// The record that an earlier submission of the same person became, read again: Tracker's search may not
    /// know it yet.
    fn find_in_own_store(
        &mut self,
        claimed: &Claimed,
        target: &Step,
    ) -> Result<Option<Result<i64, Verdict>>, QueueError> {
        let (Some(person), Some(email)) = (claimed.job.person.clone(), claimed.plan.email.clone()) else {
            return Ok(None);
        };
        let tenant = self.tenant.hash.clone();
        let record_type = if target.kind == StepKind::Contact { RecordType::Contact } else { claimed.plan.record_type };
        let Some(id) = self.store().known_record(&person, &tenant, record_type)? else { return Ok(None) };
        Ok(match self.client().read_record(record_type, id) {
            Ok(Some(record)) => record.has_email(&email).then_some(Ok(id)),
            // Deleted in Tracker since.
            Ok(None) => None,
            // Read only where REST can be: the widget API alone says the same with its status 3.
            Err(verdict) if matches!(verdict.refusal(), Some(Refusal::Unreachable | Refusal::TooMany)) => {
                Some(Err(verdict))
            }
            Err(_) => None,
        })
    }

    fn use_existing(
        &mut self,
        claimed: &Claimed,
        step: &Step,
        target: &Step,
        id: i64,
        words: &str,
    ) -> Result<Walk, QueueError> {
        let looked = StepOutcome {
            state: Some(StepState::Done),
            event: "found",
            tracker_id: Some(id),
            message: words.to_owned(),
            ..Default::default()
        };
        self.write_outcome(claimed, step, &looked)?;
        self.write_outcome(claimed, target, &found(target, id, "found", words))?;
        Ok(Walk::On)
    }
}

/// The step that a found record settles: the Contact of a REST Lead, else the record itself.
fn target_of_find(claimed: &Claimed) -> Option<Step> {
    claimed.plan.email.as_ref()?;
    claimed.job.steps.iter().find(|step| is_record(step)).filter(|step| step.state == StepState::Todo).cloned()
}

/// The record of several that is used: the newest update, then the lowest id; and all of them in words.
fn newest(hits: &[Hit]) -> Option<(i64, String)> {
    let chosen = hits.iter().max_by(|one, other| one.updated.cmp(&other.updated).then(other.id.cmp(&one.id)))?;
    let words = if hits.len() == 1 { String::new() } else { format!("several match: {}", ids_of(hits)) };
    Some((chosen.id, words))
}
