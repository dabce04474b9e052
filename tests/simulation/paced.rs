//! A slow pace holds no process beyond its budget, and everything is delivered all the same.

use halt_tracker::queue::state::State;
use halt_tracker::relay::Caller;
use serde_json::json;

use crate::delivery::both;

#[test]
fn at_one_request_a_minute_a_run_of_five_seconds_ends_in_time_and_everything_is_delivered_in_the_end() {
    both(|api, world| {
        world.set(&json!({ "pace": "1" }));
        world.caller = Caller::After;
        world.documents = 1;
        let person = |at| json!({ "name": format!("P {at}"), "email": format!("p{at}@example.org"), "message": "Hi" });
        let ids: Vec<String> = (0..3).map(|at| world.submit(&person(at))).collect();
        let begin = world.clock.wall();
        let mut longest = 0;
        while ids.iter().any(|id| world.item(id).state != State::Done) {
            let began = world.clock.wall();
            world.run();
            longest = longest.max(world.clock.wall() - began);
            for id in &ids {
                let state = world.item(id).state;
                assert!(matches!(state, State::Queued | State::Done), "{api}: {:?}", world.item(id));
            }
            assert!(world.clock.wall() - begin < 24 * 3_600_000, "{api}: {}", world.explain());
            world.clock.advance(60_000);
            world.beat();
        }
        // Whatever is under way when the five seconds are over may end.
        assert!(longest <= 5_000 + 3_000, "{api}: a run of {longest} ms");
        let minutes = (world.clock.wall() - begin) / 60_000;
        let sent = i64::try_from(world.wire.sent).expect("few");
        assert!(sent <= minutes + 10, "{api}: {sent} requests in {minutes} minutes");
        assert_eq!((world.held("resources").len(), world.held("documents").len()), (3, 3), "{api}");
    });
}

#[test]
fn a_run_that_cannot_have_a_turn_says_when_the_next_one_is_of_use() {
    both(|api, world| {
        world.set(&json!({ "pace": "1" }));
        world.caller = Caller::After;
        world.submit(&json!({ "name": "Ada Lovelace", "email": "ada@example.org" }));
        world.submit(&json!({ "name": "Grace Hopper", "email": "grace@example.org" }));
        let report = world.run().expect("no crash");
        let wait = report.not_before.map_or(0, |at| at - world.clock.wall());
        assert!((60_000..20 * 60_000).contains(&wait), "{api}: {wait}");
    });
}
