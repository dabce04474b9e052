//! What else runs on a site: handlers that turn every warning into an exception, consumers that end the request, filters that
//! throw, caches that lie, a database that goes away. A form is held all the same, and the page says nothing of us.

use crate::site::{Site, on_a_site, rows};
use crate::stack::divi::{self, accepted};
use serde_json::{Value, json};

/// Code that every request of the site runs, until this is dropped.
pub struct MustUse<'a>(&'a Site);

impl<'a> MustUse<'a> {
    pub fn load(site: &'a Site, code: &str) -> Self {
        std::fs::write(Self::path(site), format!("<?php\n{code}")).expect("written");
        Self(site)
    }

    fn path(site: &Site) -> std::path::PathBuf {
        site.stack.wordpress.join("wp-content/mu-plugins/surroundings.php")
    }
}

impl Drop for MustUse<'_> {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(Self::path(self.0));
    }
}

fn kept(site: &Site) -> String {
    site.stack.sql("SELECT COUNT(*) FROM wp_halt_tracker_capture WHERE part = 0").expect("a count")
}

fn lost(site: &Site) -> String {
    site.php("echo json_encode(get_option('halt_tracker_lost'));")
}

/// Fires the hook as Divi does inside PHP that has WordPress loaded, after some code; what was printed.
fn fire(site: &Site, before: &str, fields: &str) -> String {
    site.php(&format!(
        "{before} do_action('et_pb_contact_form_submit', {fields}, false, ['contact_form_id' => 'et_pb_contact_form_0', 'contact_form_number' => 0, 'contact_form_unique_id' => '11111111-2222-4333-8444-555555555555', 'module_slug' => 'divi/contact-form', 'post_id' => false]);"
    ))
}

/// Every warning, also one that is silenced, becomes an exception while the hook runs.
const STRICT: &str = "
add_action('et_pb_contact_form_submit', function () { set_error_handler(function ($level, $text) { throw new ErrorException($text, 0, $level); }); }, 0);
add_action('et_pb_contact_form_submit', function () { restore_error_handler(); }, PHP_INT_MAX);";

#[test]
fn a_handler_that_throws_at_every_warning_takes_neither_form_nor_file() {
    on_a_site(|site| {
        site.credentials();
        let _strict = MustUse::load(site, STRICT);
        let folder = site.stack.wordpress.join("wp-content/uploads/cfefd-uploads/tmp");
        for engine in [true, false] {
            site.stack.set_extension(engine).expect("the module");
            site.php(&format!(
                "wp_mkdir_p('{0}'); file_put_contents('{0}/strict.pdf', '%PDF-1.4 {engine}');",
                folder.display()
            ));
            let email = format!("strict-{engine}@example.org");
            let pairs = divi::application_with_file(5, &[("email", &email), ("cv", "strict.pdf,missing.pdf")]);
            let reply = site.stack.divi_post("d5file", &pairs);
            assert!(accepted(&reply), "{}\n{}", reply.text(), site.stack.logs());
        }
        assert_eq!((kept(site).as_str(), lost(site).as_str()), ("1", "false"), "{}", site.stack.logs());
        site.stack.set_extension(true).expect("the module");
        site.cron();
        let held = site.submissions();
        assert_eq!(held.len(), 2);
        for one in held {
            let files = one["file_list"].as_array().cloned().unwrap_or_default();
            assert_eq!(
                (files.len(), &files[0]["kept"], &files[1]["kept"]),
                (2, &json!(true), &json!(false)),
                "{files:#?}"
            );
        }
    });
}

#[test]
fn a_consumer_that_ends_the_request_takes_no_form_away() {
    on_a_site(|site| {
        site.credentials();
        // As ordinary plugins do, at the earliest place that leaves us ours.
        let exit = "add_action('init', function () { add_action('et_pb_contact_form_submit', function () { exit('ended'); }, 1); });";
        let _exit = MustUse::load(site, exit);
        for path in [4, 5] {
            let email = format!("exit{path}@example.org");
            let reply = site.stack.divi_apply(path, &[("email", &email)]);
            assert!(reply.status == 200 && reply.has("ended"), "{}", reply.text());
            site.until("it is in Tracker without any cron", || site.records("resources", &email).len() == 1);
            site.until_no_run();
        }
    });
}

