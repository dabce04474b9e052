//! What a run reads and writes while it delivers: claim, plan, intent, outcome. Every write names the run;
//! a write under another run's id changes nothing and says so.

use rusqlite::{OptionalExtension, Row, params};

use super::open::Tx;
use super::state::{State, StepState};
use super::{QueueError, Store};
use crate::clock::Moment;
use crate::codes::Code;
use crate::settings::RecordType;
use crate::submission::{FilePart, Submission};
use crate::tracker::plan::StepKind;

/// A submission as a run works on it.
#[derive(Debug, Clone)]
pub struct Job {
    /// Order of arrival; the key of every statement here.
    pub seq: i64,
    /// Its id.
    pub id: String,
    /// Receipt, milliseconds since 1970.
    pub received_at: i64,
    /// Its state when it was read.
    pub state: State,
    /// The code of the last trouble, as a number.
    pub code: u16,
    /// Attempts that were spent.
    pub attempts: i64,
    /// Claims in a row that ended without any written outcome.
    pub crashes: i64,
    /// The text by which its record can be found again.
    pub marker: String,
    /// Keyed hash of record type and e-mail.
    pub person: Option<Vec<u8>>,
    /// Keyed hash of hosts and client id of the plan.
    pub tenant: String,
    /// Generation of the credentials of the plan.
    pub generation: i64,
    /// The opened plan; empty when there is none.
    pub plan: Vec<u8>,
    /// Whether the plan may no longer change.
    pub plan_fixed: bool,
    /// Tracker's id of the record, once known.
    pub tracker_id: Option<i64>,
    /// Whether it must be looked up before its first send.
    pub verify: bool,
    /// Whether a person said that it is not in Tracker.
    pub said_absent: bool,
    /// What came in; `None` once it was erased.
    pub submission: Option<Submission>,
    /// Its files.
    pub files: Vec<FilePart>,
    /// Its steps, in order; empty before the first claim.
    pub steps: Vec<Step>,
}

