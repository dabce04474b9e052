//! A row of the earlier plugin's table, read as that plugin wrote it: form values beside their labels, values of the
//! older Divi module still with WordPress' slashes, the visitor's address among them. What comes out is what a
//! submission of today holds; addresses and user agents are left behind.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::IngestError;
use super::body::{FileSink, files, object, text};
use super::json::Reader;
use crate::submission::{Form, Source, Submission};

/// A row beside its payload.
#[derive(Debug, Clone, Deserialize)]
pub struct Row {
    /// Its number in that table.
    pub earlier: u64,
    /// `divi` or `webhook`.
    #[serde(default)]
    pub source: String,
    /// The form.
    #[serde(default)]
    pub form_id: String,
    /// `success`, or anything else for what was not delivered.
    #[serde(default)]
    pub status: String,
    /// When it came in, milliseconds since 1970 UTC.
    pub received_at: i64,
    /// The same for people.
    #[serde(default)]
    pub timestamp: String,
}

impl Row {
    /// Whether Tracker has it already.
    pub fn is_delivered(&self) -> bool {
        self.status == "success"
    }
}

/// Members that name a visitor's machine, in whatever object they stand.
const NOT_KEPT: [&str; 5] = ["user_ip", "user_agent", "source_ip", "ip", "ip_address"];

/// Reads a payload as the submission of this id; its files go to the sink.
///
/// # Errors
/// `HT-1212` to `HT-1214` for what is no payload of that plugin; the sink's own.
pub fn parse(row: &Row, id: &str, payload: &[u8], sink: &mut dyn FileSink) -> Result<Submission, IngestError> {
    let mut reader = Reader::new(payload)?;
    let (mut form_id, mut fields, mut meta) = (String::new(), Map::new(), Map::new());
    reader.begin();
    reader.object(&mut |reader, key| {
        match key.as_str() {
            "form_id" => form_id = text(reader, "form_id")?,
            "fields" => fields = object(reader, "fields")?,
            "meta" => meta = object(reader, "meta")?,
            "files" => files(reader, sink)?,
            _ => drop(reader.value()?),
        }
        Ok(())
    })?;
    reader.end()?;
    let form_id = [form_id.trim(), row.form_id.trim(), "divi"].into_iter().find(|name| !name.is_empty());
    let form_id = form_id.unwrap_or_default().to_owned();
    let is_uuid = form_id.len() == 36 && uuid::Uuid::try_parse(&form_id).is_ok();
    let key = if is_uuid { form_id.to_lowercase() } else { form_id.clone() };
    let (fields, labels) = if row.source == "divi" { flattened(fields) } else { (fields, Map::new()) };
    Ok(Submission {
        id: id.to_owned(),
        source: Source::Legacy,
        received_at: row.received_at,
        timestamp: row.timestamp.clone(),
        form: Form { id: form_id, key, ..Form::default() },
        fields,
        labels,
        meta: surroundings(meta),
    })
}

/// Divi's fields as that plugin kept them: values apart from labels. The older module's fields have nothing else, and
/// their values still carry WordPress' slashes.
fn flattened(fields: Map<String, Value>) -> (Map<String, Value>, Map<String, Value>) {
    let (mut values, mut labels) = (Map::new(), Map::new());
    for (name, field) in fields {
        let Value::Object(mut field) = field else {
            values.insert(name, field);
            continue;
        };
        let Some(value) = field.remove("value") else {
            values.insert(name, Value::Object(field));
            continue;
        };
        let slashed = !field.contains_key("id") && !field.contains_key("type");
        values.insert(name.clone(), plain(value, slashed));
        if let Some(Value::String(label)) = field.remove("label").filter(|label| label != "") {
            labels.insert(name, Value::String(label));
        }
    }
    (values, labels)
}

fn plain(value: Value, slashed: bool) -> Value {
    let value = match value {
        Value::Array(list) => list.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", "),
        Value::Null => String::new(),
        Value::String(text) => text,
        other => return other,
    };
    Value::String(if slashed { unslashed(&value) } else { value })
}

