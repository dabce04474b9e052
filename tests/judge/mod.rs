//! The invariants of the delivery, as questions to an open store and to Tracker's ledger, for campaigns on real files and
//! real sockets. Each answer is an error in words, with what was seen; what lies in the clear is looked for in files.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use halt_tracker::clock::Moment;
use halt_tracker::engine::EngineError;
use halt_tracker::queue::Store;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

pub mod clear;

/// Whoever was told that all is well.
#[derive(Debug, Clone, Default)]
pub struct Told {
    pub email: String,
    /// What a sender was answered; a visitor is told none.
    pub id: Option<String>,
    pub cv: bool,
}

/// What was there to be lost or doubled, counted in places that know nothing of each other.
#[derive(Debug, Default)]
pub struct Counts {
    pub acknowledged: usize,
    pub stored: usize,
    pub delivered: usize,
    /// A person is asked, or a lost answer is still looked for.
    pub open: usize,
    pub records: usize,
    pub persons: usize,
    pub activities: usize,
    pub documents: usize,
    pub doubled_children: i64,
}

impl Counts {
    pub fn words(&self) -> String {
        format!(
            "lost {} ({} acknowledged, {} in the store), twins {} ({} records of {} persons), {} activities, {} documents, {} doubled children",
            self.acknowledged - self.stored,
            self.acknowledged,
            self.stored,
            self.records - self.persons,
            self.records,
            self.persons,
            self.activities,
            self.documents,
            self.doubled_children
        )
    }
}

/// Who took part.
#[derive(Default)]
pub struct People<'a> {
    pub told: &'a [Told],
    /// Who is in Tracker and, after a restore, in no store any more.
    pub elsewhere: &'a [String],
    /// Who was in Tracker before.
    pub before: &'a [&'a str],
    /// Everything has had its time: nothing may be open or with a person.
    pub at_an_end: bool,
    /// Requests that came to nothing on a way that Tracker's ledger does not know of.
    pub trouble: usize,
}

struct Row {
    seq: i64,
    id: String,
    state: String,
    marker: String,
    tracker_id: Option<i64>,
    kind: String,
    email: String,
    words: String,
    steps: Vec<(String, String, i64, Option<i64>)>,
    /// Kinds of steps that were given up, each time.
    refused: Vec<String>,
}

impl Row {
    fn done(&self, kind: &str) -> usize {
        self.steps.iter().filter(|step| step.0 == kind && step.1 == "done").count()
    }

    /// Children that cannot be looked up are sent again once, which may double them; the store says how often. One that was
    /// given up after that is sent once more when a person asks for it.
    fn resends(&self, kind: &str) -> usize {
        let by_itself =
            self.steps.iter().filter(|step| step.0 == kind).map(|step| usize::try_from(step.2).unwrap_or(0));
        by_itself.sum::<usize>() + self.refused.iter().filter(|one| *one == kind).count()
    }
}

fn list<'a>(ledger: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> {
    ledger[name].as_array().into_iter().flatten()
}

/// Whose record it is. A Lead bears no e-mail; its name begins with what stands before the @.
fn owner(record: &Value) -> String {
    let email = record["email"].as_str().unwrap_or_default().to_lowercase();
    let first = record["name"].as_str().and_then(|name| name.split(' ').next()).unwrap_or_default();
    if email.is_empty() { format!("{}@example.org", first.to_lowercase()) } else { email }
}

/// Checks everything that a store and a ledger can say; the first thing that is wrong.
pub fn settled(store: &Store, ledger: &Value, people: &People<'_>, now: &Moment) -> Result<Counts, String> {
    let mut counts = Counts { acknowledged: people.told.len(), ..Counts::default() };
    // 9, and what SQL alone can say of 3, 4, 6, 7 and 11.
    rules(store, ledger, people, now)?;
    let rows = rows(store).map_err(|error| format!("the store cannot be read: {error}"))?;
    // 1 and 10: whatever was acknowledged is there, once, under the id that was answered.
    for told in people.told {
        let ids = store.ids_of_email(&told.email).map_err(|error| format!("the store cannot be read: {error}"))?;
        match (ids.as_slice(), &told.id) {
            ([], _) => return Err(format!("{} was acknowledged and is lost", told.email)),
            ([one], Some(id)) if one != id => return Err(format!("{} is {one} and was told {id}", told.email)),
            ([_], _) => counts.stored += 1,
            (many, _) => return Err(format!("{} is stored {} times", told.email, many.len())),
        }
    }
    // Whom nobody thanked may be stored all the same, but once.
    let mut emails = BTreeSet::new();
    if let Some(row) = rows.iter().find(|row| !row.email.is_empty() && !emails.insert(&row.email)) {
        return Err(format!("{} is stored more than once", row.email));
    }
    let by_owner = in_tracker(ledger, &rows, people, &mut counts)?;
    for row in &rows {
        one(row, ledger, &by_owner, people, &mut counts)?;
    }
    for told in people.told.iter().filter(|told| told.cv) {
        let row = rows.iter().find(|row| row.email == told.email);
        if row.is_some_and(|row| row.state == "done" && row.done("document") == 0) {
            return Err(format!("{} is done without the CV", told.email));
        }
    }
    children(ledger, &rows, people)?;
    Ok(counts)
}

