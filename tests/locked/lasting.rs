//! What an owner does to a site and what must not change by it: new salts in wp-config.php, and yesterday's data folder put
//! back by the host after somebody was erased.

use crate::disk::{Copy, in_text, places};
use crate::hook;
use crate::site::{SHARED_SECRET, Site, on_a_site};
use serde_json::json;
use std::process::Command;

fn send(site: &Site, name: &str, email: &str) -> u16 {
    let body = json!({ "form_id": "careers", "fields": { "name": name, "email": email } });
    hook::request(SHARED_SECRET, body.to_string()).send(site).status
}

#[test]
fn new_salts_in_wp_config_change_nothing() {
    on_a_site(|site| {
        site.credentials();
        site.options(&[("pace", "60000"), ("api", "rest")]);
        site.php("Engine::act(['action' => 'pause']);");
        assert_eq!(send(site, "Ada Before", "before@example.org"), 202);
        let before = (site.submissions(), site.status());
        let config = site.stack.wordpress.join("wp-config.php");
        let text = std::fs::read_to_string(&config).expect("read");
        let changed = text.replace("-salt'", "-another-salt'").replace("-key'", "-another-key'");
        assert!(changed.matches("-another-").count() == 8, "{changed}");
        std::fs::write(&config, &changed).expect("written");
        site.stack.restart_fpm("QUIT").expect("php-fpm");
        let said = site.php("echo AUTH_SALT;");
        assert!(said.contains("-another-salt"), "{said}");

        let after = (site.submissions(), site.status());
        assert_eq!(before.0, after.0, "every submission opens as before");
        for what in ["secrets", "keys", "lane", "counts"] {
            assert_eq!(before.1[what], after.1[what], "{what}");
        }
        assert_eq!(send(site, "Ada After", "after@example.org"), 202, "the webhook's secret is the same");
        site.php("Engine::act(['action' => 'resume', 'reason' => 'by hand']);");
        site.until("both are delivered with the credentials of before", || {
            site.cron();
            site.submissions().iter().all(|one| one["state"] == "done")
        });
        for email in ["before@example.org", "after@example.org"] {
            assert_eq!(site.records("resources", email).len(), 1, "{email}");
        }
        std::fs::write(&config, &text).expect("written");
        site.stack.restart_fpm("QUIT").expect("php-fpm");
    });
}

#[test]
fn who_was_erased_does_not_come_back_with_yesterdays_data_folder() {
    on_a_site(|site| {
        site.credentials();
        site.options(&[("pace", "60000"), ("api", "rest")]);
        site.php("Engine::act(['action' => 'pause']);");
        let (gone, stays) = ("marble-gone@canary.example", "quill-stays@canary.example");
        assert_eq!((send(site, "Marblewick", gone), send(site, "Quillfeather", stays)), (202, 202));
        // The same person where only a dotted path of the mapping leads.
        let nested =
            json!({ "form_id": "careers", "fields": { "who": { "name": ["Marblewick"], "mail": { "home": gone } } } });
        assert_eq!(hook::request(SHARED_SECRET, nested.to_string()).send(site).status, 202);
        // Somebody else names the address in a text.
        let referee = json!({ "form_id": "careers", "fields": { "name": "Quillfeather", "email": stays, "message": format!("Ask {gone} about me.") } });
        assert_eq!(hook::request(SHARED_SECRET, referee.to_string()).send(site).status, 202);
        let (data, _) = places(site);
        let yesterday = data.with_extension("yesterday");
        let copy = |from: &std::path::Path, to: &std::path::Path| {
            assert!(Command::new("cp").arg("-a").arg(from).arg(to).status().expect("cp").success());
        };
        copy(&data, &yesterday);
        let ids: Vec<String> =
            site.submissions().iter().filter_map(|one| one["id"].as_str().map(str::to_owned)).collect();

        let said = site.php(&format!("echo json_encode(\\Halt\\Tracker\\WordPress\\Privacy::export('{gone}'));"));
        assert!(said.contains(&format!("name: Marblewick, mail: home: {gone}")), "{said}");
        assert!(
            !said.contains("Quillfeather") && said.contains("somebody else"),
            "what others wrote is theirs: {said}"
        );
        let said = site.php(&format!("echo json_encode(\\Halt\\Tracker\\WordPress\\Privacy::erase('{gone}'));"));
        assert!(said.contains("\"items_removed\":true") && said.contains("1 submission of somebody else"), "{said}");
        // The option holds a hash and a time, nothing that names anybody.
        let option = site.stack.sql("SELECT option_value FROM wp_options WHERE option_name = 'halt_tracker_erased'");
        let option: serde_json::Value = serde_json::from_str(option.expect("read").trim()).expect("JSON");
        let entries: Vec<(&String, i64)> =
            option.as_object().expect("an object").iter().map(|(hash, at)| (hash, at.as_i64().unwrap_or(0))).collect();
        assert!(entries.len() == 1 && entries[0].0.len() == 64 && entries[0].1 > 0, "{option}");

        site.stack.restart_fpm("QUIT").expect("php-fpm");
        std::fs::remove_dir_all(&data).expect("removed");
        std::fs::rename(&yesterday, &data).expect("put back");
        let found = |what: &str| Copy::of(site).opened(&ids).iter().any(|(_, text)| !in_text(text, &[what]).is_empty());
        assert!(found("Marblewick"), "the control: with yesterday's folder the person is back");
        site.cron();
        assert!(!found("Marblewick"), "erased again");
        assert!(found("Quillfeather"), "nobody else is");
        let states = site.submissions();
        assert_eq!(states.iter().filter(|one| one["state"] == "erased").count(), 2, "{states:#?}");
        assert!(site.records("resources", gone).is_empty());
    });
}

