//! Halt Tracker: a durable relay from WordPress to Tracker RMS, built as a PHP extension.
//!
//! A submission flows one way, and nothing flows back except the journal:
//!
//! ```text
//! ingest → submission → queue → relay → tracker
//! ```
//!
//! # Layout, in the order in which data passes
//!
//! - [`ingest`]: checks and parses what arrives: webhook signature, strict JSON, form keys, files.
//! - [`submission`]: what came in, as every later part sees it.
//! - [`queue`]: keeps it durably in SQLite; the only place with SQL.
//! - [`relay`]: claims it and walks its steps: intents, outcomes, retries, pauses.
//! - [`mapping`]: turns its fields into Tracker's members, on the way.
//! - [`tracker`]: speaks HTTP with Tracker and says what an answer proves.
//!
//! Beside the flow: [`vault`] seals everything at rest, [`settings`] and [`codes`] are the tables of
//! settings and error codes, [`clock`] hands in time and randomness, and [`engine`] is the list of
//! business actions that `php` (the binding, and the only place that knows PHP) offers to WordPress.

#![deny(missing_docs)]
#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::expect_used, clippy::panic))]
#![cfg_attr(not(feature = "php"), forbid(unsafe_code))]

pub mod clock;
pub mod codes;
pub mod engine;
pub mod ingest;
pub mod mapping;
pub mod queue;
pub mod relay;
pub mod settings;
pub mod submission;
pub mod tracker;
pub mod vault;

// The unit-test binary is no PHP module: without `not(test)` it would miss Zend's symbols.
#[cfg(all(feature = "php", not(test)))]
mod php;
