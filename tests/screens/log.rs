//! The Sync Log's buttons for many submissions at once, its CSV, and the two ways out when the store has disappeared.

use crate::forms::{forms, unescape};
use crate::hook;
use crate::site::{SHARED_SECRET, Site, body, on_a_site};
use crate::stack::Reply;
use serde_json::json;

const PAGE: &str = "halt-tracker-sync-log";

fn submit(site: &Site, form: &str, email: &str) -> String {
    let text = json!({ "form_id": form, "fields": { "name": "=Jane", "email": email }, "meta": { "utm_source": "x" } });
    let reply = hook::request(SHARED_SECRET, text.to_string()).send(site);
    assert_eq!(reply.status, 202, "{}", reply.text());
    reply.json()["queue_id"].as_str().expect("an id").to_owned()
}

/// Posts the list's form with these rows ticked; the answer itself, not the page after it.
fn post(site: &Site, page: &str, changes: &[(&str, &str)], ids: &[&str]) -> Reply {
    let shown = site.page(page).text();
    let mut form = forms(&shown)
        .into_iter()
        .find(|form| form.value("_wpnonce").is_some() && form.value("action") == Some("-1"))
        .expect("the list");
    changes.iter().for_each(|(name, value)| form.set(name, value));
    form.fields.retain(|(name, _)| name != "submission[]");
    form.fields.extend(ids.iter().map(|id| ("submission[]".to_owned(), (*id).to_owned())));
    site.stack.post_as(&site.admin, &format!("/wp-admin/admin.php?page={page}"), &form.fields)
}

fn states(site: &Site) -> Vec<String> {
    site.submissions().iter().filter_map(|one| one["state"].as_str().map(str::to_owned)).collect()
}

#[test]
fn what_was_held_is_released_and_what_failed_is_sent_again_all_at_once() {
    on_a_site(|site| {
        site.credentials();
        site.options(&[("forms", "{\"review\":{\"mode\":\"hold\"}}"), ("pace", "60000")]);
        let held = [submit(site, "review", "a@example.org"), submit(site, "review", "b@example.org")];
        let reply = post(site, PAGE, &[("action", "release")], &[&held[0], &held[1]]);
        assert_eq!(reply.status, 302, "{}", reply.text());
        site.cron();
        assert_eq!(states(site), ["done", "done"]);
        site.sim.switches(&json!({ "faults": [{ "on": "create_resource", "do": "400", "times": 3 }] }));
        for number in 0..3 {
            submit(site, "careers", &format!("f{number}@example.org"));
        }
        site.until("they fail", || {
            site.cron();
            states(site).iter().filter(|state| *state == "failed").count() == 3
        });
        assert!(body(&site.page(PAGE)).contains("Retry all 3 that failed"));
        assert_eq!(post(site, PAGE, &[("halt_row", "retry_failed")], &[]).status, 302);
        site.cron();
        assert_eq!(states(site), ["done"; 5]);
        assert!(!body(&site.page(PAGE)).contains("that failed"));
    });
}

#[test]
fn the_csv_holds_what_is_chosen_or_found_and_no_cell_is_a_formula() {
    on_a_site(|site| {
        site.secrets(&[("shared_secret", SHARED_SECRET)]);
        let (one, other) = (submit(site, "careers", "one@example.org"), submit(site, "temp", "other@example.org"));
        let csv = post(site, PAGE, &[("action", "export")], &[&one]);
        assert_eq!(csv.header("content-type"), Some("text/csv; charset=utf-8"), "{}", csv.text());
        assert!(
            csv.header("content-disposition")
                .is_some_and(|value| value.starts_with("attachment; filename=\"halt-tracker-"))
        );
        let text = csv.text();
        assert!(
            text.starts_with("\u{feff}id,received,form,source,state,code,record_type,tracker_id,\"field name\""),
            "{text}"
        );
        assert!(text.contains(&one) && text.contains("one@example.org") && text.contains(",'=Jane,"), "{text}");
        assert!(!text.contains(&other));
        let text = post(site, &format!("{PAGE}&form=temp"), &[("halt_row", "export_all")], &[]).text();
        assert!(text.contains(&other) && !text.contains(&one), "{text}");
        assert!(
            site.stack.logs().contains(&format!("halt-tracker viewed export submission={one}")),
            "{}",
            site.stack.logs()
        );
        // Who may only look, may not take everything away.
        site.php("$user = wp_insert_user(['user_login' => 'looker', 'user_pass' => 'looker-password', 'role' => 'subscriber']); (new WP_User($user))->add_cap('view_halt_tracker');");
        let looker = site.stack.login_as("looker", "looker-password").expect("a login");
        let page = site.stack.get_as(&looker, &format!("/wp-admin/admin.php?page={PAGE}")).text();
        assert!(page.contains("All submissions") && !page.contains("export"), "{page}");
        let mut form = forms(&page).into_iter().find(|form| form.value("action") == Some("-1")).expect("the list");
        form.set("halt_row", "export_all");
        let reply = site.stack.post_as(&looker, &format!("/wp-admin/admin.php?page={PAGE}"), &form.fields);
        assert_eq!(reply.status, 403);
        site.php(
            "require_once ABSPATH . 'wp-admin/includes/user.php'; wp_delete_user(get_user_by('login', 'looker')->ID);",
        );
    });
}

