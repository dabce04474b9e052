//! Each rule of the delivery is switched off on purpose: the same seeds, or a script, must find it out, or they show nothing
//! about that rule. With the rule in force they are green. `FOCUS=LateLook` plays one rule alone.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use halt_tracker::relay::{Policy, Rule};

use crate::counts::Counts;
use crate::mutations::MUTATIONS;
use crate::scripts;
use crate::seeds::{focus, run_seed};

/// Those whose absence chance finds out soon enough.
const BY_SEEDS: &[Rule] = &[
    Rule::IntentFirst,
    Rule::LostIsLookedFor,
    Rule::AppliedIsNotSentAgain,
    Rule::ThreeLooks,
    Rule::CleanLooks,
    Rule::LateLook,
    Rule::OnlyOurs,
    Rule::FindFirst,
    Rule::OwnStoreFirst,
    Rule::SamePersonWaits,
    Rule::PlanIsFixed,
    Rule::SameAccount,
    Rule::CrashesEnd,
    Rule::GapIsLookedInto,
    Rule::PausesAreFree,
    Rule::WritesAreTheRuns,
];
/// How many seeds that may take.
const MOST: u64 = 1_500;

fn off(rule: Rule) -> Policy {
    Policy { off: Some(rule), ..Policy::default() }
}

/// Plays seeds without a rule until one breaks; how it broke, after how many.
fn by_seeds(rule: Rule) -> Result<String, String> {
    // A question that lacks its evidence is too little: the rule is about who is lost or there twice.
    let is_enough = |why: &String| why.split("; ").any(|part| !part.contains("asks a person, and"));
    let breaks = |seed| {
        let broken = run_seed(seed, &off(rule), Some(rule), &mut Counts::default()).err();
        Some((seed, broken.filter(is_enough)?))
    };
    let Some((seed, why)) = (0..MOST).find_map(breaks) else {
        return Err(format!("{rule:?} is switched off, and {MOST} seeds do not notice"));
    };
    // The very seed that broke, and a few around it, hold with the rule in force.
    for seed in seed.saturating_sub(10)..=seed {
        if let Err(why) = run_seed(seed, &Policy::default(), Some(rule), &mut Counts::default()) {
            return Err(format!("SEED={seed} FOCUS={rule:?} fails with the rule too: {why}"));
        }
    }
    Ok(format!("{why}; after {} seeds", seed + 1))
}

#[test]
fn every_script_ends_well_with_all_rules_in_force() {
    for (rule, played, script) in scripts::all() {
        if let Err(why) = script(&Policy::default()) {
            panic!("{rule:?}: {played}: {why}");
        }
    }
}

#[test]
fn a_mechanism_without_a_switch_turns_the_simulation_red_when_the_world_takes_it_away() {
    for (mechanism, played, play) in MUTATIONS {
        if let Err(why) = play(false) {
            panic!("{mechanism}: {played}: {why}");
        }
        let Err(why) = play(true) else { panic!("nobody notices without: {mechanism}; {played}") };
        println!("mutation {mechanism}: red ({why}; {played})");
    }
}

#[test]
fn a_rule_that_is_switched_off_turns_the_simulation_red() {
    let (next, said) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let rules: Vec<Rule> = focus().map_or_else(|| Rule::ALL.to_vec(), |rule| vec![rule]);
    let work = || {
        while let Some(rule) = rules.get(next.fetch_add(1, Ordering::Relaxed)).copied() {
            let seeds = BY_SEEDS.contains(&rule).then(|| by_seeds(rule));
            let scripts = scripts::all().filter(|(about, ..)| *about == rule);
            let scripts = scripts.map(|(_, played, script)| match script(&off(rule)) {
                Err(why) => Ok(format!("{why}; {played}")),
                Ok(()) => Err(format!("{rule:?} is switched off, and nobody notices: {played}")),
            });
            let found: Vec<_> = seeds.into_iter().chain(scripts).collect();
            said.lock().expect("no panic").push((rule, found));
        }
    };
    std::thread::scope(|scope| {
        scope.spawn(work);
        scope.spawn(work);
    });
    let said = said.into_inner().expect("no panic");
    let mut wrong = Vec::new();
    for (rule, found) in &said {
        if found.is_empty() {
            wrong.push(format!("nothing checks {rule:?}"));
        }
        for one in found {
            match one {
                Ok(why) => println!("mutation {}: red ({why})", rule.words()),
                Err(why) => wrong.push(why.clone()),
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    println!("campaign a, rules: simulated, virtual time: switched_off={} red={}", rules.len(), said.len());
}
