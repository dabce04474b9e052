//! Every page of the plugin in every state of the site: it opens, it complains about nothing, it shows no secret, and what
//! a stranger typed stays text.

use crate::hook;
use crate::site::{SECRETS, SHARED_SECRET, Site, body, on_a_site};
use crate::stack::Reply;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::json;

const TABS: [&str; 7] = ["connection", "mapping", "forms", "webhook", "activities", "delivery", "privacy"];

/// Everything that an administrator can open, below /wp-admin/.
fn addresses(ids: &[String]) -> Vec<String> {
    let page = |rest: &str| format!("admin.php?page={rest}");
    let mut all: Vec<String> = ["halt-tracker", "halt-tracker-sync-log", "halt-tracker-settings"].map(page).to_vec();
    all.extend(TABS.map(|tab| page(&format!("halt-tracker-settings&tab={tab}"))));
    all.push(page("halt-tracker-settings&tab=nonsense"));
    for filter in [
        "state=queued",
        "state=done&orderby=updated&order=asc",
        "s=ada%40example.org",
        "s=%27%22%3C",
        "form=careers",
        "from=2020-01-01&to=2020-01-02",
        "from=yesterday",
        "paged=7",
        "id=00000000-0000-4000-8000-000000000000",
        "id=%3Cb%3E",
    ] {
        all.push(page(&format!("halt-tracker-sync-log&{filter}")));
    }
    all.extend(ids.iter().map(|id| page(&format!("halt-tracker-sync-log&id={id}"))));
    all.extend(
        [
            "index.php",
            "plugins.php",
            "site-health.php",
            "site-health.php?tab=debug",
            "options-privacy.php?tab=policyguide",
        ]
        .map(str::to_owned),
    );
    all
}

/// All pages, opened by the administrator; each is whole.
fn all_pages(site: &Site) -> Vec<(String, Reply)> {
    let ids: Vec<String> = if site.php("echo Engine::ready() ? 1 : 0;") == "1" {
        site.submissions().iter().filter_map(|one| one["id"].as_str().map(str::to_owned)).collect()
    } else {
        Vec::new()
    };
    let opened = addresses(&ids).into_iter().map(|address| {
        let reply = site.stack.get_as(&site.admin, &format!("/wp-admin/{address}"));
        assert_eq!(reply.status, 200, "{address}: {}", reply.text());
        for word in ["Fatal error", "critical error", "Warning:", "Notice:", "Deprecated:"] {
            assert!(!body(&reply).contains(word), "{address} says {word}: {}", body(&reply));
        }
        assert!(reply.text().trim_end().ends_with("</html>"), "{address} is cut");
        (address, reply)
    });
    opened.collect()
}

fn fill(site: &Site) {
    site.options(&[
        ("activity_enabled", "1"),
        ("pace", "60000"),
        ("record_url", "https://tracker.example/{{record.type}}/{{record.id}}"),
    ]);
    site.apply(4, &[("name", "Ada Lovelace"), ("email", "ada@example.org")]);
    let text = json!({
        "form_id": "careers", "fields": { "name": "Jane Doe", "email": "jane@example.org", "empty": {}, "list": ["a", 1], "n": 1.50 },
        "meta": { "utm_source": "linkedin" },
        "files": [{ "field": "cv", "name": "cv.pdf", "content": BASE64.encode("MZ no PDF"), "encoding": "base64" }],
    });
    let reply = hook::request(SHARED_SECRET, text.to_string()).send(site);
    assert_eq!(reply.status, 202, "{}", reply.text());
    hook::request("somebody else's secret of some length", "{}").send(site);
    site.cron();
    site.until("both are settled", || {
        site.cron();
        site.submissions().iter().all(|one| ["done", "attention"].contains(&one["state"].as_str().unwrap_or_default()))
    });
}

fn rest_nonce(site: &Site) -> String {
    site.stack.get_as(&site.admin, "/wp-admin/admin-ajax.php?action=rest-nonce").text()
}