fn rows(store: &Store) -> Result<Vec<Row>, EngineError> {
    let fault = |error: rusqlite::Error| EngineError::new(halt_tracker::codes::Code::EngineFault, error.to_string());
    let mut steps: BTreeMap<i64, Vec<_>> = BTreeMap::new();
    let sql = "SELECT seq, kind, state, resends, tracker_id FROM step ORDER BY seq, ordinal";
    let mut statement = store.connection().prepare(sql).map_err(fault)?;
    let all = statement.query_map([], |row| Ok((row.get(0)?, (row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?))));
    for one in all.map_err(fault)? {
        let (seq, step) = one.map_err(fault)?;
        steps.entry(seq).or_default().push(step);
    }
    let mut refused: BTreeMap<i64, Vec<String>> = BTreeMap::new();
    let mut statement =
        store.connection().prepare("SELECT seq, step FROM journal WHERE event = 'refused'").map_err(fault)?;
    for one in statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).map_err(fault)? {
        let (seq, kind) = one.map_err(fault)?;
        refused.entry(seq).or_default().push(kind);
    }
    let sql = "SELECT seq, id, state, marker, tracker_id, record_type, code || ' ' || reason FROM submission";
    let mut statement = store.connection().prepare(sql).map_err(fault)?;
    let all = statement.query_map([], |row| {
        let (seq, id, state, marker) = (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?);
        let (tracker_id, kind, words) = (row.get(4)?, row.get(5)?, row.get(6)?);
        Ok(Row {
            seq,
            id,
            state,
            marker,
            tracker_id,
            kind,
            words,
            email: String::new(),
            steps: Vec::new(),
            refused: Vec::new(),
        })
    });
    let mut rows = Vec::new();
    for row in all.map_err(fault)? {
        let mut row = row.map_err(fault)?;
        let submission = store.detail(&row.id)?.2;
        row.email = submission.and_then(|one| one.fields["email"].as_str().map(str::to_lowercase)).unwrap_or_default();
        row.steps = steps.remove(&row.seq).unwrap_or_default();
        row.refused = refused.remove(&row.seq).unwrap_or_default();
        rows.push(row);
    }
    Ok(rows)
}

