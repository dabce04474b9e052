//! The sums of a campaign of seeds, and how they are printed: what a seed excuses is counted here, never silent.

use std::fmt;

use crate::meetings::Meetings;
use crate::weather::Shares;

/// What seeds showed, summed over all.
#[derive(Default, Debug)]
pub struct Counts {
    pub submissions: u64,
    pub delivered: u64,
    pub asked: u64,
    pub failed: u64,
    pub crashes: u64,
    pub requests: u64,
    pub lost_answers: u64,
    pub resends: u64,
    pub records: u64,
    /// Acknowledged submissions that no store knows, or that ended without being delivered and without anybody being asked.
    pub lost: u64,
    /// Records beyond the right number that nobody was told of, or that Tracker did not make by itself.
    pub twins: u64,
    /// Records that Tracker made hours after the absent verdict, each flagged by the late look.
    pub late_twins: u64,
    /// The same of whom nobody can be told: their submission was erased, or is in no store since a restore, or the account's
    /// searches prove nothing, which its journal says.
    pub unseen_twins: u64,
    pub doubled_children: u64,
    pub restored: u64,
    pub swapped: u64,
    pub blocked: u64,
    /// Records that a step is said to have made or found, and that are there and this person's.
    pub looked_up: u64,
    /// The same of activities and documents.
    pub children_looked_up: u64,
    /// Steps of which Tracker named an id that is nobody's.
    pub lied_to: u64,
    /// Children that were given up, each with a code.
    pub rejected_children: u64,
    /// Submissions of seeds without anything that must end with a person, and how many of them ended so all the same.
    pub plain: u64,
    pub plain_asked: u64,
    /// The same where it could not be told whether a new token belongs to the same account.
    pub plain_accounts: u64,
    /// Submissions that a person discarded or erased.
    pub ended_by_hand: u64,
    /// What others did while a run was in progress.
    pub meetings: Meetings,
    /// Submissions that ask a person and say why, with what is needed to decide.
    pub evident: u64,
    /// Accepts that PHP died in, or whose answer was lost.
    pub deaths: u64,
    /// How often every byte of a store, its files, lists and reports was searched for what must not be there.
    pub searched: u64,
    pub shares: Shares,
}

impl Counts {
    /// Whether a person is asked too often where nothing makes that necessary: what asks about everybody loses nobody either.
    /// Measured over 2,000 seeds: 5 in a hundred, and 14 more about an account.
    pub fn asks_too_much(&self) -> bool {
        self.plain_asked * 100 > self.plain * 8 || self.plain_accounts * 100 > self.plain * 20
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "submissions={} delivered={} asked={} failed_by_tracker={} requests={} crashes={} lost_answers={} resends={} records={} lost={} twins={} late_twins_flagged={} late_twins_unseen={} doubled_children={} restored_stores={} changed_accounts={} blocked_hosts={} records_looked_up={} children_looked_up={} lied_to={} rejected_children={} plain={} plain_asked={} plain_accounts={} asked_with_evidence={} accepts_that_died={} searched_for_canaries={} ended_by_hand={} {}",
            self.submissions,
            self.delivered,
            self.asked,
            self.failed,
            self.requests,
            self.crashes,
            self.lost_answers,
            self.resends,
            self.records,
            self.lost,
            self.twins,
            self.late_twins,
            self.unseen_twins,
            self.doubled_children,
            self.restored,
            self.swapped,
            self.blocked,
            self.looked_up,
            self.children_looked_up,
            self.lied_to,
            self.rejected_children,
            self.plain,
            self.plain_asked,
            self.plain_accounts,
            self.evident,
            self.deaths,
            self.searched,
            self.ended_by_hand,
            self.meetings
        )
    }
}
