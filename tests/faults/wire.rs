//! Time and network between the engine and the model of Tracker: virtual time, and a point before each request and each
//! answer at which a fault can come.

use std::cell::Cell;
use std::io::Read;
use std::time::Duration;

use halt_tracker::clock::{Clock, Moment};
use halt_tracker::codes::Code;
use halt_tracker::tracker::transport::{Body, Failure, Request, Response, Transport};

use crate::model::{self, Fate};
use crate::site::Site;
use crate::system::{self, Do, Kind};

/// Time that passes only when somebody waits, or when the machine stands still. Everybody on this thread sees the same.
#[derive(Default)]
pub struct Virtual {
    pub base: i64,
    pub at: Cell<i64>,
    /// How far the wall clock is off: it may jump, the boot clock does not.
    pub jump: Cell<i64>,
    /// A mutation: the boot clock jumps too.
    pub boot_jumps: bool,
    /// How often the machine was started anew, and when it was last.
    pub booted: Cell<(u32, i64)>,
}

impl Virtual {
    pub fn advance(&self, ms: i64) {
        self.at.set(self.at.get() + ms);
    }
    /// After a power cut: the boot clock begins anew.
    pub fn reboot(&self) {
        self.booted.set((self.booted.get().0 + 1, self.at.get()));
    }
    /// Tracker's clock, which does not jump with ours.
    pub fn elsewhere(&self) -> i64 {
        self.base + self.at.get()
    }
}

impl Clock for Virtual {
    fn now(&self) -> Moment {
        let (stood_still, jumped) = system::passed();
        self.advance(stood_still);
        self.jump.set(self.jump.get() + jumped);
        let (number, since) = self.booted.get();
        let jumped = if self.boot_jumps { self.jump.get() } else { 0 };
        let boot = 1_000_000 + self.at.get() - since + jumped;
        Moment { wall: self.elsewhere() + self.jump.get(), boot, boot_id: format!("boot-{number}") }
    }
    fn sleep(&self, duration: Duration) {
        self.advance(i64::try_from(duration.as_millis()).unwrap_or(0));
    }
}

/// The way from the engine to the model.
pub struct Wire<'a> {
    pub site: &'a Site,
}

impl Transport for Wire<'_> {
    fn send(&mut self, request: Request) -> Result<Response, Failure> {
        let answer = self.exchange(request);
        // A no within a good answer of the widget API is final or pauses the lane: it costs no attempt.
        if answer.as_ref().map_or(true, |answer| answer.status >= 400) {
            self.site.trouble.set(self.site.trouble.get() + 1);
        }
        answer
    }
}

impl Wire<'_> {
    fn exchange(&self, request: Request) -> Result<Response, Failure> {
        let site = self.site;
        let path = url::Url::parse(&request.url).expect("an address").path().to_owned();
        site.clock.advance(50);
        if system::point(Kind::Send, &path) != Do::Pass {
            return Err(Failure::NotSent(Code::TrackerUnreachable, "refused".into()));
        }
        // As the real one: the deadline of the intent is checked right before the first byte.
        if request.deadline.is_some_and(|deadline| site.clock.now().boot > deadline) {
            return Err(Failure::NotSent(Code::TrackerUnreachable, "too late".into()));
        }
        // A document that does not open any more breaks the request off, as in the real one.
        let plain = plain(request).map_err(|error| Failure::Lost(error.to_string()))?;
        if let Some(action) = site.meanwhile.take() {
            action(site);
        }
        site.sent.set(site.sent.get() + 1);
        let at = site.clock.elsewhere();
        site.requests.borrow_mut().push((plain.clone(), at));
        let answer = site.tracker.borrow_mut().handle(&plain, at);
        let lost = site.lose_answers_of.borrow().as_ref().is_some_and(|email| {
            path.to_lowercase().contains("resource")
                && String::from_utf8_lossy(&plain.body).contains(email.as_str())
                && !path.contains("earch")
        });
        if lost {
            site.lose_answers_of.replace(None);
        }
        if lost || system::point(Kind::Answer, &path) != Do::Pass || answer.fate == Fate::Drop {
            return Err(Failure::Lost("connection closed".into()));
        }
        let header =
            |name: &str| answer.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
        let retry_after = header("retry-after").and_then(|value| value.parse().ok());
        Ok(Response { status: answer.status, retry_after, date: None, body: answer.body })
    }
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
            source.open().and_then(|mut reader| reader.read_to_end(&mut bytes))?;
            headers.push(("content-type".to_owned(), "application/json".to_owned()));
            [before.as_slice(), base64::engine::general_purpose::STANDARD.encode(bytes).as_bytes(), &after].concat()
        }
    };
    let address = url::Url::parse(&request.url).expect("an address");
    Ok(model::Request {
        method: request.method.to_owned(),
        path: address.path().to_owned(),
        query: address.query().unwrap_or_default().to_owned(),
        headers,
        body,
    })
}
