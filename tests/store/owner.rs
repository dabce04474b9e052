//! Whose store it is, and what else is checked before anything of it is read or written.

use std::time::Duration;

use halt_tracker::codes::Code;
use halt_tracker::queue::Site;
use halt_tracker::queue::lock::{PATIENCE, WriteLock};
use halt_tracker::queue::state::{Pause, State};

use crate::{Place, accept, ada, code, is_over_within, try_accept};

#[test]
fn a_store_opens_for_its_own_site_whatever_the_scheme_and_for_nobody_else() {
    let mut place = Place::new();
    accept(&mut place.opened(), &ada(1));
    place.site.home = "http://example.org/jobs".into();
    assert!(place.open().is_ok(), "scheme, www and a slash make no other site");
    place.site.home = "https://copy.example.org/jobs".into();
    assert_eq!(code(place.open()), Some(Code::StoreForeign));
    place.site.home = "https://example.org/jobs".into();
    place.site.install_id = "another install id of some length".into();
    assert_eq!(code(place.open()), Some(Code::StoreForeign));
}

#[test]
fn a_moved_site_is_bound_anew_and_looks_before_it_sends() {
    let mut place = Place::new();
    let one = ada(1);
    accept(&mut place.opened(), &one);
    place.site.home = "https://new.example.org".into();
    place.site.moved = true;
    let store = place.open().expect("bound anew");
    let seq = store.seq_of(&one.id).expect("there");
    assert!(store.job(seq).expect("read").verify);
    place.site.moved = false;
    drop(store);
    assert!(place.open().is_ok());
}

#[test]
fn a_site_whose_name_was_overwritten_finds_its_former_one_in_the_folder_and_only_at_its_own_address() {
    let mut place = Place::new();
    accept(&mut place.opened(), &ada(1));
    let own = place.site.install_id.clone();
    assert!(place.site.former(&place.dir()).is_none(), "it has its name");
    place.site.install_id = "f".repeat(32);
    place.site.epoch = "another store's".into();
    let former = place.site.former(&place.dir()).expect("named by the mark");
    assert_eq!((former.install_id.as_str(), former.epoch.as_str()), (own.as_str(), ""));
    let elsewhere = Site { home: "https://staging.example.org".into(), ..place.site.clone() };
    assert!(elsewhere.former(&place.dir()).is_none(), "another address has no claim");
    place.site = former;
    assert_eq!(place.opened().counts().expect("read").get("queued"), Some(&serde_json::json!(1)));
    // What a person names is used whole or not at all: no new key beside it, no empty store in its place.
    let key = place.key_file();
    std::fs::rename(&key, key.with_extension("away")).expect("away");
    assert_eq!(code(place.open()), Some(Code::KeyMissing));
    assert_eq!(std::fs::read_dir(key.parent().expect("a folder")).expect("there").count(), 1, "no key was made");
    std::fs::remove_dir_all(place.dir()).expect("removed");
    assert_eq!(code(place.open()), Some(Code::StoreMissing));
}

#[test]
fn a_store_that_moves_to_a_site_that_is_not_live_is_paused_there_until_a_person_lets_it_go_on() {
    for (environment, paused) in
        [("staging", true), ("development", true), ("local", true), ("production", false), ("", false)]
    {
        let mut place = Place::new();
        accept(&mut place.opened(), &ada(1));
        place.site.home = "https://staging.example.org".into();
        place.site.environment = environment.into();
        assert_eq!(code(place.open()), Some(Code::StoreForeign), "{environment}");
        place.site.moved = true;
        let mut store = place.open().expect("bound anew");
        let pauses = store.pauses().expect("read");
        let said: Vec<_> = pauses.iter().map(|pause| (pause.reason, pause.code, pause.detail.as_str())).collect();
        let expected = [(Pause::Site, Code::RelaySite.number(), environment)];
        assert_eq!(said, if paused { &expected[..] } else { &[] }, "{environment}");
        // The button that ends the pause of a new store ends this one, and it does not come back by itself.
        assert_eq!(store.lift(Pause::Site).expect("lifted"), paused, "{environment}");
        drop(store);
        assert_eq!(place.open().expect("opens").pauses().expect("read"), [], "{environment}: pressed twice");
        place.site.moved = false;
        assert_eq!(place.open().expect("opens").pauses().expect("read"), [], "{environment}");
    }
}

#[test]
fn a_vanished_store_is_not_replaced_by_an_empty_one() {
    let mut place = Place::new();
    drop(place.opened());
    std::fs::remove_dir_all(place.dir()).expect("removed");
    assert_eq!(code(place.open()), Some(Code::StoreMissing));
    assert!(!place.dir().exists());
    place.site = Site { epoch: String::new(), start_new: true, ..place.site };
    let store = place.open().expect("a new one, chosen by a person");
    assert_eq!(store.pauses().expect("read").len(), 1, "it begins paused: the lost one may have sent what comes again");
}

