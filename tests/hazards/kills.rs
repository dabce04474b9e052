//! A campaign of `kill -9` against everything of PHP, while senders repeat what was not acknowledged, visitors come with
//! forms, now and then the store's lock is held so that forms go into the site's own table, and Tracker is slow and loses
//! answers: everything acknowledged is there afterwards, and nobody is in Tracker twice. `HAZARD_SEED` repeats one;
//! `HAZARD_SUBMISSIONS` and `HAZARD_KILLS` set how long it goes on, `HAZARD_KILL_MS` how long a worker may live.

use crate::stack::{Reply, divi};
use crate::world::{World, brief, text, world};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

const SENDERS: usize = 4;

fn number(name: &str, usual: usize) -> usize {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(usual)
}

/// Delivers as a cron does that never sleeps, until it is killed.
const RUNNER: &str = "for (;;) {
    try { Halt\\Tracker\\WordPress\\Relay::run('cli', 20000); } catch (Throwable $fault) { fwrite(STDERR, $fault->getMessage()); }
    usleep(20000);
}";

/// xorshift64*: enough to make one campaign unlike the next, and the same one again.
struct Dice(u64);

impl Dice {
    fn up_to(&mut self, most: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) % most.max(1)
    }
}

fn seed() -> u64 {
    let given = std::env::var("HAZARD_SEED").ok().and_then(|seed| seed.parse().ok());
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(1, |now| now.as_secs());
    given.unwrap_or(now).max(1)
}

/// Holds the store's lock for longer than a visitor waits, now and then.
fn hold_the_lock(world: &World, mut dice: Dice, sending: &AtomicBool) -> u32 {
    let mut times = 0;
    while sending.load(Ordering::Relaxed) {
        std::thread::sleep(Duration::from_millis(2_000 + dice.up_to(4_000)));
        let lock = world.data.join("write.lock");
        let held = Command::new("flock").args(["-x", text(&lock), "sleep", "1.8"]).status().expect("flock");
        times += u32::from(held.success());
    }
    times
}

/// Visitors, one after the other; the ones who were thanked. Nobody asks the others to come again.
fn visitors(world: &World, sending: &AtomicBool) -> (Vec<String>, Vec<String>) {
    let (mut thanked, mut all) = (Vec::new(), Vec::new());
    while sending.load(Ordering::Relaxed) {
        let email = format!("visitor-{}@example.org", all.len());
        let page = ["d4", "d5"][all.len() % 2];
        let pairs = divi::application(if page == "d4" { 4 } else { 5 }, &[("name", "Ada Byron"), ("email", &email)]);
        if divi::accepted(&world.stack.divi_post(page, &pairs)) {
            thanked.push(email.clone());
        }
        all.push(email);
    }
    (thanked, all)
}

fn kill(pid: u32) {
    let pid = rustix::process::Pid::from_raw(i32::try_from(pid).unwrap_or(0)).expect("a process of this stack");
    let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
}

/// Repeats one request until it is acknowledged, as the webhook's senders must.
fn until_acknowledged(world: &World, email: &str, repeats: &AtomicU32) -> String {
    let (headers, body) = world.signed(email);
    for _ in 0..200 {
        let reply: Reply =
            world.stack.post_raw("/index.php?rest_route=/halt-tracker/v1/ingest", &headers, body.as_bytes());
        let id = reply.json()["queue_id"].as_str().map(str::to_owned);
        if let (200 | 202, Some(id)) = (reply.status, id) {
            return id;
        }
        assert!(matches!(reply.status, 0 | 502 | 503 | 504), "{email}: {} {}", reply.status, reply.text());
        repeats.fetch_add(1, Ordering::Relaxed);
        std::thread::sleep(Duration::from_millis(30));
    }
    panic!("{email} was never acknowledged\n{}", world.stack.logs());
}

fn runner(world: &World) -> Child {
    let script = world.stack.root.join("tmp/runner.php");
    let text = format!(
        "<?php\n$_SERVER['HTTP_HOST'] = '127.0.0.1';\n$_SERVER['REQUEST_URI'] = '/';\nrequire '{}/wp-load.php';\n{RUNNER}",
        world.stack.wordpress.display()
    );
    std::fs::write(&script, text).expect("a script");
    let mut command = world.stack.php_command("www-data", true);
    command.arg(&script).stdin(Stdio::null()).stdout(Stdio::null()).spawn().expect("a runner")
}

