//! Half of all CVs are called `cv.pdf`, and people apply twice: that a document of that name is there says nothing about the
//! one whose answer was lost.

use base64::Engine as _;
use halt_tracker::queue::state::State;
use serde_json::json;

use crate::delivery::{ada, somebody};
use crate::world::{World, curriculum};

/// How often Tracker holds the CV of a submission.
fn copies(world: &World, id: &str) -> usize {
    let data = base64::engine::general_purpose::STANDARD.encode(curriculum(id));
    world.held("documents").iter().filter(|one| one["data"] == data).count()
}

fn fault(world: &mut World, what: &str, times: u32) {
    world.switches(&json!({ "faults": [{ "on": "attach_document", "do": what, "times": times }] }));
}

fn a_site() -> World {
    let mut world = World::new(41, json!({ "api": "rest" }));
    somebody(&mut world);
    world.documents = 1;
    world
}

#[test]
fn a_lost_cv_is_not_taken_for_an_earlier_one_of_the_same_name() {
    let mut world = a_site();
    let first = world.submit(&ada());
    world.run_for(1);
    fault(&mut world, "drop_before", 1);
    let second = world.submit(&ada());
    world.run_for(6);
    assert_eq!((copies(&world, &first), copies(&world, &second)), (1, 1), "{}", world.explain());
    assert_eq!(world.item(&second).state, State::Done);
}

#[test]
fn a_lost_cv_that_did_arrive_is_found_beside_an_earlier_one_of_the_same_name() {
    let mut world = a_site();
    let first = world.submit(&ada());
    world.run_for(1);
    // Within ten minutes nobody could tell it from one that Tracker made twice; then it is sent again.
    world.clock.advance(15 * 60_000);
    world.beat();
    fault(&mut world, "drop_after", 1);
    let second = world.submit(&ada());
    world.run_for(6);
    assert_eq!((copies(&world, &first), copies(&world, &second)), (1, 1), "{}", world.explain());
    assert_eq!(world.item(&second).state, State::Done);
}

#[test]
fn of_two_lost_cvs_of_one_name_none_is_missing_in_the_end() {
    for lost in [["drop_before", "drop_after"], ["drop_after", "drop_before"], ["drop_before", "drop_before"]] {
        let mut world = a_site();
        let faults = lost.map(|what| json!({ "on": "attach_document", "do": what, "times": 1 }));
        world.switches(&json!({ "faults": faults }));
        let both = [world.submit(&ada()), world.submit(&ada())];
        world.run_for(24);
        for id in both {
            assert!(copies(&world, &id) >= 1, "{lost:?}\n{}", world.explain());
            assert_eq!(world.item(&id).state, State::Done, "{lost:?}\n{}", world.explain());
        }
        assert_eq!(world.held("resources").len(), 2, "{lost:?}");
    }
}

#[test]
fn a_lost_cv_is_not_taken_for_another_one_that_tracker_made_twice() {
    let mut world = a_site();
    world.wire.weather.doubled = 100;
    let first = world.submit(&ada());
    world.run_for(1);
    world.wire.weather.doubled = 0;
    fault(&mut world, "drop_before", 1);
    let second = world.submit(&ada());
    world.run_for(6);
    assert_eq!((copies(&world, &first), copies(&world, &second)), (2, 1), "{}", world.explain());
}

/// Nobody here remembers what Tracker called the documents so far, as if they had come through another site, long ago.
fn forget_and_wait(world: &mut World) {
    let forget = "PRAGMA foreign_keys = OFF; UPDATE step SET tracker_id = NULL WHERE kind = 'document'";
    world.store.connection().execute_batch(forget).expect("forgotten");
    world.clock.advance(40 * 60_000);
    world.beat();
}

#[test]
fn a_cv_that_was_there_for_months_is_not_the_lost_one() {
    let mut world = a_site();
    let first = world.submit(&ada());
    world.run_for(1);
    forget_and_wait(&mut world);
    fault(&mut world, "drop_before", 1);
    let second = world.submit(&ada());
    world.run_for(6);
    assert_eq!((copies(&world, &first), copies(&world, &second)), (1, 1), "{}", world.explain());
}

#[test]
fn a_cv_that_says_no_date_is_not_taken_for_the_lost_one() {
    for (lost, copies_of_the_second) in [("drop_before", 1), ("drop_after", 2)] {
        let mut world = a_site();
        world.switches(&json!({ "document_dates": "none" }));
        let first = world.submit(&ada());
        world.run_for(1);
        forget_and_wait(&mut world);
        fault(&mut world, lost, 1);
        let second = world.submit(&ada());
        world.run_for(6);
        let there = (copies(&world, &first), copies(&world, &second));
        assert_eq!(there, (1, copies_of_the_second), "{lost}: twice at the most, missing never\n{}", world.explain());
        assert_eq!(world.item(&second).state, State::Done, "{lost}");
    }
}
