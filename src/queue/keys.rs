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
/// The fact that says that older rows are left, and how far they have been looked through: each run goes on from there,
/// because to begin anew every time would cost the square of what is stored.
const LEFT: &str = "reseal";
/// From the beginning.
const ALL_LEFT: &str = "0 0 0 0";

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
            tx.set_meta(LEFT, ALL_LEFT)
        })?;
        Ok(id)
    }

    /// Re-seals some rows that lie under older keys; how many, and none only when a look through everything found none.
    /// Costs one read when there is nothing to do.
    ///
    /// # Errors
    /// The store's.
    pub fn reseal(&mut self) -> Result<usize, QueueError> {
        if self.meta(LEFT)?.is_empty() {
            return Ok(0);
        }
        self.write(|tx| {
            let mut at = Place::read(&tx.meta(LEFT)?);
            let mut count = 0;
            loop {
                let ended = tx.reseal(RESEAL_ROWS, &mut at, &mut count)?;
                if !ended {
                    tx.set_meta(LEFT, &at.written())?;
                    return Ok(count);
                }
                if at.found == 0 {
                    tx.set_meta(LEFT, "")?;
                    return Ok(count);
                }
                at = Place::default();
            }
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
            // What lay under it while it was away was passed over.
            tx.set_meta(LEFT, ALL_LEFT)?;
            tx.set_meta(super::addresses::INDEXED, "")?;
            tx.resume(Pause::Key)
        })
    }
}

/// How far a look through all sealed rows has come: the list's entry, the last row seen there, how many were re-sealed.
#[derive(Default)]
struct Place {
    entry: usize,
    first: i64,
    second: i64,
    found: usize,
}

impl Place {
    /// What cannot be read, such as the mark of an earlier version, means the beginning.
    fn read(text: &str) -> Self {
        let parts: Vec<i64> = text.split(' ').filter_map(|part| part.parse().ok()).collect();
        let [entry, first, second, found] = parts[..] else { return Self::default() };
        let (Ok(entry), Ok(found)) = (usize::try_from(entry), usize::try_from(found)) else { return Self::default() };
        if entry < RESEAL.len() { Self { entry, first, second, found } } else { Self::default() }
    }

    fn written(&self) -> String {
        format!("{} {} {} {}", self.entry, self.first, self.second, self.found)
    }
}

impl Tx<'_> {
    /// Goes on from a place until `count` has reached the limit; whether the end was reached.
    fn reseal(&self, limit: usize, at: &mut Place, count: &mut usize) -> Result<bool, QueueError> {
        let current = key_bytes(self.ring);
        while let Some((select, update, column)) = RESEAL.get(at.entry) {
            let wanted = limit.saturating_sub(*count);
            if wanted == 0 {
                return Ok(false);
            }
            let mut statement = self.sql.prepare_cached(select)?;
            let rows: Vec<(i64, i64, String, Vec<u8>)> = statement
                .query_map(params![current, i64::try_from(wanted).unwrap_or(0), at.first, at.second], |row| {
                    Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
                })?
                .collect::<Result<_, _>>()?;
            let all = rows.len() < wanted;
            for (first, second, row, sealed) in rows {
                (at.first, at.second) = (first, second);
                // What lies under a lost key stays as it is.
                let Ok(plain) = self.unseal(&row, column, &sealed) else { continue };
                let fresh = self.seal(&row, column, &plain)?;
                self.sql.prepare_cached(update)?.execute(params![first, second, fresh])?;
                *count += 1;
                at.found += 1;
            }
            if all {
                *at = Place { entry: at.entry + 1, found: at.found, ..Place::default() };
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
                *count += 1;
                at.found += 1;
            }
        }
        Ok(true)
    }
}

/// Every sealed column: how to find rows under another key beyond a place, how to replace one, and the column's name in the
/// associated data. A sealed value carries its key's id in bytes 2 to 9.
const RESEAL: &[(&str, &str, &str)] = &[
    (
        "SELECT seq, 0, id, payload FROM submission WHERE seq > ?3 AND ?4 = 0 AND payload IS NOT NULL AND substr(payload, 2, 8) <> ?1 ORDER BY seq LIMIT ?2",
        "UPDATE submission SET payload = ?3 WHERE seq = ?1 AND ?2 = 0",
        "payload",
    ),
    (
        "SELECT seq, 0, id, plan FROM submission WHERE seq > ?3 AND ?4 = 0 AND plan IS NOT NULL AND substr(plan, 2, 8) <> ?1 ORDER BY seq LIMIT ?2",
        "UPDATE submission SET plan = ?3 WHERE seq = ?1 AND ?2 = 0",
        "plan",
    ),
    (
        "SELECT seq, 0, id, message FROM submission WHERE seq > ?3 AND ?4 = 0 AND message IS NOT NULL AND substr(message, 2, 8) <> ?1 ORDER BY seq LIMIT ?2",
        "UPDATE submission SET message = ?3 WHERE seq = ?1 AND ?2 = 0",
        "message",
    ),
    (
        "SELECT step.seq, ordinal, id, step.message FROM step CROSS JOIN submission USING (seq) WHERE (step.seq, ordinal) > (?3, ?4) AND step.message IS NOT NULL AND substr(step.message, 2, 8) <> ?1 ORDER BY step.seq, ordinal LIMIT ?2",
        "UPDATE step SET message = ?3 WHERE seq = ?1 AND ordinal = ?2",
        "step",
    ),
    (
        "SELECT line, 0, id, detail FROM journal CROSS JOIN submission USING (seq) WHERE line > ?3 AND ?4 = 0 AND detail IS NOT NULL AND substr(detail, 2, 8) <> ?1 ORDER BY line LIMIT ?2",
        "UPDATE journal SET detail = ?3 WHERE line = ?1 AND ?2 = 0",
        "journal",
    ),
    (
        "SELECT file.seq, ordinal, id, about FROM file CROSS JOIN submission USING (seq) WHERE (file.seq, ordinal) > (?3, ?4) AND substr(about, 2, 8) <> ?1 ORDER BY file.seq, ordinal LIMIT ?2",
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
