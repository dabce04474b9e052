//! The webhook as other programs meet it, through nginx and php-fpm: every kind of request has one answer, and only a
//! well-signed one of now leaves anything behind.

use crate::hook::{at, error, now, request, signature};
use crate::site::{SHARED_SECRET, Site, on_a_site, rows};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::json;

fn body(email: &str) -> String {
    json!({ "form_id": "careers", "fields": { "name": "Jane Doe", "email": email } }).to_string()
}

/// Paused, so that what is looked at stands still.
fn with_secret(test: impl FnOnce(&Site)) {
    on_a_site(|site| {
        site.secrets(&[("shared_secret", SHARED_SECRET)]);
        test(site);
    });
}

#[test]
fn a_well_signed_request_is_queued_and_named() {
    with_secret(|site| {
        let reply = request(SHARED_SECRET, body("right@example.org")).send(site);
        assert_eq!(reply.status, 202, "{}", reply.text());
        let answer = reply.json();
        let id = answer["queue_id"].as_str().expect("an id");
        assert_eq!(reply.text(), format!("{{\"queued\":true,\"queue_id\":\"{id}\"}}"));
        assert!(reply.header("content-type").is_some_and(|kind| kind.starts_with("application/json")));
        let held = site.submissions();
        assert_eq!((held.len(), held[0]["id"].as_str()), (1, Some(id)));
        assert_eq!(held[0]["fields"], json!({ "name": "Jane Doe", "email": "right@example.org" }));
        // Received in the zone of the site, as a form is.
        let stamp = held[0]["timestamp"].as_str().expect("a timestamp");
        assert!(stamp.ends_with("+01:00") || stamp.ends_with("+02:00"), "{stamp}");
    });
}

#[test]
fn the_address_without_pretty_links_works_too() {
    with_secret(|site| {
        let one = request(SHARED_SECRET, body("plain@example.org"));
        let reply = site.stack.post_raw("/index.php?rest_route=/halt-tracker/v1/ingest", &one.headers, &one.body);
        assert_eq!(reply.status, 202, "{}", reply.text());
    });
}

#[test]
fn the_same_request_and_the_same_body_signed_anew_are_one_submission() {
    with_secret(|site| {
        let one = request(SHARED_SECRET, body("again@example.org"));
        let first = one.send(site);
        assert_eq!(first.status, 202, "{}", first.text());
        let replay = one.send(site);
        assert_eq!((replay.status, replay.text()), (202, first.text()));
        let anew = at(SHARED_SECRET, body("again@example.org"), &(now() - 7).to_string()).send(site);
        assert_eq!((anew.status, anew.text()), (202, first.text()));
        assert_eq!(site.submissions().len(), 1);
    });
}

#[test]
fn whoever_cannot_sign_gets_one_and_the_same_answer() {
    with_secret(|site| {
        let good = || request(SHARED_SECRET, body("eve@example.org"));
        let signed = good().headers[2].1.clone();
        let bad_json = || request("another secret of forty characters, wrong", "{");
        let stamp = now();
        // The exact edges are in tests/locked; this one comes first, because it comes nearer while the others are sent.
        let wrong = [
            ("too far ahead", at(SHARED_SECRET, body("eve@example.org"), &(stamp + 330).to_string())),
            ("too old", at(SHARED_SECRET, body("eve@example.org"), &(stamp - 330).to_string())),
            ("another secret", request("another secret of forty characters, wrong", body("eve@example.org"))),
            ("no signature", good().with("X-Halt-Webhook-Signature", "")),
            ("no timestamp", good().with("X-Halt-Timestamp", "")),
            ("upper case", good().with("X-Halt-Webhook-Signature", &signed.to_uppercase())),
            ("cut", good().with("X-Halt-Webhook-Signature", &signed[..63])),
            ("a prefix", good().with("X-Halt-Webhook-Signature", &format!("sha256={signed}"))),
            ("doubled", good().with("X-Halt-Webhook-Signature", &format!("{signed}, {signed}"))),
            ("milliseconds", at(SHARED_SECRET, body("eve@example.org"), &format!("{stamp}000"))),
            ("a sign", at(SHARED_SECRET, body("eve@example.org"), &format!("+{stamp}"))),
            ("another body", {
                let mut one = good();
                one.body.push(b' ');
                one
            }),
            ("the body alone signed", {
                let one = good();
                let mac = signature(SHARED_SECRET, "", &one.body);
                one.with("X-Halt-Webhook-Signature", &mac)
            }),
            ("bad JSON, badly signed", bad_json()),
        ];
        let mut said = Vec::new();
        for (what, one) in wrong {
            let reply = one.send(site);
            assert_eq!(reply.status, 401, "{what}: {}", reply.text());
            assert_eq!(error(&reply), "HT-1201", "{what}");
            said.push(reply.text());
        }
        said.dedup();
        assert_eq!(said.len(), 1, "the answers differ: {said:#?}");
        assert!(site.submissions().is_empty());
        // One line each for tools that ban addresses, and the true reasons for the administrator.
        let lines = site.stack.logs().lines().filter(|line| line.contains("webhook refused HT-12")).count();
        assert_eq!(lines, 14, "{}", site.stack.logs());
        let page = site.page("halt-tracker-settings&tab=webhook");
        for code in ["HT-1203", "HT-1204", "HT-1205", "HT-1206", "HT-1207", "HT-1208"] {
            assert!(page.has(code), "{code}");
        }
    });
}

