//! A record as Tracker holds it: whose it is, and which submission made it.

use serde_json::Value;

use super::lookup::Hit;
use super::marker;
use super::time::millis_of;
use crate::queue::accept::normal;

/// A record as Tracker holds it.
#[derive(Debug, Clone, PartialEq)]
pub struct Record(Value);

impl Record {
    /// A record from the JSON of an answer.
    pub(super) const fn of(value: Value) -> Self {
        Self(value)
    }

    /// Whether it is of this e-mail address.
    pub fn has_email(&self, email: &str) -> bool {
        ["/contactDetails/email", "/email", "/otherEmail"]
            .iter()
            .filter_map(|at| self.0.pointer(at)?.as_str())
            .any(|text| normal(text) == normal(email))
    }

    /// Whether it has this title, as a Lead has.
    pub fn has_title(&self, title: &str) -> bool {
        let said = |name: &str| self.0.get(name).and_then(Value::as_str);
        !title.is_empty()
            && ["name", "leadName"].iter().filter_map(|name| said(name)).any(|text| normal(text) == normal(title))
    }

    /// Whether it carries our marker, in a field of its own or in a note.
    pub fn has_marker(&self, marker: &str) -> bool {
        let exact = |value: &Value| value.as_str() == Some(marker);
        let custom = self.0.get("customFields").and_then(Value::as_array);
        self.0.get("internalReference").is_some_and(exact)
            || custom.is_some_and(|fields| fields.iter().filter_map(|field| field.get("value")).any(exact))
            || self.0.get("note").and_then(Value::as_str).is_some_and(|note| note.contains(marker))
    }

    /// Whether it carries a marker that is not ours. A note may hold several, and says nothing.
    fn has_other_marker(&self, ours: &str) -> bool {
        let other = |value: &Value| value.as_str().is_some_and(|text| text != ours && marker::is_one(text));
        let custom = self.0.get("customFields").and_then(Value::as_array);
        self.0.get("internalReference").is_some_and(other)
            || custom.is_some_and(|fields| fields.iter().filter_map(|field| field.get("value")).any(other))
    }

    /// What it is to the submission of a marker.
    pub(super) fn hit(&self, id: i64, marker: &str) -> Hit {
        let time = |name: &str| self.0.pointer(&format!("/history/{name}")).and_then(Value::as_str);
        Hit {
            id,
            updated: time("updated").unwrap_or_default().to_owned(),
            created: time("created").and_then(millis_of),
            marked: self.has_marker(marker),
            of_another: self.has_other_marker(marker),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_record_is_recognised_by_e_mail_and_marker_only() {
        let (ours, other) = (marker::of([1; marker::BYTES]), marker::of([2; marker::BYTES]));
        let record = |value: &str| {
            let fields = json!([{ "id": 1, "value": value }]);
            Record(json!({ "contactDetails": { "email": " Ada@Example.org " }, "customFields": fields }))
        };
        let mine = record(&ours);
        assert!(mine.has_email("ada@example.org") && !mine.has_email("a.da@example.org"));
        let whose = |value: &str| {
            let hit = record(value).hit(1, &ours);
            (hit.marked, hit.of_another)
        };
        assert_eq!([whose(&ours), whose(&other), whose("LinkedIn")], [(true, false), (false, true), (false, false)]);
    }
}
