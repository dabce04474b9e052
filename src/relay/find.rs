//! Is the person in Tracker already? Asked before a first send, and when Tracker says so by itself (R3). Our own store
//! is asked first, since Tracker's search lags behind its own writes.

use super::deliver::{Claimed, Walk};
use super::rule::Rule;
use super::run::Runner;
use super::send::{found, ids_of, put_back};
use super::sight::Reading;
use crate::codes::Code;
use crate::queue::QueueError;
use crate::queue::job::Step;
use crate::queue::state::StepState;
use crate::queue::work::StepOutcome;
use crate::settings::RecordType;
use crate::tracker::lookup::{Hit, Look};
use crate::tracker::plan::StepKind;

/// What our own store knows of a person.
enum Known {
    /// This record, read again just now.
    Record(i64),
    /// This record, made or found under these credentials; there is no way to read it again.
    Unread(i64),
    /// Nothing, or a record that is not there any more.
    Nothing,
    /// It could not be read this time.
    Failed(crate::tracker::outcome::Verdict),
}

impl Runner<'_> {
    /// Looks for the person before the record is sent. A hit is taken; an answer that proves nothing goes on, since
    /// nothing was sent yet. A look that was not answered is asked again later, for an hour at least (`sight`): the
    /// store's copy of yesterday, a colleague, another site may have made the person.
    pub fn find(&mut self, claimed: &mut Claimed, step: &Step) -> Result<Walk, QueueError> {
        let Some(target) = target_of_find(claimed) else { return self.skip(claimed, step, "nothing to look for") };
        if !self.has_time() {
            return Ok(put_back(claimed));
        }
        if !self.policy.keeps(Rule::FindFirst) {
            claimed.looked = Some(target.ordinal);
            return self.skip(claimed, step, "");
        }
        // Where each submission makes a person of its own, the person of another one is not this one's.
        let known = if self.settings.uses_existing() { self.known(claimed, &target)? } else { Known::Nothing };
        match known {
            Known::Record(id) => return self.use_existing(claimed, step, &target, id, ""),
            // It was checked when it was made or found. Sending would leave it to Tracker's rule for duplicates, which
            // is not documented.
            Known::Unread(id) => {
                return self.use_existing(claimed, step, &target, id, "as an earlier submission found it");
            }
            Known::Failed(verdict) => return self.trouble(claimed, Some(step), &verdict),
            Known::Nothing => {}
        }
        let look = self.look_for_person(claimed, target.kind)?;
        let hits = match self.ours(claimed, &target, look)? {
            Look::Clean(hits) | Look::Unclean { hits, .. } => hits,
            Look::Failed(verdict) => return self.trouble(claimed, Some(step), &verdict),
            Look::Impossible => Vec::new(),
        };
        claimed.looked = Some(target.ordinal);
        if claimed.job.verify && !claimed.job.said_absent {
            let young = self.made_since(claimed, &target, &hits)?;
            if young.len() > 1 {
                // What another copy of the store sent was made twice, and nothing of ours remembers to look for that.
                return Ok(Walk::ask("several", Code::RelaySeveral, ids_of(&young)));
            }
        }
        let Some((chosen, all)) = newest(&hits) else { return self.skip(claimed, step, "no existing record") };
        self.use_existing(claimed, step, &target, chosen, &all)
    }

    /// The record that an earlier submission of the same person became, read again: Tracker's search may not
    /// know it yet.
    fn known(&mut self, claimed: &Claimed, target: &Step) -> Result<Known, QueueError> {
        let (Some(person), Some(email)) = (claimed.job.person.clone(), claimed.plan.email.clone()) else {
            return Ok(Known::Nothing);
        };
        if !self.policy.keeps(Rule::OwnStoreFirst) {
            return Ok(Known::Nothing);
        }
        let tenant = self.tenant.clone();
        let record_type = if target.kind == StepKind::Contact { RecordType::Contact } else { claimed.plan.record_type };
        let Some((id, generation)) = self.store().known_record(&person, &tenant.hash, record_type)? else {
            return Ok(Known::Nothing);
        };
        Ok(match self.read_known(claimed, record_type, id)? {
            Reading::Record(Some(record)) if record.has_email(&email) => Known::Record(id),
            // Deleted in Tracker since, or another person's by now.
            Reading::Record(_) => Known::Nothing,
            Reading::Failed(verdict) => Known::Failed(verdict),
            Reading::Impossible if generation == tenant.generation => Known::Unread(id),
            Reading::Impossible => Known::Nothing,
        })
    }

    /// Before a record is sent again: a later submission of the same person may have made it meanwhile, and Tracker's search
    /// need not know that yet. Our own store does.
    pub fn made_meanwhile(&mut self, claimed: &Claimed, step: &Step) -> Result<Option<Walk>, QueueError> {
        let is_person = step.kind == StepKind::Contact || claimed.plan.record_type != RecordType::Lead;
        if step.resends == 0 || !is_person || !self.settings.uses_existing() {
            return Ok(None);
        }
        match self.known(claimed, step)? {
            Known::Record(id) | Known::Unread(id) => {
                self.write_outcome(claimed, step, &found(step, id, "found", ""))?;
                Ok(Some(Walk::On))
            }
            Known::Failed(verdict) => self.trouble(claimed, Some(step), &verdict).map(Some),
            Known::Nothing => Ok(None),
        }
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

    /// R3: Tracker has the person and was told not to overwrite it. One exact match is taken.
    pub fn protected(&mut self, claimed: &mut Claimed, step: &Step, message: &str) -> Result<Walk, QueueError> {
        if !step.is_record() {
            return self.reject(claimed, step, Code::TrackerProtected, message);
        }
        let back = StepOutcome {
            state: Some(StepState::Todo),
            event: "already there",
            code: Some(Code::TrackerProtected),
            message: message.to_owned(),
            is_midway: true,
            ..Default::default()
        };
        self.write_outcome(claimed, step, &back)?;
        if claimed.plan.record_type == RecordType::Lead {
            // The person of a Lead is no Lead: its id must not stand where the Lead's does.
            return Ok(Walk::ask("protected", Code::TrackerProtected, message));
        }
        match self.look_for_person(claimed, step.kind)? {
            Look::Clean(hits) | Look::Unclean { hits, .. } if self.is_one(&hits) => {
                let id = hits.first().map_or(0, |hit| hit.id);
                self.write_outcome(claimed, step, &found(step, id, "found", message))?;
                Ok(Walk::On)
            }
            Look::Failed(verdict) => self.trouble(claimed, None, &verdict),
            Look::Clean(hits) | Look::Unclean { hits, .. } if hits.len() > 1 => {
                Ok(Walk::ask("several", Code::RelaySeveral, ids_of(&hits)))
            }
            // Tracker says that the person is there, and our own store knows as what.
            _ => match self.known(claimed, step)? {
                Known::Record(id) | Known::Unread(id) => {
                    self.write_outcome(claimed, step, &found(step, id, "found", message))?;
                    Ok(Walk::On)
                }
                _ => Ok(Walk::ask("protected", Code::TrackerProtected, message)),
            },
        }
    }

    /// After a gap or a restore, what is sent first may have been sent as another type of record, before the form's setting
    /// was changed: one that is younger than the submission and no other submission's. A person decides then.
    pub fn look_for_other_type(&mut self, claimed: &mut Claimed, step: &Step) -> Result<Walk, QueueError> {
        claimed.looked_elsewhere = true;
        let other =
            if claimed.plan.record_type == RecordType::Resource { RecordType::Contact } else { RecordType::Resource };
        let hits = match self.look_for_person_as(claimed, other)? {
            Look::Clean(hits) | Look::Unclean { hits, .. } => hits,
            Look::Failed(verdict) => return self.trouble(claimed, Some(step), &verdict),
            Look::Impossible => Vec::new(),
        };
        let young = self.made_since(claimed, step, &hits)?;
        if young.is_empty() {
            return Ok(Walk::On);
        }
        Ok(Walk::ask("other type", Code::RelayOtherType, format!("{} {}", other.name(), ids_of(&young))))
    }

    /// Of hits, those that are younger than the submission and no other submission's.
    fn made_since(&mut self, claimed: &Claimed, step: &Step, hits: &[Hit]) -> Result<Vec<Hit>, QueueError> {
        let since = self.since(claimed, step);
        // Where each submission makes a record of its own, its marker says which one.
        let own = !self.settings.uses_existing();
        let is_young = |hit: &&Hit| hit.created.is_some_and(|at| at >= since) && !(own && hit.of_another);
        let mut young = Vec::new();
        for hit in hits.iter().filter(is_young) {
            if !self.store().is_of_another(hit.id, claimed.job.seq)? {
                young.push(hit.clone());
            }
        }
        Ok(young)
    }
}

/// The step that a found record settles: the Contact of a REST Lead, else the record itself.
fn target_of_find(claimed: &Claimed) -> Option<Step> {
    claimed.plan.email.as_ref()?;
    claimed.job.steps.iter().find(|step| step.is_record()).filter(|step| step.state == StepState::Todo).cloned()
}

/// The record of several that is used: the newest update, then the lowest id; and all of them in words.
fn newest(hits: &[Hit]) -> Option<(i64, String)> {
    let chosen = hits.iter().max_by(|one, other| one.updated.cmp(&other.updated).then(other.id.cmp(&one.id)))?;
    let words = if hits.len() == 1 { String::new() } else { format!("several match: {}", ids_of(hits)) };
    Some((chosen.id, words))
}
