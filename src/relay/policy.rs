//! Every duration and limit of the delivery, in one value, so that simulations and campaigns can scale it.

use super::rule::Rule;
use crate::clock::Random;
use crate::tracker::http::Patience;

/// Durations in milliseconds, and counts.
#[derive(Debug, Clone, PartialEq)]
pub struct Policy {
    /// How long HTTP may take to connect and to answer.
    pub patience: Patience,
    /// No first byte of a request later than this after its intent.
    pub first_byte_ms: i64,
    /// Least wait after a transient failure.
    pub floor_ms: i64,
    /// The wait doubles from here: `base · 2ⁿ`.
    pub base_ms: i64,
    /// Largest random wait.
    pub ceiling_ms: i64,
    /// Wait after a 429 or 503 that names none.
    pub too_many_ms: i64,
    /// Transient failures in a row that end a run.
    pub failures_in_a_row: u32,
    /// How long nothing is sent after such a row, times the number of rows, up to `ceiling_ms`.
    pub breaker_ms: i64,
    /// Between probes while the lane is paused.
    pub probe_ms: i64,
    /// When a missing field is looked at again.
    pub missing_ms: i64,
    /// When a submission that waits for an earlier one is looked at again, at first. It wakes by itself when that one is settled.
    pub same_person_ms: i64,
    /// The same, at most: each time it waits as long as it has waited already.
    pub same_person_most_ms: i64,
    /// The gaps after a lost answer, at which Tracker is searched; the last one repeats.
    pub looks_ms: &'static [i64],
    /// Clean looks before "absent".
    pub looks_needed: i64,
    /// Least time before "absent".
    pub absent_ms: i64,
    /// Looks that prove nothing, before a person is asked.
    pub unclean_most: i64,
    /// How often an absent create is sent again.
    pub resends_most: i64,
    /// The late look after a lost answer.
    pub audit_ms: i64,
    /// When a late look that proved nothing is done again, each time after the one before.
    pub audit_again_ms: [i64; 3],
    /// How long must have been tried before giving up.
    pub give_up_ms: i64,
    /// A longer time between two tries was no trying: longer than a day of `Retry-After`, a back-off and a row of failures.
    pub round_gap_ms: i64,
    /// Claims in a row without an outcome, before a submission is left alone.
    pub crashes_most: i64,
    /// A gap between runs after which everything unfinished is looked up before its first send.
    pub heartbeat_gap_ms: i64,
    /// A record counts as ours when it was made at most this long before the intent: the wall clock may have been set
    /// by an hour between the intent and the look.
    pub created_slack_ms: i64,
    /// The same of a document, which does less harm when it is there twice than when another one is taken for it.
    pub document_slack_ms: i64,
    /// How long no look was answered, before a first send goes on without one.
    pub blind_ms: i64,
    /// And how many looks that must have been.
    pub blind_tries: i64,
    /// The same, before a person is asked about a lost answer.
    pub blind_ask_ms: i64,
    /// Requests that may go out at once, before the pace holds.
    pub burst: f64,
    /// A rule that is switched off, to see that a campaign notices. Nothing that is shipped sets it.
    pub off: Option<Rule>,
}

const SECOND: i64 = 1_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;

impl Default for Policy {
    fn default() -> Self {
        Self {
            patience: Patience::default(),
            first_byte_ms: 15 * SECOND,
            floor_ms: 10 * SECOND,
            base_ms: 30 * SECOND,
            ceiling_ms: 6 * HOUR,
            too_many_ms: MINUTE,
            failures_in_a_row: 3,
            breaker_ms: MINUTE,
            probe_ms: 5 * MINUTE,
            missing_ms: HOUR,
            same_person_ms: MINUTE,
            same_person_most_ms: HOUR,
            looks_ms: &[10 * SECOND, MINUTE, 5 * MINUTE, 15 * MINUTE, HOUR],
            looks_needed: 3,
            absent_ms: 15 * MINUTE,
            unclean_most: 5,
            resends_most: 2,
            audit_ms: 24 * HOUR,
            audit_again_ms: [HOUR, 6 * HOUR, 24 * HOUR],
            give_up_ms: 7 * 24 * HOUR,
            round_gap_ms: 48 * HOUR,
            crashes_most: 3,
            heartbeat_gap_ms: HOUR,
            created_slack_ms: HOUR + 5 * MINUTE,
            document_slack_ms: 5 * MINUTE,
            blind_ms: HOUR,
            blind_tries: 5,
            blind_ask_ms: 24 * HOUR,
            burst: 10.0,
            off: None,
        }
    }
}

impl Policy {
    /// Whether a rule is in force. All are, but where a campaign checks that it would notice.
    pub fn keeps(&self, rule: Rule) -> bool {
        self.off != Some(rule)
    }

    /// The wait after the n-th transient failure: a floor, and a random part that doubles.
    pub fn back_off(&self, attempts: i64, retry_after_ms: i64, random: &mut dyn Random) -> i64 {
        let tries = if self.keeps(Rule::BacksOff) { attempts.clamp(0, 20) } else { 0 };
        let doubled = self.base_ms.saturating_mul(1 << tries);
        let most = u64::try_from(doubled.min(self.ceiling_ms)).unwrap_or_default();
        self.floor_ms.max(retry_after_ms) + i64::try_from(random.up_to(most)).unwrap_or_default()
    }

    /// When the next look is due, counted from the loss, after so many looks.
    pub fn next_look(&self, looks: i64) -> i64 {
        let last = self.looks_ms.len().saturating_sub(1);
        let at = usize::try_from(looks).unwrap_or(last);
        match self.looks_ms.get(at) {
            Some(gap) => *gap,
            // Beyond the table the last gap repeats.
            None => {
                self.looks_ms.last().copied().unwrap_or(HOUR) * (looks - i64::try_from(last).unwrap_or_default() + 1)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Most;
    impl Random for Most {
        fn up_to(&mut self, limit: u64) -> u64 {
            limit
        }
        fn bytes(&mut self, out: &mut [u8]) {
            out.fill(1);
        }
    }

    #[test]
    fn waits_double_up_to_six_hours_and_heed_retry_after() {
        let policy = Policy::default();
        assert_eq!(policy.back_off(0, 0, &mut Most), 10_000 + 30_000);
        assert_eq!(policy.back_off(1, 0, &mut Most), 10_000 + 60_000);
        assert_eq!(policy.back_off(50, 0, &mut Most), 10_000 + 6 * HOUR);
        assert_eq!(policy.back_off(0, 120_000, &mut Most), 120_000 + 30_000);
    }

    #[test]
    fn looks_come_at_ten_seconds_then_one_five_fifteen_and_sixty_minutes_and_hourly() {
        let policy = Policy::default();
        let at: Vec<i64> = (0..7).map(|looks| policy.next_look(looks)).collect();
        assert_eq!(at, [10 * SECOND, MINUTE, 5 * MINUTE, 15 * MINUTE, HOUR, 2 * HOUR, 3 * HOUR]);
    }
}
