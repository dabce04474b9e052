//! A campaign of `kill -9` against everything of PHP, while senders repeat what was not acknowledged, visitors come with
//! forms, now and then the store's lock is held so that forms go into the site's own table, the site changes its API and
//! what people become, and Tracker is slow and loses answers. Nothing hides a twin: no look-up by e-mail comes first, and
//! Tracker protects from none. What is then still looked for is followed to its end on a clock that leaps. `HAZARD_SEED`
//! repeats one; `HAZARD_SUBMISSIONS` and `HAZARD_KILLS` set how long it goes on, `HAZARD_KILL_MS` how long a worker may live.

use crate::judge::{Counts, People, Told, judge};
use crate::place::Place;
use crate::stack::{Reply, divi};
use crate::world::{World, brief, cv_of, fields_of, file_of, name_of, sh, text, world};
use serde_json::{Value, json};
use std::any::Any;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

const SENDERS: usize = 4;
/// Who comes before the storm.
const FIRST: &str = "first@example.org";

fn number(name: &str, usual: usize) -> usize {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(usual)
}

/// Delivers as a cron does that never sleeps, until it is killed.
const RUNNER: &str = "for (;;) {
    try { Halt\\Tracker\\WordPress\\Relay::run('cli', 20000); } catch (Throwable $fault) { fwrite(STDERR, $fault->getMessage()); }
    usleep(20000);
}";

/// Remembers every form that ever was in the site's own table; most are adopted within seconds.
const REMEMBER: &str = "CREATE TABLE hazard_kept (id CHAR(36) PRIMARY KEY);
    CREATE TRIGGER hazard_kept AFTER INSERT ON wp_halt_tracker_capture FOR EACH ROW INSERT IGNORE INTO hazard_kept VALUES (NEW.id)";

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
        let held = Command::new("flock").args(["-x", text(&lock), "sleep", "2.2"]).status().expect("flock");
        times += u32::from(held.success());
    }
    times
}

/// Changes the API and the kind of record below everything that runs; ends as it began.
fn change_the_settings(world: &World, sending: &AtomicBool) -> u32 {
    let mut times = 0;
    let kinds = ["Resource", "Contact", "Lead"];
    let set = |api: &str, kind: &str| {
        let save = |name: &str, value: &str| {
            format!("UPDATE wp_options SET option_value='{value}' WHERE option_name='halt_tracker_{name}';")
        };
        world.stack.sql(&(save("api", api) + &save("record_type", kind))).expect("saved");
    };
    while sending.load(Ordering::Relaxed) {
        times += 1;
        set(["widget", "rest"][times % 2], kinds[times % 3]);
        std::thread::sleep(Duration::from_millis(2_500));
    }
    set("widget", "Resource");
    u32::try_from(times).unwrap_or(0)
}

/// Every fourth brings a CV.
fn brings_a_cv(n: usize) -> bool {
    n.is_multiple_of(4)
}

/// Visitors, one after the other; the ones who were thanked, and how many came. Nobody asks the others to come again.
fn visitors(world: &World, name: &str, sending: &AtomicBool) -> (Vec<Told>, usize) {
    let folder = world.stack.wordpress.join("wp-content/uploads/cfefd-uploads/tmp");
    sh(&["mkdir", "-p", text(&folder)]).expect("a folder");
    let (mut thanked, mut came) = (Vec::new(), 0);
    while sending.load(Ordering::Relaxed) {
        let (email, path) = (format!("visitor-{name}{came}@example.org"), if came % 8 < 4 { 4 } else { 5 });
        let (called, cv) = (name_of(&email), brings_a_cv(came));
        let file = format!("cv-{name}{came}-1700000000.pdf");
        let pairs = if cv {
            std::fs::write(folder.join(&file), cv_of(&email)).expect("written");
            divi::application_with_file(path, &[("name", &called), ("email", &email), ("cv", &file)])
        } else {
            divi::application(path, &[("name", &called), ("email", &email)])
        };
        let page = format!("d{path}{}", if cv { "file" } else { "" });
        if divi::accepted(&world.stack.divi_post(&page, &pairs)) {
            thanked.push(Told { email, id: None, cv });
        }
        came += 1;
    }
    (thanked, came)
}

fn kill(pid: u32) {
    let pid = rustix::process::Pid::from_raw(i32::try_from(pid).unwrap_or(0)).expect("a process of this stack");
    let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
}

