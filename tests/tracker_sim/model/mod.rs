//! A model of Tracker RMS that the product can be tried against without ever calling the real service. It is pure:
//! no input or output, no clock, no chance, so that a server can show it on loopback and a simulation can drive it on
//! virtual time. It answers for what is documented or was seen; everything else is a switch (see `switches`).
//!
//! Layout: `auth` tokens of three layers · `routes` which operation a request means · `rest` REST v1 writes and reads ·
//! `office` and `jobs` what it has around people · `shape` the members of its bodies · `search` REST searches · `widget`, `widget_more` and `lookups` the older API · `faults` the
//! fault plan · `contract` what may be sent · `ledger` what a test may look at afterwards · `codec` dates, base64, hashes.
#![allow(dead_code)]

mod auth;
mod codec;
pub mod contract;
mod faults;
mod jobs;
mod ledger;
mod lookups;
mod office;
mod rest;
mod routes;
mod search;
mod shape;
mod switches;
#[cfg(test)]
mod tests;
#[cfg(test)]
pub mod tests_contract;
#[cfg(test)]
mod tests_office;
#[cfg(test)]
mod tests_widget;
mod widget;
mod widget_more;

pub use routes::{Api, Call, Kind};
pub use switches::Switches;

use faults::Fault;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, VecDeque};

/// A request as it came off the wire; header names in lower case.
#[derive(Clone, Debug, Default)]
pub struct Request {
    pub method: String,
    pub path: String,
    pub query: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Request {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    fn bearer(&self) -> Option<&str> {
        let (scheme, token) = self.header("authorization")?.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
    }

    fn json(&self) -> Option<Map<String, Value>> {
        serde_json::from_slice(&self.body).ok()
    }
}

/// What happens to an answer on its way back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    Deliver,
    /// The connection is closed without an answer.
    Drop,
    /// Only so many bytes of the body arrive.
    CutBody(usize),
    DelayMs(u64),
}

/// An answer and its fate.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    pub fate: Fate,
}

impl Answer {
    fn text(status: u16, kind: &str, body: &str) -> Self {
        let headers = vec![("content-type".to_owned(), kind.to_owned())];
        Self { status, headers, body: body.as_bytes().to_vec(), fate: Fate::Deliver }
    }

    fn json(status: u16, body: &Value) -> Self {
        Self::text(status, "application/json; charset=utf-8", &body.to_string())
    }

    fn empty(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Vec::new(), fate: Fate::Deliver }
    }

    /// RFC 9457.
    fn problem(status: u16, detail: &str, errors: Option<Value>) -> Self {
        let title = match status {
            400 => "One or more validation errors occurred.",
            401 => "Unauthorized",
            403 => "Forbidden",
            404 => "Not Found",
            405 => "Method Not Allowed",
            413 => "Payload Too Large",
            429 => "Too Many Requests",
            503 => "Service Unavailable",
            _ => "An error occurred while processing your request.",
        };
        let mut body = json!({"type": format!("https://httpstatuses.io/{status}"), "title": title, "status": status, "detail": detail});
        if let Some(errors) = errors {
            body["errors"] = errors;
        }
        Self::text(status, "application/problem+json", &body.to_string())
    }

    /// The widget envelope: HTTP 200, the outcome inside.
    fn widget(status: i64, message: &str, more: Value) -> Self {
        let mut body = json!({"status": status, "message": message, "count": i64::from(status == 0)});
        for (name, value) in more.as_object().into_iter().flatten() {
            body[name] = value.clone();
        }
        Self::json(200, &body)
    }
}

/// One record, in the form of the REST bodies whichever API made it.
#[derive(Clone, Debug)]
pub struct Record {
    pub id: i64,
    pub created: i64,
    pub updated: i64,
    pub api: &'static str,
    pub body: Map<String, Value>,
    /// Both e-mails in small letters: with ten thousand people, searches compare little else.
    addresses: [String; 2],
}

#[derive(Clone, Debug)]
struct Document {
    id: i64,
    kind: &'static str,
    record: i64,
    filename: String,
    document_type: String,
    primary: bool,
    data: String,
    bytes: usize,
    sha256: String,
    created: i64,
    api: &'static str,
}

