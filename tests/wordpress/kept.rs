//! Forms with files, and very large forms, on a site whose engine cannot take them: what an add-on deletes at the end of the
//! request is kept in the site's own table, and nothing comes in by halves.

use crate::site::{Site, on_a_site, quoted, rows};
use crate::stack::divi::{self, accepted};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::Value;

/// A CV larger than two parts of the table, of every byte value, and other bytes for each seed.
fn cv(seed: u32) -> Vec<u8> {
    let mut bytes = b"%PDF-1.4\n".to_vec();
    bytes.extend((seed..seed + 600_000).map(|at| (at.wrapping_mul(2_654_435_761) >> 24) as u8));
    bytes.extend_from_slice(b"\n%%EOF\n");
    bytes
}

fn sql(site: &Site, statement: &str) -> String {
    site.stack.sql(statement).expect("the statement")
}

fn count(site: &Site, condition: &str) -> usize {
    sql(site, &format!("SELECT COUNT(*) FROM wp_halt_tracker_capture WHERE {condition}")).parse().expect("a number")
}

/// Uploads a file as an add-on does, and sends the form that names it; the add-on deletes the file in the same request.
fn apply_with(site: &Site, path: u8, email: &str, bytes: &[u8]) {
    site.stack.divi_quirks(&["delete_uploads"]).expect("quirks");
    let folder = site.stack.wordpress.join("wp-content/uploads/cfefd-uploads/tmp");
    let name = format!("cv-{path}-1700000000.pdf");
    let from = site.stack.root.join("tmp/upload");
    std::fs::write(&from, bytes).expect("written");
    site.php(&format!("wp_mkdir_p('{0}'); copy('{1}', '{0}/{name}');", folder.display(), from.display()));
    let pairs = divi::application_with_file(path, &[("name", "Ada Lovelace"), ("email", email), ("cv", &name)]);
    let page = if path == 5 { "d5file" } else { "d4file" };
    let reply = site.stack.divi_post(page, &pairs);
    assert!(accepted(&reply), "{}\n{}", reply.text(), site.stack.logs());
    assert!(!folder.join(&name).exists(), "the quirk left the file");
}

fn deliver(site: &Site, emails: &[&str]) {
    site.until("the forms are in Tracker", || {
        site.cron();
        emails.iter().all(|email| site.records("resources", email).len() == 1)
            && rows(&site.sim.ledger(), "documents").len() >= emails.len()
    });
}

fn documents(site: &Site) -> Vec<Vec<u8>> {
    let all = rows(&site.sim.ledger(), "documents");
    all.iter().map(|one| BASE64.decode(one["data"].as_str().expect("data")).expect("base64")).collect()
}

fn ready(site: &Site) {
    site.credentials();
    site.options(&[("pace", "60000")]);
    site.cron();
}

#[test]
fn a_cv_that_is_deleted_at_once_reaches_tracker_though_the_engine_was_away() {
    on_a_site(|site| {
        ready(site);
        site.stack.set_extension(false).expect("without the module");
        for path in [4, 5] {
            apply_with(site, path, &format!("away{path}@example.org"), &cv(path.into()));
        }
        assert_eq!((count(site, "part = 0"), count(site, "part > 0")), (2, 6));
        assert_eq!(sql(site, "SELECT DISTINCT parts FROM wp_halt_tracker_capture WHERE part = 0"), "4");
        let most: usize =
            sql(site, "SELECT MAX(LENGTH(sealed)) FROM wp_halt_tracker_capture").parse().expect("a number");
        assert!(most <= 512 * 1024, "{most}");
        let clear = sql(site, "SELECT HEX(sealed) FROM wp_halt_tracker_capture");
        assert!(!clear.contains("255044462D312E34"), "a CV lies in the clear");

        site.stack.set_extension(true).expect("the module");
        deliver(site, &["away4@example.org", "away5@example.org"]);
        let held = documents(site);
        assert_eq!(held.len(), 2);
        assert!(held.contains(&cv(4)) && held.contains(&cv(5)), "other bytes than were uploaded");
        site.cron();
        assert_eq!((count(site, "1"), documents(site).len()), (0, 2));
    });
}

#[test]
fn a_cv_that_is_deleted_at_once_reaches_tracker_though_the_store_was_locked() {
    on_a_site(|site| {
        ready(site);
        let folder = site.php("echo Places::known_data_dir();");
        let lock = std::fs::OpenOptions::new().read(true).write(true).open(format!("{folder}/write.lock")).expect("it");
        lock.lock().expect("locked");
        apply_with(site, 5, "locked@example.org", &cv(1));
        assert_eq!((count(site, "part = 0 AND code = 1104"), count(site, "part > 0")), (1, 3));
        lock.unlock().expect("unlocked");
        deliver(site, &["locked@example.org"]);
        assert!(documents(site) == [cv(1)], "other bytes than were uploaded");
    });
}

