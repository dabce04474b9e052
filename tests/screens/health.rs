//! Site Health: each check is good on a good site, and each has something that makes it red. Nothing secret is in the debug
//! section.

use crate::hook;
use crate::site::{CLIENT_SECRET, SECRETS, SHARED_SECRET, Site, on_a_site, quoted};
use serde_json::{Value, json};
use std::os::unix::fs::PermissionsExt;

/// What a check says now, in a fresh PHP: status and words.
fn check(site: &Site, name: &str) -> (String, String) {
    let said = site.php(&format!("echo json_encode(Halt\\Tracker\\WordPress\\Health::all()['{name}']);"));
    let said: Value = serde_json::from_str(&said).unwrap_or_else(|error| panic!("{error}: {said}"));
    let text = |part: &str| said[part].as_str().unwrap_or_default().to_owned();
    (text("status"), format!("{} {}", text("label"), text("description")))
}

#[track_caller]
pub fn is(site: &Site, name: &str, status: &str, words: &str) {
    let (found, said) = check(site, name);
    assert!(found == status && said.contains(words), "{name} is {found}: {said}");
}

/// The data folder where it should be, and a secret in it.
pub fn outside(site: &Site) -> String {
    let dir = site.stack.root.join("tmp/data-outside").display().to_string();
    let key = site.stack.root.join("tmp/key-outside/key").display().to_string();
    site.php(&format!(
        "exec('rm -rf ' . escapeshellarg({0})); @mkdir({0}, 0700); @mkdir(dirname({1}), 0700);",
        quoted(&dir),
        quoted(&key)
    ));
    site.stack
        .set_constants(&[("HALT_TRACKER_DATA_DIR", &quoted(&dir)), ("HALT_TRACKER_KEY_FILE", &quoted(&key))])
        .expect("constants");
    site.php("delete_option('halt_tracker_epoch');");
    site.credentials();
    dir
}

fn submit(site: &Site, email: &str) {
    let text = json!({ "form_id": "careers", "fields": { "name": "Jane Doe", "email": email } });
    assert_eq!(hook::request(SHARED_SECRET, text.to_string()).send(site).status, 202);
}

/// Changes what the store remembers, behind the engine's back.
pub fn store(site: &Site, sql: &str) {
    let file = format!("{}/queue.sqlite", site.php("echo get_option('halt_tracker_data_dir');"));
    let done = rusqlite::Connection::open(file).and_then(|store| store.execute_batch(sql));
    done.expect("the store");
}

#[test]
fn every_check_is_good_on_a_good_site() {
    on_a_site(|site| {
        outside(site);
        submit(site, "good@example.org");
        site.cron();
        let said = site.php("foreach (Halt\\Tracker\\WordPress\\Health::all() as $name => $one) { if ($one['status'] !== 'good') { echo $name, ': ', $one['label'], ' ', $one['description'], \"\\n\"; } }");
        assert_eq!(said, "");
        // WordPress' own page runs them all, those that go out among them.
        let named = site.php("$tests = apply_filters('site_status_tests', ['direct' => [], 'async' => []]); echo count($tests['direct']), ' ', count($tests['async']);");
        assert_eq!(named, "14 2");
        let page = site.stack.get_as(&site.admin, "/wp-admin/site-health.php");
        assert!(page.status == 200 && page.text().replace('\\', "").contains("health/webhook"), "{}", page.status);
    });
}

