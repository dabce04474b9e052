//! Situations that chance brings about too rarely, played on purpose: each holds with every rule in force, and is found out
//! when the rule that it is about is switched off.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use halt_tracker::queue::state::State;
use halt_tracker::relay::{Caller, Policy, Rule};
use serde_json::{Value, json};

use crate::delivery::{ada, somebody};
use crate::interleaved::once as once_at;
use crate::meanwhile::At;
use crate::model::Tracker;
use crate::restored::deliver_and_forget;
use crate::world::World;

/// A rule, what is played, and the play: what went wrong, in words.
pub type Script = (Rule, &'static str, fn(&Policy) -> Result<(), String>);

/// Every script.
pub fn all() -> impl Iterator<Item = &'static Script> {
    SCRIPTS.iter().chain(crate::refusals::SCRIPTS).chain(crate::doubts::SCRIPTS)
}

const SCRIPTS: &[Script] = &[
    (Rule::IntentFirst, "PHP is killed at every single moment of a delivery", killed_at_every_moment),
    (Rule::FifteenMinutes, "a search knows a new record after fourteen minutes", a_slow_search),
    (Rule::ResendsAreFew, "a create that never arrives, however often it is sent", a_create_that_never_arrives),
    (Rule::SamePersonWaits, "a person sends twice while the first answer is lost", twice_while_an_answer_is_lost),
    (Rule::PlanIsFixed, "the record type is changed while an answer is lost", another_type_while_an_answer_is_lost),
    (Rule::SameAccount, "another account is entered between a record and its activity", another_account),
    (Rule::CrashesEnd, "one of two applicants kills PHP each time", one_who_kills_php),
    (Rule::GapIsLookedInto, "a Lead is sent, and the store from before that is put back", yesterdays_store),
    (Rule::PausesAreFree, "credentials are refused for three days", three_days_of_wrong_credentials),
    (Rule::GivesUpLate, "Tracker refuses every connection for six days", six_days_refused),
    (Rule::WritesAreTheRuns, "a run whose lock was lost goes on after another one was killed in its place", overtaken),
    (Rule::LockIsLookedAt, "run.lock is replaced while a run looks for the first person", a_replaced_lock),
    (Rule::BlindIsPatient, "the REST host is out of reach for ten minutes", ten_blind_minutes),
];

pub fn world(settings: &Value, policy: &Policy) -> World {
    let mut world = World::new(17, settings.clone());
    world.policy = policy.clone();
    world
}

/// One fault of the next request of an operation.
pub fn once(world: &mut World, on: &str, what: &str) {
    world.switches(&json!({ "faults": [{ "on": on, "do": what, "times": 1 }] }));
}

pub fn expect(holds: bool, words: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(words()) }
}

/// That Tracker holds so many of a kind.
pub fn held(world: &World, what: &str, right: usize) -> Result<(), String> {
    let many = world.held(what).len();
    expect(many == right, || format!("{many} {what}, {right} are right"))
}

pub fn done(world: &World, id: &str) -> Result<(), String> {
    let item = world.item(id);
    expect(item.state == State::Done, || format!("ended as {:?} {:?} {}", item.state, item.code, item.message))
}

fn killed_at_every_moment(policy: &Policy) -> Result<(), String> {
    for moment in 0.. {
        let mut world = world(&json!({ "api": "rest", "duplicates": "create" }), policy);
        somebody(&mut world);
        let id = world.submit(&ada());
        world.clock.crash_in.set(Some(moment));
        let killed = world.run().is_none();
        world.clock.crash_in.set(None);
        world.run_for(3);
        done(&world, &id)?;
        held(&world, "resources", 2).map_err(|why| format!("{why}; killed at look {moment} at the clock"))?;
        if !killed {
            return expect(moment > 20, || format!("a delivery has only {moment} moments"));
        }
    }
    Ok(())
}