#[test]
fn a_form_with_a_damaged_part_stays_whole_and_holds_up_nothing() {
    on_a_site(|site| {
        ready(site);
        site.stack.set_extension(false).expect("without the module");
        apply_with(site, 5, "damaged@example.org", &cv(2));
        sql(site, "UPDATE wp_halt_tracker_capture SET sealed = REVERSE(sealed) WHERE part = 2");
        apply_with(site, 4, "sound@example.org", &cv(3));
        site.stack.set_extension(true).expect("the module");
        deliver(site, &["sound@example.org"]);
        assert!(documents(site) == [cv(3)]);
        assert_eq!((count(site, "part = 0"), count(site, "part > 0")), (1, 3), "the damaged one stays, all of it");
        assert_eq!(site.submissions().len(), 1, "half a form came in");
        assert!(site.page("halt-tracker").has("1 form was kept"));
        // Brought back by hand, it comes in like any other.
        sql(site, "UPDATE wp_halt_tracker_capture SET sealed = REVERSE(sealed) WHERE part = 2");
        deliver(site, &["sound@example.org", "damaged@example.org"]);
        assert!(documents(site).contains(&cv(2)));
    });
}

#[test]
fn parts_without_a_form_are_nobodys_and_go_after_a_day() {
    on_a_site(|site| {
        ready(site);
        site.stack.set_extension(false).expect("without the module");
        apply_with(site, 5, "dying@example.org", &cv(4));
        // The request died before its last row.
        sql(site, "DELETE FROM wp_halt_tracker_capture WHERE part = 0");
        site.stack.set_extension(true).expect("the module");
        site.cron();
        assert_eq!((count(site, "part > 0"), site.submissions().len()), (3, 0));
        assert!(!site.page("halt-tracker").has("was kept"));
        sql(site, "UPDATE wp_halt_tracker_capture SET created_at = created_at - 90000000");
        apply_with(site, 4, "alive@example.org", &cv(5));
        site.cron();
        assert_eq!(count(site, "1"), 0);
    });
}

#[test]
fn an_adoption_that_was_cut_off_between_parts_is_done_once_by_the_next() {
    on_a_site(|site| {
        ready(site);
        site.stack.set_extension(false).expect("without the module");
        apply_with(site, 5, "cut@example.org", &cv(6));
        site.stack.set_extension(true).expect("the module");
        let adopt = "global $wpdb; foreach ($wpdb->get_results('SELECT *, HEX(sealed) AS hex FROM wp_halt_tracker_capture WHERE PARTS') as $row) {
            Engine::call('adopt', [json_encode(['id' => $row->id, 'part' => (int) $row->part, 'hash' => $row->hash, 'key_id' => $row->key_id]), hex2bin($row->hex)]); }";
        site.php(&adopt.replace("PARTS", "part IN (2, 1)"));
        assert_eq!(site.submissions().len(), 0);
        // The second time the process dies after the commit, before the rows are deleted.
        site.php(&adopt.replace("PARTS", "part > 0 OR part = 0 ORDER BY part = 0, part"));
        assert_eq!(count(site, "1"), 4);
        deliver(site, &["cut@example.org"]);
        assert_eq!((count(site, "1"), site.submissions().len()), (0, 1));
        assert!(documents(site) == [cv(6)]);
    });
}

/// Calls the hook as Divi does with one huge form, and says what the request came to.
fn fire_huge(site: &Site, email: &str) -> String {
    let fire = "$fields = ['email' => ['value' => 'EMAIL', 'label' => 'E']];
        for ($at = 0; $at < 10000; $at++) { $fields['field-' . $at] = ['value' => str_repeat('ä', 50) . $at, 'label' => 'Field ' . $at]; }
        $fields['message'] = ['value' => str_repeat('long \"text\" ', 300000), 'label' => 'M'];
        do_action('et_pb_contact_form_submit', $fields, false, ['contact_form_id' => 'huge', 'module_slug' => 'divi/contact-form', 'post_id' => false]);
        echo 'whole';";
    site.php(&fire.replace("EMAIL", email))
}

