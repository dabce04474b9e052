//! What becomes of a submission where looking into Tracker is hard: a host that a firewall hides, another account, a clock
//! that was set, a store that was put back, searches that fail.

use halt_tracker::queue::state::State;
use serde_json::{Value, json};

use crate::delivery::{ada, both, somebody};
use crate::world::World;

#[test]
fn where_only_the_widget_host_can_be_reached_submissions_are_delivered_all_the_same() {
    for record_type in ["Resource", "Contact", "Lead"] {
        let mut world = World::new(9, json!({ "record_type": record_type }));
        world.wire.rest_is_blocked = true;
        let first = world.submit(&ada());
        let begin = world.clock.wall();
        while world.item(&first).state != State::Done && world.clock.wall() < begin + 12 * 3_600_000 {
            world.run();
            world.clock.advance(300_000);
        }
        assert_eq!(world.item(&first).state, State::Done, "{record_type}: {:?}", world.item(&first));
        let patient = record_type == "Lead" || world.clock.wall() - begin >= 3_600_000;
        assert!(patient, "{record_type}: an hour of silence first");
        // The same person once more, and somebody whom Tracker knows from elsewhere.
        let second = world.submit(&ada());
        let list = format!("{}s", record_type.to_lowercase());
        let known = json!({ list.as_str(): [{ "firstName": "Grace", "surname": "Hopper", "name": "Grace", "email": "grace@example.org" }] });
        let now = world.clock.truth();
        world.wire.tracker.borrow_mut().seed(&known, now).expect("seeded");
        let third = world.submit(&json!({ "name": "Grace Hopper", "email": "grace@example.org", "message": "Hi" }));
        world.run_for(12);
        assert_eq!(world.item(&second).state, State::Done, "{record_type}: {:?}", world.item(&second));
        let grace = world.item(&third);
        if record_type == "Lead" {
            assert_eq!(grace.state, State::Done);
            continue;
        }
        assert_eq!((grace.state, grace.code.as_deref()), (State::Attention, Some("HT-1512")), "{grace:?}");
        assert_eq!(world.held(&list).len(), 2, "{record_type}: nobody is there twice");
    }
}

#[test]
fn an_outage_of_the_whole_of_tracker_is_no_reason_to_send_without_a_look() {
    let mut world = World::new(9, json!({}));
    somebody(&mut world);
    world.wire.rest_is_blocked = true;
    world.wire.weather.refuse = 100;
    let id = world.submit(&json!({ "name": "Grace Hopper", "email": "grace@example.org" }));
    world.run_for(30);
    world.wire.rest_is_blocked = false;
    world.wire.weather.refuse = 0;
    world.run_for(24);
    assert_eq!(world.item(&id).state, State::Done);
    assert_eq!(world.asked("create_resource"), 1, "Grace was found, not sent");
}

#[test]
fn a_host_that_answers_with_errors_is_in_trouble_not_hidden() {
    let mut world = World::new(9, json!({}));
    let grace = json!({ "resources": [{ "firstName": "Grace", "surname": "Hopper", "email": "grace@example.org" }] });
    let now = world.clock.truth();
    world.wire.tracker.borrow_mut().seed(&grace, now).expect("seeded");
    world.switches(&json!({ "faults": [{ "on": "search_resource", "do": "500_before", "times": 100_000 }] }));
    let id = world.submit(&json!({ "name": "Grace Hopper", "email": "grace@example.org" }));
    world.run_for(20);
    let asked = world.asked("search_resource");
    assert!(asked >= 5, "it was asked again and again, not {asked} times");
    assert_eq!(world.asked("create_resource"), 0, "nobody sends without a look while the other host answers");
    world.switches(&json!({ "faults": [] }));
    world.run_for(24);
    assert_eq!(world.item(&id).state, State::Done);
    assert_eq!(world.held("resources").len(), 1, "Grace was found");
}

#[test]
fn a_token_that_cannot_be_had_says_nothing_about_the_host_that_is_looked_into() {
    let mut world = World::new(9, json!({}));
    let grace = json!({ "resources": [{ "firstName": "Grace", "surname": "Hopper", "email": "grace@example.org" }] });
    let now = world.clock.truth();
    world.wire.tracker.borrow_mut().seed(&grace, now).expect("seeded");
    world.switches(&json!({ "widget_duplicates": "create" }));
    // For hours no token is given; then one is, and at that moment the REST host refuses once.
    world.wire.weather.refuse = 100;
    let id = world.submit(&json!({ "name": "Grace Hopper", "email": "grace@example.org" }));
    world.run_for(6);
    world.wire.weather.refuse = 0;
    world.wire.rest_is_blocked = true;
    world.clock.advance(7 * 3_600_000);
    world.run();
    world.wire.rest_is_blocked = false;
    world.run_for(12);
    assert_eq!(world.item(&id).state, State::Done, "{:?}", world.item(&id));
    assert_eq!(world.held("resources").len(), 1, "Grace was sent without a look");
}

