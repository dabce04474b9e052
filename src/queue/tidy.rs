//! Retention, erasure and old keys: what leaves the store, and that it really leaves.

use std::path::PathBuf;

use rusqlite::{OptionalExtension, params};

use super::open::Tx;
use super::state::State;
use super::{QueueError, Store};

const DAY_MS: i64 = 24 * 3_600_000;
/// How long failed submissions and those in attention keep their data, in days.
pub const TROUBLE_DAYS: i64 = 90;
/// How long before that it is said, in days.
pub const WARNING_DAYS: i64 = 14;
/// How long ids and hashes are kept, in days.
pub const TRACE_DAYS: i64 = 365;
/// The same in milliseconds.
pub(super) const TRACE_MS: i64 = TRACE_DAYS * DAY_MS;
/// How long a store that a restore has set aside is kept, in days: what it holds may be past its own retention.
pub const ASIDE_DAYS: i64 = 7;

/// Since when a submission is in the state whose data is kept for [`TROUBLE_DAYS`]; null in every other state.
const SINCE: &str = "CASE state WHEN 'failed' THEN ended_at WHEN 'attention' THEN updated_at END";

/// How long a key of repetition outlives its window. It is compared with the time of receipt, and a form that was kept in the
/// site's own table comes in later than that.
const LATE_MS: i64 = 30 * DAY_MS;

/// A longer time between two looks for what is past its time may be a leap of the clock.
const LEAP_MS: i64 = 2 * DAY_MS;

/// Between two looks for what is past its time.
const TIDY_MS: i64 = 3_600_000;

impl Store {
    /// What each run leaves in order: what is past its time, once an hour; rows under older keys or an older index, a few
    /// every time.
    ///
    /// # Errors
    /// The store's.
    pub fn clean_up(&mut self, retention_days: i64, now: i64) -> Result<(), QueueError> {
        self.reseal()?;
        self.index_addresses()?;
        self.finish_erasures(now)?;
        if (0..TIDY_MS).contains(&(now - self.fact("tidied_at")?)) {
            return Ok(());
        }
        if self.trusts_the_clock(now)? {
            self.tidy(retention_days, now)?;
        }
        self.drop_draft();
        self.sweep(now)?;
        self.set_facts(&[("tidied_at", now.to_string())])
    }

    /// Whether what is past its time may go. A clock that has leapt ahead would take the data of everything that waits for a
    /// person at once: after a leap of more than two days, or an absence as long, nothing goes for a day.
    fn trusts_the_clock(&mut self, now: i64) -> Result<bool, QueueError> {
        let (last, since) = (self.fact("tidied_at")?, self.fact("leapt_at")?);
        if last > 0 && now - last > LEAP_MS {
            self.set_facts(&[("leapt_at", now.to_string())])?;
            return Ok(false);
        }
        Ok(!(0..DAY_MS).contains(&(now - since)))
    }

    /// Erases what is past its retention and forgets old keys of repetition. Returns how many submissions.
    ///
    /// # Errors
    /// The store's.
    pub fn tidy(&mut self, retention_days: i64, now: i64) -> Result<usize, QueueError> {
        let (count, files) = self.write(|tx| {
            let mut files = Vec::new();
            tx.change("DELETE FROM once WHERE until <= ?1", [now - LATE_MS])?;
            tx.change("DELETE FROM refusal WHERE at <= ?1", [now - 7 * DAY_MS])?;
            tx.change("DELETE FROM erased WHERE at <= ?1", [now - TRACE_MS])?;
            tx.change(
                "DELETE FROM search WHERE seq IN (SELECT seq FROM submission WHERE received_at <= ?1 AND payload IS NULL)",
                [now - TRACE_MS],
            )?;
            tx.change(
                "UPDATE submission SET person = NULL WHERE person IS NOT NULL AND received_at <= ?1 AND payload IS NULL",
                [now - TRACE_MS],
            )?;
            let mut count = 0;
            for seq in tx.past_retention(retention_days, now)? {
                files.extend(tx.drop_payload(seq, now)?);
                count += 1;
            }
            Ok((count, files))
        })?;
        self.unlink(&files);
        Ok(count)
    }