/// Kills workers, busy or idle, until the senders are done.
fn kill_workers(world: &World, mut dice: Dice, sending: &AtomicBool) -> u32 {
    let mut kills = 0;
    while sending.load(Ordering::Relaxed) {
        std::thread::sleep(Duration::from_millis(30 + dice.up_to(number("HAZARD_KILL_MS", 200) as u64)));
        let (_, pids) = world.stack.fpm_pids();
        if !pids.is_empty() {
            kill(pids[dice.up_to(pids.len() as u64) as usize]);
            kills += 1;
        }
    }
    kills
}

/// Kills runners at any moment of their work, until the senders are done and enough was killed.
fn kill_runners(world: &World, mut dice: Dice, sending: &AtomicBool) -> u32 {
    let (mut kills, least) = (0, number("HAZARD_KILLS", 40) as u32 / 2);
    while sending.load(Ordering::Relaxed) || kills < least {
        let mut child = runner(world);
        // Loading WordPress takes a good part of a second: most get to work first, some do not.
        std::thread::sleep(Duration::from_millis(150 + dice.up_to(700)));
        let _ = child.kill();
        let _ = child.wait();
        kills += 1;
    }
    kills
}

#[test]
fn no_kill_loses_an_acknowledged_submission_or_makes_a_twin() {
    let world = world(|options| options.workers = 4);
    world.set_up("", &world.data);
    let seed = seed();
    let mut dice = Dice(seed);
    println!("hazards: kills: HAZARD_SEED={seed}");
    let losses: Vec<Value> = ["drop_after", "502_after", "drop_before", "cut_body_after", "drop_after", "504_before"]
        .iter()
        .map(|fault| json!({"on": "create", "do": fault, "skip": 5 + dice.up_to(60)}))
        .collect();
    world.sim.switches(&json!({"latency_ms": 15, "faults": losses}));

    let began = Instant::now();
    let (repeats, sending) = (AtomicU32::new(0), AtomicBool::new(true));
    let mut acknowledged: BTreeMap<String, String> = BTreeMap::new();
    let each = number("HAZARD_SUBMISSIONS", 280) / SENDERS;
    let (kills, held, (thanked, came)) = std::thread::scope(|scope| {
        let [one, two, three] = [(); 3].map(|()| Dice(dice.up_to(u64::MAX) | 1));
        let holder = scope.spawn(|| hold_the_lock(&world, three, &sending));
        let visitors = scope.spawn(|| visitors(&world, &sending));
        let workers = scope.spawn(|| kill_workers(&world, one, &sending));
        let runners = scope.spawn(|| kill_runners(&world, two, &sending));
        let senders: Vec<_> = (0..SENDERS)
            .map(|sender| {
                let (world, repeats) = (&world, &repeats);
                let one = move |n: usize| {
                    let email = format!("kill-{sender}-{n}@example.org");
                    std::thread::sleep(Duration::from_millis(50));
                    (until_acknowledged(world, &email, repeats), email)
                };
                scope.spawn(move || (0..each).map(one).collect::<Vec<_>>())
            })
            .collect();
        let sent: Vec<_> = senders.into_iter().map(|sender| sender.join()).collect();
        sending.store(false, Ordering::Relaxed);
        sent.into_iter().for_each(|sent| acknowledged.extend(sent.expect("all acknowledged")));
        let kills = (workers.join().expect("kills"), runners.join().expect("kills"));
        (kills, holder.join().expect("holds"), visitors.join().expect("visitors"))
    });
    let stormy = began.elapsed().as_secs();
    assert_eq!(acknowledged.len(), SENDERS * each, "one id a person");
    let captured = world.captured("wp_").len();

    // Calm: everything that needs no long wait comes to its end.
    world.sim.switches(&json!({"latency_ms": 0, "faults": []}));
    let calm = Instant::now();
    loop {
        let report = world.run();
        let counts = world.status()["counts"].clone();
        if ["queued", "sending", "retry"].iter().all(|state| counts[*state] == 0) && world.captured("wp_").is_empty() {
            break;
        }
        let patience = Duration::from_secs(70 + (SENDERS * each) as u64 / 10);
        assert!(calm.elapsed() < patience, "no calm: {report} {}", brief(&world.status()));
        std::thread::sleep(Duration::from_millis(500));
    }
    let asked = judge(&world, &acknowledged, &thanked, &came);
    let told: Vec<String> = acknowledged.values().chain(&thanked).cloned().collect();
    let (workers, runners) = kills;
    assert!(workers + runners >= number("HAZARD_KILLS", 40) as u32, "{workers} and {runners} kills");
    assert!(!thanked.is_empty(), "no visitor was thanked");
    println!(
        "campaign d: real processes, PHP under kill -9 (seed {seed}): {} kills ({workers} workers, {runners} runners) in {stormy} s, {} submissions acknowledged ({} webhook, {} forms of {}), {} repeats, lock held {held} times, {captured} forms in the site's own table at the end of the storm, {}, {asked} ask a person or are looked for, calm after {} s",
        workers + runners,
        acknowledged.len() + thanked.len(),
        acknowledged.len(),
        thanked.len(),
        came.len(),
        repeats.into_inner(),
        world.tally(&told),
        calm.elapsed().as_secs()
    );
    world.assert_sound("kills");
    world.assert_quiet("kills");
}

