//! What is wrong with settings, found before they are saved: JSON with line and column, fields with the nearest
//! known name, placeholders that do not exist.

use serde::Serialize;
use serde_json::Value;

use super::language::{self, Entry};
use super::{MapError, template};
use crate::codes::{Code, Coded};
use crate::ingest::files;
use crate::settings::{Api, RecordType, Settings};
use crate::tracker::catalogue::{self, Known};

/// Something wrong with a setting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// The setting.
    pub setting: String,
    /// The code, as shown.
    pub code: String,
    /// What is wrong.
    pub message: String,
    /// Where, for JSON.
    pub line: Option<usize>,
    /// Where, for JSON.
    pub column: Option<usize>,
}

impl Problem {
    fn new(setting: &str, code: Code, message: String) -> Self {
        Self { setting: setting.to_owned(), code: code.to_string(), message, line: None, column: None }
    }

    fn of(setting: &str, error: &MapError) -> Self {
        let mut problem = Self::new(setting, error.code(), error.to_string());
        if let MapError::Json { line, column, .. } = error {
            (problem.line, problem.column) = (Some(*line), Some(*column));
        }
        problem
    }
}

/// Errors, with which nothing is saved, and warnings.
pub fn check(settings: &Settings) -> (Vec<Problem>, Vec<Problem>) {
    let mut found = Found { settings, errors: Vec::new(), warnings: Vec::new() };
    let text = settings.text("field_map");
    match language::parse(&text) {
        Ok(map) => found.map("field_map", &map, &found.in_use()),
        Err(error) => found.errors.push(Problem::of("field_map", &error)),
    }
    found.twice(&text);
    for problem in found.errors.iter_mut().filter(|problem| problem.setting == "field_map" && problem.line.is_none()) {
        (problem.line, problem.column) = place_of(&text, &problem.message);
    }
    found.required("required_fields", &settings.text("required_fields"));
    for name in ["activity_subject", "activity_notes"] {
        found.template(name, &settings.text(name));
    }
    found.forms();
    found.file_types(&settings.text("file_types"));
    found.marker_field(settings.text("marker_field").trim());
    if let Err(words) = crate::tracker::hosts::of(settings) {
        found.errors.push(Problem::new("environment", Code::TrackerHost, words));
    }
    (found.errors, found.warnings)
}

/// Line and column of the last key in a text that a message names in quotes.
fn place_of(text: &str, message: &str) -> (Option<usize>, Option<usize>) {
    let Some(name) = message.split('"').nth(1) else { return (None, None) };
    let quoted = serde_json::to_string(name).unwrap_or_default();
    let is_key = |at: &usize| text.get(at + quoted.len()..).is_some_and(|rest| rest.trim_start().starts_with(':'));
    let Some(at) = text.match_indices(&quoted).map(|(at, _)| at).filter(is_key).last() else { return (None, None) };
    let before = text.get(..at).unwrap_or_default();
    let line = before.rsplit('\n').next().unwrap_or_default();
    (Some(before.matches('\n').count() + 1), Some(line.chars().count() + 1))
}

struct Found<'a> {
    settings: &'a Settings,
    errors: Vec<Problem>,
    warnings: Vec<Problem>,
}

