//! A fault at every point where the engine changes a disk or speaks with Tracker, one after the other.

use serde_json::json;

use crate::judge::Counts;
use crate::site::{Site, Template};
use crate::story::{Length, play, together};
use crate::system::{Fault, Kind, Lies, Plan};

pub fn durable(kind: Kind) -> bool {
    !matches!(kind, Kind::Open | Kind::OpenToWrite)
}

pub fn long_form() -> bool {
    std::env::var_os("TORTURE").is_some()
}

pub fn templates() -> Vec<(&'static str, Template)> {
    sites_of("Resource")
}

/// A Lead and its person are two records, each of which may be doubled.
fn leads() -> Vec<(&'static str, Template)> {
    sites_of("Lead")
}

fn sites_of(record_type: &str) -> Vec<(&'static str, Template)> {
    // The hardest setting: no look-up by e-mail hides a twin, and Tracker does not protect either.
    ["widget", "rest"]
        .map(|api| {
            let settings = json!({ "api": api, "record_type": record_type, "duplicates": "create" });
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
            // A store whose birth failed has no secrets yet.
            let unborn = length == Length::Birth && error.contains("HT-1202");
            unborn
                || ["HT-11", "HT-13"].iter().any(|code| error.contains(code))
                || error == "dead"
                || error == "not there yet"
        };
        let loud = trial.errors.iter().find(|error| !told(error));
        assert_eq!(loud, None, "{length:?} {fault:?} at {point}: an error without a code of the store or its keys");
        // Only what dies or fails between Tracker's answer and our commit costs a refresh token.
        let harmless = matches!(fault, Fault::Delay(_) | Fault::Jump(_));
        let may_paste = u64::from(!harmless);
        match &trial.result {
            Ok(one) if one.pasted > may_paste => panic!("{length:?} {fault:?} at {point}: {} tokens lost", one.pasted),
            Ok(one) => counts.add(one),
            Err(why) => panic!("{length:?} {fault:?} at {point}: {why}\n{:?}", trial.errors),
        }
        at += stride;
    }
}

pub type Kinds = fn(Kind) -> bool;

const NETWORK: Kinds = |kind| matches!(kind, Kind::Send | Kind::Answer);
const WRITES: Kinds = |kind| kind == Kind::Write;
const SYNCS: Kinds = |kind| kind == Kind::Sync;
const NAMES: Kinds = |kind| matches!(kind, Kind::Create | Kind::Name);
const OPENS: Kinds = |kind| matches!(kind, Kind::Open | Kind::OpenToWrite | Kind::Create);
const TO_CHANGE: Kinds = |kind| matches!(kind, Kind::OpenToWrite | Kind::Create | Kind::Name | Kind::Write);
pub const STOPS: Kinds = |kind| matches!(kind, Kind::Sync | Kind::Send | Kind::Answer);

/// A fault by name, the points at which it comes, and every how many of them in the short form.
type Every = (&'static str, Fault, Kinds, u64);

/// The faults of (c): the process dies, a call fails once, or the machine stands still, at every point; in the short form at
/// every n-th.
const EVERY: [Every; 5] = [
    ("abort", Fault::Abort, durable, 5),
    ("abort within a write", Fault::Tear, WRITES, 11),
    ("error", Fault::Error(libc::EIO), durable, 7),
    ("error on the network", Fault::Error(libc::EIO), NETWORK, 1),
    ("delay of 20 s", Fault::Delay(20_000), durable, 9),
];

fn at_every_point(what: &str, template: &Template, lengths: &[Length], faults: &[Every]) {
    let (mut counts, mut said) = (Counts::default(), Vec::new());
    for &length in lengths {
        for &(name, fault, of, short) in faults {
            let walked = walk(length, template, |_| fault, of, if long_form() { 1 } else { short });
            said.push(format!("{length:?} {name} {}", walked.trials));
            counts.add(&walked);
        }
    }
    println!(
        "campaign c, {what}: real files, Tracker simulated, virtual time at scale 1: {} faults, {}; {}",
        counts.trials,
        if long_form() { "at every point" } else { "at some of the points" },
        counts.words()
    );
    println!("points c, {what}: {}", said.join(", "));
}

fn short_and_long() -> &'static [Length] {
    if long_form() { &[Length::Short, Length::Long] } else { &[Length::Short] }
}