#[derive(Clone, Debug)]
struct Listing {
    resource: i64,
    opportunity: i64,
    list: &'static str,
    by: String,
    source: String,
    created: i64,
    api: &'static str,
}

/// The whole of one Tracker tenant.
#[derive(Default)]
pub struct Tracker {
    switches: Switches,
    auth: auth::Auth,
    records: [BTreeMap<i64, Record>; 4],
    documents: Vec<Document>,
    listings: Vec<Listing>,
    office: office::Office,
    requests: VecDeque<Value>,
    forgotten: u64,
    recent: VecDeque<i64>,
    breaches: Vec<String>,
    made: [i64; 5],
}

impl Tracker {
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty tenant, which still knows what was sent against the documents.
    pub fn reset(&mut self) {
        *self = Self { breaches: std::mem::take(&mut self.breaches), ..Self::default() };
    }

    /// Merges switches; see `switches` for their names.
    pub fn set_switches(&mut self, changes: &Value) -> Result<(), String> {
        self.switches.merge(changes)
    }

    pub fn switches(&self) -> Value {
        self.switches.show()
    }

    /// Answers one request at a moment (ms since 1970) and writes it into the ledger.
    pub fn handle(&mut self, request: &Request, now_ms: i64) -> Answer {
        let now = now_ms + self.switches.clock_skew_ms;
        let call = routes::route(request);
        if self.breaches.len() < 100 {
            self.breaches.extend(contract::breaches(request, &call));
        }
        let fault = Fault::take(&mut self.switches.faults, call.api, &call.operation);
        let mut answer = match &fault {
            None => self.answer(request, &call, now),
            Some(fault) => {
                let real = fault.applied.then(|| self.answer(request, &call, now));
                fault.spoil(call.api, real)
            }
        };
        if answer.fate == Fate::Deliver && self.switches.latency_ms > 0 {
            answer.fate = Fate::DelayMs(self.switches.latency_ms as u64);
        }
        if self.switches.answer_type != "application/json"
            || self.switches.problem_json_type != "application/problem+json"
        {
            self.retype(&mut answer);
        }
        answer.headers.push(("date".to_owned(), codec::http_date(now)));
        if self.switches.keep_requests > 0 {
            self.remember(request, &call, fault.as_ref().map(Fault::name), &answer, now_ms);
        }
        answer
    }

    fn answer(&mut self, request: &Request, call: &Call, now: i64) -> Answer {
        if request.body.len() as i64 > self.switches.body_limit {
            return Answer::problem(413, "Request body too large.", None);
        }
        if call.api != Api::OAuth && self.over_the_limit(now) {
            let mut answer = Answer::problem(429, "API calls quota exceeded.", None);
            if self.switches.retry_after {
                answer.headers.push(("retry-after".to_owned(), "60".to_owned()));
            }
            return answer;
        }
        match (call.api, call.operation.as_str()) {
            (_, "unknown") => Answer::problem(404, "There is nothing here.", None),
            (_, "wrong_method") => Answer::problem(405, "This path does not take this method.", None),
            (Api::OAuth, "authorize") => self.authorize(request),
            (Api::OAuth, _) => self.token(request, now),
            (Api::Rest, "exchange") => self.exchange(request, now),
            (Api::Rest, _) if !self.auth.jwt_works(request.bearer(), now) => {
                let mut answer = Answer::problem(401, "The token is missing, expired or not valid.", None);
                answer.headers.push(("www-authenticate".to_owned(), "Bearer error=\"invalid_token\"".to_owned()));
                answer
            }
            (Api::Rest, _) => self.rest(request, call, now),
            (Api::Widget, _) => self.widget(request, call, now),
        }
    }

    fn over_the_limit(&mut self, now: i64) -> bool {
        while self.recent.front().is_some_and(|at| *at <= now - 60_000) {
            self.recent.pop_front();
        }
        let limit = self.switches.rate_limit_per_min;
        let over = limit > 0 && self.recent.len() as i64 >= limit;
        if !over {
            self.recent.push_back(now);
        }
        over
    }

    fn retype(&self, answer: &mut Answer) {
        for (name, value) in answer.headers.iter_mut().filter(|(name, _)| name == "content-type") {
            debug_assert_eq!(name, "content-type");
            if value.starts_with("application/json") {
                *value = format!("{}; charset=utf-8", self.switches.answer_type);
            } else if value == "application/problem+json" {
                *value = self.switches.problem_json_type.clone();
            }
        }
    }

