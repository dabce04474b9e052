//! The model around people: jobs and their lists, CVs that become candidates, skills, other systems' ids, call-backs.

use super::tests::{Desk, body};
use serde_json::{Value, json};

fn made(desk: &mut Desk, path: &str, what: Value) -> i64 {
    let answer = desk.rest("POST", path, what);
    assert_eq!(answer.status, 201, "{path}: {}", String::from_utf8_lossy(&answer.body));
    body(&answer)["id"].as_i64().unwrap()
}

fn resource(desk: &mut Desk) -> i64 {
    made(desk, "Resource", json!({"firstName": "Robin", "surname": "Placeholder"}))
}

fn status(desk: &mut Desk, method: &str, path: &str) -> u16 {
    desk.rest(method, path, Value::Null).status
}

#[test]
fn a_job_is_made_read_found_changed_and_deleted() {
    let mut desk = Desk::new();
    let job = made(
        &mut desk,
        "Opportunity",
        json!({"name": "Welder", "advertDetails": {"publishOnline": true, "title": "Weld"}, "salary": 1}),
    );
    let detail = body(&desk.rest("GET", &format!("Opportunity/{job}"), Value::Null));
    assert_eq!(
        (&detail["id"], &detail["advertDetails"]["publishOnline"], &detail["salary"]),
        (&json!(job), &json!(true), &Value::Null)
    );
    let found = body(&desk.rest("POST", "Opportunity/Search", json!({"searchTerm": "weld", "publishOnline": true})));
    assert_eq!(
        (&found[0]["opportunityId"], &found[0]["publishOnline"], &found[0]["startDate"]),
        (&json!(job), &json!("y"), &json!(""))
    );
    assert_eq!(desk.rest("POST", "Opportunity/Search", json!({"searchTerm": "baker"})).status, 204);
    assert_eq!(
        desk.rest("PATCH", &format!("Opportunity/{job}"), json!({"advertDetails": {"title": "Welder"}})).status,
        200
    );
    let detail = body(&desk.rest("GET", &format!("Opportunity/{job}"), Value::Null));
    assert_eq!(detail["advertDetails"], json!({"publishOnline": true, "title": "Welder"}));
    assert_eq!(
        (
            status(&mut desk, "DELETE", &format!("Opportunity/{job}")),
            status(&mut desk, "GET", &format!("Opportunity/{job}"))
        ),
        (200, 204)
    );
    assert_eq!(status(&mut desk, "PUT", &format!("Opportunity/{job}")), 405);
}

#[test]
fn lists_of_a_job_know_a_job_that_was_made_and_one_that_was_told() {
    let mut desk = Desk::new();
    desk.set(json!({"known_opportunities": [77]}));
    let (person, job) = (resource(&mut desk), made(&mut desk, "Opportunity", json!({"name": "Welder"})));
    for known in [job, 77] {
        assert_eq!(
            desk.rest("POST", "Opportunity/Longlist", json!({"resourceId": person, "opportunityId": known})).status,
            201
        );
    }
    assert_eq!(
        desk.rest("POST", "OpportunityResource", json!({"resourceId": person, "opportunityIds": [78]})).status,
        400
    );
    let answer = body(&desk.rest(
        "POST",
        "OpportunityResource",
        json!({"resourceId": person, "opportunityIds": [job], "placementSource": "Website"}),
    ));
    assert_eq!((&answer["success"], &answer["namedResource"]), (&json!(true), &json!("Robin Placeholder")));
    let short = body(&desk.rest("GET", &format!("OpportunityResource/Shortlist/{job}"), Value::Null));
    assert_eq!(short[0]["resourceId"], person);
    assert_eq!(status(&mut desk, "GET", &format!("Opportunity/{job}/Applicants")), 204, "a user put the person there");
    assert_eq!(status(&mut desk, "DELETE", &format!("Opportunity/{job}/shortlist/resource/{person}")), 200);
    assert_eq!(status(&mut desk, "GET", &format!("OpportunityResource/Shortlist/{job}")), 204);
    assert_eq!(status(&mut desk, "GET", &format!("Opportunity/{job}/Longlist")), 200, "the long list is another one");
}

#[test]
fn who_applied_through_the_widget_is_among_the_applicants() {
    let mut desk = Desk::new();
    let (person, oauth) = (resource(&mut desk), desk.oauth.clone());
    let orders = json!({"opportunityid": 5, "resourceid": person, "assigntolist": "long", "shortlistedby": "resource"});
    let request =
        json!({"trackerrms": {"resourceApplication": {"credentials": {"oauthtoken": oauth}, "instructions": orders}}});
    assert_eq!(body(&desk.send("POST", "/api/widget/resourceApplication", &request, ""))["status"], 0);
    assert_eq!(body(&desk.rest("GET", "Opportunity/5/Applicants", Value::Null))[0]["surname"], "Placeholder");
}

#[test]
fn a_cv_becomes_a_candidate_on_a_jobs_list() {
    let mut desk = Desk::new();
    let cv =
        json!({"fileName": "Robin Placeholder.pdf", "fileData": "JVBERi0=", "opportunityId": "9", "list": "short"});
    let answer = desk.rest("POST", "Resource/CreateFromResume", cv);
    assert_eq!((answer.status, &body(&answer)["success"]), (201, &json!(true)));
    let ledger = desk.tracker.ledger();
    assert_eq!(
        (&ledger["documents"][0]["document_type"], &ledger["longlist"][0]["list"]),
        (&json!("resume"), &json!("short"))
    );
    assert_eq!(
        desk.rest("POST", "Resource/CreateFromResume", json!({"fileName": "x.pdf", "fileData": "?"})).status,
        400
    );
}

