//! A site's store past PHP: a copy of its files, opened in this process with what the site itself would say of settings and
//! identity, so that it can be asked anything, and finished on a clock that leaps over waits.

use crate::stack::sim::Sim;
use crate::world::{World, sh, text};
use halt_tracker::clock::{Clock, Moment, SystemClock, SystemRandom};
use halt_tracker::engine::{Call, EngineError, handles};
use halt_tracker::queue::Store;
use halt_tracker::queue::act::Action;
use halt_tracker::queue::view::Query;
use halt_tracker::relay::{self, Caller, Ended, Policy, Report, Surroundings};
use halt_tracker::tracker::http::HttpTransport;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

pub struct Place {
    /// The folder that was copied.
    pub from: PathBuf,
    call: Call,
    copy: PathBuf,
}

impl Place {
    /// Copies the store of the current site; `before` is PHP that makes another one current.
    pub fn of(world: &World, before: &str) -> Self {
        let said = world.ask(&format!(
            "(static function () {{ {before} return [\\Halt\\Tracker\\WordPress\\Places::data_dir(), \\Halt\\Tracker\\WordPress\\Site::json(), \\Halt\\Tracker\\WordPress\\Options::engine_json()]; }})()"
        ));
        let part = |at: usize| said[at].as_str().unwrap_or_else(|| panic!("no answer: {said}")).to_owned();
        let from = PathBuf::from(part(0));
        let mut settings: Value = serde_json::from_str(&part(2)).expect("settings");
        let copy = world.stack.root.join("tmp/judged");
        let _ = std::fs::remove_dir_all(&copy);
        sh(&["mkdir", "-m", "700", text(&copy)]).expect("a folder");
        sh(&["cp", "-a", text(&from), text(&copy.join("data"))]).expect("a copy");
        // A key that was lost for a while has another one beside it.
        let key = PathBuf::from(settings["key_file"].as_str().expect("a key"));
        sh(&["cp", "-a", text(key.parent().expect("a folder")), text(&copy.join("keys"))]).expect("a copy");
        sh(&["chown", "-R", "root:root", text(&copy)]).expect("ours");
        settings["key_file"] = json!(copy.join("keys").join(key.file_name().expect("a name")));
        let (dir, settings) = (copy.join("data"), settings.to_string());
        let call = Call::read(text(&dir).as_bytes(), part(1).as_bytes(), settings.as_bytes()).expect("a call");
        Self { from, call, copy }
    }

    pub fn with_store<T>(&self, action: impl FnOnce(&mut Store) -> Result<T, EngineError>) -> Result<T, EngineError> {
        handles::with_store(&self.call, action)
    }

    /// Delivers what is left, as cron would in the days that come, and as a person who is asked and presses the button
    /// that tries again. Tracker's clock goes along. Gives how many were asked, and how many hours passed.
    pub fn follow(&mut self, sim: &Sim) -> (usize, i64) {
        let clock = Arc::new(Leap::default());
        let (mut asked, began) = (0, clock.now().wall);
        let policy = Policy::default();
        let mut transport =
            HttpTransport::new(&self.call.settings, policy.patience, Arc::clone(&clock) as _).expect("a client");
        let mut quiet = false;
        for _ in 0..400 {
            let report = self.run(&clock, &policy, &mut transport);
            asked += self.press(&clock);
            let now = clock.now().wall;
            let waits = report.next_due_at.unwrap_or(now).max(report.not_before.unwrap_or(0)) - now;
            if report.left == 0 && report.items.is_empty() && self.asking().is_empty() {
                if quiet {
                    break;
                }
                // The late look of a day after a lost answer, in steps that no gap makes suspicious.
                quiet = now - began > 26 * 3_600_000;
            }
            clock.leap(waits.clamp(300_000, 3_000_000));
            sim.switches(&json!({"clock_skew_ms": clock.ahead()}));
        }
        (asked, (clock.now().wall - began) / 3_600_000)
    }

    fn run(&mut self, clock: &Leap, policy: &Policy, transport: &mut HttpTransport) -> Report {
        for _ in 0..4 {
            let (site, settings) = (self.call.site.clone(), &self.call.settings);
            let report = handles::with_store(&self.call, |store| {
                let around = Surroundings {
                    settings,
                    site: &site,
                    clock,
                    random: &mut SystemRandom,
                    transport,
                    policy,
                    caller: Caller::Cron,
                    budget_ms: 600_000,
                };
                Ok(relay::run(store, around)?)
            });
            let report = report.expect("the store works");
            if report.outcome != Ended::Raise {
                return report;
            }
            self.call.site.counter = report.counter;
        }
        panic!("the counter is never enough");
    }

    fn asking(&self) -> Vec<String> {
        let query = Query { state: "attention".into(), per_page: 500, ..Query::default() };
        let found = self.with_store(|store| Ok(store.list(&query)?.1)).expect("a list");
        found.into_iter().map(|item| item.id).collect()
    }

    fn press(&self, clock: &Leap) -> usize {
        let ids = self.asking();
        let now = clock.now();
        for id in &ids {
            self.with_store(|store| Ok(store.act(id, Action::Retry, &now)?)).expect("it fits");
        }
        ids.len()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        handles::close_all();
        let _ = std::fs::remove_dir_all(&self.copy);
    }
}

/// The machine's clock, ahead of it by every wait that was leapt over.
#[derive(Default)]
struct Leap(AtomicI64);

impl Leap {
    fn leap(&self, ms: i64) {
        self.0.fetch_add(ms.max(0), Ordering::SeqCst);
    }

    fn ahead(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }
}

impl Clock for Leap {
    fn now(&self) -> Moment {
        let real = SystemClock.now();
        Moment { wall: real.wall + self.ahead(), boot: real.boot + self.ahead(), boot_id: real.boot_id }
    }

    fn sleep(&self, duration: Duration) {
        self.leap(i64::try_from(duration.as_millis()).unwrap_or(0));
    }
}
