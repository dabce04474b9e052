//! Looks into Tracker for what may be there already. REST v1 only: it can search and read, the widget API cannot.
//!
//! Tracker ignores filters that it does not know and then answers with an unfiltered page, so that a look is
//! *clean* only when its page was not full and the same form of query, in the same run, found a record that
//! is known by its e-mail. Every row is compared again here: trimmed, NFC, lower case, nothing else.

use serde_json::{Value, json};

use super::client::Client;
use super::outcome::{Refusal, Verdict, positive};
use super::plan::Planned;
use super::record::Record;
use super::time::millis_of;
use super::transport::Response;
use crate::codes::Code;
use crate::queue::accept::normal;
use crate::settings::{Api, RecordType};

/// Rows of a page. ASSUMPTION U7: more are never given, whatever is asked for.
const PAGE: usize = 10;

/// Why a look proves nothing that did not find the record that it must find.
pub const CONTROL_IS_MISSED: &str = "a record that must be found was not";

/// A record that a look found and checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit {
    /// Tracker's id.
    pub id: i64,
    /// When it was last changed, as Tracker writes it; compares as text.
    pub updated: String,
    /// When it was made, milliseconds since 1970.
    pub created: Option<i64>,
    /// Whether it carries our marker.
    pub marked: bool,
    /// Whether it carries another submission's: whatever else speaks for it, that one made it.
    pub of_another: bool,
}

/// What a look says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Look {
    /// It can be believed: these, and no others.
    Clean(Vec<Hit>),
    /// What it found is there, but that it found no more proves nothing.
    Unclean {
        /// What it found.
        hits: Vec<Hit>,
        /// Why it proves nothing.
        why: String,
    },
    /// It was not answered.
    Failed(Verdict),
    /// There is no way to look.
    Impossible,
}

macro_rules! look {
    ($client:ident, $result:expr) => {
        match $result {
            Ok(value) => value,
            Err(verdict) => return $client.failed(verdict),
        }
    };
}

