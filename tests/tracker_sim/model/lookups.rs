//! The widget API's look-ups, and the small translations of dates and names that the older API needs.

use super::widget::word;
use super::{Answer, Kind, Record, Tracker, codec};
use serde_json::{Map, Value, json};

/// The operation's own spelling: the member of the envelope must carry exactly this name.
pub fn spelling(operation: &str) -> &'static str {
    match operation {
        "check_logon" => "checkLogon",
        "create_resource" => "createResource",
        "create_contact" => "createContact",
        "create_lead" => "createLead",
        "create_activity" => "createActivity",
        "attach_document" => "attachDocument",
        "longlist" => "resourceApplication",
        "get_records" => "getRecords",
        "get_individual_record" => "getIndividualRecord",
        "check_person" => "checkPerson",
        "create_from_resume" => "createResourceFromResume",
        "create_opportunity" => "createOpportunity",
        "update_record" => "updateRecord",
        "get_settings" => "getSettings",
        // Its client writes its credentials under this name.
        "get_settings_data" => "checkPerson",
        _ => "",
    }
}

/// `11:34 AM` or `23:34` as `HH:MM:00`; what cannot be read is midnight.
pub fn clock(text: &str) -> String {
    let upper = text.trim().to_ascii_uppercase();
    let digits = upper.trim_end_matches(|c: char| c.is_ascii_alphabetic()).trim();
    let (hour, minute) = digits.split_once(':').unwrap_or(("0", "0"));
    let (hour, minute) = (hour.parse::<u32>().unwrap_or(0), minute.get(..2).unwrap_or("0").parse::<u32>().unwrap_or(0));
    let hour = match (upper.ends_with("AM"), upper.ends_with("PM")) {
        (true, _) => hour % 12,
        (_, true) => hour % 12 + 12,
        _ => hour,
    };
    format!("{hour:02}:{minute:02}:00")
}

impl Tracker {
    pub(super) fn get_records(&self, orders: &Value, now: i64) -> Answer {
        let Some(kind) = Kind::from_letter(&word(&orders["recordtype"])) else {
            return Answer::widget(99, "Unknown record type", json!({}));
        };
        let wanted = word(&orders["searchtext"]).to_lowercase();
        let id = word(&orders["recordid"]).parse::<i64>().unwrap_or(0);
        let after = codec::parse_date(&word(&orders["updatedafter"]));
        let before = codec::parse_date(&word(&orders["updatedbefore"]));
        let fits = |record: &&Record| {
            if id > 0 {
                return record.id == id;
            }
            let texts = [record.shown(), record.email().to_owned(), record.text("company").to_owned()];
            self.indexed(record, now)
                && (wanted.is_empty() || texts.iter().any(|t| t.to_lowercase().contains(&wanted)))
                && after.is_none_or(|at| record.updated >= at)
                && before.is_none_or(|at| record.updated <= at)
        };
        let mut rows: Vec<&Record> = self.records[kind as usize].values().filter(fits).collect();
        if word(&orders["sortdir"]).eq_ignore_ascii_case("desc") {
            rows.reverse();
        }
        let number = |name: &str| word(&orders[name]).parse::<usize>().unwrap_or(0);
        let cap = self.switches.page_cap.max(1) as usize;
        let size = Some(number("numrecords")).filter(|n| *n > 0).unwrap_or(cap).min(cap);
        // Pages count from 0 here, from 1 in REST.
        let rows = rows.into_iter().skip(size.saturating_mul(number("pagenum"))).take(size);
        let wide = orders["includecustomfields"].as_bool().unwrap_or(false);
        let results: Vec<Value> = rows.map(|record| self.old_row(kind, record, wide)).collect();
        Answer::widget(0, "success", json!({"count": results.len(), "results": results}))
    }

    fn old_row(&self, kind: Kind, record: &Record, wide: bool) -> Value {
        let company = [record.text("company"), record.text("currentClient.name")].concat();
        let fields = record.body.get("customFields").filter(|_| wide).cloned().unwrap_or_else(|| json!([]));
        json!({
            "id": record.id, "name": record.shown(), "company": company, "status": record.text("status.name"),
            "dateopened": self.date(record.created).replace('T', " ").trim_end_matches('Z'),
            "details": old_details(kind, record), "customfields": fields, "text": record.text("note"),
        })
    }

