//! A site whose PHP has lost the extension overnight: forms are kept, sealed, and delivered exactly once when it is back.

use crate::site::{Site, on_a_site, rows};
use serde_json::Value;

const CANARY: &str = "Canarybird";

fn kept(site: &Site) -> usize {
    site.stack.sql("SELECT COUNT(*) FROM wp_halt_tracker_capture").expect("a count").parse().expect("a number")
}

/// Everything that the database holds, as bytes in hex.
fn rows_in_hex(site: &Site) -> String {
    site.stack
        .sql("SELECT CONCAT_WS('|', id, hash, key_id, HEX(sealed)) FROM wp_halt_tracker_capture")
        .expect("rows")
        .to_lowercase()
}

fn hex(text: &str) -> String {
    text.bytes().map(|byte| format!("{byte:02x}")).collect()
}

fn apply_three(site: &Site) {
    site.apply(4, &[("name", CANARY), ("email", "canary1@example.org")]);
    site.apply(5, &[("name", CANARY), ("email", "canary2@example.org")]);
    site.apply(5, &[("name", "C:\\new 'x' \"y\""), ("email", "canary3@example.org")]);
}

fn assert_sealed_and_delivered_once(site: &Site) {
    assert_eq!(kept(site), 3);
    let plain = rows_in_hex(site);
    for word in [CANARY, "canary1@example.org", "Hello", "Apply now"] {
        assert!(!plain.contains(&hex(word)) && !plain.contains(&hex(&word.to_lowercase())), "{word} stands in a row");
    }
    let said = format!(
        "{}{}",
        site.stack.logs(),
        site.stack
            .sql("SELECT option_name, option_value FROM wp_options WHERE option_name LIKE '%halt_tracker%'")
            .expect("options")
    );
    assert!(!said.contains(CANARY) && !said.contains("canary1@"), "{said}");
    let page = site.page("halt-tracker");
    assert!(page.has("HT-1001") && page.has("3 forms were kept"), "{}", crate::site::body(&page));

    site.stack.set_extension(true).expect("the module");
    site.cron();
    assert_eq!(kept(site), 0, "{}", site.stack.logs());
    site.until("all three are in Tracker", || {
        site.cron();
        site.submissions().iter().filter(|one| one["state"] == "done").count() == 3
    });
    for number in 1..=3 {
        assert_eq!(site.records("resources", &format!("canary{number}@example.org")).len(), 1);
    }
    assert_eq!(rows(&site.sim.ledger(), "resources").len(), 3);
    let third: Value = site.submissions().remove(2);
    assert_eq!(third["fields"]["name"], "C:\\new 'x' \"y\"");
}

#[test]
fn forms_of_a_site_that_lost_the_engine_are_kept_sealed_and_delivered_once() {
    on_a_site(|site| {
        site.credentials();
        site.options(&[("pace", "60000")]);
        site.cron();
        site.stack.set_extension(false).expect("without the module");
        apply_three(site);
        assert_sealed_and_delivered_once(site);
    });
}

#[test]
fn forms_of_a_site_that_never_had_the_engine_are_kept_sealed_and_delivered_once() {
    on_a_site(|site| {
        site.stack.set_extension(false).expect("without the module");
        apply_three(site);
        let mode = site.php("$path = get_option('halt_tracker_key_file'); printf('%o %o', fileperms($path) & 0777, fileperms(dirname($path)) & 0777);");
        assert_eq!(mode, "600 700");
        site.stack.set_extension(true).expect("the module");
        site.credentials();
        site.options(&[("pace", "60000")]);
        site.stack.set_extension(false).expect("without the module");
        assert_sealed_and_delivered_once(site);
    });
}

#[test]
fn a_lost_table_is_made_again_for_the_form_that_needs_it() {
    on_a_site(|site| {
        site.stack.set_extension(false).expect("without the module");
        site.stack.sql("DROP TABLE wp_halt_tracker_capture").expect("dropped");
        site.apply(4, &[("email", "table@example.org")]);
        assert_eq!(kept(site), 1);
    });
}

#[test]
fn a_row_that_cannot_be_opened_stays_and_holds_up_nothing() {
    on_a_site(|site| {
        site.credentials();
        site.cron();
        site.stack.set_extension(false).expect("without the module");
        site.apply(4, &[("email", "damaged@example.org")]);
        site.stack.sql("UPDATE wp_halt_tracker_capture SET sealed = REVERSE(sealed)").expect("damaged");
        site.apply(4, &[("email", "sound@example.org")]);
        site.stack.set_extension(true).expect("the module");
        site.until("the sound one is in Tracker", || {
            site.cron();
            site.records("resources", "sound@example.org").len() == 1
        });
        assert_eq!(kept(site), 1);
        let page = site.page("halt-tracker");
        assert!(page.has("1 form was kept") && page.has("HT-1801"), "{}", crate::site::body(&page));
    });
}

#[test]
fn when_neither_engine_nor_table_can_take_a_form_the_site_says_so_and_the_page_stays_whole() {
    on_a_site(|site| {
        site.stack.set_extension(false).expect("without the module");
        site.stack
            .sql("DROP TABLE wp_halt_tracker_capture; CREATE TABLE wp_halt_tracker_capture (id INT)")
            .expect("a useless table");
        site.apply(5, &[("email", "lost@example.org")]);
        let lost: Value =
            serde_json::from_str(&site.php("echo json_encode(get_option('halt_tracker_lost'));")).expect("the counter");
        assert_eq!(lost["count"], 1);
        let logs = site.stack.logs();
        assert!(logs.contains("HT-1803") && !logs.contains("lost@example.org"), "{logs}");
        site.stack.sql("DROP TABLE wp_halt_tracker_capture").expect("dropped");
    });
}
