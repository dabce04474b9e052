//! Who waits for an earlier submission of the same person waits quietly, and goes on as soon as that one is settled.

use halt_tracker::clock::Clock;
use halt_tracker::queue::act::Action;
use halt_tracker::queue::state::State;
use serde_json::json;

use crate::delivery::ada;
use crate::world::World;

const HOUR: i64 = 3_600_000;

/// A world in which Ada's first submission asks a person about its lost answer, and a second one waits behind it.
fn two() -> (World, [String; 2]) {
    let mut world = World::new(9, json!({}));
    world.wire.rest_is_blocked = true;
    world.submit(&json!({ "name": "Grace Hopper", "email": "grace@example.org" }));
    world.run_for(12);
    world.switches(&json!({ "faults": [{ "on": "create_resource", "do": "drop_after", "times": 1 }] }));
    let first = world.submit(&ada());
    world.run_for(60);
    assert_eq!(world.item(&first).reason, "unsettled", "{}", world.explain());
    let second = world.submit(&ada());
    (world, [first, second])
}

/// Cron each minute for so many hours, as a busy site has it; `true` once the submission is done.
fn minutes(world: &mut World, hours: i64, id: &str) -> bool {
    let end = world.clock.wall() + hours * HOUR;
    while world.clock.wall() < end && world.item(id).state != State::Done {
        world.run();
        world.clock.advance(60_000);
    }
    world.item(id).state == State::Done
}

fn lines(world: &World) -> i64 {
    world.number("SELECT count(*) FROM journal")
}

#[test]
fn a_day_of_waiting_writes_a_few_lines_and_no_runs() {
    let (mut world, [_, second]) = two();
    let (before, runs) = (lines(&world), world.number("SELECT count(*) FROM run"));
    assert!(!minutes(&mut world, 24, &second));
    assert_eq!(world.item(&second).code.as_deref(), Some("HT-1609"), "{}", world.explain());
    let more = lines(&world) - before;
    assert!((1..=30).contains(&more), "{more} lines");
    let more = world.number("SELECT count(*) FROM run") - runs;
    assert!(more <= 30, "{more} runs");
}

#[test]
fn whoever_waits_goes_on_within_minutes_of_what_is_decided_about_the_earlier_one() {
    for action in [Action::Exists(0), Action::Absent, Action::Discard, Action::Erase] {
        let (mut world, [first, second]) = two();
        assert!(!minutes(&mut world, 20, &second));
        // By itself it would look again in half an hour at the earliest.
        while world.number("SELECT due_at FROM submission WHERE code = 1609") < world.clock.wall() + HOUR / 2 {
            world.run();
            world.clock.advance(60_000);
        }
        let made =
            world.held("resources").iter().find(|one| one["email"] == "ada@example.org").map(|one| one["id"].clone());
        let made = made.and_then(|id| id.as_i64()).expect("made");
        let action = if action == Action::Exists(0) { Action::Exists(made) } else { action };
        let now = world.clock.now();
        let begin = now.wall;
        world.store.act(&first, action, &now).expect("decided");
        world.wire.rest_is_blocked = false;
        assert!(minutes(&mut world, 12, &second), "{action:?}: {}", world.explain());
        assert!(world.clock.wall() - begin <= 15 * 60_000, "{action:?}: {} ms", world.clock.wall() - begin);
        assert_eq!(world.held("resources").len(), 2, "{action:?}: Grace, and Ada once");
    }
}
