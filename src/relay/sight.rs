//! Whether Tracker can be looked into at all. Where a firewall lets only the widget host through, a look is never
//! answered; waiting for one would lose the submission after a week. So the first send goes on without a look, but only
//! when all of this holds: for an hour, over five tries or more, no look was answered and no connection to the REST host
//! came about; in this very run the widget host answered and the other could not be reached once more after that, so that it
//! is no outage; and the widget API writes. A host that can be reached and gives no useful answer is in trouble, not hidden:
//! it gets a day. What is known otherwise still holds: our own store, the waiting of a person's later submission, Tracker's
//! status 3.
//! An answer that was lost gets a day, then a person is asked: it is never sent again without a look.

use super::deliver::Claimed;
use super::rule::Rule;
use super::run::Runner;
use crate::clock::Moment;
use crate::queue::QueueError;
use crate::settings::Api;
use crate::tracker::lookup::Look;
use crate::tracker::outcome::{Refusal, Verdict};
use crate::tracker::record::Record;

/// What this run knows about looking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sight {
    /// Nothing stands against it.
    Open,
    /// Looks have failed for long, and the API that writes has just answered: one more look decides.
    Doubted,
    /// There is no way to look.
    Lost,
}

/// A record that was to be read.
pub enum Reading {
    /// It was answered: this one, or none.
    Record(Option<Record>),
    /// It was not answered.
    Failed(Verdict),
    /// There is no way to read.
    Impossible,
}

/// A stretch of time in which no look was answered.
struct Silence {
    /// Since when, on the boot clock.
    since: i64,
    /// Over how many looks.
    tries: i64,
    /// Whether the REST host was reached all the same.
    reached: bool,
}

impl Runner<'_> {
    /// Looks, and counts whether looks are answered. `Impossible` once it is certain that they are not.
    pub fn look(
        &mut self,
        claimed: &Claimed,
        look: impl FnOnce(&mut Self) -> Result<Look, QueueError>,
    ) -> Result<Look, QueueError> {
        if self.is_blind(claimed)? {
            return Ok(Look::Impossible);
        }
        let look = look(self)?;
        let blind = self.seen(if let Look::Failed(verdict) = &look { Some(verdict) } else { None })?;
        Ok(if blind { Look::Impossible } else { look })
    }

    /// Reads a record that we know, under the same care.
    pub fn read_known(
        &mut self,
        claimed: &Claimed,
        record_type: crate::settings::RecordType,
        id: i64,
    ) -> Result<Reading, QueueError> {
        if self.is_blind(claimed)? {
            return Ok(Reading::Impossible);
        }
        let read = self.client().read_known(record_type, id);
        let blind = self.seen(if let Err(Look::Failed(verdict)) = &read { Some(verdict) } else { None })?;
        Ok(match read {
            Ok(record) => Reading::Record(record),
            Err(Look::Failed(verdict)) if !blind => Reading::Failed(verdict),
            Err(_) => Reading::Impossible,
        })
    }

    /// For how long no look was answered, in milliseconds; `None` when the last one was, or too few were tried.
    pub fn unanswered_for(&mut self) -> Result<Option<i64>, QueueError> {
        let now = self.clock.now();
        let least = self.policy.blind_tries;
        Ok(self.silence(&now)?.filter(|silence| silence.tries >= least).map(|silence| now.boot - silence.since))
    }

    /// Before a look: whether there is no use in it. A run that has reason to doubt asks the widget host first.
    fn is_blind(&mut self, claimed: &Claimed) -> Result<bool, QueueError> {
        if claimed.plan.api != Api::Widget || self.sight == Sight::Lost {
            return Ok(claimed.plan.api == Api::Widget);
        }
        if self.sight == Sight::Open {
            let long = self.unanswered_for()?.is_some_and(|since| since >= self.policy.blind_ms);
            if (long || !self.policy.keeps(Rule::BlindIsPatient)) && self.client().check_logon().is_ok() {
                self.sight = Sight::Doubted;
            }
        }
        Ok(false)
    }

    /// After a look: an answer ends the doubt, silence of the REST host adds to it.
    fn seen(&mut self, failed: Option<&Verdict>) -> Result<bool, QueueError> {
        let now = self.clock.now();
        let known = self.silence(&now)?;
        let tried = std::mem::take(&mut self.transport.tried_rest);
        if failed.is_none_or(|verdict| verdict.refusal() != Some(Refusal::Unreachable)) {
            if failed.is_none() {
                self.sight = Sight::Open;
                if known.is_some() {
                    self.store().set_facts(&[("unanswered", String::new())])?;
                }
            }
            return Ok(false);
        }
        // A look that ended at the other host, for want of a token, says nothing about this one.
        if !tried {
            return Ok(false);
        }
        let mut silence = known.unwrap_or(Silence { since: now.boot, tries: 0, reached: false });
        silence.tries += 1;
        silence.reached |= self.transport.reached_rest;
        let Silence { since, tries, reached } = silence;
        self.store().set_facts(&[("unanswered", format!("{since} {tries} {} {reached}", now.boot_id))])?;
        if self.sight == Sight::Doubted && (!reached || now.boot - since >= self.policy.blind_ask_ms) {
            self.sight = Sight::Lost;
        }
        Ok(self.sight == Sight::Lost)
    }

    /// The stretch that lasts, if there is one.
    fn silence(&mut self, now: &Moment) -> Result<Option<Silence>, QueueError> {
        let text = self.store().meta("unanswered")?;
        let mut parts = text.splitn(4, ' ');
        Ok((|| {
            let since = parts.next()?.parse().ok()?;
            let tries = parts.next()?.parse().ok()?;
            // Boot times of another boot say nothing: the hour begins anew.
            let same_boot = parts.next()? == now.boot_id && since <= now.boot;
            same_boot.then_some(Silence { since, tries, reached: parts.next() == Some("true") })
        })())
    }
}