    pub(super) fn get_individual_record(&self, orders: &Value) -> Answer {
        let letter = word(&orders["recordtype"]).to_ascii_uppercase();
        // The lesson lists L, O, P, T, A and R only: a contact cannot be read this way.
        let kind = Kind::from_letter(&letter).filter(|kind| *kind != Kind::Contact);
        let id = word(&orders["recordid"]).parse::<i64>().unwrap_or(0);
        match kind.and_then(|kind| self.record(kind, id).map(|record| (kind, record))) {
            None => Answer::widget(99, "Record not found", json!({})),
            Some((kind, record)) => {
                let mut row = self.old_row(kind, record, true);
                row["dateupdated"] = json!(self.date(record.updated).replace('T', " ").trim_end_matches('Z'));
                Answer::widget(0, "success", json!({"results": [row]}))
            }
        }
    }

    pub(super) fn check_person(&self, details: &Value, now: i64) -> Answer {
        let [email, phone, linkedin] =
            ["email", "phone", "linkedin"].map(|name| word(&details[name]).trim().to_lowercase());
        let is = |wanted: &str, own: &[&str]| !wanted.is_empty() && own.iter().any(|o| o.to_lowercase() == wanted);
        let fits = |record: &&Record| {
            self.indexed(record, now)
                && (is(&email, &[record.email()])
                    || is(
                        &phone,
                        &[record.text("contactDetails.telephone"), record.text("contactDetails.mobilePhone")],
                    )
                    || is(&linkedin, &[record.text("linkedInUrl")]))
        };
        // Here, and only here, C means contact.
        let kinds = [(Kind::Contact, "C"), (Kind::Resource, "R")];
        let hits: Vec<(&str, &Record)> = kinds
            .iter()
            .filter_map(|(kind, letter)| Some((*letter, self.records[*kind as usize].values().find(fits)?)))
            .collect();
        let Some((_, first)) = hits.first() else {
            return Answer::widget(0, "success", json!({"count": 0, "recordTypes": []}));
        };
        let letters: Vec<&str> = hits.iter().map(|(letter, _)| *letter).collect();
        let company = [first.text("company"), first.text("currentClient.name")].concat();
        Answer::widget(
            0,
            "success",
            json!({
                "count": hits.len(), "recordTypes": letters, "recordLink": "https://tracker.example.test/person",
                "firstRecord": {
                    "fullname": first.shown(), "jobtitle": first.text("jobTitle"), "company": company,
                    "phone": first.text("contactDetails.telephone"), "cell": first.text("contactDetails.mobilePhone"),
                    "email": first.email(), "linkedin": first.text("linkedInUrl"),
                },
            }),
        )
    }
}

/// The older API's names for what a record holds.
fn old_details(kind: Kind, record: &Record) -> Value {
    let names: &[(&str, &str)] = match kind {
        Kind::Resource | Kind::Contact => &[
            ("firstname", "firstName"),
            ("lastname", "surname"),
            ("jobtitle", "jobTitle"),
            ("email", "contactDetails.email"),
            ("workphone", "contactDetails.telephone"),
            ("cellphone", "contactDetails.mobilePhone"),
            ("source", "source"),
        ],
        Kind::Lead => &[("description", "description"), ("source", "source"), ("department", "department.name")],
        Kind::Activity => {
            &[("subject", "subject"), ("note", "note"), ("type", "activityType.name"), ("priority", "priority")]
        }
    };
    Value::Object(names.iter().map(|(old, path)| ((*old).to_owned(), json!(record.text(path)))).collect::<Map<_, _>>())
}

/// The lists of a tenant's settings.
pub(super) fn settings() -> Answer {
    let named = |names: &[&str]| -> Value {
        names.iter().enumerate().map(|(at, name)| json!({"id": at + 1, "name": name})).collect()
    };
    Answer::widget(
        0,
        "success",
        json!({
            "statuses": named(&["New", "Available"]), "sources": named(&["Website", "Referral"]),
            "departments": named(&["Technology", "Finance"]), "users": named(&["Simulated User"]), "customFields": [],
        }),
    )
}
