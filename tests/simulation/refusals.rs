//! Scripts in which Tracker refuses, cannot be reached or asks for patience: what one answer says about everybody who waits, and
//! what it says about one applicant only.

use halt_tracker::queue::state::{Pause, State};
use halt_tracker::relay::{Caller, Policy, Rule};
use serde_json::{Value, json};

use crate::delivery::{ada, somebody};
use crate::model::Tracker;
use crate::scripts::{Script, done, expect, held, once, world};
use crate::world::World;

pub const SCRIPTS: &[Script] = &[
    (
        Rule::DeadlineHolds,
        "the machine stands still between an intent and its first byte",
        ten_minutes_of_standing_still,
    ),
    (Rule::WaitIsKept, "sixty applicants come at once, and Tracker takes a hundred requests a minute", a_rush),
    (Rule::WaitIsKept, "Tracker answers one search with 503 and a time", patience_asked_of_everybody),
    (Rule::PaceHalves, "Tracker answers 429 while a hundred wait", half_the_pace),
    (Rule::PaceLasts, "Tracker answers 429, and the run after that begins with a hundred waiting", half_the_pace),
    (Rule::RowEndsRun, "Tracker is out of reach while twenty wait", twenty_and_no_tracker),
    (Rule::EndpointPauses, "the address of creates is not there for an hour", an_hour_without_an_address),
    (Rule::EndpointPauses, "creates are redirected", redirected),
    (Rule::CredentialsPause, "the user behind the credentials is switched off for an hour", an_hour_without_a_user),
    (Rule::ForbiddenIsProbed, "Tracker forbids everything for an hour", an_hour_forbidden),
    (
        Rule::GoneIsOneChild,
        "a record is merged away before its activity, and another applicant waits",
        a_record_that_is_gone,
    ),
    (Rule::BacksOff, "Tracker refuses every connection for a day", a_day_refused),
    (Rule::ProbesAreFew, "somebody presses the button every ten seconds while the lane is paused", an_impatient_button),
    (Rule::ProbeBeforeLast, "an activity is lost, and Tracker drops everything for six hours", six_hours_of_silence),
];

/// So many applicants, who all wait.
fn applicants(world: &mut World, many: usize) -> Vec<String> {
    (0..many)
        .map(|at| world.submit(&json!({ "name": format!("P {at}"), "email": format!("p{at}@example.org") })))
        .collect()
}

fn all_done(world: &World, ids: &[String]) -> Result<(), String> {
    ids.iter().try_for_each(|id| done(world, id))
}

fn ten_minutes_of_standing_still(policy: &Policy) -> Result<(), String> {
    let mut world = world(&json!({ "api": "rest" }), policy);
    somebody(&mut world);
    // A recruiter enters Ada by hand after the look for her, and before the first byte of her create.
    let by_hand = |tracker: &mut Tracker, now: i64| {
        let ada = json!({ "resources": [{ "firstName": "Ada", "surname": "Lovelace", "email": "ada@example.org" }] });
        tracker.seed(&ada, now).expect("seeded");
    };
    world.wire.stands_still = Some((600_000, by_hand));
    let id = world.submit(&ada());
    world.run_for(2);
    expect(world.wire.stands_still.is_none(), || "nothing was to be sent".into())?;
    done(&world, &id)?;
    held(&world, "resources", 2)
}

/// When requests came that Tracker refused as too many, and when all came.
fn times(world: &World) -> (Vec<i64>, Vec<i64>) {
    let at = |request: &Value| request["at_ms"].as_i64().unwrap_or(0);
    let requests = world.held("requests");
    let refused = requests.iter().filter(|request| request["status"] == 429).map(at).collect();
    (refused, requests.iter().map(at).collect())
}

fn a_rush(policy: &Policy) -> Result<(), String> {
    let mut world = world(&json!({ "api": "rest", "pace": "60000" }), policy);
    world.switches(&json!({ "rate_limit_per_min": 100 }));
    let ids = applicants(&mut world, 60);
    world.run_for(3);
    all_done(&world, &ids)?;
    let (refused, all) = times(&world);
    let too_early = |at: &&i64| refused.iter().any(|since| (since + 1..since + 60_000).contains(*at));
    let early = all.iter().filter(too_early).count();
    expect(!refused.is_empty() && early == 0, || {
        format!("{} answers of 429, and {early} requests in the minute after one", refused.len())
    })
}

