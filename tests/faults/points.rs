//! A fault at every point where the engine changes a disk or speaks with Tracker, one after the other.

use serde_json::json;

use crate::judge::Counts;
use crate::site::{Site, Template};
use crate::story::{Length, play};
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
pub fn walk(
    what: &str,
    length: Length,
    template: &Template,
    fault: Fault,
    of: fn(Kind) -> bool,
    stride: u64,
) -> (u64, Counts) {
    let (mut at, mut tried, mut counts) = (1, 0, Counts::default());
    loop {
        let trial = play(length, template, Some(Plan { at, fault, of }), Lies::default(), |_| {});
        let Some(point) = &trial.seen.fired else {
            assert!(tried > 0, "{what}: no point at all");
            return (tried, counts);
        };
        match &trial.result {
            Ok(one) => counts.add(one),
            Err(why) => panic!("{what}: {fault:?} at {point}: {why}\n{:?}", trial.errors),
        }
        tried += 1;
        at += stride;
    }
}

#[test]
fn a_fault_at_any_point_loses_nothing_and_makes_no_twin() {
    let (mut points, mut counts) = (0, Counts::default());
    let stride = if long_form() { 1 } else { 7 };
    let faults = [Fault::Abort, Fault::Tear, Fault::Error(libc::EIO), Fault::Delay(20_000)];
    for (api, template) in templates() {
        let lengths = if long_form() { vec![Length::Short, Length::Long] } else { vec![Length::Short] };
        for length in lengths {
            for fault in faults {
                let (tried, one) = walk(&format!("{api} {length:?}"), length, &template, fault, durable, stride);
                println!("  {api} {length:?} {fault:?}: {tried} points");
                points += tried;
                counts.add(&one);
            }
        }
    }
    println!("campaign c: real files, virtual time (scale 1): {points} faults of 4 kinds, {}", counts.words());
}