impl Found<'_> {
    /// A key that stands there twice: JSON would silently keep the last one only.
    fn twice(&mut self, text: &str) {
        let keys = language::keys(text);
        for (at, key) in keys.iter().enumerate() {
            if keys.iter().take(at).any(|before| before == key) {
                let words = format!("\"{key}\" is filled twice; keep one of the two.");
                self.errors.push(Problem::new("field_map", Code::MapShape, words));
            }
        }
    }

    /// A key is refused when no record type in use knows it on any API: with the other API it may be right again.
    fn map(&mut self, setting: &str, map: &[Entry], in_use: &[RecordType]) {
        let api = self.settings.api();
        for entry in map {
            let known = catalogue::find(&entry.target);
            let anywhere = |known: &Known| {
                in_use
                    .iter()
                    .any(|record_type| [Api::Widget, Api::Rest].iter().any(|api| known.is_used(*api, *record_type)))
            };
            let Some(known) = known.filter(anywhere) else {
                let words = self.no_field(&entry.target, in_use);
                self.errors.push(Problem::new(setting, Code::MapField, words));
                continue;
            };
            for record_type in in_use.iter().filter(|record_type| !known.is_used(api, **record_type)) {
                let words = format!("\"{}\" is not used for {}.", entry.target, record_type.name());
                self.warnings.push(Problem::new(setting, Code::MapField, words));
            }
        }
    }

    fn no_field(&self, key: &str, in_use: &[RecordType]) -> String {
        let api = self.settings.api();
        let near = catalogue::nearest(key, |field| in_use.iter().any(|kind| field.reach(api, *kind).is_some()));
        let whose = match in_use {
            [only] if catalogue::find(key).is_some() => format!(" for a {}", only.name()),
            _ => String::new(),
        };
        format!("Tracker has no field \"{key}\"{whose}; the nearest is \"{near}\".")
    }

    /// What submissions become under the global settings, the routing lists and the entries of forms.
    fn in_use(&self) -> Vec<RecordType> {
        let mut all = vec![self.settings.record_type()];
        for kind in [RecordType::Resource, RecordType::Contact, RecordType::Lead] {
            let list = self.settings.text(&format!("form_routing_{}", kind.name().to_lowercase()));
            let forms = language::parse_json(&self.settings.text("forms")).unwrap_or_default();
            let of_form = |entry: &Value| entry.get("record_type").and_then(Value::as_str) == Some(kind.name());
            let routed = !list.trim().is_empty() || forms.as_object().is_some_and(|all| all.values().any(of_form));
            if routed && !all.contains(&kind) {
                all.push(kind);
            }
        }
        all
    }

    fn required(&mut self, setting: &str, list: &str) {
        for name in list.split(',').map(str::trim).filter(|name| !name.is_empty()) {
            if catalogue::find(name).is_none() {
                let words = self.no_field(name, &self.in_use());
                self.errors.push(Problem::new(setting, Code::MapField, words));
            }
        }
    }

    fn template(&mut self, setting: &str, text: &str) {
        for name in template::unknown(text) {
            self.errors.push(Problem::new(
                setting,
                Code::SettingTemplate,
                format!("There is no placeholder {{{{{name}}}}}."),
            ));
        }
    }

    /// A kind that the engine cannot recognise by its content is never sent, whatever the list says.
    fn file_types(&mut self, list: &str) {
        let kinds: Vec<&str> = files::kinds().collect();
        let unknown: Vec<String> =
            files::listed(list).filter(|one| !kinds.contains(&one.as_str())).map(|one| format!("\"{one}\"")).collect();
        if !unknown.is_empty() {
            let words = format!(
                "{} cannot be allowed. The kinds that can be, separated by commas: {}.",
                unknown.join(", "),
                kinds.join(", ")
            );
            self.errors.push(Problem::new("file_types", Code::SettingInvalid, words));
        }
    }

    fn marker_field(&mut self, id: &str) {
        if !id.is_empty() && !id.parse::<i64>().is_ok_and(|id| id > 0) {
            let words = format!("\"{id}\" is not the id of a custom field, which is a whole number such as 12.");
            self.errors.push(Problem::new("marker_field", Code::SettingInvalid, words));
        }
    }

    fn forms(&mut self) {
        let forms = match language::parse_json(&self.settings.text("forms")) {
            Ok(Value::Object(forms)) => forms,
            Ok(_) => {
                return self.errors.push(Problem::new(
                    "forms",
                    Code::MapShape,
                    "forms is an object: {\"form key\": {…}}".into(),
                ));
            }
            Err(error) => return self.errors.push(Problem::of("forms", &error)),
        };
        for (key, entry) in forms {
            // The same reading that a submission gets, so that what is saved works.
            let form = crate::submission::Form { id: key.clone(), key: key.clone(), ..Default::default() };
            match super::profile(self.settings, &form) {
                Ok(profile) => {
                    if entry.get("field_map").is_some() {
                        self.map("forms", &profile.map, &[profile.record_type]);
                    }
                    self.required("forms", entry.get("required_fields").and_then(Value::as_str).unwrap_or_default());
                    for name in ["activity_subject", "activity_notes"] {
                        self.template("forms", entry.get(name).and_then(Value::as_str).unwrap_or_default());
                    }
                }
                // An error of the global map is named once, under its own setting.
                Err(error) if entry.get("field_map").is_none() && matches!(error, MapError::Json { .. }) => {}
                Err(error) => self.errors.push(Problem::new("forms", error.code(), format!("{key}: {error}"))),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(json: &str) -> (Vec<Problem>, Vec<Problem>) {
        check(&Settings::parse(json).expect("settings"))
    }

    #[test]
    fn shipped_settings_have_no_problem() {
        assert_eq!(of("{}"), (Vec::new(), Vec::new()));
    }

    #[test]
    fn broken_json_is_named_with_line_and_column() {
        let (errors, _) = of(r#"{"field_map":"{\n\"email\": email\n}"}"#);
        assert_eq!((errors[0].code.as_str(), errors[0].line, errors[0].column), ("HT-1401", Some(2), Some(10)));
    }

    #[test]
    fn a_field_that_is_filled_twice_is_named_with_its_place_and_twice_is_no_accident_of_spelling() {
        let text = "{\n  \"email\": \"a\",\n  \"email\": \"b\"\n}";
        let (errors, _) = of(&serde_json::json!({ "field_map": text }).to_string());
        assert_eq!(errors.len(), 1, "{errors:?}");
        assert_eq!((errors[0].code.as_str(), errors[0].line, errors[0].column), ("HT-1403", Some(3), Some(3)));
        assert!(of(r#"{"field_map":"{\"note\":\"email\",\"email\":\"email\"}"}"#).0.is_empty());
    }

    #[test]
    fn an_unknown_field_gets_the_nearest_name_and_an_unused_one_a_warning() {
        let (errors, warnings) =
            of(r#"{"record_type":"Contact","field_map":"{\"frist_name\":\"a\",\"salary\":\"b\"}"}"#);
        assert!(errors[0].message.contains("\"firstName\""), "{}", errors[0].message);
        assert!(errors[1].message.contains("no field \"salary\" for a Contact"), "{errors:?}");
        assert_eq!(warnings, Vec::new());
        let (errors, _) = of(r#"{"required_fields":"emial","activity_notes":"{{now}}"}"#);
        assert_eq!(errors.iter().map(|one| one.code.as_str()).collect::<Vec<_>>(), ["HT-1402", "HT-1407"]);
    }

    #[test]
    fn a_field_that_no_record_type_in_use_knows_is_refused_and_one_that_some_know_is_kept() {
        let map = r#""field_map":"{\"email\":\"a\",\"salary\":\"b\",\"customFields.7\":\"c\"}""#;
        let (errors, _) = of(&format!(r#"{{"record_type":"Contact",{map}}}"#));
        assert_eq!(errors.len(), 1, "{errors:?}");
        assert!(errors[0].message.contains("\"salary\"") && errors[0].message.contains("Contact"), "{errors:?}");
        for more in
            [r#""form_routing_resource":"careers""#, r#""forms":"{\"careers\":{\"record_type\":\"Resource\"}}""#]
        {
            let (errors, warnings) = of(&format!(r#"{{"record_type":"Contact",{more},{map}}}"#));
            assert_eq!(errors, Vec::new(), "{more}");
            let words: Vec<&str> = warnings.iter().map(|one| one.message.as_str()).collect();
            assert_eq!(words, ["\"salary\" is not used for Contact.", "\"customFields.7\" is not used for Contact."]);
        }
        // The other API knows it: a switch back must not be refused.
        let (errors, warnings) = of(r#"{"record_type":"Contact"}"#);
        assert_eq!((errors.len(), warnings.len()), (0, 1), "the shipped map fits a Contact: {errors:?}");
    }

    #[test]
    fn a_kind_of_file_that_can_never_be_accepted_and_a_marker_field_that_is_no_id_are_not_saved() {
        for (settings, setting, words) in [
            (r#"{"file_types":"pdf, .heic, xlsx"}"#, "file_types", "\"heic\", \"xlsx\""),
            (r#"{"file_types":"*.pdf"}"#, "file_types", "pdf, doc, docx, odt, rtf, txt, jpg, jpeg, png"),
            (r#"{"file_types":"pdf;doc"}"#, "file_types", "commas"),
            (r#"{"marker_field":"Delivery marker"}"#, "marker_field", "number"),
            (r#"{"marker_field":"0"}"#, "marker_field", "number"),
            (r#"{"marker_field":"12.5"}"#, "marker_field", "number"),
        ] {
            let (errors, _) = of(settings);
            assert_eq!(errors.len(), 1, "{settings}: {errors:?}");
            assert_eq!((errors[0].setting.as_str(), errors[0].code.as_str()), (setting, "HT-1406"), "{settings}");
            assert!(errors[0].message.contains(words), "{settings}: {}", errors[0].message);
        }
        for settings in [r#"{"file_types":" .PDF,jpeg,,"}"#, r#"{"file_types":""}"#, r#"{"marker_field":" 12 "}"#] {
            assert_eq!(of(settings).0, Vec::new(), "{settings}");
        }
        let row = crate::settings::TABLE.iter().find(|row| row.name == "file_types").expect("a row");
        let all = files::kinds().all(|kind| row.help.contains(kind));
        assert!(all, "the field's help names every kind");
    }
}