fn overtaken(policy: &Policy) -> Result<(), String> {
    for moment in 0.. {
        let mut world = world(&json!({ "api": "rest", "duplicates": "create" }), policy);
        somebody(&mut world);
        // The first request is one for a token: nothing was sent of Ada yet. Whoever is killed loses no rotated one.
        world.paste_new_credentials();
        world.switches(&json!({ "rotate_refresh_token": false }));
        let id = world.submit(&ada());
        let killed = Rc::new(Cell::new(false));
        let is_killed = Rc::clone(&killed);
        world.others.script = once_at(At::Sending, "oAuth2", move |reach| {
            reach.replace_lock();
            is_killed.set(reach.run_beside(Caller::Cli, Some(moment)).is_none());
            reach.wire.weather.refuse = 100;
        });
        world.run();
        (world.others.script, world.wire.weather.refuse) = (None, 0);
        world.run_for(3);
        done(&world, &id)?;
        held(&world, "resources", 2).map_err(|why| format!("{why}; the other one was killed at look {moment}"))?;
        if !killed.get() {
            return expect(moment > 20, || format!("a delivery has only {moment} moments"));
        }
    }
    Ok(())
}

fn a_replaced_lock(policy: &Policy) -> Result<(), String> {
    let mut world = world(&json!({ "api": "rest" }), policy);
    somebody(&mut world);
    let id = world.submit(&ada());
    world.others.script = once_at(At::Answered, "/Search", |reach| reach.replace_lock());
    world.run();
    world.others.script = None;
    held(&world, "resources", 1).map_err(|why| format!("{why}: a run without its lock went on sending"))?;
    world.run_for(1);
    done(&world, &id)?;
    held(&world, "resources", 2)
}

fn a_slow_search(policy: &Policy) -> Result<(), String> {
    let mut world = world(&json!({ "api": "rest" }), policy);
    somebody(&mut world);
    once(&mut world, "create_resource", "drop_after");
    world.switches(&json!({ "search_lag_ms": 14 * 60_000 }));
    let id = world.submit(&ada());
    // Somebody presses the button again and again, so that there is a look as soon as one is due.
    for _ in 0..40 {
        world.run();
        world.clock.advance(30_000);
    }
    done(&world, &id)?;
    held(&world, "resources", 2)
}

fn a_create_that_never_arrives(policy: &Policy) -> Result<(), String> {
    let mut world = world(&json!({ "api": "rest" }), policy);
    somebody(&mut world);
    world.switches(&json!({ "faults": [{ "on": "create_resource", "do": "drop_before", "times": 100 }] }));
    let before = world.asked("create_resource");
    let id = world.submit(&ada());
    world.run_for(24);
    let (item, sent) = (world.item(&id), world.asked("create_resource") - before);
    expect(item.state == State::Attention && sent == 3, || format!("{:?}, sent {sent} times", item.state))
}

fn twice_while_an_answer_is_lost(policy: &Policy) -> Result<(), String> {
    let mut world = world(&json!({ "api": "rest" }), policy);
    somebody(&mut world);
    once(&mut world, "create_resource", "drop_after");
    world.switches(&json!({ "search_lag_ms": 60_000 }));
    let first = world.submit(&ada());
    world.run();
    let second = world.submit(&ada());
    world.run_for(2);
    done(&world, &first)?;
    done(&world, &second)?;
    held(&world, "resources", 2)
}

fn another_type_while_an_answer_is_lost(policy: &Policy) -> Result<(), String> {
    let mut world = world(&json!({ "api": "rest" }), policy);
    somebody(&mut world);
    once(&mut world, "create_resource", "drop_after");
    let id = world.submit(&ada());
    world.run();
    world.set(&json!({ "record_type": "Contact" }));
    world.run_for(2);
    done(&world, &id)?;
    held(&world, "contacts", 0)?;
    held(&world, "resources", 2)
}

