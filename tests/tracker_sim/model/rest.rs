//! REST v1: creates, reads, updates, deletes, documents and long lists, with Tracker's habits (201 and an id on
//! create, 204 instead of 404, unknown members dropped, lists replaced by PATCH).

use super::{Answer, Call, Document, Kind, Listing, Record, Request, Tracker, codec, shape};
use serde_json::{Map, Value, json};

/// The one partner that this account has.
pub(super) const PARTNER: i64 = 1;

pub(super) fn done(id: i64, message: &str) -> Value {
    json!({"id": id, "success": true, "message": message})
}

fn invalid(detail: &str, members: &[String], why: &str) -> Answer {
    let errors: Map<String, Value> = members.iter().map(|m| (format!("$.{m}"), json!([why]))).collect();
    Answer::problem(400, detail, (!errors.is_empty()).then_some(Value::Object(errors)))
}

/// Objects are merged, everything else is replaced: lists too.
pub(super) fn merge(into: &mut Map<String, Value>, from: Map<String, Value>) {
    for (name, value) in from {
        match (into.get_mut(&name), value) {
            (Some(Value::Object(old)), Value::Object(new)) => merge(old, new),
            (_, value) => {
                into.insert(name, value);
            }
        }
    }
}

impl Tracker {
    pub(super) fn rest(&mut self, request: &Request, call: &Call, now: i64) -> Answer {
        if let Some(answer) = self.office(request, call, now) {
            return answer;
        }
        let operation = call.operation.as_str();
        let verb = operation.split('_').next().unwrap_or("");
        match (operation, verb, call.kind) {
            ("metadata", ..) => Answer::json(200, &metadata()),
            ("attach_document", _, Some(kind)) => self.rest_attach(request, kind, now),
            ("list_documents", ..) => self.list_documents(call.id),
            ("get_document", ..) => self.get_document(call.id, call.other_id),
            ("longlist", ..) => self.rest_longlist(request, now),
            ("get_longlist", ..) => self.get_longlist(call.id),
            ("delete_longlist", ..) => self.unlist(call.id, call.other_id, "long"),
            (_, "create", Some(kind)) => self.rest_create(request, kind, now),
            (_, "search", Some(kind)) => self.search(request, kind, call.other_id == 1, now),
            (_, "get", Some(kind)) => match self.record(kind, call.id) {
                Some(record) => Answer::json(200, &self.detail(kind, record)),
                None => Answer::empty(204),
            },
            (_, "update", Some(kind)) => self.rest_update(request, kind, call.id, now),
            (_, "delete", Some(kind)) => match self.records[kind as usize].remove(&call.id) {
                Some(_) => Answer::json(200, &done(call.id, "Deleted")),
                None => Answer::empty(204),
            },
            _ => Answer::problem(404, "There is nothing here.", None),
        }
    }

    /// The members that Tracker keeps of a body, or the 400 it answers.
    pub(super) fn read_body(&self, request: &Request, tables: &[shape::Members]) -> Result<Map<String, Value>, Answer> {
        let kind = request.header("content-type").unwrap_or("").to_ascii_lowercase();
        if !kind.contains("json") {
            return Err(Answer::problem(415, "The media type is not supported.", None));
        }
        let Some(body) = request.json() else {
            return Err(Answer::problem(400, "The body is not a JSON object.", None));
        };
        let mut findings = shape::Findings::default();
        let kept = shape::keep(&body, tables, "", &mut findings);
        if self.switches.strict_types && !findings.wrong.is_empty() {
            return Err(invalid(
                "A member has the wrong type.",
                &findings.wrong,
                "The JSON value could not be converted.",
            ));
        }
        if self.switches.strict_members && !findings.unknown.is_empty() {
            return Err(invalid("A member is not known.", &findings.unknown, "Unknown member."));
        }
        Ok(kept)
    }

    fn rest_create(&mut self, request: &Request, kind: Kind, now: i64) -> Answer {
        let body = match self.read_body(request, shape::of(kind)) {
            Ok(body) => body,
            Err(answer) => return answer,
        };
        if !self.links_hold(&body) {
            return Answer::problem(400, "An associated record does not exist.", None);
        }
        if self.switches.create_returns == "204" {
            return Answer::empty(204);
        }
        let id = self.insert(kind, "rest", body, now);
        let answer = done(id, &format!("{} created", kind.title()));
        match self.switches.create_returns.as_str() {
            "200" => Answer::json(200, &answer),
            "200_empty" => Answer::empty(200),
            _ => Answer::json(201, &answer),
        }
    }

