//! What a submission brought, in words: for the note of an activity where Tracker had the person already, so that the create
//! that would have carried it is not sent.

use super::Profile;
use super::convert::text_of;
use super::language::{Entry, Origin};
use super::template::as_typed;
use crate::settings::{Api, RecordType};
use crate::submission::Submission;
use crate::tracker::catalogue::{self, Field, Kind, Known};

/// The mapped values, the message first; empty where there is nothing to say. Of a REST Lead, which is always made, only what
/// its Contact would have carried beyond name and e-mail.
pub fn brought(profile: &Profile, api: Api, submission: &Submission) -> String {
    let mut message = String::new();
    let mut lines = Vec::new();
    for entry in &profile.map {
        let Some(text) = told(entry, profile.record_type, api, submission) else { continue };
        if is_message(entry) && message.is_empty() {
            message = text;
        } else {
            lines.push(format!("{}: {text}", entry.target));
        }
    }
    let parts = [message, lines.join("\n")];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("\n\n")
}

/// The value of an entry, if a found person's record would go without it.
fn told(entry: &Entry, record_type: RecordType, api: Api, submission: &Submission) -> Option<String> {
    // A constant is the site's, not the visitor's.
    let Origin::Field(_) = &entry.source else { return None };
    let of_contact = api == Api::Rest && record_type == RecordType::Lead;
    match catalogue::find(&entry.target)? {
        Known::Field(field) if of_contact => {
            let (whose, _) = field.reach(api, record_type)?;
            if whose == record_type || is_name(field) {
                return None;
            }
        }
        // The long list is a step of its own.
        Known::Field(field) if field.kind == Kind::Job => return None,
        Known::Field(field) => {
            if field.kind != Kind::FullName {
                field.reach(api, record_type)?;
            }
        }
        known @ Known::Custom(_) => {
            if of_contact || !known.is_used(api, record_type) {
                return None;
            }
        }
    }
    let value = entry.source.value(submission)?;
    let text = text_of(&value).unwrap_or_else(|| value.to_string());
    Some(as_typed(text.trim()))
}

fn is_message(entry: &Entry) -> bool {
    matches!(catalogue::find(&entry.target), Some(Known::Field(field)) if matches!(field.name, "note" | "description"))
}

fn is_name(field: &Field) -> bool {
    field.kind == Kind::FullName || matches!(field.name, "firstName" | "lastName" | "email")
}

#[cfg(test)]
mod tests {
    use super::super::language::tests::submission;
    use super::*;
    use crate::mapping::profile;
    use crate::settings::Settings;
    use serde_json::{Value, json};

    fn of(settings: &str, api: Api, fields: &Value) -> String {
        let one = submission(fields, &json!({}));
        let profile = profile(&Settings::parse(settings).expect("settings"), &one.form).expect("a profile");
        brought(&profile, api, &one)
    }

    #[test]
    fn the_message_comes_first_then_every_mapped_field_and_no_constant() {
        let fields =
            json!({ "name": "Ada King", "email": "ada@example.org", "message": "{{record.id}} Hi", "secret": "x" });
        for api in [Api::Widget, Api::Rest] {
            let text = of("{}", api, &fields);
            assert!(text.starts_with("{{record.id\u{2060}}} Hi\n\n"), "{text}");
            assert!(text.contains("email: ada@example.org") && text.contains("fullName: Ada King"), "{text}");
            assert!(!text.contains("Website") && !text.contains("secret"), "{text}");
        }
    }

    #[test]
    fn of_a_rest_lead_only_what_its_contact_would_have_carried_is_told() {
        let fields = json!({ "name": "Ada King", "email": "ada@example.org", "message": "Hi" });
        assert_eq!(of(r#"{"record_type":"Lead"}"#, Api::Rest, &fields), "");
        let fields = json!({ "name": "Ada King", "email": "ada@example.org", "message": "Hi", "phone": "123" });
        assert_eq!(of(r#"{"record_type":"Lead"}"#, Api::Rest, &fields), "phone: 123");
        assert!(of(r#"{"record_type":"Lead"}"#, Api::Widget, &fields).starts_with("Hi\n\n"));
    }

    #[test]
    fn what_this_kind_of_record_has_no_place_for_is_not_told() {
        let map = r#"{"record_type":"Contact","field_map":"{\"email\":\"email\",\"salary\":\"pay\",\"customFields.7\":\"x\",\"jobId\":\"job\"}"}"#;
        let fields = json!({ "email": "a@b.c", "pay": "10", "x": "y", "job": "4" });
        assert_eq!(of(map, Api::Widget, &fields), "email: a@b.c");
        assert_eq!(of(&map.replace("Contact", "Resource"), Api::Rest, &fields).matches('\n').count(), 2);
    }
}
