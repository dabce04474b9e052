//! What the pages offer when something has gone wrong for good: each trouble is named where people look, and each has a
//! button that ends it.

use crate::forms::{forms, unescape};
use crate::health::is;
use crate::site::{CLIENT_SECRET, REFRESH_TOKEN, SHARED_SECRET, Site, body, on_a_site};
use crate::stack::Reply;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};

const LOG: &str = "halt-tracker-sync-log";

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
        site.until("what came later is delivered", || {
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

#[test]
fn a_submission_that_does_not_open_is_in_the_csv_and_its_page_says_why_and_erases_it() {
    on_a_site(|site| {
        site.credentials();
        site.php("Engine::act(['action' => 'pause']);");
        site.apply(4, &[("email", "sealed@example.org")]);
        let sealed = site.submissions()[0]["id"].as_str().expect("an id").to_owned();
        lose_the_key(site);
        site.apply(4, &[("email", "open@example.org")]);
        let mut form = forms(&site.page(LOG).text())
            .into_iter()
            .find(|form| form.value("_wpnonce").is_some() && form.value("action") == Some("-1"))
            .expect("the list");
        form.set("halt_row", "export_all");
        let csv = site.stack.post_as(&site.admin, &format!("/wp-admin/admin.php?page={LOG}"), &form.fields);
        assert_eq!(csv.header("content-type"), Some("text/csv; charset=utf-8"), "{}", csv.status);
        let csv = csv.text();
        let line = csv.lines().find(|line| line.starts_with(&sealed)).unwrap_or_else(|| panic!("{csv}"));
        assert!(line.contains("HT-1303") && !line.contains("example.org"), "{line}");
        assert!(csv.contains("open@example.org"), "{csv}");

        let page = format!("{LOG}&id={sealed}");
        let shown = text(&site.page(&page));
        for part in ["HT-1303", "Bring the missing key file back", "step by step", "Discard", "Erase its data"] {
            assert!(shown.contains(part), "{part}: {shown}");
        }
        let said = text(&site.submit(&page, &[], |form| form.value("deed") == Some("erase")));
        assert!(said.contains("1 submission changed"), "{said}");
        let states: Vec<_> = site.submissions().iter().map(|one| one["state"].clone()).collect();
        assert_eq!(states, ["erased", "queued"]);
    });
}

#[test]
fn a_kept_form_that_cannot_be_taken_over_is_named_on_the_dashboard_and_in_a_mail() {
    on_a_site(|site| {
        site.credentials();
        site.cron();
        site.stack.set_extension(false).expect("without the module");
        site.apply(4, &[("email", "damaged@example.org")]);
        site.stack.sql("UPDATE wp_halt_tracker_capture SET sealed = REVERSE(sealed)").expect("damaged");
        site.stack.set_extension(true).expect("the module");
        site.apply(4, &[("email", "sound@example.org")]);
        site.until("the sound one is in Tracker", || {
            site.cron();
            site.records("resources", "sound@example.org").len() == 1
        });
        let shown = text(&site.page("halt-tracker"));
        assert!(shown.contains("1 form was kept") && shown.contains("HT-1801"), "{shown}");
        assert!(shown.contains("Bring the key file back that was in use at that time"), "{shown}");
        assert!(
            !shown.contains("taken over by the next run") && !shown.contains("Everything that has arrived"),
            "{shown}"
        );
        let mails = crate::signals::mails(site).concat();
        assert!(mails.contains("needs you") && mails.contains("HT-1801"), "{mails}");
        assert!(!mails.contains("damaged@example.org"), "{mails}");
        // Another one that waits is not said to be stuck.
        site.php("Engine::act(['action' => 'pause']);");
        site.stack.set_extension(false).expect("without the module");
        site.apply(4, &[("email", "waiting@example.org")]);
        let shown = text(&site.page("halt-tracker"));
        assert!(shown.contains("It is taken over by the next run"), "{shown}");
        // Who has nothing to bring back ends it; the other one comes in.
        site.stack.set_extension(true).expect("the module");
        let erase = "echo json_encode(Halt\\Tracker\\WordPress\\Privacy::erase('somebody@example.org'));";
        assert!(site.php(erase).contains("\"items_retained\":true"));
        let shown = text(&site.page("halt-tracker"));
        assert!(shown.contains("data-halt-ask=\"Discard the forms that do not open?"), "{shown}");
        let said = text(&site.press("halt-tracker", "discard_unopened", &[]));
        assert!(said.contains("1 form was discarded") && !said.contains("HT-1801"), "{said}");
        assert_eq!(site.php("echo Capture::count(), ' ', count(Engine::call('list', ['{}'])['items']);"), "0 2");
        assert!(
            site.stack.logs().contains("halt-tracker discarded kept forms count=1 user=1"),
            "{}",
            site.stack.logs()
        );
        crate::health::is(site, "captured", "good", "");
        assert!(site.php(erase).contains("\"items_retained\":false"));
    });
}

#[test]
fn a_form_that_was_lost_is_acknowledged_once_by_those_who_may_and_the_next_one_is_seen_again() {
    on_a_site(|site| {
        site.credentials();
        assert!(!text(&site.page("halt-tracker")).contains("HT-1803"));
        let lose = || site.php("Halt\\Tracker\\WordPress\\Lost::note('HT-1104');");
        lose();
        let shown = site.page("halt-tracker");
        assert!(text(&shown).contains("HT-1803") && text(&shown).contains("I have dealt with it"), "{}", text(&shown));
        // Another one is lost between looking and pressing: nobody has dealt with that.
        let form = forms(&shown.text()).into_iter().find(|form| form.value("action") == Some("halt_tracker_lost"));
        let form = form.expect("the button");
        lose();
        assert_eq!(site.stack.post_as(&site.admin, &form.action, &form.fields).status, 302);
        assert!(text(&site.page("halt-tracker")).contains("Another form was lost"), "it was forgotten unseen");
        crate::health::is(site, "captured", "critical", "HT-1803");
        let said = text(&site.press("halt-tracker", "lost", &[]));
        assert!(!said.contains("I have dealt with it"), "{said}");
        crate::health::is(site, "captured", "good", "");
        assert!(
            site.stack.logs().contains("halt-tracker acknowledged HT-1803 count=2 user=1"),
            "{}",
            site.stack.logs()
        );
        lose();
        crate::health::is(site, "captured", "critical", "HT-1803");
        let said = crate::cli::wp(site, &["doctor", "--lost-is-dealt-with"], "");
        assert!(said.out.contains("captured"), "{} {}", said.out, said.err);
        crate::health::is(site, "captured", "good", "");
    });
}

#[test]
fn a_settings_form_that_php_has_cut_off_saves_nothing_and_says_why() {
    on_a_site(|site| {
        site.credentials();
        site.options(&[("form_routing_lead", "temp"), ("form_routing_contact", "clients")]);
        let page = "halt-tracker-settings&tab=forms";
        let shown = site.page(page).text();
        let mut form = forms(&shown)
            .into_iter()
            .find(|form| form.value("action") == Some("halt_tracker_save_forms"))
            .expect("the form");
        let at = form.fields.iter().position(|(name, _)| name.starts_with("form_routing")).expect("the lists");
        // As a site with many forms would send it: the lists stand below all of them.
        let many = (0..1100).map(|number| (format!("forms[{number}][mode]"), "send".to_owned()));
        form.fields.splice(at..at, many);
        let sent = form.fields.len();
        let reply = site.stack.post_as(&site.admin, &form.action, &form.fields);
        let said = text(&site.stack.get_as(&site.admin, reply.header("location").expect("a redirect")));
        // PHP itself complains about it; that is the control.
        assert!(site.stack.logs().contains("Input variables exceeded"), "{}", site.stack.logs());
        site.stack.clear_logs();
        assert!(said.contains("Nothing was saved") && !said.contains("Saved."), "{said}");
        assert!(said.contains("max_input_vars") && said.contains(&sent.to_string()), "{sent}: {said}");
        assert_eq!(
            site.php("echo Options::text('form_routing_lead'), ' ', Options::text('form_routing_contact');"),
            "temp clients"
        );
        assert!(site.save_tab("forms", &[("form_routing_lead", "other")]).has("Saved."));
        assert_eq!(site.php("echo Options::text('form_routing_lead');"), "other");
    });
}

#[test]
fn where_no_folder_can_be_written_it_is_said_before_the_first_form_comes_and_the_uploads_are_enough() {
    on_a_site(|site| {
        let content = site.stack.wordpress.join("wp-content");
        let uploads = content.join("uploads");
        let web_user = std::fs::metadata(&uploads).expect("there").uid();
        let give = |folder: &Path, user| chown(folder, Some(user), None).expect("root gives folders away");
        let events = content.join("divi-fixture-events.jsonl");
        std::fs::write(&events, "").expect("the fixture's own file");
        give(&events, web_user);
        give(&content, 0);
        give(&uploads, 0);
        is(site, "store", "critical", "no folder can be written");
        assert!(text(&site.page("halt-tracker")).contains("write access to wp-content/uploads"));
        let plugins = site.stack.get_as(&site.admin, "/wp-admin/plugins.php").text();
        assert!(plugins.contains("no folder can be written"), "said where the plugin is activated");
        site.apply(4, &[("email", "lost@example.org")]);
        is(site, "captured", "critical", "HT-1101");
        let shown = text(&site.page("halt-tracker"));
        assert!(shown.contains("HT-1803") && shown.contains("The data folder cannot be written (HT-1101)"), "{shown}");

        // A place that was chosen while nothing could be written, as earlier versions did, holds nobody up afterwards.
        let never = content.join("halt-tracker-00000000000000000000000000000000");
        for (option, path) in [("data_dir", never.clone()), ("key_file", never.join("key.php"))] {
            site.php(&format!("update_option('halt_tracker_{option}', '{}', false);", path.display()));
        }
        give(&uploads, web_user);
        is(site, "store", "recommended", "below the web root");
        site.stack.set_extension(false).expect("without the module");
        site.apply(4, &[("email", "kept@example.org")]);
        assert_eq!(site.php("echo Capture::count();"), "1");
        site.stack.set_extension(true).expect("the module");
        site.apply(4, &[("email", "taken@example.org")]);
        site.cron();
        assert_eq!(site.submissions().len(), 2);
        for folder in ["Places::known_data_dir()", "dirname(Places::known_key_file())"] {
            let folder = PathBuf::from(site.php(&format!("echo {folder};")));
            assert_eq!(folder.parent(), Some(uploads.as_path()), "{}", folder.display());
            assert!(folder.join(".htaccess").is_file() && folder.join("index.php").is_file(), "deny files");
        }
        is(site, "store", "recommended", "below the web root");
        give(&content, web_user);
    });
}

/// Where the site's store lies, and the form of the page that names a folder.
fn folder(site: &Site) -> String {
    site.php("echo Places::known_data_dir();")
}

fn it_is_at(site: &Site, path: &str) -> Reply {
    site.submit("halt-tracker", &[("path", path)], |form| form.value("do") == Some("at"))
}

#[test]
fn a_site_whose_options_a_copy_has_overwritten_takes_its_own_store_back_with_all_that_came_meanwhile() {
    on_a_site(|site| {
        site.credentials();
        site.php("Engine::act(['action' => 'pause']);");
        site.apply(4, &[("email", "before@example.org")]);
        let (own, home) = (folder(site), site.php("echo get_option('home');"));
        // The copy on the same server presses "This is a copy" and fills its store; then its database is put over the live one.
        let address = |home: &str| site.php(&format!("update_option('home', '{home}');"));
        address("https://staging.example.org");
        site.php("Halt\\Tracker\\WordPress\\Whose::this_is_a_copy();");
        site.secrets(&[("shared_secret", SHARED_SECRET)]);
        site.php("Engine::act(['action' => 'pause']);");
        let copy = folder(site);
        assert_ne!(own, copy);
        assert!(site.stack.logs().contains(&format!("folder={own} ")), "what the copy let go of is written down");
        address(&home);

        site.apply(4, &[("email", "meanwhile@example.org")]);
        assert_eq!(site.php("echo Capture::count();"), "1");
        let shown = text(&site.page("halt-tracker"));
        assert!(shown.contains("HT-1105") && shown.contains(&own), "the own store is found: {shown}");
        assert_eq!(shown.matches("data-halt-ask").count(), 2, "{shown}");
        assert!(text(&it_is_at(site, &copy)).contains("Nothing was changed"), "the copy's store is none of this site");
        let shown = text(&it_is_at(site, &own));
        assert!(shown.contains("The store is used where it lies now"), "{shown}");
        assert_eq!(folder(site), own);
        assert_eq!(reasons(site), ["by hand", "restored"]);
        site.cron();
        let emails: Vec<_> = site.submissions().iter().map(|one| one["fields"]["email"].clone()).collect();
        assert_eq!(emails, ["before@example.org", "meanwhile@example.org"]);
        site.php("Engine::act(['action' => 'confirm_restore']); Engine::act(['action' => 'resume']);");
        site.until("both are delivered", || {
            site.cron();
            ["before@example.org", "meanwhile@example.org"].iter().all(|one| site.records("resources", one).len() == 1)
        });
    });
}

#[test]
fn a_store_of_another_installation_offers_no_move_that_cannot_work_and_a_constant_says_what_to_change() {
    on_a_site(|site| {
        site.credentials();
        let own = folder(site);
        site.php("update_option('halt_tracker_install_id', str_repeat('0', 32));");
        let shown = text(&site.page("halt-tracker"));
        assert!(shown.contains("This is a copy") && !shown.contains("This site has moved"), "{shown}");
        site.stack.set_constants(&[("HALT_TRACKER_DATA_DIR", &format!("'{own}'"))]).expect("constants");
        let said = text(&site.submit("halt-tracker", &[], |form| form.value("do") == Some("copy")));
        assert!(said.contains("Give this site another folder there"), "{said}");
        // The folder is right, the name is not: a constant does not stand in the way of that.
        let said = text(&it_is_at(site, &own));
        assert!(said.contains("The store is used where it lies now"), "{said}");
        assert_eq!(reasons(site), ["restored"]);
    });
}

#[test]
fn a_folder_that_is_refused_after_a_new_beginning_leaves_the_site_able_to_begin() {
    on_a_site(|site| {
        site.credentials();
        let (old, home) = (folder(site), site.php("echo get_option('home');"));
        // Another site's store is refused, and nothing was remembered before.
        site.php(
            "Halt\\Tracker\\WordPress\\Whose::start_a_new_store(); update_option('home', 'https://other.example');",
        );
        let refused = format!(
            "try {{ Halt\\Tracker\\WordPress\\Whose::it_is_at('{old}'); }} catch (\\Throwable $fault) {{ echo $fault->ht_code; }}
            echo ' ', get_option('halt_tracker_data_dir', 'none');"
        );
        assert_eq!(site.php(&refused), "HT-1105 none");
        // An empty one, which earlier versions left behind, is no place either.
        site.php(&format!(
            "update_option('home', '{home}');
            update_option('halt_tracker_data_dir', ''); update_option('halt_tracker_install_id', '');"
        ));
        site.secrets(&[("shared_secret", SHARED_SECRET)]);
        assert_ne!(folder(site), old);
    });
}

#[test]
fn the_key_for_forms_is_known_from_the_first_answer_on_and_root_makes_no_store_for_others() {
    on_a_site(|site| {
        let save = "try { echo json_encode(Halt\\Tracker\\WordPress\\Engine::call('saveSecret', ['refresh_token', 'x-token-0123456789'])); }
            catch (\\Throwable $fault) { echo $fault->ht_code, ' ', $fault->getMessage(); }";
        let said = site.stack.php_as("root", true, save).expect("it ends");
        assert!(said.starts_with("HT-1103") && said.contains("sudo -u www-data"), "{said}");
        assert_eq!(folder(site), "", "nothing was chosen or made");

        site.secrets(&[("shared_secret", SHARED_SECRET)]);
        let key = PathBuf::from(site.php("echo dirname(Places::known_key_file());"));
        site.stack.set_extension(false).expect("without the module");
        chown(&key, Some(0), None).expect("root takes it");
        std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o000)).expect("closed");
        site.apply(4, &[("email", "kept@example.org")]);
        assert_eq!(site.php("echo Capture::count(), get_option('halt_tracker_lost', '') === '' ? '' : ' lost';"), "1");
        std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o700)).expect("open");
        chown(&key, Some(std::fs::metadata(folder(site)).expect("there").uid()), None).expect("given back");
    });
}
