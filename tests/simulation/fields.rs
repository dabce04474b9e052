//! The catalogue of fields against what Tracker documents: no field of a record is missing, none is of another type, on
//! either API. What is left out on purpose stands here, with its reason.

use std::collections::BTreeMap;

use halt_tracker::settings::{Api, RecordType};
use halt_tracker::tracker::catalogue::{Kind, TABLE};
use serde_json::Value;

use crate::model::contract::WIDGET;
use crate::model::tests_contract::document;

/// Members that a form cannot fill through the catalogue.
const LEFT_OUT: &[(&str, &str)] = &[
    ("customFields", "mapped by their id, as customFields.<id>"),
    ("customfields", "mapped by their id, as customFields.<id>"),
    ("owners", "the owner is the user behind the credentials"),
    ("fullEmploymentHistory", "a list of jobs, which no form holds in one field"),
    ("jobhistory", "a list of jobs, which no form holds in one field"),
    ("Lead.associations", "made by the engine: the Lead's person"),
    ("Lead.contactDetails", "the person of a Lead is a Contact"),
    ("Lead.contactType", "deprecated by Tracker"),
    ("Lead.mandact", "scores that a recruiter gives"),
    ("Contact.marketingPreference", "the same as marketingPreferences.marketingPreference"),
];

fn is_left_out(record: &str, path: &str) -> bool {
    let first = path.split('.').next().unwrap_or_default();
    LEFT_OUT.iter().any(|(name, _)| *name == first || *name == format!("{record}.{first}"))
}

/// The members of a request body that hold a value of their own, with the kinds of the catalogue that fit them.
fn documented(document: &Value, node: &Value, at: &str, out: &mut BTreeMap<String, &'static [Kind]>) {
    let of = |node: &'_ Value| -> Value {
        node["$ref"]
            .as_str()
            .map_or(node.clone(), |name| document.pointer(name.trim_start_matches('#')).expect("a schema").clone())
    };
    let is_named = |node: &Value| {
        let members = node["properties"].as_object().expect("members");
        members.len() == 2 && members.contains_key("id") && members.contains_key("name")
    };
    for (name, member) in of(node)["properties"].as_object().into_iter().flatten() {
        let (member, path) = (of(member), format!("{at}{name}"));
        let kinds: &'static [Kind] = match (member["type"].as_str(), member["format"].as_str()) {
            (Some("string"), Some("date-time")) => &[Kind::Moment],
            (Some("string"), _) => &[Kind::Text, Kind::Date, Kind::FullName],
            (Some("integer"), _) => &[Kind::Whole],
            (Some("number"), _) => &[Kind::Number],
            (Some("boolean"), _) => &[Kind::Switch],
            (Some("array"), _) if is_named(&of(&member["items"])) => &[Kind::LinkedList],
            (Some("object"), _) if is_named(&member) => &[Kind::Linked],
            (Some("object"), _) => {
                documented(document, &member, &format!("{path}."), out);
                continue;
            }
            _ => &[],
        };
        out.insert(path, kinds);
    }
}

#[test]
fn every_field_of_trackers_rest_document_is_in_the_catalogue_with_its_type() {
    let Some(document) = document() else { return };
    let (mut seen, mut wrong) = (0, Vec::new());
    for record_type in [RecordType::Resource, RecordType::Contact, RecordType::Lead] {
        let name = record_type.name();
        let body = format!("/paths/~1api~1v1~1{name}/post/requestBody/content/application~1json/schema");
        let mut written = BTreeMap::new();
        documented(&document, document.pointer(&body).expect("a body"), "", &mut written);
        let places: Vec<(&str, Kind)> = TABLE
            .iter()
            .filter(|field| field.kind != Kind::Job)
            .filter_map(|field| Some((field.place(Api::Rest, record_type)?, field.kind)))
            .collect();
        for (path, kinds) in written.iter().filter(|(path, _)| !is_left_out(name, path)) {
            match places.iter().find(|(place, _)| place == path) {
                None => wrong.push(format!("{name}.{path} is in no row")),
                Some((_, kind)) if !kinds.contains(kind) => wrong.push(format!("{name}.{path} is no {kind:?}")),
                Some(_) => seen += 1,
            }
        }
        for (place, _) in places.iter().filter(|(place, _)| !written.contains_key(*place)) {
            wrong.push(format!("{name}.{place} is not documented"));
        }
    }
    println!("catalogue: {seen} documented members of three record types, {} left out on purpose", LEFT_OUT.len());
    assert!(wrong.is_empty() && seen > 100, "{seen}\n{}", wrong.join("\n"));
}

#[test]
fn every_member_of_the_widget_lessons_is_in_the_catalogue() {
    for record_type in [RecordType::Resource, RecordType::Contact, RecordType::Lead] {
        let name = record_type.name();
        let members = WIDGET
            .iter()
            .find(|row| row.0 == format!("create{name}") && row.1 == name.to_lowercase())
            .map(|row| row.2)
            .expect("a lesson");
        for member in members.iter().filter(|member| !is_left_out(name, member)) {
            let there = TABLE.iter().any(|field| field.place(Api::Widget, record_type) == Some(member));
            assert!(there, "create{name} takes {member}, and no row of the catalogue has it");
        }
        for field in TABLE.iter().filter(|field| field.kind != Kind::Job) {
            let place = field.place(Api::Widget, record_type);
            assert!(place.is_none_or(|place| members.contains(&place)), "create{name} takes no {place:?}");
        }
    }
}
