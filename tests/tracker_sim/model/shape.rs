//! Which members Tracker's REST request bodies have, and of which type, so that the simulator drops what Tracker
//! drops and refuses what a .NET service refuses. A member left out of these tables is lost, as in the real service.

use super::Kind;
use serde_json::{Map, Value};

/// The JSON type a member is declared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    Text,
    Int,
    Number,
    Bool,
    Date,
    Object(&'static [(&'static str, Shape)]),
    List(&'static [(&'static str, Shape)]),
    Ints,
}
use Shape::{Bool, Date, Int, Ints, List, Number, Object, Text};

pub type Members = &'static [(&'static str, Shape)];

const NAMED: Members = &[("id", Int), ("name", Text)];
const CUSTOM: Members = &[("id", Int), ("name", Text), ("value", Text)];
const OWNER: Members = &[("ownerId", Int), ("rank", Int), ("name", Text), ("percent", Int), ("role", Text)];
const DETAILS: Members = &[("email", Text), ("telephone", Text), ("mobilePhone", Text), ("fax", Text)];
const MORE_DETAILS: Members = &[("type", Text), ("value", Text)];
const BANK: Members = &[("bankName", Text), ("sortCode", Text), ("accountNumber", Text), ("bankReference", Text)];
const JOB: Members =
    &[("organization", Text), ("startDate", Text), ("endDate", Text), ("description", Text), ("jobTitle", Text)];
const ADDRESS: Members = &[
    ("isPrimary", Bool),
    ("addressName", Text),
    ("addressLine1", Text),
    ("addressLine2", Text),
    ("town", Text),
    ("county", Text),
    ("country", Text),
    ("postcode", Text),
];
const CONSENT: Members = &[
    ("marketingPreference", Text),
    ("emailOptIn", Bool),
    ("textOptIn", Bool),
    ("telephoneOptIn", Bool),
    ("workOptIn", Bool),
];
const LINKS: Members = &[
    ("clients", List(NAMED)),
    ("contacts", List(NAMED)),
    ("resources", List(NAMED)),
    ("opportunities", List(NAMED)),
    ("leads", List(NAMED)),
    ("products", List(NAMED)),
    ("opportunityResources", List(NAMED)),
];