#[test]
fn a_form_that_lies_sealed_outside_the_store_is_erased_when_it_is_taken_over() {
    on_a_site(|site| {
        site.credentials();
        site.options(&[("pace", "60000"), ("api", "rest")]);
        let email = "thistle-captured@canary.example";
        site.stack.set_extension(false).expect("without the module");
        site.apply(4, &[("name", "Thistledown"), ("email", email)]);
        site.apply(4, &[("name", "Quillfeather"), ("email", "quill-stays@canary.example")]);
        site.stack.set_extension(true).expect("the module");
        let said = site.php(&format!("echo json_encode(\\Halt\\Tracker\\WordPress\\Privacy::erase('{email}'));"));
        assert!(said.contains("\"items_retained\":true") && said.contains("sealed outside the store"), "{said}");
        site.until("both are taken over, one is delivered, the other is gone", || {
            site.cron();
            let states: Vec<String> =
                site.submissions().iter().filter_map(|one| one["state"].as_str().map(str::to_owned)).collect();
            states.len() == 2
                && states.iter().any(|state| state == "erased")
                && states.iter().any(|state| state == "done")
        });
        assert!(site.records("resources", email).is_empty());
        assert_eq!(site.records("resources", "quill-stays@canary.example").len(), 1);
        let left: Vec<String> = crate::disk::on_disk(&places(site).0, &["Thistledown", email]);
        assert!(left.is_empty(), "{left:?}");
    });
}

#[test]
fn before_the_data_of_a_failed_submission_goes_its_page_and_a_mail_say_so() {
    on_a_site(|site| {
        site.secrets(&[("shared_secret", SHARED_SECRET)]);
        site.php("Engine::act(['action' => 'pause']);");
        assert_eq!(send(site, "Ada Failed", "failed@example.org"), 202);
        let id = site.submissions()[0]["id"].as_str().expect("an id").to_owned();
        let ended = (hook::now() - 80 * 86_400) * 1_000;
        let store = rusqlite::Connection::open(places(site).0.join("queue.sqlite")).expect("opens");
        store.execute("UPDATE submission SET state = 'failed', code = 1513, ended_at = ?1", [ended]).expect("failed");
        drop(store);
        site.php("Engine::act(['action' => 'resume', 'reason' => 'by hand']);");
        site.stack.divi_forget();
        site.cron();
        assert!(site.submissions()[0]["fields"]["email"] == "failed@example.org", "it is still there");
        let page = site.page(&format!("halt-tracker-sync-log&id={id}"));
        assert!(page.has("is kept for 90 days"), "{}", crate::site::body(&page));
        let mails = json!(site.stack.divi_events().iter().filter(|event| event["by"] == "site").collect::<Vec<_>>());
        assert!(mails.to_string().contains("about to lose their data"), "{mails}");
        assert!(!mails.to_string().contains("failed@example.org"));
    });
}