/// Repeats one request until it is acknowledged, as the webhook's senders must.
fn until_acknowledged(world: &World, email: &str, cv: bool, repeats: &AtomicU32) -> String {
    let files = if cv { json!([file_of(&cv_of(email))]) } else { json!([]) };
    let body = json!({"form_id": "careers", "fields": fields_of(email), "files": files});
    let (headers, body) = world.sign(&body.to_string());
    for _ in 0..200 {
        let reply: Reply =
            world.stack.post_raw("/index.php?rest_route=/halt-tracker/v1/ingest", &headers, body.as_bytes());
        let id = reply.json()["queue_id"].as_str().map(str::to_owned);
        if let (200 | 202, Some(id)) = (reply.status, id) {
            return id;
        }
        if !matches!(reply.status, 0 | 502 | 503 | 504) {
            panic!("{email} was answered {} {:?}\n{}", reply.status, reply.text(), world.stack.logs());
        }
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
fn kill_runners(world: &World, mut dice: Dice, sending: &AtomicBool, least: u32) -> u32 {
    let mut kills = 0;
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

/// What a storm left behind.
struct Storm {
    told: Vec<Told>,
    thanked: usize,
    came: usize,
    workers: u32,
    runners: u32,
    held: u32,
    changes: u32,
    repeats: u32,
}

fn hardest_site() -> World {
    let world = world(|options| options.workers = 4);
    world.set_up("", &world.data);
    let choose = "use Halt\\Tracker\\WordPress\\Options;
        foreach (['duplicates' => 'create', 'api' => 'widget', 'record_type' => 'Resource'] as $name => $value) { Options::save($name, $value); }";
    world.stack.php(choose).expect("saved");
    world.stack.sql(REMEMBER).expect("a trigger");
    // The tokens are there before the storm: a refresh token that is lost with its answer has to be pasted by a person.
    world.apply("d4", FIRST);
    world.run();
    assert_eq!(world.status()["counts"]["done"], 1, "{}", brief(&world.status()));
    world
}

/// `name` tells the people of one storm from those of another.
fn storm(world: &World, name: &str, dice: &mut Dice, each: usize, least_kills: u32, slow_ms: u32) -> Storm {
    let losses: Vec<Value> = ["drop_after", "502_after", "drop_before", "cut_body_after", "drop_after", "504_before"]
        .iter()
        .map(|fault| json!({"on": "create", "do": fault, "skip": 5 + dice.up_to(60)}))
        .collect();
    let hardest =
        json!({"widget_duplicates": "create", "keep_requests": 200_000, "latency_ms": slow_ms, "faults": losses});
    let said = world.sim.switches(&hardest);
    assert_eq!(said["widget_duplicates"], "create", "{said}");
    let (repeats, sending) = (AtomicU32::new(0), AtomicBool::new(true));
    std::thread::scope(|scope| {
        let [one, two, three] = [(); 3].map(|()| Dice(dice.up_to(u64::MAX) | 1));
        let holder = scope.spawn(|| hold_the_lock(world, three, &sending));
        let settings = scope.spawn(|| change_the_settings(world, &sending));
        let visitors = scope.spawn(|| visitors(world, name, &sending));
        let workers = scope.spawn(|| kill_workers(world, one, &sending));
        let runners = scope.spawn(|| kill_runners(world, two, &sending, least_kills));
        let senders: Vec<_> = (0..SENDERS)
            .map(|sender| {
                let repeats = &repeats;
                let one = move |n: usize| {
                    let (email, cv) = (format!("kill-{name}{sender}-{n}@example.org"), brings_a_cv(n));
                    std::thread::sleep(Duration::from_millis(50));
                    Told { id: Some(until_acknowledged(world, &email, cv, repeats)), email, cv }
                };
                scope.spawn(move || (0..each).map(one).collect::<Vec<_>>())
            })
            .collect();
        let sent: Vec<_> = senders.into_iter().map(|sender| sender.join()).collect();
        sending.store(false, Ordering::Relaxed);
        let (workers, runners) = (workers.join().expect("kills"), runners.join().expect("kills"));
        let (held, changes) = (holder.join().expect("holds"), settings.join().expect("changes"));
        let (thanked, came) = visitors.join().expect("visitors");
        let thanks = thanked.len();
        let mut told = thanked;
        for sent in sent {
            // The test says what the sender has said.
            let why =
                |why: Box<dyn Any + Send>| why.downcast::<String>().map_or_else(|_| String::new(), |words| *words);
            told.extend(sent.unwrap_or_else(|panic| panic!("not all were acknowledged: {}", why(panic))));
        }
        Storm { told, thanked: thanks, came, workers, runners, held, changes, repeats: repeats.load(Ordering::Relaxed) }
    })
}

/// Calm: everything that needs no long wait comes to its end on the site itself.
fn calm(world: &World, patience: Duration) -> Result<(), String> {
    world.sim.switches(&json!({"latency_ms": 0, "faults": []}));
    let began = Instant::now();
    loop {
        let report = world.run();
        let counts = world.status()["counts"].clone();
        if ["queued", "sending"].iter().all(|state| counts[*state] == 0) && world.captured("wp_").is_empty() {
            return Ok(());
        }
        if began.elapsed() > patience {
            return Err(format!("no calm: {report} {}", brief(&world.status())));
        }
        std::thread::sleep(Duration::from_millis(300));
    }
}

/// A form that goes through the site's own table: in a storm of few kills chance may send none that way.
fn one_that_is_kept(world: &World) -> Told {
    let email = "kept@example.org".to_owned();
    let lock = std::fs::OpenOptions::new().read(true).write(true).open(world.data.join("write.lock"));
    let lock = lock.expect("the lock's file");
    lock.lock().expect("locked");
    world.apply("d4", &email);
    drop(lock);
    Told { email, id: None, cv: false }
}

/// Judges as it stands, then follows what is left to its end, and judges once more.
fn to_the_end(world: &World, told: &[Told]) -> Result<(usize, usize, i64, Counts), String> {
    let mut place = Place::of(world, "");
    let open = judge(world, &place, &People { told, ..People::default() })?.open;
    let (asked, hours) = place.follow(&world.sim);
    let counts = judge(world, &place, &People { told, at_an_end: true, ..People::default() })?;
    Ok((open, asked, hours, counts))
}

#[test]
fn no_kill_loses_an_acknowledged_submission_or_makes_a_twin() {
    let world = hardest_site();
    let seed = seed();
    println!("hazards: kills: HAZARD_SEED={seed}");
    let began = Instant::now();
    let (each, least) = (number("HAZARD_SUBMISSIONS", 280) / SENDERS, number("HAZARD_KILLS", 40) as u32);
    let mut storm = storm(&world, "", &mut Dice(seed), each, least / 2, 15);
    let stormy = began.elapsed().as_secs();
    storm.told.push(Told { email: FIRST.into(), id: None, cv: false });
    storm.told.push(one_that_is_kept(&world));
    storm.thanked += 2;
    storm.came += 2;
    calm(&world, Duration::from_secs(70 + (SENDERS * each) as u64 / 10)).expect("calm");
    let calmed = began.elapsed().as_secs() - stormy;
    let kept: usize = world.stack.sql("SELECT count(*) FROM hazard_kept").expect("a count").parse().expect("a number");
    let Storm { told, workers, runners, held, changes, .. } = &storm;
    assert!(*workers > 0 && *runners > 0 && workers + runners >= least, "{workers} and {runners} kills");
    assert!(storm.thanked > 0 && storm.told.len() == storm.thanked + SENDERS * each, "everybody was acknowledged");
    assert!(kept > 0 && *held > 0 && *changes > 1, "{kept} forms were kept, {held} holds, {changes} changes");
    world.assert_quiet("kills");
    let (open, asked, hours, counts) = to_the_end(&world, told).unwrap_or_else(|why| panic!("seed {seed}: {why}"));
    assert_eq!(counts.delivered, counts.persons, "{}", counts.words());
    println!(
        "campaign d: real PHP under kill -9, both APIs, no protection from doubles (seed {seed}): {} kills ({workers} workers, {runners} runners) in {stormy} s, {} submissions acknowledged ({} webhook, {} forms of {}), {} repeats, lock held {held} times, settings changed {changes} times, {kept} forms through the site's own table; {open} open after {calmed} s of calm, followed over {hours} hours of a leaping clock, a person pressed retry {asked} times: all {} delivered, {}",
        workers + runners,
        told.len(),
        SENDERS * each,
        storm.thanked,
        storm.came,
        storm.repeats,
        counts.delivered,
        counts.words()
    );
}

/// For so long storms go on in which nobody is killed at the one moment that matters.
const UNNOTICED: Duration = Duration::from_secs(600);

/// The same storm over a store that forgets each intent at once: whoever is killed while a create is under way leaves no
/// trace of it, and it is sent again. The judge must say so.
#[test]
fn kills_go_red_when_no_intent_is_in_the_store_before_a_send() {
    let world = hardest_site();
    // The worker that has the store open keeps its WAL alive.
    let store = rusqlite::Connection::open(world.data.join("queue.sqlite")).expect("opens");
    let forget = "CREATE TRIGGER apart AFTER UPDATE OF state ON step WHEN NEW.state = 'intent'
        BEGIN UPDATE step SET state = 'todo' WHERE seq = NEW.seq AND ordinal = NEW.ordinal; END";
    store.execute_batch(forget).expect("a trigger");
    drop(store);
    sh(&["chown", "-R", "www-data:www-data", text(&world.data)]).expect("theirs");
    let seed = seed();
    let mut dice = Dice(seed);
    let mut told = Vec::new();
    let began = Instant::now();
    // Few are killed between a create and its answer: storm after storm, until one is.
    let mut storms = 0;
    let why = loop {
        assert!(
            began.elapsed() < UNNOTICED,
            "seed {seed}: nobody noticed in {storms} storms: {} {:?}",
            brief(&world.status()),
            world.status()["reasons"]
        );
        storms += 1;
        told.extend(storm(&world, &format!("{storms}n"), &mut dice, 12, 12, 200).told);
        if let Err(why) = judge(&world, &Place::of(&world, ""), &People { told: &told, ..People::default() }) {
            break why;
        }
    };
    let is_doubled = why.starts_with("twins") || why.ends_with("0 sent again");
    assert!(is_doubled, "red for another reason: {why}");
    println!("mutation an intent in the store before each send, kill -9 of real PHP: red in storm {storms} ({why})");
}