#[test]
fn each_of_our_filters_may_throw_or_answer_nonsense_and_nothing_changes() {
    on_a_site(|site| {
        site.credentials();
        site.options(&[("pace", "60000")]);
        let hooks = [
            "accept_submission",
            "submission_fields",
            "submission_meta",
            "upload_dirs",
            "alert_recipients",
            "relay_after_response",
        ];
        for (round, body) in
            ["throw new Error('filter');", "return \"\\xff\";", "return null;", "return new stdClass();"]
                .iter()
                .enumerate()
        {
            let code: String = hooks
                .iter()
                .map(|hook| format!("add_filter('halt_tracker_{hook}', function () {{ {body} }});\n"))
                .collect();
            let _filters = MustUse::load(site, &code);
            let email = format!("filter{round}@example.org");
            site.apply(5, &[("email", &email)]);
            // Without any cron: what follows the answer is one of the things that do not change.
            site.until("it is delivered", || site.records("resources", &email).len() == 1);
            site.until_no_run();
        }
        let _filters = MustUse::load(
            site,
            "add_filter('halt_tracker_accept_submission', function ($yes, $summary, $fields) { return $fields['email'] !== 'no@example.org' || isset($summary['fields']); }, 10, 3);",
        );
        site.apply(5, &[("email", "no@example.org")]);
        site.apply(5, &[("email", "yes@example.org")]);
        let emails: Vec<Value> = site.submissions().iter().map(|one| one["fields"]["email"].clone()).collect();
        assert!(emails.contains(&json!("yes@example.org")) && !emails.contains(&json!("no@example.org")), "{emails:?}");
        assert_eq!(lost(site), "false");
    });
}

#[test]
fn actions_come_after_the_engine_and_carry_no_value_of_the_form() {
    on_a_site(|site| {
        site.credentials();
        let code = "foreach (['submission_accepted', 'submission_delivered', 'submission_failed', 'submission_attention', 'lane_paused', 'lane_resumed'] as $name) {
            add_action('halt_tracker_' . $name, function () use ($name) {
                file_put_contents(WP_CONTENT_DIR . '/uploads/actions.txt', json_encode([$name, func_get_args(), class_exists('Halt\\Tracker\\WordPress\\Engine')]) . \"\\n\", FILE_APPEND);
                throw new Error('listener'); }, 10, 3); }";
        let _listeners = MustUse::load(site, code);
        site.apply(4, &[("name", "Canary"), ("email", "action@example.org")]);
        let path = site.stack.wordpress.join("wp-content/uploads/actions.txt");
        let heard = || std::fs::read_to_string(&path).unwrap_or_default();
        // The store knows of it before the listeners do.
        site.until("it is delivered and told", || {
            site.cron();
            heard().contains("submission_delivered")
        });
        let said = heard();
        let _ = std::fs::remove_file(&path);
        let lines: Vec<Value> = said.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        let id = site.submissions()[0]["id"].clone();
        let of = |name: &str| {
            lines.iter().find(|line| line[0] == name).unwrap_or_else(|| panic!("{name}: {said}"))[1].clone()
        };
        assert_eq!(of("submission_accepted")[0], id);
        let delivered = of("submission_delivered");
        let record = rows(&site.sim.ledger(), "resources").remove(0)["id"].clone();
        assert_eq!((&delivered[0], &delivered[1], &delivered[2]), (&id, &json!("Resource"), &record));
        assert!(!said.contains("Canary") && !said.contains("action@"), "{said}");
        // The listener's fault is in the log as a code, and its words are not.
        let logs = site.stack.logs();
        assert!(logs.contains("halt-tracker HT-1004 Error") && !logs.contains("listener"), "{logs}");
    });
}

#[test]
fn bytes_that_are_no_text_and_odd_names_are_held_and_lose_nothing_else() {
    on_a_site(|site| {
        for engine in [true, false] {
            site.stack.set_extension(engine).expect("the module");
            let fields = format!(
                "['email' => ['value' => 'bytes-{engine}@example.org'], 'bad' => ['value' => \"ok \\xff\\xfe end\", 'label' => \"\\xc3\"], '' => ['value' => 'no name'],
                  \"b\\xffd\" => ['value' => 'odd name'], 'deep' => ['value' => ['a', ['x'], null, 7, true]], 'nul' => ['value' => \"a\\0b\"], '12' => ['value' => '0']]"
            );
            assert_eq!(fire(site, "ini_set('display_errors', '1');", &fields), "", "something was printed");
        }
        assert_eq!(kept(site), "1");
        site.stack.set_extension(true).expect("the module");
        site.cron();
        let held = site.submissions();
        assert_eq!(held.len(), 2, "{}", site.stack.logs());
        for one in held {
            let fields = &one["fields"];
            assert_eq!(fields["bad"], "ok \u{fffd}\u{fffd} end");
            assert_eq!(
                (&fields[""], &fields["b\u{fffd}d"], &fields["12"]),
                (&json!("no name"), &json!("odd name"), &json!("0"))
            );
            assert_eq!((&fields["deep"], &fields["nul"]), (&json!("a, 7, 1"), &json!("a\0b")));
        }
        assert_eq!(lost(site), "false");
    });
}

