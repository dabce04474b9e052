//! A mapping's JSON: Tracker's field on the left; on the right a form's field, a dotted path into a webhook's
//! fields, `meta.…`, or a constant behind a colon.

use serde_json::{Map, Value};

use super::MapError;
use crate::submission::Submission;

/// One entry of a mapping.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Tracker's field, as it was written.
    pub target: String,
    /// Where its value comes from.
    pub source: Origin,
}

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A constant.
    Constant(String),
    /// A field of the submission, a dotted path, or `meta.…`.
    Field(String),
}

/// Reads a mapping.
///
/// # Errors
/// `HT-1401` with line and column, `HT-1403` for another shape.
pub fn parse(json: &str) -> Result<Vec<Entry>, MapError> {
    let value: Value = parse_json(json)?;
    entries(&value)
}

/// Reads JSON, with line and column in the error.
///
/// # Errors
/// `HT-1401`.
pub fn parse_json(json: &str) -> Result<Value, MapError> {
    serde_json::from_str(json).map_err(|error| {
        let words = error.to_string();
        let words = words.split(" at line ").next().unwrap_or_default().to_owned();
        MapError::Json { line: error.line(), column: error.column(), words }
    })
}

/// The keys of a JSON object in the order in which they stand there, with every repetition; none for anything else.
pub fn keys(json: &str) -> Vec<String> {
    struct Keys;
    impl<'de> serde::de::Visitor<'de> for Keys {
        type Value = Vec<String>;

        fn expecting(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            out.write_str("an object")
        }

        fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut keys = Vec::new();
            while let Some((key, serde::de::IgnoredAny)) = map.next_entry()? {
                keys.push(key);
            }
            Ok(keys)
        }
    }
    serde::Deserializer::deserialize_map(&mut serde_json::Deserializer::from_str(json), Keys).unwrap_or_default()
}

/// The entries of a mapping that was read.
///
/// # Errors
/// `HT-1403`.
pub fn entries(value: &Value) -> Result<Vec<Entry>, MapError> {
    let Some(object) = value.as_object() else {
        return Err(MapError::Shape("a mapping is an object: {\"Tracker field\": \"form field\"}".into()));
    };
    object
        .iter()
        .map(|(target, value)| {
            let Some(text) = value.as_str() else {
                return Err(MapError::Shape(format!("\"{target}\": the right side is text in quotes")));
            };
            let text = text.trim();
            let source = match text.strip_prefix(':') {
                Some(constant) => Origin::Constant(constant.to_owned()),
                None if text.is_empty() => {
                    return Err(MapError::Shape(format!("\"{target}\": the right side is empty")));
                }
                None => Origin::Field(text.to_owned()),
            };
            Ok(Entry { target: target.clone(), source })
        })
        .collect()
}

impl Origin {
    /// The value in a submission; `None` when there is none or it is empty. `"0"` is a value.
    pub fn value(&self, submission: &Submission) -> Option<Value> {
        let found = match self {
            Self::Constant(text) => Some(Value::String(text.clone())),
            Self::Field(path) => look_up(path, submission),
        }?;
        let is_empty = match &found {
            Value::Null => true,
            Value::String(text) => text.trim().is_empty(),
            Value::Array(list) => list.is_empty(),
            _ => false,
        };
        (!is_empty).then_some(found)
    }
}

/// A value by name: exact, dotted, any case; then `meta.…` and the form's own id.
pub fn look_up(path: &str, submission: &Submission) -> Option<Value> {
    if let Some(value) = in_map(path, &submission.fields) {
        return Some(value.clone());
    }
    if let Some(rest) = path.strip_prefix("meta.") {
        return in_map(rest, &submission.meta).cloned();
    }
    if let Some(rest) = path.strip_prefix("fields.") {
        return in_map(rest, &submission.fields).cloned();
    }
    match path {
        "form_id" => Some(Value::String(submission.form.id.clone())),
        "timestamp" => Some(Value::String(submission.timestamp.clone())),
        _ => None,
    }
}

fn in_map<'a>(path: &str, map: &'a Map<String, Value>) -> Option<&'a Value> {
    if let Some(value) = map.get(path) {
        return Some(value);
    }
    if let Some((first, rest)) = path.split_once('.') {
        let inner = map.get(first).and_then(|value| match value {
            Value::Object(inner) => in_map(rest, inner),
            Value::Array(list) => list.get(rest.parse::<usize>().ok()?),
            _ => None,
        });
        if inner.is_some() {
            return inner;
        }
    }
    // Divi writes field ids in lower case whatever the administrator typed.
    map.iter().find(|(name, _)| name.eq_ignore_ascii_case(path)).map(|(_, value)| value)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::submission::{Form, Source};
    use serde_json::json;

    pub fn submission(fields: &Value, meta: &Value) -> Submission {
        Submission {
            id: "one".into(),
            source: Source::Webhook,
            received_at: 0,
            timestamp: "2026-03-01T12:00:00+00:00".into(),
            form: Form { id: "careers".into(), key: "careers".into(), ..Form::default() },
            fields: fields.as_object().cloned().unwrap_or_default(),
            labels: Map::new(),
            meta: meta.as_object().cloned().unwrap_or_default(),
        }
    }

    #[test]
    fn values_are_found_exactly_by_path_in_meta_and_in_any_case() {
        let one = submission(
            &json!({ "Name": "Ada", "a.b": 1, "address": { "city": "London", "lines": ["x", "y"] }, "zero": "0", "empty": " " }),
            &json!({ "utm_source": "x" }),
        );
        let get = |path: &str| Origin::Field(path.into()).value(&one);
        assert_eq!(get("Name"), Some(json!("Ada")));
        assert_eq!(get("name"), Some(json!("Ada")));
        assert_eq!(get("a.b"), Some(json!(1)));
        assert_eq!(get("address.city"), Some(json!("London")));
        assert_eq!(get("address.lines.1"), Some(json!("y")));
        assert_eq!(get("meta.utm_source"), Some(json!("x")));
        assert_eq!(get("form_id"), Some(json!("careers")));
        assert_eq!(get("zero"), Some(json!("0")));
        assert_eq!(get("empty"), None);
        assert_eq!(get("nothing.here"), None);
        assert_eq!(Origin::Constant("Website".into()).value(&one), Some(json!("Website")));
    }

    #[test]
    fn mistakes_are_named_with_their_place() {
        let error = parse("{\n  \"email\": \"email\",\n}").expect_err("a comma too many");
        assert!(matches!(error, MapError::Json { line: 3, column: 1, .. }), "{error}");
        assert!(matches!(parse("[]"), Err(MapError::Shape(_))));
        assert!(matches!(parse(r#"{"email":1}"#), Err(MapError::Shape(_))));
        assert_eq!(parse(r#"{"source":":Website"}"#).expect("read")[0].source, Origin::Constant("Website".into()));
    }
}
