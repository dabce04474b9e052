//! The widget API's writes: one envelope, HTTP 200, the outcome in `status`. Records are kept in the form of the REST
//! bodies, so that a test looks at one thing whichever API made it.

use super::{Answer, Call, Kind, Listing, Request, Tracker, lookups};
use serde_json::{Map, Value, json};

/// A widget member and where its value lives in the REST form.
pub(super) type Names = &'static [(&'static str, &'static str)];

pub(super) const PERSON: Names = &[
    ("firstname", "firstName"),
    ("lastname", "surname"),
    ("fullname", "displayAs"),
    ("jobtitle", "jobTitle"),
    ("address1", "address.addressLine1"),
    ("address2", "address.addressLine2"),
    ("city", "address.town"),
    ("state", "address.county"),
    ("zipcode", "address.postcode"),
    ("country", "address.country"),
    ("homephone", "contactDetails.homePhone"),
    ("cellphone", "contactDetails.mobilePhone"),
    ("email", "contactDetails.email"),
    ("linkedin", "linkedInUrl"),
    ("image", "photo"),
];
const RESOURCE: Names = &[
    ("company", "currentClient.name"),
    ("workphone", "contactDetails.telephone"),
    ("note", "note"),
    ("dateofbirth", "dateOfBirth"),
    ("nationality", "nationality"),
    ("languages", "languages"),
    ("education", "educationSummary"),
    ("source", "source"),
    ("jobhistory", "fullEmploymentHistory"),
    ("salary", "currentSalary"),
    ("skills", "skills"),
    ("status", "status.name"),
    ("customfields", "customFields"),
];
pub(super) const CONTACT: Names =
    &[("company", "company"), ("businessphone", "contactDetails.telephone"), ("website", "website"), ("note", "note")];
const LEAD: Names = &[
    ("leadname", "name"),
    ("department", "department.name"),
    ("source", "source"),
    ("description", "description"),
    ("leadpersontype", "contactType"),
    ("email", "contactDetails.email"),
    ("businessphone", "contactDetails.telephone"),
    ("workphone", "contactDetails.telephone"),
    ("homephone", "contactDetails.homePhone"),
    ("cellphone", "contactDetails.mobilePhone"),
    ("website", "website"),
    ("note", "note"),
    ("customfields", "customFields"),
];
const ACTIVITY: Names = &[
    ("subject", "subject"),
    ("type", "activityType.name"),
    ("status", "status.name"),
    ("priority", "priority"),
    ("contactType", "contactDirection"),
    ("note", "note"),
];
const FILE: [&str; 6] = ["filename", "recordType", "recordId", "documentType", "primary", "data"];
const ACTIVITY_MORE: [&str; 5] = ["date", "time", "userId", "linkRecordType", "linkRecordId"];

pub(super) fn put(body: &mut Map<String, Value>, path: &str, value: Value) {
    match path.split_once('.') {
        None => {
            body.insert(path.to_owned(), value);
        }
        Some((outer, inner)) => {
            let slot = body.entry(outer).or_insert_with(|| json!({}));
            slot[inner] = value;
        }
    }
}

/// Text as it stands; numbers are sent where text is shown in the lessons, so both are taken.
pub(super) fn word(value: &Value) -> String {
    value.as_str().map_or_else(|| value.as_i64().map_or(String::new(), |n| n.to_string()), str::to_owned)
}

pub(super) fn failed(message: &str) -> Answer {
    Answer::widget(99, message, json!({}))
}

pub(super) fn made(message: &str, id: i64, name: &str) -> Answer {
    Answer::widget(0, message, json!({"recordId": id, "recordName": name}))
}

impl Tracker {
    pub(super) fn widget(&mut self, request: &Request, call: &Call, now: i64) -> Answer {
        let name = lookups::spelling(&call.operation);
        let Some(mut envelope) = request.json() else { return failed("Invalid request") };
        let mut envelope = envelope.get_mut("trackerrms").map(Value::take).unwrap_or_default();
        let body = envelope.get_mut(name).map(Value::take).unwrap_or_default();
        let token = request.bearer().map_or_else(|| word(&body["credentials"]["oauthtoken"]), str::to_owned);
        let known = self.auth.oauth_works(&token, now)
            || (self.switches.widget_takes_api_token && !token.is_empty() && token == self.auth.api_token);
        if !known {
            return match self.switches.widget_auth.as_str() {
                "status1" => Answer::widget(1, "User not found", json!({})),
                _ => Answer::json(401, &json!({"message": "Authorization has been denied for this request."})),
            };
        }
        if !body.is_object() {
            return failed("Invalid request");
        }
        match call.operation.as_str() {
            "check_logon" => Answer::widget(0, "success", json!({})),
            "create_resource" => self.widget_person(&body, Kind::Resource, now),
            "create_contact" => self.widget_person(&body, Kind::Contact, now),
            "create_lead" => self.widget_lead(&body, now),
            "create_activity" => self.widget_activity(&body, now),
            "attach_document" => self.widget_attach(&body["file"], now),
            "longlist" => self.widget_application(&body["instructions"], now),
            "get_records" => self.get_records(&body["instructions"], now),
            "get_individual_record" => self.get_individual_record(&body["instructions"]),
            "check_person" => self.check_person(&body["details"], now),
            "create_from_resume" => self.widget_resume(&body, now),
            "create_opportunity" => self.widget_opportunity(&body, now),
            "update_record" => self.widget_update(&body["instructions"], &body, now),
            "get_settings" | "get_settings_data" => lookups::settings(),
            _ => failed("Invalid request"),
        }
    }

