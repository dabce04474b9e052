//! A record that somebody named by hand is read before anything hangs on it: one wrong digit would put an applicant's CV with
//! a stranger.

use super::deliver::{Claimed, Walk};
use super::rule::Rule;
use super::run::Runner;
use super::sight::Reading;
use crate::codes::Code;
use crate::queue::QueueError;
use crate::queue::act::OTHER_PERSON;
use crate::queue::job::{ENTERED, INSISTED, Step};
use crate::queue::state::StepState;
use crate::queue::work::StepOutcome;
use crate::settings::RecordType;
use crate::tracker::plan::StepKind;

impl Runner<'_> {
    /// Reads a record that was named since the last run. One of another person goes back to whoever named it; where there
    /// is no way to read, or the same id was named twice, it is used as it was named.
    pub fn check_entered(&mut self, claimed: &mut Claimed) -> Result<Option<Walk>, QueueError> {
        let named = |step: &&Step| step.is_record() && [ENTERED, INSISTED].contains(&step.how.as_str());
        let Some(step) = claimed.job.steps.iter().find(named).cloned() else { return Ok(None) };
        let id = step.tracker_id.unwrap_or_default();
        let checked = if step.how == INSISTED || !self.policy.keeps(Rule::EnteredIsRead) {
            StepOutcome { event: "named again", ..Default::default() }
        } else {
            let kind = if step.kind == StepKind::Contact { RecordType::Contact } else { claimed.plan.record_type };
            match self.read_known(claimed, kind, id)? {
                Reading::Record(Some(record))
                    if claimed.plan.email.as_ref().is_some_and(|email| record.has_email(email))
                        || record.has_marker(&claimed.job.marker)
                        || (kind == RecordType::Lead && record.has_title(&claimed.plan.lead_name)) =>
                {
                    StepOutcome { event: "named and checked", ..Default::default() }
                }
                Reading::Record(_) => return self.doubt(claimed, &step, id).map(Some),
                Reading::Failed(verdict) => return self.trouble(claimed, None, &verdict).map(Some),
                Reading::Impossible => StepOutcome { event: "named, not checked", ..Default::default() },
            }
        };
        self.write_outcome(claimed, &step, &checked)?;
        // It is in the account that is in force now, whichever the plan was made for.
        let (seq, run_id, tenant) = (claimed.job.seq, self.run_id.clone(), self.tenant.clone());
        self.store().move_to_tenant(seq, &run_id, &tenant.hash, tenant.generation)?;
        claimed.job = self.store().job(seq)?;
        Ok(None)
    }

    /// The record is nobody's or somebody else's: the step is open again, and a person is asked again.
    fn doubt(&mut self, claimed: &Claimed, step: &Step, id: i64) -> Result<Walk, QueueError> {
        let other = StepOutcome {
            state: Some(StepState::Unknown),
            event: "named, not theirs",
            code: Some(Code::RelayOtherPerson),
            ..Default::default()
        };
        self.write_outcome(claimed, step, &other)?;
        let (seq, run_id) = (claimed.job.seq, self.run_id.clone());
        self.store().forget_record(seq, &run_id)?;
        Ok(Walk::ask(OTHER_PERSON, Code::RelayOtherPerson, id.to_string()))
    }
}
