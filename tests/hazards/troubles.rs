//! Every trouble that a host can bring over the data folder, met by visitors with forms: each form is kept in a known
//! place under a known code, the visitor is thanked in time, and afterwards Tracker has each person exactly once.

use crate::world::{PATIENCE, World, person, sh, text, world};
use serde_json::json;
use std::ops::Deref;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

/// Where forms are while the trouble lasts.
enum Kept {
    InStore,
    /// In the site's own table, under one of these codes.
    Captured(&'static [u16]),
}

/// A page may take this many seconds longer than without a submission.
const SLOWER: f64 = 2.0;
/// The same while a lock is held: a form waits for it a second and a half, once and not twice.
const SLOWER_BY_A_LOCK: f64 = 2.5;
/// A busy machine may stand still for a moment, but not each time that somebody comes.
const TRIES: usize = 4;

struct Visitors<'a> {
    world: &'a World,
    story: &'static str,
    emails: Vec<String>,
    slowest: f64,
    limit: f64,
    before: i64,
}

impl<'a> Visitors<'a> {
    fn of(world: &'a World, story: &'static str) -> Self {
        world.stack.clear_logs();
        assert_eq!(world.captured("wp_"), [] as [u16; 0], "{story}: nothing waits before");
        let mut visitors =
            Self { world, story, emails: Vec::new(), slowest: 0.0, limit: SLOWER, before: stored(world) };
        // A worker that has the store open already: the trouble comes over a running site.
        visitors.come("d4");
        world.tick_until_delivered(story, &visitors.emails);
        visitors.before += 1;
        visitors
    }

    /// Somebody comes and is thanked in time; where not, the next one is, or it was no chance.
    fn come(&mut self, page: &str) {
        let mut took = Vec::new();
        while took.last().is_none_or(|slower| *slower >= self.limit) {
            assert!(took.len() < TRIES, "{}: the page took {took:.2?} s longer", self.story);
            took.push(self.visit(page));
        }
    }

    fn visit(&mut self, page: &str) -> f64 {
        let email = person(self.story, self.emails.len());
        // The plain page also waits for what the one worker still does after the answer before.
        self.world.stack.get(&format!("/?pagename={page}"));
        let usual = self.world.stack.get(&format!("/?pagename={page}")).seconds;
        let slower = self.world.apply(page, &email) - usual;
        self.slowest = self.slowest.max(slower);
        self.emails.push(email);
        slower
    }

    fn come_all(&mut self) {
        self.come("d4");
        self.come("d5");
        self.world.stack.restart_fpm("QUIT").expect("restarts");
        self.come("d5");
        self.come("d4");
    }

    /// Checks where they are kept, ends the trouble, and lets cron do the rest.
    fn leave(mut self, kept: &Kept, end: impl FnOnce()) {
        let (world, story) = (self.world, self.story);
        let codes = world.captured("wp_");
        let came = self.emails.len() - 1;
        match kept {
            Kept::InStore => {
                assert_eq!(codes, [] as [u16; 0], "{story}: all are in the store");
                assert_eq!(stored(world) - self.before, came as i64, "{story}: all are in the store");
            }
            Kept::Captured(allowed) => {
                assert_eq!(codes.len(), came, "{story}: every form is in the site's own table, {codes:?}");
                assert!(
                    codes.iter().all(|code| allowed.contains(code)),
                    "{story}: codes {codes:?}, expected {allowed:?}"
                );
            }
        }
        // A webhook's sender can be asked to repeat; a visitor cannot. (Without the key its secret cannot be read.)
        let sender = person(story, 99);
        let reply = world.webhook("", &sender);
        assert_eq!((reply.status, reply.header("retry-after").is_some()), (503, true), "{story}: {}", reply.text());
        end();
        let reply = world.webhook("", &sender);
        assert_eq!(reply.status, 202, "{story}: the repetition is taken: {}", reply.text());
        self.emails.push(sender);
        let ticks = world.tick_until_delivered(story, &self.emails);
        assert_eq!(world.captured("wp_"), [] as [u16; 0], "{story}: no row is left");
        world.assert_quiet(story);
        println!(
            "campaign f: real PHP: {story}: {came} forms kept {codes:?}, at most {:.2} s slower, delivered after {ticks} tick(s); {}",
            self.slowest,
            world.tally(story, &self.emails)
        );
    }
}

