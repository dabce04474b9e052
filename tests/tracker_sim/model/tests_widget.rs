//! The model's older API: the envelope, the codes inside it, and records kept in the same form as REST ones.

use super::tests::{Desk, body};
use super::{Answer, Tracker};
use serde_json::{Value, json};

impl Desk {
    fn widget(&mut self, operation: &str, mut inside: Value) -> Answer {
        inside["credentials"] = json!({"oauthtoken": self.oauth});
        self.send("POST", &format!("/api/widget/{operation}"), &json!({"trackerrms": {operation: inside}}), "")
    }

    fn candidate(&mut self, email: &str, overwrite: bool) -> Value {
        let person =
            json!({"firstname": "Robin", "lastname": "Placeholder", "email": email, "cellphone": "+10000000000"});
        let orders = json!({"overwriteresource": overwrite});
        body(&self.widget("createResource", json!({"instructions": orders, "resource": person})))
    }
}

#[test]
fn a_widget_create_is_kept_in_the_same_form_as_a_rest_one() {
    let mut desk = Desk::new();
    let made = desk.candidate("robin@example.test", false);
    assert_eq!(
        (&made["status"], &made["message"], &made["recordName"]),
        (&json!(0), &json!("created"), &json!("Robin Placeholder"))
    );
    let kept = desk.tracker.ledger()["resources"][0].clone();
    assert_eq!(kept["id"], made["recordId"]);
    assert_eq!(
        (&kept["api"], &kept["firstName"], &kept["surname"]),
        (&json!("widget"), &json!("Robin"), &json!("Placeholder"))
    );
    assert_eq!((&kept["email"], &kept["mobilePhone"]), (&json!("robin@example.test"), &json!("+10000000000")));
    let path = format!("Resource/{}", made["recordId"]);
    assert_eq!(body(&desk.rest("GET", &path, Value::Null))["contactDetails"]["email"], "robin@example.test");
}

#[test]
fn the_same_e_mail_is_protected_overwritten_or_doubled() {
    let mut desk = Desk::new();
    let first = desk.candidate("robin@example.test", false)["recordId"].clone();
    let found = desk.candidate("ROBIN@example.test", false);
    assert_eq!((&found["status"], &found["recordId"]), (&json!(3), &Value::Null));
    desk.set(json!({"status3_carries_id": true}));
    assert_eq!(desk.candidate("robin@example.test", false)["recordId"], first);
    let updated = desk.candidate("robin@example.test", true);
    assert_eq!((&updated["message"], &updated["recordId"]), (&json!("updated"), &first));
    desk.set(json!({"widget_duplicates": "create"}));
    assert_ne!(desk.candidate("robin@example.test", false)["recordId"], first);
    desk.set(json!({"widget_duplicates": "protect"}));
    assert_eq!(desk.candidate("", false)["status"], 0);
    assert_eq!(desk.candidate("", false)["status"], 0, "no e-mail matches nobody");
}

#[test]
fn an_unknown_token_is_401_or_status_1() {
    let mut desk = Desk::new();
    desk.oauth = "stranger".to_owned();
    let orders = json!({});
    assert_eq!(desk.widget("checkLogon", orders.clone()).status, 401);
    desk.set(json!({"widget_auth": "status1"}));
    let answer = desk.widget("checkLogon", orders);
    assert_eq!((answer.status, &body(&answer)["status"]), (200, &json!(1)));
}

#[test]
fn a_header_carries_the_oauth_token_too_but_a_jwt_is_a_stranger() {
    let mut desk = Desk::new();
    let envelope = json!({"trackerrms": {"checkLogon": {}}});
    let (oauth, jwt) = (desk.oauth.clone(), desk.jwt.clone());
    assert_eq!(body(&desk.send("POST", "/api/widget/checkLogon", &envelope, &oauth))["status"], 0);
    assert_eq!(desk.send("POST", "/api/widget/checkLogon", &envelope, &jwt).status, 401);
    desk.oauth = format!("Bearer {oauth}");
    assert_eq!(desk.widget("checkLogon", json!({})).status, 401, "the token goes in bare");
}

#[test]
fn a_lead_makes_its_contact_once_and_itself_each_time() {
    let mut desk = Desk::new();
    let lead = json!({"leadname": "Website", "leadpersontype": "N", "firstname": "Robin", "lastname": "P", "email": "r@example.test", "company": "Acme"});
    for _ in 0..2 {
        let inside = json!({"instructions": {"createpersonifnotexists": true}, "lead": lead});
        assert_eq!(body(&desk.widget("createLead", inside))["message"], "success");
    }
    let ledger = desk.tracker.ledger();
    assert_eq!((ledger["leads"].as_array().unwrap().len(), ledger["contacts"].as_array().unwrap().len()), (2, 1));
    assert_eq!(ledger["leads"][1]["associations"], json!({"contacts": [{"id": ledger["contacts"][0]["id"]}]}));
    assert_eq!(ledger["contacts"][0]["company"], "Acme");
}

