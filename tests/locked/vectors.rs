//! Sends every row of the table both ways and holds the answers against it: one answer for whoever cannot sign, nothing
//! kept of what was refused, nothing of body or signature in a log.

use crate::draft::{CANARY, Draft, FIRST, RETIRED, SECOND};
use crate::hook::{PATH, now};
use crate::site::{Site, on_a_site, quoted};
use crate::vectors_table::{NEVER, ROWS, SAME, TAKEN};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Calls `Engine::ingest` for each line of a file; a row of an edge is signed here, at the beginning of a second.
const DIRECT: &str = r#"
    $said = [];
    foreach (file($rows) as $line) {
        $row  = json_decode($line, true);
        $body = base64_decode($row['body']);
        if ($row['edge'] !== null) {
            $second = time();
            while (time() === $second) { usleep(2000); }
            $row['request']['timestamp'] = (string) (time() + $row['edge']);
            $row['request']['signature'] = hash_hmac('sha256', $row['request']['timestamp'] . '.' . $body, $row['secret']);
        }
        $answer = json_decode(Engine::raw('ingest', [Engine::encode($row['request']), $body]), true);
        $answer['kept'] = Engine::call('list', ['{"per_page":1}'])['total'];
        $said[] = $answer;
    }
    echo json_encode($said);"#;

/// A limit of 1 MiB, two active secrets, one retired; paused, so that nothing but receiving happens.
fn with_secrets(test: impl FnOnce(&Site)) {
    on_a_site(|site| {
        site.options(&[("body_limit_mib", "1")]);
        site.secrets(&[("shared_secret", FIRST), ("shared_secret", RETIRED), ("shared_secret", SECOND)]);
        let last4 = &RETIRED[RETIRED.len() - 4..];
        site.php(&format!(
            "foreach (Engine::call('status')['secrets'] as $one) {{
                if ($one['last4'] === {}) {{ Engine::act(['action' => 'retire_secret', 'id' => (int) $one['id']]); }}
            }}
            Engine::act(['action' => 'pause']);",
            quoted(last4)
        ));
        let active = site.status()["secrets"].as_array().map_or(0, |all| {
            all.iter().filter(|one| one["name"] == "shared_secret" && one["set"] == json!(true)).count()
        });
        assert_eq!(active, 2, "{}", site.status()["secrets"]);
        test(site);
    });
}

fn drafts() -> Vec<Draft> {
    let made = ROWS.iter().enumerate().map(|(number, row)| {
        let mut draft = Draft::right(number);
        (row.1)(&mut draft);
        draft
    });
    made.collect()
}

/// In the logs stands no byte of a body and no signature, and of an address only the true one.
fn assert_silent(site: &Site, drafts: &[Draft]) {
    let logs = std::fs::read_dir(site.stack.root.join("logs")).expect("the logs").flatten();
    let said: String =
        logs.map(|entry| String::from_utf8_lossy(&std::fs::read(entry.path()).expect("a log")).into_owned()).collect();
    assert!(said.contains("webhook refused HT-12"), "the refusals are logged");
    assert!(!said.contains(CANARY) && !said.contains("@canary.example") && !said.contains("203.0.113.66"), "{said}");
    for secret in [FIRST, SECOND, RETIRED] {
        assert!(!said.contains(secret), "a secret is in a log");
    }
    for draft in drafts.iter().filter(|draft| draft.signature.len() >= 32) {
        let start: String = draft.signature.chars().take(32).collect();
        assert!(start.trim().len() < 32 || !said.contains(&start), "the signature {start} is in a log");
    }
}

fn told(answer: &Value) -> (u16, String) {
    let status = answer["status"].as_u64().and_then(|status| u16::try_from(status).ok()).unwrap_or(0);
    (status, answer["body"]["data"]["error"].as_str().unwrap_or_default().to_owned())
}

/// Every body of a 401 is the first one.
fn assert_one_refusal(bodies: &[String]) {
    let different: BTreeSet<&String> = bodies.iter().collect();
    assert_eq!(different.len(), 1, "{different:#?}");
}

