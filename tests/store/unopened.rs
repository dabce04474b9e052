//! A store that cannot be opened any more is what a backup is for: it is put back all the same, paused, and nothing that is
//! left of the old one is thrown away.

use halt_tracker::codes::Code;
use halt_tracker::queue::state::{Pause, State};
use halt_tracker::queue::{Site, Store};
use std::path::PathBuf;

use crate::{Place, accept, ada, code, now, sealed_file};

/// A place with a backup of one submission and a later one that is not in it.
fn with_backup() -> (Place, PathBuf) {
    let mut place = Place::new();
    let mut store = place.opened();
    let file = sealed_file(&store, &ada(1).id, "cv.pdf", b"%PDF-1.4 canary");
    crate::accept_with(&mut store, &ada(1), &[file]);
    let backup = place.root.path().join("backup");
    store.back_up(&backup).expect("backed up");
    accept(&mut store, &ada(2));
    (place, backup)
}

fn put_back(place: &Place, backup: &std::path::Path) -> Result<Option<PathBuf>, halt_tracker::queue::QueueError> {
    Store::put_back_unopened(&place.dir(), &place.key_file(), &place.site, backup, &now())
}

/// The stored name of the first submission's file.
fn stored_of(place: &Place) -> String {
    let store = place.open().expect("opens");
    let (seq, ..) = store.detail(&ada(1).id).expect("there");
    store.job(seq).expect("read").files[0].stored.clone()
}

#[track_caller]
fn is_back(place: &Place) {
    let store = place.open().expect("it opens again");
    assert_eq!(store.state_of(&ada(1).id).expect("read"), Some(State::Queued));
    assert_eq!(store.state_of(&ada(2).id).expect("read"), None, "it came after the backup");
    let pauses: Vec<Pause> = store.pauses().expect("read").iter().map(|pause| pause.reason).collect();
    assert_eq!(pauses, [Pause::Restored]);
    assert!(place.dir().join("files").join(stored_of(place)).exists(), "with its file");
}

#[test]
fn a_damaged_database_gives_its_place_to_the_backup_and_is_kept_for_a_week() {
    let (place, backup) = with_backup();
    let database = place.dir().join("queue.sqlite");
    let damage = b"not a database at all".repeat(100);
    std::fs::write(&database, &damage).expect("damaged");
    assert_eq!(code(place.open()), Some(Code::StoreDamaged));
    let aside = put_back(&place, &backup).expect("put back").expect("the damaged one");
    assert_eq!(std::fs::read(&aside).expect("kept"), damage);
    is_back(&place);
    let store = place.open().expect("opens");
    let kept = || {
        std::fs::read_dir(place.dir())
            .expect("a folder")
            .flatten()
            .filter(|entry| entry.file_name().to_string_lossy().contains(".damaged-"))
            .count()
    };
    assert_eq!(kept(), 2, "with its WAL");
    store.erase_aside().expect("nobody opens it");
    store.sweep(now().wall + 6 * 24 * 3_600_000).expect("swept");
    assert_eq!(kept(), 2);
    store.sweep(now().wall + 8 * 24 * 3_600_000).expect("swept");
    assert_eq!(kept(), 0);
}

#[test]
fn a_store_that_is_gone_with_its_folder_is_made_from_the_backup() {
    let (place, backup) = with_backup();
    std::fs::remove_dir_all(place.dir()).expect("gone");
    assert_eq!(code(place.open()), Some(Code::StoreMissing));
    assert_eq!(put_back(&place, &backup).expect("put back"), None);
    is_back(&place);
}

#[test]
fn a_backup_that_is_damaged_of_another_site_or_without_a_key_is_put_nowhere() {
    let (place, backup) = with_backup();
    let database = place.dir().join("queue.sqlite");
    std::fs::write(&database, b"damaged").expect("damaged");
    let untouched = || assert_eq!(std::fs::read(&database).expect("read"), b"damaged");
    let other = Site { install_id: "f".repeat(32), ..place.site.clone() };
    let of_other = Store::put_back_unopened(&place.dir(), &place.key_file(), &other, &backup, &now());
    assert_eq!(code(of_other), Some(Code::StoreForeign));
    untouched();
    let keys = place.root.path().join("keys-away");
    std::fs::rename(place.root.path().join("keys"), &keys).expect("away");
    assert_eq!(code(put_back(&place, &backup)), Some(Code::KeyMissing));
    std::fs::rename(keys, place.root.path().join("keys")).expect("back");
    untouched();
    std::fs::write(backup.join("queue.sqlite"), b"damaged too").expect("damaged");
    assert_eq!(code(put_back(&place, &backup)), Some(Code::StoreDamaged));
    untouched();
}

/// A file of the backup that opens and breaks off when it is read, as from a disk that fails.
fn cannot_be_read(backup: &std::path::Path, stored: &str) {
    std::fs::remove_file(backup.join("files").join(stored)).expect("away");
    std::os::unix::fs::symlink("/proc/self/mem", backup.join("files").join(stored)).expect("linked");
}

#[test]
fn a_restore_that_fails_half_way_leaves_no_half_a_file_for_the_next_one() {
    let (mut place, backup) = with_backup();
    let stored = stored_of(&place);
    let (here, there) = (place.dir().join("files").join(&stored), backup.join("files").join(&stored));
    let whole = std::fs::read(&there).expect("read");
    std::fs::remove_file(&here).expect("lost");
    cannot_be_read(&backup, &stored);
    assert!(place.opened().put_back(&backup, &now()).is_err());
    assert!(put_back(&place, &backup).is_err());
    assert!(!here.exists(), "a part of it under its final name");
    let left = std::fs::read_dir(place.dir().join("files")).expect("listed").flatten();
    assert_eq!(left.map(|entry| entry.file_name()).collect::<Vec<_>>(), Vec::<std::ffi::OsString>::new());
    std::fs::remove_file(&there).expect("away");
    std::fs::write(&there, &whole).expect("the disk is back");
    place.opened().put_back(&backup, &now()).expect("put back");
    assert_eq!(std::fs::read(&here).expect("there"), whole);
}

#[test]
fn a_file_that_was_cut_is_made_whole_by_a_restore_and_a_whole_one_is_left_alone() {
    let (mut place, backup) = with_backup();
    let stored = stored_of(&place);
    let (here, there) = (place.dir().join("files").join(&stored), backup.join("files").join(&stored));
    let whole = std::fs::read(&there).expect("read");
    std::fs::write(&here, &whole[..40]).expect("cut");
    place.opened().put_back(&backup, &now()).expect("put back");
    assert_eq!(std::fs::read(&here).expect("there"), whole);
    std::fs::write(&there, &whole[..40]).expect("cut in the backup");
    place.opened().put_back(&backup, &now()).expect("put back");
    assert_eq!(std::fs::read(&here).expect("there"), whole);
}
