//! The promises with figures in them: lost answers by the thousand, outages of days, a backlog at full pace.
//! `CAMPAIGN=10000` sets how many submissions the first one plays.

use halt_tracker::queue::state::State;
use halt_tracker::queue::view::Query;
use serde_json::{Value, json};

use crate::case::Case;
use crate::counts::Counts;
use crate::invariants::check;
use crate::seeds::accept;
use crate::wire::Weather;
use crate::world::World;

fn person(at: usize) -> Value {
    json!({ "name": format!("Person Number{at}"), "email": format!("p{at}@example.org"), "message": "Hi" })
}

fn count(world: &World, state: State) -> usize {
    let query = Query { state: state.name().into(), ..Query::default() };
    usize::try_from(world.store.list(&query).expect("listed").0).expect("a count")
}

#[test]
fn one_create_in_five_loses_its_answer_and_nobody_is_there_twice() {
    let many: usize = std::env::var("CAMPAIGN").ok().and_then(|text| text.parse().ok()).unwrap_or(400);
    for api in ["widget", "rest"] {
        let mut world = World::new(11, json!({ "api": api, "pace": "6000" }));
        // Tracker's own guard is an assumption: with it, a widget create that is sent blindly would make no twin.
        world.switches(&json!({ "keep_requests": 0, "search_lag_ms": 30_000, "widget_duplicates": "create" }));
        // Half of the lost ones were applied, half were not. Only the answers to changes are lost.
        world.wire.weather = Weather { drop_before: 10, drop_after: 10, only_creates: true, ..Weather::default() };
        let mut case = Case::of(world, "Resource");
        while case.sent.len() < many {
            for _ in 0..20 {
                let next = case.sent.len() as u64;
                accept(&mut case, next);
            }
            case.world.run_for(1);
        }
        case.world.run_for(24 * 3);
        // Each record that is said to be there is looked up in Tracker's ledger, with its activity, and each question for what
        // a person needs to decide it.
        let mut counts = Counts::default();
        let wrong = check(&case, &mut counts).err();
        let (world, submitted) = (&case.world, case.sent.len());
        let (done, asked) = (count(world, State::Done), count(world, State::Attention));
        let people = world.held("resources");
        let mut emails: Vec<&str> = people.iter().filter_map(|one| one["email"].as_str()).collect();
        emails.sort_unstable();
        let records = emails.len();
        emails.dedup();
        let twins = records - emails.len();
        println!(
            "campaign a, lost answers: simulated, virtual time: api={api} submissions={submitted} requests={} settled={done} looked_up={} activities={} asked={asked} with_evidence={} records={records} lost={} twins={twins}",
            world.wire.sent,
            counts.looked_up,
            counts.children_looked_up,
            counts.evident,
            submitted - done - asked
        );
        assert_eq!(wrong, None, "{api}");
        assert!(counts.looked_up >= done as u64 && counts.children_looked_up >= done as u64, "{api}: {counts}");
        assert_eq!((counts.delivered, counts.evident), (done as u64, asked as u64), "{api}: {counts}");
        assert_eq!(twins, 0, "{api}");
        assert_eq!(done + asked, submitted, "{api}: every one is settled or asks");
        assert!(done * 100 >= submitted * 99, "{api}: {asked} of {submitted} ask a person");
    }
}

#[test]
fn three_days_of_refused_credentials_spend_no_attempt() {
    for api in ["widget", "rest"] {
        let mut world = World::new(12, json!({ "api": api }));
        world.enter_credentials("a wrong client secret", "sim-refresh-token-0123456789");
        let ids: Vec<String> = (0..20).map(|at| world.submit(&person(at))).collect();
        world.run_for(72);
        let attempts = world.number("SELECT sum(attempts) FROM submission");
        world.enter_credentials("sim-client-secret-0123456789", "sim-refresh-token-0123456789");
        world.run_for(24);
        let delivered = ids.iter().filter(|id| world.item(id).state == State::Done).count();
        println!(
            "campaign a, credentials out: simulated, virtual time: api={api} hours=72 submissions=20 attempts={attempts} delivered={delivered}"
        );
        assert_eq!((attempts, delivered, world.held("resources").len()), (0, 20, 20), "{api}");
    }
}

