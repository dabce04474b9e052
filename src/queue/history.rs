//! What happened around submissions: the last runs, the forms that were seen, the webhook requests that were refused.

use std::time::Duration;

use rusqlite::params;
use serde_json::{Value, json};

use super::open::Tx;
use super::view::{code_text, listed};
use super::{QueueError, Store};
use crate::codes::Code;

impl Store {
    /// The last runs that touched a submission, newest first, each with its items.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn runs(&self, how_many: i64) -> Result<Vec<Value>, QueueError> {
        let tx = self.read();
        let mut statement = self.conn.prepare_cached(
            "SELECT id, caller, started_at, ended_at, outcome FROM run WHERE touched > 0 OR (ended_at IS NULL AND EXISTS
             (SELECT 1 FROM run_item WHERE run_id = run.id)) ORDER BY started_at DESC LIMIT ?1",
        )?;
        let mut rows = statement.query([how_many])?;
        let mut runs = Vec::new();
        while let Some(row) = rows.next()? {
            let id: String = row.get(0)?;
            runs.push(json!({ "id": id, "caller": row.get::<_, String>(1)?, "started_at": row.get::<_, i64>(2)?,
                "ended_at": row.get::<_, Option<i64>>(3)?, "outcome": row.get::<_, String>(4)?, "items": tx.run_items(&id)? }));
        }
        Ok(runs)
    }

    /// The forms that were seen, the latest first.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn forms(&self) -> Result<Vec<Value>, QueueError> {
        let mut statement = self.conn.prepare_cached(
            "SELECT key, id, title, aliases, last_seen, count FROM form ORDER BY last_seen DESC LIMIT 500",
        )?;
        let rows = statement.query_map([], |row| {
            let aliases: Value = serde_json::from_str(&row.get::<_, String>(3)?).unwrap_or_default();
            Ok(json!({ "key": row.get::<_, String>(0)?, "id": row.get::<_, String>(1)?, "title": row.get::<_, String>(2)?,
                "aliases": aliases, "last_seen": row.get::<_, i64>(4)?, "count": row.get::<_, i64>(5)? }))
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Notes a refused webhook request; the last twenty are kept, for seven days.
    ///
    /// # Errors
    /// The store's.
    pub fn refused(&mut self, address: &str, code: Code, now: i64) -> Result<(), QueueError> {
        // Strangers make these requests, as many as they like: they never stand in the queue of those who bring something.
        let usual = std::mem::replace(&mut self.patience, Duration::ZERO);
        let noted = self.write(|tx| {
            let address = tx.seal("refusal", "address", address.as_bytes())?;
            tx.change(
                "INSERT INTO refusal (at, address, code) VALUES (?1, ?2, ?3)",
                params![now, address, code.number()],
            )?;
            tx.change("DELETE FROM refusal WHERE line <= (SELECT max(line) FROM refusal) - 20", [])?;
            Ok(())
        });
        self.patience = usual;
        noted
    }

    /// The refused webhook requests, newest first.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn refusals(&self) -> Result<Vec<Value>, QueueError> {
        let tx = self.read();
        let mut statement = self.conn.prepare_cached("SELECT at, address, code FROM refusal ORDER BY line DESC")?;
        let mut rows = statement.query([])?;
        let mut all = Vec::new();
        while let Some(row) = rows.next()? {
            let address = tx.words("refusal", "address", row.get(1)?);
            all.push(json!({ "at": row.get::<_, i64>(0)?, "address": address, "code": code_text(row.get(2)?) }));
        }
        Ok(all)
    }
}

impl Tx<'_> {
    fn run_items(&self, run_id: &str) -> Result<Vec<Value>, QueueError> {
        let sql =
            "SELECT s.id, i.state, i.code, s.form_id, s.record_type, s.tracker_id, i.at, s.message FROM run_item i
                   JOIN submission s USING (seq) WHERE i.run_id = ?1 ORDER BY i.at LIMIT 200";
        let mut statement = self.sql.prepare_cached(sql)?;
        let mut rows = statement.query([run_id])?;
        let mut items = Vec::new();
        while let Some(row) = rows.next()? {
            let id: String = row.get(0)?;
            let code = code_text(row.get(2)?);
            let message = listed(code.as_deref(), self.words(&id, "message", row.get(7)?));
            items.push(json!({ "id": id, "state": row.get::<_, String>(1)?, "code": code, "form": row.get::<_, String>(3)?,
                "record_type": row.get::<_, String>(4)?, "tracker_id": row.get::<_, Option<i64>>(5)?, "at": row.get::<_, i64>(6)?, "message": message }));
        }
        Ok(items)
    }
}
