//! What happens on a site in one afternoon, as a list of moments, so that a fault can come at any point of it: and the calm
//! afterwards, in which everybody repeats what was not acknowledged.

use halt_tracker::engine::handles;
use serde_json::json;

use crate::judge::{Counts, judge};
use crate::site::{ByHand, Site, Template, Wish};
use crate::system::{self, Lies, Plan, Seen};

/// How much happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Length {
    /// A store is made, and its first form accepted.
    Birth,
    /// A form with a CV that was kept without the engine is taken over and delivered.
    Kept,
    /// One form with a CV and one webhook request, delivered.
    Short,
    /// Also a lost answer, what people do by hand, erasure, retention, a new key, a backup.
    Long,
}

/// Begins the trial: a site that has delivered before, or none yet.
pub fn begin(length: Length, template: &Template) -> Site {
    handles::close_all();
    if length == Length::Birth { Site::new(&json!({ "api": "rest" }), &json!({})) } else { Site::of(template) }
}

type Moment = fn(&mut Site) -> Result<(), String>;

fn moments(length: Length) -> Vec<Moment> {
    let birth: Vec<Moment> = vec![
        Site::save_secrets,
        |site| {
            let one = site.form("first", true);
            site.submit(one)
        },
        |site| {
            let one = site.hook("second");
            site.submit(one)
        },
    ];
    let kept: Vec<Moment> = vec![
        |site| {
            let one = site.form("kay", true);
            site.keep(one);
            site.submit(one)
        },
        |site| site.run().map(drop),
    ];
    let short: Vec<Moment> = vec![
        |site| {
            let one = site.form("ada", true);
            site.submit(one)
        },
        |site| {
            let one = site.hook("bea");
            site.submit(one)
        },
        |site| site.run().map(drop),
    ];
    let long: Vec<Moment> = vec![
        |site| {
            let one = site.form("cleo", false);
            site.lose_answers_of.replace(Some("cleo@example.org".into()));
            site.submit(one)
        },
        |site| site.run().map(drop),
        |site| {
            let one = site.hook("dora");
            site.submit(one)
        },
        |site| by_hand(site, "dora", "discard"),
        |site| {
            let one = site.form("eve", true);
            site.submit(one)
        },
        |site| by_hand(site, "eve", "erase"),
        |site| {
            site.clock.advance(16 * 60_000);
            site.run().map(drop)
        },
        |site| site.act(&json!({ "action": "rotate_key" })).map(drop),
        |site| {
            let one = site.form("fay", true);
            site.submit(one)
        },
        |site| {
            let path = site.beside("backup");
            site.act(&json!({ "action": "backup", "path": path })).map(drop)
        },
        |site| {
            site.clock.advance(2 * 3_600_000);
            site.run().map(drop)
        },
    ];
    match length {
        Length::Birth => birth,
        Length::Kept => kept,
        Length::Short => short,
        Length::Long => short.into_iter().chain(long).collect(),
    }
}

fn by_hand(site: &mut Site, name: &str, action: &'static str) -> Result<(), String> {
    let email = format!("{name}@example.org");
    let at = site.people.iter().position(|one| one.email == email).ok_or("nobody")?;
    site.by_hand(at, action)
}

/// What a trial showed.
pub struct Trial {
    pub seen: Seen,
    pub result: Result<Counts, String>,
    /// What failed while the trouble lasted, in the engine's words.
    pub errors: Vec<String>,
}

/// Plays a story with one fault in it, then the calm, then judges.
pub fn play(length: Length, template: &Template, plan: Option<Plan>, lies: Lies) -> Trial {
    play_on(begin(length, template), length, plan, lies)
}

/// A fork copies whatever other threads are in the middle of, and shares their locks, also the fork that begins `cp`: the
/// tests that start processes are alone, all others are together.
static ALONE: std::sync::RwLock<()> = std::sync::RwLock::new(());

/// Held for the length of a test that starts no process.
pub fn together() -> std::sync::RwLockReadGuard<'static, ()> {
    ALONE.read().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// Held for the length of a test that starts processes.