fn rest(site: &Site, method: &str, path: &str) -> Reply {
    let headers = [site.admin.header(), ("X-WP-Nonce".to_owned(), rest_nonce(site))];
    site.stack.send(method, &format!("/wp-json/halt-tracker/v1{path}"), &headers, b"")
}

#[test]
fn all_pages_open_on_a_new_site() {
    on_a_site(|site| {
        let pages = all_pages(site);
        let first = body(&pages[0].1).to_lowercase();
        assert!(first.contains("nothing has arrived yet"), "{first}");
        assert_eq!(site.php("echo get_option('halt_tracker_epoch', 'none');"), "none", "looking made a store");
    });
}

#[test]
fn all_pages_open_with_data_and_no_secret_is_on_any_of_them_or_in_any_row_or_file() {
    on_a_site(|site| {
        site.credentials();
        site.secrets(&[("api_token", crate::site::API_TOKEN)]);
        fill(site);
        let mut seen: Vec<(String, String)> =
            all_pages(site).into_iter().map(|(address, reply)| (address, reply.text())).collect();
        for path in ["/status", "/submissions", "/submissions?state=done&per_page=1"] {
            let reply = rest(site, "GET", path);
            assert_eq!(reply.status, 200, "{path}: {}", reply.text());
            seen.push((path.to_owned(), reply.text()));
        }
        let reply = rest(site, "POST", "/test-connection");
        assert_eq!(reply.status, 200, "{}", reply.text());
        seen.push(("/test-connection".to_owned(), reply.text()));
        seen.push((
            "settings over REST".to_owned(),
            site.stack
                .send(
                    "GET",
                    "/wp-json/wp/v2/settings",
                    &[site.admin.header(), ("X-WP-Nonce".to_owned(), rest_nonce(site))],
                    b"",
                )
                .text(),
        ));
        seen.push(("the index of routes".to_owned(), site.stack.get("/wp-json/").text()));
        for table in ["options", "usermeta", "postmeta", "posts"] {
            seen.push((table.to_owned(), site.stack.sql(&format!("SELECT * FROM wp_{table}")).expect("rows")));
        }
        seen.push(("the logs".to_owned(), site.stack.logs()));
        for (place, text) in &seen {
            for secret in SECRETS {
                assert!(!text.contains(secret), "{secret} is in {place}");
            }
        }
        // Nothing of it stands readable on the disk either.
        let places = site.php("echo get_option('halt_tracker_data_dir'), '\n', dirname(get_option('halt_tracker_key_file')), '\n', WP_CONTENT_DIR;");
        for word in SECRETS.iter().copied().chain(["Lovelace", "jane@example.org"]) {
            for place in places.lines().take(2) {
                let found = std::process::Command::new("grep").args(["-rlaiF", word, place]).output().expect("grep");
                assert!(found.stdout.is_empty(), "{word} is in {}", String::from_utf8_lossy(&found.stdout));
            }
        }
        let log = &seen.iter().find(|(address, _)| address.ends_with("page=halt-tracker-sync-log")).expect("the log").1;
        assert!(!log.contains("jane@example.org") && log.contains("Details"), "addresses in the list are masked");
        let links = format!("https://tracker.example/Resource/{}", site.submissions()[0]["tracker_id"]);
        assert!(log.contains(&links), "no link {links}");
    });
}

#[test]
fn all_pages_open_without_the_engine_and_say_how_to_get_it() {
    on_a_site(|site| {
        site.credentials();
        fill(site);
        site.stack.set_extension(false).expect("without the module");
        for (address, reply) in all_pages(site) {
            if address.starts_with("admin.php?page=halt-tracker") {
                assert!(reply.has("HT-1001"), "{address}: {}", body(&reply));
            }
        }
        // What is no secret can be saved; a secret is refused by name.
        assert!(site.save_tab("delivery", &[("pace", "60")]).has("Saved."));
        assert_eq!(site.php("echo get_option('halt_tracker_pace');"), "60");
        let page = body(&site.save_tab("delivery", &[("pace", "many")]));
        assert!(page.contains("Nothing was saved"), "{page}");
        let page = body(&site.save_tab("connection", &[("client_secret", "typed without an engine 0123456789")]));
        assert!(page.contains("Secrets can be saved as soon as the engine is running"), "{page}");
    });
}

