//! A submission through a mapping: Tracker's members, what is missing, and what this record type has no place for.

use serde_json::{Map, Value, json};

use super::convert::{convert, text_of};
use super::{MapError, Profile};
use crate::settings::{Api, RecordType};
use crate::submission::Submission;
use crate::tracker::catalogue::{self, Kind, Known};

/// What becomes of a submission.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Mapped {
    /// The record's members.
    pub record: Map<String, Value>,
    /// The members of a REST Lead's Contact.
    pub contact: Map<String, Value>,
    /// The e-mail, as it was typed.
    pub email: Option<String>,
    /// First name.
    pub first: String,
    /// Last name.
    pub last: String,
    /// Required fields without a value.
    pub missing: Vec<String>,
    /// Keys that this API and record type have no place for.
    pub unused: Vec<String>,
    /// The job whose long list the candidate joins.
    pub job_id: Option<i64>,
    /// Where the person came from.
    pub source: String,
}

/// Applies a profile.
///
/// # Errors
/// `HT-1405` for a value that does not fit its field.
pub fn apply(profile: &Profile, api: Api, submission: &Submission) -> Result<Mapped, MapError> {
    let mut mapped = Mapped::default();
    let mut filled: Vec<&'static str> = Vec::new();
    let mut customs: Vec<i64> = Vec::new();
    let mut full_name = None;
    for entry in &profile.map {
        let Some(value) = entry.source.value(submission) else { continue };
        match catalogue::find(&entry.target) {
            None => mapped.unused.push(entry.target.clone()),
            Some(Known::Custom(id)) => {
                custom(&mut mapped, profile.record_type, api, &entry.target, id, &value)?;
                customs.push(id);
            }
            Some(Known::Field(field)) => {
                let value = convert(&entry.target, field.kind, api, profile.month_first, &value)?;
                note_person(&mut mapped, field.name, &value);
                filled.push(field.name);
                if field.kind == Kind::FullName {
                    full_name = text_of(&value);
                    continue;
                }
                if field.kind == Kind::Job && field.reach(api, profile.record_type).is_some() {
                    mapped.job_id = value.as_i64().filter(|id| *id > 0);
                    continue;
                }
                place(&mut mapped, api, profile.record_type, &entry.target, field, value);
            }
        }
    }
    if let Some(name) = full_name {
        name_the_person(&mut mapped, api, profile.record_type, name.trim());
        let parts = [("firstName", &mapped.first), ("lastName", &mapped.last)];
        filled.extend(parts.iter().filter(|(_, part)| !part.is_empty()).map(|(name, _)| *name));
    }
    if profile.record_type == RecordType::Lead {
        title_the_lead(&mut mapped, api, submission);
    }
    mapped.missing = missing(profile, api, &filled, &customs);
    Ok(mapped)
}

/// Puts a value where the API and record type want it. A REST Lead's person members go to its Contact.
fn place(mapped: &mut Mapped, api: Api, record_type: RecordType, key: &str, field: &catalogue::Field, value: Value) {
    match field.reach(api, record_type) {
        // The first one that is mapped wins where two fields share a member, as note and description on a Lead.
        Some((whose, member)) if whose == record_type => set(&mut mapped.record, member, value),
        Some((_, member)) => set(&mut mapped.contact, member, value),
        None => mapped.unused.push(key.to_owned()),
    }
}

fn set(map: &mut Map<String, Value>, path: &str, value: Value) {
    match path.split_once('.') {
        None => {
            map.entry(path).or_insert(value);
        }
        Some((first, rest)) => {
            if let Some(inner) = map.entry(first).or_insert_with(|| json!({})).as_object_mut() {
                set(inner, rest, value);
            }
        }
    }
}

fn custom(
    mapped: &mut Mapped,
    record_type: RecordType,
    api: Api,
    key: &str,
    id: i64,
    value: &Value,
) -> Result<(), MapError> {
    if !Known::Custom(id).is_used(api, record_type) {
        mapped.unused.push(key.to_owned());
        return Ok(());
    }
    let text = text_of(value).ok_or_else(|| MapError::Convert {
        field: key.to_owned(),
        words: "a nested value cannot be sent as one field".into(),
    })?;
    let name = if api == Api::Rest { "customFields" } else { "customfields" };
    if let Some(list) = mapped.record.entry(name).or_insert_with(|| json!([])).as_array_mut() {
        list.push(json!({ "id": id, "value": text }));
    }
    Ok(())
}

fn note_person(mapped: &mut Mapped, name: &str, value: &Value) {
    let text = text_of(value).unwrap_or_default();
    match name {
        "email" => mapped.email = Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
        "firstName" => mapped.first = text.trim().to_owned(),
        "lastName" => mapped.last = text.trim().to_owned(),
        "source" => mapped.source = text,
        _ => {}
    }
}