#[test]
fn skills_are_added_replaced_and_removed() {
    let mut desk = Desk::new();
    let path = format!("Resource/{}/Skills", resource(&mut desk));
    let skills = |ids: &[i64]| json!({"skills": ids.iter().map(|id| json!({"skillId": id})).collect::<Vec<_>>()});
    let known = |desk: &mut Desk| body(&desk.rest("GET", &path, Value::Null))["skills"].as_array().map_or(0, Vec::len);
    assert_eq!(desk.rest("POST", &path, skills(&[1, 2])).status, 201);
    assert_eq!(desk.rest("POST", &path, skills(&[2, 3])).status, 201);
    assert_eq!(known(&mut desk), 3);
    assert_eq!(
        (status(&mut desk, "GET", &format!("{path}/3")), status(&mut desk, "GET", &format!("{path}/4"))),
        (200, 204)
    );
    assert_eq!(desk.rest("PUT", &path, skills(&[5])).status, 200);
    assert_eq!(known(&mut desk), 1);
    assert_eq!((status(&mut desk, "DELETE", &path), status(&mut desk, "GET", &path)), (200, 204));
}

#[test]
fn another_systems_id_leads_to_the_record_that_it_stands_for() {
    let mut desk = Desk::new();
    let person = resource(&mut desk);
    let record = json!({"partnerId": 1, "partnerRecordId": "sub-0f3c", "recordType": "Resource", "recordId": person});
    let id = made(&mut desk, "PartnerRecord", record);
    assert_eq!(body(&desk.rest("GET", "PartnerRecord/sub-0f3c/Partner/1", Value::Null))[0]["recordId"], person);
    assert_eq!(status(&mut desk, "GET", "PartnerRecord/sub-0f3c/Partner/2"), 204);
    assert_eq!(
        body(&desk.rest("GET", &format!("Resource/{person}"), Value::Null))["partnerRecords"][0]["partnerRecordId"],
        "sub-0f3c"
    );
    let found = body(&desk.rest("POST", "PartnerRecord/Search", json!({"recordId": person})));
    assert_eq!(found[0]["partnerTypeId"], "sub-0f3c");
    for wrong in [
        json!({"partnerId": 2, "recordType": "Resource", "recordId": person}),
        json!({"partnerId": 1, "recordType": "Resource", "recordId": 1}),
    ] {
        assert_eq!(desk.rest("POST", "PartnerRecord", wrong).status, 400);
    }
    assert_eq!(
        (
            desk.rest("PATCH", &format!("PartnerRecord/{id}"), json!({"partnerRecordId": "other"})).status,
            status(&mut desk, "GET", "PartnerRecord/sub-0f3c/Partner/1")
        ),
        (200, 204)
    );
    assert_eq!(status(&mut desk, "DELETE", &format!("PartnerRecord/{id}")), 200);
}

#[test]
fn call_backs_are_subscribed_listed_changed_and_ended() {
    let mut desk = Desk::new();
    let id = made(
        &mut desk,
        "Webhook",
        json!({"url": "https://example.org/hook", "action": "Created", "recordType": "Resource"}),
    );
    assert_eq!(body(&desk.rest("GET", "Webhook/List", Value::Null))[0]["url"], "https://example.org/hook");
    assert_eq!(desk.tracker.ledger()["webhooks"][0]["id"], id);
    assert_eq!(body(&desk.rest("GET", "Webhook/Meta/Actions", Value::Null))[0]["action"], "Created");
    assert_eq!(desk.rest("PATCH", "Webhook", json!({"id": id, "action": "Updated"})).status, 200);
    for path in [format!("Webhook/{id}"), format!("Webhook/Actions/{id}")] {
        let shown = body(&desk.rest("GET", &path, Value::Null));
        assert_eq!(if shown.is_array() { &shown[0]["action"] } else { &shown["action"] }, "Updated", "{path}");
    }
    assert_eq!(
        (status(&mut desk, "DELETE", &format!("Webhook/{id}")), status(&mut desk, "GET", "Webhook/List")),
        (200, 204)
    );
}

#[test]
fn users_picklists_and_folders_are_read() {
    let mut desk = Desk::new();
    assert_eq!(body(&desk.rest("GET", "User/1", Value::Null))["fullname"], "Simulated User");
    assert_eq!(body(&desk.rest("POST", "User/Search", json!({})))[0]["fullName"], "Simulated User");
    assert_eq!(body(&desk.rest("GET", "MetaData/recordTypes", Value::Null))["resource"], "Candidate");
    assert_eq!(body(&desk.rest("GET", "CustomFields/1", Value::Null))["listEntries"][0]["value"], "Blue");
    for path in ["User/2", "CustomFields/2"] {
        assert_eq!(status(&mut desk, "GET", path), 204, "{path}");
    }
    assert_eq!(status(&mut desk, "GET", "Resource/DocumentFolders/1"), 200);
    assert_eq!(desk.tracker.ledger()["breaches"], json!([]), "all of it is documented");
}
