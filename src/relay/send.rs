//! One step that is to be sent: intent first, then the request, then what the answer proves (R1 to R4).

use hmac::digest::Digest;

use super::deliver::{Claimed, Flow, Walk};
use super::rule::Rule;
use super::run::Runner;
use crate::codes::Code;
use crate::queue::QueueError;
use crate::queue::job::Step;
use crate::queue::state::{Pause, State, StepState};
use crate::queue::work::{Settled, StepOutcome};
use crate::settings::Api;
use crate::tracker::lookup::Hit;
use crate::tracker::outcome::{Refusal, Verdict};
use crate::tracker::plan::StepKind;

impl Runner<'_> {
    /// Sends a step once.
    pub fn send_step(&mut self, claimed: &mut Claimed, step: &Step) -> Result<Walk, QueueError> {
        let Some(planned) = claimed.planned(step).cloned() else {
            return self.reject(claimed, step, Code::EngineFault, "the plan has no such step");
        };
        if planned.path.is_empty() {
            return self.pass_over(claimed, step, "the settings ask for it no longer");
        }
        if planned.only_if_found && !claimed.was_there() {
            return self.pass_over(claimed, step, "the record is new and has it all; activities are switched off");
        }
        if !self.has_time() || (claimed.has_sent && !self.has_turn()) {
            return Ok(put_back(claimed));
        }
        // A create that was lost before, or that another copy of the store may have sent, goes out only
        // right after a look that found nothing.
        let verify = claimed.job.verify && self.policy.keeps(Rule::GapIsLookedInto);
        if step.is_record() && verify && !claimed.job.said_absent && !claimed.has_reached() && !claimed.looked_elsewhere
        {
            return self.look_for_other_type(claimed, step);
        }
        if step.is_record()
            && let Some(walk) = self.made_meanwhile(claimed, step)?
        {
            return Ok(walk);
        }
        let was_lost = step.resends > 0 && self.policy.keeps(Rule::LookRightBefore);
        let unsure = if step.is_record() { was_lost || verify } else { verify && is_told_apart(claimed, step) };
        if unsure && claimed.looked != Some(step.ordinal) {
            return self.settle_step(claimed, step);
        }
        let file = match self.source_of(claimed, step) {
            Ok(file) => file,
            // The disk refuses at this moment: the file is there, and is sent when it opens.
            Err(code) if is_of_the_disk(code) => {
                let wait = self.policy.back_off(claimed.job.attempts, 0, self.random).min(self.policy.missing_ms);
                let walk = self.again_or_give_up(claimed, code, String::new(), wait)?;
                return self.or_pass_over(claimed, step, walk);
            }
            Err(code) => return self.reject(claimed, step, code, ""),
        };
        if let Err(verdict) = self.client().prepare(&planned) {
            let walk = self.trouble(claimed, Some(step), &verdict)?;
            return self.or_pass_over(claimed, step, walk);
        }
        self.transport.reserve();
        let now = self.clock.now();
        let deadline = now.boot + self.policy.first_byte_ms;
        let hash = sha2::Sha256::digest(serde_json::to_vec(&planned).unwrap_or_default());
        let run_id = self.run_id.clone();
        let may_send = self.is_sound()
            && (!self.policy.keeps(Rule::IntentFirst)
                || self.store().intend(claimed.job.seq, step.ordinal, &run_id, &hash, deadline, &now)?);
        if !may_send {
            return Ok(Walk::Leave(
                Settled {
                    state: State::Queued,
                    reason: "",
                    code: None,
                    message: String::new(),
                    due_in: 0,
                    spent: false,
                },
                Flow::Stop,
            ));
        }
        claimed.has_sent = true;
        let ids = claimed.ids();
        let deadline = self.policy.keeps(Rule::DeadlineHolds).then_some(deadline);
        let verdict = self.client().send(&planned, &ids, file.as_deref(), deadline);
        self.judge(claimed, step, &verdict)
    }

    fn judge(&mut self, claimed: &mut Claimed, step: &Step, verdict: &Verdict) -> Result<Walk, QueueError> {
        if matches!(verdict, Verdict::Done { .. } | Verdict::Pending { .. } | Verdict::Protected { .. }) {
            // Three failures end a run only when they come in a row.
            self.failures = 0;
        }
        match verdict {
            Verdict::Done { id: Some(id), message } => {
                self.write_outcome(claimed, step, &found(step, *id, "created", message))?;
                Ok(Walk::On)
            }
            // R1b: applied, but not named. Records are looked for; a child needs no id.
            Verdict::Done { id: None, message } if !step.is_record() => {
                let done = StepOutcome {
                    state: Some(StepState::Done),
                    event: "created",
                    message: message.clone(),
                    ..Default::default()
                };
                self.write_outcome(claimed, step, &done)?;
                Ok(Walk::On)
            }
            Verdict::Done { id: None, message } | Verdict::Pending { message } => {
                let applied = StepOutcome {
                    state: Some(StepState::Applied),
                    event: "applied",
                    code: Some(Code::TrackerNoId),
                    message: message.clone(),
                    fixes_plan: true,
                    ..Default::default()
                };
                self.write_outcome(claimed, step, &applied)?;
                Ok(self.look_later(Code::TrackerNoId, message))
            }
            Verdict::Protected { message, .. } if self.policy.keeps(Rule::ProtectedIsFound) => {
                self.protected(claimed, step, message)
            }
            Verdict::Protected { message, .. } => self.refused(claimed, Some(step), Code::TrackerProtected, message),
            Verdict::NotApplied { .. } => {
                let walk = self.trouble(claimed, Some(step), verdict)?;
                self.or_pass_over(claimed, step, walk)
            }
            Verdict::Unknown { code, message, retry_after } => {
                let lost = StepOutcome {
                    state: Some(StepState::Unknown),
                    event: "answer lost",
                    code: Some(*code),
                    message: message.clone(),
                    fixes_plan: true,
                    audit_at: step.is_record().then(|| self.clock.now().wall + self.policy.audit_ms),
                    ..Default::default()
                };
                self.write_outcome(claimed, step, &lost)?;
                self.failures += 1;
                if let Some(seconds) = retry_after {
                    self.hold(self.wait_of(Some(*seconds)));
                }
                let walk = self.look_later(*code, message);
                if *code == Code::TrackerEndpoint && self.policy.keeps(Rule::EndpointPauses) {
                    self.pause(Pause::Endpoint, verdict)?;
                    // Whoever comes next in this run would go to the same address.
                    return Ok(walk.and_stop());
                }
                Ok(walk)
            }
        }
    }

    /// R2 and everything else that proves that nothing was applied. `step` is the step that was tried, if any.
    pub fn trouble(&mut self, claimed: &Claimed, step: Option<&Step>, verdict: &Verdict) -> Result<Walk, QueueError> {
        let code = verdict.code().unwrap_or(Code::TrackerUnavailable);
        let message = verdict.message().to_owned();
        let back = |event| StepOutcome {
            state: Some(StepState::Todo),
            event,
            code: Some(code),
            message: message.clone(),
            still_absent: claimed.job.said_absent && step.is_some_and(Step::is_record),
            ..Default::default()
        };
        let settle_back = |runner: &mut Self, event| match step {
            Some(step) => runner.write_outcome(claimed, step, &back(event)),
            None => Ok(()),
        };
        match verdict.refusal() {
            Some(Refusal::Unauthorized | Refusal::User) if self.policy.keeps(Rule::CredentialsPause) => {
                settle_back(self, "credentials refused")?;
                self.leave_paused(claimed, Pause::Credentials, verdict)
            }
            // A child whose address is not there, while the API is: its record was deleted or merged in Tracker.
            Some(Refusal::Endpoint)
                if step.is_some_and(|step| !step.is_record())
                    && self.policy.keeps(Rule::GoneIsOneChild)
                    && self.client().probe().is_ok() =>
            {
                self.refused(claimed, step, code, &message)
            }
            Some(Refusal::Endpoint) if self.policy.keeps(Rule::EndpointPauses) => {
                settle_back(self, "endpoint")?;
                self.leave_paused(claimed, Pause::Endpoint, verdict)
            }
            Some(Refusal::Forbidden) if self.policy.keeps(Rule::ForbiddenIsProbed) => {
                let probe = self.client().probe();
                if let Err(probe) = probe {
                    settle_back(self, "credentials refused")?;
                    return self.leave_paused(claimed, Pause::Credentials, &probe);
                }
                self.refused(claimed, step, code, &message)
            }
            // All but the first only where their rule is switched off on purpose.
            Some(
                Refusal::Rejected | Refusal::Endpoint | Refusal::Forbidden | Refusal::Unauthorized | Refusal::User,
            ) => self.refused(claimed, step, code, &message),
            Some(Refusal::TooMany) => {
                settle_back(self, "too many requests")?;
                let wait = self.too_many(verdict);
                Ok(again(claimed, code, message, wait, false))
            }
            Some(Refusal::Unreachable) | None => {
                settle_back(self, "not sent")?;
                self.failures += 1;
                let retry_after = verdict.retry_after().map_or(0, |seconds| self.wait_of(Some(seconds)));
                // Whom Tracker asks for patience, it asks for everybody.
                self.hold(retry_after);
                let wait = self.policy.back_off(claimed.job.attempts, retry_after, self.random);
                self.again_or_give_up(claimed, code, message, wait)
            }
        }
    }

    /// Refused for good: a child is passed over, a record fails.
    fn refused(
        &mut self,
        claimed: &Claimed,
        step: Option<&Step>,
        code: Code,
        message: &str,
    ) -> Result<Walk, QueueError> {
        let Some(step) = step else { return Ok(Walk::leave(State::Failed, Some(code), message)) };
        if !step.is_record() {
            return self.reject(claimed, step, code, message);
        }
        let refused = StepOutcome {
            state: Some(StepState::Rejected),
            event: "refused",
            code: Some(code),
            message: message.to_owned(),
            still_absent: claimed.job.said_absent,
            ..Default::default()
        };
        self.write_outcome(claimed, step, &refused)?;
        Ok(Walk::leave(State::Failed, Some(code), message))
    }

    /// A child that will not be sent; what comes after it goes on.
    pub fn reject(&mut self, claimed: &Claimed, step: &Step, code: Code, message: &str) -> Result<Walk, QueueError> {
        let refused = StepOutcome {
            state: Some(StepState::Rejected),
            event: "refused",
            code: Some(code),
            message: message.to_owned(),
            ..Default::default()
        };
        self.write_outcome(claimed, step, &refused)?;
        if !self.policy.keeps(Rule::ChildStopsNothing) {
            return Ok(Walk::ask("partial", Code::RelayPartial, message));
        }
        Ok(Walk::On)
    }

    /// A step that is not needed after all.
    fn pass_over(&mut self, claimed: &Claimed, step: &Step, why: &str) -> Result<Walk, QueueError> {
        let skipped = StepOutcome {
            state: Some(StepState::Skipped),
            event: "skipped",
            message: why.to_owned(),
            ..Default::default()
        };
        self.write_outcome(claimed, step, &skipped)?;
        Ok(Walk::On)
    }

    pub fn skip(&mut self, claimed: &Claimed, step: &Step, why: &str) -> Result<Walk, QueueError> {
        let skipped = StepOutcome {
            state: Some(StepState::Skipped),
            event: "looked",
            message: why.to_owned(),
            // The plan is made anew with each claim, and this look with it: what kills PHP right after it must be counted.
            is_midway: true,
            ..Default::default()
        };
        self.write_outcome(claimed, step, &skipped)?;
        Ok(Walk::On)
    }

    /// When Tracker is searched for what a lost answer left open.
    pub fn look_later(&self, code: Code, message: &str) -> Walk {
        Walk::later(State::Checking, code, message, self.policy.next_look(0))
    }

    /// Writes an outcome under this run's id.
    pub fn write_outcome(&mut self, claimed: &Claimed, step: &Step, outcome: &StepOutcome) -> Result<(), QueueError> {
        let now = self.clock.now();
        let run_id = self.run_id.clone();
        self.store().outcome(&claimed.job, step, &run_id, outcome, &now)
    }

    /// Whether lock and store are still the files at their paths; else nothing more is sent.
    fn is_sound(&mut self) -> bool {
        let looked_at = self.policy.keeps(Rule::LockIsLookedAt);
        let store = self.store();
        // Only a store in memory may have no lock of runs at all.
        let lock_is = store.run_lock_path().is_none() || store.run_lock.is_sound();
        store.is_sound() && (lock_is || !looked_at)
    }
}

