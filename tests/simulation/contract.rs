//! What is sent, against what is documented: every REST request against Tracker's own OpenAPI document, every widget
//! request against the members of its lessons. Every field of the catalogue goes through.

use halt_tracker::mapping::{Mode, Profile, apply, language};
use halt_tracker::settings::{Api, RecordType};
use halt_tracker::submission::{FilePart, Form, Source, Submission};
use halt_tracker::tracker::activity::ActivityText;
use halt_tracker::tracker::catalogue::{Kind, TABLE};
use halt_tracker::tracker::plan::{PlanInput, Planned, StepKind, steps};
use serde_json::{Map, Value, json};

use crate::model::contract::WIDGET;
use crate::model::tests_contract::document;
use crate::world::World;

const TYPES: [RecordType; 3] = [RecordType::Resource, RecordType::Contact, RecordType::Lead];

/// A submission with a value for every field of the catalogue, through a mapping that names them all.
fn everything(api: Api, record_type: RecordType) -> Vec<Planned> {
    let mut fields = Map::new();
    let mut map = Map::new();
    for field in TABLE {
        let value = match field.kind {
            Kind::Text | Kind::FullName => "Some Text",
            Kind::Whole | Kind::Job => "42",
            Kind::Number => "45,000.50",
            Kind::Switch => "yes",
            Kind::Date => "28/02/2026",
            Kind::Moment => "2026-03-01 12:00:00",
            Kind::Linked => "7",
            Kind::LinkedList => "PHP, 9",
        };
        let value = if field.name == "email" { "ada@example.org" } else { value };
        fields.insert(field.name.to_owned(), json!(value));
        map.insert(field.name.to_owned(), json!(field.name));
    }
    map.insert("customFields.12".into(), json!("email"));
    let profile = Profile {
        mode: Mode::Send,
        record_type,
        map: language::entries(&Value::Object(map)).expect("a mapping"),
        required: Vec::new(),
        attachment_field: String::new(),
        activity_enabled: true,
        activity_subject: String::new(),
        activity_notes: String::new(),
        activity_type: String::new(),
        month_first: false,
    };
    let submission = Submission {
        id: "one".into(),
        source: Source::Webhook,
        received_at: 0,
        timestamp: String::new(),
        form: Form { id: "f".into(), ..Form::default() },
        fields,
        labels: Map::new(),
        meta: Map::new(),
    };
    let mapped = apply(&profile, api, &submission).expect("mapped");
    let file = FilePart {
        ordinal: 1,
        field: "cv".into(),
        name: "cv.pdf".into(),
        mime: "application/pdf".into(),
        size: 1,
        stored: "x".into(),
        refused: 0,
    };
    let activity = ActivityText {
        subject: "s".into(),
        notes: "n".into(),
        kind: "Email".into(),
        brought: "b".into(),
        only_if_found: false,
    };
    steps(&PlanInput {
        api,
        record_type,
        mapped: &mapped,
        find: true,
        activity: Some(&activity),
        files: &[file],
        marker: "ht-1",
        marker_field: Some(5),
        received_at: 0,
    })
}

/// Where a value breaks a schema of the document; unknown members count.
fn breaks(document: &Value, schema: &Value, value: &Value, at: &str, found: &mut Vec<String>) {
    let schema = match schema["$ref"].as_str() {
        Some(name) => document.pointer(name.trim_start_matches('#')).expect("a schema"),
        None => schema,
    };
    let fits = match schema["type"].as_str() {
        Some("object") | None => value.is_object(),
        Some("array") => value.is_array(),
        Some("string") => value.is_string(),
        Some("integer") => value.is_i64(),
        Some("number") => value.is_number(),
        Some("boolean") => value.is_boolean(),
        other => panic!("{at}: type {other:?}"),
    };
    if !fits {
        return found.push(format!("{at} is {value}, documented as {}", schema["type"]));
    }
    if let Some(items) = value.as_array() {
        items.iter().for_each(|item| breaks(document, &schema["items"], item, &format!("{at}[]"), found));
    }
    for (name, member) in value.as_object().into_iter().flatten() {
        match schema["properties"].get(name) {
            Some(inner) => breaks(document, inner, member, &format!("{at}.{name}"), found),
            None => found.push(format!("{at}.{name} is not documented")),
        }
    }
}

