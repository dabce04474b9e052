//! The model against what is known of Tracker: tokens, REST v1 and the fault plan. It says nothing about the product.

use super::{Answer, Fate, Request, Tracker, codec};
use serde_json::{Value, json};

pub const NOW: i64 = 1_767_323_045_000; // 2026-01-02T03:04:05Z

/// A tenant with its tokens in hand.
pub struct Desk {
    pub tracker: Tracker,
    pub now: i64,
    pub oauth: String,
    pub jwt: String,
}

impl Desk {
    pub fn new() -> Self {
        let mut desk = Self { tracker: Tracker::new(), now: NOW, oauth: String::new(), jwt: String::new() };
        desk.oauth = body(&desk.refresh("sim-refresh-token-0123456789"))["access_token"].as_str().unwrap().to_owned();
        desk.jwt = body(&desk.exchange())["token"].as_str().unwrap().to_owned();
        desk
    }

    pub fn refresh(&mut self, token: &str) -> Answer {
        let form = format!(
            "grant_type=refresh_token&client_id=EvoApi_1.0&client_secret=sim-client-secret-0123456789&refresh_token={token}"
        );
        let headers = vec![("content-type".to_owned(), "application/x-www-form-urlencoded".to_owned())];
        let (method, path) = ("POST".to_owned(), "/oAuth2/Token".to_owned());
        self.tracker.handle(&Request { method, path, headers, body: form.into_bytes(), ..Request::default() }, self.now)
    }

    pub fn exchange(&mut self) -> Answer {
        let body = json!({"bearerToken": self.oauth});
        self.send("POST", "/api/Auth/ExchangeToken", &body, "")
    }

    pub fn send(&mut self, method: &str, path: &str, body: &Value, token: &str) -> Answer {
        let mut headers = vec![("content-type".to_owned(), "application/json".to_owned())];
        if !token.is_empty() {
            headers.push(("authorization".to_owned(), format!("Bearer {token}")));
        }
        let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        let (method, path) = (method.to_owned(), path.to_owned());
        self.tracker.handle(&Request { method, path, headers, body, ..Request::default() }, self.now)
    }

    pub fn rest(&mut self, method: &str, path: &str, body: Value) -> Answer {
        let jwt = self.jwt.clone();
        self.send(method, &format!("/api/v1/{path}"), &body, &jwt)
    }

    pub fn set(&mut self, switches: Value) {
        self.tracker.set_switches(&switches).unwrap();
    }

    pub fn contact(&mut self, email: &str) -> i64 {
        let person = json!({"firstName": "Robin", "surname": "Placeholder", "contactDetails": {"email": email}});
        body(&self.rest("POST", "Contact", person))["id"].as_i64().unwrap()
    }
}

pub fn body(answer: &Answer) -> Value {
    serde_json::from_slice(&answer.body).unwrap()
}

#[test]
fn a_refresh_token_is_rotated_and_the_used_one_dies() {
    let mut desk = Desk::new();
    let again = desk.refresh("sim-refresh-token-0123456789");
    assert_eq!((again.status, body(&again)), (400, json!({"error": "invalid_grant"})));
    desk.tracker = Tracker::new();
    desk.set(json!({"rotate_refresh_token": false, "oauth_token_key": "Token"}));
    for _ in 0..2 {
        let answer = body(&desk.refresh("sim-refresh-token-0123456789"));
        assert_eq!(answer.as_object().unwrap().keys().collect::<Vec<_>>(), ["Token"]);
    }
}

#[test]
fn a_jwt_dies_with_its_lifetime_and_with_the_next_exchange_when_told_so() {
    let mut desk = Desk::new();
    assert_eq!(desk.rest("GET", "MetaData", Value::Null).status, 200);
    desk.now += 604_800_000;
    assert_eq!(desk.rest("GET", "MetaData", Value::Null).status, 401);
    assert_eq!(desk.exchange().status, 401, "the OAuth token is dead by then too");
    let mut desk = Desk::new();
    desk.set(json!({"jwt_single_valid": true}));
    let second = body(&desk.exchange())["token"].as_str().unwrap().to_owned();
    assert_eq!(desk.rest("GET", "MetaData", Value::Null).status, 401);
    desk.jwt = second;
    assert_eq!(desk.rest("GET", "MetaData", Value::Null).status, 200);
}

#[test]
fn a_static_token_is_exchanged_like_an_oauth_token() {
    let mut desk = Desk::new();
    desk.oauth = "sim-api-token-0123456789".to_owned();
    let answer = body(&desk.exchange());
    assert_eq!(answer["expiration"], "2026-01-09T03:04:05Z");
}

