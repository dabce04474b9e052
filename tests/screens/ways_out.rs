//! What the pages offer when something has gone wrong for good: each trouble is named where people look, and each has a
//! button that ends it.

use crate::forms::unescape;
use crate::site::{CLIENT_SECRET, REFRESH_TOKEN, SHARED_SECRET, Site, body, on_a_site};
use crate::stack::Reply;

fn text(reply: &Reply) -> String {
    unescape(&body(reply))
}

/// The key file is gone, and every process that still had its keys is gone too.
fn lose_the_key(site: &Site) {
    let key = site.php("echo get_option('halt_tracker_key_file');");
    std::fs::remove_file(&key).expect("lost");
    site.stack.restart_fpm("QUIT").expect("php-fpm");
}

fn reasons(site: &Site) -> Vec<String> {
    let reasons = site.status()["lane"]["reasons"].as_array().cloned().unwrap_or_default();
    reasons.iter().filter_map(|one| one["reason"].as_str().map(str::to_owned)).collect()
}

fn press_lost_for_good(site: &Site) -> Reply {
    site.submit("halt-tracker", &[], |form| form.value("reason") == Some("key"))
}

#[test]
fn a_key_that_is_lost_for_good_is_left_behind_by_a_button_and_what_comes_next_is_delivered() {
    on_a_site(|site| {
        site.credentials();
        site.options(&[("pace", "60000")]);
        site.php("Engine::act(['action' => 'pause']);");
        site.apply(4, &[("email", "sealed@example.org")]);
        lose_the_key(site);
        let shown = text(&site.page("halt-tracker"));
        assert!(
            shown.contains("HT-1301") && shown.contains("lost for good") && shown.contains("data-halt-ask"),
            "{shown}"
        );
        // The button of another pause says what still stands in the way, and not that all is well.
        let said =
            text(&site.submit("halt-tracker-settings&tab=delivery", &[], |form| form.value("do") == Some("resume")));
        assert_eq!(reasons(site), ["key"]);
        assert!(
            said.contains("still paused: The key file is gone (HT-1301)") && !said.contains("The next run goes on"),
            "{said}"
        );
        let said = text(&press_lost_for_good(site));
        assert!(said.contains("The next run goes on") && !said.contains("still paused"), "{said}");
        assert_eq!(reasons(site), Vec::<String>::new());
        // The credentials were sealed with it too: until they are entered anew, nothing can be sent with them.
        site.apply(4, &[("email", "later@example.org")]);
        site.cron();
        assert_eq!(reasons(site), ["key"]);
        site.save_tab("connection", &[("client_secret", CLIENT_SECRET), ("refresh_token", REFRESH_TOKEN)]);
        site.until("what came later is delivered", 20, || {
            site.cron();
            site.records("resources", "later@example.org").len() == 1
        });
        assert_eq!(reasons(site), Vec::<String>::new(), "credentials that open again end their own pause");
        // A new webhook secret is of use beside the one that does not open any more.
        site.secrets(&[("shared_secret", SHARED_SECRET)]);
        let webhook = serde_json::json!({ "form_id": "careers", "fields": { "email": "hook@example.org" } });
        assert_eq!(crate::hook::request(SHARED_SECRET, webhook.to_string()).send(site).status, 202);
    });
}
