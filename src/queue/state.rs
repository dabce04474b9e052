//! The table of states, step states and pause reasons: their names in the store, and their words for people.

use serde::{Deserialize, Serialize};

macro_rules! names {
    ($(#[$doc:meta])* $kind:ident { $($variant:ident = $name:literal, $words:literal;)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum $kind {
            $(#[doc = $words] #[serde(rename = $name)] $variant,)+
        }

        impl $kind {
            /// Every one, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The name in the store and in answers.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }

            /// What it means, in plain English.
            pub const fn words(self) -> &'static str {
                match self { $(Self::$variant => $words),+ }
            }

            /// The one of a name.
            pub fn from_name(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|one| one.name() == name)
            }
        }
    };
}

names! {
    /// Where a submission stands.
    State {
        Queued = "queued", "Waiting to be sent.";
        Held = "held", "Held for review; nothing is sent until somebody releases it.";
        Sending = "sending", "Being sent right now.";
        Retry = "retry", "Waiting for the next try.";
        Checking = "checking", "Tracker is searched for the record before anything else is sent.";
        Attention = "attention", "A person must decide.";
        Failed = "failed", "Tracker refused it, or a week of trying was over; it can be sent again.";
        Done = "done", "Delivered.";
        Discarded = "discarded", "Discarded; it is not sent.";
        Erased = "erased", "Erased; only the id is left.";
    }
}

names! {
    /// Where a step of a submission stands.
    StepState {
        Todo = "todo", "Not sent.";
        Intent = "intent", "About to be sent, or sent without an answer yet.";
        Applied = "applied", "Tracker applied it without naming the record.";
        Unknown = "unknown", "Sent, and the answer was lost.";
        Done = "done", "Done.";
        Rejected = "rejected", "Refused by Tracker.";
        Skipped = "skipped", "Not needed.";
    }
}

names! {
    /// Why nothing is sent at the moment. Each goes only by its own cure.
    Pause {
        Credentials = "credentials", "Tracker does not accept the credentials.";
        Endpoint = "endpoint", "Tracker's address does not answer as it should.";
        Key = "key", "The key that the data is sealed with is missing.";
        Site = "site", "This site is a copy or not a live one.";
        Restored = "restored", "A backup seems to have been restored.";
        ByHand = "by hand", "Paused by hand.";
    }
}

impl State {
    /// Whether nothing more will happen by itself or by hand, save replay and erasure.
    pub const fn is_end(self) -> bool {
        matches!(self, Self::Done | Self::Discarded | Self::Erased | Self::Failed)
    }
}

impl Pause {
    /// Whether a run may find it cured by itself.
    pub const fn is_probed(self) -> bool {
        matches!(self, Self::Credentials | Self::Endpoint)
    }
}

impl StepState {
    /// Whether Tracker may have applied it, so that it must never simply be sent again.
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Intent | Self::Unknown | Self::Applied)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_allows_exactly_the_states_of_the_table() {
        let schema = include_str!("schema.sql");
        let list = |names: Vec<&str>| format!("IN ('{}')", names.join("','"));
        assert!(schema.contains(&list(State::ALL.iter().map(|one| one.name()).collect())));
        assert!(schema.contains(&list(StepState::ALL.iter().map(|one| one.name()).collect())));
        assert!(schema.contains(&list(Pause::ALL.iter().map(|one| one.name()).collect())));
    }
}