/// Looks at every acknowledged id in the store, every thanked visitor, and every person in Tracker.
fn judge(world: &World, acknowledged: &BTreeMap<String, String>, thanked: &[String], came: &[String]) -> usize {
    let list = json!(acknowledged.keys().collect::<Vec<_>>()).to_string();
    std::fs::write(world.stack.root.join("tmp/ids.json"), list).expect("a list");
    let path = world.stack.root.join("tmp/ids.json");
    let found = world.ask(&format!(
        "array_map(static function ($id) {{ try {{ $one = Engine::call('get', [$id]); return [$id, $one['state'], $one['code'], $one['tracker_id'], count($one['journal'])]; }}
         catch (EngineException $fault) {{ return [$id, $fault->ht_code, '', 0, 0]; }} }}, json_decode(file_get_contents('{}')))",
        path.display()
    ));
    let found = found.as_array().expect("a list").clone();
    let emails: Vec<String> = found.iter().map(|one| acknowledged[one[0].as_str().expect("an id")].clone()).collect();
    let records = world.records(&emails);
    let mut states: BTreeMap<String, usize> = BTreeMap::new();
    for ((one, email), records) in found.iter().zip(&emails).zip(records) {
        let state = one[1].as_str().unwrap_or_default();
        *states.entry(state.to_owned()).or_default() += 1;
        assert!(records <= 1, "{email} is in Tracker {records} times: {one}");
        match state {
            "done" => assert_eq!(records, 1, "{email} is done and not in Tracker: {one}"),
            "checking" => {}
            "attention" => {
                assert!(one[2].is_string() && one[4] != 0, "{email} is in attention without evidence: {one}")
            }
            other => panic!("{email} is {other}: {one}"),
        }
    }
    let ledger = world.sim.ledger();
    let people: BTreeSet<&String> = acknowledged.values().chain(came).collect();
    let strangers = ledger["resources"].as_array().into_iter().flatten();
    let strangers =
        strangers.filter(|one| !one["email"].as_str().is_some_and(|email| people.contains(&email.to_owned())));
    assert_eq!(strangers.count(), 0, "Tracker holds nobody who was not acknowledged");
    println!("hazards: kills: {states:?}");
    let mut asked: usize = states.iter().filter(|(state, _)| *state != "done").map(|(_, count)| count).sum();
    let stored = world.stored(came);
    let records = world.records(came);
    for (at, email) in came.iter().enumerate() {
        let kept = stored[at];
        assert!(records[at] <= 1 && kept <= 1, "{email} is stored {kept} times and in Tracker {} times", records[at]);
        if thanked.contains(email) {
            assert_eq!(kept, 1, "{email} was thanked and is lost");
            asked += usize::from(records[at] == 0);
        }
    }
    asked
}
