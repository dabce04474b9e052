//! From activation to deletion: what is made is there, what is left behind is what the owner chose.

use crate::site::{Site, on_a_site};
use std::path::Path;

const PLUGIN: &str = "halt-tracker/halt-tracker.php";
const SCHEDULED: &str = "echo wp_next_scheduled('halt_tracker_process_queue') ? 'yes ' : 'no ', wp_get_schedule('halt_tracker_process_queue');";

fn tables(site: &Site) -> String {
    site.stack.sql("SHOW TABLES LIKE 'wp\\_halt\\_tracker%'").expect("tables")
}

fn plugin(site: &Site, call: &str) {
    site.php(&format!("require_once ABSPATH . 'wp-admin/includes/plugin.php'; wp_set_current_user(1); $done = {call}; if (is_wp_error($done)) {{ throw new Exception($done->get_error_message()); }}"));
}

fn activate(site: &Site) {
    plugin(site, &format!("activate_plugin('{PLUGIN}')"));
}

fn deactivate(site: &Site) {
    plugin(site, &format!("deactivate_plugins('{PLUGIN}')"));
}

#[test]
fn activation_makes_table_and_schedule_with_and_without_the_engine() {
    on_a_site(|site| {
        for engine in [true, false] {
            site.stack.set_extension(engine).expect("the module");
            deactivate(site);
            assert_eq!(site.php("echo json_encode(wp_next_scheduled('halt_tracker_process_queue')), json_encode(wp_next_scheduled('halt_tracker_continue'));"), "falsefalse");
            site.stack.sql("DROP TABLE wp_halt_tracker_capture").expect("dropped");
            activate(site);
            assert_eq!(tables(site), "wp_halt_tracker_capture");
            assert_eq!(
                site.stack
                    .sql("SELECT ENGINE FROM information_schema.TABLES WHERE TABLE_NAME='wp_halt_tracker_capture'")
                    .expect("engine"),
                "InnoDB"
            );
            assert_eq!(site.php(SCHEDULED), "yes halt_tracker_five_minutes");
        }
    });
}

#[test]
fn a_missing_event_is_repaired_by_the_next_admin_page_and_by_cron() {
    on_a_site(|site| {
        site.php("wp_clear_scheduled_hook('halt_tracker_process_queue');");
        assert_eq!(site.stack.get_as(&site.admin, "/wp-admin/index.php").status, 200);
        assert_eq!(site.php(SCHEDULED), "yes halt_tracker_five_minutes");
        site.php("wp_clear_scheduled_hook('halt_tracker_process_queue');");
        site.cron();
        assert_eq!(site.php(SCHEDULED), "yes halt_tracker_five_minutes");
    });
}

#[test]
fn the_real_cron_of_wordpress_delivers() {
    on_a_site(|site| {
        // Before there are credentials nothing goes out after the answer, so that what is seen is cron's work.
        site.apply(4, &[("name", "Ada Lovelace"), ("email", "cron@example.org")]);
        site.cron();
        site.credentials();
        site.php("wp_clear_scheduled_hook('halt_tracker_process_queue'); wp_schedule_event(time() - 5, 'halt_tracker_five_minutes', 'halt_tracker_process_queue');");
        assert_eq!(site.stack.get("/wp-cron.php?doing_wp_cron").status, 200);
        site.until("cron has delivered", || site.records("resources", "cron@example.org").len() == 1);
        assert_eq!(site.php(SCHEDULED), "yes halt_tracker_five_minutes");
    });
}

/// Prints each hook of an ordinary page on which a callback of ours stands.
const HOOKED: &str = r#"
foreach (['init', 'wp_loaded', 'wp', 'template_redirect', 'wp_enqueue_scripts', 'wp_head', 'wp_footer', 'shutdown'] as $hook) {
    foreach ($GLOBALS['wp_filter'][$hook]->callbacks ?? [] as $all) {
        foreach ($all as $one) {
            $who = is_array($one['function']) && is_string($one['function'][0]) ? $one['function'][0] : '';
            echo str_starts_with($who, 'Halt\\') ? $hook . ' ' : '';
        }
    }
}"#;

