//! What screens, REST and CLI show: counts, lists and details. Reads only; names and addresses leave it
//! masked unless the detail of one submission is asked for.

use rusqlite::types::Value as Sql;
use rusqlite::{Row, params_from_iter};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::accept::normal;
use super::open::Tx;
use super::state::State;
use super::{QueueError, Store};
use crate::codes::Code;
use crate::submission::Submission;

/// What a list is asked for.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Query {
    /// An exact e-mail, whole words of a name, a form by its title or an id, a submission's or Tracker's id.
    pub search: String,
    /// A state by name.
    pub state: String,
    /// A form's key.
    pub form: String,
    /// Received at or after, milliseconds since 1970.
    pub from: Option<i64>,
    /// Received before.
    pub to: Option<i64>,
    /// `received_at` (default), `updated_at`, `state` or `form`.
    pub sort: String,
    /// `asc` or `desc` (default).
    pub direction: String,
    /// From 1.
    pub page: i64,
    /// 1 to 500, 20 by default.
    pub per_page: i64,
}

/// A row of a list.
#[derive(Debug, Clone, Serialize)]
pub struct Item {
    /// The submission's id.
    pub id: String,
    /// Receipt, milliseconds since 1970.
    pub received_at: i64,
    /// Last change.
    pub updated_at: i64,
    /// `divi`, `webhook` or `legacy`.
    pub source: String,
    /// The form: `id`, `key`, `title`.
    pub form: Value,
    /// Its state.
    pub state: State,
    /// The code of its trouble, or null.
    pub code: Option<String>,
    /// Reason of attention or of being discarded.
    pub reason: String,
    /// The trouble in Tracker's or our words.
    pub message: String,
    /// What it becomes.
    pub record_type: String,
    /// Tracker's id.
    pub tracker_id: Option<i64>,
    /// Attempts that were spent.
    pub attempts: i64,
    /// When it is tried next.
    pub due_at: Option<i64>,
    /// The name, masked.
    pub person: String,
    /// The e-mail, masked.
    pub email: String,
    /// How many files it has.
    pub files: i64,
    /// Whether it is marked for erasure.
    pub erase: bool,
    /// Whether what the person sent is still there.
    pub has_data: bool,
}

const COLUMNS: &str =
    "id, received_at, updated_at, source, form_id, form_key, state, code, reason, message, record_type, tracker_id,
    attempts, due_at, files, erase, payload, (SELECT title FROM form WHERE form.key = submission.form_key)";

