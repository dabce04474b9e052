//! A lost answer is settled by looking into Tracker (Q1 to Q4); nothing is sent again before that has shown it absent.

use super::deliver::{Claimed, Walk};
use super::plan::Plan;
use super::round::UNSETTLED;
use super::rule::Rule;
use super::run::Runner;
use super::send::{found, ids_of};
use super::sight::Sight;
use crate::codes::Code;
use crate::queue::QueueError;
use crate::queue::job::Step;
use crate::queue::state::{State, StepState};
use crate::queue::work::StepOutcome;
use crate::settings::{Api, RecordType};
use crate::tracker::lookup::{CONTROL_IS_MISSED, Hit, Look};
use crate::tracker::outcome::Refusal;
use crate::tracker::plan::StepKind;

impl Runner<'_> {
    /// Looks for what a step may have left in Tracker, and decides: done, look again, send again, ask.
    pub fn settle_step(&mut self, claimed: &mut Claimed, step: &Step) -> Result<Walk, QueueError> {
        if !self.has_time() {
            return Ok(Walk::later(State::Checking, Code::TrackerAnswerLost, "", 0));
        }
        let mut step = step.clone();
        let now = self.clock.now();
        let is_of_another_boot = step.boot_id != now.boot_id || step.unknown_boot.is_some_and(|at| at > now.boot);
        if step.state != StepState::Todo && is_of_another_boot {
            // Boot times of another boot say nothing: the gaps start anew.
            let seq = claimed.job.seq;
            self.store().rebase_unknown(seq, step.ordinal, &now)?;
            (step.looks, step.unknown_boot, step.boot_id) = (0, Some(now.boot), now.boot_id.clone());
        }
        if let Some(walk) = self.without_a_look(claimed, &step)? {
            return Ok(walk);
        }
        let look = self.look_for_step(claimed, &step)?;
        if self.sight == Sight::Lost && step.is_record() && step.state != StepState::Todo {
            let since = self.unanswered_for()?.unwrap_or_default();
            if since < self.policy.blind_ask_ms {
                let wait = self.policy.back_off(claimed.job.attempts, 0, self.random);
                return Ok(Walk::later(State::Checking, Code::TrackerUnreachable, "", wait));
            }
        }
        match look {
            // Of children that are this submission's own, several are one that Tracker made twice.
            Look::Clean(hits) | Look::Unclean { hits, .. }
                if self.is_one(&hits) || (!step.is_record() && !hits.is_empty()) =>
            {
                let Some(hit) = hits.first() else { return Ok(Walk::On) };
                let is_ours = self.is_made_by(claimed, &step, hit)?;
                let found =
                    if is_ours { found(&step, hit.id, "reconciled", "") } else { found(&step, hit.id, "found", "") };
                self.write_outcome(claimed, &step, &found)?;
                Ok(Walk::On)
            }
            Look::Clean(hits) | Look::Unclean { hits, .. } if hits.len() > 1 => {
                Ok(Walk::ask("several", Code::RelaySeveral, ids_of(&hits)))
            }
            Look::Clean(_) => self.absent(claimed, &step),
            Look::Unclean { why, .. } => self.unclean(claimed, &step, &why),
            Look::Failed(verdict) => {
                let walk = self.trouble(claimed, None, &verdict)?;
                self.or_pass_over(claimed, &step, walk)
            }
            Look::Impossible => self.blind(claimed, &step),
        }
    }

    /// Whether a look says which record it is: of several only a person can.
    pub fn is_one(&self, hits: &[Hit]) -> bool {
        hits.len() == 1 || (hits.len() > 1 && !self.policy.keeps(Rule::SeveralAsk))
    }

    /// Q2, Q3: a clean look found nothing.
    fn absent(&mut self, claimed: &mut Claimed, step: &Step) -> Result<Walk, QueueError> {
        claimed.looked = Some(step.ordinal);
        if step.state == StepState::Todo {
            // Not sent since the last look, or never: this was the look right before.
            return Ok(Walk::On);
        }
        let looks = step.looks + 1;
        let waited = self.waited(step);
        let by_hand = claimed.job.said_absent;
        let enough = looks >= self.policy.looks_needed || !self.policy.keeps(Rule::ThreeLooks);
        let late = waited >= self.policy.absent_ms || !self.policy.keeps(Rule::FifteenMinutes);
        let proven = by_hand || (enough && late);
        if !proven || step.state == StepState::Applied {
            if step.state == StepState::Applied && looks >= self.policy.unclean_most {
                return if step.is_record() {
                    Ok(Walk::ask("no id", Code::TrackerNoId, ""))
                } else {
                    self.assume(claimed, step)
                };
            }
            let looked = StepOutcome { event: "looked, not there yet", looks: Some(looks), ..Default::default() };
            self.write_outcome(claimed, step, &looked)?;
            return Ok(self.look_again(step, looks + step.unclean));
        }
        // Q3 asks for one more look right before the send: this was it, and nothing comes between.
        self.send_again(claimed, step, "absent")
    }

    /// A look that proves nothing: the page was full, or no control was found beside it.
    fn unclean(&mut self, claimed: &mut Claimed, step: &Step, why: &str) -> Result<Walk, QueueError> {
        if step.state == StepState::Todo {
            // Nothing was lost here; a look that proves nothing does not hold a first send up.
            claimed.looked = Some(step.ordinal);
            let is_asked = step.is_doubtful_record() && !claimed.job.said_absent;
            return if is_asked { Ok(Walk::ask(UNSETTLED, Code::RelayUnsettled, why)) } else { Ok(Walk::On) };
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
        let is_asked = step.is_doubtful_record() && !claimed.job.said_absent;
        if step.state == StepState::Todo && !is_asked {
            claimed.looked = Some(step.ordinal);
            return Ok(Walk::On);
        }
        if step.is_record() {
            if !is_asked || !self.policy.keeps(Rule::BlindAsks) {
                return self.send_again(claimed, step, "absent, as a person said");
            }
            return Ok(Walk::ask(UNSETTLED, Code::RelayUnsettled, ""));
        }
        if step.state == StepState::Applied {
            return self.assume(claimed, step);
        }
        if self.waited(step) < self.policy.absent_ms {
            let left = self.policy.absent_ms - self.waited(step);
            return Ok(Walk::later(State::Checking, Code::TrackerAnswerLost, "", left));
        }
        if step.resends > 0 && self.policy.keeps(Rule::BlindChildOnce) {
            return self.reject(claimed, step, Code::RelayResends, "");
        }
        // One send is all it has left: into an outage it would only be lost once more.
        if self.policy.keeps(Rule::ProbeBeforeLast)
            && let Err(verdict) = self.client().probe()
            && matches!(
                verdict.refusal(),
                None | Some(Refusal::Unreachable | Refusal::TooMany | Refusal::Unauthorized | Refusal::User)
            )
        {
            let walk = self.trouble(claimed, None, &verdict)?;
            return self.or_pass_over(claimed, step, walk);
        }
        self.send_again(claimed, step, "sent again without a look: it may be there twice")
    }

    /// A child that Tracker said yes to, and that no look shows: it is believed, and never sent again.
    fn assume(&mut self, claimed: &Claimed, step: &Step) -> Result<Walk, QueueError> {
        let assumed = StepOutcome { state: Some(StepState::Done), event: "assumed", ..Default::default() };
        self.write_outcome(claimed, step, &assumed)?;
        Ok(Walk::On)
    }

    /// What happens where a rule is switched off on purpose: the lost create simply goes out again.
    fn without_a_look(&mut self, claimed: &mut Claimed, step: &Step) -> Result<Option<Walk>, QueueError> {
        let off = match step.state {
            StepState::Unknown => Rule::LostIsLookedFor,
            StepState::Applied => Rule::AppliedIsNotSentAgain,
            _ => return Ok(None),
        };
        if self.policy.keeps(off) { Ok(None) } else { self.send_again(claimed, step, "sent again").map(Some) }
    }

    fn send_again(&mut self, claimed: &mut Claimed, step: &Step, event: &'static str) -> Result<Walk, QueueError> {
        if step.resends >= self.policy.resends_most && self.policy.keeps(Rule::ResendsAreFew) {
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
        claimed.looked = Some(step.ordinal);
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
    pub fn look_for_step(&mut self, claimed: &Claimed, step: &Step) -> Result<Look, QueueError> {
        if let Some(look) = self.person_of(claimed, step)? {
            return self.ours(claimed, step, look);
        }
        let look = self.look(claimed, |runner| runner.look_for_other(claimed, step))?;
        Ok(self.believed(look))
    }

    /// The look for the person that a step makes, whoever made it; `None` for a step that makes none.
    pub fn person_of(&mut self, claimed: &Claimed, step: &Step) -> Result<Option<Look>, QueueError> {
        let is_person = matches!(step.kind, StepKind::Contact | StepKind::Record)
            && claimed.plan.record_type != RecordType::Lead
            || step.kind == StepKind::Contact;
        if is_person { self.look_for_person(claimed, step.kind).map(Some) } else { Ok(None) }
    }

    /// The look for a Lead or a child.
    fn look_for_other(&mut self, claimed: &Claimed, step: &Step) -> Result<Look, QueueError> {
        let marker = claimed.job.marker.clone();
        let ids = claimed.ids();
        let plan: &Plan = &claimed.plan;
        let record_type = plan.record_type;
        Ok(match step.kind {
            StepKind::Find | StepKind::Contact => Look::Impossible,
            StepKind::Record => {
                let name = plan.lead_name.clone();
                let look = self.client().find_lead(&name, &marker);
                self.our_lead(claimed, step, look)?
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
                    let look = self.client().find_document(record, &planned);
                    self.our_document(claimed, step, look)?
                }
                _ => Look::Impossible,
            },
        })
    }

    /// Searches for the person of a submission by exact e-mail, with a control beside it.
    pub fn look_for_person(&mut self, claimed: &Claimed, kind: StepKind) -> Result<Look, QueueError> {
        let searched = match (claimed.plan.record_type, kind) {
            (RecordType::Lead, _) => RecordType::Contact,
            (other, _) => other,
        };
        self.look_for_person_as(claimed, searched)
    }

    /// The same among the records of one type.
    pub fn look_for_person_as(&mut self, claimed: &Claimed, searched: RecordType) -> Result<Look, QueueError> {
        let Some(email) = claimed.plan.email.clone() else { return Ok(Look::Impossible) };
        let marker = claimed.job.marker.clone();
        let marker_field = self.settings.text("marker_field").trim().parse().ok();
        let tenant = self.tenant.hash.clone();
        let control = self.store().control(&tenant, searched)?.map(|known| (known.email, known.id));
        let look = self.look(claimed, |runner| {
            Ok(runner.client().find_person(searched, &email, &marker, marker_field, control.as_ref()))
        })?;
        if control.is_some() && matches!(&look, Look::Unclean { why, .. } if why == CONTROL_IS_MISSED) {
            // It may have been deleted or merged in Tracker: the next look takes one from Tracker's own page.
            self.store().set_control(&tenant, searched, None)?;
        }
        Ok(self.believed(look))
    }

    fn believed(&self, look: Look) -> Look {
        match look {
            Look::Unclean { hits, .. } if !self.policy.keeps(Rule::CleanLooks) => Look::Clean(hits),
            other => other,
        }
    }

    /// Of hits, those that this submission made: by marker, or made after its intent and no other submission's.
    pub fn made_by(&mut self, claimed: &Claimed, step: &Step, hits: &[Hit]) -> Result<Vec<Hit>, QueueError> {
        let since = self.since(claimed, step);
        let uses_existing = self.settings.uses_existing();
        let off = !self.policy.keeps(Rule::OnlyOurs);
        let seq = claimed.job.seq;
        let mut kept = Vec::new();
        for hit in hits {
            let young = hit.created.is_none_or(|at| at >= since);
            let is_free = uses_existing || !(hit.of_another || self.store().is_of_another(hit.id, seq)?);
            if off || hit.marked || (young && is_free) {
                kept.push(hit.clone());
            }
        }
        Ok(kept)
    }

    /// Of hits, those that count for a step. Where existing persons are used, one who was there before is taken, as before a
    /// first send, not made a second time.
    pub fn ours(&mut self, claimed: &Claimed, step: &Step, look: Look) -> Result<Look, QueueError> {
        let uses_existing = self.settings.uses_existing();
        let mut mine = |hits: Vec<Hit>| -> Result<Vec<Hit>, QueueError> {
            let made = self.made_by(claimed, step, &hits)?;
            Ok(if made.is_empty() && uses_existing { hits } else { made })
        };
        Ok(match look {
            // Before a first send an existing person is the one to use, whenever it was made.
            look if uses_existing && step.state == StepState::Todo && step.resends == 0 => look,
            Look::Clean(hits) => Look::Clean(mine(hits)?),
            Look::Unclean { hits, why } => Look::Unclean { hits: mine(hits)?, why },
            other => other,
        })
    }

    /// Whether a hit is what this step made. An existing person who is used instead of it has nothing of what the form brought.
    fn is_made_by(&mut self, claimed: &Claimed, step: &Step, hit: &Hit) -> Result<bool, QueueError> {
        let young = hit.created.is_none_or(|at| at >= self.since(claimed, step));
        let is_free = !hit.of_another && !self.store().is_of_another(hit.id, claimed.job.seq)?;
        Ok(hit.marked || !step.is_record() || (young && is_free))
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
                let off = !self.policy.keeps(Rule::OnlyOurs);
                if off || (fits && (hit.marked || !self.store().is_of_another(hit.id, seq)?)) {
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

    /// A file name alone says nothing: half of all CVs are called `cv.pdf`, and people apply twice. One that another step made,
    /// or that is older than the intent, is not ours; and where another submission lost one at the same record, or sent one
    /// lately that Tracker may have made twice, what is found may be that one; after a restore or a gap, that of a submission of
    /// which this store does not know. Nor is a row ours that does not say when it was
    /// made, which Tracker's schema allows: it may have been there for years. Then ours is sent again: a CV that is there twice
    /// is read once, one that is missing never.
    fn our_document(&mut self, claimed: &Claimed, step: &Step, look: Look) -> Result<Look, QueueError> {
        let Look::Clean(hits) = look else { return Ok(look) };
        if !self.policy.keeps(Rule::OurDocument) {
            return Ok(Look::Clean(hits));
        }
        let seq = claimed.job.seq;
        let lately = step.intent_at.unwrap_or_default() - 2 * self.policy.document_slack_ms;
        if hits.is_empty() || claimed.job.verify || self.store().has_unknown_documents(seq, lately)? {
            return Ok(Look::Clean(Vec::new()));
        }
        let since = self.since(claimed, step) + self.policy.created_slack_ms - self.policy.document_slack_ms;
        let mut mine = Vec::new();
        for hit in hits {
            let is_young = hit.created.is_some_and(|at| at >= since);
            if is_young && !self.store().is_other_document(hit.id, seq, step.ordinal)? {
                mine.push(hit);
            }
        }
        // Of several files nobody can say which one is ours, if any.
        Ok(Look::Clean(if mine.len() > 1 { Vec::new() } else { mine }))
    }

    /// What was made before this moment was not made by this step.
    pub fn since(&self, claimed: &Claimed, step: &Step) -> i64 {
        let skew = self.transport.skew_ms.filter(|_| self.policy.keeps(Rule::ClocksAreCompared));
        step.intent_at.unwrap_or(claimed.job.received_at) - self.policy.created_slack_ms + skew.unwrap_or(0)
    }
}
