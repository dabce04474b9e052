//! The rules that keep a submission from being lost or doubled, by name. What is shipped keeps them all; a campaign
//! switches one off and must go red, or it shows nothing about that rule. Letters in brackets name rows of `docs/delivery.md`.

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
    WritesAreTheRuns = "every write of a run carries its run id; under another run's id it changes nothing";
    LockIsLookedAt = "a run whose lock was replaced sends nothing more";
    BlindIsPatient = "sending without a look only after looks have failed for an hour";
    DeadlineHolds = "nothing goes out after the deadline of its intent (I1)";
    WaitIsKept = "after a 429 or a 503 nobody sends for as long as Tracker asks";
    PaceHalves = "a 429 halves the pace";
    RowEndsRun = "three failures in a row end the run, and nothing is sent for a while";
    EndpointPauses = "an address that is not there pauses the lane and fails nobody";
    CredentialsPause = "refused credentials pause the lane and fail nobody";
    ForbiddenIsProbed = "a 403 fails an applicant only where Tracker takes the credentials otherwise";
    GoneIsOneChild = "a child whose record is gone is refused alone, while Tracker is there";
    BacksOff = "the wait after a failure doubles from try to try";
    ProbesAreFew = "a paused lane is probed every five minutes, not with every run";
    ProbeBeforeLast = "the last send that a child has left waits for a Tracker that answers";
    PlanIsAnew = "until a create may have reached Tracker, plan and look are made anew with each claim (C1)";
    SeveralAsk = "where a look finds several, a person decides (Q4)";
    ProtectedIsFound = "whom Tracker protects is looked for and taken (R3)";
    BlindAsks = "a lost person or Lead for whom nobody can look is never sent again";
    BlindChildOnce = "a lost child for which nobody can look is sent again once";
    LookRightBefore = "what was lost once goes out only right after a look (Q3)";
    LateLookAgain = "a late look that proves nothing is done again (D1)";
    ChildStopsNothing = "a refused child stops nothing that comes after it";
    OurDocument = "a file of the same name counts only when this submission sent it";
    BudgetEnds = "no step is begun when the run's time is over";
    RestoredPauses = "a store that was put back sends nothing before somebody has said so";
    MissingWaits = "a submission without a required field waits for the mapping";
    MappingIsHeeded = "what no plan could be made for is due as soon as the mapping is changed";
    PaceLasts = "the pace goes on from run to run";
    EnteredIsRead = "a record that somebody named is read before anything hangs on it";
    ClocksAreCompared = "when a record was made is read by Tracker's clock";
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    /// Every row that a file below a folder names: a letter of the table, and its number.
    fn named_below(folder: &Path, named: &mut BTreeSet<String>) {
        for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
            if entry.path().is_dir() {
                named_below(&entry.path(), named);
                continue;
            }
            let text = std::fs::read_to_string(entry.path()).expect("a source");
            let words = text.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
            named.extend(words.filter(|word| is_row(word)).map(ToOwned::to_owned));
        }
    }

    fn is_row(word: &str) -> bool {
        match word.strip_suffix('b').unwrap_or(word).as_bytes() {
            [letter, number] => b"ACDFIQR".contains(letter) && (b'1'..=b'9').contains(number),
            _ => false,
        }
    }

    #[test]
    fn every_row_that_the_code_names_stands_in_the_document() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let document = std::fs::read_to_string(root.join("docs/delivery.md")).expect("the document");
        let rows: BTreeSet<&str> =
            document.lines().filter_map(|line| line.strip_prefix("| ")?.split(' ').next()).collect();
        let mut named = BTreeSet::new();
        named_below(&root.join("src"), &mut named);
        let missing: Vec<&String> = named.iter().filter(|row| !rows.contains(row.as_str())).collect();
        assert!(named.len() > 10 && missing.is_empty(), "named and not told: {missing:?}");
    }
}