#[test]
fn a_create_answers_201_and_the_record_is_read_back_with_its_history() {
    let mut desk = Desk::new();
    let id = desk.contact("robin@example.test");
    let read = desk.rest("GET", &format!("contact/{id}"), Value::Null);
    assert_eq!(body(&read)["history"]["created"], "2026-01-02T03:04:05Z");
    assert_eq!(body(&read)["contactDetails"]["email"], "robin@example.test");
    assert!(read.headers.contains(&("date".to_owned(), "Fri, 02 Jan 2026 03:04:05 GMT".to_owned())));
    assert_eq!(desk.rest("GET", "Contact/12345", Value::Null).status, 204);
}

#[test]
fn unknown_members_are_dropped_unless_members_are_strict() {
    let mut desk = Desk::new();
    let flat = json!({"surname": "Placeholder", "email": "flat@example.test", "address": {"town": "A", "planet": "B"}});
    let id = body(&desk.rest("POST", "Resource", flat.clone()))["id"].as_i64().unwrap();
    let read = body(&desk.rest("GET", &format!("Resource/{id}"), Value::Null));
    assert_eq!((&read["email"], &read["address"]), (&Value::Null, &json!({"town": "A"})));
    desk.set(json!({"strict_members": true}));
    let refused = desk.rest("POST", "Resource", flat);
    assert_eq!((refused.status, body(&refused)["errors"].as_object().unwrap().len()), (400, 2));
}

#[test]
fn a_member_of_the_wrong_type_is_refused() {
    let mut desk = Desk::new();
    assert_eq!(desk.rest("POST", "Resource", json!({"noticePeriod": "4"})).status, 400);
    assert_eq!(desk.rest("POST", "Resource", json!({"noticePeriod": 4, "rating": null})).status, 201);
}

#[test]
fn a_patch_merges_objects_and_replaces_lists() {
    let mut desk = Desk::new();
    let id = desk.contact("a@example.test");
    let path = format!("Contact/{id}");
    desk.rest("PATCH", &path, json!({"quickSkills": [{"id": 1}], "contactDetails": {"telephone": "1"}}));
    desk.now += 1000;
    desk.rest("PATCH", &path, json!({"quickSkills": [{"id": 2}]}));
    let read = body(&desk.rest("GET", &path, Value::Null));
    assert_eq!(read["contactDetails"], json!({"email": "a@example.test", "telephone": "1"}));
    assert_eq!(read["quickSkills"], json!([{"id": 2}]));
    assert_eq!(read["history"]["updated"], "2026-01-02T03:04:06Z");
}

#[test]
fn a_search_has_at_most_ten_rows_and_ignores_filters_that_it_does_not_know() {
    let mut desk = Desk::new();
    (0..12).for_each(|n| assert!(desk.contact(&format!("p{n}@example.test")) > 0));
    let rows =
        body(&desk.rest("POST", "Contact/Search", json!({"emailAddress": "p11@example.test", "maxResults": 100})));
    assert_eq!((rows.as_array().unwrap().len(), &rows[0]["email"]), (10, &json!("p0@example.test")));
    let rest = body(&desk.rest("POST", "Contact/Search", json!({"pageNumber": 2})));
    assert_eq!(rest.as_array().unwrap().len(), 2);
}

#[test]
fn a_search_by_email_contains_equals_or_ignores() {
    let mut desk = Desk::new();
    desk.contact("Robin@Example.test");
    desk.contact("notrobin@example.test");
    let filter = json!({"email": "robin@example.test"});
    for (mode, found) in [("contains", 2), ("exact", 1), ("ignored", 2)] {
        desk.set(json!({"email_filter": mode}));
        assert_eq!(
            body(&desk.rest("POST", "Contact/Search", filter.clone())).as_array().unwrap().len(),
            found,
            "{mode}"
        );
    }
    desk.set(json!({"email_filter": "exact"}));
    assert_eq!(desk.rest("POST", "Contact/Search", json!({"email": "nobody@example.test"})).status, 204);
}

#[test]
fn a_new_record_is_found_after_the_lag_but_read_at_once() {
    let mut desk = Desk::new();
    desk.set(json!({"search_lag_ms": 30_000}));
    let id = desk.contact("slow@example.test");
    let filter = json!({"email": "slow@example.test"});
    assert_eq!(desk.rest("POST", "Contact/Search", filter.clone()).status, 204);
    assert_eq!(desk.rest("GET", &format!("Contact/{id}"), Value::Null).status, 200);
    desk.now += 30_000;
    assert_eq!(desk.rest("POST", "Contact/Search", filter).status, 200);
}

