//! Shows the whole way on one machine: a private WordPress, a simulated Tracker beside it, two Divi forms and signed webhooks
//! for every type of record through both APIs, an application with a CV, and what Tracker holds in the end. Everything is checked, nothing is mocked but Tracker, and nothing
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
    let mut sent = Vec::new();
    for api in ["widget", "rest"] {
        say(&format!("through the {api} API: two Divi forms and three signed webhooks, one of them with a CV"));
        site.php(&format!("Halt\\Tracker\\WordPress\\Options::save('api', '{api}');"))?;
        sent.extend(send::all(&site, &secret, api)?);
        say("running the queue: php -r \"do_action('halt_tracker_process_queue');\"");
        let waited = Instant::now();
        while !show::problems(&sim.ledger(), &sent).is_empty() && waited.elapsed() < PATIENCE {
            site.php("do_action('halt_tracker_process_queue');")?;
            std::thread::sleep(Duration::from_secs(1));
        }
    }
    time_one(&site, &sim, &mut sent)?;
    let ledger = sim.ledger();
    show::print(&ledger);
    let mut problems = show::problems(&ledger, &sent);
    problems.extend(show::pages(&site));

    println!();
    if problems.is_empty() {
        say(
            "all of it arrived once through both APIs: three types of record, activities, a long list, every byte of the CV",
        );
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

/// How long a form takes from the visitor's click to the record, when nobody runs the queue but the form itself and Tracker
/// is a tenth of a second away. Printed, not judged: a busy machine is no mistake.
fn time_one(site: &Stack, sim: &Sim, sent: &mut Vec<send::Sent>) -> Result<(), String> {
    sim.switches(&serde_json::json!({ "latency_ms": 100 }));
    let one = send::person("Emmy", "Noether", "rest", "resources");
    let began = Instant::now();
    send::divi(site, 5, &one)?;
    let thanked = began.elapsed();
    while show::ids(&sim.ledger(), &one).is_empty() && began.elapsed() < PATIENCE {
        std::thread::sleep(Duration::from_millis(20));
    }
    let (thanked, held) = (thanked.as_secs_f64(), began.elapsed().as_secs_f64());
    say(&format!("from submit to thanks {thanked:.2} s, to the record in Tracker {held:.2} s, at 100 ms a request"));
    sent.push(one);
    // The activity follows the record.
    let followed = |ledger: &serde_json::Value| show::problems(ledger, sent).is_empty();
    while !followed(&sim.ledger()) && began.elapsed() < PATIENCE {
        std::thread::sleep(Duration::from_millis(100));
    }
    sim.switches(&serde_json::json!({ "latency_ms": 0 }));
    Ok(())
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
