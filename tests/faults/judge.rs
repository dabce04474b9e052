//! The invariants, as queries over store, capture table and Tracker's ledger, after the trouble is over and everything
//! has come to its end. Each is an error in words, with what was seen.

use std::collections::BTreeSet;

use halt_tracker::engine::handles;
use halt_tracker::queue::state::State;
use serde_json::Value;

use crate::clear::in_the_clear;
use crate::site::{ByHand, CANARIES, Person, Site, Wish};

/// What was there to be lost or doubled, counted in three places that know nothing of each other: what the outside world
/// was told, what the store's tables hold, what Tracker's ledger holds.
#[derive(Debug, Default, Clone, Copy)]
pub struct Counts {
    pub trials: u64,
    pub fired: u64,
    /// Told to those who wanted something.
    pub acknowledged: u64,
    /// Of these, rows in the store.
    pub stored: u64,
    pub done: u64,
    pub asked: u64,
    /// Discarded or erased because somebody said so.
    pub by_hand: u64,
    /// In Tracker: records of a kind of which everybody has one at most, and to how many e-mails and kinds they belong.
    pub records: u64,
    pub persons: u64,
    pub documents: u64,
    pub doubled_children: u64,
    /// Times that Tracker's new refresh token was lost with its answer, and an administrator pasted another one.
    pub pasted: u64,
}

impl Counts {
    pub fn add(&mut self, other: &Self) {
        self.trials += other.trials;
        self.fired += other.fired;
        self.acknowledged += other.acknowledged;
        self.stored += other.stored;
        self.done += other.done;
        self.asked += other.asked;
        self.by_hand += other.by_hand;
        self.records += other.records;
        self.persons += other.persons;
        self.documents += other.documents;
        self.doubled_children += other.doubled_children;
        self.pasted += other.pasted;
    }

    /// Acknowledged, and not in the store.
    pub fn lost(&self) -> u64 {
        self.acknowledged.saturating_sub(self.stored)
    }

    /// Records beyond the one that a person has.
    pub fn twins(&self) -> u64 {
        self.records.saturating_sub(self.persons)
    }

    /// As the campaign's lines say it. What is lost or doubled is an error here too.
    pub fn words(&self) -> String {
        let words = format!(
            "lost {} ({} acknowledged, {} in the store: {} delivered, {} ask a person, {} discarded or erased by hand), twins {} ({} records of {} persons), {} documents, {} doubled children, {} refresh tokens pasted anew",
            self.lost(),
            self.acknowledged,
            self.stored,
            self.done,
            self.asked,
            self.by_hand,
            self.twins(),
            self.records,
            self.persons,
            self.documents,
            self.doubled_children,
            self.pasted
        );
        assert!(self.acknowledged > 0 && self.records > 0, "nothing was there to be lost or doubled: {words}");
        assert_eq!((self.lost(), self.twins()), (0, 0), "{words}");
        assert_eq!(self.stored, self.done + self.asked + self.by_hand, "{words}");
        words
    }
}

/// Checks everything; the first thing that is wrong.
pub fn judge(site: &Site) -> Result<Counts, String> {
    let mut counts = Counts { trials: 1, pasted: site.pasted, ..Counts::default() };
    let ledger = site.tracker.borrow().ledger();
    sound(site, &mut counts)?;
    in_tracker(site, &ledger, &mut counts)?;
    for one in &site.people {
        person(site, one, &ledger, &mut counts)?;
    }
    children(site, &ledger)?;
    // 8. Nothing of a person is on disk in the clear.
    in_the_clear(&site.root(), &CANARIES)?;
    Ok(counts)
}

fn list<'a>(ledger: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> {
    ledger[name].as_array().into_iter().flatten()
}

fn count(ledger: &Value, name: &str, fits: impl Fn(&Value) -> bool) -> u64 {
    list(ledger, name).filter(|one| fits(one)).count() as u64
}

/// The records of which everybody has one at most, and by which member they are told apart.
fn kinds(site: &Site) -> &'static [(&'static str, &'static str)] {
    if site.settings["record_type"] == "Lead" {
        &[("leads", "name"), ("contacts", "email")]
    } else {
        &[("resources", "email")]
    }
}

/// Whether a record is this person's. A Lead bears the name, which begins with what stands before the @.
fn is_of(record: &Value, one: &Person) -> bool {
    let name = one.email.split('@').next().unwrap_or_default();
    record["email"] == one.email.as_str()
        || record["email"].as_str().is_none_or(str::is_empty)
            && record["name"].as_str().and_then(|text| text.split(' ').next()) == Some(name)
}

