//! Fault × step × API: each cell is a site of its own with one applicant, whose way to Tracker meets the fault. Whatever
//! breaks, the applicant is delivered in the end, once, with every byte of the CV.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use halt_tracker::clock::Clock;
use halt_tracker::queue::state::State;
use halt_tracker::tracker::transport::Failure;
use serde_json::{Value, json};

use crate::fault::{Fault, Step};
use crate::judge::clear::in_the_clear;
use crate::judge::{Counts, People, Told, settled};
use crate::site::{Aim, CV, EMAIL, KNOWN, Places, Real, SCALE, is_adas};

/// Cells at a time: most of a cell is waiting.
const WORKERS: usize = 6;

#[derive(Clone, Debug)]
struct Cell {
    api: &'static str,
    record_type: &'static str,
    step: Step,
    fault: Fault,
    times: u32,
}

impl Cell {
    fn name(&self) -> String {
        format!("{}/{}/{:?}/{:?}×{}", self.api, self.record_type, self.step, self.fault, self.times)
    }
}

#[derive(Default)]
struct Count {
    cells: usize,
    requests: u64,
    lost: usize,
    twins: usize,
    doubled_children: usize,
    pasted: u32,
    asked: u32,
    by_fault: BTreeMap<String, usize>,
}

fn cells(rounds: Option<u32>) -> Vec<Cell> {
    let mut all = Vec::new();
    for round in 0..rounds.unwrap_or(1) {
        for api in ["widget", "rest"] {
            for record_type in ["Resource", "Contact", "Lead"] {
                for step in Step::all(api, record_type) {
                    // The short form leaves out what differs from a Resource in the body only.
                    let own = record_type == "Resource"
                        || (record_type == "Lead" && matches!(step, Step::Record | Step::Contact));
                    if rounds.is_none() && !own {
                        continue;
                    }
                    let times = 1 + round % 3;
                    all.extend(Fault::ALL.map(|fault| Cell { api, record_type, step, fault, times }));
                }
            }
        }
    }
    all
}

#[test]
fn whatever_the_network_does_to_any_step_the_applicant_is_delivered_once() {
    let rounds = std::env::var("NETWORK_ROUNDS").ok().and_then(|text| text.parse().ok());
    let wanted = std::env::var("NETWORK_CELL").unwrap_or_default();
    let cells: Vec<Cell> = cells(rounds).into_iter().filter(|cell| cell.name().contains(&wanted)).collect();
    let (places, next) = (Places::new(), AtomicUsize::new(0));
    let (count, failed) = (Mutex::new(Count::default()), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                while let Some(cell) = cells.get(next.fetch_add(1, Ordering::SeqCst)) {
                    let played = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| play(&places, cell, &count)));
                    if played.is_err() {
                        failed.lock().expect("a list").push(cell.name());
                    }
                }
            });
        }
    });
    let (count, failed) = (count.into_inner().expect("counts"), failed.into_inner().expect("a list"));
    println!(
        "campaign network: real sockets and TLS: cells={} requests={} lost={} twins={} doubled_children={} pasted_tokens={} asked_a_person={} (waits of HTTP at 1/{SCALE} where a fault needs them, all other waits leapt over)",
        count.cells, count.requests, count.lost, count.twins, count.doubled_children, count.pasted, count.asked
    );
    println!("  by fault: {:?}", count.by_fault);
    assert!(places.elsewhere.accept().is_err(), "a redirect was followed");
    assert!(failed.is_empty(), "{} cells: {failed:#?}", failed.len());
    assert_eq!((count.cells, count.lost, count.twins), (cells.len(), 0, 0));
}

fn settings(api: &str, record_type: &str) -> Value {
    let map = r#"{"fullName":"name","email":"email","note":"message","jobId":"job","source":":Website"}"#;
    json!({ "api": api, "record_type": record_type, "field_map": map })
}

/// The judge of all campaigns on real files, over a site whose one applicant must have come to an end.
fn judged(real: &Real, id: &str) -> Result<Counts, String> {
    let told = [Told { email: EMAIL.into(), id: Some(id.to_owned()), cv: true }];
    let trouble = real.aimed.met.len();
    let people = People { told: &told, before: &[KNOWN], at_an_end: true, trouble, ..People::default() };
    let counts = settled(&real.store, &real.ledger(), &people, &real.clock.now())?;
    in_the_clear(real.root.path(), &["@example.org", "Lovelace", "%PDF"])?;
    Ok(counts)
}

