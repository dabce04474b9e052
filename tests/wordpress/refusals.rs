//! Who may do what: a user without the capability sees and changes nothing, and nothing changes without a nonce or by GET.

use crate::site::{Site, on_a_site};
use crate::stack::Session;
use serde_json::json;

const HANDLERS: [&str; 17] = [
    "release_earlier",
    "run",
    "test",
    "lane",
    "unlock",
    "whose",
    "act",
    "file",
    "retire_secret",
    "lost",
    "save_connection",
    "save_mapping",
    "save_forms",
    "save_webhook",
    "save_activities",
    "save_delivery",
    "save_privacy",
];

fn pairs(list: &[(&str, &str)]) -> Vec<(String, String)> {
    list.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect()
}

/// A user of this role, logged in.
fn user(site: &Site, role: &str) -> Session {
    let name = format!("{role}-{}", site.stack.root.display().to_string().len());
    site.php(&format!(
        "$id = username_exists('{name}') ?: wp_insert_user(['user_login' => '{name}', 'user_pass' => 'a password of some length', 'user_email' => '{name}@example.org', 'role' => '{role}']);"
    ));
    site.stack.login_as(&name, "a password of some length").expect("a log-in")
}

/// Everything that must not change.
fn state(site: &Site) -> String {
    site.stack
        .sql("SELECT option_name, option_value FROM wp_options WHERE option_name LIKE 'halt_tracker%' AND option_name NOT LIKE '%counter%' AND option_name <> 'halt_tracker_engines' ORDER BY 1")
        .expect("options")
}

#[test]
fn users_without_the_capability_see_and_change_nothing() {
    on_a_site(|site| {
        site.apply(4, &[("email", "hidden@example.org")]);
        let id = site.submissions()[0]["id"].as_str().expect("an id").to_owned();
        let before = state(site);
        for role in ["subscriber", "editor"] {
            let session = user(site, role);
            for page in [
                "halt-tracker",
                "halt-tracker-sync-log",
                &format!("halt-tracker-sync-log&id={id}"),
                "halt-tracker-settings",
                "halt-tracker-settings&tab=webhook",
            ] {
                let reply = site.stack.get_as(&session, &format!("/wp-admin/admin.php?page={page}"));
                assert_eq!(reply.status, 403, "{role} {page}");
                assert!(!reply.has("hidden@example.org"));
            }
            for handler in HANDLERS {
                let fields = pairs(&[
                    ("action", &format!("halt_tracker_{handler}")),
                    ("id", &id),
                    ("deed", "discard"),
                    ("do", "pause"),
                    ("pace", "1"),
                ]);
                let reply = site.stack.post_as(&session, "/wp-admin/admin-post.php", &fields);
                assert_eq!(reply.status, 403, "{role} {handler}: {}", reply.text());
            }
            let nonce = site.stack.get_as(&session, "/wp-admin/admin-ajax.php?action=rest-nonce").text();
            for (method, path) in
                [("GET", "/status"), ("GET", "/submissions"), ("POST", "/run"), ("POST", "/test-connection")]
            {
                let headers = [session.header(), ("X-WP-Nonce".to_owned(), nonce.clone())];
                let reply = site.stack.send(method, &format!("/wp-json/halt-tracker/v1{path}"), &headers, b"");
                assert_eq!(reply.status, 403, "{role} {path}: {}", reply.text());
            }
        }
        for path in ["/status", "/submissions", &format!("/submissions/{id}")] {
            assert_eq!(site.stack.get(&format!("/wp-json/halt-tracker/v1{path}")).status, 401, "{path}");
        }
        let stranger = site.stack.post_form("/wp-admin/admin-post.php", &pairs(&[("action", "halt_tracker_run")]));
        assert!(stranger.status != 200 || stranger.body.is_empty(), "{}", stranger.text());
        assert_eq!(state(site), before);
        assert_eq!(site.submissions()[0]["state"], "queued");
    });
}

