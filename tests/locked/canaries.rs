//! Names, addresses, CVs and secrets that stand nowhere else go through every path; afterwards every byte on disk, every
//! log and every page is searched for them. After an erasure the store is opened with its own keys and searched again.

use crate::disk::{Copy, in_text, on_disk, places};
use crate::hook;
use crate::hostile::Hostile;
use crate::site::{API_TOKEN, CLIENT_SECRET, REFRESH_TOKEN, SHARED_SECRET, Site, on_a_site};
use crate::travels::{PEOPLE, SEARCHED, TYPED, behind, every_path, refuses_records, send_cv, settled};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::json;

const TABS: [&str; 7] = ["connection", "mapping", "forms", "webhook", "activities", "delivery", "privacy"];
/// What is planted, to see that the search finds it: nobody's name, and in every place of its own.
const PLANTED: &str = "planted-Tumbleweedcontrol";

fn secrets() -> Vec<&'static str> {
    vec![CLIENT_SECRET, REFRESH_TOKEN, API_TOKEN, SHARED_SECRET, TYPED]
}

/// Everything that can be opened in a browser or by a script, but the places that are there to show a person.
fn shown(site: &Site) -> Vec<(String, String)> {
    let mut seen = Vec::new();
    let pages =
        ["", "-sync-log", "-settings", "-sync-log&state=done", "-sync-log&state=failed", "-sync-log&form=careers"];
    let mut paths: Vec<String> = pages.iter().map(|page| format!("admin.php?page=halt-tracker{page}")).collect();
    paths.extend(TABS.map(|tab| format!("admin.php?page=halt-tracker-settings&tab={tab}")));
    let others =
        ["index.php", "plugins.php", "site-health.php", "site-health.php?tab=debug", "options.php", "tools.php"];
    paths.extend(others.map(str::to_owned));
    for path in paths {
        let reply = site.stack.get_as(&site.admin, &format!("/wp-admin/{path}"));
        assert_eq!(reply.status, 200, "{path}");
        seen.push((path, reply.text()));
    }
    let found = site.page(&format!("halt-tracker-sync-log&s={SEARCHED}"));
    // The word that was searched for stands in the field of the search, and nowhere else.
    let text = found.text();
    let field = format!("value=\"{SEARCHED}\"");
    assert!(text.contains(&field) && text.contains("Details"), "the search finds the person");
    seen.push((
        "a search".into(),
        text.replace(&field, "").replace(&format!("s={SEARCHED}"), "").replace(&format!("“{SEARCHED}”"), ""),
    ));
    let nonce = site.stack.get_as(&site.admin, "/wp-admin/admin-ajax.php?action=rest-nonce").text();
    for (method, path) in [
        ("GET", "/halt-tracker/v1/submissions"),
        ("GET", "/halt-tracker/v1/submissions?per_page=100&state=done"),
        ("GET", "/halt-tracker/v1/status"),
        ("POST", "/halt-tracker/v1/run"),
        ("POST", "/halt-tracker/v1/test-connection"),
        ("GET", "/wp/v2/settings"),
        ("GET", "/"),
    ] {
        let headers = [site.admin.header(), ("X-WP-Nonce".to_owned(), nonce.clone())];
        let reply = site.stack.send(method, &format!("/wp-json{path}"), &headers, b"");
        assert_eq!(reply.status, 200, "{path}: {}", reply.text());
        seen.push((path.to_owned(), reply.text()));
    }
    // Of a worker that has served requests and has the store open.
    let info = site.stack.wordpress.join("halt-info.php");
    std::fs::write(&info, "<?php require __DIR__ . '/wp-load.php'; Halt\\Tracker\\WordPress\\Engine::call('status'); phpinfo(); var_dump(get_defined_constants(true)['user'] ?? []);").expect("written");
    let reply = site.stack.get("/halt-info.php");
    std::fs::remove_file(&info).expect("removed");
    assert!(reply.status == 200 && reply.has("halt_tracker"), "{}", reply.status);
    seen.push(("phpinfo()".into(), reply.text()));
    let (master, workers) = site.stack.fpm_pids();
    for pid in workers.iter().chain([&master]) {
        for file in ["cmdline", "environ"] {
            let bytes = std::fs::read(format!("/proc/{pid}/{file}")).unwrap_or_default();
            seen.push((format!("{file} of php-fpm"), String::from_utf8_lossy(&bytes).into_owned()));
        }
    }
    seen
}

