//! A clock that leaps: nothing waits for years because of it, and nobody's data goes early.

use halt_tracker::clock::Moment;
use halt_tracker::queue::act::Action;
use halt_tracker::queue::state::State;

use crate::history::{plan, settled};
use crate::{Place, accept, ada, now};

const DAY: i64 = 24 * 3_600_000;

fn connection_says(place: &Place, sql: &str) {
    rusqlite::Connection::open(place.dir().join("queue.sqlite")).and_then(|conn| conn.execute(sql, [])).expect("set");
}

#[test]
fn what_was_put_off_by_a_clock_that_ran_ahead_is_due() {
    let mut place = Place::new();
    let mut store = place.opened();
    let one = accept(&mut store, &ada(1));
    let seq = store.seq_of(&one.id).expect("there");
    let job = store.job(seq).expect("read");
    let ahead = Moment { wall: now().wall + 400 * DAY, boot: 400 * DAY, boot_id: "unnamed".into() };
    assert!(store.claim(&job, "run", Some(&plan()), &ahead).expect("claimed"));
    let mut later = settled(State::Retry, true);
    later.due_in = 60_000;
    store.settle(&store.job(seq).expect("read"), "run", &later, &ahead).expect("settled");
    // The control: at that time it waits for its minute.
    assert_eq!(store.next_due(&ahead).expect("asked"), None);
    assert_eq!(store.waiting(&ahead).expect("asked"), (1, Some(60_000)));
    // The same machine after its next boot, which has no name either; and one whose clock was set right.
    let next_boot = Moment { boot: 1_000, ..ahead.clone() };
    let set_right = Moment { boot_id: "another".into(), ..now() };
    for moment in [next_boot, set_right] {
        assert_eq!(store.next_due(&moment).expect("asked"), Some(seq), "{moment:?}");
        assert_eq!(store.waiting(&moment).expect("asked"), (1, Some(0)), "{moment:?}");
    }
}

#[test]
fn a_late_look_that_was_put_off_by_such_a_clock_is_due() {
    let mut place = Place::new();
    let mut store = place.opened();
    let one = accept(&mut store, &ada(1));
    let day_ahead = now().wall + DAY;
    connection_says(&place, &format!("UPDATE submission SET state = 'done', audit_at = {day_ahead}"));
    assert_eq!(store.due_audit(now().wall).expect("asked"), None, "the control: it is due tomorrow");
    connection_says(&place, &format!("UPDATE submission SET audit_at = {}", now().wall + 400 * DAY));
    let moment = now().wall;
    assert_eq!(store.due_audit(moment).expect("asked"), Some((store.seq_of(&one.id).expect("there"), moment)));
}

#[test]
fn a_leap_of_the_clock_takes_nobodys_data_at_once() {
    let mut place = Place::new();
    let mut store = place.opened();
    let one = accept(&mut store, &ada(1));
    store.act(&one.id, Action::Discard, &now()).expect("discarded");
    let has_data = |store: &halt_tracker::queue::Store| store.detail(&one.id).expect("there").1.has_data;
    let begin = now().wall;
    store.clean_up(7, begin).expect("cleaned");
    let ahead = begin + 100 * DAY;
    for hour in 0..24 {
        store.clean_up(7, ahead + hour * 3_600_000).expect("cleaned");
        assert!(has_data(&store), "gone {hour} hours after the leap");
    }
    // Set right, everything is as before; and where it was no leap, a day later what is past its time goes.
    store.clean_up(7, begin + DAY).expect("cleaned");
    assert!(has_data(&store));
    store.clean_up(7, ahead).expect("cleaned");
    store.clean_up(7, ahead + DAY + 3_600_000).expect("cleaned");
    assert!(!has_data(&store));
}
