//! Tracker's two APIs: hosts, tokens, requests, and what an answer proves. It knows no queue and decides no
//! retry: it says what happened, `relay` decides.
//!
//! - [`catalogue`]: the one table of Tracker's fields. [`plan`]: from mapped members to requests; [`activity`]: one of them.
//! - [`hosts`], [`tokens`], [`transport`], [`http`]: how a request reaches Tracker, with `outbound` (what WordPress lets
//!   out), `deadline` and `upload` beside it. [`time`]: its dates.
//! - [`outcome`]: what an answer proves. [`client`]: sends and probes. [`lookup`]: searches and reads, [`record`]: what it
//!   finds, [`marker`]: by what.
//!
//! Facts about the API that are not documented carry the word ASSUMPTION; the simulator has a switch for each.

pub mod activity;
pub mod catalogue;
pub mod client;
mod deadline;
pub mod hosts;
pub mod http;
pub mod lookup;
pub mod marker;
mod outbound;
pub mod outcome;
pub mod plan;
pub mod record;
pub mod time;
pub mod tokens;
pub mod transport;
mod upload;
