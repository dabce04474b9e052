//! What a seed meets besides the weather, and what is not mixed.

use halt_tracker::relay::Rule;

use crate::world::Dice;

/// What a seed meets besides the weather.
#[derive(Default, Clone, Copy, Debug)]
pub struct Features {
    /// Another account's credentials are entered for a while.
    pub swap: bool,
    /// Yesterday's store is put back.
    pub restore: bool,
    /// API and record type are changed on the way.
    pub settings: bool,
    /// A firewall lets only the widget host through.
    pub blocked: bool,
    /// The wall clock is set forth and back.
    pub jumps: bool,
    pub limit: bool,
    /// One applicant kills PHP.
    pub poison: bool,
    /// Tracker ignores the filters of searches and gives short pages.
    pub unfiltered: bool,
    /// Wrong credentials for a while.
    pub out: bool,
    /// Some searches are answered from a copy of hours ago.
    pub stale: bool,
    /// Nobody comes by for hours.
    pub gap: bool,
    pub lag: u64,
    /// The same person more than once.
    pub same_person: bool,
    /// The person is in Tracker already.
    pub existing: bool,
    pub create_always: bool,
    pub wrong_id: bool,
    pub documents: u32,
}

pub fn features(dice: &mut Dice, focus: Option<Rule>) -> Features {
    let mut f = Features {
        swap: dice.chance(6),
        restore: dice.chance(8),
        settings: dice.chance(15),
        blocked: dice.chance(10),
        jumps: dice.chance(10),
        limit: dice.chance(10),
        poison: dice.chance(4),
        unfiltered: dice.chance(6),
        out: dice.chance(8),
        stale: dice.chance(25),
        gap: dice.chance(10),
        lag: [0, 0, dice.below(60_000), dice.below(60_000), dice.below(14 * 60_000)][dice.below(5) as usize],
        same_person: dice.chance(40),
        existing: dice.chance(25),
        create_always: dice.chance(20),
        wrong_id: dice.chance(8),
        documents: if dice.chance(35) { 1 + dice.below(2) as u32 } else { 0 },
    };
    match focus {
        Some(Rule::IntentFirst) => (f.create_always, f.restore) = (true, false),
        Some(Rule::SameAccount) => f.swap = true,
        Some(Rule::GapIsLookedInto) => (f.restore, f.create_always) = (true, true),
        Some(Rule::PlanIsFixed) => f.settings = true,
        Some(Rule::BlindIsPatient) => (f.blocked, f.existing) = (true, true),
        Some(Rule::CrashesEnd) => (f.poison, f.create_always) = (true, false),
        Some(Rule::CleanLooks) => f.unfiltered = true,
        Some(Rule::PausesAreFree) => f.out = true,
        Some(Rule::ThreeLooks) => f.stale = true,
        Some(Rule::FifteenMinutes) => f.lag = 13 * 60_000,
        Some(Rule::SamePersonWaits | Rule::OwnStoreFirst) => {
            (f.same_person, f.create_always, f.lag) = (true, false, 60_000);
        }
        Some(Rule::FindFirst) => (f.existing, f.create_always) = (true, false),
        Some(Rule::OnlyOurs) => (f.create_always, f.same_person) = (true, true),
        _ => {}
    }
    // What would make a twin Tracker's own doing, or one that nobody could know of, is not mixed.
    if f.swap {
        (f.same_person, f.settings, f.restore, f.blocked, f.existing, f.out) =
            (false, false, false, false, false, false);
    }
    if f.restore {
        (f.blocked, f.stale, f.poison) = (false, false, false);
    }
    if f.settings {
        f.same_person = false;
    }
    if f.unfiltered {
        (f.existing, f.restore) = (false, false);
    }
    if f.same_person || f.restore || f.lag > 0 || f.stale {
        f.wrong_id = false;
    }
    f
}
