//! The look a day after a lost answer says what it saw, and nothing when it saw nothing.

use halt_tracker::clock::Clock;
use halt_tracker::queue::act::Action;
use halt_tracker::queue::looks::Control;
use halt_tracker::queue::state::State;
use serde_json::json;

use crate::delivery::{ada, both, somebody};
use crate::world::World;

/// Ada, delivered after her first answer was lost; her late look is due the next day.
fn lost_and_found(world: &mut World) -> String {
    somebody(world);
    world.switches(&json!({ "faults": [{ "on": "create_resource", "do": "drop_after", "times": 1 }] }));
    let id = world.submit(&ada());
    world.run_for(2);
    assert_eq!(world.item(&id).state, State::Done, "{:?}", world.item(&id));
    id
}

/// A second record of Ada, as of a request that Tracker applied hours late.
fn twin(world: &World) {
    let late = json!({ "resources": [{ "firstName": "Ada", "surname": "Lovelace", "email": "ada@example.org" }] });
    let now = world.clock.truth();
    world.wire.tracker.borrow_mut().seed(&late, now).expect("seeded");
}

/// Runs, as cron does when nothing else waits.
fn pass(world: &mut World, hours: i64) {
    for _ in 0..hours * 4 {
        world.clock.advance(900_000);
        world.beat();
        world.run();
    }
}

/// The journal's lines about late looks: event, and its words.
fn lines(world: &World, id: &str) -> Vec<(String, String)> {
    let seq = world.store.seq_of(id).expect("there");
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let all = world.store.journal(seq, id).expect("a journal").into_iter();
    let all = all.map(|line| (text(&line["event"]), text(&line["message"])));
    all.filter(|(event, _)| event.contains("audit") || event.contains("late")).collect()
}

#[test]
fn a_late_look_that_is_answered_cleanly_says_that_there_is_no_second_record() {
    both(|api, world| {
        let id = lost_and_found(world);
        pass(world, 30);
        assert_eq!(lines(world, &id), [("audited".to_owned(), String::new())], "{api}");
    });
}

#[test]
fn a_late_look_whose_control_is_gone_is_done_again_an_hour_later_and_sees_the_second_record() {
    both(|api, world| {
        let id = lost_and_found(world);
        // The person that look-ups must find was deleted in Tracker, and no search finds her since.
        let sql = "SELECT name FROM token WHERE name LIKE 'control Resource %'";
        let name: String = world.store.connection().query_row(sql, [], |row| row.get(0)).expect("a control");
        let tenant = name.trim_start_matches("control Resource ").to_owned();
        let gone = Control { email: "nobody@example.org".into(), id: 5_999, seen: vec![1, 2] };
        world.store.set_control(&tenant, halt_tracker::settings::RecordType::Resource, Some(&gone)).expect("set");
        pass(world, 22);
        // A search that is behind shows one of the two on the day.
        world.switches(&json!({ "search_lag_ms": 5 * 1_800_000 }));
        twin(world);
        pass(world, 10);
        let item = world.item(&id);
        assert_eq!((item.state, item.code.as_deref()), (State::Attention, Some("HT-1612")), "{api}: {item:?}");
        let lines: Vec<String> = lines(world, &id).into_iter().map(|(event, _)| event).collect();
        assert_eq!(lines, ["late look put off", "late twin"], "{api}");
    });
}

#[test]
fn a_late_look_that_never_proves_anything_says_that_and_why() {
    both(|api, world| {
        let id = lost_and_found(world);
        pass(world, 20);
        world.switches(&json!({ "email_filter": "ignored" }));
        pass(world, 60);
        let lines = lines(world, &id);
        assert!(lines.iter().all(|(event, _)| event != "audited"), "{api}: {lines:?}");
        let put_off = lines.iter().filter(|(event, _)| event == "late look put off").count();
        assert_eq!((put_off, lines.len()), (3, 4), "{api}: {lines:?}");
        let (event, why) = &lines[3];
        assert_eq!(event, "not audited", "{api}");
        assert!(why.contains("than were asked for"), "{api}: {why}");
        assert_eq!(world.item(&id).state, State::Done, "{api}: it was delivered all the same");
        assert_eq!(world.number("SELECT count(*) FROM submission WHERE audit_at IS NOT NULL"), 0, "{api}");
    });
}

#[test]
fn another_account_is_not_asked_what_the_first_one_holds() {
    let mut world = World::new(6, json!({ "api": "rest" }));
    let id = lost_and_found(&mut world);
    world.store.connection().execute("UPDATE submission SET tenant = 'another' WHERE id = ?1", [&id]).expect("set");
    pass(&mut world, 80);
    let lines = lines(&world, &id);
    assert_eq!(lines.last().map(|(event, _)| event.as_str()), Some("not audited"), "{lines:?}");
    assert!(lines.iter().all(|(event, _)| event != "audited"), "{lines:?}");
}

