//! Which account an answer was lost in: new secrets may speak for the same customer of Tracker or for another one, and hosts
//! and client id are the same for everybody.

use std::cell::RefCell;
use std::rc::Rc;

use halt_tracker::clock::Clock as _;
use halt_tracker::queue::act::Action;
use halt_tracker::queue::state::State;
use halt_tracker::settings::RecordType;
use serde_json::{Value, json};

use crate::delivery::{ada, somebody};
use crate::interleaved::once;
use crate::meanwhile::At;
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

/// The e-mail of whom look-ups must find.
fn control(world: &World) -> Option<String> {
    let sql = "SELECT name FROM token WHERE name LIKE 'control Resource %'";
    let name: String = world.store.connection().query_row(sql, [], |row| row.get(0)).ok()?;
    let tenant = name.trim_start_matches("control Resource ");
    world.store.control(tenant, RecordType::Resource).expect("read").map(|known| known.email)
}

#[test]
fn who_was_erased_while_they_were_read_is_not_remembered_again() {
    let mut world = without_a_search(8);
    somebody(&mut world);
    assert_eq!(control(&world).as_deref(), Some("grace@example.org"));
    let sql = "SELECT id FROM submission";
    let grace: String = world.store.connection().query_row(sql, [], |row| row.get(0)).expect("Grace");
    world.paste_new_credentials();
    world.submit(&ada());
    world.others.script = once(At::Answered, "/v1/Resource/5001", move |reach| {
        assert!(reach.act(&grace, Action::Erase));
    });
    world.run();
    assert_eq!(control(&world).as_deref(), Some("ada@example.org"), "{}", world.explain());
}

#[test]
fn where_nobody_can_read_it_is_not_tried_with_every_run() {
    let mut world = World::new(8, json!({ "duplicates": "create" }));
    somebody(&mut world);
    world.switches(&json!({ "faults": [{ "on": "exchange", "do": 401, "times": 100_000 }] }));
    world.paste_new_credentials();
    world.submit(&ada());
    world.run_for(1);
    let sent = world.wire.sent;
    world.submit(&json!({ "name": "Alan Turing", "email": "alan@example.org" }));
    world.run();
    assert_eq!(world.wire.sent - sent, 2, "the person and the activity");
}

#[test]
fn patience_that_tracker_asks_for_meanwhile_is_heeded() {
    let mut world = without_a_search(8);
    somebody(&mut world);
    world.paste_new_credentials();
    let fault = json!([{ "on": "get_resource", "do": 429, "times": 1, "retry_after": 900 }]);
    world.switches(&json!({ "faults": fault }));
    let id = world.submit(&ada());
    let report = world.run().expect("no crash");
    let wait = report.not_before.map_or(0, |at| at - world.clock.wall());
    assert!((890_000..=900_000).contains(&wait), "{wait}");
    assert_eq!(world.asked("create_resource"), 1, "Grace's");
    world.run_for(2);
    assert_eq!(world.item(&id).state, State::Done, "{}", world.explain());
}

#[test]
fn a_look_that_says_nothing_about_whom_it_must_find_does_not_forget_them() {
    let mut world = World::new(8, json!({ "api": "rest" }));
    somebody(&mut world);
    let others: Vec<Value> = (0..8)
        .map(|at| json!({ "firstName": "O", "surname": "Other", "email": format!("o{at}@other.example") }))
        .collect();
    let now = world.clock.truth();
    world.wire.tracker.borrow_mut().seed(&json!({ "resources": others }), now).expect("seeded");
    world.switches(&json!({ "email_filter": "ignored", "page_cap": 5 }));
    world.submit(&ada());
    world.run_for(1);
    assert_eq!(control(&world).as_deref(), Some("grace@example.org"), "{}", world.explain());
}
