//! The recorded vectors of Divi, posted over HTTP: what the hook received in the recording is what the engine holds, and
//! what Divi refused is not held at all.

use crate::site::{Site, on_a_site};
use crate::surroundings::MustUse;
use serde_json::{Value, json};
use std::io::Write;
use std::path::Path;

const PLACE: &str = "../shared/facts/divi-vectors.json";

fn vectors() -> Option<Vec<Value>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(PLACE);
    let text = std::fs::read_to_string(path).ok()?;
    let whole: Value = serde_json::from_str(&text).expect("the vectors are JSON");
    whole["vectors"].as_array().cloned()
}

/// WordPress' slashes taken off once.
fn unslashed(text: &str) -> String {
    let mut out = String::new();
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        out.extend(if letter == '\\' { letters.next() } else { Some(letter) });
    }
    out
}

/// What the engine must hold of one call of the hook.
fn expected(call: &Value) -> Value {
    let slashed = call["info"]["module_slug"] == "et_pb_contact_form";
    let fields = call["fields"].as_object().expect("fields");
    let values = fields.iter().map(|(name, field)| {
        let text = match &field["value"] {
            Value::Array(list) => list.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", "),
            other => other.as_str().expect("a text").to_owned(),
        };
        (name.clone(), json!(if slashed { unslashed(&text) } else { text }))
    });
    Value::Object(values.collect())
}

fn check(site: &Site, vector: &Value) -> Result<(), String> {
    let post: Vec<(String, String)> = vector["post"]
        .as_array()
        .ok_or("no post")?
        .iter()
        .map(|pair| (pair[0].as_str().unwrap_or_default().to_owned(), pair[1].as_str().unwrap_or_default().to_owned()))
        .collect();
    let reply = site.stack.divi_post(vector["page"].as_str().unwrap_or_default(), &post);
    if reply.status != 200 || !reply.has("divi-fixture-end") {
        return Err(format!("the page is cut: status {}", reply.status));
    }
    let calls = vector["expect"]["hook_calls"].as_array().cloned().unwrap_or_default();
    let accepted: Vec<&Value> = calls.iter().filter(|call| call["et_contact_error"] == false).collect();
    let held = site.submissions_of_a_new_site();
    if held.len() != accepted.len() {
        return Err(format!("{} submissions are held, {} were accepted", held.len(), accepted.len()));
    }
    for (one, call) in held.iter().zip(accepted) {
        let want = expected(call);
        // As texts, because the order of the fields counts too.
        let (held, want) = (one["fields"].to_string(), want.to_string());
        if held != want {
            return Err(format!("held     {held}\nexpected {want}"));
        }
        for (name, field) in call["fields"].as_object().into_iter().flatten() {
            let label = field["label"].as_str().unwrap_or_default();
            if !label.contains('<') && one["labels"][name] != label {
                return Err(format!("the label of {name} is {}, not {label}", one["labels"][name]));
            }
        }
        let unique = call["info"]["contact_form_unique_id"].as_str().unwrap_or_default();
        if unique.len() == 36 && one["form"]["key"] != unique {
            return Err(format!("the form's key is {}, not {unique}", one["form"]["key"]));
        }
    }
    Ok(())
}

#[test]
fn every_recorded_vector_is_held_exactly_as_the_hook_received_it() {
    let Some(vectors) = vectors() else {
        // Past the harness, which shows a passing test's words to nobody.
        let words =
            format!("test vectors ... ignored: {PLACE} is not there, so the recorded vectors were not compared\n");
        std::io::stderr().write_all(words.as_bytes()).expect("standard error");
        return;
    };
    on_a_site(|site| {
        // Each vector is the first of a new site: no run of the one before may still be at work when that is taken away.
        let _none = MustUse::load(site, "add_filter('halt_tracker_relay_after_response', '__return_false');");
        let mut wrong = Vec::new();
        for vector in &vectors {
            if let Err(reason) = check(site, vector) {
                wrong.push(format!("{} ({}): {reason}", vector["id"], vector["title"]));
            }
        }
        assert!(wrong.is_empty(), "{} of {} vectors:\n{}", wrong.len(), vectors.len(), wrong.join("\n"));
        println!("{} recorded vectors compared", vectors.len());
    });
}
