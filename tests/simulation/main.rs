//! The real store and relay on virtual time against the model of Tracker: first sentence by sentence, then by seed.

#[path = "../tracker_sim/model/mod.rs"]
mod model;

mod accepting;
mod arrivals;
mod backup;
mod campaign;
mod case;
mod clear;
mod contract;
mod corrected;
mod counts;
mod crowd;
mod delivery;
mod documents;
mod doubts;
mod entered;
mod evidence;
mod fairness;
mod features;
mod fields;
mod forbidden;
mod interleaved;
mod invariants;
mod late_looks;
mod ledgers;
mod looking;
mod meanwhile;
mod mutations;
mod promises;
mod refusals;
mod restored;
mod rotation;
mod rounds;
mod rules;
mod same_name;
mod scripts;
mod seeds;
mod stores;
mod tokens;
mod unfit;
mod unsettled;
mod weather;
mod wire;
mod world;
mod written;
