//! A site on real files and virtual time: the engine's own actions, its store and keys below a watched folder, the model of
//! Tracker beyond a network of points, and the outside world, which repeats whatever was not acknowledged to it.

use std::cell::{Cell, RefCell};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

use halt_tracker::clock::{Clock, Moment, SystemClock};
use halt_tracker::codes::Code;
use halt_tracker::engine::{Call, adopt, handles, manage, take, webhook};
use halt_tracker::relay::{self, Caller, Policy, Surroundings};
use halt_tracker::tracker::transport::{Body, Failure, Request, Response, Transport};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};

use crate::dice::Dice;
use crate::model::{self, Fate, Tracker};
use crate::system::{self, Do, Kind};

pub const SHARED: &str = "c2hhcmVkLXNlY3JldC1vZi10aGUtd2ViaG9vay10ZXN0cw==";
/// Words that must be on no disk in the clear.
pub const CANARIES: [&str; 3] = ["Quercus", "canary-letter", "canary-of-the-cv"];

/// Time that passes only when somebody waits, or when the machine stands still. Everybody on this thread sees the same.
#[derive(Default)]
pub struct Virtual {
    base: i64,
    at: Cell<i64>,
    /// How far the wall clock is off: it may jump, the boot clock does not.
    pub jump: Cell<i64>,
}

impl Virtual {
    pub fn advance(&self, ms: i64) {
        self.at.set(self.at.get() + ms);
    }
    /// Tracker's clock, which does not jump with ours.
    pub fn elsewhere(&self) -> i64 {
        self.base + self.at.get()
    }
}

impl Clock for Virtual {
    fn now(&self) -> Moment {
        self.advance(system::stood_still());
        Moment { wall: self.elsewhere() + self.jump.get(), boot: 1_000_000 + self.at.get(), boot_id: "boot".into() }
    }
    fn sleep(&self, duration: Duration) {
        self.advance(i64::try_from(duration.as_millis()).unwrap_or(0));
    }
}

/// Something that somebody wants of the site until it is acknowledged.
#[derive(Debug, Clone)]
pub enum Wish {
    /// A form; its id is made before anything is stored, and a refused one is kept in the site's own table.
    Form { id: String, cv: bool },
    /// A webhook request; its sender repeats it.
    Hook { body: String, stamp: String },
}