    fn rest_update(&mut self, request: &Request, kind: Kind, id: i64, now: i64) -> Answer {
        let body = match self.read_body(request, shape::of(kind)) {
            Ok(body) => body,
            Err(answer) => return answer,
        };
        if !self.links_hold(&body) {
            return Answer::problem(400, "An associated record does not exist.", None);
        }
        let Some(record) = self.records[kind as usize].get_mut(&id) else { return Answer::empty(204) };
        record.change(body, now);
        Answer::json(200, &done(id, &format!("{} updated", kind.title())))
    }

    /// The read model: what was stored, the id, and the history by which a client knows its own record.
    pub(super) fn detail(&self, kind: Kind, record: &Record) -> Value {
        let mut out = Map::new();
        out.insert("id".to_owned(), json!(record.id));
        if kind == Kind::Resource {
            out.insert("resourceId".to_owned(), json!(record.id));
        }
        out.insert("name".to_owned(), json!(record.shown()));
        out.insert("typeName".to_owned(), json!(kind.title()));
        for (name, value) in record.body.iter().filter(|(name, _)| *name != "history") {
            match (kind, name.strip_suffix("DateTime")) {
                // An activity's moments are read in two halves.
                (Kind::Activity, Some(half)) => {
                    let ms = value.as_str().and_then(codec::parse_date);
                    let text = ms.map_or(String::new(), |ms| codec::iso(ms, ""));
                    out.insert(format!("{half}Date"), json!(text.get(..10).unwrap_or("")));
                    out.insert(format!("{half}Time"), json!(text.get(11..16).unwrap_or("")));
                }
                _ => {
                    out.insert(name.clone(), value.clone());
                }
            }
        }
        if kind == Kind::Resource {
            out.insert("offLimits".to_owned(), json!(false));
            out.insert("partnerRecords".to_owned(), json!(self.partner_records(kind, record.id)));
        }
        let (created, updated) = (self.date(record.created), self.date(record.updated));
        let history = json!({"created": created, "closed": null, "updated": updated, "updatedBy": "Simulated User"});
        out.insert("history".to_owned(), history);
        Value::Object(out)
    }

    fn rest_attach(&mut self, request: &Request, kind: Kind, now: i64) -> Answer {
        let body = match self.read_body(request, &[shape::DOCUMENT]) {
            Ok(body) => body,
            Err(answer) => return answer,
        };
        let text = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or("").to_owned();
        let document = self.document(
            kind,
            body.get("recordId").and_then(Value::as_i64).unwrap_or(0),
            [text("filename"), text("documentType"), text("documentData")],
            body.get("isPrimary").and_then(Value::as_bool).unwrap_or(false),
            ("rest", now),
        );
        match document {
            Err(why) => Answer::problem(400, why, None),
            Ok(document) => {
                let record = document.record;
                let id = self.attach(document);
                let id = match self.switches.attach_id.as_str() {
                    "record" => json!(record),
                    "none" => json!(0),
                    _ => json!(id),
                };
                Answer::json(201, &json!({"id": id, "success": true, "message": "Document attached"}))
            }
        }
    }

    /// Checks a document for both APIs. `texts` are file name, document type and base64 data.
    pub(super) fn document(
        &self,
        kind: Kind,
        record: i64,
        texts: [String; 3],
        primary: bool,
        made: (&'static str, i64),
    ) -> Result<Document, &'static str> {
        let [filename, document_type, data] = texts;
        if self.switches.check_links && self.record(kind, record).is_none() {
            return Err("The record does not exist.");
        }
        if filename.is_empty() {
            return Err("The file name is missing.");
        }
        let content = codec::base64_decode(&data).ok_or("The document data is not base64.")?;
        if content.is_empty() {
            return Err("The document is empty.");
        }
        let (bytes, sha256) = (content.len(), codec::sha256_hex(&content));
        let (api, created) = made;
        let kind = kind.name();
        Ok(Document { id: 0, kind, record, filename, document_type, primary, data, bytes, sha256, created, api })
    }