#[test]
fn an_object_cache_that_lies_leads_to_no_second_store_and_loses_nothing() {
    on_a_site(|site| {
        site.credentials();
        let email = |name: &str| format!("['email' => ['value' => '{name}@example.org']]");
        let before = site.php("echo get_option('halt_tracker_data_dir');");
        // What is there is said not to be there.
        let none = "wp_cache_set('notoptions', array_fill_keys(['halt_tracker_data_dir', 'halt_tracker_key_file', 'halt_tracker_install_id', 'halt_tracker_epoch', 'halt_tracker_public_key'], true), 'options');";
        fire(site, none, &email("none"));
        // A former value is said to be there still.
        let former = "wp_cache_set('halt_tracker_data_dir', '/nowhere/halt-tracker-0', 'options'); wp_cache_set('halt_tracker_epoch', 'former', 'options'); wp_cache_set('halt_tracker_install_id', 'former', 'options');";
        fire(site, former, &email("former"));
        assert_eq!(site.php("echo get_option('halt_tracker_data_dir');"), before);
        site.cron();
        let mut emails: Vec<String> =
            site.submissions().iter().map(|one| one["fields"]["email"].as_str().unwrap_or("").to_owned()).collect();
        emails.sort();
        assert_eq!(emails, ["former@example.org", "none@example.org"], "{}", site.stack.logs());
        assert_eq!((kept(site).as_str(), lost(site).as_str()), ("0", "false"));
    });
}

#[test]
fn a_database_that_only_reads_keeps_no_form_out_of_the_store() {
    on_a_site(|site| {
        site.credentials();
        // The engine asks for its epoch to be remembered, and that cannot be written.
        site.php("foreach (['epoch', 'counter'] as $name) { delete_option('halt_tracker_' . $name); }");
        site.stack.sql("SET GLOBAL read_only = 1").expect("the switch");
        let said = fire(site, "", "['email' => ['value' => 'read-only@example.org']]");
        site.stack.sql("SET GLOBAL read_only = 0").expect("the switch");
        assert_eq!(said, "");
        let logs = std::fs::read_to_string(site.stack.root.join("logs/debug.log")).unwrap_or_default();
        assert!(!logs.contains("HT-1803"), "{logs}");
        assert_eq!((lost(site).as_str(), kept(site).as_str()), ("false", "0"));
        site.cron();
        assert_eq!(site.submissions().len(), 1, "{}", site.stack.logs());
        assert_ne!(site.php("echo strlen(get_option('halt_tracker_epoch'));"), "0");
    });
}

#[test]
fn a_database_that_went_away_is_said_in_the_log_with_the_code_and_the_page_goes_on() {
    on_a_site(|site| {
        // The page has begun: WordPress then gives up a lost connection instead of ending the request.
        let gone = "global $wpdb; $GLOBALS['wp_actions']['template_redirect'] = 1; $wpdb->close();
            (function () { $this->dbhost = 'localhost:/nowhere.sock'; $this->reconnect_retries = 1; })->call($wpdb);";
        let said = fire(site, gone, "['email' => ['value' => 'gone@example.org']]");
        assert_eq!(said, "");
        let logs = std::fs::read_to_string(site.stack.root.join("logs/debug.log")).expect("the log");
        assert!(logs.contains("halt-tracker HT-1803 submission="), "{}", site.stack.logs());
        assert!(!logs.contains("gone@example.org"));
        // The connection's own warnings are WordPress' and the reason of this test.
        site.stack.clear_logs();
    });
}

#[test]
fn a_form_that_could_not_be_kept_is_told_by_mail_also_while_the_engine_is_away() {
    on_a_site(|site| {
        site.stack.set_extension(false).expect("without the module");
        site.stack
            .sql("DROP TABLE wp_halt_tracker_capture; CREATE TABLE wp_halt_tracker_capture (id INT)")
            .expect("a useless table");
        site.apply(5, &[("email", "lost@example.org")]);
        site.cron();
        let record = MustUse::load(
            site,
            "add_filter('wp_mail', function ($mail) { update_option('surroundings_mail', ($mail['subject'] ?? '') . ' ' . ($mail['message'] ?? '')); return $mail; });",
        );
        site.php("delete_option('halt_tracker_alerts');");
        site.cron();
        let mail = site.php("echo get_option('surroundings_mail'); delete_option('surroundings_mail');");
        assert!(mail.contains("HT-1803") && mail.contains("HT-1001"), "{mail}");
        assert!(!mail.contains("lost@example.org"), "{mail}");
        drop(record);
        site.stack.sql("DROP TABLE wp_halt_tracker_capture").expect("dropped");
    });
}
