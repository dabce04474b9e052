//! When runs come: what a tick of cron leaves goes on in one event of its own, and not before Tracker may be asked again.

use crate::hook;
use crate::hooks::{MustUse, NO_RUN_AFTER};
use crate::site::{SHARED_SECRET, on_a_site};
use serde_json::{Value, json};

#[test]
fn what_a_tick_leaves_goes_on_in_one_event_at_the_time_when_it_is_due() {
    on_a_site(|site| {
        site.credentials();
        // Only cron may run here.
        let _cron = MustUse::load(site, NO_RUN_AFTER);
        let events = || -> Vec<i64> {
            let said = site.php("$at = []; foreach (_get_cron_array() as $time => $hooks) { if (isset($hooks['halt_tracker_continue'])) { $at[] = $time; } } echo json_encode($at);");
            serde_json::from_str(&said).unwrap_or_else(|error| panic!("{error}: {said}"))
        };
        let submit = |email: &str| {
            let text = json!({ "form_id": "careers", "fields": { "name": "Jane Doe", "email": email } });
            assert_eq!(hook::request(SHARED_SECRET, text.to_string()).send(site).status, 202);
        };
        submit("first@example.org");
        site.cron();
        assert_eq!(events(), Vec::<i64>::new(), "nothing is left");
        site.sim.switches(&json!({ "faults": [{ "on": "create_resource", "do": "429", "times": 1 }] }));
        submit("second@example.org");
        let now = hook::now();
        site.cron();
        site.cron();
        let planned = events();
        assert_eq!(planned.len(), 1, "one for all that is left: {planned:?}");
        assert!(planned[0] >= now + 5 && planned[0] < now + 300, "{planned:?} beside {now}");
        let status: Value = site.status();
        let wait = status["lane"]["not_before"].as_i64().expect("a time") / 1000;
        assert!(planned[0] >= wait, "{planned:?} before {wait}");
        assert!(site.records("resources", "second@example.org").is_empty());
        crate::health::store(
            site,
            "UPDATE meta SET value = '0' WHERE name IN ('not_before', 'not_before_boot'); UPDATE submission SET due_at = 0, due_boot = 0;",
        );
        site.php("do_action('halt_tracker_continue');");
        assert_eq!(site.records("resources", "second@example.org").len(), 1);
    });
}
