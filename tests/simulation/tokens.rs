//! Tokens: kept as long as they live and no longer, made anew ahead of their end, never once a request.

use std::collections::HashMap;

use halt_tracker::codes::Code;
use halt_tracker::queue::state::State;
use halt_tracker::settings::{Api, Settings};
use halt_tracker::tracker::client::Client;
use halt_tracker::tracker::hosts;
use halt_tracker::tracker::tokens::{Credentials, Token, TokenStore};
use serde_json::{Value, json};

use crate::world::World;

fn tokens(world: &World) -> (i64, i64) {
    let tokens = &world.ledger()["tokens"];
    (tokens["refreshes"].as_i64().unwrap_or(0), tokens["exchanges"].as_i64().unwrap_or(0))
}

/// Delivers so many people, and says how many refreshes and exchanges that took.
fn deliver(world: &mut World, many: usize) -> (i64, i64) {
    let before = tokens(world);
    for at in 0..many {
        let email = format!("p{at}-{}@example.org", before.0);
        let id = world.submit(&json!({ "name": format!("Person Number{at}"), "email": email }));
        world.run();
        assert_eq!(world.item(&id).state, State::Done, "{}", world.explain());
    }
    let after = tokens(world);
    (after.0 - before.0, after.1 - before.1)
}

fn world(switches: &Value) -> World {
    let mut world = World::new(71, json!({ "api": "rest", "pace": "6000" }));
    world.switches(switches);
    world
}

#[test]
fn one_refresh_and_one_exchange_do_for_many_submissions() {
    assert_eq!(deliver(&mut world(&json!({})), 10), (1, 1));
}

#[test]
fn tokens_of_a_short_life_are_used_for_most_of_it() {
    // Fifty seconds is less than the minute by which long-lived tokens are renewed ahead.
    let mut world = world(&json!({ "oauth_lifetime_s": 50, "jwt_lifetime_s": 50 }));
    assert_eq!(deliver(&mut world, 3), (1, 1), "three submissions within seconds");
    world.clock.advance(46_000);
    assert_eq!(deliver(&mut world, 1), (1, 1), "renewed ahead of the end, not after a refusal");
    let refused = world.held("requests").iter().filter(|request| request["status"] == 401).count();
    assert_eq!(refused, 0);
}

#[test]
fn a_clock_that_is_days_off_does_not_exchange_once_a_request() {
    for days in [-9, 9] {
        let mut world = world(&json!({ "clock_skew_ms": days * 24 * 3_600_000_i64 }));
        assert_eq!(deliver(&mut world, 5), (1, 1), "Tracker's clock is {days} days away");
    }
}

#[test]
fn a_jwt_that_comes_alone_says_by_itself_when_it_ends() {
    let mut world = world(&json!({ "exchange_shape": "bare", "jwt_lifetime_s": 7_200 }));
    assert_eq!(deliver(&mut world, 2), (1, 1));
    world.clock.advance(7_250_000);
    deliver(&mut world, 1);
    let refused = world.held("requests").iter().filter(|request| request["status"] == 401).count();
    assert_eq!(refused, 0, "the end inside the token was not read");
}

const SEED: &str = "sim-refresh-token-0123456789";

/// Token requests that Tracker refused.
fn refused(world: &World) -> usize {
    let is = |request: &&Value| request["operation"] == "token" && request["status"] == 400;
    world.held("requests").iter().filter(is).count()
}

/// Tracker knows this refresh token and no other.
fn only(world: &mut World, token: &str) {
    let now = world.clock.wall();
    let fresh = json!({ "credentials": { "refresh_token": token } });
    world.wire.tracker.borrow_mut().seed(&fresh, now).expect("seeded");
}

#[test]
fn a_rotated_refresh_token_wins_over_the_seed_it_came_from() {
    let mut world = world(&json!({ "jwt_lifetime_s": 3_600 }));
    for _ in 0..3 {
        assert_eq!(deliver(&mut world, 1).0, 1);
        world.clock.advance(2 * 3_600_000);
    }
    assert_eq!(refused(&world), 0, "a used refresh token was used again");
}

