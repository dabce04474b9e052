//! (j) of the campaign: yesterday's files are put back by people who do not ask the engine.

use halt_tracker::engine::handles;
use serde_json::json;

use crate::judge::{Counts, judge};
use crate::points::{long_form, templates};
use crate::processes::copy;
use crate::site::{Site, Template};
use crate::story::{alone, calm};
use crate::system::{self, Lies};

/// (j) Yesterday's files are put back: nothing is sent until a person confirms, and then nothing twice.
#[test]
fn yesterdays_store_sends_nothing_by_itself_and_nothing_twice() {
    let _alone = alone();
    for (api, template) in &templates() {
        let (mut counts, mut paused, mut early, mut waited) = (Counts::default(), 0, 0, 0);
        for runs in 1..=if long_form() { 12 } else { 3 } {
            let seen = restored(template, runs, false).unwrap_or_else(|why| panic!("{api}: {why}"));
            assert!(seen.paused, "{api}: a store from {runs} runs ago goes on as if nothing had been");
            paused += 1;
            early += seen.sent_before;
            waited += seen.waiting;
            counts.add(&seen.counts);
        }
        println!(
            "campaign j, {api}: real files: yesterday's store put back {} times, {waited} submissions that it calls unsent: paused {paused} times, requests before the confirmation {early}; {}",
            counts.trials,
            counts.words()
        );
        assert_eq!(early, 0, "{api}: sent before anybody confirmed");
    }
}

/// Also where the counter alone, or the epoch alone, tells.
#[test]
fn a_store_one_run_old_or_of_another_epoch_sends_nothing_twice() {
    let _alone = alone();
    let mut counts = Counts::default();
    for (api, template) in &templates() {
        for one in [one_run_old(template, false), another_epoch(template, false)] {
            counts.add(&one.unwrap_or_else(|why| panic!("{api}: {why}")));
        }
    }
    println!(
        "campaign j, counter and epoch: real files: a store from right before a run that was cut off, and one of another epoch, put back {} times; {}",
        counts.trials,
        counts.words()
    );
}

/// A run sends and its machine dies; what comes back is the disk from right before that run. The option alone tells: it
/// was raised before anything was sent. `option_last`: as if the site had saved it afterwards.
pub fn one_run_old(template: &Template, option_last: bool) -> Result<Counts, String> {
    let mut site = Site::of(template);
    site.option_last = option_last;
    let ada = site.form("ada", true);
    site.submit(ada)?;
    handles::close_all();
    let backup = site.beside("before the run");
    copy(&site.dir(), &backup);
    let plan = system::Plan { at: 3, fault: system::Fault::Abort, of: |kind| kind == system::Kind::Send };
    system::watch(&site.root(), Some(plan), Lies::default());
    let ended = site.run();
    handles::close_all();
    let seen = system::unwatch();
    assert!(ended.is_err() && seen.fired.is_some(), "it died after the record was made");
    std::fs::remove_dir_all(site.dir()).map_err(|error| error.to_string())?;
    copy(&backup, &site.dir());
    if site.run()?["reasons"].as_array().is_some_and(|all| all.contains(&json!("restored"))) {
        site.act(&json!({ "action": "confirm_restore" }))?;
    }
    calm(&mut site)?;
    let counts = judge(&site)?;
    handles::close_all();
    Ok(counts)
}

/// The store was lost and a new one begun in its place; then the lost one is found, some runs old, and put there again,
/// with a counter that happens to fit. `any_epoch`: as if nobody asked which of the two it is.
pub fn another_epoch(template: &Template, any_epoch: bool) -> Result<Counts, String> {
    let mut site = Site::of(template);
    let ada = site.form("ada", true);
    site.submit(ada)?;
    handles::close_all();
    let (found, old) = (site.beside("found"), site.identity.clone());
    copy(&site.dir(), &found);
    // What it sends after the copy was made, the copy does not know.
    site.clock.advance(60_000);
    site.run()?;
    handles::close_all();
    std::fs::remove_dir_all(site.dir()).map_err(|error| error.to_string())?;
    copy(&found, &site.dir());
    site.identity = old.clone();
    if !any_epoch {
        site.identity["epoch"] = json!("0123456789abcdef");
    }
    let report = site.run()?;
    if report["reasons"].as_array().is_some_and(|all| all.contains(&json!("restored"))) {
        site.act(&json!({ "action": "confirm_restore" }))?;
    }
    calm(&mut site)?;
    let counts = judge(&site)?;
    handles::close_all();
    Ok(counts)
}

/// What came of a store that was put back.
pub struct Restored {
    pub paused: bool,
    /// Requests between the restore and the moment at which a person confirmed it.
    pub sent_before: u64,
    /// Submissions that were sent since, and that the store calls unsent.
    pub waiting: u64,
    pub counts: Counts,
}

/// Puts a store back that is some runs old. `with_options`: the site's own counter was put back with it, as a restore of
/// the whole site does.
pub fn restored(template: &Template, runs: usize, with_options: bool) -> Result<Restored, String> {
    let mut site = Site::of(template);
    let waiting: Vec<usize> = (0..3).map(|n| site.form(&format!("waiting-{n}"), n == 0)).collect();
    for at in &waiting {
        site.submit(*at)?;
    }
    handles::close_all();
    let (backup, identity) = (site.beside("yesterday"), site.identity.clone());
    copy(&site.dir(), &backup);
    for run in 0..runs {
        let one = site.form(&format!("late-{run}"), false);
        site.submit(one)?;
        site.clock.advance(60_000);
        site.run()?;
    }
    handles::close_all();
    std::fs::remove_dir_all(site.dir()).map_err(|error| error.to_string())?;
    copy(&backup, &site.dir());
    if with_options {
        site.identity = identity;
    }
    // Who came later is in Tracker and not in yesterday's store; nothing can bring that row back.
    let late = site.people.split_off(site.people.len() - runs);
    site.elsewhere = late.into_iter().map(|one| one.email).collect();
    let sent = site.sent.get();
    let fresh = site.form("fresh", false);
    site.submit(fresh)?;
    let mut paused = false;
    for _ in 0..3 {
        let report = site.run()?;
        paused |= report["reasons"].as_array().is_some_and(|all| all.contains(&json!("restored")));
        site.clock.advance(300_000);
    }
    let sent_before = site.sent.get() - sent;
    if paused {
        site.act(&json!({ "action": "confirm_restore" }))?;
    }
    calm(&mut site)?;
    let counts = judge(&site)?;
    handles::close_all();
    Ok(Restored { paused, sent_before, waiting: waiting.len() as u64, counts })
}
