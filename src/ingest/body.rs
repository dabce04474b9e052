//! The webhook's documented body: `form_id`, `fields`, `meta`, `files`. File content passes straight into its
//! sink; everything else is small.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Map, Value};

use super::IngestError;
use super::json::Reader;
use crate::codes::Code;

/// Takes the files of a body, one after the other.
pub trait FileSink {
    /// A file begins.
    ///
    /// # Errors
    /// Why it cannot be kept.
    fn begin(&mut self) -> Result<(), IngestError>;
    /// More bytes of it.
    ///
    /// # Errors
    /// Why they cannot be kept.
    fn write(&mut self, bytes: &[u8]) -> Result<(), IngestError>;
    /// It ends; its field and its name as they were given.
    ///
    /// # Errors
    /// Why it cannot be kept.
    fn end(&mut self, field: &str, name: &str) -> Result<(), IngestError>;
}

/// A body.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Body {
    /// The form's id.
    pub form_id: String,
    /// The fields.
    pub fields: Map<String, Value>,
    /// What surrounds them.
    pub meta: Map<String, Value>,
}

/// Reads a body.
///
/// # Errors
/// `HT-1212` with line and column, `HT-1213` with the member's name, `HT-1214` for content that is not base64;
/// the sink's own.
pub fn parse(bytes: &[u8], sink: &mut dyn FileSink) -> Result<Body, IngestError> {
    let mut reader = Reader::new(bytes)?;
    let mut body = Body::default();
    let (mut has_id, mut has_fields) = (false, false);
    reader.begin();
    reader.object(&mut |reader, key| {
        match key.as_str() {
            "form_id" => {
                body.form_id = text(reader, "form_id")?;
                has_id = true;
            }
            "fields" => {
                body.fields = object(reader, "fields")?;
                has_fields = true;
            }
            "meta" => body.meta = object(reader, "meta")?,
            "files" => files(reader, sink)?,
            other => return Err(shape(format!("the member \"{other}\" is not known"))),
        }
        Ok(())
    })?;
    reader.end()?;
    if !has_id || body.form_id.trim().is_empty() {
        return Err(shape("form_id is missing or empty".into()));
    }
    if !has_fields {
        return Err(shape("fields is missing".into()));
    }
    Ok(body)
}

fn shape(words: String) -> IngestError {
    // A hostile member name may be as long as the body.
    IngestError::Shape(Code::WebhookSchema, words.chars().take(200).collect())
}

pub(super) fn text(reader: &mut Reader<'_>, name: &str) -> Result<String, IngestError> {
    match reader.value()? {
        Value::String(text) => Ok(text),
        _ => Err(shape(format!("{name} must be a string"))),
    }
}

pub(super) fn object(reader: &mut Reader<'_>, name: &str) -> Result<Map<String, Value>, IngestError> {
    match reader.value()? {
        Value::Object(map) => Ok(map),
        // PHP writes an empty array where it means an empty object.
        Value::Array(list) if list.is_empty() => Ok(Map::new()),
        _ => Err(shape(format!("{name} must be an object"))),
    }
}

pub(super) fn files(reader: &mut Reader<'_>, sink: &mut dyn FileSink) -> Result<(), IngestError> {
    reader.array(&mut |reader, at| {
        let mut file = File::default();
        reader.object(&mut |reader, key| {
            let member = format!("files[{at}].{key}");
            match key.as_str() {
                "field" => file.field = Some(text(reader, &member)?),
                "name" => file.name = Some(text(reader, &member)?),
                // What the sender calls the type counts for nothing: the content says it.
                "mime" => drop(text(reader, &member)?),
                "encoding" => file.encoding = Some(text(reader, &member)?),
                "content" => {
                    content(reader, at, sink)?;
                    file.has_content = true;
                }
                _ => return Err(shape(format!("the member \"{member}\" is not known"))),
            }
            Ok(())
        })?;
        let missing = |name: &str| shape(format!("files[{at}].{name} is missing"));
        let field = file.field.ok_or_else(|| missing("field"))?;
        let name = file.name.ok_or_else(|| missing("name"))?;
        if !file.has_content {
            return Err(missing("content"));
        }
        if file.encoding.ok_or_else(|| missing("encoding"))? != "base64" {
            return Err(shape(format!("files[{at}].encoding must be \"base64\"")));
        }
        sink.end(&field, &name)
    })
}

#[derive(Default)]
struct File {
    field: Option<String>,
    name: Option<String>,
    encoding: Option<String>,
    has_content: bool,
}

