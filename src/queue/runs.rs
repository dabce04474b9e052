//! Runs: their rows, and what a run that ended abruptly left behind.

use std::path::PathBuf;

use rusqlite::{OptionalExtension, params};

use super::lock::PATIENCE;
use super::open::Tx;
use super::state::{State, StepState};
use super::{QueueError, Store};
use crate::clock::Moment;
use crate::codes::Code;

/// Closer together than this, two runs of cron belong to one tick: a continuation follows its run within seconds.
const SAME_TICK_MS: i64 = 2 * 60_000;
/// Further apart than this, cron was away; that says nothing about how often it comes.
const AWAY_MS: i64 = 6 * 3_600_000;

/// The file of the run lock, in a store's folder.
pub(super) const RUN_LOCK: &str = "run.lock";

/// What was cleaned up after earlier runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LeftOver {
    /// Submissions that were put back; nothing of them was on its way.
    pub queued: usize,
    /// Submissions with an intent whose answer nobody heard.
    pub checking: usize,
}

impl Store {
    /// Closes what a call that ended abruptly left open in this process.
    pub fn clean_up_after_abort(&mut self) {
        self.patience = PATIENCE;
        self.run_lock.free();
        self.run = None;
        if !self.conn.is_autocommit() {
            let _ = self.conn.execute_batch("ROLLBACK");
        }
    }

    /// The file whose lock a run takes; none where nobody else can run.
    pub fn run_lock_path(&self) -> Option<PathBuf> {
        self.dir().map(|dir| dir.join(RUN_LOCK)).or_else(|| self.lock_file.clone())
    }

    /// From here on what this handle writes is a run's: it is written only as long as no other run has begun.
    pub fn write_as(&mut self, run_id: &str) {
        self.run = Some(run_id.to_owned());
    }

    /// From here on what this handle writes is nobody's in particular.
    pub fn write_as_nobody(&mut self) {
        self.run = None;
    }

    /// Begins a run: its row, and the end of every run that did not end itself. Only the holder of the run
    /// lock may call it.
    ///
    /// # Errors
    /// The store's.
    pub fn begin_run(&mut self, run_id: &str, caller: &str, now: &Moment) -> Result<LeftOver, QueueError> {
        self.write(|tx| {
            let left = tx.recover(now)?;
            tx.change("UPDATE run SET ended_at = ?1, outcome = 'ended abruptly' WHERE ended_at IS NULL", [now.wall])?;
            tx.change(
                "INSERT INTO run (id, caller, pid, started_at) VALUES (?1, ?2, ?3, ?4)",
                params![run_id, caller, std::process::id(), now.wall],
            )?;
            match caller {
                "cron" => tx.note_tick(now.wall)?,
                "cli" => tx.set_meta("cli_at", &now.wall.to_string())?,
                _ => {}
            }
            Ok(left)
        })
    }

    /// Ends a run, and drops the rows of old ones: three that touched a submission are shown, two hundred kept.
    ///
    /// # Errors
    /// The store's.
    pub fn end_run(&mut self, run_id: &str, outcome: &str, touched: usize, now: &Moment) -> Result<(), QueueError> {
        self.write(|tx| {
            tx.change("UPDATE run SET ended_at = ?2, outcome = ?3, touched = ?4 WHERE id = ?1", params![run_id, now.wall, outcome, i64::try_from(touched).unwrap_or(i64::MAX)])?;
            tx.change("DELETE FROM run WHERE touched = 0 AND ended_at IS NOT NULL AND id <> ?1", [run_id])?;
            tx.change(
                "DELETE FROM run WHERE started_at < (SELECT min(started_at) FROM (SELECT started_at FROM run ORDER BY started_at DESC LIMIT 200))",
                [],
            )?;
            tx.change("DELETE FROM run_item WHERE run_id NOT IN (SELECT id FROM run)", [])?;
            tx.set_meta("heartbeat", &now.wall.to_string())
        })?;
        // What follows is anybody's house-keeping.
        self.write_as_nobody();
        Ok(())
    }

