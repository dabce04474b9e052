//! The one site that all tests share, made new for each of them: an empty store, default settings, a Tracker that holds
//! nothing. Starting the servers takes longer than most tests do.

use crate::forms::{Form, forms};
use crate::stack::sim::Sim;
use crate::stack::{Options, Reply, Session, Stack};
use serde_json::{Value, json};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

pub const CLIENT_SECRET: &str = "sim-client-secret-0123456789";
pub const REFRESH_TOKEN: &str = "sim-refresh-token-0123456789";
pub const API_TOKEN: &str = "sim-api-token-0123456789";
pub const SHARED_SECRET: &str = "b0wC3QfJmT9xLr7KpZ2dHs6VnYg4EuA8-shared";
/// What must never be seen outside the vault.
pub const SECRETS: [&str; 4] = [CLIENT_SECRET, REFRESH_TOKEN, API_TOKEN, SHARED_SECRET];

/// For what other processes do. Only a test that fails waits for so long; a busy machine takes its time, and what has to be
/// tried again is so after ten seconds at the earliest.
const PATIENCE: Duration = Duration::from_secs(90);

/// PHP that every script of a test may build on.
const USE: &str = "use Halt\\Tracker\\WordPress\\{Capture, Cleaner, Engine, Lifecycle, Options, Places, Relay};\n";
const NEW_SITE: &str = "
    update_option('halt_tracker_delete_on_uninstall', '1'); Cleaner::site();
    delete_option('divi_fixture_quirks'); Lifecycle::activate();";
const ALL: &str = "
    $all = [];
    if (Engine::has_store()) {
        foreach (Engine::call('list', ['{\"sort\":\"received_at\",\"direction\":\"asc\",\"per_page\":100}'])['items'] as $one) {
            $all[] = json_decode(Engine::raw('get', [$one['id']]));
        }
    }
    echo json_encode($all);";

pub struct Site {
    pub stack: Stack,
    pub sim: Sim,
    pub admin: Session,
}

fn built(variable: &str, usual: &str) -> PathBuf {
    let given = std::env::var_os(variable).map(PathBuf::from);
    let path = given.unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(usual));
    assert!(path.is_file(), "{} is not built ({variable} names another place)", path.display());
    path
}

/// A folder for compiled PHP: each script and each restart of php-fpm would compile WordPress anew, which is half of the
/// suite's time. A shell removes it when this process has ended, however it ended.
fn compiled() -> PathBuf {
    static LEASH: OnceLock<Child> = OnceLock::new();
    let folder = std::env::temp_dir().join(format!("halt-tracker-compiled-{}", std::process::id()));
    std::fs::create_dir(&folder).expect("a folder for compiled PHP");
    let done = Command::new("chown").arg("www-data:").arg(&folder).status().expect("chown");
    assert!(done.success(), "root is needed to become www-data");
    let mut leash = Command::new("sh");
    leash.args(["-c", "trap '' HUP INT TERM; cat >/dev/null; sleep 2; rm -rf \"$1\"", "leash"]).arg(&folder);
    let leash = leash.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0).spawn();
    let _ = LEASH.set(leash.expect("sh"));
    folder
}

fn start() -> Site {
    let extension = built("HALT_TRACKER_EXTENSION", "target/fast/libhalt_tracker.so");
    let sim = Sim::start(&built("HALT_TRACKER_SIM", "target/debug/examples/tracker-sim")).expect("the simulator");
    let compiled = compiled();
    let ini = [("opcache.enable_cli", "1".to_owned()), ("opcache.file_cache", compiled.display().to_string())];
    let options = Options {
        extension: Some(extension),
        sim_url: Some(sim.url.clone()),
        ini: ini.map(|(name, value)| (name.to_owned(), value)).to_vec(),
        ..Options::default()
    };
    let stack = Stack::start(&options).expect("the stack");
    let admin = stack.login().expect("the administrator");
    Site { stack, sim, admin }
}

/// Runs a test on a new site, and holds its logs against what no test may leave there.
pub fn on_a_site(test: impl FnOnce(&Site)) {
    static SITE: OnceLock<Mutex<Site>> = OnceLock::new();
    let site = SITE.get_or_init(|| Mutex::new(start())).lock();
    let failed_before = site.is_err();
    let site = site.unwrap_or_else(PoisonError::into_inner);
    if failed_before {
        site.settle();
    }
    site.renew();
    test(&site);
    site.settle();
    site.assert_quiet();
}

impl Site {
    /// What still runs after an answer comes to its end.
    fn settle(&self) {
        self.stack.set_constants(&[]).expect("constants");
        self.stack.set_extension(true).expect("the module");
    }

    fn renew(&self) {
        self.sim.reset();
        self.php(NEW_SITE);
        self.stack.divi_forget();
        self.stack.clear_logs();
    }

    /// Nothing was complained about, and nothing secret was written down.
    pub fn assert_quiet(&self) {
        let logs = self.stack.logs();
        for word in ["PHP Warning", "PHP Notice", "PHP Deprecated", "PHP Fatal", "PHP Parse", "Stack trace", "panicked"]
        {
            assert!(!logs.contains(word), "the logs say {word}:\n{logs}");
        }
        for secret in SECRETS {
            assert!(!logs.contains(secret), "a secret is in the logs:\n{logs}");
        }
    }

    /// Runs PHP inside WordPress; the plugin's classes are known by their short names.
    pub fn php(&self, code: &str) -> String {
        self.stack.php(&format!("{USE}{code}")).unwrap_or_else(|error| panic!("{error}"))
    }

