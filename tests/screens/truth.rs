//! What a page, a command or a mail says is what has happened: nothing is called done that was not, nothing undone that was, and
//! advice that is followed to the letter works.

use crate::cli::wp;
use crate::forms::unescape;
use crate::health::is;
use crate::hook;
use crate::hooks::{MustUse, NO_RUN_AFTER};
use crate::site::{CLIENT_SECRET, REFRESH_TOKEN, SHARED_SECRET, Site, body, on_a_site};
use serde_json::json;

fn submit(site: &Site, email: &str) -> u16 {
    let text = json!({ "form_id": "careers", "fields": { "name": "Jane Doe", "email": email } });
    hook::request(SHARED_SECRET, text.to_string()).send(site).status
}

fn set(site: &Site, name: &str) -> bool {
    let all = site.status()["secrets"].as_array().cloned().unwrap_or_default();
    all.iter().any(|one| one["name"] == name && one["set"] == true)
}

#[test]
fn a_secret_that_is_not_there_is_not_called_retired_and_the_leaked_one_keeps_working() {
    on_a_site(|site| {
        site.credentials();
        let page = site.press("halt-tracker-settings&tab=webhook", "retire_secret", &[("id", "99")]);
        assert!(page.has("HT-1409") && !page.has("The secret is retired."), "{}", body(&page));
        for number in ["99", "0", "-1", "1x", "one"] {
            let said = wp(site, &["secret", "retire", number, "--yes"], "");
            assert!(
                said.status == 1 && said.err.contains("HT-1409") && !said.out.contains("Retired"),
                "{number}: {}{}",
                said.out,
                said.err
            );
        }
        assert!(!site.stack.logs().contains("halt-tracker changed"), "{}", site.stack.logs());
        assert_eq!(site.stack.divi_events().len(), 0, "no mail tells of what did not happen");
        assert_eq!(submit(site, "leaked@example.org"), 202);
    });
}

#[test]
fn a_mistyped_reason_ends_no_pause() {
    on_a_site(|site| {
        site.credentials();
        assert_eq!(wp(site, &["pause"], "").status, 0);
        let said = wp(site, &["resume", "--reason=byhand"], "");
        assert!(said.status == 1 && said.err.contains("HT-1903"), "{}{}", said.out, said.err);
        assert_eq!(site.status()["lane"]["open"], false);
        assert_eq!(wp(site, &["resume", "--reason=by hand"], "").status, 0);
        assert_eq!(site.status()["lane"]["open"], true);
    });
}

#[test]
fn where_the_second_secret_cannot_be_saved_the_page_names_the_first_that_is() {
    // The store vanishes once the first is saved, because each that is saved is mailed.
    const VANISH: &str = "add_filter('wp_mail', function ($mail) {
        $dir = get_option('halt_tracker_data_dir'); @rename($dir, $dir . '-away'); return $mail; });";
    for handler in ["save_connection", "connect"] {
        on_a_site(|site| {
            // A store to lose.
            site.secrets(&[("shared_secret", SHARED_SECRET)]);
            let vanish = MustUse::load(site, VANISH);
            let page =
                if handler == "connect" { "halt-tracker&guide=1" } else { "halt-tracker-settings&tab=connection" };
            let typed = [("client_secret", CLIENT_SECRET), ("refresh_token", REFRESH_TOKEN)];
            let said = unescape(&body(&site.press(page, handler, &typed)));
            drop(vanish);
            let dir = site.php("echo get_option('halt_tracker_data_dir');");
            std::fs::rename(format!("{dir}-away"), &dir).expect("back");
            assert!(set(site, "client_secret") && !set(site, "refresh_token"), "{handler}");
            assert!(!said.contains("Nothing was saved") && !said.contains(CLIENT_SECRET), "{handler}: {said}");
            assert!(said.contains("Only this was saved and is in force: Client secret."), "{handler}: {said}");
            assert!(said.contains("Refresh token: "), "{handler}: {said}");
        });
    }
}

#[test]
fn the_guide_names_the_pause_that_is_there() {
    on_a_site(|site| {
        site.credentials();
        let _alone = MustUse::load(site, NO_RUN_AFTER);
        site.stack.set_constants(&[("HALT_TRACKER_PAUSED", "true")]).expect("constants");
        assert_eq!(submit(site, "guide@example.org"), 202);
        let key = site.submissions()[0]["form"]["key"].as_str().expect("a key").to_owned();
        let said = unescape(&body(&site.press(&format!("halt-tracker&guide=1&form={key}"), "send_test", &[])));
        assert!(said.contains("HALT_TRACKER_PAUSED is set in wp-config.php"), "{said}");
        assert!(!said.contains("Somebody paused sending"), "{said}");
    });
}

#[test]
fn the_earlier_plugins_credentials_are_called_taken_over_once_they_are() {
    on_a_site(|site| {
        let _earlier = MustUse::load(site, "final class Halt_Tracker_Plugin {}");
        site.php("update_option('halt_tracker_refresh_token', 'a token of the earlier plugin', false);");
        let notice = || site.stack.get_as(&site.admin, "/wp-admin/index.php").text();
        site.stack.set_extension(false).expect("without the module");
        assert!(notice().contains("stops as soon as") && !notice().contains("has stopped working"), "{}", notice());
        site.stack.set_extension(true).expect("the module");
        site.cron();
        assert!(notice().contains("job sync has stopped working"), "{}", notice());
        // The plugin itself did that: nobody is told that somebody did.
        let mails: String = site.stack.divi_events().iter().map(ToString::to_string).collect();
        assert!(mails.contains("moved them into its own store") && !mails.contains("Somebody changed"), "{mails}");
    });
}

#[test]
fn the_recipe_names_the_file_that_is_handed_out() {
    on_a_site(|site| {
        site.stack.set_extension(false).expect("without the module");
        let said = unescape(&body(&site.page("halt-tracker")));
        assert!(said.contains("/halt_tracker.so") && said.contains("/30-halt_tracker.ini"), "{said}");
        assert!(!said.contains("libhalt_tracker") && !said.contains("or download"), "{said}");
    });
}

#[test]
fn a_data_folder_below_the_web_root_is_moved_as_site_health_says() {
    on_a_site(|site| {
        site.credentials();
        let _alone = MustUse::load(site, NO_RUN_AFTER);
        assert_eq!(submit(site, "moved@example.org"), 202);
        is(site, "store", "recommended", "copy the data folder, named under Info, there first");
        let to = site.stack.root.join("tmp/moved-outside").display().to_string();
        site.php(&format!(
            "exec('rm -rf {to}; cp -a ' . escapeshellarg(get_option('halt_tracker_data_dir')) . ' {to}');"
        ));
        site.stack.set_constants(&[("HALT_TRACKER_DATA_DIR", &crate::site::quoted(&to))]).expect("constants");
        is(site, "store", "good", "wp halt-tracker backup");
        is(site, "keys", "good", "key folder");
        assert_eq!(site.submissions()[0]["fields"]["email"], "moved@example.org");
        assert_eq!(submit(site, "after@example.org"), 202);
        assert_eq!(site.submissions().len(), 2);
    });
}
