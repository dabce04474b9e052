//! What other code of a site may build on: the filters and actions of docs/reference.md are those of the plugin, each comes with
//! what is documented, and the example there does what it says.

use crate::hook;
use crate::site::{SHARED_SECRET, Site, on_a_site, rows};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

const REFERENCE: &str = include_str!("../../docs/reference.md");

/// Nothing is sent after an answer: what cron or a terminal does, it does alone.
pub const NO_RUN_AFTER: &str = "add_filter('halt_tracker_relay_after_response', '__return_false');";

/// Code that every request of the site runs, until this is dropped.
pub struct MustUse(PathBuf);

impl MustUse {
    pub fn load(site: &Site, code: &str) -> Self {
        let path = site.stack.wordpress.join("wp-content/mu-plugins/hooks.php");
        std::fs::write(&path, format!("<?php\n{code}")).expect("written");
        Self(path)
    }
}

impl Drop for MustUse {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

pub fn php_below(folder: &Path, text: &mut String) {
    for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            php_below(&path, text);
        } else if path.extension().is_some_and(|end| end == "php") {
            text.push_str(&std::fs::read_to_string(&path).expect("text"));
        }
    }
}

#[test]
fn the_documented_filters_and_actions_are_those_that_the_plugin_has() {
    let mut code = String::new();
    php_below(&Path::new(env!("CARGO_MANIFEST_DIR")).join("php-shim"), &mut code);
    // Ours are called by their names: as filters here and there, as actions by one function.
    let named = |call: &str| -> BTreeSet<String> {
        let after = code.split(call).skip(1).filter_map(|rest| rest.strip_prefix('\'')?.split('\'').next());
        after.filter(|name| name.starts_with("halt_tracker_")).map(str::to_owned).collect()
    };
    let filters = named("apply_filters(").into_iter().chain(named("filtered(")).chain(named("changed(")).collect();
    let table = |head: &str| -> BTreeSet<String> {
        let rows =
            REFERENCE.split(head).nth(1).expect("the table").lines().skip(2).take_while(|line| line.starts_with('|'));
        rows.filter_map(|line| line.split('`').nth(1)).map(str::to_owned).collect()
    };
    assert_eq!(table("| Filter | Value, and further arguments | Meaning |"), filters);
    assert_eq!(table("| Action | Arguments |"), named("fire("));
    assert!(filters.len() == 6 && named("fire(").len() == 6);
}

#[test]
fn every_action_comes_with_what_is_documented_and_with_nothing_that_a_person_entered() {
    on_a_site(|site| {
        site.credentials();
        site.options(&[("pace", "60000"), ("activity_enabled", "1")]);
        let path = site.stack.wordpress.join("wp-content/uploads/hooks.txt");
        let _heard = MustUse::load(site, "add_action('all', function ($name, ...$given) {
            if (preg_match('/^halt_tracker_(submission_(accepted|delivered|failed|attention)|lane_)/', $name)) {
                file_put_contents(WP_CONTENT_DIR . '/uploads/hooks.txt', json_encode([$name, ...$given]) . \"\\n\", FILE_APPEND); } }, 10, 9);");
        let submit = |email: &str| {
            let text = json!({ "form_id": "careers", "fields": { "name": "Canary", "email": email } });
            let reply = hook::request(SHARED_SECRET, text.to_string()).send(site);
            assert_eq!(reply.status, 202, "{}", reply.text());
            reply.json()["queue_id"].clone()
        };
        let state = |id: &Value, state: &str| {
            site.until(state, || {
                site.cron();
                site.submissions().iter().any(|one| one["id"] == *id && one["state"] == state)
            });
        };
        let delivered = submit("delivered@example.org");
        state(&delivered, "done");
        let record = rows(&site.sim.ledger(), "resources").remove(0)["id"].clone();
        site.sim.switches(&json!({ "faults": [{ "on": "create_resource", "do": "status99", "times": 1 }] }));
        let failed = submit("failed@example.org");
        state(&failed, "failed");
        site.sim.switches(&json!({ "faults": [{ "on": "create_activity", "do": "status99", "times": 1 }] }));
        let partial = submit("partial@example.org");
        state(&partial, "attention");
        site.press("halt-tracker-settings&tab=delivery", "lane", &[("do", "pause")]);
        site.press("halt-tracker", "lane", &[]);
        site.sim.switches(&json!({ "faults": [{ "on": "token", "do": "400", "times": 99 }, { "on": "*", "do": "401", "times": 99 }] }));
        submit("refused@example.org");
        site.until("the pause", || {
            site.cron();
            site.status()["lane"]["open"] == false
        });
        site.sim.switches(&json!({ "faults": [] }));
        site.credentials();
        site.cron();
        // The store knows of it before the listeners do.
        let said = || std::fs::read_to_string(&path).expect("what was heard");
        let heard = |wanted: &Value| {
            said().lines().any(|line| serde_json::from_str::<Value>(line).is_ok_and(|one| one == *wanted))
        };
        for wanted in [
            json!(["halt_tracker_submission_accepted", delivered, { "id": delivered, "source": "webhook" }]),
            json!(["halt_tracker_submission_delivered", delivered, "Resource", record]),
            json!(["halt_tracker_submission_failed", failed, "HT-1503"]),
            json!(["halt_tracker_submission_attention", partial, "HT-1605"]),
            json!(["halt_tracker_lane_paused", "by hand"]),
            json!(["halt_tracker_lane_resumed", "by hand"]),
            json!(["halt_tracker_lane_paused", "credentials"]),
            json!(["halt_tracker_lane_resumed", "credentials"]),
        ] {
            site.until(&format!("{wanted} is heard"), || heard(&wanted));
        }
        let said = said();
        std::fs::remove_file(&path).expect("removed");
        assert!(!said.contains("Canary") && !said.contains("example.org"), "{said}");
    });
}

#[test]
fn the_example_of_the_reference_puts_trackers_number_of_a_job_in_place_of_a_posts() {
    on_a_site(|site| {
        site.credentials();
        let example =
            REFERENCE.split("```php\n").nth(1).and_then(|rest| rest.split("```").next()).expect("the example");
        let _example = MustUse::load(site, example);
        site.options(&[("field_map", "{\"fullName\":\"name\",\"email\":\"email\",\"jobId\":\"job_id\"}")]);
        site.php("
            $job = wp_insert_post(['post_title' => 'A job', 'post_status' => 'publish']);
            update_post_meta($job, '_tracker_job_id', '8123');
            do_action('et_pb_contact_form_submit', ['name' => ['value' => 'Ada Lovelace', 'label' => 'Name'], 'email' => ['value' => 'job@example.org', 'label' => 'E-mail'], 'job_id' => ['value' => (string) $job, 'label' => 'Job']], false,
                ['contact_form_id' => 'et_pb_contact_form_0', 'contact_form_number' => 0, 'contact_form_unique_id' => '11111111-2222-4333-8444-555555555555', 'module_slug' => 'divi/contact-form', 'post_id' => false]);");
        site.until("it is on the list", || {
            site.cron();
            !rows(&site.sim.ledger(), "longlist").is_empty()
        });
        assert_eq!(rows(&site.sim.ledger(), "longlist")[0]["opportunity_id"], 8123);
    });
}
