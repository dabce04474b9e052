//! A form as the plugin hands it over: read, named by its one stable key and its aliases, and stripped of
//! nothing. Values arrive as they were typed and stay so.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::IngestError;
use super::uploads::Upload;
use crate::codes::Code;
use crate::submission::{Form, Source, Submission};

/// A form that was read.
#[derive(Debug, Clone, PartialEq)]
pub struct FormSubmission {
    /// What came in.
    pub submission: Submission,
    /// Files that an upload add-on laid down.
    pub files: Vec<Upload>,
    /// The form's nonce: the same values under the same nonce are the same submission.
    pub token: String,
    /// Whether every value is empty: Divi fires such a twin in odd cases.
    pub empty: bool,
}

#[derive(Deserialize)]
struct Given {
    id: String,
    received_at: i64,
    #[serde(default)]
    timestamp: String,
    fields: Map<String, Value>,
    #[serde(default)]
    labels: Map<String, Value>,
    #[serde(default)]
    info: Info,
    #[serde(default)]
    css_id: String,
    #[serde(default)]
    title: String,
    #[serde(default)]
    meta: Map<String, Value>,
    #[serde(default)]
    token: String,
    #[serde(default)]
    files: Vec<Upload>,
}

/// The hook's third argument. Types differ by path and version, so that any value is taken.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Info {
    contact_form_id: Value,
    contact_form_unique_id: Value,
    post_id: Value,
}

/// Reads a form.
///
/// # Errors
/// `HT-1005` when it is not what the plugin writes.
pub fn read(json: &[u8]) -> Result<FormSubmission, IngestError> {
    let given: Given =
        serde_json::from_slice(json).map_err(|error| IngestError::Shape(Code::BadCall, format!("form: {error}")))?;
    let id = uuid::Uuid::try_parse(&given.id)
        .map_err(|_| IngestError::Shape(Code::BadCall, "form: the id is no UUID".into()))?;
    let fields: Map<String, Value> = given.fields.into_iter().map(|(name, value)| (name, joined(value))).collect();
    let empty = fields.values().all(is_empty) && given.files.is_empty();
    let form = form_of(&given.info, given.css_id.trim(), given.title.trim());
    let submission = Submission {
        id: id.hyphenated().to_string(),
        source: Source::Divi,
        received_at: given.received_at,
        timestamp: given.timestamp,
        form,
        fields,
        labels: given.labels,
        meta: given.meta,
    };
    Ok(FormSubmission { submission, files: given.files, token: given.token, empty })
}

/// Divi 5.0 to 5.3 hands over an empty list for a checkbox with nothing ticked.
fn joined(value: Value) -> Value {
    match value {
        Value::Array(list) => {
            let parts: Vec<&str> = list.iter().filter_map(Value::as_str).collect();
            Value::String(parts.join(", "))
        }
        Value::Null => Value::String(String::new()),
        other => other,
    }
}

fn is_empty(value: &Value) -> bool {
    value.as_str().is_some_and(|text| text.trim().is_empty())
}

/// The one key: Divi's UUID; without one (or with the md5 that Divi 5 makes from a form's position, the same on
/// every page) the page and the form's own id.
fn form_of(info: &Info, css_id: &str, title: &str) -> Form {
    let text = |value: &Value| match value {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) => number.to_string(),
        _ => String::new(),
    };
    let (own, unique, post) = (text(&info.contact_form_id), text(&info.contact_form_unique_id), text(&info.post_id));
    let on_page = format!("{}:{own}", if post.is_empty() { "0" } else { &post });
    let is_uuid = unique.len() == 36 && uuid::Uuid::try_parse(&unique).is_ok();
    let key = if is_uuid { unique.to_lowercase() } else { on_page.clone() };
    let mut aliases = Vec::new();
    for alias in [on_page.as_str(), css_id, own.as_str(), unique.as_str()] {
        if !alias.is_empty() && alias != key && !aliases.iter().any(|known| known == alias) {
            aliases.push(alias.to_owned());
        }
    }
    let id = if css_id.is_empty() { own } else { css_id.to_owned() };
    Form { id: if id.is_empty() { key.clone() } else { id }, key, aliases, title: title.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn form(value: Value) -> FormSubmission {
        let mut whole =
            json!({ "id": "0190F5A0-0000-7000-8000-000000000001", "received_at": 1, "fields": { "name": "Ada" } });
        for (name, value) in value.as_object().expect("an object") {
            whole[name] = value.clone();
        }
        read(whole.to_string().as_bytes()).expect("read")
    }

    #[test]
    fn the_key_is_the_uuid_or_page_and_form() {
        let info = |unique: &str, post: Value| json!({ "info": { "contact_form_id": "et_pb_contact_form_0", "contact_form_unique_id": unique, "post_id": post }, "css_id": "careers" });
        let with = form(info("11111111-2222-4333-8444-555555555555", json!(4))).submission.form;
        assert_eq!((with.key.as_str(), with.id.as_str()), ("11111111-2222-4333-8444-555555555555", "careers"));
        assert_eq!(with.aliases, ["4:et_pb_contact_form_0", "careers", "et_pb_contact_form_0"]);
        let md5 = form(info("7067d836e5cc6b8d0df5f1ee01accc26", json!(4))).submission.form;
        assert_eq!(md5.key, "4:et_pb_contact_form_0");
        let nowhere = form(info("", json!(false))).submission.form;
        assert_eq!(nowhere.key, "0:et_pb_contact_form_0");
    }

    #[test]
    fn values_stay_as_typed_lists_are_joined_and_an_empty_twin_is_seen() {
        let one = form(
            json!({ "fields": { "name": "O'Neil \"Q\" C:\\temp", "n": "0", "colors": ["Red", "Bob's"], "none": [] } }),
        );
        let texts: Vec<&str> = one.submission.fields.values().filter_map(Value::as_str).collect();
        assert_eq!(texts, ["O'Neil \"Q\" C:\\temp", "0", "Red, Bob's", ""]);
        assert!(!one.empty);
        assert!(form(json!({ "fields": { "name": "", "colors": [] } })).empty);
        assert_eq!(one.submission.id, "0190f5a0-0000-7000-8000-000000000001");
    }

    #[test]
    fn what_the_plugin_never_writes_is_refused() {
        for bad in ["", "[]", "{}", r#"{"id":"1","received_at":1,"fields":{}}"#] {
            assert!(read(bad.as_bytes()).is_err(), "{bad}");
        }
    }
}