#[test]
fn a_row_offers_exactly_what_the_engine_would_do() {
    on_a_site(|site| {
        site.credentials();
        site.options(&[("forms", "{\"review\":{\"mode\":\"hold\"}}"), ("pace", "60000")]);
        site.sim.switches(
            &json!({ "search_lag_ms": 86_400_000, "faults": [{ "on": "create_resource", "do": "no_id", "times": 1 }] }),
        );
        submit(site, "careers", "checking@example.org");
        site.until("it is looked for", || {
            site.cron();
            states(site) == ["checking"]
        });
        site.php("Engine::act(['action' => 'pause']);");
        submit(site, "careers", "queued@example.org");
        submit(site, "review", "held@example.org");
        let all = site.submissions();
        let page = body(&site.page(PAGE));
        for one in &all {
            let id = one["id"].as_str().expect("an id");
            for deed in ["retry", "release", "discard"] {
                let can = one["can"].as_array().expect("a list").contains(&json!(deed));
                assert_eq!(
                    page.contains(&format!("value=\"{deed}:{id}\"")),
                    can,
                    "{deed} of one that is {}",
                    one["state"]
                );
            }
        }
        assert_eq!(all.len(), 3);
    });
}

#[test]
fn the_details_say_nothing_empty_and_no_try_that_has_passed() {
    on_a_site(|site| {
        site.credentials();
        site.sim.switches(
            &json!({ "search_lag_ms": 86_400_000, "faults": [{ "on": "create_resource", "do": "no_id", "times": 1 }] }),
        );
        let id = submit(site, "careers", "checking@example.org");
        site.until("it is looked for", || {
            site.cron();
            states(site) == ["checking"]
        });
        crate::health::store(site, "UPDATE submission SET due_at = 1000 WHERE state = 'checking';");
        let text = unescape(&body(&site.page(&format!("{PAGE}&id={id}"))));
        assert!(text.contains("Tracker gave no id") && text.contains("Tracker is searched for the record"), "{text}");
        assert!(!text.contains("Create the record:"), "words are announced and none follow: {text}");
        let next = text.split("Next try").nth(1).and_then(|rest| rest.split("</tr>").next()).expect("the row");
        assert!(next.contains("with the next run") && !next.contains("ago"), "{next}");
    });
}

#[test]
fn trackers_id_can_be_copied_and_is_a_link_where_its_address_is_known() {
    on_a_site(|site| {
        site.credentials();
        submit(site, "careers", "copy@example.org");
        site.cron();
        let id = site.submissions()[0]["tracker_id"].to_string();
        let detail = format!("{PAGE}&id={}", site.submissions()[0]["id"].as_str().expect("an id"));
        assert!(body(&site.page(&detail)).contains(&format!("data-halt-copy=\"{id}\"")));
        site.options(&[("record_url", "https://tracker.example/{{record.type}}/{{record.id}}")]);
        let text = body(&site.page(&detail));
        assert!(
            text.contains(&format!("href=\"https://tracker.example/Resource/{id}\""))
                && text.contains("data-halt-copy"),
            "{text}"
        );
    });
}

#[test]
fn a_store_that_has_moved_is_found_again_and_one_that_is_gone_is_begun_anew() {
    on_a_site(|site| {
        site.credentials();
        let id = submit(site, "careers", "moved@example.org");
        let dir = site.php("echo get_option('halt_tracker_data_dir');");
        let other = format!("{dir}-elsewhere");
        site.stack.restart_fpm("QUIT").expect("php-fpm");
        std::fs::rename(&dir, &other).expect("moved");
        let text = unescape(&body(&site.page("halt-tracker")));
        assert!(
            text.contains("HT-1106") && text.contains("Use this folder") && text.contains("Start a new, empty store"),
            "{text}"
        );
        let at = |path: &str| site.submit("halt-tracker", &[("path", path)], |form| form.value("do") == Some("at"));
        for wrong in ["/nowhere", "relative", "/tmp"] {
            let text = body(&at(wrong));
            assert!(
                text.contains("HT-1106") && text.contains("no store of this site in that folder"),
                "{wrong}: {text}"
            );
            assert_eq!(site.php("echo get_option('halt_tracker_data_dir');"), dir, "{wrong} changed something");
        }
        let text = body(&at(&other));
        assert!(!text.contains("HT-1106"), "{text}");
        assert_eq!(site.submissions()[0]["id"], id.as_str());
        // Gone for good.
        site.stack.restart_fpm("QUIT").expect("php-fpm");
        std::fs::remove_dir_all(&other).expect("gone");
        let page = site.submit("halt-tracker", &[], |form| form.value("do") == Some("new"));
        assert!(!body(&page).contains("HT-1106"), "{}", body(&page));
        site.secrets(&[("shared_secret", SHARED_SECRET)]);
        submit(site, "careers", "new@example.org");
        assert_eq!(site.submissions().len(), 1);
    });
}