/// Where the words stand in the clear: pages and answers, mails, every byte on disk, in logs and in the database's own files.
fn searched(site: &Site, words: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for (place, text) in shown(site) {
        found.extend(in_text(&text, words).iter().map(|word| format!("{word} on {place}")));
    }
    let mails = json!(site.stack.divi_events().iter().filter(|event| event["by"] == "site").collect::<Vec<_>>());
    found.extend(in_text(&mails.to_string(), words).iter().map(|word| format!("{word} in a mail of the site")));
    found.extend(on_disk(&places(site).0, words));
    // The access log has what a person types into the search, as that of every WordPress.
    let typed = |line: &String| line.contains("access.log") && line.contains(SEARCHED);
    found.extend(on_disk(&site.stack.root.join("logs"), words).into_iter().filter(|line| !typed(line)));
    found.extend(on_disk(&site.stack.root.join("tmp"), words));
    // The fixture writes down what it handed to its hook; it is no part of the product.
    let ours = |line: &String| !line.contains("divi-fixture-events.jsonl");
    found.extend(on_disk(&site.stack.wordpress.join("wp-content"), words).into_iter().filter(ours));
    site.stack.stop_database();
    found.extend(on_disk(&site.stack.root.join("mysql"), words));
    site.stack.start_database().expect("MariaDB");
    found
}

