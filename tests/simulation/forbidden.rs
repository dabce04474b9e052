//! A site that may not speak with Tracker's hosts (`WP_HTTP_BLOCK_EXTERNAL`) waits: that is no outage, and nothing is given up.

use halt_tracker::queue::state::{Pause, State};
use serde_json::json;

use crate::delivery::{ada, both, somebody};
use crate::world::World;

#[test]
fn what_came_in_while_the_hosts_were_forbidden_for_eight_days_is_delivered_afterwards() {
    for host in ["https://oauth.test", "https://api.test"] {
        both(|api, world| {
            if (api, host) == ("widget", "https://api.test") {
                return;
            }
            let id = world.submit(&ada());
            world.wire.forbidden = Some(host);
            world.run_for(24 * 8);
            let item = world.item(&id);
            assert_eq!((item.state, item.attempts), (State::Queued, 0), "{api} {host}: {item:?}");
            let pause = world.store.pauses().expect("read").remove(0);
            assert_eq!((pause.reason, pause.code, pause.detail.as_str()), (Pause::Endpoint, 1515, host), "{api}");
            assert_eq!(world.wire.sent, 0, "{api} {host}");
            world.wire.forbidden = None;
            world.run_for(1);
            assert!(world.store.pauses().expect("read").is_empty(), "{api} {host}");
            assert_eq!(world.item(&id).state, State::Done, "{api} {host}: {}", world.explain());
        });
    }
}

#[test]
fn where_only_looking_is_forbidden_the_widget_api_delivers_all_the_same() {
    let mut world = World::new(9, json!({}));
    somebody(&mut world);
    world.wire.forbidden = Some("https://api.test");
    let id = world.submit(&ada());
    world.run_for(12);
    assert_eq!(world.item(&id).state, State::Done, "{}", world.explain());
    assert!(world.store.pauses().expect("read").is_empty());
}
