//! What a sender may believe (A2): PHP may die at any moment of the accept, and whoever was told "accepted" is in the store from
//! then on, once, whatever crashes (invariants 1 and 10).

use std::ffi::{c_int, c_void};
use std::sync::atomic::{AtomicU64, Ordering};

use halt_tracker::clock::Random;
use halt_tracker::queue::QueueError;
use halt_tracker::queue::accept::Accepted;
use halt_tracker::queue::state::State;
use rusqlite::{Connection, ffi};
use serde_json::{Value, json};

use crate::arrivals::Arrival;
use crate::case::{Case, Sent};
use crate::promises::Spoil;
use crate::world::World;

/// More moments than an accept has: whoever dies later dies with the commit behind him.
const MOMENTS: u64 = 400;

impl World {
    fn arrival(&mut self, fields: &Value) -> Arrival {
        self.door().receive(fields, State::Queued)
    }

    fn take(&mut self, arrival: &Arrival) -> Result<Accepted, QueueError> {
        self.door().take(arrival)
    }

    /// Takes it in while PHP dies at a moment. `None`: it died before it could say anything.
    fn take_and_die(&mut self, arrival: &Arrival, moment: u64) -> Option<Accepted> {
        let bomb = Bomb::set(self.store.connection(), moment);
        let said = self.take(arrival).ok();
        drop(bomb);
        if said.is_none() {
            self.store.clean_up_after_abort();
        }
        said
    }
}

/// Ends what a connection does after so many steps of SQLite's machine, as death would: nothing of it is committed afterwards.
struct Bomb {
    of: *mut ffi::sqlite3,
    _left: Box<AtomicU64>,
}

impl Bomb {
    fn set(conn: &Connection, moment: u64) -> Self {
        let left = Box::new(AtomicU64::new(moment));
        let counter = std::ptr::from_ref(left.as_ref()).cast_mut().cast::<c_void>();
        // SAFETY: the handle is only used to set the handler, which is taken off again before the counter goes.
        let of = unsafe { conn.handle() };
        // SAFETY: as above; the counter is boxed and stays where it is.
        unsafe { ffi::sqlite3_progress_handler(of, 1, Some(tick), counter) };
        Self { of, _left: left }
    }
}

impl Drop for Bomb {
    fn drop(&mut self) {
        // SAFETY: the connection is the caller's, who has it still; no handler means that nothing is called any more.
        unsafe { ffi::sqlite3_progress_handler(self.of, 0, None, std::ptr::null_mut()) };
    }
}

extern "C" fn tick(counter: *mut c_void) -> c_int {
    // SAFETY: what was handed over in `Bomb::set`.
    let left = unsafe { &*counter.cast::<AtomicU64>() };
    c_int::from(left.fetch_sub(1, Ordering::Relaxed) == 1)
}

/// A submission of a seed comes in. One in five dies on the way, or its answer is lost; then its sender repeats the request,
/// until he is told. Whoever is told is kept in a list that no store knows of.
pub fn come_in(case: &mut Case, name: String, email: String) {
    let fields = json!({ "name": name, "email": email, "message": "Hi" });
    let arrival = case.world.arrival(&fields);
    let (mut id, mut marker) = (arrival.submission.id.clone(), arrival.marker.clone());
    if case.arrivals.chance(20) {
        let (told, signed) = dies(case, arrival);
        if told.is_none() {
            let again = Arrival { signature: Some(signed), ..case.world.arrival(&fields) };
            id = case.world.take(&again).expect("accepted").id;
        }
        marker = case.world.marker_of(&id).unwrap_or(marker);
    } else {
        case.world.take(&arrival).expect("accepted");
    }
    case.sent.push(Sent { id, name, email, marker });
}