pub fn alone() -> std::sync::RwLockWriteGuard<'static, ()> {
    ALONE.write().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// The same on a site that was prepared, and whose store may be open.
pub fn play_on(mut site: Site, length: Length, plan: Option<Plan>, lies: Lies) -> Trial {
    system::watch(&site.root(), plan, lies);
    let mut errors = Vec::new();
    for moment in moments(length) {
        if let Err(error) = moment(&mut site) {
            errors.push(error);
        }
        if system::is_dead() {
            break;
        }
    }
    // Whatever is still open dies with the process; with a dead disk nothing of it is written.
    handles::close_all();
    let seen = system::unwatch();
    site.trouble.set(site.trouble.get() + seen.failed);
    if let Some(image) = &seen.image {
        image.restore(&site.root());
        site.clock.reboot();
    }
    let result = calm(&mut site).and_then(|()| judge(&site)).map(|mut counts| {
        counts.fired = u64::from(seen.fired.is_some());
        counts
    });
    let result = result.map_err(|why| format!("{why}\n{}", tale(&site)));
    handles::close_all();
    Trial { seen, result, errors }
}

/// What the store says about everybody, for the reader of a failed trial.
fn tale(site: &Site) -> String {
    let told = handles::with_store(&site.call(), |store| {
        let mut lines = vec![format!("{} on the clock; {:?}", site.clock.elsewhere(), store.pauses()?)];
        for one in store.list(&halt_tracker::queue::view::Query::default())?.1 {
            let seq = store.seq_of(&one.id)?;
            lines.push(format!("{} {:?} {:?} due {:?}", one.id, one.state, one.code, one.due_at));
            lines.extend(store.step_views(seq, &one.id)?.iter().map(|step| format!("   {step}")));
            lines.extend(store.journal(seq, &one.id)?.iter().map(|line| format!("   {line}")));
        }
        Ok(lines.join("\n"))
    });
    told.unwrap_or_else(|error| error.to_string())
}

/// "Somebody else is at it" is not "nothing is left": a process that is just being started shares every lock for a moment.
#[test]
fn a_busy_run_is_no_reason_to_believe_that_all_is_done() {
    use halt_tracker::queue::lock::{Holder, RunLock};
    let _together = together();
    let mut site = begin(Length::Short, &crate::points::templates()[1].1);
    let ada = site.form("ada", false);
    site.submit(ada).expect("accepted");
    let holder = Holder { pid: 1, since: 0, caller: "cron".into(), run_id: "other".into() };
    let held = RunLock::try_take(&site.dir().join("run.lock"), &holder, &halt_tracker::clock::SystemClock)
        .expect("no error")
        .expect("free");
    let began = site.clock.elsewhere();
    site.run_for(1);
    assert!(site.clock.elsewhere() >= began + 3_600_000, "it was taken for the end");
    drop(held);
    site.run_for(1);
    judge(&site).expect("delivered afterwards");
}

/// Everybody repeats what was not acknowledged, until it is; then days pass.
pub fn calm(site: &mut Site) -> Result<(), String> {
    if !site.secrets_saved {
        site.save_secrets()?;
    }
    // A fresh process, a little later.
    site.clock.advance(60_000);
    for at in 0..site.people.len() {
        let hook = matches!(site.people[at].wish, Wish::Hook { .. });
        if site.people[at].acknowledged.is_none() {
            site.submit(at)?;
        }
        // What was discarded by hand is new when it is repeated, and that is meant: its sender sends once.
        if hook && site.people[at].by_hand.is_none() {
            // A sender that missed our answer sends once more; so does one that did not.
            site.submit(at)?;
        }
        if let Some(ByHand::Asked(action)) = site.people[at].by_hand {
            site.by_hand(at, action)?;
        }
    }
    site.run_for(72);
    // The late look of a day after a lost answer.
    site.clock.advance(25 * 3_600_000);
    site.run_for(72);
    Ok(())
}
