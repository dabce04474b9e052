//! Keeps requests to Tracker below its limit: a bucket of tokens around the transport, so that every request
//! counts, also the ones for tokens and look-ups. It halves on a 429 and creeps back.
//!
//! No request waits beyond the end of its run, whose process may be killed by then. What is begun goes on at once and is paid for
//! by later runs, which begin nothing before their turn has come: however slow the pace, a look and its send are one.

use std::time::Duration;

use crate::clock::Clock;
use crate::tracker::transport::{Failure, Request, Response, Transport};

/// A transport that waits its turn.
pub struct Paced<'a> {
    inner: &'a mut dyn Transport,
    clock: &'a dyn Clock,
    /// Requests a minute that the settings allow.
    most: f64,
    /// Requests a minute at present.
    pace: f64,
    burst: f64,
    tokens: f64,
    filled_at: i64,
    /// No wait goes beyond this moment, on the boot clock.
    ends_at: i64,
    /// A request whose turn was already waited for, before its intent was written.
    reserved: bool,
    /// Requests that were sent.
    pub sent: u64,
    /// Tracker's clock minus ours in milliseconds, from the last answer that carried a date.
    pub skew_ms: Option<i64>,
    /// Whether a request to REST v1 was tried since somebody last asked.
    pub tried_rest: bool,
    /// Whether a connection to REST v1 came about, with or without an answer.
    pub reached_rest: bool,
}

/// What of the pace lasts from run to run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Remembered {
    /// Requests a minute.
    pub pace: f64,
    /// Tokens left.
    pub tokens: f64,
    /// When they were counted, on the boot clock.
    pub at: i64,
}

impl<'a> Paced<'a> {
    /// A transport at `most` requests a minute that goes on where an earlier run stopped.
    pub fn new(
        inner: &'a mut dyn Transport,
        clock: &'a dyn Clock,
        most: i64,
        burst: f64,
        ends_at: i64,
        earlier: Option<Remembered>,
    ) -> Self {
        #[expect(clippy::cast_precision_loss, reason = "at most 60,000")]
        let most = most.max(1) as f64;
        // A burst on top of the pace must stay below Tracker's limit: at 80 a minute, ten.
        let burst = burst.min(most / 8.0).max(1.0);
        let now = clock.now().boot;
        let earlier = earlier.filter(|before| before.at <= now && before.pace > 0.0).unwrap_or(Remembered {
            pace: most,
            tokens: burst,
            at: now,
        });
        Self {
            inner,
            clock,
            most,
            pace: earlier.pace.min(most),
            burst,
            tokens: earlier.tokens.min(burst),
            filled_at: earlier.at,
            ends_at,
            reserved: false,
            sent: 0,
            skew_ms: None,
            tried_rest: false,
            reached_rest: false,
        }
    }

    /// Waits until a request may go out, and keeps that turn for the next request. Called before an intent
    /// is written, so that the wait does not eat up its deadline.
    pub fn reserve(&mut self) {
        if !self.reserved {
            self.wait_turn();
            self.reserved = true;
        }
    }

    /// Halves the pace after a 429.
    pub fn slow_down(&mut self) {
        self.pace = (self.pace / 2.0).max(1.0);
        self.tokens = self.tokens.min(0.0);
    }

    /// When the next request may go out, on the boot clock.
    pub fn next_turn(&self) -> i64 {
        let now = self.clock.now().boot;
        now + self.wait_at(now)
    }

    /// What the next run goes on with.
    pub const fn remembered(&self) -> Remembered {
        Remembered { pace: self.pace, tokens: self.tokens, at: self.filled_at }
    }

    /// The tokens that there are at a moment.
    #[expect(clippy::cast_precision_loss, reason = "milliseconds of minutes")]
    fn tokens_at(&self, now: i64) -> f64 {
        let gained = (now - self.filled_at).max(0) as f64 * self.pace / 60_000.0;
        (self.tokens + gained).min(self.burst)
    }

    /// Milliseconds until there is a whole token.
    #[expect(clippy::cast_possible_truncation, reason = "milliseconds of minutes")]
    fn wait_at(&self, now: i64) -> i64 {
        let missing = 1.0 - self.tokens_at(now);
        if missing <= 0.0 { 0 } else { (missing * 60_000.0 / self.pace).ceil().max(1.0) as i64 }
    }

    fn wait_turn(&mut self) {
        loop {
            let now = self.clock.now().boot;
            let wait = self.wait_at(now);
            if wait == 0 || now + wait > self.ends_at {
                (self.tokens, self.filled_at) = (self.tokens_at(now) - 1.0, now);
                return;
            }
            self.clock.sleep(Duration::from_millis(wait.unsigned_abs()));
        }
    }
}

impl Transport for Paced<'_> {
    fn send(&mut self, request: Request) -> Result<Response, Failure> {
        if !std::mem::take(&mut self.reserved) {
            self.wait_turn();
        }
        self.sent += 1;
        let is_rest = request.is_rest();
        let answer = self.inner.send(request);
        self.tried_rest |= is_rest;
        self.reached_rest |= is_rest && !matches!(answer, Err(Failure::NotSent(..)));
        if let Ok(response) = &answer {
            if response.status != 429 {
                // Back to the full pace over some hundred requests.
                self.pace = (self.pace * 1.01).min(self.most);
            }
            self.skew_ms = response.date.map(|date| date * 1_000 - self.clock.now().wall).or(self.skew_ms);
        }
        answer
    }
}