/// A full name: as it is on the widget API; on REST split at the last space, a single word is the surname.
/// Names that were mapped apart win; where only one of them was, the full name gives the other.
fn name_the_person(mapped: &mut Mapped, api: Api, record_type: RecordType, name: &str) {
    let (first, last) =
        name.rsplit_once(char::is_whitespace).map_or(("", name), |(first, last)| (first.trim_end(), last));
    match (mapped.first.is_empty(), mapped.last.is_empty()) {
        (true, true) => (mapped.first, mapped.last) = (first.to_owned(), last.to_owned()),
        (true, false) => {
            let before = name.strip_suffix(mapped.last.as_str()).filter(|rest| rest.ends_with(char::is_whitespace));
            before.unwrap_or(first).trim().clone_into(&mut mapped.first);
        }
        (false, true) => {
            let behind = name.strip_prefix(mapped.first.as_str()).filter(|rest| rest.starts_with(char::is_whitespace));
            behind.unwrap_or(last).trim().clone_into(&mut mapped.last);
        }
        (false, false) => {}
    }
    if api == Api::Widget {
        set(&mut mapped.record, "fullname", json!(name));
        return;
    }
    let (first, last) = (mapped.first.clone(), mapped.last.clone());
    let person = if record_type == RecordType::Lead { &mut mapped.contact } else { &mut mapped.record };
    for (member, value) in [("firstName", first), ("surname", last)] {
        if !value.is_empty() {
            set(person, member, json!(value));
        }
    }
}

/// A Lead has a title always: `first last – form`.
fn title_the_lead(mapped: &mut Mapped, api: Api, submission: &Submission) {
    let person = [mapped.first.as_str(), mapped.last.as_str()]
        .iter()
        .filter(|part| !part.is_empty())
        .copied()
        .collect::<Vec<_>>()
        .join(" ");
    let person = if person.is_empty() { mapped.email.clone().unwrap_or_default() } else { person };
    let form = if submission.form.title.is_empty() { &submission.form.id } else { &submission.form.title };
    let title = [person.as_str(), form.as_str()]
        .iter()
        .filter(|part| !part.is_empty())
        .copied()
        .collect::<Vec<_>>()
        .join(" – ");
    set(&mut mapped.record, if api == Api::Rest { "name" } else { "leadname" }, json!(title));
}