const SHARED: Members = &[("source", Text), ("status", Object(NAMED)), ("customFields", List(CUSTOM))];
const RECORD: Members = &[
    ("owners", List(OWNER)),
    ("contactDetails", Object(DETAILS)),
    ("territory", Object(NAMED)),
    ("department", Object(NAMED)),
    ("tagText", Text),
];
const PERSON: Members = &[
    ("additionalContactDetails", Object(MORE_DETAILS)),
    ("address", Object(ADDRESS)),
    ("quickSkills", List(NAMED)),
    ("marketingPreferences", Object(CONSENT)),
    ("firstName", Text),
    ("surname", Text),
    ("preferredName", Text),
    ("jobTitle", Text),
    ("photo", Text),
    ("note", Text),
    ("manager", Object(NAMED)),
];
const RESOURCE: Members = &[
    ("displayAs", Text),
    ("dateOfBirth", Text),
    ("linkedInUrl", Text),
    ("languages", Text),
    ("nissNumber", Text),
    ("otherEmail", Text),
    ("rating", Int),
    ("associations", Text),
    ("availableForWork", Bool),
    ("availableFrom", Date),
    ("noticePeriod", Int),
    ("journeyTime", Text),
    ("currentSalary", Number),
    ("currentSalaryNum", Int),
    ("desiredSalary", Number),
    ("desiredSalaryNum", Int),
    ("desiredPayRate", Number),
    ("payRateNote", Text),
    ("payRateNum", Number),
    ("chargeRateNote", Text),
    ("chargeRateNum", Number),
    ("costCentreCode", Text),
    ("bonuses", Text),
    ("dateApplied", Date),
    ("educationSummary", Text),
    ("employmentHistory", Text),
    ("fullEmploymentHistory", List(JOB)),
    ("achievements", Text),
    ("currentSituation", Text),
    ("currentClient", Object(NAMED)),
    ("interviewResult", Text),
    ("interviewNote", Text),
    ("interviewedBy", Text),
    ("createdBy", Text),
    ("contractStartDate", Date),
    ("contractEndDate", Date),
    ("holidayEntitlement", Number),
    ("holidayCarryOver", Number),
    ("maximumCarryOver", Number),
    ("rightToRepresent", Bool),
    ("taxApplicable", Bool),
    ("payrollNumber", Text),
    ("agencyName", Text),
    ("agencyType", Text),
    ("agencyAccountRef", Text),
    ("agencyAddress", Object(ADDRESS)),
    ("bankingDetails", Object(BANK)),
];
const CONTACT: Members = &[
    ("nickname", Text),
    ("spousesName", Text),
    ("birthday", Text),
    ("anniversary", Text),
    ("company", Text),
    ("client", Object(NAMED)),
    ("office", Text),
    ("businessUnit", Text),
    ("website", Text),
    ("isPrimary", Bool),
    ("type", Object(NAMED)),
    ("role", Object(NAMED)),
    ("assistant", Object(NAMED)),
    ("referralFrom", Object(NAMED)),
    ("sectors", List(NAMED)),
    ("internalReference", Text),
    ("marketingPreference", Text),
];
const LEAD: Members = &[
    ("name", Text),
    ("description", Text),
    ("strategy", Text),
    ("currencyCode", Text),
    ("potentialValue", Int),
    ("contactType", Text),
    ("internalReference", Text),
    ("associations", Object(LINKS)),
    ("mandact", Object(&[])),
];
const ACTIVITY: Members = &[
    ("owners", List(&[("ownerId", Int)])),
    ("subject", Text),
    ("note", Text),
    ("activityType", Object(NAMED)),
    ("priority", Text),
    ("contactDirection", Text),
    ("startDateTime", Date),
    ("endDateTime", Date),
    ("dueDateTime", Date),
    ("interviewer", Object(NAMED)),
    ("interviewType", Object(NAMED)),
    ("associations", Object(LINKS)),
    ("history", Object(&[])),
];
pub const DOCUMENT: Members =
    &[("filename", Text), ("documentType", Text), ("documentData", Text), ("recordId", Int), ("isPrimary", Bool)];
pub const TOKEN: Members = &[("bearerToken", Text)];
pub const LONGLIST: Members = &[("resourceId", Int), ("opportunityId", Int)];
pub const SHORTLIST: Members =
    &[("resourceId", Int), ("opportunityIds", Ints), ("statusId", Int), ("note", Text), ("placementSource", Text)];
