//! The plugin and the extension on a real WordPress, end to end: what a visitor, another program and an administrator
//! do, held against what the simulated Tracker holds afterwards and against what the engine says.

#[path = "../stack/mod.rs"]
mod stack;

mod forms;
mod hook;
mod site;

mod absent;
mod earlier;
mod kept;
mod lifecycle;
mod main_job;
mod names;
mod pages;
mod refusals;
mod routing;
mod surroundings;
mod trouble;
mod values;
mod vectors;
mod webhook;
