//! The fault campaign on real files: whatever fails at whatever point, nothing that was acknowledged is lost and nobody is
//! in Tracker twice. Disk and network are real calls of the engine that meet our faults; Tracker is its model, and time
//! is virtual, so that the product's own durations hold unscaled. `TORTURE=1` plays the long form.

#[path = "../judge/clear.rs"]
mod clear;
#[path = "../tracker_sim/model/mod.rs"]
mod model;

mod calls;
mod dice;
mod judge;
mod jumps;
mod left;
mod mutations;
mod newer;
mod others;
mod outside;
mod points;
mod power;
mod processes;
mod restored;
mod site;
mod story;
mod system;
mod whose;
mod wire;
