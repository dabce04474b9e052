//! What lies on disk, and what is gone after an erasure: every byte of the folder is searched.

use halt_tracker::queue::act::Action;
use halt_tracker::queue::state::State;

use crate::{Place, accept, ada, now, submission};
use serde_json::json;

const CANARIES: &[&str] = &["Lovelace", "ada@example.org", "canary-message", "canary-secret"];

fn found(place: &Place) -> Vec<String> {
    let mut hits = Vec::new();
    let mut folders = vec![place.root.path().to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("listed").flatten() {
            if entry.path().is_dir() {
                folders.push(entry.path());
                continue;
            }
            let bytes = std::fs::read(entry.path()).expect("read");
            let has = |text: &str| bytes.windows(text.len()).any(|part| part.eq_ignore_ascii_case(text.as_bytes()));
            hits.extend(
                CANARIES.iter().filter(|text| has(text)).map(|text| format!("{text} in {}", entry.path().display())),
            );
        }
    }
    hits
}

#[test]
fn nothing_of_a_person_or_a_secret_lies_on_disk_in_the_clear() {
    let mut place = Place::new();
    let mut store = place.opened();
    accept(&mut store, &ada(1));
    store.save_secret("client_secret", "canary-secret-of-some-length", false, 1).expect("saved");
    assert_eq!(found(&place), Vec::<String>::new());
    // The control: the search does find what lies there.
    std::fs::write(place.dir().join("control"), "x Lovelace x").expect("written");
    assert_eq!(found(&place).len(), 1);
}

#[test]
fn after_an_erasure_only_the_id_is_left() {
    let mut place = Place::new();
    let mut store = place.opened();
    let one = ada(1);
    accept(&mut store, &one);
    assert_eq!(store.ids_of_email(" ADA@example.org").expect("found"), std::slice::from_ref(&one.id));
    store.act(&one.id, Action::Erase, &now()).expect("erased");
    assert_eq!(store.state_of(&one.id).expect("read"), Some(State::Erased));
    assert!(store.ids_of_email("ada@example.org").expect("searched").is_empty());
    let (seq, item, left) = store.detail(&one.id).expect("a tombstone");
    assert!(left.is_none() && item.email.is_empty() && item.person.is_empty());
    assert!(store.journal(seq, &one.id).expect("read").is_empty());
    store.checkpoint().expect("moved into the database");
    let left: i64 = store
        .connection()
        .query_row("SELECT count(*) FROM submission WHERE payload IS NOT NULL OR plan IS NOT NULL", [], |row| {
            row.get(0)
        })
        .expect("counted");
    assert_eq!(left, 0);
    // What was received before and comes in later, from the capture table, is erased too; a new application is not.
    let mut earlier = ada(2);
    earlier.received_at -= 60_000;
    assert_eq!(accept(&mut store, &earlier).state, State::Erased);
    let mut again = ada(3);
    again.received_at += 60_000;
    assert_eq!(accept(&mut store, &again).state, State::Queued);
    let namesake = submission(4, &json!({ "name": "Ada Lovelace", "email": "another@example.org" }));
    assert_eq!(accept(&mut store, &namesake).state, State::Queued, "a namesake is somebody else");
}

#[test]
fn retention_takes_the_data_of_what_ended_and_leaves_the_rest() {
    let mut place = Place::new();
    let mut store = place.opened();
    let (ended, waiting) = (ada(1), submission(2, &json!({ "email": "b@example.org" })));
    accept(&mut store, &ended);
    accept(&mut store, &waiting);
    store.act(&ended.id, Action::Discard, &now()).expect("discarded");
    let day = 24 * 3_600_000;
    assert_eq!(store.tidy(7, now().wall + 6 * day).expect("tidied"), 0);
    assert_eq!(store.tidy(7, now().wall + 8 * day).expect("tidied"), 1);
    assert!(store.detail(&ended.id).expect("there").2.is_none());
    assert!(store.detail(&waiting.id).expect("there").2.is_some(), "nothing that waits is ever taken");
}

#[test]
fn what_failed_says_when_its_data_goes_and_two_weeks_before_counts_it() {
    let mut place = Place::new();
    let mut store = place.opened();
    let day = 24 * 3_600_000;
    for (id, state, column) in [(1, "failed", "ended_at"), (2, "attention", "updated_at"), (3, "queued", "updated_at")]
    {
        let one = submission(id, &json!({ "email": format!("p{id}@example.org") }));
        accept(&mut store, &one);
        let sql = format!("UPDATE submission SET state = ?1, {column} = ?2 WHERE id = ?3");
        store.connection().execute(&sql, rusqlite::params![state, now().wall, one.id]).expect("set");
        let seq = store.seq_of(&one.id).expect("there");
        let at = store.erases_at(seq).expect("read");
        assert_eq!(at.map(|at| (at - now().wall + day / 2) / day), (state != "queued").then_some(90), "{state}");
    }
    assert_eq!(store.erasing_soon(now().wall + 75 * day).expect("counted").0, 0);
    let (count, first) = store.erasing_soon(now().wall + 77 * day).expect("counted");
    assert!(count == 2 && first.is_some_and(|at| at > now().wall + 89 * day), "{count} {first:?}");
    assert_eq!(store.tidy(7, now().wall + 91 * day).expect("tidied"), 2);
    assert_eq!(store.erasing_soon(now().wall + 91 * day).expect("counted").0, 0);
}
