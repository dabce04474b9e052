//! The network between the relay and the model of Tracker: it refuses, drops, delays, lies, and crashes the relay.

use std::cell::RefCell;
use std::io::Read;
use std::rc::Rc;

use halt_tracker::codes::Code;
use halt_tracker::tracker::transport::{Body, Failure, Request, Response, Transport};
use serde_json::json;

use crate::model::{self, Fate, Tracker};
use crate::world::{Crash, Dice, Virtual};

const PATIENCE_MS: u64 = 30_000;
/// The id that Tracker names when it lies.
pub const NOBODY: i64 = 987_654_321;

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
    /// Applied twice, the second time unseen: only to what may be doubled, a child.
    pub doubled: u64,
    /// Success without the id.
    pub no_id: u64,
    /// Success with an id that is nobody's.
    pub wrong_id: u64,
    /// Tokens are forgotten.
    pub unauthorized: u64,
    /// Searches that answer from a copy of hours ago, at most `stale_left` times.
    pub stale: u64,
    /// Nothing but creates of records meets the weather.
    pub only_creates: bool,
}

/// A request that reaches Tracker later.
pub struct Late {
    pub at: i64,
    pub request: model::Request,
    pub tracker: Rc<RefCell<Tracker>>,
}

/// What somebody does in Tracker at a moment.
pub type Meanwhile = fn(&mut Tracker, i64);

/// The way to the model.
pub struct Wire {
    pub tracker: Rc<RefCell<Tracker>>,
    pub clock: Rc<Virtual>,
    pub dice: Dice,
    pub weather: Weather,
    pub latency_ms: i64,
    pub underway: Vec<Late>,
    pub sent: u64,
    /// Requests that an attempt may be spent on.
    pub troubles: u64,
    /// Whether a firewall keeps the relay from the REST host.
    pub rest_is_blocked: bool,
    pub stale_left: u64,
    pub lag_ms: u64,
    /// Whoever is named by this text kills the relay when it asks for him.
    pub poison: Option<&'static str>,
    /// Whoever is named by one of these texts is searched for in vain: Tracker answers 500.
    pub sick: Vec<&'static str>,
    /// A host that the site itself forbids to speak with.
    pub forbidden: Option<&'static str>,
    /// Creates of records that reached Tracker after their sender had given up.
    pub late_creates: usize,
    /// Why no request can be made at all.
    pub unfit: Option<String>,
    /// The process stands still right before the first byte of the next create of a record: for how long, and what somebody
    /// does in Tracker meanwhile.
    pub stands_still: Option<(i64, Meanwhile)>,
    /// Refresh tokens that administrators have asked Tracker for.
    pub pasted: u32,
    /// The account whose credentials were entered while a run was in progress: the next one reaches it.
    pub next: Option<Rc<RefCell<Tracker>>>,
    /// A mutation: what may have left is said never to have left.
    pub denies_losses: bool,
}

impl Wire {
    pub fn new(tracker: Rc<RefCell<Tracker>>, clock: Rc<Virtual>, dice: Dice) -> Self {
        Self {
            tracker,
            clock,
            dice,
            weather: Weather::default(),
            latency_ms: 100,
            underway: Vec::new(),
            sent: 0,
            troubles: 0,
            rest_is_blocked: false,
            stale_left: 0,
            lag_ms: 0,
            poison: None,
            sick: Vec::new(),
            forbidden: None,
            late_creates: 0,
            unfit: None,
            stands_still: None,
            denies_losses: false,
            pasted: 0,
            next: None,
        }
    }

    /// A new refresh token of the account that is in force next, which no account gave before.
    pub fn fresh_credentials(&mut self) -> String {
        self.pasted += 1;
        let token = format!("sim-refresh-token-pasted-{:010}", self.pasted);
        let seed = json!({ "credentials": { "refresh_token": token } });
        let tracker = self.next.as_ref().unwrap_or(&self.tracker);
        tracker.borrow_mut().seed(&seed, self.clock.truth()).expect("seeded");
        token
    }

    /// Every token that was given out is void, and every refresh token but the newest.
    pub fn revoke_tokens(&mut self) {
        let seed = json!({ "revoke": ["jwt", "oauth"] });
        self.tracker.borrow_mut().seed(&seed, self.clock.truth()).expect("revoked");
    }

