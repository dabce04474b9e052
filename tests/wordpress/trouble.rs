//! What goes wrong on a live site and how it is put right: nothing is lost, nothing is spent, and the pages say what to
//! do.

use crate::hook;
use crate::site::{CLIENT_SECRET, REFRESH_TOKEN, SHARED_SECRET, Site, body, on_a_site, rows};
use serde_json::{Value, json};

fn only(site: &Site) -> Value {
    let mut all = site.submissions();
    assert_eq!(all.len(), 1, "{all:#?}");
    all.remove(0)
}

fn detail(site: &Site) -> (String, String) {
    let page = format!("halt-tracker-sync-log&id={}", only(site)["id"].as_str().expect("an id"));
    let shown = body(&site.page(&page));
    (page, shown)
}

fn presses(site: &Site, page: &str, deed: &str) -> String {
    let reply = site.submit(page, &[], |form| form.value("deed") == Some(deed));
    assert_eq!(reply.status, 200);
    body(&reply)
}

#[test]
fn wrong_credentials_pause_sending_spend_nothing_and_new_ones_deliver() {
    for api in ["widget", "rest"] {
        on_a_site(|site| {
            site.options(&[("api", api)]);
            let wrong = [("client_secret", CLIENT_SECRET), ("refresh_token", "not-the-token-of-this-account-1234")];
            assert!(site.save_tab("connection", &wrong).has("Saved."));
            site.apply(4, &[("name", "Ada Lovelace"), ("email", "paused@example.org")]);
            let paused = || {
                site.cron();
                site.status()["lane"]["reasons"]
                    .as_array()
                    .is_some_and(|all| all.iter().any(|one| one["reason"] == "credentials"))
            };
            site.until("sending is paused", paused);
            site.cron();
            site.apply(5, &[("name", "Grace Hopper"), ("email", "paused5@example.org")]);
            let held = site.submissions();
            assert_eq!(held.len(), 2);
            assert!(held.iter().all(|one| one["attempts"] == 0 && one["state"] == "queued"), "{held:#?}");
            let page = body(&site.page("halt-tracker"));
            assert!(
                page.contains("sending is paused") && page.contains("HT-1504") && page.contains("Enter credentials"),
                "{page}"
            );
            assert!(rows(&site.sim.ledger(), "resources").is_empty());

            assert!(site.save_tab("connection", &[("refresh_token", REFRESH_TOKEN)]).has("Saved."));
            site.until("both are delivered", || {
                site.cron();
                ["paused@example.org", "paused5@example.org"]
                    .iter()
                    .all(|email| site.records("resources", email).len() == 1)
            });
            assert!(!body(&site.page("halt-tracker")).contains("sending is paused"));
        });
    }
}

#[test]
fn without_credentials_forms_wait_and_the_dashboard_asks_for_them() {
    on_a_site(|site| {
        site.apply(4, &[("email", "early@example.org")]);
        site.cron();
        let page = body(&site.page("halt-tracker"));
        assert!(page.contains("HT-1505") && page.contains("Enter credentials"), "{page}");
        assert_eq!(only(site)["attempts"], 0);
        assert!(
            site.save_tab("connection", &[("client_secret", CLIENT_SECRET), ("refresh_token", REFRESH_TOKEN)])
                .has("Saved.")
        );
        site.until("it is delivered", || {
            site.cron();
            site.records("resources", "early@example.org").len() == 1
        });
    });
}

#[test]
fn a_broken_mapping_is_refused_with_its_place_and_nothing_is_lost() {
    on_a_site(|site| {
        let good = "{\"email\":\"email\",\"fullName\":\"name\"}";
        assert!(site.save_tab("mapping", &[("field_map", good)]).has("Saved."));
        let broken = "{\n  \"email\": \"email\",\n  \"phone\" \"it's <b>\"\n}";
        let page = body(&site.save_tab("mapping", &[("field_map", broken), ("required_fields", "email, phone")]));
        assert!(page.contains("Nothing was saved"), "{page}");
        assert!(page.contains("line 3, column 11"), "{page}");
        let form =
            crate::forms::forms(&page).into_iter().find(|form| form.value("field_map").is_some()).expect("the form");
        assert_eq!(form.value("field_map").map(|text| text.replace("\r\n", "\n")).as_deref(), Some(broken));
        assert_eq!(form.value("required_fields"), Some("email, phone"));
        assert_eq!(
            site.php("echo get_option('halt_tracker_field_map'), '|', get_option('halt_tracker_required_fields');"),
            format!("{good}|email")
        );
        // A name that Tracker does not know is refused too, with the one that was meant.
        let page = body(&site.save_tab("mapping", &[("field_map", "{\"emial\":\"email\"}")]));
        assert!(page.contains("HT-1402") && page.contains("Nothing was saved"), "{page}");
        assert!(site.save_tab("mapping", &[("field_map", "{\"email\":\"email\"}")]).has("Saved."));
    });
}