fn patience_asked_of_everybody(policy: &Policy) -> Result<(), String> {
    let mut world = world(&json!({ "api": "rest" }), policy);
    somebody(&mut world);
    world.switches(&json!({ "faults": [{ "on": "search", "do": "503_before", "times": 1, "retry_after": 900 }] }));
    let ids = applicants(&mut world, 2);
    let before = world.wire.sent;
    for _ in 0..3 {
        world.run();
        world.clock.advance(290_000);
    }
    let sent = world.wire.sent - before;
    expect(sent == 1, || format!("{sent} requests in the quarter of an hour for which Tracker asked"))?;
    world.run_for(1);
    all_done(&world, &ids)
}

fn half_the_pace(policy: &Policy) -> Result<(), String> {
    let mut world = world(&json!({ "api": "rest", "pace": "480" }), policy);
    somebody(&mut world);
    once(&mut world, "create_resource", "429");
    let ids = applicants(&mut world, 100);
    world.run();
    world.clock.advance(60_000);
    let before = world.wire.sent;
    world.caller = Caller::After;
    world.run();
    let sent = world.wire.sent - before;
    // Five seconds at 240 a minute, faster by a hundredth with each answer, and a burst of ten.
    expect((20..40).contains(&sent), || format!("{sent} requests in the five seconds after the wait"))?;
    world.caller = Caller::Cron;
    world.run_for(2);
    all_done(&world, &ids)
}

fn twenty_and_no_tracker(policy: &Policy) -> Result<(), String> {
    let mut world = world(&json!({ "api": "rest" }), policy);
    somebody(&mut world);
    world.wire.weather.refuse = 100;
    let ids = applicants(&mut world, 20);
    let before = world.wire.sent;
    let report = world.run().ok_or("PHP was killed")?;
    let tried = world.wire.sent - before;
    // Three applicants, and a probe whether it is only they.
    expect(tried == 4 && report.not_before.is_some(), || format!("{tried} tried, then {:?}", report.not_before))?;
    world.wire.weather.refuse = 0;
    world.run_for(12);
    all_done(&world, &ids)
}

fn an_hour_without_an_address(policy: &Policy) -> Result<(), String> {
    let mut world = world(&json!({ "api": "rest" }), policy);
    somebody(&mut world);
    world.switches(&json!({ "faults": [{ "on": "create_resource", "do": "404_before", "times": 1_000 }] }));
    let ids = applicants(&mut world, 5);
    for _ in 0..12 {
        world.run();
        world.clock.advance(300_000);
        world.beat();
    }
    let failed = ids.iter().filter(|id| world.item(id).state == State::Failed).count();
    expect(failed == 0, || format!("{failed} of 5 applicants failed"))?;
    world.switches(&json!({ "faults": [] }));
    world.run_for(2);
    all_done(&world, &ids)
}

fn redirected(policy: &Policy) -> Result<(), String> {
    let mut world = world(&json!({ "api": "rest" }), policy);
    somebody(&mut world);
    world.switches(&json!({ "faults": [{ "on": "create_resource", "do": "302_before", "times": 2 }] }));
    let before = world.asked("create_resource");
    let ids = applicants(&mut world, 2);
    world.run();
    let tried = world.asked("create_resource") - before;
    expect(tried == 1, || format!("{tried} creates went to an address that has moved"))?;
    let pauses = world.store.pauses().map_err(|error| error.to_string())?;
    expect(pauses.iter().any(|pause| pause.reason == Pause::Endpoint), || format!("{pauses:?}"))?;
    world.run_for(6);
    all_done(&world, &ids)
}

fn an_hour_without_a_user(policy: &Policy) -> Result<(), String> {
    let mut world = world(&json!({}), policy);
    somebody(&mut world);
    let faults = ["create_resource", "check_logon"].map(|on| json!({ "on": on, "do": "status2", "times": 1_000 }));
    world.switches(&json!({ "faults": faults }));
    let ids = applicants(&mut world, 3);
    world.run_for(1);
    let failed = ids.iter().filter(|id| world.item(id).state == State::Failed).count();
    expect(failed == 0, || format!("{failed} of 3 applicants failed"))?;
    world.switches(&json!({ "faults": [] }));
    world.run_for(2);
    all_done(&world, &ids)
}

fn an_hour_forbidden(policy: &Policy) -> Result<(), String> {
    let mut world = world(&json!({ "api": "rest" }), policy);
    somebody(&mut world);
    let faults = ["create_resource", "metadata"].map(|on| json!({ "on": on, "do": "403_before", "times": 1_000 }));
    world.switches(&json!({ "faults": faults }));
    let ids = applicants(&mut world, 3);
    world.run_for(1);
    let failed = ids.iter().filter(|id| world.item(id).state == State::Failed).count();
    expect(failed == 0, || format!("{failed} of 3 applicants failed"))?;
    world.switches(&json!({ "faults": [] }));
    world.run_for(2);
    all_done(&world, &ids)
}

