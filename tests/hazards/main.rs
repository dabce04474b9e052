//! What breaks around a live site - disks, keys, locks, owners, processes, copies and restores - and that no submission is
//! lost or doubled by any of it. Everything is real: WordPress, php-fpm, mounts and kills; only Tracker is simulated.
//! Root is needed, and `HALT_TRACKER_EXTENSION` and `HALT_TRACKER_SIM` name the built module and the simulator.

#[path = "../judge/mod.rs"]
mod settled;
#[path = "../stack/mod.rs"]
mod stack;

mod copies;
mod deleted;
mod fatal;
mod judge;
mod kills;
mod place;
mod processes;
mod sites;
mod troubles;
mod world;
