//! One submission: claimed, planned, walked step by step, and let go of again.

use super::plan::{self, Plan};
use super::report::{Event, Outcome};
use super::rule::Rule;
use super::run::Runner;
use crate::codes::Code;
use crate::queue::QueueError;
use crate::queue::job::{Job, Step};
use crate::queue::state::{Pause, State, StepState};
use crate::queue::work::{NewPlan, Settled};
use crate::tracker::client::Ids;
use crate::tracker::plan::{Planned, StepKind};

/// Whether the run goes on with the next submission.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    /// It does.
    Next,
    /// It does not: the lane was paused, or its time is over.
    Stop,
}

/// What a step makes of the walk.
pub enum Walk {
    /// On to the next step (or this one again, if it is to be sent now).
    On,
    /// The submission is let go of.
    Leave(Settled, Flow),
}

impl Walk {
    /// Lets go with a state and words.
    pub fn leave(state: State, code: Option<Code>, message: impl Into<String>) -> Self {
        Self::Leave(Settled { state, reason: "", code, message: message.into(), due_in: 0, spent: false }, Flow::Next)
    }

    /// Lets go, to come back later without an attempt spent.
    pub fn later(state: State, code: Code, message: impl Into<String>, due_in: i64) -> Self {
        Self::Leave(
            Settled { state, reason: "", code: Some(code), message: message.into(), due_in, spent: false },
            Flow::Next,
        )
    }

    /// The same, and the run ends with it.
    pub fn and_stop(self) -> Self {
        match self {
            Self::Leave(settled, _) => Self::Leave(settled, Flow::Stop),
            Self::On => Self::On,
        }
    }

    /// Asks a person.
    pub fn ask(reason: &'static str, code: Code, message: impl Into<String>) -> Self {
        Self::Leave(
            Settled {
                state: State::Attention,
                reason,
                code: Some(code),
                message: message.into(),
                due_in: 0,
                spent: false,
            },
            Flow::Next,
        )
    }
}

/// A claimed submission with its plan.
pub struct Claimed {
    /// The submission.
    pub job: Job,
    /// What is sent.
    pub plan: Plan,
    /// The step for which a look of this very walk found nothing: only then may its absent create go out. A look for the
    /// person of a Lead says nothing about the Lead.
    pub looked: Option<i64>,
    /// Whether this walk has looked for the person among the records of another type.
    pub looked_elsewhere: bool,
    /// Whether this walk has sent anything: what comes next may wait for another run, and looks need not be repeated for it.
    pub has_sent: bool,
}

impl Claimed {
    /// The request of a step.
    pub fn planned(&self, step: &Step) -> Option<&Planned> {
        usize::try_from(step.ordinal).ok().and_then(|at| self.plan.steps.get(at))
    }

    /// Tracker's ids that are known so far.
    pub fn ids(&self) -> Ids {
        let of = |kind: StepKind| {
            self.job
                .steps
                .iter()
                .find(|step| step.kind == kind && step.state == StepState::Done)
                .and_then(|step| step.tracker_id)
        };
        Ids {
            contact: of(StepKind::Contact),
            record: of(StepKind::Record).or(self.job.tracker_id),
            found: self.was_there(),
        }
    }

    /// Whether the person was in Tracker already, so that no create carries what the form brought.
    pub fn was_there(&self) -> bool {
        self.job.steps.iter().any(Step::was_there)
    }

    /// Whether a create may have reached Tracker, so that the plan and its tenant are fixed.
    pub fn has_reached(&self) -> bool {
        self.job.steps.iter().any(|step| {
            step.is_record() && matches!(step.state, StepState::Unknown | StepState::Applied | StepState::Done)
        })
    }
}

