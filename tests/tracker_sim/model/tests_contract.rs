//! The model's own tables against Tracker's OpenAPI document, and that a breach of them is seen.

use super::search::{self, Filter};
use super::shape::{self, Shape};
use super::tests::Desk;
use super::{Kind, office};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Tracker's document, or a line that says why it cannot be read. `HALT_TRACKER_OPENAPI` names another place.
pub fn document() -> Option<Value> {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/facts/tracker-openapi.json").to_owned();
    let path = std::env::var("HALT_TRACKER_OPENAPI").unwrap_or(beside);
    let text = std::fs::read_to_string(&path);
    if text.is_err() {
        println!("skipped: Tracker's OpenAPI document is not at {path}");
    }
    text.ok().map(|text| serde_json::from_str(&text).expect("JSON"))
}

fn schema<'a>(document: &'a Value, node: &'a Value) -> &'a Value {
    node["$ref"].as_str().map_or(node, |name| document.pointer(name.trim_start_matches('#')).expect("a schema"))
}

/// Every member of a schema by its path, with its type in one word.
fn documented(document: &Value, node: &Value, at: &str, out: &mut BTreeMap<String, &'static str>) {
    for (name, member) in schema(document, node)["properties"].as_object().into_iter().flatten() {
        let (member, path) = (schema(document, member), format!("{at}{name}"));
        let word = match (member["type"].as_str(), member["format"].as_str()) {
            (Some("string"), Some("date-time")) => "date",
            (Some("string"), _) => "text",
            (Some("integer"), _) => "int",
            (Some("number"), _) => "number",
            (Some("boolean"), _) => "bool",
            (Some("array"), _) => {
                documented(document, &member["items"], &format!("{path}[]."), out);
                "list"
            }
            (Some("object"), _) => {
                documented(document, member, &format!("{path}."), out);
                "object"
            }
            // MANDACT's scores say nothing about themselves.
            other => panic!("{path}: {other:?}"),
        };
        out.insert(path, word);
    }
}

fn modelled(members: &[(&str, Shape)], at: &str, out: &mut BTreeMap<String, &'static str>) {
    for (name, shape) in members {
        let path = format!("{at}{name}");
        let word = match shape {
            Shape::Text => "text",
            Shape::Int => "int",
            Shape::Number => "number",
            Shape::Bool => "bool",
            Shape::Ints => "list",
            Shape::Date => "date",
            Shape::Object(inner) => {
                modelled(inner, &format!("{path}."), out);
                "object"
            }
            Shape::List(inner) => {
                modelled(inner, &format!("{path}[]."), out);
                "list"
            }
        };
        out.insert(path, word);
    }
}

fn compare(what: &str, mut documented: BTreeMap<String, &'static str>, modelled: &BTreeMap<String, &'static str>) {
    documented.retain(|path, _| !path.starts_with("mandact.") && !path.starts_with("history."));
    let missing: Vec<_> = documented.iter().filter(|(path, word)| modelled.get(*path) != Some(*word)).collect();
    let surplus: Vec<_> = modelled.iter().filter(|(path, _)| !documented.contains_key(*path)).collect();
    assert!(missing.is_empty() && surplus.is_empty(), "{what}: documented {missing:?}, only in the model {surplus:?}");
}

