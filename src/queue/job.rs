//! What a run works on, and reading it: the next submission that is due, its plan, files and steps.

use rusqlite::{OptionalExtension, Row, params};

use super::open::Tx;
use super::state::{State, StepState};
use super::work::Settled;
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

impl Job {
    /// Whether letting go of it, as it was read before its claim, leaves it as it was: it waits on, and neither the journal nor
    /// the list of runs needs one more line of it.
    pub fn is_still(&self, settled: &Settled) -> bool {
        let code = settled.code.map_or(0, Code::number);
        self.state == settled.state && self.code == code && !settled.spent
    }

    /// Whether its next record to be sent is the person.
    pub fn is_to_make_person(&self) -> bool {
        self.steps.iter().find(|step| step.is_record()).is_some_and(|step| step.state == StepState::Todo)
    }
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
    /// How it was settled; empty while it is not.
    pub how: String,
}

/// How a step was settled by somebody who named its record: it is to be read before anything hangs on it.
pub const ENTERED: &str = "by hand";
/// The same, named once more after it was read and found to be somebody else's.
pub const INSISTED: &str = "by hand, again";

/// Nothing is ever put off for longer: a time that is further away was set by a clock that ran ahead, or by another boot of a
/// machine that does not name its boots, and is due.
pub(super) const FAR_MS: i64 = 48 * 3_600_000;

impl Step {
    /// Whether it makes a person or a Lead.
    pub const fn is_record(&self) -> bool {
        matches!(self.kind, StepKind::Contact | StepKind::Record)
    }

    /// Whether only a person may know whether Tracker has the record: its answer is open, or it was taken for absent and is
    /// not sent again without a look.
    pub const fn is_doubtful_record(&self) -> bool {
        let is_to_be_sent_again = matches!(self.state, StepState::Todo) && self.resends > 0;
        self.is_record() && (self.state.is_open() || is_to_be_sent_again)
    }

    /// Whether the person or Lead was there already, or may have been: what was made for this submission says so.
    pub fn was_there(&self) -> bool {
        self.is_record() && self.state == StepState::Done && !matches!(self.how.as_str(), "created" | "reconciled")
    }
}