#[derive(Debug, Clone)]
pub struct Person {
    pub email: String,
    pub wish: Wish,
    /// The id that was answered.
    pub acknowledged: Option<String>,
    /// A form that the engine did not take, in the site's own table.
    pub kept: Option<Vec<u8>>,
    /// What somebody did by hand and has not been confirmed yet, or has.
    pub by_hand: Option<(&'static str, bool)>,
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

/// What happens elsewhere while a request is under way.
type Meanwhile = Box<dyn FnOnce(&Site)>;

pub struct Site {
    home: tempfile::TempDir,
    pub identity: Value,
    pub settings: Value,
    pub tracker: RefCell<Tracker>,
    requests: RefCell<Vec<(model::Request, i64)>>,
    pub clock: Virtual,
    pub dice: Dice,
    pub people: Vec<Person>,
    /// Answers to creates of this person are lost after Tracker has done its work.
    pub lose_answers_of: RefCell<Option<String>>,
    pub sent: Cell<u64>,
    /// Called while a request is under way, before Tracker sees it.
    pub meanwhile: RefCell<Option<Meanwhile>>,
    /// A mutation: a repeated form comes under another id, as if ids were made by the store.
    pub new_ids: bool,
    pub secrets_saved: bool,
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
            meanwhile: RefCell::default(),
            new_ids: false,
            secrets_saved: false,
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
    fn remember(&mut self, answer: &Value) {
        for (name, value) in answer["site"].as_object().into_iter().flatten() {
            self.identity[name] = value.clone();
        }
    }

    pub fn save_secrets(&mut self) -> Result<(), String> {
        let all = [
            ("client_secret", "sim-client-secret-0123456789"),
            ("refresh_token", "sim-refresh-token-0123456789"),
            ("shared_secret", SHARED),
        ];
        for (name, value) in all {
            let answer = manage::save_secret(&self.call(), name, value).map_err(|error| error.to_string())?;
            self.remember(&answer);
        }
        self.secrets_saved = true;
        Ok(())
    }

    fn fields(&self, email: &str) -> Value {
        let name = email.split('@').next().unwrap_or_default();
        json!({ "name": format!("{name} Quercus"), "email": email, "message": format!("canary-letter of {email}") })
    }

    /// Somebody fills in a form; it is not sent yet.
    pub fn form(&mut self, name: &str, cv: bool) -> usize {
        let mut id = [0; 16];
        halt_tracker::clock::Random::bytes(&mut self.dice, &mut id);
        let id = uuid::Builder::from_random_bytes(id).into_uuid().hyphenated().to_string();
        self.person(name, Wish::Form { id, cv })
    }

    /// Somebody else's server has a signed request for us.
    pub fn hook(&mut self, name: &str) -> usize {
        let stamp = (SystemClock.now().wall / 1_000).to_string();
        let body = json!({ "form_id": "careers", "fields": self.fields(&format!("{name}@example.org")), "files": [
            { "field": "resume", "name": "cv.pdf", "mime": "application/pdf", "content": "JVBERi0xLjcKMSAwIG9iag==", "encoding": "base64" }
        ] });
        self.person(name, Wish::Hook { body: body.to_string(), stamp })
    }

    fn person(&mut self, name: &str, wish: Wish) -> usize {
        let email = format!("{name}@example.org");
        self.people.push(Person { email, wish, acknowledged: None, kept: None, by_hand: None, twice: false });
        self.people.len() - 1
    }

    fn form_json(&self, one: &Person, id: &str, cv: bool, token: &str) -> Vec<u8> {
        let uploads = self.home.path().join("uploads");
        let files = if cv {
            json!([{ "field": "cv", "path": uploads.join("cv.pdf"), "name": "cv.pdf", "dirs": [uploads] }])
        } else {
            json!([])
        };
        let form = json!({ "id": id, "received_at": self.clock.now().wall, "timestamp": "", "fields": self.fields(&one.email),
            "info": { "contact_form_id": "f", "contact_form_unique_id": "11111111-2222-4333-8444-555555555555" }, "token": token, "files": files });
        form.to_string().into_bytes()
    }

    /// Tries once what a person wants. What was refused is kept or repeated by its sender, later.
    pub fn submit(&mut self, at: usize) -> Result<(), String> {
        let one = self.people[at].clone();
        let (id, answer) = match &one.wish {
            Wish::Form { id, cv } => {
                let fresh = uuid::Uuid::now_v7().hyphenated().to_string();
                let (id, token) = if self.new_ids { (&fresh, &fresh) } else { (id, &one.email) };
                let plain = self.form_json(&one, id, *cv, token);
                let taken = match &one.kept {
                    Some(kept) => self.adopt(id, kept),
                    None => take::accept(&self.call(), &plain).map_err(|error| error.to_string()),
                };
                let answer = match taken {
                    Ok(answer) => answer,
                    Err(error) => {
                        // A3: the site's own table, if the process lives to write it.
                        if !system::is_dead() {
                            self.people[at].kept = Some(plain);
                        }
                        return Err(error);
                    }
                };
                (answer["id"].as_str().map(str::to_owned), answer)
            }
            Wish::Hook { body, stamp } => {
                let answer = self.post(body, stamp);
                match answer["status"].as_i64() {
                    Some(202) => (answer["body"]["queue_id"].as_str().map(str::to_owned), answer),
                    Some(503) => return Err(answer.to_string()),
                    _ => return Err(format!("refused: {answer}")),
                }
            }
        };
        if system::is_dead() {
            // The answer never left.
            return Err("dead".into());
        }
        self.remember(&answer);
        let id = id.ok_or_else(|| format!("no id: {answer}"))?;
        let one = &mut self.people[at];
        one.twice |= one.acknowledged.as_ref().is_some_and(|earlier| *earlier != id);
        one.acknowledged = Some(id);
        one.kept = None;
        Ok(())
    }

    fn adopt(&self, id: &str, kept: &[u8]) -> Result<Value, String> {
        use hmac::digest::Digest;
        // Sealed now and not then: the key pair is the same, and what counts is that it is taken once.
        let call = self.call();
        let public =
            handles::with_store(&call, |store| Ok(store.ring().box_public())).map_err(|error| error.to_string())?;
        let sealed = crypto_box::PublicKey::from(public).seal(&mut crypto_box::aead::OsRng, kept).expect("sealed");
        let hash = halt_tracker::queue::open::hex(&sha2::Sha256::digest(kept));
        let row = json!({ "id": id, "hash": hash, "key_id": "" }).to_string();
        adopt::adopt(&call, row.as_bytes(), &sealed).map_err(|error| error.to_string())
    }

    fn post(&self, body: &str, stamp: &str) -> Value {
        let mut mac = Hmac::<sha2::Sha256>::new_from_slice(SHARED.as_bytes()).expect("any length");
        mac.update(format!("{stamp}.{body}").as_bytes());
        let signature = halt_tracker::queue::open::hex(&mac.finalize().into_bytes());
        let request = json!({ "method": "POST", "content_type": "application/json", "timestamp": stamp, "signature": signature, "address": "192.0.2.1" });
        let mut settings = self.settings.clone();
        settings["key_file"] = json!(self.root().join("keys/key.php"));
        let dir = self.dir();
        let text = webhook::ingest(
            dir.to_str().expect("text").as_bytes(),
            self.identity.to_string().as_bytes(),
            settings.to_string().as_bytes(),
            request.to_string().as_bytes(),
            body.as_bytes(),
        );
        serde_json::from_str(&text).expect("JSON")
    }

    /// An action of an administrator.
    pub fn act(&mut self, action: &Value) -> Result<Value, String> {
        let answer = manage::act(&self.call(), action.to_string().as_bytes()).map_err(|error| error.to_string())?;
        if system::is_dead() {
            return Err("dead".into());
        }
        self.remember(&answer);
        Ok(answer)
    }

    /// `discard` or `erase`, on somebody who was acknowledged; remembered until it is confirmed.
    pub fn by_hand(&mut self, at: usize, action: &'static str) -> Result<(), String> {
        self.people[at].by_hand = Some((action, false));
        let Some(id) = self.people[at].acknowledged.clone() else { return Err("not there yet".into()) };
        let answer = self.act(&json!({ "action": action, "ids": [id] }))?;
        let done = answer["changed"].as_array().is_some_and(|ids| !ids.is_empty());
        // What was delivered meanwhile cannot be discarded; that is an answer too.
        self.people[at].by_hand = (done || action == "erase").then_some((action, true));
        Ok(())
    }

    /// One run, with the site's part of the counter.
    pub fn run(&mut self) -> Result<Value, String> {
        for _ in 0..4 {
            let call = self.call();
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
            if report["outcome"] != "raise" {
                return Ok(report);
            }
            self.identity["counter"] = report["counter"].clone();
        }
        Err("the counter is never enough".into())
    }

    /// Runs as cron does until nothing waits, at most so many hours.
    pub fn run_for(&mut self, hours: i64) {
        let end = self.clock.elsewhere() + hours * 3_600_000;
        while self.clock.elsewhere() < end {
            let report = self.run().unwrap_or_else(|error| panic!("calm and {error}"));
            let waits = report["left"] != 0 || report["reasons"].as_array().is_some_and(|all| !all.is_empty());
            if !waits {
                return;
            }
            let now = self.clock.now().wall;
            let next = report["next_due_at"].as_i64().unwrap_or(now).max(report["not_before"].as_i64().unwrap_or(0));
            let idle =
                if report["items"].as_array().is_some_and(Vec::is_empty) { (next - now).min(3_000_000) } else { 0 };
            self.clock.advance(idle.max(300_000));
        }
    }
}

/// Every file below a folder.
pub fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() { all.extend(files_below(&path)) } else { all.push(path) }
    }
    all
}

