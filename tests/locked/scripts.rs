//! What strangers type - labels, values, titles, file names, form ids, Tracker's own words - stays text on every page, in
//! every table for a spreadsheet, and out of every mail.

use crate::hook;
use crate::hostile::Hostile;
use crate::site::{SHARED_SECRET, Site, body, on_a_site, quoted};
use crate::tables::{assert_no_mail_repeats, assert_table_holds};
use serde_json::{Value, json};

/// Every way out of text, attribute, element and script, with the place's name in each, so that a finding names it.
pub fn payload(place: &str) -> String {
    format!(
        "{place}\"><img src=x onerror={place}()><script>{place}()</script>' onmouseover={place}() x='\" onfocus={place}() y=\"</textarea></title></style></script><svg onload={place}()>"
    )
}

pub const PLACES: [&str; 12] = [
    "xvalue", "xfield", "xperson", "xform", "xmeta", "xfile", "xrefused", "xlabel", "xtitle", "xpage", "xtracker",
    "xtoken",
];

/// Text that came out of its place.
pub fn loose(html: &str) -> Vec<String> {
    let mut out = Vec::new();
    for place in PLACES {
        for wrong in [
            format!("<img src=x onerror={place}"),
            format!("<script>{place}"),
            format!("<svg onload={place}"),
            format!("' onmouseover={place}"),
            format!("\" onfocus={place}"),
            format!("{place}\">"),
        ] {
            if html.contains(&wrong) {
                out.push(wrong);
            }
        }
    }
    out
}

fn fill(site: &Site) {
    let p = payload;
    let text = json!({
        "form_id": p("xform"),
        "fields": { "name": p("xperson"), "email": "xss@canary.example", p("xfield"): p("xvalue"), "list": [p("xvalue"), { p("xfield"): p("xvalue") }] },
        "meta": { p("xmeta"): p("xmeta"), "page_title": p("xpage"), "page_url": "javascript:xpage()" },
        "files": [
            { "field": p("xfile"), "name": format!("{}.txt", p("xfile")), "content": "QUJD", "encoding": "base64" },
            { "field": p("xrefused"), "name": format!("{}.exe", p("xrefused")), "content": "QUJD", "encoding": "base64" },
        ],
    });
    let reply = hook::request(SHARED_SECRET, text.to_string()).send(site);
    assert_eq!(reply.status, 202, "{}", reply.text());
    // Labels come from the browser; titles from the content of the page.
    let mut pairs = crate::stack::divi::application(4, &[("name", &p("xperson")), ("email", "label@canary.example")]);
    for pair in pairs.iter_mut().filter(|(name, _)| name.starts_with("et_pb_contact_email_fields")) {
        let mut list: Value = serde_json::from_str(&pair.1).expect("a list");
        for field in list.as_array_mut().expect("a list") {
            field["field_label"] = json!(payload("xlabel").replace('"', "&quot;"));
        }
        pair.1 = list.to_string();
    }
    let title = p("xtitle").replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;");
    let page = format!(
        "$page = get_page_by_path('d4'); kses_remove_filters();
        update_option('locked_page', [$page->post_title, $page->post_content]);
        wp_update_post(wp_slash(['ID' => $page->ID, 'post_title' => {}, 'post_content' => str_replace('title=\"Apply now\"', 'title=\"' . {} . '\"', $page->post_content)]));",
        quoted(&p("xpage")),
        quoted(&title)
    );
    site.php(&page);
    let accepted = site.stack.divi_post("d4", &pairs);
    site.php("[$title, $content] = get_option('locked_page'); delete_option('locked_page'); kses_remove_filters(); wp_update_post(wp_slash(['ID' => get_page_by_path('d4')->ID, 'post_title' => $title, 'post_content' => $content]));");
    assert!(crate::stack::divi::accepted(&accepted), "{}", accepted.text());
}

fn refuses_records(method: &str, path: &str) -> bool {
    method == "POST" && path.to_lowercase().trim_end_matches('/').ends_with("/resource")
}

fn refuses_all(_: &str, _: &str) -> bool {
    true
}

fn behind(site: &Site, hostile: &Hostile) {
    let url = quoted(&hostile.url);
    let both = [("HALT_TRACKER_API_URL", url.as_str()), ("HALT_TRACKER_OAUTH_URL", url.as_str())];
    site.stack.set_constants(&both).expect("constants");
    site.stack.restart_fpm("QUIT").expect("php-fpm");
}

fn assert_inert(site: &Site, when: &str) {
    let mut found = Vec::new();
    let page = |rest: &str| format!("admin.php?page=halt-tracker{rest}");
    let tabs = ["connection", "mapping", "forms", "webhook", "activities", "delivery", "privacy"];
    let mut paths: Vec<String> =
        ["", "-sync-log", "-sync-log&state=attention", "-sync-log&s=xss%40canary.example"].map(page).to_vec();
    paths.extend(tabs.map(|tab| page(&format!("-settings&tab={tab}"))));
    paths.extend(
        site.submissions().iter().map(|one| page(&format!("-sync-log&id={}", one["id"].as_str().unwrap_or("")))),
    );
    paths.extend(["index.php", "plugins.php", "site-health.php", "site-health.php?tab=debug"].map(str::to_owned));
    // What an attacker makes an administrator click.
    let query = crate::stack::http::percent(&payload("xvalue"));
    for name in ["s", "form", "state", "from", "id", "orderby", "order", "paged", "tab"] {
        paths.push(page(&format!("-sync-log&{name}={query}")));
        paths.push(page(&format!("-settings&{name}={query}")));
    }
    for path in paths {
        let reply = site.stack.get_as(&site.admin, &format!("/wp-admin/{path}"));
        let text = reply.text();
        found.extend(loose(&text).iter().map(|wrong| format!("{wrong} on {path}")));
        if text.contains("href=\"javascript:xpage") || text.contains("href='javascript:xpage") {
            found.push(format!("a link of javascript: on {path}"));
        }
    }
    assert!(found.is_empty(), "{when}:\n{}", found.join("\n"));
}

