//! Names, addresses, CVs and secrets that stand nowhere else go through every path; afterwards every byte on disk, every
//! log and every page is searched for them. After an erasure the store is opened with its own keys and searched again.

use crate::disk::{Copy, in_text, on_disk, places};
use crate::draft::hex;
use crate::hook;
use crate::hostile::Hostile;
use crate::site::{API_TOKEN, CLIENT_SECRET, REFRESH_TOKEN, SHARED_SECRET, Site, on_a_site, quoted, rows};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::json;

/// Parts of names, addresses, messages and of the CV. Each path has its own, so that a finding names its path.
const PEOPLE: [&str; 14] = [
    "Quillfeather4",
    "quill4@canary.example",
    "zephyrine-message-4",
    "Quillfeather5",
    "quill5@canary.example",
    "zephyrine-message-5",
    "Marblewickhook",
    "marble-hook@canary.example",
    "Marblewick-cv",
    "obsidian-line-of-the-cv",
    "Thistledownlost",
    "thistle-captured@canary.example",
    "Bramblewoodfour",
    "bramble-refused@canary.example",
];
const SEARCHED: &str = "Quillfeather4";
/// A secret that was typed beside a mistake, so that the whole tab was refused.
const TYPED: &str = "typed-Tq8ZrVw3Kx5LpN2sHd7CmYb4FgJ6eUaX-refused";
const TABS: [&str; 7] = ["connection", "mapping", "forms", "webhook", "activities", "delivery", "privacy"];

fn cv() -> Vec<u8> {
    format!("%PDF-1.4\n{}%%EOF\n", "obsidian-line-of-the-cv Marblewickhook\n".repeat(4_000)).into_bytes()
}

fn send_cv(site: &Site, name: &str, email: &str, file: &str) {
    let body = json!({ "form_id": "careers", "fields": { "name": name, "email": email, "message": name },
        "meta": { "page_title": name },
        "files": [{ "field": "cv", "name": file, "content": BASE64.encode(cv()), "encoding": "base64" }] });
    let reply = hook::request(SHARED_SECRET, body.to_string()).send(site);
    assert_eq!(reply.status, 202, "{}", reply.text());
}

fn settled(site: &Site) {
    site.until("everything is settled", 40, || {
        site.cron();
        let still = ["queued", "retry", "checking", "sending"];
        site.submissions().iter().all(|one| !still.contains(&one["state"].as_str().unwrap_or_default()))
    });
}

/// Tracker refuses records, and repeats in its words what it was sent.
fn refuses_records(method: &str, path: &str) -> bool {
    method == "POST" && path.to_lowercase().trim_end_matches('/').ends_with("/resource")
}

/// From now on Tracker is this one.
fn behind(site: &Site, url: &str) {
    site.stack.set_constants(&[("HALT_TRACKER_API_URL", &quoted(url))]).expect("constants");
    site.stack.restart_fpm("QUIT").expect("php-fpm");
}

