//! What was refused is sent as the settings have it once they are corrected; what may have reached Tracker never changes.

use halt_tracker::clock::Clock;
use halt_tracker::queue::act::Action;
use halt_tracker::queue::state::State;
use serde_json::{Value, json};

use crate::delivery::{ada, both, somebody};
use crate::world::World;

fn retry(world: &mut World, id: &str) {
    let now = world.clock.now();
    world.store.act(id, Action::Retry, &now).expect("retried");
    world.run_for(1);
}

fn refuse(world: &mut World, operation: &str) {
    world.switches(&json!({ "faults": [{ "on": operation, "do": "400_before", "times": 1 }] }));
}

fn only(world: &World, list: &str) -> Value {
    let mut held = world.held(list);
    assert_eq!(held.len(), 1, "{list}: {}", world.explain());
    held.remove(0)
}

#[test]
fn a_refused_lead_goes_out_as_the_corrected_mapping_has_it_and_its_person_is_made_once() {
    let mut world = World::new(4, json!({ "api": "rest", "record_type": "Lead" }));
    refuse(&mut world, "create_lead");
    let id = world.submit(&ada());
    world.run();
    assert_eq!((world.item(&id).state, world.held("contacts").len()), (State::Failed, 1), "{}", world.explain());
    world.set(
        &json!({ "field_map": r#"{"fullName":"name","email":"email","note":"message","leadName":":As corrected"}"# }),
    );
    retry(&mut world, &id);
    assert_eq!(world.item(&id).state, State::Done, "{}", world.explain());
    assert_eq!(only(&world, "leads")["name"], "As corrected");
    only(&world, "contacts");
    // A later look for the Lead goes by the title that was sent.
    let seq = world.store.seq_of(&id).expect("there");
    let plan: Value = serde_json::from_slice(&world.store.job(seq).expect("read").plan).expect("a plan");
    assert_eq!(plan["lead_name"], "As corrected");
}

#[test]
fn a_refused_activity_goes_out_with_the_corrected_type() {
    both(|api, world| {
        world.set(&json!({ "activity_type": "Nonsense" }));
        refuse(world, "create_activity");
        let id = world.submit(&ada());
        world.run();
        assert_eq!(world.item(&id).code.as_deref(), Some("HT-1605"), "{api}");
        world.set(&json!({ "activity_type": "Call" }));
        retry(world, &id);
        assert_eq!(world.item(&id).state, State::Done, "{api}: {}", world.explain());
        only(world, "resources");
        assert!(only(world, "activities").to_string().contains("Call"), "{api}: {:?}", world.held("activities"));
    });
}

#[test]
fn a_refused_place_on_a_long_list_is_not_asked_for_again_when_the_job_is_no_longer_mapped() {
    both(|api, world| {
        world.set(&json!({ "field_map": r#"{"fullName":"name","email":"email","jobId":":4711"}"# }));
        refuse(world, "longlist");
        let id = world.submit(&ada());
        world.run();
        assert_eq!(world.item(&id).code.as_deref(), Some("HT-1605"), "{api}: {}", world.explain());
        world.set(&json!({ "field_map": r#"{"fullName":"name","email":"email"}"# }));
        retry(world, &id);
        assert_eq!(world.item(&id).state, State::Done, "{api}: {}", world.explain());
        assert_eq!(world.asked("longlist"), 1, "{api}: nothing is asked for that nobody wants");
    });
}

#[test]
fn what_may_have_reached_tracker_is_sent_again_as_it_was_whatever_the_mapping_says_by_then() {
    both(|api, world| {
        somebody(world);
        world.switches(&json!({ "faults": [{ "on": "create_resource", "do": "drop_before", "times": 1 }] }));
        let id = world.submit(&ada());
        world.run();
        assert_eq!(world.item(&id).state, State::Checking, "{api}");
        world.set(&json!({ "field_map": r#"{"fullName":":Somebody Else","email":"email"}"# }));
        world.run_for(6);
        assert_eq!(world.item(&id).state, State::Done, "{api}: {}", world.explain());
        let people = world.held("resources");
        assert!(people.iter().any(|one| one["surname"] == "Lovelace"), "{api}: {people:?}");
        assert_eq!(people.len(), 2, "{api}");
    });
}
