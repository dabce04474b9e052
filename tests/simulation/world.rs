//! A whole site in memory on virtual time: the real store, the real relay, and the model of Tracker behind a network
//! that drops, delays and doubles. Everything that happens follows from a seed.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use halt_tracker::clock::{Clock, Moment, Random};
use halt_tracker::queue::view::Item;
use halt_tracker::queue::{Site, Store};
use halt_tracker::relay::{self, Caller, Ended, Policy, Report, Rule, Surroundings};
use halt_tracker::settings::Settings;
use serde_json::{Value, json};

pub use crate::arrivals::curriculum;
use crate::crowd::Others;
use crate::meanwhile::{Inside, Reach};
use crate::model::Tracker;
use crate::stores::Borrowed;
use crate::wire::Wire;

/// 2026-03-01, noon.
pub const NOON: i64 = 1_772_366_400_000;
pub const SECRET: &str = "sim-client-secret-0123456789";
const REFRESH: &str = "sim-refresh-token-0123456789";

/// Small, seeded, good enough: splitmix64.
#[derive(Clone)]
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x1234_5678_9abc_def0)
    }
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
    pub fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit.max(1)
    }
    pub fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }
}

impl Random for Dice {
    fn up_to(&mut self, limit: u64) -> u64 {
        self.below(limit.saturating_add(1))
    }
    fn bytes(&mut self, out: &mut [u8]) {
        out.iter_mut().for_each(|byte| *byte = self.next() as u8);
    }
}

/// Time that passes only when somebody waits. A crash can be set to happen at the n-th look at the clock: the
/// relay looks at it around every write and send, so that a crash comes between any two of them.
#[derive(Default)]
pub struct Virtual {
    at: Cell<i64>,
    /// How far somebody has set the wall clock from the true time.
    pub jump: Cell<i64>,
    pub crash_in: Cell<Option<u64>>,
}

/// What a crash throws.
pub struct Crash;

impl Virtual {
    pub fn advance(&self, ms: i64) {
        self.at.set(self.at.get() + ms);
    }
    /// The true time, Tracker's own.
    pub fn truth(&self) -> i64 {
        NOON + self.at.get()
    }
    /// What the site's wall clock shows.
    pub fn wall(&self) -> i64 {
        self.truth() + self.jump.get()
    }
    /// The boot clock, as one reads it who cannot crash there.
    pub fn boot(&self) -> i64 {
        1_000_000 + self.at.get()
    }
    /// Both clocks, without anything that may happen at a look at them.
    pub fn moment(&self) -> Moment {
        Moment { wall: self.wall(), boot: self.boot(), boot_id: "boot".into() }
    }
    pub fn crash_point(&self) {
        if let Some(left) = self.crash_in.get() {
            self.crash_in.set(left.checked_sub(1));
            if left == 0 {
                std::panic::resume_unwind(Box::new(Crash));
            }
        }
    }
}

impl Clock for Virtual {
    fn now(&self) -> Moment {
        self.crash_point();
        self.moment()
    }
    fn sleep(&self, duration: Duration) {
        self.advance(i64::try_from(duration.as_millis()).unwrap_or(0));
    }
}

/// A site, its store and its Tracker.
pub struct World {
    pub store: Borrowed,
    pub site: Site,
    pub settings: Value,
    pub clock: Rc<Virtual>,
    pub wire: Wire,
    pub policy: Policy,
    pub dice: Dice,
    pub crashes: u64,
    pub caller: Caller,
    /// Files that the next submissions bring along.
    pub documents: u32,
    /// Who comes by while a run is in progress.
    pub others: Others,
    /// What runs have reported, where somebody listens.
    pub heard: Option<String>,
}

impl World {
    pub fn new(seed: u64, settings: Value) -> Self {
        let site = Site {
            install_id: "0123456789abcdef0123456789abcdef".into(),
            home: "http://example.org".into(),
            ..Site::default()
        };
        let store = Borrowed::new(&site);
        let clock = Rc::new(Virtual::default());
        let tracker = Rc::new(RefCell::new(Tracker::new()));
        let wire = Wire::new(tracker, Rc::clone(&clock), Dice::new(seed ^ 0xabcd));
        let mut all =
            json!({ "oauth_url": "https://oauth.test", "api_url": "https://api.test", "activity_enabled": "1" });
        merge(&mut all, &settings);
        let mut world = Self {
            store,
            site,
            settings: all,
            clock,
            wire,
            policy: Policy::default(),
            dice: Dice::new(seed),
            crashes: 0,
            caller: Caller::Cron,
            documents: 0,
            others: Others::default(),
            heard: None,
        };
        world.enter_credentials(SECRET, REFRESH);
        world
    }