/// A plugin that says the planted word wherever a page, an answer or a log can be made to say it.
const SAYS: &str = "<?php
    add_action('admin_notices', fn () => print('<p>WORD</p>'));
    add_filter('rest_post_dispatch', function ($answer) { $answer->header('X-Planted', 'WORD'); $data = $answer->get_data(); $answer->set_data(is_array($data) ? $data + ['planted' => 'WORD'] : $data); return $answer; });
    add_filter('debug_information', fn ($all) => $all + ['planted' => ['label' => 'Planted', 'fields' => [['label' => 'x', 'value' => 'of Site Health WORD']]]]);
    define('PLANTED_CONSTANT', 'WORD');
    error_log('into the debug log: WORD');
    if (PHP_SAPI === 'fpm-fcgi') { file_put_contents('php://stderr', \"into php-fpm's log: WORD\\n\"); }";

/// The same search again, over a word that was planted in each of its places: a place where it is not found is a place
/// where nothing would be.
fn every_place_can_be_searched(site: &Site) -> usize {
    let data = places(site).0;
    let store = || rusqlite::Connection::open(data.join("queue.sqlite")).expect("opens");
    let coded = format!("x{}x", BASE64.encode(format!("..{PLANTED}..")));
    std::fs::write(data.join("files/planted"), &coded).expect("written");
    let set = "INSERT INTO meta (name, value) VALUES ('planted', ?1)";
    assert_eq!(store().execute(set, [PLANTED]).expect("planted"), 1);
    std::fs::write(site.stack.root.join("tmp/planted"), PLANTED).expect("written");
    site.php(&format!(
        "update_option('planted_option', '{PLANTED}', false); wp_mail('a@example.org', 'x', '{PLANTED}');
         global $wpdb; $wpdb->query(\"INSERT INTO {{$wpdb->prefix}}halt_tracker_capture (id, part, parts, hash, key_id, format, created_at, code, sealed) VALUES ('planted', 1, 0, '', '', 1, 9e12, 0, '{PLANTED}')\");"
    ));
    site.stack.get(&format!("/?{PLANTED}"));
    let plugin = site.stack.wordpress.join("wp-content/mu-plugins/planted.php");
    std::fs::write(&plugin, SAYS.replace("WORD", PLANTED)).expect("written");
    let found = searched(site, &[PLANTED]);
    std::fs::remove_file(&plugin).expect("removed");
    std::fs::remove_file(data.join("files/planted")).expect("removed");
    std::fs::remove_file(site.stack.root.join("tmp/planted")).expect("removed");
    assert_eq!(store().execute("DELETE FROM meta WHERE name = 'planted'", []).expect("taken back"), 1);
    site.php("global $wpdb; delete_option('planted_option'); $wpdb->query(\"DELETE FROM {$wpdb->prefix}halt_tracker_capture WHERE id = 'planted'\");");
    let blind: Vec<String> = [
        "files/planted",
        "queue.sqlite",
        "tmp/planted",
        "logs/debug.log",
        "logs/fpm.log",
        "logs/access.log",
        "wp_options",
        "wp_halt_tracker_capture",
        "planted.php",
        "in a mail of the site",
        "on phpinfo()",
        "on site-health.php?tab=debug",
    ]
    .into_iter()
    .map(str::to_owned)
    .chain(
        shown(site).into_iter().map(|(place, _)| format!("on {place}")).filter(|place| !place.contains("of php-fpm")),
    )
    .filter(|place| !found.iter().any(|line| line.contains(place.as_str())))
    .collect();
    assert!(blind.is_empty(), "the search is blind in {blind:#?}; it found {found:#?}");
    found.len()
}

#[test]
fn nothing_of_people_and_secrets_stands_in_the_clear_on_disk_in_logs_or_on_pages() {
    on_a_site(|site| {
        let answers = every_path(site);
        let everything: Vec<&str> = PEOPLE.into_iter().chain(secrets()).collect();
        let mut found = searched(site, &everything);
        for (sent, answer) in &answers {
            found.extend(in_text(answer, &everything).iter().map(|word| format!("{word} in the answer to {sent}")));
        }
        // Where a person is meant to be shown, no secret is.
        for one in site.submissions() {
            let page = site.page(&format!("halt-tracker-sync-log&id={}", one["id"].as_str().expect("an id"))).text();
            found.extend(in_text(&page, &secrets()).iter().map(|word| format!("{word} on a detail page")));
        }
        let (data, key) = places(site);
        assert!(!key.starts_with(&data), "the key lies beside what it opens");
        assert!(found.is_empty(), "{} findings:\n{}", found.len(), found.join("\n"));
        let planted = every_place_can_be_searched(site);
        println!(
            "campaign canaries: real site: {} words, none found in the clear; the control, one word planted in every place, was found {planted} times",
            everything.len()
        );
    });
}

/// What an erased person had sent, and another person who stays.
const GONE: [&str; 4] = ["Marblewickhook", "marble-hook@canary.example", "Marblewick-cv", "obsidian-line-of-the-cv"];
const STAYS: &str = "quill4@canary.example";

#[test]
fn after_an_erasure_the_keys_open_nothing_of_the_person_any_more() {
    on_a_site(|site| {
        site.credentials();
        // Another host later on means new tokens of the first refresh token.
        site.sim.switches(&json!({ "rotate_refresh_token": false }));
        site.options(&[("pace", "60000"), ("api", "rest"), ("activity_enabled", "1")]);
        let email = "marble-hook@canary.example";
        site.apply(4, &[("name", "Quillfeather4"), ("email", STAYS)]);
        site.apply(4, &[("name", "Marblewickhook"), ("email", email)]);
        send_cv(site, "Marblewickhook", email, "Marblewick-cv.pdf");
        let ids = || -> Vec<String> {
            let all = site.submissions();
            all.iter()
                .filter(|one| one["fields"]["email"] == email)
                .filter_map(|one| one["id"].as_str().map(str::to_owned))
                .collect()
        };
        // Pieces from every stage: what was overwritten on the way must be gone too.
        let mut pieces = Copy::of(site).pieces(&ids());
        settled(site);
        pieces.extend(Copy::of(site).pieces(&ids()));
        let hostile =
            Hostile::start(&site.sim.url, "Marblewickhook <marble-hook@canary.example> is refused", refuses_records);
        behind(site, &hostile.url);
        // Refused by Tracker, and one more that waits with its file.
        site.php(&format!("foreach (Engine::act(['action' => 'find_person', 'email' => '{email}'])['ids'] as $id) {{ Engine::act(['action' => 'retry', 'ids' => [$id]]); }}"));
        let body = json!({ "form_id": "other", "fields": { "name": "Marblewickhook", "email": "Marble-Hook@Canary.Example", "message": "again" } });
        assert_eq!(hook::request(SHARED_SECRET, body.to_string()).send(site).status, 202);
        settled(site);
        site.php("Engine::act(['action' => 'pause']);");
        send_cv(site, "Marblewickhook Senior", email, "Marblewick-cv-2.pdf");
        let known: Vec<String> =
            serde_json::from_str(&site.php(&format!(
                "echo json_encode(Engine::act(['action' => 'find_person', 'email' => '{email}'])['ids']);"
            )))
            .expect("ids");
        assert_eq!(
            known.len(),
            4,
            "{:#}",
            json!(site.submissions().iter().map(crate::site::brief).collect::<Vec<_>>())
        );
        let others: Vec<String> = site
            .submissions()
            .iter()
            .filter(|one| one["fields"]["email"] == STAYS)
            .filter_map(|one| one["id"].as_str().map(str::to_owned))
            .collect();

        // The control: before the erasure the same search finds the person.
        let before = Copy::of(site);
        let now = before.pieces(&known);
        assert!(now.len() >= 20, "{} pieces", now.len());
        assert_eq!(before.still_there(&now).0, now.len());
        let texts = before.opened(&known);
        for word in GONE {
            assert!(
                texts.iter().any(|(_, text)| !in_text(text, &[word]).is_empty()),
                "{word} is not found before the erasure"
            );
        }
        pieces.extend(now);

        let said: serde_json::Value = serde_json::from_str(
            &site.php(&format!("echo json_encode(\\Halt\\Tracker\\WordPress\\Privacy::erase('{email}'));")),
        )
        .expect("an answer");
        assert_eq!((&said["items_removed"], &said["items_retained"]), (&json!(true), &json!(false)), "{said}");
        let after = Copy::of(site);
        let mut found: Vec<String> = Vec::new();
        for (place, text) in after.opened(&known) {
            found.extend(in_text(&text, &GONE).iter().map(|word| format!("{word} in {place}")));
        }
        let left = after.still_there(&pieces);
        if left.0 > 0 {
            found.push(format!("{} of {} sealed pieces still lie in {:?}", left.0, pieces.len(), left.1));
            site.cron();
            let left = Copy::of(site).still_there(&pieces);
            found.push(format!("after one more run it is {} in {:?}", left.0, left.1));
        }
        found.extend(on_disk(&places(site).0, &GONE));
        for id in &known {
            let one = site.php(&format!("echo Engine::raw('get', ['{id}']);"));
            found.extend(in_text(&one, &GONE).iter().map(|word| format!("{word} is given out for {id}")));
            let file = site.php(&format!("try {{ echo strlen(Engine::raw('file', ['{id}', 1])), ' bytes'; }} catch (\\Throwable $gone) {{ echo $gone->ht_code; }}"));
            if !file.starts_with("HT-") {
                found.push(format!("the file of {id} is given out: {file}"));
            }
        }
        let list = site.php("echo Engine::raw('list', ['{\"per_page\":100}']), Engine::raw('list', ['{\"search\":\"marble-hook@canary.example\"}']), Engine::raw('status');");
        found.extend(in_text(&list, &GONE).iter().map(|word| format!("{word} in the list")));
        let search: serde_json::Value =
            serde_json::from_str(&site.php("echo Engine::raw('list', ['{\"search\":\"Marblewickhook\"}']);"))
                .expect("a list");
        assert_eq!(search["total"], 0, "the name is still searchable");
        assert!(found.is_empty(), "{} findings:\n{}", found.len(), found.join("\n"));
        // Nobody else was erased with them.
        assert!(after.opened(&others).iter().any(|(_, text)| text.contains(STAYS)));
        println!(
            "campaign erasure: real site: {} sealed pieces of {} submissions, all gone",
            pieces.len(),
            known.len()
        );
    });
}
