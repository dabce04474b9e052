//! Retention, erasure and old keys: what leaves the store, and that it really leaves.

use rusqlite::params;

use super::open::Tx;
use super::{QueueError, Store};
use crate::vault::Ring;

const DAY_MS: i64 = 24 * 3_600_000;
/// How many rows one run re-seals under a newer key.
pub const RESEAL_ROWS: usize = 500;
/// How long failed submissions and those in attention keep their data, in days.
pub const TROUBLE_DAYS: i64 = 90;
/// How long ids and hashes are kept, in days.
pub const TRACE_DAYS: i64 = 365;

impl Store {
    /// Erases what is past its retention, forgets old keys of repetition, and finishes marked erasures.
    /// Returns the files that nobody needs any more; the caller unlinks them after this commit.
    ///
    /// # Errors
    /// The store's.
    pub fn tidy(&mut self, retention_days: i64, now: i64) -> Result<usize, QueueError> {
        let (count, files) = self.write(|tx| {
            let mut files = Vec::new();
            tx.sql.execute("DELETE FROM once WHERE until <= ?1", [now])?;
            tx.sql.execute("DELETE FROM refusal WHERE at <= ?1", [now - 7 * DAY_MS])?;
            tx.sql.execute(
                "DELETE FROM search WHERE seq IN (SELECT seq FROM submission WHERE received_at <= ?1 AND state IN ('done','discarded','erased'))",
                [now - TRACE_DAYS * DAY_MS],
            )?;
            let mut count = 0;
            for (seq, id) in tx.past_retention(retention_days, now)? {
                files.extend(tx.drop_payload(seq, &id, now)?);
                count += 1;
            }
            for (seq, id) in tx.marked(now)? {
                files.extend(tx.stored_files(seq)?);
                tx.erase_now(seq, &id, now)?;
                count += 1;
            }
            Ok((count, files))
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

    /// The stored names of a submission's files.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn stored_files(&self, seq: i64) -> Result<Vec<String>, QueueError> {
        self.read().stored_files(seq)
    }

    /// Whether a stored file belongs to a submission; what does not is swept after a day.
    pub fn file_is_known(&self, name: &str) -> bool {
        self.conn.query_row("SELECT 1 FROM file WHERE stored = ?1 LIMIT 1", [name], |_| Ok(())).is_ok()
    }

    /// Makes a new key current, for everything that is written from now on.
    ///
    /// # Errors
    /// `HT-13xx`; the store's.
    pub fn rotate_key(&mut self) -> Result<String, QueueError> {
        let id = self.ring.add_key()?;
        let named = id.clone();
        self.write_under_own_key(move |tx| tx.set_meta("key", &named))?;
        Ok(id)
    }

    /// Re-seals some rows that lie under older keys; 0 means that none are left.
    ///
    /// # Errors
    /// The store's.
    pub fn reseal(&mut self) -> Result<usize, QueueError> {
        self.write(|tx| tx.reseal(RESEAL_ROWS))
    }

    /// A write during which the ring is already newer than what the store names.
    fn write_under_own_key<T>(&mut self, work: impl FnOnce(&Tx<'_>) -> Result<T, QueueError>) -> Result<T, QueueError> {
        let newest = self.ring.current().to_owned();
        self.write(move |tx| {
            tx.set_meta("key", &newest)?;
            work(tx)
        })
    }
}

impl Tx<'_> {
    fn past_retention(&self, retention_days: i64, now: i64) -> Result<Vec<(i64, String)>, QueueError> {
        let sql = "SELECT seq, id FROM submission WHERE payload IS NOT NULL AND ended_at IS NOT NULL AND audit_at IS NULL
                   AND ((state IN ('done','discarded') AND ended_at <= ?1) OR (state = 'failed' AND ended_at <= ?2)) LIMIT 500";
        let mut statement = self.sql.prepare_cached(sql)?;
        let rows = statement.query_map([now - retention_days * DAY_MS, now - TROUBLE_DAYS * DAY_MS], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Marked for erasure and no longer on its way. An open answer is waited for.
    fn marked(&self, _now: i64) -> Result<Vec<(i64, String)>, QueueError> {
        let mut statement = self.sql.prepare_cached(
            "SELECT seq, id FROM submission WHERE erase = 1 AND state NOT IN ('erased','sending') LIMIT 500",
        )?;
        let rows: Vec<(i64, String)> =
            statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_, _>>()?;
        let mut settled = Vec::new();
        for (seq, id) in rows {
            if !self.has_open_step(seq)? {
                settled.push((seq, id));
            }
        }
        Ok(settled)
    }

    fn stored_files(&self, seq: i64) -> Result<Vec<String>, QueueError> {
        let mut statement = self.sql.prepare_cached("SELECT stored FROM file WHERE seq = ?1")?;
        let rows = statement.query_map([seq], |row| row.get(0))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Everything sealed about a person goes; id, state, times and Tracker's id stay.
    fn drop_payload(&self, seq: i64, _id: &str, now: i64) -> Result<Vec<String>, QueueError> {
        let files = self.stored_files(seq)?;
        self.sql.execute("UPDATE submission SET payload = NULL, plan = NULL, message = NULL, updated_at = max(updated_at, ?2) WHERE seq = ?1", params![seq, now])?;
        self.sql.execute("UPDATE step SET message = NULL WHERE seq = ?1", [seq])?;
        self.sql.execute("UPDATE journal SET detail = NULL WHERE seq = ?1", [seq])?;
        self.sql.execute("DELETE FROM file WHERE seq = ?1", [seq])?;
        Ok(files)
    }

    /// Erases: only the id is left, as a tombstone.
    pub(super) fn erase_now(&self, seq: i64, id: &str, now: i64) -> Result<(), QueueError> {
        self.drop_payload(seq, id, now)?;
        let hashes: Vec<Vec<u8>> = self
            .sql
            .prepare_cached("SELECT hash FROM search WHERE seq = ?1")?
            .query_map([seq], |row| row.get(0))?
            .collect::<Result<_, _>>()?;
        for hash in hashes {
            self.sql.execute("INSERT OR REPLACE INTO erased (hash, at) VALUES (?1, ?2)", params![hash, now])?;
        }
        self.sql.execute("DELETE FROM search WHERE seq = ?1", [seq])?;
        self.sql.execute("DELETE FROM once WHERE id = ?1", [id])?;
        self.sql.execute("DELETE FROM journal WHERE seq = ?1", [seq])?;
        self.sql.execute("DELETE FROM step WHERE seq = ?1", [seq])?;
        self.sql.execute(
            "UPDATE submission SET state = 'erased', reason = '', code = 0, message = NULL, person = NULL, marker = '', tracker_id = NULL,
             tenant = '', form_id = '', form_key = '', ended_at = ?2, updated_at = ?2, audit_at = NULL, files = 0 WHERE seq = ?1",
            params![seq, now],
        )?;
        Ok(())
    }

    fn reseal(&self, limit: usize) -> Result<usize, QueueError> {
        let mut count = 0;
        // (table, key of the row, sealed column, name of the row's id for the associated data, column name there)
        for (select, update, column) in RESEAL {
            let mut statement = self.sql.prepare_cached(select)?;
            let current = key_bytes(self.ring);
            let rows: Vec<(i64, i64, String, Vec<u8>)> = statement
                .query_map(params![current, i64::try_from(limit - count).unwrap_or(0)], |row| {
                    Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
                })?
                .collect::<Result<_, _>>()?;
            for (first, second, row, sealed) in rows {
                // What lies under a lost key stays as it is.
                let Ok(plain) = self.unseal(&row, column, &sealed) else { continue };
                let fresh = self.seal(&row, column, &plain)?;
                self.sql.prepare_cached(update)?.execute(params![first, second, fresh])?;
                count += 1;
            }
            if count >= limit {
                break;
            }
        }
        Ok(count)
    }
}

/// Every sealed column: how to find rows under another key, how to replace one, and the column's name in the
/// associated data. A sealed value carries its key's id in bytes 2 to 9.
const RESEAL: &[(&str, &str, &str)] = &[
    (
        "SELECT seq, 0, id, payload FROM submission WHERE payload IS NOT NULL AND substr(payload, 2, 8) <> ?1 LIMIT ?2",
        "UPDATE submission SET payload = ?3 WHERE seq = ?1 AND ?2 = 0",
        "payload",
    ),
    (
        "SELECT seq, 0, id, plan FROM submission WHERE plan IS NOT NULL AND substr(plan, 2, 8) <> ?1 LIMIT ?2",
        "UPDATE submission SET plan = ?3 WHERE seq = ?1 AND ?2 = 0",
        "plan",
    ),
    (
        "SELECT seq, 0, id, message FROM submission WHERE message IS NOT NULL AND substr(message, 2, 8) <> ?1 LIMIT ?2",
        "UPDATE submission SET message = ?3 WHERE seq = ?1 AND ?2 = 0",
        "message",
    ),
    (
        "SELECT step.seq, ordinal, id, step.message FROM step JOIN submission USING (seq) WHERE step.message IS NOT NULL AND substr(step.message, 2, 8) <> ?1 LIMIT ?2",
        "UPDATE step SET message = ?3 WHERE seq = ?1 AND ordinal = ?2",
        "step",
    ),
    (
        "SELECT line, 0, id, detail FROM journal JOIN submission USING (seq) WHERE detail IS NOT NULL AND substr(detail, 2, 8) <> ?1 LIMIT ?2",
        "UPDATE journal SET detail = ?3 WHERE line = ?1 AND ?2 = 0",
        "journal",
    ),
    (
        "SELECT file.seq, ordinal, id, about FROM file JOIN submission USING (seq) WHERE substr(about, 2, 8) <> ?1 LIMIT ?2",
        "UPDATE file SET about = ?3 WHERE seq = ?1 AND ordinal = ?2",
        "file",
    ),
    (
        "SELECT 0, slot, name || '#' || slot, sealed FROM secret WHERE name = 'client_secret' AND substr(sealed, 2, 8) <> ?1 LIMIT ?2",
        "UPDATE secret SET sealed = ?3 WHERE name = 'client_secret' AND slot = ?2 AND ?1 = 0",
        "secret",
    ),
    (
        "SELECT 0, slot, name || '#' || slot, sealed FROM secret WHERE name = 'refresh_token' AND substr(sealed, 2, 8) <> ?1 LIMIT ?2",
        "UPDATE secret SET sealed = ?3 WHERE name = 'refresh_token' AND slot = ?2 AND ?1 = 0",
        "secret",
    ),
    (
        "SELECT 0, slot, name || '#' || slot, sealed FROM secret WHERE name = 'api_token' AND substr(sealed, 2, 8) <> ?1 LIMIT ?2",
        "UPDATE secret SET sealed = ?3 WHERE name = 'api_token' AND slot = ?2 AND ?1 = 0",
        "secret",
    ),
    (
        "SELECT 0, slot, name || '#' || slot, sealed FROM secret WHERE name = 'shared_secret' AND substr(sealed, 2, 8) <> ?1 LIMIT ?2",
        "UPDATE secret SET sealed = ?3 WHERE name = 'shared_secret' AND slot = ?2 AND ?1 = 0",
        "secret",
    ),
];

/// The current key's id as it stands inside sealed values.
fn key_bytes(ring: &Ring) -> Vec<u8> {
    let id = ring.current();
    (0..id.len() / 2).filter_map(|at| u8::from_str_radix(id.get(at * 2..at * 2 + 2)?, 16).ok()).collect()
}
