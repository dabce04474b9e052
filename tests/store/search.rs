//! Lists and counts with ten thousand submissions: right, and by index.

use halt_tracker::queue::view::Query;
use serde_json::json;

use crate::{Place, accept, submission};

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
    let count = |search: &str| store.list(&Query { search: search.into(), ..Query::default() }).expect("listed").0;
    for (search, hits) in [
        ("ada@example.org", 1),
        (" Ada@Example.org ", 1),
        ("ada", 2),
        ("hopper", 2),
        ("ada hopper", 1),
        ("love", 0),
        ("careers", 3),
        ("", 3),
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

#[test]
fn every_statement_of_the_pages_uses_an_index() {
    let mut place = Place::new();
    let store = place.opened();
    let plan = |sql: &str| {
        let mut statement = store.connection().prepare(&format!("EXPLAIN QUERY PLAN {sql}")).expect("a statement");
        let rows = statement.query_map([], |row| row.get::<_, String>(3)).expect("a plan");
        rows.map(|row| row.expect("a row")).collect::<Vec<_>>().join("; ")
    };
    for sql in [
        "SELECT state, count(*) FROM submission GROUP BY state",
        "SELECT id FROM submission WHERE state = 'queued' ORDER BY received_at LIMIT 1",
        "SELECT seq FROM submission WHERE 1 ORDER BY received_at DESC, seq DESC LIMIT 20 OFFSET 40",
        "SELECT seq FROM submission WHERE 1 ORDER BY updated_at DESC, seq DESC LIMIT 20",
        "SELECT seq FROM submission WHERE state = 'failed' ORDER BY received_at DESC LIMIT 20",
        "SELECT seq FROM submission WHERE form_key = 'x' ORDER BY received_at DESC LIMIT 20",
        "SELECT seq FROM submission WHERE tracker_id = 5",
        "SELECT seq FROM submission WHERE seq IN (SELECT seq FROM search WHERE hash = x'00')",
        "SELECT at FROM journal WHERE seq = 5 ORDER BY line",
        "SELECT seq FROM submission WHERE state = 'queued' AND ((boot_id = 'a' AND due_boot <= 1) OR (boot_id <> 'a' AND due_at <= 1)) ORDER BY due_at, seq LIMIT 1",
        "SELECT seq FROM submission WHERE audit_at <= 1 AND state IN ('done','attention','failed') ORDER BY audit_at LIMIT 1",
    ] {
        let plan = plan(sql);
        assert!(plan.contains("INDEX") || plan.contains("PRIMARY KEY"), "{sql}: {plan}");
        assert!(
            !plan.split("; ").any(|line| line.starts_with("SCAN submission") && !line.contains("INDEX")),
            "{sql}: {plan}"
        );
    }
}
