//! Tracker's answers: a line with the status, then a body that answers every request alike. What is called done has its
//! proof in the answer, and a record that a look finds stands in it.

use std::time::Duration;

use halt_tracker::clock::{Clock, Moment};
use halt_tracker::settings::{Api, RecordType};
use halt_tracker::tracker::client::Client;
use halt_tracker::tracker::hosts::Hosts;
use halt_tracker::tracker::lookup::Look;
use halt_tracker::tracker::outcome::{Verdict, of_change, of_read};
use halt_tracker::tracker::time::{iso, millis_of, seconds_of_http_date};
use halt_tracker::tracker::tokens::{Credentials, Token, TokenStore};
use halt_tracker::tracker::transport::{Failure, Request, Response, Transport};
use serde_json::Value;

pub fn read(bytes: &[u8]) -> bool {
    let (status, body) = super::line(bytes);
    let status = status.parse().unwrap_or(200);
    let response = Response { status, retry_after: None, date: None, body: body.to_vec() };
    let json: Option<Value> = serde_json::from_slice(body).ok();
    let mut taken = false;
    for widget in [true, false] {
        let verdict = of_change(Ok(response.clone()), widget);
        assert!(verdict.message().chars().count() <= 600 && !verdict.message().contains('\0'));
        if let Verdict::Done { id, .. } = verdict {
            assert!([200, 201].contains(&status) && id.is_none_or(|id| id > 0), "{status}");
            if widget || !body.trim_ascii().is_empty() {
                let json = json.as_ref().expect("done, and the answer is no JSON");
                assert!(!json.pointer("/success").is_some_and(|said| said == false) || widget, "done, and it says no");
            }
            taken = true;
        }
    }
    assert!(of_read(Ok(response.clone())).is_err() || [200, 201, 204].contains(&status), "{status}");
    look(&response, body);
    let text = String::from_utf8_lossy(body);
    if let Some(at) = millis_of(&text) {
        // Of four digits years come back as they were.
        let second = at - at.rem_euclid(1_000);
        assert!(!(0..=253_402_300_799_000).contains(&at) || millis_of(&iso(at)) == Some(second), "{at}");
        taken = true;
    }
    taken | seconds_of_http_date(&text).is_some()
}

/// What every look finds stands in the answer.
fn look(response: &Response, body: &[u8]) {
    let hosts = Hosts { oauth: "https://oauth.test".into(), api: "https://api.test".into() };
    let credentials = Credentials { api_token: Some(String::from("token").into()), ..Credentials::default() };
    let (mut tokens, mut always) = (Forgetful, Always(response.clone()));
    let mut client = Client::new(&hosts, Api::Rest, &credentials, &mut tokens, &mut always, &Still);
    let text = String::from_utf8_lossy(body).to_lowercase();
    let control = ("known@example.org".to_owned(), 7);
    for record_type in [RecordType::Resource, RecordType::Contact] {
        let found = client.find_person(record_type, "ada@example.org", "ht-marker", None, Some(&control));
        for hit in hits(found) {
            assert!(text.contains(&hit.to_string()) && (text.contains("example.org") || text.contains("\\u")), "{hit}");
        }
    }
    for hit in hits(client.find_lead("Ada – careers", "ht-marker")) {
        assert!(text.contains(&hit.to_string()), "{hit}");
    }
    if let Ok(Some(record)) = client.read_record(RecordType::Resource, 7) {
        let (_, _) = (record.has_email("ada@example.org"), record.has_marker("ht-marker"));
    }
    let _ = client.probe();
}

fn hits(look: Look) -> Vec<i64> {
    match look {
        Look::Clean(hits) | Look::Unclean { hits, .. } => hits.iter().map(|hit| hit.id).collect(),
        Look::Failed(_) | Look::Impossible => Vec::new(),
    }
}

struct Always(Response);
impl Transport for Always {
    fn send(&mut self, _: Request) -> Result<Response, Failure> {
        Ok(self.0.clone())
    }
}

struct Forgetful;
impl TokenStore for Forgetful {
    fn load(&mut self, _: &str) -> Option<Token> {
        None
    }
    fn save(&mut self, _: &str, _: &str, _: Option<i64>) -> Result<(), String> {
        Ok(())
    }
    fn forget(&mut self, _: &str) {}
}

struct Still;
impl Clock for Still {
    fn now(&self) -> Moment {
        Moment { wall: 1_772_366_400_000, boot: 1_000, boot_id: "boot".into() }
    }
    fn sleep(&self, _: Duration) {}
}
