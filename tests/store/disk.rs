//! The files of a store: what is made again when it is missing, what is noticed when others touch them, and how long locks
//! are waited for.

use std::time::Duration;

use halt_tracker::codes::Code;
use halt_tracker::queue::lock::{PATIENCE, WriteLock};
use halt_tracker::vault::file::SealedWriter;

use crate::{Place, accept, ada, code, is_over_within, try_accept};

/// A backup tool that leaves out empty folders, or a crash between making the database and making the folder.
#[test]
fn a_store_whose_folder_of_files_or_mark_is_gone_makes_them_again() {
    let mut place = Place::new();
    drop(place.opened());
    std::fs::remove_dir(place.dir().join("files")).expect("removed");
    let mark = std::fs::read(place.dir().join("halt-tracker-store")).expect("a mark");
    std::fs::write(place.dir().join("halt-tracker-store"), "").expect("emptied by a power cut");
    let store = place.open().expect("opens");
    let folder = store.files_dir().expect("on disk");
    assert!(SealedWriter::create(store.ring(), &folder, "one").is_ok(), "files can be taken");
    assert_eq!(std::fs::read(place.dir().join("halt-tracker-store")).expect("a mark"), mark);
}

/// What the WAL held is gone, and with it perhaps the word that something was sent.
#[test]
fn a_store_whose_wal_was_deleted_looks_before_it_sends() {
    let mut place = Place::new();
    let mut store = place.opened();
    let one = ada(1);
    accept(&mut store, &one);
    store.checkpoint().expect("moved into the database");
    drop(store);
    assert!(
        !place
            .open()
            .map(|store| store.job(store.seq_of(&one.id).expect("there")).expect("read").verify)
            .expect("opens")
    );
    std::fs::remove_file(place.dir().join("queue.sqlite-wal")).expect("removed");
    let store = place.open().expect("opens");
    let seq = store.seq_of(&one.id).expect("there");
    assert!(store.job(seq).expect("read").verify);
}

/// The process that has it open still holds everything: it saves what the others would lose.
#[test]
fn a_wal_that_is_deleted_below_an_open_store_loses_nothing_that_was_acknowledged() {
    let mut place = Place::new();
    let mut store = place.opened();
    let (one, other) = (ada(1), ada(2));
    accept(&mut store, &one);
    std::fs::remove_file(place.dir().join("queue.sqlite-wal")).expect("removed");
    assert_eq!(code(try_accept(&mut store, &other, None, None)), Some(Code::StoreMoved), "not acknowledged");
    drop(store);
    let mut store = place.open().expect("opens");
    assert!(store.seq_of(&one.id).is_ok(), "acknowledged before");
    accept(&mut store, &other);
}

#[test]
fn a_visitor_waits_for_all_locks_together_a_second_and_a_half_at_most() {
    let mut place = Place::new();
    let mut store = place.opened();
    // Ours is had late, and then somebody else's tool holds the database itself.
    let tool = rusqlite::Connection::open(place.dir().join("queue.sqlite")).expect("opens");
    tool.execute_batch("BEGIN IMMEDIATE").expect("held");
    assert!(is_over_within(Duration::from_millis(2_000), || {
        let held = WriteLock::take(&place.dir().join("write.lock"), PATIENCE).expect("free");
        let late = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(900));
            drop(held);
        });
        assert_eq!(code(try_accept(&mut store, &ada(1), None, None)), Some(Code::StoreBusy));
        late.join().expect("ended");
    }));
}