#[test]
fn a_token_that_is_refused_once_is_no_proof_that_nobody_can_look() {
    for faults in [&["401_before"] as &[_], &["401_before", "drop_before"], &["401_before", "500_before"]] {
        let mut world = World::new(9, json!({}));
        let grace =
            json!({ "resources": [{ "firstName": "Grace", "surname": "Hopper", "email": "grace@example.org" }] });
        let now = world.clock.truth();
        world.wire.tracker.borrow_mut().seed(&grace, now).expect("seeded");
        let faults: Vec<Value> = faults.iter().map(|what| json!({ "on": "token", "do": what })).collect();
        world.switches(&json!({ "faults": faults, "widget_duplicates": "create" }));
        let id = world.submit(&json!({ "name": "Grace Hopper", "email": "grace@example.org" }));
        world.run_for(6);
        assert_eq!(world.item(&id).state, State::Done, "{faults:?}: {:?}", world.item(&id));
        assert_eq!(world.held("resources").len(), 1, "{faults:?}: Grace was sent without a look");
    }
}

#[test]
fn a_lost_answer_is_not_sent_again_where_nobody_can_look_but_asks_a_person_after_a_day() {
    let mut world = World::new(9, json!({}));
    world.wire.rest_is_blocked = true;
    world.submit(&json!({ "name": "Grace Hopper", "email": "grace@example.org" }));
    world.run_for(12);
    world.switches(&json!({ "faults": [{ "on": "create_resource", "do": "drop_after", "times": 1 }] }));
    let id = world.submit(&ada());
    world.run_for(20);
    assert_eq!(world.item(&id).state, State::Checking, "{:?}", world.item(&id));
    world.run_for(48);
    let item = world.item(&id);
    assert_eq!((item.state, item.reason.as_str()), (State::Attention, "unsettled"), "{item:?}");
    assert_eq!(world.held("resources").len(), 2);
}

/// Ada's create never arrived; it is proven absent, and its second try never leaves the site.
pub fn absent_and_not_sent_again() -> (World, String) {
    let mut world = World::new(6, json!({ "api": "rest" }));
    somebody(&mut world);
    world.switches(&json!({ "faults": [{ "on": "create_resource", "do": "drop_before", "times": 1 }] }));
    let id = world.submit(&ada());
    world.run();
    (world.wire.weather.refuse, world.wire.weather.only_creates) = (100, true);
    while world.item(&id).state == State::Checking {
        world.clock.advance(30_000);
        world.run();
    }
    assert_eq!(world.item(&id).state, State::Retry, "{:?}", world.item(&id));
    world.wire.weather = crate::wire::Weather::default();
    (world, id)
}

#[test]
fn what_is_sent_again_is_not_made_beside_the_record_of_a_later_submission_of_the_same_person() {
    let (mut world, first) = absent_and_not_sent_again();
    world.switches(&json!({ "search_lag_ms": 8 * 60_000 }));
    let second = world.submit(&ada());
    world.run_for(1);
    let records = [&first, &second].map(|id| world.item(id).tracker_id);
    assert_eq!(world.held("resources").len(), 2, "Grace, and Ada once");
    assert!(records[0].is_some() && records[0] == records[1], "{}", world.explain());
}

#[test]
fn what_is_sent_again_waits_for_a_later_submission_of_the_same_person_whose_answer_is_lost() {
    let (mut world, first) = absent_and_not_sent_again();
    // The later one is made in Tracker, its answer is lost, and no search knows her yet.
    let fault = json!([{ "on": "create_resource", "do": "drop_after", "times": 1 }]);
    world.switches(&json!({ "search_lag_ms": 8 * 60_000, "faults": fault }));
    let second = world.submit(&ada());
    world.run();
    assert_eq!(world.item(&second).state, State::Checking, "{}", world.explain());
    world.run_for(6);
    let records = [&first, &second].map(|id| world.item(id).tracker_id);
    assert_eq!(world.held("resources").len(), 2, "Grace, and Ada once: {}", world.explain());
    assert!(records[0].is_some() && records[0] == records[1], "{}", world.explain());
}

#[test]
fn three_failures_end_a_run_only_when_they_come_in_a_row() {
    let mut world = World::new(4, json!({ "api": "rest", "duplicates": "create", "pace": "6000" }));
    somebody(&mut world);
    let faults: Vec<Value> = [0, 1, 2]
        .iter()
        .map(|skip| json!({ "on": "create_resource", "do": "500_before", "times": 1, "skip": skip * 2 }))
        .collect();
    world.switches(&json!({ "faults": faults }));
    let ids: Vec<String> = (0..8)
        .map(|at| world.submit(&json!({ "name": format!("P {at}"), "email": format!("p{at}@example.org") })))
        .collect();
    let report = world.run().expect("no crash");
    assert_eq!(report.items.len(), ids.len(), "every one had its turn: {report:?}");
    assert_eq!(report.not_before, None);
}