#[test]
fn the_webhook_is_probed_at_full_size_and_the_limit_that_stops_it_is_named() {
    on_a_site(|site| {
        site.secrets(&[("shared_secret", SHARED_SECRET)]);
        is(site, "webhook", "good", "36 MiB was posted and arrived whole");
        assert!(
            site.submissions().is_empty() && site.status()["refusals"] == json!([]),
            "a probe leaves nothing behind"
        );
        // nginx of the test stack takes 40 MiB.
        site.options(&[("body_limit_mib", "50")]);
        is(site, "webhook", "recommended", "do not arrive");
        let said = check(site, "webhook").1;
        assert!(said.contains("post_max_size is 40M; set it to 54M") && said.contains("HTTP 413"), "{said}");
        site.stack.set_constants(&[("WP_MAX_MEMORY_LIMIT", "'96M'")]).expect("constants");
        let said = site.php(
            "ini_set('memory_limit', '96M'); echo json_encode(Halt\\Tracker\\WordPress\\Health::all()['webhook']);",
        );
        assert!(said.contains("recommended") && said.contains("memory_limit is 96M"), "{said}");
        site.stack.set_constants(&[]).expect("constants");
        // Something that answers instead of us.
        site.options(&[("body_limit_mib", "1")]);
        let wall = site.stack.wordpress.join("wp-content/mu-plugins/wall.php");
        std::fs::write(&wall, "<?php if (str_contains($_SERVER['REQUEST_URI'] ?? '', '/ingest')) { http_response_code(403); exit('blocked'); }").expect("a wall");
        let said = check(site, "webhook");
        std::fs::remove_file(&wall).expect("no wall");
        assert!(said.0 == "critical" && said.1.contains("HTTP 403"), "{said:?}");
        // Nobody can use the probe's door: without its key a request is judged like any other.
        let head = [
            ("X-Halt-Probe", "1"),
            ("X-Halt-Timestamp", "1"),
            ("X-Halt-Webhook-Signature", "x"),
            ("Content-Type", "application/json"),
        ];
        let head = head.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(site.stack.send("POST", "/wp-json/halt-tracker/v1/ingest", &head, b"{}").status, 401);
    });
}

#[test]
fn a_data_folder_that_the_web_delivers_is_critical() {
    on_a_site(|site| {
        // nginx of the test stack runs as the user of PHP, and heeds no deny file. A folder of a random name is hidden, and
        // still worth a word.
        site.secrets(&[("shared_secret", SHARED_SECRET)]);
        is(site, "store", "recommended", "below the web root");
        is(site, "folder", "recommended", "can be read over the web");
        assert!(!outside(site).starts_with(&site.stack.wordpress.display().to_string()));
        is(site, "folder", "good", "outside of every folder");
        let dir = site.stack.wordpress.join("wp-content/open");
        let constant = quoted(&dir.display().to_string());
        site.stack.set_constants(&[("HALT_TRACKER_DATA_DIR", &constant)]).expect("constants");
        site.php("delete_option('halt_tracker_epoch');");
        site.secrets(&[("shared_secret", SHARED_SECRET)]);
        is(site, "folder", "critical", "can be read over the web");
        // Open to every user of the machine, too.
        std::fs::set_permissions(&dir, std::fs::Permissions::from_mode(0o755)).expect("open");
        std::fs::set_permissions(dir.join("halt-tracker-store"), std::fs::Permissions::from_mode(0o644)).expect("open");
        is(site, "folder", "critical", "can be read over the web");
        is(site, "store", "critical", "read by others");
    });
}

#[test]
fn the_store_its_keys_and_its_owner_have_their_checks() {
    on_a_site(|site| {
        site.credentials();
        let dir = site.php("echo get_option('halt_tracker_data_dir');");
        let key = site.php("echo get_option('halt_tracker_key_file');");
        let away = format!("{dir}-away");
        std::fs::rename(&dir, &away).expect("away");
        is(site, "store", "critical", "HT-1106");
        std::fs::rename(&away, &dir).expect("back");
        std::fs::rename(&key, format!("{key}.away")).expect("away");
        is(site, "keys", "critical", "HT-1301");
        std::fs::rename(format!("{key}.away"), &key).expect("back");
        std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o000)).expect("closed");
        is(site, "keys", "critical", "HT-1302");
        std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).expect("open");
        is(site, "copy", "good", "");
        site.php("update_option('halt_tracker_install_id', str_repeat('0', 32));");
        is(site, "copy", "critical", "HT-1105");
    });
}

#[test]
fn a_store_or_key_in_a_release_that_a_later_deployment_deletes_is_said_to_be_in_danger() {
    on_a_site(|site| {
        is(site, "store", "good", "");
        for option in ["data_dir", "key_file"] {
            let name = format!("halt_tracker_{option}");
            site.php(&format!("update_option('{name}', '/home/ada/site/releases/42/halt-tracker-x/key.php', false);"));
            is(site, "store", "critical", "The next deployments delete");
            site.php(&format!("delete_option('{name}');"));
        }
    });
}

