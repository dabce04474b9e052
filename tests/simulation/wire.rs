//! The network between the relay and the model of Tracker: it refuses, drops, delays, lies, and crashes the relay.

use std::cell::RefCell;
use std::io::Read;
use std::rc::Rc;

use halt_tracker::codes::Code;
use halt_tracker::tracker::transport::{Body, Failure, Request, Response, Transport};

use crate::model::{self, Fate, Tracker};
use crate::world::{Dice, Virtual};

const PATIENCE_MS: u64 = 30_000;

/// What the network does to a request beyond the model's own fault plan, in percent.
#[derive(Clone, Copy, Default, Debug)]
pub struct Weather {
    pub refuse: u64,
    pub drop_before: u64,
    pub drop_after: u64,
    pub error_before: u64,
    pub error_after: u64,
    pub garbage: u64,
    /// Applied this long after the sender gave up.
    pub late: u64,
    /// Nothing but creates of records meets the weather.
    pub only_creates: bool,
}

/// The way to the model.
pub struct Wire {
    pub tracker: Rc<RefCell<Tracker>>,
    pub clock: Rc<Virtual>,
    pub dice: Dice,
    pub weather: Weather,
    pub latency_ms: i64,
    /// Requests that reach Tracker later: when, and what.
    pub underway: Vec<(i64, model::Request)>,
    pub sent: u64,
    /// Creates of records that reached Tracker after their sender had given up.
    pub late_creates: usize,
}

impl Wire {
    fn deliver(&mut self, request: &model::Request) -> model::Answer {
        self.tracker.borrow_mut().handle(request, self.clock.wall())
    }

    /// Lets requests arrive whose time has come.
    pub fn arrive(&mut self) {
        let now = self.clock.wall();
        let (due, later) = std::mem::take(&mut self.underway).into_iter().partition(|(at, _)| *at <= now);
        self.underway = later;
        let due: Vec<(i64, model::Request)> = due;
        for (_, request) in due {
            self.late_creates += usize::from(creates_record(&request.path));
            self.deliver(&request);
        }
    }
}

impl Transport for Wire {
    fn send(&mut self, request: Request) -> Result<Response, Failure> {
        self.clock.crash_point();
        self.clock.advance(self.latency_ms);
        self.arrive();
        self.sent += 1;
        let calm = self.weather.only_creates && !creates_record(&request.url);
        let spared = self.weather;
        if calm {
            self.weather = Weather::default();
        }
        let result = self.meet(request);
        self.weather = spared;
        result
    }
}

impl Wire {
    fn meet(&mut self, request: Request) -> Result<Response, Failure> {
        let lost = || Err(Failure::Lost("connection closed".into()));
        if self.dice.chance(self.weather.refuse) {
            return Err(Failure::NotSent(Code::TrackerUnreachable, "refused".into()));
        }
        let is_change = is_change(&request.url);
        let request = plain(request);
        let weather = if is_change { self.weather } else { Weather { garbage: 0, late: 0, ..self.weather } };
        if self.dice.chance(weather.drop_before) {
            return lost();
        }
        if self.dice.chance(weather.late) {
            let delay = 1_000 * (60 + self.dice.below(4 * 3_600)) as i64;
            self.underway.push((self.clock.wall() + delay, request));
            return lost();
        }
        if self.dice.chance(weather.error_before) {
            return Ok(Response {
                status: [500, 502, 503][self.dice.below(3) as usize],
                retry_after: None,
                date: None,
                body: b"{}".to_vec(),
            });
        }
        let answer = self.deliver(&request);
        self.clock.crash_point();
        if self.dice.chance(weather.drop_after) {
            return lost();
        }
        if self.dice.chance(weather.error_after) {
            return Ok(Response { status: 500, retry_after: None, date: None, body: b"{}".to_vec() });
        }
        if self.dice.chance(weather.garbage) {
            return Ok(Response { status: 200, retry_after: None, date: None, body: b"<html>".to_vec() });
        }
        let retry_after =
            answer.headers.iter().find(|(name, _)| name == "retry-after").and_then(|(_, value)| value.parse().ok());
        let date = answer.headers.iter().find(|(name, _)| name == "date");
        let date = date.and_then(|(_, value)| halt_tracker::tracker::time::seconds_of_http_date(value));
        match answer.fate {
            Fate::Drop => lost(),
            Fate::CutBody(_) => lost(),
            Fate::DelayMs(ms) if ms > PATIENCE_MS => lost(),
            Fate::DelayMs(ms) => {
                self.clock.advance(i64::try_from(ms).unwrap_or(0));
                Ok(Response { status: answer.status, retry_after, date, body: answer.body })
            }
            Fate::Deliver => Ok(Response { status: answer.status, retry_after, date, body: answer.body }),
        }
    }
}

fn creates_record(url: &str) -> bool {
    ["/createResource", "/createContact", "/createLead", "/v1/Resource", "/v1/Contact", "/v1/Lead"]
        .iter()
        .any(|end| url.ends_with(end))
}

fn is_change(url: &str) -> bool {
    !url.contains("/Search") && !url.contains("oAuth2") && !url.contains("ExchangeToken") && !url.contains("MetaData")
}

fn plain(request: Request) -> model::Request {
    use base64::Engine as _;
    let mut headers = Vec::new();
    if let Some(token) = &request.bearer {
        headers.push(("authorization".to_owned(), format!("Bearer {}", token.as_str())));
    }
    let body = match request.body {
        Body::Empty => Vec::new(),
        Body::Bytes(kind, bytes) => {
            headers.push(("content-type".to_owned(), kind.to_owned()));
            bytes.to_vec()
        }
        Body::Document { before, source, after } => {
            let mut bytes = Vec::new();
            source.open().and_then(|mut reader| reader.read_to_end(&mut bytes)).expect("a readable document");
            let encoded = base64::engine::general_purpose::STANDARD.encode(bytes);
            headers.push(("content-type".to_owned(), "application/json".to_owned()));
            [before.as_slice(), encoded.as_bytes(), &after].concat()
        }
    };
    let path = url::Url::parse(&request.url).expect("an address");
    model::Request {
        method: request.method.to_owned(),
        path: path.path().to_owned(),
        query: path.query().unwrap_or_default().to_owned(),
        headers,
        body,
    }
}
