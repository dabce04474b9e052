//! Lists and counts with ten thousand submissions: right, and by index.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use halt_tracker::queue::act::Action;
use halt_tracker::queue::view::Query;
use halt_tracker::queue::{Site, Store};
use halt_tracker::settings::RecordType;
use halt_tracker::submission::Form;
use halt_tracker::vault::Ring;
use rusqlite::trace::{TraceEvent, TraceEventCodes};
use rusqlite::types::Null;
use rusqlite::{Connection, params_from_iter};
use serde_json::json;

use crate::{Place, accept, now, submission};

#[test]
fn lists_are_searched_by_exact_mail_whole_words_form_and_id() {
    let mut place = Place::new();
    let mut store = place.opened();
    for (id, name, email) in [
        (1, "Ada Lovelace", "ada@example.org"),
        (2, "Grace Hopper", "grace@example.org"),
        (3, "Ada Hopper", "ADA.h@example.org"),
    ] {
        accept(&mut store, &submission(id, &json!({ "name": name, "email": email })));
    }
    let mut titled = submission(4, &json!({ "name": "Karen Jones", "email": "k@example.org" }));
    titled.form = Form {
        id: "et_pb_contact_form_0".into(),
        key: "7:et_pb_contact_form_0".into(),
        title: "Apply now".into(),
        ..Form::default()
    };
    accept(&mut store, &titled);
    let count = |search: &str| store.list(&Query { search: search.into(), ..Query::default() }).expect("listed").0;
    for (search, hits) in [
        ("ada@example.org", 1),
        (" Ada@Example.org ", 1),
        ("ada", 2),
        ("hopper", 2),
        ("ada hopper", 1),
        ("love", 0),
        ("careers", 3),
        // What the list calls a form is what people type.
        ("Apply now", 1),
        ("apply NOW", 1),
        ("apply", 0),
        ("7:et_pb_contact_form_0", 1),
        ("", 4),
        ("00000000-0000-4000-8000-000000000002", 1),
        ("4711", 0),
    ] {
        assert_eq!(count(search), hits, "{search}");
    }
    let items = store.list(&Query::default()).expect("listed").1;
    assert!(
        items.iter().all(|item| !item.person.contains("Hopper") && !item.email.contains("example.org")),
        "lists are masked"
    );
}

/// A store in memory that tells every statement that it begins to run.
fn traced(said: &Arc<Mutex<BTreeSet<String>>>) -> (tempfile::TempDir, Store) {
    let keys = tempfile::tempdir().expect("a folder");
    let ring = Ring::create(&keys.path().join("key.php")).expect("a ring");
    let mut conn = Connection::open_in_memory().expect("a database");
    let heard = Arc::clone(said);
    let listener = move |event: TraceEvent<'_>| {
        if let TraceEvent::Stmt(statement, _) = event {
            heard.lock().expect("nobody failed").insert(statement.sql().into_owned());
        }
    };
    conn.trace_v2(TraceEventCodes::SQLITE_TRACE_STMT, Some(listener)).expect("heard");
    let site = Site { install_id: "0".repeat(32), home: "https://www.example.org".into(), ..Site::default() };
    (keys, Store::in_memory(conn, ring, &site).expect("a store"))
}

/// Everything that the pages, REST, the CLI and a run ask of ten thousand submissions, in every order and by every filter.
fn ask_everything(store: &mut Store) {
    let base = Query::default;
    for sort in ["received_at", "updated_at", "state", "form"] {
        for direction in ["asc", "desc"] {
            let (total, items) = store
                .list(&Query { sort: sort.into(), direction: direction.into(), page: 40, ..base() })
                .expect("listed");
            assert_eq!((total, items.len()), (10_000, 20), "{sort} {direction}");
        }
    }
    for (search, hits) in [
        ("p4711@example.org", 1),
        ("person4711", 1),
        ("person4711 of", 1),
        ("nobody", 0),
        ("careers", 10_000),
        ("4711", 0),
    ] {
        assert_eq!(store.list(&Query { search: search.into(), ..base() }).expect("listed").0, hits, "{search}");
    }
    let id = "00000000-0000-4000-8000-000000004711";
    for query in [
        Query { search: id.into(), ..base() },
        Query { state: "queued".into(), ..base() },
        Query { form: "careers".into(), ..base() },
        Query { state: "queued".into(), form: "careers".into(), search: "person4711".into(), ..base() },
        Query { from: Some(0), to: Some(i64::MAX), ..base() },
    ] {
        assert!(store.list(&query).expect("listed").0 > 0, "{query:?}");
    }
    store.counts().expect("counted");
    store.oldest_waiting().expect("found");
    store.waiting(&now()).expect("counted");
    store.runs(3).expect("listed");
    store.forms().expect("listed");
    store.refusals().expect("listed");
    store.held_earlier().expect("counted");
    store.ids_of_email("p4711@example.org").expect("found");
    let (seq, ..) = store.detail(id).expect("there");
    store.journal(seq, id).expect("read");
    store.step_views(seq, id).expect("read");
    store.job(seq).expect("read");
    store.next_due(&now()).expect("asked");
    store.due_audit(now().wall).expect("asked");
    store.earlier_open(seq, &[0; 32]).expect("asked");
    store.known_record(&[0; 32], "tenant", RecordType::Contact).expect("asked");
    store.is_of_another(5, seq).expect("asked");
    store.act(id, Action::Discard, &now()).expect("done");
}

#[test]
fn with_ten_thousand_submissions_no_statement_reads_a_table_from_end_to_end() {
    let said = Arc::new(Mutex::new(BTreeSet::new()));
    let (_keys, mut store) = traced(&said);
    for number in 1..=10_000 {
        let fields = json!({ "name": format!("Person{number} Of Ten"), "email": format!("p{number}@example.org") });
        accept(&mut store, &submission(number, &fields));
    }
    said.lock().expect("nobody failed").clear();
    ask_everything(&mut store);
    let said = said.lock().expect("nobody failed").clone();
    let asked: Vec<&String> =
        said.iter().filter(|sql| ["SELECT", "UPDATE", "DELETE"].iter().any(|verb| sql.starts_with(verb))).collect();
    assert!(asked.len() > 30, "only {} statements were heard", asked.len());
    for sql in asked {
        let mut statement = store.connection().prepare(&format!("EXPLAIN QUERY PLAN {sql}")).expect("a statement");
        let places = statement.parameter_count();
        let rows = statement.query_map(params_from_iter(vec![Null; places]), |row| row.get::<_, String>(3));
        for line in rows.expect("a plan").map(|row| row.expect("a row")) {
            let table = line.strip_prefix("SCAN ").and_then(|rest| rest.split(' ').next()).unwrap_or_default();
            // A short name stands for the table of submissions in some statements.
            let grows = GROWING.contains(&table) || table == "s";
            assert!(!grows || line.contains("INDEX"), "{sql}: {line}");
        }
    }
}

/// What grows with every submission.
const GROWING: [&str; 6] = ["submission", "step", "file", "journal", "run_item", "search"];
