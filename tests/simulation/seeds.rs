//! Chance against the promise: each seed is a small site in bad weather, with crashes at any look at the clock and at any
//! request, and then a few calm weeks. Afterwards the invariants are checked.
//!
//! `SEEDS=200000` sets how many, `SEEDS_FROM=100000` where they begin, `SEED=4711` replays one with everything that it
//! did; with `FOCUS=LateLook`, say, as the check of that rule plays it.

use std::rc::Rc;

use halt_tracker::queue::act::Action;
use halt_tracker::queue::state::{Pause, State};
use halt_tracker::relay::{Caller, Policy, Rule};
use serde_json::{Value, json};

use crate::accepting::come_in;
use crate::case::Case;
use crate::counts::Counts;
use crate::crowd::Others;
use crate::features::{Features, features};
use crate::invariants::{check, check_after_a_run};
use crate::meetings::Doing;
use crate::promises::{self, Spoil};
use crate::wire::Weather;
use crate::world::{Dice, NOON, World};

const HOUR: i64 = 3_600_000;
/// Of one seed in so many every byte is looked at.
const SAMPLE: u64 = 100;

fn case(seed: u64, focus: Option<Rule>) -> Case {
    let mut dice = Dice::new(seed);
    let f = features(&mut dice, focus);
    let rest =
        !f.blocked && (dice.chance(50) || matches!(focus, Some(Rule::IntentFirst | Rule::FindFirst | Rule::OnlyOurs)));
    let api = if rest { "rest" } else { "widget" };
    let types = if f.settings { 2 } else { 3 };
    let record_type = ["Resource", "Contact", "Lead"][dice.below(types) as usize];
    let duplicates = if f.create_always { "create" } else { "use_existing" };
    let activity = if dice.chance(80) { "1" } else { "" };
    let mut world = World::new(
        seed,
        json!({ "api": api, "record_type": record_type, "duplicates": duplicates, "pace": "600", "activity_enabled": activity }),
    );
    let others = if f.unfiltered { 8 } else { [0, 2, 2][dice.below(3) as usize] };
    prepare(&mut world, &f, others, dice.chance(30));
    world.documents = f.documents;
    let heavy = dice.below(25);
    let mut up_to = |most: u64| dice.below(most + 1);
    world.wire.weather = Weather {
        refuse: up_to(heavy),
        drop_before: up_to(heavy),
        drop_after: up_to(heavy),
        error_before: up_to(heavy),
        error_after: up_to(heavy),
        garbage: up_to(heavy),
        // Nobody can look for a late twin in an account whose credentials are gone.
        late: if f.swap { 0 } else { up_to(10) },
        doubled: up_to(5),
        no_id: up_to(heavy / 2),
        wrong_id: if f.wrong_id { 10 } else { 0 },
        unauthorized: up_to(5),
        stale: if f.stale { 40 } else { 0 },
        only_creates: false,
    };
    world.wire.stale_left = 2;
    world.wire.lag_ms = f.lag;
    world.wire.rest_is_blocked = f.blocked;
    world.wire.poison = f.poison.then_some("p0@example.org");
    let is_sample = seed.is_multiple_of(SAMPLE);
    world.heard = is_sample.then(String::new);
    let mut case = Case { features: f, existing: usize::from(f.existing), is_sample, ..Case::of(world, record_type) };
    case.world.others = Others::of(seed, f, case.accounts.clone());
    let refused = case.world.others.refused;
    if refused > 0 {
        let on = format!("create_{}", record_type.to_lowercase());
        case.world.switches(&json!({ "faults": [{ "on": on, "do": 422, "times": refused }] }));
    }
    case
}

/// Others whom Tracker holds already, for months, and how it behaves.
fn prepare(world: &mut World, f: &Features, others: usize, unguarded: bool) {
    let person =
        |name: &str| json!({ "firstName": name, "surname": "Other", "email": name, "created_ms": NOON - 5_000 * HOUR });
    let mut people: Vec<Value> = (0..others).map(|at| person(&format!("o{at}@other.example"))).collect();
    if f.existing {
        people.push(person("p0@example.org"));
    }
    let leads = json!([{ "name": "Grace Other – elsewhere", "created_ms": NOON - 5_000 * HOUR }]);
    let seed = json!({ "resources": people, "contacts": people, "leads": leads });
    world.wire.tracker.borrow_mut().seed(&seed, NOON).expect("seeded");
    let mut switches = json!({ "search_lag_ms": f.lag, "keep_requests": 0 });
    if f.limit {
        switches["rate_limit_per_min"] = json!(100);
    }
    if f.unfiltered {
        (switches["email_filter"], switches["page_cap"]) = (json!("ignored"), json!(5));
    }
    // The widget API's own guard is no assumption of ours where REST can be searched.
    if unguarded && !f.blocked {
        switches["widget_duplicates"] = json!("create");
    }
    world.switches(&switches);
}