    pub fn enter_credentials(&mut self, secret: &str, refresh: &str) {
        let now = self.clock.wall();
        enter(&mut self.store, secret, refresh, now);
    }

    /// What an administrator does after `invalid_grant`: a new refresh token from Tracker, pasted.
    pub fn paste_new_credentials(&mut self) {
        let fresh = self.wire.fresh_credentials();
        self.enter_credentials(SECRET, &fresh);
    }

    pub fn set(&mut self, settings: &Value) {
        merge(&mut self.settings, settings);
    }

    pub fn switches(&mut self, switches: &Value) {
        self.wire.tracker.borrow_mut().set_switches(switches).expect("known switches");
    }

    /// One run, with the site's part of the counter; `None` when it crashed.
    pub fn run(&mut self) -> Option<Report> {
        self.site.seen = None;
        for _ in 0..3 {
            let report = self.ask()?;
            if !heeds(&mut self.site, &report) {
                return Some(report);
            }
        }
        panic!("the counter is never enough");
    }

    /// One call of the engine, with whoever comes by meanwhile; `None` when it crashed.
    pub fn ask(&mut self) -> Option<Report> {
        let settings = Settings::parse(&self.settings.to_string()).expect("settings");
        let (site, clock) = (self.site.clone(), Rc::clone(&self.clock));
        let unfit = self.wire.unfit.clone();
        let (store, beside, files) = self.store.both();
        let reach = Reach {
            store: beside,
            files,
            wire: &mut self.wire,
            clock: &clock,
            site: &mut self.site,
            settings: &mut self.settings,
            policy: &self.policy,
            documents: self.documents,
            others: &mut self.others,
        };
        let inside = Inside::new(reach, unfit);
        let mut transport = &inside;
        let around = Surroundings {
            settings: &settings,
            site: &site,
            clock: &inside,
            random: &mut self.dice,
            transport: &mut transport,
            policy: &self.policy,
            caller: self.caller,
            budget_ms: budget(self.caller),
        };
        let report = call(store, around);
        inside.leave();
        if report.is_none() {
            self.clock.crash_in.set(None);
            self.crashes += 1;
        }
        if let (Some(heard), Some(report)) = (&mut self.heard, &report) {
            heard.push_str(&serde_json::to_string(report).expect("JSON"));
        }
        report
    }

    /// Runs as cron does, for so long or until nothing waits. Idle ticks are skipped, but not their heartbeat: an hour
    /// without a run would count as a store that slept.
    pub fn run_for(&mut self, hours: i64) {
        let end = self.clock.truth() + hours * 3_600_000;
        while self.clock.truth() < end {
            let report = self.run();
            let now = self.clock.wall();
            let idle = report.as_ref().filter(|report| report.items.is_empty()).map_or(0, |report| {
                report
                    .next_due_at
                    .unwrap_or(i64::MAX)
                    .max(report.not_before.unwrap_or(0))
                    .saturating_sub(now)
                    .min(end - self.clock.truth())
            });
            // Whoever waits for a person's earlier submission that waits for a decision waits long.
            let others = "SELECT count(*) FROM submission WHERE state IN ('queued','checking') OR (state = 'retry' AND code <> 1609)";
            let only_those = report.as_ref().is_some_and(|report| report.left > 0) && self.number(others) == 0;
            let idle = if only_those { 12 * 3_600_000 } else { idle };
            let arrives = self.wire.underway.iter().map(|late| late.at - self.clock.truth()).min();
            self.clock.advance(idle.min(arrives.unwrap_or(idle)).max(300_000));
            self.wire.arrive();
            self.beat();
            let waits = report.is_none_or(|report| report.left > 0 || !report.reasons.is_empty());
            if !waits && self.wire.underway.is_empty() {
                break;
            }
        }
    }

    /// One number of the store.
    pub fn number(&self, sql: &str) -> i64 {
        let statement = self.store.connection().prepare_cached(sql);
        statement.and_then(|mut statement| statement.query_row([], |row| row.get(0))).expect("a number")
    }

