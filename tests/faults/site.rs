//! A site on real files and virtual time: the engine's own actions, its store and keys below a watched folder, the model of
//! Tracker beyond a network of points, and the outside world, which repeats whatever was not acknowledged to it.

use std::cell::{Cell, RefCell};
use std::path::{Path, PathBuf};

use halt_tracker::clock::{Clock, SystemClock};
use halt_tracker::engine::{Call, handles};
use halt_tracker::relay::{self, Caller, Policy, Surroundings};
use serde_json::{Value, json};

use crate::clear::files_below;
use crate::dice::Dice;
use crate::model::{self, Tracker};
use crate::system;
use crate::wire::{Virtual, Wire};

pub const SHARED: &str = "c2hhcmVkLXNlY3JldC1vZi10aGUtd2ViaG9vay10ZXN0cw==";
/// Words that must be on no disk in the clear.
pub const CANARIES: [&str; 4] = ["Quercus", "canary-letter", "canary-of-the-cv", "@example.org"];

/// Something that somebody wants of the site until it is acknowledged.
#[derive(Debug, Clone)]
pub enum Wish {
    /// A form; its id is made before anything is stored, and a refused one is kept in the site's own table.
    Form { id: String, cv: bool },
    /// A webhook request; its sender repeats it.
    Hook { body: String, stamp: String },
}

