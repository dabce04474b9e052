//! Nothing is tried for ever: after a week of looks that fail a person is asked about a record, and a child is passed over.

use halt_tracker::clock::Clock;
use halt_tracker::queue::act::Action;
use halt_tracker::queue::state::State;
use serde_json::json;

use crate::delivery::{ada, both, somebody};
use crate::wire::Weather;
use crate::world::World;

#[test]
fn a_lost_create_that_is_searched_for_in_vain_for_a_week_asks_a_person() {
    both(|api, world| {
        somebody(world);
        world.switches(&json!({ "faults": [{ "on": "create_resource", "do": "drop_after", "times": 1 }] }));
        let id = world.submit(&ada());
        world.run();
        world.wire.sick = vec!["ada@"];
        world.run_for(24 * 6);
        // The widget API asks after a day in which no look was answered.
        let still = if api == "rest" { State::Checking } else { State::Attention };
        assert_eq!(world.item(&id).state, still, "{api}: {:?}", world.item(&id));
        world.run_for(24 * 2);
        let item = world.item(&id);
        let found = (item.state, item.reason.as_str(), item.code.as_deref());
        assert_eq!(found, (State::Attention, "unsettled", Some("HT-1603")), "{api}: {item:?}");
        // What to do about it can be done: search works again, and somebody retries.
        world.wire.sick.clear();
        let now = world.clock.now();
        world.store.act(&id, Action::Retry, &now).expect("retried");
        world.run_for(6);
        assert_eq!(world.item(&id).state, State::Done, "{api}: {}", world.explain());
        assert_eq!(world.held("resources").len(), 2, "{api}");
    });
}

#[test]
fn six_days_without_tracker_leave_nothing_failed_and_nobody_asked() {
    for weather in [Weather { refuse: 100, ..Weather::default() }, Weather { drop_before: 100, ..Weather::default() }] {
        both(|api, world| {
            somebody(world);
            world.documents = 1;
            let faults = ["create_resource", "create_activity", "attach_document"];
            let faults: Vec<_> = faults.iter().map(|on| json!({ "on": on, "do": "drop_after", "times": 1 })).collect();
            world.switches(&json!({ "faults": faults }));
            let id = world.submit(&ada());
            world.run();
            let fresh = world.submit(&json!({ "name": "Alan Turing", "email": "alan@example.org" }));
            world.wire.weather = weather;
            world.run_for(24 * 6);
            for id in [&id, &fresh] {
                let state = world.item(id).state;
                assert!(matches!(state, State::Checking | State::Retry), "{api}: {state:?} {}", world.explain());
            }
            world.wire.weather = Weather::default();
            world.run_for(48);
            for id in [&id, &fresh] {
                assert_eq!(world.item(id).state, State::Done, "{api}: {}", world.explain());
            }
        });
    }
}

#[test]
fn a_child_that_cannot_be_brought_to_its_end_in_a_week_is_passed_over_and_the_rest_goes_on() {
    let mut world = World::new(5, json!({ "api": "rest" }));
    somebody(&mut world);
    world.documents = 1;
    world.switches(&json!({ "faults": [{ "on": "create_activity", "do": "drop_before", "times": 1 }] }));
    let id = world.submit(&ada());
    world.run();
    assert_eq!(world.item(&id).state, State::Checking, "{}", world.explain());
    world.switches(&json!({ "faults": [{ "on": "search_activity", "do": "500_before", "times": 100_000 }] }));
    world.run_for(24 * 8);
    let item = world.item(&id);
    assert_eq!((item.state, item.reason.as_str()), (State::Attention, "partial"), "{}", world.explain());
    assert_eq!(world.held("documents").len(), 1, "the CV went out all the same");
}

#[test]
fn a_file_that_the_disk_refuses_for_a_week_is_passed_over() {
    let mut world = World::new(5, json!({ "api": "rest" }));
    somebody(&mut world);
    world.documents = 1;
    let id = world.submit(&ada());
    // A folder of its name: it can be opened, and reading it is an error of the disk.
    let seq = world.store.seq_of(&id).expect("there");
    let path = world.store.folder().join(&world.store.job(seq).expect("read").files[0].stored);
    let bytes = std::fs::read(&path).expect("read");
    std::fs::remove_file(&path).expect("gone");
    std::fs::create_dir(&path).expect("a folder");
    world.run_for(24 * 6);
    assert_eq!(world.item(&id).state, State::Retry, "{}", world.explain());
    world.run_for(24 * 2);
    let item = world.item(&id);
    assert_eq!((item.state, item.reason.as_str()), (State::Attention, "partial"), "{}", world.explain());
    std::fs::remove_dir(&path).expect("gone");
    std::fs::write(&path, bytes).expect("back");
    let now = world.clock.now();
    world.store.act(&id, Action::Retry, &now).expect("retried");
    world.run_for(1);
    assert_eq!(world.item(&id).state, State::Done, "{}", world.explain());
    assert_eq!(world.held("documents").len(), 1);
}
