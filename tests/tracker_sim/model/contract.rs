//! What may stand in a request, so that whatever the product sends in any test is held against what is documented: the
//! widget lessons' members by name and type, REST bodies by the tables of `shape` and `search`, which a test compares with
//! Tracker's own OpenAPI document. The model answers as Tracker does, who drops what it does not know; what is found here
//! stands in the ledger, under `breaches`.

use super::{Api, Call, Request, codec, lookups, search, shape};
use serde_json::{Map, Value};

/// The members of the widget lessons: operation, member, names.
pub const WIDGET: &[(&str, &str, &[&str])] = &[
    ("createResource", "instructions", &["overwriteresource", "assigntoopportunity", "assigntolist", "shortlistedby"]),
    (
        "createResource",
        "resource",
        &[
            "firstname",
            "lastname",
            "fullname",
            "jobtitle",
            "company",
            "address1",
            "address2",
            "city",
            "state",
            "zipcode",
            "country",
            "workphone",
            "homephone",
            "cellphone",
            "email",
            "linkedin",
            "dateofbirth",
            "nationality",
            "languages",
            "education",
            "source",
            "jobhistory",
            "salary",
            "note",
            "image",
            "skills",
            "status",
            "customfields",
        ],
    ),
    ("createContact", "instructions", &["createcompanyifnotexists", "overwritecontact"]),
    (
        "createContact",
        "contact",
        &[
            "firstname",
            "lastname",
            "fullname",
            "jobtitle",
            "company",
            "address1",
            "address2",
            "city",
            "state",
            "zipcode",
            "country",
            "businessphone",
            "homephone",
            "cellphone",
            "email",
            "linkedin",
            "website",
            "note",
            "image",
        ],
    ),
    ("createLead", "instructions", &["createpersonifnotexists", "notifydepartment"]),
    (
        "createLead",
        "lead",
        &[
            "leadname",
            "department",
            "source",
            "description",
            "leadpersontype",
            "firstname",
            "lastname",
            "fullname",
            "jobtitle",
            "company",
            "address1",
            "address2",
            "city",
            "state",
            "zipcode",
            "country",
            "businessphone",
            "homephone",
            "cellphone",
            "email",
            "linkedin",
            "website",
            "image",
            "customfields",
        ],
    ),
    ("checkLogon", "credentials", &["oauthtoken"]),
    ("createActivity", "instructions", &[]),
    (
        "createActivity",
        "activity",
        &[
            "subject",
            "type",
            "date",
            "time",
            "status",
            "priority",
            "contactType",
            "note",
            "userId",
            "linkRecordType",
            "linkRecordId",
        ],
    ),
    ("attachDocument", "file", &["filename", "recordType", "recordId", "documentType", "primary", "data"]),
    (
        "resourceApplication",
        "instructions",
        &["opportunityid", "resourceid", "assigntolist", "shortlistedby", "source"],
    ),
];

const TOKEN: &[&str] = &["grant_type", "client_id", "client_secret", "redirect_uri", "code", "refresh_token"];

/// Everything about a request that is not documented.
pub fn breaches(request: &Request, call: &Call) -> Vec<String> {
    let mut found = Vec::new();
    match call.api {
        Api::OAuth => token(request, &mut found),
        Api::Widget => widget(request, call, &mut found),
        Api::Rest => rest(request, call, &mut found),
    }
    if matches!(call.operation.as_str(), "unknown" | "wrong_method") {
        found.push("there is no such operation".to_owned());
    }
    found.iter().map(|what| format!("{} {}: {what}", request.method, request.path)).collect()
}

fn media(request: &Request, wanted: &str, found: &mut Vec<String>) {
    let kind = request.header("content-type").unwrap_or_default();
    if !kind.starts_with(wanted) {
        found.push(format!("content type {kind:?}"));
    }
}

fn token(request: &Request, found: &mut Vec<String>) {
    if request.method == "GET" {
        return;
    }
    media(request, "application/x-www-form-urlencoded", found);
    let fields = codec::form(&String::from_utf8_lossy(&request.body));
    found.extend(fields.iter().filter(|(name, _)| !TOKEN.contains(&name.as_str())).map(|(name, _)| name.clone()));
}

