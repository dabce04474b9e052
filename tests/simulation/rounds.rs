//! Giving up is about a week of trying, not about the age of a submission: what waited long before its first try gets its
//! own week.

use halt_tracker::clock::Clock;
use halt_tracker::queue::act::Action;
use halt_tracker::queue::state::State;
use serde_json::json;

use crate::delivery::{ada, both, somebody};
use crate::wire::Weather;
use crate::world::World;

const DAY: i64 = 24 * 3_600_000;

/// As if its form were set to *hold*.
fn hold(world: &World, id: &str) {
    let sql = "UPDATE submission SET state = 'held' WHERE id = ?1";
    assert_eq!(world.store.connection().execute(sql, [id]).expect("held"), 1);
}

fn pass(world: &mut World, days: i64) {
    world.clock.advance(days * DAY);
    // Cron was there all the time: this is no store that slept.
    world.beat();
}

#[test]
fn what_was_held_for_eight_days_and_released_into_an_outage_of_six_is_delivered_afterwards() {
    for weather in [Weather { refuse: 100, ..Weather::default() }, Weather { drop_before: 100, ..Weather::default() }] {
        both(|api, world| {
            somebody(world);
            let id = world.submit(&ada());
            hold(world, &id);
            pass(world, 8);
            world.wire.weather = weather;
            let now = world.clock.now();
            world.store.act(&id, Action::Release, &now).expect("released");
            world.run_for(24 * 6);
            let item = world.item(&id);
            assert_eq!(item.state, State::Retry, "{api}: {item:?}");
            assert!(item.attempts >= 6, "{api}: it was tried, {} times", item.attempts);
            world.wire.weather = Weather::default();
            world.run_for(48);
            assert_eq!(world.item(&id).state, State::Done, "{api}: {:?}", world.item(&id));
            assert_eq!(world.held("resources").len(), 2, "{api}");
        });
    }
}

#[test]
fn what_waits_with_its_activity_for_eight_days_outlasts_an_outage_of_six() {
    both(|api, world| {
        somebody(world);
        let id = world.submit(&ada());
        world.switches(&json!({ "faults": [{ "on": "create_activity", "do": 429, "times": 1 }] }));
        world.run();
        assert_eq!((world.item(&id).state, world.held("resources").len()), (State::Retry, 2), "{api}");
        pass(world, 8);
        world.wire.weather.refuse = 100;
        world.run_for(24 * 6);
        assert_eq!(world.item(&id).state, State::Retry, "{api}: {:?}", world.item(&id));
        world.wire.weather.refuse = 0;
        world.run_for(48);
        assert_eq!(world.item(&id).state, State::Done, "{api}: {:?}", world.item(&id));
        assert_eq!((world.held("resources").len(), world.held("activities").len()), (2, 2), "{api}");
    });
}

#[test]
fn days_in_which_nothing_could_be_tried_are_no_days_of_trying() {
    both(|api, world| {
        somebody(world);
        // A morning's outage uses the attempts up; then the credentials are refused for longer than a week.
        world.wire.weather.refuse = 100;
        let id = world.submit(&ada());
        world.run_for(12);
        assert!(world.item(&id).attempts >= 6, "{api}: {:?}", world.item(&id));
        world.wire.weather.refuse = 0;
        world.enter_credentials("a wrong client secret", "sim-refresh-token-wrong-0123456789");
        world.run_for(24 * 8);
        world.paste_new_credentials();
        world.wire.weather.refuse = 100;
        world.run_for(1);
        let item = world.item(&id);
        assert_eq!(item.state, State::Retry, "{api}: half an hour is no week: {item:?}");
        world.wire.weather.refuse = 0;
        world.run_for(24);
        assert_eq!(world.item(&id).state, State::Done, "{api}: {:?}", world.item(&id));
    });
}

#[test]
fn retrying_by_hand_what_was_given_up_begins_a_new_week() {
    both(|api, world| {
        somebody(world);
        world.wire.weather.refuse = 100;
        let begin = world.clock.wall();
        let id = world.submit(&ada());
        let mut given_up = 0;
        for _ in 0..2 {
            world.run_for(24 * 6);
            assert_eq!(world.item(&id).state, State::Retry, "{api}: {:?}", world.item(&id));
            world.run_for(24 * 3);
            let item = world.item(&id);
            assert_eq!((item.state, item.code.as_deref()), (State::Failed, Some("HT-1606")), "{api}: {item:?}");
            given_up += 1;
            let now = world.clock.now();
            world.store.act(&id, Action::Retry, &now).expect("retried");
        }
        assert!(given_up == 2 && world.clock.wall() - begin >= 14 * DAY, "{api}");
        world.wire.weather.refuse = 0;
        world.run_for(24);
        assert_eq!(world.item(&id).state, State::Done, "{api}");
    });
}