struct Wire<'a> {
    site: &'a Site,
}

impl Transport for Wire<'_> {
    fn send(&mut self, request: Request) -> Result<Response, Failure> {
        let site = self.site;
        let path = url::Url::parse(&request.url).expect("an address").path().to_owned();
        site.clock.advance(50);
        if system::point(Kind::Send, &path) != Do::Pass {
            return Err(Failure::NotSent(Code::TrackerUnreachable, "refused".into()));
        }
        // As the real one: the deadline of the intent is checked right before the first byte.
        if request.deadline.is_some_and(|deadline| site.clock.now().boot > deadline) {
            return Err(Failure::NotSent(Code::TrackerUnreachable, "too late".into()));
        }
        // A document that does not open any more breaks the request off, as in the real one.
        let plain = plain(request).map_err(|error| Failure::Lost(error.to_string()))?;
        if let Some(action) = site.meanwhile.take() {
            action(site);
        }
        site.sent.set(site.sent.get() + 1);
        let at = site.clock.elsewhere();
        site.requests.borrow_mut().push((plain.clone(), at));
        let answer = site.tracker.borrow_mut().handle(&plain, at);
        let lost = site.lose_answers_of.borrow().as_ref().is_some_and(|email| {
            path.to_lowercase().contains("resource")
                && String::from_utf8_lossy(&plain.body).contains(email.as_str())
                && !path.contains("earch")
        });
        if lost {
            site.lose_answers_of.replace(None);
        }
        if lost || system::point(Kind::Answer, &path) != Do::Pass || answer.fate == Fate::Drop {
            return Err(Failure::Lost("connection closed".into()));
        }
        let header =
            |name: &str| answer.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
        let retry_after = header("retry-after").and_then(|value| value.parse().ok());
        Ok(Response { status: answer.status, retry_after, date: None, body: answer.body })
    }
}

fn plain(request: Request) -> std::io::Result<model::Request> {
    use base64::Engine as _;
    let mut headers = Vec::new();
    if let Some(token) = &request.bearer {
        headers.push(("authorization".to_owned(), format!("Bearer {}", token.as_str())));
    }
    let body = match request.body {
        Body::Empty => Vec::new(),
        Body::Bytes(kind, bytes) => {
            headers.push(("content-type".to_owned(), kind.to_owned()));
            bytes.to_vec()
        }
        Body::Document { before, source, after } => {
            let mut bytes = Vec::new();
            source.open().and_then(|mut reader| reader.read_to_end(&mut bytes))?;
            headers.push(("content-type".to_owned(), "application/json".to_owned()));
            [before.as_slice(), base64::engine::general_purpose::STANDARD.encode(bytes).as_bytes(), &after].concat()
        }
    };
    let address = url::Url::parse(&request.url).expect("an address");
    Ok(model::Request {
        method: request.method.to_owned(),
        path: address.path().to_owned(),
        query: address.query().unwrap_or_default().to_owned(),
        headers,
        body,
    })
}
