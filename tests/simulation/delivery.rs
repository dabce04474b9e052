//! What becomes of a submission, one sentence each: the rows of the delivery table against the model of Tracker.

use halt_tracker::clock::Clock;
use halt_tracker::queue::act::Action;
use halt_tracker::queue::state::State;
use serde_json::{Value, json};

use crate::world::World;

pub fn ada() -> Value {
    json!({ "name": "Ada Lovelace", "email": "ada@example.org", "message": "Hello" })
}

pub fn both(test: impl Fn(&str, &mut World)) {
    for api in ["widget", "rest"] {
        test(api, &mut World::new(1, json!({ "api": api })));
    }
}

/// Another person that Tracker holds, so that look-ups have something they must find.
pub fn somebody(world: &mut World) {
    world.submit(&json!({ "name": "Grace Hopper", "email": "grace@example.org" }));
    world.run_for(1);
}

#[test]
fn a_stock_form_becomes_a_resource_with_its_activity_on_both_apis() {
    both(|api, world| {
        let id = world.submit(&ada());
        let report = world.run().expect("no crash");
        let item = world.item(&id);
        assert_eq!(item.state, State::Done, "{api} {report:?}");
        let (people, activities) = (world.held("resources"), world.held("activities"));
        assert_eq!((people.len(), activities.len()), (1, 1), "{api}");
        assert_eq!(people[0]["email"], "ada@example.org");
        assert_eq!(people[0]["surname"], "Lovelace");
        assert_eq!(people[0]["id"].as_i64(), item.tracker_id);
    });
}

#[test]
fn every_record_type_is_delivered_on_both_apis() {
    both(|api, world| {
        for (record_type, list) in [("Contact", "contacts"), ("Lead", "leads")] {
            world.set(&json!({ "record_type": record_type }));
            let id = world.submit(&json!({ "name": format!("Ada {record_type}"), "email": format!("{record_type}@example.org"), "message": "Hi" }));
            world.run();
            assert_eq!(world.item(&id).state, State::Done, "{api} {record_type}: {:?}", world.item(&id));
            assert_eq!(world.held(list).len(), 1, "{api} {record_type}");
        }
        // The Lead's person is a Contact too.
        assert_eq!(world.held("contacts").len(), 2, "{api}");
    });
}

#[test]
fn a_lost_answer_is_settled_by_search() {
    both(|api, world| {
        somebody(world);
        world.switches(&json!({ "faults": [{ "on": "create_resource", "do": "drop_after", "times": 1 }] }));
        let id = world.submit(&ada());
        world.run();
        assert_eq!(world.item(&id).state, State::Checking, "{api}");
        assert_eq!(world.item(&id).code.as_deref(), Some("HT-1502"));
        world.run_for(2);
        assert_eq!(world.item(&id).state, State::Done, "{api}: {:?}", world.item(&id));
        assert_eq!(world.held("resources").len(), 2, "{api}");
        assert_eq!(world.asked("create_resource"), 2, "{api}: one for each person");
    });
}

#[test]
fn a_create_that_never_arrived_is_sent_again_only_after_it_is_proven_absent() {
    both(|api, world| {
        somebody(world);
        world.switches(&json!({ "faults": [{ "on": "create_resource", "do": "drop_before", "times": 1 }] }));
        let id = world.submit(&ada());
        let begin = world.clock.wall();
        world.run();
        while world.asked("create_resource") < 3 && world.clock.wall() < begin + 3 * 3_600_000 {
            world.clock.advance(30_000);
            world.run();
        }
        assert!(world.clock.wall() - begin >= 15 * 60_000, "{api}: sent again too early");
        assert_eq!(world.item(&id).state, State::Done, "{api}: {:?}", world.item(&id));
        assert_eq!(world.held("resources").len(), 2, "{api}");
    });
}

#[test]
fn a_late_request_that_is_applied_after_all_is_noticed_a_day_later() {
    let mut world = World::new(3, json!({ "api": "rest", "duplicates": "create" }));
    somebody(&mut world);
    world.switches(&json!({ "faults": [{ "on": "create_resource", "do": "drop_before", "times": 1 }] }));
    let id = world.submit(&ada());
    world.run_for(3);
    assert_eq!(world.item(&id).state, State::Done);
    // The first request arrives now, hours late.
    let twin = json!({ "resources": [{ "firstName": "Ada", "surname": "Lovelace", "email": "ada@example.org", "contactDetails": { "email": "ada@example.org" }, "created_ms": world.clock.wall() }] });
    let now = world.clock.wall();
    world.wire.tracker.borrow_mut().seed(&twin, now).expect("seeded");
    world.clock.advance(25 * 3_600_000);
    world.run();
    let item = world.item(&id);
    assert_eq!((item.state, item.code.as_deref()), (State::Attention, Some("HT-1612")), "{item:?}");
}

