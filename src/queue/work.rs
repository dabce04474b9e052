//! What a run reads and writes while it delivers: claim, plan, intent, outcome. Every write names the run;
//! a write under another run's id changes nothing and says so.

use rusqlite::params;

use super::job::{Job, Step};
use super::open::Tx;
use super::state::{State, StepState};
use super::{QueueError, Store};
use crate::clock::Moment;
use crate::codes::Code;
use crate::submission::FilePart;
use crate::tracker::plan::StepKind;

/// A plan made at a claim.
#[derive(Debug)]
pub struct NewPlan {
    /// The requests, as JSON; sealed when stored.
    pub requests: Vec<u8>,
    /// The steps: kind, and the file of a document; `true` when the step is skipped.
    pub steps: Vec<(StepKind, Option<u32>, bool)>,
    /// Keyed hash of record type and e-mail, when there is an e-mail.
    pub person: Option<[u8; 32]>,
    /// Record type by name.
    pub record_type: &'static str,
    /// API by name.
    pub api: &'static str,
    /// Keyed hash of hosts and client id.
    pub tenant: String,
    /// Generation of the credentials.
    pub generation: i64,
}

/// How a step ended, or where it stands after a try.
#[derive(Debug, Clone, Default)]
pub struct StepOutcome {
    /// The new state.
    pub state: Option<StepState>,
    /// The line's event in the journal: `created`, `found`, `reconciled`, `refused`, `answer lost`, …
    pub event: &'static str,
    /// Tracker's id, if known.
    pub tracker_id: Option<i64>,
    /// The code, if there was trouble.
    pub code: Option<Code>,
    /// Tracker's words or an explanation.
    pub message: String,
    /// Changes to the counters of looks.
    pub looks: Option<i64>,
    /// Changes to the counter of looks that prove nothing.
    pub unclean: Option<i64>,
    /// Changes to the counter of resends.
    pub resends: Option<i64>,
    /// The record's id becomes the submission's.
    pub is_record: bool,
    /// From now on the plan may not change.
    pub fixes_plan: bool,
    /// When to look once more, a day after a lost answer.
    pub audit_at: Option<i64>,
    /// A person's word that the record is not there still holds: the send that it was given for never reached Tracker.
    pub still_absent: bool,
    /// The claim goes on with a look and is no nearer to its end: what kills PHP there must not begin anew for ever (C2).
    pub is_midway: bool,
}

/// Where a submission goes when the run lets go of it.
#[derive(Debug, Clone)]
pub struct Settled {
    /// Its new state.
    pub state: State,
    /// `partial` and the like.
    pub reason: &'static str,
    /// The code, if there was trouble.
    pub code: Option<Code>,
    /// Words for people.
    pub message: String,
    /// Milliseconds until the next try.
    pub due_in: i64,
    /// Whether an attempt was spent.
    pub spent: bool,
}

impl Store {
    /// Lays a submission aside that cannot be opened; it is looked at again later and holds up nothing.
    ///
    /// # Errors
    /// The store's.
    pub fn set_aside(&mut self, seq: i64, code: Code, now: &Moment, wait: i64) -> Result<(), QueueError> {
        self.write(|tx| {
            tx.sql
                .prepare_cached(
                    "UPDATE submission SET state = CASE state WHEN 'queued' THEN 'retry' ELSE state END, code = ?2, due_at = ?3, due_boot = ?4,
                     boot_id = ?5, updated_at = ?6 WHERE seq = ?1 AND state IN ('queued','retry','checking')",
                )?
                .execute(params![seq, code.number(), now.wall + wait, now.boot + wait, now.boot_id, now.wall])?;
            Ok(())
        })
    }

    /// Makes due again what no plan could be made for, because the mapping has changed. `mark` stands for the new one.
    ///
    /// # Errors
    /// The store's.
    pub fn plan_again(&mut self, mark: &str) -> Result<usize, QueueError> {
        self.write(|tx| {
            let sql = "UPDATE submission SET due_at = 0, due_boot = 0 WHERE state = 'retry' AND plan_fixed = 0 AND code BETWEEN ?1 AND ?2";
            tx.set_meta("mapping", mark)?;
            Ok(tx.sql.prepare_cached(sql)?.execute([Code::MapJson.number(), Code::SettingTemplate.number()])?)
        })
    }

    /// Notes what a file was judged to be since it came in. One that retention took meanwhile stays away.
    ///
    /// # Errors
    /// The store's.
    pub fn judged(&mut self, seq: i64, id: &str, part: &FilePart) -> Result<(), QueueError> {
        let about =
            serde_json::to_vec(part).map_err(|error| QueueError::plain(Code::EngineFault, error.to_string()))?;
        self.write(|tx| {
            let about = tx.seal(id, "file", &about)?;
            let sql = "UPDATE file SET about = ?3 WHERE seq = ?1 AND ordinal = ?2";
            tx.sql.prepare_cached(sql)?.execute(params![seq, part.ordinal, about])?;
            Ok(())
        })
    }

