//! Keys change under load, on real files: one handle rotates and re-seals as the relay does, another takes in all the while.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

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
    let (done, rounds) = (AtomicBool::new(false), AtomicUsize::new(0));
    let (resealed, (taken, slowest, most)) = std::thread::scope(|scope| {
        let visitor = scope.spawn(|| {
            let mut store = place.open().expect("opens");
            // How long a machine takes says little; how many rounds went by while one waited says who gave way.
            store.be_patient(true);
            let (mut taken, mut slowest, mut most) = (0, Duration::ZERO, 0);
            while !done.load(Ordering::Relaxed) {
                let (begin, round) = (Instant::now(), rounds.load(Ordering::SeqCst));
                try_accept(&mut store, &one(many + taken), None, None).expect("taken");
                slowest = slowest.max(begin.elapsed());
                most = most.max(rounds.load(Ordering::SeqCst) - round);
                taken += 1;
                // Visitors come one after the other, not as a wall.
                std::thread::sleep(Duration::from_millis(2));
            }
            (taken, slowest, most)
        });
        let mut resealed = 0;
        for _ in 0..3 {
            store.be_patient(true);
            store.rotate_key().expect("rotated");
            loop {
                store.be_patient(true);
                let count = store.reseal().expect("resealed");
                store.be_patient(false);
                if count == 0 {
                    break;
                }
                resealed += count;
                rounds.fetch_add(1, Ordering::SeqCst);
                // A run re-seals once and then speaks with Tracker.
                std::thread::sleep(Duration::from_millis(50));
            }
        }
        done.store(true, Ordering::Relaxed);
        (resealed, visitor.join().expect("no panic"))
    });
    println!(
        "campaign rotation: real files: {many} submissions on disk, 3 new keys, {resealed} rows sealed anew; beside it {taken} came in, the slowest in {} ms, none waited for more than {most} rounds",
        slowest.as_millis()
    );
    assert!(resealed >= many as usize * 3 && taken > 0);
    assert!(most <= 5, "{most} rounds went before somebody who waited");
    drop(store);
    let mut store = place.opened();
    while store.reseal().expect("resealed") > 0 {}
    for id in (0..many + taken).step_by(97) {
        let seq = store.seq_of(&one(id).id).expect("there");
        assert!(store.job(seq).expect("opens").submission.is_some(), "{id}");
    }
}
