//! Keys change under load, on real files: the relay delivers to a model of Tracker and re-seals as it does in every run, a
//! visitor comes every few milliseconds with a visitor's patience, and an administrator makes new keys all the while.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::tracker::{self, Tracker};
use crate::{Place, accept, now, submission, try_accept};
use halt_tracker::clock::{SystemClock, SystemRandom};
use halt_tracker::queue::state::Pause;
use halt_tracker::queue::{Site, Store};
use halt_tracker::relay::{self, Caller, Ended, Policy, Surroundings};
use halt_tracker::settings::Settings;
use halt_tracker::tracker::transport::{Body, Failure, Request, Response, Transport};
use serde_json::json;

/// Every sealed column.
const SEALED: [(&str, &str); 10] = [
    ("submission", "payload"),
    ("submission", "plan"),
    ("submission", "message"),
    ("step", "message"),
    ("journal", "detail"),
    ("file", "about"),
    ("secret", "sealed"),
    ("token", "sealed"),
    ("pause", "detail"),
    ("refusal", "address"),
];

/// Tracker's model at the end of a line that is always up.
struct Line(Tracker);

impl Transport for Line {
    fn send(&mut self, request: Request) -> Result<Response, Failure> {
        let mut headers: Vec<(String, String)> = Vec::new();
        headers.extend(request.bearer.map(|token| ("authorization".into(), format!("Bearer {}", token.as_str()))));
        let body = match request.body {
            Body::Bytes(kind, bytes) => {
                headers.push(("content-type".into(), kind.into()));
                bytes.to_vec()
            }
            Body::Empty | Body::Document { .. } => Vec::new(),
        };
        let url = url::Url::parse(&request.url).expect("an address");
        let (path, query) = (url.path().to_owned(), url.query().unwrap_or_default().to_owned());
        let request = tracker::Request { method: request.method.into(), path, query, headers, body };
        let answer = self.0.handle(&request, now().wall);
        Ok(Response { status: answer.status, retry_after: None, date: Some(now().wall / 1_000), body: answer.body })
    }
}

fn rows_elsewhere(store: &Store, key: &str) -> i64 {
    let raw: Vec<u8> = (0..8).map(|at| u8::from_str_radix(&key[at * 2..at * 2 + 2], 16).expect("hex")).collect();
    let count = |(table, column): &(&str, &str)| -> i64 {
        let sql = format!("SELECT count(*) FROM {table} WHERE {column} IS NOT NULL AND substr({column}, 2, 8) <> ?1");
        store.connection().query_row(&sql, [&raw], |row| row.get(0)).expect("counted")
    };
    SEALED.iter().map(count).sum()
}

/// What the relay did, in a thread of its own.
struct Relayed {
    runs: usize,
    tracker: Tracker,
}

