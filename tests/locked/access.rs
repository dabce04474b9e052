//! Every handler and every route, as WordPress itself lists them, against people who may not use them: each is refused,
//! and nothing is different afterwards. A new handler is in this test as soon as it exists.

use crate::site::{SHARED_SECRET, Site, on_a_site};
use crate::stack::http::form_encode;
use crate::stack::{Reply, Session};
use crate::users::{User, doors, state, user, with_nonces};

const TYPED: &str = "typed-by-a-stranger-0123456789-0123456789";

/// Fields that would make each handler do something.
fn fields(action: &str, id: &str, nonce: Option<&str>) -> Vec<(String, String)> {
    let mut pairs = vec![("action", action)];
    pairs.extend(nonce.map(|nonce| ("_wpnonce", nonce)));
    pairs.extend([
        ("id", id),
        ("deed", "erase"),
        ("do", "pause"),
        ("ordinal", "1"),
        ("notice", "anything"),
        ("tracker_id", "7"),
        ("client_secret", TYPED),
        ("refresh_token", TYPED),
        ("shared_secret", TYPED),
        ("api_token", TYPED),
        ("record_type", "Lead"),
        ("pace", "1"),
        ("retention_days", "1"),
        ("body_limit_mib", "1"),
        ("activity_enabled", "1"),
        ("forms[0][key]", "careers"),
        ("forms[0][mode]", "ignore"),
        ("trusted_proxies", "0.0.0.0/0"),
        ("delete_on_uninstall", "1"),
    ]);
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

const POST: &str = "/wp-admin/admin-post.php";

fn post(site: &Site, session: &Session, action: &str, id: &str, nonce: Option<&str>) -> Reply {
    site.stack.post_as(session, POST, &fields(action, id, nonce))
}

/// A site with something to lose: two submissions, one of them with a file, and a secret.
fn something_to_lose(site: &Site) -> String {
    site.secrets(&[("shared_secret", SHARED_SECRET)]);
    site.php("Engine::act(['action' => 'pause']); Engine::act(['action' => 'resume', 'reason' => 'by hand']);");
    site.apply(4, &[("email", "first@access.example")]);
    let body = serde_json::json!({ "form_id": "careers", "fields": { "name": "Jane Doe", "email": "second@access.example" },
        "files": [{ "field": "cv", "name": "cv.txt", "content": "QUJD", "encoding": "base64" }] });
    assert_eq!(crate::hook::request(SHARED_SECRET, body.to_string()).send(site).status, 202);
    let held = site.submissions();
    assert_eq!(held.len(), 2);
    held[1]["id"].as_str().expect("an id").to_owned()
}

#[test]
fn every_handler_refuses_strangers_subscribers_and_foreign_nonces() {
    on_a_site(|site| {
        let id = something_to_lose(site);
        let doors = doors(site);
        assert!(doors.actions.len() >= 16, "{:?}", doors.actions);
        let admin = with_nonces(site, site.admin.clone(), &site.stack.admin_user, &doors);
        let subscriber = user(site, "subscriber", &doors);
        let editor = user(site, "editor", &doors);
        let other = user(site, "administrator", &doors);
        let before = state(site);
        let (mut wrong, mut tried) = (Vec::new(), 0);
        let none = Session::default();
        for action in &doors.actions {
            let next = doors.actions.iter().find(|one| *one != action).expect("another action");
            let own = |user: &User, action: &str| Some(user.nonces[action].clone());
            let attempts: [(&str, &Session, Option<String>, &[u16]); 9] = [
                ("nobody, no nonce", &none, None, &[400, 403]),
                ("nobody, an administrator's nonce", &none, own(&admin, action), &[400, 403]),
                (
                    "subscriber with the right nonce of the session",
                    &subscriber.session,
                    own(&subscriber, action),
                    &[403],
                ),
                ("editor with the right nonce of the session", &editor.session, own(&editor, action), &[403]),
                ("administrator without a nonce", &admin.session, None, &[403]),
                ("administrator, the nonce of another administrator", &admin.session, own(&other, action), &[403]),
                ("administrator, the nonce of another handler", &admin.session, own(&admin, next), &[403]),
                ("administrator, the nonce of REST", &admin.session, own(&admin, "wp_rest"), &[403]),
                ("subscriber with an administrator's nonce", &subscriber.session, own(&admin, action), &[403]),
            ];
            for (who, session, nonce, allowed) in attempts {
                let reply = post(site, session, action, &id, nonce.as_deref());
                tried += 1;
                if !allowed.contains(&reply.status) || reply.has("ABC") {
                    wrong.push(format!("{action}: {who}: {} {}", reply.status, reply.header("location").unwrap_or("")));
                }
            }
            // Everything is right but the method.
            for method in ["GET", "HEAD"] {
                let query = form_encode(&fields(action, &id, own(&admin, action).as_deref()));
                let reply = site.stack.send(method, &format!("{POST}?{query}"), &[admin.session.header()], b"");
                tried += 1;
                let harmless = action == "halt_tracker_dismiss" && reply.status == 302;
                if reply.status != 405 && !harmless {
                    wrong.push(format!("{action}: by {method}: {}", reply.status));
                }
            }
        }
        let after = state(site);
        assert!(wrong.is_empty(), "{} of {tried}:\n{}", wrong.len(), wrong.join("\n"));
        assert_eq!(after, before, "something has changed");
        assert!(!site.stack.logs().contains(TYPED));
        // The control: nonces made this way are taken when everything is right.
        let action = "halt_tracker_lane";
        let reply = post(site, &admin.session, action, &id, Some(&admin.nonces[action]));
        assert_eq!(reply.status, 302, "{}", reply.text());
        assert_ne!(state(site), before);
        println!("campaign handlers: real site: {} of admin-post, {tried} attempts, all refused", doors.actions.len());
    });
}

#[test]
fn every_route_refuses_strangers_subscribers_and_foreign_nonces() {
    on_a_site(|site| {
        let id = something_to_lose(site);
        let doors = doors(site);
        assert!(doors.routes.len() >= 7, "{:?}", doors.routes);
        let admin = with_nonces(site, site.admin.clone(), &site.stack.admin_user, &doors);
        let subscriber = user(site, "subscriber", &doors);
        let editor = user(site, "editor", &doors);
        let other = user(site, "administrator", &doors);
        let before = state(site);
        let (mut wrong, mut tried) = (Vec::new(), 0);
        let call = |method: &str, path: &str, session: Option<&Session>, nonce: Option<&str>| {
            let mut headers: Vec<(String, String)> = session.map(Session::header).into_iter().collect();
            headers.extend(nonce.map(|nonce| ("X-WP-Nonce".to_owned(), nonce.to_owned())));
            site.stack.send(method, &format!("/wp-json{path}"), &headers, b"")
        };
        let rest = |user: &User| user.nonces["wp_rest"].clone();
        for (method, route) in &doors.routes {
            let path = route.replace("(?P<id>[0-9a-fA-F-]{36})", &id);
            assert!(!path.contains('('), "{path}");
            let attempts: [(&str, Option<&Session>, Option<String>); 7] = [
                ("nobody", None, None),
                ("nobody, an administrator's nonce", None, Some(rest(&admin))),
                ("subscriber", Some(&subscriber.session), Some(rest(&subscriber))),
                ("editor", Some(&editor.session), Some(rest(&editor))),
                ("administrator without a nonce", Some(&admin.session), None),
                ("administrator, another's nonce", Some(&admin.session), Some(rest(&other))),
                (
                    "administrator, a handler's nonce",
                    Some(&admin.session),
                    Some(admin.nonces["halt_tracker_run"].clone()),
                ),
            ];
            for (who, session, nonce) in attempts {
                let reply = call(method, &path, session, nonce.as_deref());
                tried += 1;
                if ![401, 403].contains(&reply.status) || reply.has("access.example") {
                    wrong.push(format!("{method} {route}: {who}: {} {}", reply.status, reply.text()));
                }
            }
            // A change is no GET, whoever asks.
            if method == "POST" {
                for path in [path.clone(), format!("{path}?_method=GET")] {
                    tried += 1;
                    let reply = call("GET", &path, Some(&admin.session), Some(&rest(&admin)));
                    if reply.status != 404 {
                        wrong.push(format!("GET {path}: {}", reply.status));
                    }
                }
            }
        }
        assert!(wrong.is_empty(), "{} of {tried}:\n{}", wrong.len(), wrong.join("\n"));
        assert_eq!(state(site), before, "something has changed");
        let reply = call("GET", "/halt-tracker/v1/submissions", Some(&admin.session), Some(&rest(&admin)));
        assert_eq!(reply.status, 200, "the control: {}", reply.text());
        println!("campaign routes: real site: {} of REST, {tried} attempts, all refused", doors.routes.len());
    });
}

#[test]
fn the_list_the_new_secret_and_the_preview_ask_for_their_own_nonce() {
    on_a_site(|site| {
        let id = something_to_lose(site);
        let doors = doors(site);
        let admin = with_nonces(site, site.admin.clone(), &site.stack.admin_user, &doors);
        let other = user(site, "administrator", &doors);
        let page = |page: &str| format!("/wp-admin/admin.php?page={page}");
        let form = |user: &User, path: &str, name: &str| {
            let shown = site.stack.get_as(&user.session, &page(path)).text();
            let all = crate::forms::forms(&shown);
            let with = all.iter().find_map(|form| form.value(name).map(str::to_owned));
            with.unwrap_or_else(|| panic!("{path} has no {name}"))
        };
        let settings = "halt-tracker-settings&tab=webhook";
        let mapping = "halt-tracker-settings&tab=mapping";
        let foreign = [
            form(&other, "halt-tracker-sync-log", "_wpnonce"),
            form(&other, settings, "halt_generate_nonce"),
            form(&other, mapping, "halt_preview_nonce"),
        ];
        let before = state(site);
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        for nonce in ["", &foreign[0], &admin.nonces["halt_tracker_act"]] {
            for deed in [
                vec![pair("halt_row", &format!("discard:{id}"))],
                vec![pair("action", "erase"), pair("submission[]", &id)],
            ] {
                let fields = [vec![pair("_wpnonce", nonce)], deed].concat();
                let reply = site.stack.post_as(&admin.session, &page("halt-tracker-sync-log"), &fields);
                assert_eq!(reply.status, 403, "{}", crate::site::body(&reply));
            }
        }
        for nonce in ["", &foreign[1], &admin.nonces["halt_tracker_save_webhook"]] {
            let reply = site.stack.post_as(&admin.session, &page(settings), &[pair("halt_generate_nonce", nonce)]);
            assert!(!reply.has("halt-new-secret"), "a secret was made");
        }
        for nonce in ["", &foreign[2]] {
            let fields = [pair("halt_preview_nonce", nonce), pair("preview_form", "careers")];
            let reply = site.stack.post_as(&admin.session, &page(mapping), &fields);
            assert!(!reply.has("second@access.example"), "a preview without its nonce");
        }
        assert_eq!(state(site), before);
        // By GET none of them does anything either.
        for query in [
            format!(
                "halt-tracker-sync-log&halt_row=discard:{id}&_wpnonce={}",
                form(&admin, "halt-tracker-sync-log", "_wpnonce")
            ),
            format!(
                "halt-tracker-sync-log&action=erase&submission[]={id}&_wpnonce={}",
                form(&admin, "halt-tracker-sync-log", "_wpnonce")
            ),
            format!("{settings}&halt_generate_nonce={}", form(&admin, settings, "halt_generate_nonce")),
        ] {
            let reply = site.stack.get_as(&admin.session, &page(&query));
            assert!(!reply.has("halt-new-secret"));
        }
        assert_eq!(state(site), before, "a GET has changed something");
    });
}
