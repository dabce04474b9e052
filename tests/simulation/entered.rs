//! What somebody says by hand about a record: which one it is, that it is not there, that other credentials are the right
//! ones. No way out of a question may end with a stranger, and none may lead back to the same question for ever.

use std::cell::RefCell;
use std::rc::Rc;

use halt_tracker::clock::Clock as _;
use halt_tracker::queue::act::Action;
use halt_tracker::queue::state::State;
use serde_json::{Value, json};

use crate::delivery::{ada, somebody};
use crate::model::Tracker;
use crate::world::World;

const MARY: &str = "mary@example.org";

fn mary() -> Value {
    json!({ "name": "Mary Jackson", "email": MARY, "message": "Hi" })
}

/// Places people in Tracker; their ids.
fn place(world: &World, people: &Value) -> Vec<i64> {
    let now = world.clock.truth();
    let ids = world.wire.tracker.borrow_mut().seed(&json!({ "resources": people }), now).expect("seeded");
    ids["resources"].as_array().expect("ids").iter().filter_map(Value::as_i64).collect()
}

fn by_hand(world: &mut World, id: &str, action: Action) {
    let now = world.clock.now();
    world.store.act(id, action, &now).expect("the button is there");
    world.run_for(30);
}

fn stands(world: &World, id: &str) -> (State, String, Option<String>) {
    let item = world.item(id);
    (item.state, item.reason, item.code)
}

/// Somebody whose create was answered without an id and who is not found: a person must say which record it is.
fn asked(settings: Value) -> (World, String, Vec<i64>) {
    let mut world = World::new(23, settings);
    somebody(&mut world);
    world.switches(&json!({ "faults": [{ "on": "create_resource", "do": "drop_before", "times": 100 }] }));
    let id = world.submit(&mary());
    world.run_for(200);
    assert_eq!(world.item(&id).state, State::Attention, "{:?}", world.item(&id));
    world.switches(&json!({ "faults": [] }));
    let people = json!([
        { "firstName": "Alan", "surname": "Stranger", "email": "alan@example.org" },
        { "firstName": "Mary", "surname": "Jackson", "email": MARY }
    ]);
    let ids = place(&world, &people);
    (world, id, ids)
}

fn children(world: &World, of: i64) -> usize {
    world.held("activities").iter().filter(|one| one.to_string().contains(&of.to_string())).count()
}

#[test]
fn a_record_that_was_named_by_mistake_gets_nothing_of_the_person() {
    for api in ["rest", "widget"] {
        let (mut world, id, people) = asked(json!({ "api": api }));
        for wrong in [people[0], 987_654] {
            by_hand(&mut world, &id, Action::Exists(wrong));
            let code = Some("HT-1617".to_owned());
            assert_eq!(stands(&world, &id), (State::Attention, "other person".into(), code), "{api} {wrong}");
            assert_eq!((children(&world, wrong), world.item(&id).tracker_id), (0, None), "{api} {wrong}");
        }
        by_hand(&mut world, &id, Action::Exists(people[1]));
        assert_eq!(world.item(&id).state, State::Done, "{api}: {}", world.explain());
        assert_eq!((world.item(&id).tracker_id, children(&world, people[1])), (Some(people[1]), 1), "{api}");
    }
}

#[test]
fn a_record_that_was_named_twice_is_used_as_it_was_named() {
    let (mut world, id, people) = asked(json!({ "api": "rest" }));
    by_hand(&mut world, &id, Action::Exists(people[0]));
    assert_eq!(world.item(&id).reason, "other person");
    by_hand(&mut world, &id, Action::Exists(people[0]));
    assert_eq!(world.item(&id).state, State::Done, "{}", world.explain());
    assert_eq!((world.item(&id).tracker_id, children(&world, people[0])), (Some(people[0]), 1));
}

