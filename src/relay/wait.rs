//! Patience with Tracker: how long nobody sends after a 429, a 503 or a row of failures. It holds for the whole run and, kept
//! in the store, for the next ones.

use super::rule::Rule;
use super::run::Runner;
use crate::clock::Moment;
use crate::queue::QueueError;
use crate::queue::state::State;
use crate::tracker::outcome::Verdict;

impl Runner<'_> {
    /// Nobody sends for so many milliseconds.
    pub fn hold(&mut self, wait_ms: i64) {
        if self.policy.keeps(Rule::WaitIsKept) {
            self.wait_ms = self.wait_ms.max(wait_ms);
        }
    }

    /// After a 429: more slowly from now on, and not before the time that Tracker names. That time in milliseconds.
    pub fn too_many(&mut self, verdict: &Verdict) -> i64 {
        if self.policy.keeps(Rule::PaceHalves) {
            self.transport.slow_down();
        }
        let wait = self.wait_of(verdict.retry_after());
        self.hold(wait);
        wait
    }

    /// Milliseconds of a `Retry-After`: never none, never more than a day; without one, as after a 429.
    pub fn wait_of(&self, seconds: Option<u64>) -> i64 {
        let Some(seconds) = seconds else { return self.policy.too_many_ms };
        let ms = i64::try_from(seconds).unwrap_or(i64::MAX).saturating_mul(1_000);
        ms.clamp(self.policy.floor_ms, self.policy.audit_ms.max(self.policy.floor_ms))
    }

    /// Whether so many tries in a row have failed that the run ends.
    pub fn is_a_row(&self) -> bool {
        self.failures >= self.policy.failures_in_a_row && self.policy.keeps(Rule::RowEndsRun)
    }

    /// Whether this run has delivered anything.
    fn has_delivered(&self) -> bool {
        self.report.items.iter().any(|item| item.state == State::Done)
    }

    /// Keeps the wait for the next runs. After a row of failures it doubles from row to row.
    pub fn keep_wait(&mut self, now: &Moment) -> Result<(), QueueError> {
        if self.is_a_row() {
            // Where Tracker serves others, or answers a probe, a few submissions in trouble do not hold up all the rest for hours.
            let serves = self.has_delivered() || self.client().probe().is_ok();
            let rows = if serves { 0 } else { self.store().fact("breaker")?.clamp(0, 10) };
            let wait = (self.policy.breaker_ms << rows).min(self.policy.ceiling_ms);
            self.wait_ms = self.wait_ms.max(wait);
            let rows = if serves { 0 } else { rows + 1 };
            self.store().set_facts(&[("breaker", rows.to_string())])?;
        } else if self.has_delivered() || (self.failures == 0 && !self.report.items.is_empty()) {
            self.store().set_facts(&[("breaker", "0".to_owned())])?;
        }
        if self.has_time() && !self.has_turn() {
            // Before that a run could only come and go.
            self.wait_ms = self.wait_ms.max(self.transport.next_turn() - now.boot);
        }
        if self.wait_ms > 0 {
            let wait = self.wait_ms;
            self.store().wait_for(now, wait)?;
        }
        Ok(())
    }
}
