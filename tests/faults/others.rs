//! (h) of the campaign: other processes at the same store open, copy, replace and delete what the engine has open, or hold
//! its locks and stand still.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use halt_tracker::engine::handles;
use halt_tracker::queue::lock::{PATIENCE, WriteLock};
use serde_json::json;

use crate::judge::{Counts, judge};
use crate::points::{long_form, templates};
use crate::processes::{Child, OUT_OF_TIME, copy, stop_myself};
use crate::restored::{another_epoch, one_run_old, restored};
use crate::site::{Site, Template};
use crate::story::{alone, calm};
use crate::system::{self, Lies};

/// Opens, reads and closes each file of the store, as a backup plugin does within the same process: every POSIX lock of
/// this process on them is gone afterwards.
fn poke(dir: &Path) {
    for name in ["queue.sqlite", "queue.sqlite-wal", "queue.sqlite-shm"] {
        let _ = std::fs::read(dir.join(name));
    }
}

fn wal(site: &Site) -> PathBuf {
    site.dir().join("queue.sqlite-wal")
}

fn finish(site: &mut Site, what: &str, counts: &mut Counts) {
    match calm(site).and_then(|()| judge(site)) {
        Ok(one) => counts.add(&one),
        Err(why) => panic!("{what}: {why}"),
    }
    handles::close_all();
}

/// Processes, submissions of each, copies, seconds.
type Crowd = (usize, usize, usize, u32);

/// Several processes accept at once, each poking at the files between any two, while somebody copies the whole folder
/// so many times; returns what went wrong.
fn crowd(template: &Template, (processes, each, copies, seconds): Crowd, lies: Lies) -> Result<Counts, String> {
    let mut site = Site::of(template);
    let first = site.people.len();
    for process in 0..processes {
        for n in 0..each {
            site.form(&format!("crowd-{process}-{n}"), false);
        }
    }
    let children: Vec<Child> = (0..processes)
        .map(|process| {
            let log = site.beside(&format!("acknowledged-{process}"));
            let site = &mut site;
            Child::within(seconds, move || {
                system::watch(&site.root(), None, lies);
                let mut told = Vec::new();
                for at in first + process * each..first + (process + 1) * each {
                    poke(&site.dir());
                    for _ in 0..200 {
                        if site.submit(at).is_ok() {
                            break;
                        }
                        site.people[at].kept = None;
                    }
                    told.push((at, site.people[at].acknowledged.clone()));
                }
                std::fs::write(log, json!(told).to_string()).expect("told");
            })
        })
        .collect();
    (0..copies).for_each(|n| copy(&site.dir(), &site.beside(&format!("copy-{}", n % 2))));
    let ends: Vec<_> = children.into_iter().map(Child::end).collect();
    ends.into_iter().collect::<Result<(), _>>()?;
    for process in 0..processes {
        let told = std::fs::read(site.beside(&format!("acknowledged-{process}"))).expect("told");
        let told: Vec<(usize, Option<String>)> = serde_json::from_slice(&told).expect("JSON");
        told.into_iter().for_each(|(at, id)| site.people[at].acknowledged = id);
    }
    let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| calm(&mut site).and_then(|()| judge(&site))));
    handles::close_all();
    result.unwrap_or_else(|_| Err("the store is of no use any more".into()))
}

/// (h) Whatever other processes do with the files and locks.
#[test]
fn no_other_process_makes_the_store_lose_or_double_anything() {
    let _alone = alone();
    let mut counts = Counts::default();
    let (processes, each, copies) = if long_form() { (6, 60, 40) } else { (3, 12, 6) };
    let mut said = Vec::new();
    for (api, template) in &templates() {
        let crowded = crowd(template, (processes, each, copies, 240), Lies::default());
        counts.add(&crowded.unwrap_or_else(|why| panic!("{api}: a crowd: {why}")));
        deleted_wal(template, &mut counts);
        replaced(template, &mut counts);
    }
    said.push(format!(
        "{} submissions by {processes} processes that open, read and close every file in between, {} copies of the folder meanwhile",
        2 * processes * each,
        2 * copies
    ));
    let wait = Duration::from_secs(if long_form() { 30 } else { 3 });
    let slowest = stopped_holders(&templates()[1].1, wait, &mut counts);
    said.push(format!(
        "holders of write.lock and run.lock stopped for {} s (scale 1:{}), a visitor waited {slowest:.1} s at most",
        wait.as_secs(),
        30 / wait.as_secs()
    ));
    println!("campaign h: real files and processes: {}; {}", said.join("; "), counts.words());
}

