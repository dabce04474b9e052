//! REST searches, with what makes them treacherous: unknown members are ignored, an unfiltered page looks like an
//! answer, rows are spelt differently from record to record, and a new record may not be found yet.

use super::{Answer, Kind, Record, Request, Tracker, codec};
use serde_json::{Map, Value, json};
use std::cmp::Ordering;

impl Tracker {
    /// Has the search index caught up with this record?
    pub(super) fn indexed(&self, record: &Record, now: i64) -> bool {
        now >= record.created + self.switches.search_lag_ms
    }

    pub(super) fn search(&self, request: &Request, kind: Kind, by_custom_field: bool, now: i64) -> Answer {
        let Some(filter) = request.json() else {
            return Answer::problem(400, "The body is not a JSON object.", None);
        };
        if self.switches.strict_members {
            let known = of(kind, by_custom_field);
            let unknown = filter.keys().find(|name| !known.iter().any(|(known, _)| known == name));
            if let Some(name) = unknown {
                return Answer::problem(400, "A member is not known.", Some(json!({name: ["Unknown member."]})));
            }
        }
        let records = self.records[kind as usize].values().filter(|r| self.indexed(r, now));
        let email = text(&filter, "email").trim().to_lowercase();
        let wide = filter.get("includeCustomFields").and_then(Value::as_bool).unwrap_or(false);
        let mut rows: Vec<Value> = records
            .filter(
                |r| if by_custom_field { custom_field_fits(&filter, r) } else { self.fits(&filter, &email, kind, r) },
            )
            .map(|r| self.row(kind, r, wide))
            .collect();
        sort(&mut rows, text(&filter, "sortBy"), text(&filter, "sortDirection"));
        self.page(rows, &filter)
    }

    /// One page of rows, as many as Tracker gives whatever was asked for.
    pub(super) fn page(&self, rows: Vec<Value>, filter: &Map<String, Value>) -> Answer {
        let number = |name: &str| filter.get(name).and_then(Value::as_i64).filter(|n| *n > 0);
        let cap = self.switches.page_cap.max(1);
        let size = number("maxResults").unwrap_or(cap).min(cap) as usize;
        let page = number("pageNumber").unwrap_or(1) as usize;
        let rows: Vec<Value> = rows.into_iter().skip(size.saturating_mul(page - 1)).take(size).collect();
        if rows.is_empty() { Answer::empty(204) } else { Answer::json(200, &Value::Array(rows)) }
    }

    fn fits(&self, filter: &Map<String, Value>, email: &str, kind: Kind, record: &Record) -> bool {
        // First of all: with ten thousand people it decides for nearly each of them.
        let person = matches!(kind, Kind::Resource | Kind::Contact);
        if person && !self.email_fits(email, record) {
            return false;
        }
        let has = |wanted: &str, texts: &[&str]| {
            wanted.is_empty() || texts.iter().any(|t| t.to_lowercase().contains(&wanted.to_lowercase()))
        };
        let wanted = |name: &str| text(filter, name).trim();
        let after = codec::parse_date(wanted("updatedAfter")).is_none_or(|at| record.updated >= at);
        let before = codec::parse_date(wanted("updatedBefore")).is_none_or(|at| record.updated <= at);
        let status = filter.get("statusId").and_then(Value::as_i64).filter(|id| *id > 0);
        let status = status.is_none_or(|id| record.body.get("status").and_then(|s| s["id"].as_i64()) == Some(id));
        after
            && before
            && status
            && match kind {
                Kind::Activity => {
                    has(wanted("subject"), &[record.text("subject")])
                        && has(wanted("priority"), &[record.text("priority")])
                        && has(wanted("contactType"), &[record.text("contactDirection")])
                        && LINKS.iter().all(|(name, list)| {
                            let id = filter.get(*name).and_then(Value::as_i64).filter(|id| *id > 0);
                            id.is_none_or(|id| linked(record, list).contains(&id))
                        })
                }
                _ => {
                    let shown = record.shown();
                    let company = if kind == Kind::Contact { record.text("company") } else { "" };
                    has(wanted("searchTerm"), &[&shown, company])
                        && (!person || phone_fits(wanted("telephone"), record))
                }
            }
    }