/// What one query can say, by the number of its invariant. An attempt is spent by an answer that brought trouble, and by
/// nothing else: there are no more of the one than of the other.
fn rules(store: &Store, ledger: &Value, people: &People<'_>, now: &Moment) -> Result<(), String> {
    let text = |sql: &str| {
        let said = store.connection().query_row(sql, [], |row| row.get::<_, String>(0));
        said.map_err(|error| format!("{sql}: {error}"))
    };
    let said = text("PRAGMA integrity_check")?;
    if said != "ok" {
        return Err(format!("integrity_check: {said}"));
    }
    let late = format!(
        "SELECT count(*) || '' FROM step JOIN submission USING (seq) WHERE step.state = 'intent' AND submission.state <> 'checking'
         AND step.boot_id = '{}' AND step.deadline + 60000 < {}",
        now.boot_id, now.boot
    );
    let rules = [
        ("a foreign key to nothing", "SELECT count(*) || '' FROM pragma_foreign_key_check"),
        (
            "a child before its record",
            "SELECT count(*) || '' FROM step c WHERE c.kind IN ('activity','document','longlist') AND c.state = 'done'
             AND NOT EXISTS (SELECT 1 FROM step r WHERE r.seq = c.seq AND r.kind = 'record' AND r.state = 'done')",
        ),
        (
            // What was refused had its turn, and has another one when somebody retries it.
            "a step that ended before an earlier one",
            "SELECT count(*) || '' FROM step a JOIN step b USING (seq) WHERE a.ordinal < b.ordinal AND a.kind <> 'find'
             AND a.state = 'done' AND b.state = 'done' AND b.settled_at < a.settled_at
             AND NOT EXISTS (SELECT 1 FROM journal j WHERE j.seq = a.seq AND j.step = a.kind AND j.event = 'refused')",
        ),
        ("more than three crashes", "SELECT count(*) || '' FROM submission WHERE crashes > 3"),
        (
            "a submission that nothing would ever end",
            "SELECT count(*) || '' FROM submission WHERE state IN ('retry','checking') AND due_at = 0 AND due_boot = 0
             OR state = 'sending' AND run_id = ''",
        ),
        ("an open intent past its deadline", &late),
        (
            "plans for more than one account",
            "SELECT max(count(DISTINCT tenant) - 1, 0) || '' FROM submission WHERE tenant <> ''",
        ),
    ];
    for (what, sql) in rules {
        let found = text(sql)?;
        if found != "0" {
            return Err(format!("{found} times {what}"));
        }
    }
    let spent: usize = text("SELECT coalesce(sum(attempts), 0) || '' FROM submission")?.parse().unwrap_or(usize::MAX);
    let trouble = list(ledger, "requests")
        .filter(|one| one["status"].as_u64().is_none_or(|status| !(200..400).contains(&status)));
    let (trouble, forgotten) = (trouble.count() + people.trouble, ledger["requests_forgotten"].as_u64().unwrap_or(0));
    if spent > trouble && forgotten == 0 {
        return Err(format!("{spent} attempts were spent, and {trouble} requests came to nothing"));
    }
    Ok(())
}

type ByOwner<'a> = BTreeMap<String, Vec<(&'static str, &'a Value)>>;

/// 2. Nobody is in Tracker twice, and nobody is there who never came to us.
fn in_tracker<'a>(
    ledger: &'a Value,
    rows: &[Row],
    people: &People<'_>,
    counts: &mut Counts,
) -> Result<ByOwner<'a>, String> {
    let mut by_owner = ByOwner::new();
    for kind in ["resources", "contacts", "leads"] {
        list(ledger, kind).for_each(|record| by_owner.entry(owner(record)).or_default().push((kind, record)));
    }
    let known: BTreeSet<&str> =
        rows.iter().map(|row| row.email.as_str()).chain(people.elsewhere.iter().map(String::as_str)).collect();
    for (email, records) in &by_owner {
        if people.before.contains(&email.as_str()) {
            continue;
        }
        if !known.contains(email.as_str()) {
            return Err(format!("{email} is in Tracker and never came to us"));
        }
        // A Lead stands beside its Contact; of everything else there is one.
        let leads = records.iter().filter(|(kind, _)| *kind == "leads").count();
        let others = records.len() - leads;
        let resources = records.iter().filter(|(kind, _)| *kind == "resources").count();
        if leads > 1 || others > 1 || (leads == 1 && resources > 0) {
            let ids: Vec<String> = records.iter().map(|(kind, record)| format!("{kind} {}", record["id"])).collect();
            return Err(format!("twins: {email} is {}", ids.join(", ")));
        }
        counts.records += others.max(leads);
        counts.persons += 1;
    }
    counts.activities = list(ledger, "activities").count();
    counts.documents = list(ledger, "documents").count();
    Ok(by_owner)
}

