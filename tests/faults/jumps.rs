//! (i) of the campaign: the wall clock jumps by an hour, forward or back, at any point and while a look is awaited.

use serde_json::json;

use crate::judge::{Counts, judge};
use crate::points::{STOPS, long_form, templates, walk};
use crate::site::{Site, Template};
use crate::story::{Length, calm, together};
use crate::system::Fault;

const HOUR: i64 = 3_600_000;

#[test]
fn a_jump_of_the_clock_loses_nothing_and_makes_no_twin() {
    let _together = together();
    let mut counts = Counts::default();
    for (api, template) in &templates() {
        for jump in [HOUR, -HOUR] {
            let (length, stride) = if long_form() { (Length::Long, 1) } else { (Length::Short, 3) };
            counts.add(&walk(length, template, |_| Fault::Jump(jump), STOPS, stride));
            counts.add(&between_looks(template, jump, false).unwrap_or_else(|why| panic!("{api} {jump}: {why}")));
        }
    }
    println!(
        "campaign i: real files, jumps of the wall clock by +1 h and -1 h: {} jumps, {}",
        counts.trials,
        counts.words()
    );
}

#[test]
fn a_jump_goes_red_when_the_waits_follow_the_wall_clock() {
    let _together = together();
    let why = between_looks(&templates()[1].1, HOUR, true).expect_err("nobody noticed");
    println!("mutation waits by a clock that does not jump: red ({why})");
}

/// An answer is lost, the record is found by no search for ten minutes, and the clock jumps in between: who took that hour
/// for time that has passed would look in vain, and send again. `boot_jumps`: as if that were our only clock.
fn between_looks(template: &Template, jump: i64, boot_jumps: bool) -> Result<Counts, String> {
    let mut site = Site::of(&template.clone().with(&json!({ "search_lag_ms": 600_000 })));
    site.clock.boot_jumps = boot_jumps;
    let ada = site.form("ada", true);
    site.submit(ada)?;
    site.lose_answers_of.replace(Some("ada@example.org".into()));
    site.run()?;
    site.clock.jump.set(jump);
    for _ in 0..6 {
        site.clock.advance(20_000);
        site.run()?;
    }
    calm(&mut site)?;
    judge(&site)
}
