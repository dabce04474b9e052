//! The invariants, as queries over store, capture table and Tracker's ledger, after the trouble is over and everything
//! has come to its end. Each is an error in words, with what was seen.

use halt_tracker::engine::handles;
use halt_tracker::queue::state::State;
use serde_json::Value;

use crate::site::{CANARIES, Person, Site, files_below};

/// What was there to be lost or doubled.
#[derive(Debug, Default, Clone, Copy)]
pub struct Counts {
    pub trials: u64,
    pub fired: u64,
    pub acknowledged: u64,
    pub done: u64,
    pub asked: u64,
    pub records: u64,
    pub documents: u64,
    pub doubled_children: u64,
}

impl Counts {
    pub fn add(&mut self, other: &Self) {
        self.trials += other.trials;
        self.fired += other.fired;
        self.acknowledged += other.acknowledged;
        self.done += other.done;
        self.asked += other.asked;
        self.records += other.records;
        self.documents += other.documents;
        self.doubled_children += other.doubled_children;
    }

    /// As the campaign's lines say it.
    pub fn words(&self) -> String {
        format!(
            "{} acknowledged, lost 0, twins 0 ({} records, {} done, {} ask a person, {} documents, {} doubled children)",
            self.acknowledged, self.records, self.done, self.asked, self.documents, self.doubled_children
        )
    }
}

/// Checks everything; the first thing that is wrong.
pub fn judge(site: &Site) -> Result<Counts, String> {
    let mut counts = Counts { trials: 1, ..Counts::default() };
    sound(site)?;
    let ledger = site.tracker.borrow().ledger();
    for one in &site.people {
        person(site, one, &ledger, &mut counts)?;
    }
    counts.records = count(&ledger, "resources", |_| true);
    counts.documents = count(&ledger, "documents", |_| true);
    let strangers = count(&ledger, "resources", |record| {
        !site.people.iter().any(|one| record["email"].as_str().is_some_and(|email| email == one.email))
    });
    if strangers > 0 {
        return Err(format!("{strangers} records of nobody"));
    }
    in_the_clear(site)?;
    Ok(counts)
}

fn count(ledger: &Value, list: &str, fits: impl Fn(&Value) -> bool) -> u64 {
    ledger[list].as_array().into_iter().flatten().filter(|one| fits(one)).count() as u64
}

/// 9. `integrity_check` passes; no submission is open in a way that nothing would ever end.
fn sound(site: &Site) -> Result<(), String> {
    let path = site.dir().join("queue.sqlite");
    let conn = rusqlite::Connection::open_with_flags(&path, rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY)
        .map_err(|error| error.to_string())?;
    let text =
        |sql: &str| conn.query_row(sql, [], |row| row.get::<_, String>(0)).map_err(|error| format!("{sql}: {error}"));
    let said = text("PRAGMA integrity_check")?;
    if said != "ok" {
        return Err(format!("integrity_check: {said}"));
    }
    let rules = [
        (
            "a submission that nobody would ever take up again",
            "SELECT count(*) || '' FROM submission WHERE state IN ('sending')",
        ),
        ("more than three crashes", "SELECT count(*) || '' FROM submission WHERE crashes > 3"),
        ("an open intent", "SELECT count(*) || '' FROM step WHERE state = 'intent'"),
        (
            "a child before its record",
            "SELECT count(*) || '' FROM step c WHERE c.kind IN ('activity','document','longlist') AND c.state = 'done'
             AND NOT EXISTS (SELECT 1 FROM step r WHERE r.seq = c.seq AND r.kind = 'record' AND r.state = 'done')",
        ),
        ("a foreign key", "SELECT count(*) || '' FROM pragma_foreign_key_check"),
    ];
    for (what, sql) in rules {
        let found = text(sql)?;
        if found != "0" {
            return Err(format!("{found} times {what}"));
        }
    }
    Ok(())
}

fn person(site: &Site, one: &Person, ledger: &Value, counts: &mut Counts) -> Result<(), String> {
    let email = &one.email;
    let id = one.acknowledged.as_ref().ok_or_else(|| format!("{email} was never acknowledged"))?;
    counts.acknowledged += 1;
    let detail = handles::with_store(&site.call(), |store| Ok(store.detail(id)?))
        .map_err(|error| format!("{email} is lost: {error}"))?;
    let (seq, item, _) = detail;
    let records = count(ledger, "resources", |record| record["email"] == email.as_str());
    if records > 1 || one.twice {
        return Err(format!("{email} is there twice: {records} records, taken twice: {}", one.twice));
    }
    let wanted_gone = matches!(one.by_hand, Some((_, true)));
    match item.state {
        State::Done if records == 1 => counts.done += 1,
        // Tracker refuses nothing here: a child that is missing was lost by us.
        State::Attention if item.code.is_some() && item.reason != "partial" => counts.asked += 1,
        State::Discarded | State::Erased if wanted_gone => {}
        state => {
            return Err(format!("{email} is {state:?} {:?} {} with {records} records", item.code, item.message));
        }
    }
    let stored =
        handles::with_store(&site.call(), |store| Ok(store.ids_of_email(email)?)).map_err(|error| error.to_string())?;
    if stored.len() > 1 {
        return Err(format!("{email} is stored {} times", stored.len()));
    }
    if item.state == State::Done && item.files > 0 {
        let steps = handles::with_store(&site.call(), |store| Ok(store.step_views(seq, id)?))
            .map_err(|error| error.to_string())?;
        let documents: Vec<&Value> = steps.iter().filter(|step| step["kind"] == "document").collect();
        if documents.iter().any(|step| step["state"] != "done") || documents.is_empty() {
            return Err(format!("{email} is done without the document"));
        }
        let there =
            count(ledger, "documents", |document| Some(document["record_id"].as_i64()) == Some(item.tracker_id));
        if there == 0 {
            return Err(format!("{email} has no document in Tracker"));
        }
        counts.doubled_children += there - 1;
    }
    let notes =
        count(ledger, "activities", |note| note["associations"]["resources"][0]["id"].as_i64() == item.tracker_id);
    counts.doubled_children += notes.saturating_sub(1);
    Ok(())
}

/// 8. Nothing of a person is on disk in the clear.
fn in_the_clear(site: &Site) -> Result<(), String> {
    for path in files_below(&site.root()) {
        let bytes = std::fs::read(&path).unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes);
        for canary in CANARIES.iter().chain(&["@example.org"]) {
            if text.contains(canary) {
                return Err(format!("{canary} is in the clear in {}", path.display()));
            }
        }
    }
    Ok(())
}