#[test]
fn a_broken_mapping_of_one_form_is_refused_with_its_place() {
    on_a_site(|site| {
        let page =
            body(&site.save_tab("forms", &[("forms[0][mode]", "hold"), ("forms[0][field_map]", "{\"email\" \"x\"}")]));
        assert!(page.contains("Nothing was saved") && page.contains("line 1, column 10"), "{page}");
        assert!(page.contains("{&quot;email&quot; &quot;x&quot;}"), "what was typed is shown again: {page}");
        assert_eq!(site.php("echo json_encode(get_option('halt_tracker_forms'));"), "false");
    });
}

/// A submission whose address stands in a field that the mapping does not name.
fn wait_for_a_field(site: &Site) {
    site.credentials();
    let text = json!({ "form_id": "careers", "fields": { "name": "Jane Doe", "mail_address": "wait@example.org" } });
    assert_eq!(hook::request(SHARED_SECRET, text.to_string()).send(site).status, 202);
    site.until("it waits", || {
        site.cron();
        only(site)["code"] == "HT-1404"
    });
    let one = only(site);
    assert_eq!((&one["state"], &one["attempts"]), (&json!("retry"), &json!(0)), "{one:#}");
    let (_, shown) = detail(site);
    assert!(shown.contains("HT-1404") && shown.contains("missing: email"), "{shown}");
    assert!(rows(&site.sim.ledger(), "resources").is_empty());
}

const CORRECTED: &str = "{\"fullName\":\"name\",\"email\":\"mail_address\"}";

#[test]
fn a_submission_without_a_required_field_waits_and_goes_out_by_the_retry_button() {
    on_a_site(|site| {
        wait_for_a_field(site);
        assert!(site.save_tab("mapping", &[("field_map", CORRECTED)]).has("Saved."));
        let (page, _) = detail(site);
        presses(site, &page, "retry");
        site.until("it is delivered", || {
            site.cron();
            site.records("resources", "wait@example.org").len() == 1
        });
    });
}

#[test]
fn a_corrected_mapping_delivers_what_waited_for_it_in_the_next_run() {
    on_a_site(|site| {
        wait_for_a_field(site);
        assert!(site.save_tab("mapping", &[("field_map", CORRECTED)]).has("Saved."));
        site.cron();
        assert_eq!(site.records("resources", "wait@example.org").len(), 1, "{:#}", only(site));
    });
}

#[test]
fn what_tracker_refuses_is_shown_in_its_own_words_and_the_retry_button_delivers() {
    for (api, fault) in [("widget", "status99"), ("rest", "400")] {
        on_a_site(|site| {
            site.credentials();
            site.options(&[("api", api), ("pace", "60000")]);
            site.sim
                .switches(&json!({ "faults": [{ "on": format!("{api}:create_resource"), "do": fault, "times": 1 }] }));
            site.apply(4, &[("name", "Ada Lovelace"), ("email", "refused@example.org")]);
            site.until("Tracker has refused it", || {
                site.cron();
                only(site)["state"] == "failed"
            });
            let one = only(site);
            assert_eq!(one["code"], "HT-1503", "{one:#}");
            let (page, shown) = detail(site);
            let words = said_by_tracker(site);
            assert!(!words.is_empty() && shown.contains(&words), "\"{words}\" is not on the page:\n{shown}");
            assert!(body(&site.page("halt-tracker")).contains("1 submission needs you"));
            let shown = presses(site, &page, "retry");
            assert!(shown.contains("1 submission changed."), "{shown}");
            site.until("it is delivered and settled", || {
                site.cron();
                only(site)["state"] == "done"
            });
            assert_eq!(site.records("resources", "refused@example.org").len(), 1);
        });
    }
}