/// 5. The id that we keep is the record's; what is done is in Tracker, with its children.
fn one(
    row: &Row,
    ledger: &Value,
    by_owner: &ByOwner<'_>,
    people: &People<'_>,
    counts: &mut Counts,
) -> Result<(), String> {
    let Row { id, email, state, kind, words, .. } = row;
    let none = Vec::new();
    let records = by_owner.get(email).unwrap_or(&none);
    let main = format!("{}s", kind.to_lowercase());
    let step = row.steps.iter().find(|step| step.0 == "record" && step.1 == "done").and_then(|step| step.3);
    if step != row.tracker_id {
        return Err(format!("{email} ({id}) has the id {:?}, and its step {step:?}", row.tracker_id));
    }
    let ours = records.iter().find(|(list, _)| *list == main).and_then(|(_, record)| record["id"].as_i64());
    match state.as_str() {
        "done" if ours.is_some() && ours == row.tracker_id => counts.delivered += 1,
        "queued" | "sending" | "retry" | "checking" if !people.at_an_end => counts.open += 1,
        "attention" if !people.at_an_end && !words.starts_with("0 ") => counts.open += 1,
        _ => {
            return Err(format!(
                "{email} ({id}) is {state}: {words}, as {:?}; {kind} in Tracker: {ours:?}",
                row.tracker_id
            ));
        }
    }
    let Some(record) = row.tracker_id else { return Ok(()) };
    let notes = list(ledger, "activities").filter(|note| note["associations"][&main][0]["id"] == record).count();
    let files = list(ledger, "documents").filter(|file| file["record_id"] == record && is_kind(file, kind)).count();
    for (what, there) in [("activity", notes), ("document", files)] {
        let (least, again) = (row.done(what), row.resends(what));
        if there < least {
            return Err(format!("{email} ({id}) says {least} times {what}, Tracker has {there}"));
        }
        // What was sent after the backup is unknown to yesterday's store; a note cannot be looked for in every API.
        if state == "done" && there > least + again && people.elsewhere.is_empty() {
            return Err(format!("{email} ({id}) has {there} times {what}: {least} done, {again} sent again"));
        }
        if state == "done" {
            counts.doubled_children += there.saturating_sub(least) as i64;
        }
    }
    if people.at_an_end && row.done("activity") != 1 {
        return Err(format!("{email} ({id}) is done without an activity: {:?}", row.steps));
    }
    Ok(())
}

fn is_kind(document: &Value, kind: &str) -> bool {
    document["record_type"].as_str().is_some_and(|name| name.trim_end_matches('s').eq_ignore_ascii_case(kind))
}

/// 11. Every child in the ledger hangs on the record of that submission's person: a note by its marker, a CV by its words.
fn children(ledger: &Value, rows: &[Row], people: &People<'_>) -> Result<(), String> {
    let by_marker: BTreeMap<&str, &Row> = rows.iter().map(|row| (row.marker.as_str(), row)).collect();
    let mut by_record: BTreeMap<(String, i64), Vec<&Row>> = BTreeMap::new();
    for row in rows {
        if let Some(record) = row.tracker_id {
            by_record.entry((row.kind.to_lowercase(), record)).or_default().push(row);
        }
    }
    let elsewhere = |text: &str| people.elsewhere.iter().any(|email| text.contains(email.as_str()));
    let foreign: BTreeSet<i64> = ["resources", "contacts", "leads"]
        .iter()
        .flat_map(|kind| list(ledger, kind))
        .filter(|record| elsewhere(&owner(record)))
        .filter_map(|record| record["id"].as_i64())
        .collect();
    for note in list(ledger, "activities") {
        let text = note.to_string();
        let marked = text.find("ht-").map(|at| text[at..].chars().take_while(|c| c.is_alphanumeric() || *c == '-'));
        let marker: String = marked.map(Iterator::collect).unwrap_or_default();
        let links = note["associations"].as_object().into_iter().flatten();
        let links: Vec<(String, i64)> = links
            .flat_map(|(list, all)| all.as_array().into_iter().flatten().map(move |one| (list, one)))
            .filter_map(|(list, one)| Some((list.trim_end_matches('s').to_lowercase(), one["id"].as_i64()?)))
            .collect();
        let wanted = by_marker.get(marker.as_str()).map(|row| (row.kind.to_lowercase(), row.tracker_id.unwrap_or(0)));
        let fits = wanted.as_ref().is_some_and(|wanted| links.contains(wanted));
        if !fits && !links.iter().any(|(_, id)| foreign.contains(id)) {
            return Err(format!("an activity hangs on {links:?}, its submission {marker:?} on {wanted:?}"));
        }
    }
    for file in list(ledger, "documents") {
        let kind = file["record_type"].as_str().unwrap_or_default().trim_end_matches('s').to_lowercase();
        let at = (kind, file["record_id"].as_i64().unwrap_or(0));
        let bytes = BASE64.decode(file["data"].as_str().unwrap_or_default()).unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes);
        let fits = by_record.get(&at).is_some_and(|rows| rows.iter().any(|row| text.contains(row.email.as_str())));
        if !fits && !foreign.contains(&at.1) {
            return Err(format!("the CV {} hangs on {at:?}, which is somebody else's", file["id"]));
        }
    }
    Ok(())
}
