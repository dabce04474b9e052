//! The store's one outgoing line: why it is paused, when it may be used again, and how fast.

use rusqlite::params;

use super::open::Tx;
use super::state::{Pause, State};
use super::{QueueError, Site, Store};
use crate::clock::Moment;
use crate::codes::Code;

/// The longest time for which Tracker can ask for silence.
const MOST_WAIT_MS: i64 = 24 * 3_600_000;

/// A reason why nothing is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paused {
    /// The reason.
    pub reason: Pause,
    /// Since when, milliseconds since 1970.
    pub since: i64,
    /// The code that explains it, as a number.
    pub code: u16,
    /// Tracker's words, or whatever helps.
    pub detail: String,
    /// When one probe may go out, milliseconds since 1970.
    pub probe_at: i64,
}

/// Why it is not certain what of a store was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doubt {
    /// No run came by for a while.
    Gap,
    /// It is yesterday's, or comes from elsewhere, or has forgotten something.
    OlderStore,
}

impl Store {
    /// All reasons at present; open means none.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn pauses(&self) -> Result<Vec<Paused>, QueueError> {
        self.read().pauses()
    }

    /// Pauses the lane for one more reason.
    ///
    /// # Errors
    /// The store's.
    pub fn pause(
        &mut self,
        reason: Pause,
        code: Code,
        detail: &str,
        now: i64,
        probe_at: i64,
    ) -> Result<(), QueueError> {
        self.write(|tx| tx.pause_at(reason, code, detail, now, probe_at))
    }

    /// Pauses a store that its site has found again: what it calls unsent may have been sent from elsewhere in the meantime.
    ///
    /// # Errors
    /// The store's.
    pub fn pause_as_found(&mut self, now: i64) -> Result<(), QueueError> {
        self.pause(Pause::Restored, Code::StoreRestored, "found again", now, 0)
    }

    /// Takes one reason away; the others stay.
    ///
    /// # Errors
    /// The store's.
    pub fn resume(&mut self, reason: Pause) -> Result<bool, QueueError> {
        self.write(|tx| tx.resume(reason))
    }

    /// Sets facts of the lane (`not_before`, `pace`, `skew`, `heartbeat`, …) in one transaction.
    ///
    /// # Errors
    /// The store's.
    pub fn set_facts(&mut self, facts: &[(&str, String)]) -> Result<(), QueueError> {
        self.write(|tx| facts.iter().try_for_each(|(name, value)| tx.set_meta(name, value)))
    }

    /// A fact that is a number; 0 when it was never set.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn fact(&self, name: &str) -> Result<i64, QueueError> {
        Ok(self.meta(name)?.parse().unwrap_or_default())
    }

    /// The moment before which nothing is sent, as milliseconds from `now`; 0 when there is none. It is kept
    /// on the boot clock, so that a jump of the wall clock neither holds sending up nor lets it go early.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn wait_ms(&self, now: &Moment) -> Result<i64, QueueError> {
        let same_boot = self.meta("not_before_boot_id")? == now.boot_id;
        let left =
            if same_boot { self.fact("not_before_boot")? - now.boot } else { self.fact("not_before")? - now.wall };
        // Nothing asks for more than a day: a larger one is left from a clock that was wrong.
        Ok(if left > MOST_WAIT_MS { 0 } else { left.max(0) })
    }

    /// Sends nothing for `ms` milliseconds.
    ///
    /// # Errors
    /// The store's.
    pub fn wait_for(&mut self, now: &Moment, ms: i64) -> Result<(), QueueError> {
        let ms = ms.clamp(0, MOST_WAIT_MS);
        self.set_facts(&[
            ("not_before", (now.wall + ms).to_string()),
            ("not_before_boot", (now.boot + ms).to_string()),
            ("not_before_boot_id", now.boot_id.clone()),
        ])
    }

    /// Marks everything unfinished to be looked up in Tracker before its first send.
    ///
    /// # Errors
    /// The store's.
    pub fn verify_unfinished(&mut self, doubt: Doubt) -> Result<usize, QueueError> {
        self.write(|tx| tx.verify_unfinished(doubt))
    }
}

impl Tx<'_> {
    pub(super) fn pauses(&self) -> Result<Vec<Paused>, QueueError> {
        let mut statement =
            self.sql.prepare_cached("SELECT reason, since, code, detail, probe_at FROM pause ORDER BY since")?;
        let mut rows = statement.query([])?;
        let mut all = Vec::new();
        while let Some(row) = rows.next()? {
            let name: String = row.get(0)?;
            let Some(reason) = Pause::from_name(&name) else { continue };
            let detail = self.words(&name, "pause", row.get(3)?);
            all.push(Paused { reason, since: row.get(1)?, code: row.get(2)?, detail, probe_at: row.get(4)? });
        }
        Ok(all)
    }

    /// Pauses as of a moment that is not known exactly (opening a store).
    pub(super) fn pause(&self, reason: Pause, code: Code, detail: &str, probe_at: i64) -> Result<(), QueueError> {
        use crate::clock::{Clock, SystemClock};
        self.pause_at(reason, code, detail, SystemClock.now().wall, probe_at)
    }

    /// Where a store is new, sending waits on any site that is not a live one.
    pub(super) fn pause_unless_live(&self, site: &Site) -> Result<(), QueueError> {
        if matches!(site.environment.as_str(), "" | "production") {
            return Ok(());
        }
        self.pause(Pause::Site, Code::RelaySite, &site.environment, 0)
    }

    pub(super) fn pause_at(
        &self,
        reason: Pause,
        code: Code,
        detail: &str,
        now: i64,
        probe_at: i64,
    ) -> Result<(), QueueError> {
        let detail = self.seal_words(reason.name(), "pause", detail)?;
        self.sql
            .prepare_cached(
                "INSERT INTO pause (reason, since, code, detail, probe_at) VALUES (?1, ?2, ?3, ?4, ?5)
                 ON CONFLICT (reason) DO UPDATE SET code = excluded.code, detail = excluded.detail, probe_at = excluded.probe_at",
            )?
            .execute(params![reason.name(), now, code.number(), detail, probe_at])?;
        Ok(())
    }

    pub(super) fn resume(&self, reason: Pause) -> Result<bool, QueueError> {
        Ok(self.sql.prepare_cached("DELETE FROM pause WHERE reason = ?1")?.execute([reason.name()])? > 0)
    }

    /// Everything unfinished is looked up once before its first send: another copy of the store may have sent it.
    pub(super) fn verify_unfinished(&self, doubt: Doubt) -> Result<usize, QueueError> {
        // Also what can be sent again by hand: another copy of the store may have done that since.
        // Of one that is being looked for, what comes after the lost answer: a Lead, when its person's was lost. A person's
        // word that it is not there stands; but in an older store it may have been followed since by another copy.
        let [done, erased, checking] = [State::Done, State::Erased, State::Checking].map(State::name);
        let is_older = doubt == Doubt::OlderStore;
        let sql =
            "UPDATE submission SET verify = 1 WHERE state NOT IN (?1, ?2) AND (verify <> 2 OR (?4 AND state <> ?3))";
        Ok(self.sql.prepare_cached(sql)?.execute(params![done, erased, checking, is_older])?)
    }
}