    /// Translates the members of a table; empty text is what a form left out, so it is not kept.
    pub(super) fn translate(
        &self,
        data: &Value,
        tables: &[Names],
        more: &[&str],
    ) -> Result<Map<String, Value>, Answer> {
        let Some(data) = data.as_object().filter(|d| !d.is_empty()) else { return Err(failed("Invalid request")) };
        let mut body = Map::new();
        for (name, value) in data {
            // Exact letter case: a client of the real service had to change its spelling to be understood.
            match tables.iter().flat_map(|t| t.iter()).find(|(known, _)| known == name) {
                Some(_) if value.is_null() || value.as_str() == Some("") => {}
                Some((_, path)) => put(&mut body, path, value.clone()),
                None if self.switches.strict_members && !more.contains(&name.as_str()) => {
                    return Err(failed(&format!("Unknown member {name}")));
                }
                None => {}
            }
        }
        Ok(body)
    }

    pub(super) fn person(&self, data: &Value, tables: &[Names], more: &[&str]) -> Result<Map<String, Value>, Answer> {
        let mut body = self.translate(data, tables, more)?;
        let full = body.get("displayAs").map(word).unwrap_or_default();
        if !full.is_empty() && !body.contains_key("firstName") && !body.contains_key("surname") {
            let (first, last) = full.rsplit_once(' ').unwrap_or(("", &full));
            put(&mut body, "firstName", json!(first));
            put(&mut body, "surname", json!(last));
        }
        Ok(body)
    }

    fn widget_person(&mut self, body: &Value, kind: Kind, now: i64) -> Answer {
        let own = if kind == Kind::Resource { RESOURCE } else { CONTACT };
        let fields = match self.person(&body[kind.name()], &[PERSON, own], &[]) {
            Ok(fields) => fields,
            Err(answer) => return answer,
        };
        let email = fields.get("contactDetails").map(|c| word(&c["email"])).unwrap_or_default();
        let overwrite = body["instructions"][format!("overwrite{}", kind.name())].as_bool().unwrap_or(false);
        let protect = self.switches.widget_duplicates == "protect";
        let (id, message) = match self.by_email(kind, &email) {
            Some(id) if overwrite => {
                if let Some(record) = self.records[kind as usize].get_mut(&id) {
                    record.change(fields, now);
                }
                (id, "updated")
            }
            Some(id) if protect => {
                let name = self.record(kind, id).map(|r| r.shown()).unwrap_or_default();
                let more = if self.switches.status3_carries_id {
                    json!({"recordId": id, "recordName": name})
                } else {
                    json!({})
                };
                return Answer::widget(3, "Record found and cannot be overwritten", more);
            }
            _ => (self.insert(kind, "widget", fields, now), "created"),
        };
        if kind == Kind::Resource && body["instructions"]["assigntoopportunity"].as_i64().is_some_and(|job| job > 0) {
            let mut orders = body["instructions"].clone();
            orders["resourceid"] = json!(id);
            orders["opportunityid"] = orders["assigntoopportunity"].clone();
            // The lessons do not say what happens when the job is unknown; the person is there in any case.
            let _ = self.widget_enlist(&orders, now);
        }
        made(message, id, &self.record(kind, id).map(|r| r.shown()).unwrap_or_default())
    }

