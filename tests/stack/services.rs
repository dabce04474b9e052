//! Starts and ends the private servers, here so that nothing outlives a test: each server leads a process group of its
//! own, and a small shell (the leash) ends them all, unmounts and removes the folder as soon as its pipe closes, also when
//! the test itself was killed. It refuses to touch any process it did not start.

use std::fs;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

// The parent-death signal of the kernel is no replacement: it fires when the *thread* that started the child ends, and a
// test runs in a thread.
const LEASH: &str = r#"trap '' HUP INT TERM
root="$1"
cat >/dev/null
for file in "$root"/groups/*; do
    [ -f "$file" ] && kill -9 "-$(cat "$file")" 2>/dev/null
done
n=0
while [ $n -lt 50 ]; do
    alive=no
    for file in "$root"/groups/*; do
        [ -f "$file" ] && kill -0 "-$(cat "$file")" 2>/dev/null && alive=yes
    done
    [ $alive = no ] && break
    n=$((n + 1)); sleep 0.05
done
awk -v root="$root/" 'index($2, root) == 1 { print $2 }' /proc/mounts | sort -r | while read -r point; do
    umount -l "$point"
done
rm -rf "$root"
"#;

/// The shell that cleans up when the writing end of its pipe is gone.
pub struct Leash {
    child: Child,
    root: PathBuf,
}

impl Leash {
    pub fn new(root: &Path) -> Result<Leash, String> {
        fs::create_dir_all(root.join("groups")).map_err(|error| error.to_string())?;
        let child = Command::new("sh")
            .args(["-c", LEASH, "leash"])
            .arg(root)
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .map_err(|error| format!("sh: {error}"))?;
        Ok(Leash { child, root: root.to_path_buf() })
    }

    fn file(&self, name: &str) -> PathBuf {
        self.root.join("groups").join(name)
    }

    /// Starts a server in a process group of its own, known to the leash; its words go to `logs/<name>.out.log`.
    pub fn start(&self, name: &str, command: &mut Command) -> Result<Service, String> {
        let log = self.root.join("logs").join(format!("{name}.out.log"));
        let open = || fs::OpenOptions::new().create(true).append(true).open(&log).map_err(|error| error.to_string());
        let child = command
            .stdin(Stdio::null())
            .stdout(open()?)
            .stderr(open()?)
            .process_group(0)
            .spawn()
            .map_err(|error| format!("{name}: {error}"))?;
        fs::write(self.file(name), child.id().to_string()).map_err(|error| error.to_string())?;
        Ok(Service { child, mark: self.file(name) })
    }
}

impl Drop for Leash {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

/// One running server.
pub struct Service {
    child: Child,
    mark: PathBuf,
}

impl Service {
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    pub fn running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Asks the server to end and waits; what does not listen within the time is killed with its whole group.
    pub fn stop(&mut self, signal: &str, patience: Duration) {
        if self.running() {
            send_signal(signal, &self.pid().to_string());
        }
        let deadline = Instant::now() + patience;
        while self.running() && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(20));
        }
        self.kill();
    }

    pub fn kill(&mut self) {
        send_signal("KILL", &format!("-{}", self.pid()));
        let _ = self.child.wait();
        let _ = fs::remove_file(&self.mark);
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Sends a signal to a process, or with a minus sign to its whole group. The shell's own `kill`: a small machine has no
/// program of that name, and the shell of Debian takes no `--` here.
pub fn send_signal(name: &str, target: &str) {
    let mut shell = Command::new("sh");
    let _ = shell.args(["-c", "kill -\"$1\" \"$2\"", "kill", name, target]).stderr(Stdio::null()).status();
}

/// Waits until `ready` says so, and gives up early when the server has ended.
pub fn wait_for(name: &str, service: &mut Service, ready: impl Fn() -> bool) -> Result<(), String> {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        if ready() {
            return Ok(());
        }
        if !service.running() {
            return Err(format!("{name} ended at once"));
        }
        if Instant::now() > deadline {
            return Err(format!("{name} did not get ready in 30 s"));
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

pub fn socket_answers(path: &Path) -> bool {
    UnixStream::connect(path).is_ok()
}

/// A command that runs as another user. Servers run as www-data and mysql from their first instruction on.
pub fn as_user(user: &str, program: &str) -> Command {
    let mut command = Command::new("setpriv");
    command.args([&format!("--reuid={user}"), &format!("--regid={user}"), "--clear-groups", "--", program]);
    command.env_clear().env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
    command.env("LC_ALL", "C.UTF-8");
    command
}

/// Runs a command to its end; its output, or everything it said.
pub fn run(command: &mut Command) -> Result<String, String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.stdin(Stdio::null()).output().map_err(|error| format!("{program}: {error}"))?;
    let out = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() {
        return Ok(out);
    }
    Err(format!("{program} {}: {}{out}", output.status, String::from_utf8_lossy(&output.stderr)))
}

/// The first of these programs that the machine has.
pub fn find_program(names: &[&str]) -> Result<String, String> {
    for folder in ["/usr/sbin", "/usr/bin", "/usr/local/bin", "/sbin", "/bin"] {
        for name in names {
            let path = Path::new(folder).join(name);
            if path.is_file() {
                return Ok(path.to_string_lossy().into_owned());
            }
        }
    }
    Err(format!("none of {names:?} is installed; run tests/install-packages.sh"))
}
