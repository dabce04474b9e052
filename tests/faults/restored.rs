//! (j) of the campaign: yesterday's files are put back by people who do not ask the engine.

use halt_tracker::engine::handles;
use serde_json::json;

use crate::points::{long_form, templates};
use crate::processes::copy;
use crate::site::{Site, Template};
use crate::story::{calm, together};

/// (j) Yesterday's files are put back: nothing is sent until a person confirms, and then nothing twice.
#[test]
fn yesterdays_store_sends_nothing_by_itself_and_nothing_twice() {
    let _together = together();
    let mut said = Vec::new();
    for (api, template) in &templates() {
        for runs in 1..=if long_form() { 12 } else { 3 } {
            let (waiting, paused) = restored(template, runs, false).unwrap_or_else(|why| panic!("{api}: {why}"));
            assert!(paused, "{api}: a store from {runs} runs ago goes on as if nothing had been");
            said.push(waiting);
        }
    }
    println!(
        "campaign j: real files: yesterday's store put back {} times, {} submissions that it calls unsent: paused each time, sent before the confirmation 0, twins 0",
        said.len(),
        said.iter().sum::<u64>()
    );
}

/// Puts a store back that is some runs old; whether it paused, and how many it called unsent. `with_options`: the site's
/// own counter was put back with it, as a restore of the whole site does.
pub fn restored(template: &Template, runs: usize, with_options: bool) -> Result<(u64, bool), String> {
    let mut site = Site::of(template);
    let waiting: Vec<usize> = (0..3).map(|n| site.form(&format!("waiting-{n}"), n == 0)).collect();
    for at in &waiting {
        site.submit(*at)?;
    }
    handles::close_all();
    let (backup, identity) = (site.beside("yesterday"), site.identity.clone());
    copy(&site.dir(), &backup);
    let mut late = Vec::new();
    for run in 0..runs {
        let one = site.form(&format!("late-{run}"), false);
        site.submit(one)?;
        late.push(one);
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
    let lost_rows = late.len();
    site.people.truncate(site.people.len() - lost_rows);
    let sent = site.sent.get();
    let fresh = site.form("fresh", false);
    site.submit(fresh)?;
    let mut paused = false;
    for _ in 0..3 {
        let report = site.run()?;
        paused |= report["reasons"].as_array().is_some_and(|all| all.contains(&json!("restored")));
        site.clock.advance(300_000);
    }
    if paused && site.sent.get() != sent {
        return Err("sent before anybody confirmed".into());
    }
    if paused {
        site.act(&json!({ "action": "confirm_restore" }))?;
    }
    calm(&mut site)?;
    // The people of the days between are in Tracker once each, and nobody of the rest more often.
    let ledger = site.tracker.borrow().ledger();
    for (at, email) in
        ledger["resources"].as_array().into_iter().flatten().filter_map(|one| one["email"].as_str()).enumerate()
    {
        let again = ledger["resources"].as_array().into_iter().flatten().skip(at + 1).any(|one| one["email"] == email);
        if again {
            return Err(format!("{email} is there twice"));
        }
    }
    handles::close_all();
    Ok((waiting.len() as u64, paused))
}