#[test]
fn a_search_that_is_answered_with_503_and_a_time_holds_everybody_back_for_that_time() {
    let mut world = World::new(4, json!({ "api": "rest" }));
    somebody(&mut world);
    world.switches(&json!({ "faults": [{ "on": "search", "do": "503_before", "times": 1, "retry_after": 900 }] }));
    world.submit(&ada());
    world.submit(&json!({ "name": "Alan Turing", "email": "alan@example.org" }));
    let report = world.run().expect("no crash");
    let wait = report.not_before.map_or(0, |at| at - world.clock.wall());
    assert!((890_000..=900_000).contains(&wait), "{wait}");
    assert_eq!(world.asked("create_resource"), 1, "only Grace was sent");
}

#[test]
fn a_clock_that_was_set_back_by_an_hour_after_a_send_does_not_hide_what_was_made() {
    for duplicates in ["create", "use_existing"] {
        let mut world = World::new(5, json!({ "api": "rest", "duplicates": duplicates }));
        somebody(&mut world);
        world.clock.jump.set(3_600_000);
        world.switches(&json!({ "faults": [{ "on": "create_resource", "do": "drop_after", "times": 1 }] }));
        let id = world.submit(&ada());
        world.run();
        world.clock.jump.set(0);
        world.run_for(24);
        assert_eq!(world.item(&id).state, State::Done, "{duplicates}: {:?}", world.item(&id));
        assert_eq!(world.held("resources").len(), 2, "{duplicates}");
    }
}

#[test]
fn documents_go_along_and_a_lost_one_is_looked_for_where_that_is_possible() {
    both(|api, world| {
        somebody(world);
        world.documents = 2;
        world.switches(&json!({ "faults": [{ "on": "attach_document", "do": "drop_after", "times": 1 }] }));
        let id = world.submit(&ada());
        world.run_for(3);
        assert_eq!(world.item(&id).state, State::Done, "{api}: {:?}", world.item(&id));
        // The widget API cannot be asked for its documents: that one is sent again, once, and the journal says so.
        assert_eq!(world.held("documents").len(), if api == "rest" { 2 } else { 3 }, "{api}");
    });
}

#[test]
fn an_activity_that_tracker_made_twice_is_ours_twice_and_nobody_is_asked_which_one_it_is() {
    let mut world = World::new(7, json!({ "api": "rest" }));
    somebody(&mut world);
    world.switches(&json!({ "faults": [{ "on": "create_activity", "do": "drop_after", "times": 1 }] }));
    world.wire.weather.doubled = 100;
    let id = world.submit(&ada());
    world.run();
    world.wire.weather.doubled = 0;
    assert_eq!((world.item(&id).state, world.held("activities").len()), (State::Checking, 3), "{}", world.explain());
    world.run_for(3);
    assert_eq!(world.item(&id).state, State::Done, "{}", world.explain());
    assert_eq!(world.asked("create_activity"), 3, "Grace's, and Ada's twice by Tracker alone");
}

#[test]
fn of_several_files_of_one_name_none_is_taken_for_ours_and_ours_is_sent_again() {
    let mut world = World::new(7, json!({ "api": "rest" }));
    somebody(&mut world);
    world.documents = 1;
    world.switches(&json!({ "faults": [{ "on": "attach_document", "do": "drop_after", "times": 1 }] }));
    world.wire.weather.doubled = 100;
    let id = world.submit(&ada());
    world.run();
    world.wire.weather.doubled = 0;
    assert_eq!((world.item(&id).state, world.held("documents").len()), (State::Checking, 2), "{}", world.explain());
    // They may as well be what an application sent that no store knows any more.
    world.run_for(3);
    assert_eq!(world.item(&id).state, State::Done, "{}", world.explain());
    assert_eq!(world.held("documents").len(), 3, "a CV that is there twice is read once, one that is missing never");
}

#[test]
fn a_lead_that_a_lost_copy_of_the_store_has_sent_is_found_although_its_person_was_found_first() {
    both(|api, world| {
        world.set(&json!({ "record_type": "Lead" }));
        somebody(world);
        let id = world.submit(&ada());
        world.snapshot();
        world.run();
        world.clock.advance(24 * 3_600_000);
        world.restore();
        world.run();
        world.store.lift(halt_tracker::queue::state::Pause::Restored).expect("lifted");
        world.run_for(3);
        assert_eq!(world.item(&id).state, State::Done, "{api}: {:?}", world.item(&id));
        assert_eq!(world.held("leads").len(), 2, "{api}");
    });
}

#[test]
fn a_look_after_status_3_that_kills_php_every_time_ends_with_a_person() {
    let mut world = World::new(9, json!({ "duplicates": "create" }));
    let known = json!({ "resources": [{ "firstName": "Ada", "surname": "Lovelace", "email": "ada@example.org" }] });
    let now = world.clock.truth();
    world.wire.tracker.borrow_mut().seed(&known, now).expect("seeded");
    world.wire.poison = Some("ada@example.org");
    let id = world.submit(&ada());
    for _ in 0..20 {
        world.run();
        world.clock.advance(300_000);
    }
    let item = world.item(&id);
    assert_eq!(item.state, State::Attention, "{item:?}");
    assert!(world.crashes <= 3, "{} crashes", world.crashes);
    assert_eq!(world.held("resources").len(), 1);
}