/// Bad weather for some hours, then calm weeks; every acknowledged submission is followed to its end.
fn play(case: &mut Case, seed: u64) -> Result<(), String> {
    let mut dice = Dice::new(seed ^ 0x5eed);
    let f = case.features;
    let many = 1 + dice.below(3) + u64::from(f.same_person);
    for at in 0..many {
        let person = if at > 0 && f.same_person && dice.chance(60) { at - 1 } else { at };
        accept(case, person);
        for _ in 0..dice.below(3) {
            storm(case, &mut dice)?;
        }
    }
    let kept = case.sent.len();
    if f.restore {
        case.world.snapshot();
    }
    for _ in 0..dice.below(18) + 4 * u64::from(f.out || f.swap) {
        storm(case, &mut dice)?;
        trouble(case, &mut dice);
    }
    if f.restore {
        accept(case, 77);
        case.world.run();
        case.meet()?;
        case.forgotten = case.sent[kept..].iter().map(|sent| sent.id.clone()).collect();
        case.world.clock.advance(20 * HOUR);
        case.world.wire.arrive();
        case.world.restore();
        case.ids.clear();
        promises::kept(case, false)?;
        case.world.run();
        case.world.clock.advance(HOUR);
        case.world.store.lift(Pause::Restored).map_err(|error| error.to_string())?;
    }
    calm(case, &mut dice)
}

fn calm(case: &mut Case, dice: &mut Dice) -> Result<(), String> {
    case.meet()?;
    let f = case.features;
    let world = &mut case.world;
    let left = std::mem::take(&mut world.others.left);
    world.store.lift(Pause::ByHand).map_err(|error| error.to_string())?;
    world.wire.weather = Weather::default();
    world.clock.jump.set(0);
    world.wire.rest_is_blocked = f.blocked && dice.chance(50);
    world.wire.tracker = Rc::clone(&case.accounts[0]);
    world.switches(&json!({ "faults": [] }));
    world.caller = Caller::Cron;
    // A rotation whose answer was lost needs a new paste: the screen says so, and somebody does it.
    world.paste_new_credentials();
    for round in 0..3 {
        case.world.run_for(24 * 9);
        if round == 0 {
            answer(case, left)?;
        }
        case.world.clock.advance(25 * HOUR);
        case.world.wire.arrive();
        case.world.beat();
    }
    case.world.run_for(1);
    promises::kept(case, false)?;
    check_after_a_run(case)
}

/// People come to the screens while runs are in progress: they decide what waits for them; what is held or refused
/// after that goes out between two runs.
fn answer(case: &mut Case, left: u64) -> Result<(), String> {
    let world = &mut case.world;
    world.others.only_people(left);
    for _ in 0..if left > 0 { 3 } else { 0 } {
        world.run();
        world.clock.advance(HOUR / 12);
    }
    world.others.left = 0;
    world.store.lift(Pause::ByHand).map_err(|error| error.to_string())?;
    let now = world.clock.moment();
    for id in case.sent.iter().map(|sent| &sent.id) {
        let action = match world.store.state_of(id) {
            Ok(Some(State::Held)) => Action::Release,
            Ok(Some(State::Failed)) if world.others.refused > 0 => Action::Retry,
            _ => continue,
        };
        world.store.act(id, action, &now).map_err(|error| error.to_string())?;
    }
    case.meet()
}

pub fn accept(case: &mut Case, person: u64) {
    come_in(case, format!("Person Number{person}"), format!("p{person}@example.org"));
}

/// What people and machines do meanwhile.
fn trouble(case: &mut Case, dice: &mut Dice) {
    let f = case.features;
    let world = &mut case.world;
    if f.jumps && dice.chance(30) {
        world.clock.jump.set([-HOUR, 0, HOUR][dice.below(3) as usize]);
    }
    if f.gap && dice.chance(15) {
        world.clock.advance(2 * HOUR);
    }
    if f.settings && dice.chance(30) {
        let record_type = ["Resource", "Contact"][dice.below(2) as usize];
        let api = if f.blocked { "widget" } else { ["widget", "rest"][dice.below(2) as usize] };
        world.set(&json!({ "record_type": record_type, "api": api }));
    }
    if f.swap && dice.chance(40) {
        let other = usize::from(Rc::ptr_eq(&world.wire.tracker, &case.accounts[0]));
        world.wire.tracker = Rc::clone(&case.accounts[other]);
        world.paste_new_credentials();
    } else if f.out && dice.chance(40) {
        world.enter_credentials("a wrong client secret", "sim-refresh-token-0123456789");
    } else if dice.chance(25) {
        world.paste_new_credentials();
    }
}

