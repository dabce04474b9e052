//! Who was erased stays erased: after a backup is put back, after the store itself is replaced by an older one, and when the
//! same signed request comes once more.

use halt_tracker::queue::Store;
use halt_tracker::queue::act::Action;
use halt_tracker::queue::erasure::Erased;
use halt_tracker::queue::state::{State, StepState};
use halt_tracker::queue::work::StepOutcome;

use crate::history::{plan, settled};
use crate::{Place, accept, ada, now, submission, try_accept};
use serde_json::json;

const DAY: i64 = 24 * 3_600_000;

fn erase(store: &mut Store, id: &str) {
    store.act(id, Action::Erase, &now()).expect("erased");
}

fn known_of(store: &mut Store) -> Erased {
    store.share_erasures(&Erased::new(), &now()).expect("shared").0
}

#[test]
fn a_recorded_request_does_not_bring_back_who_was_erased_or_discarded() {
    let mut place = Place::new();
    let mut store = place.opened();
    for (id, action) in [(1, Action::Erase), (2, Action::Discard)] {
        let mac = Some([id as u8; 32]);
        let content = Some((vec![[id as u8 + 100; 32]], 3 * DAY));
        let first = try_accept(&mut store, &ada(id), mac, content.clone()).expect("accepted");
        store.act(&first.id, action, &now()).expect("done");
        // The very same request again: the same answer, no second submission.
        let again = try_accept(&mut store, &ada(id + 10), mac, content.clone()).expect("answered");
        assert_eq!((again.id.as_str(), again.duplicate), (first.id.as_str(), true));
        assert_eq!(store.state_of(&ada(id + 10).id).expect("read"), None);
        // Signed anew by somebody who has the secret, the same body is a new one.
        let mut anew = ada(id + 20);
        anew.received_at += 60_000;
        let anew = try_accept(&mut store, &anew, Some([id as u8 + 50; 32]), content).expect("accepted");
        assert!(!anew.duplicate && anew.state == State::Queued, "{anew:?}");
    }
}

#[test]
fn a_site_that_remembers_erasures_has_them_done_again_in_an_older_store() {
    let mut place = Place::new();
    let mut store = place.opened();
    let (gone, stays) = (ada(1), submission(2, &json!({ "email": "b@example.org" })));
    accept(&mut store, &gone);
    accept(&mut store, &stays);
    store.checkpoint().expect("moved");
    drop(store);
    let copy = place.root.path().join("yesterday");
    std::process::Command::new("cp").arg("-a").arg(place.dir()).arg(&copy).status().expect("copied");

    let mut store = place.open().expect("opens");
    erase(&mut store, &gone.id);
    let remembered = known_of(&mut store);
    assert_eq!(remembered.len(), 1);
    drop(store);
    // The host puts yesterday's folder back; the options are of today.
    std::fs::remove_dir_all(place.dir()).expect("removed");
    std::fs::rename(&copy, place.dir()).expect("back");
    let mut store = place.open().expect("opens");
    assert_eq!(store.state_of(&gone.id).expect("read"), Some(State::Queued), "the control: it is back");
    let (all, again) = store.share_erasures(&remembered, &now()).expect("shared");
    assert_eq!((again, &all), (1, &remembered));
    assert_eq!(store.state_of(&gone.id).expect("read"), Some(State::Erased));
    assert_eq!(store.state_of(&stays.id).expect("read"), Some(State::Queued));
    assert_eq!(store.share_erasures(&remembered, &now()).expect("shared").1, 0, "once is enough");
    // What lay elsewhere since before is erased when it is adopted; what the person sends today is not.
    let mut kept = ada(3);
    kept.received_at -= 60_000;
    assert_eq!(accept(&mut store, &kept).state, State::Erased);
    // An adoption does not make the time of the erasure earlier for the next one.
    let mut later = ada(5);
    later.received_at = remembered.values().next().expect("one") - 1;
    assert_eq!(accept(&mut store, &later).state, State::Erased);
    let mut new = ada(4);
    new.received_at += 60_000;
    assert_eq!(accept(&mut store, &new).state, State::Queued);
}

#[test]
fn somebody_of_whom_nothing_is_here_yet_is_erased_when_it_comes_in() {
    let mut place = Place::new();
    let mut store = place.opened();
    let mut lies_elsewhere = ada(1);
    lies_elsewhere.received_at -= 60_000;
    store.note_erasure(" ADA@example.org ", now().wall).expect("noted");
    assert_eq!(accept(&mut store, &lies_elsewhere).state, State::Erased);
    let mut new = ada(2);
    new.received_at += 60_000;
    assert_eq!(accept(&mut store, &new).state, State::Queued);
}

#[test]
fn an_erasure_noted_by_a_clock_that_ran_ahead_takes_nothing_that_comes_in_afterwards() {
    let mut place = Place::new();
    let mut store = place.opened();
    let day_ahead = now().wall + DAY;
    store.note_erasure("ada@example.org", day_ahead).expect("noted");
    // The clock is right again, and Ada applies.
    let mut direct = ada(1);
    direct.received_at += 60_000;
    assert_eq!(accept(&mut store, &direct).state, State::Queued);
    let mut kept = ada(2);
    kept.received_at -= 60_000;
    assert_eq!(accept(&mut store, &kept).state, State::Queued, "an hour of the future has erased nobody yet");
}

