//! Scripts in which it is not certain whom or what a submission means: plans that grow old, looks that find several or nothing,
//! documents of one name, a store that is not today's.

use halt_tracker::clock::Clock as _;
use halt_tracker::queue::act::Action;
use halt_tracker::queue::state::{Pause, State};
use halt_tracker::relay::{Ended, Policy, Rule};
use serde_json::{Value, json};

use crate::delivery::{ada, somebody};
use crate::scripts::{Script, done, expect, held, once, world};
use crate::wire::Weather;
use crate::world::World;

pub const SCRIPTS: &[Script] = &[
    (Rule::PlanIsAnew, "a recruiter enters the person between two tries", entered_between_two_tries),
    (Rule::SeveralAsk, "a lost create was applied twice", applied_twice),
    (Rule::ProtectedIsFound, "the widget API has the person already and overwrites nobody", whom_tracker_protects),
    (Rule::BlindAsks, "an answer is lost where nobody can look", lost_and_nobody_can_look),
    (Rule::BlindChildOnce, "every answer about a note is lost, and nobody can look", a_note_that_is_lost_each_time),
    (Rule::LookRightBefore, "a create arrives late, after it was proven absent", absent_and_then_there),
    (Rule::LateLookAgain, "searches are not to be trusted on the day of the late look", a_blind_day),
    (Rule::ChildStopsNothing, "the activity is refused, and there is a CV", refused_before_a_cv),
    (Rule::OurDocument, "a person's second CV of the same name is lost", the_second_cv),
    (Rule::BudgetEnds, "two hundred wait for a run of twenty seconds", two_hundred_in_twenty_seconds),
    (Rule::RestoredPauses, "a backup of yesterday is put back", a_backup_of_yesterday),
    (Rule::MissingWaits, "a form's field was renamed", a_renamed_field),
    (Rule::MappingIsHeeded, "a form's field was renamed, and the mapping is corrected", a_renamed_field),
    (Rule::EnteredIsRead, "somebody mistypes the id of a record", a_mistyped_id),
    (Rule::ClocksAreCompared, "an answer is lost, and Tracker's clock is three hours behind", a_clock_that_is_behind),
];

/// Ada's record, made by somebody else at this moment.
fn enter_ada(world: &World, many: usize) {
    let one = json!({ "firstName": "Ada", "surname": "Lovelace", "email": "ada@example.org" });
    let now = world.clock.truth();
    let all = json!({ "resources": vec![one; many] });
    world.wire.tracker.borrow_mut().seed(&all, now).expect("seeded");
}

fn entered_between_two_tries(policy: &Policy) -> Result<(), String> {
    let mut world = world(&json!({ "api": "rest" }), policy);
    somebody(&mut world);
    world.wire.weather = Weather { refuse: 100, only_creates: true, ..Weather::default() };
    let id = world.submit(&ada());
    world.run();
    world.wire.weather = Weather::default();
    enter_ada(&world, 1);
    world.run_for(2);
    done(&world, &id)?;
    held(&world, "resources", 2)
}

fn applied_twice(policy: &Policy) -> Result<(), String> {
    let mut world = world(&json!({ "api": "rest" }), policy);
    somebody(&mut world);
    once(&mut world, "create_resource", "drop_after");
    let id = world.submit(&ada());
    world.run();
    enter_ada(&world, 1);
    world.run_for(2);
    let item = world.item(&id);
    let asked = (item.state, item.reason.as_str()) == (State::Attention, "several");
    expect(asked, || format!("ended as {:?} {:?}, and nobody is asked which of two", item.state, item.reason))
}

fn whom_tracker_protects(policy: &Policy) -> Result<(), String> {
    let mut world = world(&json!({ "duplicates": "create" }), policy);
    enter_ada(&world, 1);
    let known = world.held("resources")[0]["id"].as_i64();
    let id = world.submit(&ada());
    world.run_for(1);
    done(&world, &id)?;
    expect(world.item(&id).tracker_id == known, || format!("{:?} is not {known:?}", world.item(&id).tracker_id))?;
    held(&world, "activities", 1)
}

fn lost_and_nobody_can_look(policy: &Policy) -> Result<(), String> {
    let mut world = world(&json!({}), policy);
    world.switches(&json!({ "widget_duplicates": "create" }));
    world.wire.rest_is_blocked = true;
    world.submit(&json!({ "name": "Grace Hopper", "email": "grace@example.org" }));
    world.run_for(12);
    once(&mut world, "create_resource", "drop_after");
    let id = world.submit(&ada());
    world.run_for(72);
    held(&world, "resources", 2)?;
    let item = world.item(&id);
    expect((item.state, item.reason.as_str()) == (State::Attention, "unsettled"), || format!("{item:?}"))
}

fn a_note_that_is_lost_each_time(policy: &Policy) -> Result<(), String> {
    let mut world = world(&json!({}), policy);
    world.switches(&json!({ "faults": [{ "on": "create_activity", "do": "drop_after", "times": 100 }] }));
    let id = world.submit(&ada());
    world.run_for(24);
    held(&world, "activities", 2)?;
    let item = world.item(&id);
    expect((item.state, item.reason.as_str()) == (State::Attention, "partial"), || format!("{item:?}"))
}

fn absent_and_then_there(policy: &Policy) -> Result<(), String> {
    let mut world = world(&json!({ "api": "rest" }), policy);
    somebody(&mut world);
    once(&mut world, "create_resource", "drop_before");
    let id = world.submit(&ada());
    world.run();
    // Proven absent, and its second try never leaves the site.
    world.wire.weather = Weather { refuse: 100, only_creates: true, ..Weather::default() };
    while world.item(&id).state == State::Checking {
        world.clock.advance(30_000);
        world.run();
    }
    world.wire.weather = Weather::default();
    // The first one arrives now.
    enter_ada(&world, 1);
    world.run_for(2);
    done(&world, &id)?;
    held(&world, "resources", 2)
}

