//! Every verb of `wp halt-tracker`, through a stand-in that is as strict as WP-CLI: what it prints, what it changes, and how
//! it ends.

use crate::hook;
use crate::hooks::{MustUse, NO_RUN_AFTER};
use crate::site::{SHARED_SECRET, Site, on_a_site};
use serde_json::{Value, json};
use std::io::Write;
use std::process::{Child, Command, Stdio};

/// The verbs that are promised, and the buttons of the screens beyond them.
const VERBS: [&str; 33] = [
    "status",
    "run",
    "work",
    "list",
    "get",
    "retry",
    "discard",
    "export",
    "erase",
    "adopt",
    "pause",
    "resume",
    "unlock",
    "test-connection",
    "doctor",
    "mapping check",
    "mapping preview",
    "forms list",
    "secret add",
    "secret list",
    "secret retire",
    "key rotate",
    "site moved",
    "site copy",
    "backup",
    "restore",
    "release",
    "spam",
    "exists",
    "absent",
    "send-test",
    "site at",
    "site new",
];

pub struct Said {
    pub status: i32,
    pub out: String,
    pub err: String,
}

fn command(site: &Site, words: &[&str]) -> Command {
    let runner = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/screens/wp-cli.php");
    let copy = site.stack.root.join("tmp/wp-cli.php");
    std::fs::copy(runner, &copy).expect("the runner");
    let mut command = site.stack.php_command("www-data", true);
    command.arg(copy).arg(site.stack.wordpress.join("wp-load.php")).arg(site.stack.url.trim_start_matches("http://"));
    command.args(words).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

pub fn start(site: &Site, words: &[&str]) -> Child {
    command(site, words).spawn().expect("php")
}

/// `wp halt-tracker` with these words; `typed` is its standard input.
pub fn wp(site: &Site, words: &[&str], typed: &str) -> Said {
    let words: Vec<&str> = std::iter::once("halt-tracker").chain(words.iter().copied()).collect();
    let mut child = start(site, &words);
    child.stdin.take().expect("stdin").write_all(typed.as_bytes()).expect("typed");
    said(child)
}

fn said(child: Child) -> Said {
    let done = child.wait_with_output().expect("php ends");
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Said { status: done.status.code().unwrap_or(-1), out: text(done.stdout), err: text(done.stderr) }
}

/// The same, and it must end well.
fn good(site: &Site, words: &[&str]) -> String {
    let said = wp(site, words, "");
    assert_eq!(said.status, 0, "{words:?}: {}{}", said.out, said.err);
    said.out
}

fn bad(site: &Site, words: &[&str]) -> String {
    let said = wp(site, words, "");
    assert_eq!(said.status, 1, "{words:?}: {}{}", said.out, said.err);
    said.out + &said.err
}

fn rows(site: &Site, words: &[&str]) -> Vec<Value> {
    let out = good(site, words);
    serde_json::from_str(&out).unwrap_or_else(|error| panic!("{words:?}: {error}: {out}"))
}

fn submit(site: &Site, form: &str, email: &str) -> String {
    let text = json!({ "form_id": form, "fields": { "name": "Jane Doe", "email": email, "message": "=1+1" } });
    let reply = hook::request(SHARED_SECRET, text.to_string()).send(site);
    assert_eq!(reply.status, 202, "{}", reply.text());
    reply.json()["queue_id"].as_str().expect("an id").to_owned()
}

#[test]
fn every_promised_verb_is_there_with_a_sentence_and_a_synopsis_that_can_be_read() {
    on_a_site(|site| {
        let known = said(start(site, &["help"]));
        assert_eq!(known.status, 0, "{}{}", known.out, known.err);
        for verb in VERBS {
            let line = known.out.lines().find(|line| line.starts_with(&format!("halt-tracker {verb}\t")));
            let line = line.unwrap_or_else(|| panic!("{verb} is missing in:\n{}", known.out));
            assert!(line.split('\t').nth(2).is_some_and(|text| text.len() > 15), "{line}");
        }
        let docs = include_str!("../../docs/reference.md");
        VERBS
            .iter()
            .for_each(|verb| assert!(docs.contains(&format!("`{verb}`")), "{verb} is not in docs/reference.md"));
        // Whatever prints rows, prints them in every format.
        for line in known.out.lines().filter(|line| line.contains("\"name\":\"format\"")) {
            assert!(line.contains("\"json\"") && line.contains("\"csv\"") && line.contains("\"count\""), "{line}");
        }
        assert!(bad(site, &["nonsense"]).contains("not a registered"));
        assert!(bad(site, &["status", "--colour=red"]).contains("unknown --colour"));
    });
}

#[test]
fn rows_are_printed_in_every_format_and_cells_are_no_formulas() {
    on_a_site(|site| {
        site.secrets(&[("shared_secret", SHARED_SECRET)]);
        good(site, &["pause"]);
        let id = submit(site, "=careers", "cli@example.org");
        submit(site, "temp", "other@example.org");
        assert_eq!(good(site, &["list", "--format=count"]), "2\n");
        assert_eq!(good(site, &["list", "--search=cli@example.org", "--format=ids"]).trim(), id);
        let one = &rows(site, &["list", "--form==careers", "--format=json"])[0];
        assert_eq!((one["id"].as_str(), one["state"].as_str()), (Some(id.as_str()), Some("queued")));
        assert_eq!(one["email"], "c***@e…", "lists are masked");
        let csv = good(site, &["list", "--form==careers", "--format=csv"]);
        assert!(
            csv.starts_with("id,received,form,email,state,code,tracker_id\n") && csv.contains(",'=careers,"),
            "{csv}"
        );
        assert!(good(site, &["list", "--format=yaml"]).starts_with("---\n-\n  id: "));
        assert!(good(site, &["list"]).contains("queued"));
        assert!(bad(site, &["list", "--format=xml"]).contains("format"));
        let count = |words: &[&str]| good(site, &[&["list", "--format=count"], words].concat()).trim().to_owned();
        let today = site.php("echo wp_date('Y-m-d');");
        assert_eq!(count(&[&format!("--from={today}"), &format!("--to={today}")]), "2");
        assert_eq!((count(&["--to=2020-01-01"]), count(&["--from=2099-01-01"])), ("0".into(), "0".into()));
        assert_eq!(good(site, &["export", "--to=2020-01-01", "--format=count"]), "0\n");
        assert!(
            bad(site, &["list", "--from=yesterday"]).contains("2026-03-01"),
            "a day that is none finds nothing, not everything"
        );
        assert!(bad(site, &["export", "--state=open"]).contains("no such state"));
        let csv = good(site, &["export", &id, "--format=csv"]);
        assert!(csv.contains("field message") && csv.contains("'=1+1") && csv.contains("cli@example.org"), "{csv}");
        assert_eq!(good(site, &["export", "--format=count"]), "2\n");
        let whole: Value = serde_json::from_str(good(site, &["export", &id]).trim()).expect("a line of JSON");
        assert_eq!(whole["fields"]["email"], "cli@example.org");
        assert_eq!(serde_json::from_str::<Value>(&good(site, &["get", &id])).expect("JSON")["id"], id.as_str());
        assert!(good(site, &["get", &id, "--format=csv"]).contains("fields.message,'=1+1"));
        assert_eq!(rows(site, &["forms", "list", "--format=json"]).iter().filter(|form| form["count"] == 1).count(), 2);
        assert!(bad(site, &["get", "00000000-0000-4000-8000-000000000000"]).contains("HT-1901"));
        assert!(good(site, &["mapping", "preview", &id]).contains("cli@example.org"));
        assert!(good(site, &["mapping", "check"]).contains("Success"));
        site.options(&[("field_map", "{\"emial\":\"email\"}")]);
        assert!(bad(site, &["mapping", "check", "--format=csv"]).contains("HT-1402"));
    });
}

#[test]
fn what_can_be_decided_on_the_screens_can_be_decided_in_a_terminal() {
    on_a_site(|site| {
        site.credentials();
        let _alone = MustUse::load(site, NO_RUN_AFTER);
        site.options(&[("forms", "{\"review\":{\"mode\":\"hold\"}}"), ("pace", "60000"), ("max_attempts", "1")]);
        let held = submit(site, "review", "held@example.org");
        assert!(good(site, &["release", &held]).contains("1 changed"));
        assert!(good(site, &["run"]).contains(&format!("{held} done")));
        assert!(bad(site, &["release", &held]).contains("0 changed"), "a delivered one cannot be released");
        good(site, &["pause"]);
        assert!(bad(site, &["run"]).contains("paused"));
        let (spam, gone, erased) = (
            submit(site, "a", "s@example.org"),
            submit(site, "a", "g@example.org"),
            submit(site, "a", "e@example.org"),
        );
        // Nothing happens without a yes.
        let asked = wp(site, &["discard", &gone], "n\n");
        assert!(asked.out.contains("[y/n]") && !asked.out.contains("changed"), "{}", asked.out);
        assert!(wp(site, &["discard", &gone], "y\n").out.contains("1 changed"));
        assert!(good(site, &["spam", &spam, "--yes"]).contains("1 changed"));
        assert!(good(site, &["erase", "--email=e@example.org", "--yes"]).contains("1 changed"));
        assert_eq!(good(site, &["list", "--state=erased", "--format=ids"]).trim(), erased);
        assert!(bad(site, &["retry"]).contains("Which submissions?"));
        assert!(good(site, &["retry", &gone]).contains("1 changed"));
        assert!(good(site, &["resume"]).contains("Success"));
        assert!(good(site, &["unlock"]).contains("No run holds the lock"));
        assert!(good(site, &["release", "--earlier"]).contains("0 released"));
        // All that failed, again.
        site.sim.switches(&json!({ "faults": [{ "on": "create_resource", "do": "400", "times": 2 }] }));
        good(site, &["run"]);
        let failed = good(site, &["list", "--state=failed", "--format=ids"]);
        assert_eq!(failed.trim(), gone);
        site.sim.switches(&json!({ "faults": [] }));
        assert!(good(site, &["retry", "--all-failed"]).contains("1 changed"));
        good(site, &["run"]);
        assert_eq!(good(site, &["list", "--state=done", "--format=count"]), "2\n");
    });
}

#[test]
fn a_person_settles_an_open_submission_in_a_terminal() {
    on_a_site(|site| {
        site.credentials();
        let _alone = MustUse::load(site, NO_RUN_AFTER);
        site.options(&[("pace", "60000")]);
        site.sim.switches(
            &json!({ "search_lag_ms": 86_400_000, "faults": [{ "on": "create_resource", "do": "no_id", "times": 1 }] }),
        );
        let id = submit(site, "a", "open@example.org");
        site.until("it is open", || {
            good(site, &["run"]);
            good(site, &["list", "--format=csv"]).contains("checking")
        });
        // What days of looking come to.
        crate::health::store(site, "UPDATE submission SET state = 'attention';");
        assert!(good(site, &["absent", &id, "--yes"]).contains("1 changed"));
        crate::health::store(site, "UPDATE submission SET state = 'attention';");
        assert!(good(site, &["exists", &id, "4711", "--yes"]).contains("1 changed"));
        let one: Value = serde_json::from_str(&good(site, &["get", &id])).expect("JSON");
        assert_eq!(one["tracker_id"], 4711, "{one}");
    });
}

#[test]
fn secrets_are_read_from_standard_input_and_listed_without_a_value() {
    on_a_site(|site| {
        let saved = wp(site, &["secret", "add", "shared_secret"], &format!("{SHARED_SECRET}\n"));
        assert_eq!(saved.status, 0, "{}{}", saved.out, saved.err);
        let list = good(site, &["secret", "list", "--format=json"]);
        assert!(list.contains("\"last4\":\"ared\"") && !list.contains(SHARED_SECRET), "{list}");
        assert!(bad(site, &["secret", "add", "password"]).contains("Invalid value"));
        assert_eq!(wp(site, &["secret", "add", "shared_secret"], "short\n").status, 1, "a weak one is refused");
        let id = rows(site, &["secret", "list", "--format=json"])
            .iter()
            .find(|one| one["name"] == "shared_secret")
            .expect("it")["id"]
            .to_string();
        assert!(good(site, &["secret", "retire", &id, "--yes"]).contains("Retired"));
        assert_eq!(hook::request(SHARED_SECRET, "{}").send(site).status, 503, "no secret is left");
        assert!(good(site, &["key", "rotate"]).contains("Success"));
    });
}

#[test]
fn the_condition_and_the_connection_are_told_with_an_exit_status() {
    on_a_site(|site| {
        assert!(good(site, &["status"]).contains("engine\trunning"));
        crate::health::outside(site);
        assert!(good(site, &["test-connection"]).contains("widget\tyes"));
        assert_eq!(good(site, &["test-connection", "--format=ids"]), "widget rest\n");
        assert_eq!(
            serde_json::from_str::<Value>(&good(site, &["status", "--format=json"])).expect("JSON")["lane"]["open"],
            true
        );
        good(site, &["doctor"]);
        site.sim.switches(&json!({ "faults": [{ "on": "token", "do": "400", "times": 99 }, { "on": "*", "do": "401", "times": 99 }] }));
        assert!(bad(site, &["test-connection"]).contains("HT-1504"));
        submit(site, "a", "x@example.org");
        let _ = wp(site, &["run"], "");
        assert!(bad(site, &["doctor", "--format=csv"]).contains("credentials,critical"));
    });
}

#[test]
fn a_backup_is_made_and_put_back_and_a_test_goes_the_whole_way() {
    on_a_site(|site| {
        site.credentials();
        let _alone = MustUse::load(site, NO_RUN_AFTER);
        site.options(&[("pace", "60000")]);
        submit(site, "a", "kept@example.org");
        good(site, &["run"]);
        assert!(good(site, &["send-test", "a"]).contains("queued"));
        assert!(good(site, &["run"]).contains("done"));
        let test = site.submissions().into_iter().find(|one| one["source"] == "test").expect("the test");
        assert!(
            site.records("resources", test["fields"]["email"].as_str().expect("an address"))[0]
                .to_string()
                .contains("TEST")
        );
        assert!(bad(site, &["send-test", "no such form"]).contains("HT-1901"));
        let folder = site.stack.root.join("tmp/cli-backup").display().to_string();
        assert!(good(site, &["backup", &folder]).contains(&folder));
        assert!(wp(site, &["restore", &folder], "n\n").out.contains("[y/n]"));
        assert!(good(site, &["restore", &folder, "--yes"]).contains("Sending is paused"));
        assert!(good(site, &["resume", "--reason=restored"]).contains("Success"));
        assert!(good(site, &["adopt"]).contains("0 adopted"));
    });
}

#[test]
fn a_backup_is_put_back_where_the_store_is_damaged_and_where_it_is_gone() {
    on_a_site(|site| {
        site.credentials();
        let _alone = MustUse::load(site, NO_RUN_AFTER);
        site.options(&[("pace", "60000")]);
        let id = submit(site, "a", "kept@example.org");
        good(site, &["run"]);
        let folder = site.stack.root.join("tmp/cli-backup-of-lost").display().to_string();
        good(site, &["backup", &folder]);
        let dir = site.php("echo get_option('halt_tracker_data_dir');");
        let database = format!("{dir}/queue.sqlite");
        std::fs::write(&database, "no database any more").expect("damaged");
        assert!(bad(site, &["list"]).contains("HT-1108"));
        let said = good(site, &["restore", &folder, "--yes"]);
        assert!(said.contains("queue.sqlite.damaged-") && said.contains("Sending is paused"), "{said}");
        assert_eq!(good(site, &["list", "--format=ids"]).trim(), id);
        site.stack.restart_fpm("QUIT").expect("php-fpm");
        std::fs::remove_dir_all(&dir).expect("gone");
        assert!(bad(site, &["list"]).contains("HT-1106"));
        assert!(good(site, &["restore", &folder, "--yes"]).contains("The backup is in place."));
        assert_eq!(good(site, &["list", "--format=ids"]).trim(), id);
        assert!(good(site, &["status"]).contains("restored"));
        assert!(good(site, &["resume", "--reason=restored"]).contains("Success"));
        submit(site, "a", "later@example.org");
        site.until("sending goes on", || {
            good(site, &["run"]);
            site.records("resources", "later@example.org").len() == 1
        });
        assert_eq!(site.records("resources", "kept@example.org").len(), 1, "nobody is sent twice");
    });
}

#[test]
fn the_worker_delivers_takes_new_settings_and_stops_when_it_is_asked() {
    on_a_site(|site| {
        site.credentials();
        // One that was read before, and so may be remembered.
        site.options(&[("pace", "60000"), ("record_type", "Contact")]);
        site.stack.set_constants(&[]).expect("constants");
        let _alone = MustUse::load(site, NO_RUN_AFTER);
        let worker = start(site, &["halt-tracker", "work"]);
        submit(site, "a", "worker@example.org");
        site.until("the worker delivers", || !site.records("contacts", "worker@example.org").is_empty());
        // A setting that is saved meanwhile counts for the next run.
        site.options(&[("record_type", "Resource")]);
        submit(site, "a", "settings@example.org");
        site.until("the new setting", || !site.records("resources", "settings@example.org").is_empty());
        let done = Command::new("kill").args(["-TERM", &worker.id().to_string()]).status().expect("kill");
        assert!(done.success());
        let ended = said(worker);
        assert_eq!(ended.status, 0, "{}{}", ended.out, ended.err);
        assert!(ended.out.contains("Ended: it was asked to stop"), "{}", ended.out);
    });
}

#[test]
fn the_worker_ends_by_itself_after_its_time_and_when_the_plugin_is_replaced() {
    on_a_site(|site| {
        site.credentials();
        let ended = said(start(site, &["halt-tracker", "work", "--for=1"]));
        assert!(ended.status == 0 && ended.out.contains("its time is over"), "{}{}", ended.out, ended.err);
        let before = site.status()["heartbeat"].as_i64();
        let worker = start(site, &["halt-tracker", "work", "--for=120"]);
        site.until("a first turn", || site.status()["heartbeat"].as_i64() > before);
        let main = site.stack.wordpress.join("wp-content/plugins/halt-tracker/halt-tracker.php");
        let text = std::fs::read(&main).expect("the plugin");
        std::fs::write(&main, [text.as_slice(), b"\n"].concat()).expect("replaced");
        let ended = said(worker);
        std::fs::write(&main, text).expect("put back");
        assert!(ended.status == 0 && ended.out.contains("were changed"), "{}{}", ended.out, ended.err);
    });
}