#[test]
fn every_row_has_its_answer_from_the_engine_itself() {
    with_secrets(|site| {
        let drafts = drafts();
        let lines: String = drafts.iter().map(|draft| draft.for_engine().to_string() + "\n").collect();
        let file = site.stack.root.join("tmp/rows.jsonl");
        std::fs::write(&file, lines).expect("the rows");
        let said = site.php(&format!("$rows = {};{DIRECT}", quoted(&file.display().to_string())));
        std::fs::remove_file(&file).expect("removed");
        let said: Vec<Value> = serde_json::from_str(&said).unwrap_or_else(|error| panic!("{error}: {said}"));
        let (mut wrong, mut refusals, mut kept, mut sent) = (Vec::new(), Vec::new(), 0, 0);
        for ((name, direct), answer) in ROWS.iter().map(|row| (row.0, row.2)).zip(&said) {
            if direct == NEVER {
                kept = answer["kept"].as_i64().unwrap_or(-1);
                continue;
            }
            sent += 1;
            let (status, code) = told(answer);
            let log = answer["log"].as_str().unwrap_or_default();
            assert!(!log.contains(CANARY) && !log.contains('@'), "{name}: {log}");
            let logged = if direct.2.is_empty() { log.is_empty() } else { log.contains(direct.2) };
            kept += i64::from(direct == TAKEN);
            if (status, code.as_str()) != (direct.0, direct.1) || !logged || answer["kept"] != json!(kept) {
                wrong.push(format!("{name}: expected {direct:?} and {kept} kept, got {answer}"));
                kept = answer["kept"].as_i64().unwrap_or(-1);
            }
            if status == 401 {
                refusals.push(answer["body"].to_string());
            }
        }
        assert!(wrong.is_empty(), "{} of {sent} rows:\n{}", wrong.len(), wrong.join("\n"));
        assert_one_refusal(&refusals);
        println!(
            "campaign vectors: real engine: {sent} rows straight to it, {} of them with the one 401",
            refusals.len()
        );
    });
}

#[test]
fn every_row_has_its_answer_over_http() {
    with_secrets(|site| {
        let (mut wrong, mut refusals, mut taken, mut sent) = (Vec::new(), Vec::new(), BTreeSet::new(), 0);
        let mut seen = Vec::new();
        for (number, row) in ROWS.iter().enumerate() {
            let want = if row.3 == SAME { row.2 } else { row.3 };
            if want == NEVER {
                continue;
            }
            // Made just before sending: a row made at the start would be old by now on a slow machine.
            let mut draft = Draft::right(number + 1000);
            (row.1)(&mut draft);
            let reply = match draft.edge {
                Some(seconds) => {
                    let (reply, kept) = draft.send_at_edge(site, seconds);
                    taken.extend(kept);
                    reply
                }
                None => draft.send(site),
            };
            sent += 1;
            let body = reply.json();
            let code = match &body["data"]["error"] {
                Value::String(code) => code.as_str(),
                _ if reply.has("nginx") => "nginx",
                _ => "",
            };
            if (reply.status, code) != (want.0, want.1) {
                wrong.push(format!("{}: expected {want:?}, got {} {code} {}", row.0, reply.status, reply.text()));
            }
            if reply.status == 401 {
                // Its headers tell nothing either.
                let head = reply.headers.iter().filter(|(name, _)| !name.eq_ignore_ascii_case("date"));
                let head: Vec<String> = head.map(|(name, value)| format!("{name}: {value}")).collect();
                refusals.push(format!("{}\n\n{}", head.join("\n"), reply.text()));
            }
            taken.extend(body["queue_id"].as_str().map(str::to_owned));
            seen.push(draft);
        }
        assert!(wrong.is_empty(), "{} of {sent} rows:\n{}", wrong.len(), wrong.join("\n"));
        assert_one_refusal(&refusals);
        let held = site.submissions();
        let ids: BTreeSet<String> = held.iter().filter_map(|one| one["id"].as_str().map(str::to_owned)).collect();
        let extra: Vec<&Value> = held.iter().filter(|one| !taken.contains(one["id"].as_str().unwrap_or(""))).collect();
        assert_eq!(ids, taken, "kept though refused: {extra:?}");
        assert_silent(site, &seen);
        println!(
            "campaign vectors: real site: {sent} rows over HTTP, {} of them with the one 401, {} accepted",
            refusals.len(),
            taken.len()
        );
    });
}

#[test]
fn a_request_sent_again_is_one_submission_in_sequence_and_64_at_once() {
    with_secrets(|site| {
        let draft = Draft::right(1);
        let first = draft.send(site);
        assert_eq!(first.status, 202, "{}", first.text());
        for _ in 0..3 {
            let again = draft.send(site);
            assert_eq!((again.status, again.body.clone()), (202, first.body.clone()));
        }
        let crowd = Draft::right(2);
        let replies: Vec<(u16, String)> = std::thread::scope(|scope| {
            let sending: Vec<_> = (0..64).map(|_| scope.spawn(|| crowd.send(site))).collect();
            sending.into_iter().map(|one| one.join().expect("sent")).map(|r| (r.status, r.text())).collect()
        });
        let different: BTreeSet<&(u16, String)> = replies.iter().collect();
        assert_eq!(different.len(), 1, "{different:?}");
        assert_eq!(replies[0].0, 202, "{}", replies[0].1);
        assert_eq!(site.submissions().len(), 2);
        // The same body, signed anew and with the other secret, is still the same submission.
        let mut anew = Draft::right(2);
        anew.stamp = (now() - 5).to_string();
        anew.sign_as(SECOND);
        let reply = anew.send(site);
        assert_eq!((reply.status, reply.text()), replies[0]);
        assert_eq!(site.submissions().len(), 2);
    });
}