/// The words of the step that Tracker refused.
fn said_by_tracker(site: &Site) -> String {
    let one = only(site);
    let steps = one["steps"].as_array().cloned().unwrap_or_default();
    let words = steps
        .iter()
        .find(|step| step["code"] == "HT-1503")
        .and_then(|step| step["message"].as_str().map(str::to_owned));
    words.unwrap_or_else(|| one["message"].as_str().unwrap_or_default().to_owned())
}

#[test]
fn a_lost_answer_is_looked_up_and_never_sent_twice() {
    on_a_site(|site| {
        site.credentials();
        site.options(&[("pace", "60000")]);
        site.sim.switches(&json!({ "faults": [{ "on": "create_resource", "do": "drop_after", "times": 1 }] }));
        site.apply(4, &[("name", "Ada Lovelace"), ("email", "lost@example.org")]);
        site.until("it was looked up", || {
            site.cron();
            let state = only(site)["state"].clone();
            state == "done" || state == "attention"
        });
        assert_eq!(only(site)["state"], "done", "{:#}", only(site));
        assert_eq!((site.asked("create_resource"), site.records("resources", "lost@example.org").len()), (1, 1));
    });
}

#[test]
fn a_held_form_waits_for_its_release_and_an_ignored_one_leaves_nothing() {
    on_a_site(|site| {
        site.credentials();
        let key = crate::stack::divi::APPLICATION_UUID;
        assert!(site.save_tab("forms", &[("forms[0][key]", key), ("forms[0][mode]", "hold")]).has("Saved."));
        site.apply(4, &[("email", "held@example.org")]);
        site.cron();
        assert_eq!(only(site)["state"], "held");
        let (page, _) = detail(site);
        presses(site, &page, "release");
        site.until("it is delivered", || {
            site.cron();
            site.records("resources", "held@example.org").len() == 1
        });
        assert!(site.save_tab("forms", &[("forms[0][key]", key), ("forms[0][mode]", "ignore")]).has("Saved."));
        site.apply(4, &[("email", "ignored@example.org")]);
        assert_eq!(site.submissions().len(), 1);
    });
}

#[test]
fn sending_paused_by_hand_goes_on_by_hand() {
    on_a_site(|site| {
        site.credentials();
        site.submit("halt-tracker-settings&tab=delivery", &[], |form| form.value("do") == Some("pause"));
        site.apply(4, &[("email", "byhand@example.org")]);
        site.cron();
        assert!(body(&site.page("halt-tracker")).contains("HT-1611"));
        assert!(rows(&site.sim.ledger(), "resources").is_empty());
        site.submit("halt-tracker", &[], |form| form.value("do") == Some("resume"));
        let page = site.press("halt-tracker", "run", &[]);
        assert!(page.has("1 delivered, 0 left."), "{}", body(&page));
        assert_eq!(site.records("resources", "byhand@example.org").len(), 1);
    });
}

#[test]
fn clear_sync_lock_says_that_nobody_holds_it() {
    on_a_site(|site| {
        site.credentials();
        let page = site.press("halt-tracker-settings&tab=delivery", "unlock", &[]);
        assert!(page.has("No run holds the lock"), "{}", body(&page));
    });
}

#[test]
fn a_plain_secret_in_an_old_option_moves_into_the_vault() {
    on_a_site(|site| {
        site.php(&format!("update_option('halt_tracker_client_secret', '{CLIENT_SECRET}'); update_option('halt_tracker_refresh_token', '{REFRESH_TOKEN}');"));
        site.apply(4, &[("name", "Ada Lovelace"), ("email", "inbox@example.org")]);
        site.until("it is delivered", || {
            site.cron();
            site.records("resources", "inbox@example.org").len() == 1
        });
        let left = site.stack.sql("SELECT COUNT(*) FROM wp_options WHERE option_name IN ('halt_tracker_client_secret','halt_tracker_refresh_token')");
        assert_eq!(left.expect("a count"), "0");
    });
}
