//! A site on real files whose relay speaks real HTTP, on a clock that leaps over every wait instead of sitting it out.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use halt_tracker::clock::{Clock, Moment, SystemClock, SystemRandom};
use halt_tracker::queue::accept::NewSubmission;
use halt_tracker::queue::act::Action;
use halt_tracker::queue::state::{Pause, State};
use halt_tracker::queue::{Site, Store};
use halt_tracker::relay::{self, Caller, Ended, Policy, Report, Surroundings};
use halt_tracker::settings::Settings;
use halt_tracker::submission::{FilePart, Form, Source, Submission};
use halt_tracker::tracker::http::{HttpTransport, Patience};
use halt_tracker::tracker::transport::{Failure, Request, Response, Transport};
use halt_tracker::vault::file::SealedWriter;
use serde_json::{Map, Value, json};

use crate::certificates::Certificates;
use crate::fault::{Fault, Step};
use crate::front::Front;

pub const EMAIL: &str = "ada@example.org";
/// Somebody whom Tracker has had for long.
pub const KNOWN: &str = "known@example.org";
pub const CV: &[u8] = b"%PDF-1.4 the CV of ada@example.org, with every byte of it";

/// Whether something that Tracker holds is of the applicant of every cell.
pub fn is_adas(one: &Value) -> bool {
    one["email"] == EMAIL || one["name"].as_str().is_some_and(|name| name.starts_with("Ada"))
}

/// How much faster the waits of HTTP end for a request that a fault is aimed at.
pub const SCALE: u32 = 60;

/// The machine's clock, ahead of it by every wait that was leapt over.
#[derive(Default)]
pub struct Leap(AtomicI64);

impl Leap {
    pub fn leap(&self, ms: i64) {
        self.0.fetch_add(ms.max(0), Ordering::SeqCst);
    }
}

impl Clock for Leap {
    fn now(&self) -> Moment {
        let (real, ahead) = (SystemClock.now(), self.0.load(Ordering::SeqCst));
        Moment { wall: real.wall + ahead, boot: real.boot + ahead, boot_id: real.boot_id }
    }
    fn sleep(&self, duration: Duration) {
        self.leap(i64::try_from(duration.as_millis()).unwrap_or(0));
    }
}

/// Which requests meet the fault: the first ones of a step.
pub struct Aim {
    pub step: Step,
    pub fault: Fault,
    pub left: u32,
}

/// Real HTTP; a request that is aimed at goes to where the fault waits.
pub struct Aimed {
    pub aim: Option<Aim>,
    /// What came of the requests that were aimed at.
    pub met: Vec<Result<u16, Failure>>,
    record_type: String,
    patient: HttpTransport,
    impatient: HttpTransport,
    next: Arc<Mutex<Option<Fault>>>,
    nobody: SocketAddr,
    full: SocketAddr,
}

impl Transport for Aimed {
    fn send(&mut self, mut request: Request) -> Result<Response, Failure> {
        let url = url::Url::parse(&request.url).expect("an address");
        let step = Step::of(url.path(), request.method, &self.record_type);
        let Some(aim) = self.aim.as_mut().filter(|aim| aim.left > 0 && aim.step == step) else {
            return self.patient.send(request);
        };
        aim.left -= 1;
        let port = match aim.fault {
            Fault::Refused => Some(self.nobody.port()),
            Fault::ConnectTimeOut => Some(self.full.port()),
            fault => {
                *self.next.lock().expect("orders") = Some(fault);
                None
            }
        };
        if let Some(port) = port {
            let mut elsewhere = url;
            elsewhere.set_port(Some(port)).expect("a port");
            request.url = elsewhere.to_string();
        }
        let http = if aim.fault.needs_patience() { &mut self.impatient } else { &mut self.patient };
        let answer = http.send(request);
        self.met.push(answer.as_ref().map(|response| response.status).map_err(Clone::clone));
        answer
    }
}

/// Places on this machine that are bad in a way of their own, for all cells.
pub struct Places {
    pub certificates: Arc<Certificates>,
    /// Nobody listens here: bound, and never told to listen.
    nobody: socket2::Socket,
    /// Somebody listens here who never accepts, with no place left in the line.
    full: socket2::Socket,
    _waiting: Vec<TcpStream>,
    /// Where redirects lead; a connection that arrives here is a leak.
    pub elsewhere: TcpListener,
}

fn address(socket: &socket2::Socket) -> SocketAddr {
    socket.local_addr().expect("an address").as_socket().expect("of the internet")
}