/// What somebody does by hand with a submission.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ByHand {
    /// Asked for; no answer was heard.
    Asked(&'static str),
    /// It is so, says the engine.
    Done(&'static str),
    /// Delivered before, says the engine.
    TooLate,
}

/// Number and plain text of each row: a file's parts, and the form itself as number 0.
pub type Rows = Vec<(u32, Vec<u8>)>;

#[derive(Debug, Clone)]
pub struct Person {
    pub email: String,
    pub wish: Wish,
    /// The id that was answered.
    pub acknowledged: Option<String>,
    /// A form that the engine did not take: its rows in the site's own table, in the order in which they are handed over.
    pub kept: Option<Rows>,
    pub by_hand: Option<ByHand>,
    /// Acknowledged once more under another id: the same thing was taken twice.
    pub twice: bool,
}

/// Sites are made alike, from the same beginning.
#[derive(Clone)]
pub struct Template {
    files: Vec<(PathBuf, Vec<u8>)>,
    requests: Vec<(model::Request, i64)>,
    identity: Value,
    settings: Value,
    switches: Value,
    at: (i64, i64),
    people: Vec<Person>,
}

impl Template {
    /// The same under a Tracker with these switches.
    pub fn with(mut self, switches: &Value) -> Self {
        for (name, value) in switches.as_object().into_iter().flatten() {
            self.switches[name] = value.clone();
        }
        self
    }
}

/// What happens elsewhere while a request is under way.
pub type Meanwhile = Box<dyn FnOnce(&Site)>;

pub struct Site {
    pub home: tempfile::TempDir,
    pub identity: Value,
    pub settings: Value,
    pub tracker: RefCell<Tracker>,
    pub requests: RefCell<Vec<(model::Request, i64)>>,
    pub clock: Virtual,
    pub dice: Dice,
    pub people: Vec<Person>,
    /// Answers to creates of this person are lost after Tracker has done its work.
    pub lose_answers_of: RefCell<Option<String>>,
    pub sent: Cell<u64>,
    /// Requests that came to nothing or were answered with a no, and calls of the system that failed.
    pub trouble: Cell<u64>,
    /// Called while a request is under way, before Tracker sees it.
    pub meanwhile: RefCell<Option<Meanwhile>>,
    /// A mutation: a repeated form comes under another id, as if ids were made by the store.
    pub new_ids: bool,
    /// A mutation: a kept form leaves the site's own table before the store has it.
    pub row_first: bool,
    /// A mutation: the site saves a raised counter after the run that was to wait for it.
    pub option_last: bool,
    pub secrets_saved: bool,
    /// Who is in Tracker and, after a restore, in no store any more.
    pub elsewhere: Vec<String>,
    /// How often an administrator had to paste a new refresh token.
    pub pasted: u64,
}

fn memory_folder() -> tempfile::TempDir {
    let shm = Path::new("/dev/shm");
    if shm.is_dir() { tempfile::tempdir_in(shm) } else { tempfile::tempdir() }.expect("a folder")
}

impl Site {
    pub fn new(settings: &Value, switches: &Value) -> Self {
        let home = memory_folder();
        std::fs::create_dir(home.path().join("root")).expect("made");
        std::fs::create_dir(home.path().join("uploads")).expect("made");
        let mut cv = b"%PDF-1.7\n1 0 obj canary-of-the-cv ".to_vec();
        // More than a chunk of a sealed file, so that one is written before the last.
        cv.resize(66_000, b'x');
        std::fs::write(home.path().join("uploads/cv.pdf"), cv).expect("written");
        let mut all = json!({ "oauth_url": "https://oauth.test", "api_url": "https://api.test", "activity_enabled": "1", "pace": "60000" });
        for (name, value) in settings.as_object().into_iter().flatten() {
            all[name] = value.clone();
        }
        let mut tracker = Tracker::new();
        tracker.set_switches(switches).expect("known switches");
        let clock = Virtual { base: SystemClock.now().wall, ..Virtual::default() };
        let identity = json!({ "install_id": "0123456789abcdef0123456789abcdef", "home": "http://example.org", "epoch": "", "counter": 0, "environment": "production" });
        Self {
            home,
            identity,
            settings: all,
            tracker: RefCell::new(tracker),
            requests: RefCell::default(),
            clock,
            dice: Dice::new(1),
            people: Vec::new(),
            lose_answers_of: RefCell::default(),
            sent: Cell::new(0),
            trouble: Cell::new(0),
            meanwhile: RefCell::default(),
            new_ids: false,
            row_first: false,
            option_last: false,
            secrets_saved: false,
            elsewhere: Vec::new(),
            pasted: 0,
        }
    }

    /// A site that has delivered before: its look-ups have somebody to find.
    pub fn template(settings: &Value, switches: &Value) -> Template {
        let mut site = Self::new(settings, switches);
        site.save_secrets().expect("saved");
        site.form("control", false);
        site.submit(0).expect("accepted");
        site.run_for(1);
        handles::close_all();
        let delivered = site.tracker.borrow().ledger()["resources"].as_array().map_or(0, Vec::len)
            + site.tracker.borrow().ledger()["leads"].as_array().map_or(0, Vec::len);
        assert_eq!(delivered, 1, "the first one is delivered");
        Template {
            files: files_below(&site.root())
                .into_iter()
                .map(|path| {
                    (path.strip_prefix(site.root()).expect("below").to_owned(), std::fs::read(path).expect("read"))
                })
                .collect(),
            requests: site.requests.take(),
            identity: site.identity.clone(),
            settings: settings.clone(),
            switches: switches.clone(),
            at: (site.clock.base, site.clock.at.get()),
            people: site.people.clone(),
        }
    }

    pub fn of(template: &Template) -> Self {
        use std::os::unix::fs::PermissionsExt;
        let mut site = Self::new(&template.settings, &template.switches);
        std::fs::create_dir_all(site.dir().join("files")).expect("made");
        for (path, bytes) in &template.files {
            let path = site.root().join(path);
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
            std::fs::write(&path, bytes).expect("written");
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).expect("private");
        }
        for (request, at) in &template.requests {
            site.tracker.borrow_mut().handle(request, *at);
        }
        site.requests.replace(template.requests.clone());
        site.identity = template.identity.clone();
        site.clock.base = template.at.0;
        site.clock.at.set(template.at.1);
        site.people = template.people.clone();
        // Not the ids of the template's people once more.
        site.dice = Dice::new(2);
        site.secrets_saved = true;
        site
    }

    /// The folder that is watched: store and keys.
    pub fn root(&self) -> PathBuf {
        self.home.path().join("root")
    }
    pub fn dir(&self) -> PathBuf {
        self.root().join("store")
    }
    pub fn beside(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    pub fn call(&self) -> Call {
        let mut settings = self.settings.clone();
        settings["key_file"] = json!(self.root().join("keys/key.php"));
        let (site, settings) = (self.identity.to_string(), settings.to_string());
        let dir = self.dir();
        Call::read(dir.to_str().expect("text").as_bytes(), site.as_bytes(), settings.as_bytes()).expect("a call")
    }

    /// The site saves what an answer asks it to remember, in its own database.
    pub fn remember(&mut self, answer: &Value) {
        for (name, value) in answer["site"].as_object().into_iter().flatten() {
            self.identity[name] = value.clone();
        }
    }

    /// One run, with the site's part of the counter.
    pub fn run(&mut self) -> Result<Value, String> {
        self.identity["seen"] = Value::Null;
        let mut unsaved = None;
        for _ in 0..4 {
            let mut call = self.call();
            call.site.counter = unsaved.unwrap_or(call.site.counter);
            let mut dice = self.dice.clone();
            let mut wire = Wire { site: self };
            let report = call.with_store(|store| {
                let report = relay::run(
                    store,
                    Surroundings {
                        settings: &call.settings,
                        site: &call.site,
                        clock: &wire.site.clock,
                        random: &mut dice,
                        transport: &mut wire,
                        policy: &Policy::default(),
                        caller: Caller::Cron,
                        budget_ms: 20_000,
                    },
                )?;
                Ok(serde_json::to_value(report).expect("JSON"))
            });
            self.dice = dice;
            let report = report.map_err(|error| error.to_string())?;
            if system::is_dead() {
                return Err("dead".into());
            }
            self.remember(&report);
            match report["outcome"].as_str() {
                Some("raise") if self.option_last => unsaved = report["counter"].as_i64(),
                Some("raise") => self.identity["counter"] = report["counter"].clone(),
                Some("reread") => self.identity["seen"] = report["counter"].clone(),
                _ => {
                    if let Some(counter) = unsaved {
                        self.identity["counter"] = json!(counter);
                    }
                    return Ok(report);
                }
            }
        }
        Err("the counter is never enough".into())
    }

    /// What a second process would get that begins a run now; it does not wait for anything.
    pub fn run_beside(&self) -> Result<Value, String> {
        struct Waiting<'a>(&'a Site);
        // SAFETY: whoever calls this waits at the join, and touches nothing of the site meanwhile.
        unsafe impl Send for Waiting<'_> {}
        let (waiting, lies) = (Waiting(self), system::lies());
        // A thread knows no store that another one has opened, like a process.
        let work = move || {
            let site = { waiting }.0;
            system::watch(&site.root(), None, lies);
            let said = site.run_as_another();
            handles::close_all();
            system::unwatch();
            said
        };
        std::thread::scope(|scope| scope.spawn(work).join()).expect("no panic")
    }

    fn run_as_another(&self) -> Result<Value, String> {
        let mut site = self.identity.clone();
        loop {
            let call = Call { site: serde_json::from_value(site.clone()).expect("a site"), ..self.call() };
            let (mut dice, mut wire) = (Dice::new(3), Wire { site: self });
            let report = call.with_store(|store| {
                let around = Surroundings {
                    settings: &call.settings,
                    site: &call.site,
                    clock: &self.clock,
                    random: &mut dice,
                    transport: &mut wire,
                    policy: &Policy::default(),
                    caller: Caller::Cli,
                    budget_ms: 20_000,
                };
                Ok(serde_json::to_value(relay::run(store, around)?).expect("JSON"))
            });
            let report = report.map_err(|error| error.to_string())?;
            match report["outcome"].as_str() {
                Some("raise") => site["counter"] = report["counter"].clone(),
                Some("reread") => site["seen"] = report["counter"].clone(),
                _ => return Ok(report),
            }
        }
    }

    /// The requests after the first `from`, as another process can take them over.
    pub fn requests_after(&self, from: usize) -> Value {
        let lines = self.requests.borrow();
        let lines = lines.iter().skip(from).map(|(request, at)| {
            json!({ "method": request.method, "path": request.path, "query": request.query, "headers": request.headers, "body": String::from_utf8_lossy(&request.body), "at": at })
        });
        lines.collect()
    }

    pub fn request_count(&self) -> usize {
        self.requests.borrow().len()
    }

    /// What another process sent to the one Tracker.
    pub fn take_over(&self, requests: &Value) {
        for one in requests.as_array().into_iter().flatten() {
            let text = |name: &str| one[name].as_str().unwrap_or_default().to_owned();
            let request = model::Request {
                method: text("method"),
                path: text("path"),
                query: text("query"),
                headers: serde_json::from_value(one["headers"].clone()).expect("headers"),
                body: text("body").into_bytes(),
            };
            let at = one["at"].as_i64().expect("a time");
            self.tracker.borrow_mut().handle(&request, at);
            self.requests.borrow_mut().push((request, at));
        }
    }

    /// Runs as cron does until nothing waits, at most so many hours.
    pub fn run_for(&mut self, hours: i64) {
        let end = self.clock.elsewhere() + hours * 3_600_000;
        while self.clock.elsewhere() < end {
            let report = self.run().unwrap_or_else(|error| panic!("calm and {error}"));
            let paused = report["reasons"].as_array().is_some_and(|all| !all.is_empty());
            let waits = report["left"] != 0 || report["outcome"] == "busy" || paused;
            if !waits {
                return;
            }
            if report["reasons"].as_array().is_some_and(|all| all.contains(&json!("credentials"))) {
                self.paste();
            }
            let now = self.clock.now().wall;
            let next = report["next_due_at"].as_i64().unwrap_or(now).max(report["not_before"].as_i64().unwrap_or(0));
            let idle =
                if report["items"].as_array().is_some_and(Vec::is_empty) { (next - now).min(3_000_000) } else { 0 };
            self.clock.advance(idle.max(300_000));
        }
    }
}