impl Client<'_> {
    /// Reads a record. `None` when Tracker holds none of this id.
    ///
    /// # Errors
    /// What stands against an answer.
    pub fn read_record(&mut self, record_type: RecordType, id: i64) -> Result<Option<Record>, Verdict> {
        let response = self.read("GET", &format!("/api/v1/{}/{id}", record_type.name()), None)?;
        record_of(&response)
    }

    /// Reads a record that we know. `Err` says whether it was not answered or cannot be.
    ///
    /// # Errors
    /// A [`Look`] that failed or is impossible.
    pub fn read_known(&mut self, record_type: RecordType, id: i64) -> Result<Option<Record>, Look> {
        self.read_record(record_type, id).map_err(|verdict| self.failed(verdict))
    }

    /// Looks for a person: by the marker's custom field where one is set, else by exact e-mail. `control` is a
    /// record (e-mail, id) that the same query must find; without one, a record of Tracker's first page is taken.
    pub fn find_person(
        &mut self,
        record_type: RecordType,
        email: &str,
        marker: &str,
        marker_field: Option<i64>,
        control: Option<&(String, i64)>,
    ) -> Look {
        if let Some(field) = marker_field {
            let query =
                json!({ "customFieldId": field, "customFieldValue": marker, "maxResults": PAGE, "pageNumber": 1 });
            let rows = look!(self, self.search(&format!("{}/Search/CustomField", record_type.name()), &query));
            let ids: Vec<i64> = rows.iter().filter_map(|row| row_id(row, record_type)).collect();
            let mut hits = look!(self, self.hits(record_type, &ids, marker));
            hits.retain(|hit| hit.marked);
            if !hits.is_empty() {
                return Look::Clean(hits);
            }
        }
        let rows = look!(self, self.search_email(record_type, email));
        let ids: Vec<i64> =
            rows.iter().filter(|row| row_has_email(row, email)).filter_map(|row| row_id(row, record_type)).collect();
        let mut hits = look!(self, self.hits(record_type, &ids, marker));
        // The row said so, the record says it again.
        let mut checked = Vec::new();
        for hit in hits.drain(..) {
            if look!(self, self.read_record(record_type, hit.id))
                .is_some_and(|record| record.has_email(email) || hit.marked)
            {
                checked.push(hit);
            }
        }
        if rows.len() >= PAGE {
            return Look::Unclean { hits: checked, why: "the page was full".into() };
        }
        if !rows.iter().all(|row| row_mentions(row, email)) {
            // A page may be shorter than we believe: rows that nobody asked for show that nothing was filtered.
            return Look::Unclean { hits: checked, why: "the page holds others than were asked for".into() };
        }
        match self.control_is_found(record_type, email, control) {
            Ok(true) => Look::Clean(checked),
            Ok(false) => Look::Unclean { hits: checked, why: CONTROL_IS_MISSED.into() },
            Err(verdict) if checked.is_empty() => self.failed(verdict),
            Err(_) => Look::Unclean { hits: checked, why: "the control was not answered".into() },
        }
    }

    /// Whether the same form of query finds a record that is known by its e-mail.
    fn control_is_found(
        &mut self,
        record_type: RecordType,
        email: &str,
        control: Option<&(String, i64)>,
    ) -> Result<bool, Verdict> {
        let borrowed;
        let (known, id) = match control {
            Some(control) => control,
            None => {
                let rows = self.search(
                    &format!("{}/Search", record_type.name()),
                    &json!({ "maxResults": PAGE, "pageNumber": 1 }),
                )?;
                let found = rows.iter().find_map(|row| {
                    let text = row
                        .get("email")?
                        .as_str()
                        .filter(|text| text.contains('@') && normal(text) != normal(email))?;
                    Some((text.to_owned(), row_id(row, record_type)?))
                });
                match found {
                    Some(found) => borrowed = found,
                    // An empty Tracker holds nobody: that is an answer too.
                    None => return Ok(rows.is_empty()),
                }
                &borrowed
            }
        };
        let rows = self.search_email(record_type, known)?;
        Ok(rows.iter().any(|row| row_id(row, record_type) == Some(*id) && row_has_email(row, known)))
    }

    /// Looks for a Lead by its name and our marker. Leads that the widget API made carry no marker: of those the
    /// name has to do, and the caller compares when they were made.
    pub fn find_lead(&mut self, name: &str, marker: &str) -> Look {
        if name.is_empty() {
            return Look::Impossible;
        }
        let rows = look!(
            self,
            self.search("Lead/Search", &json!({ "searchTerm": name, "maxResults": PAGE, "pageNumber": 1 }))
        );
        let named =
            |row: &&Value| row.get("leadName").and_then(Value::as_str).is_some_and(|text| normal(text) == normal(name));
        let ids: Vec<i64> =
            rows.iter().filter(named).filter_map(|row| row_id(row, RecordType::Lead)).take(PAGE).collect();
        let hits = look!(self, self.hits(RecordType::Lead, &ids, marker));
        if rows.len() >= PAGE {
            return Look::Unclean { hits, why: "the page was full".into() };
        }
        // Control: a Lead of the unfiltered page is found again by its own name.
        let any = look!(self, self.search("Lead/Search", &json!({ "maxResults": PAGE, "pageNumber": 1 })));
        let other = any
            .iter()
            .find(|row| !named(row))
            .and_then(|row| Some((row.get("leadName")?.as_str()?.to_owned(), row_id(row, RecordType::Lead)?)));
        let sound = match other {
            Some((name, id)) => {
                let rows = look!(
                    self,
                    self.search("Lead/Search", &json!({ "searchTerm": name, "maxResults": PAGE, "pageNumber": 1 }))
                );
                rows.iter().any(|row| row_id(row, RecordType::Lead) == Some(id))
            }
            None => any.len() < PAGE,
        };
        if sound { Look::Clean(hits) } else { Look::Unclean { hits, why: "a lead that must be found was not".into() } }
    }

    /// Reads a job's long list.
    pub fn find_on_longlist(&mut self, job: i64, record: i64) -> Look {
        let response = look!(self, self.read("GET", &format!("/api/v1/Opportunity/{job}/Longlist"), None));
        let on_it = look!(self, rows_of(&response)).iter().any(|row| positive(row.get("resourceId")) == Some(record));
        Look::Clean(if on_it { vec![unchecked(record)] } else { Vec::new() })
    }

    /// Looks for an activity of a record by its subject and our marker in its note.
    pub fn find_activity(&mut self, record_type: RecordType, record: i64, planned: &Planned, marker: &str) -> Look {
        let subject = planned.body.get("subject").and_then(Value::as_str).unwrap_or_default();
        let linked = match record_type {
            RecordType::Resource => "resourceId",
            RecordType::Contact => "contactId",
            RecordType::Lead => "leadId",
        };
        let query = json!({ "subject": subject.replace("{{record.id}}", &record.to_string()), linked: record, "maxResults": PAGE, "pageNumber": 1 });
        let rows = look!(self, self.search("Activity/Search", &query));
        let mut hits = Vec::new();
        for id in rows.iter().filter_map(|row| positive(row.get("activityId"))) {
            let response = look!(self, self.read("GET", &format!("/api/v1/Activity/{id}"), None));
            if let Some(record) = look!(self, record_of(&response)).filter(|record| record.has_marker(marker)) {
                hits.push(record.hit(id, marker));
            }
        }
        if rows.len() >= PAGE { Look::Unclean { hits, why: "the page was full".into() } } else { Look::Clean(hits) }
    }

    /// Looks for a document of a Resource by its file name.
    pub fn find_document(&mut self, record: i64, planned: &Planned) -> Look {
        let response = look!(self, self.read("GET", &format!("/api/v1/Resource/{record}/Documents"), None));
        let name = planned.body.get("filename").and_then(Value::as_str).unwrap_or_default();
        let rows = look!(self, rows_of(&response));
        let same = rows.iter().filter(|row| row.get("filename").and_then(Value::as_str) == Some(name));
        let hit = |row: &Value| {
            let created = row.pointer("/history/createdOn").and_then(Value::as_str).and_then(millis_of);
            // No marker stands in a file name that recruiters see: whose it is, the caller finds out.
            Some(Hit {
                id: positive(row.get("documentId"))?,
                updated: String::new(),
                created,
                marked: false,
                of_another: false,
            })
        };
        Look::Clean(same.filter_map(hit).collect())
    }

    /// What a failed request says about a look. Credentials that are refused altogether are a trouble of the lane;
    /// ones that only the widget API takes mean that there is no way to look.
    fn failed(&mut self, verdict: Verdict) -> Look {
        match verdict.refusal() {
            Some(Refusal::Unauthorized) if self.api == Api::Rest => Look::Failed(verdict),
            // A token that was given and is refused all the same is a passing trouble, as when another client exchanged
            // its own meanwhile: it is asked again later. Only where the exchange itself refuses a token that the widget
            // API has just given is there no way to look.
            Some(Refusal::Unauthorized) => match self.is_exchangeable() {
                Ok(true) => {
                    let words = verdict.message().to_owned();
                    Look::Failed(Verdict::refused(Refusal::Unreachable, Code::TrackerUnavailable, words))
                }
                Ok(false) => Look::Impossible,
                Err(verdict) => Look::Failed(verdict),
            },
            Some(Refusal::Forbidden | Refusal::Endpoint | Refusal::Rejected) => Look::Impossible,
            _ => Look::Failed(verdict),
        }
    }

    fn search_email(&mut self, record_type: RecordType, email: &str) -> Result<Vec<Value>, Verdict> {
        self.search(
            &format!("{}/Search", record_type.name()),
            &json!({ "email": email, "maxResults": PAGE, "pageNumber": 1 }),
        )
    }

    fn search(&mut self, what: &str, query: &Value) -> Result<Vec<Value>, Verdict> {
        let response = self.read("POST", &format!("/api/v1/{what}"), Some(query))?;
        rows_of(&response)
    }

    /// Reads each record and says what it is.
    fn hits(&mut self, record_type: RecordType, ids: &[i64], marker: &str) -> Result<Vec<Hit>, Verdict> {
        let mut hits: Vec<Hit> = Vec::new();
        for id in ids.iter().take(PAGE) {
            if hits.iter().any(|hit| hit.id == *id) {
                continue;
            }
            if let Some(record) = self.read_record(record_type, *id)? {
                hits.push(record.hit(*id, marker));
            }
        }
        Ok(hits)
    }
}