    /// When the data of a failed submission, or of one in attention, is erased if nobody does anything.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn erases_at(&self, seq: i64) -> Result<Option<i64>, QueueError> {
        let sql = format!("SELECT {SINCE} FROM submission WHERE seq = ?1 AND payload IS NOT NULL");
        let since: Option<Option<i64>> =
            self.conn.prepare_cached(&sql)?.query_row([seq], |row| row.get(0)).optional()?;
        Ok(since.flatten().map(|at| at + TROUBLE_DAYS * DAY_MS))
    }

    /// How many submissions will lose their data like that within two weeks, and when the first of them does.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn erasing_soon(&self, now: i64) -> Result<(i64, Option<i64>), QueueError> {
        let sql = format!(
            "SELECT count(*), min({SINCE}) FROM submission WHERE state IN ('failed','attention') AND payload IS NOT NULL AND {SINCE} <= ?1"
        );
        let until = now - (TROUBLE_DAYS - WARNING_DAYS) * DAY_MS;
        let row =
            self.conn.prepare_cached(&sql)?.query_row([until], |row| Ok((row.get(0)?, row.get::<_, Option<i64>>(1)?)));
        let (count, since) = row?;
        Ok((count, since.map(|at| at + TROUBLE_DAYS * DAY_MS)))
    }

    /// Finishes erasures that waited for an open answer. Returns how many.
    ///
    /// # Errors
    /// The store's.
    pub fn finish_erasures(&mut self, now: i64) -> Result<usize, QueueError> {
        let sql = "SELECT count(*) FROM submission WHERE erase = 1 AND state <> 'erased'";
        let waiting: i64 = self.conn.prepare_cached(sql)?.query_row([], |row| row.get(0))?;
        if waiting == 0 {
            return Ok(0);
        }
        let (count, files) = self.write(|tx| {
            let mut files = Vec::new();
            let marked = tx.marked()?;
            for (seq, id) in &marked {
                files.extend(tx.stored_files(*seq)?);
                tx.erase_now(*seq, id, now)?;
            }
            Ok((marked.len(), files))
        })?;
        self.unlink(&files);
        Ok(count)
    }

    /// Deletes sealed files from the data folder.
    pub fn unlink(&self, files: &[String]) {
        let Some(folder) = self.files_dir() else { return };
        for name in files.iter().filter(|name| !name.is_empty() && !name.contains('/')) {
            let _ = std::fs::remove_file(folder.join(name));
        }
    }

    /// Deletes those sealed files that no submission has come to name.
    pub fn unlink_unnamed(&self, files: &[String]) {
        for name in files {
            if matches!(self.file_is_known(name), Ok(false)) {
                self.unlink(std::slice::from_ref(name));
            }
        }
    }

    /// The stored names of a submission's files.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn stored_files(&self, seq: i64) -> Result<Vec<String>, QueueError> {
        self.read().stored_files(seq)
    }

    /// Deletes sealed files that no submission names a day after they were written: their submission was never
    /// stored. Stores that a restore has set aside go after a week, and until then they may name any file that this one
    /// does not: only drafts, which no store ever names, are deleted as long as one is there. Returns how many.
    ///
    /// # Errors
    /// The store's: whose a file is cannot be told then, and nothing more is deleted.
    pub fn sweep(&self, now: i64) -> Result<usize, QueueError> {
        for aside in self.kept_beside()? {
            let made = aside.to_string_lossy().rsplit('-').next().and_then(|time| time.parse::<i64>().ok());
            if made.is_some_and(|at| now - at > ASIDE_DAYS * DAY_MS) {
                let _ = std::fs::remove_file(aside);
            }
        }
        let is_alone = self.kept_beside()?.is_empty();
        let Some(listed) = self.files_dir().and_then(|folder| std::fs::read_dir(folder).ok()) else { return Ok(0) };
        let mut count = 0;
        for entry in listed.flatten() {
            let modified = entry.metadata().and_then(|about| about.modified()).ok();
            let at = modified
                .and_then(|at| at.duration_since(std::time::UNIX_EPOCH).ok())
                .map_or(now, |since| i64::try_from(since.as_millis()).unwrap_or(now));
            let name = entry.file_name().to_string_lossy().into_owned();
            let may_go = now - at > DAY_MS && (is_alone || name.starts_with('.'));
            if may_go && !self.file_is_known(&name)? {
                count += usize::from(std::fs::remove_file(entry.path()).is_ok());
            }
        }
        Ok(count)
    }

    /// The files of every store that is kept beside this one.
    fn kept_beside(&self) -> Result<Vec<PathBuf>, QueueError> {
        let mut all = self.asides()?;
        all.extend(self.damaged()?);
        Ok(all)
    }

    /// Whether a submission names this sealed file.
    ///
    /// # Errors
    /// SQLite's own.
    pub(super) fn file_is_known(&self, name: &str) -> Result<bool, QueueError> {
        Ok(self.conn.prepare_cached("SELECT 1 FROM file WHERE stored = ?1 LIMIT 1")?.exists([name])?)
    }
}

