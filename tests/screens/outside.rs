//! Forms that lie outside the store, on a site whose cron is dead: the next visitor's answer brings them in, and what nobody
//! brings in is told where people look, and by mail to those who look nowhere.

use crate::site::{Site, body, on_a_site};

/// A form that was kept while the engine was away. The public key was remembered before.
pub fn keep_one(site: &Site, email: &str) {
    site.stack.set_extension(false).expect("without the module");
    site.apply(4, &[("email", email)]);
    site.stack.set_extension(true).expect("the module");
    assert_eq!(site.php("echo Capture::count();"), "1");
}

fn ready(site: &Site) {
    site.credentials();
    site.options(&[("pace", "60000")]);
    site.cron();
}

pub fn look(site: &Site) {
    site.php("Halt\\Tracker\\WordPress\\Alerts::look();");
}

/// The kept forms as if they had come two hours ago.
fn age(site: &Site) {
    site.stack.sql("UPDATE wp_halt_tracker_capture SET created_at = created_at - 7200000").expect("aged");
}

#[test]
fn a_kept_form_comes_in_with_the_next_one_though_cron_is_dead() {
    on_a_site(|site| {
        ready(site);
        keep_one(site, "kept@example.org");
        site.php("wp_clear_scheduled_hook('halt_tracker_process_queue');");
        site.apply(5, &[("email", "next@example.org")]);
        site.until("both are in Tracker", || {
            ["kept@example.org", "next@example.org"].iter().all(|email| site.records("resources", email).len() == 1)
        });
        assert_eq!(site.php("echo Capture::count();"), "0");
    });
}

#[test]
fn who_was_erased_does_not_come_back_with_the_next_form() {
    on_a_site(|site| {
        ready(site);
        keep_one(site, "erased@example.org");
        let said = site.php("echo json_encode(Halt\\Tracker\\WordPress\\Privacy::erase('erased@example.org'));");
        assert!(said.contains("\"items_retained\":true"), "{said}");
        site.apply(5, &[("email", "next@example.org")]);
        site.until("the next one is in Tracker", || {
            site.records("resources", "next@example.org").len() == 1 && site.php("echo Capture::count();") == "0"
        });
        assert_eq!(site.records("resources", "erased@example.org").len(), 0);
    });
}

#[test]
fn a_kept_form_that_no_run_takes_over_is_told_by_mail_dashboard_and_site_health() {
    on_a_site(|site| {
        ready(site);
        keep_one(site, "private@example.org");
        crate::health::is(site, "captured", "good", "");
        look(site);
        // That the engine was away has been told.
        let told = || crate::signals::mails(site).concat();
        assert!(!told().contains("waiting there for a long time"), "it has just been kept: {}", told());
        age(site);
        crate::health::is(site, "captured", "critical", "waiting outside the store for 2 hours");
        let shown = body(&site.page("halt-tracker"));
        assert!(shown.contains("Needs attention") && shown.contains("is not delivered yet"), "{shown}");
        assert!(!shown.contains("Everything that has arrived"), "{shown}");
        look(site);
        assert!(told().contains("needs you") && told().contains("waiting there for a long time"), "{}", told());
        assert!(!told().contains("private@example.org"), "{}", told());
        site.cron();
        crate::health::is(site, "captured", "good", "");
    });
}

#[test]
fn what_does_not_open_is_discarded_in_a_terminal_and_nothing_else_is() {
    on_a_site(|site| {
        ready(site);
        keep_one(site, "damaged@example.org");
        site.stack.sql("UPDATE wp_halt_tracker_capture SET sealed = REVERSE(sealed)").expect("damaged");
        let adopt = |more: &[&str], typed: &str| {
            let said = crate::cli::wp(site, &[&["adopt"], more].concat(), typed);
            (said.status, said.out + &said.err)
        };
        let (status, said) = adopt(&[], "");
        assert!(status == 1 && said.contains("HT-1801") && said.contains("0 adopted, 1 left"), "{said}");
        let (_, said) = adopt(&["--discard-unopened"], "n\n");
        assert!(said.contains("[y/n]") && site.php("echo Capture::count();") == "1", "{said}");
        // Without the engine nobody knows what opens.
        site.stack.set_extension(false).expect("without the module");
        site.php("Relay::adopt(20, true);");
        assert_eq!(site.php("echo Capture::count();"), "1");
        site.apply(4, &[("email", "sound@example.org")]);
        site.stack.set_extension(true).expect("the module");
        let (status, said) = adopt(&["--discard-unopened", "--yes"], "");
        assert!(status == 0 && said.contains("1 adopted, 0 left, 1 discarded"), "{said}");
        assert_eq!(site.php("echo Capture::count(), ' ', count(Engine::call('list', ['{}'])['items']);"), "0 1");
    });
}