impl Store {
    /// How many submissions are in each state.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn counts(&self) -> Result<serde_json::Map<String, Value>, QueueError> {
        let mut counts: serde_json::Map<String, Value> =
            State::ALL.iter().map(|state| (state.name().to_owned(), json!(0))).collect();
        let mut statement = self.conn.prepare_cached("SELECT state, count(*) FROM submission GROUP BY state")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            counts.insert(row.get(0)?, json!(row.get::<_, i64>(1)?));
        }
        Ok(counts)
    }

    /// How many submissions have waited for a day or longer because the mapping does not fit them (`HT-14nn`).
    ///
    /// # Errors
    /// SQLite's own.
    pub fn unmapped_for_a_day(&self, now: i64) -> Result<i64, QueueError> {
        const DAY_MS: i64 = 24 * 3_600_000;
        let sql = "SELECT count(*) FROM submission WHERE state = 'retry' AND received_at <= ?1 AND code BETWEEN 1400 AND 1499";
        Ok(self.conn.prepare_cached(sql)?.query_row([now - DAY_MS], |row| row.get(0))?)
    }

    /// The submission that has waited longest: id and receipt.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn oldest_waiting(&self) -> Result<Value, QueueError> {
        let mut oldest = Value::Null;
        let mut least = i64::MAX;
        for state in [State::Queued, State::Retry, State::Checking, State::Sending] {
            let sql = "SELECT id, received_at FROM submission WHERE state = ?1 ORDER BY received_at LIMIT 1";
            let mut statement = self.conn.prepare_cached(sql)?;
            let mut rows = statement.query([state.name()])?;
            if let Some(row) = rows.next()? {
                let at: i64 = row.get(1)?;
                if at < least {
                    least = at;
                    oldest = json!({ "id": row.get::<_, String>(0)?, "received_at": at });
                }
            }
        }
        Ok(oldest)
    }

    /// One page of a list, and how many rows there are in all.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn list(&self, query: &Query) -> Result<(i64, Vec<Item>), QueueError> {
        let tx = self.read();
        let (filter, values) = tx.filter(query);
        let total = self
            .conn
            .prepare_cached(&format!("SELECT count(*) FROM submission WHERE {filter}"))?
            .query_row(params_from_iter(values.iter()), |row| row.get(0))?;
        let column = match query.sort.as_str() {
            "updated_at" => "updated_at",
            "state" => "state",
            "form" => "form_key",
            _ => "received_at",
        };
        let direction = if query.direction == "asc" { "ASC" } else { "DESC" };
        let per_page = if query.per_page == 0 { 20 } else { query.per_page.clamp(1, 500) };
        let offset = (query.page.max(1) - 1) * per_page;
        let sql = format!(
            "SELECT {COLUMNS} FROM submission WHERE {filter} ORDER BY {column} {direction}, seq {direction} LIMIT {per_page} OFFSET {offset}"
        );
        let mut statement = self.conn.prepare_cached(&sql)?;
        let mut rows = statement.query(params_from_iter(values.iter()))?;
        let mut items = Vec::new();
        while let Some(row) = rows.next()? {
            let mut item = tx.item(row)?.0;
            item.message = listed(item.code.as_deref(), item.message);
            items.push(item);
        }
        Ok((total, items))
    }

    /// The row of one submission and what came in, unmasked.
    ///
    /// # Errors
    /// `HT-1901` for an unknown id; SQLite's own.
    pub fn detail(&self, id: &str) -> Result<(i64, Item, Option<Submission>), QueueError> {
        let seq = self.seq_of(id)?;
        let tx = self.read();
        let mut statement = self.conn.prepare_cached(&format!("SELECT {COLUMNS} FROM submission WHERE seq = ?1"))?;
        let mut rows = statement.query([seq])?;
        match rows.next()? {
            Some(row) => tx.item(row).map(|(item, submission)| (seq, item, submission)),
            None => Err(QueueError::plain(Code::ActUnknown, id)),
        }
    }

    /// The order number of an id.
    ///
    /// # Errors
    /// `HT-1901` for an unknown id; SQLite's own.
    pub fn seq_of(&self, id: &str) -> Result<i64, QueueError> {
        use rusqlite::OptionalExtension;
        let found = self
            .conn
            .prepare_cached("SELECT seq FROM submission WHERE id = ?1")?
            .query_row([id], |row| row.get(0))
            .optional()?;
        found.ok_or_else(|| QueueError::plain(Code::ActUnknown, id))
    }

    /// The ids of everything about an e-mail address.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn ids_of_email(&self, email: &str) -> Result<Vec<String>, QueueError> {
        let hashes: Vec<Sql> =
            self.ring.hashes("email", normal(email).as_bytes()).iter().map(|hash| Sql::Blob(hash.to_vec())).collect();
        let places = vec!["?"; hashes.len()].join(",");
        let sql = format!(
            "SELECT DISTINCT id, seq FROM search JOIN submission USING (seq) WHERE hash IN ({places}) ORDER BY seq"
        );
        let mut statement = self.conn.prepare_cached(&sql)?;
        let rows = statement.query_map(params_from_iter(hashes), |row| row.get(0))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The journal of a submission, oldest first.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn journal(&self, seq: i64, id: &str) -> Result<Vec<Value>, QueueError> {
        let tx = self.read();
        let mut statement = self
            .conn
            .prepare_cached("SELECT at, step, event, code, detail, run_id FROM journal WHERE seq = ?1 ORDER BY line")?;
        let mut rows = statement.query([seq])?;
        let mut lines = Vec::new();
        while let Some(row) = rows.next()? {
            let words = tx.words(id, "journal", row.get(4)?);
            lines.push(json!({ "at": row.get::<_, i64>(0)?, "step": row.get::<_, String>(1)?, "event": row.get::<_, String>(2)?,
                "code": code_text(row.get(3)?), "message": words, "run_id": row.get::<_, String>(5)? }));
        }
        Ok(lines)
    }

    /// The steps of a submission as they are shown.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn step_views(&self, seq: i64, id: &str) -> Result<Vec<Value>, QueueError> {
        let tx = self.read();
        let sql = "SELECT ordinal, kind, state, tracker_id, how, code, message, settled_at, file FROM step WHERE seq = ?1 ORDER BY ordinal";
        let mut statement = self.conn.prepare_cached(sql)?;
        let mut rows = statement.query([seq])?;
        let mut steps = Vec::new();
        while let Some(row) = rows.next()? {
            let words = tx.words(id, "step", row.get(6)?);
            steps.push(json!({ "ordinal": row.get::<_, i64>(0)?, "kind": row.get::<_, String>(1)?, "state": row.get::<_, String>(2)?,
                "tracker_id": row.get::<_, Option<i64>>(3)?, "how": row.get::<_, String>(4)?, "code": code_text(row.get(5)?),
                "message": words, "settled_at": row.get::<_, Option<i64>>(7)?, "file": row.get::<_, Option<i64>>(8)? }));
        }
        Ok(steps)
    }
}