/// 2. Nobody is in Tracker twice, and nobody is there who never came to us.
fn in_tracker(site: &Site, ledger: &Value, counts: &mut Counts) -> Result<(), String> {
    for (kind, member) in kinds(site) {
        let told: Vec<&str> = list(ledger, kind).filter_map(|record| record[*member].as_str()).collect();
        let apart: BTreeSet<&str> = told.iter().copied().collect();
        counts.records += count(ledger, kind, |_| true);
        counts.persons += apart.len() as u64;
        let known = |record: &Value| {
            site.people.iter().any(|one| is_of(record, one))
                || site.elsewhere.iter().any(|email| record["email"] == **email)
        };
        let strangers = count(ledger, kind, |record| !known(record));
        if strangers > 0 {
            return Err(format!("{strangers} {kind} of nobody"));
        }
    }
    counts.documents = count(ledger, "documents", |_| true);
    if counts.twins() > 0 {
        return Err(format!("{} twins: {} records of {} persons", counts.twins(), counts.records, counts.persons));
    }
    Ok(())
}

/// 9. `integrity_check` passes; no submission is open in a way that nothing would ever end.
fn sound(site: &Site, counts: &mut Counts) -> Result<(), String> {
    let path = site.dir().join("queue.sqlite");
    let conn = rusqlite::Connection::open_with_flags(&path, rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY)
        .map_err(|error| error.to_string())?;
    let text =
        |sql: &str| conn.query_row(sql, [], |row| row.get::<_, String>(0)).map_err(|error| format!("{sql}: {error}"));
    let said = text("PRAGMA integrity_check")?;
    if said != "ok" {
        return Err(format!("integrity_check: {said}"));
    }
    // 1. What was acknowledged is a row of the table, asked for past the engine.
    for id in site.people.iter().filter_map(|one| one.acknowledged.as_ref()) {
        counts.acknowledged += 1;
        let found = conn.query_row("SELECT count(*) FROM submission WHERE id = ?1", [id], |row| row.get::<_, i64>(0));
        counts.stored += found.map_err(|error| error.to_string())?.unsigned_abs();
    }
    if counts.lost() > 0 {
        return Err(format!("{} of {} acknowledged are lost: not in the store", counts.lost(), counts.acknowledged));
    }
    let rules = [
        (
            "a submission that is neither at an end nor with a person",
            "SELECT count(*) || '' FROM submission WHERE state NOT IN ('done','failed','attention','discarded','erased')",
        ),
        ("more than three crashes", "SELECT count(*) || '' FROM submission WHERE crashes > 3"),
        ("an open intent", "SELECT count(*) || '' FROM step WHERE state = 'intent'"),
        (
            "a child before its record",
            "SELECT count(*) || '' FROM step c WHERE c.kind IN ('activity','document','longlist') AND c.state = 'done'
             AND NOT EXISTS (SELECT 1 FROM step r WHERE r.seq = c.seq AND r.kind = 'record' AND r.state = 'done')",
        ),
        (
            "plans for more than one account",
            "SELECT max(count(DISTINCT tenant) - 1, 0) || '' FROM submission WHERE tenant <> ''",
        ),
        ("a foreign key", "SELECT count(*) || '' FROM pragma_foreign_key_check"),
    ];
    for (what, sql) in rules {
        let found = text(sql)?;
        if found != "0" {
            return Err(format!("{found} times {what}"));
        }
    }
    // 4. An attempt is spent where a request or a file of it came to nothing, and nowhere else; a pause spends none.
    let spent = text("SELECT coalesce(sum(attempts), 0) || '' FROM submission")?;
    if spent.parse::<u64>().map_or(true, |spent| spent > site.trouble.get()) {
        return Err(format!("{spent} attempts were spent, and only {} things went wrong", site.trouble.get()));
    }
    Ok(())
}