/// The WAL is deleted below an open store, before any moment and while a request is under way: the process that has it
/// open saves what it held.
fn deleted_wal(template: &Template, counts: &mut Counts) {
    for moment in 0..4 {
        let mut site = Site::of(template);
        let delete = |site: &Site| std::fs::remove_file(wal(site)).expect("there");
        let (ada, bea) = (site.form("ada", true), site.hook("bea"));
        site.submit(ada).expect("accepted");
        if moment == 0 {
            delete(&site);
        }
        let _ = site.submit(bea);
        if moment == 1 {
            delete(&site);
        }
        if moment == 2 {
            // The intent is in the WAL, the answer is not.
            site.meanwhile.replace(Some(Box::new(delete)));
        }
        let _ = site.run();
        if moment == 3 {
            delete(&site);
        }
        finish(&mut site, &format!("WAL deleted at {moment}"), counts);
    }
    forgotten(template, false).expect("a store that forgot looks before it sends");
}

/// The process that had sent is dead, and the WAL that said so is deleted: nobody has it any more.
fn forgotten(template: &Template, careless: bool) -> Result<(), String> {
    let mut site = Site::of(template);
    let ada = site.form("ada", false);
    site.submit(ada).expect("accepted");
    handles::with_store(&site.call(), |store| Ok(store.checkpoint()?)).expect("accepted and moved");
    // The run ends as a killed one does: right after the second request was answered, nothing is moved any more.
    let plan = system::Plan { at: 2, fault: system::Fault::Abort, of: |kind| kind == system::Kind::Send };
    system::watch(&site.root(), Some(plan), Lies::default());
    let _ = site.run();
    handles::close_all();
    system::unwatch();
    let sent = site.tracker.borrow().ledger()["resources"].as_array().map_or(0, Vec::len);
    assert_eq!(sent, 2, "the record was made before the process died");
    std::fs::remove_file(wal(&site)).expect("there");
    if careless {
        handles::with_store(&site.call(), |store| {
            store.connection().execute_batch("UPDATE submission SET verify = 0").expect("forgets to look");
            Ok(())
        })
        .expect("opens");
    }
    calm(&mut site).and_then(|()| judge(&site)).map(drop)
}

/// The database is replaced by a copy of itself, and run.lock by a new file, while a request is under way.
fn replaced(template: &Template, counts: &mut Counts) {
    let mut site = Site::of(template);
    let (ada, bea) = (site.form("ada", true), site.form("bea", false));
    site.submit(ada).expect("accepted");
    site.submit(bea).expect("accepted");
    site.meanwhile.replace(Some(Box::new(|site: &Site| {
        let lock = site.dir().join("run.lock");
        std::fs::remove_file(&lock).expect("there");
        std::fs::write(&lock, "").expect("another one");
        // Nothing keeps a second run out now; what it writes, the first one must not write over.
        let _ = site.run_beside();
    })));
    let _ = site.run();
    site.identity["counter"] = json!(site.identity["counter"].as_i64().unwrap_or(0) + 1);
    finish(&mut site, "run.lock replaced", counts);

    let mut site = Site::of(template);
    let ada = site.form("ada", true);
    site.submit(ada).expect("accepted");
    let (dir, aside) = (site.dir(), site.beside("copy"));
    handles::with_store(&site.call(), |store| Ok(store.checkpoint()?)).expect("moved");
    copy(&dir, &aside);
    std::fs::rename(aside.join("queue.sqlite"), dir.join("queue.sqlite")).expect("replaced");
    let bea = site.form("bea", false);
    let _ = site.submit(bea);
    finish(&mut site, "database replaced", counts);

    // A second run while the first one sends.
    let beside = busy_beside(template, Lies::default());
    assert_eq!(beside.as_deref(), Ok("busy"), "one runner");
}

/// What a second run says that begins while the first one has a request under way.
fn busy_beside(template: &Template, lies: Lies) -> Result<String, String> {
    let mut site = Site::of(template);
    let ada = site.form("ada", false);
    site.submit(ada)?;
    let said = std::rc::Rc::new(std::cell::RefCell::new(Err("never asked".to_owned())));
    let told = std::rc::Rc::clone(&said);
    site.meanwhile.replace(Some(Box::new(move |site: &Site| {
        *told.borrow_mut() = site.run_beside().map(|report| report["outcome"].as_str().unwrap_or_default().to_owned());
    })));
    system::watch(&site.root(), None, lies);
    let _ = site.run();
    handles::close_all();
    system::unwatch();
    said.replace(Err(String::new()))
}

