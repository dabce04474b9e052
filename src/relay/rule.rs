//! The rules that keep a submission from being lost or doubled, by name. What is shipped keeps them all; a campaign
//! switches one off and must go red, or it shows nothing about that rule.

macro_rules! rules {
    ($($variant:ident = $words:literal;)+) => {
        /// A rule of the delivery.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Rule { $(#[doc = $words] $variant,)+ }

        impl Rule {
            /// Every rule.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// What it says.
            pub const fn words(self) -> &'static str {
                match self { $(Self::$variant => $words),+ }
            }
        }
    };
}

rules! {
    IntentFirst = "an intent is written before each send (I1)";
    LostIsLookedFor = "a create whose answer was lost is looked for, never simply sent again (R4)";
    AppliedIsNotSentAgain = "a create that was applied without an id is never sent again (R1b)";
    ThreeLooks = "absent only after three clean looks (Q2)";
    FifteenMinutes = "absent only after fifteen minutes (Q2)";
    CleanLooks = "a look counts only when its page was not full and a known record was found beside it";
    LateLook = "one more look a day after a lost answer (D1)";
    ResendsAreFew = "an absent create is sent again twice at most (Q3)";
    OnlyOurs = "of what a look finds, only what this submission made counts: marker, time of creation";
    FindFirst = "an existing person is looked for before the first send";
    OwnStoreFirst = "our own store is asked for the person before Tracker's search";
    SamePersonWaits = "a submission waits for an earlier one of the same person whose record is open";
    PlanIsFixed = "once a create may have reached Tracker, its plan does not change (C1)";
    SameAccount = "a fixed plan goes on only in the account it was made for (F1)";
    CrashesEnd = "three claims in a row without an outcome, and a person is asked (C2)";
    GapIsLookedInto = "after a gap or a restore, everything unfinished is looked up before its first send";
    PausesAreFree = "a pause spends no attempt";
    GivesUpLate = "nothing is given up before it was tried for a week";
    BlindIsPatient = "sending without a look only after looks have failed for an hour";
}
