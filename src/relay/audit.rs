//! D1: a day after a lost answer Tracker is looked at once more. A request that was applied hours late, after it was proven
//! absent and sent again, is noticed here; nothing is deleted.

use super::deliver::{Claimed, Walk};
use super::plan::Plan;
use super::report::Event;
use super::rule::Rule;
use super::run::Runner;
use super::send::ids_of;
use crate::codes::Code;
use crate::queue::QueueError;
use crate::queue::job::Step;
use crate::tracker::lookup::{Hit, Look};
use crate::tracker::outcome::Refusal;

impl Runner<'_> {
    /// The late looks that are due. Two records now mean that a request was applied late.
    pub fn audits(&mut self) -> Result<(), QueueError> {
        if !self.policy.keeps(Rule::LateLook) {
            return Ok(());
        }
        while self.has_turn() && self.failures == 0 && self.wait_ms == 0 {
            let now = self.clock.now();
            let Some((seq, due_at)) = self.store().due_audit(now.wall)? else { break };
            let late = now.wall - due_at;
            let job = match self.store().job(seq) {
                Ok(job) => job,
                Err(QueueError::Vault(error)) => {
                    self.store().give_up_audit(seq, &error.to_string(), &now)?;
                    continue;
                }
                Err(error) => return Err(error),
            };
            let Ok(plan) = serde_json::from_slice::<Plan>(&job.plan) else {
                self.store().give_up_audit(seq, "its plan cannot be read", &now)?;
                continue;
            };
            if job.crashes >= self.policy.crashes_most {
                // A look that kills the process is not begun again and again.
                self.store().give_up_audit(seq, "looking stopped PHP several times", &now)?;
                continue;
            }
            if job.tenant != self.tenant.hash {
                // Another account's absence or twin says nothing about this one, which may be entered again.
                self.come_back(seq, "other credentials are in force")?;
                continue;
            }
            self.store().begin_audit(seq)?;
            let id = job.id.clone();
            let records: Vec<Step> = job.steps.iter().filter(|step| step.is_record()).cloned().collect();
            let lost: Vec<&Step> =
                records.iter().filter(|step| step.unknown_at.is_some() || step.resends > 0).collect();
            // After a crash, or where a person had it planned anew, nobody knows which one it was.
            let lost = if lost.is_empty() { records.iter().collect() } else { lost };
            let claimed = Claimed { job, plan, looked: None, looked_elsewhere: false, has_sent: false };
            // The same client with other secrets may be another customer: then two records are still shown, but one or none
            // says nothing about the first account.
            let mut unsure = match self.check_tenant(&claimed)? {
                None => None,
                Some(Walk::Leave(settled, _)) if settled.code == Some(Code::RelayTenant) => {
                    Some("other credentials are in force".to_owned())
                }
                // A record that is never answered for must not keep all others from their late look.
                Some(_) if late >= self.policy.give_up_ms => Some("its record could not be read".to_owned()),
                Some(_) => return self.store().put_off_audit(seq),
            };
            let mut twins = None;
            for step in lost {
                match self.look_late(&claimed, step)? {
                    Look::Clean(hits) | Look::Unclean { hits, .. } if hits.len() > 1 => twins = Some(ids_of(&hits)),
                    // It is looked at again in the next run, unless it was not answered for a week.
                    Look::Failed(verdict) if late >= self.policy.give_up_ms => {
                        unsure = Some(verdict.message().to_owned());
                    }
                    Look::Failed(verdict) => {
                        if verdict.refusal() == Some(Refusal::TooMany) {
                            self.too_many(&verdict);
                        }
                        return self.store().put_off_audit(seq);
                    }
                    Look::Clean(_) => {}
                    Look::Unclean { why, .. } => unsure = Some(why),
                    Look::Impossible => unsure = Some("there is no way to look".to_owned()),
                }
            }
            if let (None, Some(why)) = (&twins, &unsure)
                && self.policy.keeps(Rule::LateLookAgain)
            {
                self.come_back(seq, why)?;
                continue;
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

    /// What a step has made, and the record by which it was settled: that may be another one, from before.
    fn look_late(&mut self, claimed: &Claimed, step: &Step) -> Result<Look, QueueError> {
        let look = match self.person_of(claimed, step)? {
            None => self.look_for_step(claimed, step)?,
            Some(Look::Clean(hits)) => Look::Clean(self.made_by(claimed, step, &hits)?),
            Some(Look::Unclean { hits, why }) => Look::Unclean { hits: self.made_by(claimed, step, &hits)?, why },
            Some(other) => other,
        };
        let with_own = |mut hits: Vec<Hit>| {
            let own = step.tracker_id.filter(|id| hits.iter().all(|hit| hit.id != *id));
            hits.extend(own.map(|id| Hit {
                id,
                updated: String::new(),
                created: None,
                marked: false,
                of_another: false,
            }));
            hits
        };
        Ok(match look {
            Look::Clean(hits) => Look::Clean(with_own(hits)),
            Look::Unclean { hits, why } => Look::Unclean { hits: with_own(hits), why },
            other => other,
        })
    }

    /// A look that proves nothing is done again, a few times: the data must not be kept for ever because of it.
    fn come_back(&mut self, seq: i64, why: &str) -> Result<(), QueueError> {
        let (now, waits) = (self.clock.now(), self.policy.audit_again_ms);
        self.store().postpone_audit(seq, why, &waits, &now)
    }
}
