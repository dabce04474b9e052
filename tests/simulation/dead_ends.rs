//! Nothing may lead back to the same question, or wait, for ever: where nobody can look, where a look proves nothing, after a
//! gap, after a restore.

use halt_tracker::clock::Clock;
use halt_tracker::queue::act::Action;
use halt_tracker::queue::state::State;
use serde_json::{Value, json};

use crate::delivery::{ada, both, somebody};
use crate::looking::absent_and_not_sent_again;
use crate::restored::deliver_and_forget;
use crate::wire::Weather;
use crate::world::World;

fn by_hand(world: &mut World, id: &str, action: Action) {
    let now = world.clock.now();
    world.store.act(id, action, &now).unwrap_or_else(|error| panic!("{action:?}: {error}: {}", world.explain()));
}

fn faults(world: &World, all: &[(&str, Value)]) {
    let all: Vec<Value> = all
        .iter()
        .map(|(on, what)| json!({ "on": on, "do": what, "times": if *what == "403_before" { 10_000 } else { 1 } }))
        .collect();
    world.wire.tracker.borrow_mut().set_switches(&json!({ "faults": all })).expect("known");
}

fn is_asked(world: &World, id: &str, code: &str) {
    let item = world.item(id);
    assert_eq!((item.state, item.code.as_deref()), (State::Attention, Some(code)), "{}", world.explain());
}

/// Nobody can look, and Ada's create never arrived: a person is asked.
fn asked_where_nobody_can_look() -> (World, String) {
    let mut world = World::new(9, json!({}));
    world.wire.rest_is_blocked = true;
    somebody(&mut world);
    world.run_for(12);
    faults(&world, &[("create_resource", json!("drop_before"))]);
    let id = world.submit(&ada());
    world.run_for(68);
    is_asked(&world, &id, "HT-1603");
    (world, id)
}

#[test]
fn a_persons_word_that_it_is_not_there_outlives_a_send_that_never_left() {
    for weather in [Weather { refuse: 100, only_creates: true, ..Weather::default() }, Weather::default()] {
        let (mut world, id) = asked_where_nobody_can_look();
        world.wire.weather = weather;
        if weather.refuse == 0 {
            // Refused for good, and sent again by the same person.
            faults(&world, &[("create_resource", json!(422))]);
        }
        by_hand(&mut world, &id, Action::Absent);
        world.run();
        world.wire.weather = Weather::default();
        if world.item(&id).state == State::Failed {
            by_hand(&mut world, &id, Action::Retry);
        }
        world.run_for(6);
        assert_eq!(world.item(&id).state, State::Done, "{}", world.explain());
        assert_eq!(world.held("resources").len(), 2, "{}", world.explain());
    }
}

#[test]
fn a_persons_word_is_good_for_one_send_that_may_have_left() {
    let (mut world, id) = asked_where_nobody_can_look();
    faults(&world, &[("create_resource", json!("drop_after"))]);
    by_hand(&mut world, &id, Action::Absent);
    world.run_for(68);
    is_asked(&world, &id, "HT-1603");
    assert_eq!(world.held("resources").len(), 2, "{}", world.explain());
}

#[test]
fn who_was_taken_for_absent_and_cannot_be_looked_for_any_more_can_be_decided_about() {
    for absent in [true, false] {
        let (mut world, id) = absent_and_not_sent_again();
        faults(&world, &[("search_resource", json!("403_before"))]);
        world.run_for(3);
        is_asked(&world, &id, "HT-1603");
        let action = if absent {
            Action::Absent
        } else {
            let there =
                json!({ "resources": [{ "firstName": "Ada", "surname": "Lovelace", "email": "ada@example.org" }] });
            let now = world.clock.truth();
            let ids = world.wire.tracker.borrow_mut().seed(&there, now).expect("seeded");
            Action::Exists(ids["resources"][0].as_i64().expect("an id"))
        };
        by_hand(&mut world, &id, action);
        world.run_for(6);
        assert_eq!(world.item(&id).state, State::Done, "{action:?}: {}", world.explain());
        assert_eq!(world.held("resources").len(), 2, "{action:?}: {}", world.explain());
    }
}

#[test]
fn a_part_that_nobody_can_look_for_any_more_does_not_hold_up_the_cv_behind_it() {
    let mut world = World::new(9, json!({ "api": "rest" }));
    somebody(&mut world);
    world.documents = 1;
    faults(&world, &[("create_activity", json!("drop_before")), ("create_activity", json!(429))]);
    let id = world.submit(&ada());
    while world.item(&id).state != State::Retry {
        world.run();
        world.clock.advance(60_000);
    }
    // No run for hours: what is unfinished is looked for before it is sent, and now nobody may search.
    faults(&world, &[("search_activity", json!("403_before"))]);
    world.clock.advance(5 * 3_600_000);
    world.run_for(6);
    assert_eq!(world.item(&id).state, State::Done, "{}", world.explain());
    assert_eq!((world.held("activities").len(), world.held("documents").len()), (2, 1), "{}", world.explain());
}

#[test]
fn a_cv_that_tracker_accepted_and_that_no_look_shows_is_believed() {
    let mut world = World::new(9, json!({ "api": "rest" }));
    somebody(&mut world);
    world.documents = 2;
    faults(&world, &[("attach_document", json!("drop_before"))]);
    let id = world.submit(&ada());
    world.run();
    // As after "202 Accepted", and a gap in which another copy of the store may have sent something.
    let sql = "UPDATE step SET state = 'applied' WHERE state = 'unknown'; UPDATE submission SET verify = 1";
    world.store.connection().execute_batch(sql).expect("changed");
    world.run_for(24);
    assert_eq!(world.item(&id).state, State::Done, "{}", world.explain());
    assert_eq!(world.held("documents").len(), 1, "the other one: {}", world.explain());
}

#[test]
fn who_wants_both_types_of_record_is_not_asked_again_because_no_run_came_by() {
    both(|api, world| {
        let id = world.submit(&ada());
        deliver_and_forget(world);
        world.set(&json!({ "record_type": "Contact" }));
        world.run_for(2);
        is_asked(world, &id, "HT-1616");
        world.clock.advance(3 * 3_600_000);
        by_hand(world, &id, Action::Retry);
        world.run_for(2);
        assert_eq!(world.item(&id).state, State::Done, "{api}: {}", world.explain());
        assert_eq!(world.held("contacts").len(), 1, "{api}");
    });
}