fn a_blind_day(policy: &Policy) -> Result<(), String> {
    let mut world = world(&json!({ "api": "rest" }), policy);
    somebody(&mut world);
    once(&mut world, "create_resource", "drop_after");
    let id = world.submit(&ada());
    world.run_for(2);
    done(&world, &id)?;
    let pass = |world: &mut World, hours: i64| {
        for _ in 0..hours * 4 {
            world.clock.advance(900_000);
            world.beat();
            world.run();
        }
    };
    pass(&mut world, 20);
    // Filters are ignored on the day of the look, and a request that Tracker applied late hides behind that.
    world.switches(&json!({ "email_filter": "ignored" }));
    pass(&mut world, 5);
    world.switches(&json!({ "email_filter": "contains" }));
    enter_ada(&world, 1);
    pass(&mut world, 12);
    let item = world.item(&id);
    expect(item.code.as_deref() == Some("HT-1612"), || format!("{:?} {:?}", item.state, item.code))
}

fn refused_before_a_cv(policy: &Policy) -> Result<(), String> {
    let mut world = world(&json!({ "api": "rest" }), policy);
    world.documents = 1;
    once(&mut world, "create_activity", "400_before");
    let id = world.submit(&ada());
    world.run_for(1);
    let item = world.item(&id);
    expect(item.reason == "partial", || format!("{item:?}"))?;
    held(&world, "documents", 1)
}

fn the_second_cv(policy: &Policy) -> Result<(), String> {
    let mut world = world(&json!({ "api": "rest" }), policy);
    somebody(&mut world);
    world.documents = 1;
    let first = world.submit(&ada());
    world.run_for(1);
    world.clock.advance(24 * 3_600_000);
    world.beat();
    once(&mut world, "attach_document", "drop_before");
    let second = world.submit(&ada());
    world.run_for(2);
    done(&world, &first)?;
    done(&world, &second)?;
    held(&world, "documents", 2)
}

fn two_hundred_in_twenty_seconds(policy: &Policy) -> Result<(), String> {
    let mut world = world(&json!({ "api": "rest" }), policy);
    let people = (0..200).map(|at| json!({ "name": format!("P {at}"), "email": format!("p{at}@example.org") }));
    let people: Vec<Value> = people.collect();
    let ids: Vec<String> = people.iter().map(|person| world.submit(person)).collect();
    let began = world.clock.truth();
    world.run();
    let took = (world.clock.truth() - began) / 1_000;
    expect((15..25).contains(&took), || format!("the run took {took} seconds"))?;
    world.run_for(24);
    ids.iter().try_for_each(|id| done(&world, id))
}

fn a_backup_of_yesterday(policy: &Policy) -> Result<(), String> {
    let mut world = world(&json!({ "api": "rest" }), policy);
    let id = world.submit(&ada());
    world.snapshot();
    world.run_for(1);
    world.clock.advance(20 * 3_600_000);
    world.restore();
    let before = world.wire.sent;
    let outcome = world.run().ok_or("PHP was killed")?.outcome;
    let sent = world.wire.sent - before;
    expect(sent == 0 && outcome == Ended::Paused, || format!("{sent} requests before anybody was asked, {outcome:?}"))?;
    world.store.lift(Pause::Restored).map_err(|error| error.to_string())?;
    world.paste_new_credentials();
    world.run_for(2);
    done(&world, &id)?;
    held(&world, "resources", 1)
}

fn a_renamed_field(policy: &Policy) -> Result<(), String> {
    let mut world = world(&json!({}), policy);
    let id = world.submit(&json!({ "name": "Ada", "e_mail": "ada@example.org" }));
    world.run();
    world.set(&json!({ "field_map": r#"{"fullName":"name","email":"e_mail"}"# }));
    world.run();
    done(&world, &id)
}

fn a_mistyped_id(policy: &Policy) -> Result<(), String> {
    let mut world = world(&json!({ "api": "rest" }), policy);
    world.submit(&json!({ "name": "Grace Hopper", "email": "grace@example.org" }));
    world.set(&json!({ "activity_enabled": "" }));
    world.run_for(1);
    world.set(&json!({ "activity_enabled": "1" }));
    let stranger = world.held("resources")[0]["id"].as_i64().ok_or("nobody is there")?;
    world.switches(&json!({ "faults": [{ "on": "create_resource", "do": "drop_before", "times": 100 }] }));
    let id = world.submit(&ada());
    world.run_for(200);
    world.switches(&json!({ "faults": [] }));
    let now = world.clock.now();
    world.store.act(&id, Action::Exists(stranger), &now).map_err(|error| error.to_string())?;
    world.run_for(3);
    held(&world, "activities", 0).map_err(|why| format!("{why} with a stranger"))?;
    let item = world.item(&id);
    let asked = (item.state, item.reason.as_str()) == (State::Attention, "other person");
    expect(asked, || format!("ended as {:?} {:?}", item.state, item.reason))
}

fn a_clock_that_is_behind(policy: &Policy) -> Result<(), String> {
    let mut world = world(&json!({ "api": "rest", "duplicates": "create" }), policy);
    world.switches(&json!({ "clock_skew_ms": -3 * 3_600_000 }));
    somebody(&mut world);
    once(&mut world, "create_resource", "drop_after");
    let id = world.submit(&ada());
    world.run_for(2);
    done(&world, &id)?;
    held(&world, "resources", 2)
}
