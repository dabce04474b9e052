//! What REST v1 has around people, so that the model is whole: jobs with their short lists and applicants, a CV that becomes a
//! candidate, skills, the ids of other systems, call-backs that somebody subscribed, users and picklists. The product uses
//! none of it; it is here for whoever tries a client against this Tracker. Nothing is ever called back.

use super::shape::{self, Members};
use super::{Answer, Call, Kind, Request, Tracker, rest};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// What is kept besides records of people.
#[derive(Default)]
pub struct Office {
    pub(super) shelves: [BTreeMap<i64, Entry>; 3],
    /// By resource and skill.
    skills: BTreeMap<(i64, i64), Map<String, Value>>,
}

pub(super) struct Entry {
    created: i64,
    updated: i64,
    body: Map<String, Value>,
}

#[derive(Clone, Copy)]
pub(super) enum Shelf {
    Job,
    Partner,
    Hook,
}

/// The members of a request's body, for what is kept here.
pub fn shape_of(operation: &str) -> Option<&'static [Members]> {
    match operation {
        "create_opportunity" | "update_opportunity" => Some(&[shape::OPPORTUNITY]),
        "create_partner_record" | "update_partner_record" => Some(&[shape::PARTNER]),
        "create_webhook" | "update_webhook" => Some(&[shape::HOOK]),
        "create_from_resume" => Some(&[shape::RESUME]),
        "shortlist" => Some(&[shape::SHORTLIST]),
        "add_skills" | "set_skills" => Some(&[shape::SKILLS]),
        _ => None,
    }
}

const ACTIONS: [&str; 3] = ["Created", "Updated", "Deleted"];

pub(super) fn rows(rows: Vec<Value>) -> Answer {
    if rows.is_empty() { Answer::empty(204) } else { Answer::json(200, &Value::Array(rows)) }
}

impl Tracker {
    /// The answer, if the operation is one of these.
    pub(super) fn office(&mut self, request: &Request, call: &Call, now: i64) -> Option<Answer> {
        let body = match shape_of(&call.operation) {
            None => Map::new(),
            Some(tables) => match self.read_body(request, tables) {
                Ok(body) => body,
                Err(answer) => return Some(answer),
            },
        };
        let id = call.id;
        Some(match call.operation.as_str() {
            "create_opportunity" => self.shelve(Shelf::Job, body, now),
            "update_opportunity" => self.reshelve(Shelf::Job, id, body, now),
            "delete_opportunity" => self.unshelve(Shelf::Job, id),
            "get_opportunity" => self.shown(Shelf::Job, id),
            "search_opportunity" => self.search_jobs(request),
            "get_applicants" => self.applicants(id),
            "shortlist" => self.shortlist(&body, now),
            "get_shortlist" => self.on_shortlist(id),
            "delete_shortlist" => self.unlist(id, call.other_id, "short"),
            "create_from_resume" => self.resume_becomes(&body, now),
            "create_partner_record" => self.create_partner(body, now),
            "update_partner_record" => self.reshelve(Shelf::Partner, id, body, now),
            "delete_partner_record" => self.unshelve(Shelf::Partner, id),
            "search_partner_record" => self.search_partners(request),
            "get_partner_record" => self.partners_of(request, call.other_id),
            "create_webhook" => self.shelve(Shelf::Hook, body, now),
            "update_webhook" => {
                let id = body.get("id").and_then(Value::as_i64).unwrap_or(0);
                self.reshelve(Shelf::Hook, id, body, now)
            }
            "delete_webhook" => self.unshelve(Shelf::Hook, id),
            "get_webhook" => self.shown(Shelf::Hook, id),
            "list_webhooks" => rows(self.all(Shelf::Hook)),
            "get_webhook_actions" => rows(self.all(Shelf::Hook).into_iter().filter(|hook| hook["id"] == id).collect()),
            "webhook_meta" => {
                rows(ACTIONS.iter().enumerate().map(|(at, name)| json!({"id": at + 1, "action": name})).collect())
            }
            "get_skills" | "get_skill" => self.skills(call),
            "add_skills" | "set_skills" => self.keep_skills(call, &body),
            "delete_skills" | "delete_skill" => self.drop_skills(call),
            "get_user" if id == 1 => Answer::json(
                200,
                &json!({"id": 1, "username": "sim", "fullname": "Simulated User", "email": "user@example.org"}),
            ),
            "search_user" => rows(vec![
                json!({"userId": 1, "username": "sim", "fullName": "Simulated User", "email": "user@example.org"}),
            ]),
            "record_types" => Answer::json(
                200,
                &json!({"resource": "Candidate", "contact": "Contact", "lead": "Lead", "opportunity": "Job", "client": "Client", "activity": "Activity"}),
            ),
            "custom_field_list" if id == 1 => Answer::json(
                200,
                &json!({"listName": "Colours", "listId": 1, "listEntries": [{"fieldValueId": 1, "value": "Blue"}]}),
            ),
            "document_folders" => rows(vec![json!({"id": 1, "name": "General"})]),
            "get_user" | "custom_field_list" => Answer::empty(204),
            _ => return None,
        })
    }

    /// What other systems call a record.
    pub(super) fn partner_records(&self, kind: Kind, record: i64) -> Vec<Value> {
        let mut all = self.all(Shelf::Partner);
        all.retain(|one| {
            one["recordType"].as_str().is_some_and(|name| name.eq_ignore_ascii_case(kind.title()))
                && one["recordId"] == record
        });
        all
    }

    fn shelve(&mut self, shelf: Shelf, body: Map<String, Value>, now: i64) -> Answer {
        Answer::json(201, &rest::done(self.keep(shelf, body, now), "Created"))
    }