#[test]
fn whom_tracker_protects_can_be_named_though_nobody_can_look() {
    let mut world = World::new(9, json!({}));
    somebody(&mut world);
    world.wire.rest_is_blocked = true;
    let known = place(&world, &json!([{ "firstName": "Mary", "surname": "Jackson", "email": MARY }]));
    let id = world.submit(&mary());
    world.run_for(12);
    assert_eq!(stands(&world, &id).2.as_deref(), Some("HT-1512"), "{}", world.explain());
    by_hand(&mut world, &id, Action::Exists(known[0]));
    assert_eq!(world.item(&id).state, State::Done, "{}", world.explain());
    assert_eq!((world.item(&id).tracker_id, world.held("resources").len()), (Some(known[0]), 2));
}

#[test]
fn a_record_is_named_not_the_child_whose_answer_is_open() {
    let mut world = World::new(37, json!({ "api": "rest" }));
    world.switches(&json!({ "faults": [{ "on": "create_activity", "do": "drop_before", "times": 100 }] }));
    let id = world.submit(&mary());
    world.run();
    assert!(world.item(&id).tracker_id.is_some(), "{}", world.explain());
    // Other credentials: the activity's answer is still open, and the record there is nobody's.
    world.wire.tracker = Rc::new(RefCell::new(Tracker::new()));
    world.paste_new_credentials();
    world.run_for(3);
    assert_eq!(stands(&world, &id).1, "tenant", "{}", world.explain());
    let there = place(&world, &json!([{ "firstName": "Mary", "surname": "Jackson", "email": MARY }]));
    by_hand(&mut world, &id, Action::Exists(there[0]));
    assert_eq!(world.item(&id).state, State::Done, "{}", world.explain());
    assert_eq!((world.item(&id).tracker_id, children(&world, there[0])), (Some(there[0]), 1), "{}", world.explain());
}

#[test]
fn what_another_account_was_asked_for_can_be_sent_to_the_one_in_force() {
    for api in ["rest", "widget"] {
        // Nobody was delivered before, so nobody can tell whether it is the same account.
        let mut world = World::new(31, json!({ "api": api }));
        world.switches(&json!({ "faults": [{ "on": "create_resource", "do": "drop_before", "times": 1 }] }));
        let id = world.submit(&mary());
        world.run();
        world.wire.tracker = Rc::new(RefCell::new(Tracker::new()));
        world.paste_new_credentials();
        world.run_for(3);
        assert_eq!(stands(&world, &id).1, "tenant", "{api}: {}", world.explain());
        by_hand(&mut world, &id, Action::Retry);
        assert_eq!(stands(&world, &id).1, "tenant", "{api}: a retry alone changes nothing");
        by_hand(&mut world, &id, Action::Absent);
        assert_eq!(world.item(&id).state, State::Done, "{api}: {}", world.explain());
        assert_eq!((world.held("resources").len(), world.held("activities").len()), (1, 1), "{api}");
    }
}

#[test]
fn credentials_that_a_constant_changes_may_be_another_accounts() {
    for name in ["refresh_token", "client_secret", "api_token"] {
        let constant = |value: &str| json!({ "constants": { name: value } });
        let mut world = World::new(17, json!({ "api": "rest" }));
        let seed = |world: &mut World, value: &str| {
            let now = world.clock.truth();
            let known = json!({ "credentials": { name: value } });
            world.wire.tracker.borrow_mut().seed(&known, now).expect("seeded");
        };
        seed(&mut world, "one-0123456789");
        world.set(&constant("one-0123456789"));
        somebody(&mut world);
        world.switches(&json!({ "faults": [{ "on": "create_activity", "do": "drop_before", "times": 1 }] }));
        let id = world.submit(&ada());
        world.run();
        let of_ada = world.item(&id).tracker_id.expect("made");
        world.wire.tracker = Rc::new(RefCell::new(Tracker::new()));
        let strangers = place(&world, &json!([{ "firstName": "Alan" }, { "firstName": "Barbara" }]));
        assert!(strangers.contains(&of_ada), "{name}: nobody has Ada's id there: {strangers:?}");
        seed(&mut world, "two-0123456789");
        world.set(&constant("two-0123456789"));
        world.run_for(3);
        assert_eq!(stands(&world, &id).1, "tenant", "{name}: {}", world.explain());
        assert_eq!(world.held("activities").len(), 0, "{name}: a stranger has Ada's activity");
    }
}
