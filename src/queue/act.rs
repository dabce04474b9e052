//! What people do by hand with submissions. Each action says which ones it changed and why not the others.

use rusqlite::{OptionalExtension, params};

use super::job::{ENTERED, INSISTED, Step};
use super::lane::Doubt;
use super::open::Tx;
use super::state::{Pause, State, StepState};
use super::{QueueError, Store};
use crate::clock::Moment;
use crate::codes::Code;
use crate::tracker::plan::StepKind;

/// The reasons for which a person may name the record although no answer is open: Tracker has it, or may have it.
const NAMED: &[&str] = &["protected", "several", TENANT];
/// The reason of one whose plan was made for another account.
const TENANT: &str = "tenant";
/// The reason of one for which somebody named a record that is not the person's.
pub const OTHER_PERSON: &str = "other person";

/// An action on one submission.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Send it (again).
    Retry,
    /// Never send it.
    Discard,
    /// Never send it: it is spam.
    Spam,
    /// Send what was held for review.
    Release,
    /// Erase everything about the person.
    Erase,
    /// The record is in Tracker, under this id.
    Exists(i64),
    /// The record is not in Tracker.
    Absent,
}

impl Action {
    /// The actions that fit a state, its reason, whether a record's answer is open, and whether its data is still there: past
    /// its retention nothing can be sent any more. The screens offer exactly these.
    pub fn fitting(state: State, reason: &str, open_record: bool, has_data: bool) -> Vec<&'static str> {
        let mut names = Vec::new();
        match state {
            State::Queued => names.extend(["discard", "spam"]),
            State::Held => names.extend(["release", "discard", "spam"]),
            State::Retry => names.extend(["retry", "discard", "spam"]),
            State::Checking => names.push("retry"),
            State::Attention if open_record || reason == TENANT => {
                names.extend(["exists", "absent", "retry", "discard"])
            }
            State::Attention if NAMED.contains(&reason) => names.extend(["exists", "retry", "discard", "spam"]),
            State::Attention | State::Failed => names.extend(["retry", "discard", "spam"]),
            State::Discarded => names.push("retry"),
            State::Sending | State::Done | State::Erased => {}
        }
        if !has_data {
            names.retain(|name| ["discard", "spam"].contains(name));
        }
        // What is on its way is marked, and erased as soon as its answer is known.
        if state != State::Erased {
            names.push("erase");
        }
        names
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Retry => "retry",
            Self::Discard => "discard",
            Self::Spam => "spam",
            Self::Release => "release",
            Self::Erase => "erase",
            Self::Exists(_) => "exists",
            Self::Absent => "absent",
        }
    }
}

impl Store {
    /// Does an action on one submission, in one transaction.
    ///
    /// # Errors
    /// `HT-1901` for an unknown id, `HT-1902` when it does not fit; the store's.
    pub fn act(&mut self, id: &str, action: Action, now: &Moment) -> Result<(), QueueError> {
        self.write(|tx| tx.act(id, action, now))
    }

    /// Releases everything that came over from the earlier plugin and is held. Returns how many.
    ///
    /// # Errors
    /// The store's.
    pub fn release_earlier(&mut self, now: &Moment) -> Result<usize, QueueError> {
        self.write(|tx| {
            tx.change(
                "INSERT INTO journal (seq, at, run_id, step, event, code) SELECT seq, ?1, '', '', 'release', 0 FROM submission
                 WHERE source = 'legacy' AND state = 'held'",
                [now.wall],
            )?;
            let count = tx.change(
                "UPDATE submission SET state = 'queued', due_at = 0, due_boot = 0, boot_id = '', updated_at = ?1
                 WHERE source = 'legacy' AND state = 'held'",
                [now.wall],
            )?;
            Ok(count)
        })
    }

