//! One site with its Tracker, and the few questions that every hazard test asks of both, so that the tests read as
//! stories. It starts nothing by itself and repairs nothing.

use crate::judge::{People, Told, judge};
use crate::place::Place;
use crate::stack::sim::Sim;
use crate::stack::{Options, Reply, Stack, divi};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// For what waits for other processes. Only a test that fails waits for so long; what has to be tried again is so after ten
/// seconds at the earliest, and a lost answer is looked for as late.
pub const PATIENCE: Duration = Duration::from_secs(90);

pub struct World {
    pub stack: Stack,
    pub sim: Sim,
    pub data: PathBuf,
    /// The webhook's secret.
    pub secret: String,
}

fn built(variable: &str, usual: &str) -> PathBuf {
    let usual = Path::new(env!("CARGO_MANIFEST_DIR")).join(usual);
    std::env::var_os(variable).map_or(usual, PathBuf::from)
}

/// Runs a program of the machine to its end.
pub fn sh(words: &[&str]) -> Result<String, String> {
    let output = Command::new(words[0]).args(&words[1..]).output().map_err(|error| error.to_string())?;
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    if output.status.success() { Ok(said) } else { Err(format!("{words:?}: {said}")) }
}

pub fn text(path: &Path) -> &str {
    path.to_str().expect("paths of the stack are text")
}

/// The sites of these tests; `change` may ask for other workers or a network.
pub fn world(change: impl FnOnce(&mut Options)) -> World {
    let sim = Sim::start(&built("HALT_TRACKER_SIM", "target/debug/examples/tracker-sim")).expect("the simulator");
    let mut options = Options {
        extension: Some(built("HALT_TRACKER_EXTENSION", "target/fast/libhalt_tracker.so")),
        sim_url: Some(sim.url.clone()),
        ..Options::default()
    };
    change(&mut options);
    let stack = Stack::start(&options).expect("a WordPress");
    let mut bytes = [0_u8; 32];
    getrandom::fill(&mut bytes).expect("randomness");
    let data = stack.root.join("run/data");
    World { stack, sim, data, secret: BASE64.encode(bytes) }
}

impl World {
    /// Chooses the folder of the data and saves credentials as the Settings page does. `before` is PHP that runs first.
    pub fn set_up(&self, before: &str, data: &Path) {
        let code = format!(
            "{before} use Halt\\Tracker\\WordPress\\{{Engine, Options}};
            update_option('halt_tracker_data_dir', '{data}', false);
            foreach (['client_secret' => 'sim-client-secret-0123456789', 'refresh_token' => 'sim-refresh-token-0123456789', 'shared_secret' => '{secret}'] as $name => $value) {{
                if (Engine::call('saveSecret', [$name, $value])['set'] !== true) {{ throw new RuntimeException($name); }}
            }}
            Options::save('pace', '60000');
            Options::save('activity_enabled', '1');",
            data = data.display(),
            secret = self.secret
        );
        self.stack.php(&code).expect("settings are saved");
    }

    /// What an expression of PHP gives, as JSON. A thrown code comes back as `{"thrown":"HT-1105"}`.
    pub fn ask(&self, expression: &str) -> Value {
        let code = format!(
            "use Halt\\Tracker\\WordPress\\{{Engine, EngineException, Relay, Capture}};
            try {{ $answer = {expression}; }} catch (EngineException $fault) {{ $answer = ['thrown' => $fault->ht_code]; }}
            echo '<<<', json_encode($answer);"
        );
        let said = self.stack.php(&code).expect("PHP runs");
        let (printed, json) = said.split_once("<<<").expect("an answer");
        assert_eq!(printed, "", "nothing else is printed");
        serde_json::from_str(json).expect("JSON")
    }

    pub fn act(&self, action: &Value) -> Value {
        self.ask(&format!("Engine::act(json_decode('{action}', true))"))
    }

