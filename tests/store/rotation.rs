//! Keys change under load, on real files: one handle rotates and re-seals as the relay does, another takes in all the while.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use halt_tracker::queue::lock::PATIENCE;

use crate::{Place, accept, submission, try_accept};
use serde_json::json;

#[test]
fn while_keys_rotate_nobody_who_comes_in_waits_or_is_turned_away() {
    let many: u32 = std::env::var("ROTATION").ok().and_then(|text| text.parse().ok()).unwrap_or(400);
    let mut place = Place::new();
    let mut store = place.opened();
    let one = |id: u32| submission(id, &json!({ "name": "Ada", "email": format!("p{id}@example.org") }));
    for id in 0..many {
        accept(&mut store, &one(id));
    }
    let done = AtomicBool::new(false);
    let (resealed, (taken, slowest)) = std::thread::scope(|scope| {
        let visitor = scope.spawn(|| {
            let mut store = place.open().expect("opens");
            let (mut taken, mut slowest) = (0, Duration::ZERO);
            while !done.load(Ordering::Relaxed) {
                let begin = Instant::now();
                // An error here is a form that would have gone to the capture table, or a sender told to come back.
                try_accept(&mut store, &one(many + taken), None, None).expect("taken");
                slowest = slowest.max(begin.elapsed());
                taken += 1;
            }
            (taken, slowest)
        });
        let mut resealed = 0;
        for _ in 0..3 {
            store.rotate_key().expect("rotated");
            loop {
                store.be_patient(true);
                let count = store.reseal().expect("resealed");
                store.be_patient(false);
                if count == 0 {
                    break;
                }
                resealed += count;
                // A run re-seals once and then speaks with Tracker.
                std::thread::sleep(Duration::from_millis(50));
            }
        }
        done.store(true, Ordering::Relaxed);
        (resealed, visitor.join().expect("no panic"))
    });
    println!(
        "campaign rotation: {many} submissions on disk, 3 new keys, {resealed} rows sealed anew; beside it {taken} came in, the slowest in {} ms",
        slowest.as_millis()
    );
    assert!(resealed >= many as usize * 3 && taken > 0);
    assert!(slowest < PATIENCE, "{slowest:?}");
    drop(store);
    let mut store = place.opened();
    while store.reseal().expect("resealed") > 0 {}
    for id in (0..many + taken).step_by(97) {
        let seq = store.seq_of(&one(id).id).expect("there");
        assert!(store.job(seq).expect("opens").submission.is_some(), "{id}");
    }
}