#[test]
fn a_fault_at_any_point_on_the_way_to_the_widget_api_loses_nothing_and_makes_no_twin() {
    let _together = together();
    at_every_point("widget", &templates()[0].1, short_and_long(), &EVERY);
}

#[test]
fn a_fault_at_any_point_on_the_way_to_the_rest_api_loses_nothing_and_makes_no_twin() {
    let _together = together();
    at_every_point("rest", &templates()[1].1, short_and_long(), &EVERY);
}

#[test]
fn a_fault_at_any_point_makes_no_twin_of_a_lead_or_of_its_person() {
    let _together = together();
    let leads = leads();
    let some = if long_form() { &leads[..] } else { &leads[1..] };
    for (api, template) in some {
        at_every_point(&format!("{api}, Leads"), template, &[Length::Short], &EVERY);
    }
}

#[test]
fn a_fault_at_any_point_of_its_birth_leaves_a_store_that_takes_everything() {
    let _together = together();
    // Nothing is sent before its birth is over.
    at_every_point("a new store", &templates()[1].1, &[Length::Birth], &EVERY[..3]);
}

#[test]
fn a_fault_at_any_point_of_an_adoption_takes_the_kept_form_over_once() {
    let _together = together();
    let templates = templates();
    let (some, faults, stride) =
        if long_form() { (&templates[..], &EVERY[..], 1) } else { (&templates[1..], &EVERY[..3], 9) };
    for (api, template) in some {
        at_every_point(&format!("{api}, a kept form"), template, &[Length::Kept], faults);
        let cuts = walk(Length::Kept, template, |at| Fault::Cut(at * 47), durable, stride);
        println!("campaign e, {api}, a kept form: real files: {} power cuts, {}", cuts.trials, cuts.words());
    }
}

/// (f) The n-th call of a kind fails, once or from then on.
#[test]
fn no_error_of_the_disk_loses_an_acknowledged_submission() {
    let _together = together();
    let mut counts = Counts::default();
    let mut said = Vec::new();
    let matrix: [(&str, i32, Kinds, u64); 10] = [
        ("write EIO", libc::EIO, WRITES, 23),
        ("write ENOSPC", libc::ENOSPC, WRITES, 23),
        ("any change EROFS", libc::EROFS, TO_CHANGE, 29),
        ("fsync EROFS", libc::EROFS, SYNCS, 7),
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
    if long_form() {
        // What people do by hand, a new key, a backup, retention.
        for (name, number, of) in
            [("write EIO", libc::EIO, WRITES), ("fsync EIO", libc::EIO, SYNCS), ("open EMFILE", libc::EMFILE, OPENS)]
        {
            let walked = walk(Length::Long, &templates[1].1, |_| Fault::Error(number), of, 1);
            said.push(format!("rest Long {name} {}", walked.trials));
            counts.add(&walked);
        }
    }
    println!(
        "campaign f: real files, errors of the system's calls by number: {} trials, {}",
        counts.trials,
        counts.words()
    );
    println!("points f: {}", said.join(", "));
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
        for (_, template) in &templates {
            counts.add(&walk(Length::Long, template, |at| Fault::Cut(at * 41), durable, 2));
        }
        for (_, template) in leads() {
            counts.add(&walk(Length::Short, &template, |at| Fault::Cut(at * 43), durable, 1));
        }
        assert!(counts.trials >= 1_000, "{} power cuts", counts.trials);
    }
    println!(
        "campaign e: real files of which only synced bytes survive, the rest by sectors at random: {} power cuts, {}",
        counts.trials,
        counts.words()
    );
}
