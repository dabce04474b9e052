//! Who holds the lock of a run, and for how long nobody need worry.

use halt_tracker::engine::{Call, show};
use halt_tracker::queue::lock::{Holder, RunLock};
use serde_json::json;

use crate::{Place, now};

#[test]
fn a_run_that_stands_still_hangs_whoever_began_it() {
    let mut place = Place::new();
    drop(place.opened());
    let settings = json!({ "key_file": place.key_file().display().to_string() }).to_string();
    let site = serde_json::to_vec(&place.site).expect("encoded");
    let call = Call::read(place.dir().display().to_string().as_bytes(), &site, settings.as_bytes()).expect("a call");
    let path = place.dir().join("run.lock");
    for caller in ["cron", "button", "cli", "after", "test", "restore"] {
        for (minutes, hangs) in [(14, false), (16, true)] {
            let holder =
                Holder { pid: 4_711, since: now().wall - minutes * 60_000, caller: caller.into(), run_id: "r".into() };
            let lock =
                RunLock::try_take(&path, &holder, &halt_tracker::clock::SystemClock).expect("no error").expect("free");
            let run = show::status(&call).expect("shown")["run"].clone();
            assert_eq!((&run["held"], &run["caller"], &run["pid"]), (&json!(true), &json!(caller), &json!(4_711)));
            assert_eq!(run["hangs"], hangs, "{caller}, {minutes} minutes");
            drop(lock);
        }
    }
    assert_eq!(show::status(&call).expect("shown")["run"], json!({ "held": false, "hangs": false }));
}