    pub(super) fn keep(&mut self, shelf: Shelf, body: Map<String, Value>, now: i64) -> i64 {
        let entries = &mut self.office.shelves[shelf as usize];
        let id = entries.keys().next_back().map_or([8000, 400, 600][shelf as usize], |last| *last) + 1;
        entries.insert(id, Entry { created: now, updated: now, body });
        id
    }

    fn reshelve(&mut self, shelf: Shelf, id: i64, body: Map<String, Value>, now: i64) -> Answer {
        let Some(entry) = self.office.shelves[shelf as usize].get_mut(&id) else { return Answer::empty(204) };
        rest::merge(&mut entry.body, body);
        entry.updated = now;
        Answer::json(200, &rest::done(id, "Updated"))
    }

    fn unshelve(&mut self, shelf: Shelf, id: i64) -> Answer {
        match self.office.shelves[shelf as usize].remove(&id) {
            Some(_) => Answer::json(200, &rest::done(id, "Deleted")),
            None => Answer::empty(204),
        }
    }

    pub(super) fn all(&self, shelf: Shelf) -> Vec<Value> {
        let shown = |(id, entry): (&i64, &Entry)| {
            let mut out = Value::Object(entry.body.clone());
            out["id"] = json!(id);
            let (created, updated) = (self.date(entry.created), self.date(entry.updated));
            match shelf {
                Shelf::Job => out["history"] = json!({"created": created, "updated": updated}),
                Shelf::Hook => {
                    (out["userId"], out["created"], out["updated"]) = (json!(1), json!(created), json!(updated));
                }
                Shelf::Partner => {}
            }
            out
        };
        self.office.shelves[shelf as usize].iter().map(shown).collect()
    }

    fn shown(&self, shelf: Shelf, id: i64) -> Answer {
        self.all(shelf)
            .into_iter()
            .find(|one| one["id"] == id)
            .map_or(Answer::empty(204), |one| Answer::json(200, &one))
    }

    fn create_partner(&mut self, body: Map<String, Value>, now: i64) -> Answer {
        let number = |name: &str| body.get(name).and_then(Value::as_i64).unwrap_or(0);
        let kind = Kind::ALL.into_iter().find(|kind| {
            body.get("recordType").and_then(Value::as_str).is_some_and(|name| name.eq_ignore_ascii_case(kind.title()))
        });
        let there = kind.is_some_and(|kind| self.record(kind, number("recordId")).is_some());
        // ASSUMPTION: a partner that the account does not have, and a record that is not there, are refused.
        if number("partnerId") != rest::PARTNER || (self.switches.check_links && !there) {
            return Answer::problem(400, "The partner or the record does not exist.", None);
        }
        self.shelve(Shelf::Partner, body, now)
    }

    fn search_partners(&self, request: &Request) -> Answer {
        let filter = request.json().unwrap_or_default();
        let mut found = self.all(Shelf::Partner);
        found.retain(|one| {
            ["partnerId", "recordId", "recordType"]
                .iter()
                .all(|name| filter.get(*name).is_none_or(|wanted| one[*name] == *wanted))
                && filter.get("partnerTypeId").is_none_or(|wanted| one["partnerRecordId"] == *wanted)
        });
        let row = |one: &Value| json!({"partnerRecordTypeId": one["id"], "partnerId": one["partnerId"], "partnerTypeId": one["partnerRecordId"], "internalRecordTypeId": one["recordId"].to_string()});
        self.page(found.iter().map(row).collect(), &filter)
    }

    /// By the other system's own id, which stands in the path.
    fn partners_of(&self, request: &Request, partner: i64) -> Answer {
        let wanted = request.path.split('/').filter(|part| !part.is_empty()).nth(3).unwrap_or("");
        let mut found = self.all(Shelf::Partner);
        found.retain(|one| {
            one["partnerId"] == partner
                && one["partnerRecordId"].as_str().is_some_and(|id| id.eq_ignore_ascii_case(wanted))
        });
        rows(found)
    }

    fn skills(&self, call: &Call) -> Answer {
        let own = self.office.skills.iter().filter(|((resource, _), _)| *resource == call.id);
        let mut found: Vec<&Map<String, Value>> = own.map(|(_, skill)| skill).collect();
        if call.operation == "get_skill" {
            found.retain(|skill| skill.get("skillId") == Some(&json!(call.other_id)));
            return found.first().map_or(Answer::empty(204), |skill| Answer::json(200, &json!(skill)));
        }
        if found.is_empty() { Answer::empty(204) } else { Answer::json(200, &json!({"skills": found})) }
    }

    fn keep_skills(&mut self, call: &Call, body: &Map<String, Value>) -> Answer {
        if self.record(Kind::Resource, call.id).is_none() {
            return Answer::empty(204);
        }
        if call.operation == "set_skills" {
            self.office.skills.retain(|(resource, _), _| *resource != call.id);
        }
        for skill in body.get("skills").and_then(Value::as_array).into_iter().flatten() {
            let Some(id) = skill["skillId"].as_i64() else {
                return Answer::problem(400, "A skill needs its id.", None);
            };
            self.office.skills.insert((call.id, id), skill.as_object().cloned().unwrap_or_default());
        }
        let status = if call.operation == "set_skills" { 200 } else { 201 };
        Answer::json(status, &rest::done(call.id, "Skills kept"))
    }

    fn drop_skills(&mut self, call: &Call) -> Answer {
        let before = self.office.skills.len();
        let gone = |resource: i64, skill: i64| {
            resource == call.id && (call.operation == "delete_skills" || skill == call.other_id)
        };
        self.office.skills.retain(|(resource, skill), _| !gone(*resource, *skill));
        if self.office.skills.len() == before {
            Answer::empty(204)
        } else {
            Answer::json(200, &rest::done(call.id, "Skills removed"))
        }
    }
}