impl Runner<'_> {
    /// Delivers one submission as far as this run can.
    pub fn deliver(&mut self, seq: i64) -> Result<Flow, QueueError> {
        let now = self.clock.now();
        let run_id = self.run_id.clone();
        let job = match self.store().job(seq) {
            Ok(job) => job,
            // What does not open stays as it is and holds up nothing else.
            Err(QueueError::Vault(error)) => {
                let wait = self.policy.missing_ms;
                self.store().set_aside(seq, crate::codes::Coded::code(&error), &now, wait)?;
                return Ok(Flow::Next);
            }
            Err(error) => return Err(error),
        };
        if job.crashes >= self.policy.crashes_most && self.policy.keeps(Rule::CrashesEnd) {
            return self.refuse_to_plan(&job, &Walk::ask("crashes", Code::RelayCrashes, ""));
        }
        let (plan, new) = match self.plan(&job) {
            Ok(both) => both,
            Err(error) => {
                let wait = self.policy.missing_ms;
                let walk = if self.policy.keeps(Rule::MissingWaits) {
                    Walk::later(State::Retry, error.code, error.message, wait)
                } else {
                    Walk::leave(State::Failed, Some(error.code), error.message)
                };
                return self.refuse_to_plan(&job, &walk);
            }
        };
        let person = new.as_ref().map_or_else(|| job.person.clone(), |new| new.person.map(|hash| hash.to_vec()));
        // One that is open never waits, or two could wait for each other; one that was proven absent is as good as new.
        let makes_person = !job.plan_fixed || job.is_to_make_person();
        if let Some(person) = person.filter(|_| makes_person && self.policy.keeps(Rule::SamePersonWaits))
            && let Some(earlier) = self.store().earlier_open(seq, &person)?
        {
            if job.person.as_ref() != Some(&person) {
                // It has no plan yet that would say whose it is, and is to be woken.
                self.store().set_person(seq, &person)?;
            }
            let wait = self.wait_for_earlier(&job)?;
            return self.refuse_to_plan(&job, &Walk::later(State::Retry, Code::RelaySamePerson, earlier, wait));
        }
        if !self.store().claim(&job, &run_id, new.as_ref(), &now)? {
            // It moved on meanwhile. The next run sees why; this one does not try again and again.
            return Ok(Flow::Stop);
        }
        let job = self.store().job(seq)?;
        let mut claimed = Claimed { job, plan, looked: None, looked_elsewhere: false, has_sent: false };
        if new.is_none() && self.policy.keeps(Rule::PlanIsAnew) {
            self.correct(&mut claimed)?;
        }
        let walk = self.walk(&mut claimed)?;
        self.let_go(&claimed.job, walk)
    }

    /// How long a submission waits for an earlier one of its person: once more as long as it has waited so far.
    fn wait_for_earlier(&mut self, job: &Job) -> Result<i64, QueueError> {
        let (least, most) = (self.policy.same_person_ms, self.policy.same_person_most_ms);
        if (job.state, job.code) != (State::Retry, Code::RelaySamePerson.number()) {
            return Ok(least);
        }
        let since = self.store().last_noted(job.seq, Code::RelaySamePerson)?;
        let now = self.clock.now().wall;
        Ok(since.map_or(least, |since| (now - since).clamp(least, most)))
    }

    fn plan(&mut self, job: &Job) -> Result<(Plan, Option<NewPlan>), plan::NoPlan> {
        let is_kept = if job.plan_fixed {
            self.policy.keeps(Rule::PlanIsFixed)
        } else {
            !job.plan.is_empty() && !self.policy.keeps(Rule::PlanIsAnew)
        };
        if is_kept {
            let plan = serde_json::from_slice(&job.plan)
                .map_err(|error| plan::NoPlan { code: Code::EngineFault, message: error.to_string() })?;
            return Ok((plan, None));
        }
        self.plan_anew(job).map(|(plan, new)| (plan, Some(new)))
    }

    fn plan_anew(&mut self, job: &Job) -> Result<(Plan, NewPlan), plan::NoPlan> {
        let (settings, tenant) = (self.settings, self.tenant.clone());
        plan::make(settings, job, self.store().ring(), &tenant)
    }

    /// A replay maps anew what was refused or never sent; what may have reached Tracker stays as it was.
    fn correct(&mut self, claimed: &mut Claimed) -> Result<(), QueueError> {
        if claimed.job.tenant != self.tenant.hash || !claimed.job.steps.iter().any(|step| step.state == StepState::Todo)
        {
            return Ok(());
        }
        // Where no plan can be made at present, the old one goes on.
        let Ok((now, _)) = self.plan_anew(&claimed.job) else { return Ok(()) };
        if let Some(plan) = claimed.plan.corrected(&now, &claimed.job.steps) {
            let run_id = self.run_id.clone();
            let requests =
                serde_json::to_vec(&plan).map_err(|error| QueueError::plain(Code::EngineFault, error.to_string()))?;
            self.store().correct_plan(&claimed.job, &run_id, &requests)?;
            claimed.plan = plan;
        }
        Ok(())
    }

    /// Lets go of a submission that was not planned, so nothing was sent.
    fn refuse_to_plan(&mut self, job: &Job, walk: &Walk) -> Result<Flow, QueueError> {
        let now = self.clock.now();
        let run_id = self.run_id.clone();
        if !self.store().claim(job, &run_id, None, &now)? {
            return Ok(Flow::Stop);
        }
        match walk {
            Walk::Leave(settled, flow) => self.let_go(job, Walk::Leave(settled.clone(), *flow)),
            Walk::On => Ok(Flow::Next),
        }
    }

    /// Walks the steps in order until all are settled or one stops it.
    fn walk(&mut self, claimed: &mut Claimed) -> Result<Walk, QueueError> {
        let refused = claimed.job.steps.iter().find(|step| step.is_record() && step.state == StepState::Rejected);
        if let Some(step) = refused.cloned() {
            return self.refused_earlier(claimed, &step);
        }
        if let Some(walk) = self.check_entered(claimed)? {
            return Ok(walk);
        }
        if let Some(walk) = self.check_tenant(claimed)? {
            return Ok(walk);
        }
        if let Some(walk) = self.recognise_account(claimed)? {
            return Ok(walk);
        }
        let mut at = 0;
        while let Some(step) = claimed.job.steps.get(at).cloned() {
            let walk = match step.state {
                StepState::Done | StepState::Rejected | StepState::Skipped => {
                    at += 1;
                    continue;
                }
                StepState::Todo if step.kind == StepKind::Find => self.find(claimed, &step)?,
                StepState::Todo => self.send_step(claimed, &step)?,
                StepState::Intent | StepState::Unknown | StepState::Applied => self.settle_step(claimed, &step)?,
            };
            if let Walk::Leave(..) = walk {
                return Ok(walk);
            }
            let seq = claimed.job.seq;
            claimed.job.steps = self.store().steps(seq)?;
        }
        self.keep_control(claimed)?;
        let rejected: Vec<&str> = claimed
            .job
            .steps
            .iter()
            .filter(|step| step.state == StepState::Rejected)
            .map(|step| step.kind.name())
            .collect();
        if rejected.is_empty() {
            return Ok(Walk::leave(State::Done, None, ""));
        }
        let mut words = format!("refused: {}", rejected.join(", "));
        if claimed.was_there() && rejected.contains(&StepKind::Activity.name()) {
            words.push_str(". The person was there already, so that only the activity holds what the form brought; look whether the record is still in Tracker");
        }
        Ok(Walk::ask("partial", Code::RelayPartial, words))
    }

    /// PHP died between the refusal of a record and what followed from it: that follows now, and nothing else is sent.
    fn refused_earlier(&mut self, claimed: &Claimed, step: &Step) -> Result<Walk, QueueError> {
        let (seq, id) = (claimed.job.seq, &claimed.job.id);
        let (code, message) = self.store().refusal(seq, step.ordinal, id)?;
        Ok(Walk::leave(State::Failed, code, message))
    }

    /// Writes where a submission goes, and counts what the run has to know of it.
    fn let_go(&mut self, job: &Job, walk: Walk) -> Result<Flow, QueueError> {
        let Walk::Leave(settled, flow) = walk else { return Ok(Flow::Next) };
        let now = self.clock.now();
        let run_id = self.run_id.clone();
        self.store().settle(job, &run_id, &settled, &now)?;
        if job.is_still(&settled) {
            // Nothing that anybody wants to read of.
            return Ok(flow);
        }
        let (_, item, _) = self.store().detail(&job.id)?;
        let code = settled.code.map(|code| code.to_string());
        let event = match settled.state {
            State::Done => Some("delivered"),
            State::Failed => Some("failed"),
            State::Attention => Some("attention"),
            _ => None,
        };
        if let Some(event) = event {
            self.report.events.push(Event {
                event,
                id: job.id.clone(),
                code: code.clone(),
                record_type: item.record_type.clone(),
                tracker_id: item.tracker_id,
                reason: settled.reason.to_owned(),
            });
        }
        if settled.state == State::Done {
            self.failures = 0;
        }
        let form = item.form.get("id").and_then(|id| id.as_str()).unwrap_or_default().to_owned();
        self.report.items.retain(|earlier| earlier.id != job.id);
        self.report.items.push(Outcome {
            id: job.id.clone(),
            state: settled.state,
            code,
            form,
            record_type: item.record_type,
            tracker_id: item.tracker_id,
        });
        Ok(flow)
    }

    /// Pauses the lane and puts the submission back as it was.
    pub fn leave_paused(
        &mut self,
        claimed: &Claimed,
        reason: Pause,
        verdict: &crate::tracker::outcome::Verdict,
    ) -> Result<Walk, QueueError> {
        self.pause(reason, verdict)?;
        let open = claimed.job.steps.iter().any(|step| matches!(step.state, StepState::Unknown | StepState::Applied));
        let state = if open { State::Checking } else { State::Queued };
        // Behind a bad address the others get their turn first; credentials are nobody's in particular.
        let due_in = if reason == Pause::Endpoint { self.policy.probe_ms } else { 0 };
        let settled = Settled {
            state,
            reason: "",
            code: verdict.code(),
            message: verdict.message().to_owned(),
            due_in,
            spent: !self.policy.keeps(Rule::PausesAreFree),
        };
        Ok(Walk::Leave(settled, Flow::Stop))
    }
}