#[test]
fn a_schedule_that_stopped_is_seen_by_its_own_measure() {
    on_a_site(|site| {
        site.credentials();
        submit(site, "beat@example.org");
        site.cron();
        is(site, "heartbeat", "good", "scheduled");
        let now = site.php("echo (int) (microtime(true) * 1000);").parse::<i64>().expect("a time");
        // Runs after an answer beat as well; only cron and commands are a sign of the schedule.
        let set = |cron: i64, interval: i64| {
            format!(
                "INSERT OR REPLACE INTO meta (name, value) VALUES ('cron_at', '{}'), ('cron_interval', '{interval}');",
                now - cron
            )
        };
        // Every five minutes: twenty are too long. Every half an hour: they are not, a hundred are.
        store(site, &set(20 * 60_000, 300_000));
        is(site, "heartbeat", "critical", "The last run of the schedule was");
        assert!(site.page("halt-tracker").has("the schedule has not run for 20 minutes"));
        store(site, &set(20 * 60_000, 1_800_000));
        is(site, "heartbeat", "good", "about every 30 minutes");
        store(site, &set(100 * 60_000, 1_800_000));
        is(site, "heartbeat", "critical", "The last run of the schedule was");
        // A crontab or a service may call the command instead.
        site.php("Relay::run('cli', 1000);");
        is(site, "heartbeat", "good", "scheduled");
        store(site, "DELETE FROM meta WHERE name IN ('cron_at', 'cli_at', 'cron_interval');");
        is(site, "heartbeat", "good", "scheduled");
        site.php("wp_clear_scheduled_hook('halt_tracker_process_queue'); wp_schedule_event(time() - 7200, 'halt_tracker_five_minutes', 'halt_tracker_process_queue');");
        is(site, "heartbeat", "critical", "The schedule never ran, and should have for 2 hours");
        store(site, &set(0, 300_000));
        site.php("wp_clear_scheduled_hook('halt_tracker_process_queue');");
        is(site, "heartbeat", "critical", "event is missing");
    });
}

#[test]
fn what_waits_what_failed_and_what_needs_a_person_is_counted() {
    on_a_site(|site| {
        site.credentials();
        site.php("Engine::act(['action' => 'pause']);");
        submit(site, "waits@example.org");
        is(site, "waiting", "good", "");
        store(site, "UPDATE submission SET received_at = received_at - 7200000;");
        is(site, "waiting", "recommended", "waiting for 2 hours");
        store(site, "UPDATE submission SET received_at = received_at - 172800000;");
        is(site, "waiting", "critical", "waiting for 2 days");
        store(site, "UPDATE submission SET state = 'attention';");
        is(site, "decisions", "recommended", "1 submission needs you");
        store(site, "UPDATE submission SET state = 'failed';");
        is(site, "decisions", "recommended", "1 submission needs you");
    });
}

#[test]
fn credentials_and_clock_have_their_checks() {
    on_a_site(|site| {
        site.secrets(&[("client_secret", CLIENT_SECRET), ("shared_secret", SHARED_SECRET)]);
        is(site, "credentials", "recommended", "not connected yet");
        site.credentials();
        is(site, "credentials", "good", "");
        site.sim.switches(&json!({ "faults": [{ "on": "token", "do": "400", "times": 99 }] }));
        submit(site, "refused@example.org");
        site.cron();
        is(site, "credentials", "critical", "HT-1504");
        for (skew, status) in [("90000", "recommended"), ("-400000", "critical"), ("900", "good")] {
            store(site, &format!("INSERT OR REPLACE INTO meta (name, value) VALUES ('skew', '{skew}');"));
            is(site, "clock", status, "clock");
        }
    });
}

#[test]
fn divi_the_earlier_plugin_and_what_is_stuck_have_their_checks() {
    on_a_site(|site| {
        is(site, "divi", "good", "not active");
        for (version, status, words) in [
            ("4.13.0", "critical", "does not hand over"),
            ("4.27.4", "good", "hands over"),
            ("5.1.0", "recommended", "still hold"),
        ] {
            site.stack.set_constants(&[("ET_BUILDER_PRODUCT_VERSION", &quoted(version))]).expect("constants");
            is(site, "divi", status, words);
        }
        site.stack.set_constants(&[]).expect("constants");
        is(site, "earlier", "good", "not loaded");
        let mu = site.stack.wordpress.join("wp-content/mu-plugins/earlier.php");
        std::fs::write(&mu, "<?php final class Halt_Tracker_Plugin {}").expect("the earlier one");
        let said = check(site, "earlier");
        std::fs::remove_file(&mu).expect("gone");
        assert!(said.0 == "recommended" && said.1.contains("mu-plugins/earlier.php"), "{said:?}");
        is(site, "captured", "good", "");
        site.php("update_option('halt_tracker_lost', ['count' => 1, 'last_at' => time()], false);");
        is(site, "captured", "critical", "HT-1803");
        site.php("delete_option('halt_tracker_lost'); update_option('halt_tracker_adoption', ['left' => 1, 'codes' => ['HT-1801']], false);");
        is(site, "captured", "recommended", "HT-1801");
        site.php("delete_option('halt_tracker_adoption');");
    });
}

