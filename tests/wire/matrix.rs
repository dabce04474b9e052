//! Fault × step × API: each cell is a site of its own with one applicant, whose way to Tracker meets the fault. Whatever
//! breaks, the applicant is delivered in the end, once, with every byte of the CV.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use halt_tracker::queue::state::State;
use halt_tracker::tracker::transport::Failure;
use serde_json::{Value, json};

use crate::fault::{Fault, Step};
use crate::site::{Aim, CV, Places, Real, SCALE, is_adas};

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

fn play(places: &Places, cell: &Cell, count: &Mutex<Count>) {
    let map = r#"{"fullName":"name","email":"email","note":"message","jobId":"job","source":":Website"}"#;
    let settings = json!({ "api": cell.api, "record_type": cell.record_type, "field_map": map });
    let mut real = Real::new(places, &settings);
    // Tracker guards nobody: a create that is sent blindly a second time would be there twice.
    let unguarded = json!({ "widget_duplicates": "create" });
    real.front.tracker.lock().expect("the model").set_switches(&unguarded).expect("known switches");
    real.aimed.aim = Some(Aim { step: cell.step, fault: cell.fault, left: cell.times });
    let id = real.submit();
    let state = real.deliver(&id);
    let ledger = real.ledger();
    let mine = |list: &str| -> Vec<Value> {
        ledger[list].as_array().into_iter().flatten().filter(|one| is_adas(one)).cloned().collect()
    };
    let (records, people) = match cell.record_type {
        "Resource" => (mine("resources"), mine("resources").len()),
        "Contact" => (mine("contacts"), mine("contacts").len()),
        _ => (mine("leads"), mine("contacts").len()),
    };
    let many = |list: &str| ledger[list].as_array().map_or(0, Vec::len);
    let doubled = many("activities").saturating_sub(1) + many("documents").saturating_sub(1);
    {
        let mut count = count.lock().expect("counts");
        count.cells += 1;
        count.requests += real.front.requests.load(Ordering::SeqCst);
        count.lost += usize::from(records.is_empty() || state != State::Done);
        count.twins += records.len().saturating_sub(1) + people.saturating_sub(1);
        count.doubled_children += doubled;
        count.pasted += real.pasted;
        count.asked += real.asked;
        *count.by_fault.entry(format!("{:?}", cell.fault)).or_default() += 1;
    }
    let story = || format!("{}\n{}", cell.name(), real.explain(&id));
    assert_eq!(state, State::Done, "{}", story());
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
    let item = real.store.detail(&id).expect("there").1;
    assert_eq!(item.tracker_id, records[0]["id"].as_i64(), "{}", story());
    assert!(many("activities") >= 1 && many("documents") >= 1, "{}", story());
    assert_eq!(many("longlist"), usize::from(cell.record_type == "Resource"), "{}", story());
    for document in ledger["documents"].as_array().into_iter().flatten() {
        assert_eq!(document["bytes"].as_u64(), Some(CV.len() as u64), "{}", story());
        assert_eq!(document["record_id"], records[0]["id"], "{}", story());
    }
    let sound: String =
        real.store.connection().query_row("PRAGMA integrity_check", [], |row| row.get(0)).expect("checked");
    assert_eq!(sound, "ok");
}