fn storm(case: &mut Case, dice: &mut Dice) -> Result<(), String> {
    let world = &mut case.world;
    let is_paused = |world: &World| world.number("SELECT count(*) FROM pause WHERE reason = 'by hand'") > 0;
    if is_paused(world) && dice.chance(50) {
        world.store.lift(Pause::ByHand).map_err(|error| error.to_string())?;
    }
    let (paused, before) = (is_paused(world), (world.wire.sent, world.others.meetings.of(Doing::Resume)));
    if dice.chance(30) {
        world.clock.crash_in.set(Some(dice.below(120)));
    }
    world.caller = [Caller::Cron, Caller::Button, Caller::Cli, Caller::After][dice.below(4) as usize];
    let crashed = world.run().is_none() | std::mem::take(&mut world.others.left_over);
    world.clock.crash_in.set(None);
    if paused && world.wire.sent > before.0 && world.others.meetings.of(Doing::Resume) == before.1 {
        return Err("something was sent although sending was paused by hand".into());
    }
    world.clock.advance(1_000 * (10 + dice.below(1_200)) as i64);
    world.wire.arrive();
    case.meet()?;
    promises::kept(case, crashed)?;
    if crashed { Ok(()) } else { check_after_a_run(case) }
}

pub fn run_seed(seed: u64, policy: &Policy, focus: Option<Rule>, counts: &mut Counts) -> Result<(), String> {
    let mut case = case(seed, focus);
    case.world.policy = policy.clone();
    let played = play(&mut case, seed);
    counts.crashes += case.world.crashes;
    counts.requests += case.world.wire.sent;
    counts.meetings.add(&case.world.others.meetings);
    (counts.deaths, counts.searched) = (counts.deaths + case.deaths, counts.searched + case.searched);
    let result = played.and_then(|()| check(&case, counts));
    if result.is_err() && std::env::var_os("SEED").is_some() {
        println!("{:?} {}\n{}", case.features, case.record_type, case.world.explain());
    }
    result
}

/// A seed in which a promise is broken on purpose.
pub fn spoilt(seed: u64, spoil: Spoil) -> Result<(), String> {
    let mut case = case(seed, None);
    case.world.others.left = 0;
    case.spoilt = Some(spoil);
    case.world.heard = Some(String::new());
    play(&mut case, seed).and_then(|()| check(&case, &mut Counts::default()))
}

/// A seed that was played to its end, before anything is checked.
pub fn played(seed: u64) -> Result<Case, String> {
    let mut case = case(seed, None);
    case.world.others.left = 0;
    play(&mut case, seed).map(|()| case)
}

pub fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|text| text.parse().ok())
}

/// The rule that `FOCUS` names.
pub fn focus() -> Option<Rule> {
    let name = std::env::var("FOCUS").unwrap_or_default();
    Rule::ALL.iter().copied().find(|rule| format!("{rule:?}") == name)
}

/// Plays seeds one after the other; what fails comes back in words. Two threads of one process wait for one another in
/// SQLite's shared memory: the long campaign plays two processes.
fn play_all(seeds: std::ops::Range<u64>, policy: &Policy) -> (Counts, Vec<String>) {
    let focus = focus();
    let (mut counts, mut failed) = (Counts::default(), Vec::new());
    for seed in seeds {
        if let Err(why) = run_seed(seed, policy, focus, &mut counts) {
            failed.push(format!("SEED={seed}: {why}"));
        }
        if failed.len() > 40 {
            break;
        }
    }
    (counts, failed)
}

#[test]
fn nothing_is_lost_and_nobody_is_there_twice_whatever_the_weather() {
    let first = number("SEEDS_FROM").unwrap_or(0);
    let seeds = number("SEED").map_or(first..first + number("SEEDS").unwrap_or(500), |seed| seed..seed + 1);
    let (from, many) = (seeds.start, seeds.end - seeds.start);
    let began = std::time::Instant::now();
    let (counts, failed) = play_all(seeds, &Policy::default());
    let took = began.elapsed().as_secs_f64();
    let pace = many as f64 / took;
    println!(
        "campaign a: simulated, virtual time: from={from} seeds={many} {counts} failed={} seconds={took:.0} a_second={pace:.0}",
        failed.len()
    );
    println!("campaign a, a person is asked: simulated, virtual time: {}", counts.shares.words());
    assert!(failed.is_empty(), "{} of {many} seeds failed, the first ones:\n{}", failed.len(), failed.join("\n"));
    assert!(
        counts.submissions >= many && (many < 50 || (counts.crashes * 2 >= many && counts.lost_answers > many / 4)),
        "the weather was too good to show anything: {counts}"
    );
    let turned_away = counts.meetings.of(Doing::Runner);
    assert!(many < 200 || turned_away * 20 > many, "hardly anybody came by while a run was in progress: {counts}");
    assert!(many < 200 || !counts.asks_too_much(), "a person is asked too often: {counts}");
    assert_eq!(counts.shares.too_many(), None);
    assert!(many < 200 || (counts.deaths > many / 5 && counts.searched > many / SAMPLE), "not enough of it: {counts}");
}