#[test]
fn a_timestamp_near_the_edge_is_taken() {
    with_secret(|site| {
        for (off, email) in [(-280, "old@example.org"), (280, "ahead@example.org")] {
            let reply = at(SHARED_SECRET, body(email), &(now() + off).to_string()).send(site);
            assert_eq!(reply.status, 202, "{off}: {}", reply.text());
        }
    });
}

#[test]
fn a_signed_body_that_is_wrong_is_told_what_is_wrong_with_it() {
    with_secret(|site| {
        let file = |content: &str| json!({ "form_id": "careers", "fields": { "email": "b@example.org" }, "files": [{ "field": "cv", "name": "a.txt", "content": content, "encoding": "base64" }] });
        let cases: [(String, &str, &[&str]); 9] = [
            ("{\"form_id\":\"careers\",\n  \"fields\":{\"email\" \"x\"}}".into(), "HT-1212", &["line 2", "column 21"]),
            (String::new(), "HT-1212", &["line 1"]),
            ("{\"form_id\":\"a\",\"form_id\":\"b\",\"fields\":{}}".into(), "HT-1212", &["repeated"]),
            ("\u{feff}{}".into(), "HT-1212", &["line 1"]),
            ("{\"form_id\":\"careers\",\"fields\":{\"email\":\"\\ud800\"}}".into(), "HT-1212", &["line 1"]),
            (json!({ "form_id": "careers", "fields": {}, "surprise": 1 }).to_string(), "HT-1213", &["surprise"]),
            (json!({ "fields": {} }).to_string(), "HT-1213", &["form_id"]),
            (json!({ "form_id": "careers" }).to_string(), "HT-1213", &["fields"]),
            (file("AAA*").to_string(), "HT-1214", &[]),
        ];
        for (text, code, words) in cases {
            let reply = request(SHARED_SECRET, text.clone()).send(site);
            assert_eq!((reply.status, error(&reply).as_str()), (400, code), "{text}: {}", reply.text());
            for word in words {
                assert!(
                    reply.json()["message"].as_str().is_some_and(|said| said.contains(word)),
                    "{text}: {}",
                    reply.text()
                );
            }
        }
        assert!(site.submissions().is_empty());
    });
}

#[test]
fn other_methods_types_and_compressed_bodies_are_refused_by_name() {
    with_secret(|site| {
        for method in ["GET", "PUT", "DELETE"] {
            let mut one = request(SHARED_SECRET, body("m@example.org"));
            one.method = method;
            let reply = one.send(site);
            assert_eq!((reply.status, error(&reply).as_str()), (405, "HT-1209"), "{method}: {}", reply.text());
        }
        for kind in [
            "text/plain",
            "application/x-www-form-urlencoded",
            "multipart/form-data; boundary=x",
            "application/json; charset=utf-16",
            "",
        ] {
            let reply = request(SHARED_SECRET, body("t@example.org")).with("Content-Type", kind).send(site);
            assert_eq!((reply.status, error(&reply).as_str()), (415, "HT-1210"), "{kind}: {}", reply.text());
        }
        let packed = request(SHARED_SECRET, body("z@example.org")).with("Content-Encoding", "gzip").send(site);
        assert_eq!((packed.status, error(&packed).as_str()), (415, "HT-1210"), "{}", packed.text());
        let charset =
            request(SHARED_SECRET, body("u@example.org")).with("Content-Type", "application/json; charset=utf-8");
        assert_eq!(charset.send(site).status, 202);
        assert_eq!(site.submissions().len(), 1);
    });
}

#[test]
fn a_body_above_the_limit_is_too_large() {
    with_secret(|site| {
        site.options(&[("body_limit_mib", "1")]);
        let mut large =
            json!({ "form_id": "careers", "fields": { "email": "l@example.org" } }).to_string().into_bytes();
        large.resize(1_100_000, b' ');
        let reply = request(SHARED_SECRET, large).send(site);
        assert_eq!((reply.status, error(&reply).as_str()), (413, "HT-1211"), "{}", reply.text());
    });
}

#[test]
fn without_a_secret_nothing_is_taken() {
    on_a_site(|site| {
        let reply = request(SHARED_SECRET, body("none@example.org")).send(site);
        assert_eq!((reply.status, error(&reply).as_str()), (503, "HT-1202"), "{}", reply.text());
        assert!(reply.header("retry-after").is_some());
        assert!(site.submissions().is_empty());
    });
}