impl Tx<'_> {
    fn item(&self, row: &Row<'_>) -> Result<(Item, Option<Submission>), QueueError> {
        let id: String = row.get(0)?;
        let state: String = row.get(6)?;
        let payload: Option<Vec<u8>> = row.get(16)?;
        let has_data = payload.is_some();
        let opened = payload.and_then(|sealed| self.unseal(&id, "payload", &sealed).ok());
        let submission: Option<Submission> = opened.and_then(|json| serde_json::from_slice(&json).ok());
        let (person, email) = submission.as_ref().map_or_else(Default::default, masked);
        let due_at: i64 = row.get(13)?;
        let message = self.words(&id, "message", row.get(9)?);
        let item = Item {
            received_at: row.get(1)?,
            updated_at: row.get(2)?,
            source: row.get(3)?,
            form: json!({ "id": row.get::<_, String>(4)?, "key": row.get::<_, String>(5)?, "title": row.get::<_, Option<String>>(17)?.unwrap_or_default() }),
            state: State::from_name(&state).unwrap_or(State::Attention),
            code: code_text(row.get(7)?),
            reason: row.get(8)?,
            message,
            record_type: row.get(10)?,
            tracker_id: row.get(11)?,
            attempts: row.get(12)?,
            due_at: (due_at > 0 && matches!(state.as_str(), "retry" | "checking")).then_some(due_at),
            person,
            email,
            files: row.get(14)?,
            erase: row.get(15)?,
            has_data,
            id,
        };
        Ok((item, submission))
    }

    fn filter(&self, query: &Query) -> (String, Vec<Sql>) {
        let mut parts = vec!["1".to_owned()];
        let mut values = Vec::new();
        let mut add = |sql: &str, value: Sql| {
            values.push(value);
            parts.push(sql.replace('?', &format!("?{}", values.len())));
        };
        if State::from_name(&query.state).is_some() {
            add("state = ?", Sql::Text(query.state.clone()));
        }
        if !query.form.is_empty() {
            add("form_key = ?", Sql::Text(query.form.clone()));
        }
        if let Some(from) = query.from {
            add("received_at >= ?", Sql::Integer(from));
        }
        if let Some(to) = query.to {
            add("received_at < ?", Sql::Integer(to));
        }
        let search = query.search.trim();
        if let Ok(number) = search.parse::<i64>() {
            add("tracker_id = ?", Sql::Integer(number));
        } else if search.contains('@') {
            let hashes = self.ring.hashes("email", normal(search).as_bytes());
            parts.push(of_hashes(&hashes, &mut values));
        } else if search.len() == 36 && search.matches('-').count() == 4 {
            add("id = ?", Sql::Text(search.to_lowercase()));
        } else if !search.is_empty() {
            values.push(Sql::Text(search.to_owned()));
            let form = format!(
                "form_key IN (SELECT key FROM form WHERE ?{0} IN (key, id) OR title = ?{0} COLLATE NOCASE)",
                values.len()
            );
            let words: Vec<String> = normal(search)
                .split_whitespace()
                .map(|word| of_hashes(&self.ring.hashes("word", word.as_bytes()), &mut values))
                .collect();
            parts.push(format!("({form} OR ({}))", words.join(" AND ")));
        }
        (parts.join(" AND "), values)
    }
}

/// The words of a trouble as lists show them. Tracker's refusals quote what was sent, names and addresses too: those
/// stand in the detail only.
pub(super) fn listed(code: Option<&str>, words: String) -> String {
    let quotes = code.is_some_and(|code| code.starts_with("HT-15") || code == Code::RelayGaveUp.to_string());
    if quotes { String::new() } else { words }
}

/// Rows of the search table under any of some hashes: one for each key of the ring.
fn of_hashes(hashes: &[[u8; 32]], values: &mut Vec<Sql>) -> String {
    let places: Vec<String> = hashes
        .iter()
        .map(|hash| {
            values.push(Sql::Blob(hash.to_vec()));
            format!("?{}", values.len())
        })
        .collect();
    format!("seq IN (SELECT seq FROM search WHERE hash IN ({}))", places.join(","))
}

pub(super) fn code_text(number: i64) -> Option<String> {
    (number > 0).then(|| format!("HT-{number}"))
}

/// Name and e-mail as lists show them: first letters only.
fn masked(one: &Submission) -> (String, String) {
    let texts = one.fields.iter().filter_map(|(field, value)| value.as_str().map(|text| (field.to_lowercase(), text)));
    let (mut names, mut email) = (Vec::new(), String::new());
    for (field, text) in texts {
        if text.contains('@') && !text.trim().contains(char::is_whitespace) {
            if email.is_empty() {
                email = masked_email(text.trim());
            }
        } else if field.contains("name") && names.len() < 4 {
            names.extend(
                text.split_whitespace()
                    .take(4)
                    .filter_map(|word| word.chars().next())
                    .map(|first| format!("{first}***")),
            );
        }
    }
    (names.join(" "), email)
}

fn masked_email(text: &str) -> String {
    let (user, host) = text.split_once('@').unwrap_or((text, ""));
    let first = |part: &str| part.chars().next().map(String::from).unwrap_or_default();
    format!("{}***@{}…", first(user), first(host))
}
