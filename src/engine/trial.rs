//! A marked test: a submission that a person sends from the pages to see the whole way to Tracker once. It is made of the
//! form's own mapping, so that it fills what a real one would fill, and every value says that it is a test.

use serde_json::{Map, Value, json};

use super::take::{answer, enter, wanted};
use super::{Call, EngineError};
use crate::clock::{Clock, SystemClock};
use crate::codes::Code;
use crate::mapping::language::Origin;
use crate::mapping::{self, Profile};
use crate::queue::open::hex;
use crate::submission::{Form, Source, Submission};
use crate::tracker::catalogue::{self, Kind, Known};
use crate::tracker::time::iso;

/// What a record is called that came from a test, so that anybody who meets it in Tracker knows that it may go.
const FIRST: &str = "TEST";
const LAST: &str = "Halt Tracker";
const NOTE: &str = "This is a test that was sent from the website. The record can be deleted.";
/// Of the range that Ofcom keeps free for drama: nobody's telephone rings.
const PHONE: &str = "+44 20 7946 0000";

/// The test submission of a form, as it would be stored now.
///
/// # Errors
/// `HT-1401` or `HT-1403` for a mapping that cannot be read, `HT-1305` without randomness.
pub fn submission(call: &Call, form: &Form) -> Result<Submission, EngineError> {
    let now = SystemClock.now().wall;
    let profile = mapping::profile(&call.settings, form)?;
    // A fresh address of a domain that belongs to nobody: a test must never be matched with a person.
    let mut bytes = [0; 6];
    getrandom::fill(&mut bytes).map_err(|_| EngineError::new(Code::KeyRandom, "a test's address"))?;
    let email = format!("test-{}@example.com", hex(&bytes));
    let meta = [("test", "yes"), ("form_title", form.title.as_str())];
    Ok(Submission {
        id: uuid::Uuid::now_v7().to_string(),
        source: Source::Test,
        received_at: now,
        timestamp: iso(now),
        form: form.clone(),
        fields: fields(&profile, &email, now),
        labels: Map::new(),
        meta: meta.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect(),
    })
}

/// Stores the test of a form; it is delivered like any other submission.
///
/// # Errors
/// Those of [`submission`]; the store's.
pub fn send(call: &Call, form: &Form) -> Result<Value, EngineError> {
    let test = submission(call, form)?;
    let Some(state) = wanted(&call.settings, &test.form) else {
        return Ok(json!({ "id": test.id, "state": "ignored", "duplicate": false, "relay": false }));
    };
    call.with_store(|store| {
        let accepted = enter(store, &test, &[], state, None, None)?;
        Ok(answer(store, &accepted))
    })
}

fn fields(profile: &Profile, email: &str, now: i64) -> Map<String, Value> {
    let known = |target: &str| match catalogue::find(target) {
        Some(Known::Field(field)) => Some(field),
        _ => None,
    };
    let has = |name: &str| profile.map.iter().any(|entry| known(&entry.target).is_some_and(|field| field.name == name));
    // A real form asks for the name in one way or in the other.
    let in_two = has("lastName") && !has("fullName");
    let mut fields = Map::new();
    for entry in &profile.map {
        let (Origin::Field(path), Some(field)) = (&entry.source, known(&entry.target)) else { continue };
        let value = match (field.name, field.kind) {
            ("email", _) => email.to_owned(),
            ("firstName" | "lastName", _) if !in_two => continue,
            ("firstName", _) => FIRST.to_owned(),
            ("lastName", _) => LAST.to_owned(),
            ("phone" | "mobile" | "homePhone", _) => PHONE.to_owned(),
            ("note" | "description", _) => NOTE.to_owned(),
            ("linkedIn" | "website" | "image", _) => "https://example.com/".to_owned(),
            (_, Kind::FullName) => format!("{FIRST} {LAST}"),
            (_, Kind::Text) => "Test".to_owned(),
            (_, Kind::Whole | Kind::Number) => "1".to_owned(),
            (_, Kind::Switch) => "false".to_owned(),
            (_, Kind::Date) => iso(now).get(..10).unwrap_or_default().to_owned(),
            (_, Kind::Moment) => iso(now),
            // A test joins no job's long list, and knows none of the account's own names.
            (_, Kind::Linked | Kind::LinkedList | Kind::Job) => continue,
        };
        put(&mut fields, path.strip_prefix("fields.").unwrap_or(path), &value);
    }
    fields
}

/// Puts a value where a path of a mapping looks for it; what surrounds a submission is no field.
fn put(fields: &mut Map<String, Value>, path: &str, value: &str) {
    if path.starts_with("meta.") || matches!(path, "form_id" | "timestamp") {
        return;
    }
    match path.split_once('.') {
        None => {
            fields.entry(path).or_insert_with(|| json!(value));
        }
        Some((first, rest)) => {
            if let Some(inner) = fields.entry(first).or_insert_with(|| json!({})).as_object_mut() {
                put(inner, rest, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::queue::Site;
    use crate::settings::Settings;

    fn test_of(settings: &str) -> Submission {
        let site: Site = serde_json::from_str(r#"{"install_id":"0123456789abcdef","home":"x"}"#).expect("a site");
        let call = Call { dir: "/nowhere".into(), site, settings: Settings::parse(settings).expect("settings") };
        submission(&call, &Form { id: "careers".into(), key: "careers".into(), ..Form::default() }).expect("a test")
    }

    #[test]
    fn a_test_fills_what_the_mapping_reads_and_says_in_each_value_that_it_is_one() {
        let test = test_of("{}");
        assert_eq!(test.fields["name"], "TEST Halt Tracker");
        assert!(test.fields.get("first_name").is_none(), "one name is enough: {:?}", test.fields);
        assert!(test.fields["email"].as_str().is_some_and(|email| email.ends_with("@example.com")));
        assert_eq!((test.fields["message"].as_str(), test.source), (Some(NOTE), Source::Test));
        assert_eq!(test.meta["test"], "yes");
    }

    #[test]
    fn a_test_follows_nested_paths_and_leaves_out_what_only_the_account_knows() {
        let map = r#"{"firstName":"person.given","lastName":"person.family","email":"email","jobId":"job","status":"status","source":"meta.utm_source","rating":"stars"}"#;
        let test = test_of(&json!({ "field_map": map }).to_string());
        assert_eq!(test.fields["person"], json!({ "given": "TEST", "family": "Halt Tracker" }));
        assert_eq!(test.fields["stars"], "1");
        assert!(["job", "status", "meta"].iter().all(|name| test.fields.get(*name).is_none()), "{:?}", test.fields);
    }

    #[test]
    fn no_two_tests_share_an_address() {
        assert_ne!(test_of("{}").fields["email"], test_of("{}").fields["email"]);
    }
}
