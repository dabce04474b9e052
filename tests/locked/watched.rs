//! What the owner can see afterwards: who was refused and from where, who looked at a person's data, who changed credentials.

use crate::hook;
use crate::site::{SHARED_SECRET, Site, on_a_site};
use serde_json::{Value, json};

const FORGED: &str = "forged secret of forty characters, or so";

fn refused_from(site: &Site, forwarded: &str) -> String {
    let mut one = hook::request(FORGED, "{}");
    if !forwarded.is_empty() {
        one = one.with("X-Forwarded-For", forwarded);
    }
    assert_eq!(one.send(site).status, 401);
    site.status()["refusals"][0]["address"].as_str().expect("an address").to_owned()
}

#[test]
fn a_forwarded_address_is_believed_from_a_trusted_proxy_only_and_the_last_twenty_are_kept() {
    on_a_site(|site| {
        site.secrets(&[("shared_secret", SHARED_SECRET)]);
        assert_eq!(refused_from(site, "203.0.113.9"), "127.0.0.1", "nobody is trusted yet");
        site.options(&[("trusted_proxies", "127.0.0.1\n10.0.0.0/8\n2001:db8::/32")]);
        for (forwarded, address) in [
            ("", "127.0.0.1"),
            ("203.0.113.9", "203.0.113.9"),
            // Whatever the sender itself wrote stands to the left of what the proxies saw.
            ("192.0.2.1, 203.0.113.9, 10.1.2.3", "203.0.113.9"),
            ("203.0.113.9, 2001:db8::7", "203.0.113.9"),
            ("2001:db9::1", "2001:db9::1"),
            ("10.1.2.3, 10.9.9.9", "10.1.2.3"),
            ("203.0.113.9, unknown", "127.0.0.1"),
            ("<script>alert(1)</script>", "127.0.0.1"),
            ("203.0.113.9:4711", "127.0.0.1"),
        ] {
            assert_eq!(refused_from(site, forwarded), address, "{forwarded}");
        }
        for _ in 0..15 {
            refused_from(site, "203.0.113.200");
        }
        let listed = site.status()["refusals"].as_array().cloned().unwrap_or_default();
        assert_eq!(listed.len(), 20, "the last twenty");
        assert!(listed.iter().all(|one| one["code"] == "HT-1208" && one["at"].as_i64().is_some_and(|at| at > 0)));
        assert!(site.page("halt-tracker-settings&tab=webhook").has("203.0.113.200"));
        let lines = site.stack.logs().matches("webhook refused HT-1208 from 203.0.113.200").count();
        assert_eq!(lines, 15, "one line each");
    });
}

#[test]
fn every_look_at_a_persons_data_and_every_change_of_credentials_is_written_down() {
    on_a_site(|site| {
        site.secrets(&[("shared_secret", SHARED_SECRET)]);
        site.php("Engine::act(['action' => 'pause']);");
        let body = json!({ "form_id": "careers", "fields": { "name": "Quillfeather", "email": "quill@canary.example" },
            "files": [{ "field": "cv", "name": "cv.txt", "content": "UXVpbGw=", "encoding": "base64" }] });
        assert_eq!(hook::request(SHARED_SECRET, body.to_string()).send(site).status, 202);
        let id = site.submissions()[0]["id"].as_str().expect("an id").to_owned();
        let seen =
            |where_: &str| site.stack.logs().contains(&format!("halt-tracker viewed {where_} submission={id} user="));
        let page = format!("halt-tracker-sync-log&id={id}");

        site.stack.clear_logs();
        site.page("halt-tracker-sync-log");
        assert!(!site.stack.logs().contains("halt-tracker viewed"), "the list is masked: no look");
        site.page(&page);
        assert!(seen("page"), "{}", site.stack.logs());
        site.submit(&page, &[], |form| form.value("action") == Some("halt_tracker_file"));
        assert!(seen("file"));
        let nonce = site.stack.get_as(&site.admin, "/wp-admin/admin-ajax.php?action=rest-nonce").text();
        let headers = [site.admin.header(), ("X-WP-Nonce".to_owned(), nonce)];
        let path = format!("/wp-json/halt-tracker/v1/submissions/{id}");
        assert_eq!(site.stack.send("GET", &path, &headers, b"").status, 200);
        assert!(seen("rest"));
        let said = site.php("echo json_encode(\\Halt\\Tracker\\WordPress\\Privacy::export('quill@canary.example'));");
        assert!(
            serde_json::from_str::<Value>(&said)
                .is_ok_and(|said| said["data"].as_array().is_some_and(|all| all.len() == 1)),
            "{said}"
        );
        assert!(seen("privacy-export"));
        let form = site.submissions()[0]["form"]["key"].as_str().expect("a key").to_owned();
        let shown = site.submit("halt-tracker-settings&tab=mapping", &[("preview_form", &form)], |form| {
            form.value("halt_preview_nonce").is_some()
        });
        assert!(shown.has("Quillfeather") && seen("preview"), "{}", site.stack.logs());
        // Values never stand in a line.
        let logs = site.stack.logs();
        assert!(!logs.contains("Quillfeather") && !logs.contains("quill@canary.example"), "{logs}");

        site.stack.divi_forget();
        assert!(site.save_tab("connection", &[("client_secret", "sim-client-secret-0123456789")]).has("Saved."));
        site.submit("halt-tracker-settings&tab=webhook", &[], |form| form.value("halt_generate_nonce").is_some());
        site.press("halt-tracker-settings&tab=webhook", "retire_secret", &[]);
        let logs = site.stack.logs();
        assert!(logs.contains("halt-tracker changed client_secret user="), "{logs}");
        assert_eq!(logs.matches("halt-tracker changed shared_secret user=").count(), 2, "{logs}");
        let mails = site.stack.divi_events().iter().filter(|event| event["by"] == "site").count();
        assert_eq!(mails, 3, "each of them by mail too");
    });
}
