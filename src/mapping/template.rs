//! The texts of activities: placeholders in double braces. What a visitor typed is put in once and never read
//! as a template itself.

use super::convert::text_of;
use super::language::look_up;
use crate::submission::Submission;

/// The placeholders, with what they stand for. `fields.` and `meta.` take any name behind the dot.
pub const TABLE: &[(&str, &str)] = &[
    ("form_id", "The form's id: its CSS ID where one is set."),
    ("form_title", "The form's title."),
    ("page_url", "The page that the form is on."),
    ("timestamp", "When it was received, in the site's time zone."),
    ("record.id", "Tracker's id of the record."),
    ("fields.", "A field of the submission by its name."),
    ("meta.", "Something around the submission, such as meta.utm_source."),
];

/// What placeholders stand for.
#[derive(Debug)]
pub struct TemplateValues<'a> {
    /// The submission.
    pub submission: &'a Submission,
}

/// Fills a text. `{{record.id}}` stays: the record is not there yet when texts are made.
pub fn render(template: &str, values: &TemplateValues<'_>) -> String {
    let mut out = String::with_capacity(template.len());
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("{{") {
        out.push_str(before);
        let Some((name, behind)) = after.split_once("}}") else {
            out.push_str("{{");
            rest = after;
            continue;
        };
        match value(name.trim(), values) {
            Some(text) => out.push_str(&text),
            None => out.push_str(&format!("{{{{{}}}}}", name.trim())),
        }
        rest = behind;
    }
    out.push_str(rest);
    out
}

/// What a visitor typed. What stands for the record is filled in when a text is sent: a visitor's own one stays text, with a
/// mark in it that nobody sees.
pub fn as_typed(text: &str) -> String {
    text.replace("record.id}}", "record.id\u{2060}}}")
}

fn value(name: &str, values: &TemplateValues<'_>) -> Option<String> {
    let one = values.submission;
    let meta = |name: &str| one.meta.get(name).and_then(text_of).unwrap_or_default();
    Some(match name {
        "form_id" => one.form.id.clone(),
        "form_title" => {
            if one.form.title.is_empty() {
                meta("form_title")
            } else {
                one.form.title.clone()
            }
        }
        "page_url" => meta("page_url"),
        "timestamp" => one.timestamp.clone(),
        _ if name.starts_with("fields.") || name.starts_with("meta.") => {
            as_typed(&look_up(name, one).as_ref().and_then(text_of).unwrap_or_default())
        }
        _ => return None,
    })
}

/// The placeholders of a text that nothing stands for.
pub fn unknown(template: &str) -> Vec<String> {
    let names = template.split("{{").skip(1).filter_map(|part| part.split_once("}}").map(|(name, _)| name.trim()));
    names
        .filter(|name| {
            !TABLE.iter().any(|(known, _)| {
                if known.ends_with('.') { name.starts_with(known) && name.len() > known.len() } else { name == known }
            })
        })
        .map(ToOwned::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::language::tests::submission;
    use super::*;
    use serde_json::json;

    #[test]
    fn placeholders_are_filled_once_and_typed_braces_stay_text() {
        let one = submission(
            &json!({ "name": "{{timestamp}}", "city": "York" }),
            &json!({ "utm_source": "x", "page_url": "/p" }),
        );
        let values = TemplateValues { submission: &one };
        assert_eq!(
            render("{{form_id}} {{ fields.name }} {{meta.utm_source}} {{page_url}}", &values),
            "careers {{timestamp}} x /p"
        );
        assert_eq!(render("{{record.id}} {{fields.none}}| {{ open", &values), "{{record.id}} | {{ open");
    }

    #[test]
    fn a_typed_record_id_is_never_filled_in_later() {
        let one = submission(&json!({ "name": "{{record.id}}" }), &json!({}));
        let shown = render("{{fields.name}} {{record.id}}", &TemplateValues { submission: &one });
        assert_eq!(shown.matches("{{record.id}}").count(), 1, "{shown}");
        assert!(shown.ends_with(" {{record.id}}"));
    }

    #[test]
    fn unknown_placeholders_are_named() {
        assert_eq!(unknown("{{form_id}} {{formid}} {{fields.}} {{fields.a}} {{record.id}}"), ["formid", "fields."]);
    }
}
