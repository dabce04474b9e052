//! The judge of every hazard: the store (opened past PHP, on a copy), the site's own table, Tracker's ledger, and the files.

use crate::place::Place;
use crate::settled::clear::{canary_in, in_the_clear};
use crate::settled::settled;
pub use crate::settled::{Counts, People, Told};
use crate::world::World;
use halt_tracker::clock::{Clock, SystemClock};

/// Checks everything; the first thing that is wrong.
pub fn judge(world: &World, place: &Place, people: &People<'_>) -> Result<Counts, String> {
    let ledger = world.sim.ledger();
    let asked = place.with_store(|store| Ok(settled(store, &ledger, people, &SystemClock.now())));
    let counts = asked.map_err(|error| format!("the store does not open: {error}"))??;
    nothing_in_the_clear(world, place)?;
    Ok(counts)
}

/// 8. Nothing of a person is in the clear in the data folder, the site's own table, or a log.
fn nothing_in_the_clear(world: &World, place: &Place) -> Result<(), String> {
    const CANARIES: [&str; 3] = ["@example.org", "Byron", "canary-of-the-cv"];
    in_the_clear(&place.from, &CANARIES)?;
    let kept = world.stack.sql("SELECT count(*) FROM wp_halt_tracker_capture WHERE sealed LIKE '%example.org%'")?;
    if kept != "0" {
        return Err(format!("{kept} rows of the site's own table are in the clear"));
    }
    let logs = world.stack.logs();
    canary_in(logs.as_bytes(), &CANARIES).map_or(Ok(()), |canary| Err(format!("{canary} is in a log")))
}