#[test]
fn an_emptied_database_is_damage_not_a_new_store() {
    let mut place = Place::new();
    let mut store = place.opened();
    accept(&mut store, &ada(1));
    store.checkpoint().expect("moved into the database");
    drop(store);
    std::fs::File::options().write(true).truncate(true).open(place.dir().join("queue.sqlite")).expect("emptied");
    assert_eq!(code(place.open()), Some(Code::StoreDamaged));
}

#[test]
fn a_store_of_a_newer_engine_is_not_touched() {
    let mut place = Place::new();
    let mut store = place.opened();
    accept(&mut store, &ada(1));
    store.connection().pragma_update(None, "user_version", 99).expect("set");
    assert_eq!(code(try_accept(&mut store, &ada(2), None, None)), Some(Code::StoreNewer), "an open handle notices too");
    drop(store);
    assert_eq!(code(place.open()), Some(Code::StoreNewer));
}

#[test]
fn a_replaced_database_is_noticed_before_anything_is_acknowledged() {
    let mut place = Place::new();
    let mut store = place.opened();
    let path = place.dir().join("queue.sqlite");
    std::fs::rename(&path, place.dir().join("away")).expect("moved");
    std::fs::copy(place.dir().join("away"), &path).expect("copied");
    assert!(!store.is_sound());
    assert_eq!(code(try_accept(&mut store, &ada(1), None, None)), Some(Code::StoreMoved));
}

#[test]
fn a_held_write_lock_costs_a_visitor_a_second_and_a_half_at_most() {
    let mut place = Place::new();
    let mut store = place.opened();
    let held = WriteLock::take(&place.dir().join("write.lock"), PATIENCE).expect("free");
    assert!(is_over_within(Duration::from_millis(1_900), || {
        assert_eq!(code(try_accept(&mut store, &ada(1), None, None)), Some(Code::StoreBusy));
    }));
    // A refused request is noted when nobody stands in line, or not at all: strangers make as many as they like.
    assert!(is_over_within(PATIENCE, || {
        assert_eq!(code(store.refused("192.0.2.7", Code::WebhookSignatureWrong, 1)), Some(Code::StoreBusy));
    }));
    drop(held);
    store.refused("192.0.2.7", Code::WebhookSignatureWrong, 1).expect("noted");
    assert_eq!(accept(&mut store, &ada(1)).state, State::Queued);
}

#[test]
fn the_same_request_and_the_same_body_are_one_submission() {
    let mut place = Place::new();
    let mut store = place.opened();
    let (mac, body) = ([1; 32], vec![[2; 32]]);
    let first = try_accept(&mut store, &ada(1), Some(mac), Some((body.clone(), 1_000_000))).expect("accepted");
    let replayed = try_accept(&mut store, &ada(2), Some(mac), None).expect("accepted");
    let signed_anew =
        try_accept(&mut store, &ada(3), Some([3; 32]), Some((body.clone(), 1_000_000))).expect("accepted");
    let by_id = try_accept(&mut store, &ada(1), None, None).expect("accepted");
    assert!([&replayed, &signed_anew, &by_id].iter().all(|one| one.id == first.id && one.duplicate));
    let other = try_accept(&mut store, &ada(4), Some([5; 32]), Some((vec![[4; 32]], 1_000_000))).expect("accepted");
    assert!(!other.duplicate);
}

#[test]
fn a_backup_goes_back_whole_and_what_was_there_stays_beside_it() {
    let mut place = Place::new();
    let mut store = place.opened();
    let (before, after) = (ada(1), ada(2));
    accept(&mut store, &before);
    std::fs::write(place.dir().join("files/a.sealed"), "sealed").expect("written");
    let backup = place.root.path().join("backup");
    assert_eq!(store.back_up(&backup).expect("copied"), 1);
    assert_eq!(code(store.back_up(&backup)), Some(Code::ActName), "a backup is never written over");
    accept(&mut store, &after);
    std::fs::remove_file(place.dir().join("files/a.sealed")).expect("removed");
    let aside = store.put_back(&backup, &crate::now()).expect("put back");
    assert!(aside.exists() && !store.is_sound());
    drop(store);
    let store = place.open().expect("opens");
    assert!(store.seq_of(&before.id).is_ok() && store.seq_of(&after.id).is_err());
    assert!(place.dir().join("files/a.sealed").exists());
    std::fs::write(backup.join("halt-tracker-store"), "another install").expect("written");
    drop(store);
    let mut store = place.open().expect("opens");
    assert_eq!(code(store.put_back(&backup, &crate::now())), Some(Code::StoreForeign));
}