#[test]
fn refused_credentials_pause_the_lane_and_spend_no_attempt() {
    both(|api, world| {
        world.enter_credentials("a wrong client secret", "sim-refresh-token-0123456789");
        let id = world.submit(&ada());
        world.run_for(72);
        let item = world.item(&id);
        assert_eq!((item.state, item.attempts), (State::Queued, 0), "{api} {item:?}");
        let pauses = world.store.pauses().expect("read");
        assert_eq!(pauses.len(), 1);
        world.enter_credentials("sim-client-secret-0123456789", "sim-refresh-token-0123456789");
        world.run_for(1);
        assert_eq!(world.item(&id).state, State::Done, "{api}");
        assert!(world.store.pauses().expect("read").is_empty());
    });
}

#[test]
fn refused_data_fails_with_trackers_words_and_can_be_sent_again() {
    let mut world = World::new(1, json!({ "api": "rest" }));
    world.switches(&json!({ "faults": [{ "on": "create_resource", "do": "400", "times": 1 }] }));
    let id = world.submit(&ada());
    world.run();
    let item = world.item(&id);
    assert_eq!((item.state, item.code.as_deref()), (State::Failed, Some("HT-1503")));
    assert!(!item.message.is_empty(), "Tracker's words are kept");
    let now = halt_tracker::clock::Clock::now(world.clock.as_ref());
    world.store.act(&id, halt_tracker::queue::act::Action::Retry, &now).expect("queued again");
    world.run_for(1);
    assert_eq!(world.item(&id).state, State::Done);
}