/// A step of a submission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Its place.
    pub ordinal: i64,
    /// What it does.
    pub kind: StepKind,
    /// Where it stands.
    pub state: StepState,
    /// The file of a document step.
    pub file: Option<u32>,
    /// When its last intent was written, milliseconds since 1970.
    pub intent_at: Option<i64>,
    /// The boot that the boot times belong to.
    pub boot_id: String,
    /// When its answer was lost.
    pub unknown_at: Option<i64>,
    /// The same on the boot clock.
    pub unknown_boot: Option<i64>,
    /// Clean looks that found nothing.
    pub looks: i64,
    /// Answered looks that prove nothing.
    pub unclean: i64,
    /// How often it was sent again after it was proven absent.
    pub resends: i64,
    /// Tracker's id.
    pub tracker_id: Option<i64>,
}

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
    /// The next submission that is due, lost answers first, then what is new, then what is tried again.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn next_due(&self, now: &Moment) -> Result<Option<i64>, QueueError> {
        for state in [State::Checking, State::Queued, State::Retry] {
            let sql = "SELECT seq FROM submission WHERE state = ?1
                       AND ((boot_id = ?2 AND due_boot <= ?3) OR (boot_id <> ?2 AND due_at <= ?4))
                       ORDER BY due_at, seq LIMIT 1";
            let found = self
                .conn
                .prepare_cached(sql)?
                .query_row(params![state.name(), now.boot_id, now.boot, now.wall], |row| row.get(0))
                .optional()?;
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }

    /// How many submissions wait to be sent, and in how many milliseconds the next one is due.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn waiting(&self, now: &Moment) -> Result<(i64, Option<i64>), QueueError> {
        let sql = "SELECT count(*), min(CASE WHEN boot_id = ?1 THEN due_boot - ?2 ELSE due_at - ?3 END)
                   FROM submission WHERE state IN ('queued','retry','checking')";
        Ok(self.conn.prepare_cached(sql)?.query_row(params![now.boot_id, now.boot, now.wall], |row| {
            Ok((row.get(0)?, row.get::<_, Option<i64>>(1)?.map(|left| left.max(0))))
        })?)
    }

    /// The steps of a submission, in order.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn steps(&self, seq: i64) -> Result<Vec<Step>, QueueError> {
        self.read().steps(seq)
    }

    /// Reads a submission with everything that delivering it needs.
    ///
    /// # Errors
    /// `HT-13xx` when it cannot be opened; SQLite's own.
    pub fn job(&self, seq: i64) -> Result<Job, QueueError> {
        self.read().job(seq)
    }

    /// Whether an earlier submission of the same person has an open record, so that this one must wait.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn earlier_open(&self, seq: i64, person: &[u8]) -> Result<Option<String>, QueueError> {
        let sql = "SELECT id FROM submission s WHERE person = ?1 AND seq < ?2
                   AND state IN ('sending','checking','attention','queued','retry')
                   AND EXISTS (SELECT 1 FROM step WHERE step.seq = s.seq AND kind IN ('contact','record')
                               AND step.state IN ('intent','unknown','applied')) ORDER BY seq LIMIT 1";
        Ok(self.conn.prepare_cached(sql)?.query_row(params![person, seq], |row| row.get(0)).optional()?)
    }

    /// The newest record that a step of a kind gave for a person of a tenant. Tracker's search lags behind its
    /// own writes, this does not.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn known_record(&self, person: &[u8], tenant: &str, kind: StepKind) -> Result<Option<i64>, QueueError> {
        let sql = "SELECT step.tracker_id FROM submission JOIN step USING (seq) WHERE person = ?1 AND tenant = ?2 AND step.kind = ?3
                   AND step.state = 'done' AND step.tracker_id IS NOT NULL ORDER BY submission.seq DESC LIMIT 1";
        Ok(self
            .conn
            .prepare_cached(sql)?
            .query_row(params![person, tenant, kind.name()], |row| row.get(0))
            .optional()?)
    }

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

    /// Begins the gaps of a lost answer anew, because its boot times belong to another boot.
    ///
    /// # Errors
    /// The store's.
    pub fn rebase_unknown(&mut self, seq: i64, ordinal: i64, now: &Moment) -> Result<(), QueueError> {
        self.write(|tx| {
            tx.sql
                .prepare_cached(
                    "UPDATE step SET looks = 0, unknown_boot = ?3, boot_id = ?4 WHERE seq = ?1 AND ordinal = ?2",
                )?
                .execute(params![seq, ordinal, now.boot, now.boot_id])?;
            Ok(())
        })
    }

    /// A delivered submission whose late look is due.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn due_audit(&self, now: i64) -> Result<Option<i64>, QueueError> {
        let sql = "SELECT seq FROM submission WHERE audit_at <= ?1 AND state IN ('done','attention','failed') ORDER BY audit_at LIMIT 1";
        Ok(self.conn.prepare_cached(sql)?.query_row([now], |row| row.get(0)).optional()?)
    }

    /// Ends the late look of a submission; with the ids of a twin, a person is asked.
    ///
    /// # Errors
    /// The store's.
    pub fn end_audit(&mut self, seq: i64, twins: Option<&str>, now: &Moment) -> Result<(), QueueError> {
        self.write(|tx| {
            let id: String = tx.sql.query_row("SELECT id FROM submission WHERE seq = ?1", [seq], |row| row.get(0))?;
            tx.sql.execute("UPDATE submission SET audit_at = NULL WHERE seq = ?1", [seq])?;
            let Some(ids) = twins else { return tx.note(seq, now.wall, "", "record", "audited", 0, &id, "") };
            let message = tx.seal_words(&id, "message", ids)?;
            let code = Code::RelayLateTwin.number();
            tx.sql.execute(
                "UPDATE submission SET state = 'attention', reason = 'late twin', code = ?2, message = ?3, updated_at = ?4 WHERE seq = ?1",
                params![seq, code, message, now.wall],
            )?;
            tx.note(seq, now.wall, "", "record", "late twin", code, &id, ids)
        })
    }

    /// Keeps a record that Tracker holds for certain, so that later look-ups have something they must find;
    /// `None` forgets it.
    ///
    /// # Errors
    /// The store's.
    pub fn set_control(
        &mut self,
        tenant: &str,
        record_type: RecordType,
        known: Option<(&str, i64)>,
    ) -> Result<(), QueueError> {
        let text = known.map(|(email, id)| format!("{id} {email}"));
        self.set_token(&control_name(tenant, record_type), text.as_deref().map(|text| (text, None)))
    }

    /// The record that a look-up of a type must find to be believed: (e-mail, id).
    ///
    /// # Errors
    /// SQLite's own.
    pub fn control(&self, tenant: &str, record_type: RecordType) -> Result<Option<(String, i64)>, QueueError> {
        let kept = self.token(&control_name(tenant, record_type))?;
        Ok(kept.and_then(|(text, _)| {
            let (id, email) = text.split_once(' ')?;
            Some((email.to_owned(), id.parse().ok()?))
        }))
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

fn control_name(tenant: &str, record_type: RecordType) -> String {
    format!("control {} {tenant}", record_type.name())
}

impl Tx<'_> {
    pub(super) fn job(&self, seq: i64) -> Result<Job, QueueError> {
        let sql = "SELECT id, received_at, state, code, attempts, crashes, marker, person, tenant, generation, plan, plan_fixed,
                   tracker_id, verify, payload FROM submission WHERE seq = ?1";
        let (mut job, plan, payload) = self.sql.prepare_cached(sql)?.query_row([seq], |row| read_job(seq, row))?;
        if let Some(sealed) = plan {
            job.plan = self.unseal(&job.id, "plan", &sealed)?.to_vec();
        }
        if let Some(sealed) = payload {
            let json = self.unseal(&job.id, "payload", &sealed)?;
            let one = serde_json::from_slice(&json)
                .map_err(|error| QueueError::plain(Code::UnsealFailed, error.to_string()))?;
            job.submission = Some(one);
        }
        job.files = self.files(seq, &job.id)?;
        job.steps = self.steps(seq)?;
        Ok(job)
    }

    pub(super) fn files(&self, seq: i64, id: &str) -> Result<Vec<FilePart>, QueueError> {
        let mut statement = self.sql.prepare_cached("SELECT about FROM file WHERE seq = ?1 ORDER BY ordinal")?;
        let rows = statement.query_map([seq], |row| row.get::<_, Vec<u8>>(0))?;
        rows.map(|sealed| {
            let json = self.unseal(id, "file", &sealed?)?;
            serde_json::from_slice(&json).map_err(|error| QueueError::plain(Code::UnsealFailed, error.to_string()))
        })
        .collect()
    }

    pub(super) fn steps(&self, seq: i64) -> Result<Vec<Step>, QueueError> {
        let sql = "SELECT ordinal, kind, state, file, intent_at, boot_id, unknown_at, unknown_boot, looks, unclean, resends, tracker_id
                   FROM step WHERE seq = ?1 ORDER BY ordinal";
        let mut statement = self.sql.prepare_cached(sql)?;
        let rows = statement.query_map([seq], read_step)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    fn claim(&self, job: &Job, run_id: &str, plan: Option<&NewPlan>, now: &Moment) -> Result<bool, QueueError> {
        let changed = self
            .sql
            .prepare_cached(
                "UPDATE submission SET state = 'sending', run_id = ?2, crashes = crashes + 1, updated_at = ?3
                 WHERE seq = ?1 AND state = ?4 AND erase = 0",
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
                "UPDATE submission SET crashes = 0, updated_at = ?3, plan_fixed = max(plan_fixed, ?4),
                 tracker_id = coalesce(?5, tracker_id), audit_at = coalesce(?6, audit_at),
                 verify = CASE WHEN ?7 THEN 0 ELSE verify END
                 WHERE seq = ?1 AND run_id = ?2 AND state = 'sending'",
            )?
            .execute(params![
                job.seq,
                run_id,
                now.wall,
                outcome.fixes_plan,
                record,
                outcome.audit_at,
                outcome.fixes_plan || step.kind == StepKind::Find
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
        self.run_item(run_id, job.seq, settled.state, code, now.wall)?;
        self.note(job.seq, now.wall, run_id, "", settled.state.name(), code, &job.id, &settled.message)
    }

    fn must_hold(&self, changed: usize) -> Result<(), QueueError> {
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

type SealedJob = (Job, Option<Vec<u8>>, Option<Vec<u8>>);

fn read_job(seq: i64, row: &Row<'_>) -> rusqlite::Result<SealedJob> {
    let state: String = row.get(2)?;
    let job = Job {
        seq,
        id: row.get(0)?,
        received_at: row.get(1)?,
        state: State::from_name(&state).unwrap_or(State::Attention),
        code: row.get(3)?,
        attempts: row.get(4)?,
        crashes: row.get(5)?,
        marker: row.get(6)?,
        person: row.get(7)?,
        tenant: row.get(8)?,
        generation: row.get(9)?,
        plan: Vec::new(),
        plan_fixed: row.get(11)?,
        tracker_id: row.get(12)?,
        verify: row.get::<_, i64>(13)? > 0,
        said_absent: row.get::<_, i64>(13)? == 2,
        submission: None,
        files: Vec::new(),
        steps: Vec::new(),
    };
    Ok((job, row.get(10)?, row.get(14)?))
}

fn read_step(row: &Row<'_>) -> rusqlite::Result<Step> {
    let (kind, state): (String, String) = (row.get(1)?, row.get(2)?);
    Ok(Step {
        ordinal: row.get(0)?,
        // The schema's CHECKs keep other names out; the fallbacks send nothing.
        kind: StepKind::from_name(&kind).unwrap_or(StepKind::Find),
        state: StepState::from_name(&state).unwrap_or(StepState::Skipped),
        file: row.get(3)?,
        intent_at: row.get(4)?,
        boot_id: row.get(5)?,
        unknown_at: row.get(6)?,
        unknown_boot: row.get(7)?,
        looks: row.get(8)?,
        unclean: row.get(9)?,
        resends: row.get(10)?,
        tracker_id: row.get(11)?,
    })
}
