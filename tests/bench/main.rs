//! How fast a form is accepted and delivered, each beside a peer in the same run: the same JSON as a row of a plain InnoDB
//! table that is synced at every commit, in turns; and the same create by `wp_remote_post`, which remembers nothing. A slow
//! disk or a busy machine slows both; the ratio is what counts. The engine does more for its time: it seals, hashes,
//! journals, and writes an intent to disk before each request.
//!
//! `bench --extension target/fast/libhalt_tracker.so --sim target/debug/examples/tracker-sim`

#[path = "../stack/mod.rs"]
mod stack;

use serde_json::Value;
use stack::sim::Sim;
use stack::{Options, Stack};
use std::path::PathBuf;
use std::process::ExitCode;

const SCRIPT: &str = include_str!("bench.php");

fn main() -> ExitCode {
    match bench() {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("bench: {problem}");
            ExitCode::FAILURE
        }
    }
}

fn bench() -> Result<(), String> {
    let path = |name: &str| {
        let given = std::env::args().skip_while(|argument| argument != name).nth(1);
        let given = given.ok_or_else(|| format!("{name} PATH is missing"))?;
        PathBuf::from(&given).canonicalize().map_err(|error| format!("{given}: {error}"))
    };
    let sim = Sim::start(&path("--sim")?)?;
    let options =
        Options { extension: Some(path("--extension")?), sim_url: Some(sim.url.clone()), ..Options::default() };
    let site = Stack::start(&options)?;
    // Tests run MariaDB carelessly; a peer that may lose commits would be no peer.
    site.sql("SET GLOBAL innodb_flush_log_at_trx_commit = 1")?;
    let sync = site.sql("SELECT @@innodb_flush_log_at_trx_commit")?;
    if sync.trim() != "1" {
        return Err(format!("innodb_flush_log_at_trx_commit is {sync}"));
    }
    let script = SCRIPT.split_once("declare(strict_types=1);").ok_or("bench.php has another beginning")?.1;
    let said = site.php(script)?;
    let numbers: Value = serde_json::from_str(said.trim()).map_err(|error| format!("{error}: {said}"))?;
    let rate = |name: &str| numbers[name]["per_second"].as_f64().unwrap_or_default();
    println!("forms of {} bytes, {} of each, in turns of {}", numbers["bytes"], numbers["count"], numbers["turn"]);
    for (name, words) in [("engine", "Engine::accept"), ("table", "INSERT into InnoDB")] {
        let one = &numbers[name];
        println!(
            "  {words:<20} {:>7.0} a second   median {:>6.2} ms   99th {:>6.2} ms",
            rate(name),
            one["median_ms"].as_f64().unwrap_or_default(),
            one["p99_ms"].as_f64().unwrap_or_default()
        );
    }
    println!("  ratio: {:.2} forms of the engine for one row of the table", rate("engine") / rate("table").max(0.001));
    println!("{} of them delivered to the simulator, and 300 creates by wp_remote_post", numbers["relay"]["delivered"]);
    println!("  {:<20} {:>7.0} a second", "a run of the relay", rate("relay"));
    println!("  {:<20} {:>7.0} a second", "wp_remote_post", rate("bare"));
    println!("  ratio: {:.2} records of the relay for one of wp_remote_post", rate("relay") / rate("bare").max(0.001));
    println!("  Tracker itself takes about 100 requests a minute: the pace, not the relay, is what limits a site");
    Ok(())
}
