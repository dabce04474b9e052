//! The widget operations that the product does not use: a CV that becomes a candidate, a job, and an update column by column.

use super::office::Shelf;
use super::widget::{CONTACT, Names, PERSON, failed, made, put, word};
use super::{Answer, Kind, Tracker};
use serde_json::{Map, Value, json};

const RESUME: Names = &[("note", "note"), ("source", "source")];
const JOB: Names = &[
    ("opportunityname", "name"),
    ("department", "department.name"),
    ("worktype", "workType.name"),
    ("source", "source"),
    ("description", "description"),
];
/// Columns are spelt like a database's, and differ from record to record.
const COLUMNS: &[(&str, &str)] = &[
    ("firstname", "firstName"),
    ("surname", "surname"),
    ("lastname", "surname"),
    ("jobtitle", "jobTitle"),
    ("email", "contactDetails.email"),
    ("email2", "otherEmail"),
    ("mobilephone", "contactDetails.mobilePhone"),
    ("workphone", "contactDetails.telephone"),
    ("businessphone", "contactDetails.telephone"),
    ("homephone", "contactDetails.homePhone"),
    ("addressline1", "address.addressLine1"),
    ("addressline2", "address.addressLine2"),
    ("town", "address.town"),
    ("county", "address.county"),
    ("postcode", "address.postcode"),
    ("country", "address.country"),
    ("note", "note"),
    ("tag", "tagText"),
    ("contactsource", "source"),
    ("leadname", "name"),
    ("leaddescription", "description"),
    ("leadsource", "source"),
    ("potentialvalue", "potentialValue"),
    ("currencycode", "currencyCode"),
    ("internalref", "internalReference"),
];

impl Tracker {
    pub(super) fn widget_resume(&mut self, body: &Value, now: i64) -> Answer {
        let mut fields = Map::new();
        if body["resource"].as_object().is_some_and(|given| !given.is_empty()) {
            match self.person(&body["resource"], &[PERSON, RESUME], &[]) {
                Ok(given) => fields = given,
                Err(answer) => return answer,
            }
        }
        let orders = &body["instructions"];
        let (job, list) = (word(&orders["assigntoopportunity"]), word(&orders["assigntolist"]));
        let source = word(&body["resource"]["source"]);
        let file = ["filename", "data"].map(|name| word(&body["file"][name]));
        match self.read_resume(fields, file, (&job, &list, &source), ("widget", now)) {
            Err(why) => failed(why),
            Ok(id) => made("created", id, &self.record(Kind::Resource, id).map(|r| r.shown()).unwrap_or_default()),
        }
    }

    pub(super) fn widget_opportunity(&mut self, body: &Value, now: i64) -> Answer {
        let data = &body["opportunity"];
        let of_person: Vec<&str> = PERSON.iter().chain(CONTACT).map(|(name, _)| *name).collect();
        let of_job: Vec<&str> = JOB.iter().map(|(name, _)| *name).collect();
        let (mut job, person) =
            match (self.translate(data, &[JOB], &of_person), self.person(data, &[PERSON, CONTACT], &of_job)) {
                (Ok(job), Ok(person)) => (job, person),
                (Err(answer), _) | (_, Err(answer)) => return answer,
            };
        let create = body["instructions"]["createpersonifnotexists"].as_bool().unwrap_or(false);
        let named = ["firstName", "surname", "contactDetails"].iter().any(|name| person.contains_key(*name));
        let found = self.by_email(Kind::Contact, &word(&data["email"]));
        if let Some(id) = found.or_else(|| (create && named).then(|| self.insert(Kind::Contact, "widget", person, now)))
        {
            put(&mut job, "contact", json!({"id": id}));
        }
        let name = job.get("name").map(word).unwrap_or_default();
        made("success", self.keep(Shelf::Job, job, now), &name)
    }

    pub(super) fn widget_update(&mut self, orders: &Value, body: &Value, now: i64) -> Answer {
        let Some(kind) = Kind::from_letter(&word(&orders["recordtype"])) else { return failed("Unknown record type") };
        let mut changes = Map::new();
        for one in body["updates"].as_array().into_iter().flatten() {
            let column = word(&one["column"]);
            match COLUMNS.iter().find(|(name, _)| *name == column) {
                Some((_, path)) => put(&mut changes, path, one["value"].clone()),
                None if self.switches.strict_members => return failed(&format!("Unknown column {column}")),
                None => {}
            }
        }
        if body["customfields"].is_array() {
            put(&mut changes, "customFields", body["customfields"].clone());
        }
        let id = word(&orders["recordid"]).parse::<i64>().unwrap_or(0);
        let Some(record) = self.records[kind as usize].get_mut(&id) else { return failed("Record not found") };
        record.change(changes, now);
        let name = record.shown();
        made("updated", id, &name)
    }
}
