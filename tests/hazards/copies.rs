//! A store that is older than Tracker thinks, and a site that is not where its store was made: nothing is sent before a
//! person has decided, and then nothing twice.

use crate::world::{World, person, sh, text, world};
use serde_json::json;

fn site() -> World {
    let world = world(|options| options.workers = 2);
    world.set_up("", &world.data);
    // The hardest setting: no look-up by e-mail hides a twin, and Tracker does not protect either.
    world.stack.php("use Halt\\Tracker\\WordPress\\Options; Options::save('duplicates', 'create');").expect("saved");
    world.sim.switches(&json!({"widget_duplicates": "create"}));
    world
}

fn creates(world: &World) -> usize {
    let ledger = world.sim.ledger();
    let requests = ledger["requests"].as_array().cloned().unwrap_or_default();
    requests
        .iter()
        .filter(|request| request["operation"].as_str().is_some_and(|name| name.starts_with("create_")))
        .count()
}

fn paused_for(world: &World) -> Vec<String> {
    let lane = world.status()["lane"]["reasons"].clone();
    lane.as_array().into_iter().flatten().filter_map(|one| one["reason"].as_str().map(str::to_owned)).collect()
}

#[test]
fn yesterdays_store_sends_nothing_until_a_person_confirms_and_then_nothing_twice() {
    let world = site();
    let early: Vec<String> = (0..3).map(|n| person("early", n)).collect();
    let waiting: Vec<String> = (0..4).map(|n| person("waiting", n)).collect();
    let late: Vec<String> = (0..3).map(|n| person("late", n)).collect();
    early.iter().for_each(|email| _ = world.apply("d4", email));
    world.tick_until_delivered("early", &early);
    world.act(&json!({"action": "pause"}));
    waiting.iter().for_each(|email| _ = world.apply("d5", email));
    let backup = world.stack.root.join("tmp/backup");
    sh(&["cp", "-a", text(&world.data), text(&backup)]).expect("yesterday's backup");

    world.act(&json!({"action": "resume", "reason": "by hand"}));
    world.tick_until_delivered("waiting", &waiting);
    late.iter().for_each(|email| _ = world.apply("d4", email));
    world.tick_until_delivered("late", &late);
    let sent = creates(&world);

    // Put back below living workers, as a hoster's panel does.
    sh(&["mv", text(&world.data), text(&world.stack.root.join("tmp/today"))]).expect("today's is gone");
    sh(&["cp", "-a", text(&backup), text(&world.data)]).expect("yesterday's is back");
    world.act(&json!({"action": "resume", "reason": "by hand"}));
    let report = world.run();
    assert_eq!(report["outcome"], "paused", "{report}");
    assert_eq!(paused_for(&world), ["restored"]);
    let fresh = person("fresh", 0);
    world.apply("d4", &fresh);
    for _ in 0..2 {
        world.stack.tick("").expect("cron runs");
    }
    assert_eq!(creates(&world), sent, "nothing is sent before a person confirms");

    world.act(&json!({"action": "confirm_restore"}));
    let all: Vec<String> = [early.clone(), waiting.clone(), late.clone()].concat();
    for _ in 0..4 {
        world.stack.tick("").expect("cron runs");
    }
    assert_eq!(world.records(&all), vec![1; all.len()], "nothing is doubled");
    let fresh = vec![fresh];
    let there = world.records(&fresh)[0];
    let counts = world.status()["counts"].clone();
    assert!(counts["queued"] == 0 || counts["checking"] != 0 || there == 1, "{counts}");
    world.assert_quiet("restored");
    let told = [early, waiting, fresh].concat();
    let words = world.tally_beside("restored", &told, &late);
    println!(
        "campaign j: real PHP: restore: {} people once, the one who came during the pause {there} times; {words}",
        all.len()
    );
}

#[test]
fn a_copied_site_uses_nothing_of_the_store_until_it_is_said_to_have_moved() {
    let world = site();
    let before: Vec<String> = (0..3).map(|n| person("before", n)).collect();
    let sent_there: Vec<String> = (0..2).map(|n| person("there", n)).collect();
    let not_sent: Vec<String> = (0..2).map(|n| person("nowhere", n)).collect();
    before.iter().for_each(|email| _ = world.apply("d4", email));
    world.tick_until_delivered("before", &before);
    world.act(&json!({"action": "pause"}));
    sent_there.iter().chain(&not_sent).for_each(|email| _ = world.apply("d5", email));

    let home = |address: &str| {
        world.stack.sql(&format!("UPDATE wp_options SET option_value='{address}' WHERE option_name='home'"))
    };
    home("http://copy.example.org").expect("another address");
    let counts = "Engine::call('status')";
    assert_eq!(world.ask(counts)["thrown"], "HT-1105");
    let kept = [person("copy", 0), person("copy", 1)];
    world.apply("d4", &kept[0]);
    world.apply("d5", &kept[1]);
    assert_eq!(world.captured("wp_"), [1105, 1105]);
    let sent = creates(&world);
    assert_eq!(world.ask("Relay::run('cli', 1000)")["thrown"], "HT-1105");
    world.stack.tick("").expect("cron runs");
    assert_eq!(creates(&world), sent, "nothing is sent");
    assert_eq!(world.captured("wp_"), [1105, 1105], "nothing is adopted");
    assert_eq!(world.webhook("", &person("copy", 9)).status, 503);

    // The old place went on sending for two of them.
    let there: Vec<_> =
        sent_there.iter().map(|email| json!({"firstName": "Ada", "lastName": "Byron", "email": email})).collect();
    world.sim.seed(&json!({"resources": there}));
    assert!(world.act(&json!({"action": "moved"}))["thrown"].is_null());
    world.act(&json!({"action": "resume", "reason": "by hand"}));
    let began = requests(&world);
    let arrived: Vec<String> = kept.iter().chain(&not_sent).cloned().collect();
    world.tick_until_delivered("moved", &arrived);
    assert_eq!(world.records(&sent_there), [1, 1], "what the old place sent is found, not sent again");
    let looked = requests(&world) - began;
    world.assert_quiet("moved");
    println!(
        "campaign j: real PHP: copied site: HT-1105 for 2 forms and a webhook; after `moved` {looked} requests, {}",
        world.tally("moved", &[before, sent_there, arrived].concat())
    );
}

fn requests(world: &World) -> usize {
    world.sim.ledger()["requests"].as_array().map_or(0, Vec::len)
}
