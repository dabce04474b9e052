//! Keys: rotation while the store is in use, a lost key, and one that comes back.

use halt_tracker::codes::Code;
use halt_tracker::queue::state::Pause;

use halt_tracker::queue::{Site, Store};

use crate::{Place, accept, ada, code, now, submission};
use serde_json::json;

fn rows_under(store: &halt_tracker::queue::Store, key: &str) -> i64 {
    let raw: Vec<u8> = (0..8).map(|at| u8::from_str_radix(&key[at * 2..at * 2 + 2], 16).expect("hex")).collect();
    let tables = [
        ("submission", "payload"),
        ("journal", "detail"),
        ("secret", "sealed"),
        ("token", "sealed"),
        ("refusal", "address"),
        ("pause", "detail"),
    ];
    tables
        .iter()
        .map(|(table, column)| {
            let sql =
                format!("SELECT count(*) FROM {table} WHERE {column} IS NOT NULL AND substr({column}, 2, 8) = ?1");
            store.connection().query_row(&sql, [&raw], |row| row.get::<_, i64>(0)).expect("counted")
        })
        .sum()
}

#[test]
fn after_a_rotation_every_row_moves_to_the_new_key_and_nothing_is_lost() {
    let mut place = Place::new();
    let mut store = place.opened();
    for id in 0..700 {
        accept(&mut store, &submission(id, &json!({ "email": format!("p{id}@example.org") })));
    }
    store.save_secret("client_secret", "a secret of more than twenty letters", false, 1).expect("saved");
    store.set_token("oauth", Some(("token", None))).expect("kept");
    store.refused("192.0.2.1", Code::WebhookSignatureWrong, 1).expect("noted");
    store.pause(Pause::ByHand, Code::RelayPaused, "words", 1, 0).expect("paused");
    let old = store.ring().current().to_owned();
    let new = store.rotate_key().expect("rotated");
    accept(&mut store, &ada(1_000));
    assert!(rows_under(&store, &old) >= 704);
    while store.reseal().expect("resealed") > 0 {}
    assert_eq!((rows_under(&store, &old), rows_under(&store, &new) >= 705), (0, true));
    drop(store);
    let store = place.open().expect("opens");
    assert_eq!(store.ring().current(), new);
    assert_eq!(store.secrets("client_secret").expect("opens")[0].1.as_str(), "a secret of more than twenty letters");
    let seq = store.seq_of(&submission(699, &json!({})).id).expect("there");
    assert!(store.job(seq).expect("opens").submission.is_some());
}

#[test]
fn a_lost_key_pauses_sending_takes_in_what_comes_and_heals_when_it_returns() {
    let mut place = Place::new();
    let mut store = place.opened();
    let before = ada(1);
    accept(&mut store, &before);
    drop(store);
    let kept = place.root.path().join("kept");
    std::fs::rename(place.key_file(), &kept).expect("lost");
    let mut store = place.open().expect("goes on under a new key");
    assert!(store.pauses().expect("read").iter().any(|pause| pause.reason == Pause::Key));
    let after = ada(2);
    accept(&mut store, &after);
    let seq = store.seq_of(&before.id).expect("there");
    assert!(store.job(seq).is_err(), "what is sealed under the lost key waits");
    assert!(!store.look_for_lost_key().expect("looked"));
    std::fs::rename(&kept, place.key_file()).expect("back");
    assert!(store.look_for_lost_key().expect("looked"));
    assert!(store.pauses().expect("read").is_empty());
    for one in [&before, &after] {
        let seq = store.seq_of(&one.id).expect("there");
        assert_eq!(store.job(seq).expect("opens").submission.as_ref(), Some(one));
    }
    assert_eq!(
        store.ids_of_email("ada@example.org").expect("found").len(),
        2,
        "who came while the key was away is found too"
    );
    assert!(store.next_due(&now()).expect("read").is_some());
}

#[test]
fn a_broken_key_file_is_never_overwritten_and_nothing_is_opened() {
    let mut place = Place::new();
    accept(&mut place.opened(), &ada(1));
    std::fs::write(place.key_file(), "<?php exit; ?>\nrubbish\n").expect("broken");
    assert_eq!(crate::code(place.open()), Some(Code::KeyUnreadable));
    assert_eq!(std::fs::read_to_string(place.key_file()).expect("there"), "<?php exit; ?>\nrubbish\n");
}

#[test]
fn a_lost_folder_of_keys_is_a_lost_key_and_takes_in_what_comes() {
    let mut place = Place::new();
    drop(place.opened());
    std::fs::remove_dir_all(place.root.path().join("keys")).expect("removed");
    let mut store = place.open().expect("opens");
    accept(&mut store, &ada(1));
    assert_eq!(store.pauses().expect("read").first().map(|pause| pause.reason), Some(Pause::Key));
}

#[test]
fn a_credential_of_one_site_opens_in_no_other_store_under_the_same_key_file() {
    let mut place = Place::new();
    let mut store = place.opened();
    store.save_secret("client_secret", "a secret of more than twenty letters", false, 1).expect("saved");
    store.set_token("oauth", Some(("a token", None))).expect("kept");
    let site = Site { install_id: "fedcba9876543210fedcba9876543210".into(), ..place.site.clone() };
    let site = Site { epoch: String::new(), ..site };
    let mut other = Store::open(&place.root.path().join("other"), &place.key_file(), &site).expect("another site");
    other.save_secret("client_secret", "another secret of twenty letters", false, 1).expect("saved");
    other.set_token("oauth", Some(("another token", None))).expect("kept");
    for (table, read) in [("secret", true), ("token", false)] {
        let sql = format!("SELECT sealed FROM {table}");
        let sealed: Vec<u8> = store.connection().query_row(&sql, [], |row| row.get(0)).expect("read");
        other.connection().execute(&format!("UPDATE {table} SET sealed = ?1"), [sealed]).expect("moved");
        let opened = if read { other.secrets("client_secret").map(drop) } else { other.token("oauth").map(drop) };
        assert_eq!(code(opened), Some(Code::UnsealFailed), "{table}");
    }
}
