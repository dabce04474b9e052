//! Several at once on one store: crons, the button, the command line and the run after an answer, and people at the screens
//! while one of them sends.

use std::cell::RefCell;
use std::rc::Rc;

use halt_tracker::clock::Clock;
use halt_tracker::codes::{Code, Coded};
use halt_tracker::queue::QueueError;
use halt_tracker::queue::act::Action;
use halt_tracker::queue::state::{Pause, State};
use halt_tracker::relay::{Caller, Ended};
use halt_tracker::settings::RecordType;
use serde_json::json;

use crate::crowd::Script;
use crate::delivery::{ada, both, somebody};
use crate::meanwhile::{At, Reach};
use crate::world::{SECRET, World};

/// Done once, at the first moment of a kind at which a request names this part of an address.
pub fn once(at: At, part: &'static str, mut does: impl FnMut(&mut Reach<'_>) + 'static) -> Option<Script> {
    let mut is_done = false;
    Some(Box::new(move |reach, now, url| {
        if now == at && url.contains(part) && !std::mem::replace(&mut is_done, true) {
            does(reach);
        }
    }))
}

#[test]
fn whoever_else_wants_to_run_meanwhile_is_told_so_at_every_moment_and_sends_nothing() {
    both(|api, world| {
        let id = world.submit(&ada());
        let told = Rc::new(RefCell::new(Vec::new()));
        let (said, callers) = (Rc::clone(&told), [Caller::Cron, Caller::Button, Caller::Cli, Caller::After]);
        world.others.script = Some(Box::new(move |reach, at, _| {
            // A look at the clock before the lock is taken is no moment of a run.
            if at == At::Looking && !reach.is_locked() {
                return;
            }
            for caller in callers {
                let sent = reach.wire.sent;
                let report = reach.run_beside(caller, None).expect("not killed");
                said.borrow_mut().push((report.outcome, reach.wire.sent - sent));
            }
        }));
        world.run();
        world.others.script = None;
        let told = told.borrow();
        assert!(told.len() > 50, "{api}: {} moments", told.len() / 4);
        assert!(told.iter().all(|one| *one == (Ended::Busy, 0)), "{api}: {told:?}");
        world.run_for(1);
        assert_eq!((world.item(&id).state, world.held("resources").len()), (State::Done, 1), "{api}");
    });
}

#[test]
fn whatever_a_run_writes_after_another_one_has_begun_changes_nothing() {
    let mut world = World::new(5, json!({ "api": "rest" }));
    let id = world.submit(&ada());
    world.run();
    let now = world.clock.now();
    let seq = world.store.seq_of(&id).expect("there");
    let job = world.store.job(seq).expect("read");
    let (one, other, _) = world.store.both();
    one.begin_run("first", "cron", &now).expect("begun");
    one.write_as("first");
    one.set_facts(&[("pace", "1".into())]).expect("nobody else has begun");
    other.begin_run("second", "cli", &now).expect("begun");
    let version = |store: &halt_tracker::queue::Store| {
        store.connection().query_row("PRAGMA data_version", [], |row| row.get::<_, i64>(0)).expect("a number")
    };
    let before = version(other);
    let writes: [(&str, Result<(), QueueError>); 14] = [
        ("a claim", one.claim(&job, "first", None, &now).map(drop)),
        ("an intent", one.intend(seq, 0, "first", b"", 0, &now).map(drop)),
        ("a token", one.set_token("refresh", Some(("rotated", None)))),
        ("a token that is forgotten", one.set_token("refresh", None)),
        ("a record that looks must find", one.set_control("", RecordType::Resource, None)),
        ("a pause", one.pause(Pause::Credentials, Code::TrackerCredentials, "", now.wall, 0)),
        ("the end of a pause", one.resume(Pause::ByHand).map(drop)),
        ("a wait", one.wait_for(&now, 60_000)),
        ("the pace", one.set_facts(&[("pace", "2".into())])),
        ("a gap that begins anew", one.rebase_unknown(seq, 0, &now)),
        ("a late look that begins", one.begin_audit(seq)),
        ("a late look that ends", one.end_audit(seq, None, &now)),
        ("what is laid aside", one.set_aside(seq, Code::UnsealFailed, &now, 0)),
        ("its own end", one.end_run("first", "ran", 0, &now)),
    ];
    for (what, written) in writes {
        let error = written.expect_err(what);
        assert_eq!(error.code(), Code::RelayBusy, "{what}: {error}");
    }
    assert_eq!(version(other), before, "the store is as the second run has it");
    one.write_as_nobody();
    one.set_facts(&[("pace", "2".into())]).expect("nobody's write is anybody's");
    assert_ne!(version(other), before, "a write is seen");
}