#[test]
fn the_seed_is_tried_once_when_the_rotated_token_is_refused() {
    let mut world = world(&json!({ "jwt_lifetime_s": 3_600 }));
    deliver(&mut world, 1);
    only(&mut world, SEED);
    world.clock.advance(2 * 3_600_000);
    assert_eq!(deliver(&mut world, 1), (1, 1));
    assert_eq!(refused(&world), 1);
}

#[test]
fn a_value_saved_by_hand_is_a_new_seed_even_when_it_is_the_same() {
    let mut world = world(&json!({ "jwt_lifetime_s": 3_600 }));
    deliver(&mut world, 1);
    only(&mut world, SEED);
    world.enter_credentials("sim-client-secret-0123456789", SEED);
    assert_eq!(deliver(&mut world, 1), (1, 1));
    assert_eq!(refused(&world), 0, "the rotated token of the seed before was used");
}

#[test]
fn a_constant_is_a_seed_only_when_it_changes() {
    let mut world = world(&json!({ "jwt_lifetime_s": 3_600 }));
    let constant = |token: &str| json!({ "constants": { "refresh_token": token } });
    only(&mut world, "constant-one");
    world.set(&constant("constant-one"));
    for _ in 0..2 {
        assert_eq!(deliver(&mut world, 1).0, 1);
        world.clock.advance(2 * 3_600_000);
    }
    assert_eq!(refused(&world), 0, "the constant is still there, and was used up long ago");
    only(&mut world, "constant-two");
    world.set(&constant("constant-two"));
    assert_eq!(deliver(&mut world, 1), (1, 1));
    assert_eq!(refused(&world), 0, "what came of another constant was used");
}

#[test]
fn what_is_cached_for_one_place_is_never_shown_to_another() {
    let mut world = world(&json!({ "jwt_lifetime_s": 3_600 }));
    deliver(&mut world, 1);
    for changed in [json!({ "api_url": "https://api.other.test" }), json!({ "oauth_url": "https://oauth.other.test" })]
    {
        only(&mut world, SEED);
        world.set(&changed);
        assert_eq!(deliver(&mut world, 1), (1, 1), "{changed}");
    }
    assert_eq!(refused(&world), 0);
}

/// Keeps tokens on a disk that refuses the next writes.
#[derive(Default)]
struct Clumsy {
    kept: HashMap<String, Token>,
    refuses: u32,
}

impl TokenStore for Clumsy {
    fn load(&mut self, name: &str) -> Option<Token> {
        self.kept.get(name).cloned()
    }
    fn save(&mut self, name: &str, value: &str, renew_at: Option<i64>) -> Result<(), String> {
        if name == "refresh" && self.refuses > 0 {
            self.refuses -= 1;
            return Err("disk I/O error".into());
        }
        self.kept.insert(name.into(), (value.to_owned().into(), renew_at));
        Ok(())
    }
    fn forget(&mut self, name: &str) {
        self.kept.remove(name);
    }
}

#[test]
fn a_rotated_refresh_token_is_written_again_when_the_disk_refuses_it() {
    for (refuses, works) in [(0, true), (1, true), (3, true), (4, false)] {
        let mut world = world(&json!({}));
        let settings = Settings::parse(&world.settings.to_string()).expect("settings");
        let hosts = hosts::of(&settings).expect("hosts");
        let credentials = Credentials {
            client_id: settings.text("client_id"),
            client_secret: Some(String::from("sim-client-secret-0123456789").into()),
            refresh_token: Some(String::from(SEED).into()),
            ..Credentials::default()
        };
        let mut tokens = Clumsy { refuses, ..Clumsy::default() };
        let mut client =
            Client::new(&hosts, Api::Rest, &credentials, &mut tokens, &mut world.wire, world.clock.as_ref());
        let answer = client.probe();
        assert_eq!(answer.is_ok(), works, "{refuses} refusals: {answer:?}");
        assert_eq!(tokens.kept.contains_key("refresh"), works, "{refuses} refusals");
        if let Err(verdict) = answer {
            assert_eq!(verdict.code(), Some(Code::StoreIo));
            assert!(!tokens.kept.contains_key("oauth"), "what came with a token that is lost is not used");
        }
    }
}
