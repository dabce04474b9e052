//! A fatal error of PHP around a run, in a worker that lives on: out of memory, out of time, an error that somebody raises, an
//! exit, in a listener, between the two halves of a run, and while the engine hands over an answer. The next call in the same
//! worker finds nothing in its way.
//!
//! None of them strikes while a call of ours has a store in its hands, and none can (PHP 8.2, ext-php-rs 0.16.4, read and
//! tried on 2026-11-28). PHP leaves by a jump only from its own code, and within such a call there is none: arguments are
//! borrowed bytes, Rust's memory is not PHP's, no callback is called. PHP allocates when the generated handler turns our answer
//! into its string or our error into its exception, and by then the store is back in its map; the handler's `zend_try` skips
//! the frames of that conversion and goes on jumping. `max_execution_time` only sets a mark that PHP looks at when the call
//! has returned (a call that outlasts a limit of 1 s: fatal error on the line of the call, and shutdown functions run);
//! `hard_timeout` 2 s later ends the whole process (exit 124), as `request_terminate_timeout` does, and the kernel frees what
//! it held. An engine that keeps a borrow of its map over a whole call is therefore none the worse here. What a jump out of a
//! run would leave behind is tried where there can be one, in `tests/faults/left.rs`.

use crate::world::{World, cv_of, fields_of, file_of, person, world};
use serde_json::{Value, json};

/// Nothing is sent right after an answer: the runs are ours.
const QUIET: &str = "<?php add_filter('halt_tracker_relay_after_response', '__return_false');";

/// Does a run in a worker, and dies in it in the way that was asked for.
const SCRIPT: &str = r#"<?php
require __DIR__ . '/wp-load.php';
use Halt\Tracker\WordPress\{Engine, Relay};
error_reporting(E_ALL & ~E_DEPRECATED);
$way = (string) ($_GET['way'] ?? '');
$die = static function () use ($way): void {
    match ($way) {
        'memory' => str_repeat('x', 1 << 40 >> 4),
        'error' => trigger_error('somebody gives up', E_USER_ERROR),
        'exit' => exit,
        'time' => (static function (): void { set_time_limit(1); for (;;) { hash('sha256', 'x'); } })(),
        'throw' => throw new Error('not caught by anybody'),
        default => null,
    };
};
if ($way === 'between') {
    // The site has been asked to raise its counter, and dies before it has.
    add_filter('query', static function ($query) { if (str_contains($query, 'halt_tracker_counter') && !str_starts_with(ltrim($query), 'SELECT')) { exit; } return $query; });
}
if ($way === 'answer') {
    // The engine's answer is larger than what is left: PHP leaves the engine by a jump.
    ini_set('memory_limit', (string) (memory_get_usage(true) + (1 << 20)));
    Engine::raw('file', [(string) $_GET['id'], 1]);
}
add_action('halt_tracker_submission_delivered', $die);
if ($way === 'throw') { register_shutdown_function($die); }
$report = Relay::run('button', 20000);
$die();
$status = Engine::call('status');
echo json_encode(['pid' => getmypid(), 'report' => $report, 'run' => $status['run'], 'counts' => $status['counts']]);
"#;

/// The next call of the same worker.
fn ask(world: &World, after: &str) -> Value {
    let reply = world.stack.get("/hazard.php?way=none");
    assert_eq!(reply.status, 200, "after {after}: {}\n{}", reply.text(), world.stack.logs());
    reply.json()
}

#[test]
fn a_fatal_error_in_a_run_stops_nothing_in_the_worker_that_had_it() {
    let world = world(|options| options.workers = 1);
    world.set_up("", &world.data);
    std::fs::write(world.stack.wordpress.join("wp-content/mu-plugins/hazard.php"), QUIET).expect("written");
    std::fs::write(world.stack.wordpress.join("hazard.php"), SCRIPT).expect("written");
    let worker = ask(&world, "nothing")["pid"].clone();
    let mut emails = Vec::new();
    let mut large = String::new();
    for way in ["memory", "time", "error", "exit", "throw", "between", "answer"] {
        for n in 0..3 {
            emails.push(person(way, n));
            world.apply(["d4", "d5"][n % 2], &person(way, n));
        }
        if way == "answer" {
            let (id, email) = a_large_file(&world);
            large = id;
            emails.push(email);
        }
        let reply = world.stack.get(&format!("/hazard.php?way={way}&id={large}"));
        assert!(!reply.has("\"pid\""), "{way}: nothing happened: {}", reply.text());
        let said = format!("{}{}", reply.text(), world.stack.logs());
        let expected = match way {
            "memory" => "Allowed memory size of",
            "time" => "Maximum execution time of 1 second exceeded",
            "error" => "somebody gives up",
            "throw" => "not caught by anybody",
            // Three megabytes, by whole pages: nothing else is as long as the file that the engine was handing over.
            "answer" => "tried to allocate 314",
            _ => "",
        };
        assert!(said.contains(expected), "{way}: it died of something else: {said}");
        let after = ask(&world, way);
        assert_eq!(after["pid"], worker, "{way}: the same worker lives on\n{}", world.stack.logs());
        assert_ne!(after["report"]["outcome"], "busy", "{way}: a run is left over: {after}");
        assert_eq!(after["run"]["held"], json!(false), "{way}: {after}");
        world.stack.clear_logs();
    }
    let ticks = world.tick_until_delivered("fatal", &emails);
    println!(
        "campaign k: real PHP: 7 ways to die around a run, in one worker that lived on; {}, delivered after {ticks} tick(s)",
        world.tally("fatal", &emails)
    );
}

/// A webhook request with a file of three megabytes; its id and person.
fn a_large_file(world: &World) -> (String, String) {
    let email = person("large", 0);
    let mut pdf = cv_of(&email);
    pdf.resize(3 << 20, b'x');
    let body = json!({"form_id": "careers", "fields": fields_of(&email), "files": [file_of(&pdf)]});
    let (headers, body) = world.sign(&body.to_string());
    let reply = world.stack.post_raw("/index.php?rest_route=/halt-tracker/v1/ingest", &headers, body.as_bytes());
    assert_eq!(reply.status, 202, "{}", reply.text());
    (reply.json()["queue_id"].as_str().expect("an id").to_owned(), email)
}