    fn widget_lead(&mut self, body: &Value, now: i64) -> Answer {
        let data = &body["lead"];
        let person_names: Vec<&str> = PERSON.iter().chain(CONTACT).map(|(name, _)| *name).collect();
        let lead_names: Vec<&str> = LEAD.iter().map(|(name, _)| *name).collect();
        let mut fields = match self.translate(data, &[LEAD], &person_names) {
            Ok(fields) => fields,
            Err(answer) => return answer,
        };
        let person = match self.person(data, &[PERSON, CONTACT], &lead_names) {
            Ok(person) => person,
            Err(answer) => return answer,
        };
        let kind = if word(&data["leadpersontype"]).eq_ignore_ascii_case("R") { Kind::Resource } else { Kind::Contact };
        let named = ["firstName", "surname", "contactDetails"].iter().any(|name| person.contains_key(*name));
        let create = body["instructions"]["createpersonifnotexists"].as_bool().unwrap_or(false) && named;
        let found = self.by_email(kind, &word(&data["email"]));
        if let Some(id) = found.or_else(|| create.then(|| self.insert(kind, "widget", person, now))) {
            put(&mut fields, "associations", json!({format!("{}s", kind.name()): [{"id": id}]}));
        }
        let name = fields.get("name").map(word).unwrap_or_default();
        made("success", self.insert(Kind::Lead, "widget", fields, now), &name)
    }

    fn widget_activity(&mut self, body: &Value, now: i64) -> Answer {
        let data = &body["activity"];
        let mut fields = match self.translate(data, &[ACTIVITY], &ACTIVITY_MORE) {
            Ok(fields) => fields,
            Err(answer) => return answer,
        };
        let date = word(&data["date"]);
        if !date.is_empty() {
            put(&mut fields, "startDateTime", json!(format!("{date}T{}", lookups::clock(&word(&data["time"])))));
        }
        if let Some(user) = data["userId"].as_i64() {
            put(&mut fields, "owners", json!([{"ownerId": user}]));
        }
        if body["customfields"].is_array() {
            put(&mut fields, "customFields", body["customfields"].clone());
        }
        let (letter, id) = (word(&data["linkRecordType"]), word(&data["linkRecordId"]).parse::<i64>().unwrap_or(0));
        let list = match letter.to_ascii_uppercase().as_str() {
            "" => None,
            "C" => Some("clients"),
            "N" => Some("contacts"),
            "L" => Some("leads"),
            "O" => Some("opportunities"),
            "P" => Some("projects"),
            "R" => Some("resources"),
            "T" => Some("tickets"),
            _ => return failed("Unknown record type"),
        };
        if let Some(list) = list {
            put(&mut fields, "associations", json!({list: [{"id": id}]}));
        }
        if !self.links_hold(&fields) {
            return failed("Linked record not found");
        }
        let subject = fields.get("subject").map(word).unwrap_or_default();
        made("success", self.insert(Kind::Activity, "widget", fields, now), &subject)
    }

    fn widget_attach(&mut self, file: &Value, now: i64) -> Answer {
        let unknown = file.as_object().into_iter().flatten().find(|(name, _)| !FILE.contains(&name.as_str()));
        if let (true, Some((name, _))) = (self.switches.strict_members, unknown) {
            return failed(&format!("Unknown member {name}"));
        }
        let Some(kind) = Kind::from_letter(&word(&file["recordType"])) else { return failed("Unknown record type") };
        let texts = ["filename", "documentType", "data"].map(|name| word(&file[name]));
        let primary = word(&file["primary"]).eq_ignore_ascii_case("y");
        let record = word(&file["recordId"]).parse().unwrap_or(0);
        match self.document(kind, record, texts, primary, ("widget", now)) {
            Err(why) => failed(why),
            Ok(document) => {
                let name = document.filename.clone();
                let id = self.attach(document);
                match self.switches.attach_id.as_str() {
                    "none" => Answer::widget(0, "success", json!({})),
                    "record" => made("success", record, &name),
                    _ => made("success", id, &name),
                }
            }
        }
    }

    fn widget_enlist(&mut self, orders: &Value, now: i64) -> Result<i64, &'static str> {
        let number = |name: &str| word(&orders[name]).parse::<i64>().unwrap_or(0);
        let resource = number("resourceid");
        let by = Some(word(&orders["shortlistedby"])).filter(|by| !by.is_empty()).unwrap_or_else(|| "user".to_owned());
        self.enlist(Listing {
            resource,
            opportunity: number("opportunityid"),
            list: if word(&orders["assigntolist"]) == "short" { "short" } else { "long" },
            by,
            source: word(&orders["source"]),
            created: now,
            api: "widget",
        })?;
        Ok(resource)
    }

    fn widget_application(&mut self, orders: &Value, now: i64) -> Answer {
        match self.widget_enlist(orders, now) {
            Ok(id) => made("success", id, &self.record(Kind::Resource, id).map(|r| r.shown()).unwrap_or_default()),
            Err(why) => failed(why),
        }
    }
}