#[test]
fn an_activity_and_a_document_go_to_the_linked_record_or_nowhere() {
    let mut desk = Desk::new();
    let id = desk.candidate("robin@example.test", false)["recordId"].as_i64().unwrap();
    let activity = |id: i64| {
        json!({"instructions": {}, "activity": {"subject": "Applied", "type": "Email", "date": "2026-01-02", "time": "3:04 PM",
            "contactType": "Inbound", "linkRecordType": "R", "linkRecordId": id}})
    };
    assert_eq!(body(&desk.widget("createActivity", activity(id)))["status"], 0);
    assert_eq!(body(&desk.widget("createActivity", activity(1)))["status"], 99);
    let file = json!({"filename": "cv.pdf", "recordType": "R", "recordId": id, "documentType": "resume", "primary": "y", "data": "YWJj"});
    assert_eq!(body(&desk.widget("attachDocument", json!({"file": file})))["status"], 0);
    let ledger = desk.tracker.ledger();
    assert_eq!(ledger["activities"][0]["startDateTime"], "2026-01-02T15:04:00");
    assert_eq!(ledger["activities"][0]["associations"], json!({"resources": [{"id": id}]}));
    assert_eq!(ledger["documents"][0]["record_type"], "resource");
    assert_eq!((&ledger["documents"][0]["bytes"], &ledger["documents"][0]["primary"]), (&json!(3), &json!(true)));
}

#[test]
fn a_candidate_is_put_on_a_job_by_number_or_by_text() {
    let mut desk = Desk::new();
    let id = desk.candidate("robin@example.test", false)["recordId"].clone();
    let orders = json!({"opportunityid": "1026", "resourceid": id.to_string(), "assigntolist": "short", "shortlistedby": "resource"});
    assert_eq!(body(&desk.widget("resourceApplication", json!({"instructions": orders})))["status"], 0);
    let listed = desk.tracker.ledger()["longlist"][0].clone();
    assert_eq!(
        (&listed["opportunity_id"], &listed["list"], &listed["by"]),
        (&json!(1026), &json!("short"), &json!("resource"))
    );
}

#[test]
fn the_lookups_count_pages_from_zero_and_check_person_gives_no_id() {
    let mut desk = Desk::new();
    (0..11).for_each(|n| assert_eq!(desk.candidate(&format!("p{n}@example.test"), false)["status"], 0));
    let orders = json!({"instructions": {"recordtype": "R", "pagenum": 1, "searchtext": "example.test"}});
    let page = body(&desk.widget("getRecords", orders));
    assert_eq!((&page["count"], &page["results"][0]["details"]["email"]), (&json!(1), &json!("p10@example.test")));
    let found = body(&desk.widget("checkPerson", json!({"details": {"email": "P3@example.test"}})));
    assert_eq!((&found["recordTypes"], &found["recordId"]), (&json!(["R"]), &Value::Null));
    let id = page["results"][0]["id"].clone();
    let one = body(&desk.widget("getIndividualRecord", json!({"instructions": {"recordtype": "R", "recordid": id}})));
    assert_eq!(one["results"][0]["id"], id);
}

#[test]
fn an_envelope_under_another_name_is_an_invalid_request() {
    let mut desk = Desk::new();
    let oauth = desk.oauth.clone();
    let envelope = json!({"trackerrms": {"createresource": {"resource": {"lastname": "A"}}}});
    assert_eq!(body(&desk.send("POST", "/api/widget/createResource", &envelope, &oauth))["status"], 99);
    assert_eq!(body(&desk.widget("createResource", json!({"data": {"lastname": "A"}})))["status"], 99);
}

#[test]
fn a_seed_changes_credentials_revokes_tokens_and_places_records() {
    let mut desk = Desk::new();
    let seed = json!({"credentials": {"refresh_token": "new"}, "revoke": ["oauth"], "contacts": [{"surname": "A", "email": "a@example.test", "created_ms": 5}]});
    let made = desk.tracker.seed(&seed, desk.now).unwrap();
    assert_eq!(desk.tracker.ledger()["contacts"][0]["id"], made["contacts"][0]);
    assert_eq!(desk.widget("checkLogon", json!({})).status, 401);
    assert_eq!(desk.refresh("new").status, 200);
    assert!(Tracker::new().seed(&json!({"revoke": ["everything"]}), 0).is_err());
}

#[test]
fn a_cv_a_job_and_an_update_go_through_the_older_api_too() {
    let mut desk = Desk::new();
    let cv = json!({"instructions": {"assigntoopportunity": 9, "assigntolist": "long"},
        "resource": {"firstname": "Robin", "lastname": "Placeholder", "email": "robin@example.test"}, "file": {"filename": "cv.pdf", "data": "YWJj"}});
    let made = body(&desk.widget("createResourceFromResume", cv));
    assert_eq!((&made["status"], &made["recordName"]), (&json!(0), &json!("Robin Placeholder")));
    assert_eq!(body(&desk.widget("createResourceFromResume", json!({"file": {"filename": "cv.pdf"}})))["status"], 99);
    let id = made["recordId"].as_i64().unwrap();
    let update = json!({"instructions": {"recordtype": "R", "recordid": id}, "updates": [{"column": "mobilephone", "value": "+1"}, {"column": "town", "value": "Leeds"}]});
    assert_eq!(body(&desk.widget("updateRecord", update))["message"], "updated");
    assert_eq!(
        body(&desk.widget("updateRecord", json!({"instructions": {"recordtype": "R", "recordid": 1}})))["status"],
        99
    );
    let job = json!({"instructions": {"createpersonifnotexists": true}, "opportunity": {"opportunityname": "Welder", "lastname": "Client", "email": "client@example.test"}});
    assert_eq!(body(&desk.widget("createOpportunity", job))["recordName"], "Welder");
    let ledger = desk.tracker.ledger();
    assert_eq!(ledger["resources"][0]["mobilePhone"], "+1");
    assert_eq!(
        (&ledger["documents"][0]["record_id"], &ledger["longlist"][0]["opportunity_id"]),
        (&json!(id), &json!(9))
    );
    assert_eq!(ledger["opportunities"][0]["contact"]["id"], ledger["contacts"][0]["id"]);
    assert_eq!(body(&desk.widget("getSettings", json!({})))["departments"][0]["name"], "Technology");
}
