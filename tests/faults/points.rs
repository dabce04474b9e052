//! A fault at every point where the engine changes a disk or speaks with Tracker, one after the other.

use serde_json::json;

use crate::judge::Counts;
use crate::site::{Site, Template};
use crate::story::{Length, play, together};
use crate::system::{Fault, Kind, Lies, Plan};

pub fn durable(kind: Kind) -> bool {
    kind != Kind::Open
}

pub fn long_form() -> bool {
    std::env::var_os("TORTURE").is_some()
}

pub fn templates() -> Vec<(&'static str, Template)> {
    // The hardest setting: no look-up by e-mail hides a twin, and Tracker does not protect either.
    ["widget", "rest"]
        .map(|api| {
            let settings = json!({ "api": api, "duplicates": "create" });
            (api, Site::template(&settings, &json!({ "widget_duplicates": "create" })))
        })
        .to_vec()
}

/// Walks a fault through a story until it no longer fires; `stride` skips points, 1 skips none.
pub fn walk(length: Length, template: &Template, fault: impl Fn(u64) -> Fault, of: Kinds, stride: u64) -> Counts {
    let (mut at, mut counts) = (1, Counts::default());
    loop {
        let fault = fault(at);
        let trial = play(length, template, Some(Plan { at, fault, of }), Lies::default());
        let Some(point) = &trial.seen.fired else {
            assert!(counts.trials > 0, "{length:?} {fault:?}: no point at all");
            return counts;
        };
        let told = |error: &String| {
            error.contains("HT-11") || error.contains("HT-13") || error == "dead" || error == "not there yet"
        };
        let loud = trial.errors.iter().find(|error| !told(error));
        assert_eq!(loud, None, "{length:?} {fault:?} at {point}: an error without a code of the store or its keys");
        match &trial.result {
            Ok(one) => counts.add(one),
            Err(why) => panic!("{length:?} {fault:?} at {point}: {why}\n{:?}", trial.errors),
        }
        at += stride;
    }
}

type Kinds = fn(Kind) -> bool;

const NETWORK: Kinds = |kind| matches!(kind, Kind::Send | Kind::Answer);
const WRITES: Kinds = |kind| kind == Kind::Write;
const SYNCS: Kinds = |kind| kind == Kind::Sync;
const NAMES: Kinds = |kind| matches!(kind, Kind::Create | Kind::Name);
const OPENS: Kinds = |kind| matches!(kind, Kind::Open | Kind::Create);
const STOPS: Kinds = |kind| matches!(kind, Kind::Sync | Kind::Send | Kind::Answer);

/// (c) The process dies, a call fails once, or the machine stands still, at every point.
#[test]
fn a_fault_at_any_point_loses_nothing_and_makes_no_twin() {
    let _together = together();
    let mut counts = Counts::default();
    let stride = |short| if long_form() { 1 } else { short };
    let lengths = if long_form() { vec![Length::Short, Length::Long] } else { vec![Length::Short] };
    let mut said = Vec::new();
    for (api, template) in templates() {
        for &length in &lengths {
            let mut one = |name: &str, fault: Fault, of, short| {
                let walked = walk(length, &template, |_| fault, of, stride(short));
                said.push(format!("{api} {length:?} {name} {}", walked.trials));
                counts.add(&walked);
            };
            one("abort", Fault::Abort, durable, 5);
            one("abort within a write", Fault::Tear, WRITES, 11);
            one("error", Fault::Error(libc::EIO), durable, 7);
            one("error on the network", Fault::Error(libc::EIO), NETWORK, 1);
            one("delay of 20 s", Fault::Delay(20_000), STOPS, 3);
        }
    }
    let birth = walk(Length::Birth, &templates()[1].1, |_| Fault::Abort, durable, stride(3));
    said.push(format!("a new store, abort {}", birth.trials));
    counts.add(&birth);
    println!(
        "campaign c: real files, Tracker simulated, virtual time at scale 1: {} faults, every {}; {}",
        counts.trials,
        if long_form() { "point" } else { "3rd to 11th point" },
        counts.words()
    );
    println!("campaign c: points: {}", said.join(", "));
}

/// (f) The n-th call of a kind fails, once or from then on.
#[test]
fn no_error_of_the_disk_loses_an_acknowledged_submission() {
    let _together = together();
    let mut counts = Counts::default();
    let mut said = Vec::new();
    let matrix: [(&str, i32, Kinds, u64); 8] = [
        ("write EIO", libc::EIO, WRITES, 23),
        ("write ENOSPC", libc::ENOSPC, WRITES, 23),
        ("fsync EIO", libc::EIO, SYNCS, 3),
        ("fsync ENOSPC", libc::ENOSPC, SYNCS, 5),
        ("create or rename EROFS", libc::EROFS, NAMES, 2),
        ("create or rename ENOSPC", libc::ENOSPC, NAMES, 2),
        ("open EMFILE", libc::EMFILE, OPENS, 1),
        ("open EIO", libc::EIO, OPENS, 11),
    ];
    let templates = templates();
    for (name, number, of, short) in matrix {
        let stride = if long_form() { 1 } else { short };
        for fault in [Fault::Error(number), Fault::ErrorsFrom(number)] {
            let some = if long_form() { &templates[..] } else { &templates[1..] };
            for (api, template) in some {
                let walked = walk(Length::Short, template, |_| fault, of, stride);
                let lasting = if matches!(fault, Fault::ErrorsFrom(_)) { ", lasting" } else { "" };
                said.push(format!("{api} {name}{lasting} {}", walked.trials));
                counts.add(&walked);
            }
        }
    }
    println!(
        "campaign f: real files, errors of the system's calls by number: {} trials, {}",
        counts.trials,
        counts.words()
    );
    println!("campaign f: points: {}", said.join(", "));
}

/// (e) Power fails after any call: only what was synced is there for certain.
#[test]
fn a_power_cut_at_any_moment_loses_nothing_that_was_acknowledged() {
    let _together = together();
    let mut counts = Counts::default();
    let seeds: &[u64] = if long_form() { &[1, 2, 3] } else { &[1] };
    let templates = templates();
    for &seed in seeds {
        let stride = if long_form() { 1 } else { 6 };
        for (_, template) in &templates {
            counts.add(&walk(Length::Short, template, |at| Fault::Cut(at * 31 + seed), durable, stride));
        }
        counts.add(&walk(Length::Birth, &templates[1].1, |at| Fault::Cut(at * 37 + seed), durable, stride));
    }
    if long_form() {
        counts.add(&walk(Length::Long, &templates[1].1, |at| Fault::Cut(at * 41), durable, 2));
    }
    println!(
        "campaign e: real files of which only synced bytes survive, the rest by sectors at random: {} power cuts, {}",
        counts.trials,
        counts.words()
    );
}

/// (i) The wall clock jumps by an hour, forward or back, between any two steps.
#[test]
fn a_jump_of_the_clock_loses_nothing_and_makes_no_twin() {
    let _together = together();
    let mut counts = Counts::default();
    for (_, template) in &templates() {
        for jump in [3_600_000, -3_600_000] {
            let (length, stride) = if long_form() { (Length::Long, 1) } else { (Length::Short, 3) };
            counts.add(&walk(length, template, |_| Fault::Jump(jump), STOPS, stride));
        }
    }
    println!(
        "campaign i: real files, jumps of the wall clock by +1 h and -1 h: {} jumps, {}",
        counts.trials,
        counts.words()
    );
}
