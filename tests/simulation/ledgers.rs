//! What the site believes to be in Tracker, looked up there: each step that is done, in the account that it was done in, with
//! this person's e-mail, and every child with the record of its own submission. It believes neither side's sums.

use std::collections::{BTreeMap, HashMap, HashSet};

use base64::Engine as _;
use halt_tracker::queue::state::State;
use halt_tracker::queue::view::Item;
use serde_json::Value;

use crate::case::{Case, Sent};
use crate::counts::Counts;
use crate::wire::NOBODY;
use crate::world::curriculum;

/// The lists of a ledger that hold records.
const KINDS: [&str; 3] = ["resources", "contacts", "leads"];

/// One account of Tracker, as it ended.
pub struct Ledger {
    pub all: Value,
    records: HashMap<(usize, i64), usize>,
}

/// An activity or a document, and the record it hangs on.
struct Child {
    id: i64,
    account: usize,
    on: (usize, i64),
    /// To the second, as Tracker writes it.
    made: String,
    /// The file's name; an activity has none.
    file: String,
}

/// All accounts, and whose each child is.
pub struct Ledgers {
    pub accounts: Vec<Ledger>,
    children: BTreeMap<String, Vec<Child>>,
    pub wrong: Vec<String>,
}

pub fn list<'a>(ledger: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> {
    ledger[name].as_array().into_iter().flatten()
}

fn kind_of(record_type: &str) -> usize {
    ["resource", "contact", "lead"].iter().position(|name| record_type.eq_ignore_ascii_case(name)).unwrap_or(usize::MAX)
}

impl Ledger {
    fn new(all: Value) -> Self {
        let mut records = HashMap::new();
        for (kind, name) in KINDS.iter().enumerate() {
            let ids = list(&all, name).enumerate().filter_map(|(at, one)| Some(((kind, one["id"].as_i64()?), at)));
            records.extend(ids);
        }
        Self { all, records }
    }

    fn record(&self, of: (usize, i64)) -> Option<&Value> {
        self.records.get(&of).map(|at| &self.all[KINDS[of.0]][*at])
    }

    /// Whether a record is this submission's: a person by e-mail; a Lead by its name, its Contact and, where it has one, its
    /// marker, which REST Leads all have.
    fn is_of(&self, of: (usize, i64), sent: &Sent) -> bool {
        let Some(record) = self.record(of) else { return false };
        if KINDS[of.0] != "leads" {
            return record["email"] == *sent.email;
        }
        let marker = &record["internalReference"];
        let marked = if record["api"] == "rest" { *marker == *sent.marker } else { marker.is_null() };
        let contact = |one: &Value| self.record((1, one["id"].as_i64()?));
        let contacts = list(&record["associations"], "contacts");
        record["name"] == lead_name(sent)
            && marked
            && contacts.filter_map(contact).any(|contact| contact["email"] == *sent.email)
    }
}

/// What our plan calls the Lead of a submission.
fn lead_name(sent: &Sent) -> String {
    format!("{} – careers", sent.name)
}

/// The one record that an activity or a document is put on.
fn hangs_on(child: &Value) -> (usize, i64) {
    if let Some(record) = child["record_id"].as_i64() {
        return (kind_of(child["record_type"].as_str().unwrap_or_default()), record);
    }
    let on = |(kind, name): (usize, &&str)| Some((kind, list(&child["associations"], name).next()?["id"].as_i64()?));
    KINDS.iter().enumerate().find_map(on).unwrap_or((usize::MAX, 0))
}

impl Ledgers {
    /// Reads every account, and says of each child whose it is. A child or a record that is nobody's is wrong.
    pub fn new(case: &Case) -> Self {
        let accounts: Vec<Ledger> = case.accounts.iter().map(|one| Ledger::new(one.borrow().ledger())).collect();
        let mut all = Self { accounts, children: BTreeMap::new(), wrong: Vec::new() };
        let mut whose: HashMap<String, &str> = HashMap::new();
        let emails: HashSet<&str> = case.sent.iter().map(|sent| sent.email.as_str()).collect();
        for sent in &case.sent {
            whose.insert(sent.marker.clone(), &sent.id);
            whose.insert(base64::engine::general_purpose::STANDARD.encode(curriculum(&sent.id)), &sent.id);
        }
        for (account, ledger) in all.accounts.iter().enumerate() {
            for child in list(&ledger.all, "activities").chain(list(&ledger.all, "documents")) {
                // An activity's note ends with the marker in brackets; a document is told by its bytes.
                let note = child["note"].as_str().and_then(|note| note.rsplit_once("\n["));
                let mark = note.map(|(_, mark)| mark.trim_end_matches(']')).or(child["data"].as_str());
                match mark.and_then(|mark| whose.get(mark)) {
                    Some(id) => all.children.entry((*id).to_owned()).or_default().push(Child {
                        id: child["id"].as_i64().unwrap_or_default(),
                        account,
                        on: hangs_on(child),
                        made: child["created_at"].as_str().unwrap_or_default().to_owned(),
                        file: child["filename"].as_str().unwrap_or_default().to_owned(),
                    }),
                    None => all.wrong.push(format!("a child that is nobody's: {child}")),
                }
            }
            for name in &KINDS[..2] {
                let strange =
                    |one: &&Value| one["api"] != "seed" && !one["email"].as_str().is_some_and(|it| emails.contains(it));
                all.wrong.extend(list(&ledger.all, name).filter(strange).map(|one| format!("made for nobody: {one}")));
            }
        }
        all
    }

