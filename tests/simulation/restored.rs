//! What becomes of submissions when yesterday's store is put back, or no run came by for hours: what is unfinished may have
//! been sent by another copy, under settings of that time.

use base64::Engine as _;
use halt_tracker::clock::Clock;
use halt_tracker::queue::act::Action;
use halt_tracker::queue::state::{Pause, State};
use halt_tracker::relay::report::Ended;
use serde_json::json;

use crate::delivery::{ada, both, somebody};
use crate::world::World;

/// Delivers what waits, and puts back the store from before that.
pub fn deliver_and_forget(world: &mut World) {
    world.snapshot();
    world.run_for(1);
    world.clock.advance(20 * 3_600_000);
    world.restore();
    world.run();
    world.store.lift(Pause::Restored).expect("lifted");
    // The store of yesterday holds a token that was used up since: the screen says so, and somebody pastes a new one.
    world.paste_new_credentials();
}

#[test]
fn a_counter_that_was_read_before_another_run_is_no_restore() {
    let mut world = World::new(3, json!({}));
    world.submit(&ada());
    world.run();
    // Read before that run, and with the lock only now.
    world.site.counter -= 1;
    world.submit(&json!({ "name": "Alan Turing", "email": "alan@example.org" }));
    let report = world.ask().expect("no crash");
    assert_eq!((report.outcome, report.counter), (Ended::Reread, world.site.counter + 1));
    assert!(world.store.pauses().expect("read").is_empty(), "a healthy site is paused");
    // Read once more after the store's, it is true.
    world.site.counter += 1;
    world.site.seen = Some(report.counter);
    assert_eq!(world.run().expect("no crash").outcome, Ended::Ran);
    // Yet another run went on between: what was seen is not the store's any more.
    (world.site.counter, world.site.seen) = (world.site.counter - 1, Some(report.counter));
    assert_eq!(world.ask().expect("no crash").outcome, Ended::Reread);
    // One that is behind whenever it is read was put back.
    assert_eq!(world.run().expect("no crash").outcome, Ended::Paused);
}

#[test]
fn what_was_sent_as_another_type_of_record_is_shown_to_a_person_who_may_have_both() {
    both(|api, world| {
        let id = world.submit(&ada());
        deliver_and_forget(world);
        assert_eq!(world.held("resources").len(), 1);
        world.set(&json!({ "record_type": "Contact" }));
        world.run_for(2);
        let item = world.item(&id);
        assert_eq!((item.state, item.code.as_deref()), (State::Attention, Some("HT-1616")), "{api}: {item:?}");
        assert!(item.message.starts_with("Resource "), "{api}: {}", item.message);
        assert_eq!(world.held("contacts").len(), 0, "{api}: nobody is there twice");
        let now = world.clock.now();
        world.store.act(&id, Action::Retry, &now).expect("it may be retried");
        world.run_for(2);
        assert_eq!(world.item(&id).state, State::Done, "{api}");
        assert_eq!(world.held("contacts").len(), 1, "{api}: who retries wants both");
    });
}

#[test]
fn a_lead_whose_person_was_still_looked_for_at_the_time_of_the_backup_is_not_made_again() {
    let mut world = World::new(3, json!({ "api": "rest", "record_type": "Lead" }));
    somebody(&mut world);
    world.switches(&json!({ "faults": [{ "on": "create_contact", "do": "drop_after", "times": 1 }] }));
    let id = world.submit(&ada());
    world.run();
    assert_eq!(world.item(&id).state, State::Checking);
    deliver_and_forget(&mut world);
    assert_eq!((world.held("contacts").len(), world.held("leads").len()), (2, 2), "Grace and Ada");
    world.run_for(3);
    assert_eq!(world.item(&id).state, State::Done, "{:?}", world.item(&id));
    assert_eq!((world.held("contacts").len(), world.held("leads").len()), (2, 2), "found again, not sent again");
}

#[test]
fn what_was_made_twice_before_a_restore_is_shown_to_a_person() {
    both(|api, world| {
        let id = world.submit(&ada());
        deliver_and_forget(world);
        // A create of that time that Tracker applied late; nothing of ours remembers to look for it.
        let late = json!({ "resources": [{ "firstName": "Ada", "surname": "Lovelace", "email": "ada@example.org" }] });
        let now = world.clock.truth();
        world.wire.tracker.borrow_mut().seed(&late, now).expect("seeded");
        world.run_for(2);
        let item = world.item(&id);
        assert_eq!((item.state, item.code.as_deref()), (State::Attention, Some("HT-1602")), "{api}: {item:?}");
        assert_eq!(item.message.split(", ").count(), 2, "{api}: both are named: {}", item.message);
        assert_eq!(world.held("resources").len(), 2, "{api}");
    });
}

