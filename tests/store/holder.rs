//! Who holds the lock of a run, and for how long nobody need worry.

use halt_tracker::clock::SystemClock;
use halt_tracker::engine::{Call, handles, show};
use halt_tracker::queue::lock::{Holder, RunLock};
use serde_json::json;

use crate::{Place, now};

fn call(place: &mut Place) -> Call {
    drop(place.opened());
    let settings = json!({ "key_file": place.key_file().display().to_string() }).to_string();
    let site = serde_json::to_vec(&place.site).expect("encoded");
    Call::read(place.dir().display().to_string().as_bytes(), &site, settings.as_bytes()).expect("a call")
}

#[test]
fn a_run_that_stands_still_hangs_whoever_began_it() {
    let mut place = Place::new();
    let call = call(&mut place);
    let path = place.dir().join("run.lock");
    for caller in ["cron", "button", "cli", "after", "test", "restore"] {
        for (minutes, hangs) in [(14, false), (16, true)] {
            let holder =
                Holder { pid: 4_711, since: now().wall - minutes * 60_000, caller: caller.into(), run_id: "r".into() };
            let lock = RunLock::try_take(&path, &holder, &SystemClock).expect("no error").expect("free");
            let run = show::status(&call).expect("shown")["run"].clone();
            assert_eq!((&run["held"], &run["caller"], &run["pid"]), (&json!(true), &json!(caller), &json!(4_711)));
            assert_eq!(run["hangs"], hangs, "{caller}, {minutes} minutes");
            drop(lock);
        }
    }
    assert_eq!(show::status(&call).expect("shown")["run"], json!({ "held": false, "hangs": false }));
}

#[test]
fn a_run_that_ends_by_a_panic_is_nobodys_at_once() {
    let mut place = Place::new();
    let path = place.dir().join("run.lock");
    let holder = || Holder { pid: std::process::id(), since: 1, caller: "cron".into(), run_id: "r".into() };
    let store = place.opened();
    // The engine knows the place of the lock beside the store, to find what a fatal error left there.
    let known = store.run_lock.clone();
    assert!(store.run_lock.take(&path, &holder(), &SystemClock).expect("no error"));
    let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(move || {
        let _running = &store;
        panic!("in the middle of a run");
    }));
    assert!(ended.is_err() && !known.is_sound());
    assert!(RunLock::try_take(&path, &holder(), &SystemClock).expect("no error").is_some());
}

#[test]
fn a_transaction_that_could_not_be_ended_ends_with_its_call() {
    let mut place = Place::new();
    let call = call(&mut place);
    let begun = handles::with_store(&call, |store| Ok(store.connection().execute_batch("BEGIN IMMEDIATE").is_ok()));
    assert_eq!(begun, Ok(true));
    let written = handles::with_store(&call, |store| Ok(store.set_facts(&[("pace", String::new())])?));
    assert_eq!(written, Ok(()), "this worker would never write again");
}
