//! Whether anybody is in Tracker more often than is right: by e-mail, over all accounts, and of Leads by name and marker. What
//! Tracker itself makes late is counted apart, and somebody must have been told of it.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::Value;

use crate::case::{Case, Sent};
use crate::counts::Counts;
use crate::ledgers::list;

/// Of whose second record somebody was told, by e-mail, and of whose nobody can be.
pub struct Told {
    pub flagged: BTreeSet<String>,
    pub unseen: BTreeSet<String>,
}

impl Told {
    fn knows(&self, email: &str) -> bool {
        self.flagged.contains(email) || self.unseen.contains(email)
    }

    fn is_unseen(&self, email: &str) -> bool {
        !self.flagged.contains(email)
    }
}

/// No more records than are right, but those that Tracker itself made late: of each of those somebody is told.
pub fn nobody_is_doubled(case: &Case, told: &Told, ledgers: &[&Value], counts: &mut Counts, wrong: &mut Vec<String>) {
    let (mut twins, mut unseen) = (0, 0);
    let mut wanted: BTreeMap<&str, usize> = BTreeMap::new();
    for sent in &case.sent {
        *wanted.entry(&sent.email).or_default() += 1;
    }
    let there = by_email(ledgers);
    for (email, submissions) in wanted {
        let people = there.get(email).copied().unwrap_or_default();
        counts.records += people as u64;
        // An existing person is there as Resource and as Contact, from the beginning.
        let before = if email == "p0@example.org" { 2 * case.existing } else { 0 };
        let most = match (case.features.create_always, before) {
            (true, _) => before + submissions,
            (false, 0) => 1,
            (false, _) => before,
        };
        if people > most {
            if !told.knows(email) {
                counts.twins += (people - most) as u64;
                wrong.push(format!("{people} records of {email}, at most {most} are right, and nobody was told"));
                continue;
            }
            twins += people - most;
            unseen += if told.is_unseen(email) { people - most } else { 0 };
        }
    }
    let leads = doubled_leads(case, told, ledgers, counts, wrong);
    (twins, unseen) = (twins + leads.0, unseen + leads.1);
    // Only Tracker itself may make one, by applying a request hours after it was proven absent.
    let by_itself = case.world.wire.late_creates;
    if twins > by_itself {
        counts.twins += (twins - by_itself) as u64;
        wrong.push(format!("{twins} twins, of which Tracker made {by_itself} by itself"));
    }
    counts.late_twins += twins.min(by_itself).saturating_sub(unseen) as u64;
    counts.unseen_twins += unseen as u64;
}

/// The same of Leads, of which each submission makes one: by its person's name, and on REST by its marker. How many are too
/// many, and of how many of those nobody can be told.
fn doubled_leads(
    case: &Case,
    told: &Told,
    ledgers: &[&Value],
    counts: &mut Counts,
    wrong: &mut Vec<String>,
) -> (usize, usize) {
    let mut wanted: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for sent in &case.sent {
        *wanted.entry((&sent.name, &sent.email)).or_default() += 1;
    }
    let leads = || ledgers.iter().flat_map(|ledger| list(ledger, "leads"));
    if leads().next().is_none() {
        return (0, 0);
    }
    let (mut twins, mut unseen) = (0, 0);
    for ((name, email), right) in wanted {
        let named =
            |lead: &&Value| lead["name"].as_str().and_then(|text| text.strip_prefix(name)) == Some(" – careers");
        let many = leads().filter(named).count();
        let marked = |sent: &Sent| leads().filter(|lead| lead["internalReference"] == *sent.marker).count();
        let of_one = case.sent.iter().filter(|sent| sent.email == email).map(marked);
        let beyond = many.saturating_sub(right).max(of_one.map(|marked| marked.saturating_sub(1)).sum());
        if beyond > 0 && !told.knows(email) {
            counts.twins += beyond as u64;
            wrong.push(format!("{many} leads of {email}, at most {right} are right, and nobody was told"));
        } else {
            twins += beyond;
            unseen += if told.is_unseen(email) { beyond } else { 0 };
        }
    }
    (twins, unseen)
}

/// How many persons there are of each e-mail; a Lead's person is a Contact.
fn by_email<'a>(ledgers: &[&'a Value]) -> HashMap<&'a str, usize> {
    let mut all = HashMap::new();
    let people = ledgers.iter().flat_map(|ledger| ["resources", "contacts"].map(|name| list(ledger, name)));
    for email in people.flatten().filter_map(|one| one["email"].as_str()) {
        *all.entry(email).or_default() += 1;
    }
    all
}