fn play(places: &Places, cell: &Cell, count: &Mutex<Count>) {
    let mut real = Real::new(places, &settings(cell.api, cell.record_type));
    // Tracker guards nobody: a create that is sent blindly a second time would be there twice.
    let unguarded = json!({ "widget_duplicates": "create" });
    real.front.tracker.lock().expect("the model").set_switches(&unguarded).expect("known switches");
    real.aimed.aim = Some(Aim { step: cell.step, fault: cell.fault, left: cell.times });
    let id = real.submit();
    let state = real.deliver(&id);
    let ledger = real.ledger();
    let judged = judged(&real, &id);
    let mine = |list: &str| -> Vec<Value> {
        ledger[list].as_array().into_iter().flatten().filter(|one| is_adas(one)).cloned().collect()
    };
    let (records, people) = match cell.record_type {
        "Resource" => (mine("resources"), mine("resources").len()),
        "Contact" => (mine("contacts"), mine("contacts").len()),
        _ => (mine("leads"), mine("contacts").len()),
    };
    let many = |list: &str| ledger[list].as_array().map_or(0, Vec::len);
    {
        let mut count = count.lock().expect("counts");
        count.cells += 1;
        count.requests += real.front.requests.load(Ordering::SeqCst);
        count.lost += usize::from(records.is_empty() || state != State::Done);
        count.twins += records.len().saturating_sub(1) + people.saturating_sub(1);
        count.doubled_children += many("activities").saturating_sub(1) + many("documents").saturating_sub(1);
        count.pasted += real.pasted;
        count.asked += real.asked;
        *count.by_fault.entry(format!("{:?}", cell.fault)).or_default() += 1;
    }
    let story = || format!("{}\n{}", cell.name(), real.explain(&id));
    match &judged {
        Ok(counts) => assert_eq!((counts.delivered, counts.open), (1, 0), "{}: {}", counts.words(), story()),
        Err(why) => panic!("{why}: {}\n{ledger:#}", story()),
    }
    assert_eq!((records.len(), people), (1, 1), "{}\n{ledger:#}", story());
    let met = real.aimed.met.clone();
    // What was applied is found and not sent again, so that the fault may strike less often than it could.
    assert!(!met.is_empty(), "the fault never happened: {}", story());
    // What the transport says of a fault is never more than the fault allows.
    for one in &met {
        let certain = matches!(one, Err(Failure::NotSent(..)));
        // On a busy machine a scaled limit may end while it still connects: then that is true, and no fault's doing.
        let too_busy = cell.fault.needs_patience()
            && matches!(one, Err(Failure::NotSent(_, words)) if words == "operation timed out");
        assert!(!certain || cell.fault.proves_nothing_left() || too_busy, "{one:?}: {}", story());
        assert!(certain || !cell.fault.proves_nothing_left(), "{one:?}: {}", story());
    }
    // One lost answer never needs a person, nor does anything that proves that nothing left.
    assert!(real.asked == 0 || (cell.times > 1 && !cell.fault.proves_nothing_left()), "{}", story());
    assert_eq!(many("longlist"), usize::from(cell.record_type == "Resource"), "{}", story());
    for document in ledger["documents"].as_array().into_iter().flatten() {
        assert_eq!(document["bytes"].as_u64(), Some(CV.len() as u64), "{}", story());
    }
}

/// What the judge is worth: a site that ended well is spoilt in one way after the other.
#[test]
fn what_is_lost_doubled_or_in_the_clear_turns_a_cell_red() {
    type Spoil = fn(&mut Real);
    fn change(real: &Real, sql: &str) {
        real.store.connection().execute_batch(&format!("PRAGMA foreign_keys = OFF; {sql}")).expect("changed");
    }
    let spoils: [(&str, &str, Spoil); 7] = [
        ("what was acknowledged is in the store", "is lost", |real| change(real, "DELETE FROM search")),
        ("nobody is there twice", "twins", |real| {
            real.seed(&json!({ "resources": [{ "firstName": "Ada", "surname": "Twin", "email": EMAIL }] }));
        }),
        ("the id that is kept is the record's", "has the id", |real| change(real, "UPDATE step SET tracker_id = 1")),
        ("no child before its record", "a child before its record", |real| {
            change(real, "UPDATE step SET state = 'todo' WHERE kind = 'record'");
        }),
        ("a pause spends no attempt", "attempts were spent", |real| {
            change(real, "UPDATE submission SET attempts = 99")
        }),
        ("what is open has its time", "nothing would ever end", |real| {
            change(real, "UPDATE submission SET state = 'retry', due_at = 0, due_boot = 0");
        }),
        ("nothing of a person is in the clear", "in the clear", |real| {
            std::fs::write(real.root.path().join("debug.log"), format!("sent {EMAIL}")).expect("written");
        }),
    ];
    let places = Places::new();
    for (promise, words, spoil) in spoils {
        let mut real = Real::new(&places, &settings("rest", "Resource"));
        let id = real.submit();
        assert_eq!(real.deliver(&id), State::Done, "{}", real.explain(&id));
        judged(&real, &id).unwrap_or_else(|why| panic!("{promise}, and nothing is spoilt yet: {why}"));
        spoil(&mut real);
        let why = judged(&real, &id).err().unwrap_or_else(|| panic!("{promise}: nobody noticed"));
        assert!(why.contains(words), "{promise}: {why}");
        println!("mutation {promise}, over the network: red ({words})");
    }
}