    /// From here on it leads to the account whose credentials were entered last.
    pub fn follow_credentials(&mut self) {
        if let Some(next) = self.next.take() {
            self.tracker = next;
        }
    }

    /// Up to the first byte, before which the deadline of the intent is looked at, as over real HTTP.
    fn connect(&mut self, request: &Request) -> Result<(), Failure> {
        if creates_record(&request.url)
            && let Some((ms, meanwhile)) = self.stands_still.take()
        {
            self.clock.advance(ms);
            meanwhile(&mut self.tracker.borrow_mut(), self.clock.truth());
        }
        if request.deadline.is_some_and(|deadline| self.clock.boot() > deadline) {
            self.troubles += 1;
            return Err(Failure::NotSent(Code::TrackerUnreachable, "too late".into()));
        }
        Ok(())
    }

    fn deliver(&mut self, request: &model::Request) -> model::Answer {
        let now = self.clock.truth();
        if request.path.contains("/Search") && self.stale_left > 0 && self.dice.chance(self.weather.stale) {
            self.stale_left -= 1;
            let mut tracker = self.tracker.borrow_mut();
            tracker.set_switches(&json!({ "search_lag_ms": 6 * 3_600_000 })).expect("a switch");
            let answer = tracker.handle(request, now);
            tracker.set_switches(&json!({ "search_lag_ms": self.lag_ms })).expect("a switch");
            return answer;
        }
        self.tracker.borrow_mut().handle(request, now)
    }

    /// Lets requests arrive whose time has come.
    pub fn arrive(&mut self) {
        let now = self.clock.truth();
        if self.underway.iter().all(|late| late.at > now) {
            return;
        }
        let (due, later): (Vec<Late>, Vec<Late>) =
            std::mem::take(&mut self.underway).into_iter().partition(|late| late.at <= now);
        self.underway = later;
        for late in due {
            self.late_creates += usize::from(creates_record(&late.request.path));
            late.tracker.borrow_mut().handle(&late.request, now);
        }
    }
}

impl Transport for Wire {
    fn send(&mut self, request: Request) -> Result<Response, Failure> {
        self.clock.crash_point();
        self.clock.advance(self.latency_ms);
        self.arrive();
        self.connect(&request)?;
        self.sent += 1;
        if self.blocks(&request.url) {
            self.troubles += 1;
            return Err(Failure::NotSent(Code::TrackerBlocked, String::new()));
        }
        if self.rest_is_blocked && request.url.starts_with("https://api.test") {
            self.troubles += 1;
            return Err(Failure::NotSent(Code::TrackerUnreachable, "refused".into()));
        }
        let calm = self.weather.only_creates && !creates_record(&request.url);
        let spared = self.weather;
        if calm {
            self.weather = Weather::default();
        }
        let is_token = request.url.contains("oAuth2");
        let result = self.meet(request);
        self.weather = spared;
        let result = match result {
            Err(Failure::Lost(why)) if self.denies_losses => Err(Failure::NotSent(Code::TrackerUnreachable, why)),
            other => other,
        };
        // Refused credentials pause the lane: no attempt may be spent on that.
        let free = |status| matches!(status, 200..=299 | 401 | 429) || (is_token && status == 400);
        if !matches!(&result, Ok(response) if free(response.status)) {
            self.troubles += 1;
        }
        result
    }

    fn unfit(&self) -> Option<&str> {
        self.unfit.as_deref()
    }

    fn blocks(&self, url: &str) -> bool {
        self.forbidden.is_some_and(|host| url.starts_with(host))
    }
}