fn another_account(policy: &Policy) -> Result<(), String> {
    let mut world = world(&json!({ "api": "rest" }), policy);
    somebody(&mut world);
    once(&mut world, "create_activity", "drop_before");
    let id = world.submit(&ada());
    world.run();
    let of_ada = world.item(&id).tracker_id;
    let strangers = ["Alan", "Barbara"].map(|name| json!({ "firstName": name, "surname": "Stranger" }));
    let mut other = Tracker::new();
    let now = world.clock.truth();
    let ids = other.seed(&json!({ "resources": strangers }), now).expect("seeded");
    let known = ids["resources"].as_array().is_some_and(|ids| ids.iter().any(|id| id.as_i64() == of_ada));
    expect(known, || format!("nobody has Ada's id {of_ada:?} there: {ids}"))?;
    world.wire.tracker = Rc::new(RefCell::new(other));
    world.paste_new_credentials();
    world.run_for(3);
    let item = world.item(&id);
    held(&world, "activities", 0).map_err(|why| format!("{why} with strangers"))?;
    expect((item.state, item.reason.as_str()) == (State::Attention, "tenant"), || format!("{item:?}"))
}

fn one_who_kills_php(policy: &Policy) -> Result<(), String> {
    let mut world = world(&json!({ "api": "rest" }), policy);
    world.wire.poison = Some("ada@example.org");
    let (first, second) =
        (world.submit(&ada()), world.submit(&json!({ "name": "Alan Turing", "email": "alan@example.org" })));
    for _ in 0..12 {
        world.run();
        world.clock.advance(300_000);
    }
    expect(world.crashes == 3, || format!("PHP was killed {} times", world.crashes))?;
    done(&world, &second)?;
    let item = world.item(&first);
    expect((item.state, item.reason.as_str()) == (State::Attention, "crashes"), || format!("{item:?}"))
}

fn yesterdays_store(policy: &Policy) -> Result<(), String> {
    let mut world = world(&json!({ "api": "rest", "record_type": "Lead" }), policy);
    let id = world.submit(&ada());
    deliver_and_forget(&mut world);
    world.run_for(3);
    done(&world, &id)?;
    held(&world, "leads", 1)?;
    held(&world, "contacts", 1)
}

fn three_days_of_wrong_credentials(policy: &Policy) -> Result<(), String> {
    let mut world = world(&json!({ "api": "rest" }), policy);
    world.enter_credentials("a wrong client secret", "sim-refresh-token-0123456789");
    let id = world.submit(&ada());
    world.run_for(72);
    let item = world.item(&id);
    let asked = world.asked("token");
    expect(asked > 10, || format!("a pause is probed, not only {asked} times"))?;
    expect((item.state, item.attempts) == (State::Queued, 0), || {
        format!("{:?}, {} attempts", item.state, item.attempts)
    })?;
    world.paste_new_credentials();
    world.run_for(1);
    done(&world, &id)
}

fn six_days_refused(policy: &Policy) -> Result<(), String> {
    let mut world = world(&json!({ "api": "rest" }), policy);
    somebody(&mut world);
    let calm = std::mem::replace(&mut world.wire.weather.refuse, 100);
    let id = world.submit(&ada());
    world.run_for(24 * 6);
    let item = world.item(&id);
    expect(item.attempts >= 6 && item.state == State::Retry, || {
        format!("{:?} {:?} after {} attempts in six days", item.state, item.code, item.attempts)
    })?;
    world.wire.weather.refuse = calm;
    world.run_for(24 * 2);
    done(&world, &id)
}

fn ten_blind_minutes(policy: &Policy) -> Result<(), String> {
    let mut world = world(&json!({}), policy);
    let known = json!({ "resources": [{ "firstName": "Ada", "surname": "Lovelace", "email": "ada@example.org" }] });
    let now = world.clock.truth() - 1_000 * 3_600_000;
    world.wire.tracker.borrow_mut().seed(&known, now).expect("seeded");
    // Tracker's own guard against twins is an assumption.
    world.switches(&json!({ "widget_duplicates": "create" }));
    world.wire.rest_is_blocked = true;
    let id = world.submit(&ada());
    for _ in 0..20 {
        world.run();
        world.clock.advance(30_000);
    }
    world.wire.rest_is_blocked = false;
    world.run_for(3);
    done(&world, &id)?;
    held(&world, "resources", 1)
}