#[test]
fn the_tables_of_bodies_and_searches_are_those_of_trackers_document() {
    let Some(document) = document() else { return };
    let body = |path: &str| {
        let item = &document["paths"][path]["post"]["requestBody"]["content"]["application/json"]["schema"];
        assert!(item.is_object(), "{path} takes no body");
        item
    };
    let mut compared = 0;
    let mut check = |what: &str, node: &Value, tables: &[&'static [(&'static str, Shape)]]| {
        let (mut written, mut known) = (BTreeMap::new(), BTreeMap::new());
        // What says nothing about its type is taken as it comes.
        let mut node = schema(&document, node).clone();
        if let Some(members) = node["properties"].as_object_mut() {
            for name in ["mandact", "history"] {
                if members.contains_key(name) {
                    members.insert(name.to_owned(), json!({"type": "object", "properties": {}}));
                }
            }
        }
        documented(&document, &node, "", &mut written);
        tables.iter().for_each(|table| modelled(table, "", &mut known));
        compared += written.len();
        compare(what, written, &known);
    };
    for kind in Kind::ALL {
        check(kind.title(), body(&format!("/api/v1/{}", kind.title())), shape::of(kind));
    }
    check("document", body("/api/v1/Resource/AttachDocument"), &[shape::DOCUMENT]);
    check("long list", body("/api/v1/Opportunity/Longlist"), &[shape::LONGLIST]);
    check("token", body("/api/Auth/ExchangeToken"), &[shape::TOKEN]);
    for (path, operation) in [
        ("Opportunity", "create_opportunity"),
        ("OpportunityResource", "shortlist"),
        ("PartnerRecord", "create_partner_record"),
        ("Webhook", "create_webhook"),
        ("Resource/CreateFromResume", "create_from_resume"),
        ("Resource/{resourceId}/Skills", "add_skills"),
    ] {
        check(path, body(&format!("/api/v1/{path}")), office::shape_of(operation).expect("members"));
    }
    for kind in Kind::ALL {
        for custom in
            [false, true].into_iter().filter(|custom| !custom || matches!(kind, Kind::Resource | Kind::Contact))
        {
            let end = if custom { "/CustomField" } else { "" };
            let mut written = BTreeMap::new();
            documented(&document, body(&format!("/api/v1/{}/Search{end}", kind.title())), "", &mut written);
            let word = |filter: Filter| match filter {
                Filter::Text => "text",
                Filter::Int => "int",
                Filter::Bool => "bool",
            };
            let known =
                search::of(kind, custom).into_iter().map(|(name, filter)| (name.to_owned(), word(filter))).collect();
            written.values_mut().filter(|word| **word == "date").for_each(|word| *word = "text");
            compared += written.len();
            compare(&format!("{} search", kind.title()), written, &known);
        }
    }
    println!("contract: {compared} documented members, each in the model with its type");
    assert!(compared > 250, "{compared}");
}

#[test]
fn what_is_not_documented_is_seen_on_both_apis_and_outlives_a_reset() {
    let mut desk = Desk::new();
    let jwt = desk.jwt.clone();
    assert_eq!(desk.tracker.ledger()["breaches"], json!([]), "getting in breaks nothing");
    let mut known = 0;
    for (path, body) in [
        ("/api/v1/Resource", json!({"surname": "A", "email": "a@example.org"})),
        ("/api/v1/Resource", json!({"availableForWork": "yes"})),
        ("/api/v1/Lead", json!({"potentialValue": 3_000_000_000_i64})),
        ("/api/v1/Resource/Search", json!({"searchText": "A"})),
        ("/api/v1/Contact/Search/CustomField", json!({"customFieldId": "5"})),
        ("/api/v1/Resource/1/Notes", json!({})),
        (
            "/api/widget/createResource",
            json!({"trackerrms": {"createResource": {"credentials": {}, "resource": {"firstName": "A"}}}}),
        ),
        ("/api/widget/createResource", json!({"trackerrms": {"createResource": {"data": {"lastname": "A"}}}})),
        ("/api/widget/createResource", json!({"createResource": {}})),
        (
            "/api/widget/createLead",
            json!({"trackerrms": {"createLead": {"instructions": {"notifydepartment": "no"}, "lead": {}}}}),
        ),
    ] {
        desk.send("POST", path, &body, &jwt);
        let breaches = desk.tracker.ledger()["breaches"].as_array().map_or(0, Vec::len);
        assert!(breaches > known, "{path} {body}");
        known = breaches;
    }
    desk.tracker.reset();
    assert_eq!(desk.tracker.ledger()["breaches"].as_array().map(Vec::len), Some(known));
}