#[test]
fn a_run_that_was_overtaken_says_so_and_the_other_one_delivers() {
    both(|api, world| {
        let id = world.submit(&ada());
        let beside = Rc::new(RefCell::new(None));
        let seen = Rc::clone(&beside);
        world.others.script = once(At::Answered, "/Search", move |reach| {
            reach.replace_lock();
            *seen.borrow_mut() = reach.run_beside(Caller::Cli, None).map(|report| report.outcome);
        });
        let report = world.run().expect("no crash");
        assert_eq!((report.outcome, *beside.borrow()), (Ended::Busy, Some(Ended::Ran)), "{api}");
        assert_eq!(world.item(&id).state, State::Done, "{api}: {}", world.explain());
        assert_eq!((world.held("resources").len(), world.held("activities").len()), (1, 1), "{api}");
    });
}

#[test]
fn credentials_that_are_pasted_while_a_run_uses_the_old_ones_are_not_paused_by_it() {
    both(|api, world| {
        let id = world.submit(&ada());
        // The old ones are void from here on: the run hears so after it began with them.
        world.others.script = once(At::Answered, "oAuth2", |reach| {
            let fresh = reach.wire.fresh_credentials();
            reach.wire.revoke_tokens();
            reach.enter(SECRET, &fresh);
        });
        let report = world.run().expect("no crash");
        assert!(world.store.pauses().expect("read").is_empty(), "{api}: {report:?} {:?}", world.store.pauses());
        world.run_for(1);
        assert_eq!((world.item(&id).state, world.item(&id).attempts), (State::Done, 0), "{api}: {}", world.explain());
        assert_eq!(world.held("resources").len(), 1, "{api}");
    });
}

#[test]
fn whoever_is_erased_while_a_run_has_them_is_sent_nowhere_any_more() {
    both(|api, world| {
        somebody(world);
        let id = world.submit(&ada());
        let whose = id.clone();
        world.others.script = once(At::Answered, "/Search", move |reach| {
            assert!(reach.act(&whose, Action::Erase), "it may be erased");
        });
        world.run();
        world.run_for(1);
        assert_eq!(world.store.state_of(&id).expect("read"), Some(State::Erased), "{api}: {}", world.explain());
        assert_eq!(world.held("resources").len(), 1, "{api}: nothing was sent");
    });
}

#[test]
fn a_pause_by_hand_at_any_moment_of_a_run_is_not_lifted_by_it() {
    let paused = |world: &World| world.number("SELECT count(*) FROM pause WHERE reason = 'by hand'") == 1;
    for moment in 0.. {
        // Paused for another reason, which a probe finds cured.
        let mut world = World::new(5, json!({ "api": "rest" }));
        world.switches(&json!({ "faults": [{ "on": "create_resource", "do": "404_before", "times": 1 }] }));
        world.submit(&ada());
        world.run();
        assert_eq!(world.number("SELECT count(*) FROM pause WHERE reason = 'endpoint'"), 1, "{}", world.explain());
        world.clock.advance(600_000);
        let left = Rc::new(RefCell::new(moment));
        let counted = Rc::clone(&left);
        world.others.script = Some(Box::new(move |reach, _, _| {
            let is_it = *counted.borrow() == 0;
            *counted.borrow_mut() -= 1;
            if is_it {
                let now = reach.clock.wall();
                reach.store.pause(Pause::ByHand, Code::RelayPaused, "", now, 0).expect("paused");
            }
        }));
        world.run();
        world.others.script = None;
        if *left.borrow() >= 0 {
            assert!(moment > 10, "a run has only {moment} moments");
            return;
        }
        assert!(paused(&world), "moment {moment}: {}", world.explain());
    }
}
