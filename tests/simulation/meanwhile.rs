//! A run is not alone: while it waits for Tracker, and at each look at the clock, others reach the same store through a
//! handle of their own. What they do there follows from the seed, or from a script.

use std::cell::RefCell;
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use halt_tracker::clock::{Clock, Moment};
use halt_tracker::codes::{Code, Coded};
use halt_tracker::queue::act::Action;
use halt_tracker::queue::lock::RunLock;
use halt_tracker::queue::state::State;
use halt_tracker::queue::{Site, Store};
use halt_tracker::relay::{Caller, Policy, Report, Surroundings};
use halt_tracker::settings::Settings;
use halt_tracker::tracker::transport::{Failure, Request, Response, Transport};
use serde_json::Value;

use crate::arrivals::Door;
use crate::crowd::Others;
use crate::wire::Wire;
use crate::world::{Virtual, budget, call, enter, heeds};

/// Where in a run somebody comes by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum At {
    /// A request is about to go out.
    Sending,
    /// It was applied, or lost, and its answer has not arrived.
    Answered,
    /// The run looks at the clock.
    Looking,
}

/// What others can reach while a run is in progress.
pub struct Reach<'a> {
    /// Their own handle.
    pub store: &'a mut Store,
    pub files: &'a Path,
    pub wire: &'a mut Wire,
    pub clock: &'a Rc<Virtual>,
    pub site: &'a mut Site,
    pub settings: &'a mut Value,
    pub policy: &'a Policy,
    pub documents: u32,
    pub others: &'a mut Others,
}

/// What a run sees of the world: the wire and the clock, with everybody who comes by at either.
pub struct Inside<'a> {
    clock: Rc<Virtual>,
    unfit: Option<String>,
    reach: RefCell<Reach<'a>>,
}

impl<'a> Inside<'a> {
    pub fn new(reach: Reach<'a>, unfit: Option<String>) -> Self {
        Self { clock: Rc::clone(reach.clock), unfit, reach: RefCell::new(reach) }
    }

    /// The run is over, however it ended.
    pub fn leave(self) {
        let mut reach = self.reach.into_inner();
        reach.wire.follow_credentials();
        reach.has_written_nothing_since();
    }
}

impl Transport for &Inside<'_> {
    fn send(&mut self, request: Request) -> Result<Response, Failure> {
        let mut reach = self.reach.borrow_mut();
        let url = request.url.clone();
        reach.come_by(At::Sending, &url);
        let answer = reach.wire.send(request);
        reach.come_by(At::Answered, &url);
        answer
    }

    fn unfit(&self) -> Option<&str> {
        self.unfit.as_deref()
    }

    fn blocks(&self, url: &str) -> bool {
        self.reach.borrow().wire.blocks(url)
    }
}

impl Clock for Inside<'_> {
    fn now(&self) -> Moment {
        if let Ok(mut reach) = self.reach.try_borrow_mut() {
            reach.come_by(At::Looking, "");
        }
        self.clock.now()
    }
    fn sleep(&self, duration: Duration) {
        self.clock.sleep(duration);
    }
}

impl Reach<'_> {
    /// A second runner. `None` when it was killed, at the n-th look at the clock if one is given.
    pub fn run_beside(&mut self, caller: Caller, killed_at: Option<u64>) -> Option<Report> {
        let first = self.clock.crash_in.replace(killed_at);
        let report = self.runs(caller);
        self.clock.crash_in.set(first);
        report
    }

    fn runs(&mut self, caller: Caller) -> Option<Report> {
        // What was entered meanwhile holds for it, and the first one goes on with what it began with.
        let account = self.wire.next.clone().map(|next| std::mem::replace(&mut self.wire.tracker, next));
        let settings = Settings::parse(&self.settings.to_string()).expect("settings");
        self.site.seen = None;
        let mut report = None;
        for _ in 0..3 {
            let around = Surroundings {
                settings: &settings,
                site: &self.site.clone(),
                clock: self.clock.as_ref(),
                random: &mut self.others.dice,
                transport: &mut *self.wire,
                policy: self.policy,
                caller,
                budget_ms: budget(caller),
            };
            report = call(self.store, around);
            if !report.as_ref().is_some_and(|report| heeds(self.site, report)) {
                break;
            }
        }
        if let Some(account) = account {
            self.wire.tracker = account;
        }
        report
    }

    /// Whether the run in progress still has the lock.
    pub fn is_locked(&self) -> bool {
        self.store.run_lock_path().is_some_and(|path| RunLock::holder(&path).is_some())
    }

    /// Somebody puts another file in the place of the lock's: from here on it keeps nobody out.
    pub fn replace_lock(&self) {
        let path = self.store.run_lock_path().expect("a lock");
        std::fs::remove_file(&path).expect("there");
        std::fs::write(&path, "").expect("another one");
    }

    /// Whether an action fitted, and was done.
    pub fn act(&mut self, id: &str, action: Action) -> bool {
        let moment = self.clock.moment();
        match self.store.act(id, action, &moment) {
            Ok(()) => true,
            Err(error) => {
                assert_eq!(error.code(), Code::ActState, "{id} {action:?}: {error}");
                false
            }
        }
    }

    pub fn accept(&mut self, fields: &Value, state: State) -> String {
        let (now, dice) = (self.clock.wall(), &mut self.others.dice);
        Door { store: self.store, files: self.files, dice, now, documents: self.documents }.admit(fields, state)
    }

    pub fn enter(&mut self, secret: &str, refresh: &str) {
        enter(self.store, secret, refresh, self.clock.wall());
    }

    /// What another connection has written changes this number.
    pub fn version(&self) -> i64 {
        let statement = self.store.connection().prepare_cached("PRAGMA data_version");
        statement.and_then(|mut statement| statement.query_row([], |row| row.get(0))).expect("a number")
    }

    /// Whose run another one has ended writes nothing any more.
    fn has_written_nothing_since(&mut self) {
        if let Some(version) = self.others.overrun.take()
            && version != self.version()
        {
            self.others.wrong.push("a run wrote although another one had begun since".into());
        }
    }
}