#[test]
fn a_locked_setting_names_its_constant_and_keeps_its_value_to_itself() {
    on_a_site(|site| {
        let quoted = format!("'{SHARED_SECRET}'");
        site.stack
            .set_constants(&[("HALT_TRACKER_SHARED_SECRET", &quoted), ("HALT_TRACKER_RECORD_TYPE", "'Lead'")])
            .expect("constants");
        site.stack.restart_fpm("QUIT").expect("php-fpm");
        let page = site.page("halt-tracker-settings&tab=webhook");
        assert!(page.has("Set by HALT_TRACKER_SHARED_SECRET in wp-config.php.") && !page.has(SHARED_SECRET));
        assert!(site.page("halt-tracker-settings&tab=mapping").has("Set by HALT_TRACKER_RECORD_TYPE"));
        assert!(site.save_tab("mapping", &[("record_type", "Contact")]).has("Saved."));
        assert_eq!(site.php("echo json_encode(get_option('halt_tracker_record_type'));"), "false");
        let text = json!({ "form_id": "careers", "fields": { "name": "Jane Doe", "email": "constant@example.org" } });
        assert_eq!(hook::request(SHARED_SECRET, text.to_string()).send(site).status, 202);
    });
}

const EVIL: [&str; 4] = [
    "<script>xss(1)</script>",
    "\"><img src=x onerror=xss(1)>",
    "' onmouseover=xss(1) '",
    "</textarea><svg onload=xss(1)>",
];

#[test]
fn what_a_stranger_typed_stays_text_in_list_and_detail() {
    on_a_site(|site| {
        site.secrets(&[("shared_secret", SHARED_SECRET)]);
        let all = EVIL.concat();
        let text = json!({
            "form_id": all, "fields": { "name": all, "email": "xss@example.org", &all: all, "list": [all, { &all: all }] },
            "meta": { &all: all },
            "files": [{ "field": all, "name": format!("{all}.txt"), "content": "QUJD", "encoding": "base64" }],
        });
        let reply = hook::request(SHARED_SECRET, text.to_string()).send(site);
        assert_eq!(reply.status, 202, "{}", reply.text());
        // Divi's older module takes labels from the browser; titles come from the page's content.
        let mut pairs = crate::stack::divi::application(4, &[("email", "label@example.org")]);
        for pair in pairs.iter_mut().filter(|(name, _)| name.starts_with("et_pb_contact_email_fields")) {
            let mut list: serde_json::Value = serde_json::from_str(&pair.1).expect("a list");
            list[0]["field_label"] = json!("<img src=x onerror=xss(1)>' onmouseover=xss(1) '");
            pair.1 = list.to_string();
        }
        site.php("$page = get_page_by_path('d4'); kses_remove_filters(); wp_update_post(['ID' => $page->ID, 'post_content' => str_replace('title=\"Apply now\"', 'title=\"&lt;script&gt;xss(1)&lt;/script&gt;&quot;&gt;&lt;img src=x onerror=xss(1)&gt;\"', $page->post_content)]);");
        assert!(crate::stack::divi::accepted(&site.stack.divi_post("d4", &pairs)));
        site.php("$page = get_page_by_path('d4'); kses_remove_filters(); wp_update_post(['ID' => $page->ID, 'post_content' => divi_fixture_markup(4, 'A') . \"\\n\\n\" . divi_fixture_markup(4, 'B') . \"\\n\\n\" . divi_fixture_markup(4, 'C') . \"\\n\\n\" . divi_fixture_markup(4, 'D')]);");
        let held = site.submissions();
        assert_eq!(held.len(), 2);
        assert!(
            held[1]["form"]["title"].as_str().is_some_and(|title| title.contains("onerror=xss(1)")),
            "{}",
            held[1]["form"]
        );
        site.cron();
        for (address, reply) in all_pages(site) {
            let html = body(&reply);
            for wrong in ["<script>xss", "<img src=x", "<svg onload", "' onmouseover=xss", "\"><img"] {
                assert!(!html.contains(wrong), "{address}: {wrong} in {html}");
            }
        }
        let page = site.page(&format!("halt-tracker-sync-log&id={}", held[0]["id"].as_str().expect("an id")));
        assert!(page.has("&lt;script&gt;xss(1)&lt;/script&gt;"), "it is shown, as text");
        let preview = site.submit("halt-tracker-settings&tab=mapping", &[("preview_form", &all)], |form| {
            form.value("preview_form").is_some()
        });
        assert!(
            !body(&preview).contains("<script>xss") && !body(&preview).contains("<img src=x"),
            "{}",
            body(&preview)
        );
    });
}