/// Base64 in passing: groups of four, the rest of a piece waits for the next one.
fn content(reader: &mut Reader<'_>, at: usize, sink: &mut dyn FileSink) -> Result<(), IngestError> {
    /// Characters that are decoded at a time; a multiple of four.
    const GROUP: usize = 64 * 1024;
    let bad = || IngestError::Shape(Code::WebhookBase64, format!("files[{at}].content is not base64"));
    let mut waiting = Vec::with_capacity(GROUP);
    let mut ended = false;
    let mut decode = |letters: &[u8], sink: &mut dyn FileSink| {
        if letters.is_empty() {
            return Ok(());
        }
        if ended {
            return Err(bad());
        }
        ended = letters.ends_with(b"=");
        let bytes = zeroize::Zeroizing::new(BASE64.decode(letters).map_err(|_| bad())?);
        sink.write(&bytes)
    };
    sink.begin()?;
    reader.pieces(&mut |piece| {
        for part in piece.as_bytes().chunks(GROUP) {
            waiting.extend_from_slice(part);
            if waiting.len() >= GROUP {
                let whole = waiting.len() / 4 * 4;
                let rest = waiting.split_off(whole);
                decode(&waiting, sink)?;
                waiting = rest;
            }
        }
        Ok(())
    })?;
    decode(&waiting, sink)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codes::Coded;

    #[derive(Default)]
    struct Kept(Vec<(String, String, Vec<u8>)>, Vec<u8>);
    impl FileSink for Kept {
        fn begin(&mut self) -> Result<(), IngestError> {
            self.1.clear();
            Ok(())
        }
        fn write(&mut self, bytes: &[u8]) -> Result<(), IngestError> {
            self.1.extend_from_slice(bytes);
            Ok(())
        }
        fn end(&mut self, field: &str, name: &str) -> Result<(), IngestError> {
            self.0.push((field.into(), name.into(), std::mem::take(&mut self.1)));
            Ok(())
        }
    }

    fn read(json: &str) -> Result<(Body, Kept), (Code, String)> {
        let mut kept = Kept::default();
        parse(json.as_bytes(), &mut kept).map(|body| (body, kept)).map_err(|error| (error.code(), error.to_string()))
    }

    #[test]
    fn the_documented_body_is_read_with_its_file() {
        let (body, kept) = read(
            r#"{"form_id":"careers-form","fields":{"first_name":"Jane"},"meta":{"utm_source":"linkedin"},
            "files":[{"field":"resume","name":"jane-doe.pdf","mime":"application/pdf","content":"JVBERi0x\/w==","encoding":"base64"}]}"#,
        )
        .expect("read");
        assert_eq!((body.form_id.as_str(), body.fields.len(), body.meta.len()), ("careers-form", 1, 1));
        assert_eq!(kept.0, [("resume".to_owned(), "jane-doe.pdf".to_owned(), b"%PDF-1\xff".to_vec())]);
    }

    #[test]
    fn long_content_is_decoded_in_pieces_whatever_its_escapes() {
        let plain: Vec<u8> = (0..300_001_u32).map(|at| (at * 7 % 256) as u8).collect();
        let content = BASE64.encode(&plain).replace('/', "\\/");
        let json = format!(
            r#"{{"form_id":"f","fields":{{}},"files":[{{"content":"{content}","encoding":"base64","field":"a","name":"b"}}]}}"#
        );
        let (_, kept) = read(&json).expect("read");
        assert!(kept.0[0].2 == plain);
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (json, code, words) in [
            (r#"{"fields":{}}"#, Code::WebhookSchema, "form_id"),
            (r#"{"form_id":1,"fields":{}}"#, Code::WebhookSchema, "form_id must be a string"),
            (r#"{"form_id":"f"}"#, Code::WebhookSchema, "fields is missing"),
            (r#"{"form_id":"f","fields":[1]}"#, Code::WebhookSchema, "fields must be an object"),
            (r#"{"form_id":"f","fields":{},"extra":1}"#, Code::WebhookSchema, "\"extra\" is not known"),
            (
                r#"{"form_id":"f","fields":{},"files":[{"field":"a","name":"b","content":"!","encoding":"base64"}]}"#,
                Code::WebhookBase64,
                "files[0]",
            ),
            (
                r#"{"form_id":"f","fields":{},"files":[{"field":"a","name":"b","content":"QQ==QQ==","encoding":"base64"}]}"#,
                Code::WebhookBase64,
                "files[0]",
            ),
            (
                r#"{"form_id":"f","fields":{},"files":[{"field":"a","name":"b","content":"QQ==","encoding":"hex"}]}"#,
                Code::WebhookSchema,
                "encoding",
            ),
            (
                r#"{"form_id":"f","fields":{},"files":[{"field":"a","content":"QQ==","encoding":"base64"}]}"#,
                Code::WebhookSchema,
                "files[0].name is missing",
            ),
            (r#"{"form_id":"f","fields":{}"#, Code::WebhookJson, "line 1"),
        ] {
            let (found, text) = read(json).err().expect("refused");
            assert!(found == code && text.contains(words), "{json}: {text}");
        }
    }
}
