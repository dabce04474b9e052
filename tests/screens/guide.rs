//! The guided start: from an empty site to a marked test in Tracker with three buttons, and every way in which it can go
//! another way.

use crate::forms::unescape;
use crate::site::{API_TOKEN, CLIENT_SECRET, REFRESH_TOKEN, Site, body, on_a_site};
use serde_json::json;

fn guide(site: &Site) -> String {
    unescape(&body(&site.page("halt-tracker&guide=1")))
}

fn records(site: &Site, kind: &str) -> usize {
    site.sim.ledger()[kind].as_array().map_or(0, Vec::len)
}

#[test]
fn three_clicks_lead_from_nothing_to_a_marked_record_in_tracker() {
    on_a_site(|site| {
        assert!(guide(site).contains("Connect Tracker"));
        // One: the credentials are saved and tested.
        let page = site.press(
            "halt-tracker",
            "connect",
            &[("client_secret", CLIENT_SECRET), ("refresh_token", REFRESH_TOKEN)],
        );
        let text = unescape(&body(&page));
        assert!(text.contains("Credentials are entered") && text.contains("works, and is used"), "{text}");
        assert!(!text.contains(CLIENT_SECRET) && !text.contains(REFRESH_TOKEN));
        // Two: a form is picked; nobody has filled it in, so that the test itself is shown.
        let key = site.php("echo array_key_first(Halt\\Tracker\\WordPress\\DiviContent::all());");
        let page = format!("halt-tracker&guide=1&form={}", crate::stack::http::percent(&key));
        let text = unescape(&body(&site.page(&page)));
        assert!(text.contains("marked test, as it would be sent") && text.contains("TEST"), "{text}");
        assert_eq!(records(site, "resources"), 0, "a preview sends nothing");
        // Three: it is sent.
        let sent = site.press(&page, "send_test", &[]);
        let text = unescape(&body(&sent));
        assert!(text.contains("Delivered") && text.contains("See every step"), "{text}");
        assert_eq!(records(site, "resources"), 1);
        let one = &site.submissions()[0];
        assert_eq!((one["source"].as_str(), one["state"].as_str()), (Some("test"), Some("done")));
        assert!(unescape(&body(&site.page("halt-tracker-sync-log"))).contains("Test"), "the list says that it is one");
    });
}

#[test]
fn one_pasted_token_is_enough_and_the_api_that_works_is_used() {
    on_a_site(|site| {
        let page = site.press("halt-tracker", "connect", &[("environment", "ca"), ("api_token", API_TOKEN)]);
        let text = unescape(&body(&page));
        assert!(text.contains("REST v1 is used"), "{text}");
        assert_eq!(site.php("echo Options::text('api'), Options::text('environment');"), "restca");
    });
}

#[test]
fn refused_credentials_are_named_and_nothing_is_ticked() {
    on_a_site(|site| {
        let page = site.press(
            "halt-tracker",
            "connect",
            &[("client_secret", "wrong wrong wrong wrong"), ("refresh_token", "also wrong")],
        );
        let text = unescape(&body(&page));
        assert!(text.contains("Widget API does not work") && text.contains("REST v1 does not work"), "{text}");
        assert_eq!(text.matches("halt-first-done").count(), 1, "the credentials are there, nothing else: {text}");
    });
}

#[test]
fn a_form_that_has_arrived_is_previewed_with_its_last_submission() {
    on_a_site(|site| {
        site.credentials();
        site.stack.set_constants(&[("HALT_TRACKER_PAUSED", "true")]).expect("constants");
        site.apply(4, &[("name", "Ada Lovelace"), ("email", "guide@example.org")]);
        let key = site.submissions()[0]["form"]["key"].as_str().expect("a key").to_owned();
        let text =
            unescape(&body(&site.page(&format!("halt-tracker&guide=1&form={}", crate::stack::http::percent(&key)))));
        assert!(text.contains("last submission of this form") && text.contains("guide@example.org"), "{text}");
        let sent = site.press(&format!("halt-tracker&guide=1&form={key}"), "send_test", &[]);
        assert!(unescape(&body(&sent)).contains("Waiting"), "{}", body(&sent));
        assert_eq!(records(site, "resources"), 0, "paused is paused");
    });
}

#[test]
fn a_form_that_is_ignored_says_so_instead_of_sending() {
    on_a_site(|site| {
        site.credentials();
        let key = site.php("echo array_key_first(Halt\\Tracker\\WordPress\\DiviContent::all());");
        site.options(&[("forms", &json!({ (key.as_str()): { "mode": "ignore" } }).to_string())]);
        let page =
            site.press(&format!("halt-tracker&guide=1&form={}", crate::stack::http::percent(&key)), "send_test", &[]);
        assert!(body(&page).contains("set to be ignored"), "{}", body(&page));
    });
}
