//! Keys change while the relay runs: no submission comes later for that, nothing becomes unreadable, and in the end nothing
//! lies under an old key. `ROTATION=10000` sets over how many submissions. Virtual time costs nothing to seal: that nobody
//! waits for a lock either is shown on real files (`tests/store/rotation.rs`).

use halt_tracker::queue::state::State;
use halt_tracker::queue::view::Query;
use serde_json::json;

use crate::world::World;

/// Every sealed column.
const SEALED: [(&str, &str); 10] = [
    ("submission", "payload"),
    ("submission", "plan"),
    ("submission", "message"),
    ("step", "message"),
    ("journal", "detail"),
    ("file", "about"),
    ("secret", "sealed"),
    ("token", "sealed"),
    ("pause", "detail"),
    ("refusal", "address"),
];

/// Rows that lie under another key than the given one.
fn rows_elsewhere(world: &World, key: &str) -> i64 {
    let raw: Vec<u8> = (0..8).map(|at| u8::from_str_radix(&key[at * 2..at * 2 + 2], 16).expect("hex")).collect();
    let count = |(table, column): &(&str, &str)| -> i64 {
        let sql = format!("SELECT count(*) FROM {table} WHERE {column} IS NOT NULL AND substr({column}, 2, 8) <> ?1");
        world.store.connection().query_row(&sql, [&raw], |row| row.get(0)).expect("counted")
    };
    SEALED.iter().map(count).sum()
}

/// Delivers as many submissions, changing the key now and then: virtual milliseconds, keys, runs until nothing is old.
fn delivered(many: usize, rotate: bool) -> (i64, usize, usize) {
    let mut world = World::new(21, json!({ "api": "rest", "pace": "60000" }));
    world.switches(&json!({ "keep_requests": 0 }));
    let (mut keys, mut submitted) = (1, 0);
    let begin = world.clock.wall();
    while submitted < many {
        for _ in 0..many / 8 {
            world.submit(&json!({ "name": format!("Person Number{submitted}"), "email": format!("p{submitted}@example.org"), "message": "Hi" }));
            submitted += 1;
        }
        // In the midst: some are delivered, some are half way, some wait.
        if rotate && (submitted / (many / 8)).is_multiple_of(2) {
            world.store.rotate_key().expect("rotated");
            keys += 1;
        }
        world.run().expect("no crash");
        world.clock.advance(60_000);
    }
    world.run_for(24);
    let done = world.store.list(&Query { state: State::Done.name().into(), ..Query::default() }).expect("listed").0;
    let took = world.clock.wall() - begin;
    assert_eq!((usize::try_from(done).expect("a count"), world.held("resources").len()), (many, many));
    assert!(world.store.pauses().expect("read").is_empty());
    let current = world.store.ring().current().to_owned();
    let mut runs = 0;
    while rows_elsewhere(&world, &current) > 0 {
        assert!(runs < many, "old rows stay: {}", rows_elsewhere(&world, &current));
        world.clock.advance(300_000);
        world.run().expect("no crash");
        runs += 1;
    }
    (took, keys, runs)
}

#[test]
fn keys_rotate_while_the_relay_runs_and_nothing_waits() {
    let many: usize = std::env::var("ROTATION").ok().and_then(|text| text.parse().ok()).unwrap_or(120);
    let (plain, _, _) = delivered(many, false);
    let (rotated, keys, runs) = delivered(many, true);
    println!(
        "campaign rotation: simulated, virtual time: {many} submissions under {keys} keys, all delivered in {} virtual seconds ({} without a rotation); {runs} more runs until nothing lay under an old key",
        rotated / 1_000,
        plain / 1_000
    );
    assert!(keys >= 4);
    assert!(rotated <= plain, "somebody waited: {rotated} ms for {plain}");
}