    /// How many came over from the earlier plugin and wait for their release.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn held_earlier(&self) -> Result<i64, QueueError> {
        let sql = "SELECT count(*) FROM submission WHERE state = 'held' AND source = 'legacy'";
        Ok(self.conn.query_row(sql, [], |row| row.get(0))?)
    }

    /// Takes away the pauses that a person may lift: by hand, site, restored, endpoint, credentials.
    ///
    /// # Errors
    /// The store's.
    pub fn lift(&mut self, reason: Pause) -> Result<bool, QueueError> {
        if reason == Pause::Restored {
            // Whatever was sent before the restore is found in Tracker, not sent again.
            self.verify_unfinished(Doubt::OlderStore)?;
        }
        self.resume(reason)
    }
}

impl Tx<'_> {
    fn act(&self, id: &str, action: Action, now: &Moment) -> Result<(), QueueError> {
        let found: Option<(i64, String, String, bool)> = self
            .sql
            .prepare_cached("SELECT seq, state, reason, payload IS NOT NULL FROM submission WHERE id = ?1")?
            .query_row([id], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))
            .optional()?;
        let Some((seq, name, reason, has_data)) = found else { return Err(QueueError::plain(Code::ActUnknown, id)) };
        let state = State::from_name(&name).unwrap_or(State::Sending);
        let steps = self.steps(seq)?;
        let open = steps.iter().any(|step| step.state.is_open());
        let open_record = steps.iter().any(Step::is_doubtful_record);
        if !Action::fitting(state, &reason, open_record, has_data).contains(&action.name()) {
            return Err(QueueError::plain(Code::ActState, format!("{name}: {}", action.name())));
        }
        match action {
            Action::Retry | Action::Release => {
                self.insist(seq)?;
                self.send_again(seq, &steps, now)?;
            }
            Action::Discard => self.end(seq, id, State::Discarded, "by hand", now)?,
            Action::Spam => self.end(seq, id, State::Discarded, "spam", now)?,
            Action::Exists(tracker_id) => self.exists(seq, &reason, &steps, tracker_id, now)?,
            Action::Absent if reason == TENANT => self.begin_anew(seq, now)?,
            Action::Absent => self.absent(seq, now)?,
            Action::Erase => return self.erase(seq, id, state, open, now),
        }
        self.wake_others(seq)?;
        self.note(seq, now.wall, "", "", action.name(), 0, id, "")
    }

    /// Queues a failed submission again, when its sender repeats it.
    pub(super) fn queue_again(&self, id: &str, now: i64) -> Result<(), QueueError> {
        let seq: i64 = self.sql.query_row("SELECT seq FROM submission WHERE id = ?1", [id], |row| row.get(0))?;
        let steps = self.steps(seq)?;
        let moment = Moment { wall: now, boot: 0, boot_id: String::new() };
        self.send_again(seq, &steps, &moment)?;
        self.note(seq, now, "", "", "retry", 0, id, "")
    }

    /// Back into the queue under the same id and marker. What may have been applied is looked for first;
    /// what Tracker refused is sent again.
    fn send_again(&self, seq: i64, steps: &[Step], now: &Moment) -> Result<(), QueueError> {
        let open = steps.iter().any(|step| step.state.is_open());
        let state = if open { State::Checking } else { State::Queued };
        self.change("UPDATE step SET state = 'todo', how = '', code = 0, message = NULL, settled_at = NULL WHERE seq = ?1 AND state = 'rejected'", [seq])?;
        // A look asked for by a person begins the count of looks anew. So does sending a child again, which nobody could
        // ask for otherwise; a record goes out again only after somebody said that it is not there.
        self.change(
            "UPDATE step SET unclean = 0, looks = 0, resends = CASE WHEN kind IN ('contact','record') THEN resends ELSE 0 END
             WHERE seq = ?1 AND state IN ('unknown','applied')",
            [seq],
        )?;
        self.change(
            "UPDATE submission SET state = ?2, reason = '', code = 0, message = NULL, due_at = 0, due_boot = 0, boot_id = '',
             crashes = 0, attempts = 0, ended_at = NULL, updated_at = ?3 WHERE seq = ?1",
            params![seq, state.name(), now.wall],
        )?;
        Ok(())
    }

    fn end(&self, seq: i64, id: &str, state: State, reason: &str, now: &Moment) -> Result<(), QueueError> {
        self.change(
            "UPDATE submission SET state = ?2, reason = ?3, ended_at = ?4, updated_at = ?4 WHERE seq = ?1",
            params![seq, state.name(), reason, now.wall],
        )?;
        self.forget_content(id)?;
        Ok(())
    }

    /// The record of the step that is open, or not sent, or another account's. The next run reads it before anything else
    /// is sent to it, unless the same id is named a second time.
    fn exists(&self, seq: i64, reason: &str, steps: &[Step], tracker_id: i64, now: &Moment) -> Result<(), QueueError> {
        // Never a child's: its answer may be open while its record is another account's.
        let records = || steps.iter().filter(|step| step.is_record());
        let open = records().find(|step| step.state.is_open());
        let not_sent = || records().find(|step| step.state == StepState::Todo);
        let done = || records().rfind(|step| step.state == StepState::Done);
        let Some(step) = open.or_else(not_sent).or_else(done) else { return Ok(()) };
        let again = reason == OTHER_PERSON && step.tracker_id == Some(tracker_id);
        let how = if again { INSISTED } else { ENTERED };
        self.change(
            "UPDATE step SET state = 'done', how = ?5, tracker_id = ?3, code = 0, message = NULL, settled_at = ?4 WHERE seq = ?1 AND ordinal = ?2",
            params![seq, step.ordinal, tracker_id, now.wall, how],
        )?;
        let record = (step.kind == StepKind::Record).then_some(tracker_id);
        // A plan that is made anew would forget what was named.
        self.change(
            "UPDATE submission SET tracker_id = coalesce(?2, tracker_id), plan_fixed = 1 WHERE seq = ?1",
            params![seq, record],
        )?;
        self.send_again(seq, &self.steps(seq)?, now)
    }

    /// A person says that it is not there: one clean look confirms it, then it is sent (`verify` = 2).
    fn absent(&self, seq: i64, now: &Moment) -> Result<(), QueueError> {
        self.change("UPDATE step SET looks = 0, unclean = 0, resends = 0, state = 'unknown' WHERE seq = ?1 AND state IN ('unknown','applied')", [seq])?;
        self.change(
            "UPDATE submission SET state = 'checking', reason = '', code = 0, message = NULL, verify = 2, due_at = 0, due_boot = 0,
             boot_id = '', crashes = 0, attempts = 0, updated_at = ?2 WHERE seq = ?1",
            params![seq, now.wall],
        )?;
        Ok(())
    }

    /// A person says that the account in force does not have it: it is planned for that account, looked for there and sent.
    fn begin_anew(&self, seq: i64, now: &Moment) -> Result<(), QueueError> {
        self.change("DELETE FROM step WHERE seq = ?1", [seq])?;
        self.change(
            "UPDATE submission SET state = 'queued', reason = '', code = 0, message = NULL, verify = 1, plan_fixed = 0, tracker_id = NULL,
             due_at = 0, due_boot = 0, boot_id = '', crashes = 0, attempts = 0, updated_at = ?2 WHERE seq = ?1",
            params![seq, now.wall],
        )?;
        Ok(())
    }

    /// A person who retries what is there as another type of record wants both (`verify` = 2).
    fn insist(&self, seq: i64) -> Result<(), QueueError> {
        self.change("UPDATE submission SET verify = 2 WHERE seq = ?1 AND reason = 'other type'", [seq])?;
        Ok(())
    }

    /// Erases at once, or marks what hangs on an open intent, to be erased as soon as that settles.
    pub(super) fn erase(&self, seq: i64, id: &str, state: State, open: bool, now: &Moment) -> Result<(), QueueError> {
        self.change("UPDATE submission SET erase = 1, updated_at = ?2 WHERE seq = ?1", params![seq, now.wall])?;
        if state == State::Sending || (open && state == State::Checking) {
            return Ok(());
        }
        self.erase_now(seq, id, now.wall)
    }

    /// Whether a step of this submission may have been applied without our knowing.
    pub(super) fn has_open_step(&self, seq: i64) -> Result<bool, QueueError> {
        Ok(self.steps(seq)?.iter().any(|step| matches!(step.state, StepState::Intent | StepState::Unknown)))
    }
}