#[test]
fn a_form_of_ten_thousand_fields_comes_in_with_and_without_the_engine() {
    on_a_site(|site| {
        assert_eq!(fire_huge(site, "huge1@example.org"), "whole");
        let direct = site.submissions();
        assert_eq!(direct.len(), 1);
        site.stack.set_extension(false).expect("without the module");
        assert_eq!(fire_huge(site, "huge2@example.org"), "whole");
        assert!(count(site, "part > 0") >= 10, "{}", count(site, "1"));
        site.stack.set_extension(true).expect("the module");
        site.cron();
        assert_eq!(count(site, "1"), 0, "{}", site.stack.logs());
        let held: Vec<Value> = site.submissions();
        assert_eq!(held.len(), 2);
        for one in &held {
            assert_eq!(one["fields"]["field-9999"], format!("{}9999", "ä".repeat(50)));
            assert_eq!(one["fields"]["message"], "long \"text\" ".repeat(300_000));
            assert_eq!(one["fields"].as_object().map(serde_json::Map::len), Some(10_002));
        }
        assert_eq!(site.php("echo json_encode(get_option('halt_tracker_lost'));"), "false");
    });
}

#[test]
fn a_name_that_leads_elsewhere_is_not_kept_as_a_file() {
    on_a_site(|site| {
        ready(site);
        let uploads = site.stack.wordpress.join("wp-content/uploads");
        site.php(&format!(
            "$dir = '{0}/cfefd-uploads/tmp'; wp_mkdir_p($dir); symlink(ABSPATH . 'wp-config.php', $dir . '/link.pdf'); wp_mkdir_p($dir . '/folder.pdf');
             file_put_contents($dir . '/old.pdf', '%PDF-1.4'); touch($dir . '/old.pdf', time() - 90000); file_put_contents('{0}/outside.pdf', '%PDF-1.4');",
            uploads.display()
        ));
        site.stack.set_extension(false).expect("without the module");
        let names = "link.pdf,folder.pdf,old.pdf,../../outside.pdf,missing.pdf";
        let pairs = divi::application_with_file(5, &[("email", "elsewhere@example.org"), ("cv", names)]);
        assert!(accepted(&site.stack.divi_post("d5file", &pairs)), "{}", site.stack.logs());
        assert_eq!((count(site, "part = 0"), count(site, "part > 0")), (1, 0));
        site.stack.set_extension(true).expect("the module");
        site.cron();
        let files = site.submissions().remove(0)["file_list"].as_array().cloned().unwrap_or_default();
        assert_eq!(files.len(), 5);
        assert!(files.iter().all(|file| file["kept"] == false && file["refused"] == "HT-1707"), "{files:#?}");
        site.php(&format!(
            "unlink({0} . '/link.pdf'); rmdir({0} . '/folder.pdf');",
            quoted(&uploads.join("cfefd-uploads/tmp").display().to_string())
        ));
    });
}

#[test]
fn an_upload_goes_to_the_first_who_names_it_also_while_the_engine_is_away() {
    on_a_site(|site| {
        ready(site);
        site.php("Engine::act(['action' => 'pause']);");
        let folder = site.stack.wordpress.join("wp-content/uploads/cfefd-uploads/tmp");
        let lay_down = |name: &str| {
            let file = quoted("%PDF-1.4\nsomebody's own\n%%EOF\n");
            site.php(&format!("wp_mkdir_p('{0}'); file_put_contents('{0}/{name}', {file});", folder.display()));
        };
        let apply = |email: &str, name: &str| {
            let pairs = divi::application_with_file(5, &[("email", email), ("cv", name)]);
            assert!(accepted(&site.stack.divi_post("d5file", &pairs)), "{}", site.stack.logs());
        };
        // One takes the file directly; another guesses its name while the engine is away. Of the next file both forms are kept.
        ["cv-1.pdf", "cv-2.pdf"].iter().for_each(|name| lay_down(name));
        apply("first1@example.org", "cv-1.pdf");
        site.stack.set_extension(false).expect("without the module");
        apply("second1@example.org", "cv-1.pdf");
        apply("first2@example.org", "cv-2.pdf");
        apply("second2@example.org", "cv-2.pdf");
        assert_eq!(count(site, "part = 0"), 3);
        site.stack.set_extension(true).expect("the module");
        site.until("all are taken over", || {
            site.cron();
            count(site, "1") == 0
        });
        apply("third2@example.org", "cv-2.pdf");
        let mut files: Vec<(String, String)> = site
            .submissions()
            .iter()
            .map(|one| {
                let file = &one["file_list"][0];
                let became = if file["kept"] == true { "kept" } else { file["refused"].as_str().unwrap_or("") };
                (one["fields"]["email"].as_str().unwrap_or("").to_owned(), became.to_owned())
            })
            .collect();
        files.sort();
        let expected = [
            ("first1", "kept"),
            ("first2", "kept"),
            ("second1", "HT-1707"),
            ("second2", "HT-1707"),
            ("third2", "HT-1707"),
        ];
        let expected: Vec<_> =
            expected.iter().map(|(who, became)| (format!("{who}@example.org"), (*became).to_owned())).collect();
        assert_eq!(files, expected);
    });
}