    /// When the site's schedule last began a run, 0 for never: cron, or a command that a service or a crontab calls. What visits
    /// and buttons do is no sign of it: a site that is only visited seems alive while nothing that waits is tried again.
    ///
    /// # Errors
    /// The store's.
    pub fn scheduled_at(&self) -> Result<i64, QueueError> {
        Ok(self.fact("cron_at")?.max(self.fact("cli_at")?))
    }

    /// Raises the store's counter to the one that the site already raised, with the first claim of a run.
    ///
    /// # Errors
    /// The store's.
    pub fn set_counter(&mut self, counter: i64) -> Result<(), QueueError> {
        self.write(|tx| tx.set_meta("counter", &counter.to_string()))
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        // Also when a panic ends the run: the slot itself may be known elsewhere.
        self.run_lock.free();
    }
}

impl Tx<'_> {
    /// Whoever begins a run ends all others: a run that stood still after its lock was lost must not write over what was
    /// done since, whatever it writes, an outcome or a token.
    pub(super) fn must_be_in_force(&self, run_id: Option<&str>) -> Result<(), QueueError> {
        let Some(run_id) = run_id else { return Ok(()) };
        let sql = "SELECT 1 FROM run WHERE id = ?1 AND ended_at IS NULL";
        match self.sql.prepare_cached(sql)?.query_row([run_id], |_| Ok(())).optional()? {
            Some(()) => Ok(()),
            None => Err(QueueError::plain(Code::RelayBusy, "another run has begun since")),
        }
    }

    /// How often cron really comes, since hosts run it as they like: a longer gap counts at once, a shorter one by and by.
    fn note_tick(&self, now: i64) -> Result<(), QueueError> {
        let number = |name: &str| Ok::<i64, QueueError>(self.meta(name)?.parse().unwrap_or_default());
        let (last, known) = (number("cron_at")?, number("cron_interval")?);
        let gap = now - last;
        if (0..SAME_TICK_MS).contains(&gap) {
            return Ok(());
        }
        if last > 0 && (SAME_TICK_MS..=AWAY_MS).contains(&gap) {
            let next = if gap > known { gap } else { known - (known - gap) / 4 };
            self.set_meta("cron_interval", &next.to_string())?;
        }
        self.set_meta("cron_at", &now.to_string())
    }

    /// Puts back what a dead run held. An intent whose outcome was not written is an answer nobody heard.
    fn recover(&self, now: &Moment) -> Result<LeftOver, QueueError> {
        let mut left = LeftOver::default();
        let seqs: Vec<i64> = self
            .sql
            .prepare_cached("SELECT seq FROM submission WHERE state = 'sending'")?
            .query_map([], |row| row.get(0))?
            .collect::<Result<_, _>>()?;
        for seq in seqs {
            let id = self.id_of(seq)?;
            let steps = self.steps(seq)?;
            // Only a record is looked for once more a day later.
            let record = steps.iter().any(|step| step.state == StepState::Intent && step.is_record());
            let open = steps
                .iter()
                .any(|step| matches!(step.state, StepState::Intent | StepState::Unknown | StepState::Applied));
            let lost = self.change(
                "UPDATE step SET state = 'unknown', unknown_at = ?2, unknown_boot = ?3, boot_id = ?4, code = ?5 WHERE seq = ?1 AND state = 'intent'",
                params![seq, now.wall, now.boot, now.boot_id, Code::TrackerAnswerLost.number()],
            )?;
            let state = if open { State::Checking } else { State::Queued };
            self.change(
                "UPDATE submission SET state = ?2, run_id = '', due_at = 0, due_boot = 0, boot_id = ?3, updated_at = ?4,
                 plan_fixed = max(plan_fixed, ?5), audit_at = CASE WHEN ?7 THEN ?6 ELSE audit_at END WHERE seq = ?1",
                params![seq, state.name(), now.boot_id, now.wall, lost > 0, now.wall + 24 * 3_600_000, record],
            )?;
            self.note(seq, now.wall, "", "", "run ended abruptly", 0, &id, "")?;
            if open {
                left.checking += 1;
            } else {
                left.queued += 1;
            }
        }
        Ok(left)
    }
}