/// Invariant 11: every child in the ledger hangs on the record of the person whose submission it is of. A note tells by its marker, a
/// CV hangs on somebody who brought one.
fn children(site: &Site, ledger: &Value) -> Result<(), String> {
    let record = |list_of: &str, id: i64| list(ledger, list_of).find(|record| record["id"] == id);
    let of_elsewhere =
        |record: Option<&Value>| record.is_some_and(|one| site.elsewhere.iter().any(|email| one["email"] == **email));
    for note in list(ledger, "activities") {
        let text = note["note"].as_str().unwrap_or_default();
        let marker = text.rsplit_once('[').map_or("", |(_, end)| end.trim_end_matches(']'));
        let submission = handles::with_store(&site.call(), |store| {
            let sql = "SELECT id FROM submission WHERE marker = ?1";
            Ok(store.connection().query_row(sql, [marker], |row| row.get::<_, String>(0)).ok())
        });
        let submission = submission.map_err(|error| error.to_string())?;
        let person = site.people.iter().find(|one| submission.is_some() && one.acknowledged == submission);
        let links = note["associations"].as_object().into_iter().flatten();
        let links = links.flat_map(|(to, all)| all.as_array().into_iter().flatten().map(move |one| (to, &one["id"])));
        let records: Vec<_> = links.map(|(to, id)| record(to, id.as_i64().unwrap_or(0))).collect();
        // Who was erased after the delivery has no marker here any more: theirs are told by the record alone.
        let is_erased = |record: &Value| {
            let erased = |one: &&Person| matches!(one.by_hand, Some(ByHand::Done("erase")));
            submission.is_none() && site.people.iter().filter(erased).any(|one| is_of(record, one))
        };
        let fits = |found: &Option<&Value>| {
            of_elsewhere(*found)
                || found.is_some_and(is_erased)
                || person.is_some_and(|one| found.is_some_and(|record| is_of(record, one)))
        };
        if !records.iter().any(fits) {
            return Err(format!("a note of {:?} hangs on {}", person.map(|one| &one.email), note["associations"]));
        }
    }
    for file in list(ledger, "documents") {
        let kind = file["record_type"].as_str().unwrap_or_default().trim_end_matches('s').to_lowercase();
        let found = record(&format!("{kind}s"), file["record_id"].as_i64().unwrap_or(0));
        let brought = |one: &Person| matches!(one.wish, Wish::Hook { .. } | Wish::Form { cv: true, .. });
        let fits = found.is_some_and(|record| site.people.iter().any(|one| brought(one) && is_of(record, one)));
        if !fits && !of_elsewhere(found) {
            return Err(format!("a CV hangs on {kind} {}, who brought none", file["record_id"]));
        }
    }
    Ok(())
}

fn person(site: &Site, one: &Person, ledger: &Value, counts: &mut Counts) -> Result<(), String> {
    let email = &one.email;
    let id = one.acknowledged.as_ref().ok_or_else(|| format!("{email} was never acknowledged"))?;
    let detail = handles::with_store(&site.call(), |store| Ok(store.detail(id)?))
        .map_err(|error| format!("{email} is lost: {error}"))?;
    let (seq, item, _) = detail;
    let (main, _) = kinds(site)[0];
    let ours: Vec<&Value> = list(ledger, main).filter(|record| is_of(record, one)).collect();
    let records = ours.len();
    if records > 1 || one.twice {
        return Err(format!("{email} is there twice: {records} records, taken twice: {}", one.twice));
    }
    match (item.state, one.by_hand) {
        (State::Done, None | Some(ByHand::TooLate)) if records == 1 => {
            // 5. The id that we keep is the record's.
            if ours[0]["id"].as_i64() != item.tracker_id {
                return Err(format!("{email} is record {}, and we say {:?}", ours[0]["id"], item.tracker_id));
            }
            counts.done += 1;
        }
        // Tracker refuses nothing here: a child that is missing was lost by us.
        (State::Attention, None | Some(ByHand::TooLate)) if item.code.is_some() && item.reason != "partial" => {
            counts.asked += 1;
        }
        // What a person was told to be discarded is sent no more.
        (State::Discarded, Some(ByHand::Done("discard"))) if records == 0 => counts.by_hand += 1,
        (State::Erased, Some(ByHand::Done("erase"))) => counts.by_hand += 1,
        (state, by_hand) => {
            return Err(format!(
                "{email} is {state:?} {:?} {} with {records} records, by hand {by_hand:?}",
                item.code, item.message
            ));
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
        let least = documents.len() as u64;
        if there < least {
            return Err(format!("{email} has {there} documents in Tracker, {least} are called done"));
        }
        counts.doubled_children += there - least;
    }
    let linked = if main == "leads" { "leads" } else { "resources" };
    let notes = count(ledger, "activities", |note| note["associations"][linked][0]["id"].as_i64() == item.tracker_id);
    if item.state == State::Done && notes == 0 {
        return Err(format!("{email} is done without an activity"));
    }
    counts.doubled_children += notes.saturating_sub(1);
    Ok(())
}