/// Every path that a person's data or a secret takes.
fn every_path(site: &Site) {
    for (tab, changes) in [
        (
            "connection",
            &[
                ("client_secret", CLIENT_SECRET),
                ("refresh_token", REFRESH_TOKEN),
                ("api_token", API_TOKEN),
                ("api", "rest"),
            ][..],
        ),
        ("webhook", &[("shared_secret", SHARED_SECRET)]),
        ("delivery", &[("pace", "60000")]),
        ("activities", &[("activity_enabled", "1")]),
    ] {
        assert!(site.save_tab(tab, changes).has("Saved."), "{tab}");
    }
    let refused = site.save_tab("webhook", &[("shared_secret", TYPED), ("body_limit_mib", "many")]);
    assert!(refused.has("Nothing was saved") && !refused.has(TYPED), "{}", crate::site::body(&refused));

    site.apply(4, &[("name", "Quillfeather4"), ("email", "quill4@canary.example"), ("message", "zephyrine-message-4")]);
    site.apply(5, &[("name", "Quillfeather5"), ("email", "quill5@canary.example"), ("message", "zephyrine-message-5")]);
    send_cv(site, "Marblewickhook", "marble-hook@canary.example", "Marblewick-cv.pdf");
    settled(site);
    assert_eq!(rows(&site.sim.ledger(), "resources").len(), 3, "{:#}", site.sim.ledger());
    assert_eq!(rows(&site.sim.ledger(), "documents").len(), 1);

    site.stack.set_extension(false).expect("without the module");
    site.apply(4, &[("name", "Thistledownlost"), ("email", "thistle-captured@canary.example")]);
    let sealed = site.stack.sql("SELECT HEX(sealed) FROM wp_halt_tracker_capture").expect("rows").to_lowercase();
    assert!(!sealed.is_empty() && !sealed.contains(&hex(b"Thistledown")), "kept in the clear");
    site.stack.set_extension(true).expect("the module");
    settled(site);
    assert_eq!(site.records("resources", "thistle-captured@canary.example").len(), 1);

    let words = "the value Bramblewoodfour <bramble-refused@canary.example> is not valid";
    let hostile = Hostile::start(&site.sim.url, words, refuses_records);
    behind(site, &hostile.url);
    site.apply(5, &[("name", "Bramblewoodfour"), ("email", "bramble-refused@canary.example")]);
    settled(site);
    let last = site.submissions().pop().expect("the last one");
    assert!(["failed", "attention"].contains(&last["state"].as_str().unwrap_or_default()), "{last:#}");
    assert!(last.to_string().contains("is not valid"), "Tracker's words are kept for the administrator: {last:#}");
}

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

#[test]
fn nothing_of_people_and_secrets_stands_in_the_clear_on_disk_in_logs_or_on_pages() {
    on_a_site(|site| {
        every_path(site);
        let mut found = Vec::new();
        let everything: Vec<&str> = PEOPLE.into_iter().chain(secrets()).collect();
        for (place, text) in shown(site) {
            found.extend(in_text(&text, &everything).iter().map(|word| format!("{word} on {place}")));
        }
        // Where a person is meant to be shown, no secret is.
        for one in site.submissions() {
            let page = site.page(&format!("halt-tracker-sync-log&id={}", one["id"].as_str().expect("an id"))).text();
            found.extend(in_text(&page, &secrets()).iter().map(|word| format!("{word} on a detail page")));
        }
        let mails = json!(site.stack.divi_events().iter().filter(|event| event["by"] == "site").collect::<Vec<_>>());
        found.extend(
            in_text(&mails.to_string(), &everything).iter().map(|word| format!("{word} in a mail of the site")),
        );
        let (data, key) = places(site);
        assert!(!key.starts_with(&data), "the key lies beside what it opens");
        found.extend(on_disk(&data, &everything));
        let logs = site.stack.root.join("logs");
        // The access log has what a person types into the search, as that of every WordPress.
        let searched = |line: &String| line.contains("access.log") && line.contains(SEARCHED);
        found.extend(on_disk(&logs, &everything).into_iter().filter(|line| !searched(line)));
        found.extend(on_disk(&site.stack.root.join("tmp"), &everything));
        site.stack.stop_database();
        found.extend(on_disk(&site.stack.root.join("mysql"), &everything));
        site.stack.start_database().expect("MariaDB");
        assert!(found.is_empty(), "{} findings:\n{}", found.len(), found.join("\n"));
        // The control: the search does find what lies there.
        std::fs::write(data.join("control"), format!("x{}x", BASE64.encode("..zephyrine-message-4..")))
            .expect("written");
        assert_eq!(on_disk(&data, &everything).len(), 1);
        std::fs::remove_file(data.join("control")).expect("removed");
        println!("campaign canaries: real site: {} words, none found in the clear", everything.len());
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