impl Wire {
    fn meet(&mut self, request: Request) -> Result<Response, Failure> {
        let lost = || Err(Failure::Lost("connection closed".into()));
        if self.dice.chance(self.weather.refuse) {
            return Err(Failure::NotSent(Code::TrackerUnreachable, "refused".into()));
        }
        let is_change = is_change(&request.url);
        // A body that breaks off half way is a request of which nobody knows what became, as over real HTTP.
        let Ok(request) = plain(request) else { return lost() };
        if let Some(poison) = self.poison
            && request.path.contains("/Search")
            && String::from_utf8_lossy(&request.body).contains(poison)
        {
            std::panic::resume_unwind(Box::new(Crash));
        }
        if request.path.contains("/Search") {
            let body = String::from_utf8_lossy(&request.body).into_owned();
            if self.sick.iter().any(|text| body.contains(text)) {
                return Ok(self.answer(500, None, b"{}".to_vec()));
            }
        }
        let weather = if is_change { self.weather } else { Weather { garbage: 0, late: 0, ..self.weather } };
        if self.dice.chance(weather.drop_before) {
            return lost();
        }
        if self.dice.chance(weather.late) {
            let delay = 1_000 * (60 + self.dice.below(4 * 3_600)) as i64;
            self.underway.push(Late { at: self.clock.truth() + delay, request, tracker: Rc::clone(&self.tracker) });
            return lost();
        }
        if self.dice.chance(weather.error_before) {
            let status = [500, 502, 503][self.dice.below(3) as usize];
            return Ok(self.answer(status, None, b"{}".to_vec()));
        }
        if !request.path.contains("ExchangeToken") && self.dice.chance(weather.unauthorized) {
            self.troubles += 1;
            return Ok(self.answer(401, None, b"{}".to_vec()));
        }
        let creates = creates_record(&request.path);
        let answer = self.deliver(&request);
        if is_child(&request.path) && self.dice.chance(weather.doubled) {
            self.deliver(&request);
        }
        self.clock.crash_point();
        if self.dice.chance(weather.drop_after) {
            return lost();
        }
        if self.dice.chance(weather.error_after) {
            return Ok(self.answer(500, None, b"{}".to_vec()));
        }
        if self.dice.chance(weather.garbage) {
            self.troubles += 1;
            return Ok(self.answer(200, None, b"<html>".to_vec()));
        }
        let mut body = answer.body;
        if creates && matches!(answer.status, 200 | 201) {
            body = self.lie(weather, body);
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
                Ok(Response { date, ..self.answer(answer.status, retry_after, body) })
            }
            Fate::Deliver => Ok(Response { date, ..self.answer(answer.status, retry_after, body) }),
        }
    }

    /// A success that names no record, or one that is not there.
    fn lie(&mut self, weather: Weather, body: Vec<u8>) -> Vec<u8> {
        let names_none = self.dice.chance(weather.no_id);
        if !names_none && !self.dice.chance(weather.wrong_id) {
            return body;
        }
        let Ok(mut value) = serde_json::from_slice::<serde_json::Value>(&body) else { return body };
        for name in ["id", "recordId"] {
            if let Some(id) = value.get_mut(name) {
                *id = if names_none { json!(null) } else { json!(NOBODY) };
            }
        }
        value.to_string().into_bytes()
    }

    fn answer(&self, status: u16, retry_after: Option<u64>, body: Vec<u8>) -> Response {
        Response { status, retry_after, date: Some(self.clock.truth() / 1_000), body }
    }
}

fn creates_record(url: &str) -> bool {
    ["/createResource", "/createContact", "/createLead", "/v1/Resource", "/v1/Contact", "/v1/Lead"]
        .iter()
        .any(|end| url.ends_with(end))
}

fn is_child(url: &str) -> bool {
    ["/createActivity", "/attachDocument", "/v1/Activity", "/AttachDocument"].iter().any(|end| url.ends_with(end))
}

fn is_change(url: &str) -> bool {
    !url.contains("/Search") && !url.contains("oAuth2") && !url.contains("ExchangeToken") && !url.contains("MetaData")
}

fn plain(request: Request) -> std::io::Result<model::Request> {
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
            source.open()?.read_to_end(&mut bytes)?;
            let encoded = base64::engine::general_purpose::STANDARD.encode(bytes);
            headers.push(("content-type".to_owned(), "application/json".to_owned()));
            [before.as_slice(), encoded.as_bytes(), &after].concat()
        }
    };
    let path = url::Url::parse(&request.url).expect("an address");
    Ok(model::Request {
        method: request.method.to_owned(),
        path: path.path().to_owned(),
        query: path.query().unwrap_or_default().to_owned(),
        headers,
        body,
    })
}