fn missing(profile: &Profile, api: Api, filled: &[&str], customs: &[i64]) -> Vec<String> {
    let is_there = |name: &String| match catalogue::find(name) {
        Some(Known::Field(field)) if field.kind == Kind::FullName => {
            filled.contains(&"fullName") || filled.contains(&"lastName")
        }
        // Under its own name, or under another that fills the same member.
        Some(Known::Field(field)) => {
            let reach = |field: &catalogue::Field| field.reach(api, profile.record_type);
            let same = |other: &catalogue::Field| reach(other).is_some() && reach(other) == reach(field);
            let fills = |name: &&str| match catalogue::find(name) {
                Some(Known::Field(other)) => other.name == field.name || (other.kind == field.kind && same(other)),
                _ => false,
            };
            filled.iter().any(fills)
        }
        Some(Known::Custom(id)) => customs.contains(&id),
        None => false,
    };
    profile.required.iter().filter(|name| !is_there(name)).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::super::language::tests::submission;
    use super::*;
    use crate::mapping::profile;
    use crate::settings::Settings;

    fn of(settings: &str, api: Api, fields: &Value) -> Mapped {
        let settings = Settings::parse(settings).expect("settings");
        let one = submission(fields, &json!({}));
        apply(&profile(&settings, &one.form).expect("a profile"), api, &one).expect("mapped")
    }

    #[test]
    fn the_shipped_defaults_fit_a_stock_divi_form_on_both_apis() {
        let fields = json!({ "name": "Ada King Lovelace", "email": "ada@example.org", "message": "Hi\r\nthere <b>" });
        let widget = of("{}", Api::Widget, &fields);
        assert_eq!(
            Value::Object(widget.record),
            json!({ "email": "ada@example.org", "note": "Hi\r\nthere <b>", "source": "Website", "fullname": "Ada King Lovelace" })
        );
        let rest = of("{}", Api::Rest, &fields);
        assert_eq!(
            Value::Object(rest.record),
            json!({ "contactDetails": { "email": "ada@example.org" }, "note": "Hi\r\nthere <b>", "source": "Website", "firstName": "Ada King", "surname": "Lovelace" })
        );
        assert!(rest.missing.is_empty());
    }

    #[test]
    fn the_documented_webhook_body_fits_too_and_a_single_word_is_the_surname() {
        let rest =
            of("{}", Api::Rest, &json!({ "first_name": "Jane", "last_name": "Doe", "email": "jane@example.com" }));
        assert_eq!(
            (rest.record.get("firstName"), rest.record.get("surname")),
            (Some(&json!("Jane")), Some(&json!("Doe")))
        );
        let single = of("{}", Api::Rest, &json!({ "name": "Cher", "email": "c@example.com" }));
        assert_eq!((single.record.get("firstName"), single.record.get("surname")), (None, Some(&json!("Cher"))));
    }

    #[test]
    fn a_rest_lead_gives_its_person_to_a_contact_and_always_has_a_title() {
        let lead = of(
            r#"{"record_type":"Lead"}"#,
            Api::Rest,
            &json!({ "name": "Ada Lovelace", "email": "ada@example.org", "message": "Hi" }),
        );
        assert_eq!(
            Value::Object(lead.record),
            json!({ "description": "Hi", "source": "Website", "name": "Ada Lovelace – careers" })
        );
        assert_eq!(
            Value::Object(lead.contact),
            json!({ "contactDetails": { "email": "ada@example.org" }, "firstName": "Ada", "surname": "Lovelace" })
        );
    }

    #[test]
    fn required_fields_go_by_any_synonym_and_zero_is_a_value() {
        let settings =
            r#"{"required_fields":"surname, telephone","field_map":"{\"lastName\":\"name\",\"phone\":\"tel\"}"}"#;
        assert!(of(settings, Api::Widget, &json!({ "name": "X", "tel": "0" })).missing.is_empty());
        assert_eq!(of(settings, Api::Widget, &json!({ "name": "X", "tel": "" })).missing, ["telephone"]);
    }

    #[test]
    fn what_a_record_type_has_no_place_for_is_named_not_sent() {
        let contact = of(
            r#"{"record_type":"Contact","field_map":"{\"email\":\"email\",\"salary\":\"pay\",\"customFields.7\":\"x\"}"}"#,
            Api::Widget,
            &json!({ "email": "a@b.c", "pay": "10", "x": "y" }),
        );
        assert_eq!(contact.unused, ["salary", "customFields.7"]);
        assert_eq!(Value::Object(contact.record), json!({ "email": "a@b.c" }));
        let job = of(
            r#"{"field_map":"{\"email\":\"email\",\"jobId\":\"job\",\"customFields.7\":\"x\"}"}"#,
            Api::Rest,
            &json!({ "email": "a@b.c", "job": "42", "x": "y" }),
        );
        assert_eq!(job.job_id, Some(42));
        assert_eq!(job.record.get("customFields"), Some(&json!([{ "id": 7, "value": "y" }])));
    }

    #[test]
    fn of_a_full_name_and_one_part_of_it_the_other_part_is_taken() {
        let map = r#"{"field_map":"{\"fullName\":\"name\",\"firstName\":\"first\",\"lastName\":\"last\",\"email\":\"email\"}"}"#;
        for (fields, first, last) in [
            (json!({ "name": "Anna Maria Rossi", "first": "Anna Maria" }), "Anna Maria", "Rossi"),
            (json!({ "name": "Ludwig van Beethoven", "last": "van Beethoven" }), "Ludwig", "van Beethoven"),
            (json!({ "name": "Someone Else", "first": "Ada" }), "Ada", "Else"),
            (json!({ "name": "Someone Else", "first": "Ada", "last": "King" }), "Ada", "King"),
        ] {
            let rest = of(map, Api::Rest, &fields);
            assert_eq!((&rest.record["firstName"], &rest.record["surname"]), (&json!(first), &json!(last)), "{fields}");
        }
    }

    #[test]
    fn a_required_field_is_there_when_its_member_is_and_missing_when_only_its_name_is() {
        let lead = r#"{"record_type":"Lead","required_fields":"description","field_map":"{\"note\":\"message\"}"}"#;
        assert!(
            of(lead, Api::Rest, &json!({ "message": "Hi" })).missing.is_empty(),
            "a Lead's note is its description"
        );
        let first = r#"{"required_fields":"firstName","field_map":"{\"fullName\":\"name\"}"}"#;
        assert!(of(first, Api::Rest, &json!({ "name": "Ada Lovelace" })).missing.is_empty());
        assert_eq!(of(first, Api::Rest, &json!({ "name": "Cher" })).missing, ["firstName"]);
        let own = r#"{"required_fields":"customFields.7","field_map":"{\"customFields.7\":\"visa\"}"}"#;
        assert!(of(own, Api::Rest, &json!({ "visa": "yes" })).missing.is_empty());
        assert_eq!(of(own, Api::Rest, &json!({ "visa": "" })).missing, ["customFields.7"], "mapped is not filled");
    }

    #[test]
    fn a_job_is_named_as_unused_where_there_is_no_long_list() {
        for record_type in ["Contact", "Lead"] {
            let settings =
                format!(r#"{{"record_type":"{record_type}","field_map":"{{\"email\":\"email\",\"jobId\":\"job\"}}"}}"#);
            let mapped = of(&settings, Api::Rest, &json!({ "email": "a@b.c", "job": "42" }));
            assert_eq!((mapped.job_id, mapped.unused), (None, vec!["jobId".to_owned()]), "{record_type}");
        }
    }

    #[test]
    fn dates_are_read_as_the_region_writes_them() {
        let map = r#""field_map":"{\"dateOfBirth\":\"born\"}""#;
        let born = |environment: &str, text: &str| {
            of(&format!(r#"{{"environment":"{environment}",{map}}}"#), Api::Rest, &json!({ "born": text })).record
                ["dateOfBirth"]
                .clone()
        };
        assert_eq!(born("us", "03/01/1990"), "1990-03-01");
        assert_eq!(born("us", "28/02/1990"), "1990-02-28", "there is no month 28");
        assert_eq!(born("us", "1990-03-01"), "1990-03-01");
        assert_eq!(born("row", "03/01/1990"), "1990-01-03");
    }
}