/// Takes off one layer of the slashes that WordPress adds to everything it receives.
fn unslashed(text: &str) -> String {
    let mut letters = text.chars();
    let mut out = String::with_capacity(text.len());
    while let Some(letter) = letters.next() {
        out.extend(if letter == '\\' { letters.next() } else { Some(letter) });
    }
    out
}

fn surroundings(mut meta: Map<String, Value>) -> Map<String, Value> {
    meta.retain(|name, _| !NOT_KEPT.contains(&name.to_lowercase().as_str()));
    if let Some(page) = meta.remove("referer")
        && page.as_str().is_some_and(|page| !page.is_empty())
    {
        meta.entry("page_url").or_insert(page);
    }
    meta
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codes::{Code, Coded};
    use serde_json::json;

    struct Names(Vec<String>);
    impl FileSink for Names {
        fn begin(&mut self) -> Result<(), IngestError> {
            Ok(())
        }
        fn write(&mut self, _: &[u8]) -> Result<(), IngestError> {
            Ok(())
        }
        fn end(&mut self, field: &str, name: &str) -> Result<(), IngestError> {
            self.0.push(format!("{field}/{name}"));
            Ok(())
        }
    }

    fn read(source: &str, payload: &str) -> Result<(Submission, Vec<String>), IngestError> {
        let row = json!({ "earlier": 7, "source": source, "form_id": "column", "received_at": 1 });
        let row: Row = serde_json::from_value(row).expect("a row");
        let mut names = Names(Vec::new());
        parse(&row, "id", payload.as_bytes(), &mut names).map(|one| (one, names.0))
    }

    #[test]
    fn values_of_both_divi_modules_are_flattened_and_only_the_older_ones_lose_slashes() {
        let (one, _) = read(
            "divi",
            r#"{"form_id":"11111111-2222-4333-8444-55555555555A","fields":{
                "name":{"value":"O\\'Neil C:\\\\temp","label":"Name"},
                "note":{"id":"Note","value":"C:\\temp","label":"","type":"text","isRequired":""},
                "colors":{"id":"c","value":["Red","Blue"],"label":"Colours"},"odd":"plain"},
               "meta":{"referer":"https://example.org/p/","user_ip":"192.0.2.1","user_agent":"M"}}"#,
        )
        .expect("read");
        assert_eq!(
            Value::Object(one.fields),
            json!({ "name": "O'Neil C:\\temp", "note": "C:\\temp", "colors": "Red, Blue", "odd": "plain" })
        );
        assert_eq!(Value::Object(one.labels), json!({ "name": "Name", "colors": "Colours" }));
        assert_eq!(Value::Object(one.meta), json!({ "page_url": "https://example.org/p/" }));
        assert_eq!(one.form.key, "11111111-2222-4333-8444-55555555555a");
    }

    #[test]
    fn a_webhook_row_keeps_its_nests_and_its_files_and_loses_the_address() {
        let (one, files) = read(
            "webhook",
            r#"{"form_id":"careers","fields":{"a":{"value":"nested","label":"x"}},"meta":{"utm_source":"x","source_ip":"1"},
               "files":[{"field":"resume","name":"cv.pdf","mime":"application/pdf","content":"QQ==","encoding":"base64"}],"source_ip":"192.0.2.1"}"#,
        )
        .expect("read");
        assert_eq!(Value::Object(one.fields), json!({ "a": { "value": "nested", "label": "x" } }));
        assert_eq!((files, Value::Object(one.meta)), (vec!["resume/cv.pdf".to_owned()], json!({ "utm_source": "x" })));
        assert_eq!((one.form.id.as_str(), one.source), ("careers", Source::Legacy));
    }

    #[test]
    fn empty_objects_that_php_writes_as_lists_are_read_and_what_is_broken_is_not() {
        let (one, _) = read("divi", r#"{"form_id":"","fields":[],"meta":[]}"#).expect("read");
        assert_eq!((one.form.id.as_str(), one.fields.len()), ("column", 0));
        for broken in ["", "null", "[]", r#"{"fields":{"a":1}"#, r#"{"fields":"x"}"#] {
            let code = read("divi", broken).expect_err("refused").code();
            assert!(matches!(code, Code::WebhookJson | Code::WebhookSchema), "{broken}: {code}");
        }
    }
}