/// What is on its way when an outage begins: one whose record's answer was lost, one with its record done and a child open.
fn on_its_way(world: &mut World) -> [String; 2] {
    let faults = json!([{ "on": "create_activity", "do": 429, "times": 5 }, { "on": "create_resource", "do": "drop_before", "skip": 1 }]);
    world.switches(&json!({ "faults": faults }));
    let ids = [world.submit(&person(1)), world.submit(&person(2))];
    for id in &ids {
        while world.item(id).state == State::Queued {
            world.run();
            world.clock.advance(30_000);
        }
    }
    world.switches(&json!({ "faults": [] }));
    assert_eq!(ids.each_ref().map(|id| world.item(id).state), [State::Retry, State::Checking]);
    let open = "SELECT count(*) FROM step JOIN submission USING (seq) WHERE kind = 'activity' AND step.state = 'todo' AND submission.tracker_id > 0";
    assert_eq!(world.number(open), 1, "a record with its activity open");
    ids
}

#[test]
fn six_days_without_tracker_leave_nothing_failed() {
    let calm = Weather::default();
    for (name, weather) in [
        ("refused", Weather { refuse: 100, ..calm }),
        ("timeouts", Weather { drop_before: 100, ..calm }),
        ("errors", Weather { error_before: 100, ..calm }),
        ("mixed", Weather { refuse: 30, drop_before: 50, error_before: 100, ..calm }),
    ] {
        for api in ["widget", "rest"] {
            let mut world = World::new(12, json!({ "api": api }));
            world.submit(&person(0));
            world.run_for(1);
            let mut ids = Vec::from(on_its_way(&mut world));
            world.wire.weather = weather;
            for day in 0..6 {
                // Applicants do not know of an outage.
                ids.extend((0..3).map(|at| world.submit(&person(10 + day * 3 + at))));
                world.run_for(24);
            }
            let failed = count(&world, State::Failed);
            world.wire.weather = calm;
            world.run_for(24 * 3);
            let delivered = ids.iter().filter(|id| world.item(id).state == State::Done).count();
            let records = world.held("resources").len();
            println!(
                "campaign a, outage: simulated, virtual time: kind={name} api={api} days=6 submissions={} failed={failed} delivered={delivered} records={records}",
                ids.len()
            );
            assert_eq!((failed, delivered), (0, ids.len()), "{name} {api}: {}", world.explain());
            assert_eq!(records, ids.len() + 1, "{name} {api}: each of them once");
            assert_eq!(world.held("activities").len(), ids.len() + 1, "{name} {api}");
        }
    }
}

#[test]
fn a_backlog_drains_at_the_pace_that_was_set_and_below_trackers_limit() {
    // Bare creates, and what a site does by default: a look, a create, an activity.
    for settings in
        [json!({ "api": "rest", "duplicates": "create", "activity_enabled": "" }), json!({ "api": "widget" })]
    {
        let api = settings["api"].clone();
        let mut world = World::new(13, settings);
        world.switches(&json!({ "rate_limit_per_min": 100, "keep_requests": 20_000 }));
        let many = 1_000;
        (0..many).for_each(|at| drop(world.submit(&person(at))));
        let begin = world.clock.wall();
        while count(&world, State::Done) < many && world.clock.wall() - begin < 5 * 3_600_000 {
            // `wp halt-tracker work`: one run after the other, and a second's sleep when there is nothing to do.
            if world.run().is_none_or(|report| report.items.is_empty()) {
                world.clock.advance(1_000);
            }
        }
        let minutes = (world.clock.wall() - begin) as f64 / 60_000.0;
        let refused = world.held("requests").iter().filter(|request| request["status"] == 429).count();
        let reached = world.wire.sent as f64 / minutes;
        println!(
            "campaign a, backlog: simulated, virtual time: api={api} submissions={many} requests={} minutes={minutes:.1} per_minute={reached:.1} pace=80 answers_of_429={refused}",
            world.wire.sent
        );
        assert_eq!(count(&world, State::Done), many);
        assert!(reached >= 80.0 * 0.95 && refused <= 3, "{reached:.1} a minute, {refused} refused");
    }
}