#[test]
fn an_engine_that_is_absent_or_built_for_another_php_or_missing_in_one_of_them_is_told_apart() {
    on_a_site(|site| {
        is(site, "engine", "good", "running");
        is(site, "binary", "good", "fits");
        // What the web saw, the command line tells, and the other way round.
        site.page("halt-tracker");
        site.php("$seen = get_option('halt_tracker_engines'); $seen['apache2handler 7.4'] = ['state' => 'absent', 'at' => time()]; update_option('halt_tracker_engines', $seen, false);");
        is(site, "everywhere", "recommended", "apache2handler 7.4");
        let seen = site.php("$seen = get_option('halt_tracker_engines'); unset($seen['apache2handler 7.4']); update_option('halt_tracker_engines', $seen, false); echo implode(' ', array_keys($seen));");
        assert!(seen.contains("fpm-fcgi 8") && seen.contains("cli 8"), "{seen}");
        is(site, "everywhere", "good", "");

        site.stack.set_extension(false).expect("without the module");
        is(site, "engine", "critical", "HT-1001");
        let module = site.stack.root.join("module/halt_tracker.so");
        let ini = site.stack.root.join("php/conf.d/named.ini");
        let say = |line: &str| std::fs::write(&ini, line).expect("an ini file");
        // Named in a comment only, so that this PHP does not load it; the check reads the line all the same.
        say("");
        let bytes = std::fs::read(&module).expect("the module");
        let other = site.stack.root.join("module/other_halt_tracker.so");
        let built: Vec<u8> =
            String::from_utf8_lossy(&bytes).contains("API20").then(|| replaced(&bytes)).expect("a build id");
        std::fs::write(&other, built).expect("another build");
        std::fs::set_permissions(&other, std::fs::Permissions::from_mode(0o644)).expect("readable");
        let read = |file: &std::path::Path| {
            site.php(&format!(
                "echo Halt\\Tracker\\WordPress\\Health\\Binary::build_of({});",
                quoted(&file.display().to_string())
            ))
        };
        let here = site.php("echo Halt\\Tracker\\WordPress\\Health\\Binary::build_of_php();");
        assert!(here.starts_with("API20"), "{here}");
        assert_eq!((read(&module), read(&other).as_str()), (here, "API19990101,NTS"));
        // PHP refuses a module of another build and goes on without it; the check says why.
        say(&format!("extension={}\n", other.display()));
        let said = site
            .stack
            .php_as("www-data", false, "echo json_encode(Halt\\Tracker\\WordPress\\Health::all()['binary']);")
            .expect("php");
        std::fs::remove_file(&ini).expect("gone");
        assert!(said.contains("critical") && said.contains("API19990101,NTS"), "{said}");
        site.stack.clear_logs(); // PHP has complained, as it should
    });
}

/// The module as if it had been built for another PHP.
fn replaced(bytes: &[u8]) -> Vec<u8> {
    let at = bytes.windows(5).position(|five| five == b"API20").expect("a build id");
    let mut other = bytes.to_vec();
    other[at..at + 11].copy_from_slice(b"API19990101");
    other
}

#[test]
fn the_debug_section_says_what_support_asks_for_and_nothing_about_people() {
    on_a_site(|site| {
        site.credentials();
        submit(site, "debug@example.org");
        site.cron();
        let said = site.php("echo json_encode(apply_filters('debug_information', [])['halt-tracker']);");
        for word in SECRETS.iter().copied().chain(["debug@example.org", "Jane", "ared"]) {
            assert!(!said.contains(word), "{word} is in {said}");
        }
        for word in ["API20", "running", "cli 8", "row widget Resource"] {
            assert!(said.contains(word), "{word} is not in {said}");
        }
        let private = site.php("$fields = apply_filters('debug_information', [])['halt-tracker']['fields']; echo json_encode([$fields['data_dir']['private'], $fields['key_file']['private'], $fields['plugin']['private']]);");
        assert_eq!(private, "[true,true,false]");
    });
}