/// What was said, if anything arrived, and the signature of the request.
fn dies(case: &mut Case, arrival: Arrival) -> (Option<Accepted>, [u8; 32]) {
    let mut signature = [0; 32];
    case.arrivals.bytes(&mut signature);
    let arrival = Arrival { signature: Some(signature), ..arrival };
    let moment = 1 + case.arrivals.below(MOMENTS);
    case.deaths += 1;
    let said = case.world.take_and_die(&arrival, moment);
    if case.spoilt == Some(Spoil::ToldTooEarly) {
        let id = arrival.submission.id;
        return (Some(Accepted { id, state: State::Queued, duplicate: false }), signature);
    }
    // An answer may be lost on its way, too.
    (said.filter(|_| case.arrivals.chance(50)), signature)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The rows of each table that an accept writes.
    fn rows(world: &World) -> [i64; 5] {
        ["submission", "file", "once", "search", "journal"]
            .map(|table| world.number(&format!("SELECT count(*) FROM {table}")))
    }

    #[derive(Default)]
    struct Seen {
        deaths: u64,
        told: u64,
        stored: i64,
    }

    /// An accept that dies at each of its moments, one applicant after the other; each repeats until he is told, and once more.
    fn at_every_moment(world: &mut World, too_early: bool) -> Result<Seen, String> {
        world.documents = 1;
        let mut seen = Seen::default();
        for moment in 1.. {
            let fields = json!({ "name": format!("Person Number{moment}"), "email": format!("p{moment}@example.org") });
            let mut signature = [0; 32];
            world.dice.bytes(&mut signature);
            let signed = |world: &mut World| Arrival { signature: Some(signature), ..world.arrival(&fields) };
            let (first, before) = (signed(world), rows(world));
            let said = world.take_and_die(&first, moment);
            let died = said.is_none();
            let is_there = world.marker_of(&first.submission.id).is_some();
            if (!died || too_early) && !is_there {
                return Err(format!("acknowledged at moment {moment}, and not in the store"));
            }
            if died && !is_there && rows(world) != before {
                return Err(format!("a part of it is there after moment {moment}: {before:?}, {:?}", rows(world)));
            }
            let mut ids = Vec::new();
            for _ in 0..2 {
                let again = signed(world);
                ids.push(world.take(&again).map_err(|error| error.to_string())?.id);
            }
            if is_there {
                ids.push(first.submission.id);
            }
            ids.dedup();
            let after = rows(world);
            if ids.len() != 1 || after[0] != before[0] + 1 {
                return Err(format!("repeated after moment {moment}, and {} times in the store", after[0] - before[0]));
            }
            (seen.told, seen.stored) = (seen.told + 1, after[0]);
            if after[1..4].iter().zip(&before[1..4]).any(|(now, before)| now <= before) {
                return Err(format!("accepted after moment {moment} without a part of it: {before:?}, {after:?}"));
            }
            if !died {
                return if moment > 50 { Ok(seen) } else { Err(format!("an accept has only {moment} moments")) };
            }
            seen.deaths += 1;
        }
        Ok(seen)
    }

    #[test]
    fn whoever_is_told_is_in_the_store_and_whoever_repeats_is_there_once() {
        let new = || World::new(71, json!({}));
        let seen = at_every_moment(&mut new(), false).expect("nothing is wrong");
        println!(
            "campaign a, accepting: simulated, a store in memory: deaths={} acknowledged={} stored={} lost=0 doubled=0",
            seen.deaths, seen.told, seen.stored
        );
        let why = at_every_moment(&mut new(), true).err().expect("told before the commit");
        println!("mutation an answer comes after the commit: red ({why})");
        let mut world = new();
        let apart = "CREATE TEMP TRIGGER apart BEFORE INSERT ON main.once BEGIN SELECT RAISE(IGNORE); END";
        world.store.connection().execute_batch(apart).expect("a trigger");
        let why = at_every_moment(&mut world, false).err();
        // The store is the next world's.
        world.store.connection().execute_batch("DROP TRIGGER apart").expect("dropped");
        println!("mutation a repeated request is known by its signature: red ({})", why.expect("stored twice"));
    }
}