#[test]
fn an_ordinary_page_carries_nothing_of_ours() {
    on_a_site(|site| {
        site.credentials();
        let page = site.stack.get("/?pagename=d4");
        assert!(page.status == 200 && !page.has("halt"), "{}", page.text());
        assert_eq!(site.php(HOOKED), "init init ", "translations, and the look for the earlier plugin");
        let sum = "SELECT COALESCE(SUM(LENGTH(option_value)), 0) FROM wp_options WHERE option_name LIKE 'halt_tracker%' AND autoload IN ('yes', 'on', 'auto-on', 'auto')";
        let bytes = site.stack.sql(sum).expect("a sum");
        assert!(bytes.parse::<u32>().is_ok_and(|bytes| bytes < 1024), "{bytes} bytes are loaded with every page");
        assert_eq!(site.sim.ledger()["requests"], serde_json::json!([]));
    });
}

/// Everything of ours that is there: options, tables, folders.
fn everything(site: &Site) -> (String, String, Vec<String>) {
    let options = site
        .stack
        .sql("SELECT option_name FROM wp_options WHERE option_name LIKE '%halt\\_tracker%' ORDER BY 1")
        .expect("options");
    let folders = site.php(
        "echo get_option('halt_tracker_data_dir'), '\n', dirname(get_option('halt_tracker_key_file', '/none/x'));",
    );
    let there =
        folders.lines().filter(|path| !path.is_empty() && Path::new(path).is_dir()).map(str::to_owned).collect();
    (options, tables(site), there)
}

fn uninstall(site: &Site) {
    deactivate(site);
    site.php(&format!("require_once ABSPATH . 'wp-admin/includes/plugin.php'; uninstall_plugin('{PLUGIN}');"));
}

#[test]
fn deleting_the_plugin_keeps_everything_unless_the_owner_wants_it_gone() {
    on_a_site(|site| {
        for engine in [true, false] {
            site.stack.set_extension(true).expect("the module");
            activate(site);
            site.sim.reset();
            site.credentials();
            site.apply(4, &[("email", "keep@example.org")]);
            site.until("it is settled", || {
                site.cron();
                site.submissions().first().is_some_and(|one| one["state"] == "done")
            });
            site.stack.set_extension(engine).expect("the module");
            let (options, tables_before, folders) = everything(site);
            assert_eq!(folders.len(), 2, "{folders:?}");
            uninstall(site);
            let (kept, tables_after, there) = everything(site);
            assert_eq!((tables_after, &there), (tables_before, &folders));
            assert!(
                options
                    .lines()
                    .filter(|name| !name.contains("transient"))
                    .all(|name| kept.lines().any(|one| one == name)),
                "{options}\n--\n{kept}"
            );

            activate(site);
            assert!(site.save_tab("privacy", &[("delete_on_uninstall", "1")]).has("Saved."));
            // What people chose in the Sync Log's screen options, under the names that WordPress gives it.
            site.php("update_user_meta(1, 'halt_tracker_per_page', '50'); update_user_meta(1, 'managehalt-tracker_page_halt-tracker-sync-logcolumnshidden', ['updated']); update_user_meta(1, 'manageedit-postcolumnshidden', ['tags']);");
            uninstall(site);
            let chosen = site
                .stack
                .sql("SELECT meta_key FROM wp_usermeta WHERE meta_key LIKE '%halt%' OR meta_key LIKE 'manage%'");
            assert_eq!(chosen.expect("rows"), "manageedit-postcolumnshidden");
            let (options, tables, _) = everything(site);
            assert_eq!((options.as_str(), tables.as_str()), ("", ""));
            let left: Vec<&String> = folders.iter().filter(|path| Path::new(path).exists()).collect();
            assert!(left.is_empty(), "{left:?}");
        }
        activate(site);
    });
}

#[test]
fn a_folder_without_our_mark_is_never_removed() {
    on_a_site(|site| {
        site.credentials();
        let folder =
            site.php("$dir = get_option('halt_tracker_data_dir'); unlink($dir . '/halt-tracker-store'); echo $dir;");
        site.options(&[("delete_on_uninstall", "1")]);
        uninstall(site);
        assert!(Path::new(&folder).is_dir());
        activate(site);
    });
}