fn a_record_that_is_gone(policy: &Policy) -> Result<(), String> {
    let mut world = world(&json!({ "api": "rest" }), policy);
    somebody(&mut world);
    once(&mut world, "create_activity", "404_before");
    let ids = applicants(&mut world, 2);
    world.run();
    let item = world.item(&ids[0]);
    expect(item.reason == "partial", || format!("{:?} {:?}", item.state, item.reason))?;
    let pauses = world.store.pauses().map_err(|error| error.to_string())?;
    expect(pauses.is_empty(), || format!("the lane is paused: {pauses:?}"))?;
    done(&world, &ids[1])
}

fn a_day_refused(policy: &Policy) -> Result<(), String> {
    let mut world = world(&json!({ "api": "rest" }), policy);
    somebody(&mut world);
    world.wire.weather.refuse = 100;
    let id = world.submit(&ada());
    let before = world.wire.sent;
    world.run_for(24);
    let tried = world.wire.sent - before;
    expect((6..40).contains(&tried), || format!("{tried} tries in a day"))?;
    world.wire.weather.refuse = 0;
    world.run_for(24);
    done(&world, &id)
}

fn an_impatient_button(policy: &Policy) -> Result<(), String> {
    let mut world = world(&json!({ "api": "rest" }), policy);
    world.caller = Caller::Button;
    world.enter_credentials("a wrong client secret", "sim-refresh-token-0123456789");
    let id = world.submit(&ada());
    for _ in 0..60 {
        world.run();
        world.clock.advance(10_000);
    }
    let asked = world.asked("token");
    expect((2..=3).contains(&asked), || format!("Tracker was asked {asked} times in ten minutes"))?;
    world.paste_new_credentials();
    world.run_for(1);
    done(&world, &id)
}

fn six_hours_of_silence(policy: &Policy) -> Result<(), String> {
    let mut world = world(&json!({}), policy);
    somebody(&mut world);
    once(&mut world, "create_activity", "drop_before");
    let id = world.submit(&ada());
    world.run();
    world.wire.weather.drop_before = 100;
    world.run_for(6);
    world.wire.weather.drop_before = 0;
    world.run_for(24);
    done(&world, &id)?;
    held(&world, "activities", 2)
}

#[test]
fn a_record_that_is_refused_right_before_php_dies_has_failed_and_nothing_of_it_is_sent() {
    for moment in 0.. {
        let mut world = World::new(3, json!({ "api": "rest", "record_type": "Lead" }));
        somebody(&mut world);
        let there = json!({ "contacts": [{ "firstName": "Ada", "surname": "Lovelace", "email": "ada@example.org" }] });
        let now = world.clock.truth();
        world.wire.tracker.borrow_mut().seed(&there, now).expect("seeded");
        world.switches(&json!({ "faults": [{ "on": "create_lead", "do": 422, "times": 100 }] }));
        let id = world.submit(&ada());
        world.clock.crash_in.set(Some(moment));
        let killed = world.run().is_none();
        world.clock.crash_in.set(None);
        world.run_for(3);
        let item = world.item(&id);
        let found = (item.state, item.code.as_deref());
        assert_eq!(found, (State::Failed, Some("HT-1503")), "moment {moment}: {}", world.explain());
        assert!(item.message.contains("simulated fault"), "moment {moment}: Tracker's words are kept: {item:?}");
        assert_eq!(world.held("activities").len(), 1, "moment {moment}: Grace's");
        if !killed {
            assert!(moment > 20, "a delivery has only {moment} moments");
            return;
        }
    }
}

#[test]
fn a_part_that_is_to_be_sent_again_is_not_called_refused_any_more() {
    let mut world = World::new(3, json!({ "api": "rest" }));
    somebody(&mut world);
    world.switches(&json!({ "faults": [{ "on": "create_activity", "do": 422, "times": 1 }] }));
    let id = world.submit(&ada());
    world.run();
    let seq = world.store.seq_of(&id).expect("there");
    let stands = |world: &World| {
        let steps = world.store.step_views(seq, &id).expect("steps");
        let activity = steps.iter().find(|step| step["kind"] == "activity").expect("planned").clone();
        (activity["state"].clone(), activity["how"].clone())
    };
    assert_eq!(stands(&world), (json!("rejected"), json!("refused")), "{}", world.explain());
    let now = world.clock.moment();
    world.store.act(&id, halt_tracker::queue::act::Action::Retry, &now).expect("retried");
    assert_eq!(stands(&world), (json!("todo"), json!("")));
    world.run_for(1);
    assert_eq!(stands(&world), (json!("done"), json!("created")));
}
