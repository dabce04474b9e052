//! What an administrator does on the screens and in a terminal, and what Site Health says, on a real WordPress: each
//! button that is there does what its label says, with and without a script.

#[path = "../wordpress/forms.rs"]
#[allow(dead_code)]
mod forms;
#[path = "../wordpress/hook.rs"]
#[allow(dead_code)]
mod hook;
#[path = "../wordpress/site.rs"]
#[allow(dead_code)]
mod site;
#[path = "../stack/mod.rs"]
mod stack;

mod alerts;
mod cli;
mod export;
mod guide;
mod health;
mod hooks;
mod log;
mod many;
mod mapping;
mod outside;
mod plain;
mod rest;
mod runs;
mod signals;
mod truth;
mod ways_out;
mod words;
