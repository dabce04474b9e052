//! What look-ups into Tracker need from the store: records that they must find, gaps that begin anew after a
//! reboot, and the late look a day after a lost answer.

use rusqlite::{OptionalExtension, params};

use super::job::FAR_MS;
use super::{QueueError, Store};
use crate::clock::Moment;
use crate::codes::Code;
use crate::settings::RecordType;

impl Store {
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

    /// Whether a record of Tracker is known to be another submission's.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn is_of_another(&self, tracker_id: i64, seq: i64) -> Result<bool, QueueError> {
        let sql = "SELECT 1 FROM submission WHERE tracker_id = ?1 AND seq <> ?2 LIMIT 1";
        Ok(self.conn.prepare_cached(sql)?.query_row(params![tracker_id, seq], |_| Ok(())).optional()?.is_some())
    }

    /// Whether a document of Tracker is known to be another step's.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn is_other_document(&self, document: i64, seq: i64, ordinal: i64) -> Result<bool, QueueError> {
        let sql = "SELECT 1 FROM step WHERE kind = 'document' AND tracker_id = ?1 AND NOT (seq = ?2 AND ordinal = ?3)
            AND seq IN (SELECT seq FROM submission WHERE tracker_id = (SELECT tracker_id FROM submission WHERE seq = ?2)) LIMIT 1";
        let found = self.conn.prepare_cached(sql)?.query_row(params![document, seq, ordinal], |_| Ok(())).optional()?;
        Ok(found.is_some())
    }

    /// Whether another submission of the same record has a document that may be there under an id that nobody here knows: one
    /// whose answer was lost and that was never found, or one sent since a moment, which Tracker may have made twice.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn has_unknown_documents(&self, seq: i64, since: i64) -> Result<bool, QueueError> {
        let sql = "SELECT 1 FROM submission AS other JOIN step USING (seq)
            WHERE other.tracker_id = (SELECT tracker_id FROM submission WHERE seq = ?1) AND other.seq <> ?1
            AND step.kind = 'document' AND (step.state IN ('unknown','applied') OR step.resends > 0 OR step.intent_at >= ?2) LIMIT 1";
        Ok(self.conn.prepare_cached(sql)?.query_row([seq, since], |_| Ok(())).optional()?.is_some())
    }

    /// A submission whose late look is due, and since when; a discarded one may have a twin as well.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn due_audit(&self, now: i64) -> Result<Option<(i64, i64)>, QueueError> {
        let sql = "SELECT seq, min(audit_at, ?1) FROM submission WHERE (audit_at <= ?1 OR audit_at > ?2) AND state IN ('done','attention','failed','discarded')
                   ORDER BY audit_at LIMIT 1";
        Ok(self
            .conn
            .prepare_cached(sql)?
            .query_row([now, now + FAR_MS], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?)
    }

    /// Counts the beginning of a late look, as a claim is counted: nothing that kills the process may do so forever.
    ///
    /// # Errors
    /// The store's.
    pub fn begin_audit(&mut self, seq: i64) -> Result<(), QueueError> {
        self.write(|tx| {
            tx.change("UPDATE submission SET crashes = crashes + 1 WHERE seq = ?1", [seq])?;
            Ok(())
        })
    }

    /// A late look that was not answered comes again in the next run; an outage is no crash.
    ///
    /// # Errors
    /// The store's.
    pub fn put_off_audit(&mut self, seq: i64) -> Result<(), QueueError> {
        self.write(|tx| {
            tx.change("UPDATE submission SET crashes = 0 WHERE seq = ?1", [seq])?;
            Ok(())
        })
    }

    /// A late look that proved nothing comes again after the next of these waits, then no more.
    ///
    /// # Errors
    /// The store's.
    pub fn postpone_audit(&mut self, seq: i64, why: &str, waits: &[i64], now: &Moment) -> Result<(), QueueError> {
        let sql = "SELECT count(*) FROM journal WHERE seq = ?1 AND event = 'late look put off'";
        let count: i64 = self.conn.prepare_cached(sql)?.query_row([seq], |row| row.get(0))?;
        let wait = usize::try_from(count).ok().and_then(|count| waits.get(count));
        let Some(wait) = wait else { return self.give_up_audit(seq, why, now) };
        self.write(|tx| {
            let id = tx.id_of(seq)?;
            tx.change("UPDATE submission SET audit_at = ?2, crashes = 0 WHERE seq = ?1", [seq, now.wall + wait])?;
            tx.note(seq, now.wall, "", "record", "late look put off", 0, &id, why)
        })
    }

    /// There is no late look, and the journal says why.
    ///
    /// # Errors
    /// The store's.
    pub fn give_up_audit(&mut self, seq: i64, why: &str, now: &Moment) -> Result<(), QueueError> {
        self.write(|tx| {
            let id = tx.id_of(seq)?;
            tx.change("UPDATE submission SET audit_at = NULL, crashes = 0 WHERE seq = ?1", [seq])?;
            tx.note(seq, now.wall, "", "record", "not audited", 0, &id, why)
        })
    }

    /// Ends the late look of a submission; with the ids of a twin, a person is asked.
    ///
    /// # Errors
    /// The store's.
    pub fn end_audit(&mut self, seq: i64, twins: Option<&str>, now: &Moment) -> Result<(), QueueError> {
        self.write(|tx| {
            let id = tx.id_of(seq)?;
            tx.change("UPDATE submission SET audit_at = NULL, crashes = 0 WHERE seq = ?1", [seq])?;
            let Some(ids) = twins else { return tx.note(seq, now.wall, "", "record", "audited", 0, &id, "") };
            let message = tx.seal_words(&id, "message", ids)?;
            let code = Code::RelayLateTwin.number();
            tx.change(
                "UPDATE submission SET state = 'attention', reason = 'late twin', code = ?2, message = ?3, updated_at = ?4
                 WHERE seq = ?1 AND state IN ('done','attention','failed','discarded')",
                params![seq, code, message, now.wall],
            )?;
            tx.note(seq, now.wall, "", "record", "late twin", code, &id, ids)
        })
    }

    /// Keeps a record that Tracker holds for certain, so that later look-ups have something they must find; `None` forgets it.
    ///
    /// # Errors
    /// The store's.
    pub fn set_control(
        &mut self,
        tenant: &str,
        record_type: RecordType,
        known: Option<&Control>,
    ) -> Result<(), QueueError> {
        let text = known.map(Control::text);
        self.set_token(&control_name(tenant, record_type), text.as_deref().map(|text| (text, None)))
    }

    /// Takes note of the generation of credentials under which the record was read just now, if it is still the one: an
    /// erasure may have taken it away meanwhile, and must not be undone.
    ///
    /// # Errors
    /// The store's.
    pub fn see_control(
        &mut self,
        tenant: &str,
        record_type: RecordType,
        seen: &Control,
        generation: i64,
    ) -> Result<(), QueueError> {
        let name = control_name(tenant, record_type);
        self.write(|tx| {
            let kept = tx.token(&name)?.and_then(|(text, _)| Control::of(&text));
            let Some(mut known) = kept.filter(|known| known.id == seen.id && known.email == seen.email) else {
                return Ok(());
            };
            known.see(generation);
            tx.set_token(&name, Some((&known.text(), None)))
        })
    }

    /// The record that a look-up of a type must find to be believed.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn control(&self, tenant: &str, record_type: RecordType) -> Result<Option<Control>, QueueError> {
        let kept = self.token(&control_name(tenant, record_type))?;
        Ok(kept.and_then(|(text, _)| Control::of(&text)))
    }
}