    /// A run that had its turn: others may be under way, such as the one after a visitor's answer.
    pub fn run(&self) -> Value {
        let turn = "(static function () {
            $until = time() + 60;
            while (($report = Relay::run('cli', 20000))['outcome'] === 'busy' && time() < $until) { usleep(20000); }
            return $report;
        })()";
        self.ask(turn)
    }

    pub fn status(&self) -> Value {
        self.ask("Engine::call('status')")
    }

    /// Posts an application and sees what the visitor sees. Gives the seconds that the answer took.
    pub fn apply(&self, page: &str, email: &str) -> f64 {
        let path = if page.contains("d5") { 5 } else { 4 };
        let pairs = divi::application(path, &[("name", &name_of(email)), ("email", email)]);
        let reply = self.stack.divi_post(page, &pairs);
        assert!(divi::accepted(&reply), "{email}: status {}\n{}", reply.status, self.stack.logs());
        for word in ["Warning:", "Notice:", "Fatal error", "Deprecated:", "halt-tracker HT-", "Stack trace"] {
            assert!(!reply.has(word), "{email}: the page says {word}");
        }
        reply.seconds
    }

    /// The webhook request of a person; the same bytes and headers each time, so that it can be repeated.
    pub fn signed(&self, email: &str) -> (Vec<(String, String)>, String) {
        let body = json!({"form_id": "careers", "fields": fields_of(email)});
        self.sign(&body.to_string())
    }

    /// A body with the headers that its sender gives it.
    pub fn sign(&self, body: &str) -> (Vec<(String, String)>, String) {
        let stamp = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock").as_secs().to_string();
        let mut mac = Hmac::<sha2::Sha256>::new_from_slice(self.secret.as_bytes()).expect("any length");
        mac.update(format!("{stamp}.{body}").as_bytes());
        let signature: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
        let headers = [
            ("Content-Type", "application/json".to_owned()),
            ("X-Halt-Timestamp", stamp),
            ("X-Halt-Webhook-Signature", signature),
        ];
        (headers.map(|(name, value)| (name.to_owned(), value)).to_vec(), body.to_owned())
    }

    pub fn webhook(&self, site: &str, email: &str) -> Reply {
        let (headers, body) = self.signed(email);
        self.stack.post_raw(&format!("{site}/index.php?rest_route=/halt-tracker/v1/ingest"), &headers, body.as_bytes())
    }

    /// The codes of the forms that wait in the site's own table, in the order of their arrival.
    pub fn captured(&self, prefix: &str) -> Vec<u16> {
        let rows = self.stack.sql(&format!("SELECT code FROM {prefix}halt_tracker_capture ORDER BY created_at, id"));
        rows.unwrap_or_default().lines().filter_map(|line| line.parse().ok()).collect()
    }

    /// How many records Tracker has for each of these people.
    pub fn records(&self, emails: &[String]) -> Vec<usize> {
        let ledger = self.sim.ledger();
        let of = |email: &String| {
            ["resources", "contacts", "leads"]
                .iter()
                .flat_map(|kind| ledger[*kind].as_array().into_iter().flatten())
                .filter(|record| record["email"].as_str().is_some_and(|one| one.eq_ignore_ascii_case(email)))
                .count()
        };
        emails.iter().map(of).collect()
    }

    /// Every invariant, with these people acknowledged; what was counted.
    pub fn tally(&self, story: &str, acknowledged: &[String]) -> String {
        self.tally_beside(story, acknowledged, &[])
    }

    /// The same when some are in Tracker and, after a restore, in no store any more.
    pub fn tally_beside(&self, story: &str, acknowledged: &[String], elsewhere: &[String]) -> String {
        let told: Vec<Told> =
            acknowledged.iter().map(|email| Told { email: email.clone(), ..Told::default() }).collect();
        let people = People { told: &told, elsewhere, ..People::default() };
        let counts = judge(self, &Place::of(self, ""), &people).unwrap_or_else(|why| panic!("{story}: {why}"));
        let words = counts.words();
        assert!(!told.is_empty() && counts.records > 0, "nothing was there to be lost or doubled: {words}");
        words
    }

    /// Lets cron run until everybody is in Tracker and no form waits outside the store; the number of ticks.
    pub fn tick_until_delivered(&self, story: &str, emails: &[String]) -> usize {
        let began = Instant::now();
        for ticks in 1.. {
            let printed = self.stack.tick("").expect("cron runs");
            assert_eq!(printed, "", "{story}: cron prints nothing");
            let records = self.records(emails);
            assert!(records.iter().all(|count| *count <= 1), "{story}: doubled {records:?}");
            if records.iter().all(|count| *count == 1) && self.captured("wp_").is_empty() {
                return ticks;
            }
            if began.elapsed() > PATIENCE {
                let (waits, status) = (self.captured("wp_"), self.status());
                panic!(
                    "{story}: not delivered {records:?} of {emails:?}, captured {waits:?}, {}\n{}",
                    brief(&status),
                    self.stack.logs()
                );
            }
            std::thread::sleep(Duration::from_millis(300));
        }
        0
    }

    /// Nothing of PHP's own complaints is in any log; our one-line codes may be, and what WordPress itself outlived.
    pub fn assert_quiet(&self, story: &str) {
        let logs = self.stack.logs();
        let of_wordpress = |line: &&str| line.contains("PHP Deprecated") && line.contains("/wp-includes/");
        let loud = logs.lines().filter(|line| !of_wordpress(line)).find(|line| {
            [
                "PHP Warning",
                "PHP Notice",
                "PHP Fatal",
                "PHP Deprecated",
                "PHP Parse",
                "panicked",
                "Stack trace",
                "WordPress database error",
            ]
            .iter()
            .any(|word| line.contains(word))
        });
        assert_eq!(loud, None, "{story}");
    }
}

/// The lines of a status that explain a failed test.
pub fn brief(status: &Value) -> String {
    format!(
        "counts {} lane {} last {} thrown {}",
        status["counts"], status["lane"], status["last_run"], status["thrown"]
    )
}

pub fn person(story: &str, number: usize) -> String {
    format!("{story}-{number}@example.org")
}

/// A name that tells people apart as their e-mail does: a Lead bears nothing else.
pub fn name_of(email: &str) -> String {
    format!("{} Byron", email.split('@').next().unwrap_or_default())
}

pub fn fields_of(email: &str) -> Value {
    json!({"first_name": email.split('@').next(), "last_name": "Byron", "email": email})
}

/// A CV that says whose it is.
pub fn cv_of(email: &str) -> Vec<u8> {
    format!("%PDF-1.7\n1 0 obj canary-of-the-cv of {email}\n").into_bytes()
}

/// The same as a webhook carries it.
pub fn file_of(bytes: &[u8]) -> Value {
    json!({"field": "resume", "name": "cv.pdf", "mime": "application/pdf", "content": BASE64.encode(bytes), "encoding": "base64"})
}
