//! What a test may look at afterwards: everything Tracker holds, every request it saw with the secrets taken out, and
//! the seed that a test may start from.

use super::office::Shelf;
use super::{Answer, Call, Fate, Kind, Record, Request, Tracker, codec};
use serde_json::{Map, Value, json};

const SECRETS: [&str; 12] = [
    "oauthtoken",
    "bearertoken",
    "password",
    "apikey",
    "client_secret",
    "refresh_token",
    "code",
    "access_token",
    "token",
    "secret",
    "authorization",
    "jwt",
];
const FILES: [&str; 3] = ["documentdata", "data", "filedata"];

/// Takes secrets out, and file contents too: they are in `documents`.
fn redact(value: &mut Value) {
    match value {
        Value::Array(list) => list.iter_mut().for_each(redact),
        Value::Object(members) => {
            for (name, inner) in members.iter_mut() {
                let name = name.to_ascii_lowercase();
                if SECRETS.contains(&name.as_str()) && inner.is_string() {
                    *inner = json!("***");
                } else if let (true, Some(text)) = (FILES.contains(&name.as_str()), inner.as_str()) {
                    *inner = json!(format!("<{} characters>", text.len()));
                } else {
                    redact(inner);
                }
            }
        }
        _ => {}
    }
}

fn readable(request: &Request) -> Value {
    if request.body.is_empty() {
        return Value::Null;
    }
    let form = request.header("content-type").is_some_and(|kind| kind.starts_with("application/x-www-form"));
    let mut body = if form {
        let fields = codec::form(&String::from_utf8_lossy(&request.body));
        fields.into_iter().map(|(name, value)| (name, json!(value))).collect::<Map<_, _>>().into()
    } else {
        // A body that is no JSON is only measured: it might hold anything.
        let unread = || json!(format!("<{} bytes that are not JSON>", request.body.len()));
        serde_json::from_slice(&request.body).unwrap_or_else(|_| unread())
    };
    redact(&mut body);
    body
}

impl Tracker {
    pub(super) fn remember(
        &mut self,
        request: &Request,
        call: &Call,
        fault: Option<&str>,
        answer: &Answer,
        at_ms: i64,
    ) {
        let fate = match answer.fate {
            Fate::Deliver => "deliver".to_owned(),
            Fate::Drop => "drop".to_owned(),
            Fate::CutBody(bytes) => format!("cut_body:{bytes}"),
            Fate::DelayMs(ms) => format!("delay:{ms}"),
        };
        // No status ever reached the caller when the connection was closed.
        let status = if answer.fate == Fate::Drop { 0 } else { answer.status };
        self.requests.push_back(json!({
            "at": codec::iso(at_ms, "Z"), "at_ms": at_ms, "method": request.method, "path": request.path,
            "api": format!("{:?}", call.api).to_lowercase(), "operation": call.operation, "status": status,
            "fate": fate, "fault": fault, "authorization": request.header("authorization").map(|_| "***"),
            "body": readable(request),
        }));
        while self.requests.len() as i64 > self.switches.keep_requests.max(0) {
            self.requests.pop_front();
            self.forgotten += 1;
        }
    }

    fn entry(&self, kind: Kind, record: &Record) -> Value {
        let mut out = Map::new();
        out.insert("id".to_owned(), json!(record.id));
        out.insert("created_at".to_owned(), json!(codec::iso(record.created, "Z")));
        out.insert("created_ms".to_owned(), json!(record.created));
        out.insert("updated_at".to_owned(), json!(codec::iso(record.updated, "Z")));
        out.insert("api".to_owned(), json!(record.api));
        // The details that tests ask for most, flat, under one name for both APIs.
        if kind != Kind::Activity {
            out.insert("email".to_owned(), json!(record.email()));
            out.insert("phone".to_owned(), json!(record.text("contactDetails.telephone")));
            out.insert("mobilePhone".to_owned(), json!(record.text("contactDetails.mobilePhone")));
        }
        if matches!(kind, Kind::Resource | Kind::Contact) {
            let company = [record.text("company"), record.text("currentClient.name")].concat();
            out.insert("company".to_owned(), json!(company));
        }
        record.body.iter().for_each(|(name, value)| {
            out.insert(name.clone(), value.clone());
        });
        Value::Object(out)
    }

    /// Everything Tracker holds and every request it saw.
    pub fn ledger(&self) -> Value {
        let list =
            |kind: Kind| -> Value { self.records[kind as usize].values().map(|r| self.entry(kind, r)).collect() };
        let documents: Vec<Value> = self
            .documents
            .iter()
            .map(|d| {
                json!({
                    "id": d.id, "created_at": codec::iso(d.created, "Z"), "api": d.api, "record_type": d.kind,
                    "record_id": d.record, "filename": d.filename, "document_type": d.document_type,
                    "primary": d.primary, "bytes": d.bytes, "sha256": d.sha256, "data": d.data,
                })
            })
            .collect();
        let listings: Vec<Value> = self
            .listings
            .iter()
            .map(|l| {
                json!({
                    "resource_id": l.resource, "opportunity_id": l.opportunity, "list": l.list, "by": l.by,
                    "source": l.source, "created_at": codec::iso(l.created, "Z"), "api": l.api,
                })
            })
            .collect();
        json!({
            "resources": list(Kind::Resource), "contacts": list(Kind::Contact), "leads": list(Kind::Lead),
            "activities": list(Kind::Activity), "documents": documents, "longlist": listings,
            "opportunities": self.all(Shelf::Job), "partner_records": self.all(Shelf::Partner), "webhooks": self.all(Shelf::Hook),
            "tokens": {
                "refreshes": self.auth.refreshes, "exchanges": self.auth.exchanges,
                "oauth": self.auth.oauth.len(), "jwt": self.auth.jwts.len(), "refresh": self.auth.refresh.len(),
            },
            "requests": self.requests.iter().cloned().collect::<Value>(), "requests_forgotten": self.forgotten,
            "breaches": self.breaches,
        })
    }

    /// Sets credentials (`credentials`, `revoke`) and puts records there (`resources`, `contacts`, `leads`,
    /// `activities`, in REST form, each with an optional `created_ms`). Answers with the new ids.
    pub fn seed(&mut self, seed: &Value, now_ms: i64) -> Result<Value, String> {
        let none = Map::new();
        let revoke = seed["revoke"].as_array().map(Vec::as_slice).unwrap_or_default();
        self.auth.seed(seed["credentials"].as_object().unwrap_or(&none), revoke)?;
        let mut made = json!({});
        let lists = [
            ("resources", Kind::Resource),
            ("contacts", Kind::Contact),
            ("leads", Kind::Lead),
            ("activities", Kind::Activity),
        ];
        for (name, kind) in lists {
            let mut ids = Vec::new();
            for record in seed[name].as_array().into_iter().flatten() {
                let mut body = record.as_object().cloned().ok_or_else(|| format!("{name} holds objects"))?;
                let created = body.remove("created_ms").and_then(|ms| ms.as_i64()).unwrap_or(now_ms);
                if let Some(email) = body.remove("email") {
                    let details = body.entry("contactDetails").or_insert_with(|| json!({}));
                    details["email"] = email;
                }
                ids.push(self.insert(kind, "seed", body, created));
            }
            made[name] = json!(ids);
        }
        Ok(made)
    }
}
