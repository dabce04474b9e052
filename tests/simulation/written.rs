//! Whatever an applicant wrote stands in Tracker when a submission is called delivered, also where the person was there before
//! and no create carries it.

use halt_tracker::clock::Clock;
use halt_tracker::queue::act::Action;
use halt_tracker::queue::state::State;
use serde_json::{Value, json};

use crate::delivery::{both, somebody};
use crate::world::World;

fn ada(message: &str) -> Value {
    json!({ "name": "Ada Lovelace", "email": "ada@example.org", "phone": "020 7946 0000", "message": message })
}

/// How often a text stands in what Tracker holds, and in which lists.
fn stands(world: &World, text: &str) -> Vec<&'static str> {
    ["resources", "contacts", "leads", "activities"]
        .into_iter()
        .flat_map(|list| world.held(list).into_iter().map(move |one| (list, one.to_string())))
        .filter(|(_, one)| one.contains(text))
        .map(|(list, _)| list)
        .collect()
}

/// As shipped: no activities.
fn off(world: &mut World) {
    world.set(&json!({ "activity_enabled": "" }));
}

#[test]
fn the_second_message_of_a_person_who_is_there_stands_in_an_activity_and_the_first_one_in_the_record() {
    both(|api, world| {
        off(world);
        for (record_type, list) in [("Resource", "resources"), ("Contact", "contacts")] {
            world.set(&json!({ "record_type": record_type }));
            let [one, other] = ["first", "second"].map(|word| format!("My {word} words as a {record_type}"));
            let first = world.submit(&ada(&one));
            world.run_for(1);
            world.clock.advance(7 * 24 * 3_600_000);
            world.beat();
            let second = world.submit(&ada(&other));
            world.run_for(1);
            for id in [&first, &second] {
                assert_eq!(world.item(id).state, State::Done, "{api}: {}", world.explain());
            }
            assert_eq!(stands(world, &one), [list], "{api} {record_type}");
            assert_eq!(stands(world, &other), ["activities"], "{api} {record_type}: {}", world.explain());
            let note = world.held("activities").pop().expect("an activity")["note"].to_string();
            assert!(note.contains("020 7946 0000"), "{api}: {note}");
            assert_eq!(world.held(list).len(), 1, "{api}");
        }
        assert_eq!(world.held("activities").len(), 2, "{api}: none for what was new");
    });
}

#[test]
fn where_every_record_has_its_activity_the_one_of_a_found_person_holds_the_message_too() {
    both(|api, world| {
        world.submit(&ada("My first words"));
        world.run_for(1);
        world.submit(&ada("My second words"));
        world.run_for(1);
        let notes: Vec<String> = world.held("activities").iter().map(|one| one["note"].to_string()).collect();
        assert_eq!(notes.len(), 2, "{api}");
        assert!(notes.iter().all(|note| note.contains("Received 2026-03-01")), "{api}: {notes:?}");
        assert_eq!(notes.iter().filter(|note| note.contains("words")).count(), 1, "{api}: {notes:?}");
        assert_eq!(stands(world, "My second words"), ["activities"], "{api}");
    });
}

#[test]
fn a_person_whom_tracker_itself_finds_has_the_message_as_well() {
    let mut world = World::new(3, json!({ "duplicates": "create", "activity_enabled": "" }));
    let known = json!({ "resources": [{ "firstName": "Ada", "surname": "Lovelace", "email": "ada@example.org" }] });
    let now = world.clock.truth();
    world.wire.tracker.borrow_mut().seed(&known, now).expect("seeded");
    let id = world.submit(&ada("My words"));
    world.run_for(1);
    assert_eq!(world.item(&id).state, State::Done, "{}", world.explain());
    assert_eq!(stands(&world, "My words"), ["activities"]);
}

#[test]
fn where_a_lost_create_ends_with_somebody_elses_record_the_message_is_not_lost_with_it() {
    let mut world = World::new(3, json!({ "api": "rest", "activity_enabled": "" }));
    somebody(&mut world);
    world.switches(&json!({ "faults": [{ "on": "create_resource", "do": "drop_before", "times": 1 }] }));
    let id = world.submit(&ada("My words"));
    world.run();
    assert_eq!(world.item(&id).state, State::Checking);
    // Tracker brings an older copy of the person to light, as after a merge or from a search that lagged.
    let old = world.clock.truth() - 30 * 24 * 3_600_000;
    let known = json!({ "resources": [{ "firstName": "Ada", "surname": "Lovelace", "email": "ada@example.org" }] });
    world.wire.tracker.borrow_mut().seed(&known, old).expect("seeded");
    world.run_for(6);
    assert_eq!(world.item(&id).state, State::Done, "{}", world.explain());
    assert_eq!(world.held("resources").len(), 2);
    assert_eq!(stands(&world, "My words"), ["activities"]);
}

#[test]
fn where_tracker_refuses_the_activity_a_person_is_asked_and_nothing_is_called_delivered() {
    both(|api, world| {
        off(world);
        world.submit(&ada("My first words"));
        world.run_for(1);
        for fault in ["400_before", "403_before"] {
            world.switches(&json!({ "faults": [{ "on": "create_activity", "do": fault, "times": 1 }] }));
            let id = world.submit(&ada(&format!("Words that meet a {fault}")));
            world.run_for(1);
            let item = world.item(&id);
            assert_eq!((item.state, item.reason.as_str()), (State::Attention, "partial"), "{api} {fault}: {item:?}");
            assert!(item.message.contains("what the form brought"), "{api}: {}", item.message);
            let now = world.clock.now();
            world.store.act(&id, Action::Retry, &now).expect("retried");
            world.run_for(1);
            assert_eq!(world.item(&id).state, State::Done, "{api}: {}", world.explain());
            assert_eq!(stands(world, &format!("Words that meet a {fault}")), ["activities"], "{api}");
        }
    });
}

#[test]
fn an_applicant_whose_record_a_recruiter_deleted_is_not_called_delivered_where_nobody_can_look() {
    let mut world = World::new(9, json!({ "activity_enabled": "" }));
    world.wire.rest_is_blocked = true;
    let first = world.submit(&ada("My first words"));
    world.run_for(12);
    assert_eq!(world.item(&first).state, State::Done, "{}", world.explain());
    // In Tracker the person is deleted: another account of it stands for one in which she is not.
    world.wire.tracker = std::rc::Rc::new(std::cell::RefCell::new(crate::model::Tracker::new()));
    let second = world.submit(&ada("My second words"));
    world.run_for(12);
    let item = world.item(&second);
    assert_eq!((item.state, item.reason.as_str()), (State::Attention, "partial"), "{}", world.explain());
    assert!(item.message.contains("still in Tracker"), "{}", item.message);
}

#[test]
fn the_phone_of_a_leads_person_who_is_there_is_not_lost_either() {
    let mut world = World::new(3, json!({ "api": "rest", "record_type": "Lead", "activity_enabled": "" }));
    world.submit(&json!({ "name": "Ada Lovelace", "email": "ada@example.org", "message": "My first words" }));
    world.run_for(1);
    world.submit(&ada("My second words"));
    world.run_for(1);
    assert_eq!((world.held("contacts").len(), world.held("leads").len()), (1, 2));
    assert_eq!(stands(&world, "My second words"), ["leads"]);
    assert_eq!(stands(&world, "020 7946 0000"), ["activities"], "{}", world.explain());
}