    /// Every submission as the engine gives it out, the oldest first.
    pub fn submissions(&self) -> Vec<Value> {
        let said = self.php(ALL);
        serde_json::from_str(&said).unwrap_or_else(|error| panic!("{error}: {said}"))
    }

    /// The same, and a new site afterwards: in one script, because starting PHP takes most of the time.
    pub fn submissions_of_a_new_site(&self) -> Vec<Value> {
        let said = self.php(&format!("{ALL}{NEW_SITE}"));
        serde_json::from_str(&said).unwrap_or_else(|error| panic!("{error}: {said}"))
    }

    pub fn status(&self) -> Value {
        serde_json::from_str(&self.php("echo Engine::raw('status');")).expect("a status")
    }

    /// One tick of WordPress' cron.
    pub fn cron(&self) {
        self.stack.tick("").unwrap_or_else(|error| panic!("{error}"));
    }

    pub fn options(&self, changes: &[(&str, &str)]) {
        let lines = changes.iter().map(|(name, value)| format!("Options::save({}, {});", quoted(name), quoted(value)));
        self.php(&lines.collect::<String>());
    }

    /// The credentials that the simulator knows, and the webhook's secret, without the detour over the pages.
    pub fn credentials(&self) {
        self.secrets(&[
            ("client_secret", CLIENT_SECRET),
            ("refresh_token", REFRESH_TOKEN),
            ("shared_secret", SHARED_SECRET),
        ]);
    }

    pub fn secrets(&self, secrets: &[(&str, &str)]) {
        let lines = secrets
            .iter()
            .map(|(name, value)| format!("Engine::call('saveSecret', [{}, {}]);", quoted(name), quoted(value)));
        self.php(&lines.collect::<String>());
    }

    pub fn page(&self, path: &str) -> Reply {
        self.stack.get_as(&self.admin, &format!("/wp-admin/admin.php?page={path}"))
    }

    /// Presses the button of the form whose handler has this name, with these changes of its fields; the page after it.
    pub fn press(&self, page: &str, handler: &str, changes: &[(&str, &str)]) -> Reply {
        let action = format!("halt_tracker_{handler}");
        self.submit(page, changes, |form| form.value("action") == Some(action.as_str()))
    }

    /// Submits the first form of a page that is meant.
    pub fn submit(&self, page: &str, changes: &[(&str, &str)], meant: impl Fn(&Form) -> bool) -> Reply {
        let shown = self.page(page);
        let mut form = forms(&shown.text()).into_iter().find(|form| meant(form)).unwrap_or_else(|| {
            panic!("{page} ({}) has no such form:\n{}", shown.status, body(&shown));
        });
        changes.iter().for_each(|(name, value)| form.set(name, value));
        let to = if form.action.is_empty() { format!("/wp-admin/admin.php?page={page}") } else { form.action.clone() };
        let reply = self.stack.post_as(&self.admin, &to, &form.fields);
        match reply.header("location") {
            Some(location) => self.stack.get_as(&self.admin, location),
            None => reply,
        }
    }

    /// Saves a tab of the settings as an administrator does.
    pub fn save_tab(&self, tab: &str, changes: &[(&str, &str)]) -> Reply {
        self.press(&format!("halt-tracker-settings&tab={tab}"), &format!("save_{tab}"), changes)
    }

    /// A plain application through path 4 or 5 that the visitor is thanked for.
    pub fn apply(&self, path: u8, changes: &[(&str, &str)]) {
        let reply = self.stack.divi_apply(path, changes);
        assert!(crate::stack::divi::accepted(&reply), "{} {}\n{}", reply.status, reply.text(), self.stack.logs());
    }

    /// Waits until no run is under way: one that finds another at work does nothing, and only cron would make up for it.
    pub fn until_no_run(&self) {
        self.until("no run is under way", || self.status()["run"]["held"] == false);
    }

    /// Waits for something that happens after an answer.
    pub fn until(&self, what: &str, mut holds: impl FnMut() -> bool) {
        let end = Instant::now() + PATIENCE;
        while !holds() {
            if Instant::now() > end {
                let seen: Vec<Value> = self.submissions().iter().map(brief).collect();
                panic!("not within {PATIENCE:?}: {what}\nsubmissions: {}\n{}", json!(seen), self.stack.logs());
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// Tracker's records of one kind with this e-mail address.
    pub fn records(&self, kind: &str, email: &str) -> Vec<Value> {
        rows(&self.sim.ledger(), kind).into_iter().filter(|record| record["email"] == email).collect()
    }

    /// How often Tracker was asked to do this.
    pub fn asked(&self, operation: &str) -> usize {
        let ledger = self.sim.ledger();
        rows(&ledger, "requests").iter().filter(|request| request["operation"] == operation).count()
    }
}

/// What a person would want to know of a submission when a test fails.
pub fn brief(one: &Value) -> Value {
    json!({ "state": one["state"], "code": one["code"], "reason": one["reason"], "message": one["message"],
        "steps": one["steps"].as_array().map(|steps| steps.iter().map(|step| json!([step["kind"], step["state"], step["code"], step["message"]])).collect::<Vec<_>>()) })
}

pub fn rows(ledger: &Value, name: &str) -> Vec<Value> {
    ledger[name].as_array().cloned().unwrap_or_default()
}

/// The part of an admin page that is ours.
pub fn body(reply: &Reply) -> String {
    let text = reply.text();
    let from = text.find("class=\"wrap").unwrap_or(0);
    let to = text[from..].find("id=\"wpfooter\"").map_or(text.len(), |end| from + end);
    text[from..to].to_owned()
}

/// Text as a PHP string.
pub fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}
