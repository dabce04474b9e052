//! Jobs as REST v1 has them: found by a search, with a short list, applicants, and a CV that becomes a candidate.

use super::office::{Shelf, rows};
use super::{Answer, Kind, Listing, Record, Request, Tracker, codec, rest, search};
use serde_json::{Map, Value, json};

impl Tracker {
    /// Whether a job can be linked to: one that was made here, or one that a test says is there.
    pub(super) fn has_job(&self, id: i64) -> bool {
        let told = &self.switches.known_opportunities;
        id > 0 && (told.is_empty() || told.contains(&id) || self.office.shelves[Shelf::Job as usize].contains_key(&id))
    }

    /// Rows are flat, and say y and n, empty text and 0 where the detail has booleans and nothing.
    pub(super) fn search_jobs(&self, request: &Request) -> Answer {
        let filter = request.json().unwrap_or_default();
        let wanted = filter.get("searchTerm").and_then(Value::as_str).unwrap_or("").to_lowercase();
        let online = filter.get("publishOnline").and_then(Value::as_bool);
        let mut jobs = self.all(Shelf::Job);
        jobs.retain(|job| {
            let text = job["name"].as_str().unwrap_or("").to_lowercase();
            text.contains(&wanted)
                && online.is_none_or(|is| job["advertDetails"]["publishOnline"].as_bool().unwrap_or(false) == is)
        });
        let row = |job: &Value| {
            let text = |value: &Value| json!(value.as_str().unwrap_or(""));
            json!({
                "opportunityId": job["id"], "opportunityName": text(&job["name"]), "clientId": job["client"]["id"].as_i64().unwrap_or(0),
                "clientName": text(&job["client"]["name"]), "location": text(&job["location"]), "active": "y",
                "startDate": text(&job["startDateTime"]), "endDate": text(&job["endDateTime"]), "estimatedValue": job["estimatedValue"].as_f64().unwrap_or(0.0),
                "publishOnline": search::yes(job["advertDetails"].get("publishOnline")), "publishTitle": text(&job["advertDetails"]["title"]),
                "lastUpdatedDateTime": text(&job["history"]["updated"]), "customFields": [],
            })
        };
        self.page(jobs.iter().map(row).collect(), &filter)
    }

    pub(super) fn applicants(&self, job: i64) -> Answer {
        let applied = self.listings.iter().filter(|one| one.opportunity == job && one.by == "resource");
        rows(applied.filter_map(|one| {
            let person = self.record(Kind::Resource, one.resource)?;
            let text = |path: &str| json!(person.text(path));
            Some(json!({
                "resourceId": person.id, "firstname": text("firstName"), "surname": text("surname"), "email": text("contactDetails.email"),
                "telephone": text("contactDetails.telephone"), "applicationDate": self.date(one.created),
            }))
        }).collect())
    }

    pub(super) fn shortlist(&mut self, body: &Map<String, Value>, now: i64) -> Answer {
        let resource = body.get("resourceId").and_then(Value::as_i64).unwrap_or(0);
        let source = body.get("placementSource").and_then(Value::as_str).unwrap_or("").to_owned();
        let jobs: Vec<i64> = body
            .get("opportunityIds")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_i64)
            .collect();
        for opportunity in &jobs {
            let listing = Listing {
                resource,
                opportunity: *opportunity,
                list: "short",
                by: "user".to_owned(),
                source: source.clone(),
                created: now,
                api: "rest",
            };
            if let Err(why) = self.enlist(listing) {
                return Answer::problem(400, why, None);
            }
        }
        let name = self.record(Kind::Resource, resource).map_or(String::new(), Record::shown);
        Answer::json(
            201,
            &json!({
                "success": true, "namedAccount": "", "namedResource": name, "namedOpportunity": "", "reason": "",
                "opportunityResourceId": self.listings.len(), "placementSource": source,
            }),
        )
    }

    pub(super) fn on_shortlist(&self, job: i64) -> Answer {
        let on = self.listings.iter().enumerate().filter(|(_, one)| one.opportunity == job && one.list == "short");
        rows(on.map(|(at, one)| json!({
            "opportunityResourceId": at + 1, "resourceId": one.resource, "resourceStatusId": 0, "opportunityResourceStatusId": 2,
            "displayAs": self.record(Kind::Resource, one.resource).map_or(String::new(), Record::shown),
        })).collect())
    }

    pub(super) fn unlist(&mut self, job: i64, resource: i64, list: &str) -> Answer {
        let before = self.listings.len();
        self.listings.retain(|one| !(one.opportunity == job && one.resource == resource && one.list == list));
        if self.listings.len() == before {
            return Answer::empty(204);
        }
        Answer::json(200, &rest::done(resource, &format!("Removed from {list}list")))
    }

    /// A CV becomes a candidate, and goes onto the list of a job that is named. Nothing is read in the file: without other
    /// words the candidate is called as the file is.
    pub(super) fn read_resume(
        &mut self,
        fields: Map<String, Value>,
        file: [String; 2],
        job: (&str, &str, &str),
        made: (&'static str, i64),
    ) -> Result<i64, &'static str> {
        let [filename, data] = file;
        if codec::base64_decode(&data).is_none_or(|content| content.is_empty()) || filename.is_empty() {
            return Err("There is no file.");
        }
        let name = filename.rsplit_once('.').map_or(filename.as_str(), |(stem, _)| stem).to_owned();
        let mut fields = fields;
        if !["firstName", "surname", "displayAs"].iter().any(|name| fields.contains_key(*name)) {
            fields.insert("surname".to_owned(), json!(name));
        }
        let (api, now) = made;
        let id = self.insert(Kind::Resource, api, fields, now);
        if let Ok(document) = self.document(Kind::Resource, id, [filename, "resume".to_owned(), data], true, made) {
            self.attach(document);
        }
        let (opportunity, list, source) = job;
        if let Ok(opportunity) = opportunity.parse() {
            let list = if list == "short" { "short" } else { "long" };
            let (by, source) = ("user".to_owned(), source.to_owned());
            // What happens when the job is unknown is not documented; the candidate is there in any case.
            let _ = self.enlist(Listing { resource: id, opportunity, list, by, source, created: now, api });
        }
        Ok(id)
    }

    pub(super) fn resume_becomes(&mut self, body: &Map<String, Value>, now: i64) -> Answer {
        let text = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or("").to_owned();
        let mut fields = Map::new();
        fields.insert("source".to_owned(), json!(text("resourceSource")));
        let (job, list, source) = (text("opportunityId"), text("list"), text("source"));
        let file = [text("fileName"), text("fileData")];
        match self.read_resume(fields, file, (&job, &list, &source), ("rest", now)) {
            Err(why) => Answer::problem(400, why, None),
            Ok(id) => Answer::json(
                201,
                &json!({"success": true, "resourceId": id, "returnCode": "", "returnDescription": "", "returnAction": ""}),
            ),
        }
    }
}