/// A person whom Tracker holds for certain: what look-ups must find, and what tells one account from another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Control {
    /// Their e-mail.
    pub email: String,
    /// Tracker's id of their record.
    pub id: i64,
    /// The generations of the credentials under which it was seen, the newest last.
    pub seen: Vec<i64>,
}

/// So many generations are kept: an older one is asked about, which is safe.
const GENERATIONS: usize = 32;

impl Control {
    /// Takes note of a generation.
    pub fn see(&mut self, generation: i64) {
        if !self.seen.contains(&generation) {
            self.seen.push(generation);
            self.seen.drain(..self.seen.len().saturating_sub(GENERATIONS));
        }
    }

    fn text(&self) -> String {
        let seen: Vec<String> = self.seen.iter().map(ToString::to_string).collect();
        format!("{}:{} {}", self.id, seen.join(","), self.email)
    }

    fn of(text: &str) -> Option<Self> {
        let (id, email) = text.split_once(' ')?;
        // Kept by an earlier version: under which credentials is not known, so that it proves no account.
        let (id, seen) = id.split_once(':').unwrap_or((id, ""));
        let seen = seen.split(',').filter_map(|one| one.parse().ok()).collect();
        Some(Self { email: email.to_owned(), id: id.parse().ok()?, seen })
    }
}

fn control_name(tenant: &str, record_type: RecordType) -> String {
    format!("control {} {tenant}", record_type.name())
}