impl Tx<'_> {
    fn past_retention(&self, retention_days: i64, now: i64) -> Result<Vec<i64>, QueueError> {
        let sql = "SELECT seq FROM submission WHERE payload IS NOT NULL AND audit_at IS NULL AND ((state IN ('done','discarded') AND ended_at <= ?1)
                   OR (state = 'failed' AND ended_at <= ?2) OR (state = 'attention' AND updated_at <= ?2)) LIMIT 500";
        let mut statement = self.sql.prepare_cached(sql)?;
        let rows =
            statement.query_map([now - retention_days * DAY_MS, now - TROUBLE_DAYS * DAY_MS], |row| row.get(0))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Marked for erasure and no longer on its way. An open answer is waited for.
    fn marked(&self) -> Result<Vec<(i64, String)>, QueueError> {
        let mut statement = self.sql.prepare_cached(
            "SELECT seq, id FROM submission WHERE erase = 1 AND state NOT IN ('erased','sending') LIMIT 500",
        )?;
        let rows: Vec<(i64, String)> =
            statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_, _>>()?;
        let mut settled = Vec::new();
        for (seq, id) in rows {
            // Nobody waits for the answer of one that a person would have to decide on.
            if self.state_of(&id)? == Some(State::Attention) || !self.has_open_step(seq)? {
                settled.push((seq, id));
            }
        }
        Ok(settled)
    }

    pub(super) fn stored_files(&self, seq: i64) -> Result<Vec<String>, QueueError> {
        let mut statement = self.sql.prepare_cached("SELECT stored FROM file WHERE seq = ?1")?;
        let rows = statement.query_map([seq], |row| row.get(0))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Everything sealed about a person goes; id, state, times and Tracker's id stay.
    fn drop_payload(&self, seq: i64, now: i64) -> Result<Vec<String>, QueueError> {
        let files = self.stored_files(seq)?;
        self.change("UPDATE submission SET payload = NULL, plan = NULL, message = NULL, updated_at = max(updated_at, ?2) WHERE seq = ?1", params![seq, now])?;
        self.change("UPDATE step SET message = NULL WHERE seq = ?1", [seq])?;
        self.change("UPDATE journal SET detail = NULL WHERE seq = ?1", [seq])?;
        self.change("DELETE FROM file WHERE seq = ?1", [seq])?;
        Ok(files)
    }

    /// Erases: only the id is left, as a tombstone.
    pub(super) fn erase_now(&self, seq: i64, id: &str, now: i64) -> Result<(), QueueError> {
        // Who it was stays as a hash of the e-mail: what is adopted later and was received before is erased too.
        // Names are not kept: another person may bear the same one.
        if let Ok(job) = self.job(seq)
            && let Some(one) = &job.submission
        {
            let whom = self.whom(one, &job.plan)?;
            self.remember_erased(&whom.into_iter().map(|hash| (hash, now)).collect())?;
        }
        self.drop_payload(seq, now)?;
        self.change("DELETE FROM search WHERE seq = ?1", [seq])?;
        // The person may be the one that look-ups must find; the next look takes another.
        self.change("DELETE FROM token WHERE name LIKE 'control %'", [])?;
        self.forget_content(id)?;
        self.change("DELETE FROM journal WHERE seq = ?1", [seq])?;
        self.change("DELETE FROM step WHERE seq = ?1", [seq])?;
        self.wake_others(seq)?;
        self.change(
            "UPDATE submission SET state = 'erased', reason = '', code = 0, message = NULL, person = NULL, marker = '', tracker_id = NULL,
             tenant = '', form_id = '', form_key = '', ended_at = ?2, updated_at = ?2, audit_at = NULL, files = 0 WHERE seq = ?1",
            params![seq, now],
        )?;
        Ok(())
    }
}