/// Whether a code speaks of the disk and not of one file.
const fn is_of_the_disk(code: Code) -> bool {
    matches!(code.number(), 1101..=1199)
}

/// Whether a look can tell what this submission made from what another did: an activity carries our marker, and on a long list
/// a record stands once. A document of the same name may be an older one.
fn is_told_apart(claimed: &Claimed, step: &Step) -> bool {
    claimed.plan.api == Api::Rest && matches!(step.kind, StepKind::Activity | StepKind::Longlist)
}

/// A settled record or child.
pub fn found(step: &Step, id: i64, event: &'static str, message: &str) -> StepOutcome {
    StepOutcome {
        state: Some(StepState::Done),
        event,
        tracker_id: Some(id),
        message: message.to_owned(),
        is_record: step.kind == StepKind::Record,
        fixes_plan: true,
        ..Default::default()
    }
}

/// The ids of hits in words.
pub fn ids_of(hits: &[Hit]) -> String {
    hits.iter().map(|hit| hit.id.to_string()).collect::<Vec<_>>().join(", ")
}

/// Back into the queue because the run's time is over.
pub fn put_back(claimed: &Claimed) -> Walk {
    let open = claimed.job.steps.iter().any(|step| matches!(step.state, StepState::Unknown | StepState::Applied));
    let state = if open { State::Checking } else { State::Queued };
    Walk::Leave(Settled { state, reason: "", code: None, message: String::new(), due_in: 0, spent: false }, Flow::Stop)
}

/// To be tried again later.
pub fn again(claimed: &Claimed, code: Code, message: String, due_in: i64, spent: bool) -> Walk {
    let open = claimed.job.steps.iter().any(|step| matches!(step.state, StepState::Unknown | StepState::Applied));
    let state = if open { State::Checking } else { State::Retry };
    Walk::Leave(Settled { state, reason: "", code: Some(code), message, due_in, spent }, Flow::Next)
}
