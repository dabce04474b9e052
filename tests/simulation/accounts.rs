//! Which account an answer was lost in: new secrets may speak for the same customer of Tracker or for another one, and hosts
//! and client id are the same for everybody.

use std::cell::RefCell;
use std::rc::Rc;

use halt_tracker::clock::Clock as _;
use halt_tracker::queue::act::Action;
use halt_tracker::queue::state::State;
use serde_json::{Value, json};

use crate::delivery::{ada, somebody};
use crate::model::Tracker;
use crate::world::World;

#[test]
fn a_lost_create_is_not_looked_for_in_another_account_of_the_same_client() {
    let mut world = World::new(6, json!({ "api": "rest" }));
    somebody(&mut world);
    world.switches(&json!({ "faults": [{ "on": "create_resource", "do": "drop_before", "times": 1 }] }));
    let id = world.submit(&ada());
    world.run();
    assert_eq!(world.item(&id).state, State::Checking);
    // New secrets of another customer of Tracker: hosts and client id are the same for everybody.
    let first = Rc::clone(&world.wire.tracker);
    world.wire.tracker = Rc::new(RefCell::new(Tracker::new()));
    world.paste_new_credentials();
    world.run_for(6);
    assert_eq!(world.held("resources").len(), 0, "nothing goes to a stranger's account");
    assert_eq!((world.item(&id).state, world.item(&id).reason.as_str()), (State::Attention, "tenant"));
    // New secrets of the same account: the person who was delivered before says so.
    world.wire.tracker = first;
    world.switches(&json!({ "faults": [{ "on": "create_resource", "do": "drop_before", "times": 1 }] }));
    let other = world.submit(&json!({ "name": "Alan Turing", "email": "alan@example.org" }));
    world.paste_new_credentials();
    world.run();
    world.paste_new_credentials();
    world.run_for(6);
    assert_eq!(world.item(&other).state, State::Done, "{:?}", world.item(&other));
}

/// A site whose submissions are sent without a search before, which would notice another account by itself.
fn without_a_search(seed: u64) -> World {
    World::new(seed, json!({ "api": "rest", "duplicates": "create" }))
}

fn enter_another_account(world: &mut World) -> Rc<RefCell<Tracker>> {
    let first = std::mem::replace(&mut world.wire.tracker, Rc::new(RefCell::new(Tracker::new())));
    world.paste_new_credentials();
    first
}

fn lose_the_next(world: &mut World, what: &str) {
    let fault: Value = json!({ "faults": [{ "on": what, "do": "drop_after", "times": 1 }] });
    world.switches(&fault);
}

/// Ada is open, and a person is to say where she is; the account in force has nothing of her.
fn is_asked_about(world: &World, ada: &str) {
    let item = world.item(ada);
    assert_eq!((item.state, item.reason.as_str()), (State::Attention, "tenant"), "{}", world.explain());
    let of_ada = world.held("resources").iter().filter(|one| one["email"] == "ada@example.org").count();
    assert_eq!(of_ada, 0, "{}", world.explain());
}

#[test]
fn who_was_seen_before_another_account_came_between_says_nothing_about_that_one() {
    let mut world = without_a_search(8);
    somebody(&mut world);
    let first = enter_another_account(&mut world);
    lose_the_next(&mut world, "create_resource");
    let id = world.submit(&ada());
    world.run();
    assert_eq!((world.item(&id).state, world.held("resources").len()), (State::Checking, 1));
    world.wire.tracker = first;
    world.paste_new_credentials();
    world.run_for(6);
    is_asked_about(&world, &id);
}

#[test]
fn who_was_sent_before_another_account_came_between_and_done_after_it_says_nothing_about_that_one() {
    let mut world = without_a_search(8);
    lose_the_next(&mut world, "create_activity");
    let grace = world.submit(&json!({ "name": "Grace Hopper", "email": "grace@example.org" }));
    world.run();
    let first = enter_another_account(&mut world);
    lose_the_next(&mut world, "create_resource");
    let id = world.submit(&ada());
    world.run();
    assert_eq!(world.held("resources").len(), 1, "Ada is in the other account");
    world.wire.tracker = first;
    world.paste_new_credentials();
    let now = world.clock.now();
    world.store.act(&grace, Action::Retry, &now).expect("retried");
    world.run_for(6);
    assert_eq!(world.item(&grace).state, State::Done, "{}", world.explain());
    let now = world.clock.now();
    world.store.act(&id, Action::Retry, &now).expect("retried");
    world.run_for(6);
    is_asked_about(&world, &id);
}

#[test]
fn who_is_read_under_each_new_secret_tells_that_the_account_is_the_same() {
    let mut world = without_a_search(8);
    somebody(&mut world);
    world.paste_new_credentials();
    lose_the_next(&mut world, "create_resource");
    let id = world.submit(&ada());
    world.run();
    assert_eq!(world.item(&id).state, State::Checking);
    world.paste_new_credentials();
    world.run_for(6);
    assert_eq!(world.item(&id).state, State::Done, "{}", world.explain());
    assert_eq!(world.held("resources").len(), 2);
    // Once for each secret, not once for each submission.
    let reads = world.asked("get_resource");
    world.submit(&json!({ "name": "Alan Turing", "email": "alan@example.org" }));
    world.run_for(1);
    assert_eq!(world.asked("get_resource"), reads);
}