#[test]
fn a_candidate_is_found_by_a_custom_field_and_spelt_with_a_small_n() {
    let mut desk = Desk::new();
    let fields = json!([{"id": 123, "value": "sub_0f3c"}]);
    desk.rest("POST", "Resource", json!({"firstName": "Robin", "customFields": fields}));
    let found =
        desk.rest("POST", "Resource/Search/CustomField", json!({"customFieldId": 123, "customFieldValue": "SUB_0f3c"}));
    assert_eq!(body(&found)[0]["firstname"], "Robin");
    let other = json!({"customFieldId": 124, "customFieldValue": "sub_0f3c"});
    assert_eq!(desk.rest("POST", "Resource/Search/CustomField", other).status, 204);
}

#[test]
fn an_activity_is_found_by_the_record_it_is_linked_to() {
    let mut desk = Desk::new();
    let (one, other) = (desk.contact("a@example.test"), desk.contact("b@example.test"));
    let activity = json!({"subject": "Enquiry", "startDateTime": "2026-01-02T03:04:05Z", "associations": {"contacts": [{"id": one}]}});
    let id = body(&desk.rest("POST", "Activity", activity))["id"].as_i64().unwrap();
    let rows = body(&desk.rest("POST", "Activity/Search", json!({"subject": "enquiry", "contactId": one})));
    assert_eq!(rows[0]["activityId"], id);
    assert_eq!(desk.rest("POST", "Activity/Search", json!({"contactId": other})).status, 204);
    let read = body(&desk.rest("GET", &format!("Activity/{id}"), Value::Null));
    assert_eq!((&read["startDate"], &read["startTime"]), (&json!("2026-01-02"), &json!("03:04")));
    let lost = json!({"subject": "Enquiry", "associations": {"contacts": [{"id": 99}]}});
    assert_eq!(desk.rest("POST", "Activity", lost).status, 400);
}