fn documented_body<'a>(document: &'a Value, method: &str, path: &str) -> Option<&'a Value> {
    let paths = document["paths"].as_object()?;
    let same = |known: &str| {
        let (known, asked): (Vec<&str>, Vec<&str>) = (known.split('/').collect(), path.split('/').collect());
        known.len() == asked.len()
            && known.iter().zip(asked).all(|(one, other)| one.starts_with('{') || one.eq_ignore_ascii_case(other))
    };
    let operation =
        paths.iter().filter(|(known, _)| same(known)).find_map(|(_, item)| item.get(method.to_lowercase()))?;
    Some(operation.pointer("/requestBody/content/application~1json/schema").unwrap_or(&Value::Null))
}

#[test]
fn every_rest_request_is_as_trackers_own_document_has_it() {
    let Some(document) = document() else { return };
    let mut found = Vec::new();
    let mut seen = 0;
    for record_type in TYPES {
        for step in everything(Api::Rest, record_type).iter().filter(|step| step.kind != StepKind::Find) {
            let schema = documented_body(&document, "POST", &step.path)
                .unwrap_or_else(|| panic!("{} is not documented", step.path));
            breaks(&document, schema, &step.body, &step.path, &mut found);
            seen += 1;
        }
    }
    // Look-ups and token requests, as they went over the wire.
    for record_type in ["Resource", "Contact", "Lead"] {
        let mut world = World::new(7, json!({ "api": "rest", "record_type": record_type, "marker_field": "5" }));
        world.switches(
            &json!({ "keep_requests": 1000, "faults": [{ "on": "create", "do": "drop_after", "times": 9 }] }),
        );
        world.submit(&json!({ "name": "Ada Lovelace", "email": "ada@example.org", "message": "Hi" }));
        world.run_for(3);
        for request in world.held("requests") {
            let (method, path) =
                (request["method"].as_str().unwrap_or_default(), request["path"].as_str().unwrap_or_default());
            if !path.starts_with("/api/") {
                continue;
            }
            let schema =
                documented_body(&document, method, path).unwrap_or_else(|| panic!("{method} {path} is not documented"));
            if method == "POST" {
                breaks(&document, schema, &request["body"], path, &mut found);
            }
            seen += 1;
        }
    }
    println!(
        "contract: {seen} REST requests against {} documented paths",
        document["paths"].as_object().map_or(0, Map::len)
    );
    assert!(seen >= 40, "{seen}");
    found.sort();
    found.dedup();
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn every_widget_request_has_exactly_the_members_of_its_lesson() {
    let mut used = std::collections::BTreeSet::new();
    for record_type in TYPES {
        for step in everything(Api::Widget, record_type).iter().filter(|step| step.kind != StepKind::Find) {
            let envelope = step.body["trackerrms"].as_object().expect("an envelope");
            assert_eq!(envelope.len(), 1);
            for (operation, inner) in envelope {
                assert_eq!(step.path, format!("/api/widget/{operation}"));
                for (member, value) in
                    inner.as_object().expect("members").iter().filter(|(name, _)| *name != "credentials")
                {
                    let (_, _, names) = WIDGET
                        .iter()
                        .find(|row| row.0 == operation && row.1 == member)
                        .unwrap_or_else(|| panic!("{operation}.{member} is in no lesson"));
                    for name in value.as_object().expect("members").keys() {
                        assert!(names.contains(&name.as_str()), "{operation}.{member}.{name} is in no lesson");
                        used.insert(format!("{operation}.{member}"));
                    }
                }
            }
        }
    }
    assert_eq!(used.len(), 9, "{used:?}");
}
