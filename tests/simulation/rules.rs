//! Each rule of the delivery is switched off on purpose: the same seeds must find it out, or they show nothing. With the
//! rule in force they are green.

use halt_tracker::relay::{Policy, Rule};

use crate::invariants::Counts;
use crate::seeds::run_seed;

/// Those whose absence these seeds find out.
const CHECKED: &[Rule] = &[
    Rule::IntentFirst,
    Rule::LostIsLookedFor,
    Rule::AppliedIsNotSentAgain,
    Rule::ThreeLooks,
    Rule::CleanLooks,
    Rule::LateLook,
    Rule::ResendsAreFew,
    Rule::OnlyOurs,
    Rule::FindFirst,
    Rule::OwnStoreFirst,
    Rule::SamePersonWaits,
    Rule::PlanIsFixed,
    Rule::SameAccount,
    Rule::CrashesEnd,
    Rule::GapIsLookedInto,
];

#[test]
fn a_rule_that_is_switched_off_turns_the_simulation_red() {
    let (mut unnoticed, mut wrong) = (Vec::new(), Vec::new());
    for rule in CHECKED {
        let policy = Policy { off: Some(*rule), ..Policy::default() };
        let found = (0..1_500)
            .find_map(|seed| Some((seed, run_seed(seed, &policy, Some(*rule), &mut Counts::default()).err()?)));
        let Some((seed, why)) = found else {
            unnoticed.push(rule.words());
            continue;
        };
        // The very seed that broke, and a few around it, hold with the rule in force.
        for seed in seed.saturating_sub(10)..=seed {
            if let Err(why) = run_seed(seed, &Policy::default(), Some(*rule), &mut Counts::default()) {
                wrong.push(format!("SEED={seed} FOCUS={rule:?} fails with the rule too: {why}"));
            }
        }
        println!("campaign mutation: {} - off -> red ({why}; after {} seeds)", rule.words(), seed + 1);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(unnoticed.is_empty(), "switched off, and nobody noticed:\n{}", unnoticed.join("\n"));
    println!("campaign mutations: rules={} red={}", CHECKED.len(), CHECKED.len());
}
