//! Keys over the store's life: a new one for what is written from now on, older rows re-sealed bit by bit, and a lost
//! one that comes back.

use rusqlite::params;

use super::lock::{PATIENCE, WriteLock};
use super::open::Tx;
use super::state::Pause;
use super::{QueueError, Store};
use crate::codes::Code;
use crate::vault::Ring;

/// How many rows one run re-seals under a newer key.
const RESEAL_ROWS: usize = 500;
/// The fact that says that older rows are left.
const LEFT: &str = "reseal";

impl Store {
    /// Makes a new key current, for everything that is written from now on.
    ///
    /// # Errors
    /// `HT-13xx`; the store's.
    pub fn rotate_key(&mut self) -> Result<String, QueueError> {
        // Whoever makes a key does it under the lock of writers: two at once would make one too many.
        let lock = self.dir().map(|dir| WriteLock::take(&dir.join("write.lock"), PATIENCE)).transpose()?;
        let id = self.ring.add_key()?;
        drop(lock);
        let named = id.clone();
        self.write(move |tx| {
            tx.set_meta("key", &named)?;
            tx.set_meta(LEFT, "1")
        })?;
        Ok(id)
    }

    /// Re-seals some rows that lie under older keys; how many. Costs one read when there is nothing to do.
    ///
    /// # Errors
    /// The store's.
    pub fn reseal(&mut self) -> Result<usize, QueueError> {
        if self.meta(LEFT)?.is_empty() {
            return Ok(0);
        }
        self.write(|tx| {
            let count = tx.reseal(RESEAL_ROWS)?;
            if count == 0 {
                tx.set_meta(LEFT, "")?;
            }
            Ok(count)
        })
    }

    /// Ends the pause for a lost key when its file is back.
    ///
    /// # Errors
    /// The store's, `HT-1302` for a file that is no key.
    pub fn look_for_lost_key(&mut self) -> Result<bool, QueueError> {
        let lost = self.pauses()?.into_iter().find(|pause| pause.reason == Pause::Key);
        let Some(lost) = lost else { return Ok(false) };
        self.reread_ring()?;
        // Where a run found a credential that did not open, it may have been entered anew, or opens again. What webhooks
        // are signed with is no part of sending.
        let of_a_run = lost.detail.is_empty() || lost.code == Code::KeyUnknown.number();
        let sent_with = super::secrets::NAMES.iter().filter(|name| **name != "shared_secret");
        let back = self.ring.ids().contains(&lost.detail)
            || (of_a_run && sent_with.into_iter().all(|name| self.secrets(name).is_ok()));
        if !back {
            return Ok(false);
        }
        self.write(|tx| {
            // What was laid aside because it did not open is due at once.
            tx.change("UPDATE submission SET due_at = 0, due_boot = 0 WHERE state IN ('retry','checking') AND code IN (1301, 1303)", [])?;
            tx.set_meta(super::addresses::INDEXED, "")?;
            tx.resume(Pause::Key)
        })
    }
}

impl Tx<'_> {
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
                return Ok(count);
            }
        }
        for (select, update, column) in RESEAL_NAMED {
            let mut statement = self.sql.prepare_cached(select)?;
            let rows: Vec<(String, String, Vec<u8>)> = statement
                .query_map(params![key_bytes(self.ring)], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
                .collect::<Result<_, _>>()?;
            for (key, row, sealed) in rows {
                let Ok(plain) = self.unseal(&row, column, &sealed) else { continue };
                let fresh = self.seal(&row, column, &plain)?;
                self.sql.prepare_cached(update)?.execute(params![key, fresh])?;
                count += 1;
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
];

/// The few rows that go by a name: key of the row, row in the associated data, sealed value.
const RESEAL_NAMED: &[(&str, &str, &str)] = &[
    (
        "SELECT name || '#' || slot, (SELECT value FROM meta WHERE name = 'install_id') || ' ' || secret.name || '#' || slot, sealed FROM secret WHERE substr(sealed, 2, 8) <> ?1",
        "UPDATE secret SET sealed = ?2 WHERE name || '#' || slot = ?1",
        "secret",
    ),
    (
        "SELECT name, (SELECT value FROM meta WHERE name = 'install_id') || ' ' || token.name, sealed FROM token WHERE substr(sealed, 2, 8) <> ?1",
        "UPDATE token SET sealed = ?2 WHERE name = ?1",
        "token",
    ),
    (
        "SELECT reason, reason, detail FROM pause WHERE detail IS NOT NULL AND substr(detail, 2, 8) <> ?1",
        "UPDATE pause SET detail = ?2 WHERE reason = ?1",
        "pause",
    ),
    (
        "SELECT CAST(line AS TEXT), 'refusal', address FROM refusal WHERE substr(address, 2, 8) <> ?1",
        "UPDATE refusal SET address = ?2 WHERE line = CAST(?1 AS INTEGER)",
        "address",
    ),
];

/// The current key's id as it stands inside sealed values.
fn key_bytes(ring: &Ring) -> Vec<u8> {
    let id = ring.current();
    (0..id.len() / 2).filter_map(|at| u8::from_str_radix(id.get(at * 2..at * 2 + 2)?, 16).ok()).collect()
}
