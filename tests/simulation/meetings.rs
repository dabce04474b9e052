//! What is done in the middle of a run, by kind: how likely each kind is, and how often it happened.

use std::fmt;

macro_rules! doings {
    ($($variant:ident = $name:literal, $weight:literal;)+) => {
        /// What somebody does.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Doing { $($variant),+ }

        impl Doing {
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];
            pub const NAMES: &'static [&'static str] = &[$($name),+];
            pub const WEIGHTS: &'static [u64] = &[$($weight),+];
        }
    };
}

doings! {
    Runner = "runners", 20;
    Accept = "accepted", 10;
    Retry = "retried", 10;
    Replay = "replayed", 6;
    Release = "released", 6;
    Discard = "discarded", 4;
    Erase = "erased", 4;
    Exists = "named", 8;
    Absent = "said_absent", 8;
    Settings = "settings", 8;
    Credentials = "credentials", 4;
    Secret = "secrets", 4;
    Pause = "paused", 3;
    Resume = "resumed", 6;
    Stall = "stalled", 8;
    Overrun = "lock_lost", 4;
}

impl Doing {
    /// Of a person at the screens, about one submission or all that failed.
    pub const fn is_a_decision(self) -> bool {
        matches!(self, Self::Retry | Self::Replay | Self::Release | Self::Exists | Self::Absent)
    }
}

/// What was done inside runs, by kind, and how often a second runner was turned away.
#[derive(Default, Debug, Clone)]
pub struct Meetings {
    pub done: [u64; Doing::ALL.len()],
    pub turned_away: u64,
    pub killed: u64,
}

impl Meetings {
    pub fn add(&mut self, other: &Self) {
        self.done.iter_mut().zip(other.done).for_each(|(sum, one)| *sum += one);
        self.turned_away += other.turned_away;
        self.killed += other.killed;
    }
    pub fn of(&self, doing: Doing) -> u64 {
        self.done[doing as usize]
    }
}

impl fmt::Display for Meetings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "inside_runs={} turned_away={}", self.done.iter().sum::<u64>(), self.turned_away)?;
        for (name, many) in Doing::NAMES.iter().zip(self.done) {
            write!(f, " inside_{name}={many}")?;
        }
        write!(f, " second_runners_killed={}", self.killed)
    }
}
