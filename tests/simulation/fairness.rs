//! Submissions whose look fails every time hold up nobody else.

use halt_tracker::queue::state::State;
use serde_json::{Value, json};

use crate::delivery::somebody;
use crate::world::World;

const HOUR: i64 = 3_600_000;

fn person(name: &str) -> Value {
    json!({ "name": format!("{name} Person"), "email": format!("{name}@example.org"), "message": "Hi" })
}

/// Cron for an hour, every five minutes; after how many milliseconds a submission was done.
fn done_after(world: &mut World, id: &str) -> Option<i64> {
    let begin = world.clock.wall();
    let mut done = None;
    for _ in 0..12 {
        world.run();
        if done.is_none() && world.item(id).state == State::Done {
            done = Some(world.clock.wall() - begin);
        }
        let next = 300_000 - (world.clock.wall() - begin) % 300_000;
        world.clock.advance(next);
    }
    done
}

#[test]
fn three_people_for_whom_every_search_fails_delay_a_new_one_by_minutes_at_most() {
    for api in ["rest", "widget"] {
        let mut world = World::new(12, json!({ "api": api }));
        somebody(&mut world);
        world.wire.sick = vec!["one@", "two@", "three@"];
        let sick: Vec<String> = ["one", "two", "three"].map(|name| world.submit(&person(name))).to_vec();
        for hour in 0..48 {
            let id = world.submit(&person(&format!("hour{hour}")));
            let took = done_after(&mut world, &id);
            assert!(took.is_some_and(|took| took <= HOUR / 4), "{api}: hour {hour}: {took:?} {:?}", world.item(&id));
        }
        for id in &sick {
            assert_eq!(world.item(id).state, State::Retry, "{api}: they wait: {:?}", world.item(id));
        }
        world.wire.sick.clear();
        world.run_for(12);
        assert!(sick.iter().all(|id| world.item(id).state == State::Done), "{api}: {}", world.explain());
    }
}

#[test]
fn lost_answers_whose_look_fails_every_time_do_not_come_before_everybody_new() {
    let mut world = World::new(13, json!({ "api": "rest", "pace": "600" }));
    somebody(&mut world);
    world.switches(&json!({ "faults": [{ "on": "create_resource", "do": "drop_after", "times": 40 }] }));
    let names: Vec<String> = (0..40).map(|at| format!("lost{at}")).collect();
    let lost: Vec<String> = names.iter().map(|name| world.submit(&person(name))).collect();
    for _ in 0..40 {
        world.run();
        world.clock.advance(61_000);
    }
    world.switches(&json!({ "faults": [] }));
    world.wire.sick = vec!["lost"];
    for hour in 0..24 {
        let id = world.submit(&person(&format!("hour{hour}")));
        let took = done_after(&mut world, &id);
        assert!(took.is_some_and(|took| took <= HOUR / 4), "hour {hour}: {took:?} {:?}", world.item(&id));
    }
    world.wire.sick.clear();
    world.run_for(24);
    assert!(lost.iter().all(|id| world.item(id).state == State::Done), "{}", world.explain());
    assert_eq!(world.held("resources").len(), 1 + 40 + 24);
}

#[test]
fn an_outage_is_still_met_with_longer_and_longer_waits() {
    let mut world = World::new(14, json!({ "api": "rest" }));
    somebody(&mut world);
    for at in 0..6 {
        world.submit(&person(&format!("p{at}")));
    }
    world.wire.weather.refuse = 100;
    let mut waits = Vec::new();
    for _ in 0..200 {
        let before = world.wire.sent;
        let report = world.run().expect("no crash");
        if world.wire.sent > before
            && let Some(until) = report.not_before
        {
            waits.push(until - world.clock.wall());
        }
        world.clock.advance(300_000);
        world.beat();
    }
    assert!(waits.iter().any(|wait| *wait > HOUR), "{waits:?}");
}