    fn email_fits(&self, wanted: &str, record: &Record) -> bool {
        let within = |own: &String| match self.switches.email_filter.as_str() {
            "exact" => own == wanted,
            _ => own.contains(wanted),
        };
        wanted.is_empty() || self.switches.email_filter == "ignored" || record.addresses.iter().any(within)
    }

    fn row(&self, kind: Kind, record: &Record, wide: bool) -> Value {
        let t = |path: &str| json!(record.text(path));
        let updated = self.date(record.updated);
        let named = |list: &str| {
            let first = linked(record, list).first().copied().unwrap_or(0);
            let kind = if list == "resources" { Kind::Resource } else { Kind::Contact };
            (first, self.record(kind, first).map_or(String::new(), Record::shown))
        };
        let address = json!({
            "addressLine1": t("address.addressLine1"), "addressLine2": t("address.addressLine2"),
            "town": t("address.town"), "county": t("address.county"), "postcode": t("address.postcode"),
            "country": t("address.country"),
        });
        let mut row = match kind {
            Kind::Resource => json!({
                "resourceId": record.id, "dateApplied": t("dateApplied"), "clientName": t("currentClient.name"),
                "firstname": t("firstName"), "surname": t("surname"), "displayAs": record.shown(),
                "jobTitle": t("jobTitle"), "email": t("contactDetails.email"), "otherEmail": t("otherEmail"),
                "linkedInUrl": t("linkedInUrl"), "workTelephone": t("contactDetails.telephone"),
                "homeTelephone": t("contactDetails.homePhone"), "mobilePhone": t("contactDetails.mobilePhone"),
                "whereDidYouHear": t("source"), "departmentName": t("department.name"),
                "resourceStatusName": t("status.name"),
                "availableForWork": yes(record.body.get("availableForWork")), "lastUpdatedDateTime": updated,
            }),
            Kind::Contact => json!({
                "contactId": record.id, "clientName": t("client.name"),
                "clientId": record.body.get("client").and_then(|c| c["id"].as_i64()).unwrap_or(0),
                "firstName": t("firstName"), "surname": t("surname"), "displayAs": record.shown(),
                "jobTitle": t("jobTitle"), "company": t("company"), "businessPhone": t("contactDetails.telephone"),
                "homePhone": t("contactDetails.homePhone"), "mobilePhone": t("contactDetails.mobilePhone"),
                "otherPhone": "", "email": t("contactDetails.email"), "website": t("website"),
                "department": t("department.name"), "contactSource": t("source"),
                "lastUpdatedDateTime": updated, "creationDate": self.date(record.created),
            }),
            Kind::Lead => json!({
                "leadId": record.id, "leadName": t("name"), "clientName": "", "leadStatusName": t("status.name"),
                "leadDate": self.date(record.created), "leadSource": t("source"),
                "leadDescription": t("description"), "clientId": 0,
            }),
            Kind::Activity => {
                let (contact, contact_name) = named("contacts");
                let (resource, resource_name) = named("resources");
                json!({
                    "activityId": record.id, "clientId": 0, "contactId": contact, "contactName": contact_name,
                    "leadId": linked(record, "leads").first().copied().unwrap_or(0),
                    "opportunityId": linked(record, "opportunities").first().copied().unwrap_or(0),
                    "resourceId": resource, "resourceName": resource_name,
                    "activityTypeName": t("activityType.name"), "activityStatusName": t("status.name"),
                    "subject": t("subject"), "priority": t("priority"), "contactType": t("contactDirection"),
                    "startDate": record.text("startDateTime").get(..10).unwrap_or(""),
                    "startTime": record.text("startDateTime").get(11..16).unwrap_or(""),
                    "lastUpdatedDateTime": updated,
                })
            }
        };
        if matches!(kind, Kind::Resource | Kind::Contact) {
            address.as_object().into_iter().flatten().for_each(|(name, value)| row[name] = value.clone());
        }
        let fields = record.body.get("customFields").filter(|_| wide).cloned();
        row["customFields"] = fields.unwrap_or_else(|| json!([]));
        row
    }
}

