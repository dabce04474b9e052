//! Real sockets under TLS between the relay and the model of Tracker, and everything that a network does to them: the
//! matrix of fault × step × API, and what leaves the machine at all. `NETWORK_ROUNDS=n` plays every record type, with each
//! fault several times in a row from the second round on; without it a short form runs. `NETWORK_CELL=text` plays the cells
//! whose name contains the text.

#[path = "../judge/mod.rs"]
mod judge;
#[path = "../tracker_sim/model/mod.rs"]
mod model;

mod certificates;
mod fault;
mod front;
mod matrix;
mod outbound;
mod site;