#[test]
fn what_strangers_and_tracker_say_stays_text_on_every_page_in_mails_and_in_tables() {
    assert_eq!(
        loose(&format!("<p class=\"{}\">", payload("xvalue"))).len(),
        6,
        "the control: unescaped, all are found"
    );
    on_a_site(|site| {
        site.credentials();
        site.sim.switches(&json!({ "rotate_refresh_token": false }));
        site.options(&[("pace", "60000"), ("api", "rest"), ("record_url", "https://tracker.example/{{record.id}}")]);
        // A file of the add-on is not needed: names of files come with the webhook.
        let refusing = Hostile::start(&site.sim.url, &payload("xtracker"), refuses_records);
        behind(site, &refusing);
        fill(site);
        site.until("Tracker has refused both", || {
            site.cron();
            site.submissions().iter().all(|one| ["failed", "attention"].contains(&one["state"].as_str().unwrap_or("")))
        });
        assert_eq!(site.submissions().len(), 2);
        assert_inert(site, "after a refusal");
        // Each of them is shown somewhere, as text: the search above looked at pages that have them.
        let details: String = site
            .submissions()
            .iter()
            .map(|one| body(&site.page(&format!("halt-tracker-sync-log&id={}", one["id"].as_str().expect("an id")))))
            .collect();
        for place in ["xvalue", "xperson", "xform", "xmeta", "xtracker", "xpage"] {
            assert!(details.contains(&format!("&lt;img src=x onerror={place}()&gt;")), "{place} is not shown");
        }
        for place in ["xlabel", "xtitle", "xfile", "xrefused"] {
            assert!(details.contains(place), "{place} is not shown at all");
        }
        let preview =
            site.submit("halt-tracker-settings&tab=mapping", &[("preview_form", &payload("xform"))], |form| {
                form.value("preview_form").is_some()
            });
        assert_eq!(loose(&preview.text()), Vec::<String>::new(), "the preview");
        // A form of a hostile id can be set up, and its tab shows what was typed.
        let saved =
            site.save_tab("forms", &[("forms[0][mode]", "hold"), ("forms[0][activity_subject]", &payload("xvalue"))]);
        assert_eq!(loose(&saved.text()), Vec::<String>::new(), "the forms tab");
        let refused = site.save_tab("mapping", &[("field_map", &payload("xvalue"))]);
        assert!(refused.has("Nothing was saved"));
        assert_eq!(loose(&refused.text()), Vec::<String>::new(), "a refused mapping");

        let all = Hostile::start(&site.sim.url, &payload("xtoken"), refuses_all);
        behind(site, &all);
        let tested = site.press("halt-tracker-settings&tab=connection", "test", &[]);
        assert!(tested.has("xtoken"), "Tracker's words are shown: {}", body(&tested));
        assert_eq!(loose(&tested.text()), Vec::<String>::new(), "the connection test");
        site.php("foreach (Engine::call('list', ['{}'])['items'] as $one) { Engine::act(['action' => 'retry', 'ids' => [$one['id']]]); }");
        site.cron();
        assert_inert(site, "while the lane is paused in Tracker's words");
        assert_no_mail_repeats(site);
        assert_table_holds(site, &["xvalue", "xperson", "xform", "xmeta", "xpage"]);
    });
}

#[test]
fn cells_that_a_spreadsheet_would_compute_get_an_apostrophe() {
    on_a_site(|site| {
        site.secrets(&[("shared_secret", SHARED_SECRET)]);
        for (number, start) in ["=", "+", "-", "@", "\t", "\r"].iter().enumerate() {
            let text = json!({ "form_id": format!("{start}cmd|'/C calc'!A{number}"), "fields": { "name": "A", "email": "csv@canary.example", "n": number } });
            assert_eq!(hook::request(SHARED_SECRET, text.to_string()).send(site).status, 202);
        }
        // WP-CLI itself is not needed: its printing is replaced by one that shows the cells.
        let stand_in = "<?php namespace WP_CLI\\Utils { function format_items($format, $items, $fields) { echo json_encode(array_values($items)); } function get_flag_value($all, $name, $usual = null) { return $all[$name] ?? $usual; } }
            namespace { final class WP_CLI { public static function __callStatic($name, $arguments) {} } }";
        let file = site.stack.root.join("tmp/wp-cli-stand-in.php");
        std::fs::write(&file, stand_in).expect("written");
        let said = site.php(&format!(
            "require {}; (new \\Halt\\Tracker\\WordPress\\Cli\\Submissions())->list_([], ['format' => 'csv']);",
            quoted(&file.display().to_string())
        ));
        let cells: Vec<Value> = serde_json::from_str(&said).unwrap_or_else(|error| panic!("{error}: {said}"));
        assert_eq!(cells.len(), 6, "{said}");
        let texts: Vec<&str> =
            cells.iter().filter_map(Value::as_object).flat_map(|row| row.values()).filter_map(Value::as_str).collect();
        assert_eq!(texts.iter().filter(|cell| cell.starts_with('\'')).count(), 6, "{said}");
        for cell in texts {
            assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r']), "{cell}");
        }
    });
}
