//! Posts forms of the Divi fixture as visitors do and reads back which hook calls the server made, so that a test speaks
//! of fields and not of nonces and of lists in JSON.

use super::{Reply, Stack};
use serde_json::{Value, json};
use std::fs;

type Pairs = Vec<(String, String)>;

/// Form A of the fixture: id, type, required, label, and the value of a plain application.
const APPLICATION: [(&str, &str, bool, &str, &str); 7] = [
    ("name", "input", true, "Name", "Ada"),
    ("email", "email", true, "Email Address", "ada@example.org"),
    ("message", "text", true, "Message", "Hello"),
    ("colors", "checkbox", false, "Colours", ""),
    ("choice", "radio", false, "Choice", ""),
    ("topic", "select", false, "Topic", ""),
    ("budget", "input", true, "Budget", ""),
];

/// Form E: an application whose third field holds the names of uploaded files.
const WITH_FILE: [(&str, &str, bool, &str, &str); 3] = [
    ("name", "input", true, "Name", "Ada"),
    ("email", "email", true, "Email Address", "ada@example.org"),
    ("cv", "input", false, "Your CV", ""),
];

pub const APPLICATION_UUID: &str = "11111111-2222-4333-8444-555555555555";
pub const WITH_FILE_UUID: &str = "55555555-2222-4333-8444-555555555555";
/// What path 5 uses for the first form of any page while the quirk `empty_uid` is on.
pub const FALLBACK_UUID: &str = "7067d836e5cc6b8d0df5f1ee01accc26";

/// The post of form A on page `d4` or `d5`, as the browser sends it, with these values in place of the usual ones. The
/// field "budget" is shown only when the topic is Sales. The nonce is the word `<nonce>`, see [`Stack::divi_post`].
pub fn application(path: u8, changes: &[(&str, &str)]) -> Pairs {
    pairs(path, &APPLICATION, APPLICATION_UUID, changes)
}

/// The post of form E on page `d4file` or `d5file`; file names go to "cv", and mark the field as an upload.
pub fn application_with_file(path: u8, changes: &[(&str, &str)]) -> Pairs {
    let mut pairs = pairs(path, &WITH_FILE, WITH_FILE_UUID, changes);
    if changes.iter().any(|(id, value)| *id == "cv" && !value.is_empty()) {
        pairs.push((format!("{}_is_file", post_name(path, "cv", 2)), "yes".to_string()));
    }
    pairs
}

/// The same post of path 5 for a form with another unique id.
pub fn with_suffix(pairs: &[(String, String)], from: &str, to: &str) -> Pairs {
    let renamed = pairs.iter().map(|(name, value)| match name.strip_suffix(from) {
        Some(stem) => (format!("{stem}{to}"), value.clone()),
        None => (name.clone(), value.clone()),
    });
    renamed.collect()
}

fn post_name(path: u8, id: &str, index: usize) -> String {
    if path == 5 { format!("et_pb_contact_0_{id}_{index}") } else { format!("et_pb_contact_{id}_0") }
}

fn pairs(path: u8, fields: &[(&str, &str, bool, &str, &str)], uuid: &str, changes: &[(&str, &str)]) -> Pairs {
    let suffix = if path == 5 { uuid } else { "0" };
    let value = |id: &str, usual: &str| {
        let changed = changes.iter().rev().find(|(name, _)| *name == id);
        changed.map_or(usual.to_string(), |(_, value)| value.to_string())
    };
    let sales = value("topic", "") == "Sales";
    let mut out = Pairs::new();
    let (mut list, mut hidden) = (Vec::new(), Vec::new());
    for (index, (id, kind, required, label, usual)) in fields.iter().enumerate() {
        let name = post_name(path, id, index);
        let value = value(id, usual);
        if *kind != "radio" || !value.is_empty() {
            out.push((name.clone(), value));
        }
        if *id == "budget" && !sales {
            hidden.push(id.to_string());
            continue;
        }
        let mark = if *required { "required" } else { "not_required" };
        list.push(json!({"field_id": name, "original_id": id, "required_mark": mark, "field_type": kind, "field_label": label}));
    }
    out.push((format!("et_pb_contactform_submit_{suffix}"), "et_contact_proccess".to_string()));
    out.push((format!("_wpnonce-et-pb-contact-form-submitted-{suffix}"), "<nonce>".to_string()));
    out.push((format!("et_pb_contact_email_fields_{suffix}"), Value::from(list).to_string()));
    out.push(("token".to_string(), String::new()));
    if !hidden.is_empty() {
        out.push((format!("et_pb_contact_email_hidden_fields_{suffix}"), Value::from(hidden).to_string()));
    }
    out
}