/// Runs as the command line's worker does, until nothing is left and nobody comes any more.
fn relays(place: &Place, site: Site, begun: &AtomicUsize, nobody_comes: &AtomicBool) -> Relayed {
    let all =
        json!({ "api": "rest", "pace": "60000", "oauth_url": "https://oauth.test", "api_url": "https://api.test" });
    let settings = Settings::parse(&all.to_string()).expect("settings");
    let mut store = place.open().expect("opens");
    let (mut site, mut line, mut runs, mut touched) = (site, Line(Tracker::new()), 0, 0);
    line.0.set_switches(&json!({ "keep_requests": 0, "rate_limit_per_min": 0 })).expect("known switches");
    loop {
        let last = nobody_comes.load(Ordering::SeqCst);
        let around = Surroundings {
            settings: &settings,
            site: &site,
            clock: &SystemClock,
            random: &mut SystemRandom,
            transport: &mut line,
            policy: &Policy::default(),
            caller: Caller::Cli,
            budget_ms: 500,
        };
        let report = relay::run(&mut store, around).expect("the store works");
        assert!(report.reasons.is_empty(), "{:?}", report.reasons);
        match report.outcome {
            Ended::Raise => site.counter = report.counter,
            Ended::Ran | Ended::Idle => {
                runs += 1;
                touched += report.items.len();
                begun.store(touched, Ordering::SeqCst);
                let old = rows_elsewhere(&store, store.ring().current());
                if last && report.left == 0 && old == 0 && store.meta("reseal").expect("read").is_empty() {
                    return Relayed { runs, tracker: line.0 };
                }
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn while_keys_rotate_the_relay_delivers_and_nobody_who_comes_in_waits_or_is_turned_away() {
    let many: u32 = std::env::var("ROTATION").ok().and_then(|text| text.parse().ok()).unwrap_or(300);
    let mut place = Place::new();
    let mut store = place.opened();
    for (name, value) in
        [("client_secret", "sim-client-secret-0123456789"), ("refresh_token", "sim-refresh-token-0123456789")]
    {
        store.save_secret(name, value, false, now().wall).expect("saved");
    }
    store.resume(Pause::Credentials).expect("resumed");
    let one =
        |id: u32| submission(id, &json!({ "name": format!("Ada Number{id}"), "email": format!("p{id}@example.org") }));
    let half = many / 2;
    for id in 0..half {
        accept(&mut store, &one(id));
    }
    let first = store.ring().current().to_owned();
    let (begun, nobody_comes) = (AtomicUsize::new(0), AtomicBool::new(false));
    let site = Site { epoch: store.meta("epoch").expect("read"), ..place.site.clone() };
    let (relayed, slowest, keys) = std::thread::scope(|scope| {
        let relay = scope.spawn(|| relays(&place, site, &begun, &nobody_comes));
        let visitors = scope.spawn(|| {
            let mut store = place.open().expect("opens");
            let mut slowest = Duration::ZERO;
            for id in half..many {
                let begin = Instant::now();
                // With a visitor's patience: after a second and a half it would be HT-1104, and the form in the other table.
                try_accept(&mut store, &one(id), None, None).expect("taken");
                slowest = slowest.max(begin.elapsed());
                // Visitors come one after the other, not as a wall.
                std::thread::sleep(Duration::from_millis(2));
            }
            nobody_comes.store(true, Ordering::SeqCst);
            slowest
        });
        // New keys in the midst of it: after an eighth, two, three of what there is was delivered.
        let mut keys = 1;
        while keys < 4 && !relay.is_finished() {
            if begun.load(Ordering::SeqCst) >= keys * many as usize / 8 {
                store.be_patient(true);
                store.rotate_key().expect("rotated");
                keys += 1;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        (relay.join().expect("no panic"), visitors.join().expect("no panic"), keys)
    });
    let ledger = relayed.tracker.ledger();
    assert_eq!(ledger["breaches"], json!([]));
    let people: std::collections::BTreeSet<&str> =
        ledger["resources"].as_array().expect("a list").iter().filter_map(|one| one["email"].as_str()).collect();
    assert_eq!((people.len(), ledger["resources"].as_array().map(Vec::len)), (many as usize, Some(many as usize)));
    assert_eq!(keys, 4, "the relay was ready before the keys were");
    let last = store.meta("key").expect("read");
    assert_ne!(last, first);
    assert_eq!(rows_elsewhere(&store, &last), 0);
    drop(store);
    // Nothing needs the older keys any more: with the newest alone everything opens.
    let folder = place.key_file().parent().expect("a folder").to_owned();
    for entry in std::fs::read_dir(&folder).expect("listed").flatten() {
        if !entry.file_name().to_string_lossy().contains(&last) {
            std::fs::remove_file(entry.path()).expect("removed");
        }
    }
    let store = place.opened();
    assert_eq!(store.ring().ids(), [last]);
    assert!(store.pauses().expect("read").is_empty());
    for id in 0..many {
        let seq = store.seq_of(&one(id).id).expect("there");
        assert!(store.job(seq).expect("opens").submission.is_some(), "{id}");
    }
    println!(
        "campaign rotation: real files: {many} submissions under {keys} keys, all delivered in {} runs while {} came in; the slowest was taken in {} ms, none was turned away",
        relayed.runs,
        many - half,
        slowest.as_millis()
    );
}
