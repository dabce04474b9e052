//! What a run may still change about a plan that is fixed, apart from `work`, whose plans are made anew with each claim: once a
//! create may have reached Tracker, these three changes are all there is.

use rusqlite::params;

use super::job::Job;
use super::{QueueError, Store};

impl Store {
    /// Puts corrected requests into a fixed plan, before any of them is sent.
    ///
    /// # Errors
    /// The store's.
    pub fn correct_plan(&mut self, job: &Job, run_id: &str, requests: &[u8]) -> Result<(), QueueError> {
        self.write(|tx| {
            let sealed = tx.seal(&job.id, "plan", requests)?;
            let sql = "UPDATE submission SET plan = ?3 WHERE seq = ?1 AND run_id = ?2 AND state = 'sending'";
            let held = tx.change(sql, params![job.seq, run_id, sealed])?;
            tx.must_hold(held)
        })
    }

    /// Makes a plan the plan of the account that is in force.
    ///
    /// # Errors
    /// The store's.
    pub fn move_to_tenant(&mut self, seq: i64, run_id: &str, tenant: &str, generation: i64) -> Result<(), QueueError> {
        self.write(|tx| {
            let sql = "UPDATE submission SET tenant = ?3, generation = ?4 WHERE seq = ?1 AND run_id = ?2 AND state = 'sending'";
            tx.change(sql, params![seq, run_id, tenant, generation]).map(drop)
        })
    }

    /// Forgets which record a submission became, since that one is not its own.
    ///
    /// # Errors
    /// The store's.
    pub fn forget_record(&mut self, seq: i64, run_id: &str) -> Result<(), QueueError> {
        self.write(|tx| {
            let sql = "UPDATE submission SET tracker_id = NULL WHERE seq = ?1 AND run_id = ?2 AND state = 'sending'";
            tx.change(sql, params![seq, run_id]).map(drop)
        })
    }
}
