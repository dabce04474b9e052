//! A lost answer is settled by looking into Tracker (Q1 to Q4), and once more a day later (D1).

use super::deliver::{Claimed, Walk};
use super::plan::Plan;
use super::report::Event;
use super::run::Runner;
use super::send::{found, ids_of, is_record};
use crate::codes::Code;
use crate::queue::QueueError;
use crate::queue::job::Step;
use crate::queue::state::{State, StepState};
use crate::queue::work::StepOutcome;
use crate::settings::{Api, RecordType};
use crate::tracker::lookup::{Hit, Look};
use crate::tracker::plan::StepKind;

impl Runner<'_> {
    /// Looks for what a step may have left in Tracker, and decides: done, look again, send again, ask.
    pub fn settle_step(&mut self, claimed: &mut Claimed, step: &Step) -> Result<Walk, QueueError> {
        if !self.has_time() {
            return Ok(Walk::later(State::Checking, Code::TrackerAnswerLost, "", 0));
        }
        let mut step = step.clone();
        let now = self.clock.now();
        if step.state != StepState::Todo && step.boot_id != now.boot_id {
            // Boot times of another boot say nothing: the gaps start anew.
            let seq = claimed.job.seq;
            self.store().rebase_unknown(seq, step.ordinal, &now)?;
            (step.looks, step.unknown_boot, step.boot_id) = (0, Some(now.boot), now.boot_id.clone());
        }
        let look = self.look_for_step(claimed, &step)?;
        match look {
            Look::Clean(hits) | Look::Unclean { hits, .. } if hits.len() == 1 => {
                let id = hits.first().map_or(0, |hit| hit.id);
                self.write_outcome(claimed, &step, &found(&step, id, "reconciled", ""))?;
                Ok(Walk::On)
            }
            Look::Clean(hits) | Look::Unclean { hits, .. } if hits.len() > 1 => {
                Ok(Walk::ask("several", Code::RelaySeveral, ids_of(&hits)))
            }
            Look::Clean(_) => self.absent(claimed, &step),
            Look::Unclean { why, .. } => self.unclean(claimed, &step, &why),
            Look::Failed(verdict) => self.trouble(claimed, None, &verdict),
            Look::Impossible => self.blind(claimed, &step),
        }
    }

    /// Q2, Q3: a clean look found nothing.
    fn absent(&mut self, claimed: &mut Claimed, step: &Step) -> Result<Walk, QueueError> {
        claimed.looked = true;
        if step.state == StepState::Todo {
            // Not sent since the last look, or never: this was the look right before.
            return Ok(Walk::On);
        }
        let looks = step.looks + 1;
        let waited = self.waited(step);
        let by_hand = claimed.job.said_absent;
        let proven = by_hand || (looks >= self.policy.looks_needed && waited >= self.policy.absent_ms);
        if !proven || step.state == StepState::Applied {
            if step.state == StepState::Applied && looks >= self.policy.unclean_most {
                return Ok(Walk::ask("no id", Code::TrackerNoId, ""));
            }
            let looked = StepOutcome { event: "looked, not there yet", looks: Some(looks), ..Default::default() };
            self.write_outcome(claimed, step, &looked)?;
            return Ok(self.look_again(step, looks + step.unclean));
        }
        self.send_again(claimed, step, "absent")
    }

    /// A look that proves nothing: the page was full, or no control was found beside it.
    fn unclean(&mut self, claimed: &mut Claimed, step: &Step, why: &str) -> Result<Walk, QueueError> {
        if step.state == StepState::Todo {
            // Nothing was lost here; a look that proves nothing does not hold a first send up.
            claimed.looked = true;
            return if step.resends > 0 { Ok(Walk::ask("unsettled", Code::RelayUnsettled, why)) } else { Ok(Walk::On) };
        }
        let unclean = step.unclean + 1;
        if unclean >= self.policy.unclean_most {
            return self.blind(claimed, step);
        }
        let looked = StepOutcome {
            event: "looked, proves nothing",
            unclean: Some(unclean),
            message: why.to_owned(),
            ..Default::default()
        };
        self.write_outcome(claimed, step, &looked)?;
        Ok(self.look_again(step, unclean + step.looks))
    }

    /// No look is possible. A person or lead is never sent again blindly; a note is, once, and the journal says so.
    fn blind(&mut self, claimed: &mut Claimed, step: &Step) -> Result<Walk, QueueError> {
        if step.state == StepState::Todo && step.resends == 0 {
            claimed.looked = true;
            return Ok(Walk::On);
        }
        if is_record(step) {
            if claimed.job.said_absent {
                return self.send_again(claimed, step, "absent, as a person said");
            }
            return Ok(Walk::ask("unsettled", Code::RelayUnsettled, ""));
        }
        if step.state == StepState::Applied {
            // Tracker said yes to it and nobody can look: it is believed, and never sent again.
            let assumed = StepOutcome { state: Some(StepState::Done), event: "assumed", ..Default::default() };
            self.write_outcome(claimed, step, &assumed)?;
            return Ok(Walk::On);
        }
        if self.waited(step) < self.policy.absent_ms {
            let left = self.policy.absent_ms - self.waited(step);
            return Ok(Walk::later(State::Checking, Code::TrackerAnswerLost, "", left));
        }
        if step.resends > 0 {
            return self.reject(claimed, step, Code::RelayResends, "");
        }
        self.send_again(claimed, step, "sent again without a look: it may be there twice")
    }

    fn send_again(&mut self, claimed: &mut Claimed, step: &Step, event: &'static str) -> Result<Walk, QueueError> {
        if step.resends >= self.policy.resends_most {
            return Ok(Walk::ask("resends", Code::RelayResends, ""));
        }
        let again = StepOutcome {
            state: Some(StepState::Todo),
            event,
            looks: Some(0),
            unclean: Some(0),
            resends: Some(step.resends + 1),
            ..Default::default()
        };
        self.write_outcome(claimed, step, &again)?;
        claimed.looked = true;
        Ok(Walk::On)
    }

    fn look_again(&self, step: &Step, looks: i64) -> Walk {
        // Gaps count from the loss; a look that came late does not push the next one further away.
        let wait = (self.policy.next_look(looks) - self.waited(step)).max(self.policy.floor_ms);
        Walk::later(State::Checking, Code::TrackerAnswerLost, "", wait)
    }

    fn waited(&self, step: &Step) -> i64 {
        step.unknown_boot.map_or(0, |since| self.clock.now().boot - since)
    }

    /// The look that fits a step.
    fn look_for_step(&mut self, claimed: &Claimed, step: &Step) -> Result<Look, QueueError> {
        let marker = claimed.job.marker.clone();
        let ids = claimed.ids();
        let plan: &Plan = &claimed.plan;
        let record_type = plan.record_type;
        Ok(match step.kind {
            StepKind::Find => Look::Impossible,
            StepKind::Record if record_type == RecordType::Lead => {
                let name = plan.lead_name.clone();
                let look = self.client().find_lead(&name, &marker);
                self.our_lead(claimed, step, look)?
            }
            StepKind::Contact | StepKind::Record => {
                let look = self.look_for_person(claimed, step.kind)?;
                self.ours(claimed, step, look)
            }
            StepKind::Longlist => match (plan.job_id, ids.record) {
                (Some(job), Some(record)) => self.client().find_on_longlist(job, record),
                _ => Look::Impossible,
            },
            StepKind::Activity => match (ids.record, claimed.planned(step)) {
                (Some(record), Some(planned)) if plan.api == Api::Rest => {
                    let planned = planned.clone();
                    self.client().find_activity(record_type, record, &planned, &marker)
                }
                _ => Look::Impossible,
            },
            StepKind::Document => match (ids.record, claimed.planned(step)) {
                (Some(record), Some(planned)) if record_type == RecordType::Resource && plan.api == Api::Rest => {
                    let planned = planned.clone();
                    self.client().find_document(record, &planned)
                }
                _ => Look::Impossible,
            },
        })
    }

    /// Searches for the person of a submission by exact e-mail, with a control beside it.
    pub fn look_for_person(&mut self, claimed: &Claimed, kind: StepKind) -> Result<Look, QueueError> {
        let Some(email) = claimed.plan.email.clone() else { return Ok(Look::Impossible) };
        let searched = match (claimed.plan.record_type, kind) {
            (RecordType::Lead, _) => RecordType::Contact,
            (other, _) => other,
        };
        let marker = claimed.job.marker.clone();
        let marker_field = self.settings.text("marker_field").trim().parse().ok();
        let tenant = self.tenant.hash.clone();
        let control = self.store().control(&tenant, searched)?;
        let look = self.client().find_person(searched, &email, &marker, marker_field, control.as_ref());
        if control.is_some() && matches!(look, Look::Unclean { .. }) {
            // It may have been deleted or merged in Tracker: the next look takes one from Tracker's own page.
            self.store().set_control(&tenant, searched, None)?;
        }
        Ok(look)
    }

    /// Of hits, those that this submission made: by marker, or made after its intent.
    fn ours(&self, claimed: &Claimed, step: &Step, look: Look) -> Look {
        let since = self.since(claimed, step);
        let mine = |hits: Vec<Hit>| -> Vec<Hit> {
            hits.into_iter().filter(|hit| hit.marked || hit.created.is_none_or(|at| at >= since)).collect()
        };
        match look {
            // Before a first send an existing person is the one to use, whenever it was made.
            Look::Clean(hits) if step.state == StepState::Todo && step.resends == 0 => Look::Clean(hits),
            Look::Clean(hits) => Look::Clean(mine(hits)),
            Look::Unclean { hits, why } => Look::Unclean { hits: mine(hits), why },
            other => other,
        }
    }

    /// A Lead is always new, so that only this submission's own one counts. On REST it carries our marker. One that
    /// the widget API made carries none: it must be younger than its intent, and no other submission's.
    fn our_lead(&mut self, claimed: &Claimed, step: &Step, look: Look) -> Result<Look, QueueError> {
        let since = self.since(claimed, step);
        let by_marker = claimed.plan.api == Api::Rest;
        let seq = claimed.job.seq;
        let mut mine = |hits: Vec<Hit>| -> Result<Vec<Hit>, QueueError> {
            let mut kept = Vec::new();
            for hit in hits {
                let fits = hit.marked || (!by_marker && hit.created.is_some_and(|at| at >= since));
                if fits && (hit.marked || !self.store().is_of_another(hit.id, seq)?) {
                    kept.push(hit);
                }
            }
            Ok(kept)
        };
        Ok(match look {
            Look::Clean(hits) => Look::Clean(mine(hits)?),
            Look::Unclean { hits, why } => Look::Unclean { hits: mine(hits)?, why },
            other => other,
        })
    }

    /// What was made before this moment was not made by this step.
    fn since(&self, claimed: &Claimed, step: &Step) -> i64 {
        step.intent_at.unwrap_or(claimed.job.received_at) - self.policy.created_slack_ms
            + self.transport.skew_ms.unwrap_or(0)
    }

    /// D1: a day after a lost answer, one more look. Two records now mean that the request was applied late.
    pub fn audits(&mut self) -> Result<(), QueueError> {
        while self.has_time() && self.failures == 0 && self.wait_ms == 0 {
            let now = self.clock.now();
            let Some(seq) = self.store().due_audit(now.wall)? else { break };
            let job = match self.store().job(seq) {
                Ok(job) => job,
                Err(QueueError::Vault(_)) => {
                    self.store().end_audit(seq, None, &now)?;
                    continue;
                }
                Err(error) => return Err(error),
            };
            let Ok(plan) = serde_json::from_slice::<Plan>(&job.plan) else {
                self.store().end_audit(seq, None, &now)?;
                continue;
            };
            if job.tenant != self.tenant.hash {
                // Another account's absence or twin says nothing about this one.
                self.store().end_audit(seq, None, &now)?;
                continue;
            }
            let id = job.id.clone();
            let records: Vec<Step> = job.steps.iter().filter(|step| is_record(step)).cloned().collect();
            let lost: Vec<&Step> =
                records.iter().filter(|step| step.unknown_at.is_some() || step.resends > 0).collect();
            // After a crash nobody knows which one it was.
            let lost = if lost.is_empty() { records.iter().collect() } else { lost };
            let claimed = Claimed { job, plan, looked: false };
            let mut twins = None;
            for step in lost {
                match self.look_for_step(&claimed, step)? {
                    Look::Clean(hits) | Look::Unclean { hits, .. } if hits.len() > 1 => twins = Some(ids_of(&hits)),
                    // It is looked at again in the next run.
                    Look::Failed(_) => return Ok(()),
                    _ => {}
                }
            }
            if twins.is_some() {
                let code = Some(Code::RelayLateTwin.to_string());
                self.report.events.push(Event {
                    event: "attention",
                    id,
                    code,
                    record_type: claimed.plan.record_type.name().to_owned(),
                    tracker_id: claimed.job.tracker_id,
                    reason: "late twin".into(),
                });
            }
            self.store().end_audit(seq, twins.as_deref(), &now)?;
        }
        Ok(())
    }
}
