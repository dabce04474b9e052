//! What reaches people who look at none of our pages: mails about trouble, once a day and once when it is over, and the few
//! notices on other pages. Nothing about anybody is in them.

use crate::hook;
use crate::hooks::{MustUse, NO_RUN_AFTER};
use crate::site::{SHARED_SECRET, Site, on_a_site};
use serde_json::json;

/// Subject and text of each of our mails so far.
pub fn mails(site: &Site) -> Vec<String> {
    let events = site.stack.divi_events();
    let mails = events.iter().filter(|event| event["event"] == "mail").map(|event| event.to_string().replace('\\', ""));
    mails
        .filter(|mail| mail.contains("Halt Tracker"))
        .filter(|mail| !mail.contains("credentials were changed"))
        .collect()
}

fn submit(site: &Site, email: &str) {
    let text = json!({ "form_id": "careers", "fields": { "name": "Jane Doe", "email": email } });
    assert_eq!(hook::request(SHARED_SECRET, text.to_string()).send(site).status, 202);
}

#[test]
fn trouble_is_mailed_once_a_day_and_once_when_it_is_over_without_a_word_about_anybody() {
    on_a_site(|site| {
        site.credentials();
        let _cron = MustUse::load(site, NO_RUN_AFTER);
        submit(site, "private@example.org");
        site.cron();
        assert_eq!(mails(site), Vec::<String>::new(), "nothing is wrong");
        site.php("Engine::act(['action' => 'pause']);");
        site.cron();
        site.cron();
        let first = mails(site);
        assert_eq!(first.len(), 1, "{first:?}");
        assert!(first[0].contains("needs you") && first[0].contains("HT-1611"), "{first:?}");
        site.php("update_option('halt_tracker_alerts', array_map(static fn ($at) => $at - DAY_IN_SECONDS - 1, get_option('halt_tracker_alerts')), false);");
        site.cron();
        assert_eq!(mails(site).len(), 2, "a day later again");
        site.php("Engine::act(['action' => 'resume', 'reason' => 'by hand']);");
        site.cron();
        site.cron();
        let all = mails(site);
        assert!(all.len() == 3 && all[2].contains("is working again"), "{all:?}");
        assert!(!all.concat().contains("private@example.org") && !all.concat().contains("Jane"), "{all:?}");
    });
}

#[test]
fn what_waits_for_a_day_because_the_mapping_does_not_fit_is_mailed() {
    on_a_site(|site| {
        site.credentials();
        let text = json!({ "form_id": "careers", "fields": { "message": "no name, no e-mail" } });
        assert_eq!(hook::request(SHARED_SECRET, text.to_string()).send(site).status, 202);
        site.cron();
        assert!(!mails(site).concat().contains("HT-1404"), "it is an hour old at most");
        let yesterday = site.php("echo (int) ((microtime(true) - 25 * 3600) * 1000);");
        crate::health::store(site, &format!("UPDATE submission SET received_at = {yesterday} WHERE code = 1404"));
        site.cron();
        let all = mails(site).concat();
        assert!(all.contains("HT-1404") && all.contains("HT-1405") && all.contains("Correct the mapping"), "{all}");
    });
}

#[test]
fn submissions_that_failed_or_need_a_decision_are_mailed_in_words_that_fit_every_reason() {
    on_a_site(|site| {
        site.credentials();
        site.options(&[("activity_enabled", "1")]);
        let faults = json!([{ "on": "create_resource", "do": "status99", "times": 1 }, { "on": "create_activity", "do": "status99", "times": 1 }]);
        site.sim.switches(&json!({ "faults": faults }));
        submit(site, "refused@example.org");
        submit(site, "partial@example.org");
        site.until("both are settled", || {
            site.cron();
            let counts = &site.status()["counts"];
            counts["failed"] == 1 && counts["attention"] == 1
        });
        site.cron();
        let all = mails(site).concat();
        assert!(all.contains("refused by Tracker, or given up") && all.contains("need a decision"), "{all}");
        // What Tracker refuses today was not tried for a week, and a refused activity is no lost answer.
        assert!(!all.contains("HT-1606") && !all.contains("HT-1603"), "{all}");
    });
}

#[test]
fn a_schedule_that_is_dead_is_told_by_the_next_submission() {
    on_a_site(|site| {
        site.credentials();
        // Runs after an answer go on, and come to nothing: they are no sign of the schedule.
        site.sim.switches(&json!({ "faults": [{ "on": "*", "do": "503", "times": 999 }] }));
        // Each of them is looked at once its answer is out.
        let submit = |email: &str| {
            submit(site, email);
            let looked = || site.php("echo json_encode(get_option('halt_tracker_alerts_looked'));") != "false";
            site.until("a look", looked);
        };
        submit("first@example.org");
        let hours_ago = |hours: i64| (hook::now() - hours * 3600) * 1000;
        let cron_came = |hours: i64| {
            let (cron, received) = (hours_ago(hours), hours_ago(1));
            crate::health::store(
                site,
                &format!(
                    "INSERT OR REPLACE INTO meta (name, value) VALUES ('cron_at', '{cron}'), ('cron_interval', '300000'); UPDATE submission SET received_at = {received};"
                ),
            );
            site.php("delete_option('halt_tracker_alerts_looked');");
        };
        cron_came(0);
        submit("second@example.org");
        assert_eq!(mails(site), Vec::<String>::new(), "a schedule that lives");
        cron_came(1);
        submit("third@example.org");
        site.until("the mail", || !mails(site).is_empty());
        let told = mails(site);
        assert!(told.len() == 1 && told[0].contains("needs you"), "{told:?}");
        assert!(told[0].contains("the schedule has not run for a long time"), "{told:?}");
    });
}

#[test]
fn a_notice_outside_our_pages_can_be_dismissed_until_its_trouble_comes_a_second_time() {
    on_a_site(|site| {
        site.credentials();
        site.stack.set_extension(false).expect("without the module");
        let shown = |page: &str| site.stack.get_as(&site.admin, &format!("/wp-admin/{page}")).text();
        assert!(shown("index.php").contains("The engine is not running (HT-1001)"));
        let html = shown("index.php");
        let mut form = crate::forms::forms(&html)
            .into_iter()
            .find(|form| form.value("action") == Some("halt_tracker_dismiss"))
            .expect("the notice");
        form.set("unused", "");
        assert_eq!(site.stack.post_as(&site.admin, &form.action, &form.fields).status, 302);
        assert!(!shown("index.php").contains("The engine is not running"), "it comes back");
        // Once it is cured, the dismissal is forgotten: the next time is news again.
        site.stack.set_extension(true).expect("the module");
        assert!(!shown("index.php").contains("The engine is not running"), "it is there");
        site.stack.set_extension(false).expect("without the module");
        assert!(shown("index.php").contains("The engine is not running (HT-1001)"), "the second time is silent");
    });
}

#[test]
fn who_deactivates_is_told_how_many_wait() {
    on_a_site(|site| {
        site.credentials();
        let plugins = || site.stack.get_as(&site.admin, "/wp-admin/plugins.php");
        assert!(!plugins().text().contains("not delivered yet"));
        site.php("Engine::act(['action' => 'pause']);");
        submit(site, "a@example.org");
        assert!(plugins().text().contains("1 submission is not delivered yet"));
        submit(site, "b@example.org");
        assert!(plugins().text().contains("2 submissions are not delivered yet"));
    });
}
