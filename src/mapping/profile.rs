//! Which mapping, record type and texts a form uses: the global ones, the routing lists, and its own entry in
//! the `forms` setting. The most specific name of a form wins.

use serde_json::Value;

use super::MapError;
use super::language::{self, Entry};
use crate::settings::{Environment, RecordType, Settings};
use crate::submission::Form;

/// What happens with a form's submissions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// They are sent.
    Send,
    /// They are kept until somebody releases them.
    Hold,
    /// They are not stored.
    Ignore,
}

/// How a form's submissions become records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// What happens with them.
    pub mode: Mode,
    /// What they become.
    pub record_type: RecordType,
    /// The mapping.
    pub map: Vec<Entry>,
    /// Tracker's fields without which nothing is sent.
    pub required: Vec<String>,
    /// The form field whose files are sent; empty for all.
    pub attachment_field: String,
    /// Whether an activity is logged.
    pub activity_enabled: bool,
    /// Its subject.
    pub activity_subject: String,
    /// Its text.
    pub activity_notes: String,
    /// Its type.
    pub activity_type: String,
    /// Whether dates with slashes have the month first.
    pub month_first: bool,
}

/// The profile of a form.
///
/// # Errors
/// `HT-1401` or `HT-1403` for settings that cannot be read.
pub fn profile(settings: &Settings, form: &Form) -> Result<Profile, MapError> {
    let forms = language::parse_json(&settings.text("forms"))?;
    let own = entry_of(&forms, form)?;
    let text = |name: &str, setting: &str| {
        own.and_then(|own| own.get(name)?.as_str())
            .filter(|text| !text.trim().is_empty())
            .map_or_else(|| settings.text(setting), ToOwned::to_owned)
    };
    let mode = match own.and_then(|own| own.get("mode")?.as_str()) {
        None | Some("send" | "") => Mode::Send,
        Some("hold") => Mode::Hold,
        Some("ignore") => Mode::Ignore,
        Some(other) => return Err(MapError::Shape(format!("mode \"{other}\" is none of send, hold, ignore"))),
    };
    let map = match own.and_then(|own| own.get("field_map")) {
        Some(Value::String(json)) if !json.trim().is_empty() => language::parse(json)?,
        Some(value @ Value::Object(map)) if !map.is_empty() => language::entries(value)?,
        _ => language::parse(&settings.text("field_map"))?,
    };
    let record_type = match own.and_then(|own| own.get("record_type")?.as_str()).filter(|name| !name.is_empty()) {
        Some(name) => RecordType::from_name(name)
            .ok_or_else(|| MapError::Shape(format!("record type \"{name}\" is none of Resource, Contact, Lead")))?,
        None => routed(settings, form).unwrap_or_else(|| settings.record_type()),
    };
    Ok(Profile {
        mode,
        record_type,
        map,
        required: text("required_fields", "required_fields")
            .split(',')
            .map(str::trim)
            .filter(|name| !name.is_empty())
            .map(ToOwned::to_owned)
            .collect(),
        attachment_field: text("attachment_field", "attachment_field"),
        activity_enabled: settings.is_on("activity_enabled"),
        activity_subject: text("activity_subject", "activity_subject"),
        activity_notes: text("activity_notes", "activity_notes"),
        activity_type: settings.text("activity_type"),
        month_first: settings.environment() == Environment::Us,
    })
}

/// Every name of a form, the most specific first.
fn names(form: &Form) -> impl Iterator<Item = &str> {
    std::iter::once(form.key.as_str())
        .chain(form.aliases.iter().map(String::as_str))
        .chain(std::iter::once(form.id.as_str()))
        .filter(|name| !name.is_empty())
}

fn entry_of<'a>(forms: &'a Value, form: &Form) -> Result<Option<&'a Value>, MapError> {
    let Some(all) = forms.as_object() else {
        return Err(MapError::Shape("forms is an object: {\"form key\": {…}}".into()));
    };
    for name in names(form) {
        let found = all.iter().find(|(key, entry)| {
            let aliases = entry.get("aliases").and_then(Value::as_array);
            key.as_str() == name
                || aliases.is_some_and(|aliases| aliases.iter().any(|alias| alias.as_str() == Some(name)))
        });
        if let Some((_, entry)) = found {
            return Ok(Some(entry));
        }
    }
    Ok(None)
}

/// The record type that the routing lists give a form.
fn routed(settings: &Settings, form: &Form) -> Option<RecordType> {
    let lists = [
        ("form_routing_resource", RecordType::Resource),
        ("form_routing_contact", RecordType::Contact),
        ("form_routing_lead", RecordType::Lead),
    ];
    let lists = lists.map(|(name, kind)| (settings.text(name), kind));
    names(form).find_map(|name| {
        lists.iter().find(|(list, _)| list.lines().any(|line| line.trim() == name)).map(|(_, kind)| *kind)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form() -> Form {
        Form {
            id: "careers".into(),
            key: "11111111-2222-4333-8444-555555555555".into(),
            aliases: vec!["4:et_pb_contact_form_0".into(), "careers".into()],
            title: String::new(),
        }
    }

    fn of(json: &str) -> Result<Profile, MapError> {
        profile(&Settings::parse(json).expect("settings"), &form())
    }

    #[test]
    fn a_form_without_an_entry_uses_the_global_settings() {
        let found = of("{}").expect("a profile");
        assert_eq!(
            (found.mode, found.record_type, found.required.as_slice()),
            (Mode::Send, RecordType::Resource, ["email".to_owned()].as_slice())
        );
        assert_eq!(found.map.len(), 7);
    }

    #[test]
    fn routing_lists_and_own_entries_are_found_by_any_name() {
        assert_eq!(
            of(r#"{"form_routing_lead":"other\n careers \n"}"#).expect("a profile").record_type,
            RecordType::Lead
        );
        let found = of(r#"{"form_routing_lead":"careers","forms":"{\"4:et_pb_contact_form_0\":{\"mode\":\"hold\",\"record_type\":\"Contact\",\"field_map\":{\"email\":\"mail\"},\"required_fields\":\"email, phone\"}}"}"#).expect("a profile");
        assert_eq!(
            (found.mode, found.record_type, found.map.len(), found.required.len()),
            (Mode::Hold, RecordType::Contact, 1, 2)
        );
        let aliased = of(r#"{"forms":"{\"x\":{\"aliases\":[\"careers\"],\"mode\":\"ignore\"}}"}"#).expect("a profile");
        assert_eq!(aliased.mode, Mode::Ignore);
    }

    #[test]
    fn a_broken_entry_is_an_error_not_a_guess() {
        assert!(matches!(of(r#"{"forms":"{\"careers\":{\"mode\":\"maybe\"}}"}"#), Err(MapError::Shape(_))));
        assert!(matches!(of(r#"{"forms":"{"}"#), Err(MapError::Json { .. })));
    }
}
