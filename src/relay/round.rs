//! When a submission is given up: after a week of trying that used up its attempts. How old it is says nothing, since it may
//! have waited for a release, for credentials or for a site that slept. What was sent once is never given up: a person is asked
//! about a record whose answer was lost, and a child is passed over.

use super::deliver::{Claimed, Flow, Walk};
use super::rule::Rule;
use super::run::Runner;
use super::send::again;
use crate::codes::Code;
use crate::queue::QueueError;
use crate::queue::job::Step;
use crate::queue::state::State;
use crate::queue::work::Settled;

/// The reason of one that reached Tracker and could not be brought to its end.
pub const UNSETTLED: &str = "unsettled";

/// A stretch of tries in vain, the present one included.
#[derive(Debug, PartialEq, Eq)]
struct Round {
    tries: i64,
    lasts_ms: i64,
}

impl Round {
    /// The stretch that ends now, of the times of earlier tries, newest first. A gap longer than any wait between two tries
    /// ends it: days in which nothing could be tried are no days of trying.
    fn until(now: i64, earlier: &[i64], gap_ms: i64) -> Self {
        let mut round = Self { tries: 1, lasts_ms: 0 };
        let mut began = now;
        for at in earlier {
            if began - at > gap_ms {
                break;
            }
            began = *at;
            round.tries += 1;
        }
        round.lasts_ms = now - began;
        round
    }
}

impl Runner<'_> {
    /// After a try in vain that was a spent attempt.
    pub fn again_or_give_up(
        &mut self,
        claimed: &Claimed,
        code: Code,
        message: String,
        wait: i64,
    ) -> Result<Walk, QueueError> {
        let earlier = self.store().tries(claimed.job.seq, claimed.job.attempts)?;
        let round = Round::until(self.clock.now().wall, &earlier, self.policy.round_gap_ms);
        let is_long = round.lasts_ms >= self.policy.give_up_ms || !self.policy.keeps(Rule::GivesUpLate);
        let is_over = round.tries >= self.settings.number("max_attempts") && is_long;
        if !is_over {
            return Ok(again(claimed, code, message, wait, true));
        }
        if claimed.has_reached() {
            return Ok(Walk::ask(UNSETTLED, Code::RelayUnsettled, format!("{code}: {message}")));
        }
        Ok(Walk::Leave(
            Settled {
                state: State::Failed,
                reason: "",
                code: Some(Code::RelayGaveUp),
                message: format!("{code}: {message}"),
                due_in: 0,
                spent: true,
            },
            Flow::Next,
        ))
    }

    /// Of a walk that ended at a step: a person who is asked about a child only, because its week is over, has the record. The
    /// child counts as refused, and those after it get their turn.
    pub fn or_pass_over(&mut self, claimed: &Claimed, step: &Step, walk: Walk) -> Result<Walk, QueueError> {
        match walk {
            Walk::Leave(settled, _) if settled.reason == UNSETTLED && !step.is_record() => {
                self.reject(claimed, step, Code::RelayGaveUp, &settled.message)
            }
            other => Ok(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_round_goes_back_to_the_first_try_after_a_gap() {
        let round = |now, earlier: &[i64]| {
            let Round { tries, lasts_ms } = Round::until(now, earlier, 10);
            (tries, lasts_ms)
        };
        assert_eq!(round(100, &[]), (1, 0));
        assert_eq!(round(100, &[95, 86, 80]), (4, 20));
        assert_eq!(round(100, &[95, 84, 80]), (2, 5), "eleven without a try");
        assert_eq!(round(100, &[80, 79, 78]), (1, 0));
        assert_eq!(round(100, &[130, 95]), (2, -30), "a clock that was set gives nothing up");
    }
}
