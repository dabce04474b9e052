//! Keeps requests to Tracker below its limit: a bucket of tokens around the transport, so that every request
//! counts, also the ones for tokens and look-ups. It halves on a 429 and creeps back.

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
        self.tokens = 0.0;
    }

    /// What the next run goes on with.
    pub const fn remembered(&self) -> Remembered {
        Remembered { pace: self.pace, tokens: self.tokens, at: self.filled_at }
    }

    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "milliseconds of minutes"
    )]
    fn wait_turn(&mut self) {
        loop {
            let now = self.clock.now().boot;
            let gained = (now - self.filled_at).max(0) as f64 * self.pace / 60_000.0;
            self.tokens = (self.tokens + gained).min(self.burst);
            self.filled_at = now;
            if self.tokens >= 1.0 {
                self.tokens -= 1.0;
                return;
            }
            let wait = ((1.0 - self.tokens) * 60_000.0 / self.pace).ceil().max(1.0);
            self.clock.sleep(Duration::from_millis(wait as u64));
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