/// A holder of a lock is stopped, not dead: forms are kept in time, nobody sends beside it, and it goes on afterwards.
fn stopped_holders(template: &Template, wait: Duration, counts: &mut Counts) -> f64 {
    let mut site = Site::of(template);
    let lock = site.dir().join("write.lock");
    let holder = Child::of(|| {
        let _held = WriteLock::take(&lock, PATIENCE).expect("free");
        stop_myself();
    });
    holder.stopped();
    let (began, mut fastest, mut slowest, mut kept) = (Instant::now(), f64::MAX, 0.0_f64, 0);
    while began.elapsed() < wait {
        let one = site.form(&format!("stopped-{kept}"), false);
        let asked = Instant::now();
        let error = site.submit(one).expect_err("the lock is held");
        assert!(error.contains("HT-1104"), "{error}");
        let took = asked.elapsed().as_secs_f64();
        (fastest, slowest) = (fastest.min(took), slowest.max(took));
        kept += 1;
        std::thread::sleep(Duration::from_millis(200));
    }
    // A visitor's patience ends at one and a half; a busy machine may take its time to wake one of them, but not each.
    assert!(fastest < 2.5 && slowest < 10.0, "{fastest} to {slowest}");
    holder.signal(libc::SIGCONT);
    holder.end().expect("a good end");
    finish(&mut site, "write.lock held by a stopped process", counts);

    let mut site = Site::of(template);
    let ada = site.form("ada", false);
    site.submit(ada).expect("accepted");
    let (from, log) = (site.request_count(), site.beside("requests"));
    let runner = Child::of(|| {
        site.meanwhile.replace(Some(Box::new(|_| stop_myself())));
        site.run().expect("goes on afterwards");
        std::fs::write(&log, site.requests_after(from).to_string()).expect("told");
    });
    runner.stopped();
    site.identity["counter"] = json!(site.identity["counter"].as_i64().unwrap_or(0) + 1);
    let bea = site.form("bea", false);
    let began = Instant::now();
    site.submit(bea).expect("forms are taken meanwhile");
    while began.elapsed() < wait {
        assert_eq!(site.run().expect("asked")["outcome"], "busy", "nobody sends beside it");
        std::thread::sleep(Duration::from_millis(300));
    }
    runner.signal(libc::SIGCONT);
    runner.end().expect("a good end");
    site.take_over(&serde_json::from_slice(&std::fs::read(log).expect("told")).expect("JSON"));
    finish(&mut site, "run.lock held by a stopped process", counts);
    slowest
}

/// The same with a mechanism switched off.
#[test]
fn hazards_go_red_without_the_mechanism_that_meets_them() {
    let _alone = alone();
    let rest = &templates()[1].1;
    let red = |mechanism: &str, why: &str| println!("mutation {mechanism}: red ({why})");
    let beside = busy_beside(rest, Lies { no_flock: true, ..Lies::default() });
    assert_ne!(beside.as_deref(), Ok("busy"), "nobody noticed");
    red("run.lock", &format!("a second run beside the first says {beside:?}"));
    let why = forgotten(rest, true).expect_err("nobody noticed");
    red("a store that lost its WAL looks before it sends", &why);
    let why = unsaved(rest).expect_err("nobody noticed");
    red("inodes are compared with their paths", &why);
    let blind = restored(rest, 2, true);
    let why = match blind {
        Err(why) => why,
        Ok(seen) => {
            assert!(!seen.paused, "nobody noticed");
            "yesterday's store goes on as if nothing had been".to_owned()
        }
    };
    red("epoch and counter outside the store", &why);
    let why = one_run_old(rest, true).expect_err("nobody noticed");
    red("the site's counter is raised before the store's", &why);
    let why = another_epoch(rest, true).expect_err("nobody noticed");
    red("the epoch of a store", &why);
}

/// Without write.lock only SQLite's own locks are left, and those are gone as soon as anybody closes one of the files.
#[test]
fn a_crowd_goes_red_without_the_lock_of_the_writers() {
    let _alone = alone();
    let rest = &templates()[1].1;
    let lies = Lies { no_flock: true, ..Lies::default() };
    // What goes round in circles, or is only slow, proves nothing: once more.
    let red = (0..20).find_map(|_| crowd(rest, (4, 30, 0, 5), lies).err().filter(|why| why != OUT_OF_TIME));
    println!("mutation write.lock: red ({})", red.expect("nobody noticed").lines().next().unwrap_or_default());
}

/// The WAL is deleted, and every inode looks alike.
fn unsaved(template: &Template) -> Result<(), String> {
    let mut site = Site::of(template);
    system::watch(&site.root(), None, Lies { one_inode: true, ..Lies::default() });
    let ada = site.form("ada", false);
    site.submit(ada)?;
    std::fs::remove_file(wal(&site)).expect("there");
    std::fs::write(wal(&site), "").expect("another one");
    let bea = site.form("bea", false);
    let _ = site.submit(bea);
    handles::close_all();
    system::unwatch();
    calm(&mut site).and_then(|()| judge(&site)).map(drop)
}