impl Places {
    pub fn new() -> Self {
        let socket = || {
            let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).expect("a socket");
            socket.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).expect("bound");
            socket
        };
        let (nobody, full) = (socket(), socket());
        full.listen(0).expect("listening");
        let mut waiting = Vec::new();
        while let Ok(stream) = TcpStream::connect_timeout(&address(&full), Duration::from_millis(300)) {
            waiting.push(stream);
            assert!(waiting.len() < 100, "the line never fills");
        }
        let elsewhere = TcpListener::bind("127.0.0.1:0").expect("a port");
        elsewhere.set_nonblocking(true).expect("set");
        Self { certificates: Arc::new(Certificates::new()), nobody, full, _waiting: waiting, elsewhere }
    }
}

/// A site, its store, and its Tracker behind TLS.
pub struct Real {
    pub store: Store,
    pub site: Site,
    pub settings: Value,
    pub clock: Arc<Leap>,
    pub front: Front,
    pub aimed: Aimed,
    pub policy: Policy,
    /// How often a new refresh token had to be pasted.
    pub pasted: u32,
    /// How often a person had to decide.
    pub asked: u32,
    /// Everything that the site has on disk is below it.
    pub root: tempfile::TempDir,
}

impl Real {
    pub fn new(places: &Places, settings: &Value) -> Self {
        // Memory where the machine has some to give: a matrix of hundreds of stores is no test of the disk.
        let memory = Path::new("/dev/shm");
        let root = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }.expect("a folder");
        let site = Site {
            install_id: "0123456789abcdef0123456789abcdef".into(),
            home: "https://example.org".into(),
            ..Site::default()
        };
        let store = Store::open(&root.path().join("store"), &root.path().join("keys/key.php"), &site).expect("a store");
        let clock = Arc::new(Leap::default());
        let elsewhere = places.elsewhere.local_addr().expect("an address");
        let front = Front::start(Arc::clone(&places.certificates), Arc::clone(&clock), elsewhere);
        let host = format!("https://{}", front.address);
        let mut all = json!({ "oauth_url": host, "api_url": host, "ca_file": places.certificates.ca_file,
            "activity_enabled": "1", "pace": "60000" });
        for (name, value) in settings.as_object().into_iter().flatten() {
            all[name] = value.clone();
        }
        let parsed = Settings::parse(&all.to_string()).expect("settings");
        let policy = Policy::default();
        let quick = policy.patience;
        let quick = Patience { connect: quick.connect / SCALE, answer: quick.answer / SCALE, upload: quick.upload };
        let http = |patience| HttpTransport::new(&parsed, patience, Arc::clone(&clock) as _).expect("a client");
        let aimed = Aimed {
            aim: None,
            met: Vec::new(),
            record_type: parsed.record_type().name().to_owned(),
            patient: http(policy.patience),
            impatient: http(quick),
            next: Arc::clone(&front.next),
            nobody: address(&places.nobody),
            full: address(&places.full),
        };
        let mut real = Self { store, site, settings: all, clock, front, aimed, policy, pasted: 0, asked: 0, root };
        real.enter_credentials("sim-refresh-token-0123456789");
        real.site.epoch = real.store.meta("epoch").expect("read");
        let known = json!([{ "firstName": "Known", "surname": "Person", "email": KNOWN }]);
        let people = json!({ "resources": known, "contacts": known, "leads": [{ "name": "Known Person – form" }] });
        real.seed(&people);
        real
    }

    pub fn seed(&mut self, seed: &Value) {
        let now = self.clock.now().wall;
        self.front.tracker.lock().expect("the model").seed(seed, now).expect("seeded");
    }

    fn enter_credentials(&mut self, refresh: &str) {
        let now = self.clock.now().wall;
        self.store.save_secret("client_secret", "sim-client-secret-0123456789", false, now).expect("saved");
        self.store.save_secret("refresh_token", refresh, false, now).expect("saved");
        self.store.resume(Pause::Credentials).expect("resumed");
    }

    /// A submission with a CV and a job.
    pub fn submit(&mut self) -> String {
        let id = uuid::Uuid::now_v7().to_string();
        let folder = self.store.files_dir().expect("a folder");
        let mut writer = SealedWriter::create(self.store.ring(), &folder, &id).expect("begun");
        writer.write(CV).expect("written");
        let stored = writer.finish().expect("finished");
        let file = FilePart {
            ordinal: 1,
            field: "resume".into(),
            name: "ada.pdf".into(),
            mime: "application/pdf".into(),
            size: stored.size,
            stored: stored.name,
            refused: 0,
        };
        let fields = json!({ "name": "Ada Lovelace", "email": EMAIL, "message": "Hi", "job": "42" });
        let submission = Submission {
            id: id.clone(),
            source: Source::Webhook,
            received_at: self.clock.now().wall,
            timestamp: "2026-03-01T12:00:00+00:00".into(),
            form: Form { id: "careers".into(), key: "careers".into(), ..Form::default() },
            fields: fields.as_object().cloned().unwrap_or_default(),
            labels: Map::new(),
            meta: Map::new(),
        };
        let marker = format!("ht-{}", &id.replace('-', "")[12..]);
        let new = NewSubmission {
            submission: &submission,
            files: &[file],
            state: State::Queued,
            replay: None,
            duplicate: None,
            marker: &marker,
            now: submission.received_at,
        };
        self.store.accept(&new).expect("accepted").id
    }

    pub fn run(&mut self) -> Report {
        let settings = Settings::parse(&self.settings.to_string()).expect("settings");
        for _ in 0..3 {
            let around = Surroundings {
                settings: &settings,
                site: &self.site,
                clock: self.clock.as_ref(),
                random: &mut SystemRandom,
                transport: &mut self.aimed,
                policy: &self.policy,
                caller: Caller::Cron,
                budget_ms: 600_000,
            };
            let report = relay::run(&mut self.store, around).expect("the store works");
            if report.outcome != Ended::Raise {
                return report;
            }
            self.site.counter = report.counter;
        }
        panic!("the counter is never enough");
    }

    /// Runs until a submission is at an end, leaping over every wait; a new refresh token is pasted where Tracker
    /// killed the old one and its answer was lost.
    pub fn deliver(&mut self, id: &str) -> State {
        for _ in 0..60 {
            let report = self.run();
            let state = self.state(id);
            match state {
                State::Done | State::Failed => return state,
                State::Attention => self.decide(id),
                _ => {}
            }
            let alive = self.ledger()["tokens"]["refresh"].as_u64().unwrap_or(0) > 0 && self.pasted < 3;
            if report.reasons.contains(&"credentials") && alive {
                self.pasted += 1;
                let fresh = format!("sim-refresh-token-pasted-{}", self.pasted);
                self.seed(&json!({ "credentials": { "refresh_token": fresh } }));
                self.enter_credentials(&fresh);
            }
            let now = self.clock.now().wall;
            let wait = report.next_due_at.unwrap_or(now).max(report.not_before.unwrap_or(0)) - now;
            // Cron comes every five minutes; an hour without a run would count as a store that slept.
            self.clock.leap(wait.clamp(300_000, 3_000_000));
        }
        self.state(id)
    }

    /// What a person does who is asked: looks into Tracker and says what is there.
    fn decide(&mut self, id: &str) {
        self.asked += 1;
        let (ledger, now) = (self.ledger(), self.clock.now());
        let list = ["resources", "contacts", "leads"][self.list()].to_owned();
        let found = ledger[&list].as_array().into_iter().flatten().find(|one| is_adas(one));
        let says = found.and_then(|one| one["id"].as_i64()).map_or(Action::Absent, Action::Exists);
        // Where no record is in question, there is only the button that tries again.
        if self.store.act(id, says, &now).is_err() {
            self.store.act(id, Action::Retry, &now).expect("one of both fits");
        }
    }

    fn list(&self) -> usize {
        ["Resource", "Contact", "Lead"].iter().position(|name| *name == self.aimed.record_type).expect("a type")
    }

    pub fn state(&self, id: &str) -> State {
        self.store.detail(id).expect("there").1.state
    }

    pub fn ledger(&self) -> Value {
        let ledger = self.front.tracker.lock().expect("the model").ledger();
        assert_eq!(ledger["breaches"], json!([]), "something was sent that is not documented");
        ledger
    }

    /// The journal of a submission, for a cell that failed.
    pub fn explain(&self, id: &str) -> String {
        let seq = self.store.seq_of(id).expect("there");
        let lines = self.store.journal(seq, id).expect("a journal");
        let lines: Vec<String> = lines
            .iter()
            .map(|line| format!("  {} {} {} {}", line["step"], line["event"], line["code"], line["message"]))
            .collect();
        format!("{:?} {:?}\n{}\n{:?}", self.state(id), self.store.pauses(), lines.join("\n"), self.aimed.met)
    }
}