    fn date(&self, ms: i64) -> String {
        codec::iso(ms, if self.switches.date_zone == "z" { "Z" } else { "" })
    }

    fn next_id(&mut self, slot: usize) -> i64 {
        // Each kind starts elsewhere, so that an id used for the wrong kind finds nothing instead of a stranger.
        self.made[slot] += 1;
        [5000, 7000, 3000, 9000, 1100][slot] * if self.made[slot] < 1000 { 1 } else { 1000 } + self.made[slot]
    }

    fn insert(&mut self, kind: Kind, api: &'static str, body: Map<String, Value>, now: i64) -> i64 {
        let id = self.next_id(kind as usize);
        self.records[kind as usize].insert(id, Record::new(id, now, api, body));
        id
    }

    fn record(&self, kind: Kind, id: i64) -> Option<&Record> {
        self.records[kind as usize].get(&id)
    }

    /// The oldest record with this e-mail, without regard to letter case. An empty address matches nothing.
    fn by_email(&self, kind: Kind, email: &str) -> Option<i64> {
        let email = email.trim().to_lowercase();
        let mut records = self.records[kind as usize].values();
        records.find(|r| !email.is_empty() && r.addresses[0] == email).map(|r| r.id)
    }

    /// Are all records that a body links to really there?
    fn links_hold(&self, body: &Map<String, Value>) -> bool {
        let links = body.get("associations").and_then(Value::as_object);
        let kinds = [("resources", Kind::Resource), ("contacts", Kind::Contact), ("leads", Kind::Lead)];
        !self.switches.check_links
            || kinds.iter().all(|(name, kind)| {
                let list = links.and_then(|l| l.get(*name)).and_then(Value::as_array);
                list.into_iter()
                    .flatten()
                    .all(|item| item["id"].as_i64().is_some_and(|id| self.record(*kind, id).is_some()))
            })
    }

    fn attach(&mut self, document: Document) -> i64 {
        let id = self.next_id(4);
        self.documents.push(Document { id, ..document });
        id
    }

    /// Puts a candidate on a job's list; the error is what Tracker would say.
    fn enlist(&mut self, listing: Listing) -> Result<(), &'static str> {
        if self.switches.check_links {
            if self.record(Kind::Resource, listing.resource).is_none() {
                return Err("Resource not found");
            }
            if !self.has_job(listing.opportunity) {
                return Err("Opportunity not found");
            }
        }
        let there =
            |l: &Listing| (l.resource, l.opportunity, l.list) == (listing.resource, listing.opportunity, listing.list);
        if self.listings.iter().any(there) {
            let refuse = self.switches.longlist_twice == "refuse";
            return if refuse { Err("Resource is already on the list") } else { Ok(()) };
        }
        self.listings.push(listing);
        Ok(())
    }
}

impl Record {
    fn new(id: i64, now: i64, api: &'static str, body: Map<String, Value>) -> Self {
        let mut record = Self { id, created: now, updated: now, api, body, addresses: Default::default() };
        record.keep_addresses();
        record
    }

    /// Takes over what an update brings.
    fn change(&mut self, changes: Map<String, Value>, now: i64) {
        rest::merge(&mut self.body, changes);
        self.updated = now;
        self.keep_addresses();
    }

    fn keep_addresses(&mut self) {
        self.addresses = [self.email().to_lowercase(), self.text("otherEmail").to_lowercase()];
    }

    /// A member by its path, such as `contactDetails.email`; empty when it is not there or no text.
    fn text(&self, path: &str) -> &str {
        let mut parts = path.split('.');
        let first = parts.next().and_then(|name| self.body.get(name));
        parts.fold(first, |value, name| value.and_then(|v| v.get(name))).and_then(Value::as_str).unwrap_or("")
    }

    fn email(&self) -> &str {
        self.text("contactDetails.email").trim()
    }

    /// The name that Tracker shows.
    fn shown(&self) -> String {
        for name in ["name", "subject", "displayAs"] {
            if !self.text(name).is_empty() {
                return self.text(name).to_owned();
            }
        }
        format!("{} {}", self.text("firstName"), self.text("surname")).trim().to_owned()
    }
}
