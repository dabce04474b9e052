//! The sweep deletes what nobody names any more, and nothing that anybody may still need: neither while a store that a
//! restore has set aside names it, nor while nobody can tell.

use std::path::{Path, PathBuf};

use halt_tracker::queue::Store;

use crate::{Place, accept_with, ada, code, now, sealed_file};

const DAY: i64 = 24 * 3_600_000;

/// A place with a backup of one CV and a later CV that is not in it; the stored name of each.
fn with_backup() -> (Place, PathBuf, [String; 2]) {
    let mut place = Place::new();
    let mut store = place.opened();
    let first = with_cv(&mut store, 1);
    let backup = place.root.path().join("backup");
    store.back_up(&backup).expect("backed up");
    let second = with_cv(&mut store, 2);
    (place, backup, [first, second])
}

/// A submission with a CV; its stored name.
fn with_cv(store: &mut Store, id: u32) -> String {
    let file = sealed_file(store, &ada(id).id, "cv.pdf", b"%PDF-1.4 canary");
    accept_with(store, &ada(id), std::slice::from_ref(&file));
    file.stored
}

/// The names in the folder of sealed files.
fn listed(dir: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(dir.join("files"))
        .expect("a folder")
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

fn sweeps(store: &Store, days: i64) -> usize {
    store.sweep(now().wall + days * DAY).expect("swept")
}

#[test]
fn files_of_a_store_that_was_set_aside_are_kept_for_as_long_as_that_is() {
    let (place, backup, both) = with_backup();
    let aside = place.open().expect("opens").put_back(&backup, &now()).expect("put back");
    let store = place.open().expect("opens");
    // What a writer that was killed left behind has a name that no store ever gives.
    let draft = place.dir().join("files/.0.sealed");
    std::fs::write(&draft, "half").expect("written");
    assert_eq!(sweeps(&store, 6), 1, "the draft alone");
    assert_eq!(listed(&place.dir()), both, "the later CV is named by the store that was set aside");
    assert!(aside.exists() && !draft.exists());
    assert_eq!(sweeps(&store, 8), 1);
    assert_eq!(listed(&place.dir()), both[..1]);
}

#[test]
fn files_of_a_damaged_store_are_kept_for_as_long_as_that_is() {
    let (place, backup, both) = with_backup();
    std::fs::write(place.dir().join("queue.sqlite"), b"not a database".repeat(100)).expect("damaged");
    Store::put_back_unopened(&place.dir(), &place.key_file(), &place.site, &backup, &now()).expect("put back");
    let store = place.open().expect("opens");
    assert_eq!(sweeps(&store, 6), 0);
    assert_eq!(listed(&place.dir()), both);
    assert_eq!(sweeps(&store, 8), 1);
    assert_eq!(listed(&place.dir()), both[..1]);
}

#[test]
fn who_is_erased_in_a_store_that_was_set_aside_leaves_no_file_there() {
    let (place, backup, both) = with_backup();
    place.open().expect("opens").put_back(&backup, &now()).expect("put back");
    let mut store = place.open().expect("opens");
    store.note_erasure("ada@example.org", now().wall + 1).expect("noted");
    store.erase_aside().expect("erased");
    // The first CV is named here as well: it goes when it is erased here.
    assert_eq!(listed(&place.dir()), both[..1]);
}

#[test]
fn a_file_of_which_nobody_can_tell_whose_it_is_stays() {
    let mut place = Place::new();
    let mut store = place.opened();
    let stored = with_cv(&mut store, 1);
    let other = rusqlite::Connection::open(place.dir().join("queue.sqlite")).expect("opens");
    other.execute_batch("PRAGMA legacy_alter_table = ON; ALTER TABLE file RENAME TO away").expect("renamed");
    assert!(code(store.sweep(now().wall + 2 * DAY)).is_some(), "a read that fails is said");
    assert_eq!(listed(&place.dir()), std::slice::from_ref(&stored));
    other.execute_batch("ALTER TABLE away RENAME TO file").expect("renamed");
    assert_eq!(store.sweep(now().wall + 2 * DAY).ok(), Some(0));
    assert_eq!(listed(&place.dir()), [stored]);
}
