//! A CA file that is not there, or a proxy address that nobody can read: nothing can be sent, and everything else goes on.

use halt_tracker::queue::state::{Pause, State};
use serde_json::json;

use crate::delivery::{ada, both};

#[test]
fn where_no_request_can_be_made_the_lane_pauses_with_the_reason_and_goes_on_by_itself() {
    both(|api, world| {
        world.beat();
        let id = world.submit(&ada());
        let erased = world.submit(&json!({ "name": "Grace Hopper", "email": "grace@example.org" }));
        world.wire.unfit = Some("HALT_TRACKER_CA_FILE: no such file".into());
        let report = world.run().expect("no crash");
        assert_eq!(report.reasons, ["endpoint"], "{api}");
        let pause = world.store.pauses().expect("read").remove(0);
        assert_eq!((pause.reason, pause.code), (Pause::Endpoint, 1516), "{api}");
        assert!(pause.detail.contains("HALT_TRACKER_CA_FILE"), "{api}: {}", pause.detail);
        // What needs nobody goes on: the heartbeat, the clean-up, an erasure that waited for an answer.
        let marked = world.store.connection().execute("UPDATE submission SET erase = 1 WHERE id = ?1", [&erased]);
        assert_eq!(marked.expect("marked"), 1);
        world.clock.advance(3 * 3_600_000);
        world.run();
        let wall = world.clock.wall();
        for fact in ["heartbeat", "tidied_at"] {
            assert_eq!(world.store.fact(fact).expect("read"), wall, "{api}: {fact}");
        }
        assert_eq!(world.item(&erased).state, State::Erased, "{api}");
        assert_eq!(world.wire.sent, 0, "{api}");
        let seq = world.store.seq_of(&id).expect("there");
        let job = world.store.job(seq).expect("read");
        assert_eq!((job.state, job.attempts), (State::Queued, 0), "{api}: no attempt was spent");
        world.wire.unfit = None;
        world.run_for(2);
        assert!(world.store.pauses().expect("read").is_empty(), "{api}");
        assert_eq!(world.item(&id).state, State::Done, "{api}: {}", world.explain());
        assert_eq!(world.held("resources").len(), 1, "{api}");
    });
}