#[test]
fn without_the_engine_the_sender_is_told_when_to_come_back() {
    with_secret(|site| {
        site.stack.set_extension(false).expect("without the module");
        for one in [request(SHARED_SECRET, body("away@example.org")), request("wrong secret", "{")] {
            let reply = one.send(site);
            assert_eq!((reply.status, error(&reply).as_str()), (503, "HT-1215"), "{}", reply.text());
            assert_eq!(reply.header("retry-after"), Some("120"));
        }
        site.stack.set_extension(true).expect("the module");
        let reply = request(SHARED_SECRET, body("away@example.org")).send(site);
        assert_eq!(reply.status, 202, "{}", reply.text());
    });
}

#[test]
fn a_file_that_is_not_what_its_name_says_is_named_and_kept_and_the_record_goes_on() {
    on_a_site(|site| {
        site.credentials();
        let text = json!({
            "form_id": "careers", "fields": { "name": "Jane Doe", "email": "exe@example.org" },
            "files": [
                { "field": "cv", "name": "cv.pdf", "content": BASE64.encode("MZ\u{0}this is a program"), "encoding": "base64" },
                { "field": "letter", "name": "letter.txt", "content": BASE64.encode("Dear reader"), "encoding": "base64" },
            ],
        });
        let reply = request(SHARED_SECRET, text.to_string()).send(site);
        assert_eq!(reply.status, 202, "{}", reply.text());
        let files = reply.json()["files"].clone();
        assert_eq!(
            (files.as_array().map(Vec::len), &files[0]["name"], &files[0]["error"]),
            (Some(1), &json!("cv.pdf"), &json!("HT-1702"))
        );
        site.until("record and letter are in Tracker", || {
            site.cron();
            site.records("resources", "exe@example.org").len() == 1 && !rows(&site.sim.ledger(), "documents").is_empty()
        });
        site.until("the submission is settled", || site.submissions()[0]["state"] != "sending");
        let documents = rows(&site.sim.ledger(), "documents");
        assert_eq!((documents.len(), &documents[0]["filename"]), (1, &json!("letter.txt")));
        let held = site.submissions().remove(0);
        let kept = held["file_list"]
            .as_array()
            .and_then(|list| list.iter().find(|file| file["name"] == "cv.pdf"))
            .expect("the file");
        assert_eq!((&kept["refused"], &kept["kept"]), (&json!("HT-1702"), &json!(true)), "{kept}");
        // It can be looked at, as a download that no browser shows.
        let page = format!("halt-tracker-sync-log&id={}", held["id"].as_str().expect("an id"));
        let file = site.submit(&page, &[], |form| {
            form.value("action") == Some("halt_tracker_file") && form.value("ordinal") == Some("1")
        });
        assert_eq!(file.body, b"MZ\0this is a program");
        assert_eq!(file.header("content-type"), Some("application/octet-stream"));
        assert!(file.header("content-disposition").is_some_and(|words| words.starts_with("attachment")));
    });
}

#[test]
fn a_retired_secret_opens_nothing_any_more() {
    with_secret(|site| {
        let second = "q7VhT2mZx9KfLs4RbN8wYc3JdG6pEu5A-two";
        site.secrets(&[("shared_secret", second)]);
        for (secret, email) in [(SHARED_SECRET, "first@example.org"), (second, "second@example.org")] {
            let reply = request(secret, body(email)).send(site);
            assert_eq!(reply.status, 202, "{}", reply.text());
        }
        let page = site.press("halt-tracker-settings&tab=webhook", "retire_secret", &[]);
        assert!(page.has("The secret is retired."), "{}", crate::site::body(&page));
        let taken: Vec<u16> = [SHARED_SECRET, second]
            .iter()
            .map(|secret| request(secret, body("third@example.org")).send(site).status)
            .collect();
        assert!(taken == [401, 202] || taken == [202, 401], "{taken:?}");
    });
}

/// The secret in the field that shows it this once.
fn new_secret(html: &str) -> Option<String> {
    let (_, rest) = html.split_once("id=\"halt-new-secret\"")?;
    rest.split_once("value=\"").and_then(|(_, rest)| rest.split('"').next()).map(str::to_owned)
}

#[test]
fn a_secret_made_by_the_button_is_shown_once_and_works() {
    on_a_site(|site| {
        let page =
            site.submit("halt-tracker-settings&tab=webhook", &[], |form| form.value("halt_generate_nonce").is_some());
        let secret = new_secret(&page.text()).expect("the secret");
        assert_eq!(secret.len(), 64);
        let reply = request(&secret, body("made@example.org")).send(site);
        assert_eq!(reply.status, 202, "{}", reply.text());
        for tab in ["webhook", "connection"] {
            assert!(!site.page(&format!("halt-tracker-settings&tab={tab}")).has(&secret));
        }
        assert!(
            site.page("halt-tracker-settings&tab=webhook").has(&secret[60..]),
            "its last four characters are shown"
        );
        assert!(!site.stack.logs().contains(&secret));
    });
}