/// A record from an answer. Only 204 says that there is none: a page that is no record says nothing at all.
fn record_of(response: &Response) -> Result<Option<Record>, Verdict> {
    if response.status == 204 {
        return Ok(None);
    }
    match serde_json::from_slice(&response.body) {
        Ok(value @ Value::Object(_)) => Ok(Some(Record::of(value))),
        _ => Err(unreadable("a record was not one")),
    }
}

fn rows_of(response: &Response) -> Result<Vec<Value>, Verdict> {
    if response.status == 204 {
        return Ok(Vec::new());
    }
    match serde_json::from_slice(&response.body) {
        Ok(Value::Array(rows)) => Ok(rows),
        _ => Err(unreadable("a list was not one")),
    }
}

fn unreadable(words: &str) -> Verdict {
    Verdict::refused(Refusal::Unreachable, Code::TrackerUnreadable, words)
}

const fn unchecked(id: i64) -> Hit {
    Hit { id, updated: String::new(), created: None, marked: true, of_another: false }
}

fn row_id(row: &Value, record_type: RecordType) -> Option<i64> {
    positive(row.get(match record_type {
        RecordType::Resource => "resourceId",
        RecordType::Contact => "contactId",
        RecordType::Lead => "leadId",
    }))
}

/// Whether a row can be an answer to this e-mail. ASSUMPTION U7: Tracker's filter is "contains", without regard to case.
fn row_mentions(row: &Value, email: &str) -> bool {
    let asked = normal(email);
    ["email", "otherEmail"].iter().filter_map(|name| row.get(*name)?.as_str()).any(|text| normal(text).contains(&asked))
}

fn row_has_email(row: &Value, email: &str) -> bool {
    ["email", "otherEmail"].iter().filter_map(|name| row.get(*name)?.as_str()).any(|text| normal(text) == normal(email))
}