    /// Whether a record of this id, of any type, is this person's in one of the accounts, or what the submission brought.
    pub fn is_somewhere(&self, id: i64, sent: &Sent) -> bool {
        let brought = self.children.get(&sent.id).is_some_and(|children| children.iter().any(|child| child.id == id));
        brought || self.accounts.iter().any(|account| (0..KINDS.len()).any(|kind| account.is_of((kind, id), sent)))
    }

    /// Invariants 3 and 11: a child hangs on a record of its own submission's person, in the same account, made before it.
    pub fn children_are_at_home(&self, case: &Case) -> Vec<String> {
        let mut wrong = Vec::new();
        for sent in &case.sent {
            for child in self.children.get(&sent.id).into_iter().flatten() {
                let ledger = &self.accounts[child.account];
                let id = &sent.id;
                if !ledger.is_of(child.on, sent) {
                    wrong.push(format!("what {id} brought hangs on a stranger's record: {:?}", child.on));
                } else if ledger.record(child.on).is_none_or(|record| record["created_at"].as_str() > Some(&child.made))
                {
                    wrong.push(format!("what {id} brought was there before its record: {:?}", child.on));
                }
            }
        }
        wrong
    }

    /// How many children there are beyond one of each.
    pub fn doubled_children(&self) -> usize {
        let beyond = |children: &Vec<Child>| {
            let mut names: Vec<&str> = children.iter().map(|child| child.file.as_str()).collect();
            names.sort_unstable();
            names.dedup();
            children.len() - names.len()
        };
        self.children.values().map(beyond).sum()
    }

    /// Every step that is done was done: its record is there and this person's, and its children hang on it; and what is
    /// delivered has all of its steps.
    pub fn holds(&self, case: &Case, sent: &Sent, item: &Item, steps: &[Value], counts: &mut Counts) -> Vec<String> {
        let id = &sent.id;
        let is_done = |step: &&Value| step["state"] == "done";
        let of = |kind: &str| steps.iter().filter(|step| step["kind"] == kind).collect::<Vec<_>>();
        let mut wrong = Vec::new();
        let record = of("record").into_iter().find(is_done).and_then(|step| step["tracker_id"].as_i64());
        if item.state == State::Done {
            // Where activities are off, one holds what the form brought to a record that was there already.
            let was_there =
                |step: &&Value| is_done(step) && !["created", "reconciled"].iter().any(|how| step["how"] == *how);
            let found = of("contact").into_iter().chain(of("record")).any(|step| was_there(&step));
            let planned = !of("activity").is_empty();
            let activities = usize::from(case.world.settings["activity_enabled"] == "1" || (found && planned));
            let right = [("record", 1), ("activity", activities), ("document", case.features.documents as usize)];
            for (kind, right) in right {
                let many = of(kind).into_iter().filter(is_done).count();
                if many != right {
                    wrong.push(format!("{id} is delivered with {many} steps of kind {kind}, {right} are right"));
                }
            }
            if item.tracker_id.is_none() || item.tracker_id != record {
                wrong.push(format!("{id} is delivered as {:?}, its step says {record:?}", item.tracker_id));
            }
        }
        for step in of("activity").into_iter().chain(of("document")).filter(|step| step["state"] == "rejected") {
            counts.rejected_children += 1;
            // Its answers were lost where nobody can look (1604); or it was refused, since the record is nobody's.
            let code = step["code"].as_str().unwrap_or_default();
            let excused = code == "HT-1604" || code == "HT-1503" && record == Some(NOBODY);
            if !excused {
                wrong.push(format!("a child of {id} was refused without need: {step}"));
            }
        }
        let Some(record) = record else { return wrong };
        let at = (kind_of(&item.record_type), record);
        if record == NOBODY && case.features.wrong_id {
            // Tracker lied about the id. What it made is there all the same.
            counts.lied_to += 1;
            let made = |account: &Ledger| {
                account.records.keys().filter(|(kind, _)| *kind == at.0).any(|of| account.is_of(*of, sent))
            };
            if !self.accounts.iter().any(made) {
                wrong.push(format!("{id} was lied to about its record, and there is none"));
            }
            return wrong;
        }
        let homes: Vec<usize> = (0..self.accounts.len()).filter(|at_| self.accounts[*at_].is_of(at, sent)).collect();
        if homes.is_empty() {
            wrong.push(format!("{id} stands as {} {record}, which is not there or a stranger's", item.record_type));
            return wrong;
        }
        counts.looked_up += 1;
        let children = self.children.get(id).map(Vec::as_slice).unwrap_or_default();
        let has = |home: usize, file: &str| {
            children.iter().any(|child| (child.account, child.on, child.file.as_str()) == (home, at, file))
        };
        let file_of = |step: &&Value| step["file"].as_i64().map_or(String::new(), |file| format!("cv-{file}.pdf"));
        let expected: Vec<String> =
            of("activity").iter().chain(of("document").iter()).filter(|step| is_done(step)).map(file_of).collect();
        if !homes.iter().any(|home| expected.iter().all(|file| has(*home, file))) {
            wrong.push(format!("not all that {id} brought is with its record {record}: {expected:?} are said to be"));
        }
        counts.children_looked_up += expected.len() as u64;
        if let Some(contact) = of("contact").into_iter().find(is_done).and_then(|step| step["tracker_id"].as_i64())
            && !(contact == NOBODY && case.features.wrong_id)
            && !homes.iter().any(|home| self.accounts[*home].is_of((1, contact), sent))
        {
            wrong.push(format!("the Contact {contact} of {id} is a stranger"));
        }
        wrong
    }
}
