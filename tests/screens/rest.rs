//! The REST routes for administrators do what docs/reference.md says: the same calls as the pages, with status, totals and codes
//! that a program can read.

use crate::hook;
use crate::site::{SHARED_SECRET, Site, on_a_site};
use serde_json::{Value, json};

/// One request as a user of WordPress; `may` is a capability of somebody who is no administrator, or nothing.
fn ask(site: &Site, may: &str, method: &str, path: &str, given: &Value) -> (u64, Value, Value) {
    let said = site.php(&format!(
        "if ('{may}' === '') {{ wp_set_current_user(1); }} else {{ add_filter('user_has_cap', static fn ($caps) => ['{may}' => true] + $caps, 1); wp_set_current_user(0); }}
        $request = new WP_REST_Request('{method}', '/halt-tracker/v1{path}');
        foreach (json_decode('{given}', true) as $name => $value) {{ $request->set_param($name, $value); }}
        $answer = rest_do_request($request);
        echo json_encode([$answer->get_status(), $answer->get_data(), $answer->get_headers()]);"
    ));
    let said: Value = serde_json::from_str(&said).unwrap_or_else(|error| panic!("{error}: {said}"));
    (said[0].as_u64().unwrap_or_default(), said[1].clone(), said[2].clone())
}

#[test]
fn a_program_lists_reads_retries_discards_runs_and_tests_over_rest() {
    on_a_site(|site| {
        let none = json!({});
        let admin = |method: &str, path: &str| ask(site, "", method, path, &none);
        let (status, said, _) = admin("GET", "/status");
        assert_eq!((status, &said["data"]["error"]), (404, &json!("HT-1115")), "{said}");
        site.credentials();
        site.options(&[("pace", "60000")]);
        site.php("Engine::act(['action' => 'pause']);");
        let ids: Vec<String> = (0..3)
            .map(|number| {
                let text = json!({ "form_id": "careers", "fields": { "name": "Jane Doe", "email": format!("rest{number}@example.org") } });
                let reply = hook::request(SHARED_SECRET, text.to_string()).send(site);
                reply.json()["queue_id"].as_str().expect("an id").to_owned()
            })
            .collect();
        let (status, said, heads) = ask(site, "", "GET", "/submissions", &json!({ "per_page": 2, "page": 2 }));
        assert_eq!((status, said["items"].as_array().map(Vec::len)), (200, Some(1)), "{said}");
        assert_eq!((&heads["X-WP-Total"], &heads["X-WP-TotalPages"]), (&json!("3"), &json!("2")));
        let found =
            ask(site, "", "GET", "/submissions", &json!({ "search": "rest1@example.org", "state": "queued" })).1;
        assert_eq!(
            (&found["total"], &found["items"][0]["id"], &found["items"][0]["email"]),
            (&json!(1), &json!(ids[1]), &json!("r***@e…"))
        );
        for wrong in
            [json!({ "per_page": 101 }), json!({ "state": "open" }), json!({ "sort": "email" }), json!({ "page": 0 })]
        {
            assert_eq!(ask(site, "", "GET", "/submissions", &wrong).0, 400, "{wrong}");
        }
        let one = admin("GET", &format!("/submissions/{}", ids[0])).1;
        assert_eq!(
            (&one["fields"]["email"], &one["meta"]),
            (&json!("rest0@example.org"), &json!({})),
            "an empty map is an object"
        );
        // What does not fit is a conflict, what is not there is not found; each with its code.
        let discard = format!("/submissions/{}/discard", ids[0]);
        assert_eq!(admin("POST", &discard).1["changed"], json!([ids[0]]));
        let (status, said, _) = admin("POST", &discard);
        assert_eq!((status, &said["data"]["error"]), (409, &json!("HT-1902")), "{said}");
        let (status, said, _) = admin("POST", "/submissions/00000000-0000-4000-8000-000000000000/retry");
        assert_eq!((status, &said["data"]["error"]), (404, &json!("HT-1901")), "{said}");
        assert_eq!(admin("POST", &format!("/submissions/{}/retry", ids[0])).0, 200);
        assert_eq!(admin("POST", "/run").1["outcome"], "paused");
        site.php("Engine::act(['action' => 'resume', 'reason' => 'by hand']);");
        let run = admin("POST", "/run").1;
        assert_eq!((&run["outcome"], run["items"].as_array().map(Vec::len)), (&json!("ran"), Some(3)), "{run}");
        assert_eq!(ask(site, "", "POST", "/run", &json!({ "budget_ms": 60_000 })).0, 400);
        let tested = admin("POST", "/test-connection").1;
        assert!(
            tested["apis"]
                .as_array()
                .is_some_and(|apis| apis.len() == 2 && apis.iter().all(|api| api["works"] == true)),
            "{tested}"
        );
        assert_eq!(admin("GET", "/status").1["counts"]["done"], 3);
    });
}

#[test]
fn who_may_only_look_may_retry_over_rest_and_nothing_else() {
    on_a_site(|site| {
        site.credentials();
        site.php("Engine::act(['action' => 'pause']);");
        let text = json!({ "form_id": "careers", "fields": { "name": "Jane Doe", "email": "look@example.org" } });
        let reply = hook::request(SHARED_SECRET, text.to_string()).send(site);
        let id = reply.json()["queue_id"].as_str().expect("an id").to_owned();
        site.php(&format!("Engine::act(['action' => 'discard', 'ids' => ['{id}']]);"));
        let looker = |method: &str, path: &str| ask(site, "view_halt_tracker", method, path, &json!({}));
        let status = looker("GET", "/status");
        assert_eq!(status.0, 200);
        assert!(
            ["secrets", "keys", "store", "refusals"].iter().all(|part| status.1.get(part).is_none()),
            "{}",
            status.1
        );
        assert_eq!((looker("GET", "/submissions").0, looker("GET", &format!("/submissions/{id}")).0), (200, 200));
        assert_eq!(looker("POST", &format!("/submissions/{id}/retry")).1["changed"], json!([id]));
        for path in [format!("/submissions/{id}/discard"), "/run".into(), "/test-connection".into()] {
            assert!([401, 403].contains(&looker("POST", &path).0), "{path}");
        }
        assert!([401, 403].contains(&ask(site, "read", "GET", "/status", &json!({})).0));
    });
}
