//! What an export leaves behind: nothing. It holds everybody in the clear, so no part of it is laid by in a file while it is
//! made, also not when its process is killed on the way.

use crate::hook;
use crate::site::{SHARED_SECRET, Site, on_a_site};
use serde_json::{Value, json};
use std::io::Read;
use std::path::Path;

const CANARY: &str = "Export-Canary";

/// Files below a folder that hold the canary.
fn spilled(folder: &Path, found: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            spilled(&path, found);
        } else if std::fs::read(&path)
            .is_ok_and(|bytes| bytes.windows(CANARY.len()).any(|some| some == CANARY.as_bytes()))
        {
            found.push(path.display().to_string());
        }
    }
}

fn in_the_clear(site: &Site) -> Vec<String> {
    let mut found = Vec::new();
    spilled(&site.stack.root.join("tmp"), &mut found);
    found
}

fn submit(site: &Site, text: &str) -> String {
    let body = json!({ "form_id": "careers", "fields": { "email": "a@example.org", "message": text } });
    let reply = hook::request(SHARED_SECRET, body.to_string()).send(site);
    assert_eq!(reply.status, 202, "{}", reply.text());
    reply.json()["queue_id"].as_str().expect("an id").to_owned()
}

#[test]
fn an_export_that_is_killed_on_the_way_leaves_no_file() {
    on_a_site(|site| {
        site.secrets(&[("shared_secret", SHARED_SECRET)]);
        site.php("Engine::act(['action' => 'pause']);");
        for at in 0..3 {
            submit(site, &format!("{at} {}", CANARY.repeat(170_000)));
        }
        let mut child = crate::cli::start(site, &["halt-tracker", "export", "--format=csv"]);
        let mut out = child.stdout.take().expect("a pipe");
        // Its first row is being written, and nobody takes the rest: everything that it lays by lies there now.
        let mut head = vec![0; 1000];
        out.read_exact(&mut head).expect("the head");
        assert!(String::from_utf8_lossy(&head).contains("field message"), "the head of the table");
        let during = in_the_clear(site);
        child.kill().expect("killed");
        child.wait().expect("gone");
        assert_eq!((during, in_the_clear(site)), (vec![], vec![]));
        // The control: whole, it has all of them.
        let whole = crate::cli::wp(site, &["export", "--format=csv"], "").out;
        assert_eq!((whole.lines().count(), whole.len() > 6_000_000), (4, true));
        std::fs::write(site.stack.root.join("tmp/control"), &whole).expect("written");
        assert_eq!(in_the_clear(site).len(), 1, "what lies there is found");
        std::fs::remove_file(site.stack.root.join("tmp/control")).expect("gone");
    });
}

#[test]
fn no_code_of_the_plugin_asks_for_a_temporary_file() {
    let mut code = String::new();
    crate::hooks::php_below(&Path::new(env!("CARGO_MANIFEST_DIR")).join("php-shim"), &mut code);
    for name in ["php://temp", "tmpfile(", "tempnam(", "get_temp_dir("] {
        assert!(!code.contains(name), "{name}");
    }
    assert!(code.contains("php://output"), "the plugin was read");
}

#[test]
fn a_submission_that_cannot_be_read_is_named_in_the_json_and_holds_up_nothing() {
    on_a_site(|site| {
        site.secrets(&[("shared_secret", SHARED_SECRET)]);
        site.php("Engine::act(['action' => 'pause']);");
        let gone = "00000000-0000-4000-8000-000000000000";
        let sound = submit(site, "sound");
        let said = crate::cli::wp(site, &["export", gone, &sound], "");
        let lines: Vec<Value> =
            said.out.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect();
        assert_eq!(lines.len(), 2, "{}{}", said.out, said.err);
        assert!(lines[0]["id"] == gone && lines[0]["code"] == "HT-1901", "{}", lines[0]);
        assert!(lines[1]["id"] == sound.as_str() && lines[1]["fields"]["message"] == "sound", "{}", lines[1]);
        assert!(said.status == 1 && said.err.contains(gone), "{}", said.err);
    });
}
