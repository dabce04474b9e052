//! A run of the engine whose HTTP cannot be made still is a run: it beats, tidies and says the true reason.

use halt_tracker::engine::{Call, deliver};
use serde_json::{Value, json};

use crate::{Place, accept, ada, now};

/// A run under these settings, as the plugin calls it: once more with the counter that it asks for.
fn run(place: &Place, settings: &Value) -> Value {
    let mut site = json!({ "install_id": place.site.install_id, "home": place.site.home, "epoch": place.site.epoch,
        "counter": 0, "environment": "production" });
    for _ in 0..3 {
        let report = deliver::run(&call(place, &site, settings), br#"{"caller":"cron"}"#).expect("a run");
        if report["outcome"] != "raise" {
            return report;
        }
        site["counter"] = report["counter"].clone();
    }
    panic!("the counter is never enough");
}

fn call(place: &Place, site: &Value, settings: &Value) -> Call {
    use std::os::unix::ffi::OsStrExt;
    Call::read(place.dir().as_os_str().as_bytes(), site.to_string().as_bytes(), settings.to_string().as_bytes())
        .expect("a call")
}

#[test]
fn a_wrong_ca_file_or_proxy_pauses_with_its_reason_and_keeps_no_run_from_running() {
    let wrong = [
        ("HALT_TRACKER_CA_FILE", json!({ "ca_file": "/nowhere/ca.pem" })),
        ("HALT_TRACKER_CA_FILE", json!({ "ca_file": "/dev/null" })),
        ("proxy", json!({ "proxy": "a proxy without an address" })),
    ];
    for (word, mut settings) in wrong {
        let mut place = Place::new();
        let mut store = place.opened();
        store.save_secret("client_secret", "client-secret-0123456789", false, now().wall).expect("saved");
        store.save_secret("refresh_token", "refresh-token-0123456789", false, now().wall).expect("saved");
        accept(&mut store, &ada(1));
        drop(store);
        settings["key_file"] = json!(place.key_file());
        settings["oauth_url"] = json!("http://127.0.0.1:9");
        settings["api_url"] = json!("http://127.0.0.1:9");
        let report = run(&place, &settings);
        assert_eq!(
            (&report["outcome"], &report["reasons"]),
            (&json!("paused"), &json!(["endpoint"])),
            "{word}: {report}"
        );
        let store = place.open().expect("opens");
        let pause = store.pauses().expect("read").remove(0);
        assert_eq!(pause.code, 1516, "{word}");
        assert!(pause.detail.contains(word), "{word}: {}", pause.detail);
        for fact in ["heartbeat", "tidied_at"] {
            assert!(now().wall - store.fact(fact).expect("read") < 600_000, "{word}: {fact}");
        }
    }
}