/// True when the answer is a whole page without an error message: the visitor was thanked.
pub fn accepted(reply: &Reply) -> bool {
    reply.status == 200
        && reply.has("Thanks for contacting us")
        && !reply.has("et_pb_contact_error_text")
        && reply.has("divi-fixture-end")
}

impl Stack {
    /// Posts to the page with this slug (`d4`, `d5dup`, or `second/d4` on the second site of a network). The value
    /// `<nonce>` becomes a valid nonce of the form.
    pub fn divi_post(&self, page: &str, pairs: &[(String, String)]) -> Reply {
        let (site, slug) =
            page.rsplit_once('/').map_or((String::new(), page), |(site, slug)| (format!("/{site}"), slug));
        let mut nonces = Value::Null;
        let mut filled = pairs.to_vec();
        for (name, value) in filled.iter_mut().filter(|(_, value)| value == "<nonce>") {
            if nonces.is_null() {
                nonces = self.get(&format!("{site}/?divi_fixture_nonce={slug}")).json();
            }
            let suffix = name.trim_start_matches("_wpnonce-et-pb-contact-form-submitted-");
            let nonce = nonces["5"].get(suffix).unwrap_or(&nonces["4"]);
            *value = nonce.as_str().unwrap_or_default().to_string();
        }
        let headers = [
            ("Content-Type".to_string(), "application/x-www-form-urlencoded; charset=UTF-8".to_string()),
            ("X-Requested-With".to_string(), "XMLHttpRequest".to_string()),
            ("Accept".to_string(), "text/html, */*; q=0.01".to_string()),
        ];
        let body = super::http::form_encode(&filled);
        self.post_raw(&format!("{site}/?pagename={slug}"), &headers, body.as_bytes())
    }

    /// A plain application through path 4 or 5.
    pub fn divi_apply(&self, path: u8, changes: &[(&str, &str)]) -> Reply {
        self.divi_post(if path == 5 { "d5" } else { "d4" }, &application(path, changes))
    }

    /// Everything the fixture recorded, in order: events "hook", "mail", "throw".
    pub fn divi_events(&self) -> Vec<Value> {
        let text = fs::read_to_string(self.wordpress.join("wp-content/divi-fixture-events.jsonl")).unwrap_or_default();
        text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }

    /// The recorded calls of the hook: `fields`, `et_contact_error`, `info`.
    pub fn divi_hook_calls(&self) -> Vec<Value> {
        self.divi_events().into_iter().filter(|event| event["event"] == "hook").collect()
    }

    pub fn divi_forget(&self) {
        let _ = fs::remove_file(self.wordpress.join("wp-content/divi-fixture-events.jsonl"));
    }

    /// Switches exactly these quirks on: `array_empty_checkbox`, `double_fire`, `early_render`, `slashed_p5`,
    /// `empty_uid`, `mail_fail`, `throwing_consumer`, `throwing_consumer_first`, `delete_uploads`.
    pub fn divi_quirks(&self, names: &[&str]) -> Result<(), String> {
        let list = Value::from(names.to_vec()).to_string().replace('\'', "");
        self.php(&format!("update_option('divi_fixture_quirks', json_decode('{list}', true));")).map(drop)
    }
}
