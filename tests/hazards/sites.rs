//! Two sites in one PHP worker, and sites whose settings point at a store that is not theirs: nothing of one may be seen
//! or sent by the other.

use crate::world::{World, brief, person, world};
use serde_json::{Value, json};
use std::path::Path;

/// PHP that makes the second site of the network the current one.
const SECOND: &str = "switch_to_blog(2);";

impl World {
    /// Like `ask`, on the second site.
    fn ask_second(&self, expression: &str) -> Value {
        self.ask(&format!("(static function () {{ {SECOND} return {expression}; }})()"))
    }

    fn cron_second(&self) {
        let printed = self.stack.tick(&format!("{SECOND} wp_cache_flush();"));
        assert_eq!(printed.expect("cron runs"), "", "cron prints nothing");
    }
}

fn ids(found: &Value) -> usize {
    found["ids"].as_array().map_or(usize::MAX, Vec::len)
}

fn find(email: &str) -> String {
    format!("Engine::act(['action' => 'find_person', 'email' => '{email}'])")
}

#[test]
fn two_sites_in_one_worker_never_mix() {
    let world = world(|options| {
        options.workers = 1;
        options.multisite = true;
    });
    // Both sites use one refresh token here, which a Tracker that rotates it would not let them.
    world.sim.switches(&json!({"rotate_refresh_token": false}));
    let (first, second) = (world.stack.root.join("run/one"), world.stack.root.join("run/two"));
    world.set_up("", &first);
    world.set_up(SECOND, &second);

    // The same worker, turn by turn.
    let (ones, twos): (Vec<String>, Vec<String>) = (0..4).map(|n| (person("one", n), person("two", n))).unzip();
    for n in 0..4 {
        let slug = if n % 2 == 0 { "d4" } else { "d5" };
        world.apply(slug, &ones[n]);
        world.apply(&format!("second/{slug}"), &twos[n]);
    }
    world.tick_until_delivered("one", &ones);
    world.cron_second();
    assert_eq!(
        world.records(&twos),
        [1, 1, 1, 1],
        "{}\n{}",
        brief(&world.ask_second("Engine::call('status')")),
        world.stack.logs()
    );
    for n in 0..4 {
        assert_eq!(ids(&world.ask(&find(&ones[n]))), 1);
        assert_eq!(ids(&world.ask(&find(&twos[n]))), 0);
        assert_eq!(ids(&world.ask_second(&find(&twos[n]))), 1);
        assert_eq!(ids(&world.ask_second(&find(&ones[n]))), 0);
    }
    let [one, two] =
        [world.status(), world.ask_second("Engine::call('status')")].map(|status| status["store"]["dir"].clone());
    assert_eq!([one, two], [json!(first), json!(second)]);

    // The second site's option now names the first one's folder.
    let point = |at: &Path| {
        let code = format!("{SECOND} update_option('halt_tracker_data_dir', '{}', false);", at.display());
        world.stack.php(&code).expect("saved");
    };
    point(&first);
    let before = world.status()["counts"].clone();
    let strangers: Vec<String> = (10..13).map(|n| person("two", n)).collect();
    for (email, slug) in strangers.iter().zip(["second/d4", "second/d5", "second/d4"]) {
        world.apply(slug, email);
    }
    assert_eq!(world.captured("wp_2_"), [1105; 3], "forms are kept by their own site");
    assert_eq!(world.captured("wp_"), [] as [u16; 0]);
    for call in ["Engine::call('status')", "Engine::call('list', ['{}'])", &find(&ones[0]), "Relay::run('cli', 1000)"] {
        assert_eq!(world.ask_second(call)["thrown"], "HT-1105", "{call}");
    }
    let reply = world.webhook("/second", &person("two", 20));
    assert_eq!((reply.status, reply.header("retry-after").is_some()), (503, true), "{}", reply.text());
    let session = world.stack.login().expect("logs in");
    for page in ["halt-tracker", "halt-tracker-sync-log"] {
        let reply = world.stack.get_as(&session, &format!("/second/wp-admin/admin.php?page={page}"));
        assert!(!reply.has("one-") && !reply.has(world.status()["last_run"]["id"].as_str().unwrap_or("?")), "{page}");
    }
    world.cron_second();
    assert_eq!(world.status()["counts"], before, "the first site's store is untouched");
    assert_eq!(world.records(&strangers), [0, 0, 0], "nothing is sent");
    assert_eq!(world.webhook("", &person("one", 20)).status, 202, "the first site goes on in the same worker");

    point(&second);
    world.cron_second();
    assert_eq!(world.records(&strangers), [1, 1, 1]);
    assert_eq!(world.captured("wp_2_"), [] as [u16; 0]);
    world.assert_quiet("two sites");
    println!(
        "campaign h: real PHP: two sites in one worker: 8 forms kept apart, 3 forms and a webhook refused a foreign store"
    );
}