#[test]
fn a_request_taken_by_64_processes_at_once_is_one_submission() {
    with_secrets(|site| {
        let draft = Draft::right(3);
        let file = site.stack.root.join("tmp/crowd.json");
        std::fs::write(&file, draft.for_engine().to_string()).expect("the request");
        // The children end at once: WordPress' connection to the database is their parent's.
        let said = site.php(&format!(
            "$row = json_decode(file_get_contents({}), true);
            $around = [Places::data_dir(), \\Halt\\Tracker\\WordPress\\Site::json(), Options::engine_json()];
            $body = base64_decode($row['body']);
            $start = microtime(true) + 0.5;
            $pipes = [];
            for ($i = 0; $i < 64; $i++) {{
                $pipes[$i] = stream_socket_pair(STREAM_PF_UNIX, STREAM_SOCK_STREAM, 0);
                if (pcntl_fork() === 0) {{
                    while (microtime(true) < $start) {{ usleep(500); }}
                    fwrite($pipes[$i][1], \\Halt\\Tracker\\Engine::ingest(...$around, ...[json_encode($row['request']), $body]));
                    posix_kill(getmypid(), SIGKILL);
                }}
                fclose($pipes[$i][1]);
            }}
            echo json_encode(array_map(static fn ($pair) => json_decode(stream_get_contents($pair[0]), true), $pipes));",
            quoted(&file.display().to_string())
        ));
        let said: Vec<Value> = serde_json::from_str(&said).unwrap_or_else(|error| panic!("{error}: {said}"));
        assert_eq!(said.len(), 64);
        let bodies: BTreeSet<String> = said.iter().map(|one| one["body"].to_string()).collect();
        assert_eq!(bodies.len(), 1, "{bodies:?}");
        assert_eq!(told(&said[0]).0, 202, "{}", said[0]);
        assert_eq!(site.submissions().len(), 1);
    });
}

#[test]
fn other_ways_to_the_route_end_at_the_same_check() {
    with_secrets(|site| {
        let mut draft = Draft::right(4);
        draft.signature = "0".repeat(64);
        let headers = |draft: &Draft| {
            [
                ("Content-Type", draft.kind.clone()),
                ("X-Halt-Timestamp", draft.stamp.clone()),
                ("X-Halt-Webhook-Signature", draft.signature.clone()),
            ]
            .map(|(name, value)| (name.to_owned(), value))
        };
        for path in [
            &format!("{PATH}/"),
            &format!("{PATH}?_method=POST"),
            &format!("{PATH}?_method=GET"),
            "/?rest_route=/halt-tracker/v1/ingest",
            "/index.php?rest_route=/halt-tracker/v1/ingest/",
            "/?rest_route=//halt-tracker/v1/ingest",
            "/?rest_route=/HALT-TRACKER/v1/ingest",
        ] {
            let reply = site.stack.post_raw(path, &headers(&draft), &draft.body);
            assert!([401, 404].contains(&reply.status), "{path}: {} {}", reply.status, reply.text());
        }
        // Before 1.23 nginx hands both lines on and PHP takes the last; later ones join them, which is refused. Either way
        // a right signature was needed.
        let mut twice = Draft::right(5);
        let right = std::mem::replace(&mut twice.signature, "0".repeat(64));
        twice.line("X-Halt-Webhook-Signature", &right);
        let reply = twice.send(site);
        assert!([202, 401].contains(&reply.status), "{}", reply.text());
        println!("two lines, the right signature last: {} with this nginx", reply.status);
        let before = site.submissions().len();
        // A batch of WordPress' own must not carry a request past the raw bytes.
        let batch = json!({ "requests": [{ "path": "/halt-tracker/v1/ingest", "method": "POST",
            "headers": { "X-Halt-Timestamp": draft.stamp, "X-Halt-Webhook-Signature": draft.signature },
            "body": { "form_id": "careers", "fields": { "email": draft.email } } }] });
        let json = [("Content-Type".to_owned(), "application/json".to_owned())];
        let reply = site.stack.post_raw("/wp-json/batch/v1", &json, batch.to_string().as_bytes());
        assert!(!reply.has("\"queued\":true"), "{}", reply.text());
        assert_eq!(site.submissions().len(), before);
    });
}
