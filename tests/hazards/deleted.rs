//! Somebody deletes the WAL below living workers. What they have open is then the only place where the last forms are.

use crate::world::{person, text, world};
use serde_json::json;

#[test]
fn a_wal_that_is_deleted_below_a_worker_loses_no_form() {
    let world = world(|options| options.workers = 1);
    world.set_up("", &world.data);
    let first = person("deleted", 0);
    world.apply("d4", &first);
    world.tick_until_delivered("deleted", std::slice::from_ref(&first));
    world.act(&json!({"action": "pause"}));
    let mut emails = vec![first];
    for n in 1..5 {
        emails.push(person("deleted", n));
        world.apply(["d4", "d5"][n % 2], &person("deleted", n));
    }
    std::fs::remove_file(world.data.join("queue.sqlite-wal")).expect("there");
    // Another process must not begin a new one beside it.
    assert_eq!(world.ask("Engine::call('status')")["thrown"], "HT-1113");
    assert!(!world.data.join("queue.sqlite-wal").exists(), "nothing was made in {}", text(&world.data));
    // The worker notices at its next call, saves what it holds, and goes on.
    emails.push(person("deleted", 5));
    world.apply("d5", &person("deleted", 5));
    world.act(&json!({"action": "resume", "reason": "by hand"}));
    let ticks = world.tick_until_delivered("deleted", &emails);
    println!(
        "campaign h: real PHP: WAL deleted below a worker with 4 forms in it; {}, delivered after {ticks} tick(s)",
        world.tally("deleted", &emails)
    );
}