#[test]
fn an_activity_that_was_made_before_a_restore_is_found_not_made_again() {
    let mut world = World::new(1, json!({ "api": "rest" }));
    let id = world.submit(&ada());
    deliver_and_forget(&mut world);
    world.run_for(2);
    assert_eq!(world.item(&id).state, State::Done);
    assert_eq!((world.held("resources").len(), world.held("activities").len()), (1, 1));
}

#[test]
fn where_each_submission_makes_a_record_its_marker_says_after_a_restore_which_one() {
    let mut world = World::new(3, json!({ "api": "rest", "duplicates": "create", "record_type": "Contact" }));
    somebody(&mut world);
    let ids = [world.submit(&ada()), world.submit(&ada())];
    deliver_and_forget(&mut world);
    assert_eq!(world.held("contacts").len(), 3, "Grace, and Ada twice, as it is set");
    // The second one's turn comes first.
    let seq = world.store.seq_of(&ids[0]).expect("there");
    let wait = "UPDATE submission SET state = 'retry', due_at = 1, due_boot = 0 WHERE seq = ?1";
    world.store.connection().execute(wait, [seq]).expect("changed");
    world.run_for(3);
    let records = ids.each_ref().map(|id| (world.item(id).state, world.item(id).tracker_id));
    assert_eq!(records, [(State::Done, Some(7002)), (State::Done, Some(7003))], "{}", world.explain());
    assert_eq!((world.held("contacts").len(), world.held("activities").len()), (3, 3), "{}", world.explain());
}

#[test]
fn a_cv_that_another_application_brought_before_a_restore_is_not_taken_for_a_lost_one() {
    let mut world = World::new(3, json!({ "api": "rest" }));
    somebody(&mut world);
    world.documents = 1;
    world.switches(&json!({ "faults": [{ "on": "attach_document", "do": "drop_before", "times": 1 }] }));
    let first = world.submit(&ada());
    world.run();
    assert_eq!(world.item(&first).state, State::Checking);
    // She applies once more before the lost answer is settled; her second CV is of the same name and on the same record.
    let second = world.submit(&ada());
    world.snapshot();
    world.run();
    assert_eq!((world.item(&second).state, world.held("documents").len()), (State::Done, 1), "{}", world.explain());
    world.clock.advance(20 * 3_600_000);
    world.restore();
    world.run();
    world.store.lift(Pause::Restored).expect("lifted");
    world.paste_new_credentials();
    world.run_for(6);
    for id in [&first, &second] {
        assert_eq!(world.item(id).state, State::Done, "{}", world.explain());
        let text = base64::engine::general_purpose::STANDARD.encode(crate::world::curriculum(id));
        let there = world.held("documents").iter().any(|one| one["data"] == *text);
        assert!(there, "the CV of {id} is missing: {}", world.explain());
    }
}

#[test]
fn where_each_submission_makes_a_person_a_gap_does_not_make_two_share_one() {
    let mut world = World::new(3, json!({ "api": "rest", "duplicates": "create" }));
    world.run_for(1);
    let ids = [world.submit(&ada()), world.submit(&ada())];
    // Nobody came by: an old copy of the store would look the same.
    world.clock.advance(5 * 3_600_000);
    world.run_for(2);
    let records: Vec<_> = ids.iter().map(|id| world.item(id).tracker_id).collect();
    assert!(records[0].is_some() && records[1].is_some() && records[0] != records[1], "{records:?}");
    assert_eq!(world.held("resources").len(), 2);
}

#[test]
fn what_kills_php_in_the_look_for_another_type_of_record_ends_with_a_person() {
    let mut world = World::new(3, json!({ "record_type": "Contact" }));
    world.run_for(1);
    // The control of the look among Resources: whoever asks for him dies.
    let deadly = json!({ "resources": [{ "firstName": "Deadly", "surname": "Row", "email": "deadly@example.org" }] });
    let now = world.clock.truth();
    world.wire.tracker.borrow_mut().seed(&deadly, now).expect("seeded");
    world.wire.poison = Some("deadly@example.org");
    let id = world.submit(&ada());
    world.clock.advance(5 * 3_600_000);
    for _ in 0..8 {
        world.run();
        world.clock.advance(600_000);
    }
    let item = world.item(&id);
    assert_eq!((item.state, item.code.as_deref()), (State::Attention, Some("HT-1601")), "{item:?}");
}