#[test]
fn the_detail_shows_empty_objects_and_numbers_as_they_came() {
    on_a_site(|site| {
        site.secrets(&[("shared_secret", SHARED_SECRET)]);
        let text = "{\"form_id\":\"careers\",\"fields\":{\"name\":\"Jane Doe\",\"email\":\"n@example.org\",\"o\":{},\"l\":[],\"n\":1.50,\"big\":12345678901234567890}}";
        assert_eq!(hook::request(SHARED_SECRET, text).send(site).status, 202);
        let raw = site.php("$one = Engine::call('list', ['{}'])['items'][0]; echo Engine::raw('get', [$one['id']]);");
        assert!(
            raw.contains("\"n\":1.50") && raw.contains("\"big\":12345678901234567890") && raw.contains("\"o\":{}"),
            "{raw}"
        );
        let page =
            site.page(&format!("halt-tracker-sync-log&id={}", site.submissions()[0]["id"].as_str().expect("an id")));
        assert_eq!(page.status, 200);
    });
}

#[test]
fn the_preview_shows_what_would_be_sent_and_sends_nothing() {
    on_a_site(|site| {
        site.apply(4, &[("name", "Ada Lovelace"), ("email", "preview@example.org")]);
        let page = site.submit("halt-tracker-settings&tab=mapping", &[], |form| form.value("preview_form").is_some());
        let shown = crate::forms::unescape(&body(&page));
        assert!(shown.contains("preview@example.org") && shown.contains("Lovelace"), "{shown}");
        assert_eq!(site.sim.ledger()["requests"], json!([]));
    });
}

#[test]
fn scripts_can_do_over_rest_what_people_do_on_the_pages() {
    on_a_site(|site| {
        site.secrets(&[("shared_secret", SHARED_SECRET)]);
        assert_eq!(rest(site, "GET", "/submissions/00000000-0000-4000-8000-000000000000").status, 404);
        site.apply(4, &[("email", "rest@example.org")]);
        let list = rest(site, "GET", "/submissions");
        assert_eq!((list.status, list.header("x-wp-total")), (200, Some("1")), "{}", list.text());
        let id = list.json()["items"][0]["id"].as_str().expect("an id").to_owned();
        assert!(!list.has("rest@example.org"), "{}", list.text());
        let one = rest(site, "GET", &format!("/submissions/{id}"));
        assert_eq!(one.json()["fields"]["email"], "rest@example.org");
        let gone = rest(site, "POST", &format!("/submissions/{id}/discard"));
        assert_eq!((gone.status, &gone.json()["changed"]), (200, &json!([id])), "{}", gone.text());
        assert_eq!(rest(site, "POST", &format!("/submissions/{id}/discard")).status, 409);
        assert_eq!(rest(site, "POST", &format!("/submissions/{id}/retry")).status, 200);
        let run = rest(site, "POST", "/run");
        assert_eq!(run.status, 200, "{}", run.text());
        assert_eq!(rest(site, "GET", "/submissions?state=nonsense").status, 400);
    });
}