#[test]
fn another_account_of_the_same_client_is_not_asked_what_the_first_one_holds() {
    let mut world = World::new(6, json!({ "api": "rest" }));
    let id = lost_and_found(&mut world);
    twin(&world);
    let first = std::mem::take(&mut world.wire.tracker);
    world.paste_new_credentials();
    pass(&mut world, 30);
    let events = |world: &World| lines(world, &id).into_iter().map(|(event, _)| event).collect::<Vec<_>>();
    assert_eq!(events(&world), ["late look put off"; 2]);
    world.wire.tracker = first;
    world.paste_new_credentials();
    pass(&mut world, 24 * 11);
    assert_eq!(events(&world).last().map(String::as_str), Some("late twin"), "{}", world.explain());
}

#[test]
fn a_record_that_is_never_answered_for_does_not_keep_the_late_look_waiting_for_ever() {
    let mut world = World::new(6, json!({ "api": "rest" }));
    let id = lost_and_found(&mut world);
    world.paste_new_credentials();
    world.switches(&json!({ "faults": [{ "on": "get_resource", "do": "500_before", "times": 1_000_000 }] }));
    pass(&mut world, 24 * 9);
    let lines = lines(&world, &id);
    assert!(lines.iter().any(|(event, _)| event == "late look put off"), "{lines:?}");
}

#[test]
fn a_plan_that_cannot_be_read_is_no_clean_look() {
    let mut world = World::new(6, json!({ "api": "rest" }));
    let id = lost_and_found(&mut world);
    world.store.connection().execute("UPDATE submission SET plan = NULL WHERE id = ?1", [&id]).expect("set");
    pass(&mut world, 80);
    let lines: Vec<String> = lines(&world, &id).into_iter().map(|(event, _)| event).collect();
    assert_eq!(lines, ["not audited"]);
}

#[test]
fn a_discarded_submission_keeps_its_late_look() {
    both(|api, world| {
        let id = lost_and_found(world);
        let sql = "UPDATE submission SET state = 'attention', reason = 'partial' WHERE id = ?1";
        world.store.connection().execute(sql, [&id]).expect("set");
        let now = world.clock.now();
        world.store.act(&id, Action::Discard, &now).expect("discarded");
        twin(world);
        pass(world, 30);
        let item = world.item(&id);
        assert_eq!((item.state, item.code.as_deref()), (State::Attention, Some("HT-1612")), "{api}: {item:?}");
        assert!(item.message.contains(", "), "{api}: both are named: {}", item.message);
    });
}

/// Somebody's record from long ago.
fn from_long_ago(world: &World) {
    let known = json!({ "resources": [{ "firstName": "Ada", "surname": "Lovelace", "email": "ada@example.org" }] });
    let long_ago = world.clock.truth() - 1_000 * 3_600_000;
    world.wire.tracker.borrow_mut().seed(&known, long_ago).expect("seeded");
}

#[test]
fn an_old_record_that_was_taken_for_a_lost_one_does_not_hide_the_young_one() {
    both(|api, world| {
        somebody(world);
        let faults = json!([{ "on": "create_resource", "do": "drop_after", "times": 1 }]);
        world.switches(&json!({ "search_lag_ms": 6 * 3_600_000, "faults": faults }));
        let id = world.submit(&ada());
        world.run();
        assert_eq!(world.item(&id).state, State::Checking, "{api}");
        // A search that did not show the old record before the send shows it now, and not yet the young one.
        from_long_ago(world);
        world.run_for(2);
        assert_eq!(world.item(&id).state, State::Done, "{api}: {:?}", world.item(&id));
        assert_eq!(world.held("resources").len(), 3, "{api}: the situation is there");
        pass(world, 30);
        let item = world.item(&id);
        assert_eq!((item.state, item.code.as_deref()), (State::Attention, Some("HT-1612")), "{api}: {item:?}");
        assert_eq!(item.message.split(", ").count(), 2, "{api}: both are named: {}", item.message);
    });
}

#[test]
fn two_records_from_long_ago_are_no_late_twin_though_php_was_killed() {
    for moment in 0.. {
        let mut world = World::new(7, json!({ "api": "rest" }));
        somebody(&mut world);
        from_long_ago(&world);
        from_long_ago(&world);
        world.documents = 1;
        let id = world.submit(&ada());
        world.clock.crash_in.set(Some(moment));
        let was_killed = world.run().is_none();
        world.clock.crash_in.set(None);
        world.run_for(2);
        pass(&mut world, 30);
        let item = world.item(&id);
        assert_eq!(item.state, State::Done, "killed at look {moment} at the clock: {item:?}");
        assert_eq!(world.number("SELECT count(*) FROM submission WHERE audit_at IS NOT NULL"), 0);
        if !was_killed {
            assert!(moment > 10, "only {moment} moments");
            break;
        }
    }
}

#[test]
fn what_a_person_had_planned_anew_has_its_late_look_though_its_step_forgot_that_it_was_lost() {
    both(|api, world| {
        let id = lost_and_found(world);
        let forget = "UPDATE step SET unknown_at = NULL, unknown_boot = NULL, intent_at = NULL, resends = 0";
        world.store.connection().execute(forget, []).expect("set");
        twin(world);
        pass(world, 30);
        let item = world.item(&id);
        assert_eq!((item.state, item.code.as_deref()), (State::Attention, Some("HT-1612")), "{api}: {item:?}");
    });
}