const LINKS: [(&str, &str); 5] = [
    ("clientId", "clients"),
    ("contactId", "contacts"),
    ("leadId", "leads"),
    ("opportunityId", "opportunities"),
    ("resourceId", "resources"),
];

fn linked(record: &Record, list: &str) -> Vec<i64> {
    let links = record.body.get("associations").and_then(|a| a.get(list)).and_then(Value::as_array);
    links.into_iter().flatten().filter_map(|item| item["id"].as_i64()).collect()
}

fn text<'a>(filter: &'a Map<String, Value>, name: &str) -> &'a str {
    filter.get(name).and_then(Value::as_str).unwrap_or("")
}

/// Search rows say y or n where the detail says true or false.
pub(super) fn yes(value: Option<&Value>) -> &'static str {
    match value.and_then(Value::as_bool) {
        Some(true) => "y",
        Some(false) => "n",
        None => "",
    }
}

fn phone_fits(wanted: &str, record: &Record) -> bool {
    let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
    let wanted = digits(wanted);
    let own =
        ["telephone", "mobilePhone", "homePhone"].map(|name| digits(record.text(&format!("contactDetails.{name}"))));
    wanted.is_empty() || own.iter().any(|number| number.contains(&wanted))
}

fn custom_field_fits(filter: &Map<String, Value>, record: &Record) -> bool {
    let wanted = text(filter, "customFieldValue");
    let id = filter.get("customFieldId").and_then(Value::as_i64).filter(|id| *id > 0);
    let fields = record.body.get("customFields").and_then(Value::as_array);
    wanted.is_empty()
        || fields.into_iter().flatten().any(|field| {
            let same = field["value"].as_str().is_some_and(|value| value.eq_ignore_ascii_case(wanted));
            same && id.is_none_or(|id| field["id"].as_i64() == Some(id))
        })
}

fn sort(rows: &mut [Value], by: &str, direction: &str) {
    if by.is_empty() {
        return;
    }
    rows.sort_by(|a, b| {
        let order = match (a[by].as_i64(), b[by].as_i64()) {
            (Some(a), Some(b)) => a.cmp(&b),
            _ => a[by].as_str().map_or(Ordering::Equal, |a| a.cmp(b[by].as_str().unwrap_or(""))),
        };
        if direction.eq_ignore_ascii_case("desc") { order.reverse() } else { order }
    });
}

/// The type of a filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Filter {
    Text,
    Int,
    Bool,
}
use Filter::{Bool, Int, Text};

type Filters = &'static [(&'static str, Filter)];

const PAGING: Filters = &[("maxResults", Int), ("pageNumber", Int), ("sortBy", Text), ("sortDirection", Text)];
const COMMON: Filters =
    &[("updatedBefore", Text), ("updatedAfter", Text), ("onlyMyRecords", Bool), ("includeCustomFields", Bool)];
const BY_CUSTOM_FIELD: Filters = &[("customFieldValue", Text), ("customFieldId", Int)];
const RESOURCE: Filters = &[("searchTerm", Text), ("state", Text), ("email", Text), ("telephone", Text)];
const CONTACT: Filters = &[("searchTerm", Text), ("statusId", Int), ("email", Text), ("telephone", Text)];
const LEAD: Filters = &[("searchTerm", Text), ("statusId", Int), ("state", Text)];
const ACTIVITY: Filters = &[
    ("subject", Text),
    ("activityTypeId", Int),
    ("priority", Text),
    ("contactType", Text),
    ("clientId", Int),
    ("contactId", Int),
    ("leadId", Int),
    ("opportunityId", Int),
    ("projectId", Int),
    ("ticketId", Int),
    ("resourceId", Int),
    ("userId", Int),
    ("opportunityResourceId", Int),
    ("statusId", Int),
    ("state", Text),
];

/// The filters of a search.
pub fn of(kind: Kind, by_custom_field: bool) -> Vec<(&'static str, Filter)> {
    let own = match kind {
        _ if by_custom_field => return [PAGING, BY_CUSTOM_FIELD].concat(),
        Kind::Resource => RESOURCE,
        Kind::Contact => CONTACT,
        Kind::Lead => LEAD,
        Kind::Activity => ACTIVITY,
    };
    [PAGING, COMMON, own].concat()
}
