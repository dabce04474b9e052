//! Shows the whole way on one machine: a private WordPress, a simulated Tracker beside it, two Divi forms and a signed
//! webhook with a CV, and what Tracker holds in the end. Everything is checked, nothing is mocked but Tracker, and nothing
//! stays behind. It runs until Ctrl-C; with `ONCE=1` it ends by itself, with 0 only when all was seen.
//!
//! `demo --extension target/fast/libhalt_tracker.so --sim target/debug/examples/tracker-sim`

#[path = "../stack/mod.rs"]
mod stack;

mod send;
mod show;

use stack::sim::Sim;
use stack::{Options, Stack};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// How long Tracker may take to hold everything.
const PATIENCE: Duration = Duration::from_secs(90);

fn main() -> ExitCode {
    match demo() {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("demo: {problem}");
            ExitCode::FAILURE
        }
    }
}

fn demo() -> Result<(), String> {
    let (extension, program) = (argument("--extension")?, argument("--sim")?);
    let once = std::env::var("ONCE").is_ok_and(|value| !matches!(value.trim(), "" | "0"));
    say("starting the Tracker simulator, MariaDB, php-fpm and nginx on loopback");
    let sim = Sim::start(&program)?;
    let options = Options { extension: Some(extension), sim_url: Some(sim.url.clone()), ..Options::default() };
    let site = Stack::start(&options)?;

    say("saving the credentials and switching activities on, as the Settings page does");
    let secret = send::settings(&site)?;
    say("sending two Divi forms and a signed webhook with a CV");
    let sent = send::all(&site, &secret)?;

    say("running the queue: php -r \"do_action('halt_tracker_process_queue');\"");
    let waited = Instant::now();
    let ledger = loop {
        site.php("do_action('halt_tracker_process_queue');")?;
        let ledger = sim.ledger();
        if show::problems(&ledger, &sent).is_empty() || waited.elapsed() > PATIENCE {
            break ledger;
        }
        std::thread::sleep(Duration::from_secs(1));
    };
    show::print(&ledger);
    let mut problems = show::problems(&ledger, &sent);
    problems.extend(show::pages(&site));

    println!();
    if problems.is_empty() {
        say("all of it arrived once, with its activities and with every byte of the CV");
    } else {
        problems.iter().for_each(|problem| say(&format!("MISSING: {problem}")));
        println!("{}", site.php(show::QUEUE).unwrap_or_else(|error| error));
        println!("{}", site.logs());
    }
    println!("\n  Halt Tracker   {}/wp-admin/admin.php?page=halt-tracker", site.url);
    println!("  log in with    {} / {}", site.admin_user, site.admin_password);
    println!("  Divi forms     {0}/?pagename=d4  {0}/?pagename=d5", site.url);
    println!("  Tracker        {}/\n", sim.url);
    if !once {
        say("everything stays up until Ctrl-C; then the servers end and their folder is removed");
        wait_for_interrupt()?;
    }
    if problems.is_empty() { Ok(()) } else { Err(format!("{} things were not seen", problems.len())) }
}

fn say(words: &str) {
    println!("demo: {words}");
}

fn argument(name: &str) -> Result<PathBuf, String> {
    let mut given = std::env::args().skip_while(|argument| argument != name);
    let path = given.nth(1).ok_or_else(|| format!("{name} PATH is missing"))?;
    PathBuf::from(&path).canonicalize().map_err(|error| format!("{path}: {error}"))
}

fn wait_for_interrupt() -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| error.to_string())?;
    runtime
        .block_on(async {
            use tokio::signal::unix::{SignalKind, signal};
            let mut ended = signal(SignalKind::terminate())?;
            tokio::select! {
                outcome = tokio::signal::ctrl_c() => outcome,
                _ = ended.recv() => Ok(()),
            }
        })
        .map_err(|error: std::io::Error| error.to_string())
}