pub const PARTNER: Members = &[("partnerId", Int), ("partnerRecordId", Text), ("recordType", Text), ("recordId", Int)];
pub const HOOK: Members = &[("id", Int), ("url", Text), ("action", Text), ("recordType", Text)];
pub const SKILLS: Members = &[(
    "skills",
    List(&[("skillId", Int), ("skillName", Text), ("skillValueId", Int), ("skillValue", Text), ("skillType", Text)]),
)];
pub const RESUME: Members = &[
    ("resourceStatusId", Int),
    ("opportunityId", Text),
    ("source", Text),
    ("resource", Int),
    ("list", Text),
    ("fileName", Text),
    ("fileData", Text),
    ("department", Text),
    ("userId", Int),
    ("resourceSource", Text),
];
const BID: Members = &[
    ("type", Text),
    ("dueDate", Date),
    ("driver", Text),
    ("noBid", Text),
    ("noBidReason", Text),
    ("manager", Object(NAMED)),
];
const ADVERT: Members = &[
    ("publishOnline", Bool),
    ("reference", Text),
    ("title", Text),
    ("description", Text),
    ("location", Text),
    ("duration", Text),
    ("workType", Text),
    ("sector", Text),
    ("category", Text),
    ("salaryFrom", Text),
    ("salaryTo", Text),
    ("salaryPer", Text),
    ("benefits", Text),
    ("skills", Text),
    ("publishDate", Date),
    ("startDate", Date),
    ("advertStatus", Text),
];
pub const OPPORTUNITY: Members = &[
    ("name", Text),
    ("description", Text),
    ("note", Text),
    ("location", Text),
    ("locationCity", Text),
    ("locationState", Text),
    ("postCodeLocation", Text),
    ("clientReference", Text),
    ("strategy", Text),
    ("contractType", Text),
    ("numberOfPositions", Int),
    ("probabiity", Int),
    ("estimatedValue", Number),
    ("factoredValue", Number),
    ("targetMargin", Number),
    ("invoiceStartDate", Date),
    ("startDateTime", Date),
    ("endDateTime", Date),
    ("tagText", Text),
    ("vmsReference", Text),
    ("payRate", Number),
    ("chargeRate", Number),
    ("currencyCode", Text),
    ("unitsInADay", Number),
    ("billingPerDay", Text),
    ("daysOfWeek", Text),
    ("contactRole", Text),
    ("businessType", Object(NAMED)),
    ("bidDetails", Object(BID)),
    ("advertDetails", Object(ADVERT)),
    ("client", Object(NAMED)),
    ("contact", Object(NAMED)),
    ("secondaryContact", Object(NAMED)),
    ("workType", Object(NAMED)),
    ("publishContact", Object(NAMED)),
    ("mandact", Object(&[])),
    ("status", Object(NAMED)),
    ("sectors", List(NAMED)),
];

/// The member tables of a record's request body.
pub fn of(kind: Kind) -> &'static [Members] {
    match kind {
        Kind::Resource => &[SHARED, RECORD, PERSON, RESOURCE],
        Kind::Contact => &[SHARED, RECORD, PERSON, CONTACT],
        Kind::Lead => &[SHARED, RECORD, LEAD],
        Kind::Activity => &[SHARED, ACTIVITY],
    }
}

/// What reading a body found, beside the members that are kept.
#[derive(Default)]
pub struct Findings {
    pub unknown: Vec<String>,
    pub wrong: Vec<String>,
}

/// Keeps the known members, drops nulls, and notes what is unknown or of the wrong type. An empty table inside means
/// "any object" (parts of the interface that the product never sends).
pub fn keep(body: &Map<String, Value>, tables: &[Members], at: &str, findings: &mut Findings) -> Map<String, Value> {
    let mut out = Map::new();
    for (name, value) in body {
        let path = if at.is_empty() { name.clone() } else { format!("{at}.{name}") };
        // .NET matches member names without regard to case.
        let known = tables.iter().flat_map(|t| t.iter()).find(|(known, _)| known.eq_ignore_ascii_case(name));
        let Some((name, shape)) = known else {
            findings.unknown.push(path);
            continue;
        };
        if value.is_null() {
            continue;
        }
        if let Some(kept) = fit(value, *shape, &path, findings) {
            out.insert((*name).to_owned(), kept);
        }
    }
    out
}

fn fit(value: &Value, shape: Shape, path: &str, findings: &mut Findings) -> Option<Value> {
    let fits = match (shape, value) {
        (Text, Value::String(_)) | (Bool, Value::Bool(_)) | (Number, Value::Number(_)) => true,
        (Int, Value::Number(_)) => value.as_i64().is_some_and(|n| i32::try_from(n).is_ok()),
        (Date, Value::String(text)) => super::codec::parse_date(text).is_some(),
        (Object([]), Value::Object(_)) => true,
        (Ints, Value::Array(list)) => list.iter().all(Value::is_i64),
        (Object(members), Value::Object(body)) => {
            return Some(Value::Object(keep(body, &[members], path, findings)));
        }
        (List(members), Value::Array(list)) => {
            return Some(list.iter().filter_map(|item| fit(item, Object(members), path, findings)).collect());
        }
        _ => false,
    };
    if !fits {
        findings.wrong.push(path.to_owned());
    }
    Some(value.clone())
}
