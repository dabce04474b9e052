//! The mapping language and its templates: a mapping, a line of NUL, the fields of a submission, NUL, a template.

use halt_tracker::mapping::{apply, language, profile, template};
use halt_tracker::settings::{Api, Settings};
use halt_tracker::submission::{Form, Source, Submission};
use serde_json::{Map, Value, json};

pub fn read(bytes: &[u8]) -> bool {
    let mut parts = bytes.splitn(3, |byte| *byte == 0).map(String::from_utf8_lossy);
    let mut next = || parts.next().unwrap_or_default().into_owned();
    let (mapping, fields, text) = (next(), next(), next());

    let parsed = language::parse(&mapping);
    let ought = match serde_json::from_str::<Value>(&mapping) {
        Ok(Value::Object(map)) => map.values().all(|value| value.as_str().is_some_and(|text| !text.trim().is_empty())),
        _ => false,
    };
    assert_eq!(parsed.is_ok(), ought, "{parsed:?}");
    let fields = serde_json::from_str::<Map<String, Value>>(&fields).unwrap_or_default();
    let one = submission(fields);
    for entry in parsed.iter().flatten() {
        let value = entry.source.value(&one);
        assert!(value.is_none_or(|value| !value.is_null() && value != "" && value != json!([])));
    }
    let _ = template::unknown(&text);
    let shown = template::render(&text, &template::TemplateValues { submission: &one });
    if !text.contains("{{") {
        assert_eq!(shown, text);
    }
    // What a visitor typed is put in once and never read as a template itself.
    let typed = submission(json!({ "name": "{{form_id}}" }).as_object().cloned().unwrap_or_default());
    let shown = template::render("{{fields.name}}", &template::TemplateValues { submission: &typed });
    assert_eq!(shown, "{{form_id}}");

    let mut taken = false;
    for record_type in ["Resource", "Contact", "Lead"] {
        let settings =
            json!({ "record_type": record_type, "field_map": mapping, "activity_notes": text, "required_fields": "" });
        let Ok(settings) = Settings::parse(&settings.to_string()) else { continue };
        let Ok(profile) = profile(&settings, &one.form) else { continue };
        for api in [Api::Widget, Api::Rest] {
            if let Ok(mapped) = apply(&profile, api, &one) {
                taken = true;
                assert!(mapped.missing.is_empty(), "nothing was required");
            }
        }
    }
    taken
}

fn submission(fields: Map<String, Value>) -> Submission {
    Submission {
        id: "one".into(),
        source: Source::Webhook,
        received_at: 0,
        timestamp: "2026-03-01T12:00:00+00:00".into(),
        form: Form { id: "careers".into(), key: "careers".into(), ..Form::default() },
        fields,
        labels: Map::new(),
        meta: Map::new(),
    }
}