    /// What a submission is known by in Tracker, if it is in the store.
    pub fn marker_of(&self, id: &str) -> Option<String> {
        let statement = self.store.connection().prepare_cached("SELECT marker FROM submission WHERE id = ?1");
        statement.and_then(|mut statement| statement.query_row([id], |row| row.get(0))).ok()
    }

    /// Cron was there all the time and found nothing to do.
    pub fn beat(&mut self) {
        let now = self.clock.wall();
        if self.store.fact("heartbeat").is_ok_and(|at| at > 0) {
            self.store.set_facts(&[("heartbeat", now.to_string())]).expect("set");
        }
    }

    /// Everything that the store and Tracker hold, for a seed that failed.
    pub fn explain(&self) -> String {
        use std::fmt::Write;
        let mut text = String::new();
        let all = self
            .store
            .list(&halt_tracker::queue::view::Query { per_page: 500, ..Default::default() })
            .expect("listed")
            .1;
        for item in all {
            let seq = self.store.seq_of(&item.id).expect("there");
            let _ = writeln!(
                text,
                "== {} {:?} {:?} {} tracker {:?}",
                item.id, item.state, item.code, item.message, item.tracker_id
            );
            for step in self.store.step_views(seq, &item.id).expect("steps") {
                let _ = writeln!(text, "   {step}");
            }
            for line in self.store.journal(seq, &item.id).expect("journal") {
                let _ = writeln!(
                    text,
                    "   {} {} {} {} {}",
                    line["at"].as_i64().unwrap_or(0) - NOON,
                    line["step"],
                    line["event"],
                    line["code"],
                    line["message"]
                );
            }
        }
        let ledger = self.ledger();
        for list in ["resources", "contacts", "leads", "activities"] {
            for one in ledger[list].as_array().into_iter().flatten() {
                let _ = writeln!(
                    text,
                    "{list} {} {} {} at {}",
                    one["id"],
                    one["email"],
                    one["name"],
                    one["created_ms"].as_i64().unwrap_or(0) - NOON
                );
            }
        }
        let _ = writeln!(text, "pauses {:?} now {}", self.store.pauses(), self.clock.wall() - NOON);
        text
    }

    pub fn item(&self, id: &str) -> Item {
        self.store.detail(id).expect("there").1
    }

    pub fn ledger(&self) -> Value {
        let ledger = self.wire.tracker.borrow().ledger();
        assert_eq!(ledger["breaches"], json!([]), "something was sent that is not documented");
        ledger
    }

    pub fn held(&self, what: &str) -> Vec<Value> {
        self.ledger()[what].as_array().cloned().unwrap_or_default()
    }

    /// How often Tracker was asked for an operation.
    pub fn asked(&self, operation: &str) -> usize {
        self.held("requests").iter().filter(|request| request["operation"] == operation).count()
    }
}

/// Credentials are entered by hand.
pub fn enter(store: &mut Store, secret: &str, refresh: &str, now: i64) {
    store.save_secret("client_secret", secret, false, now).expect("saved");
    store.save_secret("refresh_token", refresh, false, now).expect("saved");
    store.resume(halt_tracker::queue::state::Pause::Credentials).expect("resumed");
}

/// Does what the site does about the counter; whether it has to ask again.
pub fn heeds(site: &mut Site, report: &Report) -> bool {
    match report.outcome {
        Ended::Raise => site.counter = site.counter.max(report.counter),
        Ended::Reread => site.seen = Some(report.counter),
        _ => return false,
    }
    true
}

pub const fn budget(caller: Caller) -> i64 {
    if matches!(caller, Caller::After) { 5_000 } else { 20_000 }
}

/// One call of the engine; `None` when its process was killed.
pub fn call(store: &mut Store, around: Surroundings<'_>) -> Option<Report> {
    let is_fenced = around.policy.keeps(Rule::WritesAreTheRuns);
    match std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| relay::run(store, around))) {
        // Where runs write over each other, one may find that its submission is elsewhere.
        Ok(Err(_)) if !is_fenced => None,
        Ok(report) => Some(report.expect("the store works")),
        Err(thrown) if thrown.is::<Crash>() => {
            store.clean_up_after_abort();
            None
        }
        Err(thrown) => std::panic::resume_unwind(thrown),
    }
}

pub fn merge(all: &mut Value, more: &Value) {
    for (name, value) in more.as_object().into_iter().flatten() {
        all[name] = value.clone();
    }
}