#[test]
fn nothing_changes_without_a_nonce_or_by_get() {
    on_a_site(|site| {
        site.apply(4, &[("email", "nonce@example.org")]);
        let id = site.submissions()[0]["id"].as_str().expect("an id").to_owned();
        let before = state(site);
        for handler in HANDLERS {
            let action = format!("halt_tracker_{handler}");
            for nonce in ["", "0123456789"] {
                let fields = pairs(&[
                    ("action", &action),
                    ("_wpnonce", nonce),
                    ("id", &id),
                    ("deed", "discard"),
                    ("do", "pause"),
                    ("pace", "1"),
                    ("record_type", "Lead"),
                    ("client_secret", "typed by a stranger 0123456789"),
                ]);
                let reply = site.stack.post_as(&site.admin, "/wp-admin/admin-post.php", &fields);
                assert_eq!(reply.status, 403, "{handler}: {}", reply.text());
            }
            let reply = site.stack.get_as(
                &site.admin,
                &format!("/wp-admin/admin-post.php?action={action}&id={id}&deed=discard&do=pause"),
            );
            assert_eq!(reply.status, 405, "{handler}");
        }
        let list = pairs(&[("halt_row", &format!("discard:{id}"))]);
        let reply = site.stack.post_as(&site.admin, "/wp-admin/admin.php?page=halt-tracker-sync-log", &list);
        assert_eq!(reply.status, 403, "the list: {}", reply.text());
        let made = site.stack.post_as(
            &site.admin,
            "/wp-admin/admin.php?page=halt-tracker-settings&tab=webhook",
            &pairs(&[("halt_generate_nonce", "0123456789")]),
        );
        assert!(!made.has("halt-new-secret"));
        let headers = [site.admin.header()];
        assert_eq!(
            site.stack.send("POST", "/wp-json/halt-tracker/v1/run", &headers, b"").status,
            401,
            "REST without its nonce"
        );
        assert_eq!(state(site), before);
        assert_eq!(site.submissions()[0]["state"], "queued");
    });
}

#[test]
fn a_user_who_may_look_may_retry_and_nothing_else() {
    on_a_site(|site| {
        site.apply(4, &[("email", "look@example.org")]);
        let id = site.submissions()[0]["id"].as_str().expect("an id").to_owned();
        site.php(&format!("Engine::act(['action' => 'discard', 'ids' => ['{id}']]); add_role('looker', 'Looker', ['read' => true, 'view_halt_tracker' => true]);"));
        let session = user(site, "looker");
        let page = |rest: &str| format!("/wp-admin/admin.php?page={rest}");
        assert_eq!(site.stack.get_as(&session, &page("halt-tracker")).status, 200);
        assert_eq!(site.stack.get_as(&session, &page("halt-tracker-settings")).status, 403);
        let shown = site.stack.get_as(&session, &page(&format!("halt-tracker-sync-log&id={id}")));
        let forms = crate::forms::forms(&shown.text());
        let deeds: Vec<&str> = forms.iter().filter_map(|form| form.value("deed")).collect();
        assert_eq!(deeds, ["retry"]);
        let mut form = forms.iter().find(|form| form.value("deed") == Some("retry")).expect("the form").clone();
        form.set("deed", "erase");
        assert_eq!(site.stack.post_as(&session, "/wp-admin/admin-post.php", &form.fields).status, 403);
        form.set("deed", "retry");
        assert_eq!(site.stack.post_as(&session, "/wp-admin/admin-post.php", &form.fields).status, 302);
        assert_eq!(site.submissions()[0]["state"], json!("queued"));
        site.php("remove_role('looker');");
    });
}

#[test]
fn the_buttons_of_the_list_discard_and_retry() {
    on_a_site(|site| {
        site.apply(4, &[("email", "one@example.org")]);
        site.apply(4, &[("email", "two@example.org")]);
        let ids: Vec<String> =
            site.submissions().iter().filter_map(|one| one["id"].as_str().map(str::to_owned)).collect();
        let states =
            || site.submissions().iter().filter_map(|one| one["state"].as_str().map(str::to_owned)).collect::<Vec<_>>();
        let is_list = |form: &crate::forms::Form| form.method == "post" && form.value("action2").is_some();
        let page = site.submit("halt-tracker-sync-log", &[("submission[]", &ids[0]), ("action", "discard")], is_list);
        assert!(page.has("1 submission changed."), "{}", crate::site::body(&page));
        assert_eq!(states(), ["discarded", "queued"]);
        site.submit("halt-tracker-sync-log", &[("halt_row", &format!("retry:{}", ids[0]))], is_list);
        assert_eq!(states(), ["queued", "queued"]);
    });
}