    /// Claims a submission for a run (C1), with a new plan unless the old one is fixed.
    /// `false` when it moved on meanwhile.
    ///
    /// # Errors
    /// The store's.
    pub fn claim(&mut self, job: &Job, run_id: &str, plan: Option<&NewPlan>, now: &Moment) -> Result<bool, QueueError> {
        self.write(|tx| tx.claim(job, run_id, plan, now))
    }

    /// Writes the intent to send a step (I1). `false`: the run or the step is no longer what it was, or the
    /// submission is marked for erasure; then nothing may be sent.
    ///
    /// # Errors
    /// The store's.
    pub fn intend(
        &mut self,
        seq: i64,
        ordinal: i64,
        run_id: &str,
        hash: &[u8],
        deadline: i64,
        now: &Moment,
    ) -> Result<bool, QueueError> {
        self.write(|tx| {
            let changed = tx
                .sql
                .prepare_cached(
                    "UPDATE step SET state = 'intent', request_hash = ?4, intent_at = ?5, deadline = ?6, boot_id = ?7
                     WHERE seq = ?1 AND ordinal = ?2 AND state = 'todo'
                     AND EXISTS (SELECT 1 FROM submission WHERE seq = ?1 AND run_id = ?3 AND state = 'sending' AND erase = 0)",
                )?
                .execute(params![seq, ordinal, run_id, hash, now.wall, deadline, now.boot_id])?;
            // "It is not there" is said of one send: of the next lost answer nobody has said anything.
            tx.sql.prepare_cached("UPDATE submission SET verify = 0 WHERE seq = ?1 AND verify = 2")?.execute([seq])?;
            Ok(changed == 1)
        })
    }

    /// Writes what became of a step. Any written outcome ends the count of crashes.
    ///
    /// # Errors
    /// `HT-1004` when the run no longer holds the submission; the store's.
    pub fn outcome(
        &mut self,
        job: &Job,
        step: &Step,
        run_id: &str,
        outcome: &StepOutcome,
        now: &Moment,
    ) -> Result<(), QueueError> {
        self.write(|tx| tx.outcome(job, step, run_id, outcome, now))
    }

    /// Lets go of a submission.
    ///
    /// # Errors
    /// `HT-1004` when the run no longer holds it; the store's.
    pub fn settle(&mut self, job: &Job, run_id: &str, settled: &Settled, now: &Moment) -> Result<(), QueueError> {
        self.write(|tx| tx.settle(job, run_id, settled, now))
    }
}