#[test]
fn what_is_on_its_way_is_erased_as_soon_as_its_answer_is_known() {
    let mut place = Place::new();
    let mut store = place.opened();
    let one = accept(&mut store, &ada(1));
    let seq = store.seq_of(&one.id).expect("there");
    let job = |store: &Store| store.job(seq).expect("read");
    assert!(store.claim(&job(&store), "run", Some(&plan()), &now()).expect("claimed"));
    assert!(store.intend(seq, 0, "run", b"hash", i64::MAX, &now()).expect("intended"));
    erase(&mut store, &one.id);
    assert_eq!(store.finish_erasures(now().wall).expect("looked"), 0, "its answer is open");
    let done = StepOutcome { state: Some(StepState::Done), event: "test", ..Default::default() };
    let sent = job(&store);
    store.outcome(&sent, &sent.steps[0], "run", &done, &now()).expect("written");
    assert!(!store.intend(seq, 1, "run", b"hash", i64::MAX, &now()).expect("asked"), "nothing more of it is sent");
    store.settle(&job(&store), "run", &settled(State::Queued, false), &now()).expect("settled");
    assert_eq!(store.finish_erasures(now().wall).expect("erased"), 1);
    assert_eq!(store.state_of(&one.id).expect("read"), Some(State::Erased));
}

#[test]
fn past_its_retention_nothing_is_sent_again() {
    let mut place = Place::new();
    let mut store = place.opened();
    let one = accept(&mut store, &ada(1));
    store.act(&one.id, Action::Discard, &now()).expect("discarded");
    store.tidy(7, now().wall + 8 * DAY).expect("tidied");
    assert!(!store.detail(&one.id).expect("there").1.has_data);
    let refused = store.act(&one.id, Action::Retry, &now());
    assert_eq!(crate::code(refused), Some(halt_tracker::codes::Code::ActState));
    assert_eq!(store.state_of(&one.id).expect("read"), Some(State::Discarded));
}

#[test]
fn a_form_twin_that_was_kept_elsewhere_is_known_when_it_comes_in_late() {
    let mut place = Place::new();
    let mut store = place.opened();
    let content = Some((vec![[7; 32]], 600_000));
    let first = try_accept(&mut store, &ada(1), None, content.clone()).expect("accepted");
    store.tidy(7, now().wall + 30 * 60_000).expect("tidied");
    let twin = try_accept(&mut store, &ada(2), None, content.clone()).expect("answered");
    assert_eq!((twin.id.as_str(), twin.duplicate), (first.id.as_str(), true));
    // The same content half an hour later is another application.
    let mut later = ada(3);
    later.received_at += 30 * 60_000;
    assert!(!try_accept(&mut store, &later, None, content).expect("accepted").duplicate);
}

#[test]
fn what_a_restore_that_was_cut_off_has_left_goes_with_the_next_run() {
    let mut place = Place::new();
    let mut store = place.opened();
    let left = ["queue.sqlite.restoring", "queue.sqlite.restoring-wal"].map(|name| place.dir().join(name));
    left.iter().for_each(|path| std::fs::write(path, b"a whole copy").expect("written"));
    store.clean_up(7, now().wall).expect("cleaned");
    assert!(left.iter().all(|path| !path.exists()), "a copy that no erasure reaches");
}

#[test]
fn a_restored_backup_brings_back_neither_rows_nor_files_of_who_was_erased() {
    let mut place = Place::new();
    let mut store = place.opened();
    let part = crate::sealed_file(&store, &ada(1).id, "cv.pdf", b"canary of the cv");
    let first = crate::accept_with(&mut store, &ada(1), std::slice::from_ref(&part));
    let other = submission(2, &json!({ "email": "b@example.org" }));
    accept(&mut store, &other);
    let backup = place.root.path().join("backup");
    assert_eq!(store.back_up(&backup).expect("backed up"), 1);
    erase(&mut store, &first.id);
    store.unlink(std::slice::from_ref(&part.stored));
    let aside = store.put_back(&backup, &now()).expect("put back");
    drop(store);
    let mut store = place.open().expect("opens");
    assert_eq!(store.state_of(&first.id).expect("read"), Some(State::Erased));
    assert!(!place.dir().join("files").join(&part.stored).exists(), "the file came back");
    // The store that was set aside holds the other person; it is erased there too, and goes after a week.
    let left = || {
        let conn = rusqlite::Connection::open(&aside).expect("opens");
        conn.query_row("SELECT count(*) FROM submission WHERE payload IS NOT NULL", [], |row| row.get::<_, i64>(0))
            .expect("counted")
    };
    assert_eq!(left(), 1);
    erase(&mut store, &other.id);
    store.erase_aside().expect("erased");
    assert_eq!(left(), 0);
    store.sweep(now().wall + 6 * DAY).expect("swept");
    assert!(aside.exists());
    store.sweep(now().wall + 8 * DAY).expect("swept");
    assert!(!aside.exists());
}

#[test]
fn hashes_are_kept_for_a_year_and_no_longer() {
    let mut place = Place::new();
    let mut store = place.opened();
    let one = ada(1);
    accept(&mut store, &one);
    accept(&mut store, &submission(2, &json!({ "email": "waits@example.org", "name": "Wilhelmina" })));
    store.act(&one.id, Action::Discard, &now()).expect("discarded");
    let two = submission(3, &json!({ "email": "c@example.org" }));
    accept(&mut store, &two);
    erase(&mut store, &two.id);
    store.tidy(7, now().wall + 300 * DAY).expect("tidied");
    let found = |store: &Store, email: &str| store.ids_of_email(email).expect("searched").len();
    assert_eq!((found(&store, "ada@example.org"), known_of(&mut store).len()), (1, 1));
    store.tidy(7, now().wall + 366 * DAY).expect("tidied");
    assert_eq!((found(&store, "ada@example.org"), known_of(&mut store).len()), (0, 0));
    assert_eq!(found(&store, "waits@example.org"), 1, "what still waits is found for as long as it is there");
}