/// How many submissions the store holds.
fn stored(world: &World) -> i64 {
    let counts = world.status()["counts"].clone();
    counts.as_object().into_iter().flatten().filter_map(|(_, count)| count.as_i64()).sum()
}

static SHARED: Mutex<Option<World>> = Mutex::new(None);

/// One site for all troubles that leave nothing behind; a test that failed leaves it to be made anew. One worker, so that
/// it is known which process meets the trouble with an open store and which with none.
struct Shared(MutexGuard<'static, Option<World>>);

impl Deref for Shared {
    type Target = World;

    fn deref(&self) -> &World {
        self.0.as_ref().expect("made in site()")
    }
}

fn site() -> Shared {
    let mut guard = SHARED.lock().unwrap_or_else(|poisoned| {
        SHARED.clear_poison();
        let mut guard = poisoned.into_inner();
        *guard = None;
        guard
    });
    if guard.is_none() {
        let world = world(|options| options.workers = 1);
        world.set_up("", &world.data);
        *guard = Some(world);
    }
    Shared(guard)
}

/// A site whose data folder is a small disk of its own; `None`, said aloud, where nothing can be mounted.
fn site_on_a_small_disk(before: &str) -> Option<World> {
    let world = world(|options| options.workers = 1);
    std::fs::create_dir_all(&world.data).expect("a folder");
    let options = "size=1m,mode=0700,uid=www-data,gid=www-data";
    if let Err(why) = sh(&["mount", "-t", "tmpfs", "-o", options, "tmpfs", text(&world.data)]) {
        println!("hazards: SKIPPED a test with a small disk: no mount is possible here: {why}");
        return None;
    }
    world.set_up(before, &world.data);
    Some(world)
}

fn fill(world: &World) -> PathBuf {
    let filler = world.data.join("filler");
    sh(&["sh", "-c", "head -c 2M /dev/zero > \"$0\"; true", text(&filler)]).expect("fills");
    filler
}

fn key_file(world: &World) -> PathBuf {
    PathBuf::from(world.ask("get_option('halt_tracker_key_file')").as_str().expect("a path"))
}

#[test]
fn forms_survive_an_extension_that_a_php_upgrade_dropped() {
    let world = site();
    let mut visitors = Visitors::of(&world, "dropped");
    world.stack.set_extension(false).expect("off");
    visitors.come_all();
    visitors.leave(&Kept::Captured(&[1001]), || world.stack.set_extension(true).expect("on"));
}

#[test]
fn forms_survive_a_disk_that_is_full_or_read_only() {
    let Some(world) = site_on_a_small_disk("") else { return };
    let data = text(&world.data).to_owned();

    let mut visitors = Visitors::of(&world, "full");
    fill(&world);
    visitors.come("d4");
    visitors.come("d5");
    world.stack.restart_fpm("QUIT").expect("restarts");
    let filler = fill(&world);
    visitors.come("d5");
    visitors.come("d4");
    visitors.leave(&Kept::Captured(&[1102]), || std::fs::remove_file(&filler).expect("removed"));

    let mut visitors = Visitors::of(&world, "readonly");
    // A second mount over the first: the worker keeps its open files, every new look meets the read-only one.
    sh(&["mount", "--bind", &data, &data])
        .and_then(|_| sh(&["mount", "-o", "remount,bind,ro", &data]))
        .expect("read-only");
    visitors.come_all();
    visitors.leave(&Kept::Captured(&[1114]), || {
        sh(&["umount", "-l", &data]).expect("writable again");
    });
}

#[test]
fn forms_survive_a_data_folder_that_root_took_over() {
    let world = site();
    let mut visitors = Visitors::of(&world, "owner");
    sh(&["chown", "-R", "root:root", text(&world.data)]).expect("root's");
    visitors.come_all();
    visitors.leave(&Kept::Captured(&[1103]), || {
        sh(&["chown", "-R", "www-data:www-data", text(&world.data)]).expect("ours again");
    });
}

#[test]
fn forms_survive_a_lost_key_file() {
    let world = site();
    let mut visitors = Visitors::of(&world, "key");
    let key = key_file(&world);
    let aside = world.stack.root.join("tmp/key-aside");
    sh(&["mv", text(&key), text(&aside)]).expect("gone");
    visitors.come_all();
    visitors.leave(&Kept::InStore, || {
        sh(&["mv", text(&aside), text(&key)]).expect("back");
    });
}

#[test]
fn forms_survive_a_write_lock_that_another_process_holds() {
    let world = site();
    let mut visitors = Visitors::of(&world, "locked");
    visitors.limit = SLOWER_BY_A_LOCK;
    let lock = world.data.join("write.lock");
    // Held by this process until it is let go, so that a busy machine does not end the trouble early.
    let hold = || {
        let file = std::fs::OpenOptions::new().read(true).write(true).open(&lock).expect("the lock's file");
        file.lock().expect("locked");
        file
    };
    let first = hold();
    visitors.come("d4");
    visitors.come("d5");
    drop(first);
    world.stack.restart_fpm("QUIT").expect("restarts");
    let second = hold();
    visitors.come("d5");
    visitors.leave(&Kept::Captured(&[1104]), || drop(second));
}

#[test]
fn forms_survive_a_folder_in_the_place_of_the_database() {
    let world = site();
    let mut visitors = Visitors::of(&world, "folder");
    let (database, aside) = (world.data.join("queue.sqlite"), world.data.join("aside"));
    std::fs::rename(&database, &aside).expect("moved");
    std::fs::create_dir(&database).expect("a folder");
    visitors.come_all();
    visitors.leave(&Kept::Captured(&[1101, 1108, 1113]), || {
        std::fs::remove_dir(&database).expect("removed");
        std::fs::rename(&aside, &database).expect("back");
    });
}

/// Damages the database in three ways, and brings the same files back each time.
#[test]
fn forms_survive_a_damaged_database() {
    let world = site();
    let database = world.data.join("queue.sqlite");
    let ways: [(&str, &str); 3] = [
        ("emptied", "truncate -s 0 \"$0\""),
        ("halved", "truncate -s $(($(stat -c %s \"$0\") / 2)) \"$0\""),
        ("garbled", "head -c 8192 /dev/urandom | dd of=\"$0\" conv=notrunc status=none"),
    ];
    for (story, damage) in ways {
        let mut visitors = Visitors::of(&world, story);
        let aside = world.stack.root.join(format!("tmp/{story}"));
        sh(&["cp", "-a", text(&world.data), text(&aside)]).expect("a copy");
        sh(&["sh", "-c", damage, text(&database)]).expect("damaged");
        visitors.come_all();
        visitors.leave(&Kept::Captured(&[1108]), || {
            sh(&[
                "sh",
                "-c",
                "rm -f \"$1\"/queue.sqlite*; cp -a \"$0\"/queue.sqlite* \"$1\"/",
                text(&aside),
                text(&world.data),
            ])
            .expect("back");
            world.stack.restart_fpm("QUIT").expect("restarts");
        });
    }
}

/// Tracker has said yes, and the disk is full before that can be written down.
#[test]
fn a_disk_that_fills_up_between_the_answer_and_the_commit_makes_no_twin() {
    let always_create = "update_option('halt_tracker_duplicates', 'create', false);";
    let Some(world) = site_on_a_small_disk(always_create) else { return };
    world.sim.switches(&json!({"widget_duplicates": "create"}));
    let emails = [person("between", 0), person("between", 1)];
    world.apply("d4", &emails[0]);
    world.tick_until_delivered("between", &emails[..1]);
    world.act(&json!({"action": "pause"}));
    world.apply("d4", &emails[1]);
    world.act(&json!({"action": "resume", "reason": "by hand"}));

    world.sim.switches(&json!({"faults": [{"on": "create", "do": "delay_after", "ms": 2500}]}));
    let report = std::thread::scope(|scope| {
        let run = scope.spawn(|| world.run());
        while world.records(&emails[1..]) != [1] && !run.is_finished() {
            std::thread::sleep(Duration::from_millis(50));
        }
        fill(&world);
        run.join().expect("a report")
    });
    assert_eq!(report["thrown"], "HT-1102", "{report}");
    std::fs::remove_file(world.data.join("filler")).expect("room again");
    let began = std::time::Instant::now();
    while world.status()["counts"]["done"] != 2 {
        assert!(began.elapsed() < PATIENCE, "{}", crate::world::brief(&world.status()));
        world.stack.tick("").expect("cron runs");
        std::thread::sleep(Duration::from_millis(700));
    }
    assert_eq!(world.records(&emails), [1, 1]);
    world.assert_quiet("between");
    println!(
        "campaign f: real PHP: disk full between the answer and the commit: looked up and done after {} s; {}",
        began.elapsed().as_secs(),
        world.tally("between", &emails)
    );
}