#[test]
fn a_document_comes_back_whole_and_its_hash_is_in_the_ledger() {
    let mut desk = Desk::new();
    let id = body(&desk.rest("POST", "Resource", json!({"surname": "A"})))["id"].as_i64().unwrap();
    let file = json!({"filename": "cv.pdf", "documentType": "resume", "documentData": "YWJj", "recordId": id, "isPrimary": true});
    assert_eq!(desk.rest("POST", "Resource/AttachDocument", file).status, 201);
    let rows = body(&desk.rest("GET", &format!("Resource/{id}/Documents"), Value::Null));
    let path = format!("Resource/{id}/Document/{}", rows[0]["documentId"]);
    assert_eq!(body(&desk.rest("GET", &path, Value::Null))["filecontent"], "YWJj");
    let ledger = desk.tracker.ledger();
    assert_eq!(ledger["documents"][0]["sha256"], "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    let wrong = json!({"filename": "cv.pdf", "documentData": "data:;base64,YWJj", "recordId": id});
    assert_eq!(desk.rest("POST", "Resource/AttachDocument", wrong).status, 400);
}

#[test]
fn a_long_list_answers_with_an_array_and_refuses_the_second_time() {
    let mut desk = Desk::new();
    let id = body(&desk.rest("POST", "Resource", json!({"surname": "A"})))["id"].as_i64().unwrap();
    let entry = json!({"resourceId": id, "opportunityId": 1026});
    let first = desk.rest("POST", "Opportunity/Longlist", entry.clone());
    assert_eq!((first.status, &body(&first)[0]["success"]), (201, &json!(true)));
    assert_eq!(desk.rest("POST", "Opportunity/Longlist", entry).status, 400);
    assert_eq!(body(&desk.rest("GET", "Opportunity/1026/Longlist", Value::Null))[0]["resourceId"], id);
}

#[test]
fn a_known_path_with_another_method_is_405_and_an_unknown_one_404() {
    let mut desk = Desk::new();
    assert_eq!(desk.rest("PUT", "Contact", Value::Null).status, 405);
    assert_eq!(desk.rest("GET", "Contact/5/Notes", Value::Null).status, 404);
}

#[test]
fn a_dropped_answer_leaves_the_record_there_or_not_as_planned() {
    let mut desk = Desk::new();
    desk.set(json!({"faults": [{"on": "create_contact", "do": "drop_after"}, {"on": "create", "do": "drop_before"}]}));
    let person = json!({"surname": "Placeholder"});
    let held: Vec<(Fate, usize)> = (0..3)
        .map(|_| {
            let answer = desk.rest("POST", "Contact", person.clone());
            (answer.fate, desk.tracker.ledger()["contacts"].as_array().unwrap().len())
        })
        .collect();
    assert_eq!(held, [(Fate::Drop, 1), (Fate::Drop, 1), (Fate::Deliver, 2)]);
}

#[test]
fn faults_skip_repeat_and_carry_their_own_retry_after() {
    let mut desk = Desk::new();
    desk.set(json!({"faults": [{"on": "rest:*", "do": 429, "skip": 1, "times": 2, "retry_after": 7}]}));
    let answers: Vec<Answer> = (0..4).map(|_| desk.rest("GET", "MetaData", Value::Null)).collect();
    assert_eq!(answers.iter().map(|a| a.status).collect::<Vec<_>>(), [200, 429, 429, 200]);
    assert!(answers[1].headers.contains(&("retry-after".to_owned(), "7".to_owned())));
    assert_eq!(desk.tracker.switches()["faults"], json!([]));
}

#[test]
fn an_answer_can_be_cut_lose_its_id_or_be_no_json() {
    let mut desk = Desk::new();
    let plan = ["cut_body", "no_id", "garbage_200", "success_false", "500_after"];
    desk.set(json!({"faults": plan.map(|what| json!({"on": "create", "do": what}))}));
    let answers: Vec<Answer> = plan.iter().map(|_| desk.rest("POST", "Contact", json!({"surname": "A"}))).collect();
    assert!(matches!(answers[0].fate, Fate::CutBody(n) if n > 0 && n < answers[0].body.len()));
    assert_eq!((answers[1].status, &body(&answers[1])["id"]), (201, &Value::Null));
    assert!(answers[2].status == 200 && serde_json::from_slice::<Value>(&answers[2].body).is_err());
    assert_eq!(body(&answers[3])["success"], false);
    assert_eq!(answers[4].status, 500);
    assert_eq!(desk.tracker.ledger()["contacts"].as_array().unwrap().len(), 4, "all but the refused one");
}

#[test]
fn more_requests_in_a_minute_than_allowed_are_429_until_it_has_passed() {
    let mut desk = Desk::new();
    desk.set(json!({"rate_limit_per_min": 4}));
    let statuses: Vec<u16> = (0..4).map(|_| desk.rest("GET", "MetaData", Value::Null).status).collect();
    assert_eq!(statuses, [200, 200, 200, 429], "the exchange counted too");
    desk.now += 60_000;
    assert_eq!(desk.rest("GET", "MetaData", Value::Null).status, 200);
}

#[test]
fn a_wrong_switch_changes_nothing_and_says_why() {
    let mut tracker = Tracker::new();
    let before = tracker.switches();
    for wrong in
        [json!({"page_cap": 3, "pagecap": 1}), json!({"email_filter": "maybe"}), json!({"faults": [{"do": "dance"}]})]
    {
        assert!(tracker.set_switches(&wrong).is_err());
        assert_eq!(tracker.switches(), before);
    }
}

#[test]
fn the_ledger_keeps_every_request_without_its_secrets() {
    let mut desk = Desk::new();
    desk.rest("GET", "MetaData", Value::Null);
    let ledger = desk.tracker.ledger();
    let operations: Vec<_> = ledger["requests"].as_array().unwrap().iter().map(|r| r["operation"].clone()).collect();
    assert_eq!(operations, ["token", "exchange", "metadata"]);
    let text = ledger.to_string();
    for secret in ["sim-client-secret", "sim-refresh-token", desk.oauth.as_str(), desk.jwt.as_str()] {
        assert!(!text.contains(secret), "{secret}");
    }
}

#[test]
fn dates_are_read_with_offsets_and_fractions() {
    for text in
        ["2026-01-02T03:04:05Z", "2026-01-02 03:04:05", "2026-01-02T04:04:05.123+01:00", "2026-01-01T22:34:05-04:30"]
    {
        assert_eq!(codec::parse_date(text), Some(NOW), "{text}");
    }
    assert_eq!(codec::parse_date("soon"), None);
    assert_eq!(codec::base64_decode("YWI="), Some(b"ab".to_vec()));
    assert_eq!(codec::base64_url(b"ab?"), "YWI_");
}
