//! What the plugin costs a site that is not using it right now: nothing on a page without a submission, no request to anybody
//! from an admin page, and next to nothing in the options that WordPress loads everywhere.

use crate::site::{Site, on_a_site};

/// Counts queries and remote calls of a request, and lists what of ours was printed or loaded.
const METER: &str = "<?php
add_filter('pre_http_request', function ($answer, $arguments, $url) { file_put_contents(WP_CONTENT_DIR . '/meter', \"call $url\\n\", FILE_APPEND); return $answer; }, 1, 3);
add_action('shutdown', function () { global $wpdb; foreach ((array) $wpdb->queries as $query) { if (stripos($query[0], 'halt_tracker') !== false) { file_put_contents(WP_CONTENT_DIR . '/meter', 'query ' . $query[0] . \"\\n\", FILE_APPEND); } } }, PHP_INT_MAX);
";

fn metered(site: &Site, visit: impl Fn()) -> String {
    let content = site.stack.wordpress.join("wp-content");
    let (meter, log) = (content.join("mu-plugins/meter.php"), content.join("meter"));
    std::fs::write(&meter, METER).expect("the meter");
    let _ = std::fs::remove_file(&log);
    site.stack.set_constants(&[("SAVEQUERIES", "true")]).expect("constants");
    visit();
    std::fs::remove_file(&meter).expect("the meter is gone");
    std::fs::read_to_string(&log).unwrap_or_default()
}

#[test]
fn a_page_without_a_submission_costs_no_query_no_asset_and_no_call() {
    on_a_site(|site| {
        site.credentials();
        site.apply(4, &[("email", "cost@example.org")]);
        site.cron();
        let said = metered(site, || {
            for path in ["/", "/?pagename=d4", "/?pagename=d5"] {
                let page = site.stack.get(path);
                assert_eq!(page.status, 200);
                assert!(!page.text().contains("plugins/halt-tracker"), "{path} loads something of ours");
            }
        });
        assert_eq!(said, "");
    });
}

#[test]
fn no_admin_page_asks_anybody_anything_until_a_button_says_so() {
    on_a_site(|site| {
        site.credentials();
        site.apply(4, &[("email", "calls@example.org")]);
        let said = metered(site, || {
            for page in [
                "halt-tracker",
                "halt-tracker&guide=1",
                "halt-tracker-sync-log",
                "halt-tracker-settings",
                "halt-tracker-settings&tab=webhook",
                "halt-tracker-settings&tab=mapping",
            ] {
                assert_eq!(site.page(page).status, 200);
            }
        });
        assert!(!said.contains("call "), "{said}");
        assert!(said.contains("query "), "the meter measures nothing");
    });
}

#[test]
fn what_wordpress_loads_on_every_page_stays_below_a_kibibyte() {
    on_a_site(|site| {
        site.credentials();
        site.save_tab("delivery", &[("pace", "60")]);
        site.save_tab("mapping", &[]);
        site.apply(4, &[("email", "autoload@example.org")]);
        site.cron();
        site.stack.get_as(&site.admin, "/wp-admin/site-health.php");
        let size = site.stack.sql("SELECT COALESCE(SUM(LENGTH(option_name) + LENGTH(option_value)), 0) FROM wp_options WHERE option_name LIKE '%halt\\_tracker%' AND autoload NOT IN ('no', 'off', 'auto-off')").expect("a sum");
        let size: u64 = size.parse().expect("a number");
        assert!(size > 0 && size < 1024, "{size} bytes");
    });
}

#[test]
fn every_error_code_has_a_page_with_its_three_answers() {
    on_a_site(|site| {
        let all = site.php("echo json_encode(Halt\\Tracker\\WordPress\\Messages::all());");
        let all: serde_json::Value = serde_json::from_str(&all).expect("the codes");
        let all = all.as_object().expect("by code");
        assert_eq!(all.len(), halt_tracker::codes::TABLE.len());
        for (code, row) in all {
            let reply = site.page(&format!("halt-tracker&help={code}"));
            let text = crate::forms::unescape(&crate::site::body(&reply)).replace("&#8217;", "’");
            assert_eq!(reply.status, 200, "{code}");
            for part in ["title", "what", "safe", "next"] {
                let words = row[part].as_str().expect("words");
                assert!(!words.is_empty() && text.contains(words), "{code}: {part}: {words}");
            }
        }
        assert!(site.page("halt-tracker&help=nonsense").has("All codes"));
    });
}