#[test]
fn a_missing_required_field_waits_for_the_mapping_and_sends_nothing() {
    let mut world = World::new(1, json!({}));
    let id = world.submit(&json!({ "name": "Ada", "e_mail": "ada@example.org" }));
    world.run_for(3);
    let item = world.item(&id);
    assert_eq!((item.state, item.attempts, item.code.as_deref()), (State::Retry, 0, Some("HT-1404")));
    assert_eq!(world.asked("create_resource"), 0);
    world.set(&json!({ "field_map": r#"{"fullName":"name","email":"e_mail"}"# }));
    world.run();
    assert_eq!(
        world.item(&id).state,
        State::Done,
        "a corrected mapping is looked at in the next run, not in the next hour"
    );
}

#[test]
fn an_existing_person_is_used_and_the_same_person_twice_is_one_record() {
    both(|api, world| {
        somebody(world);
        let first = world.submit(&ada());
        let second = world.submit(&json!({ "name": "A. Lovelace", "email": "ADA@example.org " }));
        world.run_for(2);
        let (one, other) = (world.item(&first), world.item(&second));
        assert_eq!((one.state, other.state), (State::Done, State::Done), "{api}: {other:?}");
        assert_eq!(one.tracker_id, other.tracker_id, "{api}");
        assert_eq!(world.held("resources").len(), 2, "{api}");
        assert_eq!(world.held("activities").len(), 3, "{api}: each submission has its activity");
    });
}

#[test]
fn status_3_without_a_way_to_look_asks_a_person() {
    let mut world = World::new(1, json!({ "duplicates": "create" }));
    let first = world.submit(&ada());
    world.run_for(1);
    assert_eq!(world.item(&first).state, State::Done);
    let second = world.submit(&ada());
    world.run_for(1);
    let item = world.item(&second);
    // The one exact match is taken: the widget API cannot make a second one.
    assert_eq!((item.state, item.tracker_id), (State::Done, world.item(&first).tracker_id), "{item:?}");
}

#[test]
fn too_many_requests_slow_the_pace_and_lose_nothing() {
    let mut world = World::new(1, json!({ "api": "rest", "pace": "60000" }));
    world.switches(&json!({ "rate_limit_per_min": 100 }));
    let ids: Vec<String> = (0..60)
        .map(|at| world.submit(&json!({ "name": format!("P {at}"), "email": format!("p{at}@example.org") })))
        .collect();
    world.run_for(5);
    assert!(ids.iter().all(|id| world.item(id).state == State::Done));
    assert_eq!(world.held("resources").len(), 60);
}

#[test]
fn a_record_that_is_there_with_a_refused_child_is_partial_and_the_rest_goes_on() {
    both(|api, world| {
        world.switches(&json!({ "faults": [{ "on": "create_activity", "do": "400_before", "times": 1 }] }));
        let id = world.submit(&ada());
        world.run();
        let item = world.item(&id);
        assert_eq!(
            (item.state, item.reason.as_str(), item.code.as_deref()),
            (State::Attention, "partial", Some("HT-1605")),
            "{api}"
        );
        assert_eq!(world.held("resources").len(), 1);
    });
}

#[test]
fn a_bad_deploy_at_tracker_pauses_instead_of_failing_applicants() {
    both(|api, world| {
        world.switches(&json!({ "faults": [{ "on": "create_resource", "do": "404_before", "times": 1 }] }));
        let id = world.submit(&ada());
        world.run();
        assert_eq!(world.item(&id).state, State::Queued, "{api}");
        assert_eq!(world.store.pauses().expect("read").len(), 1, "{api}");
        world.run_for(1);
        assert_eq!(world.item(&id).state, State::Done, "{api}");
    });
}

#[test]
fn the_redirect_uri_goes_along_when_it_is_set() {
    for (uri, goes) in [("", false), ("https://example.org/callback", true)] {
        let mut world = World::new(1, json!({ "redirect_uri": uri }));
        world.submit(&ada());
        world.run();
        let tokens: Vec<Value> =
            world.held("requests").into_iter().filter(|request| request["operation"] == "token").collect();
        assert!(!tokens.is_empty());
        assert!(
            tokens.iter().all(|request| request["body"].to_string().contains("redirect_uri") == goes),
            "{tokens:?}"
        );
    }
}

#[test]
fn the_sync_log_begins_with_the_last_three_runs_and_their_items() {
    let mut world = World::new(1, json!({}));
    let ids: Vec<String> = (0..5)
        .map(|at| {
            let id = world.submit(&json!({ "name": format!("P {at}"), "email": format!("p{at}@example.org") }));
            world.run();
            world.clock.advance(300_000);
            // A run that touched nothing is none that anybody wants to see.
            world.run();
            world.clock.advance(300_000);
            id
        })
        .collect();
    let runs = world.store.runs(3).expect("read");
    let shown: Vec<&str> = runs.iter().filter_map(|run| run["items"][0]["id"].as_str()).collect();
    assert_eq!(shown, [ids[4].as_str(), ids[3].as_str(), ids[2].as_str()]);
    assert!(runs.iter().all(|run| run["items"][0]["state"] == "done" && run["outcome"] == "ran"), "{runs:?}");
}

#[test]
fn a_lead_of_the_same_name_is_never_taken_for_this_one() {
    both(|api, world| {
        world.set(&json!({ "record_type": "Lead", "activity_enabled": "" }));
        let enquiry = json!({ "name": "Ada Lovelace", "email": "ada@example.org", "message": "Hi" });
        world.submit(&enquiry);
        world.run_for(1);
        // A quiet day: the next run looks before it sends, because it might be an old copy of the store.
        world.clock.advance(26 * 3_600_000);
        let second = world.submit(&enquiry);
        world.run_for(1);
        assert_eq!(world.item(&second).state, State::Done, "{api}");
        assert_eq!(world.held("leads").len(), 2, "{api}: each enquiry is a Lead of its own");
        // One that is lost and was not applied is not settled by a third one's Lead.
        world.switches(&json!({ "faults": [{ "on": "create_lead", "do": "drop_before", "times": 1 }] }));
        world.submit(&enquiry);
        world.run();
        world.submit(&enquiry);
        world.run_for(6);
        assert_eq!(world.held("leads").len(), 4, "{api}");
    });
}

#[test]
fn an_erasure_while_an_answer_is_lost_holds_up_nobody_and_ends() {
    both(|api, world| {
        somebody(world);
        world.switches(&json!({ "faults": [{ "on": "create_resource", "do": "drop_before", "times": 1 }] }));
        let id = world.submit(&ada());
        world.run();
        assert_eq!(world.item(&id).state, State::Checking, "{api}");
        let now = halt_tracker::clock::Clock::now(world.clock.as_ref());
        world.store.act(&id, halt_tracker::queue::act::Action::Erase, &now).expect("marked");
        let other = world.submit(&json!({ "name": "Alan Turing", "email": "alan@example.org" }));
        world.run_for(3);
        assert_eq!(world.item(&other).state, State::Done, "{api}");
        assert_eq!(world.item(&id).state, State::Erased, "{api}");
        assert_eq!(world.held("resources").len(), 2, "{api}: nothing of an erased person is sent");
    });
}

#[test]
fn an_older_submission_that_comes_back_waits_for_a_newer_one_of_the_same_person() {
    let mut world = World::new(5, json!({ "api": "rest" }));
    somebody(&mut world);
    world.switches(&json!({ "search_lag_ms": 60_000 }));
    let first = world.submit(&json!({ "name": "Ada" }));
    world.run();
    assert_eq!(world.item(&first).code.as_deref(), Some("HT-1404"));
    world.switches(&json!({ "faults": [{ "on": "create_resource", "do": "drop_after", "times": 1 }] }));
    let second = world.submit(&ada());
    world.run();
    assert_eq!(world.item(&second).state, State::Checking);
    // The mapping is corrected, so that the first one is due at once, for the same person.
    world.set(&json!({ "field_map": r#"{"fullName":"name","email":":ada@example.org"}"# }));
    world.run_for(3);
    assert_eq!(world.held("resources").len(), 2, "Grace, and Ada once");
    assert_eq!((world.item(&first).state, world.item(&second).state), (State::Done, State::Done));
}

#[test]
fn a_fixed_plan_never_continues_in_another_account() {
    let mut world = World::new(6, json!({ "api": "rest" }));
    somebody(&mut world);
    world.switches(&json!({ "faults": [{ "on": "create_resource", "do": "drop_before", "times": 1 }] }));
    let id = world.submit(&ada());
    world.run();
    world.set(&json!({ "client_id": "AnotherAccount" }));
    world
        .wire
        .tracker
        .borrow_mut()
        .seed(&json!({ "credentials": { "client_id": "AnotherAccount" } }), 0)
        .expect("seeded");
    let created = world.asked("create_resource");
    world.run_for(3);
    let item = world.item(&id);
    assert_eq!((item.state, item.code.as_deref()), (State::Attention, Some("HT-1610")), "{item:?}");
    assert_eq!(world.asked("create_resource"), created);
}

#[test]
fn a_child_whose_record_is_gone_stops_nobody_else() {
    both(|api, world| {
        world.switches(&json!({ "faults": [{ "on": "create_activity", "do": "404_before", "times": 50 }] }));
        let ids: Vec<String> = (0..3)
            .map(|at| world.submit(&json!({ "name": format!("P {at}"), "email": format!("p{at}@example.org") })))
            .collect();
        world.run_for(3);
        assert_eq!(world.held("resources").len(), 3, "{api}");
        assert!(ids.iter().all(|id| world.item(id).reason == "partial"), "{api}");
        assert!(world.store.pauses().expect("read").is_empty(), "{api}");
    });
}

#[test]
fn silence_for_a_year_is_not_kept_and_none_at_all_is_not_heeded() {
    for (retry_after, least, most) in [(31_536_000, 23 * 3_600_000, 24 * 3_600_000), (0, 9_000, 60_000)] {
        let mut world = World::new(8, json!({ "api": "rest" }));
        world.switches(
            &json!({ "faults": [{ "on": "create_resource", "do": "429", "times": 1, "retry_after": retry_after }] }),
        );
        world.submit(&ada());
        let report = world.run().expect("no crash");
        let wait = report.not_before.expect("a wait") - world.clock.wall();
        assert!((least..=most).contains(&wait), "{retry_after}: {wait}");
    }
}

#[test]
fn a_child_whose_answer_was_lost_too_often_goes_out_again_by_the_retry_button() {
    let mut world = World::new(61, json!({ "api": "rest" }));
    world.switches(&json!({ "faults": [{ "on": "create_activity", "do": "drop_before", "times": 3 }] }));
    let id = world.submit(&json!({ "name": "Ada Lovelace", "email": "ada@example.org" }));
    world.run_for(6);
    let item = world.item(&id);
    assert_eq!((item.state, item.reason.as_str()), (State::Attention, "resends"));
    let now = world.clock.now();
    world.store.act(&id, Action::Retry, &now).expect("the button is there");
    world.run_for(6);
    assert_eq!(world.item(&id).state, State::Done, "{}", world.explain());
    assert_eq!((world.held("resources").len(), world.held("activities").len()), (1, 1));
}