    fn document_row(&self, document: &Document) -> Value {
        let created = (self.switches.document_dates == "given").then(|| self.date(document.created));
        let by = json!({"createdOn": created, "createdByUserId": 1, "createdByDisplayName": "Simulated User"});
        json!({
            "documentId": document.id, "filename": document.filename, "isPrimary": document.primary,
            "documentType": document.document_type, "description": null, "folderId": null,
            "fileType": document.filename.rsplit_once('.').map_or("", |(_, end)| end), "history": by,
        })
    }

    fn list_documents(&self, id: i64) -> Answer {
        let own = self.documents.iter().filter(|d| d.kind == "resource" && d.record == id);
        let rows: Vec<Value> = own.map(|d| self.document_row(d)).collect();
        if rows.is_empty() { Answer::empty(204) } else { Answer::json(200, &Value::Array(rows)) }
    }

    fn get_document(&self, record: i64, id: i64) -> Answer {
        let mut own = self.documents.iter().filter(|d| d.kind == "resource" && d.record == record);
        match own.find(|d| d.id == id) {
            None => Answer::empty(204),
            Some(document) => {
                let mut row = self.document_row(document);
                row["filecontent"] = json!(document.data);
                Answer::json(200, &row)
            }
        }
    }

    fn rest_longlist(&mut self, request: &Request, now: i64) -> Answer {
        let body = match self.read_body(request, &[shape::LONGLIST]) {
            Ok(body) => body,
            Err(answer) => return answer,
        };
        let number = |name: &str| body.get(name).and_then(Value::as_i64).unwrap_or(0);
        let listing = Listing {
            resource: number("resourceId"),
            opportunity: number("opportunityId"),
            list: "long",
            by: "user".to_owned(),
            source: String::new(),
            created: now,
            api: "rest",
        };
        match self.enlist(listing) {
            Err(why) => Answer::problem(400, why, None),
            // Tracker answers with an array here, and only here.
            Ok(()) => Answer::json(201, &json!([done(number("resourceId"), "Added to longlist")])),
        }
    }

    fn get_longlist(&self, opportunity: i64) -> Answer {
        let on = self.listings.iter().filter(|l| l.opportunity == opportunity && l.list == "long");
        let row = |(rank, l): (usize, &Listing)| json!({"resourceId": l.resource, "opportunityId": l.opportunity, "rank": rank + 1, "status": ""});
        let rows: Vec<Value> = on.enumerate().map(row).collect();
        if rows.is_empty() { Answer::empty(204) } else { Answer::json(200, &Value::Array(rows)) }
    }
}

/// Picklists: enough of them for a settings screen and a connection test.
fn metadata() -> Value {
    let named = |names: &[&str]| -> Value {
        names.iter().enumerate().map(|(at, name)| json!({"id": at + 1, "name": name})).collect()
    };
    let statuses = |names: &[&str]| -> Value {
        let entry = |(at, name): (usize, &&str)| json!({"id": at + 1, "name": name, "state": "open", "order": at + 1});
        names.iter().enumerate().map(entry).collect()
    };
    let field = |association: &str, id: i64, name: &str| json!({"association": association, "id": id, "name": name, "type": "Text", "listId": 0});
    json!({
        "documentTypes": named(&["doc", "docx", "pdf"]),
        "resourceStatuses": statuses(&["New", "Available", "Placed"]),
        "contactStatuses": statuses(&["Prospect", "Active"]),
        "leadStatuses": statuses(&["New", "Qualified"]),
        "activityStatuses": statuses(&["Open", "Complete"]),
        "opportunityStatuses": statuses(&["Open", "Filled"]),
        "opportunityResourceStatuses": statuses(&["Longlisted", "Shortlisted"]),
        "leadSources": named(&["Website", "Referral"]),
        "resourceSources": named(&["Website", "Job board"]),
        "departments": named(&["Technology", "Finance"]),
        "taskTypes": named(&["Telephone", "Email", "Meeting"]),
        "userTeams": named(&["Team A"]),
        "partnerTypes": [{"id": PARTNER, "name": "Website"}],
        "customFields": [
            field("Resource", 123, "Submission"), field("Contact", 124, "Submission"),
            field("Lead", 125, "Submission"), field("Activity", 126, "Submission"),
        ],
    })
}