fn rest(request: &Request, call: &Call, found: &mut Vec<String>) {
    if request.method == "GET" || request.method == "DELETE" {
        if !request.body.is_empty() {
            found.push("a body".to_owned());
        }
        return;
    }
    media(request, "application/json", found);
    let Some(body) = request.json() else { return found.push("the body is no JSON object".to_owned()) };
    let verb = call.operation.split('_').next().unwrap_or_default();
    if let Some(tables) = super::office::shape_of(&call.operation) {
        return members(&body, tables, found);
    }
    match (call.operation.as_str(), verb, call.kind) {
        ("exchange", ..) => members(&body, &[shape::TOKEN], found),
        ("longlist", ..) => members(&body, &[shape::LONGLIST], found),
        ("attach_document", ..) => members(&body, &[shape::DOCUMENT], found),
        (_, "create" | "update", Some(kind)) => members(&body, shape::of(kind), found),
        (_, "search", Some(kind)) => {
            for (name, value) in &body {
                let fits = match search::of(kind, call.other_id == 1).iter().find(|(known, _)| known == name) {
                    None => false,
                    Some((_, search::Filter::Text)) => value.is_string(),
                    Some((_, search::Filter::Int)) => value.as_i64().is_some_and(|n| i32::try_from(n).is_ok()),
                    Some((_, search::Filter::Bool)) => value.is_boolean(),
                };
                if !fits {
                    found.push(format!("the filter {name}"));
                }
            }
        }
        _ => {}
    }
}

fn members(body: &Map<String, Value>, tables: &[&'static [(&'static str, shape::Shape)]], found: &mut Vec<String>) {
    let mut findings = shape::Findings::default();
    shape::keep(body, tables, "", &mut findings);
    found.extend(findings.unknown.iter().map(|name| format!("the member {name}")));
    found.extend(findings.wrong.iter().map(|name| format!("the type of {name}")));
}

fn widget(request: &Request, call: &Call, found: &mut Vec<String>) {
    media(request, "application/json", found);
    let operation = lookups::spelling(&call.operation);
    let Some(body) = request.json() else { return found.push("the body is no JSON object".to_owned()) };
    let inner = body.get("trackerrms").and_then(Value::as_object).filter(|envelope| envelope.len() == 1);
    let inner = inner.and_then(|envelope| envelope.get(operation)).and_then(Value::as_object);
    let Some(inner) = inner.filter(|_| body.len() == 1) else {
        return found.push("the envelope".to_owned());
    };
    for (member, value) in inner {
        let names: &[&str] = match WIDGET.iter().find(|row| row.0 == operation && row.1 == member) {
            Some(row) => row.2,
            None if member == "credentials" => &["oauthtoken"],
            None => &[],
        };
        for (name, value) in value.as_object().into_iter().flatten() {
            if !names.contains(&name.as_str()) {
                found.push(format!("{member}.{name}"));
            } else if !fits(name, value) {
                found.push(format!("the type of {member}.{name}"));
            }
        }
        if !value.is_object() || (names.is_empty() && member != "instructions") {
            found.push(member.clone());
        }
    }
}

/// Whether a value has the type of its member's lesson.
fn fits(name: &str, value: &Value) -> bool {
    match name {
        "overwriteresource"
        | "overwritecontact"
        | "createcompanyifnotexists"
        | "createpersonifnotexists"
        | "notifydepartment" => value.is_boolean(),
        "assigntoopportunity" | "userId" => value.is_i64(),
        // Text in the samples; numbers are sent too.
        "recordId" | "linkRecordId" | "opportunityid" | "resourceid" => value.is_i64() || value.is_string(),
        "salary" => value.is_number(),
        "jobhistory" => value.is_array(),
        "customfields" => value.as_array().is_some_and(|list| {
            list.iter().all(|one| {
                one["id"].is_i64() && one["value"].is_string() && one.as_object().is_some_and(|o| o.len() == 2)
            })
        }),
        _ => value.is_string(),
    }
}