impl Store {
    /// The next submission that is due: lost answers first, then what is new, then what is tried again, lost answers whose look
    /// has failed among it. Those would else come before everybody new for as long as their looks fail.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn next_due(&self, now: &Moment) -> Result<Option<i64>, QueueError> {
        let order =
            [(State::Checking, 0), (State::Queued, i64::MAX), (State::Checking, i64::MAX), (State::Retry, i64::MAX)];
        for (state, attempts) in order {
            // One that is marked for erasure comes only to settle what is open: nothing of it is sent any more.
            let sql = "SELECT seq FROM submission WHERE state = ?1 AND attempts <= ?6 AND (erase = 0 OR
                       EXISTS (SELECT 1 FROM step WHERE step.seq = submission.seq AND step.state IN ('unknown','applied')))
                       AND ((boot_id = ?2 AND (due_boot <= ?3 OR due_boot > ?3 + ?5)) OR (boot_id <> ?2 AND (due_at <= ?4 OR due_at > ?4 + ?5)))
                       ORDER BY due_at, seq LIMIT 1";
            let found = self
                .conn
                .prepare_cached(sql)?
                .query_row(params![state.name(), now.boot_id, now.boot, now.wall, FAR_MS, attempts], |row| row.get(0))
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
        let sql = "SELECT count(*), min(CASE WHEN wait > ?4 THEN 0 ELSE wait END) FROM
                   (SELECT CASE WHEN boot_id = ?1 THEN due_boot - ?2 ELSE due_at - ?3 END AS wait
                   FROM submission WHERE state IN ('queued','retry','checking'))";
        Ok(self.conn.prepare_cached(sql)?.query_row(params![now.boot_id, now.boot, now.wall, FAR_MS], |row| {
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

    /// When attempts were spent, newest first, as far as the journal says: at most so many.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn tries(&self, seq: i64, most: i64) -> Result<Vec<i64>, QueueError> {
        let sql = "SELECT at FROM journal WHERE seq = ?1 AND event = 'tried' ORDER BY line DESC LIMIT ?2";
        let mut statement = self.conn.prepare_cached(sql)?;
        let rows = statement.query_map([seq, most], |row| row.get(0))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Keeps whose submission it is, by the keyed hash.
    ///
    /// # Errors
    /// The store's.
    pub fn set_person(&mut self, seq: i64, person: &[u8]) -> Result<(), QueueError> {
        self.write(|tx| tx.change("UPDATE submission SET person = ?2 WHERE seq = ?1", params![seq, person]).map(drop))
    }

    /// When a code was last noted of a submission.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn last_noted(&self, seq: i64, code: Code) -> Result<Option<i64>, QueueError> {
        let sql = "SELECT at FROM journal WHERE seq = ?1 AND code = ?2 ORDER BY line DESC LIMIT 1";
        Ok(self.conn.prepare_cached(sql)?.query_row(params![seq, code.number()], |row| row.get(0)).optional()?)
    }

    /// Whether another submission of the same person has an open record, so that this one must wait. One with an open
    /// record never waits itself, since its plan is fixed: nobody waits in a circle.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn earlier_open(&self, seq: i64, person: &[u8]) -> Result<Option<String>, QueueError> {
        let sql = "SELECT id FROM submission s WHERE person = ?1 AND seq <> ?2
                   AND state IN ('sending','checking','attention','queued','retry')
                   AND EXISTS (SELECT 1 FROM step WHERE step.seq = s.seq AND kind IN ('contact','record')
                               AND step.state IN ('intent','unknown','applied')) ORDER BY seq LIMIT 1";
        Ok(self.conn.prepare_cached(sql)?.query_row(params![person, seq], |row| row.get(0)).optional()?)
    }

    /// The newest record of a type that was made for a person of a tenant, and the generation of the credentials that it
    /// was made under; a Lead's person is a Contact. Tracker's
    /// search lags behind its own writes, this does not.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn known_record(
        &self,
        person: &[u8],
        tenant: &str,
        record_type: RecordType,
    ) -> Result<Option<(i64, i64)>, QueueError> {
        let sql = "SELECT step.tracker_id, generation FROM submission JOIN step USING (seq) WHERE person = ?1 AND tenant = ?2
                   AND ((step.kind = 'record' AND submission.record_type = ?3) OR (step.kind = 'contact' AND ?3 = 'Contact'))
                   AND step.state = 'done' AND step.tracker_id IS NOT NULL ORDER BY submission.seq DESC LIMIT 1";
        let known = self
            .conn
            .prepare_cached(sql)?
            .query_row(params![person, tenant, record_type.name()], |row| Ok((row.get(0)?, row.get(1)?)));
        Ok(known.optional()?)
    }
}

impl Store {
    /// Why a step was refused: its code, and Tracker's words.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn refusal(&self, seq: i64, ordinal: i64, id: &str) -> Result<(Option<Code>, String), QueueError> {
        let mut statement =
            self.conn.prepare_cached("SELECT code, message FROM step WHERE seq = ?1 AND ordinal = ?2")?;
        let (code, words) = statement.query_row([seq, ordinal], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok((Code::from_number(code), self.read().words(id, "step", words)))
    }
}

impl Tx<'_> {
    /// Makes due what waits for this submission, unless its record is still open.
    pub(super) fn wake_others(&self, seq: i64) -> Result<(), QueueError> {
        let sql = "UPDATE submission SET due_at = 0, due_boot = 0 WHERE state = 'retry' AND code = ?2 AND seq <> ?1
                   AND person = (SELECT person FROM submission WHERE seq = ?1)
                   AND NOT EXISTS (SELECT 1 FROM submission s JOIN step USING (seq) WHERE s.seq = ?1
                                   AND s.state IN ('sending','checking','attention','queued','retry')
                                   AND step.kind IN ('contact','record') AND step.state IN ('intent','unknown','applied'))";
        self.sql.prepare_cached(sql)?.execute(params![seq, Code::RelaySamePerson.number()])?;
        Ok(())
    }

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
        let sql = "SELECT ordinal, kind, state, file, intent_at, boot_id, unknown_at, unknown_boot, looks, unclean, resends, tracker_id, how
                   FROM step WHERE seq = ?1 ORDER BY ordinal";
        let mut statement = self.sql.prepare_cached(sql)?;
        let rows = statement.query_map([seq], read_step)?;
        Ok(rows.collect::<Result<_, _>>()?)
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
        how: row.get(12)?,
    })
}
