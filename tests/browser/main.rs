//! Brings a private WordPress through every state that an administrator can meet and looks at all admin pages in each:
//! pictures at two widths, axe, PHP warnings, pages that are too wide. It is started by tests/browser/run.sh, which puts the scripts
//! beside their packages.
//!
//! `browser --extension target/fast/libhalt_tracker.so --sim target/debug/examples/tracker-sim --out DIR [--docs DIR]`; with
//! `--docs` it only takes the pictures of the documentation.

#[path = "../stack/mod.rs"]
mod stack;

use stack::sim::Sim;
use stack::{Options, Stack};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

fn main() -> ExitCode {
    match looks() {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("browser: {problem}");
            ExitCode::FAILURE
        }
    }
}

fn looks() -> Result<(), String> {
    let extension = argument("--extension").ok_or("--extension PATH is missing")?;
    let program = argument("--sim").ok_or("--sim PATH is missing")?;
    let out = argument("--out").ok_or("--out DIR is missing")?;
    let sim = Sim::start(&program)?;
    let options = Options { extension: Some(extension), sim_url: Some(sim.url.clone()), ..Options::default() };
    let site = Stack::start(&options)?;
    let (user, password) = (site.admin_user.as_str(), site.admin_password.as_str());
    let bring = |state: &str| node("states.mjs", &[state, &site.url, &sim.url, user, password]);
    let problems = std::cell::RefCell::new(Vec::new());
    if let Some(to) = argument("--docs") {
        for state in ["empty", "data", "trouble"] {
            if state != "empty" {
                bring(state)?;
            }
            node("docs.mjs", &[&site.url, user, password, &to.display().to_string(), state])?;
        }
        return Ok(());
    }
    let look = |state: &str| {
        if let Err(problem) = node("shots.mjs", &[&site.url, user, password, &out.display().to_string(), state]) {
            problems.borrow_mut().push(problem);
        }
    };
    look("empty");
    bring("data")?;
    look("data");
    look("refused");
    look("refused-table");
    if let Err(problem) = node("keyboard.mjs", &[&site.url, user, password]) {
        problems.borrow_mut().push(problem);
    }
    bring("trouble")?;
    look("trouble");
    // The key is gone, a form could not be kept, and another cannot be taken over.
    let key = site.php("echo get_option('halt_tracker_key_file');")?;
    std::fs::rename(&key, format!("{key}-away")).map_err(|error| error.to_string())?;
    site.php("update_option('halt_tracker_lost', ['count' => 2, 'last_at' => time(), 'code' => 'HT-1104'], false);")?;
    site.php("update_option('halt_tracker_adoption', ['left' => 1, 'codes' => ['HT-1801']], false); global $wpdb; $wpdb->insert($wpdb->prefix . 'halt_tracker_capture', ['id' => '00000000-0000-7000-8000-000000000000', 'part' => 0, 'parts' => 1, 'hash' => '', 'key_id' => '', 'format' => 1, 'created_at' => 1, 'code' => 1001, 'sealed' => 'x']);")?;
    site.restart_fpm("QUIT")?;
    look("lost");
    std::fs::rename(format!("{key}-away"), &key).map_err(|error| error.to_string())?;
    site.restart_fpm("QUIT")?;
    // The store is gone, as after a disk was not mounted.
    let dir = site.php("echo get_option('halt_tracker_data_dir');")?;
    std::fs::rename(&dir, format!("{dir}-away")).map_err(|error| error.to_string())?;
    site.restart_fpm("QUIT")?;
    look("missing");
    std::fs::rename(format!("{dir}-away"), &dir).map_err(|error| error.to_string())?;
    // A copy of another site.
    site.php("update_option('halt_tracker_install_id', str_repeat('0', 32), false);")?;
    look("copy");
    site.set_extension(false)?;
    look("absent");
    let logs = site.logs();
    if let Some(line) = logs.lines().find(|line| line.contains("PHP ") && line.contains("plugins/halt-tracker")) {
        problems.borrow_mut().push(format!("the log says: {line}"));
    }
    let problems = problems.into_inner();
    if problems.is_empty() { Ok(()) } else { Err(problems.join("\n")) }
}

fn argument(name: &str) -> Option<PathBuf> {
    let mut given = std::env::args().skip_while(|argument| argument != name);
    let path = PathBuf::from(given.nth(1)?);
    Some(std::path::absolute(&path).unwrap_or(path))
}

fn node(script: &str, arguments: &[&str]) -> Result<(), String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/browser");
    let status = Command::new("node").arg(folder.join(script)).args(arguments).current_dir(&folder).status();
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{script} {}: {status}", arguments.first().unwrap_or(&""))),
        Err(error) => Err(format!("node: {error}")),
    }
}
