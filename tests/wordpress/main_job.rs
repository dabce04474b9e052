//! The main job: with nothing but credentials entered, two stock Divi forms and a signed webhook with a CV become
//! records in Tracker, each with its activity, the CV byte for byte.

use crate::hook;
use crate::site::{API_TOKEN, CLIENT_SECRET, REFRESH_TOKEN, SHARED_SECRET, Site, body, on_a_site, rows};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};

/// Every byte value, and longer than any buffer on the way.
fn cv() -> Vec<u8> {
    let mut bytes = b"%PDF-1.4\n".to_vec();
    bytes.extend((0..200_000_u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 24) as u8));
    bytes.extend_from_slice(b"\n%%EOF\n");
    bytes
}

/// The body of the documentation, with a CV in it.
fn careers(email: &str, file: &[u8]) -> String {
    json!({
        "form_id": "careers-form",
        "fields": { "first_name": "Jane", "last_name": "Doe", "email": email },
        "meta": { "utm_source": "linkedin" },
        "files": [{ "field": "resume", "name": "jane-doe.pdf", "mime": "application/pdf", "content": BASE64.encode(file), "encoding": "base64" }],
    })
    .to_string()
}

fn save(site: &Site, tab: &str, changes: &[(&str, &str)]) {
    let page = site.save_tab(tab, changes);
    assert_eq!(page.status, 200, "{}", page.text());
    assert!(page.has("Saved."), "{}", body(&page));
}

fn is_linked(row: &Value, list: &str, id: &Value) -> bool {
    row["associations"][list].as_array().is_some_and(|links| links.iter().any(|link| link["id"] == *id))
}

fn everything_arrives(api: &str, kind: &str, activities: bool) {
    on_a_site(|site| {
        save(site, "connection", &[("api", api), ("client_secret", CLIENT_SECRET), ("refresh_token", REFRESH_TOKEN)]);
        save(site, "webhook", &[("shared_secret", SHARED_SECRET)]);
        if kind != "Resource" {
            // Beyond the defaults, so that the suite does not wait for the pace of 80 requests a minute each time.
            save(site, "delivery", &[("pace", "60000")]);
            save(site, "mapping", &[("record_type", kind)]);
        }
        if activities {
            save(site, "activities", &[("activity_enabled", "1")]);
        }
        let list = format!("{}s", kind.to_lowercase());
        let cv = cv();

        site.apply(4, &[("name", "Ada Lovelace"), ("email", "ada@example.org"), ("message", "Hello")]);
        site.apply(5, &[("name", "Grace Hopper"), ("email", "grace@example.org"), ("message", "Good day")]);
        let reply = hook::request(SHARED_SECRET, careers("jane@example.com", &cv)).send(site);
        assert_eq!(reply.status, 202, "{}", reply.text());
        assert_eq!(reply.json()["queued"], true);
        let all_done = || {
            site.cron();
            site.submissions().iter().filter(|one| one["state"] == "done").count() == 3
        };
        site.until("three submissions are delivered", all_done);

        let ledger = site.sim.ledger();
        assert_eq!(rows(&ledger, &list).len(), 3, "{ledger:#}");
        for (email, first, last) in [
            ("ada@example.org", "Ada", "Lovelace"),
            ("grace@example.org", "Grace", "Hopper"),
            ("jane@example.com", "Jane", "Doe"),
        ] {
            let found = site.records(&list, email);
            if kind == "Lead" && found.is_empty() {
                // A Lead of the REST API names its person in a Contact.
                assert_eq!(site.records("contacts", email).len(), 1, "{email} {ledger:#}");
                continue;
            }
            assert_eq!(found.len(), 1, "{email}: {:#}", ledger[&list]);
            let text = found[0].to_string();
            assert!(text.contains(first) && text.contains(last), "{text}");
        }
        if activities {
            let known = rows(&ledger, &list);
            for record in &known {
                let linked =
                    rows(&ledger, "activities").iter().filter(|one| is_linked(one, &list, &record["id"])).count();
                assert_eq!(linked, 1, "record {}: {:#}", record["id"], ledger["activities"]);
            }
            assert_eq!(rows(&ledger, "activities").len(), known.len());
            assert!(
                ledger["activities"].to_string().contains("Website enquiry – careers-form"),
                "{:#}",
                ledger["activities"]
            );
        } else {
            assert!(rows(&ledger, "activities").is_empty());
        }
        let documents = rows(&ledger, "documents");
        assert_eq!(documents.len(), 1, "{:#}", ledger["documents"]);
        assert_eq!(documents[0]["filename"], "jane-doe.pdf");
        let held = documents[0]["data"].as_str().and_then(|data| BASE64.decode(data).ok());
        assert!(held.as_deref() == Some(cv.as_slice()), "the document has other bytes than were sent");
        let jane = site.submissions().into_iter().find(|one| one["source"] == "webhook").expect("the webhook");
        assert_eq!(documents[0]["record_id"], jane["tracker_id"]);
    });
}

#[test]
fn forms_and_a_webhook_with_a_cv_become_resources_on_the_widget_api() {
    everything_arrives("widget", "Resource", true);
}

#[test]
fn forms_and_a_webhook_with_a_cv_become_resources_on_the_rest_api() {
    everything_arrives("rest", "Resource", true);
}

#[test]
fn without_activities_only_records_and_documents_are_made() {
    everything_arrives("widget", "Resource", false);
}

#[test]
fn they_become_contacts_on_the_widget_api() {
    everything_arrives("widget", "Contact", true);
}

#[test]
fn they_become_contacts_on_the_rest_api() {
    everything_arrives("rest", "Contact", true);
}

#[test]
fn they_become_leads_on_the_widget_api() {
    everything_arrives("widget", "Lead", true);
}

#[test]
fn they_become_leads_on_the_rest_api() {
    everything_arrives("rest", "Lead", true);
}

#[test]
fn a_static_token_is_enough_for_the_rest_api() {
    on_a_site(|site| {
        save(site, "connection", &[("api", "rest"), ("api_token", API_TOKEN)]);
        site.apply(4, &[("name", "Ada Lovelace"), ("email", "token@example.org")]);
        site.until("the record is there", || {
            site.cron();
            site.records("resources", "token@example.org").len() == 1
        });
    });
}

#[test]
fn a_form_is_in_tracker_seconds_after_the_answer_without_any_cron() {
    on_a_site(|site| {
        site.credentials();
        for path in [4, 5] {
            let email = format!("soon{path}@example.org");
            site.apply(path, &[("email", &email)]);
            site.until("the form is in Tracker", || site.records("resources", &email).len() == 1);
            site.until_no_run();
        }
        let reply = hook::request(SHARED_SECRET, careers("soon@example.com", &cv())).send(site);
        assert_eq!(reply.status, 202, "{}", reply.text());
        site.until("the webhook is in Tracker", || site.records("resources", "soon@example.com").len() == 1);
        site.until("its CV too", || rows(&site.sim.ledger(), "documents").len() == 1);
        assert_eq!(site.stack.sql("SELECT COUNT(*) FROM wp_halt_tracker_capture").expect("a count"), "0");
    });
}

#[test]
fn test_connection_says_that_both_apis_work() {
    on_a_site(|site| {
        save(site, "connection", &[("client_secret", CLIENT_SECRET), ("refresh_token", REFRESH_TOKEN)]);
        let page = site.press("halt-tracker-settings&tab=connection", "test", &[]);
        assert!(page.has("Widget API works.") && page.has("REST v1 works."), "{}", body(&page));
    });
}
