//! The Tracker simulator as a test sees it: a process on a loopback port that is told how to behave and asked what it
//! holds. It is ended with the test, also when the test was killed.

use super::http::{self, Reply};
use super::services::send_signal;
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

pub struct Sim {
    pub url: String,
    child: Child,
    leash: Child,
}

impl Sim {
    /// Starts the simulator's program and waits for the line that names its port.
    pub fn start(program: &Path) -> Result<Sim, String> {
        let mut child = Command::new(program)
            .args(["--port", "0"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .process_group(0)
            .spawn()
            .map_err(|error| format!("{}: {error}", program.display()))?;
        let leash = Command::new("sh")
            .args(["-c", "trap '' HUP INT TERM; cat >/dev/null; kill -9 \"-$1\"", "leash", &child.id().to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .map_err(|error| format!("sh: {error}"))?;
        let mut lines = BufReader::new(child.stdout.take().ok_or("no output of the simulator")?);
        let mut line = String::new();
        let read = lines.read_line(&mut line).map_err(|error| error.to_string());
        let url = line.trim().strip_prefix("listening on ").map(|url| url.trim_end_matches('/').to_string());
        let sim = Sim { url: url.unwrap_or_default(), child, leash };
        read?;
        if sim.url.is_empty() {
            return Err(format!("the simulator did not say where it listens: {line:?}"));
        }
        // Keep reading, so that a talkative simulator never blocks on a full pipe.
        std::thread::spawn(move || std::io::copy(&mut lines, &mut std::io::sink()));
        Ok(sim)
    }

    /// Merges into the switches; the answer is what the simulator says of them.
    pub fn switches(&self, switches: &Value) -> Value {
        self.post("/_sim/switches", switches)
    }

    pub fn seed(&self, seed: &Value) -> Value {
        self.post("/_sim/seed", seed)
    }

    pub fn reset(&self) {
        self.post("/_sim/reset", &Value::Object(Default::default()));
    }

    /// Everything Tracker holds, and every request it saw; each of them was as it is documented.
    pub fn ledger(&self) -> Value {
        let ledger = self.send("GET", "/_sim/ledger", &[], b"").json();
        assert_eq!(ledger["breaches"], serde_json::json!([]), "something was sent that is not documented");
        ledger
    }

    pub fn send(&self, method: &str, path: &str, headers: &[(String, String)], body: &[u8]) -> Reply {
        http::request(&self.url, method, path, headers, body)
    }

    fn post(&self, path: &str, value: &Value) -> Value {
        let json = [("Content-Type".to_string(), "application/json".to_string())];
        self.send("POST", path, &json, value.to_string().as_bytes()).json()
    }

    /// Stops answering, as in an outage with connections that hang; `thaw` goes on.
    pub fn freeze(&self) {
        self.signal("STOP");
    }

    pub fn thaw(&self) {
        self.signal("CONT");
    }

    fn signal(&self, name: &str) {
        send_signal(name, &self.child.id().to_string());
        std::thread::sleep(Duration::from_millis(20));
    }
}

impl Drop for Sim {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        drop(self.leash.stdin.take());
        let _ = self.leash.wait();
    }
}