impl Tx<'_> {
    fn claim(&self, job: &Job, run_id: &str, plan: Option<&NewPlan>, now: &Moment) -> Result<bool, QueueError> {
        let changed = self
            .sql
            .prepare_cached(
                "UPDATE submission SET state = 'sending', run_id = ?2, crashes = crashes + 1, updated_at = ?3
                 WHERE seq = ?1 AND state = ?4 AND (erase = 0 OR
                 EXISTS (SELECT 1 FROM step WHERE step.seq = submission.seq AND step.state IN ('unknown','applied')))",
            )?
            .execute(params![job.seq, run_id, now.wall, job.state.name()])?;
        if changed == 1
            && let Some(plan) = plan
        {
            self.replace_plan(job, plan)?;
        }
        Ok(changed == 1)
    }

    fn replace_plan(&self, job: &Job, plan: &NewPlan) -> Result<(), QueueError> {
        let sealed = self.seal(&job.id, "plan", &plan.requests)?;
        let person = plan.person.map(|hash| hash.to_vec());
        self.sql
            .prepare_cached(
                "UPDATE submission SET plan = ?2, person = ?3, record_type = ?4, api = ?5, tenant = ?6, generation = ?7 WHERE seq = ?1 AND plan_fixed = 0",
            )?
            .execute(params![job.seq, sealed, person, plan.record_type, plan.api, plan.tenant, plan.generation])?;
        self.index(job.seq, super::addresses::planned(&plan.requests).map(|email| self.email_key(&email)))?;
        // Resends count over plans: a step that was made anew keeps what its predecessor has used up.
        let resends: i64 = self
            .sql
            .prepare_cached("SELECT coalesce(max(resends), 0) FROM step WHERE seq = ?1 AND kind = 'record'")?
            .query_row([job.seq], |row| row.get(0))?;
        self.sql.prepare_cached("DELETE FROM step WHERE seq = ?1")?.execute([job.seq])?;
        for (ordinal, (kind, file, skipped)) in plan.steps.iter().enumerate() {
            let state = if *skipped { StepState::Skipped } else { StepState::Todo };
            let used = if *kind == StepKind::Record { resends } else { 0 };
            self.sql
                .prepare_cached(
                    "INSERT INTO step (seq, ordinal, kind, state, file, resends) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                )?
                .execute(params![
                    job.seq,
                    i64::try_from(ordinal).unwrap_or_default(),
                    kind.name(),
                    state.name(),
                    file,
                    used
                ])?;
        }
        Ok(())
    }

    fn outcome(
        &self,
        job: &Job,
        step: &Step,
        run_id: &str,
        outcome: &StepOutcome,
        now: &Moment,
    ) -> Result<(), QueueError> {
        let state = outcome.state.unwrap_or(step.state);
        let message = self.seal_words(&job.id, "step", &outcome.message)?;
        let lost = state == StepState::Unknown && step.state != StepState::Unknown;
        let settled = matches!(state, StepState::Done | StepState::Rejected | StepState::Skipped).then_some(now.wall);
        let resent = state == StepState::Todo && outcome.resends.is_some();
        self.sql
            .prepare_cached(
                "UPDATE step SET state = ?3, tracker_id = coalesce(?4, tracker_id), how = ?5, code = ?6, message = ?7, settled_at = ?8,
                 looks = coalesce(?9, looks), unclean = coalesce(?10, unclean), resends = coalesce(?11, resends),
                 unknown_at = CASE WHEN ?12 THEN ?13 WHEN ?16 THEN NULL ELSE unknown_at END,
                 unknown_boot = CASE WHEN ?12 THEN ?14 WHEN ?16 THEN NULL ELSE unknown_boot END,
                 boot_id = CASE WHEN ?12 THEN ?15 ELSE boot_id END
                 WHERE seq = ?1 AND ordinal = ?2",
            )?
            .execute(params![
                job.seq,
                step.ordinal,
                state.name(),
                outcome.tracker_id,
                if settled.is_some() { outcome.event } else { "" },
                outcome.code.map_or(0, Code::number),
                message,
                settled,
                outcome.looks,
                outcome.unclean,
                outcome.resends,
                lost,
                now.wall,
                now.boot,
                now.boot_id,
                resent,
            ])?;
        let record = if outcome.is_record { outcome.tracker_id } else { None };
        let held = self
            .sql
            .prepare_cached(
                "UPDATE submission SET crashes = CASE WHEN ?8 THEN crashes ELSE 0 END, updated_at = ?3, plan_fixed = max(plan_fixed, ?4),
                 tracker_id = coalesce(?5, tracker_id), audit_at = coalesce(?6, audit_at),
                 verify = CASE WHEN ?9 THEN 2 WHEN ?7 THEN 0 ELSE verify END
                 WHERE seq = ?1 AND run_id = ?2 AND state = 'sending'",
            )?
            .execute(params![
                job.seq,
                run_id,
                now.wall,
                outcome.fixes_plan,
                record,
                outcome.audit_at,
                // Only what became of the record itself: a Lead is still to be looked for when its person is found. One that
                // was there already may have its children too.
                outcome.fixes_plan
                    && step.kind == StepKind::Record
                    && !matches!(outcome.event, "found" | "reconciled"),
                outcome.is_midway,
                outcome.still_absent,
            ])?;
        self.must_hold(held)?;
        self.note(
            job.seq,
            now.wall,
            run_id,
            step.kind.name(),
            outcome.event,
            outcome.code.map_or(0, Code::number),
            &job.id,
            &outcome.message,
        )
    }

    fn settle(&self, job: &Job, run_id: &str, settled: &Settled, now: &Moment) -> Result<(), QueueError> {
        let message = self.seal_words(&job.id, "message", &settled.message)?;
        let code = settled.code.map_or(0, Code::number);
        let due = |clock: i64| if settled.due_in > 0 { clock + settled.due_in } else { 0 };
        let ended = settled.state.is_end().then_some(now.wall);
        let held = self
            .sql
            .prepare_cached(
                "UPDATE submission SET state = ?3, reason = ?4, code = ?5, message = ?6, due_at = ?7, due_boot = ?8, boot_id = ?9,
                 attempts = attempts + ?10, crashes = 0, run_id = '', updated_at = ?11, ended_at = ?12
                 WHERE seq = ?1 AND run_id = ?2 AND state = 'sending'",
            )?
            .execute(params![
                job.seq,
                run_id,
                settled.state.name(),
                settled.reason,
                code,
                message,
                due(now.wall),
                due(now.boot),
                now.boot_id,
                i64::from(settled.spent),
                now.wall,
                ended
            ])?;
        self.must_hold(held)?;
        if job.is_still(settled) {
            return Ok(());
        }
        if settled.code != Some(Code::RelaySamePerson) {
            self.wake_others(job.seq)?;
        }
        self.run_item(run_id, job.seq, settled.state, code, now.wall)?;
        if settled.spent && !settled.state.is_end() {
            // From these lines it is told later how long a submission was tried in vain.
            return self.note(job.seq, now.wall, run_id, "", "tried", code, &job.id, &settled.message);
        }
        self.note(job.seq, now.wall, run_id, "", settled.state.name(), code, &job.id, &settled.message)
    }

    pub(super) fn must_hold(&self, changed: usize) -> Result<(), QueueError> {
        if changed == 1 {
            Ok(())
        } else {
            Err(QueueError::plain(Code::EngineFault, "the submission is no longer this run's"))
        }
    }

    pub(super) fn run_item(&self, run_id: &str, seq: i64, state: State, code: u16, at: i64) -> Result<(), QueueError> {
        self.sql
            .prepare_cached(
                "INSERT OR REPLACE INTO run_item (run_id, seq, state, code, at) VALUES (?1, ?2, ?3, ?4, ?5)",
            )?
            .execute(params![run_id, seq, state.name(), code, at])?;
        Ok(())
    }
}
